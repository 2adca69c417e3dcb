//! The binary form of `COPY`, as rows become batches.
//!
//! A signature, flags and an extension come first, then for each row the count of its fields and
//! for each field its length and bytes, all numbers in network order; a count of -1 is the end. See
//! "Binary Format" of COPY in PostgreSQL's manual. Bytes may be cut anywhere: they are gathered
//! into blocks, and the whole rows of a block are read column by column.
//!
//! What is not of this form is refused with the number of the row, and so is a row that never ends.

use std::ops::ControlFlow;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{Field, Schema, SchemaRef};

use super::columns::{Bad, Block, Column, Spot};
use super::kinds::Kind;
use crate::{BATCH_ROWS, SourceError};

const SIGNATURE: &[u8; 11] = b"PGCOPY\n\xff\r\n\0";

/// Of the flags, those that a reader must know; none is known.
const CRITICAL_FLAGS: u32 = 0xFFFF_0000;

/// Bytes that are gathered before they are read: they and what they become fit the cache.
const BLOCK_BYTES: usize = 128 << 10;

/// Bytes of one row at most.
const ROW_BYTES: usize = 64 << 20;

/// Bytes of text in one batch at most, as a whole.
const BATCH_BYTES: usize = 32 << 20;

/// Where rows come from, for those who have to look after it.
#[derive(Debug, Clone)]
pub(super) struct Origin {
    /// Host and port.
    pub(super) server: String,
    /// The relation.
    pub(super) place: String,
    /// Which of several connections reads them, from 1.
    pub(super) part: Option<usize>,
}

impl Origin {
    fn row(&self, number: u64) -> String {
        match self.part {
            None => format!("in row {number}"),
            Some(part) => format!("in row {number} of connection {part}"),
        }
    }

    pub(super) fn malformed(&self, at: String, what: impl Into<String>) -> SourceError {
        let (place, what) = (self.place.clone(), what.into());
        SourceError::Malformed { place, format: "binary COPY", at, what }
    }
}

/// Columns as the server sends them.
pub(super) fn schema(columns: &[(String, Kind)]) -> SchemaRef {
    let field = |(name, kind): &(String, Kind)| Field::new(name, kind.data_type(), true);
    Arc::new(Schema::new(columns.iter().map(field).collect::<Vec<_>>()))
}

/// Turns bytes into batches.
pub(super) struct Decoder {
    origin: Origin,
    schema: SchemaRef,
    columns: Vec<Column>,
    stage: Stage,
    /// Bytes that are not yet read; they begin with the header or a row.
    bytes: Vec<u8>,
    /// How many of them are worth looking at.
    enough: usize,
    block_bytes: usize,
    spots: Vec<Spot>,
    /// Rows in batches that are done.
    done: u64,
    /// Rows in the columns.
    waiting: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Header,
    Rows,
    End,
}

impl Decoder {
    pub(super) fn new(origin: Origin, columns: &[(String, Kind)]) -> Self {
        Self::with_blocks(origin, columns, BLOCK_BYTES)
    }

    /// As [`Self::new`], with another size of blocks.
    pub(super) fn with_blocks(
        origin: Origin,
        columns: &[(String, Kind)],
        block_bytes: usize,
    ) -> Self {
        Self {
            origin,
            schema: schema(columns),
            columns: columns.iter().map(|(_, kind)| Column::new(*kind)).collect(),
            stage: Stage::Header,
            bytes: Vec::new(),
            enough: block_bytes,
            block_bytes,
            spots: Vec::new(),
            done: 0,
            waiting: 0,
        }
    }

    /// Takes the next bytes; the batches that they fill go to `out`.
    ///
    /// # Errors
    /// When they are not of the form, or a value cannot be given on. Then nothing more may be fed.
    pub(super) fn feed(
        &mut self,
        chunk: &[u8],
        out: &mut Vec<RecordBatch>,
    ) -> Result<(), SourceError> {
        for piece in chunk.chunks(BLOCK_BYTES) {
            self.bytes.extend_from_slice(piece);
            if self.bytes.len() >= self.enough {
                self.read(out)?;
                self.enough = self.bytes.len() + self.block_bytes;
            }
        }
        Ok(())
    }

    /// No more bytes come; the last batch goes to `out`.
    ///
    /// # Errors
    /// As [`Self::feed`], and when the end is not one.
    pub(super) fn finish(&mut self, out: &mut Vec<RecordBatch>) -> Result<(), SourceError> {
        self.read(out)?;
        if self.stage != Stage::End {
            return Err(self.bad_row(0, "the bytes end in it"));
        }
        if self.waiting > 0 {
            out.push(self.batch()?);
        }
        Ok(())
    }

    /// Reads all whole rows that are there.
    fn read(&mut self, out: &mut Vec<RecordBatch>) -> Result<(), SourceError> {
        let mut from = 0;
        if self.stage == Stage::Header {
            let Some(len) = self.header()? else { return Ok(()) };
            (from, self.stage) = (len, Stage::Rows);
        }
        loop {
            let (until, more) = self.find_rows(from)?;
            self.take_rows()?;
            from = until;
            if self.waiting >= BATCH_ROWS || self.text_bytes() >= BATCH_BYTES {
                out.push(self.batch()?);
            }
            if !more {
                break;
            }
        }
        self.bytes.drain(..from);
        if self.bytes.len() > ROW_BYTES {
            return Err(self.too_long(0));
        }
        Ok(())
    }

    /// The length of the header, once it is there.
    fn header(&self) -> Result<Option<usize>, SourceError> {
        let bad = |what| Err(self.origin.malformed("at its beginning".to_owned(), what));
        let known = self.bytes.len().min(SIGNATURE.len());
        if self.bytes[..known] != SIGNATURE[..known] {
            return bad("its signature is missing");
        }
        let Some(rest) = self.bytes.get(SIGNATURE.len()..) else { return Ok(None) };
        let (Some(flags), Some(extension)) = (long(rest, 0), long(rest, 4)) else {
            return Ok(None);
        };
        if flags as u32 & CRITICAL_FLAGS != 0 {
            return bad("its flags ask for what is not known");
        }
        let Ok(extension) = usize::try_from(extension) else {
            return bad("the length of its extension is negative");
        };
        if extension > BLOCK_BYTES {
            return bad("its extension is longer than 128 KiB");
        }
        let len = SIGNATURE.len() + 8 + extension;
        Ok((self.bytes.len() >= len).then_some(len))
    }

    /// Finds the fields of the whole rows from that byte on, as many as the batch may still have:
    /// where they end, and whether there is more to find.
    fn find_rows(&mut self, from: usize) -> Result<(usize, bool), SourceError> {
        self.spots.clear();
        let mut at = from;
        while self.stage == Stage::Rows {
            let row = self.spots.len() / self.columns.len();
            if self.waiting + row >= BATCH_ROWS {
                return Ok((at, true));
            }
            let known = self.spots.len();
            match self.find_row(at, row)? {
                ControlFlow::Continue(next) => at = next,
                ControlFlow::Break(()) => {
                    self.spots.truncate(known);
                    return Ok((at, false));
                }
            }
        }
        if at < self.bytes.len() {
            let row = self.spots.len() / self.columns.len();
            return Err(self.bad_row(row, "there is more behind its end"));
        }
        Ok((at, false))
    }

    /// Finds the fields of one row, the `row`th of this turn: where it ends, or a break where not
    /// all of it is there.
    fn find_row(
        &mut self,
        mut at: usize,
        row: usize,
    ) -> Result<ControlFlow<(), usize>, SourceError> {
        let begin = at;
        let Some(count) = short(&self.bytes, at) else { return Ok(ControlFlow::Break(())) };
        at += 2;
        if count == -1 {
            self.stage = Stage::End;
            return Ok(ControlFlow::Continue(at));
        }
        if usize::try_from(count) != Ok(self.columns.len()) {
            return Err(self.bad_row(row, "it has not as many fields as were asked for"));
        }
        for _ in 0..count {
            let Some(len) = long(&self.bytes, at) else { return Ok(ControlFlow::Break(())) };
            at += 4;
            if len < -1 {
                return Err(self.bad_row(row, "the length of a field is negative"));
            }
            let spot = Spot { at: u32::try_from(at).unwrap_or(u32::MAX), len };
            at += usize::try_from(len).unwrap_or(0);
            if at - begin > ROW_BYTES {
                return Err(self.too_long(row));
            }
            if at > self.bytes.len() {
                return Ok(ControlFlow::Break(()));
            }
            self.spots.push(spot);
        }
        Ok(ControlFlow::Continue(at))
    }

    /// The rows that were found go into the columns.
    fn take_rows(&mut self) -> Result<(), SourceError> {
        let count = self.columns.len();
        let block = Block { bytes: &self.bytes, spots: &self.spots, columns: count };
        for (at, column) in self.columns.iter_mut().enumerate() {
            if let Err((row, bad)) = column.read(&block, at) {
                let number = self.done + (self.waiting + row) as u64 + 1;
                return Err(bad_field(&self.origin, number, self.schema.field(at).name(), bad));
            }
        }
        self.waiting += self.spots.len() / count;
        Ok(())
    }

    fn text_bytes(&self) -> usize {
        self.columns.iter().map(Column::text_bytes).sum()
    }

    fn batch(&mut self) -> Result<RecordBatch, SourceError> {
        let mut arrays = Vec::with_capacity(self.columns.len());
        for (column, field) in self.columns.iter_mut().zip(self.schema.fields()) {
            arrays.push(column.finish().map_err(|(row, bad)| {
                bad_field(&self.origin, self.done + row as u64 + 1, field.name(), bad)
            })?);
        }
        self.done += self.waiting as u64;
        self.waiting = 0;
        Ok(RecordBatch::try_new(Arc::clone(&self.schema), arrays)
            .expect("each column is of its kind's type and has had a cell for each row"))
    }

    fn bad_row(&self, row: usize, what: &str) -> SourceError {
        self.origin.malformed(self.origin.row(self.number(row)), what)
    }

    fn too_long(&self, row: usize) -> SourceError {
        let row = self.origin.row(self.number(row));
        SourceError::Bound {
            place: format!("{}, {row},", self.origin.place),
            what: "has a row that is longer than it may be",
            bound: format!("{} MiB", ROW_BYTES >> 20),
        }
    }

    /// The number of a row of this turn, from 1.
    fn number(&self, row: usize) -> u64 {
        self.done + (self.waiting + row) as u64 + 1
    }
}

fn bad_field(origin: &Origin, row: u64, column: &str, bad: Bad) -> SourceError {
    let row = origin.row(row);
    match bad {
        Bad::Bytes(what) => origin.malformed(format!("{row}, column `{column}`"), what),
        Bad::Value(what) => SourceError::Refused {
            server: origin.server.clone(),
            place: origin.place.clone(),
            what: format!("the column `{column}` has {what} {row}"),
            remedy: "correct it at the source, or read a view that says what stands for it"
                .to_owned(),
        },
    }
}

fn short(bytes: &[u8], at: usize) -> Option<i16> {
    bytes.get(at..)?.first_chunk().map(|number| i16::from_be_bytes(*number))
}

fn long(bytes: &[u8], at: usize) -> Option<i32> {
    bytes.get(at..)?.first_chunk().map(|number| i32::from_be_bytes(*number))
}
