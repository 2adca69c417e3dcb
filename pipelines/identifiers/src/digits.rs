//! Identifiers made of digits, whole or grouped by spaces, dots and hyphens.

use super::dates::full_date;
use super::header::{self, Header};
use super::text::words;
use super::{Counts, PatternId};

/// Province codes in citizen identity numbers: the list of 63, which the merger of 2025 does not
/// change, with 028 of the former Hà Tây.
const PROVINCES: [bool; 100] = {
    let codes = [
        1, 2, 4, 6, 8, 10, 11, 12, 14, 15, 17, 19, 20, 22, 24, 25, 26, 27, 28, 30, 31, 33, 34, 35,
        36, 37, 38, 40, 42, 44, 45, 46, 48, 49, 51, 52, 54, 56, 58, 60, 62, 64, 66, 67, 68, 70, 72,
        74, 75, 77, 79, 80, 82, 83, 84, 86, 87, 89, 91, 92, 93, 94, 95, 96,
    ];
    let mut table = [false; 100];
    let mut at = 0;
    while at < codes.len() {
        table[codes[at]] = true;
        at += 1;
    }
    table
};

/// Whether the twelve digits can be a citizen identity number by now: province of registration,
/// then sex and century, then year of birth (Circular 07/2016/TT-BCA, Điều 7). It has no check
/// digit.
pub fn is_citizen_id(digits: &str) -> bool {
    use chrono::Datelike;
    citizen_id(digits.as_bytes(), chrono::Utc::now().year())
}

fn citizen_id(digits: &[u8], this_year: i32) -> bool {
    if digits.len() != 12 || digits[0] != b'0' || !digits.iter().all(u8::is_ascii_digit) {
        return false;
    }
    let value = |at: usize| i32::from(digits[at] - b'0');
    let born = 1900 + 100 * (value(3) / 2) + 10 * value(4) + value(5);
    is_province(digits[1], digits[2]) && born <= this_year
}

pub(super) fn is_province(tens: u8, ones: u8) -> bool {
    let code = usize::from(tens.wrapping_sub(b'0')) * 10 + usize::from(ones.wrapping_sub(b'0'));
    PROVINCES.get(code).copied().unwrap_or(false)
}

/// Whether the cell is a plain decimal number: sign, digits, one point, exponent.
pub(super) fn reads_as_number(cell: &str) -> bool {
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
fn exponent(cell: &str) -> Option<u32> {
    let (mantissa, power) = cell.split_once(['E', 'e'])?;
    let whole = mantissa.split(['.', ',']).all(|part| part.bytes().all(|b| b.is_ascii_digit()));
    let starts = mantissa.as_bytes().first().is_some_and(u8::is_ascii_digit);
    (whole && starts).then(|| power.strip_prefix('+').unwrap_or(power).parse().ok()).flatten()
}

/// An identifier in the cell of a number column that reads as a number. A number of nine digits or
/// more never begins with zero; others are judged by the header, or counted for the verdict.
pub(super) fn number(
    cell: &str,
    header: &Header,
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
        return Some(whole_number(digits, this_year).unwrap_or(PatternId::DamagedNumber));
    }
    if fraction.bytes().any(|byte| byte != b'0') {
        return None;
    }
    by_header(digits, header, this_year).or_else(|| {
        if let Some(counts) = counts {
            counts.suspect_number(digits);
        }
        None
    })
}

/// A number in `E+` notation: digits are lost already, but what was there is known by the header.
fn spoilt(power: u32, header: &Header, counts: Option<&mut Counts>) -> Option<PatternId> {
    if !(8..=14).contains(&power) {
        return None;
    }
    if header.identity || header.social_insurance || header.card || header.phone {
        return Some(PatternId::DamagedNumber);
    }
    if let Some(counts) = counts {
        counts.spoilt += 1;
    }
    None
}

/// What a whole run of digits is, by its own shape.
fn whole_number(digits: &[u8], this_year: i32) -> Option<PatternId> {
    match digits {
        _ if citizen_id(digits, this_year) => Some(PatternId::Cccd),
        [b'0', b'3' | b'5' | b'7' | b'8' | b'9', rest @ ..] if rest.len() == 8 => {
            Some(PatternId::Mobile)
        }
        [b'8', b'4', rest @ ..] | [b'0', b'0', b'8', b'4', rest @ ..] => international(rest),
        [b'0', b'2', rest @ ..] if rest.len() == 9 => Some(PatternId::Landline),
        _ => None,
    }
}

fn international(national: &[u8]) -> Option<PatternId> {
    match (national.first()?, national.len()) {
        (b'3' | b'5' | b'7' | b'8' | b'9', 9) => Some(PatternId::Mobile),
        (b'2', 10) => Some(PatternId::Landline),
        _ => None,
    }
}

/// What a run of digits is under this header.
fn by_header(digits: &[u8], header: &Header, this_year: i32) -> Option<PatternId> {
    let lost_zero = |digits: &[u8]| {
        let mut full = [b'0'; 12];
        full[1..].copy_from_slice(digits);
        citizen_id(&full, this_year)
    };
    match digits.len() {
        9 if header.identity => Some(PatternId::Cmnd),
        9 if header.phone && !matches!(digits[0], b'0'..=b'2') => Some(PatternId::Mobile),
        9 | 10 if header.social_insurance || header.card => Some(PatternId::Bhxh10),
        // Two zeros lost: provinces 001 to 008.
        10 if header.identity => Some(PatternId::DamagedNumber),
        11 if header.identity && lost_zero(digits) => Some(PatternId::Cccd),
        11 if header.identity => Some(PatternId::DamagedNumber),
        12 if header.identity && digits[0] == b'0' => Some(PatternId::Cccd),
        _ => None,
    }
}

/// The runs of digits that stand together, as many as are looked at as one number.
const RUNS: usize = 8;

/// A row of digit runs with single separators between them.
#[derive(Default)]
struct Group {
    runs: [(usize, usize); RUNS],
    count: usize,
    /// Whether the first separator is a point.
    point: bool,
    plus: bool,
}

/// The first identifier among the digits of a cell of text.
pub(super) fn find(
    cell: &str,
    header: &Header,
    this_year: i32,
    counts: Option<&mut Counts>,
    wants: &dyn Fn(PatternId) -> bool,
) -> Option<PatternId> {
    if let Some(power) = exponent(cell) {
        return spoilt(power, header, counts).filter(|pattern| wants(*pattern));
    }
    if header.birth && full_date(cell).is_some() && wants(PatternId::BirthDate) {
        return Some(PatternId::BirthDate);
    }
    let bytes = cell.as_bytes();
    if bytes.iter().all(u8::is_ascii_digit)
        && let Some(counts) = counts
    {
        counts.suspect_number(bytes);
    }
    let mut at = 0;
    let mut group = Group::default();
    while let Some(run) = next_run(bytes, at) {
        let joined = group.count > 0 && is_joint(bytes, group.runs[group.count - 1].1, run.0);
        if !joined {
            group = Group { plus: run.0 > 0 && bytes[run.0 - 1] == b'+', ..Group::default() };
        } else if group.count == RUNS {
            group.runs.rotate_left(1);
            group.count -= 1;
            group.point = false;
            group.plus = false;
        }
        if group.count == 1 {
            group.point = bytes[run.0 - 1] == b'.';
        }
        group.runs[group.count] = run;
        group.count += 1;
        if let Some(found) = ending_here(cell, &group, header, this_year).filter(|p| wants(*p)) {
            return Some(found);
        }
        at = run.1;
    }
    None
}

fn next_run(bytes: &[u8], from: usize) -> Option<(usize, usize)> {
    let start = from + bytes[from..].iter().position(u8::is_ascii_digit)?;
    let length = bytes[start..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    Some((start, start + length))
}

/// Whether only one sign, perhaps between spaces, or a bracket as in `(84) 912` stands between two
/// runs. A comma parts the members of a list, not the parts of a number.
fn is_joint(bytes: &[u8], end: usize, start: usize) -> bool {
    let gap = &bytes[end..start];
    let signs = gap.iter().filter(|byte| matches!(byte, b'.' | b'-' | b'_' | b'/')).count();
    let others = gap.iter().filter(|byte| matches!(byte, b' ' | b'(' | b')')).count();
    (1..=3).contains(&gap.len()) && signs <= 1 && signs + others == gap.len()
}

/// What the last run of the group is, alone or together with the runs before it.
fn ending_here(cell: &str, group: &Group, header: &Header, this_year: i32) -> Option<PatternId> {
    let bytes = cell.as_bytes();
    let mut buffer = [0; 14];
    let mut length = 0;
    for first in (0..group.count).rev() {
        let (start, end) = group.runs[first];
        let run = &bytes[start..end];
        if length + run.len() > buffer.len() {
            return None;
        }
        buffer.copy_within(0..length, run.len());
        buffer[..run.len()].copy_from_slice(run);
        length += run.len();
        let runs = &group.runs[first..group.count];
        let digits = &buffer[..length];
        let whole = runs.len() == 1;
        if !whole && !may_join(bytes, runs, group, first) {
            continue;
        }
        let shape = whole_number(digits, this_year).filter(|pattern| {
            whole || *pattern != PatternId::Cccd || runs.iter().any(|(from, to)| to - from > 2)
        });
        let shape = shape.filter(|_| header.phone || !is_service_code(bytes, runs));
        let international_needs_plus = digits[0] == b'8' && !whole;
        let found = shape
            .filter(|_| !international_needs_plus || (first == 0 && group.plus))
            .or_else(|| by_header(digits, header, this_year))
            .or_else(|| by_words(cell, start, digits));
        if found.is_some() {
            return found;
        }
    }
    None
}

/// Whether the runs are a code of the list of equivalent services (Decision 7603/QĐ-BYT):
/// `03.0467.0230`, chapter, service, price; a third of them begin like a telephone number.
fn is_service_code(bytes: &[u8], runs: &[(usize, usize)]) -> bool {
    let lengths = runs.iter().map(|(from, to)| to - from);
    lengths.eq([2, 4, 4]) && runs[1..].iter().all(|(from, _)| bytes[from - 1] == b'.')
}

/// Whether runs may be parts of one number: not a decimal fraction, and no part of a date.
fn may_join(bytes: &[u8], runs: &[(usize, usize)], group: &Group, first: usize) -> bool {
    let value = |run: &(usize, usize)| {
        bytes[run.0..run.1]
            .iter()
            .fold(0_u64, |sum, byte| sum.saturating_mul(10).saturating_add(u64::from(byte - b'0')))
    };
    let length = |run: &(usize, usize)| run.1 - run.0;
    if runs.len() == 2 && first == 0 && group.point && length(&runs[0]) == 1 {
        return false;
    }
    let is_year = |run| length(run) == 4 && (1900..=2099).contains(&value(run));
    let is_month = |run| length(run) <= 2 && (1..=12).contains(&value(run));
    let is_day = |run| length(run) <= 2 && (1..=31).contains(&value(run));
    // A date may have begun before the runs in question and reach into them.
    let dated = group.runs[first.saturating_sub(2)..group.count].windows(3).any(|three| {
        is_day(&three[0]) && is_month(&three[1]) && is_year(&three[2])
            || is_year(&three[0]) && is_month(&three[1]) && is_day(&three[2])
    });
    let packed = runs.iter().any(|run| {
        length(run) == 8 && {
            let (date, month, day) = (value(run), value(run) / 100 % 100, value(run) % 100);
            (1900..=2099).contains(&(date / 10_000)) && (1..=12).contains(&month) && day <= 31
        }
    });
    !dated && !packed
}

/// What nine or ten digits are after a word such as `CMND`, `BHXH`; twelve after `CCCD`.
fn by_words(cell: &str, start: usize, digits: &[u8]) -> Option<PatternId> {
    if start < 3 || !(9..=12).contains(&digits.len()) {
        return None;
    }
    let from = (start.saturating_sub(32)..=start).find(|&at| cell.is_char_boundary(at))?;
    let before = words(&cell[from..start]);
    let says = |list: &[&str]| header::says(&before, list);
    match digits.len() {
        9 | 12 if says(header::IDENTITY) => {
            Some(if digits.len() == 9 { PatternId::Cmnd } else { PatternId::Cccd })
        }
        10 if says(header::SOCIAL_INSURANCE) || says(header::CARD) => Some(PatternId::Bhxh10),
        10 | 11 if says(header::IDENTITY) => Some(PatternId::DamagedNumber),
        _ => None,
    }
}
