//! Rows as they come, under the query's deadline.

use std::time::Duration;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::DataFusionError;
use datafusion::execution::SendableRecordBatchStream;
use futures::StreamExt;
use tokio::time::Instant;

use super::QueryError;
use crate::grid::Grid;

/// A running query. Dropping it stops the work.
pub struct Answer {
    stream: SendableRecordBatchStream,
    deadline: Instant,
    limit: Duration,
}

impl Answer {
    pub(super) fn new(
        stream: SendableRecordBatchStream,
        deadline: Instant,
        limit: Duration,
    ) -> Self {
        Self { stream, deadline, limit }
    }

    /// The columns.
    pub fn schema(&self) -> SchemaRef {
        self.stream.schema()
    }

    /// The next batch; `None` at the end.
    ///
    /// # Errors
    /// When the query fails or its time is up.
    pub async fn next(&mut self) -> Result<Option<RecordBatch>, QueryError> {
        tokio::time::timeout_at(self.deadline, self.stream.next())
            .await
            .map_err(|_| QueryError::timeout(self.limit))?
            .transpose()
            .map_err(QueryError::running)
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
            pushed.map_err(|e| QueryError::running(DataFusionError::from(e)))?;
            if grid.truncated {
                break;
            }
        }
        Ok(grid)
    }
}
