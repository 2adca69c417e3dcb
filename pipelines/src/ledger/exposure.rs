//! How exposed the persons of each table are, as rows of `he_thong.rui_ro`.
//!
//! | `phep_do` | `gia_tri` |
//! |---|---|
//! | `k` | persons of the smallest group |
//! | `mot_minh` | share of persons alone in their group, 0 to 1 |
//! | `duoi_5` | share of persons in groups of fewer than five |
//! | `l` | fewest different values of the sensitive column `cot` in a group |
//! | `mot_gia_tri` | share of persons in groups that have one value of `cot` |
//! | `con_mot_minh` | share still alone where `cot` is treated as `muc` says |
//!
//! Shares are of `so_nguoi`, which counts each person once in each group; `dem_theo` says whether
//! persons were counted, or rows (`dong`) where nothing tells persons apart.

use std::sync::Arc;

use arrow::array::{Float64Array, Int64Array, RecordBatch};
use arrow::error::ArrowError;
use chrono::NaiveDate;
use warehouse::spec::{Declarations, Risk};
use warehouse::store::Measured;
use warehouse::system;

use super::{Outcome, dates, texts};

/// One measure of one table.
#[derive(Debug, PartialEq)]
struct Figure<'a> {
    measure: &'static str,
    column: Option<&'a str>,
    way: Option<&'a str>,
    value: f64,
    bound: Option<f64>,
}

/// What is measured of the tables that stand.
pub(super) fn risks(
    night: NaiveDate,
    outcomes: &[Outcome],
    declarations: &Declarations,
) -> Result<RecordBatch, ArrowError> {
    let mut all = Vec::new();
    for outcome in outcomes {
        let Some(measured) = outcome.standing().and_then(|note| note.risk.as_ref()) else {
            continue;
        };
        let declared = declarations.source_table(&outcome.table);
        let risk = declared.and_then(|(_, table)| table.risk.as_ref());
        let persons = measured.whole().persons;
        let unit = if measured.asked.person.is_some() { "nguoi" } else { "dong" };
        let figures = figures(measured, risk).into_iter();
        all.extend(figures.map(|figure| (outcome.name(), figure, persons, unit)));
    }
    RecordBatch::try_new(
        system::risks().schema,
        vec![
            dates(night, all.len()),
            texts(all.iter().map(|(table, ..)| Some(table.as_str()))),
            texts(all.iter().map(|(_, figure, ..)| Some(figure.measure))),
            texts(all.iter().map(|(_, figure, ..)| figure.column)),
            texts(all.iter().map(|(_, figure, ..)| figure.way)),
            Arc::new(Float64Array::from_iter_values(
                all.iter().map(|(_, figure, ..)| figure.value),
            )),
            Arc::new(all.iter().map(|(_, figure, ..)| figure.bound).collect::<Float64Array>()),
            Arc::new(Int64Array::from_iter_values(
                all.iter().map(|(.., persons, _)| i64::try_from(*persons).unwrap_or(i64::MAX)),
            )),
            texts(all.iter().map(|(.., unit)| Some(*unit))),
        ],
    )
}

/// The measures of a table, none where it holds nobody.
fn figures<'a>(measured: &'a Measured, risk: Option<&Risk>) -> Vec<Figure<'a>> {
    let whole = measured.whole();
    if whole.persons == 0 {
        return Vec::new();
    }
    let one = |measure, value, bound| Figure { measure, column: None, way: None, value, bound };
    let k = risk.and_then(|risk| risk.smallest_k).map(|k| k as f64);
    let mut all = vec![
        one("k", whole.smallest as f64, k),
        one("mot_minh", whole.share(whole.alone), risk.and_then(|risk| risk.most_unique)),
        one("duoi_5", whole.share(whole.few), None),
    ];
    for (column, alike) in measured.asked.sensitive.iter().zip(&whole.spread) {
        let of = |measure, value| Figure { column: Some(column), ..one(measure, value, None) };
        all.push(of("l", alike.fewest as f64));
        all.push(of("mot_gia_tri", whole.share(alike.persons)));
    }
    for ((column, way), left) in measured.asked.ways.iter().zip(&whole.left) {
        let left = one("con_mot_minh", whole.share(*left), None);
        all.push(Figure { column: Some(column), way: Some(way), ..left });
    }
    all
}
