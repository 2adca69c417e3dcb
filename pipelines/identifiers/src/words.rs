//! The words of a text: runs of letters, and runs of digits, and how they hang together.

use super::letters::parts;
use super::lexicon::{Flags, Key, Spelling, is_syllable, look_up};

/// How the letters of a word stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Case {
    /// The first is a capital.
    Title,
    /// All are capitals.
    Upper,
    /// None is.
    Lower,
    /// Something else, or digits.
    Other,
}

/// What stands between a word and the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Gap {
    /// Nothing: a letter beside a digit.
    None,
    /// Blanks, or one of `_`, `-`, `.`.
    Joint,
    /// Up to four signs.
    Signs,
    /// More, or it is the first word.
    Far,
}

/// A word of a text.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Word {
    /// First byte.
    pub(crate) start: usize,
    /// The byte after the last.
    pub(crate) end: usize,
    /// Zero for digits and letters that are not Latin.
    pub(crate) key: Key,
    /// Its shapes and tone: see [`Spelling`].
    pub(crate) accents: u32,
    pub(crate) case: Case,
    pub(crate) gap: Gap,
    /// Whether it has no accent.
    pub(crate) bare: bool,
    pub(crate) digits: bool,
    pub(crate) letters: u32,
    /// What it may be as it is spelt.
    pub(crate) exact: Flags,
    /// What it may be with any accents.
    pub(crate) any: Flags,
}

impl Word {
    /// What it may be, where accents count or do not.
    pub(crate) fn flags(&self, accents: Accents) -> Flags {
        match accents {
            Accents::Same => self.exact,
            Accents::Without => self.any,
        }
    }

    /// What it may be: accented words as they are spelt, others with any accents.
    pub(crate) fn likely(&self) -> Flags {
        if self.bare { self.any } else { self.exact }
    }

    /// Whether it is part of the same phrase as the word before.
    pub(crate) fn joined(&self) -> bool {
        self.gap == Gap::Joint
    }

    pub(crate) fn is_syllable(&self) -> bool {
        is_syllable(self.key)
    }

    pub(crate) fn text<'a>(&self, text: &'a str) -> &'a str {
        &text[self.start..self.end]
    }

    /// Whether it begins with a capital.
    pub(crate) fn capital(&self) -> bool {
        matches!(self.case, Case::Title | Case::Upper)
    }
}

/// How two syllables compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Accents {
    /// The text is accented: letters and marks must be the same.
    Same,
    /// The text has none: the letters must be the same.
    Without,
}

/// The words of a text in normal form, and all that any of them may be.
pub(crate) fn split(text: &str) -> (Vec<Word>, Flags) {
    let mut words = Vec::with_capacity(text.len() / 5 + 1);
    let mut all = 0;
    let mut last_end = None;
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let start = at;
        let first = bytes[at];
        if first.is_ascii_digit() {
            at += bytes[at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
            words.push(word_of_digits(start, at, gap(text, last_end, start)));
            last_end = Some(at);
            continue;
        }
        if first.is_ascii() && !first.is_ascii_alphabetic() {
            at += 1;
            continue;
        }
        let mut shape = Shape::default();
        at += shape.read(&text[at..]);
        if shape.length == 0 {
            at = at.max(start + text[start..].chars().next().map_or(1, char::len_utf8));
            continue;
        }
        let word = shape.word(start, at, gap(text, last_end, start));
        all |= word.any;
        words.push(word);
        last_end = Some(at);
    }
    (words, all)
}

fn word_of_digits(start: usize, end: usize, gap: Gap) -> Word {
    Word {
        start,
        end,
        key: 0,
        accents: 0,
        case: Case::Other,
        gap,
        bare: true,
        digits: true,
        letters: 0,
        exact: 0,
        any: 0,
    }
}

fn gap(text: &str, end: Option<usize>, start: usize) -> Gap {
    let Some(end) = end else { return Gap::Far };
    let between = &text.as_bytes()[end..start];
    match between {
        [] => Gap::None,
        [b' ' | b'_' | b'-' | b'.'] | [b'.', b' '] => Gap::Joint,
        _ if between.iter().all(u8::is_ascii_whitespace) => Gap::Joint,
        _ if between.len() <= 4 => Gap::Signs,
        _ => Gap::Far,
    }
}

/// What the letters of a word amount to, one after the other.
#[derive(Default)]
struct Shape {
    spelling: Spelling,
    length: u32,
    upper: u32,
    begins_upper: bool,
    foreign: bool,
    accented: bool,
}

impl Shape {
    /// Reads letters from the beginning of the text; how many bytes they take.
    fn read(&mut self, text: &str) -> usize {
        for (at, c) in text.char_indices() {
            if c.is_ascii() {
                if !c.is_ascii_alphabetic() {
                    return at;
                }
                self.add(c as u8, 0, 0);
                continue;
            }
            let letter = parts(c);
            if letter.base != 0 {
                self.accented = true;
                self.add(letter.base, letter.shape, letter.tone);
            } else if matches!(c, '\u{300}'..='\u{36f}') {
                self.accented = true;
            } else if c.is_alphabetic() {
                self.foreign = true;
                self.length += 1;
            } else {
                return at;
            }
        }
        text.len()
    }

    fn add(&mut self, base: u8, shape: u8, tone: u8) {
        let upper = base.is_ascii_uppercase();
        self.begins_upper |= upper && self.length == 0;
        self.upper += u32::from(upper);
        self.spelling.add(base, shape, tone);
        self.length += 1;
    }

    fn word(&self, start: usize, end: usize, gap: Gap) -> Word {
        let case = match (self.begins_upper, self.upper) {
            _ if self.foreign => Case::Other,
            (true, upper) if upper == self.length => Case::Upper,
            (true, 1) => Case::Title,
            (false, 0) => Case::Lower,
            _ => Case::Other,
        };
        let key = if self.foreign { 0 } else { self.spelling.key };
        let (exact, any) = if key == 0 { (0, 0) } else { look_up(self.spelling) };
        let bare = !self.accented;
        let letters = self.length;
        let accents = self.spelling.accents;
        Word { start, end, key, accents, case, gap, bare, digits: false, letters, exact, any }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_letters_or_digits_with_what_is_between() {
        let text = "CCCD0912: Nguyễn_Văn  A, H'Blơn";
        let (words, _) = split(text);
        let seen: Vec<_> =
            words.iter().map(|word| (word.text(text), word.case, word.gap)).collect();
        assert_eq!(
            seen,
            [
                ("CCCD", Case::Upper, Gap::Far),
                ("0912", Case::Other, Gap::None),
                ("Nguyễn", Case::Title, Gap::Signs),
                ("Văn", Case::Title, Gap::Joint),
                ("A", Case::Upper, Gap::Joint),
                ("H", Case::Upper, Gap::Signs),
                ("Blơn", Case::Title, Gap::Signs),
            ]
        );
    }
}
