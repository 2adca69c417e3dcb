//! Rows as they come.

use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::DataFusionError;
use datafusion::execution::memory_pool::MemoryReservation;
use tokio::sync::mpsc;

use super::QueryError;
use super::engine::Task;
use super::parcel::Parcel;
use super::running::{Running, Stop};
use crate::grid::Grid;

/// A running query. Dropping it stops the work.
pub struct Answer {
    schema: SchemaRef,
    rows: mpsc::Receiver<Parcel>,
    /// The first batch, which was waited for so that what fails at once is told at once.
    first: Option<RecordBatch>,
    /// What is reserved for the rows that were given last.
    given: Option<MemoryReservation>,
    running: Arc<Running>,
    /// The work; `None` when it is over.
    task: Option<Task<()>>,
}

impl Answer {
    pub(super) async fn begin(
        schema: SchemaRef,
        rows: mpsc::Receiver<Parcel>,
        running: Arc<Running>,
        task: Task<()>,
    ) -> Result<Self, QueryError> {
        let mut answer = Self { schema, rows, first: None, given: None, running, task: Some(task) };
        answer.first = answer.receive().await?;
        Ok(answer)
    }

    /// The columns.
    pub fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    /// The next batch; `None` at the end.
    ///
    /// # Errors
    /// When the query fails, is stopped, or its time is up.
    pub async fn next(&mut self) -> Result<Option<RecordBatch>, QueryError> {
        match self.first.take() {
            Some(batch) => Ok(Some(batch)),
            None => self.receive().await,
        }
    }

    async fn receive(&mut self) -> Result<Option<RecordBatch>, QueryError> {
        let rows = &mut self.rows;
        let running = Arc::clone(&self.running);
        self.given = None;
        if let Some(parcel) = running.wait(async { Ok(rows.recv().await) }).await? {
            let (batch, reservation) = parcel.open().ok_or_else(|| running.error())?;
            self.given = Some(reservation);
            return Ok(Some(batch));
        }
        // There are no more rows: how the work ended says why.
        match self.task.as_mut() {
            Some(task) => {
                let ended = running.wait(task).await;
                self.task = None;
                ended.map(|()| None)
            }
            None => Ok(None),
        }
    }

    /// All batches.
    ///
    /// # Errors
    /// As [`Self::next`].
    pub async fn collect(mut self) -> Result<Vec<RecordBatch>, QueryError> {
        let mut batches = Vec::new();
        while let Some(batch) = self.next().await? {
            batches.push(batch);
        }
        Ok(batches)
    }

    /// The first `max_rows` rows as plain values.
    ///
    /// # Errors
    /// As [`Self::next`], or when a column has no text form.
    pub async fn grid(mut self, max_rows: usize) -> Result<Grid, QueryError> {
        let mut grid = Grid::with_schema(&self.schema());
        while let Some(batch) = self.next().await? {
            let pushed = grid.push(&batch, max_rows);
            pushed.map_err(|e| QueryError::engine(DataFusionError::from(e)))?;
            if grid.truncated {
                self.running.stop(Stop::Enough);
                break;
            }
        }
        Ok(grid)
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        if self.task.is_some() {
            self.running.stop(Stop::Cancelled);
        }
    }
}
