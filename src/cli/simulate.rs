//! `khoyte simulate`: sources of the real ones' shape, for machines without data: a few files of a
//! small country, or servers and files of every kind by the contracts alone.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use chrono::{Days, NaiveDate};
use pipelines::simulate::by_contract::{self, Filled, Services, Serving, Wish};
use pipelines::simulate::{Options, Reference, SimulateError, simulate};
use warehouse::spec::{Declarations, Origin, SourceKind};

use super::{CommandLine, Exit};
use crate::config::{self, Config, UsageError};
use crate::report::Reporter;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Folder to fill
    #[arg(long = "to", value_name = "DIR", required_unless_present = "contracts")]
    to: Option<PathBuf>,
    /// Fill what the contracts of these sources read, of all where none is named: relations of
    /// configured servers, and files, workbooks and the pages of web services below `--to`
    #[arg(long, value_name = "SOURCE", num_args = 0..)]
    contracts: Option<Vec<String>>,
    /// With --contracts: nights of rows, each with corrections and deletions of those before
    #[arg(long, default_value_t = 3, requires = "contracts")]
    nights: u32,
    /// With --contracts: the first night; it tells of the day before it
    #[arg(long, value_name = "DATE", default_value = "2026-07-01", value_parser = config::parse_date, requires = "contracts")]
    first: NaiveDate,
    /// With --contracts: write only this one of the nights, to load it before the next is written
    #[arg(long, value_name = "DATE", value_parser = config::parse_date, requires = "contracts")]
    night: Option<NaiveDate>,
    /// With --contracts: rows that a usual night adds to each table
    #[arg(long, default_value_t = 1000, requires = "contracts")]
    rows: u64,
    /// With --contracts: plant faults, and list them in this CSV file
    #[arg(long, value_name = "FILE", requires = "contracts")]
    faults: Option<PathBuf>,
    /// With --contracts and --to: write nothing, and serve the pages of web services that were written
    /// below `--to`, at an address of this machine such as 127.0.0.1:8081, until it is stopped
    #[arg(long, value_name = "ADDRESS", requires = "contracts", requires = "to")]
    serve: Option<SocketAddr>,
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

pub(super) async fn run(args: &Args, line: &CommandLine, out: &Reporter) -> anyhow::Result<Exit> {
    let config = line.config()?;
    let loaded = super::declarations(&config)?;
    let filled = if let Some(only) = &args.contracts {
        let known = |id: &&String| loaded.declarations.contracts.iter().any(|c| c.id == **id);
        if let Some(unknown) = only.iter().find(|id| !known(id)) {
            return Err(UsageError(format!("there is no source `{unknown}`")).into());
        }
        match args.serve {
            Some(address) => {
                serve(args, (only.as_slice(), address), &config, &loaded.declarations, out).await
            }
            None => by_contracts(args, only, &config, &loaded.declarations, out).await,
        }
    } else {
        let options =
            Options { scale: args.scale, seed: args.seed, days: args.days, end: args.end };
        let folder = args.to.as_deref().unwrap_or_else(|| Path::new("."));
        fill(folder, options, &loaded.declarations, out).map_err(Into::into)
    };
    match filled {
        Err(error) => match error.downcast_ref::<SimulateError>() {
            Some(SimulateError::Options(problem)) => {
                out.fail(&format!("khoyte: {problem}"));
                Ok(Exit::Usage)
            }
            _ => Err(error),
        },
        Ok(()) => Ok(Exit::Done),
    }
}

/// Fills servers and files by the contracts, and says what was written and what was left out.
async fn by_contracts(
    args: &Args,
    only: &[String],
    config: &Config,
    declarations: &Declarations,
    out: &Reporter,
) -> anyhow::Result<()> {
    let servers = config.servers()?;
    let wish = Wish {
        declarations,
        reference: reference(declarations),
        only,
        servers: &servers,
        folder: args.to.as_deref(),
        first: args.first,
        nights: args.nights,
        night: args.night,
        rows: args.rows,
        seed: args.seed,
        faults: args.faults.as_deref(),
    };
    let filled =
        by_contract::fill(wish, &mut |table, _| out.working_on(&table.to_string())).await?;
    for (table, night, rows) in &filled.tables {
        out.say(&format!("  simulated  {table}, night of {night}: {rows} rows"));
    }
    for (table, reason) in &filled.left_out {
        out.say(&format!("  left out   {table}: {reason}"));
    }
    if let Some(file) = &args.faults {
        out.say(&format!("  planted    {} faults, listed in {}", filled.faults, file.display()));
    }
    let services = services(&filled, declarations);
    if let (false, Some(folder)) = (services.is_empty(), &args.to) {
        let names: Vec<&str> = services.into_iter().collect();
        out.say(&format!(
            "  to serve   khoyte simulate --to {} --serve 127.0.0.1:8081 --contracts {}",
            folder.display(),
            names.join(" ")
        ));
    }
    Ok(())
}

/// The sources whose answers were written as pages.
fn services<'a>(filled: &Filled, declarations: &'a Declarations) -> BTreeSet<&'a str> {
    let tables = filled.tables.iter();
    let tables = tables.filter_map(|(name, ..)| declarations.source_table(name));
    let is_service =
        |origin: &Origin| matches!(origin, Origin::Read { kind: SourceKind::HttpJson, .. });
    let of_services = tables.filter(|(_, table)| is_service(&table.origin));
    of_services.map(|(contract, _)| contract.id.as_str()).collect()
}

/// Serves the pages that were written, until the process ends.
async fn serve(
    args: &Args,
    (only, address): (&[String], SocketAddr),
    config: &Config,
    declarations: &Declarations,
    out: &Reporter,
) -> anyhow::Result<()> {
    let servers = config.servers()?;
    let folder = args.to.as_deref().unwrap_or_else(|| Path::new("."));
    let serving = Serving { declarations, only, servers: &servers, folder };
    let services = Services::of(serving).await?;
    let listener = Services::listen(address).await?;
    let at = listener.local_addr()?;
    for (source, path, tables) in services.paths() {
        out.say(&format!("  serving    {source}: {tables} tables at http://{at}{path}"));
    }
    services.serve(listener).await?;
    Ok(())
}

/// The declared places, of which made-up sources are.
pub(super) fn reference(declarations: &Declarations) -> Reference<'_> {
    Reference {
        units_csv: declared(declarations, "danh_muc.don_vi"),
        successors_csv: declared(declarations, "danh_muc.don_vi_ke_thua"),
    }
}

/// What a demonstration needs: small, up to the day before a night.
pub(super) fn demo_options(night: NaiveDate) -> Options {
    Options::demo(night - Days::new(1))
}

/// Fills `folder`.
pub(super) fn fill(
    folder: &Path,
    options: Options,
    declarations: &Declarations,
    out: &Reporter,
) -> Result<(), SimulateError> {
    let reference = reference(declarations);
    let summary = simulate(folder, options, reference, &mut |at| out.working_on(at.file))?;
    // Claims are many files of one folder.
    let is_bundle = |file: &Path| file.extension().is_some_and(|ending| ending == "xml");
    let mut bundles: BTreeMap<&Path, (u64, u64)> = BTreeMap::new();
    for (file, rows) in &summary.files {
        match file.parent().filter(|_| is_bundle(file)) {
            Some(folder) => {
                let (files, visits) = bundles.entry(folder).or_default();
                (*files, *visits) = (*files + 1, *visits + rows);
            }
            None => out.say(&format!("  simulated  {}: {rows} rows", file.display())),
        }
    }
    for (folder, (files, visits)) in bundles {
        let folder = folder.display();
        out.say(&format!("  simulated  {folder}: {visits} claims in {files} files"));
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
