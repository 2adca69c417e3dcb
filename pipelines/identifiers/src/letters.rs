//! What the letters of the Latin alphabet are made of: a base letter, a shape, a tone.

use std::sync::LazyLock;

use unicode_normalization::UnicodeNormalization;

/// First code point past the Vietnamese letters.
const END: usize = 0x1f00;

/// A letter taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Letter {
    /// The unaccented letter in its case; 0 for what is no Latin letter.
    pub(crate) base: u8,
    /// None, circumflex or the stroke of đ, breve, horn.
    pub(crate) shape: u8,
    /// None, grave, acute, tilde, hook, dot below.
    pub(crate) tone: u8,
}

static LETTERS: LazyLock<Vec<Letter>> = LazyLock::new(|| (0..END).map(take_apart).collect());

fn take_apart(code: usize) -> Letter {
    let Some(c) = u32::try_from(code).ok().and_then(char::from_u32) else {
        return Letter::default();
    };
    let mut letter = match c {
        'đ' | 'ð' | 'ɖ' => Letter { base: b'd', shape: 1, tone: 0 },
        'Đ' | 'Ð' | 'Ɖ' => Letter { base: b'D', shape: 1, tone: 0 },
        'ƀ' => Letter { base: b'b', ..Letter::default() },
        'Ƀ' => Letter { base: b'B', ..Letter::default() },
        _ => Letter::default(),
    };
    for part in std::iter::once(c).nfd() {
        match part {
            'a'..='z' | 'A'..='Z' if letter.base == 0 => letter.base = part as u8,
            '\u{302}' => letter.shape = 1,
            '\u{306}' => letter.shape = 2,
            '\u{31b}' => letter.shape = 3,
            '\u{300}' => letter.tone = 1,
            '\u{301}' => letter.tone = 2,
            '\u{303}' => letter.tone = 3,
            '\u{309}' => letter.tone = 4,
            '\u{323}' => letter.tone = 5,
            _ => {}
        }
    }
    if letter.base == 0 { Letter::default() } else { letter }
}

/// The parts of a letter; the base is 0 for what is no letter of the Latin alphabet.
pub(crate) fn parts(c: char) -> Letter {
    LETTERS.get(c as usize).copied().unwrap_or_default()
}

/// The unaccented letter that `c` is a form of, in lower case: `Ễ` → `e`; `None` for what is no
/// letter of the Latin alphabet.
pub(crate) fn base_letter(c: char) -> Option<u8> {
    let base = if c.is_ascii_alphabetic() { c as u8 } else { parts(c).base };
    (base != 0).then(|| base.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_letter_has_base_shape_and_tone() {
        assert_eq!(parts('Ệ'), Letter { base: b'E', shape: 1, tone: 5 });
        assert_eq!(parts('ở'), Letter { base: b'o', shape: 3, tone: 4 });
        assert_eq!(base_letter('Đ'), Some(b'd'));
        assert_eq!(base_letter('×'), None);
        assert_eq!(base_letter('я'), None);
    }
}
