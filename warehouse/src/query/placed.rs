//! Rows of the lake with where each lies, for those who change them.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::datatypes::{Schema as ArrowSchema, SchemaRef};
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::Result;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::ExecutionPlan;

use super::scan::{Pick, Scan, place_fields};
/// See the module.
#[derive(Debug)]
pub(super) struct Placed {
    /// The columns of the table.
    stored: SchemaRef,
    /// And behind them those that tell where a row lies.
    schema: SchemaRef,
    pick: Pick,
}

impl Placed {
    pub(super) fn new(stored: SchemaRef, pick: Pick) -> Self {
        let (file, row) = place_fields();
        let fields = stored.fields().iter().cloned().chain([file, row]);
        let schema = Arc::new(ArrowSchema::new(fields.collect::<Vec<_>>()));
        Self { stored, schema, pick }
    }
}

#[async_trait]
impl TableProvider for Placed {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Temporary
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> Result<Vec<TableProviderFilterPushDown>> {
        Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let scan = Scan::of(&self.stored, &self.pick, true)?;
        scan.run(state, projection, filters, limit).await
    }
}
