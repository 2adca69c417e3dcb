//! The records of one table: elements come, rows go.
//!
//! The record is the innermost element that holds the fields. It is the one that the standard names;
//! where a sender wraps the fields otherwise, it is the one that holds a wanted field or `MA_LK`. So
//! that no record is lost in a wrapping that nobody foresaw, text that lies in no record is refused.

use arrow::array::RecordBatch;

use super::Limits;
use super::fault::{Fault, Outcome};
use super::plan::{Origin, Plan, Tag};
use super::tables::Table;
use crate::TextRows;

/// Elements that documents may have beside their records: signatures.
const BESIDE: [&[u8]; 2] = [b"CHUKYDONVI", b"Signature"];

/// Takes the batches; says whether more are wanted.
pub(super) type Sink<'a> = &'a mut dyn FnMut(RecordBatch) -> bool;

/// See the module.
pub(super) struct Records<'a> {
    plan: &'a Plan,
    limits: &'a Limits,
    sink: Sink<'a>,
    /// Ends with the first record.
    one: bool,
    rows: TextRows,
    /// How many rows there were.
    pub(super) count: u64,
    /// The fields that a record had.
    pub(super) seen: Vec<bool>,
    /// What the envelope says.
    pub(super) context: Context,
    /// Open elements of the document.
    depth: usize,
    /// The document's outermost element ended.
    ended: bool,
    /// Depth of an element that is passed over, or 0.
    beside: usize,
    record: Record,
}

/// What the envelope says of the rows to come.
#[derive(Debug, Default)]
pub(super) struct Context {
    /// Number of the `HOSO`.
    pub(super) number: String,
    /// `NGAYLAP`.
    pub(super) made: Option<String>,
    /// `MACSKCB`.
    pub(super) facility: Option<String>,
}

/// The record that is being read.
#[derive(Debug, Default)]
struct Record {
    /// Depth of its element, or 0.
    depth: usize,
    /// Something of it was read, so that it is not a mere wrapping.
    filled: bool,
    /// Its elements so far.
    elements: usize,
    /// The field that is open, unless it is only a sign.
    field: Option<usize>,
    /// Depth of the open field, or 0.
    open: usize,
    /// Where the open field begins in `text`.
    begin: usize,
    /// All its wanted text.
    text: Vec<u8>,
    cells: Vec<Cell>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cell {
    Absent,
    Empty,
    Text(usize, usize),
}

impl<'a> Records<'a> {
    pub(super) fn new(plan: &'a Plan, limits: &'a Limits, sink: Sink<'a>) -> Self {
        let fields = plan.fields.len();
        Self {
            plan,
            limits,
            sink,
            one: false,
            rows: TextRows::new(&plan.columns),
            count: 0,
            seen: vec![false; fields],
            context: Context::default(),
            depth: 0,
            ended: false,
            beside: 0,
            record: Record { cells: vec![Cell::Absent; fields], ..Record::default() },
        }
    }

    /// Ends with the first record, as if nobody wanted more.
    pub(super) fn first_only(self) -> Self {
        Self { one: true, ..self }
    }

    pub(super) fn plan(&self) -> &'a Plan {
        self.plan
    }

    /// Sends the rows that wait.
    pub(super) fn flush(&mut self) -> Outcome {
        if self.rows.rows() == 0 || (self.sink)(self.rows.take()) {
            Ok(())
        } else {
            Err(Fault::Enough)
        }
    }

    /// Whether the document's outermost element ended.
    pub(super) fn ended(&self) -> bool {
        self.ended
    }

    /// Nothing more comes of this document.
    pub(super) fn end_document(&mut self) -> Outcome {
        if self.depth > 0 {
            return Err(Fault::wrong("the document ends before its elements do; it is cut short"));
        }
        if !std::mem::take(&mut self.ended) {
            return Err(Fault::wrong("the document is empty"));
        }
        Ok(())
    }

    /// An element begins.
    #[inline]
    pub(super) fn start(&mut self, name: &[u8]) -> Outcome {
        self.depth += 1;
        if self.depth > self.limits.depth {
            return Err(too_deep(self.limits));
        }
        if self.beside > 0 {
            return Ok(());
        }
        if self.record.depth == 0 {
            return self.start_outside(name);
        }
        if self.record.open > 0 {
            return Err(Fault::wrong("a field holds an element where the standard has text"));
        }
        self.record.elements += 1;
        if self.record.elements > self.limits.cells {
            return Err(Fault::Bound {
                what: "has a record with more elements than it may have",
                bound: self.limits.cells.to_string(),
            });
        }
        let tag = self.plan.tag(name);
        if tag == Tag::Other {
            return Ok(());
        }
        if self.depth != self.record.depth + 1 {
            if self.record.filled {
                return Err(Fault::wrong(
                    "a field of the table lies in another element of its record",
                ));
            }
            // The element that the standard names is a wrapping here.
            self.record.depth = self.depth - 1;
        }
        self.open(tag)
    }

    fn start_outside(&mut self, name: &[u8]) -> Outcome {
        if self.ended {
            return Err(Fault::wrong("something follows the document's outermost element"));
        }
        if BESIDE.contains(&name) {
            self.beside = self.depth;
            return Ok(());
        }
        if name == self.plan.table.record().as_bytes() {
            self.begin(self.depth);
            return Ok(());
        }
        if self.depth == 1 && Table::beginning(name).is_some_and(|table| table != self.plan.table) {
            return Err(Fault::wrong("the document is of another table than its LOAIHOSO says"));
        }
        let tag = self.plan.tag(name);
        if tag == Tag::Other || self.depth == 1 {
            return Ok(());
        }
        self.begin(self.depth - 1);
        self.record.elements = 1;
        self.open(tag)
    }

    fn begin(&mut self, depth: usize) {
        self.record.depth = depth;
        self.record.filled = false;
        self.record.elements = 0;
        self.record.text.clear();
        self.record.cells.fill(Cell::Absent);
    }

    #[inline]
    fn open(&mut self, tag: Tag) -> Outcome {
        let record = &mut self.record;
        record.filled = true;
        record.open = self.depth;
        record.field = None;
        record.begin = record.text.len();
        if let Tag::Wanted(field) = tag {
            if record.cells[field] != Cell::Absent {
                return Err(Fault::Doubled(field));
            }
            record.field = Some(field);
            self.seen[field] = true;
        }
        Ok(())
    }

    /// An element ends.
    #[inline]
    pub(super) fn end(&mut self) -> Outcome {
        let depth = self.depth;
        // The parser refuses an end tag without its begin.
        self.depth = depth.saturating_sub(1);
        self.ended = self.depth == 0;
        let record = &mut self.record;
        if record.open > 0 {
            if let Some(field) = record.field {
                let (begin, end) = (record.begin, record.text.len());
                record.cells[field] =
                    if begin == end { Cell::Empty } else { Cell::Text(begin, end) };
            }
            record.open = 0;
        } else if self.beside == depth {
            self.beside = 0;
        } else if record.depth == depth {
            record.depth = 0;
            // An empty element is a list without entries, not a record of nulls.
            if record.elements > 0 {
                return self.finish();
            }
        }
        Ok(())
    }

    /// Text, as it is in the file.
    #[inline]
    pub(super) fn text(&mut self, text: &[u8]) -> Outcome {
        if self.record.open > 0 {
            if self.record.field.is_none() {
                return Ok(());
            }
            self.room(text.len())?;
            if text.contains(&b'\r') {
                self.line_ends(text);
            } else {
                self.record.text.extend_from_slice(text);
            }
            return Ok(());
        }
        if text.iter().all(u8::is_ascii_whitespace) { Ok(()) } else { self.stray() }
    }

    /// A character that was written as a reference.
    pub(super) fn character(&mut self, character: char) -> Outcome {
        if self.record.open > 0 {
            if self.record.field.is_some() {
                let mut bytes = [0; 4];
                let bytes = character.encode_utf8(&mut bytes).as_bytes();
                self.room(bytes.len())?;
                self.record.text.extend_from_slice(bytes);
            }
            return Ok(());
        }
        if character.is_ascii_whitespace() { Ok(()) } else { self.stray() }
    }

    /// Text that is in no wanted field.
    fn stray(&mut self) -> Outcome {
        if self.record.depth > 0 && self.depth > self.record.depth {
            // Text that lies deeper may be that of a record within a mere wrapping.
            self.record.filled |= self.depth == self.record.depth + 1;
            return Ok(());
        }
        if self.beside > 0 {
            return Ok(());
        }
        Err(Fault::wrong(match (self.record.depth, self.depth) {
            (0, 0) => "text lies outside of the document's outermost element",
            (0, _) => {
                "text lies in no record of the table; its elements are not those of the standard"
            }
            _ => "text lies between the fields of a record",
        }))
    }

    #[inline]
    fn room(&self, more: usize) -> Outcome {
        if self.record.text.len() - self.record.begin + more > self.limits.cell_bytes {
            return Err(Fault::bytes("has a cell longer than it may be", self.limits.cell_bytes));
        }
        Ok(())
    }

    /// XML says that every line end is read as one `\n`.
    fn line_ends(&mut self, text: &[u8]) {
        let mut bytes = text.iter().peekable();
        while let Some(byte) = bytes.next() {
            if *byte == b'\r' {
                bytes.next_if(|next| **next == b'\n');
                self.record.text.push(b'\n');
            } else {
                self.record.text.push(*byte);
            }
        }
    }

    fn finish(&mut self) -> Outcome {
        let Ok(text) = std::str::from_utf8(&self.record.text) else {
            return Err(super::events::not_utf8());
        };
        let (cells, context) = (&self.record.cells, &self.context);
        self.rows.push(self.plan.origins.iter().map(|origin| match *origin {
            Origin::Field(field) => match cells[field] {
                Cell::Text(begin, end) => text.get(begin..end),
                Cell::Empty | Cell::Absent => None,
            },
            Origin::Number => Some(context.number.as_str()),
            Origin::Made => context.made.as_deref(),
            Origin::Facility => context.facility.as_deref(),
        }));
        self.count += 1;
        if self.one {
            return Err(Fault::Enough);
        }
        if self.rows.is_full() { self.flush() } else { Ok(()) }
    }
}

pub(super) fn too_deep(limits: &Limits) -> Fault {
    Fault::Bound {
        what: "has more elements in one another than it may have",
        bound: limits.depth.to_string(),
    }
}
