//! Faults that are planted on purpose, so that it can be told whether all of them are found.

use warehouse::spec::{ColumnType, Treatment};

use super::super::random::Random;
use super::course::Row;
use super::shape::{Make, Shape};

/// What the stream of random numbers is of.
const FAULT: u64 = 75;

/// What is wrong with a row on purpose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) kind: Kind,
    /// The column of the contract.
    pub(super) column: String,
}

/// Kinds of faults, by the reason under which a night is expected to refuse the row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The key is there twice.
    Repeated,
    /// A required cell is empty.
    Missing,
    /// A code is of no list.
    Unknown,
    /// A number lies outside its bounds.
    OutOfRange,
}

impl Kind {
    /// As quarantine calls it.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Repeated => "trung_khoa",
            Self::Missing => "thieu_gia_tri",
            Self::Unknown => "ngoai_danh_muc",
            Self::OutOfRange => "ngoai_khoang",
        }
    }
}

/// The row, spoilt where chance wants it, and its double where its key is repeated. `course` is the
/// seed, the number of the table, and the share of rows that are spoilt.
pub(super) fn plant(shape: &Shape<'_>, course: (u64, u64, f64), mut row: Row) -> Vec<Row> {
    let (seed, table, share) = course;
    let mut random = Random::of(seed, &[FAULT, table, row.spot.night, row.spot.index]);
    if share <= 0.0 || !random.chance(share) {
        return vec![row];
    }
    let kinds = [Kind::Repeated, Kind::Missing, Kind::Unknown, Kind::OutOfRange];
    let kind = *random.pick(&kinds);
    let is_bare = shape.key.is_empty();
    if kind == Kind::Repeated && !is_bare {
        let fault = Fault { kind, column: shape.table.key.join(",") };
        let double = Row { is_double: true, fault: Some(fault), ..row.clone() };
        return vec![row, double];
    }
    let fits = |at: usize| {
        let field = &shape.fields[at];
        let kept = field.column.treatment == Treatment::Keep;
        let placed = field.is_key || Some(at) == shape.watermark;
        // What a vocabulary does not hold is no fault of its row.
        let listed = matches!(field.make, Make::Values(_)) && field.column.vocabulary.is_none();
        let number = matches!(field.column.ty, ColumnType::Integer | ColumnType::Decimal { .. });
        !placed
            && match kind {
                Kind::Missing => field.column.required && !matches!(field.make, Make::Part(_)),
                Kind::Unknown => kept && listed,
                Kind::OutOfRange => kept && number && field.column.min.is_some(),
                Kind::Repeated => false,
            }
    };
    // An envelope of claims files says the same of all its rows.
    let own = |at: &usize| !shape.fields[*at].name.starts_with('@');
    let places: Vec<usize> = (0..shape.fields.len()).filter(|at| fits(*at)).filter(own).collect();
    if places.is_empty() {
        return vec![row];
    }
    let at = *random.pick(&places);
    let field = &shape.fields[at];
    row.cells[at] = match kind {
        Kind::Unknown => Some("99?".to_owned()),
        Kind::OutOfRange => field.column.min.map(|min| format!("{:.0}", min.floor() - 1.0)),
        _ => None,
    };
    row.fault = Some(Fault { kind, column: field.column.name.clone() });
    vec![row]
}
