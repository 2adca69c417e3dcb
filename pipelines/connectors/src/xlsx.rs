//! Forms and tables in XLSX workbooks, as provinces and hospitals fill them in.
//!
//! A request's place names the workbooks (see [`crate::files`]); its rows are those of one table of
//! one sheet of each, or of several sheets of the same form. Settings, besides `complete`:
//!
//! | setting | value | default |
//! |---|---|---|
//! | `sheet` | a sheet's name, or `*` within one for all visible sheets that fit: `Tỉnh *` | the only visible sheet |
//! | `range` | where the table is, its header included: `B6:M70`, or `B6:M` to the last row with anything | the whole sheet |
//! | `header` | how many rows of the range's top are its header | 0 |
//! | `stop` | the text in the range's first column at which the table ends: `Tổng cộng`; that row is none of its own, and a sheet without it is refused | none |
//! | `skip_empty` | `true` or `false`: whether rows without anything in the range are left out | `true` |
//! | `fill` | `down`: merged cells of the table all have the region's value; `none`: only the top left one has | `none` |
//!
//! A column is
//!
//! - the sheet's letter where `header` is 0: `C`;
//! - else the name that the header gives it. Of several header rows the names are joined from top to
//!   bottom, merged cells counting for all that they cover: `Số ca mắc / Nữ`. White space within a
//!   name is one space;
//! - a cell of the form's head or foot, the same on each row: `@B3`; of a merged region any cell will
//!   do;
//! - the sheet's name `@sheet` or the file's name `@file`.
//!
//! Cells become text: strings as they are (of nothing but spaces: null), numbers as the shortest
//! decimal that is the same number (`12`, `0.1`), cells with a format of date as `2026-01-31` or
//! `2026-01-31T07:30:00`, of a time alone as `07:30:00`, of a duration as `36:30:00`, truths as
//! `true` and `false`. A formula counts as the value that was saved with it. Seconds are rounded.
//!
//! It refuses, naming file, sheet and cell: cells with an error such as `#REF!`, formulas saved
//! without a value, days that never were; and whole files: old `.xls`, those with a password, those
//! that unpack to more than [`Limits`] allow. Cells that nobody asked for may hold anything.
//!
//! Hidden sheets are read where they are named, never by `*` or by default. Hidden rows and columns
//! are read like others. A program that computes nothing may save 0 as the value of its formulas;
//! nobody can tell that from a 0.
//!
//! What is bounded: the file is in memory, packed, and one part of it at a time unpacked while it is
//! checked. Then the sheet streams; only the texts that its cells share stay in memory.

mod address;
mod book;
mod cell;
mod layout;
mod package;
mod part;
mod plan;
mod table;
pub mod writer;

use std::path::PathBuf;

use arrow::array::RecordBatch;
use async_trait::async_trait;
use futures::StreamExt;

use self::book::Book;
use self::layout::Layout;
use self::plan::Plan;
use self::table::{Out, Stopped};
use crate::files::{Bucket, FileSet, Root};
use crate::{RawStream, Request, Snapshot, Source, SourceError};

/// The name under which errors tell the form.
const FORMAT: &str = "XLSX";

/// Workbooks: see the module.
#[derive(Debug, Clone)]
pub struct Xlsx {
    root: Option<Root>,
    limits: Limits,
}

/// What a workbook may take up, so that none takes the machine down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the file.
    pub file_bytes: u64,
    /// Parts of the archive.
    pub parts: usize,
    /// Bytes of one part, unpacked.
    pub part_bytes: u64,
    /// Bytes of all parts, unpacked.
    pub total_bytes: u64,
    /// How many times its packed size a part over 1 MiB may have.
    pub ratio: u64,
}

impl Default for Limits {
    /// 64 MiB of file, 4096 parts of 64 MiB, 200 MiB in all, 200 times the packed size.
    fn default() -> Self {
        let (part_bytes, total_bytes) = (64 << 20, 200 << 20);
        Self { file_bytes: 64 << 20, parts: 4096, part_bytes, total_bytes, ratio: 200 }
    }
}

impl Xlsx {
    /// Reads below the folder of sources; where none is configured every request is refused.
    pub fn new(root: Option<PathBuf>) -> Self {
        Self { root: root.map(Root::Folder), limits: Limits::default() }
    }

    /// Reads in a bucket.
    pub fn in_bucket(bucket: Bucket) -> Self {
        Self { root: Some(Root::Bucket(bucket)), limits: Limits::default() }
    }

    /// With other bounds than the usual ones.
    pub fn with_limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
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
impl Source for Xlsx {
    async fn open(&self, request: &Request) -> Result<Option<Snapshot>, SourceError> {
        let plan = Plan::new(request)?;
        let Some(set) = self.find(request).await? else { return Ok(None) };
        let (known, simulated) = (Some(set.known()), set.is_simulated());
        Ok(Some(Snapshot { rows: stream(set, plan, self.limits), known, simulated }))
    }

    /// Opens each workbook and looks at its sheets, headers and fixed cells.
    async fn examine(&self, request: &Request) -> Result<bool, SourceError> {
        let plan = Plan::new(request)?;
        let Some(set) = self.find(request).await? else { return Ok(false) };
        let limits = self.limits;
        blocking(request.place.clone(), move || {
            for file in set.files() {
                let mut book = Book::open(file, &limits)?;
                for sheet in book.sheets(&plan.sheets)? {
                    Layout::survey(&mut book, &sheet, &plan)?;
                }
            }
            Ok(true)
        })
        .await
    }
}

/// Reads all files; `give` gets the batches and says whether anybody reads on.
fn read(
    set: &FileSet,
    plan: &Plan,
    limits: &Limits,
    give: &mut dyn FnMut(RecordBatch) -> bool,
) -> Result<(), SourceError> {
    let mut out = Out::new(plan, give);
    for file in set.files() {
        let mut book = Book::open(file, limits)?;
        for sheet in book.sheets(&plan.sheets)? {
            match table::read(&mut book, &sheet, plan, &mut out) {
                Ok(()) => {}
                Err(Stopped::Unread) => return Ok(()),
                Err(Stopped::Failed(error)) => return Err(error),
            }
        }
    }
    out.end();
    Ok(())
}

/// Reads ahead on a blocking thread, two batches at most. Should the reader of workbooks fall over
/// a file that was made for it, the stream ends with an error, not as if it were complete.
fn stream(set: FileSet, plan: Plan, limits: Limits) -> RawStream {
    let place = plan.place.clone();
    let (sender, receiver) = tokio::sync::mpsc::channel(2);
    let job = tokio::task::spawn_blocking(move || {
        let mut give = |batch| sender.blocking_send(Ok(batch)).is_ok();
        if let Err(error) = read(&set, &plan, &limits, &mut give) {
            // Where nobody reads on nobody misses the error.
            let _ = sender.blocking_send(Err(error));
        }
    });
    futures::stream::unfold((receiver, Some(job)), move |(mut receiver, mut job)| {
        let place = place.clone();
        async move {
            if let Some(batch) = receiver.recv().await {
                return Some((batch, (receiver, job)));
            }
            let fell = job.take()?.await.is_err();
            fell.then(|| (Err(unreadable(place)), (receiver, job)))
        }
    })
    .boxed()
}

/// Runs what waits for the disk where it keeps nobody else waiting.
async fn blocking<T: Send + 'static>(
    place: String,
    work: impl FnOnce() -> Result<T, SourceError> + Send + 'static,
) -> Result<T, SourceError> {
    tokio::task::spawn_blocking(work).await.map_err(|_| unreadable(place))?
}

fn unreadable(place: String) -> SourceError {
    SourceError::Malformed {
        place,
        format: FORMAT,
        at: "as a whole".to_owned(),
        what: "its parts contradict each other; save it again with Excel or LibreOffice".to_owned(),
    }
}

#[cfg(test)]
mod tests;
