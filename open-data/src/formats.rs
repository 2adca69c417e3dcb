//! The files of a dataset: CSV for spreadsheets, JSON for programs, Parquet for analysis. All hold
//! the same rows in the same order, and the same rows always give the same bytes.

mod csv;
mod json;
mod parquet;

use arrow::array::RecordBatch;
use arrow::error::ArrowError;
use warehouse::grid::{Cell, Grid};

pub use self::csv::csv;
pub use self::json::json;
pub use self::parquet::parquet;

/// Rows turned into plain cells at a time.
const ROWS_AT_A_TIME: usize = 8192;

/// Why a file could not be encoded.
#[derive(Debug, thiserror::Error)]
#[error("cannot write the rows as {format}")]
pub struct FormatError {
    format: &'static str,
    #[source]
    source: Box<dyn std::error::Error + Send + Sync>,
}

impl FormatError {
    fn of<E: Into<Box<dyn std::error::Error + Send + Sync>>>(
        format: &'static str,
    ) -> impl FnOnce(E) -> Self {
        move |error| Self { format, source: error.into() }
    }
}

/// Calls `each` with every row of `batch`.
fn for_each_row<E: From<ArrowError>>(
    batch: &RecordBatch,
    mut each: impl FnMut(&[Cell]) -> Result<(), E>,
) -> Result<(), E> {
    let mut start = 0;
    while start < batch.num_rows() {
        let length = ROWS_AT_A_TIME.min(batch.num_rows() - start);
        let mut grid = Grid::with_schema(&batch.schema());
        grid.push(&batch.slice(start, length), length)?;
        for row in &grid.rows {
            each(row)?;
        }
        start += length;
    }
    Ok(())
}

/// A value as data files write it: a decimal point, no grouping, no zeros after the last digit
/// that counts, ISO 8601 dates; null is empty.
pub(crate) fn plain(cell: &Cell) -> String {
    let text = cell.to_string();
    match cell {
        Cell::Decimal(..) if text.contains('.') => {
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        }
        _ => text,
    }
}
