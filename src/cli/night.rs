//! `khoyte night`: the nightly run, with what it did to each table.

use chrono::NaiveDate;
use pipelines::ledger::{Outcome, RunResult};
use pipelines::materialise::target;
use pipelines::night::{Event, Night, Summary};
use serde_json::{Map, Value, json};
use warehouse::names::TableName;
use warehouse::store::{Lake, Step};

use super::{CommandLine, Exit, House, keys};
use crate::config::{self, UsageError};
use crate::report::{Both, Reporter};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The night's date; the same date again resumes the same night [default: today]
    #[arg(long, value_name = "DATE", value_parser = config::parse_date)]
    date: Option<NaiveDate>,
    /// Load only these sources
    #[arg(long, value_name = "SOURCE", num_args = 1..)]
    only: Vec<String>,
    /// Read the days from this one to `--to` again, where tables grow by day or month
    #[arg(long, value_name = "DATE", value_parser = config::parse_date, requires = "to")]
    from: Option<NaiveDate>,
    /// The last of the days that are read again
    #[arg(long, value_name = "DATE", value_parser = config::parse_date, requires = "from")]
    to: Option<NaiveDate>,
    /// Make these tables again though nothing that they are made from changed: where the lake has
    /// lost files of theirs (see `khoyte doctor`)
    #[arg(long, value_name = "TABLE", num_args = 1..)]
    again: Vec<TableName>,
    /// Print what came of the night as one JSON object
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: &Args, line: &CommandLine, out: &Reporter) -> anyhow::Result<Exit> {
    let house = match House::open(line.config()?, out)? {
        Ok(house) => house,
        Err(exit) => return Ok(exit),
    };
    for source in &args.only {
        let known = &house.warehouse.declarations().contracts;
        if !known.iter().any(|contract| contract.id == *source) {
            let ids: Vec<&str> = known.iter().map(|contract| contract.id.as_str()).collect();
            out.fail(&format!(
                "khoyte: there is no source `{source}`; there are {}",
                ids.join(", ")
            ));
            return Ok(Exit::Usage);
        }
    }
    let date = args.date.unwrap_or_else(config::today);
    // What a night of the future loaded would stay the newest for as long.
    let latest = config::today().succ_opt().unwrap_or(date);
    if date > latest {
        return Err(UsageError(format!("the night of {date} has not come yet")).into());
    }
    for table in &args.again {
        let declared = house.warehouse.declarations();
        let mut made = declared.queries.iter().filter_map(|query| Some(target(query)?.0));
        if declared.source_table(table).is_none() && !made.any(|name| name == *table) {
            return Err(UsageError(format!("no night makes a table {table}")).into());
        }
    }
    let again = args.from.zip(args.to);
    if let Some((from, to)) = again.filter(|(from, to)| from > to) {
        return Err(UsageError(format!("--from {from} is after --to {to}")).into());
    }
    let work = Work { date, only: args.only.clone(), again, afresh: args.again.clone() };
    let summary = night(&house, work, out).await?;
    if args.json {
        out.print(&format!("{}\n", whole(date, &summary)));
    }
    Ok(if summary.is_clean() { Exit::Done } else { Exit::Failed })
}

/// The night as one JSON object, for programs that watch over it.
fn whole(date: NaiveDate, summary: &Summary) -> Value {
    let mut night = counted(date, summary);
    night["tables"] = summary.outcomes.iter().map(of_table).collect();
    night
}

/// The night without its tables.
fn counted(date: NaiveDate, summary: &Summary) -> Value {
    let count = |result: RunResult| (result.as_str().to_owned(), summary.count(result).into());
    json!({
        "night": date.to_string(),
        "clean": summary.is_clean(),
        "counts": Map::from_iter(RunResult::ALL.map(count)),
    })
}

/// What came of one table.
fn of_table(outcome: &Outcome) -> Value {
    let tonight = outcome.tonight();
    json!({
        "table": outcome.name(),
        "step": outcome.step.as_str(),
        "result": outcome.result.as_str(),
        "rows_read": tonight.map(|note| note.rows_read),
        "rows_written": tonight.map(|note| note.rows_written),
        "rows_quarantined": tonight.map(|note| note.rows_quarantined),
        "reason": outcome.reason,
        "partitions": tonight.and_then(|note| note.parts),
    })
}

/// What a night is to do.
pub(super) struct Work {
    /// Its date.
    pub(super) date: NaiveDate,
    /// Sources to load; all when empty.
    pub(super) only: Vec<String>,
    /// Days to read again.
    pub(super) again: Option<(NaiveDate, NaiveDate)>,
    /// Tables to make again though nothing changed.
    pub(super) afresh: Vec<TableName>,
}

/// Runs one night and shows it.
pub(super) async fn night(house: &House, work: Work, out: &Reporter) -> anyhow::Result<Summary> {
    let Work { date, only, again, afresh } = work;
    if let Some(folder) = house.config.sources_folder.as_ref().filter(|folder| !folder.is_dir()) {
        let text = format!("the folder of sources, {}, is not there", folder.display());
        return Err(UsageError(text).into());
    }
    let sources = house.sources()?;
    let warehouse = &house.warehouse;
    let run = async {
        // Under the lease, so that nobody rotates the keys between this look at them and the night.
        let (keys, behind) = keys::of(house).await?;
        if !behind.is_empty() {
            out.say("a rotation of the keys is unfinished; it is ended first");
            keys::renew(house, &keys, &behind, out).await?;
        }
        let night = Night { warehouse, sources: &sources, keys: &keys, date, only, again, afresh };
        let show = &mut |event: Event<'_>| match event {
            Event::Started { steps } => out.begin(steps),
            Event::Begun { name } => out.working_on(name),
            Event::Done(outcome) => {
                tell(outcome, out);
                out.step();
            }
        };
        let summary = night.run(show).await?;
        anyhow::Ok((summary, keys))
    };
    let (summary, keys) = leased(warehouse.lake(), out, run).await?;
    let counts: Vec<String> = RunResult::ALL
        .iter()
        .map(|result| format!("{} {}", summary.count(*result), result.in_english()))
        .collect();
    out.say(&Both {
        text: format!("night of {date}: {}", counts.join(", ")),
        object: counted(date, &summary),
    });
    if summary.count(RunResult::Waiting) > 0 {
        out.say("`khoyte doctor` says what waits, and for what");
    }
    if keys.is_new() {
        out.say(&keys::unsaved(&keys, &house.config.keys_folder));
    }
    Ok(summary)
}

/// Does work under the lease on the lake, and gives it back however the work ends: each of two who
/// write would go by what it read before the other wrote.
pub(super) async fn leased<T>(
    lake: &Lake,
    out: &Reporter,
    work: impl Future<Output = anyhow::Result<T>>,
) -> anyhow::Result<T> {
    let lease = lake.lease(&holder()).await?;
    let done = work.await;
    out.end();
    if let Err(error) = lease.release().await {
        let error = anyhow::Error::new(error);
        out.fail(&format!(
            "khoyte: the lake was not given back, and is free in two minutes: {error:#}"
        ));
    }
    done
}

/// Who holds the lake while the night runs: `host:process`.
fn holder() -> String {
    let read = |path| std::fs::read_to_string(path).ok();
    // A service may be shown no more of the kernel than its processes.
    let host = read("/proc/sys/kernel/hostname").or_else(|| read("/etc/hostname"));
    let host = host.as_deref().map(str::trim).filter(|host| !host.is_empty());
    format!("{}:{}", host.unwrap_or("unknown"), std::process::id())
}

/// Says what came of one table, where there is something to say.
fn tell(outcome: &Outcome, out: &Reporter) {
    let Some(text) = describe(outcome) else { return };
    let told = Both { text, object: of_table(outcome) };
    match outcome.result {
        RunResult::New | RunResult::Unchanged | RunResult::Waiting => out.say(&told),
        RunResult::Overdue | RunResult::Stale | RunResult::Refused | RunResult::Failed => {
            out.fail(&told);
        }
    }
}

fn describe(outcome: &Outcome) -> Option<String> {
    let name = outcome.name();
    let reason = outcome.reason.as_deref().unwrap_or_default();
    Some(match outcome.result {
        RunResult::New => {
            let note = outcome.note.as_ref()?;
            let refused = match note.rows_quarantined {
                0 => String::new(),
                rows => format!(", {rows} in quarantine"),
            };
            let parts = note.parts.map(|parts| format!(" of {parts} partitions"));
            let parts = parts.unwrap_or_default();
            let faults: u64 = note.checks.iter().map(|check| check.faults).sum();
            let checks = if faults == 0 { String::new() } else { format!(", {faults} findings") };
            let near = match (outcome.step, reason) {
                (_, "") | (Step::Tinh | Step::HeThong, _) => String::new(),
                (Step::Nap, near) => format!("; {near}"),
            };
            format!("  new        {name}: {} rows{parts}{refused}{checks}{near}", note.rows_written)
        }
        RunResult::Unchanged => return None,
        // Most systems of the sector are not connected yet: those that never sent are only counted.
        RunResult::Waiting if outcome.note.is_none() => return None,
        RunResult::Waiting => format!("  waiting    {name}: {reason}"),
        RunResult::Overdue => format!("  overdue    {name}: {reason}"),
        RunResult::Stale => format!("  stale      {name}: {reason}"),
        RunResult::Refused => format!("  refused    {name}: {reason}"),
        RunResult::Failed => format!("  failed     {name}: {reason}"),
    })
}
