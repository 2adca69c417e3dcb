//! Rows that were refused, in `he_thong.cach_ly`: de-identified like all that is written, with the
//! source row's number and the reason, so that a steward can find and mend them at the source.
//!
//! Who reads the quarantine may read less than who reads the source: the cells of a row are kept
//! only where the source is of the quarantine's own class or below.

use std::sync::Arc;

use arrow::array::{Date32Array, Int64Array, RecordBatch, StringArray};
use warehouse::grid::days_since_epoch;
use warehouse::names::{Sensitivity, TableName};
use warehouse::store::{Lake, Note, Replace, StoreError};
use warehouse::system;

use crate::batch::{Refused, RefusedRow};

/// Appends the refused rows of a batch, once however often it is called for the same batch.
///
/// # Errors
/// When the quarantine cannot be read or written.
pub async fn keep(
    lake: &Lake,
    (table, class): (&TableName, Sensitivity),
    refused: &Refused,
    note: &Note,
) -> Result<(), StoreError> {
    let quarantine = system::quarantine();
    let shown = class <= quarantine.sensitivity;
    let part = if note.part.is_empty() {
        format!("cach_ly/{table}")
    } else {
        format!("cach_ly/{table}/{}", note.part)
    };
    let rows = refused.kept();
    if rows.is_empty() || lake.holds(&quarantine.name, &part, &note.batch).await? {
        return Ok(());
    }
    let text = |value: fn(&RefusedRow) -> &str| {
        Arc::new(StringArray::from_iter_values(rows.iter().map(value)))
    };
    let night = days_since_epoch(note.night);
    let repeated = |value: &str| Arc::new(StringArray::from(vec![value; rows.len()]));
    let numbers = rows.iter().map(|row| i64::try_from(row.number).unwrap_or(i64::MAX));
    let batch = RecordBatch::try_new(
        Arc::clone(&quarantine.schema),
        vec![
            Arc::new(Date32Array::from(vec![night; rows.len()])),
            repeated(&table.to_string()),
            repeated(&note.batch),
            Arc::new(Int64Array::from_iter_values(numbers)),
            text(|row| &row.column),
            text(|row| &row.reason),
            if shown { text(|row| &row.content) } else { repeated("") },
        ],
    )
    .expect("the columns are those of the quarantine's schema, all of one length");
    let note = Note { part, ..note.clone() };
    lake.write(&quarantine.name, batch, Replace::Nothing, &note).await?;
    Ok(())
}
