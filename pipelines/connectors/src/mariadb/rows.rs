//! Cells on their way into Arrow batches.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanBuilder, Date32Builder, Float64Builder, Int64Builder, RecordBatch,
    StringBuilder, TimestampMicrosecondBuilder,
};
use arrow::datatypes::{Field, Schema, SchemaRef};
use chrono::NaiveDate;
use sqlx::mysql::MySqlRow;
use sqlx::{MySql, Row as _};

use super::kinds::{self, Kind, Wrong};
use crate::BATCH_ROWS;

/// Bytes of text in one batch at most, but for its last row.
const BATCH_BYTES: usize = 32 << 20;

/// How far the time of Viet Nam is ahead of the world's.
const AHEAD_MICROS: i64 = 7 * 3600 * 1_000_000;

/// Rows that become a batch.
pub(super) struct Rows {
    schema: SchemaRef,
    columns: Vec<Column>,
    rows: usize,
    bytes: usize,
}

struct Column {
    kind: Kind,
    cells: Cells,
}

enum Cells {
    Integer(Int64Builder),
    Real(Float64Builder),
    Text(StringBuilder),
    Truth(BooleanBuilder),
    Day(Date32Builder),
    Micros(TimestampMicrosecondBuilder),
}

/// A cell that cannot be taken: which column, and why.
pub(super) struct BadCell {
    pub(super) column: usize,
    pub(super) wrong: Wrong,
}

impl Rows {
    /// No rows yet, with columns of these names and kinds.
    pub(super) fn new(columns: &[(String, Kind)]) -> Self {
        let field = |(name, kind): &(String, Kind)| Field::new(name, kind.data_type(), true);
        let schema = Arc::new(Schema::new(columns.iter().map(field).collect::<Vec<_>>()));
        let column = |(_, kind): &(String, Kind)| Column { kind: *kind, cells: Cells::of(*kind) };
        Self { schema, columns: columns.iter().map(column).collect(), rows: 0, bytes: 0 }
    }

    /// Adds a row of the binary protocol.
    pub(super) fn push(&mut self, row: &MySqlRow) -> Result<(), BadCell> {
        for (at, column) in self.columns.iter_mut().enumerate() {
            let bad = |wrong| BadCell { column: at, wrong };
            let raw = row.try_get_raw(at).map_err(|_| bad("it was not sent"))?;
            // The bytes of a cell are refused only where it is null. What the driver itself calls
            // null takes in days that are zero.
            let cell = <&[u8] as sqlx::Decode<MySql>>::decode(raw).ok();
            self.bytes += column.push(cell).map_err(bad)?;
        }
        self.rows += 1;
        Ok(())
    }

    /// How many rows wait.
    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// Whether they are enough for a batch.
    pub(super) fn is_full(&self) -> bool {
        self.rows >= BATCH_ROWS || self.bytes >= BATCH_BYTES
    }

    /// The rows so far; none are left.
    pub(super) fn take(&mut self) -> RecordBatch {
        (self.rows, self.bytes) = (0, 0);
        let columns = self.columns.iter_mut().map(Column::finish).collect();
        RecordBatch::try_new(Arc::clone(&self.schema), columns)
            .expect("each column has the type of its kind and has had a cell for each row")
    }
}

impl Column {
    /// Takes a cell, and says how many bytes of text it has.
    fn push(&mut self, cell: Option<&[u8]>) -> Result<usize, Wrong> {
        let kind = self.kind;
        match &mut self.cells {
            Cells::Integer(cells) => {
                let unsigned = kind == Kind::Integer { unsigned: true };
                let cell = cell.map(|bytes| kinds::integer(bytes, unsigned)).transpose()?;
                cells.append_option(cell);
            }
            Cells::Real(cells) => cells.append_option(cell.map(kinds::real).transpose()?),
            Cells::Truth(cells) => cells.append_option(cell.map(kinds::bit).transpose()?),
            Cells::Day(cells) => {
                let day = cell.map(kinds::day).transpose()?;
                cells.append_option(day.map(days));
            }
            Cells::Micros(cells) => {
                let ahead = if kind == Kind::Instant { AHEAD_MICROS } else { 0 };
                let at = cell.map(kinds::moment).transpose()?;
                cells.append_option(at.map(|at| at.and_utc().timestamp_micros() - ahead));
            }
            Cells::Text(cells) => return push_text(kind, cells, cell),
        }
        Ok(0)
    }

    fn finish(&mut self) -> ArrayRef {
        match &mut self.cells {
            Cells::Integer(cells) => Arc::new(cells.finish()),
            Cells::Real(cells) => Arc::new(cells.finish()),
            Cells::Text(cells) => Arc::new(cells.finish()),
            Cells::Truth(cells) => Arc::new(cells.finish()),
            Cells::Day(cells) => Arc::new(cells.finish()),
            Cells::Micros(cells) => Arc::new(cells.finish()),
        }
    }
}

impl Cells {
    fn of(kind: Kind) -> Self {
        match kind {
            Kind::Integer { .. } => Self::Integer(Int64Builder::new()),
            Kind::Real => Self::Real(Float64Builder::new()),
            Kind::Large | Kind::Text | Kind::Time => Self::Text(StringBuilder::new()),
            Kind::Bit => Self::Truth(BooleanBuilder::new()),
            Kind::Day => Self::Day(Date32Builder::new()),
            Kind::Moment | Kind::Instant => {
                Self::Micros(TimestampMicrosecondBuilder::new().with_data_type(kind.data_type()))
            }
        }
    }
}

fn push_text(kind: Kind, cells: &mut StringBuilder, cell: Option<&[u8]>) -> Result<usize, Wrong> {
    let Some(bytes) = cell else {
        cells.append_null();
        return Ok(0);
    };
    match kind {
        Kind::Large => cells.append_value(kinds::large(bytes)?.to_string()),
        Kind::Time => cells.append_value(kinds::time(bytes)?),
        _ => cells.append_value(kinds::text(bytes)?),
    }
    Ok(bytes.len())
}

/// Days since 1970-01-01.
fn days(day: NaiveDate) -> i32 {
    i32::try_from(day.signed_duration_since(NaiveDate::default()).num_days())
        .expect("the years 1 to 9999 have fewer days than 32 bits")
}
