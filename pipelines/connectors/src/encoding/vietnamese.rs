//! The old encodings of Vietnamese: letters of one byte, and marks that follow their letter.
//!
//! The tables are facts of TCVN 5712:1993 (VN3), of VNI's fonts for Windows and of Microsoft's code
//! page 1258. Each was compared with other programs' tables: VN3 with glibc's TCVN5712-1, VNI with
//! texts of real files, where `yû` and `yõ` are ỷ and ỹ.

/// The vowels, and each with acute, grave, hook, tilde and dot below.
const VOWELS: [(char, &str); 12] = [
    ('a', "áàảãạ"),
    ('ă', "ắằẳẵặ"),
    ('â', "ấầẩẫậ"),
    ('e', "éèẻẽẹ"),
    ('ê', "ếềểễệ"),
    ('i', "íìỉĩị"),
    ('o', "óòỏõọ"),
    ('ô', "ốồổỗộ"),
    ('ơ', "ớờởỡợ"),
    ('u', "úùủũụ"),
    ('ư', "ứừửữự"),
    ('y', "ýỳỷỹỵ"),
];

/// VN3 from 0xA0 on; a dot stands where it has no letter. 0xA0 is the no-break space that other
/// programs write there.
const TCVN3: &str = "\u{a0}ĂÂÊÔƠƯĐăâêôơưđ.\
    .....àảãáạ.ằẳẵắ.\
    ......ặầẩẫấậè.ẻẽ\
    éẹềểễếệìỉ...ĩíịò\
    .ỏõóọồổỗốộờởỡớợù\
    .ủũúụừửữứựỳỷỹýỵ.";

/// What VNI writes as one byte, small; capitals are 0x20 lower.
const VNI_LETTERS: [(u8, char); 9] = [
    (0xe6, 'ỉ'),
    (0xec, 'ì'),
    (0xed, 'í'),
    (0xee, 'ỵ'),
    (0xf1, 'đ'),
    (0xf2, 'ị'),
    (0xf3, 'ĩ'),
    (0xf4, 'ơ'),
    (0xf6, 'ư'),
];

/// VNI's marks, small: acute, grave, hook, tilde and dot below alone, with a circumflex, and with a
/// breve; then the circumflex and the breve alone.
const VNI_TONES: [u8; 5] = [0xf9, 0xf8, 0xfb, 0xf5, 0xef];
const VNI_CIRCUMFLEX: [u8; 5] = [0xe1, 0xe0, 0xe5, 0xe3, 0xe4];
const VNI_BREVE: [u8; 5] = [0xe9, 0xe8, 0xfa, 0xfc, 0xeb];
const VNI_SHAPES: [u8; 2] = [0xe2, 0xea];

/// The bytes that code page 1258 leaves free; the web's table makes control characters of them.
const FREE_IN_1258: [u8; 8] = [0x8a, 0x8d, 0x8e, 0x8f, 0x90, 0x9a, 0x9d, 0x9e];

/// The five tones of code page 1258, in the order of [`VOWELS`].
const COMBINING: [char; 5] = ['\u{301}', '\u{300}', '\u{309}', '\u{303}', '\u{323}'];

/// Text in VN3; a capital with a tone, which VN3 has not, is written small. `None` where a letter
/// has no byte.
pub(super) fn to_tcvn3(text: &str) -> Option<Vec<u8>> {
    let byte = |one: char| TCVN3.chars().zip(0xa0_u8..=0xff).find(|(known, _)| *known == one);
    let written = text.chars().map(|one| {
        if one.is_ascii() {
            return u8::try_from(one).ok();
        }
        let small = || one.to_lowercase().next().and_then(byte);
        byte(one).or_else(small).map(|(_, byte)| byte)
    });
    written.collect()
}

/// What a byte is.
#[derive(Debug, Clone, Copy)]
enum Byte {
    Foreign,
    /// A letter that takes no mark.
    Letter(char),
    /// A letter that a mark may follow.
    Vowel(char),
    /// What it makes of the letter before it: a shape (0 circumflex, 1 breve), a tone.
    Mark(Option<usize>, Option<usize>),
}

/// A table of bytes, and the letter that waits for its mark.
pub(super) struct Letters {
    table: Box<[Byte; 256]>,
    waiting: Option<char>,
    /// Whether a mark that fits no letter is text by itself.
    lone: Option<[char; 5]>,
}

impl Letters {
    fn new() -> Self {
        let mut table = Box::new([Byte::Foreign; 256]);
        for byte in 0..128_u8 {
            table[usize::from(byte)] = letter(char::from(byte));
        }
        Self { table, waiting: None, lone: None }
    }

    pub(super) fn tcvn3() -> Self {
        let mut letters = Self::new();
        for (one, byte) in TCVN3.chars().zip(0xa0..) {
            if one != '.' {
                letters.table[byte] = Byte::Letter(one);
            }
        }
        letters
    }

    pub(super) fn vni() -> Self {
        let mut letters = Self::new();
        letters.table[0xa0] = letter('\u{a0}');
        let mut set = |small: u8, what: Byte, capital: Byte| {
            letters.table[usize::from(small)] = what;
            letters.table[usize::from(small - 0x20)] = capital;
        };
        for (small, one) in VNI_LETTERS {
            set(small, letter(one), letter(capital(one)));
        }
        for (shape, tones) in [(None, VNI_TONES), (Some(0), VNI_CIRCUMFLEX), (Some(1), VNI_BREVE)] {
            for (tone, small) in tones.into_iter().enumerate() {
                let mark = Byte::Mark(shape, Some(tone));
                set(small, mark, mark);
            }
        }
        for (shape, small) in VNI_SHAPES.into_iter().enumerate() {
            let mark = Byte::Mark(Some(shape), None);
            set(small, mark, mark);
        }
        letters
    }

    pub(super) fn windows_1258() -> Self {
        let mut letters = Self::new();
        for byte in (128..=255_u8).filter(|byte| !FREE_IN_1258.contains(byte)) {
            let bytes = [byte];
            let (text, _) = encoding_rs::WINDOWS_1258.decode_without_bom_handling(&bytes);
            for one in text.chars() {
                let tone = COMBINING.iter().position(|mark| *mark == one);
                letters.table[usize::from(byte)] =
                    tone.map_or(letter(one), |tone| Byte::Mark(None, Some(tone)));
            }
        }
        letters.lone = Some(COMBINING);
        letters
    }

    /// Decodes bytes up to the first that is foreign: how many, and whether there is one. A letter
    /// that may get a mark waits for the next bytes unless these are the last.
    pub(super) fn decode(&mut self, bytes: &[u8], last: bool, text: &mut Vec<u8>) -> (usize, bool) {
        for (at, byte) in bytes.iter().enumerate() {
            match self.table[usize::from(*byte)] {
                Byte::Letter(letter) => {
                    self.release(text);
                    put(letter, text);
                }
                Byte::Vowel(letter) => {
                    self.release(text);
                    self.waiting = Some(letter);
                }
                Byte::Mark(shape, tone) => {
                    let marked = self.waiting.and_then(|letter| mark(letter, shape, tone));
                    let lone = self.lone.zip(tone).map(|(marks, tone)| marks[tone]);
                    match (marked, lone) {
                        (Some(letter), _) => {
                            self.waiting = None;
                            put(letter, text);
                        }
                        (None, Some(lone)) => {
                            self.release(text);
                            put(lone, text);
                        }
                        (None, None) => return (at, true),
                    }
                }
                Byte::Foreign => return (at, true),
            }
        }
        if last {
            self.release(text);
        }
        (bytes.len(), false)
    }

    fn release(&mut self, text: &mut Vec<u8>) {
        if let Some(letter) = self.waiting.take() {
            put(letter, text);
        }
    }
}

fn put(letter: char, text: &mut Vec<u8>) {
    text.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
}

fn letter(letter: char) -> Byte {
    let is_vowel = VOWELS.iter().any(|(vowel, _)| *vowel == small(letter));
    if is_vowel { Byte::Vowel(letter) } else { Byte::Letter(letter) }
}

/// A vowel with a shape and a tone; its case stays.
fn mark(letter: char, shape: Option<usize>, tone: Option<usize>) -> Option<char> {
    let vowel = match (small(letter), shape) {
        (vowel, None) => vowel,
        ('a', Some(0)) => 'â',
        ('e', Some(0)) => 'ê',
        ('o', Some(0)) => 'ô',
        ('a', Some(1)) => 'ă',
        _ => return None,
    };
    let marked = match tone {
        None => vowel,
        Some(tone) => VOWELS.iter().find(|(other, _)| *other == vowel)?.1.chars().nth(tone)?,
    };
    Some(if letter.is_uppercase() { capital(marked) } else { marked })
}

/// Every letter of Vietnamese has one small and one capital form.
fn small(letter: char) -> char {
    letter.to_lowercase().next().unwrap_or(letter)
}

fn capital(letter: char) -> char {
    letter.to_uppercase().next().unwrap_or(letter)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(mut letters: Letters, bytes: &[u8]) -> Option<String> {
        let mut text = Vec::new();
        let (_, met_foreign) = letters.decode(bytes, true, &mut text);
        (!met_foreign).then(|| String::from_utf8(text).unwrap())
    }

    /// All small letters with a mark.
    fn alphabet() -> impl Iterator<Item = char> {
        let vowels =
            VOWELS.into_iter().flat_map(|(vowel, toned)| [vowel].into_iter().chain(toned.chars()));
        vowels.filter(|letter| !letter.is_ascii()).chain(['đ'])
    }

    #[test]
    fn tcvn3_has_each_small_letter_once() {
        let letters = Letters::tcvn3();
        for letter in alphabet() {
            let is_it = |byte: &Byte| matches!(byte, Byte::Letter(other) if *other == letter);
            assert_eq!(letters.table.iter().filter(|byte| is_it(byte)).count(), 1, "{letter}");
        }
        assert_eq!(alphabet().count(), 67);
    }

    #[test]
    fn vni_writes_each_letter_in_one_way_that_is_met() {
        let mut found = std::collections::BTreeSet::new();
        let bytes = || 0x41..=0xff_u8;
        for first in bytes() {
            found.extend(decoded(Letters::vni(), &[first]));
            found.extend(bytes().filter_map(|second| decoded(Letters::vni(), &[first, second])));
        }
        for letter in alphabet().flat_map(|letter| [letter, capital(letter)]) {
            assert!(found.contains(&letter.to_string()), "{letter}");
        }
    }

    #[test]
    fn case_comes_from_the_letter_and_not_from_its_mark() {
        assert_eq!(decoded(Letters::vni(), b"A\xc1 A\xe1 a\xc1").unwrap(), "Ấ Ấ ấ");
        assert_eq!(decoded(Letters::vni(), b"a\xe9 a\xe2 a\xea y\xfb y\xf5").unwrap(), "ắ â ă ỷ ỹ");
    }

    #[test]
    fn tones_of_1258_are_composed_where_there_is_a_vowel() {
        assert_eq!(decoded(Letters::windows_1258(), b"\xca\xec e\xd2").unwrap(), "Ế ẻ");
        assert_eq!(decoded(Letters::windows_1258(), b"m\xec\xfe").unwrap(), "m\u{301}₫");
    }
}
