//! The one door: every read, from any protocol, page, report or export, goes through
//! [`Warehouse::door`].
//!
//! `door(principal, via).prepare(sql) → statement → answer`. A text is bounded before it is parsed,
//! planned in a session that holds only what its principal may see at one version of each table,
//! verified, let in, accounted for, and run on a runtime of its own under limits of memory, time
//! and size. **The plan that was verified is the plan that runs**: nothing is printed and parsed
//! again. Nothing here knows a protocol; no session of the engine leaves this module.

#![expect(clippy::disallowed_types, reason = "the door is kept by its modules")]

mod account;
mod answer;
mod boundaries;
mod catalog;
mod engine;
mod error;
mod explain;
mod functions;
mod guard;
mod held;
mod kept;
mod lake_table;
mod milestones;
mod numbers;
mod parcel;
mod parts;
mod pins;
mod pool;
mod postgres_functions;
mod queries;
mod rights;
mod running;
mod scan;
mod session;
mod statement;
mod text;
mod watched;
mod weight;
mod workshop;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use datafusion::arrow::datatypes::{DataType, SchemaRef};
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::execution::session_state::SessionState;

use crate::access::{Principal, Role, Scope};
use crate::geography::Geography;
use crate::names::{Sensitivity, TableName};
use crate::spec::Declarations;
use crate::stage::Rows;
use crate::state::State;
use crate::store::Lake;

pub use self::answer::Answer;
pub use self::error::{ErrorKind, QueryError};
pub(crate) use self::postgres_functions::VERSION as POSTGRES_VERSION;
pub use self::scan::{FILE, PLACE, Pick};
pub(crate) use self::statement::verify as verify_read;
pub use self::statement::{Statement, Utterance};
pub use self::text::LONGEST_TEXT;
pub use self::workshop::Workshop;

use self::engine::Engine;
use self::pins::Pins;
use self::pool::QueryPool;
use self::rights::Visible;
use self::running::Running;
use self::session::Template;
use self::text::Dialect;

/// The name of the one catalogue, as PostgreSQL clients see the database.
pub const DATABASE: &str = "khoyte";

/// How long a query of someone without a name may run at most.
const PUBLIC_TIMEOUT: Duration = Duration::from_secs(30);

/// Templates that are kept: one for each set of rights in use.
const MOST_TEMPLATES: usize = 200;

/// What queries may use.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Memory of all running queries together; more than this spills to disk or fails. One query
    /// gets half of it at most.
    pub memory_bytes: usize,
    /// How long one query may run, from its text to its last row.
    pub timeout: Duration,
    /// Threads that one query may use.
    pub threads: usize,
    /// Queries that run at the same time; one principal gets half of the places at each door.
    pub queries: usize,
    /// Bytes of one answer.
    pub answer_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        let threads = std::thread::available_parallelism().map_or(2, usize::from);
        Self {
            memory_bytes: 4 << 30,
            timeout: Duration::from_mins(5),
            threads,
            queries: 32,
            answer_bytes: 8 << 30,
        }
    }
}

/// Through which door a query comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Via {
    /// PostgreSQL's wire.
    Wire,
    /// A page's own figures.
    Page,
    /// A reader's own query on a page.
    Web,
    /// The rows of a reader's own query as a file.
    Download,
    /// The command line.
    CommandLine,
    /// The publisher.
    Release,
    /// The product's own work.
    Night,
}

impl Via {
    /// The word in the account of queries.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Wire => "postgresql",
            Self::Page => "trang",
            Self::Web => "trang_sql",
            Self::Download => "tai_ve",
            Self::CommandLine => "dong_lenh",
            Self::Release => "phat_hanh",
            Self::Night => "dem",
        }
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
    engine: Arc<Engine>,
    runtime: Arc<RuntimeEnv>,
    templates: Mutex<HashMap<Rights, Arc<Template>>>,
    /// Where queries are accounted for.
    state: OnceLock<State>,
}

/// What a session holds depends on all of this.
#[derive(PartialEq, Eq, Hash)]
struct Rights {
    clearance: Sensitivity,
    scope: Scope,
    inspects: bool,
    postgres: bool,
}

impl Warehouse {
    /// Joins a lake with the declarations that describe it.
    ///
    /// # Errors
    /// When the machine has no threads for the queries' runtime, or no folder for what they spill.
    pub fn new(
        lake: Lake,
        declarations: Arc<Declarations>,
        geography: Arc<Geography>,
        limits: Limits,
    ) -> Result<Self, QueryError> {
        let runtime = session::runtime(&limits, &lake).map_err(QueryError::engine)?;
        let engine = Engine::new(limits).map_err(|error| QueryError::engine(error.into()))?;
        let engine = Arc::new(engine);
        let (templates, state) = (Mutex::default(), OnceLock::new());
        let inner =
            Inner { lake, declarations, geography, limits, engine, runtime, templates, state };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// The same warehouse, which accounts in `state` for every query of a person. What was given
    /// first stays.
    #[must_use]
    pub fn with_state(self, state: State) -> Self {
        // A second one would split the account.
        let _ = self.inner.state.set(state);
        self
    }

    /// The same lake, with the same memory and threads for all queries of both, as other
    /// declarations describe it. Of `limits` the time of a query and the bytes of an answer count;
    /// the others are of the machinery that runs.
    #[must_use]
    pub fn described_by(
        &self,
        declarations: Arc<Declarations>,
        geography: Arc<Geography>,
        limits: Limits,
    ) -> Self {
        let before = &self.inner;
        let (timeout, answer_bytes) = (limits.timeout, limits.answer_bytes);
        let inner = Inner {
            lake: before.lake.clone(),
            declarations,
            geography,
            limits: Limits { timeout, answer_bytes, ..before.limits },
            engine: Arc::clone(&before.engine),
            runtime: Arc::clone(&before.runtime),
            templates: Mutex::default(),
            state: before.state.clone(),
        };
        Self { inner: Arc::new(inner) }
    }

    /// Whether both are the same, and not only alike.
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.inner, &other.inner)
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

    /// What queries may use.
    pub fn limits(&self) -> Limits {
        self.inner.limits
    }

    /// The door through which `who` asks.
    pub fn door(&self, who: &Principal, via: Via) -> Door {
        let mut timeout = self.inner.limits.timeout;
        if who.role == Role::Public && via != Via::Release {
            timeout = timeout.min(PUBLIC_TIMEOUT);
        }
        Door { warehouse: self.clone(), who: Arc::new(who.clone()), via, timeout }
    }

    /// A place for reads of the product's own, with `tables` beside the lake that are not in it:
    /// how a batch is checked, as `bang`, before it is committed.
    ///
    /// # Errors
    /// When the tables do not form.
    pub fn workshop(
        &self,
        tables: impl IntoIterator<Item = (String, Rows)>,
    ) -> Result<Workshop, QueryError> {
        Workshop::new(self, tables)
    }

    /// The tables that `who` may see, each with the columns that they may see of it.
    ///
    /// # Errors
    /// When the catalogue cannot be built.
    pub fn sight(&self, who: &Principal) -> Result<BTreeMap<TableName, SchemaRef>, QueryError> {
        Ok(self.template(who, false)?.seen())
    }

    /// Lets no query in any more and stops those that run, but for downloads.
    pub fn close(&self) {
        self.inner.engine.close();
    }

    /// Stops every query.
    pub fn stop(&self) {
        self.inner.engine.stop();
    }

    /// Queries at work.
    pub fn at_work(&self) -> usize {
        self.inner.engine.at_work()
    }

    fn template(&self, who: &Principal, postgres: bool) -> Result<Arc<Template>, QueryError> {
        let inner = &self.inner;
        let rights = Rights {
            clearance: who.clearance,
            scope: who.scope.clone(),
            inspects: who.inspects(),
            postgres,
        };
        let mut templates = inner.templates.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(template) = templates.get(&rights) {
            return Ok(Arc::clone(template));
        }
        let state = inner.state.get();
        let visible = Visible::of(who, &inner.declarations, &inner.geography, state);
        let visible = Arc::new(visible.map_err(QueryError::engine)?);
        let (lake, runtime) = (inner.lake.clone(), Arc::clone(&inner.runtime));
        let template =
            Template::new(visible, lake, &inner.geography, &inner.limits, runtime, postgres);
        let template = Arc::new(template.map_err(QueryError::engine)?);
        if templates.len() >= MOST_TEMPLATES {
            templates.clear();
        }
        templates.insert(rights, Arc::clone(&template));
        Ok(template)
    }
}

/// One principal's way to the rows. Cheap to clone.
#[derive(Clone)]
pub struct Door {
    warehouse: Warehouse,
    who: Arc<Principal>,
    via: Via,
    timeout: Duration,
}

impl Door {
    /// The same door with a shorter time for each query; a longer one is not given.
    #[must_use]
    pub fn within(mut self, timeout: Duration) -> Self {
        self.timeout = self.timeout.min(timeout);
        self
    }

    /// Parses a text that may hold several statements.
    ///
    /// # Errors
    /// When it is too long or too deep to be parsed, or is not SQL.
    pub async fn read_text(&self, sql: &str) -> Result<Vec<Utterance>, QueryError> {
        self.parse(sql, &self.running(Duration::ZERO)).await
    }

    /// Plans and verifies one statement.
    ///
    /// # Errors
    /// When it is not a read, or names what the principal cannot see.
    pub async fn plan(&self, said: &Utterance) -> Result<Statement, QueryError> {
        self.plan_with(said, Vec::new()).await
    }

    /// As [`Self::plan`], with the types of those parameters that are sent as numbers, by position:
    /// they keep them where they are compared with exact decimals.
    pub(crate) async fn plan_with(
        &self,
        said: &Utterance,
        sent: Vec<Option<DataType>>,
    ) -> Result<Statement, QueryError> {
        Statement::plan(self, said, sent, &self.running(Duration::ZERO)).await
    }

    /// Parses, plans and verifies a text that holds one read.
    ///
    /// # Errors
    /// When it holds none or several, or as [`Self::plan`].
    pub async fn prepare(&self, sql: &str) -> Result<Statement, QueryError> {
        self.prepare_within(sql, &self.running(Duration::ZERO)).await
    }

    /// Runs one read without parameters.
    ///
    /// # Errors
    /// When the text is not one read, names what the principal cannot see, is not let in, or fails
    /// before its first row; what fails later comes out of the [`Answer`].
    pub async fn ask(&self, sql: &str) -> Result<Answer, QueryError> {
        let running = self.running(Duration::ZERO);
        let statement = self.prepare_within(sql, &running).await?;
        statement.run_within(running).await
    }

    async fn prepare_within(
        &self,
        sql: &str,
        running: &Arc<Running>,
    ) -> Result<Statement, QueryError> {
        let said = one(self.parse(sql, running).await?)?;
        Statement::plan(self, &said, Vec::new(), running).await
    }

    async fn parse(&self, sql: &str, running: &Arc<Running>) -> Result<Vec<Utterance>, QueryError> {
        // What is too long is not even copied.
        text::check_length(sql)?;
        running.set_deep(text::is_long(sql));
        let (sql, dialect) = (sql.to_owned(), self.dialect());
        let _place = self.engine().plans(&self.who, self.via, running).await?;
        self.engine().work(running, async move { utterances(&sql, dialect) }).await
    }

    fn dialect(&self) -> Dialect {
        if self.via == Via::Wire { Dialect::PostgresClient } else { Dialect::Plain }
    }

    pub(crate) fn warehouse(&self) -> &Warehouse {
        &self.warehouse
    }

    fn who(&self) -> &Principal {
        &self.who
    }

    fn via(&self) -> Via {
        self.via
    }

    fn limits(&self) -> Limits {
        self.warehouse.inner.limits
    }

    /// Where its queries are accounted for: those of people are, the product's own are not.
    fn state(&self) -> Option<&State> {
        let own = matches!(self.via, Via::Night | Via::Release);
        self.warehouse.inner.state.get().filter(|_| !own)
    }

    fn engine(&self) -> &Engine {
        &self.warehouse.inner.engine
    }

    /// The versions that one statement will read.
    fn pins(&self) -> Arc<Pins> {
        Arc::new(Pins::new(self.warehouse.inner.lake.clone()))
    }

    /// A query of which `spent` is used up already.
    fn running(&self, spent: Duration) -> Arc<Running> {
        let left = self.timeout.saturating_sub(spent);
        let share = self.limits().memory_bytes / if self.who.role == Role::Public { 4 } else { 2 };
        Arc::new(Running::new(self.pool(share), Some(left)))
    }

    /// Work that ends when it is done.
    fn running_for_good(&self) -> Arc<Running> {
        Arc::new(Running::new(self.pool(usize::MAX), None))
    }

    fn pool(&self, share: usize) -> Arc<QueryPool> {
        let all = Arc::clone(&self.warehouse.inner.runtime.memory_pool);
        Arc::new(QueryPool::new(all, share))
    }

    fn template(&self) -> Result<Arc<Template>, QueryError> {
        self.warehouse.template(&self.who, self.via == Via::Wire)
    }

    fn session(&self, pins: &Arc<Pins>) -> Result<SessionState, QueryError> {
        Ok(self.template()?.session(pins))
    }

    fn bench(&self, pins: &Arc<Pins>, bench: catalog::Bench) -> Result<SessionState, QueryError> {
        Ok(self.template()?.bench(pins, bench))
    }
}

fn utterances(sql: &str, dialect: Dialect) -> Result<Vec<Utterance>, QueryError> {
    let deep = text::is_long(sql);
    text::parse(sql, dialect)?.into_iter().map(|said| Utterance::new(said, deep)).collect()
}

fn one(mut said: Vec<Utterance>) -> Result<Utterance, QueryError> {
    match (said.pop(), said.is_empty()) {
        (None, _) => Err(QueryError::empty()),
        (Some(_), false) => Err(QueryError::several()),
        (Some(said), true) => Ok(said),
    }
}

#[cfg(test)]
mod tests;
