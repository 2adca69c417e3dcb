//! What a column of the server becomes, and how its cells are written in a row of the binary
//! protocol.

use std::sync::Arc;

use arrow::datatypes::{DataType, TimeUnit};
use chrono::{NaiveDate, NaiveDateTime, NaiveTime};
use sqlx::mysql::MySqlTypeInfo;
use sqlx::{MySql, Type, TypeInfo as _};

/// What a column becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A whole number that fits in 64 bits with a sign.
    Integer {
        /// Whether its own bits have no sign.
        unsigned: bool,
    },
    /// A whole number that may not fit.
    Large,
    /// A number of 32 or 64 bits.
    Real,
    /// Text, and what comes as text: exact decimals, JSON, members of a set.
    Text,
    /// `BIT(1)`.
    Bit,
    /// A day.
    Day,
    /// A day and time without a zone.
    Moment,
    /// A day and time that the session shows in the time of Viet Nam.
    Instant,
    /// A time of day, or a span of hours.
    Time,
}

impl Kind {
    /// The kind of a column; `None` of what holds bytes or shapes.
    pub(super) fn of(info: &MySqlTypeInfo) -> Option<Self> {
        let kind = match info.name() {
            "BIGINT UNSIGNED" => Self::Large,
            "BOOLEAN" | "TINYINT" | "SMALLINT" | "MEDIUMINT" | "INT" | "BIGINT" | "YEAR"
            | "TINYINT UNSIGNED" | "SMALLINT UNSIGNED" | "MEDIUMINT UNSIGNED" | "INT UNSIGNED" => {
                Self::Integer { unsigned: <u64 as Type<MySql>>::compatible(info) }
            }
            "FLOAT" | "DOUBLE" => Self::Real,
            "DECIMAL" | "JSON" | "SET" => Self::Text,
            "BIT" => Self::Bit,
            "DATE" => Self::Day,
            "DATETIME" => Self::Moment,
            "TIMESTAMP" => Self::Instant,
            "TIME" => Self::Time,
            // Text in a binary collation is named as bytes are, and is text all the same.
            _ if <str as Type<MySql>>::compatible(info) => Self::Text,
            _ => return None,
        };
        Some(kind)
    }

    /// The type that the column has here.
    pub(super) fn data_type(self) -> DataType {
        match self {
            Self::Integer { .. } => DataType::Int64,
            Self::Real => DataType::Float64,
            Self::Large | Self::Text | Self::Time => DataType::Utf8,
            Self::Bit => DataType::Boolean,
            Self::Day => DataType::Date32,
            Self::Moment => DataType::Timestamp(TimeUnit::Microsecond, None),
            Self::Instant => DataType::Timestamp(TimeUnit::Microsecond, Some(Arc::from("+07:00"))),
        }
    }
}

/// Why a cell cannot be taken; words that quote nothing.
pub(super) type Wrong = &'static str;

const UNKNOWN: Wrong = "its bytes are not those of its type; look whether the server is MariaDB 10 \
                        or MySQL 5.7 or newer";
const NO_DAY: Wrong = "it is a day that is zero or has a part that is zero; read a view that has \
                       NULLIF(column, '0000-00-00') or the like in its place";

/// A whole number of 1, 2, 4 or 8 bytes.
pub(super) fn integer(bytes: &[u8], unsigned: bool) -> Result<i64, Wrong> {
    let whole = u64::from_le_bytes(padded(bytes)?);
    let unused = 64 - 8 * bytes.len() as u32;
    if unsigned {
        return i64::try_from(whole).map_err(|_| UNKNOWN);
    }
    // Moved to the top and back, its sign fills the bits that are not its own.
    Ok((whole << unused).cast_signed() >> unused)
}

/// A whole number of 8 bytes without a sign.
pub(super) fn large(bytes: &[u8]) -> Result<u64, Wrong> {
    bytes.try_into().map(u64::from_le_bytes).map_err(|_| UNKNOWN)
}

/// A number of 4 or 8 bytes.
pub(super) fn real(bytes: &[u8]) -> Result<f64, Wrong> {
    if let Ok(bytes) = bytes.try_into() {
        return Ok(f64::from(f32::from_le_bytes(bytes)));
    }
    bytes.try_into().map(f64::from_le_bytes).map_err(|_| UNKNOWN)
}

/// One bit.
pub(super) fn bit(bytes: &[u8]) -> Result<bool, Wrong> {
    match bytes {
        [0] => Ok(false),
        [1] => Ok(true),
        _ => Err(UNKNOWN),
    }
}

/// Text as it is.
pub(super) fn text(bytes: &[u8]) -> Result<&str, Wrong> {
    std::str::from_utf8(bytes)
        .map_err(|_| "it is no UTF-8; let the owner of the column correct its text or charset")
}

/// A day.
pub(super) fn day(bytes: &[u8]) -> Result<NaiveDate, Wrong> {
    let at = moment(bytes)?;
    Ok(at.date())
}

/// A day, mostly with a time: the length that follows, year, month, day, hour, minute, second,
/// microseconds; zeros at the end are not sent.
pub(super) fn moment(bytes: &[u8]) -> Result<NaiveDateTime, Wrong> {
    let (_, parts) = bytes.split_first().ok_or(UNKNOWN)?;
    if parts.is_empty() {
        return Err(NO_DAY);
    }
    let (date, time) = parts.split_at_checked(4).ok_or(UNKNOWN)?;
    let year = i32::from(u16::from_le_bytes([date[0], date[1]]));
    let (month, day) = (u32::from(date[2]), u32::from(date[3]));
    let date = NaiveDate::from_ymd_opt(year, month, day).filter(|_| year > 0).ok_or(NO_DAY)?;
    let (hour, minute, second, micro) = clock(time)?;
    let time = NaiveTime::from_hms_micro_opt(hour, minute, second, micro).ok_or(UNKNOWN)?;
    Ok(date.and_time(time))
}

/// A time of day or a span, as the server itself writes it: `-12:30:00`, `838:59:59.5`. The length
/// that follows, sign, days, hour, minute, second, microseconds.
pub(super) fn time(bytes: &[u8]) -> Result<String, Wrong> {
    let (_, parts) = bytes.split_first().ok_or(UNKNOWN)?;
    if parts.is_empty() {
        return Ok("00:00:00".to_owned());
    }
    let (sign, parts) = parts.split_first().ok_or(UNKNOWN)?;
    let (days, parts) = parts.split_first_chunk::<4>().ok_or(UNKNOWN)?;
    let (hour, minute, second, micro) = clock(parts)?;
    let hours = u64::from(u32::from_le_bytes(*days)) * 24 + u64::from(hour);
    let sign = if *sign == 0 { "" } else { "-" };
    let whole = format!("{sign}{hours:02}:{minute:02}:{second:02}");
    Ok(if micro == 0 { whole } else { format!("{whole}.{micro:06}") })
}

fn clock(bytes: &[u8]) -> Result<(u32, u32, u32, u32), Wrong> {
    let whole = |at: usize| u32::from(bytes[at]);
    match bytes.len() {
        0 => Ok((0, 0, 0, 0)),
        3 => Ok((whole(0), whole(1), whole(2), 0)),
        7 => {
            let micro = u32::from_le_bytes([bytes[3], bytes[4], bytes[5], bytes[6]]);
            Ok((whole(0), whole(1), whole(2), micro))
        }
        _ => Err(UNKNOWN),
    }
}

fn padded(bytes: &[u8]) -> Result<[u8; 8], Wrong> {
    let mut padded = [0; 8];
    if !matches!(bytes.len(), 1 | 2 | 4 | 8) {
        return Err(UNKNOWN);
    }
    padded[..bytes.len()].copy_from_slice(bytes);
    Ok(padded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_keep_their_sign() {
        assert_eq!(integer(&[0xff], false), Ok(-1));
        assert_eq!(integer(&[0xff], true), Ok(255));
        assert_eq!(integer(&(-300_i16).to_le_bytes(), false), Ok(-300));
        assert_eq!(integer(&i64::MIN.to_le_bytes(), false), Ok(i64::MIN));
        assert_eq!(large(&u64::MAX.to_le_bytes()), Ok(u64::MAX));
        assert!(integer(&[1, 2, 3], false).is_err());
        assert!(integer(&[], false).is_err());
    }

    #[test]
    fn a_day_with_a_part_of_zero_is_no_day() {
        assert_eq!(moment(&[4, 0xea, 7, 2, 28]).unwrap().to_string(), "2026-02-28 00:00:00");
        for zero in [&[0][..], &[4, 0, 0, 0, 0], &[4, 0xea, 7, 0, 0], &[4, 0xea, 7, 2, 30]] {
            assert!(moment(zero).unwrap_err().contains("NULLIF"), "{zero:?}");
        }
        assert_eq!(moment(&[]), Err(UNKNOWN));
        assert_eq!(moment(&[2, 0xea, 7]), Err(UNKNOWN));
        assert_eq!(moment(&[5, 0xea, 7, 2, 28, 1]), Err(UNKNOWN));
    }

    #[test]
    fn a_time_is_written_as_the_server_writes_it() {
        assert_eq!(time(&[0]).unwrap(), "00:00:00");
        assert_eq!(time(&[8, 1, 34, 0, 0, 0, 22, 59, 59]).unwrap(), "-838:59:59");
        let half = [12, 0, 0, 0, 0, 0, 7, 5, 9, 0x20, 0xa1, 7, 0];
        assert_eq!(time(&half).unwrap(), "07:05:09.500000");
        assert!(time(&[3, 0, 1, 2]).is_err());
    }
}
