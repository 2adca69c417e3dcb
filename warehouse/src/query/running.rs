//! One query while it runs: how it is stopped, and what it has used.
//!
//! An engine's operator is not asked whether it may go on; it asks for its next rows. So the
//! question is put where rows are asked for (`guard`) and where functions make values
//! (`functions`): both find the query that they work for on their thread.

use std::cell::{Cell, RefCell};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use datafusion::common::{DataFusionError, Result};
use tokio_util::sync::CancellationToken;

use super::QueryError;
use super::parcel::Shelf;
use super::pool::QueryPool;

/// Bytes that functions may make while one batch of rows is worked on.
pub(super) const MOST_MADE: usize = 32 << 20;

/// Why a query was stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    /// Its reader wants it no more.
    Cancelled = 1,
    /// Its time is up.
    Timeout,
    /// The machine's memory is needed.
    Memory,
    /// The product is being stopped.
    Shutdown,
    /// Its reader has all that they can show.
    Enough,
}

impl Stop {
    fn of(number: u8) -> Option<Self> {
        [Self::Cancelled, Self::Timeout, Self::Memory, Self::Shutdown, Self::Enough]
            .into_iter()
            .find(|stop| *stop as u8 == number)
    }
}

/// A query that was stopped, as the engine's operators pass it on.
#[derive(Debug, thiserror::Error)]
#[error("the query was stopped")]
pub(super) struct Stopped;

/// One query.
#[derive(Debug)]
pub(super) struct Running {
    /// Ends with the query; whoever waits for it is woken.
    pub(super) stopped: CancellationToken,
    /// When it was let in.
    began: OnceLock<Instant>,
    /// When its time is up, and how much it was given.
    pub(super) deadline: Option<(tokio::time::Instant, Duration)>,
    /// Its share of the memory.
    pub(super) pool: Arc<QueryPool>,
    why: AtomicU8,
    /// Whether its trees may be deep.
    deep: AtomicBool,
    /// Microseconds that it has worked since its turn began.
    worked: AtomicU64,
    /// Microseconds from `made_at` to the beginning of its next turn.
    rests_until: AtomicU64,
    made_at: Instant,
    /// Rows that wait for its reader.
    pub(super) shelf: Shelf,
    /// Rows and bytes that have left.
    pub(super) rows: AtomicU64,
    pub(super) bytes: AtomicU64,
}

impl Running {
    pub(super) fn new(pool: Arc<QueryPool>, timeout: Option<Duration>) -> Self {
        Self {
            stopped: pool.stopped().clone(),
            began: OnceLock::new(),
            deadline: timeout.map(|timeout| (tokio::time::Instant::now() + timeout, timeout)),
            pool,
            why: AtomicU8::new(0),
            deep: AtomicBool::new(true),
            worked: AtomicU64::new(0),
            rests_until: AtomicU64::new(0),
            made_at: Instant::now(),
            shelf: Shelf::default(),
            rows: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
        }
    }

    /// Stops it; the first reason counts.
    pub(super) fn stop(&self, why: Stop) {
        let _ = self.why.compare_exchange(0, why as u8, Ordering::AcqRel, Ordering::Acquire);
        self.stopped.cancel();
        self.shelf.clear();
    }

    /// Why it was stopped, if it was.
    pub(super) fn why(&self) -> Option<Stop> {
        Stop::of(self.why.load(Ordering::Acquire))
    }

    /// The error of a stopped query.
    pub(super) fn error(&self) -> QueryError {
        match self.why() {
            Some(Stop::Timeout) => {
                QueryError::timeout(self.deadline.map(|(_, given)| given).unwrap_or_default())
            }
            Some(Stop::Memory) => QueryError::too_large(),
            Some(Stop::Shutdown) => QueryError::shutting_down(),
            Some(Stop::Cancelled | Stop::Enough) | None => QueryError::cancelled(),
        }
    }

    /// Whether its text is long enough to make deep trees.
    pub(super) fn set_deep(&self, deep: bool) {
        self.deep.store(deep, Ordering::Relaxed);
    }

    /// It has been let in.
    pub(super) fn begin(&self) {
        let _ = self.began.set(Instant::now());
    }

    /// How long it has been at work.
    pub(super) fn age(&self) -> Duration {
        self.began.get().map(Instant::elapsed).unwrap_or_default()
    }

    /// It has worked so long.
    pub(super) fn work(&self, time: Duration) {
        self.worked.fetch_add(micros(time), Ordering::Relaxed);
    }

    /// How long it has worked since its turn began.
    pub(super) fn worked(&self) -> Duration {
        Duration::from_micros(self.worked.load(Ordering::Relaxed))
    }

    /// Its turn begins now.
    pub(super) fn begin_turn(&self) {
        self.worked.store(0, Ordering::Relaxed);
    }

    /// Its turn is over, and the next begins at `until`.
    pub(super) fn rest(&self, until: Instant) {
        self.begin_turn();
        let until = micros(until.saturating_duration_since(self.made_at));
        self.rests_until.store(until, Ordering::Relaxed);
    }

    /// When its next turn begins, where it rests.
    pub(super) fn rests(&self, now: Instant) -> Option<Instant> {
        let until = Duration::from_micros(self.rests_until.load(Ordering::Relaxed));
        Some(self.made_at + until).filter(|until| *until > now)
    }

    /// Waits for `work`, but not longer than the query may last.
    pub(super) async fn wait<T>(
        &self,
        work: impl Future<Output = Result<T, QueryError>>,
    ) -> Result<T, QueryError> {
        let due = async {
            match self.deadline {
                Some((at, _)) => tokio::time::sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = self.stopped.cancelled() => Err(self.error()),
            done = work => done,
            () = due => {
                self.stop(Stop::Timeout);
                Err(self.error())
            }
        }
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

thread_local! {
    static HERE: RefCell<Option<Arc<Running>>> = const { RefCell::new(None) };
    static MADE: Cell<usize> = const { Cell::new(0) };
}

/// Makes `running` the query that this thread works for, until the value is dropped.
pub(super) struct Here {
    before: Option<Arc<Running>>,
}

impl Here {
    pub(super) fn enter(running: &Arc<Running>) -> Self {
        MADE.set(0);
        Self { before: HERE.replace(Some(Arc::clone(running))) }
    }
}

impl Drop for Here {
    fn drop(&mut self) {
        HERE.replace(self.before.take());
    }
}

/// Fails when the query that this thread works for is to stop.
pub(super) fn go_on() -> Result<()> {
    let stopped = HERE
        .with_borrow(|here| here.as_ref().is_some_and(|running| running.stopped.is_cancelled()));
    if stopped { Err(stopped_error()) } else { Ok(()) }
}

pub(super) fn stopped_error() -> DataFusionError {
    DataFusionError::External(Box::new(Stopped))
}

/// Counts what a function is about to make, or has made, since the last rows were asked for.
pub(super) fn make(bytes: usize) -> Result<()> {
    let made = MADE.get().saturating_add(bytes);
    MADE.set(made);
    if made > MOST_MADE { Err(too_much()) } else { Ok(()) }
}

pub(super) fn too_much() -> DataFusionError {
    DataFusionError::ResourcesExhausted("functions make too long values".to_owned())
}

/// Stack on which a long statement is parsed, planned and begun: trees within the bounds fit into it
/// many times over. It is given back after each step, as a thread's own never is; that of a short
/// one is not worth the asking.
const STACK: usize = 64 << 20;

/// A future whose every step works for a query, on a deep stack.
pub(super) struct Working<F> {
    pub(super) running: Arc<Running>,
    pub(super) work: Pin<Box<F>>,
}

impl<F: Future> Future for Working<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let _here = Here::enter(&self.running);
        if self.running.deep.load(Ordering::Relaxed) {
            stacker::grow(STACK, || self.work.as_mut().poll(cx))
        } else {
            self.work.as_mut().poll(cx)
        }
    }
}
