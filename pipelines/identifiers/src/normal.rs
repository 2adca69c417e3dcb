//! The form in which cells are looked at: what a reader takes for a digit or a letter becomes one.
//!
//! Compatibility forms (full-width, circled, mathematical) become plain; decimal digits of every
//! script, and what else is read as a digit, become ASCII; letters of other scripts that look like
//! Latin ones become those; what is not seen goes; every space, hyphen, point and apostrophe becomes
//! the plain one. Old encodings must be decoded before: here their letters would turn into digits
//! and signs.

mod characters;

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use self::characters::{is_invisible, stands_for};

/// The text in that form. Borrowed where nothing changes.
pub(crate) fn normal(text: &str) -> Cow<'_, str> {
    let usual = |c: char| matches!(c, ' '..='~' | 'À'..='Ö' | 'Ø'..='ư' | 'Ạ'..='ỹ');
    if text.chars().all(usual) {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    let mut before = ' ';
    for c in text.nfd().filter(|c| !is_invisible(*c)) {
        let c = stands_for(c).unwrap_or(c);
        if is_combining_mark(c) && !(is_tone_or_shape(c) && before.is_alphabetic()) {
            continue;
        }
        if !is_combining_mark(c) {
            before = c;
        }
        plain.push(if c.is_whitespace() { ' ' } else { c });
    }
    // NFKC opens what holds several characters, `⑴`, and may bring out what stands for another.
    let opened: String = plain.nfkc().collect();
    Cow::Owned(opened.chars().map(|c| stands_for(c).unwrap_or(c)).map(blank).collect())
}

/// The text without what is not seen, but for characters that an old encoding may have shown so.
pub(crate) fn seen_only(text: &str) -> String {
    text.chars().filter(|c| !is_invisible(*c) || matches!(c, '\u{80}'..='\u{ff}')).collect()
}

fn blank(c: char) -> char {
    if c.is_whitespace() { ' ' } else { c }
}

/// The marks of Vietnamese letters.
fn is_tone_or_shape(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{303}' | '\u{306}' | '\u{309}' | '\u{31b}' | '\u{323}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_reads_alike_becomes_alike() {
        for (text, plain) in [
            ("Nguye\u{302}\u{303}n\u{a0}Va\u{306}n", "Nguyễn Văn"),
            ("0\u{200b}9１２\u{2011}3", "0912-3"),
            ("០៩១២ ๐๙๑๒ ٠٩١٢", "0912 0912 0912"),
            ("①②③ ⑴ ❼ ²³", "123 (1) 7 23"),
            ("0️⃣9️⃣1️⃣", "091"),
            ("0\u{336}9\u{336}1", "091"),
            ("ВНҮТ СССD ＤＮ", "BHYT CCCD DN"),
            ("𝐍𝐠𝐮𝐲ễ𝐧 ɴɢuyễn", "Nguyễn nguyễn"),
            ("a＠b．vn", "a@b.vn"),
            ("Ð\u{1ea1}t", "Ðạt"),
            ("1\t2\n3", "1 2 3"),
        ] {
            assert_eq!(normal(text), plain, "{text}");
        }
        assert!(matches!(normal("Nguyễn Văn A 12"), Cow::Borrowed(_)));
    }
}
