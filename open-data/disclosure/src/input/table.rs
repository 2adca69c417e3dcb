//! A CSV with the place of every field.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

use warehouse::diagnostic::Diagnostic;

use super::Faults;

/// A table as written: header, and rows of fields with their byte ranges.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    pub(crate) name: String,
    pub(crate) header: Vec<String>,
    pub(crate) rows: Vec<Record>,
}

#[derive(Debug, Clone)]
pub(crate) struct Record {
    pub(crate) fields: Vec<(String, Range<usize>)>,
}

/// Header and records of any CSV.
pub(crate) struct Rows {
    pub(crate) header: Vec<(String, Range<usize>)>,
    pub(crate) records: Vec<Record>,
}

impl Table {
    /// Reads a table; faults of form go to `faults`.
    pub(crate) fn load(path: &Path, faults: &mut Faults) -> Option<Self> {
        let (name, text) = faults.read(path)?;
        let rows = read_rows(&name, &text, faults)?;
        if rows.records.is_empty() {
            let fault = Diagnostic::error(&name, "empty-file", "the table has no row");
            faults.push(fault.help("a table needs a header and at least one row"));
            return None;
        }
        let header = rows.header.into_iter().map(|(name, _)| name).collect();
        Some(Self { name, header, rows: rows.records })
    }

    /// Where a column stands.
    pub(crate) fn column(&self, name: &str) -> Option<usize> {
        self.header.iter().position(|column| column == name)
    }
}

/// Reads header and records; `None` when the file has no usable form.
pub(crate) fn read_rows(name: &str, text: &str, faults: &mut Faults) -> Option<Rows> {
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
    let mut lines = Vec::new();
    for record in reader.records() {
        let Ok(record) = record else {
            faults.push(Diagnostic::error(name, "bad-csv", "the file is not a CSV"));
            return None;
        };
        let start = record.position().map_or(0, |at| usize::try_from(at.byte()).unwrap_or(0));
        let spans = field_spans(text, start);
        let fields = record.iter().enumerate().map(|(i, field)| {
            let span = spans.get(i).cloned().unwrap_or(start..start);
            (field.trim().to_owned(), span)
        });
        lines.push(Record { fields: fields.collect() });
    }
    if lines.is_empty() {
        faults.push(Diagnostic::error(name, "empty-file", "the file is empty"));
        return None;
    }
    let header = lines.remove(0).fields;
    let mut seen: BTreeMap<&str, ()> = BTreeMap::new();
    for (column, span) in &header {
        if seen.insert(column, ()).is_some() {
            let message = format!("the column `{column}` stands in the header twice");
            faults.push(Diagnostic::error(name, "column-twice", message).at(span.clone()));
            return None;
        }
    }
    let width = header.len();
    lines.retain(|line| {
        let fits = line.fields.len() == width;
        if !fits && let Some((_, span)) = line.fields.first() {
            let message = format!("the row has {} fields, the header {width}", line.fields.len());
            let help = "is a decimal comma or a comma in a name missing its quotes?";
            faults.push(Diagnostic::error(name, "ragged-row", message).at(span.clone()).help(help));
        }
        fits
    });
    Some(Rows { header, records: lines })
}

/// Byte ranges of the fields of the record that starts at `start`, quotes included.
fn field_spans(text: &str, start: usize) -> Vec<Range<usize>> {
    let bytes = text.as_bytes();
    let mut at = start;
    while matches!(bytes.get(at), Some(b'\n' | b'\r')) {
        at += 1;
    }
    let mut spans = Vec::new();
    let (mut field, mut quoted) = (at, false);
    loop {
        match bytes.get(at) {
            Some(b'"') => quoted = !quoted,
            Some(b',') if !quoted => {
                spans.push(field..at);
                field = at + 1;
            }
            None => break,
            Some(b'\n' | b'\r') if !quoted => break,
            Some(_) => {}
        }
        at += 1;
    }
    spans.push(field..at);
    spans
}
