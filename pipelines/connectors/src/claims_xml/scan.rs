//! Bytes to the tokens of XML, one at a time: the part of XML that claims files may be written in.
//!
//! A parser for all of XML spends most of a night on what the standard's documents never have, so
//! this one finds where a token ends and no more: of names, attributes and references it looks at
//! what the callers ask [`super::markup`] for. It is used on whole documents and on the window of a
//! file that is read in blocks; so a token that is not whole is no fault here.

use memchr::{memchr_iter, memchr2, memchr3, memchr3_iter, memmem};

use super::fault::{Fault, Outcome};

const COMMENT: &[u8] = b"<!--";
const SECTION: &[u8] = b"<![CDATA[";
const DOCUMENT_TYPE: &[u8] = b"<!DOCTYPE";

/// See the module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// A begin tag, or an element without content.
    Start(Tag<'a>),
    /// The end tag of that name.
    End(&'a [u8]),
    /// Text as it is written, or the beginning of one.
    Text(&'a [u8]),
    /// The text of a section: no character in it means mark-up.
    Section(&'a [u8]),
    /// What stands between `&` and `;`.
    Reference(&'a [u8]),
    /// What stands between `<?` and `?>` of the declaration.
    Declaration(&'a [u8]),
    /// A comment or an instruction to some program.
    Other,
}

/// A begin tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tag<'a> {
    pub(super) name: &'a [u8],
    /// The name and the attributes behind it.
    pub(super) content: &'a [u8],
    /// It is its own end tag.
    pub(super) is_empty: bool,
}

/// The first token of some bytes and its length; `None` where it ends behind them.
///
/// # Errors
/// When they begin with none.
#[inline]
pub(super) fn token(bytes: &[u8]) -> Outcome<Option<(Token<'_>, usize)>> {
    match bytes {
        [b'<', b'!', ..] => declared(bytes),
        [b'<', b'/', ..] => {
            Ok(tag_end(bytes).map(|end| (Token::End(bytes[2..end].trim_ascii_end()), end + 1)))
        }
        [b'<', b'?', ..] => instruction(bytes),
        [b'<', _, ..] => Ok(tag_end(bytes).map(|end| (Token::Start(tag(&bytes[1..end])), end + 1))),
        [] | [b'<'] => Ok(None),
        [b'&', after @ ..] => match memchr3(b';', b'&', b'<', after) {
            Some(end) if after[end] == b';' => Ok(Some((Token::Reference(&after[..end]), end + 2))),
            Some(_) => Err(unclosed(bytes)),
            None => Ok(None),
        },
        text => {
            let end = memchr2(b'<', b'&', text).unwrap_or(text.len());
            Ok(Some((Token::Text(&text[..end]), end)))
        }
    }
}

/// What is wrong with a token that begins like that and never ends.
pub(super) fn unclosed(bytes: &[u8]) -> Fault {
    Fault::wrong(if bytes.first() == Some(&b'&') {
        "an `&` begins no character; the sign itself is written `&amp;`"
    } else {
        "a tag, comment or section does not end, or is none; it may be cut short"
    })
}

/// Where the `>` of a tag is; one in quotes is part of an attribute.
fn tag_end(bytes: &[u8]) -> Option<usize> {
    let mut quote = None;
    for at in memchr3_iter(b'>', b'\'', b'"', bytes) {
        match (quote, bytes[at]) {
            (None, b'>') => return Some(at),
            (None, mark) => quote = Some(mark),
            (Some(open), mark) if open == mark => quote = None,
            _ => {}
        }
    }
    None
}

fn tag(content: &[u8]) -> Tag<'_> {
    let (content, is_empty) = match content.strip_suffix(b"/") {
        Some(content) => (content, true),
        None => (content, false),
    };
    let end = content.iter().position(u8::is_ascii_whitespace).unwrap_or(content.len());
    Tag { name: &content[..end], content, is_empty }
}

/// A comment, a section or a document type.
fn declared(bytes: &[u8]) -> Outcome<Option<(Token<'_>, usize)>> {
    if bytes.starts_with(COMMENT) {
        let end = memmem::find(&bytes[COMMENT.len()..], b"-->");
        return Ok(end.map(|end| (Token::Other, COMMENT.len() + end + 3)));
    }
    if let Some(after) = bytes.strip_prefix(SECTION) {
        let end = memmem::find(after, b"]]>");
        return Ok(end.map(|end| (Token::Section(&after[..end]), SECTION.len() + end + 3)));
    }
    let known = bytes.len().min(DOCUMENT_TYPE.len());
    if bytes[..known].eq_ignore_ascii_case(&DOCUMENT_TYPE[..known]) {
        return if known < DOCUMENT_TYPE.len() {
            Ok(None)
        } else {
            Err(Fault::wrong("it has a document type, which is never read; the standard has none"))
        };
    }
    let may_become = |whole: &[u8]| whole.starts_with(bytes);
    if may_become(COMMENT) || may_become(SECTION) { Ok(None) } else { Err(unclosed(bytes)) }
}

fn instruction(bytes: &[u8]) -> Outcome<Option<(Token<'_>, usize)>> {
    let Some(end) = memchr_iter(b'>', bytes).find(|at| bytes[at - 1] == b'?') else {
        return Ok(None);
    };
    if end < 3 {
        return Err(unclosed(bytes));
    }
    let content = &bytes[2..end - 1];
    let is_declaration = content
        .strip_prefix(b"xml")
        .is_some_and(|after| after.first().is_none_or(u8::is_ascii_whitespace));
    let token = if is_declaration { Token::Declaration(content) } else { Token::Other };
    Ok(Some((token, end + 1)))
}

/// The names of the open elements, the outermost first.
#[derive(Debug, Default)]
pub(super) struct Open {
    names: Vec<u8>,
    begins: Vec<usize>,
}

impl Open {
    pub(super) fn depth(&self) -> usize {
        self.begins.len()
    }

    pub(super) fn clear(&mut self) {
        self.names.clear();
        self.begins.clear();
    }

    pub(super) fn push(&mut self, name: &[u8]) {
        self.begins.push(self.names.len());
        self.names.extend_from_slice(name);
    }

    /// # Errors
    /// When the innermost element has another name, or none is open.
    pub(super) fn pop(&mut self, name: &[u8]) -> Outcome {
        let Some(begin) = self.begins.pop() else {
            return Err(Fault::wrong("an end tag closes nothing"));
        };
        if self.names[begin..] != *name {
            return Err(Fault::wrong("an element is closed by the end tag of another"));
        }
        self.names.truncate(begin);
        Ok(())
    }
}
