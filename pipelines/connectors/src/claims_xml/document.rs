//! Documents to records. What every program writes, a list of fields with text in them, is taken
//! field by field; anything else token by token.

use memchr::memchr2;

use super::fault::{Fault, Outcome};
use super::feed::forbidden;
use super::markup::{character, check_declaration, check_tag, control, not_utf8};
use super::records::Records;
use super::scan::{Token, token, unclosed};

/// A mark that some programs put before all text.
const MARK: &[u8] = "\u{feff}".as_bytes();

/// Reads a whole document, whose texts, tags and comments may have `longest` bytes.
pub(super) fn read_document(document: &[u8], longest: usize, records: &mut Records<'_>) -> Outcome {
    let text = match simdutf8::compat::from_utf8(document) {
        Ok(text) => text,
        Err(error) => return Err(not_utf8().in_line(document, error.valid_up_to())),
    };
    if let Some(at) = forbidden(document) {
        return Err(control().in_line(document, at));
    }
    let begin = if document.starts_with(MARK) { MARK.len() } else { 0 };
    let mut reading = Reading { document: text, at: begin, changes: 0, longest };
    records.begin_document();
    match reading.run(records) {
        Ok(()) => Ok(()),
        Err(fault) => Err(fault.in_line(document, reading.at)),
    }
}

struct Reading<'a> {
    document: &'a str,
    at: usize,
    /// The first character behind the last text looked at that is read otherwise than it is written.
    changes: usize,
    longest: usize,
}

impl Reading<'_> {
    fn run(&mut self, records: &mut Records<'_>) -> Outcome {
        let bytes = self.document.as_bytes();
        loop {
            if records.is_between_fields() {
                self.fields(records);
            }
            let rest = &bytes[self.at..];
            if rest.is_empty() {
                return records.end_document();
            }
            let Some((token, length)) = token(rest)? else { return Err(unclosed(rest)) };
            if length > self.longest {
                return Err(too_long(self.longest));
            }
            self.at += length;
            match token {
                Token::Start(tag) => {
                    check_tag(&tag)?;
                    records.start(tag.name)?;
                    if tag.is_empty {
                        records.end(tag.name, self.document)?;
                    }
                }
                Token::End(name) => {
                    if let Err(fault) = records.end(name, self.document) {
                        self.at -= length;
                        return Err(fault);
                    }
                }
                Token::Text(text) | Token::Section(text) => records.text(text)?,
                Token::Reference(reference) => records.character(character(reference)?)?,
                Token::Declaration(content) => check_declaration(content)?,
                Token::Other => {}
            }
        }
    }

    /// Takes the plain fields that come next.
    fn fields(&mut self, records: &mut Records<'_>) {
        let bytes = self.document.as_bytes();
        loop {
            let mut at = self.at;
            while bytes.get(at).is_some_and(u8::is_ascii_whitespace) {
                at += 1;
            }
            if !matches!(bytes.get(at..), Some([b'<', b'A'..=b'Z' | b'a'..=b'z', ..])) {
                return;
            }
            let is_as_written = |begin, end| self.is_as_written(bytes, begin, end);
            let Some(end) = records.field(bytes, at, is_as_written) else { return };
            self.at = end;
        }
    }

    /// Whether the text is written as it is read: it has no reference, and no end of a line in an old
    /// form.
    #[inline]
    fn is_as_written(&mut self, bytes: &[u8], begin: usize, end: usize) -> bool {
        if self.changes < begin {
            let found = memchr2(b'&', b'\r', &bytes[begin..]);
            self.changes = found.map_or(bytes.len(), |found| begin + found);
        }
        self.changes >= end
    }
}

pub(super) fn too_long(bound: usize) -> Fault {
    Fault::bytes("has a text, tag or comment longer than it may be", bound)
}
