//! Texts of single cells: days, numbers, and one cell as another column would hold it.

use chrono::{Datelike, Days, Months, NaiveDate};
use connectors::fill::Holds;

use super::super::random::Random;
use super::shape::{Field, Length};

/// The first and the last day of the period that ended last before a day.
pub(super) fn period(day: NaiveDate, length: Length) -> (NaiveDate, NaiveDate) {
    let months = match length {
        Length::Month => 1,
        Length::Quarter => 3,
    };
    let begun = NaiveDate::from_ymd_opt(day.year(), day.month0() / months * months + 1, 1);
    let begun = begun.unwrap_or(day);
    (begun - Months::new(months), begun - Days::new(1))
}

/// A day as a column holds it; an instant is some minute of the working day.
pub(super) fn written(day: NaiveDate, holds: Holds, minute: u64) -> String {
    match holds {
        Holds::Instant => {
            format!("{day}T{:02}:{:02}:00+07:00", 8 + minute / 60, minute % 60)
        }
        _ => day.to_string(),
    }
}

/// A number of which most are small: its logarithm is even over half of what the bounds allow.
pub(super) fn number(random: &mut Random, low: f64, high: f64, digits: usize) -> String {
    let low = if low < 0.0 && high > 0.0 { 0.0 } else { low };
    let span = (high - low).max(0.0);
    let step = 10_f64.powi(digits as i32);
    let value = low + ((span + 1.0).powf(0.6 * random.unit()) - 1.0);
    let value = ((value * step).floor() / step).clamp(low, high);
    format!("{value:.digits$}")
}

/// Whether one cell is above another: as numbers, else as days.
pub(super) fn is_above(one: &str, other: &str) -> bool {
    match (one.parse::<f64>(), other.parse::<f64>()) {
        (Ok(one), Ok(other)) => one > other,
        _ => one.get(..10).unwrap_or(one) > other.get(..10).unwrap_or(other),
    }
}

/// A cell of another column as this one would hold it; `None` where it cannot.
pub(super) fn taken(field: &Field<'_>, text: &str) -> Option<String> {
    match field.holds {
        Holds::Day => text.get(..10).map(str::to_owned),
        Holds::Instant => text.get(..10).map(|day| format!("{day}T20:00:00+07:00")),
        Holds::Whole | Holds::Decimal { .. } => {
            let value: f64 = text.parse().ok()?;
            let is_within = field.column.min.is_none_or(|min| value >= min)
                && field.column.max.is_none_or(|max| value <= max);
            let is_whole = field.holds != Holds::Whole || !text.contains('.');
            (is_within && is_whole).then(|| text.to_owned())
        }
        Holds::Text | Holds::Truth => None,
    }
}
