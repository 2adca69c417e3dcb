//! A statement from its text to its rows: parsed within bounds, planned in a session that holds
//! what its principal may see, verified, and run.

#![expect(clippy::disallowed_types, reason = "statements are planned and run in a session")]

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{DataType, SchemaRef};
use datafusion::catalog::TableProvider;
use datafusion::common::ParamValues;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::datasource::source_as_provider;
use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use datafusion::prelude::SQLOptions;
use datafusion::sql::parser::Statement as EngineStatement;
use datafusion::sql::sqlparser::ast::{Statement as SqlStatement, UtilityOption};
use futures::StreamExt;
use tokio::sync::mpsc;

use super::account::Accounted;
use super::answer::Answer;
use super::engine::Admitted;
use super::explain::{self, Explain};
use super::guard::guard;
use super::lake_table::LakeTable;
use super::parcel::Parcel;
use super::pins::Pins;
use super::running::Running;
use super::{Door, QueryError, numbers, session, weight};

/// A plan that is older is made anew before it runs: the tables may have newer versions.
const FRESH: Duration = Duration::from_secs(1);

/// Batches that are ready before anyone asks for them.
const AHEAD: usize = 2;

/// One statement as it was said: parsed, and within the bounds.
#[derive(Clone)]
pub struct Utterance {
    statement: Arc<SqlStatement>,
    /// Whether it comes from a text that is long enough for deep trees.
    deep: bool,
}

impl Utterance {
    pub(super) fn new(statement: SqlStatement, deep: bool) -> Result<Self, QueryError> {
        weight::check(&statement)?;
        Ok(Self { statement: Arc::new(statement), deep })
    }

    /// Whether it only reads.
    pub fn is_read(&self) -> bool {
        reads(&self.statement)
    }

    pub(crate) fn statement(&self) -> &SqlStatement {
        &self.statement
    }

    /// The query of the cursor that it declares, if it declares one.
    pub(crate) fn query_of_cursor(&self) -> Result<Option<Self>, QueryError> {
        let SqlStatement::Declare { stmts } = self.statement.as_ref() else { return Ok(None) };
        let query = stmts.first().and_then(|declared| declared.for_query.clone());
        query.map(|query| Self::new(SqlStatement::Query(query), self.deep)).transpose()
    }
}

fn reads(statement: &SqlStatement) -> bool {
    match statement {
        SqlStatement::Query(query) => weight::only_reads(query),
        SqlStatement::Explain { statement, .. } => reads(statement),
        SqlStatement::ExplainTable { .. }
        | SqlStatement::ShowTables { .. }
        | SqlStatement::ShowColumns { .. }
        | SqlStatement::ShowFunctions { .. } => true,
        _ => false,
    }
}

/// A read that was planned and verified. It may be run several times.
#[derive(Clone)]
pub struct Statement {
    inner: Arc<Inner>,
}

struct Inner {
    door: Door,
    said: Arc<SqlStatement>,
    /// The types of parameters that are sent as numbers, by position.
    sent: Vec<Option<DataType>>,
    explain: Option<Explain>,
    schema: SchemaRef,
    plan: LogicalPlan,
    deep: bool,
    /// The plan with the versions that it reads, for the first run.
    ready: Mutex<Option<Ready>>,
}

/// A plan and the versions of the tables in it.
struct Ready {
    plan: LogicalPlan,
    pins: Arc<Pins>,
    made_at: Instant,
    took: Duration,
}

impl Ready {
    /// Plans what was said; on the queries' runtime.
    async fn make(
        door: &Door,
        said: &SqlStatement,
        sent: &[Option<DataType>],
    ) -> Result<Self, QueryError> {
        let made_at = Instant::now();
        let pins = door.pins();
        let session = door.session(&pins)?;
        let statement = EngineStatement::Statement(Box::new(said.clone()));
        let plan = session.statement_to_plan(statement).await.map_err(QueryError::engine)?;
        let plan = numbers::keep(plan, sent).map_err(QueryError::engine)?;
        verify(&plan)?;
        Ok(Self { plan, pins, made_at, took: made_at.elapsed() })
    }
}

impl Statement {
    /// Plans and verifies what was said.
    pub(super) async fn plan(
        door: &Door,
        said: &Utterance,
        sent: Vec<Option<DataType>>,
        running: &Arc<Running>,
    ) -> Result<Self, QueryError> {
        if !said.is_read() {
            return Err(QueryError::read_only());
        }
        let explained = explained(Arc::clone(&said.statement))?;
        Self::plan_said(door, explained, said.deep, sent, running).await
    }

    async fn plan_said(
        door: &Door,
        (explain, said): (Option<Explain>, Arc<SqlStatement>),
        deep: bool,
        sent: Vec<Option<DataType>>,
        running: &Arc<Running>,
    ) -> Result<Self, QueryError> {
        running.set_deep(deep);
        let work = {
            let (door, said, sent) = (door.clone(), Arc::clone(&said), sent.clone());
            async move { Ready::make(&door, &said, &sent).await }
        };
        let _place = door.engine().plans(door.who(), door.via(), running).await?;
        let ready = door.engine().work(running, work).await?;
        let schema = match explain {
            Some(_) => explain::schema(),
            None => Arc::clone(ready.plan.schema().inner()),
        };
        let plan = ready.plan.clone();
        let (door, ready) = (door.clone(), Mutex::new(Some(ready)));
        Ok(Self { inner: Arc::new(Inner { door, said, sent, explain, schema, plan, deep, ready }) })
    }

    /// The same statement at `door`: itself where it was planned at a door of the same warehouse,
    /// planned anew where the declarations are others.
    pub(crate) async fn at(&self, door: &Door) -> Result<Self, QueryError> {
        let inner = &self.inner;
        if inner.door.warehouse().is(door.warehouse()) {
            return Ok(self.clone());
        }
        let (running, said) = (door.running(Duration::ZERO), Arc::clone(&inner.said));
        let (deep, sent) = (inner.deep, inner.sent.clone());
        Self::plan_said(door, (inner.explain, said), deep, sent, &running).await
    }

    /// Whether both are the same, and not only alike.
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.inner, &other.inner)
    }

    /// The columns of its answer.
    pub fn schema(&self) -> SchemaRef {
        Arc::clone(&self.inner.schema)
    }

    /// The plan as it was made first, for the types of its parameters.
    pub(crate) fn logical_plan(&self) -> &LogicalPlan {
        &self.inner.plan
    }

    /// Runs it with the values of its parameters.
    ///
    /// # Errors
    /// When it is not let in, its parameters do not fit, or it fails before the first row; what
    /// fails later comes out of the [`Answer`].
    pub async fn run(&self, parameters: ParamValues) -> Result<Answer, QueryError> {
        let inner = &self.inner;
        let ready = inner.ready.lock().unwrap_or_else(PoisonError::into_inner).take();
        let ready = ready.filter(|ready| ready.made_at.elapsed() < FRESH + ready.took);
        let spent = ready.as_ref().map(|ready| ready.took).unwrap_or_default();
        let running = inner.door.running(spent);
        self.start(running, ready, parameters).await
    }

    /// Runs it under the deadline of `running`, which has counted since it was parsed.
    pub(super) async fn run_within(&self, running: Arc<Running>) -> Result<Answer, QueryError> {
        let ready = self.inner.ready.lock().unwrap_or_else(PoisonError::into_inner).take();
        self.start(running, ready, ParamValues::List(Vec::new())).await
    }

    async fn start(
        &self,
        running: Arc<Running>,
        ready: Option<Ready>,
        parameters: ParamValues,
    ) -> Result<Answer, QueryError> {
        let door = &self.inner.door;
        running.set_deep(self.inner.deep);
        let admitted = door.engine().admit(door.who(), door.via(), &running).await?;
        let (sender, receiver) = mpsc::channel(AHEAD);
        let run = Run {
            statement: self.clone(),
            running: Arc::clone(&running),
            sender,
            _admitted: admitted,
        };
        let task = door.engine().spawn(&running, run.go(ready, parameters))?;
        Answer::begin(self.schema(), receiver, running, task).await
    }
}

/// `EXPLAIN` is done here and not by the engine, whose words name the lake's files.
fn explained(said: Arc<SqlStatement>) -> Result<(Option<Explain>, Arc<SqlStatement>), QueryError> {
    let SqlStatement::Explain { analyze, verbose, statement, options, format, .. } = said.as_ref()
    else {
        return Ok((None, said));
    };
    if matches!(statement.as_ref(), SqlStatement::Explain { .. }) {
        return Err(QueryError::unsupported("EXPLAIN explains a query"));
    }
    let mut explain = Explain { analyze: *analyze, verbose: *verbose };
    for option in options.iter().flatten() {
        let on = is_on(option);
        match option.name.value.to_lowercase().as_str() {
            "analyze" => explain.analyze = on,
            "verbose" => explain.verbose = on,
            "costs" | "buffers" | "timing" | "summary" | "settings" | "wal" => {}
            "format" if option.arg.as_ref().is_none_or(|arg| is_text(&arg.to_string())) => {}
            _ => return Err(QueryError::unsupported("EXPLAIN answers as text")),
        }
    }
    if format.as_ref().is_some_and(|format| !is_text(&format.to_string())) {
        return Err(QueryError::unsupported("EXPLAIN answers as text"));
    }
    Ok((Some(explain), Arc::new(statement.as_ref().clone())))
}

fn is_on(option: &UtilityOption) -> bool {
    let off = ["false", "off", "0"];
    option.arg.as_ref().is_none_or(|arg| !off.contains(&arg.to_string().to_lowercase().as_str()))
}

fn is_text(format: &str) -> bool {
    let word = format.to_lowercase();
    let word = word.rsplit([' ', '=']).next().unwrap_or_default();
    word == "text"
}

/// Whatever a statement looked like, its plan must only read.
pub(crate) fn verify(plan: &LogicalPlan) -> Result<(), QueryError> {
    let options =
        SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false);
    options.verify_plan(plan).map_err(|_| QueryError::read_only())?;
    let mut sound = true;
    plan.apply_with_subqueries(|node| {
        sound &= !matches!(
            node,
            LogicalPlan::Copy(_)
                | LogicalPlan::Ddl(_)
                | LogicalPlan::Dml(_)
                | LogicalPlan::Statement(_)
                | LogicalPlan::Explain(_)
                | LogicalPlan::Analyze(_)
        );
        Ok(TreeNodeRecursion::Continue)
    })
    .map_err(QueryError::engine)?;
    if sound { Ok(()) } else { Err(QueryError::read_only()) }
}

/// The work of one run, on the queries' runtime.
struct Run {
    statement: Statement,
    running: Arc<Running>,
    sender: mpsc::Sender<Parcel>,
    _admitted: Admitted,
}

impl Run {
    async fn go(self, ready: Option<Ready>, parameters: ParamValues) -> Result<(), QueryError> {
        let inner = Arc::clone(&self.statement.inner);
        let ready = match ready {
            Some(ready) => ready,
            None => Ready::make(&inner.door, &inner.said, &inner.sent).await?,
        };
        let plan = ready.plan.replace_params_with_values(&parameters);
        let plan = plan.map_err(QueryError::engine)?;
        verify(&plan)?;
        let session = inner.door.session(&ready.pins)?;
        let plan = session.optimize(&plan).map_err(QueryError::engine)?;
        let mut account = inner.door.account(read_by(&plan), &self.running).await?;
        let done = self.produce(&inner, &session, &plan).await;
        let done = done.map_err(|error| match self.running.why() {
            Some(_) => self.running.error(),
            None => error,
        });
        account.end(done.as_ref().err());
        done
    }

    async fn produce(
        &self,
        inner: &Inner,
        session: &SessionState,
        plan: &LogicalPlan,
    ) -> Result<(), QueryError> {
        let physical = session.query_planner().create_physical_plan(plan, session).await;
        let physical = physical.map_err(QueryError::engine)?;
        let Some(explain) = inner.explain else {
            return self.send_all(inner, session, &physical).await;
        };
        if explain.analyze {
            self.run_unseen(inner, session, &physical).await?;
        }
        let told = explain::tell(plan, &physical, explain).map_err(QueryError::engine)?;
        self.send(inner, told).await.map(drop)
    }

    async fn rows(
        &self,
        inner: &Inner,
        session: &SessionState,
        physical: &Arc<dyn ExecutionPlan>,
    ) -> Result<datafusion::execution::SendableRecordBatchStream, QueryError> {
        let crowd = inner.door.engine().crowd();
        let guarded = guard(Arc::clone(physical), &self.running, crowd);
        let guarded = guarded.map_err(QueryError::engine)?;
        execute_stream(guarded, session::context(session, &self.running))
            .map_err(QueryError::engine)
    }

    async fn send_all(
        &self,
        inner: &Inner,
        session: &SessionState,
        physical: &Arc<dyn ExecutionPlan>,
    ) -> Result<(), QueryError> {
        let mut rows = self.rows(inner, session, physical).await?;
        while let Some(batch) = rows.next().await {
            let batch = batch.map_err(QueryError::engine)?;
            if !self.send(inner, batch).await? {
                break;
            }
        }
        Ok(())
    }

    async fn run_unseen(
        &self,
        inner: &Inner,
        session: &SessionState,
        physical: &Arc<dyn ExecutionPlan>,
    ) -> Result<(), QueryError> {
        let mut rows = self.rows(inner, session, physical).await?;
        while let Some(batch) = rows.next().await {
            batch.map_err(QueryError::engine)?;
        }
        Ok(())
    }

    /// Hands a batch on; false when nobody wants more.
    async fn send(&self, inner: &Inner, batch: RecordBatch) -> Result<bool, QueryError> {
        use std::sync::atomic::Ordering;
        let bytes = batch.get_array_memory_size() as u64;
        let sent = self.running.bytes.fetch_add(bytes, Ordering::Relaxed) + bytes;
        self.running.rows.fetch_add(batch.num_rows() as u64, Ordering::Relaxed);
        if sent > inner.door.limits().answer_bytes {
            return Err(QueryError::answer_too_large());
        }
        let parcel = Parcel::new(batch, self.running.pool.all()).map_err(QueryError::engine)?;
        self.running.shelf.put(&parcel);
        // Rows that nobody takes hold a place no longer than the query may last.
        self.running.wait(async { Ok(self.sender.send(parcel).await.is_ok()) }).await
    }
}

/// The tables that a plan reads, and their columns.
fn read_by(plan: &LogicalPlan) -> Accounted {
    let (mut tables, mut columns) = (BTreeSet::new(), BTreeSet::new());
    // The closure does not fail.
    let _ = plan.apply_with_subqueries(|node| {
        if let LogicalPlan::TableScan(scan) = node {
            let provider = source_as_provider(&scan.source).ok();
            let name = provider.as_ref().and_then(|table| stored_name(table.as_ref()));
            let name = name.unwrap_or_else(|| scan.table_name.to_string());
            for field in scan.projected_schema.fields() {
                columns.insert(format!("{name}.{}", field.name()));
            }
            tables.insert(name);
        }
        Ok(TreeNodeRecursion::Continue)
    });
    Accounted { tables, columns }
}

fn stored_name(table: &dyn TableProvider) -> Option<String> {
    let any = table as &dyn std::any::Any;
    if let Some(table) = any.downcast_ref::<LakeTable>() {
        return table.name().map(ToString::to_string);
    }
    any.downcast_ref::<super::kept::Kept>().and_then(|kept| stored_name(kept.table()))
}
