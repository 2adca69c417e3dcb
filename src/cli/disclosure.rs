//! `khoyte disclosure`: the gate on any table, as a tool for statisticians.
//!
//! No table is written unless the gate has passed everything: a refusal leaves at most the report
//! that was asked for, a fault in the input nothing. Nothing that was read is ever overwritten.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context;
use disclosure::{
    AlternativeError, AuditedFigures, Faults, Inputs, Limits, Loaded, NoiseTable, OutputError,
    Primaries, Purpose, Report, StatusDetail, Verdict,
};

use super::Exit;
use crate::report::{Both, Reporter};

/// Protect a table against disclosure, or audit one, jointly with everything already published.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Suppress what is sensitive and what would give it away; write the tables with a `status`
    /// column (published, suppressed).
    Protect {
        #[command(flatten)]
        tables: Tables,
        #[command(flatten)]
        report: ReportArgs,
        /// Folder for the protected tables; without it they are written beside each table as
        /// NAME.protected.csv.
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
        /// Write `primary` and `secondary` in the status column: for the house only, because they
        /// tell which figures break the rules.
        #[arg(long)]
        house_status: bool,
    },
    /// Say what could be learned from tables that have a `status` column.
    Audit {
        #[command(flatten)]
        tables: Tables,
        #[command(flatten)]
        report: ReportArgs,
        /// The same tables with the suppressed values, if the house has them.
        #[arg(long, value_name = "TABLE.csv")]
        truth: Vec<PathBuf>,
    },
    /// Round every figure to the declared base, totals still adding up.
    Round {
        #[command(flatten)]
        tables: Tables,
        /// Folder for the rounded tables.
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
        #[command(flatten)]
        time: TimeArgs,
    },
    /// Add the declared cell-key noise; the same cell always gets the same noise.
    Perturb {
        #[command(flatten)]
        tables: Tables,
        /// Folder for the perturbed tables and the record of the noise.
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
        #[command(flatten)]
        time: TimeArgs,
    },
    /// Judge person-level records: k-anonymity, l-diversity, t-closeness, uniques.
    Microdata {
        /// The records.
        #[arg(value_name = "RECORDS.csv")]
        records: PathBuf,
        /// The declaration, with a [microdata] section.
        #[arg(long, value_name = "SPEC.toml")]
        spec: PathBuf,
        /// Write the report as JSON.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, clap::Args)]
struct Tables {
    /// The tables; several are linked and protected together.
    #[arg(value_name = "TABLE.csv", required = true)]
    tables: Vec<PathBuf>,
    /// The declaration of columns, hierarchies, rules and earlier releases.
    #[arg(long, value_name = "SPEC.toml")]
    spec: PathBuf,
}

#[derive(Debug, clap::Args)]
struct ReportArgs {
    /// Write the report as JSON.
    #[arg(long)]
    json: bool,
    /// Also write the report as one HTML page (internal: it shows intervals).
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    #[command(flatten)]
    time: TimeArgs,
}

#[derive(Debug, clap::Args)]
struct TimeArgs {
    /// Stop looking after about this long; what is not shown to be safe by then is refused.
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    time_limit: u64,
}

/// One limit for everything a command does.
#[derive(Debug, Clone, Copy)]
struct Clock {
    started: Instant,
    limit: Duration,
}

impl Clock {
    fn start(args: &TimeArgs) -> Self {
        let limit = Duration::from_secs(args.time_limit.clamp(1, 1_000_000));
        Self { started: Instant::now(), limit }
    }

    fn left(self) -> Duration {
        self.limit.saturating_sub(self.started.elapsed())
    }

    fn limits(self) -> Limits {
        Limits { time: Some(self.left()) }
    }
}

/// Runs the command; everything that it says is a result.
pub(crate) fn run(args: &Args, out: &Reporter) -> anyhow::Result<Exit> {
    match dispatch(args, out) {
        Err(cause) if cause.is::<OutputError>() => {
            out.result(&format!("error: {cause:#}\n"));
            Ok(Exit::Failed)
        }
        outcome => outcome,
    }
}

fn dispatch(args: &Args, out: &Reporter) -> anyhow::Result<Exit> {
    match &args.command {
        Command::Protect { tables, report, out: folder, house_status } => {
            let detail = if *house_status { StatusDetail::Full } else { StatusDetail::Public };
            protect(tables, report, folder.as_deref(), detail, out)
        }
        Command::Audit { tables, report, truth } => audit(tables, report, truth, out),
        Command::Round { tables, out: folder, time } => {
            let clock = Clock::start(time);
            let Some(loaded) = load(tables, &[], Purpose::Protect, (clock, false), out)? else {
                return Ok(Exit::Usage);
            };
            let rounded = disclosure::round_table(&loaded.spec, &loaded.model, clock.limits());
            write_figures(&loaded, rounded.map(|figures| (figures, None)), folder, out)
        }
        Command::Perturb { tables, out: folder, time } => {
            let clock = Clock::start(time);
            let Some(loaded) = load(tables, &[], Purpose::Protect, (clock, false), out)? else {
                return Ok(Exit::Usage);
            };
            let perturbed = disclosure::perturb_table(&loaded.spec, &loaded.model, clock.limits());
            let perturbed = perturbed.map(|(figures, noise)| (figures, Some(noise)));
            write_figures(&loaded, perturbed, folder, out)
        }
        Command::Microdata { records, spec, json } => microdata(records, spec, *json, out),
    }
}

fn load(
    tables: &Tables,
    truth: &[PathBuf],
    purpose: Purpose,
    (clock, json): (Clock, bool),
    out: &Reporter,
) -> anyhow::Result<Option<Loaded>> {
    let inputs = Inputs {
        spec: tables.spec.clone(),
        tables: tables.tables.clone(),
        truth: truth.to_vec(),
        time: Some(clock.left()),
    };
    let mut faults = Faults::default();
    let loaded = inputs.load(purpose, &mut faults);
    // Warnings would spoil a document that a program reads.
    if loaded.is_none() || !json || out.is_json() {
        tell_faults(&faults, out);
    }
    Ok(loaded)
}

fn protect(
    tables: &Tables,
    report: &ReportArgs,
    folder: Option<&Path>,
    detail: StatusDetail,
    out: &Reporter,
) -> anyhow::Result<Exit> {
    let clock = Clock::start(&report.time);
    let Some(loaded) = load(tables, &[], Purpose::Protect, (clock, report.json), out)? else {
        return Ok(Exit::Usage);
    };
    let mut places = places(&tables.tables, folder, "protected")?;
    places.extend(report.html.clone());
    if !may_write(&places, &loaded.files, out) {
        return Ok(Exit::Usage);
    }
    let (primaries, verdict) = disclosure::protect_candidate(&loaded.model, clock.limits());
    let mut files = Vec::new();
    if let Some(audited) = verdict.audited() {
        let rendered = disclosure::render_tables(&loaded.model, audited, detail)?;
        files = places.into_iter().zip(rendered.into_iter().map(|(_, bytes)| bytes)).collect();
    }
    tell(&loaded, &primaries, &verdict, report, files, out)
}

fn audit(
    tables: &Tables,
    report: &ReportArgs,
    truth: &[PathBuf],
    out: &Reporter,
) -> anyhow::Result<Exit> {
    let clock = Clock::start(&report.time);
    let Some(loaded) = load(tables, truth, Purpose::Audit, (clock, report.json), out)? else {
        return Ok(Exit::Usage);
    };
    let places: Vec<PathBuf> = report.html.iter().cloned().collect();
    if !may_write(&places, &loaded.files, out) {
        return Ok(Exit::Usage);
    }
    let (primaries, verdict) = disclosure::audit_candidate(&loaded, clock.limits());
    tell(&loaded, &primaries, &verdict, report, Vec::new(), out)
}

/// Writes the tables that may leave and the report, all or none, and says what came of it.
fn tell(
    loaded: &Loaded,
    primaries: &Primaries,
    verdict: &Verdict,
    args: &ReportArgs,
    mut files: Vec<(PathBuf, Vec<u8>)>,
    out: &Reporter,
) -> anyhow::Result<Exit> {
    let report = Report::new(&loaded.spec, &loaded.model, primaries, verdict);
    if let Some(file) = &args.html {
        files.push((file.clone(), report.to_html().into_bytes()));
    }
    disclosure::write_all_whole(&files)?;
    if args.json && !out.is_json() {
        out.print(&format!("{}\n", report.to_json()));
    } else {
        out.result(&Both { text: report.to_text(), object: report });
    }
    Ok(if verdict.audited().is_some() { Exit::Done } else { Exit::Refused })
}

fn write_figures(
    loaded: &Loaded,
    figures: Result<(AuditedFigures, Option<NoiseTable>), AlternativeError>,
    folder: &Path,
    out: &Reporter,
) -> anyhow::Result<Exit> {
    let (figures, noise) = match figures {
        Ok(figures) => figures,
        Err(refused @ AlternativeError::Exposed { .. }) => {
            out.result(&format!("TỪ CHỐI · refused: {refused}\n"));
            return Ok(Exit::Refused);
        }
        Err(wrong) => {
            out.result(&format!("error: {wrong}\n"));
            return Ok(Exit::Usage);
        }
    };
    let rendered = figures.render(&loaded.model)?;
    let names: Vec<PathBuf> = rendered.iter().map(|(name, _)| PathBuf::from(name)).collect();
    let mut places = places(&names, Some(folder), "")?;
    let mut contents: Vec<Vec<u8>> = rendered.into_iter().map(|(_, bytes)| bytes).collect();
    if let Some(noise) = noise {
        places.push(folder.join("cell-key-noise.csv"));
        contents.push(noise.to_csv().into_bytes());
    }
    if !may_write(&places, &loaded.files, out) {
        return Ok(Exit::Usage);
    }
    let files: Vec<(PathBuf, Vec<u8>)> = places.into_iter().zip(contents).collect();
    disclosure::write_all_whole(&files)?;
    let narrowest = figures.remaining().iter().map(|left| left.high - left.low).min();
    out.result("ĐẠT · passed\n");
    let largest = loaded.model.decimal(figures.largest_error());
    out.result(&format!("Sai lệch lớn nhất · largest error: {largest}\n"));
    if let Some(narrowest) = narrowest {
        out.result(&format!(
            "Khoảng hẹp nhất của ô nhạy cảm · narrowest interval of a sensitive cell: {} ({} ô · \
             cells)\n",
            loaded.model.decimal(narrowest),
            figures.remaining().len()
        ));
    }
    Ok(Exit::Done)
}

fn microdata(records: &Path, spec: &Path, json: bool, out: &Reporter) -> anyhow::Result<Exit> {
    let mut faults = Faults::default();
    let report = disclosure::microdata::judge(spec, records, &mut faults);
    tell_faults(&faults, out);
    let Some(report) = report else { return Ok(Exit::Usage) };
    let exit = if report.passed { Exit::Done } else { Exit::Refused };
    if json && !out.is_json() {
        out.print(&format!("{}\n", report.to_json()));
    } else {
        out.result(&Both { text: report.to_text(), object: report });
    }
    Ok(exit)
}

/// Says what is wrong with what was read.
fn tell_faults(faults: &Faults, out: &Reporter) {
    let text = faults.to_string();
    if !text.is_empty() {
        out.result(&text);
    }
}

/// Where each table goes.
fn places(tables: &[PathBuf], folder: Option<&Path>, suffix: &str) -> anyhow::Result<Vec<PathBuf>> {
    let place = |table: &PathBuf| {
        let name = table.file_name().context("a table must be a file")?;
        Ok(match folder {
            Some(folder) => folder.join(name),
            None => {
                let stem = table.file_stem().unwrap_or(name).to_string_lossy();
                table.with_file_name(format!("{stem}.{suffix}.csv"))
            }
        })
    };
    tables.iter().map(place).collect()
}

/// Whether nothing that was read would be overwritten, and nothing written twice; else a word to
/// the user.
fn may_write(places: &[PathBuf], read: &[PathBuf], out: &Reporter) -> bool {
    let read: Vec<PathBuf> = read.iter().map(|file| resolved(file)).collect();
    let mut seen: Vec<PathBuf> = Vec::new();
    for place in places {
        let real = resolved(place);
        let wrong = if read.contains(&real) {
            "would be overwritten; choose another place"
        } else if seen.contains(&real) {
            "would be written twice; rename one table or choose another place"
        } else {
            seen.push(real);
            continue;
        };
        out.result(&format!("error: {} {wrong}\n", place.display()));
        return false;
    }
    true
}

/// The one name of a file, whether it exists yet or not.
fn resolved(file: &Path) -> PathBuf {
    if let Ok(real) = file.canonicalize() {
        return real;
    }
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let real = folder.canonicalize().or_else(|_| std::path::absolute(folder));
    real.unwrap_or_else(|_| folder.to_owned()).join(file.file_name().unwrap_or_default())
}
