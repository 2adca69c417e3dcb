//! The declared checks, asked in SQL over a batch that waits for its commit.

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::UInt64Type;
use warehouse::query::{QueryError, Warehouse, Workshop};
use warehouse::spec::{Action, Check, Rule};
use warehouse::stage::{ROW, RowSet, Staged};
use warehouse::store::CheckResult;

/// The name under which a check sees the batch.
const BATCH: &str = "bang";

/// Why a check could not be asked, which says nothing about the data.
#[derive(Debug, thiserror::Error)]
#[error("the check `{check}` could not be asked")]
pub struct QualityError {
    /// Its name.
    check: String,
    /// Why.
    #[source]
    source: QueryError,
}

/// What the checks found.
#[derive(Debug, Default)]
pub struct Findings {
    /// One result a check, in the order of the declaration.
    pub results: Vec<CheckResult>,
    /// Rows whose key a row before them has.
    pub repeated: RowSet,
    /// Rows to quarantine, with the check that says so; no row is named twice.
    pub quarantine: Vec<(String, RowSet)>,
    /// The first check that refuses the batch whole, if one does.
    pub refused_by: Option<String>,
}

/// Rows whose key a row before them has.
///
/// # Errors
/// When it cannot be asked.
pub async fn repeats(
    warehouse: &Warehouse,
    key: &[String],
    rows: &Staged,
) -> Result<RowSet, QualityError> {
    if key.is_empty() || rows.rows() == 0 {
        return Ok(RowSet::default());
    }
    let names: Vec<String> = key.iter().map(|name| format!("\"{name}\"")).collect();
    let same: Vec<String> =
        names.iter().map(|name| format!("(b.{name} IS NOT DISTINCT FROM k.{name})")).collect();
    let (names, same) = (names.join(", "), same.join(" AND "));
    let sql = format!(
        "SELECT b.{ROW} FROM {BATCH} b JOIN (SELECT {names}, min({ROW}) AS dau FROM {BATCH} \
         GROUP BY {names} HAVING count(*) > 1) k ON {same} WHERE b.{ROW} > k.dau"
    );
    let failed = |source| QualityError { check: "trung_khoa".to_owned(), source };
    let workshop = bench(warehouse, rows).map_err(failed)?;
    workshop.fold(&sql, RowSet::default(), note_rows).await.map_err(failed)
}

/// Asks every check of a table about `rows`.
///
/// # Errors
/// When a check cannot be asked; a check that finds faults is no error.
pub async fn check(
    warehouse: &Warehouse,
    checks: &[Check],
    rows: &Staged,
) -> Result<Findings, QualityError> {
    let mut findings = Findings::default();
    let Some(first) = checks.first() else { return Ok(findings) };
    let failed = |check: &Check, source| QualityError { check: check.name.clone(), source };
    let workshop = bench(warehouse, rows).map_err(|source| failed(first, source))?;
    let mut seen = RowSet::default();
    for check in checks {
        let found = ask(&workshop, check).await.map_err(|source| failed(check, source))?;
        let count = found.count();
        match (check.action, found) {
            (Action::Quarantine, Found::Rows(rows)) => {
                let new: RowSet = rows.iter().filter(|row| seen.insert(*row)).collect();
                findings.quarantine.push((check.name.clone(), new));
            }
            (Action::Refuse, _) if count > 0 && findings.refused_by.is_none() => {
                findings.refused_by = Some(check.name.clone());
            }
            _ => {}
        }
        findings.results.push(result(check, count));
    }
    Ok(findings)
}

fn bench(warehouse: &Warehouse, rows: &Staged) -> Result<Workshop, QueryError> {
    warehouse.workshop([(BATCH.to_owned(), rows.clone().into())])
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

/// What a check found.
enum Found {
    /// Single rows.
    Rows(RowSet),
    /// So many faults of the batch as a whole.
    Faults(u64),
}

impl Found {
    fn count(&self) -> u64 {
        match self {
            Self::Rows(rows) => rows.len(),
            Self::Faults(count) => *count,
        }
    }
}

async fn ask(workshop: &Workshop, check: &Check) -> Result<Found, QueryError> {
    Ok(match &check.rule {
        Rule::Row(rule) => {
            // The rule stands on a line of its own, so that a comment in it cannot swallow the rest.
            let sql = format!("SELECT {ROW} FROM {BATCH} WHERE NOT (\n{rule}\n)");
            Found::Rows(workshop.fold(&sql, RowSet::default(), note_rows).await?)
        }
        Rule::Query(query) => {
            let count = |count: &mut u64, rows: &RecordBatch| *count += rows.num_rows() as u64;
            Found::Faults(workshop.fold(query, 0, count).await?)
        }
    })
}

fn note_rows(set: &mut RowSet, rows: &RecordBatch) {
    set.extend(rows.column(0).as_primitive::<UInt64Type>().values().iter().copied());
}
