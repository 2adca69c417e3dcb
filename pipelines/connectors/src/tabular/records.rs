//! Watches delimited text on its way to the parser: what the parser would take for something else
//! than was meant is refused here, with the row where it is.
//!
//! Refused are a row with more or fewer fields than the header, a quoted field that never ends or
//! that more text follows, a NUL byte, and a row that is too long to be one. An empty line is no
//! row. A quote inside a field that does not begin with one is text.

use std::io::{self, Read};

/// The bytes of one row at most: what is longer is a quote that nobody closed.
const ROW_BYTES: usize = 4 << 20;

/// Bytes that are read at once.
const CHUNK: usize = 1 << 18;

/// What separates and encloses fields.
#[derive(Debug, Clone, Copy)]
pub(super) struct Marks {
    pub(super) delimiter: u8,
    /// `None`: no field is enclosed.
    pub(super) quote: Option<u8>,
}

/// Why a text cannot be read on.
#[derive(Debug)]
pub(super) enum Fault {
    /// Reading failed, or a byte is not of the encoding.
    Read(io::Error),
    /// The text is not of the form.
    Form(&'static str),
}

/// Where in the grammar the scanner is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Before the first byte of a row; line ends are skipped.
    RowStart,
    FieldStart,
    Plain,
    Quoted,
    /// Behind a quote in a quoted field: it ended, or the quote is doubled.
    Closed,
}

/// What a byte means outside quoted fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Delimiter,
    Quote,
    LineEnd,
    Nul,
}

/// Text that was watched, in pieces.
pub(super) struct Records<R> {
    inner: R,
    kinds: [Kind; 256],
    buffer: Vec<u8>,
    /// What of the buffer was watched and not yet taken.
    from: usize,
    to: usize,
    /// The end of the last whole row in it.
    row_end: usize,
    /// The end of the first row's text in it, once that row ended.
    header_end: usize,
    place: Place,
    /// Rows that ended, the header among them.
    rows: u64,
    fields: usize,
    /// The fields of the first row; each other has as many.
    expected: Option<usize>,
    row_bytes: usize,
    is_over: bool,
}

impl<R: Read> Records<R> {
    pub(super) fn new(inner: R, marks: Marks) -> Self {
        let mut kinds = [Kind::Text; 256];
        kinds[0] = Kind::Nul;
        kinds[usize::from(b'\n')] = Kind::LineEnd;
        kinds[usize::from(b'\r')] = Kind::LineEnd;
        kinds[usize::from(marks.delimiter)] = Kind::Delimiter;
        if let Some(quote) = marks.quote {
            kinds[usize::from(quote)] = Kind::Quote;
        }
        Self {
            inner,
            kinds,
            buffer: vec![0; CHUNK],
            from: 0,
            to: 0,
            row_end: 0,
            header_end: 0,
            place: Place::RowStart,
            rows: 0,
            fields: 0,
            expected: None,
            row_bytes: 0,
            is_over: false,
        }
    }

    /// The row that is being read: `in the header`, `in row 7`.
    pub(super) fn at(&self) -> String {
        match self.rows {
            0 => "in the header".to_owned(),
            row => format!("in row {row}"),
        }
    }

    /// The next watched bytes: up to the end of a row, where one ends among them. None are left
    /// when they are empty.
    pub(super) fn piece(&mut self) -> Result<&[u8], Fault> {
        if self.from == self.to && !self.is_over {
            self.refill()?;
        }
        let to = if self.row_end > self.from { self.row_end } else { self.to };
        Ok(&self.buffer[self.from..to])
    }

    /// Takes bytes of the last piece.
    pub(super) fn take(&mut self, bytes: usize) {
        self.from += bytes;
    }

    /// Whether everything that was taken is whole rows.
    pub(super) fn is_between_rows(&self) -> bool {
        self.from == self.row_end
    }

    /// Takes the first row: its bytes, without its line end; empty where there is none.
    pub(super) fn header(&mut self) -> Result<Vec<u8>, Fault> {
        let mut header = Vec::new();
        loop {
            let length = self.piece()?.len();
            let is_whole = self.rows > 0;
            let length = if is_whole && length > 0 { self.header_end - self.from } else { length };
            header.extend_from_slice(&self.buffer[self.from..self.from + length]);
            self.take(length);
            if is_whole || length == 0 {
                let start = header.iter().position(|byte| !matches!(byte, b'\r' | b'\n'));
                return Ok(header.split_off(start.unwrap_or(header.len())));
            }
        }
    }

    fn refill(&mut self) -> Result<(), Fault> {
        let read = loop {
            match self.inner.read(&mut self.buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other.map_err(Fault::Read)?,
            }
        };
        (self.from, self.to, self.row_end) = (0, read, 0);
        if read > 0 {
            return self.watch();
        }
        self.is_over = true;
        match self.place {
            Place::RowStart => Ok(()),
            Place::Quoted => Err(Fault::Form("a quoted field never ends")),
            Place::FieldStart | Place::Plain | Place::Closed => self.end_row(),
        }
    }

    fn watch(&mut self) -> Result<(), Fault> {
        let mut row_start = 0;
        for at in 0..self.to {
            let kind = self.kinds[usize::from(self.buffer[at])];
            if kind == Kind::Text && matches!(self.place, Place::Plain | Place::Quoted) {
                continue;
            }
            self.place = match (self.place, kind) {
                (_, Kind::Nul) => return Err(Fault::Form("there is a NUL byte")),
                (Place::RowStart, Kind::LineEnd) => {
                    self.row_end = at + 1;
                    Place::RowStart
                }
                (Place::Quoted, Kind::Quote) => Place::Closed,
                (Place::Quoted, _) => Place::Quoted,
                (_, Kind::Delimiter) => {
                    self.fields += 1;
                    Place::FieldStart
                }
                (_, Kind::LineEnd) => {
                    self.end_row()?;
                    if self.rows == 1 {
                        self.header_end = at;
                    }
                    self.row_end = at + 1;
                    (self.row_bytes, row_start) = (0, at + 1);
                    Place::RowStart
                }
                (Place::RowStart | Place::FieldStart | Place::Closed, Kind::Quote) => Place::Quoted,
                (Place::RowStart | Place::FieldStart | Place::Plain, _) => Place::Plain,
                (Place::Closed, Kind::Text) => {
                    return Err(Fault::Form(
                        "text follows a quoted field; a quote inside one is doubled",
                    ));
                }
            };
        }
        self.row_bytes += self.to - row_start;
        if self.row_bytes <= ROW_BYTES {
            return Ok(());
        }
        Err(Fault::Form("the row is longer than 4 MiB; a quote may be open"))
    }

    fn end_row(&mut self) -> Result<(), Fault> {
        let fields = self.fields + 1;
        self.fields = 0;
        let expected = *self.expected.get_or_insert(fields);
        if fields < expected {
            return Err(Fault::Form("the row has fewer fields than the header"));
        }
        if fields > expected {
            return Err(Fault::Form("the row has more fields than the header"));
        }
        self.rows += 1;
        Ok(())
    }
}
