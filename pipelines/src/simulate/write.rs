//! Files that appear whole or not at all.

use std::fs::{self, File};
use std::io::{self, BufWriter, Sink, Write};
use std::path::{Path, PathBuf};

use super::sign::Before;
use super::{SimulateError, sign};

/// Where the files go.
pub(super) struct Folder(Option<PathBuf>);

impl Folder {
    pub(super) fn new(dir: &Path) -> Self {
        Self(Some(dir.to_owned()))
    }

    /// A folder that swallows everything.
    pub(super) fn nowhere() -> Self {
        Self(None)
    }

    /// Puts the file `name`, relative to the folder, and beside it the signs that it is simulated and
    /// complete.
    pub(super) fn put(&self, name: &str, bytes: &[u8]) -> Result<(), SimulateError> {
        let Some(dir) = &self.0 else { return Ok(()) };
        let path = dir.join(name);
        let write = || -> io::Result<()> {
            let (mut file, temporary) = begin(dir, &path)?;
            let named = file
                .write_all(bytes)
                .and_then(|()| file.sync_all())
                .and_then(|()| sign::put(&path, &Before::of(&path)?, &sign::sum(&temporary)?))
                .and_then(|()| fs::rename(&temporary, &path));
            if named.is_err() {
                // The failure that led here is already being reported.
                let _ = fs::remove_file(&temporary);
            }
            named?;
            fs::write(dir.join(format!("{name}.done")), "")
        };
        write().map_err(|source| SimulateError::Write { path: path.clone(), source })
    }

    /// Takes a file away that [`Folder::put`] put there; whether there was one.
    pub(super) fn take_away(&self, name: &str) -> Result<bool, SimulateError> {
        let Some(dir) = &self.0 else { return Ok(false) };
        let path = dir.join(name);
        if !path.exists() {
            return Ok(false);
        }
        let remove = || -> io::Result<()> {
            for sign in [dir.join(format!("{name}.done")), sign::place(&path)] {
                if sign.exists() {
                    fs::remove_file(sign)?;
                }
            }
            fs::remove_file(&path)
        };
        remove().map(|()| true).map_err(|source| SimulateError::Write { path, source })
    }

    /// Begins the CSV file `name`, relative to the folder.
    pub(super) fn create(&self, name: &str) -> Result<CsvFile, SimulateError> {
        let Some(dir) = &self.0 else {
            let out: Box<dyn Write> = Box::new(Sink::default());
            return Ok(CsvFile { out: csv::Writer::from_writer(out), place: None });
        };
        let path = dir.join(name);
        let (file, temporary) = begin(dir, &path)
            .map_err(|source| SimulateError::Write { path: path.clone(), source })?;
        let sync = file.try_clone().ok();
        let out: Box<dyn Write> = Box::new(BufWriter::with_capacity(1 << 18, file));
        let place = Some(Place { temporary, path, sync });
        Ok(CsvFile { out: csv::Writer::from_writer(out), place })
    }
}

/// A file under a temporary name beside its own.
fn begin(dir: &Path, path: &Path) -> io::Result<(File, PathBuf)> {
    let parent = path.parent().unwrap_or(dir);
    fs::create_dir_all(parent)?;
    let file = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = parent.join(format!(".{file}.{}.tmp", std::process::id()));
    Ok((File::create(&temporary)?, temporary))
}

/// A CSV file under its temporary name. Dropped before [`CsvFile::finish`], it leaves nothing.
pub(super) struct CsvFile {
    out: csv::Writer<Box<dyn Write>>,
    place: Option<Place>,
}

struct Place {
    temporary: PathBuf,
    path: PathBuf,
    sync: Option<File>,
}

impl CsvFile {
    pub(super) fn record<T: AsRef<str>>(&mut self, fields: &[T]) -> Result<(), SimulateError> {
        let written = self.out.write_record(fields.iter().map(|field| field.as_ref().as_bytes()));
        written.map_err(|error| self.error(error.into()))
    }

    /// Gives the file its sign and its name.
    pub(super) fn finish(mut self) -> Result<(), SimulateError> {
        let flushed = self.out.flush();
        flushed.map_err(|error| self.error(error))?;
        let Some(place) = self.place.take() else { return Ok(()) };
        let sync = || place.sync.as_ref().map_or(Ok(()), File::sync_all);
        let signed = || {
            let sum = sign::sum(&place.temporary)?;
            sign::put(&place.path, &Before::of(&place.path)?, &sum)
        };
        let name = || fs::rename(&place.temporary, &place.path);
        let named = sync().and_then(|()| signed()).and_then(|()| name());
        named.map_err(|source| {
            let _ = fs::remove_file(&place.temporary);
            SimulateError::Write { path: place.path, source }
        })
    }

    fn error(&self, source: io::Error) -> SimulateError {
        let path = self.place.as_ref().map(|place| place.path.clone()).unwrap_or_default();
        SimulateError::Write { path, source }
    }
}

impl Drop for CsvFile {
    fn drop(&mut self) {
        if let Some(place) = &self.place {
            // The failure that led here is already being reported.
            let _ = fs::remove_file(&place.temporary);
        }
    }
}
