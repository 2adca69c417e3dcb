//! The one door: every read, from any protocol, page, report or export, is [`Warehouse::execute`].
//!
//! It takes a principal and one SQL statement, refuses whatever is not a read, plans it in a
//! session that holds only what the principal may see, and runs it under limits of memory and
//! time. Nothing here knows a protocol; nothing outside builds a session.

mod answer;
mod boundaries;
mod catalog;
mod error;
mod postgres_functions;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use datafusion::arrow::array::RecordBatch;
use datafusion::catalog::TableProvider;
use datafusion::common::DataFusionError;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::logical_expr::LogicalPlan;
use datafusion::prelude::{SQLOptions, SessionConfig, SessionContext};
use datafusion::sql::parser::{DFParserBuilder, Statement};
use datafusion::sql::sqlparser::ast::{SetExpr, Statement as SqlStatement};
use datafusion::sql::sqlparser::dialect::PostgreSqlDialect;

use crate::access::Principal;
use crate::geography::{self, Geography};
use crate::names::Sensitivity;
use crate::spec::Declarations;
use crate::store::Lake;

pub use self::answer::Answer;
pub use self::error::{ErrorKind, QueryError};
pub(crate) use self::postgres_functions::VERSION as POSTGRES_VERSION;

use self::catalog::{LakeCatalog, Scratch};

/// The name of the one catalogue, as PostgreSQL clients see the database.
pub const DATABASE: &str = "khoyte";

/// What one query may use.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Memory of all running queries together; more than this spills to disk or fails.
    pub memory_bytes: usize,
    /// How long one query may run.
    pub timeout: Duration,
    /// Threads that one query may use.
    pub threads: usize,
}

impl Default for Limits {
    fn default() -> Self {
        let threads = std::thread::available_parallelism().map_or(2, usize::from);
        Self { memory_bytes: 4 << 30, timeout: Duration::from_mins(5), threads }
    }
}

/// The lake with what is declared about it, ready to be asked. Cheap to clone.
#[derive(Clone)]
pub struct Warehouse {
    inner: Arc<Inner>,
}

struct Inner {
    lake: Lake,
    declarations: Arc<Declarations>,
    geography: Arc<Geography>,
    limits: Limits,
    runtime: Arc<RuntimeEnv>,
    /// One session a clearance: what a session holds depends on nothing else.
    sessions: Mutex<HashMap<Sensitivity, SessionContext>>,
}

impl Warehouse {
    /// Joins a lake with the declarations that describe it.
    ///
    /// # Errors
    /// When the memory limit leaves no room to run anything.
    pub fn new(
        lake: Lake,
        declarations: Arc<Declarations>,
        geography: Arc<Geography>,
        limits: Limits,
    ) -> Result<Self, QueryError> {
        let runtime = RuntimeEnvBuilder::new()
            .with_memory_pool(Arc::new(FairSpillPool::new(limits.memory_bytes)))
            .build_arc()
            .map_err(QueryError::planning)?;
        let sessions = Mutex::default();
        let inner = Inner { lake, declarations, geography, limits, runtime, sessions };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// What is declared.
    pub fn declarations(&self) -> &Declarations {
        &self.inner.declarations
    }

    /// The administrative units.
    pub fn geography(&self) -> &Arc<Geography> {
        &self.inner.geography
    }

    /// The lake underneath, for those who write it.
    pub fn lake(&self) -> &Lake {
        &self.inner.lake
    }

    /// The session that holds what `who` may see; for the protocol modules of this crate and for
    /// the pipelines, which plan their writes in it. Pages and exports use [`Self::execute`].
    ///
    /// # Errors
    /// When the catalogue cannot be built.
    pub fn session(&self, who: &Principal) -> Result<SessionContext, QueryError> {
        let mut sessions = self.inner.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(session) = sessions.get(&who.clearance) {
            return Ok(session.clone());
        }
        let session = self.build_session(who).map_err(QueryError::planning)?;
        sessions.insert(who.clearance, session.clone());
        Ok(session)
    }

    /// A session for PostgreSQL clients: the principal's own tables and `pg_catalog` over them.
    ///
    /// # Errors
    /// When the catalogue cannot be built.
    pub(crate) fn postgres_session(&self, who: &Principal) -> Result<SessionContext, QueryError> {
        let session = self.build_session(who).map_err(QueryError::planning)?;
        datafusion_postgres::datafusion_pg_catalog::setup_pg_catalog(
            &session,
            DATABASE,
            datafusion_postgres::datafusion_pg_catalog::pg_catalog::context::EmptyContextProvider,
        )
        .map_err(|error| QueryError::planning(*error))?;
        postgres_functions::register(&session);
        Ok(session)
    }

    /// What one query may use.
    pub fn limits(&self) -> Limits {
        self.inner.limits
    }

    /// A session of the product's own in which `tables` stand beside the lake under bare names:
    /// how a batch is checked, as `bang`, before it is committed.
    ///
    /// # Errors
    /// When the catalogue cannot be built.
    pub fn scratch(
        &self,
        tables: impl IntoIterator<Item = (String, Arc<dyn TableProvider>)>,
    ) -> Result<SessionContext, QueryError> {
        let session = self.session(&Principal::system())?;
        let base = session.catalog(DATABASE).ok_or_else(|| {
            QueryError::planning(DataFusionError::Internal("no catalogue".into()))
        })?;
        let scratch = SessionContext::new_with_config_rt(
            self.config(Scratch::SCHEMA),
            Arc::clone(&self.inner.runtime),
        );
        scratch.register_catalog(DATABASE, Arc::new(Scratch::new(base, tables)));
        geography::register(&scratch, Arc::clone(&self.inner.geography));
        Ok(scratch)
    }

    fn config(&self, default_schema: &str) -> SessionConfig {
        let mut config = SessionConfig::new()
            .with_create_default_catalog_and_schema(false)
            .with_default_catalog_and_schema(DATABASE, default_schema)
            .with_information_schema(true)
            .with_target_partitions(self.inner.limits.threads);
        let options = config.options_mut();
        options.sql_parser.dialect = datafusion::common::config::Dialect::PostgreSQL;
        options.execution.parquet.pushdown_filters = true;
        options.execution.parquet.reorder_filters = true;
        config
    }

    fn build_session(&self, who: &Principal) -> datafusion::common::Result<SessionContext> {
        let inner = &self.inner;
        let config = self.config("chi_tieu");
        let ctx = SessionContext::new_with_config_rt(config, Arc::clone(&inner.runtime));
        let catalog = LakeCatalog::new(inner.lake.clone(), &inner.declarations, who.clearance)?;
        let catalog = Arc::new(catalog);
        ctx.register_catalog(DATABASE, Arc::clone(&catalog) as _);
        geography::register(&ctx, Arc::clone(&inner.geography));
        boundaries::register(&ctx, &catalog, &inner.geography)?;
        Ok(ctx)
    }

    /// Runs one read for `who`.
    ///
    /// # Errors
    /// When the text is not one read, names what `who` cannot see, or fails while it is planned;
    /// what fails later comes out of the [`Answer`].
    pub async fn execute(&self, who: &Principal, sql: &str) -> Result<Answer, QueryError> {
        let started = Instant::now();
        let deadline = tokio::time::Instant::now() + self.inner.limits.timeout;
        let session = self.session(who)?;
        let statement = parse_read(sql)?;
        let plan =
            session.state().statement_to_plan(statement).await.map_err(QueryError::planning)?;
        verify_read(&plan)?;
        let frame = session.execute_logical_plan(plan).await.map_err(QueryError::planning)?;
        let work = async { frame.execute_stream().await.map_err(QueryError::running) };
        let stream = tokio::time::timeout_at(deadline, work)
            .await
            .map_err(|_| QueryError::timeout(self.inner.limits.timeout))??;
        tracing::info!(
            principal = %who.name,
            planning_ms = started.elapsed().as_millis() as u64,
            "query accepted"
        );
        Ok(Answer::new(stream, deadline, self.inner.limits.timeout))
    }
}

/// Plans one read of the product's own in a session made by [`Warehouse::scratch`].
///
/// # Errors
/// When it does not plan.
pub async fn plan_internal(session: &SessionContext, sql: &str) -> Result<LogicalPlan, QueryError> {
    let statement = parse_read(sql)?;
    let plan = session.state().statement_to_plan(statement).await.map_err(QueryError::planning)?;
    verify_read(&plan)?;
    Ok(plan)
}

/// Runs one read of the product's own in a session made by [`Warehouse::scratch`].
///
/// # Errors
/// When it does not plan or run.
pub async fn run_internal(
    session: &SessionContext,
    sql: &str,
) -> Result<Vec<RecordBatch>, QueryError> {
    let plan = plan_internal(session, sql).await?;
    let frame = session.execute_logical_plan(plan).await.map_err(QueryError::planning)?;
    let schema = Arc::clone(frame.schema().inner());
    let mut batches = frame.collect().await.map_err(QueryError::running)?;
    if batches.is_empty() {
        batches.push(RecordBatch::new_empty(schema));
    }
    Ok(batches)
}

/// Parses one statement and refuses what is not a read.
///
/// # Errors
/// When the text is empty, does not parse, holds several statements or would change something.
pub fn parse_read(sql: &str) -> Result<Statement, QueryError> {
    let mut statements = DFParserBuilder::new(sql)
        .with_dialect(&PostgreSqlDialect {})
        .build()
        .and_then(|mut parser| parser.parse_statements())
        .map_err(QueryError::syntax)?;
    let statement = match (statements.pop_front(), statements.is_empty()) {
        (None, _) => return Err(QueryError::empty()),
        (Some(_), false) => return Err(QueryError::several()),
        (Some(statement), true) => statement,
    };
    if is_read(&statement) { Ok(statement) } else { Err(QueryError::read_only()) }
}

fn is_read(statement: &Statement) -> bool {
    match statement {
        Statement::Statement(statement) => is_sql_read(statement),
        Statement::Explain(explain) => is_read(&explain.statement),
        _ => false,
    }
}

pub(crate) fn is_sql_read(statement: &SqlStatement) -> bool {
    match statement {
        SqlStatement::Query(query) => !matches!(
            query.body.as_ref(),
            SetExpr::Insert(_) | SetExpr::Update(_) | SetExpr::Delete(_) | SetExpr::Merge(_)
        ),
        SqlStatement::Explain { statement, .. } => is_sql_read(statement),
        SqlStatement::ExplainTable { .. }
        | SqlStatement::ShowTables { .. }
        | SqlStatement::ShowColumns { .. }
        | SqlStatement::ShowVariable { .. }
        | SqlStatement::ShowFunctions { .. } => true,
        _ => false,
    }
}

/// The second lock on the same door: whatever a statement looked like, its plan must only read.
pub(crate) fn verify_read(plan: &LogicalPlan) -> Result<(), QueryError> {
    let options =
        SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false);
    options.verify_plan(plan).map_err(|_| QueryError::read_only())?;
    let mut copies = false;
    plan.apply_with_subqueries(|node| {
        copies |= matches!(node, LogicalPlan::Copy(_));
        Ok(TreeNodeRecursion::Continue)
    })
    .map_err(QueryError::planning)?;
    if copies { Err(QueryError::read_only()) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_read_passes() {
        for sql in [
            "SELECT 1",
            "WITH t AS (SELECT 1 AS a) SELECT a FROM t",
            "EXPLAIN SELECT 1",
            "VALUES (1), (2)",
            "SHOW TABLES",
        ] {
            assert!(parse_read(sql).is_ok(), "{sql}");
        }
        for sql in [
            "CREATE TABLE t (a INT)",
            "CREATE VIEW v AS SELECT 1",
            "CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '/etc/passwd'",
            "COPY (SELECT 1) TO '/tmp/x.csv'",
            "INSERT INTO t VALUES (1)",
            "UPDATE t SET a = 1",
            "DELETE FROM t",
            "DROP TABLE t",
            "SET datafusion.execution.batch_size = 1",
            "EXPLAIN DELETE FROM t",
            "WITH t AS (SELECT 1) INSERT INTO x SELECT * FROM t",
        ] {
            let kind = parse_read(sql).err().map(|error| error.kind());
            assert_eq!(kind, Some(ErrorKind::ReadOnly), "{sql}");
        }
        assert_eq!(
            parse_read("SELECT 1; SELECT 2").err().map(|e| e.kind()),
            Some(ErrorKind::Syntax)
        );
        assert_eq!(parse_read("").err().map(|e| e.kind()), Some(ErrorKind::Syntax));
    }
}
