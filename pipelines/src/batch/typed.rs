//! Text to types: whole numbers, exact decimals, days, truth values, unit keys.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Date32Array, Decimal128Array, Int64Array, StringArray,
};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Date32Type, TimeUnit, TimestampMicrosecondType};
use chrono::NaiveDate;
use warehouse::geography::Geography;
use warehouse::grid::days_since_epoch;
use warehouse::spec::{Column, ColumnType};

use super::{Faults, note_fault};
use crate::deidentify::generalise;

/// Cells that passed treatment and scan, as the column's type; a cell that does not fit is null
/// and a fault.
pub(super) fn parse(column: &Column, cells: &StringArray, faults: &mut Faults) -> ArrayRef {
    match column.ty {
        ColumnType::Text | ColumnType::Unit { .. } => Arc::new(cells.clone()),
        ColumnType::Integer => {
            let values = each(column, cells, faults, |text| integer(text, column));
            Arc::new(values.into_iter().collect::<Int64Array>())
        }
        ColumnType::Decimal { precision, scale } => {
            let bounds = Bounds::of(column, scale);
            let values =
                each(column, cells, faults, |text| decimal(text, (precision, scale), bounds));
            let array: Decimal128Array = values.into_iter().collect();
            let sized = array.with_precision_and_scale(precision, scale);
            Arc::new(sized.expect("precision and scale are validated when declared"))
        }
        ColumnType::Date => {
            let quarters = column.from.ends_with("+quarter");
            let read = |text: &str| if quarters { quarter(text) } else { day(text) };
            let values = each(column, cells, faults, |text| read(text).ok_or("sai_kieu"));
            Arc::new(
                values.into_iter().map(|day| day.map(days_since_epoch)).collect::<Date32Array>(),
            )
        }
        ColumnType::Boolean => {
            let values = each(column, cells, faults, truth);
            Arc::new(values.into_iter().collect::<BooleanArray>())
        }
    }
}

fn each<T>(
    column: &Column,
    cells: &StringArray,
    faults: &mut Faults,
    read: impl Fn(&str) -> Result<T, &'static str>,
) -> Vec<Option<T>> {
    cells
        .iter()
        .enumerate()
        .map(|(row, cell)| match read(cell?) {
            Ok(value) => Some(value),
            Err(reason) => {
                note_fault(faults, row, &column.name, reason);
                None
            }
        })
        .collect()
}

fn integer(text: &str, column: &Column) -> Result<i64, &'static str> {
    // `12.0` is how spreadsheets and R write a whole number.
    let whole = text.split_once('.').map_or(text, |(whole, fraction)| {
        if fraction.bytes().all(|b| b == b'0') { whole } else { text }
    });
    let value: i64 = whole.parse().map_err(|_| "sai_kieu")?;
    within(value as f64, column).map(|()| value)
}

/// What a number may be, in units of its last digit.
#[derive(Debug, Clone, Copy)]
struct Bounds {
    min: Option<i128>,
    max: Option<i128>,
}

impl Bounds {
    fn of(column: &Column, scale: i8) -> Self {
        let scaled = |bound| scaled(bound, usize::try_from(scale).unwrap_or_default());
        Self { min: column.min.map(scaled), max: column.max.map(scaled) }
    }
}

fn decimal(text: &str, (precision, scale): (u8, i8), bounds: Bounds) -> Result<i128, &'static str> {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let fraction = fraction.trim_end_matches('0');
    let all_digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    let missing = usize::try_from(scale).ok().and_then(|scale| scale.checked_sub(fraction.len()));
    let is_number = !whole.is_empty() && all_digits(whole) && all_digits(fraction);
    let Some(missing) = missing.filter(|_| is_number) else { return Err("sai_kieu") };
    // Digits that do not fit are too many.
    let value = whole.bytes().chain(fraction.bytes()).try_fold(0_i128, |value, digit| {
        value.checked_mul(10)?.checked_add(i128::from(digit - b'0'))
    });
    let value = value.and_then(|value| value.checked_mul(power(missing)?));
    let value = value.filter(|value| power(precision.into()).is_none_or(|end| *value < end));
    let value = sign * value.ok_or("ngoai_khoang")?;
    // Money is compared as it is written: a float has too few digits for a country's sums.
    let is_low = bounds.min.is_some_and(|min| value < min);
    let is_high = bounds.max.is_some_and(|max| value > max);
    if is_low || is_high { Err("ngoai_khoang") } else { Ok(value) }
}

/// Ten to the power of so much; `None` where that is beyond all decimals.
fn power(of: usize) -> Option<i128> {
    10_i128.checked_pow(u32::try_from(of).ok()?)
}

/// A bound, as people wrote it, in units of the last digit; digits beyond that do not count.
fn scaled(bound: f64, scale: usize) -> i128 {
    let text = format!("{}", bound.abs());
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let digits = whole.chars().chain(fraction.chars().chain(std::iter::repeat('0')).take(scale));
    let size = digits.collect::<String>().parse().unwrap_or(i128::MAX);
    if bound < 0.0 { -size } else { size }
}

fn within(value: f64, column: &Column) -> Result<(), &'static str> {
    let low = column.min.is_none_or(|min| value >= min);
    let high = column.max.is_none_or(|max| value <= max);
    if low && high { Ok(()) } else { Err("ngoai_khoang") }
}

fn truth(text: &str) -> Result<bool, &'static str> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "1" => Ok(true),
        "false" | "no" | "0" => Ok(false),
        _ => Err("sai_kieu"),
    }
}

/// A day: `2017-12-31`, `20171231`, a 12-digit time; or the parts of a period joined by `-`:
/// `2017`, `2017-12`; a period is its first day.
fn day(text: &str) -> Option<NaiveDate> {
    if let Ok(Some(day)) = generalise::day(text) {
        return Some(day);
    }
    let (year, month) = text.split_once('-').unwrap_or((text, "1"));
    if year.len() != 4 {
        return None;
    }
    NaiveDate::from_ymd_opt(year.parse().ok()?, month.parse().ok()?, 1)
}

/// The first day of a quarter written `2015-4`, as `year+quarter` joins it.
fn quarter(text: &str) -> Option<NaiveDate> {
    let (year, quarter) = text.split_once('-')?;
    let month = match quarter {
        "1" => 1,
        "2" => 4,
        "3" => 7,
        "4" => 10,
        _ => return None,
    };
    NaiveDate::from_ymd_opt(year.parse().ok()?, month, 1)
}

/// Typed days or instants as days, each made coarser; `None` where the column has another type, or a
/// day that is out of the calendar's bounds and so a fault.
pub(super) fn days(column: &ArrayRef, coarser: fn(i32) -> Option<i32>) -> Option<Date32Array> {
    const DAY: i64 = 24 * 3600 * 1_000_000;
    let instants = |ahead: i64| {
        let instants = column.as_primitive::<TimestampMicrosecondType>().iter();
        instants.map(move |at| at.map(|at| (at + ahead).div_euclid(DAY))).collect::<Vec<_>>()
    };
    let days: Vec<Option<i64>> = match column.data_type() {
        DataType::Date32 => {
            column.as_primitive::<Date32Type>().iter().map(|day| day.map(i64::from)).collect()
        }
        DataType::Timestamp(TimeUnit::Microsecond, None) => instants(0),
        DataType::Timestamp(TimeUnit::Microsecond, Some(_)) => instants(7 * DAY / 24),
        _ => return None,
    };
    let one = |day: Option<i64>| match day {
        Some(day) => coarser(i32::try_from(day).ok()?).filter(|_| is_plausible(day)).map(Some),
        None => Some(None),
    };
    days.into_iter().map(one).collect::<Option<Vec<_>>>().map(Date32Array::from)
}

/// Whether a day lies in the years that are read as dates.
fn is_plausible(day: i64) -> bool {
    let bound = |year| NaiveDate::from_ymd_opt(year, 1, 1).map(days_since_epoch).map(i64::from);
    bound(*generalise::YEARS.start()).is_some_and(|from| day >= from)
        && bound(generalise::YEARS.end() + 1).is_some_and(|end| day < end)
}

/// A treated column in the type that the lake gives it.
pub(super) fn adopt(column: &Column, values: ArrayRef) -> ArrayRef {
    match (values.data_type(), &column.treatment) {
        (DataType::Int32, _) => {
            cast(&values, &DataType::Int64).expect("every 32-bit number is a 64-bit number")
        }
        _ => values,
    }
}

/// The dates that decide which list a unit's code belongs to.
pub(super) enum UnitDates<'a> {
    Fixed(NaiveDate),
    Column(Option<&'a arrow::array::Date32Array>),
}

impl<'a> UnitDates<'a> {
    pub(super) fn of(column: Option<&'a ArrayRef>) -> Self {
        Self::Column(column.and_then(|column| column.as_primitive_opt::<Date32Type>()))
    }

    fn on(&self, row: usize) -> Option<NaiveDate> {
        match self {
            Self::Fixed(date) => Some(*date),
            Self::Column(dates) => {
                dates.filter(|dates| dates.is_valid(row)).and_then(|dates| dates.value_as_date(row))
            }
        }
    }
}

/// Codes as unit keys.
pub(super) fn units(
    column: &Column,
    cells: &StringArray,
    dates: &UnitDates<'_>,
    geography: &Geography,
    faults: &mut Faults,
) -> ArrayRef {
    let mut keys = arrow::array::StringBuilder::with_capacity(cells.len(), cells.len() * 13);
    let mut known: HashMap<(&str, NaiveDate), Option<&str>> = HashMap::new();
    for (row, cell) in cells.iter().enumerate() {
        let Some(code) = cell else {
            if column.required {
                note_fault(faults, row, &column.name, "thieu_gia_tri");
            }
            keys.append_null();
            continue;
        };
        let unit = dates.on(row).and_then(|date| {
            // Old extracts lose the leading zero.
            let find = || geography.find(&format!("{code:0>2}"), date).map(|u| u.key.as_str());
            *known.entry((code, date)).or_insert_with(find)
        });
        if unit.is_none() {
            note_fault(faults, row, &column.name, "don_vi_khong_xac_dinh");
        }
        keys.append_option(unit);
    }
    Arc::new(keys.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_read_exactly_or_not_at_all() {
        let none = Bounds { min: None, max: None };
        let read = |text| decimal(text, (5, 2), none);
        assert_eq!(read("123.4500"), Ok(12_345));
        assert_eq!(read("-0.05"), Ok(-5));
        assert_eq!(read("000999"), Ok(99_900));
        assert_eq!(read("1."), Ok(100));
        for text in ["", ".5", "1.234", "1e3", "+1", "1,5", "--1", "1.2.3"] {
            assert_eq!(read(text), Err("sai_kieu"), "{text}");
        }
        for text in ["1000", "999999999999999999999999999999999999999999", "-1000.00"] {
            assert_eq!(read(text), Err("ngoai_khoang"), "{text}");
        }
        let all = "99999999999999999999999999999999999999";
        assert_eq!(decimal(all, (38, 0), none), Ok(10_i128.pow(38) - 1));
        assert_eq!(decimal("1", (5, 2), Bounds { min: Some(101), ..none }), Err("ngoai_khoang"));
    }

    #[test]
    fn typed_days_are_those_that_their_texts_would_give() {
        use arrow::array::TimestampMicrosecondArray;
        // 17:00 in Greenwich is midnight in Viet Nam, and a day before the era is one too.
        let instants =
            [1_782_838_799_999_999, 1_782_838_800_000_000, -1, 0, -2_000_000_000_000_000];
        for zone in [None, Some("UTC"), Some("+07:00")] {
            let typed = TimestampMicrosecondArray::from(instants.to_vec()).with_timezone_opt(zone);
            let typed: ArrayRef = Arc::new(typed);
            let texts = connectors::text::as_text(&typed).unwrap();
            let read = texts.iter().map(|text| generalise::day(text.unwrap()).unwrap());
            let read: Date32Array = read.map(|day| day.map(days_since_epoch)).collect();
            assert_eq!(days(&typed, Some), Some(read), "{zone:?}");
            let months = texts.iter().map(|text| generalise::month(text.unwrap()).unwrap());
            let months: Date32Array = months.map(|day| day.map(days_since_epoch)).collect();
            assert_eq!(days(&typed, generalise::month_of), Some(months), "{zone:?}");
        }
        let far: ArrayRef = Arc::new(Date32Array::from(vec![Some(0), None, Some(100_000)]));
        assert_eq!(days(&far, Some), None);
    }

    #[test]
    fn bounds_of_money_are_exact_beyond_what_a_float_can_tell() {
        // 2^53 and one more hundredth: as floats they are the same number.
        let bound = 90_071_992_547_409.92;
        assert_eq!(scaled(bound, 2), 9_007_199_254_740_992);
        assert_eq!(scaled(-0.5, 2), -50);
        assert_eq!(scaled(1e18, 2), 100_000_000_000_000_000_000);
        assert_eq!(scaled(0.125, 2), 12);
    }
}
