//! The text of one cell.

use calamine::{DataRef, ExcelDateTime};
use chrono::{Days, NaiveDate, NaiveDateTime, NaiveTime};

/// Bytes of the longest cell: 32767 characters, as Excel allows, of up to four bytes.
const CELL_BYTES: usize = 32_767 * 4;

/// Days after the last day that a workbook can name, 31 December 9999.
const DAYS: f64 = 2_958_466.0;

/// Days between the beginnings of the two ways to count days.
const DAYS_TO_1904: f64 = 1462.0;

const DAY_SECS: f64 = 86_400.0;

/// The cell's text, in the words of the module above; what is wrong otherwise.
pub(super) fn text(value: &DataRef<'_>, since_1904: bool) -> Result<String, &'static str> {
    let text = match value {
        DataRef::Empty => String::new(),
        DataRef::String(text) => text.clone(),
        DataRef::SharedString(text) => (*text).to_owned(),
        DataRef::Bool(truth) => truth.to_string(),
        DataRef::Int(number) => number.to_string(),
        DataRef::Float(number) => decimal(*number)?,
        DataRef::DateTime(instant) if instant.is_duration() => duration(instant.as_f64())?,
        DataRef::DateTime(instant) => day_or_time(instant, since_1904)?,
        DataRef::DateTimeIso(text) => iso(text)?,
        DataRef::DurationIso(_) => return Err("a duration is not written as Excel writes one"),
        DataRef::Error(_) => {
            return Err("it holds an error instead of a value, such as #REF! or #N/A; repair it");
        }
    };
    if text.len() > CELL_BYTES {
        return Err("it is longer than the 32767 characters that a cell may have");
    }
    Ok(text)
}

fn decimal(number: f64) -> Result<String, &'static str> {
    if !number.is_finite() {
        return Err("its number is none");
    }
    // Adding zero makes minus zero a zero.
    Ok((number + 0.0).to_string())
}

fn duration(days: f64) -> Result<String, &'static str> {
    let secs = (days * DAY_SECS).round();
    if !(0.0..DAYS * DAY_SECS).contains(&secs) {
        return Err("its duration is negative or longer than Excel shows");
    }
    let secs = secs as u64;
    Ok(format!("{:02}:{:02}:{:02}", secs / 3600, secs / 60 % 60, secs % 60))
}

/// Days are counted from 1900, or from 1904 in workbooks that began on an old Mac.
fn day_or_time(instant: &ExcelDateTime, since_1904: bool) -> Result<String, &'static str> {
    let days = instant.as_f64();
    let beyond = if since_1904 { DAYS - DAYS_TO_1904 } else { DAYS };
    if !(0.0..beyond).contains(&days) {
        return Err("it is shown as a day, and its number is that of none");
    }
    let secs = (days * DAY_SECS).round();
    let (day, secs) = ((secs / DAY_SECS).floor(), secs % DAY_SECS);
    let time = NaiveTime::from_num_seconds_from_midnight_opt(secs as u32, 0)
        .ok_or("its time of day is none")?;
    if day == 0.0 {
        return Ok(time.format("%H:%M:%S").to_string());
    }
    let (first, day) = match day as u64 {
        day if since_1904 => (NaiveDate::from_ymd_opt(1904, 1, 1), day),
        // Excel has a 29 February 1900, as Lotus 1-2-3 had.
        60 => return Err("it is shown as 29 February 1900, a day that never was"),
        day @ 1..=59 => (NaiveDate::from_ymd_opt(1899, 12, 31), day),
        day => (NaiveDate::from_ymd_opt(1899, 12, 30), day),
    };
    let day = first.and_then(|first| first.checked_add_days(Days::new(day)));
    let day = day.ok_or("it is shown as a day, and its number is that of none")?;
    Ok(instant_text(day.and_time(time)))
}

/// A day or instant that was written as ISO 8601 has it.
fn iso(text: &str) -> Result<String, &'static str> {
    if let Ok(day) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        return Ok(day.to_string());
    }
    if let Ok(instant) = NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f") {
        return Ok(instant_text(instant));
    }
    let time = NaiveTime::parse_from_str(text, "%H:%M:%S%.f");
    let time = time.map_err(|_| "its day or time is not written as ISO 8601 has it")?;
    Ok(time.format("%H:%M:%S").to_string())
}

/// At midnight the day alone.
fn instant_text(instant: NaiveDateTime) -> String {
    let form = if instant.time() == NaiveTime::MIN { "%Y-%m-%d" } else { "%Y-%m-%dT%H:%M:%S" };
    instant.format(form).to_string()
}

#[cfg(test)]
mod tests {
    use calamine::{CellErrorType, ExcelDateTimeType};
    use proptest::prelude::*;

    use super::*;

    fn day(number: f64, since_1904: bool) -> Result<String, &'static str> {
        let kind = ExcelDateTimeType::DateTime;
        text(&DataRef::DateTime(ExcelDateTime::new(number, kind, since_1904)), since_1904)
    }

    #[test]
    fn numbers_are_their_shortest_decimals() {
        let number = |number| text(&DataRef::Float(number), false).unwrap();
        assert_eq!(number(12.0), "12");
        assert_eq!(number(-0.0), "0");
        assert_eq!(number(0.1), "0.1");
        assert_eq!(number(1e15), "1000000000000000");
        assert_eq!(number(1e-7), "0.0000001");
        assert_eq!(number(-2.5), "-2.5");
        assert!(text(&DataRef::Float(f64::NAN), false).is_err());
        assert!(text(&DataRef::Float(f64::INFINITY), false).is_err());
    }

    #[test]
    fn days_are_counted_from_1900_or_1904() {
        assert_eq!(day(1.0, false).unwrap(), "1900-01-01");
        assert_eq!(day(59.0, false).unwrap(), "1900-02-28");
        assert!(day(60.0, false).unwrap_err().contains("never was"));
        assert_eq!(day(61.0, false).unwrap(), "1900-03-01");
        assert_eq!(day(46_053.0, false).unwrap(), "2026-01-31");
        assert_eq!(day(46_053.0 - DAYS_TO_1904, true).unwrap(), "2026-01-31");
        assert_eq!(day(60.0, true).unwrap(), "1904-03-01");
        assert_eq!(day(2_958_465.0, false).unwrap(), "9999-12-31");
        assert_eq!(day(2_957_003.0, true).unwrap(), "9999-12-31");
        for (none, since_1904) in [(2_958_466.0, false), (2_957_004.0, true), (-1.0, false)] {
            assert!(day(none, since_1904).is_err(), "{none}");
        }
    }

    #[test]
    fn times_are_rounded_to_the_second() {
        assert_eq!(day(46_053.312_5, false).unwrap(), "2026-01-31T07:30:00");
        assert_eq!(day(46_053.999_999_9, false).unwrap(), "2026-02-01");
        assert_eq!(day(0.312_5, false).unwrap(), "07:30:00");
        assert_eq!(day(0.0, false).unwrap(), "00:00:00");
        let kind = ExcelDateTimeType::TimeDelta;
        let long = |days| text(&DataRef::DateTime(ExcelDateTime::new(days, kind, false)), false);
        assert_eq!(long(1.520_833_333_333).unwrap(), "36:30:00");
        assert!(long(-0.5).is_err() && long(f64::NAN).is_err());
    }

    #[test]
    fn what_is_written_as_iso_is_checked() {
        let iso = |written: &str| text(&DataRef::DateTimeIso(written.to_owned()), false);
        assert_eq!(iso("2026-01-31").unwrap(), "2026-01-31");
        assert_eq!(iso("2026-01-31T00:00:00").unwrap(), "2026-01-31");
        assert_eq!(iso("2026-01-31T07:30:00.2").unwrap(), "2026-01-31T07:30:00");
        assert_eq!(iso("07:30:00").unwrap(), "07:30:00");
        assert!(iso("2026-02-30").is_err() && iso("hôm qua").is_err());
    }

    #[test]
    fn errors_and_endless_texts_are_refused() {
        assert!(text(&DataRef::Error(CellErrorType::Ref), false).unwrap_err().contains("repair"));
        let long = "x".repeat(CELL_BYTES + 1);
        assert!(text(&DataRef::SharedString(&long), false).unwrap_err().contains("32767"));
        assert!(text(&DataRef::SharedString(&long[1..]), false).is_ok());
    }

    proptest! {
        #[test]
        fn every_number_comes_back_and_no_day_panics(number: f64, since_1904: bool) {
            let _ = day(number, since_1904);
            if let Ok(written) = text(&DataRef::Float(number), since_1904) {
                prop_assert_eq!(written.parse::<f64>().unwrap(), number);
            }
        }
    }
}
