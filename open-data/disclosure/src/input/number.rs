//! Numbers as they stand in a CSV, exactly.

use rust_decimal::Decimal;

/// A decimal's digits: units × 10^−scale.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Exact {
    pub(crate) mantissa: i128,
    pub(crate) scale: u32,
}

/// Why a text is not a usable number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BadNumber {
    NotANumber,
    NotFinite,
    Negative,
    TooLong,
}

/// Most decimals kept.
const MOST_DECIMALS: u32 = 9;
/// Most units of the last decimal kept, so that shares of sums stay within 128 bits.
const MOST_UNITS: i128 = 10_i128.pow(27);
/// A binary float carries this many decimal digits; one more is noise of its conversion.
const FLOAT_DIGITS: u32 = 15;

impl Exact {
    /// Reads a plain or scientific decimal, not negative, and says whether it was a float.
    ///
    /// A fraction of 16 or more significant digits that is a float's shortest spelling
    /// (`2305598.5354999998`) is read to 15, so that totals made of floats add up again; the
    /// caller tells people so.
    pub(crate) fn parse(text: &str) -> Result<(Self, bool), BadNumber> {
        let lower = text.trim().to_ascii_lowercase();
        if lower.contains('_') {
            return Err(BadNumber::NotANumber);
        }
        if matches!(lower.trim_start_matches(['-', '+']), "nan" | "inf" | "infinity") {
            return Err(BadNumber::NotFinite);
        }
        let parsed = if lower.contains('e') {
            Decimal::from_scientific(&lower)
        } else {
            lower.parse::<Decimal>()
        };
        let mut value = parsed.map_err(|_| BadNumber::NotANumber)?.normalize();
        if value.is_sign_negative() && !value.is_zero() {
            return Err(BadNumber::Negative);
        }
        let digits = value.mantissa().unsigned_abs().to_string().len();
        let is_float = value.scale() > 0 && digits > FLOAT_DIGITS as usize;
        if is_float {
            let spelling = lower.parse::<f64>().map(|float| float.to_string());
            if spelling.as_deref() != Ok(value.to_string().as_str()) {
                return Err(BadNumber::TooLong);
            }
            value = value.round_sf(FLOAT_DIGITS).ok_or(BadNumber::TooLong)?.normalize();
        }
        let more = MOST_DECIMALS.checked_sub(value.scale()).ok_or(BadNumber::TooLong)?;
        let units = value.mantissa().checked_mul(10_i128.pow(more)).ok_or(BadNumber::TooLong)?;
        if units > MOST_UNITS {
            return Err(BadNumber::TooLong);
        }
        Ok((Self { mantissa: value.mantissa(), scale: value.scale() }, is_float))
    }

    /// The number in units of 10^−scale, for a `scale` that is not less than its own.
    pub(crate) fn units(self, scale: u32) -> i128 {
        self.mantissa * 10_i128.pow(scale.saturating_sub(self.scale))
    }
}

/// Units as a plain decimal: `12345` at scale 2 is `123.45`; trailing zeros are dropped.
pub(crate) fn decimal_text(units: i128, scale: u32) -> String {
    if scale == 0 {
        return units.to_string();
    }
    let power = 10_u128.pow(scale);
    let (whole, rest) = (units.unsigned_abs() / power, units.unsigned_abs() % power);
    let sign = if units < 0 { "-" } else { "" };
    let rest = format!("{rest:0width$}", width = scale as usize);
    let rest = rest.trim_end_matches('0');
    if rest.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{rest}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_floats_to_what_they_meant() {
        let read = |text| Exact::parse(text).map(|(n, _)| decimal_text(n.mantissa, n.scale));
        assert_eq!(read("2305598.5354999998"), Ok("2305598.5355".into()));
        assert_eq!(read("36355.989499999996"), Ok("36355.9895".into()));
        assert_eq!(read(" 12.50 "), Ok("12.5".into()));
        assert_eq!(read("1.5e3"), Ok("1500".into()));
        assert_eq!(read("9007199254740993"), Ok("9007199254740993".into()));
        assert_eq!(read("NaN"), Err(BadNumber::NotFinite));
        assert_eq!(read("-1"), Err(BadNumber::Negative));
        assert_eq!(read("1,5"), Err(BadNumber::NotANumber));
        assert_eq!(read("1_000"), Err(BadNumber::NotANumber));
        assert_eq!(read("0.1234567891"), Err(BadNumber::TooLong), "nothing is rounded away");
        assert_eq!(read("1234567.12345678912"), Err(BadNumber::TooLong), "no float is spelt so");
        assert_eq!(read("9999999999999999999"), Err(BadNumber::TooLong));
    }
}
