//! What the nights did: how fresh each table is, which inputs of a figure are stale, what checks
//! found, of the tables that the reader may see. Everything here is a state, a count or a declared
//! reason; contents of refused rows and causes of failures stay inside.

mod details;

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use warehouse::grid::{Cell, Grid};
use warehouse::names::{Lang, Schema, TableName};
use warehouse::spec::{Declarations, Query, QueryKind};

use crate::app::App;
use crate::error::PageError;
use crate::request::Reader;
use crate::text::shared;

pub(crate) use self::details::{
    Batch, CheckResult, Refusal, Risk, batches, checks, refusals, risks,
};

/// A night older than this is late: one may fail on a holiday, two are noticed.
const LATE_DAYS: i64 = 2;

/// What a night did to a table (`he_thong.lan_chay.ket_qua`), the best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Outcome {
    New,
    Unchanged,
    Waiting,
    Overdue,
    Stale,
    Refused,
    Failed,
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
            "qua_han" => Self::Overdue,
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
            Self::Overdue => t.outcome_overdue,
        }
    }

    /// The style class: good, bad or neutral.
    pub(crate) fn tone(self) -> &'static str {
        match self {
            Self::New | Self::Unchanged => "good",
            Self::Refused | Self::Failed | Self::Stale | Self::Overdue => "bad",
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
    /// Whether the table is older than it should be: not renewed from what its source sent, or
    /// its source once sent something and no longer does.
    pub(crate) fn is_stale(&self) -> bool {
        match self.outcome {
            Outcome::New | Outcome::Unchanged => false,
            Outcome::Waiting => self.good.is_some(),
            Outcome::Overdue | Outcome::Stale | Outcome::Refused | Outcome::Failed => true,
        }
    }

    /// The style class of the table's state.
    pub(crate) fn tone(&self) -> &'static str {
        if self.is_stale() { "bad" } else { self.outcome.tone() }
    }
}

/// The newest night of every table.
#[derive(Debug, Default)]
pub(crate) struct Nights {
    pub(crate) newest: Option<NaiveDate>,
    tables: BTreeMap<String, Latest>,
}

/// What the newest night did to the declared tables and indicators.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Summary {
    pub(crate) fresh: usize,
    pub(crate) refused: usize,
    pub(crate) stale: usize,
    pub(crate) waiting: usize,
    pub(crate) indicators_fresh: usize,
    pub(crate) indicators_stale: usize,
    pub(crate) indicators_waiting: usize,
}

const NEWEST: &str = "SELECT bang, dem, ket_qua, so_dong_cach_ly, tot \
     FROM (SELECT bang, dem, ket_qua, so_dong_cach_ly, \
             max(CASE WHEN ket_qua IN ('moi', 'khong_doi') THEN dem END) \
               OVER (PARTITION BY bang) AS tot, \
             row_number() OVER (PARTITION BY bang \
               ORDER BY dem DESC, ket_thuc DESC NULLS LAST) AS thu \
           FROM he_thong.lan_chay) AS t \
     WHERE thu = 1";

/// Reads the newest night of every table that the reader may see.
pub(crate) async fn nights(app: &App, reader: &Reader) -> Result<Nights, PageError> {
    let grid = app.rows(reader, NEWEST).await?;
    Ok(Nights::from_grid(&grid))
}

impl Nights {
    fn from_grid(grid: &Grid) -> Self {
        let mut nights = Self::default();
        for row in 0..grid.rows.len() {
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

    /// Counts what is declared today; what the newest night did not touch is not counted.
    pub(crate) fn summary(&self, declarations: &Declarations) -> Summary {
        let mut summary = Summary::default();
        let sources = declarations.contracts.iter().flat_map(|contract| &contract.tables);
        let marts = declarations.of_kind(QueryKind::Mart).filter_map(Query::table);
        let tables = sources.map(|table| table.name.to_string());
        for name in tables.chain(marts.map(|table| table.to_string())) {
            let Some(outcome) = self.newest_outcome(&name) else { continue };
            *match outcome {
                Outcome::New | Outcome::Unchanged => &mut summary.fresh,
                Outcome::Refused => &mut summary.refused,
                Outcome::Failed | Outcome::Stale | Outcome::Overdue => &mut summary.stale,
                Outcome::Waiting => &mut summary.waiting,
            } += 1;
        }
        for indicator in declarations.of_kind(QueryKind::Indicator) {
            match self.newest_outcome(&part(indicator)) {
                Some(outcome) if outcome.is_good() => summary.indicators_fresh += 1,
                Some(Outcome::Waiting) => summary.indicators_waiting += 1,
                Some(_) => summary.indicators_stale += 1,
                None => {}
            }
        }
        summary
    }

    fn newest_outcome(&self, table: &str) -> Option<Outcome> {
        let latest = self.tables.get(table)?;
        (Some(latest.night) == self.newest).then_some(latest.outcome)
    }

    /// What makes an indicator's figures older than their sources: the tables under it at any
    /// depth that were not renewed, or else its own computation.
    pub(crate) fn stale_under(
        &self,
        declarations: &Declarations,
        query: &Query,
    ) -> Vec<(String, &Latest)> {
        let own = part(query);
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

/// The part of the one long table that an indicator fills, as the ledger names it.
fn part(indicator: &Query) -> String {
    format!("chi_tieu.gia_tri/{}", indicator.id)
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

fn date(cell: &Cell) -> Option<NaiveDate> {
    match cell {
        Cell::Date(date) => Some(*date),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    use arrow::datatypes::Schema;
    use warehouse::grid::{ColumnKind, GridColumn};
    use warehouse::names::{Sensitivity, Text};

    fn day(text: &str) -> NaiveDate {
        text.parse().expect("a date")
    }

    fn nights() -> Nights {
        let columns = ["bang", "dem", "ket_qua", "so_dong_cach_ly", "tot"];
        let columns =
            columns.map(|name| GridColumn { name: name.to_owned(), kind: ColumnKind::Text });
        let row = |table: &str, night: &str, outcome: &str| {
            vec![
                Cell::Text(table.to_owned()),
                Cell::Date(day(night)),
                Cell::Text(outcome.to_owned()),
                Cell::Integer(0),
                Cell::Date(day("2026-01-01")),
            ]
        };
        Nights::from_grid(&Grid {
            columns: columns.into(),
            rows: vec![
                row("kho.a", "2026-01-02", "tu_choi"),
                row("kho.b", "2026-01-02", "khong_doi"),
                row("kho.c", "2026-01-01", "moi"),
                row("kho.bo_roi", "2026-01-02", "loi"),
                row("chi_tieu.gia_tri/a_100k", "2026-01-02", "moi"),
                row("chi_tieu.gia_tri/b_100k", "2026-01-02", "cu"),
                row("chi_tieu.gia_tri/c_100k", "2026-01-02", "cho"),
            ],
            truncated: false,
        })
    }

    fn query(kind: QueryKind, id: &str) -> Query {
        let none = || Text::new("-", "-");
        Query {
            id: id.to_owned(),
            path: String::new(),
            kind,
            title: none(),
            description: none(),
            grain: none(),
            owner: none(),
            groups: Vec::new(),
            sensitivity: Sensitivity::Open,
            source: none(),
            legal_basis: String::new(),
            caveats: Vec::new(),
            columns: Vec::new(),
            checks: Vec::new(),
            indicator: None,
            release: None,
            sql: String::new(),
            reads: BTreeSet::new(),
            schema: Arc::new(Schema::empty()),
            fingerprint: String::new(),
            partition: None,
            smallest_group: None,
        }
    }

    #[test]
    fn only_what_is_declared_and_ran_in_the_newest_night_counts() {
        let marts = ["a", "b", "c"].map(|id| query(QueryKind::Mart, id));
        let indicators = ["a_100k", "b_100k", "c_100k"].map(|id| query(QueryKind::Indicator, id));
        let queries = marts.into_iter().chain(indicators).collect();
        let declarations = Declarations { queries, ..Declarations::default() };
        let expected = Summary {
            fresh: 1,
            refused: 1,
            indicators_fresh: 1,
            indicators_stale: 1,
            indicators_waiting: 1,
            ..Summary::default()
        };
        assert_eq!(nights().summary(&declarations), expected);
    }

    #[test]
    fn a_table_keeps_the_last_night_after_which_it_was_good() {
        let table: TableName = "kho.a".parse().expect("a name");
        let latest = nights().of(&table).cloned().expect("a night");
        assert_eq!(latest.good, Some(day("2026-01-01")));
        assert!(!latest.outcome.is_good() && latest.is_stale());
    }

    #[test]
    fn a_source_that_fell_silent_makes_its_table_old() {
        let (night, quarantined) = (day("2026-01-02"), 0);
        let waiting = |good| Latest { night, outcome: Outcome::Waiting, good, quarantined };
        assert!(waiting(Some(day("2026-01-01"))).is_stale());
        assert!(!waiting(None).is_stale());
    }

    #[test]
    fn a_night_is_late_after_two_days() {
        assert_eq!(nights().late(day("2026-01-04")), None);
        assert_eq!(nights().late(day("2026-01-05")), Some(day("2026-01-02")));
    }
}
