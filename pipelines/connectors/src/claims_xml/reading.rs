//! One table of one file: its parts, one after another.

use super::Limits;
use super::base64::Decoder;
use super::content::{content_bytes, event_bytes, read_content};
use super::document::read_document;
use super::envelope::Said;
use super::fault::{Fault, Outcome, Place, Told};
use super::parts::{Part, mixed, walk};
use super::plan::{Origin, Plan};
use super::records::Records;
use super::shelf::Shelf;
use crate::SourceError;
use crate::files::{Chunks, TableFile};

/// Bytes read at once, where so many are wanted one behind another.
const BLOCK: u64 = 256 << 10;

/// Bytes between two parts that are rather read than jumped over.
const GAP: u64 = 16 << 10;

/// Blocks of an object that are kept: its parts are read in their order.
const KEPT_BLOCKS: usize = 1;

/// Buffers that the next file uses again.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    decoder: Decoder,
    block: Vec<u8>,
    feed: Vec<u8>,
}

/// Gives the records of a file.
pub(super) fn read(
    file: &TableFile,
    shelf: &Shelf,
    records: &mut Records<'_>,
    scratch: &mut Scratch,
    limits: &Limits,
) -> Result<(), Told> {
    let plan = records.plan();
    let told = |(fault, place): (Fault, Place)| fault.told(file, plan, place);
    let open = file.chunks(KEPT_BLOCKS).map_err(Told::Failed)?;
    let parts = shelf.parts(file, &open, limits, &mut scratch.feed).map_err(told)?;
    let wanted = parts.all.iter().filter(|part| part.table == plan.table.number);
    let wanted: Vec<Part> = wanted.copied().collect();
    if let Some(first) = wanted.first() {
        note(&parts.made, &parts.facility, records).map_err(|fault| told((fault, place(first))))?;
    }
    let mut block = Block { file: &open, bytes: &mut scratch.block, begin: 0, end: 0 };
    for (at, part) in wanted.iter().enumerate() {
        let outcome = block.part(&wanted[at..], limits);
        let outcome = outcome
            .and_then(|content| read_part(content, *part, &mut scratch.decoder, limits, records));
        outcome.map_err(|fault| told((fault, place(part))))?;
    }
    file.check_open(&open).map_err(Told::Failed)
}

/// Reads a file up to the first record.
pub(super) fn first_record(
    file: &TableFile,
    plan: &Plan,
    limits: &Limits,
) -> Result<(), SourceError> {
    let mut sink = |_| true;
    let mut records = Records::new(plan, limits, &mut sink).first_only();
    let mut scratch = Scratch::default();
    let open = file.chunks(KEPT_BLOCKS)?;
    let mut block = Block { file: &open, bytes: &mut scratch.block, begin: 0, end: 0 };
    let input = open.reader().map_err(|error| file.failed(error))?;
    let outcome = walk(input, limits, &mut scratch.feed, &mut |part, envelope| {
        if part.table != plan.table.number {
            return Ok(());
        }
        note(&envelope.made, &envelope.facility, &mut records)?;
        let content = block.part(&[part], limits)?;
        read_part(content, part, &mut scratch.decoder, limits, &mut records)
    });
    match outcome.map_err(|(fault, place)| fault.told(file, plan, place)) {
        Ok(_) | Err(Told::Enough) => Ok(()),
        Err(Told::Failed(error)) => Err(error),
    }
}

/// Where the faults of a part are.
fn place(part: &Part) -> Place {
    Place { hoso: if part.is_bare { 0 } else { part.hoso.into() }, byte: part.begin }
}

/// Keeps what the envelope says of the rows to come. Where that came behind some of them, it is too
/// late.
fn note(made: &Said, facility: &Said, records: &mut Records<'_>) -> Outcome {
    for (said, origin) in [(made, Origin::Made), (facility, Origin::Facility)] {
        if said.late.is_some() && records.plan().wants(origin) {
            return Err(Fault::wrong("NGAYLAP or MACSKCB, which is read, comes behind a HOSO"));
        }
    }
    records.context.made.clone_from(&made.text);
    records.context.facility.clone_from(&facility.text);
    Ok(())
}

fn read_part(
    content: &[u8],
    part: Part,
    decoder: &mut Decoder,
    limits: &Limits,
    records: &mut Records<'_>,
) -> Outcome {
    if part.is_mixed {
        return Err(mixed());
    }
    records.context.number = part.hoso.to_string();
    if part.is_bare {
        read_document(content, event_bytes(limits), records)
    } else {
        read_content(content, decoder, limits, records)
    }
}

/// A stretch of the file that holds one part or several.
struct Block<'b> {
    file: &'b Chunks,
    bytes: &'b mut Vec<u8>,
    begin: u64,
    end: u64,
}

impl Block<'_> {
    /// The bytes of the first of these parts. Those that follow closely are read with it.
    fn part(&mut self, parts: &[Part], limits: &Limits) -> Outcome<&[u8]> {
        let [part, following @ ..] = parts else { return Ok(&[]) };
        if usize::try_from(part.length).is_ok_and(|length| length > content_bytes(limits)) {
            let what = "has a document longer than it may be";
            return Err(Fault::bytes(what, limits.part_bytes));
        }
        let end = part.begin + u64::from(part.length);
        if part.begin < self.begin || end > self.end {
            let mut last = end;
            for next in following {
                let next_end = next.begin + u64::from(next.length);
                if next.begin - last > GAP || next_end - part.begin > BLOCK {
                    break;
                }
                last = next_end;
            }
            let length = usize::try_from(last - part.begin).unwrap_or(usize::MAX);
            if self.bytes.len() < length {
                self.bytes.resize(length, 0);
            }
            (self.begin, self.end) = (part.begin, last);
            let filled = self.file.fill(&mut self.bytes[..length], part.begin);
            filled.map_err(Fault::Read)?;
        }
        // Both lie in a block, whose length is one of memory.
        let from = (part.begin - self.begin) as usize;
        Ok(&self.bytes[from..from + part.length as usize])
    }
}
