//! Health-insurance claims in the XML of Decision 130/QĐ-BYT, as corrected by 4750 and 3176: the
//! files that every facility sends to the insurer's portal, and the check-in messages.
//!
//! A file is an envelope: `GIAMDINHHS` holds a `HOSO` for each visit, and that a `FILEHOSO` for
//! each table of the visit, whose `NOIDUNGFILE` is a whole XML document in base64. Older senders put
//! the document there as it is; a document without any envelope is read too. The setting `table`
//! (`0` to `15`) says which table's records become rows; the documents of the others are passed over
//! without being decoded. A file is walked through once, which checks its envelope and notes where the
//! documents of all tables are; a source and its clones keep that, so that fifteen tables of one
//! folder cost one walk. The columns are the standard's field tags (`MA_LK`, `NGAY_RA`), matched
//! exactly, and what the envelope says of a row:
//!
//! | column | content |
//! |---|---|
//! | `@HOSO` | number of the `HOSO` in its file, from 1 |
//! | `@NGAYLAP` | day on which the file was made |
//! | `@MACSKCB` | facility that made it |
//!
//! What else a request may say of files is in [`crate::files`]. A span is not looked at: all rows come.
//!
//! A field that a record leaves out, or leaves empty, is null: the standard allows both. A column
//! that no record of the extract has was renamed, and is refused when the last file has been read.
//!
//! Not read: anything with a document type or an entity of its own (nothing is ever expanded), any
//! encoding but UTF-8, and files whose `SOLUONGHOSO` is not the number of `HOSO` that they hold. The
//! signature of the facility is neither read nor verified.

mod base64;
mod content;
mod document;
mod envelope;
mod extract;
mod fault;
mod feed;
mod markup;
mod order;
mod parts;
mod plan;
mod reading;
mod records;
mod scan;
mod shelf;
mod tables;
#[cfg(test)]
mod tests;
pub mod writer;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;

use self::extract::Extract;
use self::plan::Plan;
use self::shelf::Shelf;
use crate::files::{Bucket, FileSet, Root};
use crate::{Request, Snapshot, Source, SourceError, in_background};

/// The claims files below one folder, or one prefix of a store.
#[derive(Debug, Clone)]
pub struct ClaimsXml {
    root: Option<Root>,
    limits: Limits,
    /// What this and its clones know of the files.
    shelf: Arc<Shelf>,
}

/// Bounds that keep a hostile or broken file from taking the machine down. What passes one is
/// refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one file. It is streamed, so this bounds the time, not the memory. 16 GiB.
    pub file_bytes: u64,
    /// Bytes of one document after base64. Each thread keeps one in memory, and what it was decoded
    /// from. 64 MiB, some 50,000 lines of drugs of one stay.
    pub part_bytes: usize,
    /// Elements in one another, in the envelope and in a document. 32; the standard needs 7.
    pub depth: usize,
    /// Bytes of one cell. 1 MiB.
    pub cell_bytes: usize,
    /// Elements of one record. 4096; the standard has 66 fields at most.
    pub cells: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            file_bytes: 16 << 30,
            part_bytes: 64 << 20,
            depth: 32,
            cell_bytes: 1 << 20,
            cells: 4096,
        }
    }
}

impl ClaimsXml {
    /// The claims below that folder; without one, nothing is ever there.
    pub fn new(root: Option<PathBuf>) -> Self {
        Self::at(root.map(Root::Folder))
    }

    /// The claims in a bucket.
    pub fn in_bucket(bucket: Bucket) -> Self {
        Self::at(Some(Root::Bucket(bucket)))
    }

    fn at(root: Option<Root>) -> Self {
        Self { root, limits: Limits::default(), shelf: Arc::default() }
    }

    /// The same with other bounds.
    pub fn with_limits(self, limits: Limits) -> Self {
        Self { limits, shelf: Arc::default(), ..self }
    }

    /// The files of a request. Taking their sums takes time, so that is done on a blocking thread.
    async fn files(&self, request: &Request) -> Result<Option<FileSet>, SourceError> {
        let Some(root) = self.root.clone() else { return Ok(None) };
        blocking(request, move |request| FileSet::find(&root, request)).await
    }
}

#[async_trait]
impl Source for ClaimsXml {
    async fn open(&self, request: &Request) -> Result<Option<Snapshot>, SourceError> {
        let plan = Arc::new(Plan::of(request)?);
        let Some(set) = self.files(request).await? else { return Ok(None) };
        let (known, simulated) = (Some(set.known()), set.is_simulated());
        let extract =
            Extract::start(set.files().into(), plan, &self.shelf, self.limits, &request.place)?;
        Ok(Some(Snapshot { rows: in_background(extract), known, simulated }))
    }

    async fn examine(&self, request: &Request) -> Result<bool, SourceError> {
        let plan = Plan::of(request)?;
        let Some(set) = self.files(request).await? else { return Ok(false) };
        let limits = self.limits;
        blocking(request, move |_| match set.files() {
            [first, ..] => reading::first_record(first, &plan, &limits).map(|()| true),
            [] => Ok(false),
        })
        .await
    }
}

async fn blocking<T, F>(request: &Request, work: F) -> Result<T, SourceError>
where
    T: Send + 'static,
    F: FnOnce(&Request) -> Result<T, SourceError> + Send + 'static,
{
    let place = request.place.clone();
    let request = request.clone();
    tokio::task::spawn_blocking(move || work(&request)).await.unwrap_or_else(|_| {
        Err(SourceError::Read { place, source: io::Error::other("the reading thread ended") })
    })
}
