//! FHIR R4 resources in NDJSON files, as a server's bulk export writes them: one line, one resource,
//! one row.
//!
//! A request's place names the files of one type (`fhir/Encounter.*.ndjson`: see [`crate::files`]),
//! its columns are paths into a resource:
//!
//! | path | cell |
//! |---|---|
//! | `id`, `meta.lastUpdated`, `class.code` | the member; of a list with one value, that value |
//! | `name[0].family` | of the value at that place of a list, from 0 |
//! | `code.coding[system=http://loinc.org].code` | of the first value whose member is that text; several selectors must all fit |
//! | `name.given[*]` | all values, with `;` between them |
//! | `effective[x]` | the only member that begins so, goes on with a capital letter and is a plain value |
//! | `valueQuantity.value` | one type of a choice, where it has parts |
//! | `subject.reference.id()` | what follows the last `/` or `:` of a reference, its version left out |
//!
//! Strings stay as they are, numbers keep all their digits, truths are `true` and `false`. What is
//! missing is null; so is a path whose first member no resource has, for most of FHIR is optional:
//! a contract that needs a cell declares it so. References lead to rows of other tables; they are
//! joined there.
//!
//! Settings: `resource`, the type that all lines must have (`Encounter`); `complete` of
//! [`crate::files`].
//!
//! It refuses lines of another type, lines that are no JSON or not UTF-8, members that come twice,
//! lines over 8 MiB, nesting over 64 levels, and a path that meets several values without saying
//! which, or ends at none. Blank lines, CRLF and a byte order mark at the beginning are no fault. A
//! span is ignored: files send all their rows.
//!
//! Fetching the files from a server's `$export` is a step before this one, and leaves files like
//! these.

mod json;
mod path;

use std::borrow::Cow;
use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::RecordBatch;
use async_trait::async_trait;

use self::json::Json;
use self::path::Path;
use crate::files::{FileSet, TableFile, Unchanged};
use crate::{Request, Snapshot, Source, SourceError, TextRows, in_background};

/// The longest line: a resource with an attachment in it can have a few megabytes.
const LINE_BYTES: usize = 8 << 20;

/// How much of a file is read at once.
const BUFFER_BYTES: usize = 256 << 10;

/// The name under which errors tell the form.
const FORMAT: &str = "FHIR NDJSON";

/// FHIR resources in files: see the module.
#[derive(Debug, Clone)]
pub struct Fhir {
    root: Option<PathBuf>,
}

impl Fhir {
    /// Reads below the folder of sources; where none is configured every request is refused.
    pub fn new(root: Option<PathBuf>) -> Self {
        Self { root }
    }

    async fn find(&self, request: &Request) -> Result<Option<FileSet>, SourceError> {
        let Some(root) = self.root.clone() else {
            return Err(SourceError::Setting {
                place: request.place.clone(),
                setting: "sources".to_owned(),
                what: "is not set; it names the folder below which files are read".to_owned(),
            });
        };
        let request = request.clone();
        blocking(request.place.clone(), move || FileSet::find(&root, &request)).await
    }
}

#[async_trait]
impl Source for Fhir {
    async fn open(&self, request: &Request) -> Result<Option<Snapshot>, SourceError> {
        let plan = Plan::new(request)?;
        let Some(set) = self.find(request).await? else { return Ok(None) };
        let known = Some(set.known());
        Ok(Some(Snapshot { rows: in_background(Rows::new(&set, plan)), known }))
    }

    /// Reads the first resource of each file too: a wrong type or path shows there already.
    async fn examine(&self, request: &Request) -> Result<bool, SourceError> {
        let plan = Plan::new(request)?;
        let Some(set) = self.find(request).await? else { return Ok(false) };
        blocking(request.place.clone(), move || {
            for file in set.files() {
                let mut lines = Lines::open(file)?;
                lines.row(&plan, |_| ())?;
            }
            Ok(true)
        })
        .await
    }
}

/// Runs what waits for the disk where it keeps nobody else waiting.
async fn blocking<T: Send + 'static>(
    place: String,
    work: impl FnOnce() -> Result<T, SourceError> + Send + 'static,
) -> Result<T, SourceError> {
    let stopped =
        |_| SourceError::Read { place, source: std::io::Error::other("reading was stopped") };
    tokio::task::spawn_blocking(work).await.map_err(stopped)?
}

/// What is wanted of each line.
#[derive(Debug, Clone)]
struct Plan {
    resource: String,
    columns: Arc<[(String, Path)]>,
}

impl Plan {
    fn new(request: &Request) -> Result<Self, SourceError> {
        let setting = |setting: &str, what: &str| SourceError::Setting {
            place: request.place.clone(),
            setting: setting.to_owned(),
            what: what.to_owned(),
        };
        let resource = request.setting("resource", "").to_owned();
        let begins = resource.starts_with(|c: char| c.is_ascii_uppercase());
        if !begins || !resource.chars().all(|c| c.is_ascii_alphabetic()) {
            return Err(setting("resource", "must be a type of resource, such as `Encounter`"));
        }
        let compile = |column: &String| match Path::parse(column) {
            Ok(path) => Ok((column.clone(), path)),
            Err(what) => Err(setting(column, what)),
        };
        let columns = request.columns.iter().map(compile).collect::<Result<_, _>>()?;
        Ok(Self { resource, columns })
    }
}

/// The rows of several files, as batches.
struct Rows {
    files: std::vec::IntoIter<TableFile>,
    lines: Option<Lines>,
    plan: Plan,
    rows: TextRows,
}

impl Rows {
    fn new(set: &FileSet, plan: Plan) -> Self {
        let names: Vec<&str> = plan.columns.iter().map(|(name, _)| name.as_str()).collect();
        let rows = TextRows::new(&names);
        Self { files: set.files().to_vec().into_iter(), lines: None, plan, rows }
    }

    /// The next batch; empty at the end.
    fn batch(&mut self) -> Result<RecordBatch, SourceError> {
        while !self.rows.is_full() {
            let lines = match &mut self.lines {
                Some(lines) => lines,
                none => {
                    let Some(file) = self.files.next() else { break };
                    none.insert(Lines::open(&file)?)
                }
            };
            let rows = &mut self.rows;
            if !lines.row(&self.plan, |cells| rows.push(cells))? {
                self.lines = None;
            }
        }
        Ok(self.rows.take())
    }
}

impl Iterator for Rows {
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
struct Lines {
    file: TableFile,
    reader: BufReader<Unchanged>,
    line: Vec<u8>,
    number: usize,
}

impl Lines {
    fn open(file: &TableFile) -> Result<Self, SourceError> {
        let reader = BufReader::with_capacity(BUFFER_BYTES, file.reader()?);
        Ok(Self { file: file.clone(), reader, line: Vec::new(), number: 0 })
    }

    /// Gives the cells of the next resource to `push`; `false` at the end of the file.
    fn row(
        &mut self,
        plan: &Plan,
        push: impl FnOnce(Vec<Option<Cow<'_, str>>>),
    ) -> Result<bool, SourceError> {
        loop {
            if !self.advance()? {
                return Ok(false);
            }
            let text = self.text()?;
            if !text.trim_matches([' ', '\t', '\r', '\n']).is_empty() {
                self.resource(text, plan, push)?;
                return Ok(true);
            }
        }
    }

    /// Reads a line; `false` at the end of the file.
    fn advance(&mut self) -> Result<bool, SourceError> {
        self.line.clear();
        self.number += 1;
        let mut bounded = (&mut self.reader).take(LINE_BYTES as u64 + 1);
        let read = bounded.read_until(b'\n', &mut self.line);
        let read = read.map_err(|error| self.file.failed(error))?;
        if self.line.len() > LINE_BYTES {
            return Err(SourceError::Bound {
                place: format!("{}, line {}", self.file.place, self.number),
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

    /// Gives the cells of the resource in a line to `push`.
    fn resource(
        &self,
        text: &str,
        plan: &Plan,
        push: impl FnOnce(Vec<Option<Cow<'_, str>>>),
    ) -> Result<(), SourceError> {
        let resource = json::parse(text).map_err(|fault| {
            let byte = fault.byte + 1;
            self.malformed(format!("{} at byte {byte}; a line is one whole resource", fault.what))
        })?;
        match resource.member("resourceType") {
            Some(Json::String(own)) if *own == plan.resource => {}
            _ => {
                return Err(self.malformed(format!(
                    "it is no {}; name the files of that type alone, or the right `resource`",
                    plan.resource
                )));
            }
        }
        let cell = |(name, path): &(String, Path)| {
            path.cell(&resource).map_err(|what| self.malformed(format!("the path `{name}` {what}")))
        };
        push(plan.columns.iter().map(cell).collect::<Result<_, _>>()?);
        Ok(())
    }

    fn malformed(&self, what: String) -> SourceError {
        SourceError::Malformed {
            place: self.file.place.clone(),
            format: FORMAT,
            at: format!("in line {}", self.number),
            what,
        }
    }
}

#[cfg(test)]
mod tests;
