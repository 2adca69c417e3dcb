//! Identifiers made of digits, whole or in any parts.
//!
//! Runs of digits that hang together, by whatever sign, are looked at as one number where the
//! number is of a certain form ([`form`]) and the runs are no date, time, amount or list
//! ([`row`]). Numbers of a form that many others have need a word beside them, in the cell or in
//! the header.

pub(crate) mod form;
mod row;
mod whole;

use self::form::{certain, citizen_id_without_zeros, may_be_old_card, tax_code};
use self::row::{Joint, Run, Window, runs};
pub(super) use self::whole::{alone, exponent, number, reads_as_number, spoilt};
use super::header::Header;
use super::labels::{Found, Label};
use super::pattern::PatternId;

/// The most digits of one number.
const LONGEST: usize = 19;
/// How far a word may be from the number that it announces, in bytes.
const BEFORE: usize = 48;
const AFTER: usize = 14;
/// How many words may stand between.
const WORDS: usize = 6;

/// What is known of a cell beside its digits.
#[derive(Clone, Copy)]
pub(crate) struct Context<'a> {
    pub(crate) header: Header,
    pub(crate) labels: &'a [Found],
    /// Whether the cell speaks of a person.
    pub(crate) person: bool,
    /// Whether only certain forms count.
    pub(crate) certain: bool,
    pub(crate) this_year: i32,
}

const BY_HEADER: [Label; 12] = [
    Label::Identity,
    Label::SocialInsurance,
    Label::Card,
    Label::Phone,
    Label::Tax,
    Label::Bank,
    Label::PaymentCard,
    Label::Licence,
    Label::CivilPaper,
    Label::Practitioner,
    Label::Record,
    Label::Officer,
];

fn by_header(digits: &[u8], header: Header, this_year: i32) -> Option<PatternId> {
    if !header.speaks() {
        return None;
    }
    let said = BY_HEADER.into_iter().filter(|label| header.says(*label));
    said.into_iter().find_map(|label| announced(label, digits, this_year))
}

/// What the digits are if this is said of them.
fn announced(label: Label, digits: &[u8], this_year: i32) -> Option<PatternId> {
    let first = *digits.first()?;
    let is_year = digits.len() == 4 && (digits.starts_with(b"19") || digits.starts_with(b"20"));
    match (label, digits.len()) {
        (Label::Record | Label::Practitioner, _) if is_year => None,
        (Label::Identity, 9) => Some(PatternId::Cmnd),
        (Label::Identity, 12) => Some(PatternId::Cccd),
        (Label::Identity, 11) if citizen_id_without_zeros(digits, this_year) => {
            Some(PatternId::Cccd)
        }
        // Zeros lost, two of them in provinces 001 to 008.
        (Label::Identity, 10 | 11) => Some(PatternId::DamagedNumber),
        (Label::SocialInsurance | Label::Card, 9 | 10) => Some(PatternId::Bhxh10),
        // Since 2025 the personal number stands for these as well.
        (Label::SocialInsurance | Label::Card | Label::Tax, 12) if first == b'0' => {
            Some(PatternId::Cccd)
        }
        (Label::Card, 16) => Some(PatternId::PaymentCard),
        (Label::Phone, 9) if !matches!(first, b'0'..=b'2') => Some(PatternId::Mobile),
        (Label::Phone, 10) if first == b'0' => Some(PatternId::Mobile),
        (Label::Phone, 11) if digits.starts_with(b"84") => Some(PatternId::Mobile),
        (Label::Phone, 11) if first == b'0' => Some(PatternId::Landline),
        // A number of the town.
        (Label::Phone, 8) if matches!(first, b'2'..=b'8') => Some(PatternId::Landline),
        (Label::Tax, 10 | 13) => Some(PatternId::TaxCode),
        (Label::Bank, 8..=19) => Some(PatternId::BankAccount),
        (Label::PaymentCard, 16 | 19) => Some(PatternId::PaymentCard),
        (Label::Licence, 11 | 12) => Some(PatternId::DrivingLicence),
        (Label::Officer, 6..=12) => Some(PatternId::Officer),
        (Label::CivilPaper, 5..=12) => Some(PatternId::CivilPaper),
        (Label::Record, 4..=19) => Some(PatternId::EpisodeOrRecord),
        (Label::Practitioner, 4..=10) => Some(PatternId::Practitioner),
        _ => None,
    }
}

/// The first identifier among the digits of a cell of text.
pub(super) fn find(
    text: &str,
    context: Context<'_>,
    wants: &dyn Fn(PatternId) -> bool,
) -> Option<PatternId> {
    let all = runs(text);
    let mut from = 0;
    while from < all.len() {
        let many = all[from + 1..].iter().take_while(|run| run.joint != Joint::Break).count();
        let row = &all[from..=from + many];
        for first in 0..row.len() {
            let found = beginning_here(text, row, first, context, wants);
            if found.is_some() {
                return found;
            }
        }
        from += many + 1;
    }
    context.labels.iter().find_map(|label| behind(text, &all, label, context, wants))
}

/// A number that begins with this run and needs no word beside it, or has one behind it.
fn beginning_here(
    text: &str,
    row: &[Run],
    first: usize,
    context: Context<'_>,
    wants: &dyn Fn(PatternId) -> bool,
) -> Option<PatternId> {
    let bytes = text.as_bytes();
    let mut digits = [0; LONGEST];
    let mut length = 0;
    for to in first + 1..=row.len() {
        let run = row[to - 1];
        if length + run.length() > LONGEST {
            return None;
        }
        digits[length..length + run.length()].copy_from_slice(&bytes[run.start..run.end]);
        length += run.length();
        if length < 8 {
            continue;
        }
        let digits = &digits[..length];
        let window = Window { bytes, row, from: first, to };
        let found = by_form(text, &window, digits, context)
            .filter(|pattern| wants(*pattern))
            .or_else(|| joined_by_header(&window, digits, context).filter(|p| wants(*p)))
            .or_else(|| named_after(&window, digits, context).filter(|p| wants(*p)));
        if found.is_some() {
            return found;
        }
    }
    None
}

fn by_form(
    text: &str,
    window: &Window<'_>,
    digits: &[u8],
    context: Context<'_>,
) -> Option<PatternId> {
    let runs = window.runs();
    let (start, end) = (runs[0].start, runs[runs.len() - 1].end);
    let certain = certain(digits, context.this_year);
    if runs.len() == 1 {
        if window.is_fraction() || is_in_sum(text, start, end) {
            return None;
        }
        return certain.or_else(|| of_a_person(text, window, digits, context));
    }
    let pattern = certain
        .or_else(|| is_tax_code(window, digits).then_some(PatternId::TaxCode))
        .or_else(|| of_a_person(text, window, digits, context))?;
    let part_of_thing = window.to < window.row.len()
        && context.labels.iter().any(|found| {
            found.label == Label::Thing && (found.end..found.end + 4).contains(&start)
        });
    if part_of_thing {
        return None;
    }
    // Lists of numbers of four digits have cards in them by chance.
    if pattern == PatternId::PaymentCard && !window.is_whole() {
        return None;
    }
    let called = context.header.says(Label::Phone);
    let plus = text[..start].ends_with(['+', '(']);
    let country = digits[0] == b'8' && !plus && (window.is_amount() || has_unit(text, end));
    let joins = if called { !window.is_dated() } else { window.may_join() };
    (joins && !country).then_some(pattern)
}

/// Whether the digits stand within a sum of bytes in hexadecimal.
fn is_in_sum(text: &str, start: usize, end: usize) -> bool {
    const SHORTEST: usize = 32;
    let hex = |byte: &&u8| byte.is_ascii_hexdigit();
    let bytes = text.as_bytes();
    let before = bytes[..start].iter().rev().take_while(hex);
    let after = bytes[end..].iter().take_while(hex);
    let letters = before.clone().chain(after.clone()).any(u8::is_ascii_alphabetic);
    letters && before.count() + (end - start) + after.count() >= SHORTEST
}

/// `0101234567-001`.
fn is_tax_code(window: &Window<'_>, digits: &[u8]) -> bool {
    let runs = window.runs();
    runs.len() == 2
        && (runs[0].length(), runs[1].length()) == (10, 3)
        && runs[1].joint == Joint::Sign('-')
        && tax_code(digits)
}

/// A number without a word of its own in a text that speaks of a person.
fn of_a_person(
    text: &str,
    window: &Window<'_>,
    digits: &[u8],
    context: Context<'_>,
) -> Option<PatternId> {
    let (start, end) = (window.runs()[0].start, window.row[window.to - 1].end);
    // No number but a code is written with a zero in front.
    let zero = digits[0] == b'0';
    let thing = context.labels.iter().any(|found| {
        found.label == Label::Thing && found.end <= start && start - found.end < BEFORE
    });
    let glued = |c: char| c.is_alphanumeric() || matches!(c, '-' | '/' | '.');
    let part = text[..start].ends_with(glued) || text[end..].starts_with(char::is_alphanumeric);
    if thing || part || context.certain || has_unit(text, end) {
        return None;
    }
    let zero = zero && window.runs().len() == 1;
    let round = digits.ends_with(b"00");
    match digits.len() {
        _ if !window.is_whole() && window.runs().len() > 1 => None,
        9 if may_be_old_card(digits) && (zero || context.person && !round) => Some(PatternId::Cmnd),
        10 if context.person && !round && digits[0] != b'0' => Some(PatternId::Bhxh10),
        12 if context.person && digits[0] == b'0' => Some(PatternId::Cccd),
        _ => None,
    }
}

fn joined_by_header(window: &Window<'_>, digits: &[u8], context: Context<'_>) -> Option<PatternId> {
    let found = by_header(digits, context.header, context.this_year)?;
    (window.runs().len() == 1 || !window.is_dated()).then_some(found)
}

/// A number with the word behind it: `0912345678 (Zalo)`.
fn named_after(window: &Window<'_>, digits: &[u8], context: Context<'_>) -> Option<PatternId> {
    let end = window.row[window.to - 1].end;
    if window.to < window.row.len() || context.labels.is_empty() || window.is_dated() {
        return None;
    }
    let near = |found: &&Found| found.start >= end && found.start - end <= AFTER;
    context.labels.iter().filter(near).find_map(|found| {
        let known = matches!(
            found.label,
            Label::Identity | Label::Phone | Label::Tax | Label::SocialInsurance | Label::Licence
        );
        // Eight digits may be two years.
        let long = digits.len() > 8;
        (known && long).then(|| announced(found.label, digits, context.this_year)).flatten()
    })
}

/// The number that a label announces.
fn behind(
    text: &str,
    all: &[Run],
    label: &Found,
    context: Context<'_>,
    wants: &dyn Fn(PatternId) -> bool,
) -> Option<PatternId> {
    let bytes = text.as_bytes();
    let first = all.iter().position(|run| run.start >= label.end)?;
    let between = text.get(label.end..all[first].start)?;
    if between.len() > BEFORE || between.split_whitespace().count() > WORDS {
        return None;
    }
    let many = all[first + 1..].iter().take_while(|run| run.joint != Joint::Break).count();
    let row = &all[first..=first + many];
    let mut digits = Vec::with_capacity(LONGEST);
    let mut best = None;
    for to in 1..=row.len() {
        let run = row[to - 1];
        digits.extend_from_slice(&bytes[run.start..run.end]);
        let window = Window { bytes, row, from: 0, to };
        let doubtful = to > 1 || matches!(label.label, Label::Phone | Label::Bank);
        if digits.len() > LONGEST || doubtful && window.is_dated() {
            break;
        }
        let said = matches!(label.label, Label::Card | Label::SocialInsurance | Label::Tax);
        let money = label.label == Label::Bank && has_unit(text, run.end);
        if (said || money) && to > 1 && window.is_amount() {
            continue;
        }
        let found = announced(label.label, &digits, context.this_year);
        best = found.filter(|pattern| wants(*pattern)).or(best);
    }
    let end = row[0].end;
    let weak = matches!(label.label, Label::Bank | Label::Phone | Label::Officer);
    best.filter(|_| !(weak && row.len() == 1 && has_unit(text, end)))
}

/// Whether what follows is a unit: money, doses, things counted.
fn has_unit(text: &str, end: usize) -> bool {
    const UNITS: [&str; 38] = [
        "đ",
        "đồng",
        "dong",
        "vnd",
        "vnđ",
        "usd",
        "mg",
        "g",
        "kg",
        "ml",
        "l",
        "iu",
        "ui",
        "mcg",
        "người",
        "ca",
        "mẫu",
        "lượt",
        "viên",
        "liều",
        "tỷ",
        "triệu",
        "nghìn",
        "km",
        "m",
        "cm",
        "dân",
        "lần",
        "hộp",
        "lọ",
        "ống",
        "gói",
        "bản",
        "trường",
        "eur",
        "tế",
        "ui/ml",
        "dan",
    ];
    let rest = text[end..].trim_start_matches([' ', '.']);
    let word: String = rest
        .chars()
        .take_while(|c| c.is_alphabetic())
        .take(8)
        .flat_map(char::to_lowercase)
        .collect();
    rest.starts_with('%') || UNITS.contains(&word.as_str())
}

/// The text without what stands between runs of digits that hang together, where that is more than
/// a sign or two.
pub(super) fn joined(text: &str) -> Option<String> {
    let all = runs(text);
    let parted = |run: &&Run| run.joint != Joint::Break;
    if all.iter().filter(parted).count() == 0 || all.len() < 2 {
        return None;
    }
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for run in &all {
        if run.joint == Joint::Break {
            out.push_str(&text[done..run.start]);
        }
        out.push_str(&text[run.start..run.end]);
        done = run.end;
    }
    out.push_str(&text[done..]);
    Some(out)
}

/// Whether the word may stand between the parts of one number.
pub(super) fn is_connector(word: &str) -> bool {
    row::is_connector(word)
}

/// Words that speak of a person by themselves.
pub(super) fn is_person(word: &str) -> bool {
    const PERSONS: [&str; 22] = [
        "bn", "nb", "nhân", "ông", "bà", "anh", "chị", "cháu", "bé", "mẹ", "bố", "cha", "vợ",
        "chồng", "con", "cụ", "patient", "mr", "mrs", "ong", "chi", "nhan",
    ];
    PERSONS.contains(&word.to_lowercase().as_str())
}

/// How many digits the longest run has that is no counting from one on.
pub(super) fn longest(text: &str) -> usize {
    let counted = |run: &&Run| !"123456789101112".starts_with(&text[run.start..run.end]);
    runs(text).iter().filter(counted).map(Run::length).max().unwrap_or_default()
}
