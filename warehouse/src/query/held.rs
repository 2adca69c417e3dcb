//! The account of what a window holds.
//!
//! The engine's window operators keep rows until their frame is complete, a whole partition where
//! it must be, and account for none of it. Guards on both sides of them know how many rows went in
//! and have not come out.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use datafusion::common::Result;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryPool, MemoryReservation};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::windows::{BoundedWindowAggExec, WindowAggExec};

/// How often a row is in memory while a window works on it: as it came, and joined to the others of
/// its partition.
const COPIES: usize = 2;

/// Bytes of what a window makes of a row, beside the row.
const RESULT: usize = 16;

/// The accounts of one window operator, by partition of its output.
#[derive(Debug)]
pub(super) struct Holds {
    results: usize,
    open: Mutex<HashMap<usize, Arc<Held>>>,
}

impl Holds {
    /// Of an operator that holds rows without an account; `None` for all others.
    pub(super) fn of(node: &Arc<dyn ExecutionPlan>) -> Option<Arc<Self>> {
        let whole = node.downcast_ref::<WindowAggExec>().map(|window| window.window_expr().len());
        let sliding =
            || node.downcast_ref::<BoundedWindowAggExec>().map(|window| window.window_expr().len());
        let results = whole.or_else(sliding)?;
        Some(Arc::new(Self { results, open: Mutex::default() }))
    }

    /// A new account for a partition.
    pub(super) fn open(&self, partition: usize, pool: &Arc<dyn MemoryPool>) -> Arc<Held> {
        let held = Arc::new(Held::new(self.results, pool));
        self.lock().insert(partition, Arc::clone(&held));
        held
    }

    /// The account that was opened last for a partition.
    pub(super) fn find(&self, partition: usize, pool: &Arc<dyn MemoryPool>) -> Arc<Held> {
        let found = self.lock().remove(&partition);
        found.unwrap_or_else(|| Arc::new(Held::new(self.results, pool)))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<usize, Arc<Held>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Rows that went in, and rows that came out.
#[derive(Debug)]
pub(super) struct Held {
    results: usize,
    reservation: Mutex<(MemoryReservation, Flow)>,
}

#[derive(Debug, Default)]
struct Flow {
    rows_in: usize,
    bytes_in: usize,
    rows_out: usize,
}

impl Flow {
    /// By the size of the average row.
    fn bytes(&self, results: usize) -> usize {
        let inside = self.rows_in.saturating_sub(self.rows_out);
        let row = self.bytes_in.div_ceil(self.rows_in.max(1));
        inside.saturating_mul(row.saturating_mul(COPIES).saturating_add(results * RESULT))
    }
}

impl Held {
    fn new(results: usize, pool: &Arc<dyn MemoryPool>) -> Self {
        let reservation = MemoryConsumer::new("Window").register(pool);
        Self { results, reservation: Mutex::new((reservation, Flow::default())) }
    }

    /// # Errors
    /// When the query may not hold so much.
    pub(super) fn take(&self, rows: usize, bytes: usize) -> Result<()> {
        let mut held = self.lock();
        let (reservation, flow) = &mut *held;
        flow.rows_in = flow.rows_in.saturating_add(rows);
        flow.bytes_in = flow.bytes_in.saturating_add(bytes);
        reservation.try_resize(flow.bytes(self.results))
    }

    pub(super) fn give(&self, rows: usize) {
        let mut held = self.lock();
        let (reservation, flow) = &mut *held;
        flow.rows_out = flow.rows_out.saturating_add(rows);
        let bytes = flow.bytes(self.results).min(reservation.size());
        reservation.resize(bytes);
    }

    fn lock(&self) -> MutexGuard<'_, (MemoryReservation, Flow)> {
        self.reservation.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use datafusion::execution::memory_pool::GreedyMemoryPool;

    use super::*;

    #[test]
    fn what_went_in_and_did_not_come_out_is_held() {
        let pool: Arc<dyn MemoryPool> = Arc::new(GreedyMemoryPool::new(10_000));
        let held = Held::new(1, &pool);
        held.take(100, 800).unwrap();
        assert_eq!(pool.reserved(), 100 * (2 * 8 + 16));
        held.give(75);
        assert_eq!(pool.reserved(), 25 * (2 * 8 + 16));
        assert!(held.take(1_000, 8_000).is_err());
        drop(held);
        assert_eq!(pool.reserved(), 0);
    }
}
