//! `khoyte release`: open datasets from the lake to static files, and their verification.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use arrow::array::{Date32Array, Int64Array, RecordBatch, StringArray};
use chrono::NaiveDate;
use open_data::{Publisher, PublisherInfo, ReleaseError, Released};
use serde_json::json;
use warehouse::grid::days_since_epoch;
use warehouse::store::{Note, Replace, Step};
use warehouse::system;

use super::{CommandLine, Exit, House};
use crate::config;
use crate::report::{Both, Reporter};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Release every dataset whose content changed
    Publish {
        /// Date of the release [default: today]
        #[arg(long, value_name = "DATE", value_parser = config::parse_date)]
        date: Option<NaiveDate>,
    },
    /// Recompute the checksums of released files, offline
    Verify {
        /// The public folder, or one dataset or version in it
        folder: PathBuf,
    },
}

pub(super) async fn run(args: &Args, line: &CommandLine, out: &Reporter) -> anyhow::Result<Exit> {
    match &args.action {
        Action::Publish { date } => {
            let house = match House::open_to_read(line.config()?, out)? {
                Ok(house) => house,
                Err(exit) => return Ok(exit),
            };
            publish(&house, date.unwrap_or_else(config::today), out).await
        }
        Action::Verify { folder } => verify(folder, out),
    }
}

fn verify(folder: &std::path::Path, out: &Reporter) -> anyhow::Result<Exit> {
    let report = open_data::verify(folder)?;
    for fault in &report.faults {
        out.fail(&Both {
            text: format!("khoyte: {} {}", fault.path.display(), fault.problem),
            object: json!({ "path": fault.path, "problem": fault.problem.to_string() }),
        });
    }
    let (versions, files, faults) = (report.versions, report.files, report.faults.len());
    out.result(&Both {
        text: format!("{versions} versions, {files} files checked, {faults} at fault\n"),
        object: json!({ "versions": versions, "files": files, "at_fault": faults }),
    });
    Ok(if report.is_sound() { Exit::Done } else { Exit::Refused })
}

/// Releases every dataset whose content changed and records the releases in the lake.
pub(super) async fn publish(
    house: &House,
    night: NaiveDate,
    out: &Reporter,
) -> anyhow::Result<Exit> {
    let publisher = &house.config.publisher;
    let info = PublisherInfo {
        name: publisher.name.clone(),
        email: publisher.email.clone(),
        homepage: publisher.homepage.clone(),
    };
    let folder = house.config.public_folder.clone();
    let publisher =
        Publisher::new(house.warehouse.clone(), folder, info, publisher.address.clone());
    let done = publisher.release_all(night, &mut |dataset| out.working_on(dataset)).await;
    let (released, failures, exit) = match done {
        Ok(released) => (released, Vec::new(), Exit::Done),
        Err(error) => {
            let exit = if error.is_refusal() { Exit::Refused } else { Exit::Failed };
            match error {
                ReleaseError::Datasets { released, failures } => (released, failures, exit),
                other => return Err(other.into()),
            }
        }
    };
    for one in &released {
        let state = if one.changed { "released " } else { "unchanged" };
        let (dataset, version) = (&one.dataset, one.version);
        let (rows, hidden) = (one.rows, one.suppressed_cells);
        let of = if one.simulated { ", of simulated data" } else { "" };
        out.say(&Both {
            text: format!(
                "  {state}  {dataset} v{version}: {rows} rows, {hidden} cells hidden{of}"
            ),
            object: json!({
                "dataset": dataset,
                "result": state.trim(),
                "version": version,
                "rows": rows,
                "cells_hidden": hidden,
                "simulated": one.simulated,
            }),
        });
    }
    for failure in failures {
        let reason = anyhow::Error::new(failure.error);
        out.fail(&Both {
            text: format!("  failed     {}: {reason:#}", failure.dataset),
            object: json!({
                "dataset": failure.dataset,
                "result": "failed",
                "reason": format!("{reason:#}"),
            }),
        });
    }
    record(house, &released).await?;
    Ok(exit)
}

/// One row a version, however often the release is run.
async fn record(house: &House, released: &[Released]) -> anyhow::Result<()> {
    let lake = house.warehouse.lake();
    let table = system::releases();
    for one in released {
        let part = format!("{}/v{}", one.dataset, one.version);
        if lake.holds(&table.name, &part, &one.sha256).await? {
            continue;
        }
        let number = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
        let days = days_since_epoch(one.date);
        let row = RecordBatch::try_new(
            Arc::clone(&table.schema),
            vec![
                Arc::new(StringArray::from(vec![one.dataset.as_str()])),
                Arc::new(Int64Array::from(vec![i64::from(one.version)])),
                Arc::new(Date32Array::from(vec![days])),
                Arc::new(Int64Array::from(vec![number(one.rows)])),
                Arc::new(Int64Array::from(vec![number(one.suppressed_cells)])),
                Arc::new(StringArray::from(vec![one.sha256.as_str()])),
                Arc::new(StringArray::from(vec![one.path.as_str()])),
            ],
        )
        .context("a release does not form a row")?;
        let note = Note {
            rows_read: 1,
            rows_written: 1,
            ..Note::new(one.date, Step::HeThong, part, one.sha256.clone())
        };
        lake.write(&table.name, row, Replace::Nothing, &note).await?;
    }
    Ok(())
}
