//! Making Arrow batches of rows that come one by one.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringBuilder};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use futures::StreamExt;

use crate::{RawStream, SourceError};

/// Rows in one batch: small enough for the cache, large enough for the vector code.
pub const BATCH_ROWS: usize = 32_768;

/// Bytes of text in one batch at most, so that long cells do not make batches of any size.
const BATCH_BYTES: usize = 32 << 20;

/// Rows of text that become a batch.
pub struct TextRows {
    schema: SchemaRef,
    columns: Vec<StringBuilder>,
    rows: usize,
    bytes: usize,
}

impl TextRows {
    /// No rows yet, with these columns.
    pub fn new<T: AsRef<str>>(columns: &[T]) -> Self {
        let field = |name: &T| Field::new(name.as_ref(), DataType::Utf8, true);
        let schema = Arc::new(Schema::new(columns.iter().map(field).collect::<Vec<_>>()));
        let columns = columns.iter().map(|_| StringBuilder::new()).collect();
        Self { schema, columns, rows: 0, bytes: 0 }
    }

    /// Adds a row: a cell for each column, in their order.
    pub fn push<T: AsRef<str>>(&mut self, cells: impl IntoIterator<Item = Option<T>>) {
        let mut cells = cells.into_iter();
        for column in &mut self.columns {
            let cell = cells.next().flatten();
            self.bytes += cell.as_ref().map_or(0, |cell| cell.as_ref().len());
            column.append_option(cell);
        }
        self.rows += 1;
    }

    /// How many rows wait.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Whether they are enough for a batch.
    pub fn is_full(&self) -> bool {
        self.rows >= BATCH_ROWS || self.bytes >= BATCH_BYTES
    }

    /// The rows so far; none are left.
    pub fn take(&mut self) -> RecordBatch {
        (self.rows, self.bytes) = (0, 0);
        let columns: Vec<ArrayRef> =
            self.columns.iter_mut().map(|column| Arc::new(column.finish()) as ArrayRef).collect();
        RecordBatch::try_new(Arc::clone(&self.schema), columns)
            .expect("all columns are text and have had a cell for each row")
    }
}

/// Reads ahead on a blocking thread, two batches at most, so that reading and checking overlap. The
/// reader ends at its first error, or when nobody reads on.
///
/// # Panics
/// The stream panics where the reader did: rows that it did not give must not look like their end.
pub fn in_background<I>(reader: I) -> RawStream
where
    I: Iterator<Item = Result<RecordBatch, SourceError>> + Send + 'static,
{
    let (sender, receiver) = tokio::sync::mpsc::channel(2);
    let reading = tokio::task::spawn_blocking(move || {
        for batch in reader {
            let failed = batch.is_err();
            if sender.blocking_send(batch).is_err() || failed {
                return;
            }
        }
    });
    let state = (receiver, Some(reading));
    futures::stream::unfold(state, |(mut receiver, mut reading)| async move {
        if let Some(batch) = receiver.recv().await {
            return Some((batch, (receiver, reading)));
        }
        match reading.take()?.await {
            Err(failed) if failed.is_panic() => std::panic::resume_unwind(failed.into_panic()),
            _ => None,
        }
    })
    .boxed()
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[tokio::test]
    async fn a_reader_that_panics_is_not_taken_for_one_that_ended() {
        let rows = || Ok(TextRows::new(&["a"]).take());
        let mut whole = in_background(std::iter::once(rows()));
        assert!(whole.next().await.is_some() && whole.next().await.is_none());
        let mut broken =
            in_background((0..2).map(move |at| if at == 0 { rows() } else { panic!() }));
        assert!(broken.next().await.is_some());
        assert!(std::panic::AssertUnwindSafe(broken.next()).catch_unwind().await.is_err());
    }
}
