//! Bringing raw text to the one form that pseudonyms are made of. It may never change: a token made
//! yesterday must be made again tomorrow. What the scan looks at goes further: see `normal.rs`.

use std::borrow::Cow;

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

use super::letters::base_letter;

/// `text` in NFC, with digits of other scripts in ASCII, every kind of space as a plain one, every
/// kind of hyphen as `-`, and invisible characters left out. Borrowed where nothing changes.
pub fn clean(text: &str) -> Cow<'_, str> {
    // Vietnamese as it is nearly always written: ASCII and letters that are in NFC as they stand.
    let usual = |c: char| c.is_ascii() || matches!(c, 'À'..='ư' | 'Ạ'..='ỹ');
    if text.is_ascii() || text.chars().all(usual) {
        return Cow::Borrowed(text);
    }
    if text.chars().all(|c| plain(c) == Some(c)) && is_nfc_quick(text.chars()) == IsNormalized::Yes
    {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().filter_map(plain).nfc().collect())
}

/// What a character is in the one form; `None` when it is not seen.
fn plain(c: char) -> Option<char> {
    if c < '\u{a0}' {
        return Some(c);
    }
    match c {
        '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' => None,
        '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => Some(' '),
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{ff0d}' => Some('-'),
        '\u{ff0e}' => Some('.'),
        '\u{ff20}' => Some('@'),
        '\u{660}'..='\u{669}' => digit(c, '\u{660}'),
        '\u{6f0}'..='\u{6f9}' => digit(c, '\u{6f0}'),
        '\u{ff10}'..='\u{ff19}' => digit(c, '\u{ff10}'),
        _ => Some(c),
    }
}

fn digit(c: char, zero: char) -> Option<char> {
    char::from_digit(u32::from(c) - u32::from(zero), 10)
}

/// `text` unaccented and in lower case, with every run of anything else as one space, framed by
/// spaces: ` ho ten ` for `HO_TEN`, so that whole words can be looked for.
pub(super) fn words(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push(' ');
    for c in clean(text).chars() {
        match base_letter(c) {
            Some(letter) => out.push(char::from(letter)),
            None if c.is_ascii_digit() => out.push(c),
            None if out.ends_with(' ') => {}
            None => out.push(' '),
        }
    }
    if !out.ends_with(' ') {
        out.push(' ');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_comes_to_one_form() {
        assert_eq!(clean("Nguye\u{302}\u{303}n\u{a0}Va\u{306}n"), "Nguyễn Văn");
        assert_eq!(clean("0\u{200b}9１２\u{2011}3"), "0912-3");
        assert!(matches!(clean("Nguyễn Văn A 12"), Cow::Borrowed(_)));
        assert_eq!(words("SO_CCCD / Số định-danh"), " so cccd so dinh danh ");
        assert_eq!(words(""), " ");
    }
}
