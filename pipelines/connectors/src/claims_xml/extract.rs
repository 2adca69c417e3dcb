//! All files of an extract, read by a few threads. The files are put in groups, each thread takes
//! a group in turn, and they are put together again in their order, so that the rows and
//! their batches are those of one thread.

use std::io;
use std::num::NonZero;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use arrow::array::RecordBatch;

use super::Limits;
use super::fault::Told;
use super::plan::Plan;
use super::reading::{Scratch, read};
use super::records::Records;
use super::shelf::Shelf;
use crate::SourceError;
use crate::files::TableFile;

/// Threads at most; each holds a document, a batch that grows and [`AHEAD`] more. A night reads other
/// sources meanwhile.
const THREADS: usize = 4;

/// Batches that a thread is ahead.
const AHEAD: usize = 2;

/// Groups that a large extract has at least, so that no thread waits long for the other.
const GROUPS: usize = 16;

/// Files of one group at most. Facilities may send a file for each visit; the rows of a group come
/// in common batches.
const GROUP_FILES: usize = 256;

/// The batches of all files.
pub(super) struct Extract {
    /// Of each thread; group `n` comes from the `n % threads`th.
    threads: Vec<Receiver<Message>>,
    place: String,
    plan: Arc<Plan>,
    groups: usize,
    group: usize,
    rows: u64,
    seen: Vec<bool>,
    ended: bool,
}

enum Message {
    Rows(RecordBatch),
    /// A group ends: how many rows it had, and which fields.
    End(u64, Vec<bool>),
    Failed(SourceError),
}

impl Extract {
    /// Begins to read.
    ///
    /// # Errors
    /// When no thread can be had.
    pub(super) fn start(
        files: Arc<[TableFile]>,
        plan: Arc<Plan>,
        shelf: &Arc<Shelf>,
        limits: Limits,
        place: &str,
    ) -> Result<Self, SourceError> {
        let size = (files.len() / GROUPS).clamp(1, GROUP_FILES);
        let groups = files.len().div_ceil(size);
        let mut threads = Vec::new();
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        let count = cores.clamp(1, THREADS).min(groups);
        for number in 0..count {
            let (sender, receiver) = sync_channel(AHEAD);
            let (files, plan, shelf) = (Arc::clone(&files), Arc::clone(&plan), Arc::clone(shelf));
            let work = move || {
                let mut scratch = Scratch::default();
                for group in files.chunks(size).skip(number).step_by(count) {
                    if !read_group(group, &plan, &shelf, &limits, &mut scratch, &sender) {
                        return;
                    }
                }
            };
            let spawned = thread::Builder::new().name("claims-xml".to_owned()).spawn(work);
            spawned.map_err(|source| SourceError::Read { place: place.to_owned(), source })?;
            threads.push(receiver);
        }
        let seen = vec![false; plan.fields.len()];
        let place = place.to_owned();
        Ok(Self { threads, place, plan, groups, group: 0, rows: 0, seen, ended: false })
    }

    /// What a record of some file has at least, now that all were read.
    fn check_columns(&self) -> Result<(), SourceError> {
        let missing = self.seen.iter().position(|seen| !seen);
        match missing {
            Some(field) if self.rows > 0 => Err(SourceError::MissingColumn {
                place: self.place.clone(),
                column: self.plan.columns[self.plan.fields[field]].clone(),
            }),
            _ => Ok(()),
        }
    }
}

impl Iterator for Extract {
    type Item = Result<RecordBatch, SourceError>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.ended && self.group < self.groups {
            match self.threads[self.group % self.threads.len()].recv() {
                Ok(Message::Rows(batch)) => return Some(Ok(batch)),
                Ok(Message::End(rows, seen)) => {
                    self.group += 1;
                    self.rows += rows;
                    self.seen.iter_mut().zip(seen).for_each(|(all, seen)| *all |= seen);
                }
                Ok(Message::Failed(error)) => {
                    self.ended = true;
                    return Some(Err(error));
                }
                Err(_) => {
                    self.ended = true;
                    let source = io::Error::other("the reading thread ended");
                    return Some(Err(SourceError::Read { place: self.place.clone(), source }));
                }
            }
        }
        if std::mem::replace(&mut self.ended, true) {
            return None;
        }
        self.check_columns().err().map(Err)
    }
}

/// Whether the next group is wanted.
fn read_group(
    group: &[TableFile],
    plan: &Plan,
    shelf: &Shelf,
    limits: &Limits,
    scratch: &mut Scratch,
    sender: &SyncSender<Message>,
) -> bool {
    let mut sink = |batch| sender.send(Message::Rows(batch)).is_ok();
    let mut records = Records::new(plan, limits, &mut sink);
    for file in group {
        match read(file, shelf, &mut records, scratch, limits) {
            Ok(()) => {}
            Err(Told::Enough) => return false,
            Err(Told::Failed(error)) => {
                // Nobody may be left to hear it.
                let _ = sender.send(Message::Failed(error));
                return false;
            }
        }
    }
    let (rows, seen) = (records.count, records.seen.clone());
    records.flush().is_ok() && sender.send(Message::End(rows, seen)).is_ok()
}
