//! Typed columns as text: what a typed source and a text file have in common.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, StringArray};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Float64Type};
use arrow::error::ArrowError;

/// Where days begin.
const VIET_NAM: &str = "+07:00";

/// What cannot be converted is an error, never a null.
const STRICT: CastOptions<'static> =
    CastOptions { safe: false, format_options: arrow::util::display::FormatOptions::new() };

/// The cells of a column as text, each by itself: the same value is the same text whatever stands
/// beside it. Truth is `true` or `false`, a day `2026-07-01`, a decimal has all digits of its scale.
/// An instant at midnight is written as its day and a whole fraction as a whole number: what
/// programs make of a date and of a count with gaps. Instants with a zone are those of Viet Nam.
///
/// # Errors
/// When the type has no text, or a value is outside what its type can show. The error may quote the
/// value: it is for the caller to replace.
pub fn as_text(column: &ArrayRef) -> Result<StringArray, ArrowError> {
    let (column, midnight) = match column.data_type() {
        DataType::Timestamp(unit, Some(_)) => {
            let here = DataType::Timestamp(*unit, Some(VIET_NAM.into()));
            (strictly(column, &here)?, "T00:00:00+07:00")
        }
        DataType::Timestamp(..) => (Arc::clone(column), "T00:00:00"),
        DataType::Float16 | DataType::Float32 | DataType::Float64 => return whole_or_not(column),
        _ => return Ok(strictly(column, &DataType::Utf8)?.as_string::<i32>().clone()),
    };
    let texts = strictly(&column, &DataType::Utf8)?;
    let shorter = |text: &str| text.strip_suffix(midnight).unwrap_or(text).to_owned();
    Ok(texts.as_string::<i32>().iter().map(|text| text.map(shorter)).collect())
}

/// Casts a column, or says that a value does not fit.
pub(crate) fn strictly(column: &ArrayRef, to: &DataType) -> Result<ArrayRef, ArrowError> {
    cast_with_options(column, to, &STRICT)
}

fn whole_or_not(column: &ArrayRef) -> Result<StringArray, ArrowError> {
    let numbers = strictly(column, &DataType::Float64)?;
    let texts = strictly(column, &DataType::Utf8)?;
    let (numbers, texts) = (numbers.as_primitive::<Float64Type>(), texts.as_string::<i32>());
    let one = |(number, text): (Option<f64>, Option<&str>)| {
        let number = number?;
        // Whole numbers are exact below 2^53.
        let is_whole = number.fract() == 0.0 && number.abs() < 9_007_199_254_740_992.0;
        if is_whole { Some(format!("{:.0}", number + 0.0)) } else { text.map(str::to_owned) }
    };
    Ok(numbers.iter().zip(texts).map(one).collect())
}

#[cfg(test)]
mod tests {
    use arrow::array::{
        BooleanArray, Date32Array, Decimal128Array, Float32Array, Float64Array, Int64Array,
        TimestampMicrosecondArray, TimestampNanosecondArray, TimestampSecondArray,
    };

    use super::*;

    fn texts(column: impl arrow::array::Array + 'static) -> Vec<Option<String>> {
        let texts = as_text(&(Arc::new(column) as ArrayRef)).unwrap();
        texts.iter().map(|text| text.map(str::to_owned)).collect()
    }

    fn check(column: impl arrow::array::Array + 'static, expected: &[Option<&str>]) {
        let told = texts(column);
        let told: Vec<Option<&str>> = told.iter().map(Option::as_deref).collect();
        assert_eq!(told, expected);
    }

    #[test]
    fn a_value_is_the_same_text_whatever_stands_beside_it() {
        let numbers = vec![Some(1.0), Some(2.5), None, Some(-0.0), Some(1e20)];
        check(
            Float64Array::from(numbers),
            &[Some("1"), Some("2.5"), None, Some("0"), Some("1e20")],
        );
        check(Float32Array::from(vec![0.1, 3.0]), &[Some("0.1"), Some("3")]);
    }

    #[test]
    fn midnight_is_a_day_and_any_other_instant_is_written_out() {
        // 2026-07-01 in Viet Nam begins at 17:00 of the day before in Greenwich.
        let midnight = 1_782_838_800_000_000;
        let times = TimestampMicrosecondArray::from(vec![midnight, midnight + 5_400_000_000]);
        check(
            times.clone().with_timezone("UTC"),
            &[Some("2026-07-01"), Some("2026-07-01T01:30:00+07:00")],
        );
        check(times, &[Some("2026-06-30T17:00:00"), Some("2026-06-30T18:30:00")]);
    }

    #[test]
    fn instants_of_every_unit_and_zone_are_the_same_day() {
        let midnight = 1_782_838_800;
        let day = &[Some("2026-07-01")];
        for zone in ["UTC", "+07:00", "-05:00", "Asia/Ho_Chi_Minh"] {
            check(TimestampSecondArray::from(vec![midnight]).with_timezone(zone), day);
            let nanos = TimestampNanosecondArray::from(vec![midnight * 1_000_000_000]);
            check(nanos.with_timezone(zone), day);
        }
    }

    #[test]
    fn other_types_are_written_as_they_are() {
        check(Int64Array::from(vec![Some(i64::MAX), None]), &[Some("9223372036854775807"), None]);
        check(BooleanArray::from(vec![true, false]), &[Some("true"), Some("false")]);
        check(Date32Array::from(vec![20_635]), &[Some("2026-07-01")]);
        let exact = Decimal128Array::from(vec![12_345_678_901_234_567_890, 1_250]);
        check(
            exact.with_precision_and_scale(38, 2).unwrap(),
            &[Some("123456789012345678.90"), Some("12.50")],
        );
        check(StringArray::from(vec![Some(" 07 "), None]), &[Some(" 07 "), None]);
    }
}
