//! `khoyte disclosure`: the gate on any table, as a tool for statisticians.
//!
//! Nothing is written unless the gate has passed everything; a refusal and a fault in the input
//! leave no file behind.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use open_data::disclosure::{
    self, AlternativeError, AuditedFigures, Faults, Inputs, Limits, Loaded, OutputError, Primaries,
    Purpose, Report, StatusDetail, Verdict,
};

use super::Exit;

/// Protect a table against disclosure, or audit one, jointly with everything already published.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Suppress what is sensitive and what would give it away; write the tables with a `status`
    /// column (published, primary, secondary).
    Protect {
        #[command(flatten)]
        tables: Tables,
        #[command(flatten)]
        report: ReportArgs,
        /// Folder for the protected tables; without it they are written beside each table as
        /// NAME.protected.csv.
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
        /// Write only `published` and `suppressed` in the status column, as the public may see.
        #[arg(long)]
        public_status: bool,
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
    },
    /// Add the declared cell-key noise; the same cell always gets the same noise.
    Perturb {
        #[command(flatten)]
        tables: Tables,
        /// Folder for the perturbed tables and the record of the noise.
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
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
    /// Stop looking for a better pattern after this long; the answer is safe at any limit.
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    time_limit: u64,
}

/// Runs the command; everything a person reads goes to `out`.
pub(crate) fn run(args: &Args, out: &mut dyn Write) -> anyhow::Result<Exit> {
    match dispatch(args, out) {
        Err(cause) if cause.is::<OutputError>() => {
            writeln!(out, "error: {cause:#}")?;
            Ok(Exit::Failed)
        }
        outcome => outcome,
    }
}

fn dispatch(args: &Args, out: &mut dyn Write) -> anyhow::Result<Exit> {
    match &args.command {
        Command::Protect { tables, report, out: folder, public_status } => {
            let detail = if *public_status { StatusDetail::Public } else { StatusDetail::Full };
            protect(tables, report, folder.as_deref(), detail, out)
        }
        Command::Audit { tables, report, truth } => audit(tables, report, truth, out),
        Command::Round { tables, out: folder } => {
            let Some(loaded) = load(tables, &[], Purpose::Protect, out)? else {
                return Ok(Exit::Usage);
            };
            let figures = disclosure::round_table(&loaded.spec, &loaded.model);
            write_figures(&loaded, figures, folder, out)
        }
        Command::Perturb { tables, out: folder } => perturb(tables, folder, out),
        Command::Microdata { records, spec, json } => microdata(records, spec, *json, out),
    }
}

fn load(
    tables: &Tables,
    truth: &[PathBuf],
    purpose: Purpose,
    out: &mut dyn Write,
) -> anyhow::Result<Option<Loaded>> {
    let inputs =
        Inputs { spec: tables.spec.clone(), tables: tables.tables.clone(), truth: truth.to_vec() };
    let mut faults = Faults::default();
    let loaded = inputs.load(purpose, &mut faults);
    write!(out, "{faults}")?;
    Ok(loaded)
}

fn limits(report: &ReportArgs) -> Limits {
    Limits { time: Some(Duration::from_secs(report.time_limit.max(1))) }
}

fn protect(
    tables: &Tables,
    report: &ReportArgs,
    folder: Option<&Path>,
    detail: StatusDetail,
    out: &mut dyn Write,
) -> anyhow::Result<Exit> {
    let Some(places) = places(&tables.tables, folder, "protected", out)? else {
        return Ok(Exit::Usage);
    };
    let Some(loaded) = load(tables, &[], Purpose::Protect, out)? else {
        return Ok(Exit::Usage);
    };
    let (primaries, verdict) = disclosure::protect_candidate(&loaded.model, limits(report));
    if let Some(audited) = verdict.audited() {
        let rendered = disclosure::render_tables(&loaded.model, audited, detail)?;
        for ((_, bytes), place) in rendered.iter().zip(&places) {
            disclosure::write_whole(place, bytes)?;
        }
    }
    tell(&loaded, &primaries, &verdict, report, out)
}

fn audit(
    tables: &Tables,
    report: &ReportArgs,
    truth: &[PathBuf],
    out: &mut dyn Write,
) -> anyhow::Result<Exit> {
    let Some(loaded) = load(tables, truth, Purpose::Audit, out)? else {
        return Ok(Exit::Usage);
    };
    let (primaries, verdict) = disclosure::audit_candidate(&loaded, limits(report));
    tell(&loaded, &primaries, &verdict, report, out)
}

fn tell(
    loaded: &Loaded,
    primaries: &Primaries,
    verdict: &Verdict,
    args: &ReportArgs,
    out: &mut dyn Write,
) -> anyhow::Result<Exit> {
    let report = Report::new(&loaded.spec, &loaded.model, primaries, verdict);
    if let Some(file) = &args.html {
        disclosure::write_whole(file, report.to_html().as_bytes())?;
    }
    if args.json {
        writeln!(out, "{}", report.to_json())?;
    } else {
        write!(out, "{}", report.to_text())?;
    }
    Ok(if verdict.audited().is_some() { Exit::Done } else { Exit::Refused })
}

fn perturb(tables: &Tables, folder: &Path, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let Some(loaded) = load(tables, &[], Purpose::Protect, out)? else {
        return Ok(Exit::Usage);
    };
    match disclosure::perturb_table(&loaded.spec, &loaded.model) {
        Ok((figures, record)) => {
            let outcome = write_figures(&loaded, Ok(figures), folder, out)?;
            if outcome == Exit::Done {
                let place = folder.join("cell-key-noise.csv");
                disclosure::write_whole(&place, record.to_csv().as_bytes())?;
            }
            Ok(outcome)
        }
        Err(cause) => write_figures(&loaded, Err(cause), folder, out),
    }
}

fn write_figures(
    loaded: &Loaded,
    figures: Result<AuditedFigures, AlternativeError>,
    folder: &Path,
    out: &mut dyn Write,
) -> anyhow::Result<Exit> {
    let figures = match figures {
        Ok(figures) => figures,
        Err(refused @ AlternativeError::Exposed { .. }) => {
            writeln!(out, "TỪ CHỐI · refused: {refused}")?;
            return Ok(Exit::Refused);
        }
        Err(wrong) => {
            writeln!(out, "error: {wrong}")?;
            return Ok(Exit::Usage);
        }
    };
    let rendered = figures.render(&loaded.model)?;
    let names: Vec<PathBuf> = rendered.iter().map(|(name, _)| PathBuf::from(name)).collect();
    let Some(places) = places(&names, Some(folder), "", out)? else {
        return Ok(Exit::Usage);
    };
    for ((_, bytes), place) in rendered.iter().zip(&places) {
        disclosure::write_whole(place, bytes)?;
    }
    let narrowest = figures.remaining().iter().map(|left| left.high - left.low).min();
    writeln!(out, "ĐẠT · passed")?;
    writeln!(
        out,
        "Sai lệch lớn nhất · largest error: {}",
        loaded.model.decimal(figures.largest_error())
    )?;
    if let Some(narrowest) = narrowest {
        writeln!(
            out,
            "Khoảng hẹp nhất của ô nhạy cảm · narrowest interval of a sensitive cell: {} ({} ô · cells)",
            loaded.model.decimal(narrowest),
            figures.remaining().len()
        )?;
    }
    Ok(Exit::Done)
}

fn microdata(records: &Path, spec: &Path, json: bool, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let mut faults = Faults::default();
    let report = disclosure::microdata::judge(spec, records, &mut faults);
    write!(out, "{faults}")?;
    let Some(report) = report else { return Ok(Exit::Usage) };
    if json {
        writeln!(out, "{}", report.to_json())?;
    } else {
        write!(out, "{}", report.to_text())?;
    }
    Ok(if report.passed { Exit::Done } else { Exit::Refused })
}

/// Where each table goes; `None` (and a word to the user) if that would overwrite something given.
fn places(
    tables: &[PathBuf],
    folder: Option<&Path>,
    suffix: &str,
    out: &mut dyn Write,
) -> anyhow::Result<Option<Vec<PathBuf>>> {
    let mut places: Vec<PathBuf> = Vec::new();
    for table in tables {
        let name = table.file_name().context("a table must be a file")?;
        let place = match folder {
            Some(folder) => folder.join(name),
            None => {
                let stem = table.file_stem().unwrap_or(name).to_string_lossy();
                table.with_file_name(format!("{stem}.{suffix}.csv"))
            }
        };
        let is_input = |input: &PathBuf| {
            input == &place
                || matches!((input.canonicalize(), place.canonicalize()), (Ok(a), Ok(b)) if a == b)
        };
        if tables.iter().any(is_input) {
            writeln!(out, "error: {} would be overwritten; choose another --out", place.display())?;
            return Ok(None);
        }
        if places.contains(&place) {
            writeln!(out, "error: two tables are called {}; rename one", name.to_string_lossy())?;
            return Ok(None);
        }
        places.push(place);
    }
    Ok(Some(places))
}
