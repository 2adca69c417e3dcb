//! Raw rows from source systems, whatever their kind, as Arrow batches.
//!
//! A [`Source`] is one system, seen as it was at one instant: [`Source::open`] gives the rows of
//! one of its tables as a [`Snapshot`]. Only the columns that are asked for leave the system. Typed
//! columns stay typed; what is text in the source is text here, not yet trimmed or normalised.
//!
//! Raw values are personal data. They live in memory only: no connector writes a file, logs a cell,
//! or lets one into an error. What a parser or a server says of a failure may quote a cell, so it is
//! replaced by what we say ourselves: where it happened and what to do.
//!
//! This crate knows neither the lake nor the declarations, so that a connector can be built and
//! tested alone.

mod batches;
pub mod claims_xml;
pub mod encoding;
mod error;
pub mod fhir;
pub mod files;
pub mod fill;
pub mod http_json;
pub mod mariadb;
pub mod odbc;
pub mod postgres;
mod secret;
pub mod service;
pub mod tabular;
#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod testing;
pub mod text;
pub mod xlsx;

use std::collections::BTreeMap;

use arrow::array::RecordBatch;
use async_trait::async_trait;
use chrono::NaiveDateTime;
use futures::stream::BoxStream;

pub use self::batches::{BATCH_ROWS, TextRows, in_background};
pub use self::error::SourceError;
pub use self::secret::{Secret, SecretError, SecretPlace};

/// Raw rows, in the order of the source. All batches have the same columns: those asked for, named
/// as they were asked for.
pub type RawStream = BoxStream<'static, Result<RecordBatch, SourceError>>;

/// One source system, seen as it was at one instant.
#[async_trait]
pub trait Source: Send + Sync {
    /// The rows of one table; `None` when the source has nothing for it yet.
    ///
    /// # Errors
    /// When the source cannot be reached or read, or lacks a table, a column or a right.
    async fn open(&self, request: &Request) -> Result<Option<Snapshot>, SourceError>;

    /// Looks whether [`Self::open`] would work, without reading the rows; `false` when the source has
    /// nothing for the table yet.
    ///
    /// # Errors
    /// As [`Self::open`].
    async fn examine(&self, request: &Request) -> Result<bool, SourceError>;
}

/// What is asked of one table of a source, in the source's own terms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Where the rows are: a file or folder below the sources' folder or bucket, `schema.relation` of
    /// a database, a path of a web service.
    pub place: String,
    /// The columns, each once. What names a column depends on the kind of source.
    pub columns: Vec<String>,
    /// Which rows are wanted. A source that can tell them apart sends no others; one that cannot
    /// sends all.
    pub span: Option<Span>,
    /// Settings of the kind: see each connector.
    pub settings: BTreeMap<String, String>,
}

impl Request {
    /// The setting of that name, or what stands for it where it is not set.
    pub fn setting<'a>(&'a self, name: &str, otherwise: &'a str) -> &'a str {
        self.settings.get(name).map_or(otherwise, String::as_str)
    }
}

/// Rows whose instant in `column` is at least `from` and below `below`; both in the time of Viet
/// Nam. A row without an instant is not among them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// The column, as the source names it.
    pub column: String,
    /// The first instant.
    pub from: Option<NaiveDateTime>,
    /// The first instant after the last.
    pub below: Option<NaiveDateTime>,
}

/// One table as it was at the instant of its source.
pub struct Snapshot {
    /// Its rows.
    pub rows: RawStream,
    /// What these rows are called, where it is known before they are read: SHA-256 in hex of the
    /// file's bytes. Equal names mean equal rows. Of what has none, the reader of the rows makes one.
    pub known: Option<String>,
    /// Whether a simulation made some of them: see [`fill`].
    pub simulated: bool,
}

impl std::fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Snapshot").field("known", &self.known).finish_non_exhaustive()
    }
}
