//! A table of the lake at the version that a statement reads. Its columns are known before its
//! data: a table that no night has filled yet is there, and empty.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::datatypes::{DataType, Field, Schema as ArrowSchema, SchemaRef};
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{DataFusionError, Result};
use datafusion::datasource::empty::EmptyTable;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::ExecutionPlan;

use super::pins::Pins;
use super::scan::{Pick, Scan, place_fields};
use crate::names::TableName;

/// See the module.
#[derive(Debug)]
pub(super) struct LakeTable {
    rows: Rows,
    /// The columns of the table.
    stored: SchemaRef,
    /// What is given: these, and for those who change rows where each lies.
    schema: SchemaRef,
}

#[derive(Debug)]
enum Rows {
    /// Of the version that the statement reads.
    Pinned(Arc<Pins>, TableName),
    /// Chosen ones, with where each lies.
    Placed(Pick),
}

impl LakeTable {
    pub(super) fn new(pins: Arc<Pins>, name: TableName, stored: &SchemaRef) -> Self {
        let (stored, schema) = (Arc::clone(stored), Arc::clone(stored));
        Self { rows: Rows::Pinned(pins, name), stored, schema }
    }

    /// Chosen rows, each with where it lies.
    pub(super) fn placed(stored: &ArrowSchema, pick: Pick) -> Self {
        let stored = Arc::new(viewed(stored));
        let (file, row) = place_fields();
        let fields = stored.fields().iter().cloned().chain([file, row]);
        let schema = Arc::new(ArrowSchema::new(fields.collect::<Vec<_>>()));
        Self { rows: Rows::Placed(pick), stored, schema }
    }

    /// Its name, where a statement asked for it by that.
    pub(super) fn name(&self) -> Option<&TableName> {
        match &self.rows {
            Rows::Pinned(_, name) => Some(name),
            Rows::Placed(_) => None,
        }
    }
}

fn external(error: impl std::error::Error + Send + Sync + 'static) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}

/// A declared schema as the Parquet reader gives it: text as views.
pub(super) fn viewed(schema: &ArrowSchema) -> ArrowSchema {
    let fields = schema.fields().iter().map(|field| match field.data_type() {
        DataType::Utf8 => Arc::new(Field::new(field.name(), DataType::Utf8View, true)),
        other => Arc::new(Field::new(field.name(), other.clone(), true)),
    });
    ArrowSchema::new(fields.collect::<Vec<_>>())
}

#[async_trait]
impl TableProvider for LakeTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
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
        let scan = match &self.rows {
            Rows::Placed(pick) => Scan::of(&self.stored, pick, true)?,
            Rows::Pinned(pins, name) => match pins.version(name).await.map_err(external)? {
                Some(version) => Scan::of(&self.stored, &Pick::Counting(version), false)?,
                None => {
                    let empty = EmptyTable::new(self.schema());
                    return empty.scan(state, projection, filters, limit).await;
                }
            },
        };
        scan.run(state, projection, filters, limit).await
    }
}
