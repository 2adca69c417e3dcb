//! The catalogue as one clearance sees it: schemas and tables of the lake, read at their newest
//! version, and nothing above the clearance.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use datafusion::arrow::datatypes::{DataType, Field, Schema as ArrowSchema, SchemaRef};
use datafusion::catalog::{CatalogProvider, SchemaProvider, Session, TableProvider};
use datafusion::common::{DataFusionError, Result};
use datafusion::datasource::empty::EmptyTable;
use datafusion::datasource::{MemTable, ViewTable, provider_as_source};
use datafusion::logical_expr::{
    Expr, LogicalPlan, LogicalPlanBuilder, TableProviderFilterPushDown, TableType, col, lit,
};
use datafusion::physical_plan::ExecutionPlan;
use deltalake_core::DeltaTable;

use crate::names::{Schema, Sensitivity, TableName};
use crate::spec::{self, Declarations, QueryKind};
use crate::store::Lake;
use crate::system;

/// All tables that one clearance may read.
pub(super) struct LakeCatalog {
    schemas: BTreeMap<&'static str, Arc<LakeSchema>>,
    /// Schemas that a protocol adds for its clients: `pg_catalog`.
    added: Mutex<BTreeMap<String, Arc<dyn SchemaProvider>>>,
    /// `chi_tieu.gia_tri` with the rows that the clearance may read.
    indicator_values: Arc<dyn TableProvider>,
}

impl LakeCatalog {
    pub(super) fn new(
        lake: Lake,
        declarations: &Declarations,
        clearance: Sensitivity,
    ) -> Result<Self> {
        let mut tables: BTreeMap<TableName, Arc<dyn TableProvider>> = BTreeMap::new();
        let indicator_values = indicator_values(&lake, declarations, clearance)?;
        for (name, class, schema) in declared(declarations) {
            if class <= clearance {
                let table = LakeTable::new(lake.clone(), name.clone(), schema);
                tables.insert(name, Arc::new(table));
            }
        }
        for (table, batch) in system::virtual_tables(declarations)? {
            if table.sensitivity <= clearance {
                let memory = MemTable::try_new(Arc::clone(&table.schema), vec![vec![batch]])?;
                tables.insert(table.name, Arc::new(memory));
            }
        }
        tables.insert(system::indicator_values().name, Arc::clone(&indicator_values));
        let schemas = Schema::ALL
            .into_iter()
            .map(|schema| {
                let inside = tables
                    .iter()
                    .filter(|(name, _)| name.schema() == schema)
                    .map(|(name, table)| (name.name().to_owned(), Arc::clone(table)))
                    .collect();
                (schema.as_str(), Arc::new(LakeSchema { tables: Mutex::new(inside) }))
            })
            .collect();
        Ok(Self { schemas, added: Mutex::default(), indicator_values })
    }

    /// Adds a view that was planned over tables of this catalogue.
    pub(super) fn add(&self, name: &TableName, table: Arc<dyn TableProvider>) {
        if let Some(schema) = self.schemas.get(name.schema().as_str()) {
            schema.lock().insert(name.name().to_owned(), table);
        }
    }

    fn added(&self) -> MutexGuard<'_, BTreeMap<String, Arc<dyn SchemaProvider>>> {
        self.added.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `chi_tieu.gia_tri` as this clearance sees it, for what is computed from it.
    pub(super) fn indicator_values(&self) -> Arc<dyn TableProvider> {
        Arc::clone(&self.indicator_values)
    }
}

/// The one long table of indicators, with the rows of those that the clearance may read. What is
/// no longer declared has no class any more, and only the product itself sees it.
fn indicator_values(
    lake: &Lake,
    declarations: &Declarations,
    clearance: Sensitivity,
) -> Result<Arc<dyn TableProvider>> {
    let table = system::indicator_values();
    let whole = Arc::new(LakeTable::new(lake.clone(), table.name, table.schema));
    if clearance == Sensitivity::Restricted {
        return Ok(whole);
    }
    let readable = declarations
        .of_kind(QueryKind::Indicator)
        .filter(|query| query.sensitivity <= clearance)
        .map(|query| lit(query.id.clone()))
        .collect();
    let plan = LogicalPlanBuilder::scan("gia_tri", provider_as_source(whole), None)?
        .filter(col("ma_chi_tieu").in_list(readable, false))?
        .build()?;
    Ok(Arc::new(PartOfTable(ViewTable::new(plan, None))))
}

/// Some rows of a stored table: planned like a view, and a table to whoever lists tables.
#[derive(Debug)]
struct PartOfTable(ViewTable);

#[async_trait]
impl TableProvider for PartOfTable {
    fn schema(&self) -> SchemaRef {
        self.0.schema()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn get_logical_plan(&self) -> Option<Cow<'_, LogicalPlan>> {
        self.0.get_logical_plan()
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        self.0.scan(state, projection, filters, limit).await
    }
}

type DeclaredTable = (TableName, Sensitivity, SchemaRef);

fn declared(declarations: &Declarations) -> Vec<DeclaredTable> {
    let mut all = Vec::new();
    for contract in &declarations.contracts {
        for table in &contract.tables {
            all.push((table.name.clone(), contract.sensitivity, spec::arrow_schema(table)));
        }
    }
    for query in declarations.of_kind(QueryKind::Mart) {
        all.extend(query.table().map(|n| (n, query.sensitivity, Arc::clone(&query.schema))));
    }
    all.extend(system::stored().into_iter().map(|t| (t.name, t.sensitivity, t.schema)));
    all
}

impl fmt::Debug for LakeCatalog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LakeCatalog").finish_non_exhaustive()
    }
}

impl CatalogProvider for LakeCatalog {
    fn schema_names(&self) -> Vec<String> {
        let added = self.added();
        let own = self.schemas.keys().map(|&name| name.to_owned());
        own.chain(added.keys().cloned()).collect()
    }

    fn schema(&self, name: &str) -> Option<Arc<dyn SchemaProvider>> {
        let added = self.added();
        let own = self.schemas.get(name).map(|schema| Arc::clone(schema) as _);
        own.or_else(|| added.get(name).cloned())
    }

    fn register_schema(
        &self,
        name: &str,
        schema: Arc<dyn SchemaProvider>,
    ) -> Result<Option<Arc<dyn SchemaProvider>>> {
        let mut added = self.added();
        Ok(added.insert(name.to_owned(), schema))
    }
}

struct LakeSchema {
    tables: Mutex<BTreeMap<String, Arc<dyn TableProvider>>>,
}

impl LakeSchema {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Arc<dyn TableProvider>>> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for LakeSchema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LakeSchema").finish_non_exhaustive()
    }
}

#[async_trait]
impl SchemaProvider for LakeSchema {
    fn table_names(&self) -> Vec<String> {
        self.lock().keys().cloned().collect()
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>, DataFusionError> {
        Ok(self.lock().get(name).cloned())
    }

    fn table_exist(&self, name: &str) -> bool {
        self.lock().contains_key(name)
    }
}

/// The lake's catalogue with one more schema of tables held in memory.
#[derive(Debug)]
pub(super) struct Scratch {
    base: Arc<dyn CatalogProvider>,
    extra: Arc<LakeSchema>,
}

impl Scratch {
    /// The schema's name; it is the default one, so that its tables need no prefix.
    pub(super) const SCHEMA: &'static str = "tam";

    pub(super) fn new(
        base: Arc<dyn CatalogProvider>,
        tables: impl IntoIterator<Item = (String, Arc<dyn TableProvider>)>,
    ) -> Self {
        let tables = Mutex::new(tables.into_iter().collect());
        Self { base, extra: Arc::new(LakeSchema { tables }) }
    }
}

impl CatalogProvider for Scratch {
    fn schema_names(&self) -> Vec<String> {
        self.base.schema_names()
    }

    fn schema(&self, name: &str) -> Option<Arc<dyn SchemaProvider>> {
        if name == Self::SCHEMA {
            Some(Arc::clone(&self.extra) as _)
        } else {
            self.base.schema(name)
        }
    }
}

/// A declared table. Its columns are known before its data: a table that no night has filled yet
/// is there, and empty.
#[derive(Debug)]
pub(super) struct LakeTable {
    lake: Lake,
    name: TableName,
    schema: SchemaRef,
    /// The version last read; refreshed by listing only what is newer.
    last: tokio::sync::Mutex<Option<DeltaTable>>,
}

impl LakeTable {
    fn new(lake: Lake, name: TableName, schema: SchemaRef) -> Self {
        let schema = Arc::new(viewed(&schema));
        Self { lake, name, schema, last: tokio::sync::Mutex::new(None) }
    }

    async fn newest(&self) -> Result<Option<DeltaTable>> {
        let mut last = self.last.lock().await;
        match last.as_mut() {
            Some(table) => table.update_state().await.map_err(external)?,
            None => *last = self.lake.table(&self.name).await.map_err(external)?,
        }
        Ok(last.clone())
    }
}

fn external(error: impl std::error::Error + Send + Sync + 'static) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}

/// The schema as the Parquet reader gives it: text as views.
fn viewed(schema: &ArrowSchema) -> ArrowSchema {
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
        let Some(table) = self.newest().await? else {
            let empty = EmptyTable::new(self.schema());
            return empty.scan(state, projection, filters, limit).await;
        };
        table.update_datafusion_session(state).map_err(external)?;
        let config = deltalake_core::delta_datafusion::DeltaScanConfig::new_from_session(state)
            .with_wrap_partition_values(false)
            .with_schema(self.schema());
        let snapshot = table.snapshot().map_err(external)?.snapshot().clone();
        let scan = deltalake_core::delta_datafusion::DeltaScanNext::new(snapshot, config)?;
        scan.scan(state, projection, filters, limit).await
    }
}
