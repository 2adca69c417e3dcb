//! One query's share of the memory: what it reserves is reserved in the pool of all, and it never
//! gets more than its part.
//!
//! Operators that work for long between two batches, such as a sort that merges what it holds, ask
//! for memory all the while: a query that was stopped gets none, and ends there.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use datafusion::common::{DataFusionError, Result};
use datafusion::execution::memory_pool::{
    MemoryConsumer, MemoryLimit, MemoryPool, MemoryReservation,
};
use tokio_util::sync::CancellationToken;

use super::running::stopped_error;

/// Bytes that one sort holds before it spills: it sorts what it holds in one go, which no cancel
/// reaches into, so that must be a matter of a moment.
const LARGEST_SORT: usize = 64 << 20;

/// A query that holds no more is small.
const SMALL: usize = 8 << 20;

/// The part of all memory, one in so many, that is left to small queries: however much the large
/// ones ask for, a short question is answered beside them.
const LEFT: usize = 8;

/// What the engine calls the memory of a sort.
const SORT: &str = "ExternalSorter[";

/// See the module.
#[derive(Debug)]
pub(super) struct QueryPool {
    all: Arc<dyn MemoryPool>,
    used: AtomicUsize,
    most: usize,
    stopped: CancellationToken,
}

impl QueryPool {
    pub(super) fn new(all: Arc<dyn MemoryPool>, most: usize) -> Self {
        let stopped = CancellationToken::new();
        Self { all, used: AtomicUsize::new(0), most, stopped }
    }

    /// Cancelled when the query is stopped.
    pub(super) fn stopped(&self) -> &CancellationToken {
        &self.stopped
    }

    /// The pool of all: of what is in it, but in no query's share.
    pub(super) fn all(&self) -> &Arc<dyn MemoryPool> {
        &self.all
    }

    /// Whether this query, which is not small, would take what is left to those that are.
    fn crowds_out(&self, held: usize, additional: usize) -> bool {
        let MemoryLimit::Finite(whole) = self.all.memory_limit() else { return false };
        held.saturating_add(additional) > SMALL
            && self.all.reserved().saturating_add(additional) > whole - whole / LEFT
    }

    /// Whether the query holds next to nothing.
    pub(super) fn is_small(&self) -> bool {
        self.used() <= SMALL
    }

    /// Bytes that the query holds.
    pub(super) fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }
}

impl fmt::Display for QueryPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("one query's share of the memory")
    }
}

impl MemoryPool for QueryPool {
    fn name(&self) -> &str {
        "query"
    }

    fn register(&self, consumer: &MemoryConsumer) {
        self.all.register(consumer);
    }

    fn unregister(&self, consumer: &MemoryConsumer) {
        self.all.unregister(consumer);
    }

    fn grow(&self, reservation: &MemoryReservation, additional: usize) {
        self.used.fetch_add(additional, Ordering::Relaxed);
        self.all.grow(reservation, additional);
    }

    fn shrink(&self, reservation: &MemoryReservation, shrink: usize) {
        self.used.fetch_sub(shrink, Ordering::Relaxed);
        self.all.shrink(reservation, shrink);
    }

    fn try_grow(&self, reservation: &MemoryReservation, additional: usize) -> Result<()> {
        if self.stopped.is_cancelled() {
            return Err(stopped_error());
        }
        let sorts = reservation.consumer().name().starts_with(SORT);
        let held = reservation.size().saturating_add(additional);
        let before = self.used.fetch_add(additional, Ordering::Relaxed);
        let too_much =
            before.saturating_add(additional) > self.most || self.crowds_out(before, additional);
        let grown = if too_much || (sorts && held > LARGEST_SORT.max(additional)) {
            let reason = "the query holds its whole share of the memory";
            Err(DataFusionError::ResourcesExhausted(reason.to_owned()))
        } else {
            self.all.try_grow(reservation, additional)
        };
        grown.inspect_err(|_| {
            self.used.fetch_sub(additional, Ordering::Relaxed);
        })
    }

    fn reserved(&self) -> usize {
        self.used()
    }

    fn memory_limit(&self) -> MemoryLimit {
        MemoryLimit::Finite(self.most)
    }
}

#[cfg(test)]
mod tests {
    use datafusion::execution::memory_pool::GreedyMemoryPool;

    use super::*;

    #[test]
    fn large_queries_leave_room_for_small_ones() {
        const MIB: usize = 1 << 20;
        let all: Arc<dyn MemoryPool> = Arc::new(GreedyMemoryPool::new(80 * MIB));
        let query = || Arc::new(QueryPool::new(Arc::clone(&all), 80 * MIB)) as Arc<dyn MemoryPool>;
        let (large, small) = (query(), query());
        let [of_large, of_small] =
            [&large, &small].map(|pool| MemoryConsumer::new("a join").register(pool));
        of_large.try_grow(70 * MIB).unwrap();
        assert!(of_large.try_grow(MIB).is_err());
        of_small.try_grow(8 * MIB).unwrap();
        assert!(of_small.try_grow(MIB).is_err());
        assert_eq!(all.reserved(), 78 * MIB);
    }
}
