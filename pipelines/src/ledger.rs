//! What a night did, as rows of `he_thong.lan_chay`, `kiem_tra`, `dong_chay` and `rui_ro`, and what
//! holds simulated rows since then, as `he_thong.mo_phong`.
//!
//! The rows are made from the notes that the commits carry, so a night that was killed and run
//! again tells the same story as one that was not. A table is rewritten only when its rows for
//! this night differ from those already there.

mod exposure;

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{
    AsArray, BooleanArray, Date32Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use arrow::error::ArrowError;
use chrono::{DateTime, NaiveDate, Utc};
use sha2::{Digest, Sha256};
use warehouse::grid::days_since_epoch;
use warehouse::names::TableName;
use warehouse::query::{QueryError, Warehouse};
use warehouse::store::{Note, Replace, Step, StoreError};
use warehouse::system::{self, SystemTable};

use connectors::files::hex;

use self::exposure::risks;

/// The column that the ledger is partitioned by, so that a night rewrites nothing of the others.
const NIGHT: &str = "dem";

/// How one table fared in a night.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunResult {
    /// A new batch was committed.
    New,
    /// The input is the one already loaded.
    Unchanged,
    /// The batch was refused whole; the rows of before stand.
    Refused,
    /// The work failed; the rows of before stand.
    Failed,
    /// Something that it is made from failed or was refused: its rows are those of before.
    Stale,
    /// There is nothing to make it from yet.
    Waiting,
    /// Its source has sent nothing for longer than its contract allows; the rows of before stand.
    Overdue,
}

impl RunResult {
    /// All, as a night counts them.
    pub const ALL: [Self; 7] = [
        Self::New,
        Self::Unchanged,
        Self::Waiting,
        Self::Overdue,
        Self::Stale,
        Self::Refused,
        Self::Failed,
    ];

    /// The word for operators.
    pub fn in_english(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Unchanged => "unchanged",
            Self::Waiting => "waiting",
            Self::Overdue => "overdue",
            Self::Stale => "stale",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }

    /// The word in `he_thong.lan_chay.ket_qua`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::New => "moi",
            Self::Unchanged => "khong_doi",
            Self::Refused => "tu_choi",
            Self::Failed => "loi",
            Self::Stale => "cu",
            Self::Waiting => "cho",
            Self::Overdue => "qua_han",
        }
    }

    /// How much it matters to whoever looks after the night.
    fn gravity(self) -> u8 {
        match self {
            Self::Waiting => 0,
            Self::Unchanged => 1,
            Self::New => 2,
            Self::Overdue => 3,
            Self::Stale => 4,
            Self::Refused => 5,
            Self::Failed => 6,
        }
    }

    /// Whether what depends on the table can be made afresh.
    pub fn is_current(self) -> bool {
        matches!(self, Self::New | Self::Unchanged | Self::Overdue)
    }
}

/// One table's account of a night.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The table.
    pub table: TableName,
    /// The indicator, where many share a table.
    pub part: String,
    /// Loading or computing.
    pub step: Step,
    /// How it went.
    pub result: RunResult,
    /// The newest commit's note; `None` where there never was one.
    pub note: Option<Note>,
    /// The note of a batch that was made tonight and refused.
    pub attempt: Option<Note>,
    /// What a steward should know, in Vietnamese.
    pub reason: Option<String>,
}

/// How one step went, before it is said of which table.
#[derive(Debug, Clone)]
pub(crate) struct Fared {
    result: RunResult,
    note: Option<Note>,
    attempt: Option<Note>,
    reason: Option<String>,
}

impl Fared {
    pub(crate) fn new(result: RunResult, note: Option<Note>, reason: Option<String>) -> Self {
        Self { result, note, attempt: None, reason }
    }

    /// Refused: the newest commit is still the one `before`.
    pub(crate) fn refused(before: Option<Note>, attempt: Note, reason: String) -> Self {
        let attempt = Some(attempt);
        Self { result: RunResult::Refused, note: before, attempt, reason: Some(reason) }
    }

    /// How two parts of one table went, the one after the other: as the worse of them did, and with
    /// the rows of both.
    pub(crate) fn and(self, later: Self) -> Self {
        let (worse, other) = if later.result.gravity() >= self.result.gravity() {
            (later, self)
        } else {
            (self, later)
        };
        let note = sum(worse.note, other.note.filter(|_| other.result == worse.result));
        let attempt = sum(worse.attempt, other.attempt);
        Self { result: worse.result, note, attempt, reason: worse.reason.or(other.reason) }
    }

    /// The same, where nothing new has come for more than `days` days: then that is what matters.
    pub(crate) fn due(self, night: NaiveDate, days: Option<u32>) -> Self {
        let quiet = matches!(self.result, RunResult::Waiting | RunResult::Unchanged);
        let (Some(days), Some(last), true) = (days, self.note.as_ref(), quiet) else { return self };
        let last = last.night;
        if (night - last).num_days() <= i64::from(days) {
            return self;
        }
        let reason = format!("nguồn phải có dữ liệu mới trong {days} ngày, lần cuối là đêm {last}");
        Self { result: RunResult::Overdue, reason: Some(reason), ..self }
    }

    pub(crate) fn outcome(self, table: TableName, part: String, step: Step) -> Outcome {
        let Self { result, note, attempt, reason } = self;
        Outcome { table, part, step, result, note, attempt, reason }
    }
}

/// One note of two batches: the newer one, with the rows of both.
fn sum(one: Option<Note>, other: Option<Note>) -> Option<Note> {
    let (Some(one), Some(other)) = (&one, &other) else { return one.or(other) };
    let (newer, older) = if one.version >= other.version { (one, other) } else { (other, one) };
    if newer.batch == older.batch {
        return Some(newer.clone());
    }
    Some(Note {
        rows_read: newer.rows_read + older.rows_read,
        rows_written: newer.rows_written + older.rows_written,
        rows_quarantined: newer.rows_quarantined + older.rows_quarantined,
        rows_deleted: newer.rows_deleted + older.rows_deleted,
        started_at: newer.started_at.min(older.started_at),
        ..newer.clone()
    })
}

impl Outcome {
    /// The table, with the indicator where many share it.
    pub fn name(&self) -> String {
        if self.part.is_empty() {
            self.table.to_string()
        } else {
            format!("{}/{}", self.table, self.part)
        }
    }

    /// What was committed tonight.
    fn committed(&self) -> Option<&Note> {
        self.note.as_ref().filter(|_| self.result == RunResult::New)
    }

    /// What was made tonight, committed or refused.
    pub fn tonight(&self) -> Option<&Note> {
        self.attempt.as_ref().or_else(|| self.committed())
    }

    /// The note of the rows that stand, where the night looked at them.
    fn standing(&self) -> Option<&Note> {
        let is_known = matches!(self.result, RunResult::New | RunResult::Unchanged);
        self.note.as_ref().filter(|_| is_known)
    }

    /// The note whose checks say how what tonight brought fared: none where nothing was checked.
    fn checked(&self) -> Option<&Note> {
        let standing = self.note.as_ref().filter(|_| self.result == RunResult::Unchanged);
        self.tonight().or(standing)
    }
}

/// Why the account of a night could not be written.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The lake refused it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The rows of other nights could not be carried over.
    #[error("the rows of earlier nights cannot be read")]
    Earlier(#[from] QueryError),
    /// The rows do not form the table.
    #[error("the rows of the ledger do not form a table")]
    Shape(#[from] ArrowError),
}

/// Writes the account of `night`.
///
/// # Errors
/// When a table cannot be written; those written before stay.
pub async fn write(
    warehouse: &Warehouse,
    night: NaiveDate,
    outcomes: &[Outcome],
) -> Result<(), LedgerError> {
    let names: Vec<String> = outcomes.iter().map(Outcome::name).collect();
    let tables: Vec<String> = outcomes.iter().map(|outcome| outcome.table.to_string()).collect();
    let (runs, checks) = (runs(night, outcomes)?, checks(night, outcomes)?);
    replace_night(warehouse, system::runs(), night, runs, &names).await?;
    replace_night(warehouse, system::checks(), night, checks, &names).await?;
    let lineage = lineage(night, outcomes)?;
    replace_night(warehouse, system::lineage(), night, lineage, &tables).await?;
    let risks = risks(night, outcomes, warehouse.declarations())?;
    replace_night(warehouse, system::risks(), night, risks, &names).await?;
    mark_simulated(warehouse, night, outcomes).await
}

/// Says anew of what the night was about whether it holds simulated rows; of all else, what was
/// said stands.
async fn mark_simulated(
    warehouse: &Warehouse,
    night: NaiveDate,
    outcomes: &[Outcome],
) -> Result<(), LedgerError> {
    let table = system::simulated();
    let workshop = warehouse.workshop([])?;
    let said = workshop.rows(&format!("SELECT bang FROM {}", table.name)).await?;
    let mut before = BTreeSet::new();
    for batch in &said {
        let names = stored(batch, &table)?;
        before.extend(names.column(0).as_string::<i32>().iter().flatten().map(str::to_owned));
    }
    let mut now = before.clone();
    for outcome in outcomes {
        match &outcome.note {
            Some(note) if note.simulated => now.insert(outcome.name()),
            _ => now.remove(&outcome.name()),
        };
    }
    if now == before {
        return Ok(());
    }
    let names = texts(now.iter().map(|name| Some(name.as_str())));
    let rows = RecordBatch::try_new(Arc::clone(&table.schema), vec![names])?;
    let count = rows.num_rows() as u64;
    let note = Note {
        rows_read: count,
        rows_written: count,
        ..Note::new(night, Step::HeThong, String::new(), digest(&rows)?)
    };
    warehouse.lake().write(&table.name, rows, Replace::All { by: None }, &note).await?;
    Ok(())
}

/// Replaces what one night says of `about` in a table of the product's own. What the same night
/// said of others stays: a night may be run for some sources only.
async fn replace_night(
    warehouse: &Warehouse,
    table: SystemTable,
    night: NaiveDate,
    rows: RecordBatch,
    about: &[String],
) -> Result<(), LedgerError> {
    let batch = digest(&rows)?;
    let part = night.to_string();
    if warehouse.lake().holds(&table.name, &part, &batch).await? {
        return Ok(());
    }
    let written = rows.num_rows() as u64;
    let workshop = warehouse.workshop([("dem_nay".to_owned(), rows.into())])?;
    let name = &table.name;
    // Names of tables and indicators are snake case: none holds a quote.
    let about: Vec<String> = about.iter().map(|name| format!("'{name}'")).collect();
    let mine = format!("dem = DATE '{night}'");
    // What an older program wrote lies otherwise: it is written whole once.
    let old = warehouse.lake().lies_otherwise(name, Some(NIGHT), &table.schema).await?;
    let kept = if old { format!("NOT ({mine}) OR") } else { format!("{mine} AND") };
    let sql = format!(
        "SELECT * FROM {name} WHERE {kept} bang NOT IN ({}) UNION ALL SELECT * FROM dem_nay",
        about.join(", ")
    );
    let batches = workshop.rows(&sql).await?;
    let all = batches.iter().map(|batch| stored(batch, &table)).collect::<Result<Vec<_>, _>>()?;
    let all = arrow::compute::concat_batches(&table.schema, &all)?;
    let note = Note {
        rows_read: written,
        rows_written: written,
        ..Note::new(night, Step::HeThong, part, batch)
    };
    let values = BTreeSet::from([night.to_string()]);
    let replace = match old {
        true => Replace::All { by: Some(NIGHT) },
        false => Replace::Partitions { by: NIGHT, values: &values },
    };
    warehouse.lake().write(name, all, replace, &note).await?;
    Ok(())
}

/// A batch as the engine computed it, in the types that the table stores.
fn stored(batch: &RecordBatch, table: &SystemTable) -> Result<RecordBatch, ArrowError> {
    let columns = batch
        .columns()
        .iter()
        .zip(table.schema.fields())
        .map(|(column, field)| arrow::compute::cast(column, field.data_type()))
        .collect::<Result<Vec<_>, _>>()?;
    RecordBatch::try_new(Arc::clone(&table.schema), columns)
}

fn digest(rows: &RecordBatch) -> Result<String, ArrowError> {
    let mut text = Vec::new();
    let mut writer = arrow::csv::Writer::new(&mut text);
    writer.write(rows)?;
    drop(writer);
    Ok(hex(&Sha256::digest(&text)))
}

fn dates(night: NaiveDate, rows: usize) -> Arc<Date32Array> {
    Arc::new(Date32Array::from(vec![days_since_epoch(night); rows]))
}

fn texts<'a>(values: impl Iterator<Item = Option<&'a str>>) -> Arc<StringArray> {
    Arc::new(values.collect())
}

fn runs(night: NaiveDate, outcomes: &[Outcome]) -> Result<RecordBatch, ArrowError> {
    let names: Vec<String> = outcomes.iter().map(Outcome::name).collect();
    type Of = fn(&Outcome) -> Option<&Note>;
    let count = |of: Of, pick: fn(&Note) -> u64| {
        let number = |note| i64::try_from(pick(note)).unwrap_or(i64::MAX);
        Arc::new(outcomes.iter().map(|outcome| of(outcome).map(number)).collect::<Int64Array>())
    };
    // Of a commit only: a refused batch is made anew each time that the night is run again, and
    // the night's account must not change with it.
    let instant = |pick: fn(&Note) -> DateTime<Utc>| {
        let values =
            outcomes.iter().map(|outcome| outcome.committed().map(|n| pick(n).timestamp_micros()));
        Arc::new(values.collect::<TimestampMicrosecondArray>().with_timezone("UTC"))
    };
    RecordBatch::try_new(
        system::runs().schema,
        vec![
            dates(night, outcomes.len()),
            texts(names.iter().map(|name| Some(name.as_str()))),
            texts(outcomes.iter().map(|outcome| Some(outcome.step.as_str()))),
            texts(outcomes.iter().map(|outcome| Some(outcome.result.as_str()))),
            texts(outcomes.iter().map(|outcome| {
                let note = outcome.attempt.as_ref().or(outcome.note.as_ref());
                Some(note?.batch.as_str())
            })),
            count(Outcome::tonight, |note| note.rows_read),
            count(Outcome::committed, |note| note.rows_written),
            count(Outcome::tonight, |note| note.rows_quarantined),
            count(Outcome::committed, |note| note.version),
            instant(|note| note.started_at),
            instant(|note| note.finished_at),
            texts(outcomes.iter().map(|outcome| outcome.reason.as_deref())),
            Arc::new(outcomes.iter().map(parts).collect::<Int64Array>()),
            count(Outcome::committed, |note| note.rows_deleted),
        ],
    )
}

/// The partitions that were made anew, where not all rows were: those alone are counted as written.
fn parts(outcome: &Outcome) -> Option<i64> {
    let parts = outcome.committed()?.parts?;
    Some(i64::try_from(parts).unwrap_or(i64::MAX))
}

fn checks(night: NaiveDate, outcomes: &[Outcome]) -> Result<RecordBatch, ArrowError> {
    let all: Vec<_> = outcomes
        .iter()
        .flat_map(|outcome| {
            let name = outcome.name();
            let checks = outcome.checked().into_iter().flat_map(|note| &note.checks);
            checks.map(move |check| (name.clone(), check))
        })
        .collect();
    let faults = all.iter().map(|(_, check)| i64::try_from(check.faults).unwrap_or(i64::MAX));
    RecordBatch::try_new(
        system::checks().schema,
        vec![
            dates(night, all.len()),
            texts(all.iter().map(|(table, _)| Some(table.as_str()))),
            texts(all.iter().map(|(_, check)| Some(check.name.as_str()))),
            texts(all.iter().map(|(_, check)| Some(check.title_vi.as_str()))),
            texts(all.iter().map(|(_, check)| Some(check.title_en.as_str()))),
            texts(all.iter().map(|(_, check)| Some(check.action.as_str()))),
            Arc::new(Int64Array::from_iter_values(faults)),
            Arc::new(
                all.iter().map(|(_, check)| Some(check.faults == 0)).collect::<BooleanArray>(),
            ),
        ],
    )
}

fn lineage(night: NaiveDate, outcomes: &[Outcome]) -> Result<RecordBatch, ArrowError> {
    let all: Vec<_> = outcomes
        .iter()
        .flat_map(|outcome| {
            let inputs = outcome.note.iter().flat_map(|note| &note.inputs);
            let table = outcome.table.to_string();
            inputs.map(move |(from, batch)| (table.clone(), outcome.part.as_str(), from, batch))
        })
        .collect();
    RecordBatch::try_new(
        system::lineage().schema,
        vec![
            dates(night, all.len()),
            texts(all.iter().map(|(table, ..)| Some(table.as_str()))),
            texts(all.iter().map(|(_, part, ..)| Some(*part))),
            texts(all.iter().map(|(_, _, from, _)| Some(from.as_str()))),
            texts(all.iter().map(|(.., batch)| Some(batch.as_str()))),
        ],
    )
}
