//! One night: every source table, every mart and indicator when what it is made from is there, then
//! the account of it all.
//!
//! Invariants: a table changes by one atomic commit or not at all; what is already loaded is not
//! loaded again; a source that fails stops neither the others nor what does not depend on it; what
//! does depend on it keeps its old rows and is said to be stale.

mod compute;
mod expose;
mod grow;
mod load;
mod missing;
mod names;
mod schedule;
mod visit;

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use warehouse::names::TableName;
use warehouse::query::{ErrorKind, QueryError, Warehouse};
use warehouse::spec::SourceTable;

use crate::deidentify::keys::KeyRing;
use crate::ledger::{self, LedgerError, Outcome, RunResult};
use crate::sources::Sources;

/// What a night works with.
pub struct Night<'a> {
    /// The lake and what is declared about it.
    pub warehouse: &'a Warehouse,
    /// Where sources are read.
    pub sources: &'a Sources,
    /// Keys of the pseudonyms.
    pub keys: &'a KeyRing,
    /// The night's date: the same date again is the same night, resumed.
    pub date: NaiveDate,
    /// Sources to load; all when empty.
    pub only: Vec<String>,
    /// Days to read again, first and last: what tables that grow hold of them is replaced by what
    /// their sources hold now.
    pub again: Option<(NaiveDate, NaiveDate)>,
    /// Tables to make again though nothing that they are made from changed: for files that the lake
    /// has lost.
    pub afresh: Vec<TableName>,
}

/// Progress of a night, for whoever watches.
#[derive(Debug)]
pub enum Event<'a> {
    /// How many steps there will be.
    Started {
        /// Source tables, marts and indicators together.
        steps: usize,
    },
    /// A step begins.
    Begun {
        /// The table, with the indicator where many share one.
        name: &'a str,
    },
    /// A step is over.
    Done(&'a Outcome),
}

/// What a night came to.
#[derive(Debug)]
pub struct Summary {
    /// One outcome a step, in working order.
    pub outcomes: Vec<Outcome>,
}

impl Summary {
    /// How many steps came to `result`.
    pub fn count(&self, result: RunResult) -> usize {
        self.outcomes.iter().filter(|outcome| outcome.result == result).count()
    }

    /// Whether every step that had something to do did it.
    pub fn is_clean(&self) -> bool {
        let bad = [RunResult::Failed, RunResult::Refused, RunResult::Stale, RunResult::Overdue];
        !self.outcomes.iter().any(|outcome| bad.contains(&outcome.result))
    }
}

impl Night<'_> {
    /// Whether the table is asked of its source whole, and nothing of before is read. Where each
    /// night has a place of its own, no one place is whole.
    fn is_anew(&self, table: &SourceTable) -> bool {
        self.afresh.contains(&table.name) && self.again.is_none() && !self.is_nightly(table)
    }

    /// Whether the table has a place for each night. What a server exports has none, whatever files
    /// its contract names.
    fn is_nightly(&self, table: &SourceTable) -> bool {
        let declared = self.warehouse.declarations().source_table(&table.name);
        let exports =
            declared.is_some_and(|(contract, _)| self.sources.exports(&contract.id, table));
        table.origin.is_nightly() && !exports
    }

    /// Runs the night, or what is left of it.
    ///
    /// # Errors
    /// When the account of the night cannot be written. Everything that goes wrong with a table is
    /// part of the summary instead.
    pub async fn run(
        &self,
        progress: &mut (dyn FnMut(Event<'_>) + Send),
    ) -> Result<Summary, LedgerError> {
        let outcomes = schedule::work(self, progress);
        ledger::write(self.warehouse, self.date, &outcomes).await?;
        Ok(Summary { outcomes })
    }
}

/// What the steps so far came to, by table; several where indicators share it.
#[derive(Default)]
struct State(BTreeMap<TableName, Vec<Outcome>>);

impl State {
    fn add(&mut self, outcome: Outcome) {
        self.0.entry(outcome.table.clone()).or_default().push(outcome);
    }

    fn of(&self, table: &TableName) -> impl Iterator<Item = &Outcome> {
        self.0.get(table).into_iter().flatten()
    }

    /// What is known of some tables.
    fn about(&self, tables: &BTreeSet<TableName>) -> Self {
        let known = self.0.iter().filter(|(table, _)| tables.contains(*table));
        Self(known.map(|(table, outcomes)| (table.clone(), outcomes.clone())).collect())
    }
}

/// An error with its causes in one line, for logs and the reason column. Our own errors never quote
/// a cell; the engine's do, so of a query that failed on its data only the kind is told.
fn explain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = String::new();
    let mut at = Some(error);
    while let Some(cause) = at {
        let query = cause.downcast_ref::<QueryError>();
        let quotes = query.is_some_and(|query| {
            !matches!(
                query.kind(),
                ErrorKind::Syntax | ErrorKind::NotFound | ErrorKind::Unavailable
            )
        });
        let next = match query {
            Some(query) if quotes => {
                format!("the SQL failed on the data (SQLSTATE {})", query.sqlstate())
            }
            _ => cause.to_string(),
        };
        if text.is_empty() {
            text = next;
        } else if !text.contains(&next) {
            text = format!("{text}: {next}");
        }
        at = if quotes { None } else { cause.source() };
    }
    text
}
