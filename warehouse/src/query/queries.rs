//! `he_thong.truy_van`: the account of queries as a table, read page by page from the state room.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::array::TimestampMicrosecondArray;
use datafusion::arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::streaming::StreamingTable;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::PartitionStream;
use futures::stream;

use crate::state::{QueryRow, State};

/// Rows that are read at a time.
const PAGE: u32 = 4_096;

/// See the module.
#[derive(Debug)]
pub(super) struct Queries {
    schema: SchemaRef,
    pages: Arc<Pages>,
}

impl Queries {
    pub(super) fn new(state: State, schema: &SchemaRef) -> Self {
        let pages = Pages { state, schema: Arc::clone(schema) };
        Self { schema: Arc::clone(schema), pages: Arc::new(pages) }
    }
}

#[async_trait]
impl TableProvider for Queries {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let pages = Arc::clone(&self.pages) as Arc<dyn PartitionStream>;
        let table = StreamingTable::try_new(self.schema(), vec![pages])?;
        table.scan(state, projection, filters, limit).await
    }
}

struct Pages {
    state: State,
    schema: SchemaRef,
}

impl fmt::Debug for Pages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pages").finish_non_exhaustive()
    }
}

impl PartitionStream for Pages {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _: Arc<TaskContext>) -> SendableRecordBatchStream {
        let (state, schema) = (self.state.clone(), Arc::clone(&self.schema));
        let pages = stream::try_unfold(Some(0_i64), move |after| {
            let (state, schema) = (state.clone(), Arc::clone(&schema));
            async move {
                let Some(after) = after else { return Ok(None) };
                let rows = state.queries(after, PAGE).await;
                let rows = rows.map_err(|error| DataFusionError::External(Box::new(error)))?;
                let Some(last) = rows.last() else { return Ok(None) };
                let next = (rows.len() == PAGE as usize).then_some(last.id);
                Ok(Some((batch(&rows, &schema)?, next)))
            }
        });
        Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), pages))
    }
}

fn batch(rows: &[QueryRow], schema: &SchemaRef) -> Result<RecordBatch> {
    fn texts<'a>(values: impl Iterator<Item = Option<String>> + 'a) -> ArrayRef {
        Arc::new(values.collect::<StringArray>())
    }
    fn numbers<'a>(values: impl Iterator<Item = Option<i64>> + 'a) -> ArrayRef {
        Arc::new(values.collect::<Int64Array>())
    }
    let began = rows.iter().map(|row| Some(row.started_at.timestamp_micros()));
    let began: TimestampMicrosecondArray = began.collect();
    let columns = vec![
        numbers(rows.iter().map(|row| Some(row.id))),
        texts(rows.iter().map(|row| Some(row.principal.clone()))),
        texts(rows.iter().map(|row| Some(row.role.clone()))),
        texts(rows.iter().map(|row| Some(row.via.clone()))),
        texts(rows.iter().map(|row| Some(row.tables.join(";")))),
        texts(rows.iter().map(|row| Some(row.columns.join(";")))),
        Arc::new(began.with_timezone("UTC")),
        texts(rows.iter().map(|row| row.outcome.clone())),
        numbers(rows.iter().map(|row| row.rows)),
        numbers(rows.iter().map(|row| row.bytes)),
        numbers(rows.iter().map(|row| row.duration_ms)),
    ];
    Ok(RecordBatch::try_new(Arc::clone(schema), columns)?)
}
