//! Sessions of the engine: one template for each set of rights, and from it a session of its own
//! for each statement. They never leave this module's neighbours.

#![expect(clippy::disallowed_types, reason = "sessions are made here")]

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::{DataFusionError, Result};
use datafusion::execution::TaskContext;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::execution::session_state::SessionState;
use datafusion::prelude::{SessionConfig, SessionContext};
use datafusion_postgres::datafusion_pg_catalog;
use datafusion_postgres::datafusion_pg_catalog::pg_catalog::context::EmptyContextProvider;

use super::boundaries::Crosswalks;
use super::catalog::{One, Sight};
use super::milestones::between_rules;
use super::pins::Pins;
use super::rights::Visible;
use super::running::Running;
use super::{DATABASE, Limits, boundaries, functions, postgres_functions, scan};
use crate::geography::{self, Geography};
use crate::names::TableName;
use crate::store::Lake;

/// Disk that spilled rows may take, for each byte of memory.
const SPILL: u64 = 4;

/// The template of sessions of one set of rights.
pub(super) struct Template {
    state: SessionState,
    sight: Sight,
    crosswalks: Arc<Crosswalks>,
}

/// What the engine shares among all: memory, spill files, open stores.
pub(super) fn runtime(limits: &Limits, lake: &Lake) -> Result<Arc<RuntimeEnv>> {
    let spill = DiskManagerBuilder::default()
        .with_mode(DiskManagerMode::OsTmpDirectory)
        .with_max_temp_directory_size(SPILL.saturating_mul(limits.memory_bytes as u64));
    let runtime = RuntimeEnvBuilder::new()
        .with_memory_pool(Arc::new(FairSpillPool::new(limits.memory_bytes)))
        .with_disk_manager_builder(spill)
        .build_arc()?;
    let address = ObjectStoreUrl::parse(scan::ADDRESS)?;
    runtime.register_object_store(address.as_ref(), lake.store());
    Ok(runtime)
}

fn config(limits: &Limits, default_schema: &str) -> SessionConfig {
    let mut config = SessionConfig::new()
        .with_create_default_catalog_and_schema(false)
        .with_default_catalog_and_schema(DATABASE, default_schema)
        .with_target_partitions(limits.threads);
    let options = config.options_mut();
    options.sql_parser.dialect = datafusion::common::config::Dialect::PostgreSQL;
    options.execution.parquet.pushdown_filters = true;
    options.execution.parquet.reorder_filters = true;
    config
}

impl Template {
    /// A template for those who see `visible`; with PostgreSQL's catalogue where `postgres`.
    pub(super) fn new(
        visible: Arc<Visible>,
        lake: Lake,
        geography: &Arc<Geography>,
        limits: &Limits,
        runtime: Arc<RuntimeEnv>,
        postgres: bool,
    ) -> Result<Self> {
        let context = SessionContext::new_with_config_rt(config(limits, "chi_tieu"), runtime);
        let sight = Sight::new(visible, Arc::new(Pins::new(lake)));
        context.register_catalog(DATABASE, Arc::new(sight.clone()));
        geography::register(&context, Arc::clone(geography));
        if postgres {
            let told = EmptyContextProvider;
            datafusion_pg_catalog::setup_pg_catalog(&context, DATABASE, told)
                .map_err(|error| DataFusionError::Internal(error.to_string()))?;
        }
        functions::register(&context)?;
        if postgres {
            postgres_functions::register(&context);
        }
        let state = between_rules(context.state());
        Ok(Self { state, sight, crosswalks: Crosswalks::new(geography) })
    }

    /// What is seen, table by table.
    pub(super) fn seen(&self) -> BTreeMap<TableName, SchemaRef> {
        self.sight.seen()
    }

    /// A session for one statement: its own versions of the tables.
    pub(super) fn session(&self, pins: &Arc<Pins>) -> SessionState {
        self.seeing(self.sight.at(Arc::clone(pins)))
    }

    /// As [`Self::session`], with `bench` beside the lake, whose tables need no prefix.
    pub(super) fn bench(&self, pins: &Arc<Pins>, bench: super::catalog::Bench) -> SessionState {
        let schema = super::catalog::Bench::SCHEMA;
        let sight = self.sight.at(Arc::clone(pins)).with(schema, Arc::new(bench));
        let mut state = self.seeing(sight);
        schema.clone_into(&mut state.config_mut().options_mut().catalog.default_schema);
        state
    }

    fn seeing(&self, sight: Sight) -> SessionState {
        let mut state = self.state.clone();
        state.register_catalog_list(Arc::new(One(sight.clone())));
        let values = Box::new(move || sight.indicator_values());
        let function = boundaries::on_boundaries(values, &self.crosswalks);
        state.register_udtf("chi_tieu_tai", function);
        state
    }
}

/// What a query's operators work with: its own share of the memory.
pub(super) fn context(session: &SessionState, running: &Running) -> Arc<TaskContext> {
    let shared = session.runtime_env().as_ref().clone();
    let own = RuntimeEnv { memory_pool: Arc::clone(&running.pool) as _, ..shared };
    Arc::new(TaskContext::from(session).with_runtime(Arc::new(own)))
}
