//! Delimited text and Parquet files below the sources' folder.
//!
//! Which files hold a table, and when they are whole, is said in [`crate::files`]. Several are read
//! one after another; each has all the columns. The settings:
//!
//! | setting | value |
//! |---|---|
//! | `format` | `csv`, `tsv` or `parquet`; it has to be set |
//! | `encoding` | `utf-8` (the default), `utf-16`, `windows-1258`, `tcvn3` or `vni` |
//! | `delimiter` | `,` (the default of `csv`), a tab (that of `tsv`), `;` or <code>&#124;</code> |
//! | `quote` | `"` (the default), or `none` where fields are never enclosed |
//!
//! Text gives text, Parquet its own types, brought to few: see [`crate::text::as_text`] for all that
//! comes. A file that is cut, has rows of other lengths, bytes of another encoding, or pages that
//! cannot be read is refused as a whole, with the row where it fails.

mod delimited;
mod parquet_file;
mod records;

use std::io::{Cursor, Read};
use std::path::PathBuf;

use arrow::array::RecordBatch;
use async_trait::async_trait;
use sha2::{Digest, Sha256};

use self::delimited::{Delimited, Dialect};
use self::parquet_file::{ParquetFile, agreed};
use crate::files::{Bucket, FileSet, Root, TableFile, hex};
use crate::{RawStream, Request, Snapshot, Source, SourceError, in_background};

/// Delimited text and Parquet files below one folder, or one prefix of a store.
#[derive(Debug, Clone)]
pub struct Tabular {
    root: Option<Root>,
}

impl Tabular {
    /// A source of the folder `root`; without one, nothing is there.
    pub fn new(root: Option<PathBuf>) -> Self {
        Self { root: root.map(Root::Folder) }
    }

    /// A source of what is in a bucket.
    pub fn in_bucket(bucket: Bucket) -> Self {
        Self { root: Some(Root::Bucket(bucket)) }
    }

    /// Finds the files and looks at the head of each; gives the files and a reader of their rows.
    async fn look(&self, request: &Request) -> Result<Option<(FileSet, Batches)>, SourceError> {
        let Some(root) = self.root.clone() else { return Ok(None) };
        let request = request.clone();
        let work = move || {
            let form = Form::of(&request)?;
            let Some(set) = FileSet::find(&root, &request)? else { return Ok(None) };
            let batches = batches(&set, form, request.columns)?;
            Ok(Some((set, batches)))
        };
        match tokio::task::spawn_blocking(work).await {
            Ok(looked) => looked,
            Err(failed) => std::panic::resume_unwind(failed.into_panic()),
        }
    }
}

#[async_trait]
impl Source for Tabular {
    async fn open(&self, request: &Request) -> Result<Option<Snapshot>, SourceError> {
        let Some((set, batches)) = self.look(request).await? else { return Ok(None) };
        let (known, simulated) = (Some(set.known()), set.is_simulated());
        Ok(Some(Snapshot { rows: in_background(batches), known, simulated }))
    }

    async fn examine(&self, request: &Request) -> Result<bool, SourceError> {
        self.look(request).await.map(|found| found.is_some())
    }
}

/// Rows of a text that is itself a declaration: UTF-8, commas, double quotes. `place` is what its
/// errors call it. It is small, so its rows are all read at once.
///
/// # Errors
/// When it has no header, lacks a column, or is not well formed.
pub fn declared(place: &str, text: &str, columns: &[String]) -> Result<Snapshot, SourceError> {
    let reader = Cursor::new(text.as_bytes());
    let batches = Delimited::new(place, reader, Dialect::PLAIN, columns)?;
    let batches = batches.collect::<Result<Vec<RecordBatch>, _>>()?;
    let rows: RawStream = Box::pin(futures::stream::iter(batches.into_iter().map(Ok)));
    let known = Some(hex(&Sha256::digest(text.as_bytes())));
    Ok(Snapshot { rows, known, simulated: false })
}

/// The form of the files of one table.
#[derive(Debug, Clone, Copy)]
enum Form {
    Delimited(Dialect),
    Parquet,
}

impl Form {
    fn of(request: &Request) -> Result<Self, SourceError> {
        match request.setting("format", "") {
            "csv" => Dialect::of(request, ",").map(Self::Delimited),
            "tsv" => Dialect::of(request, "\t").map(Self::Delimited),
            "parquet" => Ok(Self::Parquet),
            _ => Err(SourceError::Setting {
                place: request.place.clone(),
                setting: "format".to_owned(),
                what: "is none of csv, tsv and parquet".to_owned(),
            }),
        }
    }
}

type Batches = Box<dyn Iterator<Item = Result<RecordBatch, SourceError>> + Send>;

/// Looks at the head of every file now, so that a column that the last one lacks is told before the
/// first is read. The rows are read later, one file open at a time.
fn batches(set: &FileSet, form: Form, columns: Vec<String>) -> Result<Batches, SourceError> {
    let files = set.files().to_vec();
    match form {
        Form::Delimited(dialect) => {
            let open = move |file: &TableFile| delimited(file, dialect, &columns);
            for file in &files {
                open(file)?;
            }
            Ok(one_after_another(files, open))
        }
        Form::Parquet => {
            let types = agreed(&files, &columns)?;
            let open = move |file: &TableFile| ParquetFile::open(file, &columns, &types);
            Ok(one_after_another(files, open))
        }
    }
}

fn delimited(
    file: &TableFile,
    dialect: Dialect,
    columns: &[String],
) -> Result<Delimited<Box<dyn Read + Send>>, SourceError> {
    let reader: Box<dyn Read + Send> = Box::new(file.reader()?);
    Delimited::new(&file.place, reader, dialect, columns)
}

fn one_after_another<I, F>(files: Vec<TableFile>, open: F) -> Batches
where
    I: Iterator<Item = Result<RecordBatch, SourceError>> + Send + 'static,
    F: Fn(&TableFile) -> Result<I, SourceError> + Send + 'static,
{
    let rows = files.into_iter().flat_map(move |file| {
        let (opened, failed) = match open(&file) {
            Ok(opened) => (Some(opened), None),
            Err(error) => (None, Some(Err(error))),
        };
        let rows = opened.into_iter().flatten().chain(failed);
        rows.map(move |batch| batch.map_err(|error| blamed(&file, error)))
    });
    Box::new(rows)
}

/// A file that changed while it was read may look malformed; then that is what is told.
fn blamed(file: &TableFile, error: SourceError) -> SourceError {
    match (error, file.check()) {
        (_, Err(changed @ SourceError::Changed { .. })) => changed,
        (error, _) => error,
    }
}

#[cfg(test)]
mod tests;
