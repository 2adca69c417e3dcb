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
use super::scan::{Pick, Scan};
use crate::names::TableName;

/// See the module.
#[derive(Debug)]
pub(super) struct LakeTable {
    pins: Arc<Pins>,
    name: TableName,
    schema: SchemaRef,
}

impl LakeTable {
    pub(super) fn new(pins: Arc<Pins>, name: TableName, schema: &SchemaRef) -> Self {
        Self { pins, name, schema: Arc::clone(schema) }
    }

    pub(super) fn name(&self) -> &TableName {
        &self.name
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
        match self.pins.version(&self.name).await.map_err(external)? {
            Some(version) => {
                let scan = Scan::of(&self.schema, &Pick::Counting(version), false)?;
                scan.run(state, projection, filters, limit).await
            }
            None => EmptyTable::new(self.schema()).scan(state, projection, filters, limit).await,
        }
    }
}
