//! What is in a `NOIDUNGFILE`: base64 of a document, or the document itself. Whether it holds more
//! than one was seen when the part was found.

use super::Limits;
use super::base64::Decoder;
use super::document::read_document;
use super::fault::{Fault, Outcome};
use super::markup::{TAG_BYTES, character, check_declaration};
use super::records::Records;
use super::scan::{Token, token, unclosed};

/// Gives the records of a part.
pub(super) fn read_content(
    content: &[u8],
    decoder: &mut Decoder,
    limits: &Limits,
    records: &mut Records<'_>,
) -> Outcome {
    if memchr::memchr2(b'<', b'&', content).is_some() {
        return read_marked_up(content, decoder, limits, records);
    }
    let document = decoder.whole(content, limits.part_bytes)?;
    // A table of which the visit has nothing may come empty.
    if document.is_empty() { Ok(()) } else { read_document(document, usize::MAX, records) }
}

/// The same of base64 with comments, references or sections in it, and of a document as it is.
fn read_marked_up(
    content: &[u8],
    decoder: &mut Decoder,
    limits: &Limits,
    records: &mut Records<'_>,
) -> Outcome {
    decoder.clear();
    let mut rest = content;
    while !rest.is_empty() {
        let Some((token, length)) = token(rest)? else { return Err(unclosed(rest)) };
        rest = &rest[length..];
        match token {
            Token::Start(_) => return read_document(content, event_bytes(limits), records),
            Token::Section(text)
                if decoder.is_empty() && text.trim_ascii_start().starts_with(b"<") =>
            {
                return read_document(text, usize::MAX, records);
            }
            Token::Section(text) | Token::Text(text) => decoder.push(text),
            // Some writers put the line ends of base64 as references.
            Token::Reference(reference) => check_line_end(reference)?,
            Token::Declaration(content) => check_declaration(content)?,
            Token::End(_) | Token::Other => {}
        }
    }
    let document = decoder.finish(limits.part_bytes)?;
    if document.is_empty() { Ok(()) } else { read_document(document, usize::MAX, records) }
}

/// Refuses a reference in base64 that is none to white space.
pub(super) fn check_line_end(reference: &[u8]) -> Outcome {
    if character(reference)?.is_ascii_whitespace() {
        return Ok(());
    }
    Err(Fault::wrong("a NOIDUNGFILE is neither base64 nor an XML document"))
}

/// Bytes of one text, tag or comment that is not in base64: a cell and the mark-up around it.
pub(super) fn event_bytes(limits: &Limits) -> usize {
    limits.cell_bytes.saturating_add(4 * TAG_BYTES)
}

/// Bytes that a part may have: a document in base64, with line breaks.
pub(super) fn content_bytes(limits: &Limits) -> usize {
    limits.part_bytes.saturating_mul(3) / 2 + TAG_BYTES
}
