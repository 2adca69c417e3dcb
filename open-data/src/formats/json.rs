//! JSON with a header that explains the records, one record a line. A null is either missing or
//! hidden; the note column tells which.

use arrow::array::RecordBatch;
use serde::Serialize;
use warehouse::grid::Cell;
use warehouse::names::Text;

use super::{FormatError, for_each_row, plain};
use crate::metadata::{ColumnEntry, Metadata, RuleApplied};

#[derive(Serialize)]
struct Header<'a> {
    dataset: &'a str,
    version: u32,
    date: String,
    title: &'a Text,
    grain: &'a Text,
    source: &'a Text,
    licence: &'a Text,
    citation: &'a Text,
    rule: Option<&'a RuleApplied>,
    columns: &'a [ColumnEntry],
    rows: u64,
}

/// `batch` as JSON under the header of `meta`.
///
/// # Errors
/// When a column is of a type that has no text form.
pub fn json(batch: &RecordBatch, meta: &Metadata) -> Result<Vec<u8>, FormatError> {
    write(batch, meta).map_err(FormatError::of("JSON"))
}

fn write(
    batch: &RecordBatch,
    meta: &Metadata,
) -> Result<Vec<u8>, Box<dyn std::error::Error + Send + Sync>> {
    let header = Header {
        dataset: &meta.dataset,
        version: meta.version,
        date: meta.date.to_string(),
        title: &meta.title,
        grain: &meta.grain,
        source: &meta.source,
        licence: &meta.licence,
        citation: &meta.citation,
        rule: meta.rule.as_ref(),
        columns: &meta.columns,
        rows: meta.rows,
    };
    let mut out = serde_json::to_string(&header)?;
    out.pop();
    out.push_str(",\"records\":[");
    let schema = batch.schema();
    let names = schema
        .fields()
        .iter()
        .map(|field| serde_json::to_string(field.name()))
        .collect::<Result<Vec<_>, _>>()?;
    let mut first = true;
    for_each_row::<Box<dyn std::error::Error + Send + Sync>>(batch, |row| {
        out.push_str(if std::mem::take(&mut first) { "\n{" } else { ",\n{" });
        for (at, (name, cell)) in names.iter().zip(row).enumerate() {
            if at > 0 {
                out.push(',');
            }
            out.push_str(name);
            out.push(':');
            out.push_str(&value(cell)?);
        }
        out.push('}');
        Ok(())
    })?;
    out.push_str("\n]}\n");
    Ok(out.into_bytes())
}

/// Numbers are written digit by digit as in the CSV, not through a float.
fn value(cell: &Cell) -> serde_json::Result<String> {
    match cell {
        Cell::Null => Ok("null".to_owned()),
        Cell::Integer(_) | Cell::Decimal(..) | Cell::Number(_) | Cell::Boolean(_) => {
            Ok(plain(cell))
        }
        Cell::Text(_) | Cell::Date(_) | Cell::Time(_) => serde_json::to_string(&plain(cell)),
    }
}
