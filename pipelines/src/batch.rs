//! One batch of one source table: raw text in, typed and de-identified rows out, and every row
//! that could not pass with its reason.
//!
//! A cell goes through, in order: the closed list of its column, or its vocabulary, or else
//! treatment and leak scan; its type; its bounds. A row with a faulty cell goes to quarantine
//! without that cell's content. Of a cell with a vocabulary, only the declared word goes on.

mod cells;
mod content;
mod listed;
mod refused;
mod typed;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, RecordBatch, StringArray, UInt64Array};
use arrow::compute::filter_record_batch;
use arrow::datatypes::SchemaRef;
use chrono::NaiveDateTime;
use connectors::{Snapshot, SourceError};
use futures::StreamExt;
use identifiers::{AllowList, ColumnKind, ColumnScan, Counts, ScanError, Verdict};
use warehouse::geography::Geography;
use warehouse::spec::{
    Column, ColumnType, Generalisation, Lookup, SourceTable, Treatment, UnitDate, Vocabulary,
    arrow_schema,
};
use warehouse::stage::{Stage, StageError, Staged};
use warehouse::store::CheckResult;

use crate::deidentify::keys::{KeyError, KeyRing};
use crate::deidentify::{ColumnPlan, FaultReason, generalise};

use self::content::Content;
use self::listed::Listing;
pub use self::listed::{Listed, list};
pub use self::refused::{Refused, RefusedRow};

/// Why a row, or the batch, was refused: a stable code, never a value.
pub type Reason = String;

/// A batch after typing and de-identification, before the declared checks.
#[derive(Debug)]
pub struct Batch {
    /// The rows without a fault, in the table's columns; none where a column leaks.
    pub rows: Staged,
    /// Rows with a fault.
    pub refused: Refused,
    /// Rows read in all.
    pub rows_read: u64,
    /// What the raw rows are called: equal names mean equal rows, in whatever order they came.
    pub content: String,
    /// The newest instant in the column of the table's watermark, in the time of Viet Nam.
    pub watermark: Option<NaiveDateTime>,
    /// Whether a simulation made some of the raw rows.
    pub simulated: bool,
    /// Columns that as a whole look like identifiers: the batch may not be loaded, and no more of
    /// it was read.
    pub leaking_columns: Vec<(String, Reason)>,
    /// What a steward is told: signs of identifiers that are not certain, and cells outside of a
    /// vocabulary.
    pub warnings: Vec<CheckResult>,
    /// The keys of all its rows, those with a fault among them, where they are to be compared with
    /// those of the lake.
    pub keys: Option<Listed>,
}

/// Why a batch could not be made at all.
#[derive(Debug, thiserror::Error)]
pub enum BatchError {
    /// The source failed.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// A pseudonym key is not to be had.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A column names an identifier pattern that does not exist.
    #[error(transparent)]
    Scan(#[from] ScanError),
    /// The rows did not fit the table's own schema.
    #[error("the typed rows do not form a table")]
    Shape(#[source] arrow::error::ArrowError),
    /// They could not wait for their checks.
    #[error(transparent)]
    Stage(#[from] StageError),
}

/// What a batch is made with.
#[derive(Debug, Clone, Copy)]
pub struct Tools<'a> {
    /// Keys of the pseudonyms.
    pub keys: &'a KeyRing,
    /// Units that codes are resolved to.
    pub geography: &'a Geography,
    /// Values allowed by reference, by column name.
    pub references: &'a HashMap<String, HashSet<String>>,
}

/// Reads the stream to its end, or until a column shows itself as one of identifiers: each part of
/// it is judged before it is put down anywhere. Where the stream `is_whole`, the keys in it are all
/// that the source has.
///
/// # Errors
/// When the source fails or a column cannot be treated as declared; faulty rows are no error.
pub async fn make(
    table: &SourceTable,
    tools: Tools<'_>,
    snapshot: Snapshot,
    is_whole: bool,
) -> Result<Batch, BatchError> {
    let Snapshot { rows: mut raw, known, simulated } = snapshot;
    let mut columns = Columns::new(table.columns.iter(), tools)?;
    let is_compared = is_whole && table.key_list().is_some();
    let mut listing = is_compared.then(|| Listing::new(table)).transpose()?;
    let schema = arrow_schema(table);
    let mut stage = Stage::new(Arc::clone(&schema))?;
    let mut refused = Refused::default();
    let (mut rows_read, mut leaking_columns) = (0, Vec::new());
    let mut content = known.is_none().then(Content::default);
    let mut watermark = None;
    while let Some(raw) = raw.next().await {
        let raw = raw?;
        if let Some(content) = &mut content {
            content.add(&raw).map_err(BatchError::Shape)?;
        }
        if let Some(column) = table.watermark() {
            let newest = content::newest(&raw, &column.from).map_err(BatchError::Shape)?;
            watermark = watermark.max(newest);
        }
        let (rows, faults) = columns.convert(&raw, &schema)?;
        refuse(&rows, &faults, rows_read, &mut refused);
        leaking_columns = columns.verdicts();
        if leaking_columns.is_empty() {
            if let Some(listing) = &mut listing {
                listing.add(&rows)?;
            }
            let good = |row: &usize| !faults.contains_key(row);
            let keep: BooleanArray = (0..rows.num_rows()).map(|row| Some(good(&row))).collect();
            let numbers = (0..rows.num_rows()).filter(good).map(|row| rows_read + row as u64 + 1);
            let rows = filter_record_batch(&rows, &keep).map_err(BatchError::Shape)?;
            stage.push(&rows, UInt64Array::from_iter_values(numbers))?;
        }
        rows_read += raw.num_rows() as u64;
        if !leaking_columns.is_empty() {
            // What the column as a whole gives away, no single cell of it may keep, and nothing of
            // what was read before.
            refused.forget();
            stage = Stage::new(schema)?;
            listing = None;
            break;
        }
    }
    let (rows, warnings) = (stage.finish()?, columns.warnings());
    let content = content.map(|content| content.name()).or(known).unwrap_or_default();
    let keys = listing.map(Listing::finish).transpose()?;
    Ok(Batch {
        rows,
        refused,
        rows_read,
        content,
        watermark,
        simulated,
        leaking_columns,
        warnings,
        keys,
    })
}

/// Faults of one raw batch by row: column and reason, the first fault of a row first.
type Faults = BTreeMap<usize, Vec<(String, Reason)>>;

fn note_fault(faults: &mut Faults, row: usize, column: &str, reason: impl Into<Reason>) {
    faults.entry(row).or_default().push((column.to_owned(), reason.into()));
}

fn refuse(rows: &RecordBatch, faults: &Faults, offset: u64, refused: &mut Refused) {
    for (&row, found) in faults {
        refused.add(|| {
            let at_fault: HashSet<&str> = found.iter().map(|(column, _)| column.as_str()).collect();
            let (column, reason) = found[0].clone();
            let number = offset + row as u64 + 1;
            RefusedRow { number, column, reason, content: cells::json(rows, row, &at_fault) }
        });
    }
}

/// One column ready to run.
struct Prepared<'a> {
    column: &'a Column,
    closed: Option<Closed<'a>>,
    words: Option<Words<'a>>,
    plan: Option<ColumnPlan>,
    counts: Counts,
    pattern: Option<regex::Regex>,
}

enum Closed<'a> {
    Values(HashSet<&'a str>),
    References(&'a HashSet<String>),
}

impl Closed<'_> {
    fn holds(&self, cell: &str) -> bool {
        match self {
            Self::Values(values) => values.contains(cell),
            Self::References(values) => values.contains(cell),
        }
    }
}

/// The vocabulary of a column, and how many cells were none of its words.
struct Words<'a> {
    lookup: Lookup<'a>,
    outside: u64,
}

impl Words<'_> {
    /// Each cell as the declared word that it is, or as the word for all others.
    fn of(&mut self, cells: &StringArray) -> StringArray {
        let Self { lookup, outside } = self;
        let word = |cell: Option<&str>| {
            let cell = cell?;
            let found = lookup.find(cell);
            *outside += u64::from(found.is_none());
            Some(found.unwrap_or(lookup.otherwise()))
        };
        cells.iter().map(word).collect()
    }
}

impl Prepared<'_> {
    /// The column, where its days come as days or instants and nobody has to read them; `None` where
    /// its cells are to be looked at one by one.
    fn days(&self, raw: &RecordBatch, faults: &mut Faults) -> Option<ArrayRef> {
        let coarser: fn(i32) -> Option<i32> = match self.column.treatment {
            Treatment::Generalise(Generalisation::Day) => Some,
            Treatment::Generalise(Generalisation::Month) => generalise::month_of,
            Treatment::Keep if self.column.ty == ColumnType::Date && self.plan.is_none() => Some,
            _ => return None,
        };
        if self.closed.is_some() || self.pattern.is_some() {
            return None;
        }
        let days = typed::days(raw.column_by_name(&self.column.from)?, coarser)?;
        if self.column.required && days.null_count() > 0 {
            for row in (0..days.len()).filter(|row| days.is_null(*row)) {
                note_fault(faults, row, &self.column.name, "thieu_gia_tri");
            }
        }
        Some(Arc::new(days))
    }
}

struct Columns<'a> {
    prepared: Vec<Prepared<'a>>,
    geography: &'a Geography,
}

impl<'a> Columns<'a> {
    fn new(
        columns: impl Iterator<Item = &'a Column>,
        tools: Tools<'a>,
    ) -> Result<Self, BatchError> {
        let mut prepared = Vec::new();
        for column in columns {
            if column.treatment == Treatment::Drop {
                continue;
            }
            let closed = if !column.values.is_empty() {
                Some(Closed::Values(column.values.iter().map(String::as_str).collect()))
            } else if column.references.is_some() {
                tools.references.get(&column.name).map(Closed::References)
            } else {
                None
            };
            let pattern = column.pattern.as_ref().map(|text| {
                let whole = format!("^(?:{text})$");
                regex::Regex::new(&whole).expect("patterns are validated when declared")
            });
            let words = column.vocabulary.as_ref().map(Vocabulary::lookup);
            let words = words.map(|lookup| Words { lookup, outside: 0 });
            let plan = plan_of(column, closed.is_some() || words.is_some(), tools.keys)?;
            let counts = Counts::default();
            prepared.push(Prepared { column, closed, words, plan, counts, pattern });
        }
        Ok(Self { prepared, geography: tools.geography })
    }

    /// The raw batch with the table's columns and types, and the faults by row.
    fn convert(
        &mut self,
        raw: &RecordBatch,
        schema: &SchemaRef,
    ) -> Result<(RecordBatch, Faults), BatchError> {
        let mut faults = Faults::new();
        let mut done: HashMap<&str, ArrayRef> = HashMap::new();
        // Units last: the date that decides their list may be another column.
        let is_unit = |p: &Prepared<'_>| matches!(p.column.ty, ColumnType::Unit { .. });
        for prepared in self.prepared.iter_mut().filter(|p| !is_unit(p)) {
            if let Some(days) = prepared.days(raw, &mut faults) {
                done.insert(prepared.column.name.as_str(), days);
                continue;
            }
            let cells = cells::clean(raw, &prepared.column.from).map_err(BatchError::Shape)?;
            let name = prepared.column.name.as_str();
            done.insert(name, convert_column(prepared, cells, &mut faults));
        }
        for prepared in self.prepared.iter_mut().filter(|p| is_unit(p)) {
            let column = prepared.column;
            let ColumnType::Unit { on } = &column.ty else { continue };
            let cells = cells::clean(raw, &column.from).map_err(BatchError::Shape)?;
            let cells = match column.treatment {
                Treatment::Keep => scanned(prepared, cells, &mut faults),
                _ => cells,
            };
            let dates = match on {
                UnitDate::Fixed(date) => typed::UnitDates::Fixed(*date),
                UnitDate::Column(name) => typed::UnitDates::of(done.get(name.as_str())),
            };
            let name = column.name.as_str();
            let keys = typed::units(column, &cells, &dates, self.geography, &mut faults);
            done.insert(name, keys);
        }
        let columns = schema
            .fields()
            .iter()
            .map(|field| {
                let missing = || arrow::array::new_null_array(field.data_type(), raw.num_rows());
                done.remove(field.name().as_str()).unwrap_or_else(missing)
            })
            .collect();
        let rows = RecordBatch::try_new(Arc::clone(schema), columns).map_err(BatchError::Shape)?;
        Ok((rows, faults))
    }

    fn verdicts(&self) -> Vec<(String, Reason)> {
        self.prepared
            .iter()
            .filter_map(|prepared| {
                let scan = prepared.plan.as_ref()?.scan()?;
                match scan.verdict(&prepared.counts) {
                    Verdict::Refuse { pattern, .. } => {
                        Some((prepared.column.name.clone(), format!("ro_ri:{}", pattern.as_str())))
                    }
                    _ => None,
                }
            })
            .collect()
    }

    fn warnings(&self) -> Vec<CheckResult> {
        let mut all = Vec::new();
        for Prepared { column, words, plan, counts, .. } in &self.prepared {
            all.extend(words.as_ref().and_then(|words| outside(&column.name, words)));
            let scan = plan.as_ref().and_then(ColumnPlan::scan);
            let Some(Verdict::Warn(findings)) = scan.map(|scan| scan.verdict(counts)) else {
                continue;
            };
            all.extend(findings.into_iter().map(|finding| CheckResult {
                name: format!("ro_ri_{}_{}", column.name, finding.pattern.as_str()),
                title_vi: format!("Cột {} có ô giống {}", column.name, finding.pattern.noun_vi()),
                title_en: format!("Cells of {} look like {}", column.name, finding.pattern),
                action: "warn".to_owned(),
                faults: finding.cells,
            }));
        }
        all
    }
}

/// What a steward is told of cells that were no word of the vocabulary; how many, never which.
fn outside(column: &str, words: &Words<'_>) -> Option<CheckResult> {
    let other = words.lookup.otherwise();
    (words.outside > 0).then(|| CheckResult {
        name: format!("ngoai_tu_vung_{column}"),
        title_vi: format!("Cột {column} có ô ngoài từ vựng, ghi là “{other}”"),
        title_en: format!("Cells of {column} outside of the vocabulary, kept as “{other}”"),
        action: "warn".to_owned(),
        faults: words.outside,
    })
}

fn plan_of(
    column: &Column,
    closed: bool,
    keys: &KeyRing,
) -> Result<Option<ColumnPlan>, BatchError> {
    // A day may be a birth; what is no day, truth value or unit is refused by its type, but a column
    // of identifiers is to be named as one.
    let kind = match column.ty {
        ColumnType::Text | ColumnType::Boolean | ColumnType::Unit { .. } => ColumnKind::Text,
        ColumnType::Integer | ColumnType::Decimal { .. } => ColumnKind::Number,
        ColumnType::Date => ColumnKind::Date,
    };
    if closed && column.treatment == Treatment::Keep {
        return Ok(None);
    }
    let Column { from, name, label, .. } = column;
    let called = format!("{from} {name} {} {}", label.vi, label.en);
    let scan = ColumnScan::new(&called, kind, &column.allow_patterns, &AllowList::default())?;
    Ok(ColumnPlan::new(&column.treatment, keys, scan)?)
}

fn convert_column(
    prepared: &mut Prepared<'_>,
    cells: StringArray,
    faults: &mut Faults,
) -> ArrayRef {
    let column = prepared.column;
    let name = column.name.as_str();
    let cells = match column.lost_zeros {
        Some(lengths) => cells::with_zeros(&cells, lengths),
        None => cells,
    };
    if column.required {
        for row in (0..cells.len()).filter(|row| cells.is_null(*row)) {
            note_fault(faults, row, name, "thieu_gia_tri");
        }
    }
    let cells = match &prepared.closed {
        Some(closed) => cells::only(cells, |row, cell| {
            let known = closed.holds(cell);
            if !known {
                note_fault(faults, row, name, "ngoai_danh_muc");
            }
            known
        }),
        None => cells,
    };
    let cells = match &mut prepared.words {
        Some(words) => words.of(&cells),
        None => cells,
    };
    let Some(plan) = &prepared.plan else {
        return typed::parse(column, &cells, faults);
    };
    if column.treatment != Treatment::Keep {
        let treated = plan.treat(&cells, &mut prepared.counts);
        for fault in &treated.faults {
            note_fault(faults, fault.row, name, reason_code(fault.reason));
        }
        return typed::adopt(column, treated.values);
    }
    let cells = scanned(prepared, cells, faults);
    let cells = match &prepared.pattern {
        Some(pattern) => cells::only(cells, |row, cell| {
            let fits = pattern.is_match(cell);
            if !fits {
                note_fault(faults, row, name, "sai_mau");
            }
            fits
        }),
        None => cells,
    };
    typed::parse(column, &cells, faults)
}

/// The cells of a kept column that hold no identifier.
fn scanned(prepared: &mut Prepared<'_>, cells: StringArray, faults: &mut Faults) -> StringArray {
    let Some(plan) = &prepared.plan else { return cells };
    let treated = plan.treat(&cells, &mut prepared.counts);
    for fault in &treated.faults {
        note_fault(faults, fault.row, &prepared.column.name, reason_code(fault.reason));
    }
    let kept = treated.values.as_any().downcast_ref::<StringArray>().cloned();
    kept.expect("a kept column comes back as text")
}

fn reason_code(reason: FaultReason) -> Reason {
    match reason {
        FaultReason::Leak(pattern) => format!("ro_ri:{}", pattern.as_str()),
        FaultReason::Unreadable(fault) => fault.code().to_owned(),
    }
}

#[cfg(test)]
mod tests;
