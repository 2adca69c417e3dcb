//! Identifiers of letters and digits together: cards, passports, certificates, plates, points.
//!
//! The `regex` crate has no look-around: each expression gives the core, and the characters beside
//! it are tested in code.

use std::sync::LazyLock;

use regex::Regex;

use super::header::Header;
use super::labels::{self, Found, Label};
use super::numbers;
use super::pattern::PatternId;
use super::seen::Seen;

fn compile(expression: &str) -> Regex {
    Regex::new(expression).expect("an expression of this file, compiled by its tests")
}

/// Up to three signs between the parts of a card's number.
static CARD: LazyLock<Regex> = LazyLock::new(|| {
    compile(r"(?i)[A-Z][^\pL\pN<]{0,3}[A-Z][^\pL\pN<]{0,3}[1-5](?:[^\pL\pN<]{0,3}[0-9]){12}")
});
static TEMPORARY: LazyLock<Regex> =
    LazyLock::new(|| compile(r"(?i)T[ .-]?E[ .-]?1[ .-]?[0-9][ .-]?[0-9](?:[ .-]?[A-Z0-9]){10}"));
static PASSPORT: LazyLock<Regex> =
    LazyLock::new(|| compile(r"(?i)[A-Z](?:[^\pL\pN<]{0,3}[0-9]){7,8}"));
static PRACTITIONER: LazyLock<Regex> = LazyLock::new(|| {
    compile(
        r"(?i)(?:[0-9][^\pL\pN]{0,3}){4,7}[^\pL\pN]{0,3}[A-ZĐ]{1,5}[^\pL\pN]{1,3}(?:CCHN|GPHN)|[0-9]{3,7}\W{0,2}/\W{0,2}(?:CCHN|GPHN)",
    )
});
static POINT: LazyLock<Regex> = LazyLock::new(|| {
    compile(r"(?:[89]|1[0-9]|2[0-3])\.[0-9]{4,}[ ]*[,; ][ ]*1(?:0[2-9]|1[0-7])\.[0-9]{4,}")
});
static PLATE: LazyLock<Regex> = LazyLock::new(|| {
    compile(r"(?:[1-9][0-9][ -]?[A-ZĐ]{1,2}[0-9]?|[A-Z]{2})[ .-]{1,3}[0-9]{2,3}[.-]?[0-9]{2}")
});
static MACHINE_LINE: LazyLock<Regex> =
    LazyLock::new(|| compile(r"P<[A-Z]{3}[A-Z]+<<?[A-Z]+|[A-Z][0-9]{7,8}<?[0-9]VNM[0-9]{7}"));

/// Groups of holders on insurance cards (Decision 1351/QĐ-BHXH as changed in 2023 and 2024), and
/// of older cards. They decide only where the digits stand apart.
const HOLDERS: &str = "DN HX CH NN TK HC XK HT TB NO CT XB TN CS QN CA CY XN MS CC CK CB KC HD TE BT \
    HN DT DK XD TS TC TQ TV TA TY HG LS PV CN HS SV GB GD ND TG AK NU TL TH TD XV TU LB DS";

/// The first identifier of these shapes that is wanted.
pub(super) fn find(
    cell: &str,
    seen: &Seen,
    header: Header,
    labels: &[Found],
    wants: &dyn Fn(PatternId) -> bool,
) -> Option<PatternId> {
    // Letters beside digits that words part: `GD4, rồi 27…`.
    let says = |label| labels.iter().any(|found| found.label == label);
    let parts = seen.digits >= 13 && seen.letters >= 2
        || header.says(Label::Passport)
        || says(Label::Passport)
        || says(Label::Plate)
        || begins_temporary(cell)
        || says(Label::Practitioner);
    let joined = (seen.digits >= 5 && parts).then(|| numbers::joined(cell)).flatten();
    if let Some(joined) = joined {
        let labels = labels::in_cell_of(&joined);
        let found = of_one(&joined, seen, header, &labels, true, wants);
        if found.is_some() {
            return found;
        }
    }
    of_one(cell, seen, header, labels, false, wants)
}

fn of_one(
    cell: &str,
    seen: &Seen,
    header: Header,
    labels: &[Found],
    joined: bool,
    wants: &dyn Fn(PatternId) -> bool,
) -> Option<PatternId> {
    let is_card = if joined { is_holders_card } else { is_card };
    let cards = seen.digits >= 13 && seen.letters >= 2;
    let temporary =
        seen.digits >= 3 && seen.letters >= 2 && seen.length >= 15 && begins_temporary(cell);
    let certificates = labels.iter().any(|found| found.label == Label::Practitioner);
    let points = seen.joints >= 2 && seen.digits >= 13;
    let plates = seen.digits >= 4 && seen.letters >= 1;
    let found = [
        (PatternId::BhytCard15, cards && matches(&CARD, cell, is_card)),
        (PatternId::TempCard, temporary && matches(&TEMPORARY, cell, |_| true)),
        (PatternId::Practitioner, certificates && matches(&PRACTITIONER, cell, |_| true)),
        (PatternId::Gps, points && matches(&POINT, cell, |_| true)),
        (PatternId::Passport, seen.digits >= 7 && holds_passport(cell, header, labels)),
        (PatternId::Plate, plates && holds_plate(cell, header, labels)),
        (PatternId::Passport, seen.angles && MACHINE_LINE.is_match(cell)),
    ];
    found.into_iter().find(|(pattern, is)| *is && wants(*pattern)).map(|(pattern, _)| pattern)
}

/// `TE1`, perhaps with signs between.
fn begins_temporary(cell: &str) -> bool {
    let bytes = cell.as_bytes();
    bytes.iter().enumerate().any(|(at, byte)| {
        *byte == b'1'
            && bytes[..at].iter().rev().take(2).any(|before| matches!(before, b'E' | b'e'))
    })
}

/// Whether a match stands alone, no letter or digit beside it, and holds.
fn matches(expression: &Regex, cell: &str, holds: fn(&str) -> bool) -> bool {
    let mut from = 0;
    while let Some(found) = expression.find_at(cell, from) {
        let alone = !cell[..found.start()].ends_with(|c: char| c.is_ascii_alphanumeric())
            && !cell[found.end()..].starts_with(|c: char| c.is_ascii_digit());
        if alone && holds(found.as_str()) {
            return true;
        }
        from = found.start() + 1;
        while !cell.is_char_boundary(from) {
            from += 1;
        }
    }
    false
}

/// Two letters, benefit, place from 01 to 99 (97 and 98 are the army and the police), ten digits.
fn is_card(text: &str) -> bool {
    let whole = text.len() == 15 && text.bytes().take(2).all(|byte| byte.is_ascii_uppercase());
    whole && !text[3..].starts_with("00") || is_holders_card(text)
}

/// As [`is_card`], with the letters of a known group.
fn is_holders_card(text: &str) -> bool {
    let plain: String =
        text.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).collect();
    let known = plain.get(..2).is_some_and(|two| HOLDERS.split(' ').any(|one| one == two));
    known && plain.len() == 15 && !plain[3..].starts_with("00")
}

fn holds_passport(cell: &str, header: Header, labels: &[Found]) -> bool {
    if header.says(Label::Passport) || header.says(Label::Identity) {
        return matches(&PASSPORT, cell, |_| true);
    }
    behind(cell, labels, Label::Passport, 32).any(|rest| matches(&PASSPORT, rest, |_| true))
}

fn holds_plate(cell: &str, header: Header, labels: &[Found]) -> bool {
    if header.says(Label::Plate) {
        return matches(&PLATE, cell, |_| true);
    }
    // Without a word only the full form with its point: `29A-123.45`.
    let full = |text: &str| {
        let bytes = text.as_bytes();
        let point = bytes.len() >= 9 && bytes[bytes.len() - 3] == b'.';
        point && bytes[0].is_ascii_digit() && text.contains('-')
    };
    cell.contains('.') && cell.contains('-') && matches(&PLATE, cell, full)
        || behind(cell, labels, Label::Plate, 24).any(|rest| matches(&PLATE, rest, |_| true))
}

/// What follows each label of a kind, so many bytes.
pub(super) fn behind<'a>(
    cell: &'a str,
    labels: &'a [Found],
    label: Label,
    far: usize,
) -> impl Iterator<Item = &'a str> {
    labels.iter().filter(move |found| found.label == label).map(move |found| {
        let end = (found.end + far).min(cell.len());
        let end = (end..=cell.len()).find(|end| cell.is_char_boundary(*end)).unwrap_or(cell.len());
        &cell[found.end..end]
    })
}
