//! How much of a mart is made: the partitions that what changed in its inputs can have changed, where
//! that is proven, or else all of it.
//!
//! A mart keeps in mind which versions of its tables it was made from. Their logs tell which of their
//! partitions changed since, and [`Workshop::narrow`] which of its own follow from these. Whatever else
//! its rows follow from must be as it was: its SQL, the administrative units, this program.

use std::collections::{BTreeMap, BTreeSet};

use arrow::datatypes::DataType;
use warehouse::names::{Schema, TableName};
use warehouse::query::{Warehouse, Workshop};
use warehouse::spec::Query;
use warehouse::stage::Staged;
use warehouse::store::{Changed, Note, Replace, Seen, StoreError};

use super::{MaterialiseError, target};

/// The name under which SQL sees the rows that were made.
const MADE: &str = "moi";

/// See the module.
pub(super) enum Extent<'a> {
    /// All rows.
    Whole,
    /// Those of some partitions of the mart.
    Parts {
        /// The column.
        by: &'a str,
        /// Its values as text; perhaps none.
        values: BTreeSet<String>,
    },
}

/// The versions of the tables that a query reads, as they are kept in mind of what can be made by
/// parts.
pub(super) async fn seen(
    workshop: &Workshop,
    query: &Query,
) -> Result<BTreeMap<String, Seen>, StoreError> {
    let mut seen = BTreeMap::new();
    if query.partition.is_none() {
        return Ok(seen);
    }
    for table in inputs(query) {
        if let Some(version) = workshop.version(table).await? {
            seen.insert(table.to_string(), version.seen());
        }
    }
    Ok(seen)
}

fn inputs(query: &Query) -> impl Iterator<Item = &TableName> {
    query.reads.iter().filter(|table| table.schema() != Schema::HeThong)
}

impl<'a> Extent<'a> {
    /// How much is to be made after what `before` says was made, in a workshop that from now on reads
    /// nothing else than what it is made from.
    pub(super) async fn of(
        warehouse: &Warehouse,
        workshop: &mut Workshop,
        query: &'a Query,
        (before, recipe): (Option<&Note>, &str),
    ) -> Result<Self, MaterialiseError> {
        let (Some(by), Some(before)) = (query.partition.as_deref(), before) else {
            return Ok(Self::Whole);
        };
        // Small groups are hidden block by block: a part must hold its blocks whole.
        let parts_blocks = query.smallest_group.as_ref().is_some_and(|group| {
            let is_in = |columns: &[String]| columns.iter().any(|column| column == by);
            !is_in(&group.by) || is_in(&group.total_over)
        });
        if parts_blocks {
            return Ok(Self::Whole);
        }
        let Some((table, _)) = target(query) else { return Ok(Self::Whole) };
        let lies_so = !warehouse.lake().lies_otherwise(&table, Some(by), &query.schema).await?;
        if !lies_so || before.recipe.as_deref() != Some(recipe) {
            return Ok(Self::Whole);
        }
        let Some(changed) = changed(warehouse, workshop, query, before).await? else {
            return Ok(Self::Whole);
        };
        let failed = |source| MaterialiseError::Query { path: query.path.clone(), source };
        match workshop.narrow(&query.sql, by, &changed).await.map_err(failed)? {
            Some(values) => Ok(Self::Parts { by, values }),
            None => Ok(Self::Whole),
        }
    }

    /// The SQL of the rows to make.
    pub(super) fn sql(&self, query: &Query) -> String {
        match self {
            Self::Whole => query.sql.clone(),
            // The SQL stands on lines of its own, so that a comment in it cannot swallow the rest.
            Self::Parts { by, values } => {
                let among = among(query, by, values);
                format!("SELECT * FROM (\n{}\n) AS tat_ca WHERE {among}", query.sql)
            }
        }
    }

    /// All rows of the mart as they will be, which its checks are asked of: a total is of all of them. Where nothing is asked, the rows that were made.
    pub(super) async fn judged(
        &self,
        warehouse: &Warehouse,
        query: &Query,
        made: &Staged,
    ) -> Result<Staged, MaterialiseError> {
        let (Self::Parts { by, values }, Some((table, _))) = (self, target(query)) else {
            return Ok(made.clone());
        };
        if query.checks.is_empty() {
            return Ok(made.clone());
        }
        let failed = |source| MaterialiseError::Query { path: query.path.clone(), source };
        let workshop = warehouse.workshop([(MADE.to_owned(), made.clone().into())]);
        let names = made.schema().fields().iter().map(|field| format!("\"{}\"", field.name()));
        let names = names.collect::<Vec<_>>().join(", ");
        let among = among(query, by, values);
        let sql = format!(
            "SELECT {names} FROM {table} WHERE NOT ({among}) UNION ALL SELECT {names} FROM {MADE}"
        );
        workshop.map_err(failed)?.stage(&sql).await.map_err(failed)
    }

    /// Which rows of the table the made ones replace.
    pub(super) fn replace<'b>(&'b self, query: &'b Query) -> Replace<'b> {
        match self {
            Self::Whole => Replace::All { by: query.partition.as_deref() },
            Self::Parts { values, .. } if values.is_empty() => Replace::Nothing,
            Self::Parts { by, values } => Replace::Partitions { by, values },
        }
    }

    /// How many partitions are made; `None` where all rows are.
    pub(super) fn parts(&self) -> Option<u64> {
        match self {
            Self::Whole => None,
            Self::Parts { values, .. } => u64::try_from(values.len()).ok(),
        }
    }
}

/// The partitions that changed in each table that changed since `before`; `None` where nobody can tell.
async fn changed(
    warehouse: &Warehouse,
    workshop: &Workshop,
    query: &Query,
    before: &Note,
) -> Result<Option<BTreeMap<TableName, BTreeSet<String>>>, StoreError> {
    let mut all = BTreeMap::new();
    for table in inputs(query) {
        let (seen, version) = (before.seen.get(&table.to_string()), workshop.version(table).await?);
        let changed = match (seen, version) {
            (None, None) => Changed::Nothing,
            (Some(seen), Some(now)) => warehouse.lake().changed(table, &now, seen).await,
            _ => Changed::All,
        };
        match changed {
            Changed::Nothing => {}
            Changed::Partitions(parts) => drop(all.insert(table.clone(), parts)),
            Changed::All => return Ok(None),
        }
    }
    Ok(Some(all))
}

/// The condition of rows whose partition is one of `values`.
fn among(query: &Query, by: &str, values: &BTreeSet<String>) -> String {
    let ty = query.schema.field_with_name(by).map(|field| field.data_type().clone());
    let value = |value: &String| match &ty {
        Ok(DataType::Date32) => format!("DATE '{value}'"),
        Ok(DataType::Int64) => value.clone(),
        _ => format!("'{}'", value.replace('\'', "''")),
    };
    let values: Vec<String> = values.iter().map(value).collect();
    if values.is_empty() {
        "false".to_owned()
    } else {
        format!("\"{by}\" IN ({})", values.join(", "))
    }
}

#[cfg(test)]
mod tests;
