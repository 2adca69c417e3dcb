//! `khoyte check`: every fault of every declaration, with its place and what to do.

use std::path::PathBuf;

use serde_json::json;
use warehouse::diagnostic::Report;

use super::{CommandLine, Exit};
use crate::report::{Both, Reporter};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Folders that hold pipelines/ and queries/ [default: the configured or built-in ones]
    paths: Vec<PathBuf>,
}

pub(super) fn run(args: &Args, line: &CommandLine, out: &Reporter) -> anyhow::Result<Exit> {
    let mut all = Vec::new();
    for path in &args.paths {
        all.push(super::load_declarations(path)?);
    }
    if all.is_empty() {
        all.push(super::declarations(&line.config()?)?);
    }
    let mut errors = 0;
    for loaded in &all {
        let report = Report::new(&loaded.sources, &loaded.diagnostics);
        errors += report.error_count();
        out.result(&report);
        let declared = &loaded.declarations;
        let tables: usize = declared.contracts.iter().map(|contract| contract.tables.len()).sum();
        let (contracts, queries) = (declared.contracts.len(), declared.queries.len());
        let errors = report.error_count();
        out.say(&Both {
            text: format!(
                "{contracts} contracts, {tables} source tables, {queries} queries: {errors} errors"
            ),
            object: json!({
                "contracts": contracts,
                "source_tables": tables,
                "queries": queries,
                "errors": errors,
            }),
        });
    }
    Ok(if errors == 0 { Exit::Done } else { Exit::Usage })
}
