//! Reads of the product's own: what a night computes and checks. They see everything, have no
//! deadline and no account, and run on the same runtime within the same memory.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, RecordBatch};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::catalog::TableProvider;
use datafusion::common::{DataFusionError, Result as EngineResult};
use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use datafusion::sql::parser::Statement as EngineStatement;
use futures::StreamExt;

use super::catalog::Bench;
use super::guard::guard;
use super::lake_table::LakeTable;
use super::parts::{self, Affected, Changing};
use super::scan::Pick;
use super::session::context;
use super::statement::verify;
use super::{Door, QueryError, Via, Warehouse};
use crate::access::Principal;
use crate::names::TableName;
use crate::stage::{Rows, Stage, StageError, Staged};
use crate::store::{StoreError, Version};

/// The lake, and tables that are not in it beside it under bare names. All queries of one workshop
/// read the same versions.
pub struct Workshop {
    door: Door,
    pins: Arc<super::pins::Pins>,
    tables: BTreeMap<String, Arc<dyn TableProvider>>,
}

impl Workshop {
    pub(super) fn new(
        warehouse: &Warehouse,
        tables: impl IntoIterator<Item = (String, Rows)>,
    ) -> Result<Self, QueryError> {
        let door = warehouse.door(&Principal::system(), Via::Night);
        let table = |(name, rows): (String, Rows)| Ok((name, rows.table(true)?));
        let tables = tables.into_iter().map(table).collect::<Result<_, _>>();
        let tables = tables.map_err(QueryError::engine)?;
        let pins = door.pins();
        Ok(Self { door, pins, tables })
    }

    /// With rows of a table beside the others, under a bare name, each with where it lies:
    /// [`super::FILE`] and [`super::PLACE`] are its last columns.
    #[must_use]
    pub fn with_places(mut self, name: &str, columns: &Schema, pick: Pick) -> Self {
        self.tables.insert(name.to_owned(), Arc::new(LakeTable::placed(columns, pick)));
        self
    }

    /// The version of a table that its queries read; `None` where it was never written.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn version(&self, name: &TableName) -> Result<Option<Arc<Version>>, StoreError> {
        self.pins.version(name).await
    }

    /// Reads from now on, of tables some of whose partitions `changed`, only what the changed rows of
    /// `sql` follow from. Returns the values, as text, that its column `by` has in these: none of its
    /// other rows, old or new, is otherwise than before. `None`, and nothing is left out, where that
    /// cannot be proven.
    ///
    /// # Errors
    /// When it does not plan, or the log cannot be read.
    pub async fn narrow(
        &mut self,
        sql: &str,
        by: &str,
        changed: &BTreeMap<TableName, BTreeSet<String>>,
    ) -> Result<Option<BTreeSet<String>>, QueryError> {
        let mut tables = BTreeMap::new();
        for (name, changed) in changed {
            let version = self.pinned(name).await?;
            let parts = version.as_deref().and_then(Version::parts);
            let Some((by, there)) = parts else { return Ok(None) };
            let there = there.into_iter().map(str::to_owned).collect();
            let table = Changing { by: by.to_owned(), there, changed: changed.clone() };
            tables.insert(name.clone(), table);
        }
        let Some(Affected { values, needed }) = self.affected(sql, by, tables).await? else {
            return Ok(None);
        };
        let mut narrowed = Vec::new();
        for (name, parts) in needed {
            let version = self.pinned(&name).await?;
            narrowed.extend(version.map(|version| (name, version.only(&parts))));
        }
        self.pins = Arc::new(self.pins.with(narrowed));
        Ok(Some(values))
    }

    async fn pinned(&self, name: &TableName) -> Result<Option<Arc<Version>>, QueryError> {
        let external = |error| QueryError::engine(DataFusionError::External(Box::new(error)));
        self.version(name).await.map_err(external)
    }

    async fn affected(
        &self,
        sql: &str,
        by: &str,
        tables: BTreeMap<TableName, Changing>,
    ) -> Result<Option<Affected>, QueryError> {
        let door = &self.door;
        let session = door.bench(&self.pins, Bench::new(self.tables.clone()))?;
        let (sql, by) = (sql.to_owned(), by.to_owned());
        let work = async move {
            let plan = plan(&session, &sql).await?;
            parts::affected(&plan, &session, &by, &tables).map_err(QueryError::engine)
        };
        door.engine().work(&door.running_for_good(), work).await
    }

    /// All rows of one read; at least one batch, so that its columns are known.
    ///
    /// # Errors
    /// When it does not plan or run.
    pub async fn rows(&self, sql: &str) -> Result<Vec<RecordBatch>, QueryError> {
        let begin = |schema: SchemaRef| Ok((schema, Vec::new()));
        let take = |(_, all): &mut (_, Vec<_>), rows| {
            all.push(rows);
            Ok(())
        };
        let (schema, mut all) = self.run(sql, begin, take).await?;
        if all.is_empty() {
            all.push(RecordBatch::new_empty(schema));
        }
        Ok(all)
    }

    /// Gives all rows of one read to `take`, batch by batch, and answers what it made of `begun`.
    ///
    /// # Errors
    /// When it does not plan or run.
    pub async fn fold<T: Send + 'static>(
        &self,
        sql: &str,
        begun: T,
        take: impl Fn(&mut T, &RecordBatch) + Send + 'static,
    ) -> Result<T, QueryError> {
        let take = move |made: &mut T, rows| {
            take(made, &rows);
            Ok(())
        };
        self.run(sql, |_| Ok(begun), take).await
    }

    /// All rows of one read, on the disk, with text as plain strings, which every engine that reads
    /// Delta knows.
    ///
    /// # Errors
    /// When it does not plan or run, or the disk fails.
    pub async fn stage(&self, sql: &str) -> Result<Staged, QueryError> {
        let begin = |schema: SchemaRef| Stage::new(plain(&schema)).map_err(unstaged);
        let take = |stage: &mut Stage, rows: RecordBatch| {
            let rows = as_plain(&rows).map_err(QueryError::engine)?;
            stage.append(&rows).map_err(unstaged)
        };
        self.run(sql, begin, take).await?.finish().map_err(unstaged)
    }

    async fn run<T: Send + 'static>(
        &self,
        sql: &str,
        begin: impl FnOnce(SchemaRef) -> Result<T, QueryError> + Send + 'static,
        take: impl Fn(&mut T, RecordBatch) -> Result<(), QueryError> + Send + 'static,
    ) -> Result<T, QueryError> {
        let door = self.door.clone();
        let running = door.running_for_good();
        let bench = Bench::new(self.tables.clone());
        let session = door.bench(&self.pins, bench)?;
        let (sql, crowd) = (sql.to_owned(), Arc::clone(door.engine().crowd()));
        let own = Arc::clone(&running);
        let work = async move {
            let plan = plan(&session, &sql).await?;
            let physical: Arc<dyn ExecutionPlan> =
                session.create_physical_plan(&plan).await.map_err(QueryError::engine)?;
            let guarded = guard(physical, &own, &crowd).map_err(QueryError::engine)?;
            let mut made = begin(guarded.schema())?;
            let rows = execute_stream(guarded, context(&session, &own));
            let mut rows = rows.map_err(QueryError::engine)?;
            while let Some(rows) = rows.next().await {
                take(&mut made, rows.map_err(QueryError::engine)?)?;
            }
            Ok(made)
        };
        door.engine().work(&running, work).await
    }
}

/// Plans one read.
async fn plan(session: &SessionState, sql: &str) -> Result<LogicalPlan, QueryError> {
    let said = super::one(super::utterances(sql, super::text::Dialect::Plain)?)?;
    if !said.is_read() {
        return Err(QueryError::read_only());
    }
    let statement = EngineStatement::Statement(Box::new(said.statement().clone()));
    let plan = session.statement_to_plan(statement).await.map_err(QueryError::engine)?;
    verify(&plan)?;
    Ok(plan)
}

fn unstaged(error: StageError) -> QueryError {
    QueryError::engine(DataFusionError::External(Box::new(error)))
}

fn plain_type(of: &DataType) -> DataType {
    match of {
        DataType::Utf8View | DataType::LargeUtf8 | DataType::Dictionary(..) => DataType::Utf8,
        other => other.clone(),
    }
}

fn plain(schema: &Schema) -> SchemaRef {
    let fields = schema.fields().iter();
    let plain = fields.map(|field| Field::new(field.name(), plain_type(field.data_type()), true));
    Arc::new(Schema::new(plain.collect::<Vec<_>>()))
}

fn as_plain(rows: &RecordBatch) -> EngineResult<RecordBatch> {
    let columns = rows.columns().iter().map(|column| cast(column, &plain_type(column.data_type())));
    let columns: Vec<ArrayRef> = columns.collect::<Result<_, _>>()?;
    Ok(RecordBatch::try_new(plain(rows.schema_ref()), columns)?)
}
