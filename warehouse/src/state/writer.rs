//! The one task that writes the account of queries.
//!
//! What is asked for while a commit is under way waits and shares the next one, so that many
//! queries cost one wait for the disk. What cannot be written is refused to those who wait for it;
//! the ends of queries, which nobody waits for, are kept and tried again.

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use super::error::StateError;
use super::journal::Journal;
use super::queries::{Ended, NewQuery, QueryId};

/// Queries in one commit at most.
const TOGETHER: usize = 64;

/// Ends that wait for a database that is away, at most; there cannot be more than there are
/// queries that run, so this is only a bound.
const KEPT: usize = 100_000;

/// How long one commit may take before it is given up.
const PATIENCE: Duration = Duration::from_secs(10);

/// The first and the longest pause before ends are tried again.
const PAUSES: [Duration; 2] = [Duration::from_millis(100), Duration::from_secs(5)];

/// Attempts at what is left when the state is closed.
const LAST_ATTEMPTS: u32 = 3;

type Reply<T> = oneshot::Sender<Result<T, StateError>>;

enum Message {
    Begin(NewQuery, Reply<QueryId>),
    End(QueryId, Ended),
    Flush(Reply<()>),
}

/// Hands over to the task.
pub(super) struct Writer {
    inbox: mpsc::UnboundedSender<Message>,
    ends: Arc<AtomicUsize>,
    #[cfg(test)]
    commits: Arc<AtomicU64>,
}

impl Writer {
    /// Starts the task on the current runtime; it ends after the last handle is gone.
    pub(super) fn start(journal: Journal) -> Self {
        let (inbox, outbox) = mpsc::unbounded_channel();
        let (ends, commits) = (Arc::<AtomicUsize>::default(), Arc::<AtomicU64>::default());
        let task = Task {
            outbox,
            journal,
            ended: VecDeque::new(),
            ends: Arc::clone(&ends),
            commits: Arc::clone(&commits),
            failures: 0,
        };
        tokio::spawn(task.run());
        Self {
            inbox,
            ends,
            #[cfg(test)]
            commits,
        }
    }

    pub(super) async fn begin(&self, entry: NewQuery) -> Result<QueryId, StateError> {
        self.ask(|reply| Message::Begin(entry, reply)).await
    }

    pub(super) fn end(&self, id: QueryId, ended: Ended) {
        if self.ends.fetch_add(1, Ordering::Relaxed) >= KEPT {
            self.ends.fetch_sub(1, Ordering::Relaxed);
            tracing::error!(query = id.get(), "too many ends of queries wait: one is lost");
        } else if self.inbox.send(Message::End(id, ended)).is_err() {
            tracing::error!(query = id.get(), "the end of a query is lost: khoyte is stopping");
        }
    }

    pub(super) async fn flush(&self) -> Result<(), StateError> {
        self.ask(Message::Flush).await
    }

    /// Commits so far.
    #[cfg(test)]
    pub(super) fn commits(&self) -> u64 {
        self.commits.load(Ordering::Relaxed)
    }

    async fn ask<T>(&self, message: impl FnOnce(Reply<T>) -> Message) -> Result<T, StateError> {
        let (reply, answer) = oneshot::channel();
        self.inbox.send(message(reply)).map_err(|_| StateError::Stopped)?;
        answer.await.unwrap_or(Err(StateError::Stopped))
    }
}

struct Task {
    outbox: mpsc::UnboundedReceiver<Message>,
    journal: Journal,
    /// Ends that are not written yet, oldest first.
    ended: VecDeque<(QueryId, Ended)>,
    /// How many ends there are, here and on their way.
    ends: Arc<AtomicUsize>,
    commits: Arc<AtomicU64>,
    /// Commits that failed since the last that did not.
    failures: u32,
}

#[derive(Default)]
struct Batch {
    begins: Vec<NewQuery>,
    replies: Vec<Reply<QueryId>>,
    flushes: Vec<Reply<()>>,
}

impl Task {
    async fn run(mut self) {
        loop {
            let mut batch = Batch::default();
            if self.gather(&mut batch).await.is_break() {
                return;
            }
            self.write(batch).await;
        }
    }

    /// Waits for something to write, then takes all that is there.
    async fn gather(&mut self, batch: &mut Batch) -> ControlFlow<()> {
        let first = if self.ended.is_empty() {
            self.outbox.recv().await
        } else if self.failures == 0 {
            // More than one commit's worth was waiting.
            self.outbox.try_recv().ok()
        } else {
            let pause = PAUSES[0].saturating_mul(1 << self.failures.min(10)).min(PAUSES[1]);
            tokio::time::timeout(pause, self.outbox.recv()).await.unwrap_or_default()
        };
        let Some(first) = first else {
            let over = self.outbox.is_closed() && self.outbox.is_empty();
            let hopeless = self.ended.is_empty() || self.failures >= LAST_ATTEMPTS;
            return if over && hopeless {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            };
        };
        self.take(first, batch);
        while batch.begins.len() < TOGETHER
            && batch.flushes.is_empty()
            && let Ok(next) = self.outbox.try_recv()
        {
            self.take(next, batch);
        }
        ControlFlow::Continue(())
    }

    fn take(&mut self, message: Message, batch: &mut Batch) {
        match message {
            // Whoever asked may have gone away: then nothing begins.
            Message::Begin(_, reply) if reply.is_closed() => (),
            Message::Begin(entry, reply) => {
                batch.begins.push(entry);
                batch.replies.push(reply);
            }
            Message::End(id, ended) => self.ended.push_back((id, ended)),
            Message::Flush(reply) => batch.flushes.push(reply),
        }
    }

    async fn write(&mut self, batch: Batch) {
        let flushed = !batch.flushes.is_empty();
        let first = self.commit(&batch.begins).await;
        match first {
            Ok(first) => {
                for (id, reply) in (first..).map(QueryId).zip(batch.replies) {
                    if reply.send(Ok(id)).is_err() {
                        // Gone while it was written: it never ran.
                        self.ends.fetch_add(1, Ordering::Relaxed);
                        self.ended.push_back((id, Ended::INTERRUPTED));
                    }
                }
            }
            Err(error) => {
                for reply in batch.replies {
                    // Whoever went away does not mind.
                    let _ = reply.send(Err(error.clone()));
                }
                for reply in batch.flushes {
                    let _ = reply.send(Err(error.clone()));
                }
                return;
            }
        }
        let mut rest = Ok(());
        while flushed && rest.is_ok() && !self.ended.is_empty() {
            rest = self.commit(&[]).await.map(|_| ());
        }
        for reply in batch.flushes {
            let _ = reply.send(rest.clone());
        }
    }

    /// One commit of these begins and the oldest ends.
    async fn commit(&mut self, begins: &[NewQuery]) -> Result<i64, StateError> {
        let count = self.ended.len().min(TOGETHER);
        if begins.is_empty() && count == 0 {
            return Ok(0);
        }
        let ends: Vec<_> = self.ended.iter().take(count).copied().collect();
        let writing = tokio::time::timeout(PATIENCE, self.journal.write(begins, &ends));
        let written = writing.await.unwrap_or_else(|_| Err(self.journal.timed_out(PATIENCE)));
        match written {
            Ok(first) => {
                if self.failures > 0 {
                    tracing::info!("the account of queries is written again");
                }
                self.failures = 0;
                self.ended.drain(..count);
                self.ends.fetch_sub(count, Ordering::Relaxed);
                self.commits.fetch_add(1, Ordering::Relaxed);
                Ok(first)
            }
            Err(error) => {
                self.failures = self.failures.saturating_add(1);
                self.journal.disconnect();
                // Those who wait for a query are told; that it goes on failing is said once.
                if self.failures == 1 {
                    let cause = std::error::Error::source(&error).map(ToString::to_string);
                    tracing::error!(%error, cause, "the account of queries cannot be written");
                }
                Err(error)
            }
        }
    }
}
