//! Marts and indicators: each query file becomes rows of the lake when, and only when, something
//! that it is made from has changed. A mart that is partitioned is made anew by parts where that
//! gives the same rows: see [`extent`].

mod extent;
mod small_groups;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::Schema;
use chrono::{NaiveDate, Utc};
use sha2::{Digest, Sha256};
use warehouse::geography::Geography;
use warehouse::names::TableName;
use warehouse::query::{QueryError, Warehouse};
use warehouse::spec::{Indicator, Query, QueryKind};
use warehouse::stage::{StageError, Staged};
use warehouse::store::{Note, Replace, Step, StoreError};

use self::extent::Extent;
use crate::PIPELINE_VERSION;
use crate::deidentify::keys::KeyRing;
use crate::quality::{self, QualityError};
use connectors::files::hex;

/// Why a mart or indicator was not made.
#[derive(Debug, thiserror::Error)]
pub enum MaterialiseError {
    /// Its SQL failed.
    #[error("the SQL of {path} failed")]
    Query {
        /// The query file.
        path: String,
        /// Why.
        #[source]
        source: QueryError,
    },
    /// Its checks could not be asked.
    #[error(transparent)]
    Quality(#[from] QualityError),
    /// The lake refused it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Its rows break a rule that holds for all marts or indicators.
    #[error("{path}: {reason}")]
    Rule {
        /// The query file.
        path: String,
        /// Which rule, and where.
        reason: String,
    },
    /// Its rows could not wait for their checks.
    #[error(transparent)]
    Stage(#[from] StageError),
}

/// What making a query's rows came to.
#[derive(Debug)]
pub enum Made {
    /// Committed.
    New(Note),
    /// A check refused the rows; those of before stand.
    Refused(Note, String),
}

/// What a query reads, as far as it is there.
#[derive(Debug, Clone, Default)]
pub struct Inputs {
    /// The batch of each table.
    pub batches: BTreeMap<String, String>,
    /// Whether rows of one of them come from simulated sources.
    pub simulated: bool,
}

/// The batch that a query would make from these inputs. A table may lose its simulated rows and
/// be of the same batch; what is made from it is not. Where the query reads what pseudonyms may be
/// in, `keys` are those that made them: a rotation leaves the batches of the inputs as they are, and
/// changes the tokens in them.
pub fn batch_of(
    query: &Query,
    geography: &Geography,
    inputs: &Inputs,
    keys: Option<&KeyRing>,
) -> String {
    let mut text = recipe(query, geography);
    for (table, batch) in &inputs.batches {
        // Writing to a String cannot fail.
        let _ = write!(text, "\n{table}={batch}");
    }
    if inputs.simulated {
        text.push_str("\nsimulated");
    }
    if let Some(epoch) = keys.map(KeyRing::newest).filter(|epoch| epoch.number > 1) {
        let _ = write!(text, "\nkeys {}", epoch.fingerprint);
    }
    hex(&Sha256::digest(text.as_bytes()))
}

/// What a query's rows follow from beside its inputs.
fn recipe(query: &Query, geography: &Geography) -> String {
    let (version, units) = (PIPELINE_VERSION, geography.fingerprint());
    format!("{version}\n{units}\n{}", query.fingerprint)
}

/// Where a query's rows go: the table, and its part where many queries share it.
pub fn target(query: &Query) -> Option<(TableName, String)> {
    let part = if query.kind == QueryKind::Indicator { query.id.clone() } else { String::new() };
    query.table().map(|table| (table, part))
}

/// Runs a query file and commits its rows: all of them, or those that changes since the note `before`
/// can have changed.
///
/// `keys` as for [`batch_of`].
///
/// # Errors
/// When the SQL fails, its rows break a rule, or the commit does; the rows of before stand.
pub async fn make(
    warehouse: &Warehouse,
    query: &Query,
    night: NaiveDate,
    inputs: Inputs,
    keys: Option<&KeyRing>,
    before: Option<&Note>,
) -> Result<Made, MaterialiseError> {
    let Some((table, part)) = target(query) else {
        return Err(rule(query, "an open dataset is released, not materialised"));
    };
    let started_at = Utc::now();
    let failed = |source| MaterialiseError::Query { path: query.path.clone(), source };
    // A night may take longer than a planner may keep the machine busy: no limit of time here.
    let mut workshop = warehouse.workshop([]).map_err(failed)?;
    let seen = extent::seen(&workshop, query).await?;
    let recipe = hex(&Sha256::digest(recipe(query, warehouse.geography())));
    let extent = Extent::of(warehouse, &mut workshop, query, (before, &recipe)).await?;
    let rows = workshop.stage(&extent.sql(query)).await.map_err(failed)?;
    let rows = small_groups::hide(query, rows)?;
    refuse_no_partition(query, &rows)?;
    let judged = extent.judged(warehouse, query, &rows).await?;
    let findings = quality::check(warehouse, &query.checks, &judged).await?;
    let rows = match &query.indicator {
        Some(indicator) => long_form(warehouse, query, indicator, rows).await?,
        None => rows,
    };
    let batch = batch_of(query, warehouse.geography(), &inputs, keys);
    let mut note = Note {
        rows_read: rows.rows(),
        rows_written: rows.rows(),
        inputs: inputs.batches,
        key: keys.map(KeyRing::fingerprint),
        checks: findings.results,
        started_at,
        simulated: inputs.simulated,
        recipe: query.partition.as_ref().map(|_| recipe),
        parts: extent.parts(),
        seen,
        ..Note::new(night, Step::Tinh, part, batch)
    };
    if let Some(check) = findings.refused_by {
        return Ok(Made::Refused(note, check));
    }
    let values = BTreeSet::from([query.id.clone()]);
    let replace = match query.kind {
        QueryKind::Indicator => Replace::Partitions { by: "ma_chi_tieu", values: &values },
        _ => extent.replace(query),
    };
    note.version = warehouse.lake().write(&table, rows, replace, &note).await?;
    Ok(Made::New(note))
}

fn rule(query: &Query, reason: impl Into<String>) -> MaterialiseError {
    MaterialiseError::Rule { path: query.path.clone(), reason: reason.into() }
}

/// A row without a value of the partition column would be in no partition that can be replaced.
fn refuse_no_partition(query: &Query, rows: &Staged) -> Result<(), MaterialiseError> {
    let Some(by) = &query.partition else { return Ok(()) };
    let at = rows.schema().index_of(by);
    let at = at.map_err(|_| rule(query, format!("the SELECT gives no column `{by}`")))?;
    for rows in rows.batches()? {
        let rows = rows?;
        let column = rows.column(at);
        let texts = column.as_string_opt::<i32>();
        let is_empty = texts.is_some_and(|texts| texts.iter().flatten().any(str::is_empty));
        if column.null_count() > 0 || is_empty {
            let reason = format!("the partition column `{by}` is empty in some rows");
            return Err(rule(query, reason));
        }
    }
    Ok(())
}

/// An indicator's rows in the form of `chi_tieu.gia_tri`.
async fn long_form(
    warehouse: &Warehouse,
    query: &Query,
    indicator: &Indicator,
    rows: Staged,
) -> Result<Staged, MaterialiseError> {
    let failed = |source| MaterialiseError::Query { path: query.path.clone(), source };
    let schema = Arc::clone(rows.schema());
    let workshop = warehouse.workshop([("bang".to_owned(), rows.into())]).map_err(failed)?;
    let count = |count: &mut usize, rows: &RecordBatch| *count += rows.num_rows();
    let faults = workshop.fold(&faulty_rows_sql(&schema), 0, count).await.map_err(failed)?;
    if faults > 0 {
        let reason = format!("{faults} rows lack a known unit or a period, or repeat another");
        return Err(rule(query, reason));
    }
    workshop.stage(&long_form_sql(query, indicator, &schema)).await.map_err(failed)
}

/// Rows that no indicator may hold.
fn faulty_rows_sql(columns: &Schema) -> String {
    let breakdown = columns.field_with_name("phan_to").map_or("", |_| ", phan_to");
    format!(
        "SELECT don_vi FROM bang WHERE ma_don_vi(don_vi) IS NULL OR ky IS NULL UNION ALL \
         SELECT don_vi FROM bang GROUP BY don_vi, ky{breakdown} HAVING count(*) > 1"
    )
}

fn long_form_sql(query: &Query, indicator: &Indicator, columns: &Schema) -> String {
    let has = |name: &str| columns.field_with_name(name).is_ok();
    let breakdown = if has("phan_to") { "phan_to" } else { "''" };
    let denominator = if has("mau_so") { "mau_so" } else { "NULL" };
    let (factor, value) = if has("mau_so") {
        let value =
            "CASE WHEN mau_so <> 0 THEN CAST(tu_so AS DOUBLE) * he_so / CAST(mau_so AS DOUBLE) END";
        (format!("CAST({} AS DOUBLE)", indicator.factor), value)
    } else {
        ("CAST(NULL AS DOUBLE)".to_owned(), "CAST(tu_so AS DOUBLE)")
    };
    let (id, period) = (&query.id, indicator.period.as_str());
    let version = warehouse::system::version_of(&query.fingerprint);
    format!(
        "SELECT '{id}' AS ma_chi_tieu, don_vi, CAST(ky AS DATE) AS ky, '{period}' AS loai_ky, \
           CAST(phan_to AS VARCHAR) AS phan_to, tu_so, mau_so, he_so, {value} AS gia_tri, \
           '{version}' AS phien_ban \
         FROM (SELECT don_vi, ky, {breakdown} AS phan_to, CAST(tu_so AS DECIMAL(20,4)) AS tu_so, \
           CAST({denominator} AS DECIMAL(20,4)) AS mau_so, {factor} AS he_so FROM bang) \
         ORDER BY don_vi, ky, phan_to"
    )
}
