//! The declared checks, asked in SQL over a batch that is still in memory.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, RecordBatch, UInt64Array};
use arrow::datatypes::{DataType, Field, Schema, UInt64Type};
use warehouse::query::{QueryError, Warehouse, Workshop};
use warehouse::spec::{Action, Check, Rule};
use warehouse::store::CheckResult;

/// The name under which a check sees the batch.
const BATCH: &str = "bang";

/// The hidden column that leads a faulty row back to its place.
const ROW: &str = "__dong";

/// Why the checks could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum QualityError {
    /// The batch does not form a table.
    #[error("the batch cannot be laid out for its checks")]
    Shape(#[source] arrow::error::ArrowError),
    /// A check failed to run, which says nothing about the data.
    #[error("the check `{check}` could not be asked")]
    Ask {
        /// Its name.
        check: String,
        /// Why.
        #[source]
        source: QueryError,
    },
}

/// What the checks found.
#[derive(Debug, Default)]
pub struct Findings {
    /// One result a check, in the order of the declaration.
    pub results: Vec<CheckResult>,
    /// Rows to quarantine, by position in the batch, with the check that says so.
    pub quarantine: BTreeMap<u64, String>,
    /// The first check that refuses the batch whole, if one does.
    pub refused_by: Option<String>,
}

/// Asks every check of a table about `rows`.
///
/// # Errors
/// When a check cannot be asked; a check that finds faults is no error.
pub async fn check(
    warehouse: &Warehouse,
    checks: &[Check],
    rows: &RecordBatch,
) -> Result<Findings, QualityError> {
    let mut findings = Findings::default();
    if checks.is_empty() {
        return Ok(findings);
    }
    let numbered = numbered(rows).map_err(QualityError::Shape)?;
    let workshop = warehouse
        .workshop([(BATCH.to_owned(), numbered)])
        .map_err(|source| QualityError::Ask { check: String::new(), source })?;
    for check in checks {
        let faults = ask(&workshop, check)
            .await
            .map_err(|source| QualityError::Ask { check: check.name.clone(), source })?;
        let count = faults.len() as u64;
        match check.action {
            Action::Quarantine => {
                for row in faults.into_iter().flatten() {
                    findings.quarantine.entry(row).or_insert_with(|| check.name.clone());
                }
            }
            Action::Refuse if count > 0 && findings.refused_by.is_none() => {
                findings.refused_by = Some(check.name.clone());
            }
            Action::Refuse | Action::Warn => {}
        }
        findings.results.push(result(check, count));
    }
    Ok(findings)
}

fn result(check: &Check, faults: u64) -> CheckResult {
    let action = match check.action {
        Action::Quarantine => "quarantine",
        Action::Warn => "warn",
        Action::Refuse => "refuse",
    };
    CheckResult {
        name: check.name.clone(),
        title_vi: check.title.vi.clone(),
        title_en: check.title.en.clone(),
        action: action.to_owned(),
        faults,
    }
}

fn numbered(rows: &RecordBatch) -> Result<RecordBatch, arrow::error::ArrowError> {
    let mut fields: Vec<_> = rows.schema().fields().iter().cloned().collect();
    fields.push(Arc::new(Field::new(ROW, DataType::UInt64, false)));
    let mut columns: Vec<ArrayRef> = rows.columns().to_vec();
    columns.push(Arc::new(UInt64Array::from_iter_values(0..rows.num_rows() as u64)));
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)
}

/// One entry a fault: the row's position, where the rule is about single rows.
async fn ask(workshop: &Workshop, check: &Check) -> Result<Vec<Option<u64>>, QueryError> {
    let (sql, by_row) = match &check.rule {
        // The rule stands on a line of its own, so that a comment in it cannot swallow the rest.
        Rule::Row(rule) => (format!("SELECT {ROW} FROM {BATCH} WHERE NOT (\n{rule}\n)"), true),
        Rule::Query(query) => (query.clone(), false),
    };
    let batches = workshop.rows(&sql).await?;
    let mut faults = Vec::new();
    for batch in &batches {
        if by_row {
            let rows = batch.column(0).as_primitive::<UInt64Type>();
            faults.extend(rows.values().iter().copied().map(Some));
        } else {
            faults.extend(std::iter::repeat_n(None, batch.num_rows()));
        }
    }
    Ok(faults)
}
