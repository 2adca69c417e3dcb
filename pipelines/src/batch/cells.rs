//! Raw cells before and after their columns are known.

use std::collections::HashSet;

use arrow::array::{Array, RecordBatch, StringArray, StringBuilder};
use arrow::error::ArrowError;
use arrow::json::LineDelimitedWriter;
use connectors::text::as_text;
use unicode_normalization::{UnicodeNormalization, is_nfc_quick};

/// The cells of a source column as text, trimmed, in NFC, empty as null. `year+month` joins its parts
/// with `-`, null when any part is empty.
pub(super) fn clean(raw: &RecordBatch, from: &str) -> Result<StringArray, ArrowError> {
    let parts = from.split('+').filter_map(|name| raw.column_by_name(name)).map(as_text);
    let parts = parts.collect::<Result<Vec<StringArray>, _>>()?;
    let mut out = StringBuilder::with_capacity(raw.num_rows(), raw.num_rows() * 8);
    for row in 0..raw.num_rows() {
        match parts.as_slice() {
            [only] => match cell(only, row) {
                Some(text)
                    if is_nfc_quick(text.chars()) == unicode_normalization::IsNormalized::Yes =>
                {
                    out.append_value(text);
                }
                Some(text) => out.append_value(text.nfc().collect::<String>()),
                None => out.append_null(),
            },
            several => {
                let joined: Option<Vec<&str>> =
                    several.iter().map(|part| cell(part, row)).collect();
                out.append_option(joined.map(|parts| parts.join("-")));
            }
        }
    }
    Ok(out.finish())
}

/// The cells with their zeros in front, where they have at least `from` digits and fewer than `to`.
pub(super) fn with_zeros(cells: &StringArray, (from, to): (usize, usize)) -> StringArray {
    let whole = |cell: &str| -> String {
        let lost = (from..to).contains(&cell.len()) && cell.bytes().all(|b| b.is_ascii_digit());
        if lost { format!("{cell:0>to$}") } else { cell.to_owned() }
    };
    cells.iter().map(|cell| cell.map(whole)).collect()
}

fn cell(column: &StringArray, row: usize) -> Option<&str> {
    if column.is_null(row) {
        return None;
    }
    Some(column.value(row).trim()).filter(|text| !text.is_empty())
}

/// The cells that pass; the others become null.
pub(super) fn only(cells: StringArray, mut passes: impl FnMut(usize, &str) -> bool) -> StringArray {
    let mut all = true;
    let kept: Vec<Option<&str>> = cells
        .iter()
        .enumerate()
        .map(|(row, cell)| {
            let cell = cell?;
            let passed = passes(row, cell);
            all &= passed;
            passed.then_some(cell)
        })
        .collect();
    if all { cells.clone() } else { StringArray::from(kept) }
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
