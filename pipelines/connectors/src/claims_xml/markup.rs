//! What no token of a claims file may be: nothing is expanded, so an entity that XML does not name
//! itself is refused, and so is any encoding but UTF-8. What is rare is left to the crate `quick-xml`.

use std::borrow::Cow;

use quick_xml::escape::resolve_xml_entity;
use quick_xml::events::{BytesDecl, BytesRef, BytesStart};

use super::fault::{Fault, Outcome};
use super::feed::forbidden;
use super::scan::Tag;

/// Bytes of one tag with its attributes. The standard has none but a name space.
pub(super) const TAG_BYTES: usize = 4096;

/// Attributes of one tag.
const ATTRIBUTES: usize = 64;

/// Refuses what is no tag of a claims file.
#[inline]
pub(super) fn check_tag(tag: &Tag<'_>) -> Outcome {
    match tag.name.first() {
        Some(b'A'..=b'Z' | b'a'..=b'z' | b'_' | b':' | 0x80..) => {}
        _ => return Err(Fault::wrong("a tag has no name; a `<` of a text is written `&lt;`")),
    }
    if tag.content.len() == tag.name.len() { Ok(()) } else { check_attributes(tag) }
}

#[cold]
fn check_attributes(tag: &Tag<'_>) -> Outcome {
    if tag.content.len() > TAG_BYTES {
        return Err(Fault::bytes("has a tag longer than it may be", TAG_BYTES));
    }
    let content = std::str::from_utf8(tag.content).map_err(|_| not_utf8())?;
    let content = BytesStart::from_content(content, tag.name.len());
    for (at, attribute) in content.attributes().enumerate() {
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

/// Refuses a declaration of another encoding.
pub(super) fn check_declaration(content: &[u8]) -> Outcome {
    let content = std::str::from_utf8(content).map_err(|_| not_utf8())?;
    let declaration = BytesDecl::from_start(BytesStart::from_content(content, "xml".len()));
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
pub(super) fn character(reference: &[u8]) -> Outcome<char> {
    let unknown = || {
        Fault::wrong("a character is written as an entity that XML does not know; none is expanded")
    };
    let name = std::str::from_utf8(reference).map_err(|_| not_utf8())?;
    let found = match BytesRef::new(name).resolve_char_ref() {
        Ok(Some(character)) => character,
        Ok(None) => {
            let text = resolve_xml_entity(name).ok_or_else(unknown)?;
            text.chars().next().ok_or_else(unknown)?
        }
        Err(_) => return Err(Fault::wrong("a character reference names no character")),
    };
    if forbidden(found.encode_utf8(&mut [0; 4]).as_bytes()).is_some() {
        return Err(control());
    }
    Ok(found)
}

/// Whether it is nothing but white space, as XML knows it.
#[inline]
pub(super) fn is_blank(text: &[u8]) -> bool {
    text.iter().all(u8::is_ascii_whitespace)
}

pub(super) fn not_utf8() -> Fault {
    Fault::wrong("it is not UTF-8; have it sent in UTF-8, as the standard says")
}

pub(super) fn control() -> Fault {
    Fault::wrong("it holds a control character, which XML forbids")
}
