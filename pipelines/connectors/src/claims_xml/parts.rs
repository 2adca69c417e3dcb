//! Where in a file the documents of all tables are. The file is walked through once, from its first
//! byte to its last, and all of its envelope is checked; of the documents nothing is decoded. Whoever
//! reads a table then goes to its parts alone.

use std::io::Read;
use std::ops::Range;

use super::Limits;
use super::content::{check_line_end, content_bytes, event_bytes};
use super::document::too_long;
use super::envelope::{Element, Envelope, ROOT, Said};
use super::fault::{Fault, Outcome, Place};
use super::feed::{Feed, Stop};
use super::markup::{character, check_declaration, check_tag, control, is_blank, not_utf8};
use super::records::too_deep;
use super::scan::{Open, Token, token, unclosed};
use super::tables::Table;

/// The document of one table in one visit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Part {
    /// Where what lies between the tags of its `NOIDUNGFILE` begins in the file.
    pub(super) begin: u64,
    /// Its bytes; of more than fit, the largest number.
    pub(super) length: u32,
    /// Number of its `HOSO`.
    pub(super) hoso: u32,
    pub(super) table: u8,
    /// It is the whole file: a document without an envelope.
    pub(super) is_bare: bool,
    /// It holds more than one document. That is no fault of whoever reads another table.
    pub(super) is_mixed: bool,
}

/// What is in a file.
#[derive(Debug, Clone, Default)]
pub(super) struct Parts {
    pub(super) made: Said,
    pub(super) facility: Said,
    /// Of the standard's tables, in the order of the file.
    pub(super) all: Vec<Part>,
}

impl Parts {
    /// All parts of a file. The buffer is used again.
    pub(super) fn of(
        input: impl Read,
        limits: &Limits,
        buffer: &mut Vec<u8>,
    ) -> Result<Self, (Fault, Place)> {
        let mut all = Vec::new();
        let mut found = |part: Part, _: &Envelope| {
            all.push(part);
            Ok(())
        };
        let envelope = walk(input, limits, buffer, &mut found)?;
        all.shrink_to_fit();
        Ok(Self { made: envelope.made, facility: envelope.facility, all })
    }
}

/// Is told of a part when it ends, with what the envelope said so far.
pub(super) type Found<'f> = &'f mut dyn FnMut(Part, &Envelope) -> Outcome;

/// Walks through a file and tells each part.
pub(super) fn walk(
    input: impl Read,
    limits: &Limits,
    buffer: &mut Vec<u8>,
    found: Found<'_>,
) -> Result<Envelope, (Fault, Place)> {
    let mut walk = Walk {
        feed: Feed::new(input, limits.file_bytes, std::mem::take(buffer)),
        open: Open::default(),
        envelope: Envelope::default(),
        limits,
        text: 0,
        token: 0,
        stopped_at: None,
    };
    let outcome = walk.run(found);
    let place = walk.place();
    *buffer = walk.feed.into_buffer();
    outcome.map(|()| walk.envelope).map_err(|fault| (fault, place))
}

struct Walk<'w, R> {
    feed: Feed<R>,
    open: Open,
    envelope: Envelope,
    limits: &'w Limits,
    /// Bytes of the text so far.
    text: usize,
    /// Bytes of the token that is looked at.
    token: usize,
    /// Where the bytes failed.
    stopped_at: Option<u64>,
}

impl<R: Read> Walk<'_, R> {
    fn run(&mut self, found: Found<'_>) -> Outcome {
        // So that a mark at the beginning is seen whole.
        while self.feed.window().len() < 3 && self.read_on()? {}
        if self.feed.window().starts_with("\u{feff}".as_bytes()) {
            self.feed.take(3);
        }
        loop {
            let Some((token, length)) = token(self.feed.window())? else {
                if self.more()? {
                    continue;
                }
                return self.envelope.finish();
            };
            self.token = length;
            let is_text = matches!(token, Token::Text(_));
            self.text = if is_text { self.text + length } else { 0 };
            if self.text.max(length) > event_bytes(self.limits) {
                return Err(too_long(event_bytes(self.limits)));
            }
            let mut is_content = false;
            match token {
                Token::Start(tag) => {
                    check_tag(&tag)?;
                    if !self.envelope.began() && tag.name != ROOT {
                        let table = Table::beginning(tag.name).ok_or_else(unknown)?;
                        return self.bare(table, found);
                    }
                    let element = self.envelope.start(tag.name, self.limits)?;
                    if tag.is_empty {
                        self.envelope.end()?;
                    } else {
                        self.open.push(tag.name);
                        is_content = element == Element::Content;
                    }
                }
                Token::End(name) => {
                    if let Err(fault) = self.open.pop(name) {
                        self.token = 0;
                        return Err(fault);
                    }
                    self.envelope.end()?;
                }
                Token::Text(text) | Token::Section(text) => self.envelope.text(text)?,
                Token::Reference(reference) => {
                    let mut bytes = [0; 4];
                    let text = character(reference)?.encode_utf8(&mut bytes);
                    self.envelope.text(text.as_bytes())?;
                }
                Token::Declaration(content) => check_declaration(content)?,
                Token::Other => {}
            }
            self.feed.take(std::mem::take(&mut self.token));
            if is_content {
                self.content(found)?;
                self.envelope.end()?;
            }
        }
    }

    /// Goes to the end tag of the `NOIDUNGFILE` that just began, and takes that too.
    fn content(&mut self, found: Found<'_>) -> Outcome {
        let table = self.envelope.table()?;
        let floor = self.open.depth();
        let begin = self.feed.position();
        // What there is of base64, elements, and documents in sections.
        let (mut has_text, mut elements, mut sections) = (false, 0, 0);
        while self.open.depth() >= floor {
            let end = self.feed.position();
            let Some((token, length)) = token(self.feed.window())? else {
                if self.more()? {
                    continue;
                }
                return Err(Fault::wrong("it ends in a NOIDUNGFILE; it is cut short"));
            };
            self.token = length;
            let depth = self.open.depth() - floor;
            let is_text = matches!(token, Token::Text(_));
            self.text = if is_text && depth > 0 { self.text + length } else { 0 };
            let longest = event_bytes(self.limits);
            if self.text > longest
                || length > longest && !matches!(token, Token::Text(_) | Token::Section(_))
            {
                return Err(too_long(longest));
            }
            match token {
                Token::Text(text) if depth == 0 => has_text |= !is_blank(text),
                Token::Section(text) if depth == 0 => {
                    let is_document = text.trim_ascii_start().starts_with(b"<");
                    sections += usize::from(is_document);
                    has_text |= !is_document && !is_blank(text);
                }
                Token::Start(tag) => {
                    check_tag(&tag)?;
                    elements += usize::from(depth == 0);
                    if elements > 1 {
                        return Err(mixed());
                    }
                    if depth >= self.limits.depth {
                        return Err(too_deep(self.limits));
                    }
                    if !tag.is_empty {
                        self.open.push(tag.name);
                    }
                }
                Token::End(name) => {
                    if let Err(fault) = self.open.pop(name) {
                        self.token = 0;
                        return Err(fault);
                    }
                    if depth == 0 {
                        let is_mixed = usize::from(has_text) + elements + sections > 1;
                        self.tell(begin..end, table, is_mixed, found)?;
                    }
                }
                Token::Reference(reference) if depth == 0 => check_line_end(reference)?,
                Token::Declaration(content) => check_declaration(content)?,
                Token::Text(_) | Token::Section(_) | Token::Reference(_) | Token::Other => {}
            }
            self.feed.take(std::mem::take(&mut self.token));
        }
        Ok(())
    }

    fn tell(&self, at: Range<u64>, table: u64, is_mixed: bool, found: Found<'_>) -> Outcome {
        let table = u8::try_from(table).ok().filter(|table| Table::numbered(*table).is_some());
        let Some(table) = table else { return Ok(()) };
        let length = u32::try_from(at.end - at.start).unwrap_or(u32::MAX);
        let hoso = u32::try_from(self.envelope.hoso).unwrap_or(u32::MAX);
        let part = Part { begin: at.start, length, hoso, table, is_bare: false, is_mixed };
        found(part, &self.envelope)
    }

    /// The file is a document without an envelope.
    fn bare(&mut self, table: &Table, found: Found<'_>) -> Outcome {
        loop {
            self.feed.take(self.feed.window().len());
            self.token = 0;
            if !self.more()? {
                break;
            }
        }
        let length = u32::try_from(self.feed.position()).unwrap_or(u32::MAX);
        let table = table.number;
        let part = Part { begin: 0, length, hoso: 1, table, is_bare: true, is_mixed: false };
        found(part, &self.envelope)
    }

    /// Whether there are more bytes; what is looked at must end with the file.
    fn more(&mut self) -> Outcome<bool> {
        let longest = match self.feed.window() {
            [b'<', b'!', b'[', ..] => content_bytes(self.limits),
            _ => event_bytes(self.limits),
        };
        if self.feed.window().len() > longest {
            return Err(too_long(longest));
        }
        let more = self.read_on()?;
        if more || self.feed.window().is_empty() {
            return Ok(more);
        }
        Err(unclosed(self.feed.window()))
    }

    fn read_on(&mut self) -> Outcome<bool> {
        let stop = match self.feed.more() {
            Ok(more) => return Ok(more),
            Err(stop) => stop,
        };
        Err(match stop {
            Stop::Read(error) => Fault::Read(error),
            Stop::File => Fault::Bound {
                what: "is larger than it may be",
                bound: format!("{} bytes", self.limits.file_bytes),
            },
            Stop::NotUtf8(at) => {
                self.stopped_at = Some(at);
                not_utf8()
            }
            Stop::Control(at) => {
                self.stopped_at = Some(at);
                control()
            }
        })
    }

    /// Where a fault is.
    fn place(&self) -> Place {
        let byte = self.feed.position() + self.token as u64;
        Place { hoso: self.envelope.hoso, byte: self.stopped_at.unwrap_or(byte) }
    }
}

pub(super) fn mixed() -> Fault {
    Fault::wrong("a NOIDUNGFILE holds more than one document")
}

fn unknown() -> Fault {
    Fault::wrong(
        "it begins neither with GIAMDINHHS nor with a document of the standard's tables; the place \
         names files that are no claims, or the sender uses another standard",
    )
}
