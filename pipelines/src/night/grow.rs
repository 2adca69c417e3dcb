//! What a batch does to its table: which rows are written, and in the place of which.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::{Int64Type, UInt64Type};
use connectors::Span;
use warehouse::query::{FILE, PLACE, Pick, QueryError, Workshop};
use warehouse::spec::{Growth, SourceTable, arrow_schema};
use warehouse::stage::{ROW, RowSet, Staged};
use warehouse::store::{Gone, Note, Places, Replace, StoreError, Version};

use super::Night;
use super::missing::Missing;

/// The name under which SQL sees the batch.
pub(super) const BATCH: &str = "bang";

/// The name under which it sees rows of the table with where they lie.
pub(super) const THERE: &str = "dang_co";

/// Rows of before that are compared at a time.
const AT_ONCE: u64 = 1_000_000;

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
    pub(super) rows: Staged,
    pub(super) place: Place,
    /// Whether rows of before stay.
    keeps: bool,
    /// Rows of before that go because their source deleted them.
    pub(super) rows_deleted: u64,
}

/// Where they go.
pub(super) enum Place {
    /// In the place of all rows.
    All,
    /// In the place of these partitions.
    Partitions(String, BTreeSet<String>),
    /// Beside the others.
    Beside,
    /// Beside those that are left.
    Without(Gone),
}

impl<'a> Change<'a> {
    /// A change that takes away nothing that its source deleted one by one; whether it `keeps` rows
    /// of before.
    fn new(table: &'a SourceTable, rows: Staged, place: Place, keeps: bool) -> Self {
        Self { table, rows, place, keeps, rows_deleted: 0 }
    }

    /// Whether rows that earlier batches brought stay in the table.
    pub(super) fn keeps_rows(&self) -> bool {
        self.keeps
    }

    /// Writes them as one commit; returns the table's new version.
    pub(super) async fn write(self, night: &Night<'_>, note: &Note) -> Result<u64, StoreError> {
        let (lake, name) = (night.warehouse.lake(), &self.table.name);
        let replace = match &self.place {
            Place::Without(gone) => return lake.amend(name, &self.rows, gone, note).await,
            Place::All => Replace::All { by: self.table.partition.as_deref() },
            Place::Partitions(by, values) => Replace::Partitions { by, values },
            Place::Beside => Replace::Nothing,
        };
        lake.write(name, self.rows, replace, note).await
    }
}

impl Night<'_> {
    /// What the good rows of a batch do to their table.
    pub(super) async fn change<'a>(
        &self,
        table: &'a SourceTable,
        span: Option<&Span>,
        rows: Staged,
        missing: Option<&Missing>,
    ) -> Result<Change<'a>, GrowError> {
        match &table.growth {
            Growth::Snapshot => Ok(Change::new(table, rows, Place::All, false)),
            Growth::Append { period, .. } => self.append(table, period, span, rows).await,
            Growth::Upsert { watermark, deleted, .. } => {
                let by = (watermark.as_deref(), deleted.as_deref(), missing);
                self.upsert(table, by, rows).await
            }
        }
    }

    /// What the batch has of a period replaces all of it.
    async fn append<'a>(
        &self,
        table: &'a SourceTable,
        period: &str,
        span: Option<&Span>,
        rows: Staged,
    ) -> Result<Change<'a>, GrowError> {
        let lake = self.warehouse.lake();
        if lake.newest(&table.name).await?.is_none() {
            return Ok(Change::new(table, rows, Place::All, false));
        }
        let workshop = self.warehouse.workshop([(BATCH.to_owned(), rows.clone().into())])?;
        let mut covered = partitions_of(&workshop, period).await?;
        let there = lake.partitions(&table.name, period).await?;
        if let Some(span) = span {
            covered.extend(there.iter().filter(|value| is_within(span, value)).cloned());
        }
        let lies_otherwise =
            lake.lies_otherwise(&table.name, Some(period), &arrow_schema(table)).await?;
        let keeps = lies_otherwise || !there.is_subset(&covered);
        // A table that lies otherwise than declared is written whole once.
        if lies_otherwise {
            let sql = format!(
                "SELECT {} FROM {} WHERE NOT ({}) UNION ALL SELECT {0} FROM {BATCH}",
                columns(table),
                table.name,
                among(period, &covered),
            );
            let rows = workshop.stage(&sql).await?;
            return Ok(Change::new(table, rows, Place::All, keeps));
        }
        let place = if covered.is_empty() {
            Place::Beside
        } else {
            Place::Partitions(period.to_owned(), covered)
        };
        Ok(Change::new(table, rows, place, keeps))
    }

    /// The rows of before whose keys the batch has go, and its rows come; of both, only where
    /// something is otherwise. A row that was written later than the batch's own stays; a row that
    /// says that its key is gone takes it away, and so does a source that no longer has it.
    ///
    /// Only keys are read, and then those rows alone that have one of the batch's.
    async fn upsert<'a>(
        &self,
        table: &'a SourceTable,
        (watermark, deleted, missing): (Option<&str>, Option<&str>, Option<&Missing>),
        rows: Staged,
    ) -> Result<Change<'a>, GrowError> {
        let lake = self.warehouse.lake();
        let workshop = || self.warehouse.workshop([(BATCH.to_owned(), rows.clone().into())]);
        // A condition that cannot be told is not met: the row stays.
        let told = match deleted {
            Some(deleted) => {
                let sql = format!("SELECT \"{ROW}\" FROM {BATCH} WHERE (\n{deleted}\n) IS TRUE");
                workshop()?.fold(&sql, RowSet::default(), add_numbers).await?
            }
            None => RowSet::default(),
        };
        // Rows of before may be lost where all is made anew, and are not read.
        let version = lake.newest(&table.name).await?.filter(|_| !self.is_anew(table));
        let Some(version) = version else {
            return Ok(Change::new(table, rows.without(told), Place::All, false));
        };
        let (by, schema) = (table.partition.as_deref(), arrow_schema(table));
        let is_otherwise = lake.lies_otherwise(&table.name, by, &schema).await?;
        let touched = match by {
            Some(by) if !is_otherwise => Some(partitions_of(&workshop()?, by).await?),
            _ => None,
        };
        let only =
            by.zip(touched.as_ref()).filter(|(by, _)| !is_sought_everywhere(table, by, missing));
        let only = only.map(|(by, touched)| among(by, touched));
        let met = self.places(table, rows.clone(), &version, only.as_deref()).await?;
        let none = Places::none(Arc::clone(&version));
        let mut all = Compared { idle: told.clone(), told, gone: none, rows_deleted: 0 };
        for group in met.in_groups(AT_ONCE) {
            let both = workshop()?.with_places(THERE, &schema, Pick::At(group));
            all = both.fold(&compared_sql(table, watermark), all, add_compared).await?;
        }
        let Compared { idle, mut gone, mut rows_deleted, .. } = all;
        if let Some(missing) = missing {
            let lost = self.places(table, missing.keys.clone(), &version, None).await?;
            rows_deleted += gone.extend(&lost);
        }
        let rows = rows.without(idle);
        let files = if is_otherwise {
            (0..version.files()).collect()
        } else {
            version.to_gather(&gone, by.zip(touched.as_ref()))
        };
        let gone = Gone { rows: gone, files };
        let rows = if gone.files.is_empty() { rows } else { self.left(table, rows, &gone).await? };
        let place = if is_otherwise { Place::All } else { Place::Without(gone) };
        Ok(Change { table, rows, place, keeps: true, rows_deleted })
    }

    /// Where the rows of a version are that have the keys of `rows`, of all or `only` of some.
    async fn places(
        &self,
        table: &SourceTable,
        rows: Staged,
        version: &Arc<Version>,
        only: Option<&str>,
    ) -> Result<Places, QueryError> {
        let all = Pick::Counting(Arc::clone(version));
        let workshop = self.warehouse.workshop([(BATCH.to_owned(), rows.into())])?;
        let workshop = workshop.with_places(THERE, &arrow_schema(table), all);
        let none = Places::none(Arc::clone(version));
        workshop.fold(&met_sql(table, only), none, add_places).await
    }

    /// The rows of a batch, and those that are left in files that go.
    async fn left(
        &self,
        table: &SourceTable,
        rows: Staged,
        gone: &Gone,
    ) -> Result<Staged, QueryError> {
        let left = Pick::Left { files: gone.files.clone(), gone: gone.rows.clone() };
        let workshop = self.warehouse.workshop([(BATCH.to_owned(), rows.into())])?;
        let workshop = workshop.with_places(THERE, &arrow_schema(table), left);
        let names = columns(table);
        workshop
            .stage(&format!("SELECT {names} FROM {THERE} UNION ALL SELECT {names} FROM {BATCH}"))
            .await
    }
}

/// Whether the keys of a batch are looked for in all partitions, and not in those of its rows alone,
/// which takes the longer the more history there is: where rows may come from another one, and where
/// all keys are read in any case. A key that tells its partition is in no other.
fn is_sought_everywhere(table: &SourceTable, by: &str, missing: Option<&Missing>) -> bool {
    let may_move = matches!(table.growth, Growth::Upsert { moves: true, .. });
    (may_move || missing.is_some()) && !table.key.iter().any(|name| name == by)
}

/// The partitions that the rows of the batch are of.
pub(super) async fn partitions_of(
    workshop: &Workshop,
    by: &str,
) -> Result<BTreeSet<String>, QueryError> {
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
fn columns(table: &SourceTable) -> String {
    let schema = arrow_schema(table);
    let names = schema.fields().iter().map(|field| format!("\"{}\"", field.name()));
    names.collect::<Vec<_>>().join(", ")
}

/// The condition of rows whose partition is one of `values`.
pub(super) fn among(by: &str, values: &BTreeSet<String>) -> String {
    if values.is_empty() {
        return "false".to_owned();
    }
    let quoted = values.iter().map(|value| format!("'{}'", value.replace('\'', "''")));
    format!("\"{by}\" IN ({})", quoted.collect::<Vec<_>>().join(", "))
}

/// Where the rows are whose keys the batch has. It stands on the left, the side that is kept in
/// memory: its keys alone.
fn met_sql(table: &SourceTable, only: Option<&str>) -> String {
    let keys = table.key.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ");
    format!(
        "SELECT cu.\"{FILE}\", cu.\"{PLACE}\" FROM {BATCH} moi \
         JOIN (SELECT {keys}, \"{FILE}\", \"{PLACE}\" FROM {THERE}{}) cu ON {}",
        only.map(|only| format!(" WHERE {only}")).unwrap_or_default(),
        equal(table.key.iter().map(String::as_str)),
    )
}

/// Rows of the batch with those that they meet, and whether the latter stay: being newer, or the
/// same.
fn compared_sql(table: &SourceTable, watermark: Option<&str>) -> String {
    let schema = arrow_schema(table);
    let newer = watermark.map(|name| format!("(cu.\"{name}\" > moi.\"{name}\") IS TRUE OR "));
    format!(
        "SELECT moi.\"{ROW}\", cu.\"{FILE}\", cu.\"{PLACE}\", {}({}) \
         FROM {THERE} cu JOIN {BATCH} moi ON {}",
        newer.unwrap_or_default(),
        equal(schema.fields().iter().map(|field| field.name().as_str())),
        equal(table.key.iter().map(String::as_str)),
    )
}

/// The condition that a row of before and one of the batch have the same cells in some columns.
fn equal<'a>(columns: impl Iterator<Item = &'a str>) -> String {
    columns
        .map(|name| format!("(cu.\"{name}\" IS NOT DISTINCT FROM moi.\"{name}\")"))
        .collect::<Vec<_>>()
        .join(" AND ")
}

fn add_numbers(numbers: &mut RowSet, rows: &RecordBatch) {
    numbers.extend(rows.column(0).as_primitive::<UInt64Type>().values().iter().copied());
}

/// Positions of files and rows, which begin at the column `at`.
fn places_in(rows: &RecordBatch, at: usize) -> impl Iterator<Item = (usize, u64)> {
    let column = |at: usize| rows.column(at).as_primitive::<Int64Type>().values().iter();
    // Neither is ever negative.
    let place = |(file, row): (&i64, &i64)| (usize::try_from(*file).ok(), u64::try_from(*row).ok());
    column(at).zip(column(at + 1)).map(place).filter_map(|(file, row)| Some((file?, row?)))
}

fn add_places(places: &mut Places, rows: &RecordBatch) {
    places_in(rows, 0).for_each(|(file, row)| {
        places.insert(file, row);
    });
}

/// What becomes of the rows of a batch, and of those that they meet.
struct Compared {
    /// Rows of the batch that say that their key is gone.
    told: RowSet,
    /// Rows of the batch that are not written.
    idle: RowSet,
    /// Rows of before that go.
    gone: Places,
    /// Those among them whose key is gone.
    rows_deleted: u64,
}

fn add_compared(all: &mut Compared, rows: &RecordBatch) {
    let numbers = rows.column(0).as_primitive::<UInt64Type>().values();
    let stay = rows.column(3).as_boolean();
    for (at, (file, row)) in places_in(rows, 1).enumerate() {
        if stay.value(at) {
            all.idle.insert(numbers[at]);
        } else if all.gone.insert(file, row) {
            all.rows_deleted += u64::from(all.told.contains(numbers[at]));
        }
    }
}
