//! The catalogue as one statement sees it: what its principal may see, at the versions that the
//! statement reads, and nothing else.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::information_schema::InformationSchemaProvider;
use datafusion::catalog::{CatalogProvider, CatalogProviderList, SchemaProvider, TableProvider};
use datafusion::common::{DataFusionError, Result};
use datafusion::datasource::{MemTable, ViewTable};

use super::boundaries;
use super::lake_table::LakeTable;
use super::pins::Pins;
use super::queries::Queries;
use super::rights::{Source, Visible};
use super::{DATABASE, kept};
use crate::names::{Schema, TableName};

/// The name under which clients look for descriptions of tables.
const INFORMATION_SCHEMA: &str = "information_schema";

/// What of it tells about the engine rather than about tables.
const ABOUT_THE_ENGINE: &str = "df_settings";

/// See the module.
#[derive(Clone)]
pub(super) struct Sight {
    visible: Arc<Visible>,
    pins: Arc<Pins>,
    /// Schemas that a protocol adds for its clients (`pg_catalog`), and tables in memory beside
    /// the lake.
    added: Arc<Mutex<BTreeMap<String, Arc<dyn SchemaProvider>>>>,
}

impl Sight {
    pub(super) fn new(visible: Arc<Visible>, pins: Arc<Pins>) -> Self {
        Self { visible, pins, added: Arc::default() }
    }

    /// The same sight at the versions of another statement.
    pub(super) fn at(&self, pins: Arc<Pins>) -> Self {
        Self { visible: Arc::clone(&self.visible), pins, added: Arc::clone(&self.added) }
    }

    /// The same sight with a schema of its own beside.
    pub(super) fn with(&self, name: &str, schema: Arc<dyn SchemaProvider>) -> Self {
        let mut added = self.added().clone();
        added.insert(name.to_owned(), schema);
        let added = Arc::new(Mutex::new(added));
        Self { visible: Arc::clone(&self.visible), pins: Arc::clone(&self.pins), added }
    }

    fn added(&self) -> MutexGuard<'_, BTreeMap<String, Arc<dyn SchemaProvider>>> {
        self.added.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The tables that are there, with their columns.
    pub(super) fn seen(&self) -> BTreeMap<TableName, SchemaRef> {
        let tables = self.visible.tables.iter();
        tables.map(|(name, entry)| (name.clone(), Arc::clone(&entry.schema))).collect()
    }

    /// The table of that name, if it may be seen.
    fn table(&self, name: &TableName) -> Result<Option<Arc<dyn TableProvider>>> {
        let Some(entry) = self.visible.tables.get(name) else { return Ok(None) };
        Ok(Some(match &entry.source {
            Source::Memory(batch) => {
                let rows = vec![vec![batch.clone()]];
                Arc::new(MemTable::try_new(Arc::clone(&entry.schema), rows)?)
            }
            Source::Country => {
                let plan = boundaries::country_plan(self.country_values()?)?;
                Arc::new(ViewTable::new(plan, None))
            }
            Source::Lake => self.stored(name, entry)?,
            Source::Queries(state) => Arc::new(Queries::new(state.clone(), &entry.schema)),
        }))
    }

    fn stored(
        &self,
        name: &TableName,
        entry: &super::rights::Entry,
    ) -> Result<Arc<dyn TableProvider>> {
        let table = LakeTable::new(Arc::clone(&self.pins), name.clone(), &entry.stored);
        kept::kept(Arc::new(table), &entry.schema, entry.keep.as_ref())
    }

    /// Indicator values of the principal's places, for `chi_tieu_tai`.
    pub(super) fn indicator_values(&self) -> Result<Arc<dyn TableProvider>> {
        let name = crate::system::indicator_values().name;
        self.table(&name)?.ok_or_else(|| missing(&name))
    }

    /// Indicator values of the whole country, of the indicators that the principal may see.
    fn country_values(&self) -> Result<Arc<dyn TableProvider>> {
        let name = crate::system::indicator_values().name;
        let entry = &self.visible.country_values;
        self.stored(&name, entry)
    }
}

fn missing(name: &TableName) -> DataFusionError {
    DataFusionError::Internal(format!("{name} is always there"))
}

impl fmt::Debug for Sight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sight").finish_non_exhaustive()
    }
}

impl CatalogProvider for Sight {
    fn schema_names(&self) -> Vec<String> {
        let own = Schema::ALL.map(|schema| schema.as_str().to_owned());
        own.into_iter().chain(self.added().keys().cloned()).collect()
    }

    fn schema(&self, name: &str) -> Option<Arc<dyn SchemaProvider>> {
        if name == INFORMATION_SCHEMA {
            let all: Arc<dyn CatalogProviderList> = Arc::new(One(self.clone()));
            return Some(Arc::new(AboutTables(InformationSchemaProvider::new(all))));
        }
        if let Some(schema) = Schema::ALL.into_iter().find(|schema| schema.as_str() == name) {
            return Some(Arc::new(OfSchema { sight: self.clone(), schema }));
        }
        self.added().get(name).cloned()
    }

    fn register_schema(
        &self,
        name: &str,
        schema: Arc<dyn SchemaProvider>,
    ) -> Result<Option<Arc<dyn SchemaProvider>>> {
        Ok(self.added().insert(name.to_owned(), schema))
    }
}

/// The list of catalogues: there is one.
#[derive(Debug)]
pub(super) struct One(pub(super) Sight);

impl CatalogProviderList for One {
    fn register_catalog(
        &self,
        _: String,
        _: Arc<dyn CatalogProvider>,
    ) -> Option<Arc<dyn CatalogProvider>> {
        None
    }

    fn catalog_names(&self) -> Vec<String> {
        vec![DATABASE.to_owned()]
    }

    fn catalog(&self, name: &str) -> Option<Arc<dyn CatalogProvider>> {
        (name == DATABASE).then(|| Arc::new(self.0.clone()) as _)
    }
}

#[derive(Debug)]
struct OfSchema {
    sight: Sight,
    schema: Schema,
}

#[async_trait]
impl SchemaProvider for OfSchema {
    fn table_names(&self) -> Vec<String> {
        let names = self.sight.visible.tables.keys();
        let inside = names.filter(|name| name.schema() == self.schema);
        inside.map(|name| name.name().to_owned()).collect()
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        match TableName::new(self.schema, name) {
            Ok(name) => self.sight.table(&name),
            Err(_) => Ok(None),
        }
    }

    fn table_exist(&self, name: &str) -> bool {
        TableName::new(self.schema, name)
            .is_ok_and(|name| self.sight.visible.tables.contains_key(&name))
    }
}

/// `information_schema` without the settings of the engine.
#[derive(Debug)]
struct AboutTables(InformationSchemaProvider);

#[async_trait]
impl SchemaProvider for AboutTables {
    fn table_names(&self) -> Vec<String> {
        let mut names = self.0.table_names();
        names.retain(|name| name != ABOUT_THE_ENGINE);
        names
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        if name.eq_ignore_ascii_case(ABOUT_THE_ENGINE) {
            Ok(None)
        } else {
            self.0.table(name).await
        }
    }

    fn table_exist(&self, name: &str) -> bool {
        !name.eq_ignore_ascii_case(ABOUT_THE_ENGINE) && self.0.table_exist(name)
    }
}

/// Tables held in memory under bare names: how a batch is checked before it is committed.
#[derive(Debug)]
pub(super) struct Bench {
    tables: BTreeMap<String, Arc<dyn TableProvider>>,
}

impl Bench {
    /// The schema's name; it is the default one of such a session, so that its tables need no
    /// prefix.
    pub(super) const SCHEMA: &'static str = "tam";

    pub(super) fn new(tables: BTreeMap<String, Arc<dyn TableProvider>>) -> Self {
        Self { tables }
    }
}

#[async_trait]
impl SchemaProvider for Bench {
    fn table_names(&self) -> Vec<String> {
        self.tables.keys().cloned().collect()
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        Ok(self.tables.get(name).cloned())
    }

    fn table_exist(&self, name: &str) -> bool {
        self.tables.contains_key(name)
    }
}
