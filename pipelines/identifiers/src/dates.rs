//! Full dates, in the raw forms that sources use.

use chrono::{Datelike, NaiveDate};

/// The year of a full calendar date: `YYYY-MM-DD`, `YYYYMMDD`, `YYYYMMDDHHMM`, a date and time of
/// ISO 8601, or `DD/MM/YYYY` with slashes, points or hyphens. Outside 1850 to 2150 it is a number.
pub(super) fn full_date(cell: &str) -> Option<i32> {
    let bytes = cell.as_bytes();
    let number = |from: usize, to: usize| -> Option<u32> {
        bytes.get(from..to)?.iter().try_fold(0, |sum, byte| {
            byte.is_ascii_digit().then(|| sum * 10 + u32::from(byte - b'0'))
        })
    };
    let all_digits = bytes.iter().all(u8::is_ascii_digit);
    let hyphened = bytes.len() >= 10 && bytes[4] == b'-' && bytes[7] == b'-';
    let (year, month, day) = match bytes.len() {
        8 if all_digits => (number(0, 4)?, number(4, 6)?, number(6, 8)?),
        12 if all_digits && number(8, 10)? < 24 && number(10, 12)? < 60 => {
            (number(0, 4)?, number(4, 6)?, number(6, 8)?)
        }
        10 if hyphened => (number(0, 4)?, number(5, 7)?, number(8, 10)?),
        16.. if hyphened && matches!(bytes[10], b'T' | b' ') && number(11, 13)? < 24 => {
            (number(0, 4)?, number(5, 7)?, number(8, 10)?)
        }
        _ => day_first(cell)?,
    };
    let year = i32::try_from(year).ok().filter(|year| (1850..=2150).contains(year))?;
    NaiveDate::from_ymd_opt(year, month, day).map(|day| day.year())
}

fn day_first(cell: &str) -> Option<(u32, u32, u32)> {
    let mut parts = cell.split(['/', '.', '-']);
    let (day, month, year) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || year.len() != 4 {
        return None;
    }
    let number = |part: &str| part.parse().ok();
    Some((number(year)?, number(month)?, number(day)?))
}

#[cfg(test)]
mod tests {
    use super::full_date;

    #[test]
    fn a_full_date_has_a_day_of_the_calendar_in_every_form() {
        for cell in ["1970-05-12", "19700512", "197005120830", "1970-05-12T08:30", "12/5/1970"] {
            assert_eq!(full_date(cell), Some(1970), "{cell}");
        }
        for cell in ["19700000", "1970-02-30", "001203004567", "1970-05", "12/5/70", "ngày 1"] {
            assert_eq!(full_date(cell), None, "{cell}");
        }
    }
}
