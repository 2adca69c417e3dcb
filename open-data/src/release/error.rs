//! Why a release did not happen.

use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};

use warehouse::names::{Sensitivity, TableName};
use warehouse::query::QueryError;
use warehouse::store::StoreError;

use super::Released;
use super::table::TableError;
use crate::formats::FormatError;

/// A dataset that was refused by a rule, rather than failing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Its declaration does not say that what comes out is open.
    #[error("the query is declared `{}`; only `open` is released", .0.as_str())]
    NotOpen(Sensitivity),
    /// Its declaration has no `[release]`.
    #[error("the query has no [release] section")]
    NoRelease,
    /// It is made from a table that is not open, and declares no small-cell rule.
    #[error("it is made from {table}, which is `{}`, and declares no small-cell rule: name its \
        columns of counts in `suppress`, with a `minimum_cell`", .class.as_str())]
    NoRule {
        /// The table, read by the query or behind what it reads.
        table: TableName,
        /// Its class.
        class: Sensitivity,
    },
    /// Its identifier cannot be a folder of the portal.
    #[error("the identifier cannot name a folder of the portal")]
    Identifier,
    /// The result does not have the declared columns.
    #[error("the result does not have the columns that the query declares")]
    Columns,
    /// A check with action `refuse` found faults.
    #[error("the check `{check}` found {faults} faulty rows")]
    Check {
        /// Its name.
        check: String,
        /// Rows at fault.
        faults: u64,
    },
}

/// One dataset that was not released, and why.
#[derive(Debug, thiserror::Error)]
#[error("{dataset} was not released")]
pub struct DatasetFailure {
    /// Its identifier.
    pub dataset: String,
    /// Why.
    #[source]
    pub error: ReleaseError,
}

/// Why a release did not happen.
#[derive(Debug, thiserror::Error)]
pub enum ReleaseError {
    /// Some datasets were not released; the others were.
    #[error("{} of {} datasets not released: {}", .failures.len(),
        .failures.len() + .released.len(), list(.failures))]
    Datasets {
        /// Those that are out, as [`super::Publisher::release_all`] would have returned them.
        released: Vec<Released>,
        /// Those that are not.
        failures: Vec<DatasetFailure>,
    },
    /// A rule forbids it.
    #[error("refused: {0}")]
    Refused(Refusal),
    /// Its query failed.
    #[error("the query failed")]
    Query(#[from] QueryError),
    /// It is not known whether what it is made from is simulated.
    #[error("the lake does not tell whether the rows are simulated")]
    Store(#[from] StoreError),
    /// A declared check did not come to a number of faults.
    #[error("the check `{check}` did not give a number of faults")]
    Uncounted {
        /// Its name.
        check: String,
    },
    /// Its rows cannot be prepared.
    #[error("the rows cannot be prepared")]
    Table(#[from] TableError),
    /// A file cannot be encoded.
    #[error(transparent)]
    Format(#[from] FormatError),
    /// Metadata cannot be encoded.
    #[error("cannot write metadata")]
    Metadata(#[from] serde_json::Error),
    /// A page cannot be drawn.
    #[error("cannot draw a page")]
    Page(#[from] askama::Error),
    /// Another run is writing to the public folder.
    #[error("another release is writing to {}; run again when it has ended", .folder.display())]
    Busy {
        /// The public folder.
        folder: PathBuf,
    },
    /// A file of the public folder is not what the publisher wrote.
    #[error("{} is damaged; restore it from a copy", .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong in it.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The file system refused.
    #[error("cannot {action} {}", .path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The worker thread ended early.
    #[error("the release was stopped")]
    Stopped(#[source] tokio::task::JoinError),
}

/// The failures with their causes: an error has one source, and here there are several.
fn list(failures: &[DatasetFailure]) -> String {
    let all: Vec<_> =
        failures.iter().map(|f| format!("{}: {}", f.dataset, chain(&f.error))).collect();
    all.join("; ")
}

fn chain(error: &(dyn Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |&error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

impl ReleaseError {
    /// Whether a rule or a gate stopped it, rather than a fault.
    pub fn is_refusal(&self) -> bool {
        match self {
            Self::Refused(_) => true,
            Self::Datasets { failures, .. } => failures.iter().all(|f| f.error.is_refusal()),
            _ => false,
        }
    }

    pub(super) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { action, path, source }
    }
}
