//! What the next tag of a record is: most likely the one that came behind the last tag before.
//!
//! A program writes its fields in one order, so a comparison with what is expected tells almost
//! always what a tag means; only where it does not, the tag is looked up.

use std::collections::HashMap;

use super::plan::{Plan, Tag};

/// Names that are remembered. The standard has 66 in a record.
const KNOWN: usize = 512;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Order {
    known: Vec<Known>,
    by_name: HashMap<Box<[u8]>, usize>,
    /// The tag that came last.
    last: usize,
}

#[derive(Debug)]
struct Known {
    name: Box<[u8]>,
    /// The first 16 bytes of the name, for one comparison, and which bits of them count.
    head: u128,
    mask: u128,
    means: Tag,
    /// The tag that came behind this one.
    next: usize,
}

/// A field that is written as plainly as can be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Field {
    pub(super) means: Tag,
    /// Where its text begins and ends.
    pub(super) text: (usize, usize),
    /// Where the field ends.
    pub(super) end: usize,
}

impl Order {
    /// The field that begins at `at`, where it is a tag without attributes, text without mark-up and
    /// the end tag, or an empty element; `None` where it is anything else.
    #[inline]
    pub(super) fn field(&mut self, document: &[u8], at: usize, plan: &Plan) -> Option<Field> {
        let name = document.get(at + 1..)?;
        let expected = self.known.get(self.last).map_or(0, |last| last.next);
        let known = match self.known.get(expected) {
            Some(known) if known.begins(name) && !continues(name, known.name.len()) => expected,
            _ => self.look_up(name, plan)?,
        };
        self.last = known;
        let known = &self.known[known];
        let behind = at + 1 + known.name.len();
        let means = known.means;
        match document.get(behind..)? {
            [b'>', text @ ..] => {
                let begin = behind + 1;
                let length = mark_up(text)?;
                let closing = text[length..].strip_prefix(b"</")?;
                let is_closed =
                    known.begins(closing) && closing.get(known.name.len()) == Some(&b'>');
                let end = begin + length + known.name.len() + 3;
                is_closed.then_some(Field { means, text: (begin, begin + length), end })
            }
            [b'/', b'>', ..] => Some(Field { means, text: (behind, behind), end: behind + 2 }),
            [b' ', b'/', b'>', ..] => {
                Some(Field { means, text: (behind, behind), end: behind + 3 })
            }
            _ => None,
        }
    }

    #[cold]
    fn look_up(&mut self, bytes: &[u8], plan: &Plan) -> Option<usize> {
        let length = bytes.iter().position(|byte| !is_of_name(*byte))?;
        let name = &bytes[..length];
        if !name.first()?.is_ascii_alphabetic() {
            return None;
        }
        let found = match self.by_name.get(name) {
            Some(found) => *found,
            None if self.known.len() >= KNOWN => return None,
            None => {
                self.known.push(Known::new(name, plan.tag(name)));
                self.by_name.insert(name.into(), self.known.len() - 1);
                self.known.len() - 1
            }
        };
        if let Some(last) = self.known.get_mut(self.last) {
            last.next = found;
        }
        Some(found)
    }
}

impl Known {
    fn new(name: &[u8], means: Tag) -> Self {
        let mut head = [0; 16];
        let mut mask = [0; 16];
        for (at, byte) in name.iter().take(16).enumerate() {
            (head[at], mask[at]) = (*byte, u8::MAX);
        }
        let (head, mask) = (u128::from_le_bytes(head), u128::from_le_bytes(mask));
        Self { name: name.into(), head, mask, means, next: 0 }
    }

    #[inline]
    fn begins(&self, bytes: &[u8]) -> bool {
        let Some(head) = bytes.first_chunk::<16>() else { return bytes.starts_with(&self.name) };
        let is_head = u128::from_le_bytes(*head) & self.mask == self.head;
        is_head && (self.name.len() <= 16 || bytes.starts_with(&self.name))
    }
}

/// Whether the name is longer than that.
#[inline]
fn continues(name: &[u8], length: usize) -> bool {
    name.get(length).is_some_and(|byte| is_of_name(*byte))
}

fn is_of_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Where the next `<` is. Cells are short, so the first bytes are looked at eight at a time before the
/// search begins that is made for long ones.
#[inline]
fn mark_up(text: &[u8]) -> Option<usize> {
    const EACH: u64 = u64::from_ne_bytes([1; 8]);
    const SHORT: usize = 48;
    let mut at = 0;
    while at < SHORT {
        let Some(chunk) = text.get(at..).and_then(|rest| rest.first_chunk::<8>()) else { break };
        // A byte of zero borrows from its highest bit, and the lowest such byte is always right.
        let differs = u64::from_le_bytes(*chunk) ^ (EACH * u64::from(b'<'));
        let zeros = differs.wrapping_sub(EACH) & !differs & (EACH << 7);
        if zeros != 0 {
            return Some(at + zeros.trailing_zeros() as usize / 8);
        }
        at += 8;
    }
    memchr::memchr(b'<', &text[at..]).map(|found| at + found)
}
