//! One file, from its first byte to its last.

use std::io::{BufRead, Read};

use quick_xml::events::Event;
use quick_xml::reader::Reader;

use super::Limits;
use super::base64::Decoder;
use super::envelope::{Element, Envelope, ROOT};
use super::events::{TAG_BYTES, character, check_other, check_tag, control, not_utf8, pass};
use super::fault::{Fault, Outcome, Place, Told, not_well_formed};
use super::feed::{Feed, Stop};
use super::plan::Plan;
use super::records::{Context, Records};
use super::tables::Table;
use crate::SourceError;
use crate::files::TableFile;

/// Buffers that the next file uses again.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    decoder: Decoder,
    event: Vec<u8>,
    feed: Vec<u8>,
}

/// Gives the records of a file.
pub(super) fn read(
    file: &TableFile,
    records: &mut Records<'_>,
    scratch: &mut Scratch,
    limits: &Limits,
) -> Result<(), Told> {
    let input = file.reader().map_err(Told::Failed)?;
    let plan = records.plan();
    walk(input, records, scratch, limits).map_err(|(fault, place)| fault.told(file, plan, place))
}

/// The same of any bytes.
pub(super) fn walk(
    input: impl Read,
    records: &mut Records<'_>,
    scratch: &mut Scratch,
    limits: &Limits,
) -> Result<(), (Fault, Place)> {
    let feed = Feed::new(input, limits.file_bytes, std::mem::take(&mut scratch.feed));
    records.context = Context::default();
    let mut walk = Walk {
        reader: Reader::from_reader(feed),
        records,
        decoder: &mut scratch.decoder,
        limits,
        envelope: Envelope::default(),
        stopped_at: None,
    };
    if let Err(fault) = walk.run(&mut scratch.event) {
        return Err((fault, walk.place()));
    }
    scratch.feed = walk.reader.into_inner().into_buffer();
    Ok(())
}

/// Reads a file up to the first record.
pub(super) fn first_record(
    file: &TableFile,
    plan: &Plan,
    limits: &Limits,
) -> Result<(), SourceError> {
    let mut sink = |_| true;
    let mut records = Records::new(plan, limits, &mut sink).first_only();
    match read(file, &mut records, &mut Scratch::default(), limits) {
        Ok(()) | Err(Told::Enough) => Ok(()),
        Err(Told::Failed(error)) => Err(error),
    }
}

/// A file on its way through the parser.
pub(super) struct Walk<'w, 'r, R> {
    pub(super) reader: Reader<Feed<R>>,
    pub(super) records: &'w mut Records<'r>,
    pub(super) decoder: &'w mut Decoder,
    pub(super) limits: &'w Limits,
    pub(super) envelope: Envelope,
    /// Where the parser or the bytes failed.
    stopped_at: Option<u64>,
}

impl<R: Read> Walk<'_, '_, R> {
    fn run(&mut self, buffer: &mut Vec<u8>) -> Outcome {
        loop {
            let event = self.next(buffer, self.event_bytes())?;
            match &event {
                Event::Start(tag) | Event::Empty(tag) => {
                    check_tag(tag)?;
                    let name = tag.name();
                    if !self.envelope.began() && name.as_ref() != ROOT {
                        let table = Table::beginning(name.as_ref()).ok_or_else(unknown)?;
                        if table != self.records.plan().table {
                            return self.drain();
                        }
                        self.records.context.number.push('1');
                        pass(&event, self.records)?;
                        return self.bare(buffer);
                    }
                    let element = self.envelope.start(name.as_ref(), self.records, self.limits)?;
                    let is_open = matches!(event, Event::Start(_));
                    if is_open && element == Element::Content {
                        self.content(buffer)?;
                    }
                    if !is_open || element == Element::Content {
                        self.envelope.end(self.records)?;
                    }
                }
                Event::End(_) => self.envelope.end(self.records)?,
                Event::Text(text) => self.envelope.text(text)?,
                Event::CData(text) => self.envelope.text(text)?,
                Event::GeneralRef(reference) => {
                    let mut bytes = [0; 4];
                    let text = character(reference)?.encode_utf8(&mut bytes);
                    self.envelope.text(text.as_bytes())?;
                }
                Event::Eof => return self.envelope.finish(),
                other => check_other(other)?,
            }
        }
    }

    /// Where a fault is.
    fn place(&self) -> Place {
        let byte = self.stopped_at.unwrap_or_else(|| self.reader.buffer_position());
        Place { hoso: self.envelope.hoso, byte }
    }

    /// Reads the rest of a document without an envelope.
    fn bare(&mut self, buffer: &mut Vec<u8>) -> Outcome {
        loop {
            let event = self.next(buffer, self.event_bytes())?;
            if matches!(event, Event::Eof) {
                return self.records.end_document();
            }
            pass(&event, self.records)?;
        }
    }

    /// Reads on without looking, so that a file that changes is noticed.
    fn drain(&mut self) -> Outcome {
        let feed = self.reader.get_mut();
        feed.allow(usize::MAX);
        loop {
            let Ok(bytes) = feed.fill_buf() else { return Err(self.stopped()) };
            if bytes.is_empty() {
                return Ok(());
            }
            let length = bytes.len();
            feed.consume(length);
        }
    }

    /// The next event, which may have that many bytes.
    pub(super) fn next<'b>(&mut self, buffer: &'b mut Vec<u8>, bytes: usize) -> Outcome<Event<'b>> {
        buffer.clear();
        self.reader.get_mut().allow(bytes);
        match self.reader.read_event_into(buffer) {
            Ok(event) => Ok(event),
            Err(quick_xml::Error::Io(_)) => Err(self.stopped()),
            Err(error) => {
                self.stopped_at = Some(self.reader.error_position());
                Err(not_well_formed(&error))
            }
        }
    }

    /// Why the bytes ended.
    pub(super) fn stopped(&mut self) -> Fault {
        match self.reader.get_mut().stopped() {
            Some(Stop::Read(error)) => Fault::Read(error),
            Some(Stop::File) => Fault::Bound {
                what: "is larger than it may be",
                bound: format!("{} bytes", self.limits.file_bytes),
            },
            Some(Stop::NotUtf8(at)) => {
                self.stopped_at = Some(at);
                not_utf8()
            }
            Some(Stop::Control(at)) => {
                self.stopped_at = Some(at);
                control()
            }
            Some(Stop::Event) | None => {
                Fault::bytes("has a text, tag or comment longer than it may be", self.event_bytes())
            }
        }
    }

    /// Bytes of one event: a cell and the mark-up around it.
    pub(super) fn event_bytes(&self) -> usize {
        self.limits.cell_bytes.saturating_add(4 * TAG_BYTES)
    }
}

fn unknown() -> Fault {
    Fault::wrong(
        "it begins neither with GIAMDINHHS nor with a document of the standard's tables; the place \
         names files that are no claims, or the sender uses another standard",
    )
}
