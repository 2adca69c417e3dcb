//! Identifiers of letters, digits and signs.
//!
//! The `regex` crate has no look-around: each expression gives the core, and the characters beside
//! it are tested in code.

use std::sync::LazyLock;

use regex::Regex;

use super::digits::is_province;
use super::header::{self, Header};
use super::text::words;
use super::{PatternId, Seen};

fn compile(expression: &str) -> Regex {
    Regex::new(expression).expect("an expression of this file, compiled by its tests")
}

static CARD: LazyLock<Regex> =
    LazyLock::new(|| compile(r"(?i)[A-Z]{2}[ .-]?[1-5][ .-]?[0-9][ .-]?[0-9](?:[ .-]?[0-9]){10}"));
static TEMPORARY: LazyLock<Regex> = LazyLock::new(|| compile(r"(?i)TE1[0-9]{2}[A-Z0-9]{10}"));
static PASSPORT: LazyLock<Regex> = LazyLock::new(|| compile(r"[A-Z][ -]?[0-9]{7}"));
static PRACTITIONER: LazyLock<Regex> =
    LazyLock::new(|| compile(r"(?i)[0-9]{4,7} ?/ ?[A-ZĐ]{1,5} ?- ?(?:CCHN|GPHN)"));
static POINT: LazyLock<Regex> = LazyLock::new(|| {
    compile(r"(?:[89]|1[0-9]|2[0-3])\.[0-9]{4,}[ ]*[,; ][ ]*1(?:0[2-9]|1[0-7])\.[0-9]{4,}")
});

/// Groups of holders on insurance cards (Decision 1351/QĐ-BHXH as changed in 2023 and 2024).
const HOLDERS: &[&[u8; 2]] = &[
    b"DN", b"HC", b"HT", b"TE", b"HS", b"SV", b"HN", b"CN", b"GD", b"QN", b"CA", b"CY", b"CC",
    b"XK", b"TY", b"DT", b"DK", b"XB", b"TC", b"CB", b"NO", b"CT", b"TB", b"HX", b"NN", b"NU",
    b"KC", b"PV", b"XN", b"LS", b"TN", b"CH", b"TK", b"MS", b"BT", b"TQ", b"TA", b"HD", b"HG",
    b"TS", b"TD", b"CS", b"TL", b"DS", b"LB", b"CK", b"GB", b"ND",
];

/// The first identifier of these shapes that is wanted.
pub(super) fn find(
    cell: &str,
    seen: &Seen,
    header: &Header,
    wants: &dyn Fn(&PatternId) -> bool,
) -> Option<PatternId> {
    let cards = seen.digits >= 13 && seen.letters >= 2;
    let temporary = seen.digits >= 3 && seen.letters >= 2 && seen.length >= 15;
    let passports = seen.digits >= 7 && seen.letters >= 1;
    let certificates = seen.slashes > 0 && seen.digits >= 4;
    let points = seen.joints >= 2 && seen.digits >= 13;
    let found = [
        (PatternId::Email, seen.at && holds_email(cell)),
        (PatternId::BhytCard15, cards && matches(&CARD, cell, is_card)),
        (PatternId::TempCard, temporary && matches(&TEMPORARY, cell, |_| true)),
        (PatternId::Practitioner, certificates && matches(&PRACTITIONER, cell, |_| true)),
        (PatternId::Gps, points && matches(&POINT, cell, |_| true)),
        (PatternId::Passport, passports && holds_passport(cell, header)),
    ];
    found.into_iter().find(|(pattern, is)| *is && wants(pattern)).map(|(pattern, _)| pattern)
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

fn is_card(text: &str) -> bool {
    let plain: Vec<u8> =
        text.bytes().filter(u8::is_ascii_alphanumeric).map(|b| b.to_ascii_uppercase()).collect();
    plain.len() == 15
        && HOLDERS.iter().any(|holder| plain.starts_with(*holder))
        && is_province(plain[3], plain[4])
}

fn holds_passport(cell: &str, header: &Header) -> bool {
    let said = header.passport || header.identity || {
        let words = words(cell);
        header::says(&words, header::PASSPORT)
    };
    said && matches(&PASSPORT, cell, |_| true)
}

/// An `@` with a mailbox before it and a dotted domain after it.
fn holds_email(cell: &str) -> bool {
    let bytes = cell.as_bytes();
    bytes.iter().enumerate().filter(|(_, byte)| **byte == b'@').any(|(at, _)| {
        let mailbox = at > 0
            && (bytes[at - 1].is_ascii_alphanumeric()
                || matches!(bytes[at - 1], b'.' | b'_' | b'%' | b'+' | b'-'));
        let domain: Vec<&str> = cell[at + 1..]
            .split(|c: char| !(c.is_ascii_alphanumeric() || c == '.' || c == '-'))
            .next()
            .unwrap_or_default()
            .trim_end_matches('.')
            .split('.')
            .collect();
        let top = domain.last().copied().unwrap_or_default();
        let whole = domain.len() >= 2 && domain.iter().all(|label| !label.is_empty());
        mailbox && whole && top.len() >= 2 && top.bytes().all(|byte| byte.is_ascii_alphabetic())
    })
}
