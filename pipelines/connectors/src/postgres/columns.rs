//! Fields of the server's binary form become Arrow columns, one column of a block at a time, so
//! that the type is asked for once and not for each cell. Nothing is allocated for a cell.

use std::str;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, BooleanBufferBuilder, Date32Array, Float64Array, Int64Array,
    NullBufferBuilder, StringArray, TimestampMicrosecondArray,
};
use arrow::buffer::{Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};

use super::kinds::Kind;
use super::numeric;
use crate::BATCH_ROWS;

/// Days from the epoch to the day that the server counts from, 2000-01-01.
const EPOCH_DAYS: i32 = 10_957;

/// Microseconds from the epoch to the instant that the server counts from.
pub(super) const EPOCH_MICROS: i64 = EPOCH_DAYS as i64 * 86_400_000_000;

/// Where a field is in its block.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spot {
    /// The first byte.
    pub(super) at: u32,
    /// Bytes; -1 is null.
    pub(super) len: i32,
}

/// Whole rows.
pub(super) struct Block<'a> {
    pub(super) bytes: &'a [u8],
    /// Row by row, a field for each column.
    pub(super) spots: &'a [Spot],
    /// How many fields a row has, at least one.
    pub(super) columns: usize,
}

impl Block<'_> {
    fn fields(&self, column: usize) -> impl Iterator<Item = Option<&[u8]>> {
        self.spots.get(column..).unwrap_or_default().iter().step_by(self.columns).map(|spot| {
            let len = usize::try_from(spot.len).ok()?;
            // Who found the spot saw that all of it is there.
            Some(&self.bytes[spot.at as usize..spot.at as usize + len])
        })
    }
}

/// What is wrong with a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bad {
    /// Its bytes are not of the form of its type.
    Bytes(&'static str),
    /// It is a value that cannot be given on.
    Value(&'static str),
}

impl Bad {
    pub(super) const WIDTH: Self = Self::Bytes("a field has not as many bytes as its type");
    const INFINITE: Self = Self::Value("an infinite date or timestamp");
    const FAR: Self = Self::Value("a date or timestamp too far away");
}

/// A bad field in a row, counted from 0 in its block or batch.
pub(super) type BadRow = (usize, Bad);

/// One column that grows.
pub(super) struct Column {
    kind: Kind,
    cells: Cells,
    nulls: NullBufferBuilder,
}

enum Cells {
    Whole(Vec<i64>),
    Real(Vec<f64>),
    Day(Vec<i32>),
    Truth(BooleanBufferBuilder),
    /// All text of the column, and where each cell begins, and at last the end.
    Text(Vec<u8>, Vec<i32>),
}

impl Column {
    pub(super) fn new(kind: Kind) -> Self {
        let cells = match kind {
            Kind::Int2
            | Kind::Int4
            | Kind::Int8
            | Kind::Oid
            | Kind::Timestamp
            | Kind::Timestamptz => Cells::Whole(Vec::new()),
            Kind::Float4 | Kind::Float8 => Cells::Real(Vec::new()),
            Kind::Date => Cells::Day(Vec::new()),
            Kind::Bool => Cells::Truth(BooleanBufferBuilder::new(0)),
            Kind::Numeric
            | Kind::Time
            | Kind::Uuid
            | Kind::Text
            | Kind::Padded
            | Kind::Char
            | Kind::Jsonb
            | Kind::Label => Cells::Text(Vec::new(), vec![0]),
        };
        Self { kind, cells, nulls: NullBufferBuilder::new(BATCH_ROWS) }
    }

    /// Bytes of text that wait.
    pub(super) fn text_bytes(&self) -> usize {
        if let Cells::Text(bytes, _) = &self.cells { bytes.len() } else { 0 }
    }

    /// Adds the fields of a block's column. After an error the column is of no use.
    pub(super) fn read(&mut self, block: &Block<'_>, column: usize) -> Result<(), BadRow> {
        let (fields, nulls) = (block.fields(column), &mut self.nulls);
        match (&mut self.cells, self.kind) {
            (Cells::Whole(cells), Kind::Int2) => {
                fixed(fields, nulls, cells, |b| Ok(i64::from(i16::from_be_bytes(b))))
            }
            (Cells::Whole(cells), Kind::Int4) => {
                fixed(fields, nulls, cells, |b| Ok(i64::from(i32::from_be_bytes(b))))
            }
            (Cells::Whole(cells), Kind::Oid) => {
                fixed(fields, nulls, cells, |b| Ok(i64::from(u32::from_be_bytes(b))))
            }
            (Cells::Whole(cells), Kind::Timestamp | Kind::Timestamptz) => {
                fixed(fields, nulls, cells, |b| instant(i64::from_be_bytes(b)))
            }
            (Cells::Whole(cells), _) => fixed(fields, nulls, cells, |b| Ok(i64::from_be_bytes(b))),
            (Cells::Real(cells), Kind::Float4) => {
                fixed(fields, nulls, cells, |b| Ok(f64::from(f32::from_be_bytes(b))))
            }
            (Cells::Real(cells), _) => fixed(fields, nulls, cells, |b| Ok(f64::from_be_bytes(b))),
            (Cells::Day(cells), _) => fixed(fields, nulls, cells, |b| day(i32::from_be_bytes(b))),
            (Cells::Truth(cells), _) => truth(fields, nulls, cells),
            (Cells::Text(bytes, ends), kind) => {
                let texts = Texts { nulls, bytes, ends };
                match kind {
                    Kind::Numeric => texts.read(fields, numeric::write),
                    Kind::Time => texts.read(fields, time),
                    Kind::Uuid => texts.read(fields, uuid),
                    Kind::Padded => texts.read(fields, |field, out| {
                        let blanks = field.iter().rev().take_while(|byte| **byte == b' ').count();
                        put(&field[..field.len() - blanks], out)
                    }),
                    Kind::Char => texts.read(fields, |field, out| match field {
                        [0] => Ok(()),
                        [byte] => put(&[*byte], out),
                        _ => Err(Bad::WIDTH),
                    }),
                    Kind::Jsonb => texts.read(fields, |field, out| match field {
                        [1, text @ ..] => put(text, out),
                        _ => Err(Bad::Bytes("a jsonb is of an unknown version")),
                    }),
                    _ => texts.read(fields, put),
                }
            }
        }
    }

    /// The column so far; nothing is left. Room for as much is made at once: the next batch is like
    /// this one.
    pub(super) fn finish(&mut self) -> Result<ArrayRef, BadRow> {
        let nulls = self.nulls.finish();
        Ok(match &mut self.cells {
            Cells::Whole(cells) => {
                let cells = ScalarBuffer::from(renewed(cells));
                match self.kind {
                    Kind::Timestamp => Arc::new(TimestampMicrosecondArray::new(cells, nulls)),
                    Kind::Timestamptz => {
                        Arc::new(TimestampMicrosecondArray::new(cells, nulls).with_timezone("UTC"))
                    }
                    _ => Arc::new(Int64Array::new(cells, nulls)),
                }
            }
            Cells::Real(cells) => {
                Arc::new(Float64Array::new(ScalarBuffer::from(renewed(cells)), nulls))
            }
            Cells::Day(cells) => {
                Arc::new(Date32Array::new(ScalarBuffer::from(renewed(cells)), nulls))
            }
            Cells::Truth(cells) => Arc::new(BooleanArray::new(cells.finish(), nulls)),
            Cells::Text(bytes, ends) => {
                let (bytes, all) = (renewed(bytes), renewed(ends));
                ends.push(0);
                Arc::new(text(bytes, all, nulls)?)
            }
        })
    }
}

fn renewed<T>(cells: &mut Vec<T>) -> Vec<T> {
    let room = Vec::with_capacity(cells.len());
    std::mem::replace(cells, room)
}

/// All text is looked at once. That it is UTF-8, and that each cell begins where a character does,
/// is that each cell is UTF-8.
fn text(bytes: Vec<u8>, ends: Vec<i32>, nulls: Option<NullBuffer>) -> Result<StringArray, BadRow> {
    let (buffer, ends) = (Buffer::from_vec(bytes), ScalarBuffer::from(ends));
    let offsets = OffsetBuffer::new(ends.clone());
    StringArray::try_new(offsets, buffer.clone(), nulls).map_err(|_| {
        let whole = |cell: &[i32]| {
            let range = cell[0] as usize..cell[1] as usize;
            buffer.get(range).is_some_and(|cell| str::from_utf8(cell).is_ok())
        };
        let row = ends.windows(2).position(|cell| !whole(cell)).unwrap_or_default();
        (row, Bad::Bytes("the text is not UTF-8; the server does not know its database's encoding"))
    })
}

/// Fields of `N` bytes.
fn fixed<'a, const N: usize, T: Default>(
    fields: impl Iterator<Item = Option<&'a [u8]>>,
    nulls: &mut NullBufferBuilder,
    cells: &mut Vec<T>,
    value: impl Fn([u8; N]) -> Result<T, Bad>,
) -> Result<(), BadRow> {
    for (row, field) in fields.enumerate() {
        let Some(field) = field else {
            cells.push(T::default());
            nulls.append_null();
            continue;
        };
        let field: [u8; N] = field.try_into().map_err(|_| (row, Bad::WIDTH))?;
        cells.push(value(field).map_err(|bad| (row, bad))?);
        nulls.append_non_null();
    }
    Ok(())
}

fn truth<'a>(
    fields: impl Iterator<Item = Option<&'a [u8]>>,
    nulls: &mut NullBufferBuilder,
    cells: &mut BooleanBufferBuilder,
) -> Result<(), BadRow> {
    for (row, field) in fields.enumerate() {
        let value = match field {
            None => None,
            Some([0]) => Some(false),
            Some([1]) => Some(true),
            Some(_) => return Err((row, Bad::Bytes("a truth value is neither true nor false"))),
        };
        nulls.append(value.is_some());
        cells.append(value.unwrap_or_default());
    }
    Ok(())
}

fn instant(micros: i64) -> Result<i64, Bad> {
    match micros {
        i64::MIN | i64::MAX => Err(Bad::INFINITE),
        _ => micros.checked_add(EPOCH_MICROS).ok_or(Bad::FAR),
    }
}

fn day(days: i32) -> Result<i32, Bad> {
    match days {
        i32::MIN | i32::MAX => Err(Bad::INFINITE),
        _ => days.checked_add(EPOCH_DAYS).ok_or(Bad::FAR),
    }
}

/// A text column that grows.
struct Texts<'a> {
    nulls: &'a mut NullBufferBuilder,
    bytes: &'a mut Vec<u8>,
    ends: &'a mut Vec<i32>,
}

impl Texts<'_> {
    fn read<'a>(
        self,
        fields: impl Iterator<Item = Option<&'a [u8]>>,
        write: impl Fn(&[u8], &mut Vec<u8>) -> Result<(), Bad>,
    ) -> Result<(), BadRow> {
        for (row, field) in fields.enumerate() {
            if let Some(field) = field {
                write(field, self.bytes).map_err(|bad| (row, bad))?;
            }
            self.nulls.append(field.is_some());
            let end = i32::try_from(self.bytes.len());
            self.ends.push(end.map_err(|_| (row, Bad::Value("text of more than 2 GiB")))?);
        }
        Ok(())
    }
}

/// Text as it is.
pub(super) fn put(text: &[u8], out: &mut Vec<u8>) -> Result<(), Bad> {
    out.extend_from_slice(text);
    Ok(())
}

/// `08:30:00`, with as many decimals as it has.
fn time(field: &[u8], out: &mut Vec<u8>) -> Result<(), Bad> {
    let micros = i64::from_be_bytes(field.try_into().map_err(|_| Bad::WIDTH)?);
    // The end of a day is a time of its own.
    if !(0..=86_400_000_000).contains(&micros) {
        return Err(Bad::Bytes("a time is not within a day"));
    }
    let (seconds, mut rest) = (micros / 1_000_000, micros % 1_000_000);
    for (at, part) in [seconds / 3600, seconds / 60 % 60, seconds % 60].into_iter().enumerate() {
        if at > 0 {
            out.push(b':');
        }
        out.extend([b'0' + (part / 10) as u8, b'0' + (part % 10) as u8]);
    }
    if rest > 0 {
        out.push(b'.');
    }
    while rest > 0 {
        out.push(b'0' + (rest / 100_000) as u8);
        rest = rest % 100_000 * 10;
    }
    Ok(())
}

fn uuid(field: &[u8], out: &mut Vec<u8>) -> Result<(), Bad> {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let field: &[u8; 16] = field.try_into().map_err(|_| Bad::WIDTH)?;
    for (at, byte) in field.iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            out.push(b'-');
        }
        out.extend([DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
    }
    Ok(())
}
