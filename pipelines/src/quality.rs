//! The declared checks, asked in SQL over a batch that waits for its commit.

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::UInt64Type;
use warehouse::query::{QueryError, Warehouse, Workshop};
use warehouse::spec::{Action, Check, Growth, Rule, SourceTable};
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
    /// Rows whose cell in a column names no row of their own table, by column.
    pub unknown: Vec<(String, RowSet)>,
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
    let sql = format!(
        "SELECT b.{ROW} FROM {BATCH} b JOIN ({}) k ON {} WHERE b.{ROW} > k.dau",
        repeated_sql(key),
        same_sql(key),
    );
    ask_rows(warehouse, "trung_khoa", &sql, rows).await
}

/// Rows whose key another row has that was written later, by the column `newer`, or, where both were
/// written at once or nobody knows, that comes later.
///
/// # Errors
/// When it cannot be asked.
pub async fn superseded(
    warehouse: &Warehouse,
    key: &[String],
    newer: Option<&str>,
    rows: &Staged,
) -> Result<RowSet, QualityError> {
    if rows.rows() == 0 {
        return Ok(RowSet::default());
    }
    let names = key.iter().map(|name| format!("b.\"{name}\"")).collect::<Vec<_>>().join(", ");
    let newer = newer.map(|name| format!("b.\"{name}\" DESC NULLS LAST, ")).unwrap_or_default();
    let sql = format!(
        "SELECT dong FROM (SELECT b.{ROW} AS dong, row_number() OVER (PARTITION BY {names} \
         ORDER BY {newer}b.{ROW} DESC) AS hang FROM {BATCH} b JOIN ({}) k ON {}) WHERE hang > 1",
        repeated_sql(key),
        same_sql(key),
    );
    ask_rows(warehouse, "trung_khoa", &sql, rows).await
}

/// Rows of which a cell names no row of the table itself, by column: neither of the batch, nor, where
/// rows of before stay, of those.
///
/// # Errors
/// When it cannot be asked.
pub async fn unknown(
    warehouse: &Warehouse,
    table: &SourceTable,
    rows: &Staged,
) -> Result<Vec<(String, RowSet)>, QualityError> {
    let mut all = Vec::new();
    for column in &table.columns {
        let Some((referred, name)) = &column.references else { continue };
        if *referred != table.name {
            continue;
        }
        let own = &column.name;
        let stays = match table.growth {
            Growth::Snapshot => String::new(),
            _ => format!(
                " AND NOT EXISTS (SELECT 1 FROM {referred} c WHERE c.\"{name}\" = b.\"{own}\")"
            ),
        };
        let sql = format!(
            "SELECT b.{ROW} FROM {BATCH} b WHERE b.\"{own}\" IS NOT NULL AND NOT EXISTS \
             (SELECT 1 FROM {BATCH} a WHERE a.\"{name}\" = b.\"{own}\"){stays}"
        );
        all.push((own.clone(), ask_rows(warehouse, own, &sql, rows).await?));
    }
    Ok(all)
}

/// The keys that several rows have, each with the first of its rows.
fn repeated_sql(key: &[String]) -> String {
    let names = key.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ");
    format!("SELECT {names}, min({ROW}) AS dau FROM {BATCH} GROUP BY {names} HAVING count(*) > 1")
}

fn same_sql(key: &[String]) -> String {
    let same = key.iter().map(|name| format!("(b.\"{name}\" IS NOT DISTINCT FROM k.\"{name}\")"));
    same.collect::<Vec<_>>().join(" AND ")
}

async fn ask_rows(
    warehouse: &Warehouse,
    check: &str,
    sql: &str,
    rows: &Staged,
) -> Result<RowSet, QualityError> {
    let failed = |source| QualityError { check: check.to_owned(), source };
    let workshop = bench(warehouse, rows).map_err(failed)?;
    workshop.fold(sql, RowSet::default(), note_rows).await.map_err(failed)
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
    let mut by_row = ask_all_rows(&workshop, checks).await.into_iter().flatten();
    let mut seen = RowSet::default();
    for check in checks {
        let known = if matches!(check.rule, Rule::Row(_)) { by_row.next() } else { None };
        let found = match known {
            Some(rows) => Found::Rows(rows),
            None => ask(&workshop, check).await.map_err(|source| failed(check, source))?,
        };
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

/// What the rules about single rows find, asked together: the rows are read once. `None` where one of
/// them fails: asked by itself, it is told which.
async fn ask_all_rows(workshop: &Workshop, checks: &[Check]) -> Option<Vec<RowSet>> {
    let rules = checks.iter().filter_map(|check| match &check.rule {
        // A rule stands on a line of its own, so that a comment in it cannot swallow the rest.
        Rule::Row(rule) => Some(format!("(NOT (\n{rule}\n)) IS TRUE")),
        Rule::Query(_) => None,
    });
    let broken: Vec<String> = rules.collect();
    if broken.is_empty() {
        return None;
    }
    let names: Vec<String> = (0..broken.len()).map(|at| format!("sai_{at}")).collect();
    let columns = broken.iter().zip(&names).map(|(rule, name)| format!("{rule} AS {name}"));
    let sql = format!(
        "SELECT * FROM (SELECT {ROW}, {} FROM {BATCH}) WHERE {}",
        columns.collect::<Vec<_>>().join(", "),
        names.join(" OR "),
    );
    let none = vec![RowSet::default(); broken.len()];
    workshop.fold(&sql, none, |sets, rows| note_broken(sets, rows)).await.ok()
}

fn note_broken(sets: &mut [RowSet], rows: &RecordBatch) {
    let numbers = rows.column(0).as_primitive::<UInt64Type>().values();
    for (set, broken) in sets.iter_mut().zip(&rows.columns()[1..]) {
        set.extend(broken.as_boolean().values().set_indices().map(|at| numbers[at]));
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
