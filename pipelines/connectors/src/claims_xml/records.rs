//! The records of one table: elements come, rows go.
//!
//! The record is the innermost element that holds the fields. It is the one that the standard names;
//! where a sender wraps the fields otherwise, it is the one that holds a wanted field or `MA_LK`. So
//! that no record is lost in a wrapping that nobody foresaw, text that lies in no record is refused.

use arrow::array::RecordBatch;

use super::Limits;
use super::fault::{Fault, Outcome};
use super::markup::is_blank;
use super::order::Order;
use super::plan::{Origin, Plan, Tag};
use super::scan::Open;
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
    open: Open,
    order: Order,
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
    /// The wanted text that is not in the document as it is read.
    text: Vec<u8>,
    cells: Vec<Cell>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cell {
    Absent,
    Empty,
    /// From there to there in the document.
    Written(usize, usize),
    /// The same in the record's own text.
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
            open: Open::default(),
            order: Order::default(),
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

    /// A document begins.
    pub(super) fn begin_document(&mut self) {
        self.open.clear();
        (self.ended, self.beside) = (false, 0);
        (self.record.depth, self.record.open) = (0, 0);
    }

    /// Nothing more comes of this document.
    pub(super) fn end_document(&mut self) -> Outcome {
        if self.open.depth() > 0 {
            return Err(Fault::wrong("the document ends before its elements do; it is cut short"));
        }
        if !self.ended {
            return Err(Fault::wrong("the document is empty"));
        }
        Ok(())
    }

    /// Whether [`Self::field`] may be asked: a record is open and no element in it is.
    #[inline]
    pub(super) fn is_between_fields(&self) -> bool {
        let depth = self.open.depth();
        self.record.depth > 0 && self.record.depth == depth && depth < self.limits.depth
    }

    /// Takes the plain field that begins at `at`, and says where it ends; takes nothing of any
    /// other, nor of one that is to be refused. `is_as_written` says whether the text between two
    /// places is.
    #[inline]
    pub(super) fn field(
        &mut self,
        document: &[u8],
        at: usize,
        is_as_written: impl FnOnce(usize, usize) -> bool,
    ) -> Option<usize> {
        let field = self.order.field(document, at, self.plan)?;
        let (begin, end) = field.text;
        let record = &mut self.record;
        if record.elements >= self.limits.cells
            || end - begin > self.limits.cell_bytes
            || !is_as_written(begin, end)
        {
            return None;
        }
        match field.means {
            Tag::Wanted(number) => {
                if record.cells[number] != Cell::Absent {
                    return None;
                }
                record.cells[number] =
                    if begin == end { Cell::Empty } else { Cell::Written(begin, end) };
                self.seen[number] = true;
                record.filled = true;
            }
            Tag::Sign => record.filled = true,
            Tag::Other => record.filled |= !is_blank(&document[begin..end]),
        }
        record.elements += 1;
        Some(field.end)
    }

    /// An element begins.
    pub(super) fn start(&mut self, name: &[u8]) -> Outcome {
        self.open.push(name);
        let depth = self.open.depth();
        if depth > self.limits.depth {
            return Err(too_deep(self.limits));
        }
        if self.beside > 0 {
            return Ok(());
        }
        if self.record.depth == 0 {
            return self.start_outside(name, depth);
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
        if depth != self.record.depth + 1 {
            if self.record.filled {
                return Err(Fault::wrong(
                    "a field of the table lies in another element of its record",
                ));
            }
            // The element that the standard names is a wrapping here.
            self.record.depth = depth - 1;
        }
        self.open(tag, depth)
    }

    fn start_outside(&mut self, name: &[u8], depth: usize) -> Outcome {
        if self.ended {
            return Err(Fault::wrong("something follows the document's outermost element"));
        }
        if BESIDE.contains(&name) {
            self.beside = depth;
            return Ok(());
        }
        if name == self.plan.table.record().as_bytes() {
            self.begin(depth);
            return Ok(());
        }
        if depth == 1 && Table::beginning(name).is_some_and(|table| table != self.plan.table) {
            return Err(Fault::wrong("the document is of another table than its LOAIHOSO says"));
        }
        let tag = self.plan.tag(name);
        if tag == Tag::Other || depth == 1 {
            return Ok(());
        }
        self.begin(depth - 1);
        self.record.elements = 1;
        self.open(tag, depth)
    }

    fn begin(&mut self, depth: usize) {
        self.record.depth = depth;
        self.record.filled = false;
        self.record.elements = 0;
        self.record.text.clear();
        self.record.cells.fill(Cell::Absent);
    }

    fn open(&mut self, tag: Tag, depth: usize) -> Outcome {
        let record = &mut self.record;
        record.filled = true;
        record.open = depth;
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
    pub(super) fn end(&mut self, name: &[u8], document: &str) -> Outcome {
        let depth = self.open.depth();
        self.open.pop(name)?;
        self.ended = depth == 1;
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
                return self.finish(document);
            }
        }
        Ok(())
    }

    /// Text, as it is in the file.
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
        if is_blank(text) { Ok(()) } else { self.stray() }
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
        let depth = self.open.depth();
        if self.record.depth > 0 && depth > self.record.depth {
            // Text that lies deeper may be that of a record within a mere wrapping.
            self.record.filled |= depth == self.record.depth + 1;
            return Ok(());
        }
        if self.beside > 0 {
            return Ok(());
        }
        Err(Fault::wrong(match (self.record.depth, depth) {
            (0, 0) => "text lies outside of the document's outermost element",
            (0, _) => {
                "text lies in no record of the table; its elements are not those of the standard"
            }
            _ => "text lies between the fields of a record",
        }))
    }

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

    fn finish(&mut self, document: &str) -> Outcome {
        let Ok(text) = simdutf8::basic::from_utf8(&self.record.text) else {
            return Err(super::markup::not_utf8());
        };
        let (cells, context) = (&self.record.cells, &self.context);
        self.rows.push(self.plan.origins.iter().map(|origin| match *origin {
            Origin::Field(field) => match cells[field] {
                Cell::Written(begin, end) => document.get(begin..end),
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
