//! Loading one source table.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;

use arrow::array::AsArray;
use arrow::compute::cast;
use arrow::datatypes::DataType;
use chrono::{DateTime, Utc};
use connectors::{Snapshot, SourceError, Span};
use warehouse::names::{Schema, Sensitivity};
use warehouse::query::QueryError;
use warehouse::spec::{Declarations, Growth, Origin, Risk, SourceTable};
use warehouse::stage::{RowSet, StageError, Staged};
use warehouse::store::{Measured, Note, Step, StoreError};

use super::grow::GrowError;
use super::names::Names;
use super::visit::Visit;
use super::{Night, explain, missing};
use crate::PIPELINE_VERSION;
use crate::batch::{self, Batch, BatchError, Refused, Tools};
use crate::ledger::{Fared, Outcome, RunResult};
use crate::quality::{self, Findings, QualityError};
use crate::quarantine;
use crate::risk;
use crate::sources::Wanted;

/// Source tables in working order: declared reference data, then other reference data, then
/// sources, each after the tables that its columns refer to. Checks may ask all that came before.
pub(super) fn order<'a>(
    declarations: &'a Declarations,
    only: &[String],
) -> Vec<(&'a str, &'a SourceTable)> {
    let mut waiting: Vec<(&str, &SourceTable)> = declarations
        .contracts
        .iter()
        .filter(|contract| only.is_empty() || only.contains(&contract.id))
        .flat_map(|contract| contract.tables.iter().map(|table| (contract.id.as_str(), table)))
        .collect();
    waiting.sort_by_key(|(_, table)| (!is_declared(table), table.name.schema() != Schema::DanhMuc));
    let mut ordered = Vec::with_capacity(waiting.len());
    while !waiting.is_empty() {
        let pending: HashSet<_> = waiting.iter().map(|(_, table)| table.name.clone()).collect();
        let (ready, later): (Vec<_>, Vec<_>) = waiting.into_iter().partition(|(_, table)| {
            !needs(table).any(|name| name != &table.name && pending.contains(name))
        });
        // Tables that refer to each other in a ring are loaded as they stand.
        let stuck = ready.is_empty();
        ordered.extend(if stuck { later.clone() } else { ready });
        waiting = if stuck { Vec::new() } else { later };
    }
    ordered
}

fn is_declared(table: &SourceTable) -> bool {
    matches!(table.origin, Origin::Declared { .. })
}

pub(super) fn needs(table: &SourceTable) -> impl Iterator<Item = &warehouse::names::TableName> {
    table.columns.iter().filter_map(|column| Some(&column.references.as_ref()?.0))
}

#[derive(Debug, thiserror::Error)]
enum LoadError {
    #[error(transparent)]
    Source(#[from] SourceError),
    #[error(transparent)]
    Batch(#[from] BatchError),
    #[error(transparent)]
    Quality(#[from] QualityError),
    #[error(transparent)]
    Stage(#[from] StageError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Grow(#[from] GrowError),
    #[error("the values that {column} refers to cannot be read")]
    References {
        column: String,
        #[source]
        source: QueryError,
    },
    #[error("how exposed the persons of the table are cannot be measured")]
    Risk(#[source] GrowError),
}

impl Night<'_> {
    /// Loads what is new of one table, or what its contract makes otherwise now.
    pub(super) async fn load(&self, source: &str, table: &SourceTable) -> Outcome {
        let fared = match self.try_load(source, table).await {
            Ok(fared) => fared,
            Err(error) => self.failed(table, &error).await,
        };
        let fared = fared.due(self.date, table.due_days);
        fared.outcome(table.name.clone(), String::new(), Step::Nap)
    }

    async fn failed(&self, table: &SourceTable, error: &LoadError) -> Fared {
        let note = self.warehouse.lake().last_note(&table.name).await.ok().flatten();
        Fared::new(RunResult::Failed, note, Some(explain(error)))
    }

    async fn try_load(&self, source: &str, table: &SourceTable) -> Result<Fared, LoadError> {
        let last = self.warehouse.lake().last_note(&table.name).await?;
        let mut all: Option<Fared> = None;
        for visit in self.visits(source, table, last.as_ref()).await? {
            let fared = match self.visit(source, table, &visit).await {
                Ok(Some(fared)) => fared,
                Ok(None) => continue,
                Err(error) => self.failed(table, &error).await,
            };
            all = Some(all.map_or(fared.clone(), |all| all.and(fared)));
        }
        match all {
            Some(fared) => Ok(fared),
            None => {
                let last = self.warehouse.lake().last_note(&table.name).await?;
                let reason = match &last {
                    Some(note) => format!("nguồn không gửi dữ liệu từ đêm {}", note.night),
                    None if self.sources.knows(source, table) => "nguồn chưa có dữ liệu".to_owned(),
                    None => "chưa khai báo nguồn ở đâu trong cấu hình".to_owned(),
                };
                Ok(Fared::new(RunResult::Waiting, last, Some(reason)))
            }
        }
    }

    /// Asks one question, and loads the answer where it is a new one; `None` where the source has
    /// nothing.
    async fn visit(
        &self,
        source: &str,
        table: &SourceTable,
        visit: &Visit,
    ) -> Result<Option<Fared>, LoadError> {
        let wanted = Wanted { source, table, night: visit.night, span: visit.span.as_ref() };
        let Some(snapshot) = self.sources.open(wanted).await? else { return Ok(None) };
        if let Some(known) = &snapshot.known {
            // What is known beforehand is a file, whose keys are in it.
            let names = self.names(table, visit, (known, None), snapshot.simulated).await?;
            if let Some(fared) = self.held(table, visit, &names).await? {
                return Ok(Some(fared));
            }
        }
        self.take(wanted, visit, snapshot).await.map(Some)
    }

    /// How it fares where the lake holds the batch already.
    async fn held(
        &self,
        table: &SourceTable,
        visit: &Visit,
        names: &Names,
    ) -> Result<Option<Fared>, StoreError> {
        if self.afresh.contains(&table.name) || !self.holds(table, visit, names).await? {
            return Ok(None);
        }
        // Committed earlier in this same night: the night was resumed.
        if let Some(note) = self.tonights(table, &visit.part).await? {
            return Ok(Some(renewed(table, note)));
        }
        let note = self.warehouse.lake().last_note(&table.name).await?;
        Ok(Some(Fared::new(RunResult::Unchanged, note, None)))
    }

    async fn take(
        &self,
        wanted: Wanted<'_>,
        visit: &Visit,
        snapshot: Snapshot,
    ) -> Result<Fared, LoadError> {
        let (table, started_at) = (wanted.table, Utc::now());
        let references = self.references(table).await?;
        let tools = Tools {
            keys: self.keys,
            geography: self.warehouse.geography(),
            references: &references,
        };
        let mut batch = batch::make(table, tools, snapshot, visit.is_whole()).await?;
        let last = self.warehouse.lake().last_note(&table.name).await?;
        if batch.leaking_columns.is_empty()
            && let Some(listed) = self.listed(wanted, visit, tools, last.as_ref()).await?
        {
            batch.leaking_columns.extend(listed.leaking_columns.iter().cloned());
            batch.keys = Some(listed);
        }
        let keys = missing::named(visit, batch.keys.as_ref(), last.as_ref());
        let names = self.names(table, visit, (&batch.content, keys), batch.simulated).await?;
        if let Some(fared) = self.held(table, visit, &names).await? {
            return Ok(fared);
        }
        // Of a batch that leaks, nothing is asked.
        let findings = if batch.leaking_columns.is_empty() {
            self.check(table, &batch.rows).await?
        } else {
            Findings::default()
        };
        self.commit(table, visit, (names.new, started_at), batch, findings).await
    }

    /// What the batch that this content makes is called: by the content, with the keys that were
    /// listed, the contract, what its codes are resolved and its values looked up in, and the way in
    /// which this version of the program does both. The same rows are another batch where they are
    /// simulated.
    async fn names(
        &self,
        table: &SourceTable,
        visit: &Visit,
        (content, keys): (&str, Option<&str>),
        simulated: bool,
    ) -> Result<Names, LoadError> {
        let geography = self.warehouse.geography().fingerprint();
        let mut text = format!("{PIPELINE_VERSION}\n{geography}\n{}\n{content}", table.fingerprint);
        if simulated {
            text.push_str("\nsimulated");
        }
        // Days that are read again are another question than the nights', though the answer be the
        // same: where a source holds nothing any more, it is the same for all days.
        if let Some(Span { from, below: below @ Some(_), .. }) = &visit.span {
            let _ = write!(text, "\n{from:?}..{below:?}");
        }
        if let Some(keys) = keys {
            let _ = write!(text, "\nkhoa={keys}");
        }
        for referred in needs(table).filter(|name| **name != table.name) {
            let note = self.warehouse.lake().last_note(referred).await?;
            let batch = note.map_or_else(String::new, |note| note.batch);
            // Writing to a String cannot fail.
            let _ = write!(text, "\n{referred}={batch}");
        }
        Ok(Names::of(table, self.keys, &text))
    }

    /// Asks for repeated keys, then the declared checks of the rows that are left.
    async fn check(&self, table: &SourceTable, rows: &Staged) -> Result<Findings, LoadError> {
        let repeated = match &table.growth {
            Growth::Upsert { watermark, .. } => {
                quality::superseded(self.warehouse, &table.key, watermark.as_deref(), rows).await?
            }
            _ => quality::repeats(self.warehouse, &table.key, rows).await?,
        };
        let left = rows.clone().without(repeated.clone());
        let mut findings = quality::check(self.warehouse, &table.checks, &left).await?;
        findings.unknown = quality::unknown(self.warehouse, table, &left).await?;
        findings.repeated = repeated;
        Ok(findings)
    }

    async fn commit(
        &self,
        table: &SourceTable,
        visit: &Visit,
        (batch_id, started_at): (String, DateTime<Utc>),
        batch: Batch,
        findings: Findings,
    ) -> Result<Fared, LoadError> {
        let lake = self.warehouse.lake();
        let (rows, refused) = split(table, &batch, &findings)?;
        let before = lake.last_note(&table.name).await?;
        let mut checks = findings.results;
        checks.extend(batch.warnings.iter().cloned());
        let mut note = Note {
            rows_read: batch.rows_read,
            rows_written: rows.rows(),
            rows_quarantined: refused.count(),
            key: self.keys.of(table),
            since: visit.span.as_ref().and_then(|span| span.from),
            watermark: batch.watermark.max(before.as_ref().and_then(|note| note.watermark)),
            checks,
            keys: self.compared(table, batch.keys.as_ref(), before.as_ref()),
            started_at,
            simulated: batch.simulated,
            ..Note::new(self.date, Step::Nap, visit.part.clone(), batch_id)
        };
        // Quarantine first: a table never holds a batch whose refused rows are lost.
        let declared = self.warehouse.declarations().source_table(&table.name);
        let class = declared.map_or(Sensitivity::Restricted, |(_, table)| table.sensitivity);
        quarantine::keep(lake, (&table.name, class), &refused, &note).await?;
        let verdict = verdict(table, &batch.leaking_columns, findings.refused_by, &note)
            .or_else(|| fall(table, before.as_ref(), &note));
        if let Some(reason) = verdict {
            return Ok(Fared::refused(before, note, reason));
        }
        let missing = self.missing(table, batch.keys.as_ref()).await?;
        if let Some(reason) = missing.as_ref().and_then(|missing| missing.verdict(table)) {
            return Ok(Fared::refused(before, note, reason));
        }
        let change = self.change(table, visit.span.as_ref(), rows, missing.as_ref()).await?;
        note.rows_deleted = change.rows_deleted;
        let stands = before.as_ref().filter(|_| change.keeps_rows());
        note.simulated |= stands.is_some_and(|note| note.simulated);
        note.risk =
            self.exposure(table, &change, before.as_ref()).await.map_err(LoadError::Risk)?;
        if let Some(reason) = exposed(table, &note, risk::verdict) {
            return Ok(Fared::refused(before, note, reason));
        }
        note.version = change.write(self, &note).await?;
        Ok(renewed(table, note))
    }

    /// The values that each referring column may hold.
    async fn references(
        &self,
        table: &SourceTable,
    ) -> Result<HashMap<String, HashSet<String>>, LoadError> {
        let mut all = HashMap::new();
        for column in &table.columns {
            let Some((referred, name)) = &column.references else { continue };
            // What the batch says of itself is asked when all of it is there.
            if *referred == table.name {
                continue;
            }
            let failed = |source| LoadError::References { column: column.name.clone(), source };
            let workshop = self.warehouse.workshop([]).map_err(failed)?;
            let sql = format!("SELECT DISTINCT {name} FROM {referred}");
            let batches = workshop.rows(&sql).await.map_err(failed)?;
            let mut values = HashSet::new();
            for batch in &batches {
                let texts = cast(batch.column(0), &DataType::Utf8).unwrap_or_else(|_| {
                    arrow::array::new_null_array(&DataType::Utf8, batch.num_rows())
                });
                values.extend(texts.as_string::<i32>().iter().flatten().map(str::to_owned));
            }
            all.insert(column.name.clone(), values);
        }
        Ok(all)
    }
}

/// A batch that was committed, with what a steward should know of it.
fn renewed(table: &SourceTable, note: Note) -> Fared {
    let reason = exposed(table, &note, risk::near);
    Fared::new(RunResult::New, Some(note), reason)
}

/// What `judge` says of how exposed the table is after the commit of that note.
fn exposed(
    table: &SourceTable,
    note: &Note,
    judge: fn(&Risk, &Measured) -> Option<String>,
) -> Option<String> {
    judge(table.risk.as_ref()?, note.risk.as_ref()?)
}

/// The rows to commit, and all that are refused.
fn split(
    table: &SourceTable,
    batch: &Batch,
    findings: &Findings,
) -> Result<(Staged, Refused), StageError> {
    let mut found = Vec::new();
    // A row that a later one of its key replaces is no fault where rows replace others.
    let superseded = match table.growth {
        Growth::Upsert { .. } => findings.repeated.clone(),
        _ => {
            let key = table.key.join(",");
            found.push((key, "trung_khoa".to_owned(), findings.repeated.clone()));
            RowSet::default()
        }
    };
    found.extend(
        findings
            .unknown
            .iter()
            .map(|(column, rows)| (column.clone(), "ngoai_danh_muc".to_owned(), rows.clone())),
    );
    found.extend(
        findings
            .quarantine
            .iter()
            .map(|(check, rows)| (String::new(), format!("kiem_tra:{check}"), rows.clone())),
    );
    let mut refused = batch.refused.clone();
    refused.add_found(&batch.rows, &found)?;
    let mut bad = superseded;
    found.iter().for_each(|(.., rows)| bad.extend(rows.iter()));
    Ok((batch.rows.clone().without(bad), refused))
}

/// Why the batch is refused whole, if it is.
fn verdict(
    table: &SourceTable,
    leaking: &[(String, String)],
    refused_by: Option<String>,
    note: &Note,
) -> Option<String> {
    if let Some((column, reason)) = leaking.first() {
        return Some(format!("cột {column} trông như chứa định danh cá nhân ({reason})"));
    }
    if let Some(check) = refused_by {
        return Some(format!("không đạt phép kiểm tra {check}"));
    }
    let bad = note.rows_quarantined as f64 * 100.0 / (note.rows_read.max(1)) as f64;
    (bad > table.max_bad_rows_percent).then(|| {
        format!(
            "{} trong {} dòng có lỗi, quá ngưỡng {} %",
            note.rows_quarantined, note.rows_read, table.max_bad_rows_percent
        )
    })
}

/// Why the batch is refused for what it lacks: a source that stopped half-way looks like one that
/// has less to say.
fn fall(table: &SourceTable, before: Option<&Note>, now: &Note) -> Option<String> {
    // What a batch adds may be little or much.
    if table.growth != Growth::Snapshot {
        return None;
    }
    let (before, now) = (before?.rows_written, now.rows_written);
    let lost = before.saturating_sub(now) as f64 * 100.0 / before.max(1) as f64;
    (lost > table.max_fall_percent).then(|| {
        format!(
            "chỉ còn {now} trong {before} dòng của lần trước, giảm quá ngưỡng {} %",
            table.max_fall_percent
        )
    })
}
