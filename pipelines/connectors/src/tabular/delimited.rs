//! Delimited text, each column as text. An empty cell is null, whether it was quoted or not.

use std::io::Read;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::csv::ReaderBuilder;
use arrow::csv::reader::{Decoder, Format};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};

use super::records::{Fault, Marks, Records};
use crate::encoding::{Decoded, Encoding, is_foreign};
use crate::files::changed;
use crate::{BATCH_ROWS, Request, SourceError};

/// Columns at most: a text without its line ends would be one header.
const MOST_COLUMNS: usize = 4096;

/// The parser keeps an offset for each cell of a batch, also of those that nobody asked for.
const BATCH_CELLS: usize = 1 << 21;

/// Bytes of one batch, so that long cells do not make batches of any size.
const BATCH_BYTES: usize = 32 << 20;

/// How a text is written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Dialect {
    encoding: Encoding,
    marks: Marks,
}

impl Dialect {
    /// UTF-8, commas, double quotes.
    pub(super) const PLAIN: Self =
        Self { encoding: Encoding::Utf8, marks: Marks { delimiter: b',', quote: Some(b'"') } };

    /// As the settings `encoding`, `delimiter` and `quote` say.
    pub(super) fn of(request: &Request, delimiter: &str) -> Result<Self, SourceError> {
        let refused = |setting: &str, what: String| SourceError::Setting {
            place: request.place.clone(),
            setting: setting.to_owned(),
            what,
        };
        let encoding = Encoding::named(request.setting("encoding", "utf-8"))
            .ok_or_else(|| refused("encoding", format!("is none of {}", Encoding::NAMES)))?;
        let delimiter = match request.setting("delimiter", delimiter) {
            "\t" => b'\t',
            "," => b',',
            ";" => b';',
            "|" => b'|',
            _ => {
                let what = "is none of a comma, a semicolon, a bar and a tab";
                return Err(refused("delimiter", what.to_owned()));
            }
        };
        let quote = match request.setting("quote", "\"") {
            "\"" => Some(b'"'),
            "none" => None,
            _ => return Err(refused("quote", "is neither \" nor none".to_owned())),
        };
        Ok(Self { encoding, marks: Marks { delimiter, quote } })
    }

    fn format(self) -> Format {
        // NUL encloses nothing: it is refused before it comes here.
        let quote = self.marks.quote.unwrap_or(0);
        Format::default().with_delimiter(self.marks.delimiter).with_quote(quote)
    }
}

/// The rows of one text, as batches of the columns that are wanted.
pub(super) struct Delimited<R> {
    place: String,
    records: Records<Decoded<R>>,
    decoder: Decoder,
    schema: SchemaRef,
    /// Bytes that wait in the decoder.
    waiting: usize,
    gave_any: bool,
    is_over: bool,
}

impl<R: Read> Delimited<R> {
    /// Reads the header.
    ///
    /// # Errors
    /// When there is none, or it lacks a column.
    pub(super) fn new(
        place: &str,
        text: R,
        dialect: Dialect,
        columns: &[String],
    ) -> Result<Self, SourceError> {
        let mut records = Records::new(Decoded::new(text, dialect.encoding), dialect.marks);
        let header = match records.header() {
            Ok(header) => header,
            Err(fault) => return Err(told(place, &records.at(), fault)),
        };
        if header.is_empty() {
            let what = "it is empty, without a header; have it sent again";
            return Err(told(place, "as a whole", Fault::Form(what)));
        }
        let names = names(&header, dialect);
        if names.is_empty() || names.len() > MOST_COLUMNS {
            let what = "the header has more columns than 4096; is the delimiter right?";
            return Err(told(place, "in the header", Fault::Form(what)));
        }
        let projection = positions(place, &names, columns)?;
        let batch_rows = (BATCH_CELLS / names.len()).clamp(1, BATCH_ROWS);
        let fields: Vec<Field> =
            names.into_iter().map(|name| Field::new(name, DataType::Utf8, true)).collect();
        let whole = Schema::new(fields);
        let wanted: Vec<Field> = projection.iter().map(|at| whole.field(*at).clone()).collect();
        let decoder = ReaderBuilder::new(Arc::new(whole))
            .with_format(dialect.format())
            .with_batch_size(batch_rows)
            .with_projection(projection)
            .build_decoder();
        let schema = Arc::new(Schema::new(wanted));
        let place = place.to_owned();
        Ok(Self { place, records, decoder, schema, waiting: 0, gave_any: false, is_over: false })
    }

    /// The next batch. Where a text has no rows, one empty batch tells its columns.
    fn batch(&mut self) -> Result<Option<RecordBatch>, SourceError> {
        while !self.is_over {
            let used = {
                let piece = match self.records.piece() {
                    Ok(piece) => piece,
                    Err(fault) => return Err(told(&self.place, &self.records.at(), fault)),
                };
                self.decoder.decode(piece).map_err(|_| self.unparsed())?
            };
            self.records.take(used);
            self.waiting += used;
            let is_full = self.decoder.capacity() == 0
                || (self.waiting >= BATCH_BYTES && self.records.is_between_rows());
            if used > 0 && !is_full {
                continue;
            }
            self.is_over = used == 0 && !is_full;
            self.waiting = 0;
            if let Some(batch) = self.decoder.flush().map_err(|_| self.unparsed())? {
                self.gave_any = true;
                return Ok(Some(batch));
            }
        }
        if self.gave_any {
            return Ok(None);
        }
        self.gave_any = true;
        Ok(Some(RecordBatch::new_empty(Arc::clone(&self.schema))))
    }

    /// What the parser says is not kept: it may quote a cell.
    fn unparsed(&self) -> SourceError {
        let at = format!("before or {}", self.records.at());
        told(&self.place, &at, Fault::Form("a row cannot be parsed"))
    }
}

impl<R: Read> Iterator for Delimited<R> {
    type Item = Result<RecordBatch, SourceError>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = self.batch().transpose();
        if matches!(batch, Some(Err(_))) {
            (self.is_over, self.gave_any) = (true, true);
        }
        batch
    }
}

fn names(header: &[u8], dialect: Dialect) -> Vec<String> {
    // The header was watched: it is one row of text. What cannot be parsed has no columns.
    let parsed = dialect.format().with_header(true).infer_schema(header, Some(0));
    parsed.map_or_else(
        |_| Vec::new(),
        |(schema, _)| schema.fields().iter().map(|field| field.name().clone()).collect(),
    )
}

/// Where each wanted column stands.
pub(super) fn positions(
    place: &str,
    names: &[String],
    columns: &[String],
) -> Result<Vec<usize>, SourceError> {
    let position = |column: &String| {
        let mut found = (0..names.len()).filter(|at| &names[*at] == column);
        let (place, column) = (place.to_owned(), column.clone());
        match (found.next(), found.next()) {
            (None, _) => Err(SourceError::MissingColumn { place, column }),
            (Some(at), None) => Ok(at),
            (Some(_), Some(_)) => Err(SourceError::DoubledColumn { place, column }),
        }
    };
    columns.iter().map(position).collect()
}

fn told(place: &str, at: &str, fault: Fault) -> SourceError {
    let what = match fault {
        Fault::Read(source) if changed(&source) => {
            return SourceError::Changed { place: place.to_owned() };
        }
        Fault::Read(source) if !is_foreign(&source) => {
            return SourceError::Read { place: place.to_owned(), source };
        }
        Fault::Read(_) => {
            "a byte is not of the declared encoding; the setting `encoding` says which it is"
        }
        Fault::Form(what) => what,
    };
    SourceError::Malformed {
        place: place.to_owned(),
        format: "CSV",
        at: at.to_owned(),
        what: what.to_owned(),
    }
}
