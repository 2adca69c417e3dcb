//! The first rows of a dataset, read back from the CSV that is published, for people to look at.

use chrono::NaiveDate;
use warehouse::grid::{self, Cell, format_number};
use warehouse::names::Lang;

use crate::metadata::{ColumnEntry, Metadata};
use crate::release::{HIDDEN, NOTE_COLUMN, ReleaseError};

/// Rows shown.
const ROWS: usize = 20;

/// The first rows.
pub(super) struct Preview {
    pub(super) rows: Vec<Vec<Shown>>,
}

/// One cell as shown.
pub(super) struct Shown {
    vi: String,
    en: String,
    /// Whether numbers' alignment applies.
    pub(super) number: bool,
    /// Whether the small-cell rule hid it.
    pub(super) hidden: bool,
}

impl Shown {
    pub(super) fn text(&self, lang: &Lang) -> &str {
        match lang {
            Lang::Vi => &self.vi,
            Lang::En => &self.en,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.vi.is_empty()
    }
}

impl Preview {
    /// Reads the first rows of `csv`, which `meta` describes.
    pub(super) fn read(csv: &[u8], meta: &Metadata) -> Result<Self, ReleaseError> {
        let damaged = |error: csv::Error| ReleaseError::Damaged {
            path: format!("{}{}.csv", meta.folder(), meta.dataset).into(),
            source: error.into(),
        };
        let note_at = meta.columns.iter().position(|column| column.name == NOTE_COLUMN);
        let mut rows = Vec::new();
        for record in csv::Reader::from_reader(csv).records().take(ROWS) {
            let record = record.map_err(damaged)?;
            let note = note_at.and_then(|at| record.get(at)).unwrap_or_default();
            let hidden: Vec<_> = note.strip_prefix(HIDDEN).unwrap_or("").split("; ").collect();
            let row = record.iter().zip(&meta.columns);
            rows.push(row.map(|(text, column)| shown(text, column, &hidden)).collect());
        }
        Ok(Self { rows })
    }
}

fn shown(text: &str, column: &ColumnEntry, hidden: &[&str]) -> Shown {
    let cell = parse(text, &column.ty);
    let number = column.ty.starts_with("numeric")
        || matches!(column.ty.as_str(), "bigint" | "integer" | "double precision");
    let show = |lang| match cell {
        Cell::Integer(year) if is_year(year, column) => year.to_string(),
        Cell::Number(value) => format_number(value, digits(value), lang),
        ref other => other.display(lang),
    };
    Shown {
        vi: show(Lang::Vi),
        en: show(Lang::En),
        number,
        hidden: text.is_empty() && hidden.contains(&column.name.as_str()),
    }
}

/// The value behind a text of the file; a text that is not of its type is shown as it stands.
fn parse(text: &str, ty: &str) -> Cell {
    if text.is_empty() {
        return Cell::Null;
    }
    let typed = match ty {
        "bigint" | "integer" => text.parse().ok().map(Cell::Integer),
        "double precision" => text.parse().ok().map(Cell::Number),
        "date" => text.parse::<NaiveDate>().ok().map(Cell::Date),
        "boolean" => text.parse().ok().map(Cell::Boolean),
        _ if ty.starts_with("numeric") => decimal(text),
        _ => None,
    };
    typed.unwrap_or_else(|| Cell::Text(text.to_owned()))
}

fn decimal(text: &str) -> Option<Cell> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let scale = i8::try_from(fraction.len()).ok()?;
    format!("{whole}{fraction}").parse().ok().map(|unscaled| Cell::Decimal(unscaled, scale))
}

/// A year is not grouped by thousands.
fn is_year(value: i64, column: &ColumnEntry) -> bool {
    let united = column.unit.as_ref().is_some_and(|unit| unit.en == "year");
    (1800..2200).contains(&value) && (united || grid::is_year(&column.name))
}

/// Enough digits to tell small rates apart; the file has all of them.
fn digits(value: f64) -> usize {
    let size = value.abs();
    if size.fract() == 0.0 {
        0
    } else if size >= 1.0 {
        2
    } else {
        4
    }
}
