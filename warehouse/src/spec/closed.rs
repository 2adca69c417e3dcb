//! Whether a pattern admits codes only, or words as well.
//!
//! A name, an address or a remark is letters in a row, or words with white space between them. A
//! pattern is closed when no value that it admits holds more than [`LONGEST`] letters in a row, nor
//! two words with nothing but white space between them. Letters that the pattern itself spells out
//! are the author's and no part of a word; so are those of a class with at most [`FEW`] different
//! letters, which spell no name: hexadecimal digits, Roman numerals.
//!
//! The pattern is walked as a machine that remembers only where a value stands, so that what is
//! told holds for all values at once. It does not say that a code means no person: that is asked of
//! the contract's author, and the leak scan looks at the cells.

use regex_syntax::hir::{Class, Hir, HirKind, Repetition};

/// Letters of one word that a closed pattern may leave open: as many as the longest part of the
/// codes in use, a UUID's.
const LONGEST: u32 = 12;

/// Different letters, large and small ones taken as one, that a class may hold without spelling
/// words.
const FEW: usize = 6;

/// Why a pattern is not closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Open {
    /// A value may hold a word longer than a code's parts.
    LongWord,
    /// A value may hold two words with white space between them.
    Words,
}

impl Open {
    /// As a sentence of a diagnostic ends.
    pub(super) fn what(self) -> String {
        match self {
            Self::LongWord => format!("more than {LONGEST} letters in a row"),
            Self::Words => "words with white space between them".to_owned(),
        }
    }
}

/// Why `pattern` admits free text; `None` where it is closed. What is no regular expression is
/// reported elsewhere.
pub(super) fn open(pattern: &str) -> Option<Open> {
    let tree = regex_syntax::parse(pattern).ok()?;
    walk(&tree, Places::START).err()
}

/// Where values of a pattern may stand after a part of it: one bit for each place.
///
/// Bit 0 is outside of a word, bit `n` behind `n` letters of one, the last bit behind a word and
/// white space.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Places(u32);

impl Places {
    const OUTSIDE: u32 = 1;
    const GAP: u32 = 1 << (LONGEST + 1);
    const WORD: u32 = Self::GAP - 1 - Self::OUTSIDE;
    const START: Self = Self(Self::OUTSIDE);

    fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    fn holds(self, other: Self) -> bool {
        self.with(other) == self
    }

    /// After a letter that is left open.
    fn letter(self) -> Result<Self, Open> {
        if self.0 & Self::GAP != 0 {
            return Err(Open::Words);
        }
        let longer = self.0 << 1;
        if longer & Self::GAP != 0 { Err(Open::LongWord) } else { Ok(Self(longer)) }
    }

    /// After white space, which ends no word for good.
    fn space(self) -> Self {
        let behind_word = self.0 & (Self::WORD | Self::GAP) != 0;
        let gap = if behind_word { Self::GAP } else { 0 };
        Self((self.0 & Self::OUTSIDE) | gap)
    }

    /// After anything else.
    fn other(self) -> Self {
        if self.0 == 0 { self } else { Self::START }
    }
}

fn walk(tree: &Hir, from: Places) -> Result<Places, Open> {
    match tree.kind() {
        HirKind::Empty | HirKind::Look(_) => Ok(from),
        HirKind::Literal(literal) => {
            let text = String::from_utf8_lossy(&literal.0);
            let step =
                |at: Places, c: char| if c.is_whitespace() { at.space() } else { at.other() };
            Ok(text.chars().fold(from, step))
        }
        HirKind::Class(class) => one_of(&Holds::of(class), from),
        HirKind::Repetition(repetition) => repeat(repetition, from),
        HirKind::Capture(capture) => walk(&capture.sub, from),
        HirKind::Concat(parts) => parts.iter().try_fold(from, |at, part| walk(part, at)),
        HirKind::Alternation(ways) => {
            ways.iter().try_fold(Places(0), |all, way| Ok(all.with(walk(way, from)?)))
        }
    }
}

fn one_of(holds: &Holds, from: Places) -> Result<Places, Open> {
    let mut to = from.other();
    if holds.letters {
        to = to.with(from.letter()?);
    }
    if holds.space {
        to = to.with(from.space());
    }
    Ok(to)
}

/// The places behind `min` to `max` times the same part. Each part leads from the union of places to
/// the union of what each leads to, so a time that adds no place ends the walk.
fn repeat(repetition: &Repetition, from: Places) -> Result<Places, Open> {
    let mut at = from;
    for _ in 0..repetition.min {
        let next = walk(&repetition.sub, at)?;
        if next == at {
            break;
        }
        at = next;
    }
    let mut all = at;
    let more = repetition.max.map(|max| max.saturating_sub(repetition.min));
    for _ in 0..more.unwrap_or(u32::MAX) {
        at = walk(&repetition.sub, at)?;
        if all.holds(at) {
            break;
        }
        all = all.with(at);
    }
    Ok(all)
}

/// What a class of characters holds.
struct Holds {
    /// Enough letters to spell words.
    letters: bool,
    space: bool,
}

impl Holds {
    fn of(class: &Class) -> Self {
        let ranges: Vec<(char, char)> = match class {
            Class::Unicode(class) => class.ranges().iter().map(|r| (r.start(), r.end())).collect(),
            Class::Bytes(class) => class
                .ranges()
                .iter()
                .map(|r| (char::from(r.start()), char::from(r.end())))
                .collect(),
        };
        let mut letters: Vec<char> = Vec::new();
        let mut space = false;
        for c in ranges.into_iter().flat_map(|(start, end)| start..=end) {
            space |= c.is_whitespace();
            if letters.len() > FEW {
                // White space of other scripts lies far behind the letters of this one.
                if space || c > '\u{3000}' {
                    break;
                }
                continue;
            }
            let small = c.to_lowercase().next().unwrap_or(c);
            if c.is_alphabetic() && !letters.contains(&small) {
                letters.push(small);
            }
        }
        Self { letters: letters.len() > FEW, space }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_closed() {
        for pattern in [
            "NS[0-9]{6}",
            r"[A-Z][0-9]{2}(\.?[0-9]{1,2})?[*†+]?(; ?[A-Z][0-9]{2}(\.?[0-9]{1,2})?[*†+]?)*",
            r"[0-9]{2}([0-9]{3}|[A-Z][0-9]{2})|[0-9]{13}",
            "[0-9a-f]{64}",
            "[IVX]+",
            r"[0-9A-Za-z]{1,12}([._-][0-9A-Za-z]{1,12}){0,9}",
            r"(không phát hiện|<200) (ml|giọt)",
            r"[A-Z]{1,4} [0-9]{1,6}",
        ] {
            assert_eq!(open(pattern), None, "{pattern}");
        }
    }

    #[test]
    fn what_may_hold_a_name_is_open() {
        for (pattern, why) in [
            (".*", Open::Words),
            (".{1,3}", Open::Words),
            ("[^;]+", Open::Words),
            (r"\S+", Open::LongWord),
            (r"\w{1,20}", Open::LongWord),
            (r"\p{L}{2,8}( \p{L}{2,8}){1,3}", Open::Words),
            (r"SYT [\p{L}][\p{L} .-]{1,39}", Open::Words),
            ("[A-Z]+-[0-9]", Open::LongWord),
            ("([a-z]{2}){7}", Open::LongWord),
            ("[A-Z]{1,3}( ?[A-Z]{1,3})?", Open::Words),
            ("(?i)[a-z]{1,12} +[a-z]", Open::Words),
        ] {
            assert_eq!(open(pattern), Some(why), "{pattern}");
        }
    }

    #[test]
    fn a_word_that_any_number_of_parts_may_lengthen_is_open_however_short_they_are() {
        assert_eq!(open("([A-Z][0-9]?)*"), Some(Open::LongWord));
        assert_eq!(open("([A-Z][0-9])*"), None);
    }
}
