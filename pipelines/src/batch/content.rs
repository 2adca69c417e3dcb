//! What the raw rows of a batch are called, and how new they are.
//!
//! A database has no file whose bytes could be summed, and gives its rows in any order. So each row
//! is hashed and the hashes are added: the same rows have the same sum in whatever order they come.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, RecordBatch, TimestampMicrosecondArray};
use arrow::compute::max;
use arrow::datatypes::{DataType, TimeUnit, TimestampMicrosecondType};
use arrow::error::ArrowError;
use arrow::row::{RowConverter, SortField};
use chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime};
use connectors::files::hex;
use connectors::text::as_text;
use sha2::{Digest, Sha256};

/// The sum of the rows so far.
#[derive(Debug, Default)]
pub(super) struct Content {
    converter: Option<RowConverter>,
    columns: String,
    lanes: [u64; 4],
    rows: u64,
}

impl Content {
    /// Adds rows; all have the same columns.
    pub(super) fn add(&mut self, raw: &RecordBatch) -> Result<(), ArrowError> {
        if self.converter.is_none() {
            let fields = raw.schema_ref().fields();
            let types = fields.iter().map(|field| SortField::new(field.data_type().clone()));
            self.converter = Some(RowConverter::new(types.collect())?);
            self.columns =
                fields.iter().map(|f| format!("{} {}\n", f.name(), f.data_type())).collect();
        }
        let Some(converter) = &mut self.converter else { return Ok(()) };
        for row in &converter.convert_columns(raw.columns())? {
            let hash: [u8; 32] = Sha256::digest(row.data()).into();
            for (lane, bytes) in self.lanes.iter_mut().zip(hash.chunks_exact(8)) {
                let bytes = bytes.try_into().expect("chunks of eight bytes");
                *lane = lane.wrapping_add(u64::from_le_bytes(bytes));
            }
        }
        self.rows += raw.num_rows() as u64;
        Ok(())
    }

    /// SHA-256 in hex of columns, number of rows and sum.
    pub(super) fn name(&self) -> String {
        let mut sum = Sha256::new_with_prefix(&self.columns);
        sum.update(self.rows.to_le_bytes());
        self.lanes.iter().for_each(|lane| sum.update(lane.to_le_bytes()));
        hex(&sum.finalize())
    }
}

/// The newest instant in a raw column, in the time of Viet Nam; cells that are none do not count.
pub(super) fn newest(raw: &RecordBatch, column: &str) -> Result<Option<NaiveDateTime>, ArrowError> {
    let Some(column) = raw.column_by_name(column) else { return Ok(None) };
    // Of instants that are numbers, only the newest is read.
    let newest = match column.data_type() {
        DataType::Timestamp(TimeUnit::Microsecond, zone) => {
            let instants = column.as_primitive::<TimestampMicrosecondType>();
            let newest = TimestampMicrosecondArray::from(vec![max(instants)]);
            Some(Arc::new(newest.with_timezone_opt(zone.clone())) as ArrayRef)
        }
        _ => None,
    };
    let column = newest.as_ref().unwrap_or(column);
    let texts = as_text(column)?;
    Ok(texts.iter().flatten().filter_map(|text| instant(text.trim())).max())
}

/// `2026-07-01`, `2026-07-01T08:30:00` with or without a zone, `20260701`, `202607010830`.
fn instant(text: &str) -> Option<NaiveDateTime> {
    let day = |text: &str, form: &str| {
        NaiveDate::parse_from_str(text, form).ok().and_then(|day| day.and_hms_opt(0, 0, 0))
    };
    let is_digits = text.bytes().all(|b| b.is_ascii_digit());
    match text.len() {
        8 if is_digits => return day(text, "%Y%m%d"),
        12 if is_digits => return NaiveDateTime::parse_from_str(text, "%Y%m%d%H%M").ok(),
        14 if is_digits => return NaiveDateTime::parse_from_str(text, "%Y%m%d%H%M%S").ok(),
        10 => return day(text, "%Y-%m-%d"),
        _ => {}
    }
    let viet_nam = FixedOffset::east_opt(7 * 3600)?;
    let text = text.replacen(' ', "T", 1);
    match DateTime::parse_from_rfc3339(&text) {
        Ok(instant) => Some(instant.with_timezone(&viet_nam).naive_local()),
        Err(_) => NaiveDateTime::parse_from_str(&text, "%Y-%m-%dT%H:%M:%S%.f").ok(),
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{Int64Array, StringArray};

    use super::*;

    fn rows(cells: &[(Option<i64>, &str)]) -> RecordBatch {
        let numbers: ArrayRef = Arc::new(cells.iter().map(|(n, _)| *n).collect::<Int64Array>());
        let texts: ArrayRef =
            Arc::new(cells.iter().map(|(_, t)| Some(*t)).collect::<StringArray>());
        RecordBatch::try_from_iter([("a", numbers), ("b", texts)]).unwrap()
    }

    fn name(batches: &[RecordBatch]) -> String {
        let mut content = Content::default();
        batches.iter().for_each(|rows| content.add(rows).unwrap());
        content.name()
    }

    #[test]
    fn the_same_rows_have_the_same_name_in_any_order_and_no_others_do() {
        let whole = name(&[rows(&[(Some(1), "x"), (None, "y"), (Some(1), "x")])]);
        assert_eq!(name(&[rows(&[(None, "y")]), rows(&[(Some(1), "x"), (Some(1), "x")])]), whole);
        assert_ne!(name(&[rows(&[(None, "y"), (Some(1), "x")])]), whole);
        assert_ne!(name(&[rows(&[(Some(1), "y"), (None, "x"), (Some(1), "x")])]), whole);
        assert_ne!(name(&[rows(&[])]), name(&[]));
    }

    #[test]
    fn the_newest_of_typed_instants_is_that_of_their_texts() {
        let instants = vec![Some(1_782_838_800_000_000), None, Some(1_782_844_200_000_000)];
        let typed = TimestampMicrosecondArray::from(instants).with_timezone("UTC");
        let texts = StringArray::from(vec!["2026-06-30T17:00:00Z", "", "2026-06-30T18:30:00Z"]);
        for column in [Arc::new(typed) as ArrayRef, Arc::new(texts)] {
            let rows = RecordBatch::try_from_iter([("luc", column)]).unwrap();
            let newest = newest(&rows, "luc").unwrap();
            assert_eq!(newest.map(|at| at.to_string()).as_deref(), Some("2026-07-01 01:30:00"));
        }
    }

    #[test]
    fn instants_are_read_in_every_form_that_sources_have() {
        let told = |text: &str| instant(text).map(|at| at.to_string());
        assert_eq!(told("2026-07-01").as_deref(), Some("2026-07-01 00:00:00"));
        assert_eq!(told("202607010830").as_deref(), Some("2026-07-01 08:30:00"));
        assert_eq!(told("2026-07-01T08:30:00.5").as_deref(), Some("2026-07-01 08:30:00.500"));
        assert_eq!(told("2026-06-30T18:30:00Z").as_deref(), Some("2026-07-01 01:30:00"));
        assert_eq!(told("2026-07-01 01:30:00+07:00").as_deref(), Some("2026-07-01 01:30:00"));
        assert_eq!(told("hôm qua"), None);
        assert_eq!(told("2026-13-01"), None);
    }
}
