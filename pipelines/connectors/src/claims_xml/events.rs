//! From the parser's events to records, and what no event may be: nothing is expanded, so a document
//! type is refused, and so is an entity that XML does not name itself.

use std::borrow::Cow;

use quick_xml::escape::resolve_xml_entity;
use quick_xml::events::{BytesDecl, BytesRef, BytesStart, Event};
use quick_xml::reader::Reader;

use super::fault::{Fault, Outcome, not_well_formed};
use super::feed::forbidden;
use super::records::Records;

/// Bytes of one tag with its attributes. The standard has none but a name space.
pub(super) const TAG_BYTES: usize = 4096;

/// Attributes of one tag.
const ATTRIBUTES: usize = 64;

/// Reads a whole document.
pub(super) fn read_document(document: &[u8], records: &mut Records<'_>) -> Outcome {
    if let Err(error) = std::str::from_utf8(document) {
        return Err(not_utf8().in_line(document, error.valid_up_to()));
    }
    if let Some(at) = forbidden(document) {
        return Err(control().in_line(document, at));
    }
    let mut reader = Reader::from_reader(document);
    loop {
        let event = reader.read_event();
        // Looked at where it is: moving it would cost a tenth of all.
        let outcome = match &event {
            Ok(Event::Eof) => {
                let outcome = records.end_document();
                return outcome.map_err(|fault| fault.in_line(document, document.len()));
            }
            Ok(event) => pass(event, records),
            Err(error) => {
                let at = usize::try_from(reader.error_position()).unwrap_or(usize::MAX);
                return Err(not_well_formed(error).in_line(document, at));
            }
        };
        if let Err(fault) = outcome {
            // Where the event ends; an element that passes over lines is rare enough.
            let at = usize::try_from(reader.buffer_position()).unwrap_or(usize::MAX);
            return Err(fault.in_line(document, at));
        }
    }
}

/// Gives an event of a document to its records.
#[inline]
pub(super) fn pass(event: &Event<'_>, records: &mut Records<'_>) -> Outcome {
    match event {
        Event::Start(tag) => {
            check_tag(tag)?;
            records.start(tag.name().as_ref())
        }
        Event::End(_) => records.end(),
        Event::Text(text) => records.text(text),
        Event::Empty(tag) => {
            check_tag(tag)?;
            records.start(tag.name().as_ref())?;
            records.end()
        }
        Event::CData(text) => records.text(text),
        Event::GeneralRef(reference) => records.character(character(reference)?),
        other => check_other(other),
    }
}

/// Refuses what is no part of any claims file; comments and the like are passed over.
pub(super) fn check_other(event: &Event<'_>) -> Outcome {
    match event {
        Event::DocType(_) => {
            Err(Fault::wrong("it has a document type, which is never read; the standard has none"))
        }
        Event::Decl(declaration) => check_declaration(declaration),
        _ => Ok(()),
    }
}

/// Refuses what is no tag of a claims file.
#[inline]
pub(super) fn check_tag(tag: &BytesStart<'_>) -> Outcome {
    let name = tag.name();
    let name = name.as_ref();
    match name.first() {
        Some(b'A'..=b'Z' | b'a'..=b'z' | b'_' | b':' | 0x80..) => {}
        _ => return Err(Fault::wrong("a tag has no name; a `<` of a text is written `&lt;`")),
    }
    if tag.len() == name.len() { Ok(()) } else { check_attributes(tag) }
}

#[cold]
fn check_attributes(tag: &BytesStart<'_>) -> Outcome {
    if tag.len() > TAG_BYTES {
        return Err(Fault::bytes("has a tag longer than it may be", TAG_BYTES));
    }
    for (at, attribute) in tag.attributes().enumerate() {
        if at >= ATTRIBUTES {
            return Err(Fault::Bound {
                what: "has a tag with more attributes than it may have",
                bound: ATTRIBUTES.to_string(),
            });
        }
        if attribute.is_err() {
            return Err(Fault::wrong("the attributes of a tag are not well-formed"));
        }
    }
    Ok(())
}

fn check_declaration(declaration: &BytesDecl<'_>) -> Outcome {
    let encoding = match declaration.encoding() {
        None => return Ok(()),
        Some(encoding) => encoding.unwrap_or(Cow::Borrowed(b"")),
    };
    if [&b"utf-8"[..], b"utf8"].iter().any(|name| encoding.eq_ignore_ascii_case(name)) {
        return Ok(());
    }
    Err(Fault::wrong("it says that it is of another encoding than UTF-8, which the standard wants"))
}

/// The character that a reference stands for.
pub(super) fn character(reference: &BytesRef<'_>) -> Outcome<char> {
    let unknown = || {
        Fault::wrong("a character is written as an entity that XML does not know; none is expanded")
    };
    let found = match reference.resolve_char_ref() {
        Ok(Some(character)) => character,
        Ok(None) => {
            let name = reference.decode().map_err(|_| unknown())?;
            let text = resolve_xml_entity(&name).ok_or_else(unknown)?;
            text.chars().next().ok_or_else(unknown)?
        }
        Err(_) => return Err(Fault::wrong("a character reference names no character")),
    };
    if forbidden(found.encode_utf8(&mut [0; 4]).as_bytes()).is_some() {
        return Err(control());
    }
    Ok(found)
}

pub(super) fn not_utf8() -> Fault {
    Fault::wrong("it is not UTF-8; have it sent in UTF-8, as the standard says")
}

pub(super) fn control() -> Fault {
    Fault::wrong("it holds a control character, which XML forbids")
}
