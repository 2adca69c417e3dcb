//! Raw cells before and after their columns are known.

use std::collections::HashSet;

use arrow::array::{Array, RecordBatch, StringArray, StringBuilder};
use arrow::error::ArrowError;
use arrow::json::LineDelimitedWriter;
use connectors::text::as_text;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

/// The cells of a source column as text, trimmed, in NFC, empty as null. `year+month` joins its parts
/// with `-`, null when any part is empty.
pub(super) fn clean(raw: &RecordBatch, from: &str) -> Result<StringArray, ArrowError> {
    let parts = from.split('+').filter_map(|name| raw.column_by_name(name)).map(as_text);
    let parts = parts.collect::<Result<Vec<StringArray>, _>>()?;
    if let [only] = parts.as_slice() {
        return Ok(tidy(only));
    }
    let rows = (0..raw.num_rows()).map(|row| {
        let parts = parts.iter().map(|part| part.is_valid(row).then(|| part.value(row).trim()));
        let joined: Option<Vec<&str>> = parts.map(|part| part.filter(|p| !p.is_empty())).collect();
        joined.map(|parts| parts.join("-"))
    });
    Ok(rows.collect())
}

/// The cells in one form. Most columns are in it as they come.
fn tidy(cells: &StringArray) -> StringArray {
    if cells.iter().flatten().all(is_tidy) {
        return cells.clone();
    }
    let mut out = StringBuilder::with_capacity(cells.len(), cells.value_data().len());
    for cell in cells {
        match cell.map(str::trim).filter(|text| !text.is_empty()) {
            Some(text) if is_tidy(text) => out.append_value(text),
            Some(text) => out.append_value(text.nfc().collect::<String>()),
            None => out.append_null(),
        }
    }
    out.finish()
}

fn is_tidy(text: &str) -> bool {
    let bytes = text.as_bytes();
    let (Some(first), Some(last)) = (bytes.first(), bytes.last()) else { return false };
    if text.is_ascii() {
        return !is_space(*first) && !is_space(*last);
    }
    text.trim().len() == text.len() && is_nfc_quick(text.chars()) == IsNormalized::Yes
}

/// Whether `trim` takes this ASCII character away.
fn is_space(byte: u8) -> bool {
    char::from(byte).is_whitespace()
}

/// The cells with their zeros in front, where they have at least `from` digits and fewer than `to`.
pub(super) fn with_zeros(cells: &StringArray, (from, to): (usize, usize)) -> StringArray {
    let whole = |cell: &str| -> String {
        let lost = (from..to).contains(&cell.len()) && cell.bytes().all(|b| b.is_ascii_digit());
        if lost { format!("{cell:0>to$}") } else { cell.to_owned() }
    };
    cells.iter().map(|cell| cell.map(whole)).collect()
}

/// The cells that pass; the others become null.
pub(super) fn only(cells: StringArray, mut passes: impl FnMut(usize, &str) -> bool) -> StringArray {
    let mut failed = Vec::new();
    for (row, cell) in cells.iter().enumerate() {
        if cell.is_some_and(|cell| !passes(row, cell)) {
            failed.push(row);
        }
    }
    if failed.is_empty() {
        return cells;
    }
    let mut failed = failed.into_iter().peekable();
    let kept = |(row, cell)| if failed.next_if_eq(&row).is_some() { None } else { cell };
    cells.iter().enumerate().map(kept).collect()
}

/// One row as a JSON object, without the columns at fault and without nulls.
pub(super) fn json(rows: &RecordBatch, row: usize, at_fault: &HashSet<&str>) -> String {
    let schema = rows.schema();
    let kept: Vec<usize> = (0..rows.num_columns())
        .filter(|at| !at_fault.contains(schema.field(*at).name().as_str()))
        .collect();
    let mut out = Vec::new();
    let mut writer = LineDelimitedWriter::new(&mut out);
    let written = rows
        .project(&kept)
        .map(|rows| rows.slice(row, 1))
        .and_then(|one| writer.write_batches(&[&one]))
        .and_then(|()| writer.finish());
    drop(writer);
    match written {
        Ok(()) => String::from_utf8_lossy(&out).trim_end().to_owned(),
        Err(_) => "{}".to_owned(),
    }
}
