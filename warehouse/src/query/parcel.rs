//! A batch on its way from a query to its reader.
//!
//! It is reserved in the pool of all until the reader asks for the next one, however long that
//! takes, and not in the query's share: a query that just fits would fail on its answer. When the
//! query is stopped, what nobody has taken is let go of.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use datafusion::arrow::array::RecordBatch;
use datafusion::common::Result;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryPool, MemoryReservation};

/// Rows, and the memory that is reserved for them.
type Load = (RecordBatch, MemoryReservation);

/// Bytes of a short answer, which is given even where there is no room.
const SHORT: usize = 16 << 10;

/// See the module.
#[derive(Debug)]
pub(super) struct Parcel(Arc<Mutex<Option<Load>>>);

impl Parcel {
    /// # Errors
    /// When there is no room for it.
    pub(super) fn new(batch: RecordBatch, pool: &Arc<dyn MemoryPool>) -> Result<Self> {
        let reservation = MemoryConsumer::new("Answer").register(pool);
        match batch.get_array_memory_size() {
            bytes if bytes <= SHORT => reservation.grow(bytes),
            bytes => reservation.try_grow(bytes)?,
        }
        Ok(Self(Arc::new(Mutex::new(Some((batch, reservation))))))
    }

    /// What is in it; `None` where the query was stopped.
    pub(super) fn open(self) -> Option<Load> {
        take(&self.0)
    }
}

fn take(load: &Mutex<Option<Load>>) -> Option<Load> {
    load.lock().unwrap_or_else(PoisonError::into_inner).take()
}

/// The parcels of one query, of which some are not taken yet.
#[derive(Debug, Default)]
pub(super) struct Shelf(Mutex<Vec<Weak<Mutex<Option<Load>>>>>);

impl Shelf {
    pub(super) fn put(&self, parcel: &Parcel) {
        let mut parcels = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        parcels.retain(|parcel| parcel.strong_count() > 0);
        parcels.push(Arc::downgrade(&parcel.0));
    }

    /// Lets go of what is in them.
    pub(super) fn clear(&self) {
        let parcels = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        for parcel in parcels.iter().filter_map(Weak::upgrade) {
            take(&parcel);
        }
    }
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::array::{ArrayRef, Int64Array};
    use datafusion::execution::memory_pool::GreedyMemoryPool;

    use super::*;

    #[test]
    fn what_was_not_taken_goes_with_the_query() {
        let pool: Arc<dyn MemoryPool> = Arc::new(GreedyMemoryPool::new(10_000));
        let column: ArrayRef = Arc::new(Int64Array::from(vec![7; 100]));
        let batch = RecordBatch::try_from_iter([("a", column)]).unwrap();
        let shelf = Shelf::default();
        let parcels = [(); 3].map(|()| Parcel::new(batch.clone(), &pool).unwrap());
        parcels.iter().for_each(|parcel| shelf.put(parcel));
        let [first, second, third] = parcels;
        let taken = first.open().unwrap();
        drop(second);
        assert!(pool.reserved() > 1_600);
        shelf.clear();
        assert!(third.open().is_none() && pool.reserved() < 1_600);
        drop(taken);
        assert_eq!(pool.reserved(), 0);
    }
}
