//! A rotation of the keys: the tokens that stand in the lake are taken to the newest epoch, without
//! any identifier and without asking a source.
//!
//! Each table that holds pseudonyms is read, renewed on its way to a stage, and written whole as one
//! commit, whose note is the one of before with the new key's fingerprint. So the lake itself tells
//! what is done: a rotation that was killed at any instant is ended by running it again, or by the
//! next night before it loads anything. Until then two tables may be of two epochs, and do not join.
//!
//! What a batch is called does not change, so nothing is loaded again. What is made from tokens
//! ([`Reach`]) is made anew by [`crate::night::Night::renew`] or by the next night.
//!
//! What it does not do: files of earlier versions stay in the lake, with the tokens of before, until
//! `Lake::forget` takes them away.

mod anew;
mod quarantine;
mod reach;

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, SchemaRef};
use arrow::error::ArrowError;
use warehouse::names::TableName;
use warehouse::query::{QueryError, Warehouse};
use warehouse::spec::{Declarations, Query, SourceTable, Treatment, arrow_schema};
use warehouse::stage::{Stage, StageError, Staged};
use warehouse::store::{Lake, Note, Replace, StoreError};
use warehouse::system;

use crate::deidentify::keys::{KeyError, KeyRing};
use crate::deidentify::pseudonym::Pseudonymiser;
use crate::materialise;

pub use self::anew::{Emptied, begin_anew};
pub use self::reach::Reach;

/// Why tokens are not of the newest epoch.
#[derive(Debug, thiserror::Error)]
pub enum RotationError {
    /// A key is not to be had.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The lake refused.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The rows of a table cannot be read.
    #[error("the rows of {table} cannot be read")]
    Read {
        /// Which table.
        table: TableName,
        /// Why.
        #[source]
        source: QueryError,
    },
    /// They could not wait for their commit.
    #[error(transparent)]
    Stage(#[from] StageError),
    /// Rows do not form the table that they were read from.
    #[error("the renewed rows of {table} do not form a table")]
    Shape {
        /// Which table.
        table: TableName,
        /// Why.
        #[source]
        source: ArrowError,
    },
    /// A column that its contract calls a pseudonym holds something else.
    #[error(
        "the column {column} of {table} holds what is no token of these keys: run \
         `khoyte night --again {table}`"
    )]
    NoToken {
        /// Which table.
        table: TableName,
        /// Which column.
        column: String,
    },
    /// The table has other columns than its contract.
    #[error("{table} has other columns than its contract says: run a night before you rotate")]
    Otherwise {
        /// Which table.
        table: TableName,
    },
    /// The lake has lost files of the table.
    #[error("the lake has lost files of {table}: do what `khoyte doctor` says before you rotate")]
    Flawed {
        /// Which table.
        table: TableName,
    },
}

/// How the tokens of a lake stand to the keys that are there.
#[derive(Debug)]
pub enum Standing<'a> {
    /// All are of the newest epoch.
    Whole,
    /// A rotation is unfinished: those of these tables are of an earlier epoch.
    Behind(Vec<&'a SourceTable>),
    /// Those of this table were made with a key that is not there, of this fingerprint.
    Foreign(&'a SourceTable, Option<String>),
}

impl Standing<'_> {
    /// Judges tables by their newest notes.
    pub fn of<'a>(keys: &KeyRing, noted: &[(&'a SourceTable, Note)]) -> Standing<'a> {
        let newest = keys.newest().number;
        let mut behind = Vec::new();
        for (table, note) in noted {
            match keys.epoch_of(note.key.as_deref()) {
                None => return Standing::Foreign(table, note.key.clone()),
                Some(epoch) if epoch < newest => behind.push(*table),
                Some(_) => {}
            }
        }
        if behind.is_empty() { Standing::Whole } else { Standing::Behind(behind) }
    }
}

/// The tables with pseudonyms that were ever loaded, with their newest notes.
///
/// # Errors
/// When a log cannot be read.
pub async fn noted<'a>(
    lake: &Lake,
    declared: &'a Declarations,
) -> Result<Vec<(&'a SourceTable, Note)>, StoreError> {
    let tables = declared.contracts.iter().flat_map(|contract| &contract.tables);
    let mut noted = Vec::new();
    for table in tables.filter(|table| table.has_pseudonyms()) {
        noted.extend(lake.last_note(&table.name).await?.map(|note| (table, note)));
    }
    Ok(noted)
}

/// The marts and indicators that were made from tokens of an earlier epoch, in build order.
///
/// # Errors
/// When a log cannot be read.
pub async fn made_from_old<'a>(
    warehouse: &'a Warehouse,
    keys: &KeyRing,
) -> Result<Vec<&'a Query>, StoreError> {
    let (declared, newest) = (warehouse.declarations(), keys.newest().number);
    let reach = Reach::of(declared);
    let mut old = Vec::new();
    for query in declared.queries.iter().filter(|query| reach.is_read_by(query)) {
        let Some((table, part)) = materialise::target(query) else { continue };
        let note = warehouse.lake().note(&table, &part).await?;
        let epoch = note.map(|note| keys.epoch_of(note.key.as_deref()));
        if epoch.is_some_and(|epoch| epoch != Some(newest)) {
            old.push(query);
        }
    }
    Ok(old)
}

/// Tables in which the tokens of before may stand: with the marts made from them, and the quarantine.
pub fn held_in(declared: &Declarations) -> BTreeSet<TableName> {
    let mut tables = Reach::of(declared).tables().clone();
    tables.insert(system::quarantine().name);
    tables
}

/// Whether a rotation of these tables can be ended, as far as it can be told beforehand.
///
/// # Errors
/// When it cannot, by the first table that stands in its way.
pub async fn examine(lake: &Lake, noted: &[(&SourceTable, Note)]) -> Result<(), RotationError> {
    for (table, _) in noted {
        let name = &table.name;
        if lake.lies_otherwise(name, table.partition.as_deref(), &arrow_schema(table)).await? {
            return Err(RotationError::Otherwise { table: name.clone() });
        }
        let found = lake.examine(name).await?;
        if found.is_some_and(|found| !found.flaws.is_empty()) {
            return Err(RotationError::Flawed { table: name.clone() });
        }
    }
    Ok(())
}

/// Takes the tokens of some tables to the newest epoch, and those in quarantine. `progress` is told
/// of each table before it is begun.
///
/// # Errors
/// When a table cannot be renewed. Those before it are.
pub async fn renew(
    warehouse: &Warehouse,
    keys: &KeyRing,
    behind: &[&SourceTable],
    mut progress: impl FnMut(&TableName),
) -> Result<(), RotationError> {
    // The quarantine first: no note of it tells its epoch, but those of the tables do.
    quarantine::renew(warehouse, keys).await?;
    for table in behind {
        progress(&table.name);
        renew_table(warehouse, keys, table).await?;
    }
    Ok(())
}

async fn renew_table(
    warehouse: &Warehouse,
    keys: &KeyRing,
    table: &SourceTable,
) -> Result<(), RotationError> {
    let (lake, name) = (warehouse.lake(), &table.name);
    let Some(note) = lake.last_note(name).await? else { return Ok(()) };
    let unread = |source| RotationError::Read { table: name.clone(), source };
    let schema = arrow_schema(table);
    let names = schema.fields().iter().map(|field| format!("\"{}\"", field.name()));
    let sql = format!("SELECT {} FROM {name}", names.collect::<Vec<_>>().join(", "));
    let begun = Renewing::new(table, keys, schema)?;
    let take = |renewing: &mut Renewing, rows: &RecordBatch| renewing.take(rows);
    let renewed = warehouse.workshop([]).map_err(unread)?.fold(&sql, begun, take).await;
    let rows = renewed.map_err(unread)?.finish()?;
    let note = Note { key: Some(keys.fingerprint()), ..note };
    lake.write(name, rows, Replace::All { by: table.partition.as_deref() }, &note).await?;
    Ok(())
}

/// Rows on their way to a stage, with their tokens taken to the newest epoch.
struct Renewing {
    table: TableName,
    schema: SchemaRef,
    /// By column: what renews it.
    tokens: Vec<Option<Pseudonymiser>>,
    stage: Stage,
    failed: Option<RotationError>,
}

impl Renewing {
    fn new(table: &SourceTable, keys: &KeyRing, schema: SchemaRef) -> Result<Self, RotationError> {
        let mut tokens = Vec::new();
        for field in schema.fields() {
            tokens.push(match table.column(field.name()).map(|column| &column.treatment) {
                Some(Treatment::Pseudonymise { domain }) => {
                    Some(Pseudonymiser::new(&keys.domain(domain)?))
                }
                _ => None,
            });
        }
        let stage = Stage::new(Arc::clone(&schema))?;
        Ok(Self { table: table.name.clone(), schema, tokens, stage, failed: None })
    }

    /// What fails is kept, and told in the end.
    fn take(&mut self, rows: &RecordBatch) {
        if self.failed.is_none() {
            self.failed = self.try_take(rows).err();
        }
    }

    fn try_take(&mut self, rows: &RecordBatch) -> Result<(), RotationError> {
        let misshapen = |source| RotationError::Shape { table: self.table.clone(), source };
        let mut columns: Vec<ArrayRef> = Vec::with_capacity(rows.num_columns());
        for ((column, field), tokens) in
            rows.columns().iter().zip(self.schema.fields()).zip(&self.tokens)
        {
            let Some(tokens) = tokens else {
                columns.push(cast(column, field.data_type()).map_err(misshapen)?);
                continue;
            };
            let cells = cast(column, &DataType::Utf8).map_err(misshapen)?;
            let cells = cells.as_string::<i32>().iter();
            let renewed: Option<Vec<Option<String>>> = cells
                .map(|cell| match cell {
                    Some(cell) => tokens.renew(cell).map(Some),
                    None => Some(None),
                })
                .collect();
            let no_token = || RotationError::NoToken {
                table: self.table.clone(),
                column: field.name().clone(),
            };
            columns.push(Arc::new(StringArray::from(renewed.ok_or_else(no_token)?)));
        }
        let rows = RecordBatch::try_new(Arc::clone(&self.schema), columns);
        self.stage.append(&rows.map_err(misshapen)?)?;
        Ok(())
    }

    fn finish(self) -> Result<Staged, RotationError> {
        match self.failed {
            Some(error) => Err(error),
            None => Ok(self.stage.finish()?),
        }
    }
}
