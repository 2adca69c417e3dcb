//! An answer as rows of plain values, for pages, the terminal and small exports. Large results
//! stay Arrow batches and never come here.

use chrono::{DateTime, NaiveDate, Utc};
use datafusion::arrow::array::{Array, AsArray, RecordBatch};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Field, Float64Type, Int64Type, Schema, TimeUnit,
    TimestampMicrosecondType,
};
use datafusion::arrow::error::ArrowError;

use crate::names::Lang;

/// Rows and their columns.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Grid {
    /// The columns, in order.
    pub columns: Vec<GridColumn>,
    /// The rows; each as long as `columns`.
    pub rows: Vec<Vec<Cell>>,
    /// Whether rows were left out at the limit that the caller set.
    pub truncated: bool,
}

/// One column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GridColumn {
    /// Its name in SQL.
    pub name: String,
    /// How its cells are shown.
    pub kind: ColumnKind,
}

/// How a column's cells are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnKind {
    /// Left-aligned text.
    Text,
    /// Right-aligned number.
    Number,
    /// A day.
    Date,
    /// An instant.
    Time,
    /// Yes or no.
    Boolean,
}

/// One value.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// No value: unknown, not zero.
    Null,
    /// Text.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// An exact decimal: unscaled digits and how many of them stand after the point.
    Decimal(i128, i8),
    /// A binary floating-point number.
    Number(f64),
    /// A day.
    Date(NaiveDate),
    /// An instant.
    Time(DateTime<Utc>),
    /// Yes or no.
    Boolean(bool),
}

impl Cell {
    /// The value as a number, for charts.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Integer(value) => Some(*value as f64),
            Self::Decimal(value, scale) => Some(*value as f64 / 10f64.powi(i32::from(*scale))),
            Self::Number(value) => Some(*value),
            _ => None,
        }
    }

    /// The value as text, where it is text.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The value as a whole number, where it is one.
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Self::Integer(value) => Some(*value),
            _ => None,
        }
    }

    /// As a person of that language reads it: `172.212` and `31/12/2017` in Vietnamese,
    /// `172,212` and `2017-12-31` in English; null is empty.
    pub fn display(&self, lang: Lang) -> String {
        match self {
            Self::Number(value) => format_number(*value, fraction_digits(*value), lang),
            Self::Integer(value) => localise(&value.to_string(), lang),
            Self::Decimal(..) => localise(&trim_zeros(self.to_string()), lang),
            Self::Date(date) if lang == Lang::Vi => date.format("%d/%m/%Y").to_string(),
            // Viet Nam keeps one offset all year and has since 1975.
            Self::Time(at) if lang == Lang::Vi => {
                (*at + chrono::TimeDelta::hours(7)).format("%d/%m/%Y %H:%M:%S").to_string()
            }
            Self::Boolean(yes) if lang == Lang::Vi => if *yes { "có" } else { "không" }.to_owned(),
            _ => self.to_string(),
        }
    }
}

/// As a machine reads it: the form used in CSV.
impl std::fmt::Display for Cell {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Null => Ok(()),
            Self::Text(text) => f.write_str(text),
            Self::Integer(value) => write!(f, "{value}"),
            Self::Decimal(value, scale) => f.write_str(&decimal_text(*value, *scale)),
            Self::Number(value) => write!(f, "{value}"),
            Self::Date(date) => write!(f, "{date}"),
            Self::Time(at) => write!(f, "{}", at.format("%Y-%m-%dT%H:%M:%SZ")),
            Self::Boolean(yes) => write!(f, "{yes}"),
        }
    }
}

/// Whether a column of this name holds years, which are never grouped by thousands.
pub fn is_year(column: &str) -> bool {
    column == "nam" || column == "year" || column.starts_with("nam_") || column.ends_with("_nam")
}

/// Days from 1 January 1970 to `date`, as Arrow's `Date32` holds a day.
pub fn days_since_epoch(date: NaiveDate) -> i32 {
    i32::try_from((date - NaiveDate::default()).num_days())
        .expect("chrono's years fit in 32 bits of days")
}

/// `value` with `digits` after the point, in the form of `lang`.
pub fn format_number(value: f64, digits: usize, lang: Lang) -> String {
    if !value.is_finite() {
        return String::new();
    }
    localise(&format!("{value:.digits$}"), lang)
}

fn fraction_digits(value: f64) -> usize {
    let size = value.abs();
    if size.fract() == 0.0 && size < 1e15 {
        0
    } else if size >= 1000.0 {
        1
    } else if size >= 1.0 {
        2
    } else {
        4
    }
}

fn decimal_text(value: i128, scale: i8) -> String {
    let Ok(scale) = usize::try_from(scale) else { return value.to_string() };
    if scale == 0 {
        return value.to_string();
    }
    let digits = format!("{:0width$}", value.unsigned_abs(), width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    let sign = if value < 0 { "-" } else { "" };
    format!("{sign}{whole}.{fraction}")
}

fn trim_zeros(text: String) -> String {
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

/// Groups thousands and sets the decimal mark of the language; takes plain `-1234.5`.
fn localise(plain: &str, lang: Lang) -> String {
    let (group, mark) = match lang {
        Lang::Vi => ('.', ','),
        Lang::En => (',', '.'),
    };
    let (sign, digits) = plain.strip_prefix('-').map_or(("", plain), |rest| ("-", rest));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let mut out = String::from(sign);
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            out.push(group);
        }
        out.push(digit);
    }
    if !fraction.is_empty() {
        out.push(mark);
        out.push_str(fraction);
    }
    out
}

impl Grid {
    /// An empty grid with the columns of `schema`.
    pub fn with_schema(schema: &Schema) -> Self {
        let columns = schema
            .fields()
            .iter()
            .map(|field| GridColumn { name: field.name().clone(), kind: kind_of(field) })
            .collect();
        Self { columns, rows: Vec::new(), truncated: false }
    }

    /// Adds rows of `batch` until there are `limit`.
    ///
    /// # Errors
    /// When a column is of a type that has no text form.
    pub fn push(&mut self, batch: &RecordBatch, limit: usize) -> Result<(), ArrowError> {
        let wanted = limit.saturating_sub(self.rows.len());
        if batch.num_rows() > wanted {
            self.truncated = true;
        }
        let batch = batch.slice(0, batch.num_rows().min(wanted));
        let columns =
            batch.columns().iter().map(|column| cells(column)).collect::<Result<Vec<_>, _>>()?;
        for row in 0..batch.num_rows() {
            self.rows.push(columns.iter().map(|column| column[row].clone()).collect());
        }
        Ok(())
    }

    /// The position of a column.
    pub fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }

    /// One cell by row and column name; null when there is no such column.
    pub fn cell(&self, row: usize, name: &str) -> &Cell {
        let column = self.column(name);
        column.and_then(|at| self.rows.get(row)?.get(at)).unwrap_or(&Cell::Null)
    }
}

fn kind_of(field: &Field) -> ColumnKind {
    match field.data_type() {
        t if t.is_numeric() => ColumnKind::Number,
        DataType::Date32 | DataType::Date64 => ColumnKind::Date,
        DataType::Timestamp(..) => ColumnKind::Time,
        DataType::Boolean => ColumnKind::Boolean,
        _ => ColumnKind::Text,
    }
}

fn cells(column: &dyn Array) -> Result<Vec<Cell>, ArrowError> {
    let rows = 0..column.len();
    let null_or = |row: usize, cell: Cell| if column.is_null(row) { Cell::Null } else { cell };
    Ok(match column.data_type() {
        DataType::Boolean => {
            let array = column.as_boolean();
            rows.map(|row| null_or(row, Cell::Boolean(array.value(row)))).collect()
        }
        DataType::Float16 | DataType::Float32 | DataType::Float64 => {
            let array = cast(column, &DataType::Float64)?;
            let array = array.as_primitive::<Float64Type>();
            rows.map(|row| null_or(row, Cell::Number(array.value(row)))).collect()
        }
        DataType::Decimal128(_, scale) => {
            let array = column.as_primitive::<Decimal128Type>();
            rows.map(|row| null_or(row, Cell::Decimal(array.value(row), *scale))).collect()
        }
        t if t.is_integer() => {
            let array = cast(column, &DataType::Int64)?;
            let array = array.as_primitive::<Int64Type>();
            rows.map(|row| null_or(row, Cell::Integer(array.value(row)))).collect()
        }
        DataType::Date32 | DataType::Date64 => {
            let array = cast(column, &DataType::Date32)?;
            let array = array.as_primitive::<Date32Type>();
            rows.map(|row| array.value_as_date(row).map_or(Cell::Null, Cell::Date))
                .enumerate()
                .map(|(row, cell)| null_or(row, cell))
                .collect()
        }
        DataType::Timestamp(_, zone) => {
            let array = cast(column, &DataType::Timestamp(TimeUnit::Microsecond, zone.clone()))?;
            let array = array.as_primitive::<TimestampMicrosecondType>();
            rows.map(|row| {
                let at = DateTime::from_timestamp_micros(array.value(row));
                null_or(row, at.map_or(Cell::Null, Cell::Time))
            })
            .collect()
        }
        _ => {
            let array = cast(column, &DataType::Utf8)?;
            let array = array.as_string::<i32>();
            rows.map(|row| {
                if array.is_null(row) { Cell::Null } else { Cell::Text(array.value(row).into()) }
            })
            .collect()
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_each_language() {
        assert_eq!(Cell::Integer(172_212).display(Lang::Vi), "172.212");
        assert_eq!(Cell::Integer(-1234).display(Lang::En), "-1,234");
        assert_eq!(Cell::Decimal(975_826_000_000, 4).display(Lang::Vi), "97.582.600");
        assert_eq!(Cell::Decimal(-5, 2).to_string(), "-0.05");
        assert_eq!(Cell::Number(12.345).display(Lang::Vi), "12,35");
        assert_eq!(Cell::Null.display(Lang::Vi), "");
    }
}
