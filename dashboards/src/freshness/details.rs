//! What stands behind a table's freshness: its checks, its refused rows, its recent runs, and how
//! exposed its persons are.

use chrono::NaiveDate;
use warehouse::grid::Cell;
use warehouse::names::{Lang, TableName};
use warehouse::system;

use super::{Outcome, date};
use crate::app::App;
use crate::error::PageError;
use crate::request::Reader;

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
    reader: &Reader,
    wanted: impl Fn(&str) -> bool,
) -> Result<Vec<CheckResult>, PageError> {
    let grid = app.rows(reader, CHECKS).await?;
    let title = if reader.lang == Lang::En { "tieu_de_en" } else { "tieu_de_vi" };
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

/// The newest refusals of the tables that `wanted` names, without what was in the rows; none where
/// refused rows are not the reader's to see.
pub(crate) async fn refusals(
    app: &App,
    reader: &Reader,
    wanted: impl Fn(&str) -> bool,
) -> Result<Option<Vec<Refusal>>, PageError> {
    if !app.sight(reader)?.contains_key(&system::quarantine().name) {
        return Ok(None);
    }
    let grid = app.rows(reader, REFUSALS).await?;
    let text = |row, name| grid.cell(row, name).as_str().unwrap_or_default().to_owned();
    let found = (0..grid.rows.len())
        .filter(|&row| grid.cell(row, "bang").as_str().is_some_and(&wanted))
        .map(|row| Refusal {
            table: text(row, "bang"),
            column: text(row, "cot"),
            reason: text(row, "ly_do"),
            rows: grid.cell(row, "so_dong").as_i64().unwrap_or_default(),
        })
        .collect::<Vec<_>>();
    Ok(Some(found))
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
pub(crate) async fn batches(
    app: &App,
    reader: &Reader,
    table: &TableName,
) -> Result<Vec<Batch>, PageError> {
    let grid = app.rows(reader, BATCHES).await?;
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

/// One measure of how exposed the persons of a table are (`he_thong.rui_ro`).
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Risk {
    pub(crate) night: NaiveDate,
    pub(crate) measure: String,
    pub(crate) column: String,
    /// How the column would be treated.
    pub(crate) way: String,
    pub(crate) value: f64,
    pub(crate) bound: Option<f64>,
    pub(crate) counted: i64,
    /// Whether persons were counted, and not rows.
    pub(crate) of_persons: bool,
}

const RISKS: &str = "SELECT dem, phep_do, cot, muc, gia_tri, nguong, so_nguoi, dem_theo, bang \
     FROM (SELECT *, rank() OVER (PARTITION BY bang ORDER BY dem DESC) AS thu \
           FROM he_thong.rui_ro) AS t \
     WHERE thu = 1 ORDER BY bang, phep_do, cot, muc";

/// The newest measures of a table; none where they are not the reader's to see.
pub(crate) async fn risks(
    app: &App,
    reader: &Reader,
    table: &TableName,
) -> Result<Vec<Risk>, PageError> {
    let grid = app.rows(reader, RISKS).await?;
    let name = table.to_string();
    let text = |row, name| grid.cell(row, name).as_str().unwrap_or_default().to_owned();
    let number = |row, name| match grid.cell(row, name) {
        Cell::Number(number) => Some(*number),
        _ => None,
    };
    Ok((0..grid.rows.len())
        .filter(|&row| grid.cell(row, "bang").as_str() == Some(&name))
        .filter_map(|row| {
            Some(Risk {
                night: date(grid.cell(row, "dem"))?,
                measure: text(row, "phep_do"),
                column: text(row, "cot"),
                way: text(row, "muc"),
                value: number(row, "gia_tri")?,
                bound: number(row, "nguong"),
                counted: grid.cell(row, "so_nguoi").as_i64().unwrap_or_default(),
                of_persons: grid.cell(row, "dem_theo").as_str() == Some("nguoi"),
            })
        })
        .collect())
}
