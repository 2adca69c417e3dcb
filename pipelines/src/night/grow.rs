//! What a batch does to its table: which rows are written, and in the place of which.

use std::collections::BTreeSet;

use arrow::array::{AsArray, RecordBatch};
use connectors::Span;
use warehouse::query::{QueryError, Workshop};
use warehouse::spec::{Growth, SourceTable, arrow_schema};
use warehouse::stage::Staged;
use warehouse::store::{Note, Replace, StoreError};

use super::Night;

/// The name under which SQL sees the batch.
const BATCH: &str = "bang";

/// Why it cannot be said.
#[derive(Debug, thiserror::Error)]
pub(super) enum GrowError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the rows of before cannot be read")]
    Before(#[from] QueryError),
}

/// Rows to write.
pub(super) struct Change<'a> {
    table: &'a SourceTable,
    rows: Staged,
    place: Place,
}

/// Where they go.
enum Place {
    /// In the place of all rows.
    All,
    /// In the place of these partitions.
    Partitions(String, BTreeSet<String>),
    /// Beside the others.
    Beside,
}

impl Change<'_> {
    /// Writes them as one commit; returns the table's new version.
    pub(super) async fn write(self, night: &Night<'_>, note: &Note) -> Result<u64, StoreError> {
        let replace = match &self.place {
            Place::All => Replace::All { by: self.table.partition.as_deref() },
            Place::Partitions(by, values) => Replace::Partitions { by, values },
            Place::Beside => Replace::Nothing,
        };
        night.warehouse.lake().write(&self.table.name, self.rows, replace, note).await
    }
}

impl Night<'_> {
    /// What the good rows of a batch do to their table.
    pub(super) async fn change<'a>(
        &self,
        table: &'a SourceTable,
        span: Option<&Span>,
        rows: Staged,
    ) -> Result<Change<'a>, GrowError> {
        let by = table.partition.as_deref();
        let lake = self.warehouse.lake();
        let is_new = lake.newest(&table.name).await?.is_none();
        let workshop = self.warehouse.workshop([(BATCH.to_owned(), rows.clone().into())])?;
        // A table that is partitioned otherwise than declared is written whole once.
        let is_otherwise = lake.lies_otherwise(&table.name, by).await?;
        let touched = match by {
            Some(by) => partitions_of(&workshop, by).await?,
            None => BTreeSet::new(),
        };
        match &table.growth {
            Growth::Snapshot => Ok(Change { table, rows, place: Place::All }),
            Growth::Append { period, .. } => {
                if is_new {
                    return Ok(Change { table, rows, place: Place::All });
                }
                let mut covered = touched;
                if let Some(span) = span {
                    let there = lake.partitions(&table.name, period).await?;
                    covered.extend(there.into_iter().filter(|value| is_within(span, value)));
                }
                if is_otherwise {
                    let sql = format!(
                        "SELECT {} FROM {} WHERE NOT ({}) UNION ALL SELECT {0} FROM {BATCH}",
                        columns(table, ""),
                        table.name,
                        among(period, &covered),
                    );
                    let rows = workshop.stage(&sql).await?;
                    return Ok(Change { table, rows, place: Place::All });
                }
                let place = if covered.is_empty() {
                    Place::Beside
                } else {
                    Place::Partitions(period.clone(), covered)
                };
                Ok(Change { table, rows, place })
            }
            Growth::Upsert { watermark, deleted, .. } => {
                // Rows of before may be lost, and are not read.
                let is_anew = self.is_anew(table);
                let among_touched = |touched: &BTreeSet<String>| match by.filter(|_| !is_otherwise)
                {
                    _ if is_anew => Some("false".to_owned()),
                    by => by.map(|by| among(by, touched)),
                };
                // What was read again and is as before rewrites nothing.
                let workshop = if is_new || is_anew {
                    workshop
                } else {
                    let only = among_touched(&touched);
                    let rows = workshop.stage(&changed_sql(table, only.as_deref())).await?;
                    self.warehouse.workshop([(BATCH.to_owned(), rows.into())])?
                };
                let touched = match by {
                    Some(by) => partitions_of(&workshop, by).await?,
                    None => BTreeSet::new(),
                };
                let only = among_touched(&touched);
                let newer = watermark.as_deref();
                let sql = upsert_sql(table, only.as_deref(), newer, deleted.as_deref());
                let rows = workshop.stage(&sql).await?;
                let place = match by {
                    _ if is_anew => Place::All,
                    Some(_) if touched.is_empty() && !is_new && !is_otherwise => Place::Beside,
                    Some(by) if !is_new && !is_otherwise => {
                        Place::Partitions(by.to_owned(), touched)
                    }
                    _ => Place::All,
                };
                Ok(Change { table, rows, place })
            }
        }
    }
}

/// The partitions that the rows of the batch are of.
async fn partitions_of(workshop: &Workshop, by: &str) -> Result<BTreeSet<String>, QueryError> {
    let sql = format!("SELECT DISTINCT CAST(\"{by}\" AS VARCHAR) FROM {BATCH}");
    let add = |values: &mut BTreeSet<String>, rows: &RecordBatch| {
        let texts = arrow::compute::cast(rows.column(0), &arrow::datatypes::DataType::Utf8);
        if let Ok(texts) = texts {
            values.extend(texts.as_string::<i32>().iter().flatten().map(str::to_owned));
        }
    };
    workshop.fold(&sql, BTreeSet::new(), add).await
}

/// Whether a period, by its first day, is one that the source was asked for.
fn is_within(span: &Span, period: &str) -> bool {
    let from = span.from.map(|from| from.date().to_string());
    let below = span.below.map(|below| below.date().to_string());
    from.is_none_or(|from| period >= from.as_str())
        && below.is_none_or(|below| period < below.as_str())
}

/// The columns of the table in the lake, in their order.
fn columns(table: &SourceTable, of: &str) -> String {
    let schema = arrow_schema(table);
    let names = schema.fields().iter().map(|field| format!("{of}\"{}\"", field.name()));
    names.collect::<Vec<_>>().join(", ")
}

/// The condition of rows whose partition is one of `values`.
fn among(by: &str, values: &BTreeSet<String>) -> String {
    if values.is_empty() {
        return "false".to_owned();
    }
    let quoted = values.iter().map(|value| format!("'{}'", value.replace('\'', "''")));
    format!("\"{by}\" IN ({})", quoted.collect::<Vec<_>>().join(", "))
}

/// The rows of the batch that the table does not have as they are.
fn changed_sql(table: &SourceTable, only: Option<&str>) -> String {
    let schema = arrow_schema(table);
    let names = schema.fields().iter().map(|field| field.name().as_str());
    format!(
        "SELECT {} FROM {BATCH} m LEFT ANTI JOIN (SELECT {} FROM {}{}) cu ON {}",
        columns(table, "m."),
        columns(table, ""),
        table.name,
        only.map(|only| format!(" WHERE {only}")).unwrap_or_default(),
        equal("m", "cu", names),
    )
}

/// The condition that two rows have the same cells in some columns.
fn equal<'a>(one: &str, other: &str, columns: impl Iterator<Item = &'a str>) -> String {
    columns
        .map(|name| format!("({one}.\"{name}\" IS NOT DISTINCT FROM {other}.\"{name}\")"))
        .collect::<Vec<_>>()
        .join(" AND ")
}

/// The rows of before whose key the batch does not have, and those of the batch. A row that was
/// written later than the batch's own stays; a row that says that its key is gone takes it away.
///
/// The batch stands on the left of both joins, the side that is kept in memory.
fn upsert_sql(
    table: &SourceTable,
    only: Option<&str>,
    newer: Option<&str>,
    deleted: Option<&str>,
) -> String {
    let (names, name) = (columns(table, ""), &table.name);
    let same = |one: &str, other: &str| equal(one, other, table.key.iter().map(String::as_str));
    let only = only.map(|only| format!(" WHERE {only}")).unwrap_or_default();
    let current = match newer {
        Some(newer) => format!(
            "SELECT {} FROM {BATCH} m LEFT ANTI JOIN cu ON {} AND cu.\"{newer}\" > m.\"{newer}\"",
            columns(table, "m."),
            same("m", "cu"),
        ),
        None => format!("SELECT {names} FROM {BATCH}"),
    };
    // A condition that cannot be told is not met: the row stays.
    let there =
        deleted.map(|deleted| format!(" WHERE (\n{deleted}\n) IS NOT TRUE")).unwrap_or_default();
    format!(
        "WITH cu AS (SELECT {names} FROM {name}{only}), moi AS ({current}) \
         SELECT {} FROM moi m RIGHT ANTI JOIN cu ON {} UNION ALL SELECT {names} FROM moi{there}",
        columns(table, "cu."),
        same("m", "cu"),
    )
}
