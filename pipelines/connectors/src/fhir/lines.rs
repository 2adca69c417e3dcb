//! The lines of NDJSON files, and the rows that they make: of a resource one, of a bundle of
//! deletions one for each resource that is gone.

use std::borrow::Cow;
use std::io::{self, BufRead, BufReader, Read};

use arrow::array::RecordBatch;

use super::json::{self, Json};
use super::plan::Plan;
use crate::files::{FileSet, changed};
use crate::{SourceError, TextRows};

/// The longest line: a resource with an attachment in it can have a few megabytes.
pub(super) const LINE_BYTES: usize = 8 << 20;

/// How much of a file is read at once.
const BUFFER_BYTES: usize = 256 << 10;

/// The name under which errors tell the form.
const FORMAT: &str = "FHIR NDJSON";

/// What the lines of a file are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Holds {
    /// Resources of the wanted type.
    Resources,
    /// Bundles that name resources which are gone, as of an instant.
    Deletions(Option<String>),
}

/// The rows of several files, as batches.
pub(super) struct Rows<F> {
    files: F,
    lines: Option<Lines>,
    plan: Plan,
    rows: TextRows,
}

/// Files, opened as they are come to.
pub(super) type Opened = Box<dyn Iterator<Item = Result<Lines, SourceError>> + Send>;

impl Rows<Opened> {
    /// The rows of files of a folder.
    pub(super) fn of_set(set: &FileSet, plan: Plan) -> Self {
        let files = set.files().to_vec().into_iter().map(|file| {
            Ok(Lines::new(file.place.clone(), Box::new(file.reader()?), Holds::Resources))
        });
        Self::new(Box::new(files), plan)
    }
}

impl<F: Iterator<Item = Result<Lines, SourceError>>> Rows<F> {
    pub(super) fn new(files: F, plan: Plan) -> Self {
        let rows = TextRows::new(&plan.names());
        Self { files, lines: None, plan, rows }
    }

    /// The next batch; empty at the end.
    fn batch(&mut self) -> Result<RecordBatch, SourceError> {
        while !self.rows.is_full() {
            let lines = match &mut self.lines {
                Some(lines) => lines,
                none => {
                    let Some(file) = self.files.next() else { break };
                    none.insert(file?)
                }
            };
            let rows = &mut self.rows;
            if !lines.next(&self.plan, |cells| rows.push(cells))? {
                self.lines = None;
            }
        }
        Ok(self.rows.take())
    }
}

impl<F: Iterator<Item = Result<Lines, SourceError>>> Iterator for Rows<F> {
    type Item = Result<RecordBatch, SourceError>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = self.batch();
        match &batch {
            Ok(batch) if batch.num_rows() == 0 => None,
            _ => Some(batch),
        }
    }
}

/// The lines of one file.
pub(super) struct Lines {
    place: String,
    reader: BufReader<Box<dyn Read + Send>>,
    holds: Holds,
    line: Vec<u8>,
    number: usize,
    resources: u64,
    /// How many resources there are, where that was told.
    count: Option<u64>,
}

impl Lines {
    pub(super) fn new(place: String, reader: Box<dyn Read + Send>, holds: Holds) -> Self {
        let reader = BufReader::with_capacity(BUFFER_BYTES, reader);
        Self { place, reader, holds, line: Vec::new(), number: 0, resources: 0, count: None }
    }

    /// The same, of which it was told how many resources it holds.
    pub(super) fn of(mut self, count: Option<u64>) -> Self {
        self.count = count;
        self
    }

    /// Gives the cells of what the next line holds to `push`; `false` at the end of the file.
    pub(super) fn next(
        &mut self,
        plan: &Plan,
        push: impl FnMut(Vec<Option<Cow<'_, str>>>),
    ) -> Result<bool, SourceError> {
        loop {
            if !self.advance()? {
                return self.judge().map(|()| false);
            }
            if !self.text()?.trim_matches([' ', '\t', '\r', '\n']).is_empty() {
                self.resources += 1;
                let text = self.text()?;
                let resource = json::parse(text).map_err(|fault| {
                    let (what, byte) = (fault.what, fault.byte + 1);
                    self.malformed(format!("{what} at byte {byte}; a line is one whole resource"))
                })?;
                let taken = match &self.holds {
                    Holds::Resources => plan.resource(&resource, push),
                    Holds::Deletions(at) => plan.deletions(&resource, at.as_deref(), push),
                };
                return taken.map(|()| true).map_err(|what| self.malformed(what));
            }
        }
    }

    /// Reads a line; `false` at the end of the file.
    fn advance(&mut self) -> Result<bool, SourceError> {
        self.line.clear();
        self.number += 1;
        let mut bounded = (&mut self.reader).take(LINE_BYTES as u64 + 1);
        let read = bounded.read_until(b'\n', &mut self.line);
        let read = read.map_err(|error| self.failed(error))?;
        if self.line.len() > LINE_BYTES {
            return Err(SourceError::Bound {
                place: format!("{}, line {}", self.place, self.number),
                what: "is a longer line than a resource may be",
                bound: format!("{} MiB", LINE_BYTES >> 20),
            });
        }
        Ok(read > 0)
    }

    fn text(&self) -> Result<&str, SourceError> {
        let text = std::str::from_utf8(&self.line).map_err(|error| {
            let byte = error.valid_up_to() + 1;
            self.malformed(format!("byte {byte} is not UTF-8; have it exported as UTF-8"))
        })?;
        let first = self.number == 1;
        Ok(if first { text.strip_prefix('\u{feff}').unwrap_or(text) } else { text })
    }

    /// Whether all came that was told of.
    fn judge(&self) -> Result<(), SourceError> {
        let resources = self.resources;
        match self.count.filter(|count| *count != resources) {
            None => Ok(()),
            Some(count) => Err(SourceError::Malformed {
                place: self.place.clone(),
                format: FORMAT,
                at: "as a whole".to_owned(),
                what: format!("it holds {resources} resources, and {count} were announced"),
            }),
        }
    }

    fn failed(&self, error: io::Error) -> SourceError {
        let place = self.place.clone();
        match error.downcast::<SourceError>() {
            Ok(own) => own,
            Err(error) if changed(&error) => SourceError::Changed { place },
            Err(source) => SourceError::Read { place, source },
        }
    }

    fn malformed(&self, what: String) -> SourceError {
        SourceError::Malformed {
            place: self.place.clone(),
            format: FORMAT,
            at: format!("in line {}", self.number),
            what,
        }
    }
}

/// The type and the id that a deletion names: `Patient/123`, or an address that ends so.
pub(super) fn gone<'a>(entry: &'a Json<'_>) -> Option<(&'a str, &'a str)> {
    let request = entry.member("request")?;
    let text = |name: &str| match request.member(name) {
        Some(Json::String(text)) => Some(text.as_ref()),
        _ => None,
    };
    let address = text("url").filter(|_| text("method") == Some("DELETE"))?;
    let (before, id) = address.rsplit_once('/')?;
    let resource = before.rsplit_once('/').map_or(before, |(_, last)| last);
    (!id.is_empty() && !address.contains('?')).then_some((resource, id))
}
