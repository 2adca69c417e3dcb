//! Making dates and ages coarser, from the raw forms that sources use.
//!
//! Read: `YYYY-MM-DD`, `YYYYMMDD`, `YYYYMMDDHHMM` (the claims standard's date and time), the last
//! two with zeros for parts that are not known (`19700000`, `202607000000`); and the date and time
//! of ISO 8601: with a zone, the day that it is then in Viet Nam. Anything else is a fault, never a guess:
//! day and month are not swapped, two-digit years are not completed.
//!
//! A fault says what is wrong and never what was written.

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, TimeDelta};

/// How far ahead of Greenwich Viet Nam is, all year.
const VIET_NAM: TimeDelta = TimeDelta::hours(7);

/// Years that are read as such.
pub(crate) const YEARS: std::ops::RangeInclusive<i32> = 1850..=2150;

/// Why a value could not be read. Carries no content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DateFault {
    /// None of the forms read.
    #[error("is not a date of the form YYYY-MM-DD, YYYYMMDD or YYYYMMDDHHMM")]
    NotADate,
    /// The form is right, the day does not exist.
    #[error("is not a day of the calendar")]
    NoSuchDay,
    /// The month is zero, so the month is not known.
    #[error("gives no month")]
    UnknownMonth,
    /// The day is zero, so the day is not known.
    #[error("gives no day")]
    UnknownDay,
    /// Not a whole number of years from 0 to 150.
    #[error("is not an age in whole years")]
    NotAnAge,
}

impl DateFault {
    /// A stable code for quarantine.
    pub fn code(self) -> &'static str {
        match self {
            Self::NotADate | Self::NotAnAge => "sai_kieu",
            Self::NoSuchDay => "khong_co_ngay_nay",
            Self::UnknownMonth => "thieu_thang",
            Self::UnknownDay => "thieu_ngay",
        }
    }
}

/// A raw date whose month or day may be unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Parts {
    year: i32,
    month: Option<u32>,
    day: Option<u32>,
}

/// The first day of the month; `None` for an empty cell.
///
/// # Errors
/// When the cell is not a date or its month is unknown.
pub fn month(raw: &str) -> Result<Option<NaiveDate>, DateFault> {
    let Some(parts) = parts(raw)? else { return Ok(None) };
    let month = parts.month.ok_or(DateFault::UnknownMonth)?;
    NaiveDate::from_ymd_opt(parts.year, month, 1).map(Some).ok_or(DateFault::NoSuchDay)
}

/// The first day of the month of a day, both counted from 1970-01-01; `None` far out of all calendars.
pub(crate) fn month_of(day: i32) -> Option<i32> {
    let date = NaiveDate::from_epoch_days(day)?;
    let back = i32::try_from(date.day0()).ok()?;
    day.checked_sub(back)
}

/// The year; month and day may be unknown. `None` for an empty cell.
///
/// # Errors
/// When the cell is not a date.
pub fn year(raw: &str) -> Result<Option<i32>, DateFault> {
    Ok(parts(raw)?.map(|parts| parts.year))
}

/// The full day, for a date column that is kept; a time of day is left out. `None` for an empty
/// cell.
///
/// # Errors
/// When the cell is not a date or a part of it is unknown.
pub fn day(raw: &str) -> Result<Option<NaiveDate>, DateFault> {
    let Some(parts) = parts(raw)? else { return Ok(None) };
    let month = parts.month.ok_or(DateFault::UnknownMonth)?;
    let day = parts.day.ok_or(DateFault::UnknownDay)?;
    NaiveDate::from_ymd_opt(parts.year, month, day).map(Some).ok_or(DateFault::NoSuchDay)
}

/// The five-year band of an age in whole years: `0-4`, `5-9`, … `85-89`, `90+`. Nine tenths of a
/// province's people over ninety can be named from their age alone, so they share one band.
///
/// # Errors
/// When the cell is not a whole number from 0 to 150.
pub fn age_band(raw: &str) -> Result<Option<String>, DateFault> {
    let raw = raw.trim();
    if raw.is_empty() {
        return Ok(None);
    }
    if raw.len() > 3 || !raw.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(DateFault::NotAnAge);
    }
    let age: u16 = raw.parse().map_err(|_| DateFault::NotAnAge)?;
    match age {
        0..90 => {
            let from = age / 5 * 5;
            Ok(Some(format!("{from}-{}", from + 4)))
        }
        90..=150 => Ok(Some("90+".to_owned())),
        _ => Err(DateFault::NotAnAge),
    }
}

fn parts(raw: &str) -> Result<Option<Parts>, DateFault> {
    let raw = raw.trim();
    if raw.is_empty() {
        return Ok(None);
    }
    let bytes = raw.as_bytes();
    let digits = |range: std::ops::Range<usize>| -> Result<u32, DateFault> {
        let part = bytes.get(range).ok_or(DateFault::NotADate)?;
        part.iter().try_fold(0, |sum, byte| match byte {
            b'0'..=b'9' => Ok(sum * 10 + u32::from(byte - b'0')),
            _ => Err(DateFault::NotADate),
        })
    };
    let (year, month, day) = match bytes.len() {
        16.. => {
            let day = day_of_time(raw).ok_or(DateFault::NotADate)?;
            let year = u32::try_from(day.year()).map_err(|_| DateFault::NotADate)?;
            (year, day.month(), day.day())
        }
        10 if bytes[4] == b'-' && bytes[7] == b'-' => {
            (digits(0..4)?, digits(5..7)?, digits(8..10)?)
        }
        8 => (digits(0..4)?, digits(4..6)?, digits(6..8)?),
        12 => {
            if digits(8..10)? > 23 || digits(10..12)? > 59 {
                return Err(DateFault::NotADate);
            }
            (digits(0..4)?, digits(4..6)?, digits(6..8)?)
        }
        _ => return Err(DateFault::NotADate),
    };
    // Claims begin in this century and patients were born in the last two; a twelve-digit identity
    // number read as a time would fall outside.
    let year = i32::try_from(year).map_err(|_| DateFault::NotADate)?;
    if !YEARS.contains(&year) {
        return Err(DateFault::NotADate);
    }
    let known = |part: u32| (part != 0).then_some(part);
    let parts = Parts { year, month: known(month), day: known(day) };
    check_calendar(parts)?;
    Ok(Some(parts))
}

/// The day of `2026-06-15T12:30:00+07:00`, with seconds, their parts and the zone or without; `T` or
/// a space.
fn day_of_time(raw: &str) -> Option<NaiveDate> {
    if let Ok(instant) = DateTime::parse_from_rfc3339(raw) {
        return Some((instant.to_utc() + VIET_NAM).date_naive());
    }
    let forms =
        ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"];
    forms.iter().find_map(|form| NaiveDateTime::parse_from_str(raw, form).ok()).map(|at| at.date())
}

/// Whether the known parts exist; a day without a month does not.
fn check_calendar(parts: Parts) -> Result<(), DateFault> {
    let day = match (parts.month, parts.day) {
        (None, None) => return Ok(()),
        (None, Some(_)) => return Err(DateFault::NoSuchDay),
        (Some(month), day) => NaiveDate::from_ymd_opt(parts.year, month, day.unwrap_or(1)),
    };
    match day {
        Some(day) if day.year() == parts.year => Ok(()),
        _ => Err(DateFault::NoSuchDay),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_raw_forms_give_the_same_month() {
        let june = NaiveDate::from_ymd_opt(2026, 6, 1);
        for raw in [
            "2026-06-15",
            "20260615",
            "202606151230",
            "20260600",
            "202606000000",
            " 20260615 ",
            "2026-06-15T23:30:00",
            "2026-06-15 23:30:00.125",
            "2026-06-15T23:30",
            "2026-06-15T23:30:00+07:00",
            "2026-06-30T16:59:59Z",
        ] {
            assert_eq!(month(raw), Ok(june), "{raw}");
        }
        assert_eq!(month("2026-06-30T17:00:00Z"), Ok(NaiveDate::from_ymd_opt(2026, 7, 1)));
        assert_eq!(month(""), Ok(None));
        assert_eq!(month("20260000"), Err(DateFault::UnknownMonth));
    }

    #[test]
    fn a_year_needs_no_month_and_a_day_needs_all() {
        assert_eq!(year("19700000"), Ok(Some(1970)));
        assert_eq!(year("1970-00-00"), Ok(Some(1970)));
        assert_eq!(year("197000000000"), Ok(Some(1970)));
        assert_eq!(day("19700500"), Err(DateFault::UnknownDay));
        assert_eq!(day("20240229"), Ok(NaiveDate::from_ymd_opt(2024, 2, 29)));
    }

    #[test]
    fn nothing_is_guessed() {
        for raw in [
            "15/06/2026",
            "2026-06-15T25:30:00",
            "2026-06-31T12:30:00",
            "2026-06-15 lúc 12:30",
            "2026-6-15",
            "26-06-15",
            "20260631",
            "202606152460",
            "001203004567",
            "2026061",
            "20260015",
            "x0260615",
            "２０２６０６１５",
        ] {
            assert!(year(raw).is_err(), "{raw}");
        }
    }

    #[test]
    fn ages_fall_in_five_year_bands_with_one_for_the_oldest() {
        let band = |raw| age_band(raw).unwrap();
        assert_eq!(band("0").as_deref(), Some("0-4"));
        assert_eq!(band("64").as_deref(), Some("60-64"));
        assert_eq!(band("89").as_deref(), Some("85-89"));
        assert_eq!(band("90"), band("112"));
        assert_eq!(band(" "), None);
        for raw in ["-1", "4.5", "151", "1970", "abc"] {
            assert_eq!(age_band(raw), Err(DateFault::NotAnAge), "{raw}");
        }
    }
}
