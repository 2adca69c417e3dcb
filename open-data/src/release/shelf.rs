//! The public folder: the only module that writes to it.
//!
//! ```text
//! out/{dataset}/versions.json     the list of versions, oldest first
//! out/{dataset}/v1/…              a version, never touched again
//! out/{dataset}/index.html        landing page
//! out/index.html, catalog.jsonld  the catalogue
//! out/.staging-*                  work in progress; removed by the next run
//! out/.lock                       empty; locked while a run writes
//! ```
//!
//! One run writes at a time: two would number the same version twice. The lock is the operating
//! system's and goes with the process that holds it, so a killed run leaves none behind.
//!
//! A version's folder is put in place by one rename, then the list is replaced by another. A kill
//! between the two leaves a complete version that is not listed: the next run lists it.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::assemble::Files;
use super::error::ReleaseError;
use crate::metadata::Metadata;

const STAGING: &str = ".staging-";
const VERSIONS: &str = "versions.json";
const LOCK: &str = ".lock";

/// One version, as `versions.json` lists it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Version {
    pub(crate) version: u32,
    pub(crate) date: NaiveDate,
    pub(crate) rows: u64,
    pub(crate) suppressed_cells: u64,
    pub(crate) sha256: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) simulated: bool,
}

/// A public folder.
pub(super) struct Shelf {
    out: PathBuf,
}

impl Shelf {
    pub(super) fn new(out: PathBuf) -> Self {
        Self { out }
    }

    /// Makes the folder and keeps other runs out of it until the file is dropped.
    pub(super) fn lock(&self) -> Result<File, ReleaseError> {
        make_folder(&self.out)?;
        let path = self.out.join(LOCK);
        let opened = OpenOptions::new().write(true).create(true).truncate(false).open(&path);
        let file = opened.map_err(ReleaseError::io("open", &path))?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => Err(ReleaseError::Busy { folder: self.out.clone() }),
            Err(TryLockError::Error(error)) => Err(ReleaseError::io("lock", &path)(error)),
        }
    }

    /// Makes the folder and removes what an earlier run left half done.
    pub(super) fn prepare(&self) -> Result<(), ReleaseError> {
        make_folder(&self.out)?;
        self.finish()
    }

    /// Removes the work area.
    pub(super) fn finish(&self) -> Result<(), ReleaseError> {
        for name in self.names()?.iter().filter(|name| name.starts_with(STAGING)) {
            let path = self.out.join(name);
            fs::remove_dir_all(&path).map_err(ReleaseError::io("remove", &path))?;
        }
        Ok(())
    }

    /// Identifiers of the datasets that have a list of versions, sorted.
    pub(super) fn datasets(&self) -> Result<Vec<String>, ReleaseError> {
        let mut ids = self.names()?;
        ids.retain(|id| !id.starts_with('.') && self.out.join(id).join(VERSIONS).is_file());
        Ok(ids)
    }

    fn names(&self) -> Result<Vec<String>, ReleaseError> {
        let read = || -> io::Result<Vec<String>> {
            let mut names = Vec::new();
            for entry in fs::read_dir(&self.out)? {
                names.extend(entry?.file_name().into_string());
            }
            names.sort();
            Ok(names)
        };
        read().map_err(ReleaseError::io("list", &self.out))
    }

    /// The versions of a dataset, oldest first; empty when it was never released.
    pub(super) fn versions(&self, dataset: &str) -> Result<Vec<Version>, ReleaseError> {
        let path = self.out.join(dataset).join(VERSIONS);
        match fs::read(&path) {
            Ok(bytes) => parse(&path, &bytes),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(ReleaseError::io("read", &path)(error)),
        }
    }

    /// As [`Self::versions`], after listing versions that a killed run had put in place, and
    /// whether there were any. Whatever once stood at a permanent address stays there.
    pub(super) fn recover(&self, dataset: &str) -> Result<(Vec<Version>, bool), ReleaseError> {
        let mut versions = self.versions(dataset)?;
        let listed = versions.len();
        loop {
            let next = versions.last().map_or(1, |last| last.version + 1);
            if !self.version_folder(dataset, next).is_dir() {
                break;
            }
            let meta = self.metadata(dataset, next)?;
            versions.push(Version {
                version: next,
                date: meta.date,
                rows: meta.rows,
                suppressed_cells: meta.suppressed_cells,
                sha256: meta.sha256,
                simulated: meta.simulated,
            });
        }
        let found = versions.len() > listed;
        if found {
            self.put_versions(dataset, &versions)?;
        }
        Ok((versions, found))
    }

    /// What is said about a version that is out.
    pub(super) fn metadata(&self, dataset: &str, version: u32) -> Result<Metadata, ReleaseError> {
        let path = self.version_folder(dataset, version).join("metadata.json");
        let bytes = fs::read(&path).map_err(ReleaseError::io("read", &path))?;
        parse(&path, &bytes)
    }

    /// The CSV of a version that is out.
    pub(super) fn read_data(&self, meta: &Metadata) -> Result<Vec<u8>, ReleaseError> {
        let folder = self.version_folder(&meta.dataset, meta.version);
        let path = folder.join(format!("{}.csv", meta.dataset));
        fs::read(&path).map_err(ReleaseError::io("read", &path))
    }

    fn version_folder(&self, dataset: &str, version: u32) -> PathBuf {
        self.out.join(dataset).join(format!("v{version}"))
    }

    /// Puts a version in place, whole or not at all.
    pub(super) fn put_version(
        &self,
        dataset: &str,
        version: u32,
        files: &Files,
    ) -> Result<(), ReleaseError> {
        // Made once: a folder that is there already belongs to somebody else.
        let staging = self.out.join(format!("{STAGING}{dataset}"));
        fs::create_dir(&staging).map_err(ReleaseError::io("make the folder", &staging))?;
        for (name, bytes) in files {
            write(&staging.join(name), bytes)?;
        }
        let target = self.version_folder(dataset, version);
        make_folder(&self.out.join(dataset))?;
        fs::rename(&staging, &target).map_err(ReleaseError::io("put in place", &target))
    }

    /// Replaces a dataset's list of versions.
    pub(super) fn put_versions(
        &self,
        dataset: &str,
        versions: &[Version],
    ) -> Result<(), ReleaseError> {
        let mut bytes = serde_json::to_vec_pretty(versions)?;
        bytes.push(b'\n');
        self.put_if_changed(&format!("{dataset}/{VERSIONS}"), &bytes)
    }

    /// Writes a file that may change, unless it holds these bytes already.
    pub(super) fn put_if_changed(&self, path: &str, bytes: &[u8]) -> Result<(), ReleaseError> {
        let target = self.out.join(path);
        if fs::read(&target).is_ok_and(|now| now == bytes) {
            return Ok(());
        }
        let staged = self.out.join(format!("{STAGING}file")).join(path.replace('/', "-"));
        write(&staged, bytes)?;
        if let Some(folder) = target.parent() {
            make_folder(folder)?;
        }
        fs::rename(&staged, &target).map_err(ReleaseError::io("put in place", &target))
    }

    /// Takes a file away that is no longer written.
    pub(super) fn remove(&self, path: &str) -> Result<(), ReleaseError> {
        let path = self.out.join(path);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(ReleaseError::io("remove", &path)(error))
            }
            _ => Ok(()),
        }
    }
}

fn parse<T: serde::de::DeserializeOwned>(path: &Path, bytes: &[u8]) -> Result<T, ReleaseError> {
    serde_json::from_slice(bytes)
        .map_err(|error| ReleaseError::Damaged { path: path.to_owned(), source: error.into() })
}

fn make_folder(path: &Path) -> Result<(), ReleaseError> {
    fs::create_dir_all(path).map_err(ReleaseError::io("make the folder", path))
}

/// Writes a file and waits until it is on the disk, so that a rename never shows an empty one.
fn write(path: &Path, bytes: &[u8]) -> Result<(), ReleaseError> {
    if let Some(folder) = path.parent() {
        make_folder(folder)?;
    }
    let write = || -> io::Result<()> {
        let mut file = File::create(path)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    write().map_err(ReleaseError::io("write", path))
}
