//! Files below the folder of sources, as a source puts them there: whole or not at all, with the
//! sign that they are complete.
//!
//! Beside each lies the sign that it is simulated. A file without a sign, or whose bytes are not
//! those that its sign names, is a real one, and is never replaced.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use chrono::NaiveDate;
use connectors::encoding::to_tcvn3;
use connectors::files::hex;
use connectors::fill::Cells;
use parquet::arrow::ArrowWriter;
use sha2::{Digest, Sha256};
use warehouse::spec::{NIGHT, SourceKind};

use super::super::sign::Before;
use super::super::{SimulateError, sign};
use super::shape::Shape;

/// What stands for the rest of a name.
const NAME: &str = "mo_phong";

/// How old a file must look where it counts once nobody writes to it any more.
const AGE: Duration = Duration::from_secs(600);

/// A folder of sources.
#[derive(Debug, Clone, Copy)]
pub(super) struct Folder<'a>(pub(super) &'a Path);

/// How a file of rows is written.
pub(super) type Settings = BTreeMap<String, String>;

/// Why a table cannot be written as a file, where no rows are needed to tell.
pub(super) fn hindrance(kind: SourceKind, settings: &Settings) -> Option<String> {
    let said = |name: &str| settings.get(name).map(String::as_str);
    match said("complete") {
        None | Some("always" | "marker" | "stable") => {}
        Some(other) => return Some(format!("its files are complete by `{other}`")),
    }
    let is_delimited = matches!(kind, SourceKind::Csv | SourceKind::Tsv);
    match said("encoding").filter(|_| is_delimited) {
        None | Some("utf-8" | "tcvn3") => None,
        Some(other) => Some(format!("its encoding is {other}")),
    }
}

/// The place of a night as one file.
pub(super) fn place(place: &str, night: NaiveDate, stem: &str, ending: &str) -> String {
    let place = place.replace(NIGHT, &night.to_string());
    if place.ends_with('/') {
        return format!("{place}{stem}.{ending}");
    }
    place.replace('*', stem)
}

/// The same, named as simulated.
pub(super) fn simulated(at: &str, night: NaiveDate, ending: &str) -> String {
    place(at, night, NAME, ending)
}

impl Folder<'_> {
    /// Puts bytes into the file `place`, which appears whole.
    pub(super) fn put(
        &self,
        place: &str,
        bytes: &[u8],
        complete: Option<&str>,
    ) -> Result<(), SimulateError> {
        let mut file = self.begin(place)?;
        let written = file.out.write_all(bytes);
        file.end(written, complete)
    }

    /// Begins the file `place`, which appears whole when it ends.
    pub(super) fn begin(&self, place: &str) -> Result<Begun, SimulateError> {
        let path = self.0.join(place);
        let failed = |source| SimulateError::Write { path: path.clone(), source };
        let before = Before::of(&path).map_err(failed)?;
        if before == Before::Real {
            return Err(SimulateError::Foreign { path });
        }
        let temporary = temporary(&path);
        let begin = || -> std::io::Result<File> {
            if let Some(parent) = path.parent() {
                fs::create_dir_all(parent)?;
            }
            File::create(&temporary)
        };
        let out = Summed { out: BufWriter::new(begin().map_err(failed)?), sum: Sha256::new() };
        Ok(Begun { out, temporary, path, before })
    }

    /// Takes away what was written here before of a row of files, from a number on.
    pub(super) fn drop_from(
        &self,
        first: usize,
        place: impl Fn(usize) -> String,
    ) -> Result<(), SimulateError> {
        for number in first.. {
            let path = self.0.join(place(number));
            let before = Before::of(&path);
            let before =
                before.map_err(|source| SimulateError::Write { path: path.clone(), source })?;
            if !matches!(before, Before::Simulated(_)) {
                break;
            }
            // The sign goes last: a file without one would be real.
            for file in [done(&path), path.clone(), sign::place(&path)] {
                match fs::remove_file(&file) {
                    Err(error) if error.kind() != ErrorKind::NotFound => {
                        return Err(SimulateError::Write { path: file, source: error });
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }
}

/// A file that has not got its name yet.
pub(super) struct Begun {
    pub(super) out: Summed,
    temporary: PathBuf,
    path: PathBuf,
    /// What has the name now.
    before: Before,
}

/// A file, and the sum of what is written to it.
pub(super) struct Summed {
    out: BufWriter<File>,
    sum: Sha256,
}

impl Write for Summed {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.sum.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.out.flush()
    }
}

impl Begun {
    /// Gives the file its name, unless what was `written` to it failed.
    pub(super) fn end(
        self,
        written: std::io::Result<()>,
        complete: Option<&str>,
    ) -> Result<(), SimulateError> {
        let Self { out: Summed { mut out, sum }, temporary, path, before } = self;
        let end = || -> std::io::Result<()> {
            written?;
            out.flush()?;
            let file = out.get_ref();
            if complete == Some("stable") {
                file.set_modified(SystemTime::now() - AGE)?;
            }
            file.sync_all()?;
            sign::put(&path, &before, &hex(&sum.finalize()))?;
            fs::rename(&temporary, &path)?;
            if complete == Some("marker") {
                fs::write(done(&path), "")?;
            }
            Ok(())
        };
        let ended = end();
        ended.map_err(|source| SimulateError::Write { path, source })
    }
}

/// `.name.tmp` beside the file.
fn temporary(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.tmp"))
}

/// `name.done` beside the file.
fn done(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!("{name}.done"))
}

/// Rows as a delimited file; what hinders otherwise.
pub(super) fn delimited(
    shape: &Shape<'_>,
    (kind, settings): (SourceKind, &Settings),
    rows: impl Iterator<Item = Cells>,
) -> Result<Vec<u8>, String> {
    let sign = |name: &str, otherwise: u8| {
        settings.get(name).and_then(|text| text.bytes().next()).unwrap_or(otherwise)
    };
    let between = sign("delimiter", if kind == SourceKind::Tsv { b'\t' } else { b',' });
    let mut writer = csv::WriterBuilder::new()
        .delimiter(between)
        .quote(sign("quote", b'"'))
        .from_writer(Vec::new());
    let failed = |_: csv::Error| "its rows cannot be written as a delimited file".to_owned();
    writer.write_record(shape.fields.iter().map(|field| field.name.as_str())).map_err(failed)?;
    for row in rows {
        let cells = row.iter().map(|cell| cell.as_deref().unwrap_or_default());
        writer.write_record(cells).map_err(failed)?;
    }
    let bytes = writer.into_inner().map_err(|_| "its rows cannot be written".to_owned())?;
    if settings.get("encoding").is_none_or(|name| name != "tcvn3") {
        return Ok(bytes);
    }
    let text = String::from_utf8(bytes).map_err(|_| "its rows are no text".to_owned())?;
    to_tcvn3(&text).ok_or_else(|| "TCVN3 has no byte for some of its letters".to_owned())
}

/// Rows as a Parquet file of texts.
pub(super) fn parquet(
    shape: &Shape<'_>,
    rows: impl Iterator<Item = Cells>,
) -> Result<Vec<u8>, String> {
    let rows: Vec<Cells> = rows.collect();
    let columns = shape.fields.iter().enumerate().map(|(at, field)| {
        let cells: StringArray = rows.iter().map(|row| row[at].as_deref()).collect();
        (field.name.as_str(), Arc::new(cells) as ArrayRef, true)
    });
    let failed = || "its rows cannot be written as Parquet".to_owned();
    let batch = RecordBatch::try_from_iter_with_nullable(columns).map_err(|_| failed())?;
    let mut bytes = Vec::new();
    let writer = ArrowWriter::try_new(&mut bytes, batch.schema(), None);
    let mut writer = writer.map_err(|_| failed())?;
    writer.write(&batch).map_err(|_| failed())?;
    writer.close().map_err(|_| failed())?;
    Ok(bytes)
}
