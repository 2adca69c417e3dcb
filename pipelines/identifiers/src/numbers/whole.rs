//! Cells that are one number and nothing else.

use super::super::header::Header;
use super::super::labels::Label;
use super::super::pattern::PatternId;
use super::super::verdict::Counts;
use super::by_header;
use super::form::certain;

/// Whether the cell is a plain decimal number: sign, digits, one point, exponent.
pub(in super::super) fn reads_as_number(cell: &str) -> bool {
    let body = cell.strip_prefix(['-', '+']).unwrap_or(cell);
    let mut points = 0;
    !body.is_empty()
        && body.bytes().all(|byte| {
            points += usize::from(byte == b'.');
            byte.is_ascii_digit() || byte == b'.'
        })
        && points <= 1
        || exponent(cell).is_some()
}

/// The power of ten in `1.08E+11`.
pub(in super::super) fn exponent(cell: &str) -> Option<u32> {
    if !cell.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let (mantissa, power) = cell.split_once(['E', 'e'])?;
    let whole = mantissa.split(['.', ',']).all(|part| part.bytes().all(|b| b.is_ascii_digit()));
    whole.then(|| power.strip_prefix('+').unwrap_or(power).parse().ok()).flatten()
}

/// An identifier in the cell of a number column that reads as a number. A number of nine digits or
/// more never begins with zero; others are judged by the header, or counted for the verdict.
pub(in super::super) fn number(
    cell: &str,
    header: Header,
    this_year: i32,
    counts: Option<&mut Counts>,
) -> Option<PatternId> {
    if !reads_as_number(cell) {
        return None;
    }
    if let Some(power) = exponent(cell) {
        return spoilt(power, header, counts);
    }
    if let Some(national) = cell.strip_prefix("+84") {
        return (national.len() == 9).then_some(PatternId::Mobile);
    }
    let (whole, fraction) = cell.split_once('.').unwrap_or((cell, ""));
    let digits = whole.strip_prefix(['-', '+']).unwrap_or(whole).as_bytes();
    if digits.len() >= 9 && digits[0] == b'0' {
        return Some(certain(digits, this_year).unwrap_or(PatternId::DamagedNumber));
    }
    if digits.len() < 9 && !header.speaks() || fraction.bytes().any(|byte| byte != b'0') {
        return None;
    }
    by_header(digits, header, this_year).or_else(|| {
        if let Some(counts) = counts {
            counts.suspect_number(digits, this_year);
        }
        None
    })
}

/// A number in `E+` notation: digits are lost already, but what was there is known by the header.
pub(in super::super) fn spoilt(
    power: u32,
    header: Header,
    counts: Option<&mut Counts>,
) -> Option<PatternId> {
    if !(8..=14).contains(&power) {
        return None;
    }
    let said = [Label::Identity, Label::SocialInsurance, Label::Card, Label::Phone, Label::Bank];
    if said.into_iter().any(|label| header.says(label)) {
        return Some(PatternId::DamagedNumber);
    }
    if let Some(counts) = counts {
        counts.spoilt += 1;
    }
    None
}

/// What one whole run of digits is, without any other text.
pub(in super::super) fn alone(digits: &[u8], header: Header, this_year: i32) -> Option<PatternId> {
    certain(digits, this_year).or_else(|| by_header(digits, header, this_year))
}
