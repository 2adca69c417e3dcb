//! What is in a `NOIDUNGFILE`: base64 of a document, or the document itself. That of another table is
//! passed over, and its base64 never leaves the buffer of the file.

use std::io::{BufRead, Read};

use quick_xml::events::Event;

use super::events::{TAG_BYTES, character, check_other, check_tag, pass, read_document};
use super::fault::{Fault, Outcome};
use super::feed::first;
use super::file::Walk;
use super::records::too_deep;

impl<R: Read> Walk<'_, '_, R> {
    /// Reads on to the end tag of the `NOIDUNGFILE` that just began, and takes that too.
    pub(super) fn content(&mut self, buffer: &mut Vec<u8>) -> Outcome {
        let wanted = self.envelope.table()? == u64::from(self.records.plan().table.number);
        self.decoder.clear();
        // The document is there as it is, and was read.
        let mut is_plain = false;
        loop {
            self.base64(wanted)?;
            let event = self.next(buffer, self.section_bytes())?;
            if is_plain && !self.decoder.is_empty() {
                return Err(mixed());
            }
            match &event {
                Event::End(_) => break,
                Event::Eof => {
                    return Err(Fault::wrong("it ends in a NOIDUNGFILE; it is cut short"));
                }
                Event::Start(tag) | Event::Empty(tag) => {
                    if is_plain || !self.decoder.is_empty() {
                        return Err(mixed());
                    }
                    check_tag(tag)?;
                    is_plain = true;
                    let is_open = matches!(event, Event::Start(_));
                    if wanted {
                        pass(&event, self.records)?;
                        self.document(buffer)?;
                    } else if is_open {
                        self.pass_over(buffer)?;
                    }
                }
                Event::CData(text) if wanted => {
                    if text.trim_ascii_start().starts_with(b"<")
                        && self.decoder.is_empty()
                        && !is_plain
                    {
                        is_plain = true;
                        read_document(text, self.records)?;
                    } else {
                        self.decoder.push(text, self.limits.part_bytes)?;
                    }
                }
                Event::Text(text) if wanted => self.decoder.push(text, self.limits.part_bytes)?,
                // Some writers put the line ends of base64 as references.
                Event::GeneralRef(reference) => {
                    if !character(reference)?.is_ascii_whitespace() {
                        return Err(Fault::wrong(
                            "a NOIDUNGFILE is neither base64 nor an XML document",
                        ));
                    }
                }
                other => check_other(other)?,
            }
        }
        if is_plain && !self.decoder.is_empty() {
            return Err(mixed());
        }
        let document = self.decoder.finish()?;
        // A table of which the visit has nothing may come empty.
        if document.is_empty() { Ok(()) } else { read_document(document, self.records) }
    }

    /// Takes the text up to the next mark-up as base64. It is taken from the buffer of the file,
    /// before the parser copies it.
    fn base64(&mut self, wanted: bool) -> Outcome {
        self.reader.get_mut().allow(usize::MAX);
        loop {
            let mut stream = self.reader.stream();
            let Ok(chunk) = stream.fill_buf() else { return Err(self.stopped()) };
            let mark = first(chunk, |byte| (byte == b'<') | (byte == b'&'));
            let length = mark.unwrap_or(chunk.len());
            let is_end = mark.is_some() || chunk.is_empty();
            if wanted {
                self.decoder.push(&chunk[..length], self.limits.part_bytes)?;
            }
            stream.consume(length);
            if is_end {
                return Ok(());
            }
        }
    }

    /// Reads the rest of a document that is there as it is.
    fn document(&mut self, buffer: &mut Vec<u8>) -> Outcome {
        while !self.records.ended() {
            let event = self.next(buffer, self.event_bytes())?;
            if matches!(event, Event::Eof) {
                break;
            }
            pass(&event, self.records)?;
        }
        self.records.end_document()
    }

    fn pass_over(&mut self, buffer: &mut Vec<u8>) -> Outcome {
        let mut depth = 1;
        while depth > 0 {
            match self.next(buffer, self.event_bytes())? {
                Event::Start(_) => depth += 1,
                Event::End(_) => depth -= 1,
                Event::Eof => {
                    return Err(Fault::wrong("it ends in a NOIDUNGFILE; it is cut short"));
                }
                other => check_other(&other)?,
            }
            if depth > self.limits.depth {
                return Err(too_deep(self.limits));
            }
        }
        Ok(())
    }

    /// Bytes that a section of a `NOIDUNGFILE` may have: a document in base64, with line breaks.
    fn section_bytes(&self) -> usize {
        self.limits.part_bytes.saturating_mul(3) / 2 + TAG_BYTES
    }
}

fn mixed() -> Fault {
    Fault::wrong("a NOIDUNGFILE holds more than one document")
}
