//! What one pass over a cell's bytes shows: enough to be done with most cells.

/// What one pass over a cell's bytes shows.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Seen {
    pub(crate) length: usize,
    pub(crate) digits: usize,
    /// Letters of ASCII.
    pub(crate) letters: usize,
    /// Of those, the capitals.
    pub(crate) capitals: usize,
    /// Of those, the ones that look like digits.
    pub(crate) like_digits: usize,
    pub(crate) spaces: usize,
    pub(crate) commas: usize,
    /// `_`, `-`, `.`: what may join the words of a name.
    pub(crate) joints: usize,
    pub(crate) at: bool,
    pub(crate) plus: bool,
    /// `<`.
    pub(crate) angles: bool,
    /// Signs that escapes begin with.
    pub(crate) escapes: bool,
    /// Any other sign.
    pub(crate) signs: usize,
    /// Anything beyond ASCII.
    pub(crate) marked: bool,
    /// Characters that Vietnamese text in Unicode does not need.
    pub(crate) strange: bool,
    /// Letters and signs of Latin-1.
    pub(crate) latin: bool,
    /// Signs and letters of Latin-1 that no Vietnamese word has.
    pub(crate) old: bool,
    /// Characters beyond ASCII side by side, the first of them of Latin-1.
    pub(crate) mangled: bool,
    /// Vietnamese letters beyond Latin-1.
    pub(crate) beyond: bool,
}

const DIGIT: u8 = 0;
const LETTER: u8 = 1;
const LIKE_DIGIT: u8 = 2;
const SPACE: u8 = 3;
const COMMA: u8 = 4;
const JOINT: u8 = 5;
const AT: u8 = 6;
const PLUS: u8 = 7;
const ANGLE: u8 = 8;
const ESCAPE: u8 = 9;
const SIGN: u8 = 10;
const HIGH: u8 = 11;
const CONTROL: u8 = 12;
const CAPITAL: u8 = 13;
const CAPITAL_LIKE_DIGIT: u8 = 14;

const KINDS: [u8; 256] = {
    let mut kinds = [SIGN; 256];
    let mut at = 0;
    while at < 256 {
        let byte = at as u8;
        kinds[at] = match byte {
            b'0'..=b'9' => DIGIT,
            b'o' | b'l' | b'i' | b'z' | b's' | b'g' | b'b' | b'q' => LIKE_DIGIT,
            b'O' | b'Q' | b'D' | b'I' | b'Z' | b'S' | b'B' | b'G' | b'T' => CAPITAL_LIKE_DIGIT,
            b'a'..=b'z' => LETTER,
            b'A'..=b'Z' => CAPITAL,
            b' ' | b'\t' | b'\n' | b'\r' => SPACE,
            0..=31 | 127 => CONTROL,
            b',' | b';' => COMMA,
            b'_' | b'-' | b'.' => JOINT,
            b'@' => AT,
            b'+' => PLUS,
            b'<' => ANGLE,
            b'%' | b'&' | b'\\' | b'=' => ESCAPE,
            128.. => HIGH,
            _ => SIGN,
        };
        at += 1;
    }
    kinds
};

/// A one in the place of a byte's kind, of sixteen places: so that a sum of up to 255 of them counts
/// all kinds at once.
const ONES: [u128; 256] = {
    let mut ones = [0; 256];
    let mut at = 0;
    while at < 256 {
        ones[at] = 1 << (8 * KINDS[at] as u32);
        at += 1;
    }
    ones
};

impl Seen {
    pub(crate) fn of(cell: &str) -> Self {
        let bytes = cell.as_bytes();
        let sum = |part: &[u8]| -> [u8; 16] {
            part.iter().fold(0, |sum: u128, byte| sum + ONES[usize::from(*byte)]).to_le_bytes()
        };
        let mut seen = if bytes.len() <= usize::from(u8::MAX) {
            let counts = sum(bytes);
            Self::from_counts(bytes.len(), |kind| usize::from(counts[usize::from(kind)]))
        } else {
            let mut counts = [0; 16];
            for part in bytes.chunks(usize::from(u8::MAX)) {
                let some = sum(part);
                counts.iter_mut().zip(some).for_each(|(count, some)| *count += usize::from(some));
            }
            Self::from_counts(bytes.len(), |kind| counts[usize::from(kind)])
        };
        if seen.marked {
            seen.look_at_marks(bytes);
        }
        seen
    }

    fn from_counts(length: usize, count: impl Fn(u8) -> usize) -> Self {
        Self {
            length,
            digits: count(DIGIT),
            letters: count(LETTER) + count(LIKE_DIGIT) + count(CAPITAL) + count(CAPITAL_LIKE_DIGIT),
            like_digits: count(LIKE_DIGIT) + count(CAPITAL_LIKE_DIGIT),
            capitals: count(CAPITAL) + count(CAPITAL_LIKE_DIGIT),
            spaces: count(SPACE),
            commas: count(COMMA),
            joints: count(JOINT),
            at: count(AT) > 0,
            plus: count(PLUS) > 0,
            angles: count(ANGLE) > 0,
            escapes: count(ESCAPE) + count(ANGLE) > 0,
            signs: count(SIGN),
            marked: count(HIGH) > 0,
            strange: count(CONTROL) > 0,
            ..Self::default()
        }
    }

    /// Which characters beyond ASCII there are, by the first two bytes of each.
    fn look_at_marks(&mut self, bytes: &[u8]) {
        for (at, byte) in bytes.iter().enumerate().filter(|(_, byte)| **byte >= 0xc0) {
            let next = bytes.get(at + 1).copied().unwrap_or_default();
            let latin = matches!(byte, 0xc2 | 0xc3);
            // Two bytes that were one letter show as two characters of Latin-1 or more.
            self.mangled |= latin && bytes.get(at + 2).is_some_and(|after| *after >= 0xc2);
            match (byte, next) {
                (
                    0xc3,
                    0x80..=0x83 | 0x88..=0x8a | 0x8c..=0x8d | 0x92..=0x95 | 0x99..=0x9a | 0x9d,
                )
                | (
                    0xc3,
                    0xa0..=0xa3 | 0xa8..=0xaa | 0xac..=0xad | 0xb2..=0xb5 | 0xb9..=0xba | 0xbd,
                ) => {
                    self.latin = true;
                }
                (0xc3, 0x97 | 0xb7) => self.strange = true,
                (0xc3, _) => {
                    self.latin = true;
                    self.old = true;
                }
                // The degree, powers, the micro sign and the like are in good text too.
                (0xc2, 0xa0 | 0xb0..=0xb7) => self.strange = true,
                (0xc2, _) => {
                    self.latin = true;
                    self.old = true;
                    self.strange = true;
                }
                (0xc4, 0x82 | 0x83 | 0x90 | 0x91 | 0xa8 | 0xa9)
                | (0xc5, 0xa8 | 0xa9)
                | (0xc6, 0xa0 | 0xa1 | 0xaf | 0xb0)
                | (0xe1, 0xba | 0xbb) => self.beyond = true,
                _ => self.strange = true,
            }
        }
    }

    /// Too short and too plain for any pattern that needs no header: one word of ASCII, with fewer
    /// digits, and letters that look like some, than a number has, and too few letters for a name.
    pub(crate) fn is_harmless(&self) -> bool {
        let plain = !self.at && !self.marked && !self.escapes && !self.strange;
        let one_word =
            self.spaces == 0 && (self.joints + self.signs + self.commas == 0 || self.letters < 4);
        let initials = self.joints > 1 && self.letters > 2 && self.digits == 0;
        plain
            && !initials
            && self.digits < 8
            && self.digits + self.like_digits < 9
            && (self.length < 4 || one_word && self.letters < 8)
    }

    /// Whether it may be a full date: digits and a few signs, or with a time of day.
    pub(crate) fn may_be_date(&self) -> bool {
        let day = matches!(self.length, 8..=12) && self.letters == 0;
        let time = matches!(self.length, 16..=35) && self.letters <= 2 && self.digits >= 12;
        !self.marked && self.digits >= 6 && (day || time)
    }

    /// Nothing but digits.
    pub(crate) fn is_number(&self) -> bool {
        self.digits == self.length
    }

    /// Whether the text may be in an old encoding, or read in a wrong one.
    pub(crate) fn may_be_old(&self) -> bool {
        self.length > 5 && (self.mangled || self.latin && (self.old || !self.beyond))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_dates_and_amounts_are_done_with_at_once() {
        for cell in ["J18.9", "01A23", "79001", "VD-12345-12", "1250000", "K01", "12,5", "01/2026"]
        {
            assert!(Seen::of(cell).is_harmless(), "{cell}");
        }
        for cell in ["0912345678", "Lê An", "a@b.vn", "0912 34O 67", "nguyenvanan", "%30%39%31"] {
            assert!(!Seen::of(cell).is_harmless(), "{cell}");
        }
        assert!(!Seen::of("Sốt xuất huyết").may_be_old());
        assert!(Seen::of("NguyÔn V¨n").may_be_old());
    }
}
