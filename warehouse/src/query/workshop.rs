//! Reads of the product's own: what a night computes and checks. They see everything, have no
//! deadline and no account, and run on the same runtime within the same memory.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::catalog::TableProvider;
use datafusion::datasource::MemTable;
use datafusion::physical_plan::{ExecutionPlan, collect};
use datafusion::sql::parser::Statement as EngineStatement;

use super::catalog::Bench;
use super::guard::guard;
use super::session::context;
use super::statement::verify;
use super::{Door, QueryError, Via, Warehouse};
use crate::access::Principal;

/// The lake, and tables in memory beside it under bare names. All queries of one workshop read the
/// same versions.
pub struct Workshop {
    door: Door,
    pins: Arc<super::pins::Pins>,
    tables: BTreeMap<String, Arc<dyn TableProvider>>,
}

impl Workshop {
    pub(super) fn new(
        warehouse: &Warehouse,
        tables: impl IntoIterator<Item = (String, RecordBatch)>,
    ) -> Result<Self, QueryError> {
        let door = warehouse.door(&Principal::system(), Via::Night);
        let table = |(name, rows): (String, RecordBatch)| {
            let table = MemTable::try_new(rows.schema(), vec![vec![rows]])?;
            Ok((name, Arc::new(table) as _))
        };
        let tables = tables.into_iter().map(table).collect::<Result<_, _>>();
        let tables = tables.map_err(QueryError::engine)?;
        let pins = door.pins();
        Ok(Self { door, pins, tables })
    }

    /// All rows of one read; at least one batch, so that its columns are known.
    ///
    /// # Errors
    /// When it does not plan or run.
    pub async fn rows(&self, sql: &str) -> Result<Vec<RecordBatch>, QueryError> {
        let door = self.door.clone();
        let running = door.running_for_good();
        let bench = Bench::new(self.tables.clone());
        let session = door.bench(&self.pins, bench)?;
        let (sql, crowd) = (sql.to_owned(), Arc::clone(door.engine().crowd()));
        let own = Arc::clone(&running);
        let work = async move {
            let said = super::one(super::utterances(&sql, super::text::Dialect::Plain)?)?;
            if !said.is_read() {
                return Err(QueryError::read_only());
            }
            let statement = EngineStatement::Statement(Box::new(said.statement().clone()));
            let plan = session.statement_to_plan(statement).await.map_err(QueryError::engine)?;
            verify(&plan)?;
            let physical: Arc<dyn ExecutionPlan> =
                session.create_physical_plan(&plan).await.map_err(QueryError::engine)?;
            let guarded = guard(physical, &own, &crowd).map_err(QueryError::engine)?;
            let schema = guarded.schema();
            let rows = collect(guarded, context(&session, &own)).await;
            let mut rows = rows.map_err(QueryError::engine)?;
            if rows.is_empty() {
                rows.push(RecordBatch::new_empty(schema));
            }
            Ok(rows)
        };
        door.engine().work(&running, work).await
    }
}
