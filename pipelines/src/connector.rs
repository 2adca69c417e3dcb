//! How rows are fetched from a source system.
//!
//! A connector gives raw text, column by column, and only the columns that the contract allows:
//! types, checks and treatments come later and are the same for every kind of source.

mod file;

use std::collections::BTreeSet;

use arrow::array::{ArrayRef, RecordBatch};
use async_trait::async_trait;
use futures::stream::BoxStream;
use warehouse::spec::{SourceTable, Treatment};

pub use self::file::FileConnector;
pub(crate) use self::file::hex;

/// Why a source could not be read.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The file cannot be opened or read.
    #[error("the file {path} cannot be read")]
    Read {
        /// Path below the source's folder.
        path: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file is not of the declared format. The cause is not kept: it may quote a cell.
    #[error("the file {path} is not valid {format} near row {row}")]
    Malformed {
        /// Path below the source's folder.
        path: String,
        /// `CSV` or `Parquet`.
        format: &'static str,
        /// Data row, from 1; 0 where it is not known.
        row: usize,
    },
    /// A column that the contract reads is not in the source.
    #[error("the file {path} has no column `{column}`; it is read by the contract")]
    MissingColumn {
        /// Path below the source's folder.
        path: String,
        /// The column.
        column: String,
    },
}

/// Raw rows: every column is text, named as in the source.
pub type RawStream = BoxStream<'static, Result<RecordBatch, SourceError>>;

/// A kind of source system.
#[async_trait]
pub trait Connector: Send + Sync {
    /// SHA-256, in hex, of what the source holds for this table now; `None` when the source has
    /// nothing for it yet. Equal fingerprints mean equal rows.
    ///
    /// # Errors
    /// When the source is there and cannot be read.
    async fn fingerprint(&self, table: &SourceTable) -> Result<Option<String>, SourceError>;

    /// The rows, with the columns of [`wanted_columns`].
    ///
    /// # Errors
    /// When the source cannot be read or lacks a column.
    async fn read(&self, table: &SourceTable) -> Result<RawStream, SourceError>;
}

/// Source columns that a table needs: those of its allow-list that are not dropped. A column made
/// from several (`year+month`) needs each.
pub fn wanted_columns(table: &SourceTable) -> BTreeSet<&str> {
    table
        .columns
        .iter()
        .filter(|column| column.treatment != Treatment::Drop)
        .flat_map(|column| column.from.split('+'))
        .collect()
}

/// The raw column of that name.
pub(crate) fn raw_column<'a>(batch: &'a RecordBatch, name: &str) -> Option<&'a ArrayRef> {
    batch.column_by_name(name)
}
