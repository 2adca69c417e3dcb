//! How many bytes a function may make at most, from its arguments alone.

use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Int64Type};
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::logical_expr::ColumnarValue;

/// Longest text that `levenshtein` takes, as in PostgreSQL: it compares every letter of one with
/// every letter of the other.
const LONGEST_COMPARED: usize = 255;

/// Elements of a series that is one value. As rows, after `FROM`, a series has no bound.
const LONGEST_SERIES: usize = 100_000;

/// Elements compared in one batch of rows.
const MOST_COMPARISONS: usize = 20_000_000;

/// Bytes of an element beside its own content.
const ELEMENT: usize = 16;

/// A number for each row, whatever the type; none where there is no number.
fn numbers(value: &ColumnarValue, rows: usize) -> Result<Vec<usize>> {
    let array = match value {
        ColumnarValue::Scalar(scalar) => scalar.to_array()?,
        ColumnarValue::Array(array) => ArrayRef::clone(array),
    };
    let Ok(numbers) = cast(&array, &DataType::Int64) else { return Ok(vec![0; rows]) };
    let numbers = numbers.as_primitive::<Int64Type>();
    let number = |at: Option<i64>| usize::try_from(at.unwrap_or_default()).unwrap_or_default();
    Ok(match value {
        ColumnarValue::Scalar(_) => vec![number(numbers.iter().next().flatten()); rows],
        ColumnarValue::Array(_) => numbers.iter().map(number).collect(),
    })
}

/// Bytes of each row's value.
fn sizes(value: &ColumnarValue, rows: usize) -> Vec<usize> {
    match value {
        ColumnarValue::Scalar(scalar) => vec![scalar_size(scalar); rows],
        ColumnarValue::Array(array) => row_sizes(array),
    }
}

fn scalar_size(scalar: &ScalarValue) -> usize {
    match scalar {
        ScalarValue::Utf8(text) | ScalarValue::LargeUtf8(text) | ScalarValue::Utf8View(text) => {
            text.as_ref().map(String::len).unwrap_or_default()
        }
        other => other.size(),
    }
}

fn row_sizes(array: &ArrayRef) -> Vec<usize> {
    let rows = array.len();
    if let Some(texts) = array.as_string_view_opt() {
        return texts.lengths().map(|length| length as usize).collect();
    }
    if let Some(texts) = array.as_string_opt::<i32>() {
        return texts.offsets().windows(2).map(|pair| (pair[1] - pair[0]) as usize).collect();
    }
    if let Some(lists) = array.as_list_opt::<i32>() {
        // A list's elements, by their average.
        let all = lists.values().len().max(1);
        let each = (lists.values().get_array_memory_size() / all).max(1);
        return lists
            .offsets()
            .windows(2)
            .map(|pair| ((pair[1] - pair[0]) as usize).saturating_mul(each))
            .collect();
    }
    let whole = array.to_data().get_slice_memory_size().unwrap_or_default();
    vec![whole / rows.max(1) + 1; rows]
}

fn sum(amounts: impl Iterator<Item = usize>) -> usize {
    amounts.fold(0, usize::saturating_add)
}

/// The value of the first argument (or of the third, where arrays are filled up) as often as the
/// second says.
pub(super) fn repeated(values: &[ColumnarValue], rows: usize) -> Result<usize> {
    let [first, times, rest @ ..] = values else { return Ok(0) };
    let mut each = sizes(first, rows);
    if let Some(filling) = rest.first() {
        each.iter_mut().zip(sizes(filling, rows)).for_each(|(each, more)| *each = more);
    }
    let times = numbers(times, rows)?;
    Ok(sum(each.iter().zip(times).map(|(each, times)| (each + ELEMENT).saturating_mul(times))))
}

/// Letters of up to four bytes.
pub(super) fn padded(values: &[ColumnarValue], rows: usize) -> Result<usize> {
    let Some(length) = values.get(1) else { return Ok(0) };
    Ok(sum(numbers(length, rows)?.into_iter().map(|length| length.saturating_mul(4))))
}

/// As if the text were nothing but finds. A find of a pattern may be empty, and what takes its
/// place may repeat the find itself.
pub(super) fn replaced(values: &[ColumnarValue], rows: usize) -> Result<usize> {
    let [text, _, new, ..] = values else { return Ok(0) };
    let (texts, news) = (sizes(text, rows), sizes(new, rows));
    let repeats = match new {
        ColumnarValue::Scalar(scalar) => scalar.to_string().matches(['\\', '$']).count(),
        ColumnarValue::Array(_) => 16,
    };
    Ok(sum(texts.iter().zip(news).map(|(text, new)| {
        let long = (text + 1).saturating_mul(new);
        // One that only shortens makes no more than it is given.
        let long = if new <= 1 { text + 1 } else { long };
        long.saturating_add(text.saturating_mul(repeats))
    })))
}

/// All that is given, once.
pub(super) fn joined(values: &[ColumnarValue], rows: usize) -> usize {
    sum(values.iter().map(|value| match value {
        ColumnarValue::Scalar(scalar) => scalar_size(scalar).saturating_mul(rows),
        ColumnarValue::Array(array) => sum(row_sizes(array).into_iter()),
    }))
}

/// All that is given, and the first between all others.
pub(super) fn separated(values: &[ColumnarValue], rows: usize) -> usize {
    let Some((first, others)) = values.split_first() else { return 0 };
    let between = joined(std::slice::from_ref(first), rows);
    between.saturating_mul(others.len()).saturating_add(joined(others, rows))
}

/// Refuses arrays of which every element of one would be compared with every one of the other for
/// too long.
pub(super) fn check_crossed(values: &[ColumnarValue], rows: usize) -> Result<()> {
    let [left, right, ..] = values else { return Ok(()) };
    let (left, right) = (sizes(left, rows), sizes(right, rows));
    let work = sum(left.into_iter().zip(right).map(|(a, b)| (a / 8).saturating_mul(b / 8)));
    if work > MOST_COMPARISONS {
        return exec_err!("the arrays are too long to be compared with each other");
    }
    Ok(())
}

/// The steps from the first argument to the second.
pub(super) fn series(values: &[ColumnarValue], rows: usize) -> Result<usize> {
    let (start, stop, step) = match values {
        [stop] => (None, stop, None),
        [start, stop] => (Some(start), stop, None),
        [start, stop, step, ..] => (Some(start), stop, Some(step)),
        [] => return Ok(0),
    };
    let none = vec![0.0; rows];
    let starts = start.map_or(Ok(none), |start| points(start, rows))?;
    let stops = points(stop, rows)?;
    let steps = step.map_or_else(|| Ok(vec![1.0; rows]), |step| points(step, rows))?;
    let counts = starts.iter().zip(stops).zip(steps).map(|((start, stop), step)| {
        let count = ((stop - start) / step).abs();
        if count.is_finite() { (count as usize).saturating_add(1) } else { 1 }
    });
    let counts: Vec<usize> = counts.collect();
    if counts.iter().any(|count| *count > LONGEST_SERIES) {
        return exec_err!(
            "a series in one value has at most {LONGEST_SERIES} elements; write it after FROM, where \
             it is rows"
        );
    }
    Ok(sum(counts.into_iter().map(|count| count.saturating_mul(ELEMENT))))
}

/// Whole numbers as they are; days, instants and intervals in days.
fn points(value: &ColumnarValue, rows: usize) -> Result<Vec<f64>> {
    let point = |scalar: &ScalarValue| -> f64 {
        const NANOS: f64 = 86_400e9;
        match scalar {
            ScalarValue::IntervalMonthDayNano(Some(step)) => {
                f64::from(step.months) * 28.0
                    + f64::from(step.days)
                    + step.nanoseconds as f64 / NANOS
            }
            ScalarValue::IntervalDayTime(Some(step)) => {
                f64::from(step.days) + f64::from(step.milliseconds) / 86_400e3
            }
            ScalarValue::IntervalYearMonth(Some(months)) => f64::from(*months) * 28.0,
            ScalarValue::TimestampSecond(Some(at), _) => *at as f64 / 86_400.0,
            ScalarValue::TimestampMillisecond(Some(at), _) => *at as f64 / 86_400e3,
            ScalarValue::TimestampMicrosecond(Some(at), _) => *at as f64 / 86_400e6,
            ScalarValue::TimestampNanosecond(Some(at), _) => *at as f64 / NANOS,
            ScalarValue::Date32(Some(days)) => f64::from(*days),
            other => match other.cast_to(&DataType::Float64) {
                Ok(ScalarValue::Float64(Some(number))) => number,
                _ => f64::NAN,
            },
        }
    };
    Ok(match value {
        ColumnarValue::Scalar(scalar) => vec![point(scalar); rows],
        ColumnarValue::Array(array) => (0..array.len())
            .map(|at| ScalarValue::try_from_array(array, at).map(|scalar| point(&scalar)))
            .collect::<Result<_>>()?,
    })
}

/// Refuses texts that are too long to be compared letter by letter.
pub(super) fn check_compared(values: &[ColumnarValue]) -> Result<()> {
    for value in values {
        let longest = match value {
            ColumnarValue::Scalar(scalar) => scalar_size(scalar),
            ColumnarValue::Array(array) => row_sizes(array).into_iter().max().unwrap_or_default(),
        };
        if longest > LONGEST_COMPARED * 4 {
            return exec_err!("levenshtein takes texts of at most {LONGEST_COMPARED} letters");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> ColumnarValue {
        ColumnarValue::Scalar(ScalarValue::from(text))
    }

    fn number(number: i64) -> ColumnarValue {
        ColumnarValue::Scalar(ScalarValue::from(number))
    }

    #[test]
    fn amounts_are_known_from_the_arguments() {
        assert!(repeated(&[text("x"), number(1_000_000)], 2).is_ok_and(|n| n >= 2_000_000));
        assert_eq!(repeated(&[text("x"), number(-5)], 2).ok(), Some(0));
        assert!(padded(&[text("x"), number(i64::MAX)], 1).is_ok_and(|n| n == usize::MAX));
        assert!(series(&[number(1), number(1_000_000_000)], 1).is_err());
        assert!(series(&[number(1), number(10), number(0)], 1).is_ok_and(|n| n < 1000));
        let long = "y".repeat(1000);
        assert!(
            replaced(&[text(&"x".repeat(1000)), text("x"), text(&long)], 10)
                .is_ok_and(|n| n >= 10_000_000)
        );
    }
}
