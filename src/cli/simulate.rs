//! `khoyte simulate`: source files of the real ones' shape, for machines without data.

use std::path::{Path, PathBuf};

use chrono::NaiveDate;
use pipelines::simulate::{Options, Reference, SimulateError, simulate};
use warehouse::spec::{Declarations, Origin};

use super::{CommandLine, Exit};
use crate::config;
use crate::report::Reporter;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Folder to fill
    #[arg(long = "to", value_name = "DIR")]
    to: PathBuf,
    /// Share of a national day's volume: 1 is 500,000 visits a day
    #[arg(long, default_value_t = 0.01)]
    scale: f64,
    /// Days of visits
    #[arg(long, default_value_t = 4)]
    days: u32,
    /// Seed: the same seed gives the same files
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Last day of visits
    #[arg(long, value_name = "DATE", default_value = "2026-06-30", value_parser = config::parse_date)]
    end: NaiveDate,
}

pub(super) fn run(args: &Args, line: &CommandLine, out: &Reporter) -> anyhow::Result<Exit> {
    let loaded = super::declarations(&line.config()?)?;
    let options = Options { scale: args.scale, seed: args.seed, days: args.days, end: args.end };
    match fill(&args.to, options, &loaded.declarations, out) {
        Err(SimulateError::Options(problem)) => {
            out.fail(&format!("khoyte: {problem}"));
            Ok(Exit::Usage)
        }
        filled => Ok(filled.map(|()| Exit::Done)?),
    }
}

/// What a demonstration needs: small, and the same on every machine and day.
pub(super) fn demo_options() -> Options {
    Options::demo(NaiveDate::from_ymd_opt(2026, 6, 30).expect("a calendar day"))
}

/// Fills `folder`.
pub(super) fn fill(
    folder: &Path,
    options: Options,
    declarations: &Declarations,
    out: &Reporter,
) -> Result<(), SimulateError> {
    let reference = Reference {
        units_csv: declared(declarations, "danh_muc.don_vi"),
        successors_csv: declared(declarations, "danh_muc.don_vi_ke_thua"),
    };
    let summary = simulate(folder, options, reference, &mut |at| out.working_on(at.file))?;
    for (file, rows) in &summary.files {
        out.say(&format!("  simulated  {}: {rows} rows", file.display()));
    }
    Ok(())
}

fn declared<'a>(declarations: &'a Declarations, table: &str) -> &'a str {
    let found = table.parse().ok().and_then(|name| declarations.source_table(&name));
    match found.map(|(_, table)| &table.origin) {
        Some(Origin::Declared { text, .. }) => text,
        _ => "",
    }
}
