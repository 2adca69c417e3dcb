//! What the nights did: how fresh each table is, which inputs of a figure are stale, what checks
//! found. Everything here is a state, a count or a declared reason; contents of refused rows and
//! causes of failures stay inside.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use warehouse::grid::{Cell, Grid};
use warehouse::names::{Lang, Schema, TableName};
use warehouse::query::QueryError;
use warehouse::spec::{Declarations, Query, QueryKind};

use crate::app::App;
use crate::text::shared;

/// A night older than this is late: one may fail on a holiday, two are noticed.
const LATE_DAYS: i64 = 2;

/// What a night did to a table (`he_thong.lan_chay.ket_qua`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Outcome {
    New,
    Unchanged,
    Refused,
    Failed,
    Stale,
    Waiting,
}

impl Outcome {
    fn of(word: &str) -> Option<Self> {
        Some(match word {
            "moi" => Self::New,
            "khong_doi" => Self::Unchanged,
            "tu_choi" => Self::Refused,
            "loi" => Self::Failed,
            "cu" => Self::Stale,
            "cho" => Self::Waiting,
            _ => return None,
        })
    }

    /// Whether the table holds what its sources hold.
    pub(crate) fn is_good(self) -> bool {
        matches!(self, Self::New | Self::Unchanged)
    }

    pub(crate) fn words(self, lang: Lang) -> &'static str {
        let t = shared::words(lang);
        match self {
            Self::New => t.outcome_new,
            Self::Unchanged => t.outcome_unchanged,
            Self::Refused => t.outcome_refused,
            Self::Failed => t.outcome_failed,
            Self::Stale => t.outcome_stale,
            Self::Waiting => t.outcome_waiting,
        }
    }

    /// The style class: good, bad or neutral.
    pub(crate) fn tone(self) -> &'static str {
        match self {
            Self::New | Self::Unchanged => "good",
            Self::Refused | Self::Failed | Self::Stale => "bad",
            Self::Waiting => "plain",
        }
    }
}

/// The newest night of one table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Latest {
    pub(crate) night: NaiveDate,
    pub(crate) outcome: Outcome,
    /// The last night after which the table held what its sources held.
    pub(crate) good: Option<NaiveDate>,
    /// Rows sent to quarantine that night.
    pub(crate) quarantined: i64,
}

impl Latest {
    /// Whether the table is older than its sources.
    pub(crate) fn is_stale(&self) -> bool {
        matches!(self.outcome, Outcome::Refused | Outcome::Failed | Outcome::Stale)
    }
}

/// The newest night of every table.
#[derive(Debug, Default)]
pub(crate) struct Nights {
    pub(crate) newest: Option<NaiveDate>,
    tables: BTreeMap<String, Latest>,
}

/// Tables by what the newest night did to them.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Summary {
    pub(crate) fresh: usize,
    pub(crate) refused: usize,
    pub(crate) stale: usize,
    pub(crate) waiting: usize,
}

const NEWEST: &str = "SELECT bang, dem, ket_qua, so_dong_cach_ly, \
       max(CASE WHEN ket_qua IN ('moi', 'khong_doi') THEN dem END) OVER (PARTITION BY bang) AS tot, \
       row_number() OVER (PARTITION BY bang ORDER BY dem DESC, ket_thuc DESC NULLS LAST) AS thu \
     FROM he_thong.lan_chay";

/// Reads the newest night of every table.
pub(crate) async fn nights(app: &App) -> Result<Nights, QueryError> {
    let grid = app.inspect(NEWEST).await?;
    Ok(Nights::from_grid(&grid))
}

impl Nights {
    fn from_grid(grid: &Grid) -> Self {
        let mut nights = Self::default();
        for row in 0..grid.rows.len() {
            if grid.cell(row, "thu").as_i64() != Some(1) {
                continue;
            }
            let (Some(table), Cell::Date(night)) =
                (grid.cell(row, "bang").as_str(), grid.cell(row, "dem"))
            else {
                continue;
            };
            let outcome = grid.cell(row, "ket_qua").as_str().and_then(Outcome::of);
            let Some(outcome) = outcome else { continue };
            nights.newest = nights.newest.max(Some(*night));
            let latest = Latest {
                night: *night,
                outcome,
                good: date(grid.cell(row, "tot")),
                quarantined: grid.cell(row, "so_dong_cach_ly").as_i64().unwrap_or_default(),
            };
            nights.tables.insert(table.to_owned(), latest);
        }
        nights
    }

    /// What the newest night did to a table; `None` when no night has touched it.
    pub(crate) fn of(&self, table: &TableName) -> Option<&Latest> {
        self.tables.get(&table.to_string())
    }

    pub(crate) fn summary(&self) -> Summary {
        let mut summary = Summary::default();
        for latest in self.tables.values() {
            *match latest.outcome {
                Outcome::New | Outcome::Unchanged => &mut summary.fresh,
                Outcome::Refused => &mut summary.refused,
                Outcome::Failed | Outcome::Stale => &mut summary.stale,
                Outcome::Waiting => &mut summary.waiting,
            } += 1;
        }
        summary
    }

    /// What makes an indicator's figures older than their sources: the tables under it at any
    /// depth that were not renewed, or else its own computation.
    pub(crate) fn stale_under(
        &self,
        declarations: &Declarations,
        query: &Query,
    ) -> Vec<(String, &Latest)> {
        let own = format!("chi_tieu.gia_tri/{}", query.id);
        let tables = inputs(declarations, query).into_iter().map(|table| table.to_string());
        let mut stale: Vec<(String, &Latest)> = tables
            .filter_map(|table| {
                let latest = self.tables.get(&table)?;
                latest.is_stale().then_some((table, latest))
            })
            .collect();
        if stale.is_empty() {
            let latest = self.tables.get(&own).filter(|latest| latest.is_stale());
            stale.extend(latest.map(|latest| (own, latest)));
        }
        stale
    }

    /// The newest night, when it is older than it should be on `today`.
    pub(crate) fn late(&self, today: NaiveDate) -> Option<NaiveDate> {
        self.newest.filter(|night| (today - *night).num_days() > LATE_DAYS)
    }
}

/// All tables that a query reads, through marts down to the sources.
pub(crate) fn inputs(declarations: &Declarations, query: &Query) -> BTreeSet<TableName> {
    let mut seen = BTreeSet::new();
    let mut open: Vec<&TableName> = query.reads.iter().collect();
    while let Some(table) = open.pop() {
        if !seen.insert(table.clone()) || table.schema() != Schema::Kho {
            continue;
        }
        let mart = declarations.of_kind(QueryKind::Mart).find(|mart| mart.id == table.name());
        open.extend(mart.into_iter().flat_map(|mart| mart.reads.iter()));
    }
    seen
}

/// The result of one check in the newest night of its table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CheckResult {
    pub(crate) table: String,
    pub(crate) name: String,
    pub(crate) title: String,
    /// `quarantine`, `warn` or `refuse`, as the night wrote it.
    pub(crate) action: String,
    pub(crate) faults: i64,
    pub(crate) passed: bool,
    pub(crate) night: NaiveDate,
}

const CHECKS: &str = "SELECT dem, bang, ten, tieu_de_vi, tieu_de_en, hanh_dong, so_loi, dat \
     FROM (SELECT *, rank() OVER (PARTITION BY bang ORDER BY dem DESC) AS thu \
           FROM he_thong.kiem_tra) AS t \
     WHERE thu = 1 ORDER BY bang, ten";

/// The newest results of the checks of the tables that `wanted` names.
pub(crate) async fn checks(
    app: &App,
    lang: Lang,
    wanted: impl Fn(&str) -> bool,
) -> Result<Vec<CheckResult>, QueryError> {
    let grid = app.inspect(CHECKS).await?;
    let title = if lang == Lang::En { "tieu_de_en" } else { "tieu_de_vi" };
    let text = |row, name| grid.cell(row, name).as_str().unwrap_or_default().to_owned();
    Ok((0..grid.rows.len())
        .filter(|&row| grid.cell(row, "bang").as_str().is_some_and(&wanted))
        .map(|row| CheckResult {
            table: text(row, "bang"),
            name: text(row, "ten"),
            title: text(row, title),
            action: text(row, "hanh_dong"),
            faults: grid.cell(row, "so_loi").as_i64().unwrap_or_default(),
            passed: *grid.cell(row, "dat") == Cell::Boolean(true),
            night: date(grid.cell(row, "dem")).unwrap_or_default(),
        })
        .collect())
}

/// Rows of one table refused in its newest night, by column and reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) table: String,
    pub(crate) column: String,
    pub(crate) reason: String,
    pub(crate) rows: i64,
}

const REFUSALS: &str = "SELECT bang, cot, ly_do, count(*) AS so_dong \
     FROM (SELECT *, rank() OVER (PARTITION BY bang ORDER BY dem DESC) AS thu \
           FROM he_thong.cach_ly) AS t \
     WHERE thu = 1 GROUP BY bang, cot, ly_do ORDER BY bang, so_dong DESC, cot, ly_do";

/// The newest refusals of the tables that `wanted` names, without what was in the rows.
pub(crate) async fn refusals(
    app: &App,
    wanted: impl Fn(&str) -> bool,
) -> Result<Vec<Refusal>, QueryError> {
    let grid = app.inspect(REFUSALS).await?;
    let text = |row, name| grid.cell(row, name).as_str().unwrap_or_default().to_owned();
    Ok((0..grid.rows.len())
        .filter(|&row| grid.cell(row, "bang").as_str().is_some_and(&wanted))
        .map(|row| Refusal {
            table: text(row, "bang"),
            column: text(row, "cot"),
            reason: text(row, "ly_do"),
            rows: grid.cell(row, "so_dong").as_i64().unwrap_or_default(),
        })
        .collect())
}

/// One run of one table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Batch {
    pub(crate) night: NaiveDate,
    pub(crate) outcome: Outcome,
    /// The first digits of the batch's hash.
    pub(crate) batch: Option<String>,
    pub(crate) rows_read: Option<i64>,
    pub(crate) rows_written: Option<i64>,
    pub(crate) rows_quarantined: Option<i64>,
    pub(crate) version: Option<i64>,
}

const BATCHES: &str = "SELECT bang, dem, ket_qua, ma_lo, so_dong_doc, so_dong_ghi, \
       so_dong_cach_ly, phien_ban \
     FROM (SELECT *, row_number() OVER (PARTITION BY bang \
             ORDER BY dem DESC, ket_thuc DESC NULLS LAST) AS thu FROM he_thong.lan_chay) AS t \
     WHERE thu <= 10 ORDER BY bang, thu";

/// The ten newest runs of a table.
pub(crate) async fn batches(app: &App, table: &TableName) -> Result<Vec<Batch>, QueryError> {
    let grid = app.inspect(BATCHES).await?;
    let name = table.to_string();
    let number = |row, name| grid.cell(row, name).as_i64();
    Ok((0..grid.rows.len())
        .filter(|&row| grid.cell(row, "bang").as_str() == Some(&name))
        .filter_map(|row| {
            let batch = grid.cell(row, "ma_lo").as_str();
            Some(Batch {
                night: date(grid.cell(row, "dem"))?,
                outcome: Outcome::of(grid.cell(row, "ket_qua").as_str()?)?,
                batch: batch.map(|batch| batch.chars().take(12).collect()),
                rows_read: number(row, "so_dong_doc"),
                rows_written: number(row, "so_dong_ghi"),
                rows_quarantined: number(row, "so_dong_cach_ly"),
                version: number(row, "phien_ban"),
            })
        })
        .collect())
}

fn date(cell: &Cell) -> Option<NaiveDate> {
    match cell {
        Cell::Date(date) => Some(*date),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use warehouse::grid::{ColumnKind, GridColumn};

    fn day(text: &str) -> NaiveDate {
        text.parse().expect("a date")
    }

    fn nights() -> Nights {
        let columns = ["bang", "dem", "ket_qua", "so_dong_cach_ly", "tot", "thu"];
        let columns =
            columns.map(|name| GridColumn { name: name.to_owned(), kind: ColumnKind::Text });
        let row = |table: &str, night: &str, outcome: &str, at: i64| {
            vec![
                Cell::Text(table.to_owned()),
                Cell::Date(day(night)),
                Cell::Text(outcome.to_owned()),
                Cell::Integer(0),
                Cell::Date(day("2026-01-01")),
                Cell::Integer(at),
            ]
        };
        Nights::from_grid(&Grid {
            columns: columns.into(),
            rows: vec![
                row("nguon.a", "2026-01-02", "tu_choi", 1),
                row("nguon.a", "2026-01-01", "moi", 2),
                row("nguon.b", "2026-01-02", "khong_doi", 1),
            ],
            truncated: false,
        })
    }

    #[test]
    fn only_the_newest_night_of_a_table_counts() {
        let expected = Summary { fresh: 1, refused: 1, stale: 0, waiting: 0 };
        assert_eq!(nights().summary(), expected);
        let table: TableName = "nguon.a".parse().expect("a name");
        let latest = nights().of(&table).cloned().expect("a night");
        assert_eq!(latest.good, Some(day("2026-01-01")));
        assert!(!latest.outcome.is_good());
    }

    #[test]
    fn a_night_is_late_after_two_days() {
        assert_eq!(nights().late(day("2026-01-04")), None);
        assert_eq!(nights().late(day("2026-01-05")), Some(day("2026-01-02")));
    }
}
