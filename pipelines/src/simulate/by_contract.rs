//! Made-up sources of every kind, from the declarations alone: whatever a contract reads, a server
//! or a file is filled with, for as many nights and rows as are wanted.
//!
//! A cell is made from what its column says: one of its values, a text of its pattern, a number
//! within its bounds of which most are small, a day near the night's, a province, a disease or a type
//! of care by the list of the row's day. A stay has the days between its arrival and its discharge. Persons are the same in all systems: who comes to a hospital is found in the register
//! of vaccinations, and the chronically ill come again. What is never read (names, telephones,
//! addresses) is there too, for a source has it.
//!
//! Each night adds rows, brings some late, corrects some of before and deletes some, where the
//! contract says by `column = 'x'` or `column IN (…)` what a deletion looks like; where it has keys
//! compared, for good. The same seed and first night give the same rows, so one night can be written
//! after the other.
//!
//! | kind | what is written |
//! |---|---|
//! | `postgresql`, `mariadb`, `odbc` | the relation, made where it is not there, at the configured server |
//! | `csv`, `tsv` (`utf-8`, `tcvn3`), `parquet`, `fhir` | one file, whole where there is no place for each night |
//! | `claims_xml` | a file of each of three facilities, with the rows of all tables of one visit |
//! | `xlsx` | a workbook for each form: the rows that agree on its fixed cells, of all tables of one place |
//! | `http` | the pages of all that the service has, which [`Services`] serves to this machine |
//!
//! What to expect of the nights: single cells fit their own columns, and checks of the form `a <= b`
//! hold. Other checks of a contract do not, for nothing here understands SQL: those that warn will
//! warn, and one that quarantines many rows has its batch refused where they pass
//! `max_bad_rows_percent`.
//!
//! It refuses to write to a relation or a file that it did not make, so that no real source is ever
//! touched: a relation carries the comment [`connectors::fill::MARK`] or stands in a table of marks,
//! a file has its sign beside it. Memory grows by some bytes with each row of all nights; only what is
//! written whole is in memory as rows.

mod cells;
mod claims;
mod course;
mod faults;
mod fhir;
mod files;
mod forms;
mod hour;
mod make;
mod pattern;
mod row;
mod rules;
mod service;
mod shape;
#[cfg(test)]
mod tests;
mod whole;

use std::collections::BTreeMap;
use std::path::Path;

use chrono::{Datelike, Days, NaiveDate};
use warehouse::names::TableName;
use warehouse::spec::{Declarations, Origin, SourceKind, SourceTable};

use self::course::Course;
use self::hour::Hour;
use self::row::World;
pub use self::service::{Services, Serving};
use self::shape::Shape;
use super::places::Places;
use super::{Reference, SimulateError};
use crate::sources::Server;

/// What is simulated, and where it goes.
#[derive(Debug, Clone, Copy)]
pub struct Wish<'a> {
    /// What all sources look like.
    pub declarations: &'a Declarations,
    /// The declared places.
    pub reference: Reference<'a>,
    /// Sources to fill; all when empty.
    pub only: &'a [String],
    /// Where the servers of sources are.
    pub servers: &'a BTreeMap<String, Server>,
    /// The folder of sources; without it no file is written.
    pub folder: Option<&'a Path>,
    /// The first night; it tells of the day before it.
    pub first: NaiveDate,
    /// Nights, from the first.
    pub nights: u32,
    /// The only night to write of these; all without it.
    pub night: Option<NaiveDate>,
    /// Rows of each table that a usual night adds.
    pub rows: u64,
    /// The same seed gives the same rows.
    pub seed: u64,
    /// A CSV file that lists the faults to be planted; without it none are.
    pub faults: Option<&'a Path>,
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filled {
    /// Tables with the night and how many rows were written for it.
    pub tables: Vec<(TableName, NaiveDate, u64)>,
    /// Tables that were left out, with the reason.
    pub left_out: Vec<(TableName, String)>,
    /// Faults planted in the nights up to the last one written.
    pub faults: u64,
}

/// Fills the chosen sources; `told` hears of each table when it begins.
///
/// # Errors
/// When the options make no sense, a server refuses or holds a real relation of that name, or a file
/// cannot be written or is a real one.
pub async fn fill(
    wish: Wish<'_>,
    told: &mut dyn FnMut(&TableName, NaiveDate),
) -> Result<Filled, SimulateError> {
    check(wish)?;
    let places = Places::read(wish.reference, wish.seed)?;
    let world = World { seed: wish.seed, places: &places, rows: wish.rows, first: wish.first };
    let mut filled = Filled::default();
    let mut courses = courses(wish, world, &mut filled);
    let last = wish.last();
    for night in 0..=last {
        courses.iter_mut().for_each(Course::begin);
        let is_written = wish.night.is_none() || night == last;
        if !is_written {
            continue;
        }
        let date = wish.first + Days::new(night);
        let hour = Hour::of(wish, night, night == last);
        let mut done = Vec::new();
        for (at, course) in courses.iter().enumerate() {
            told(&course.shape.table.name, date);
            if !done.contains(&at) {
                hour.write(&courses, at, &mut done, &mut filled).await?;
            }
        }
    }
    if let Some(path) = wish.faults {
        filled.faults = truth(wish, path, &courses, last)?;
    }
    filled.left_out.sort();
    filled.left_out.dedup();
    Ok(filled)
}

impl Wish<'_> {
    /// The number of the last night that is written.
    fn last(&self) -> u64 {
        let end = u64::from(self.nights) - 1;
        let asked = self.night.map(|night| (night - self.first).num_days());
        asked.and_then(|asked| u64::try_from(asked).ok()).map_or(end, |asked| asked.min(end))
    }
}

fn check(wish: Wish<'_>) -> Result<(), SimulateError> {
    let wrong = |problem| Err(SimulateError::Options(problem));
    if !(1..=3_660).contains(&wish.nights) {
        return wrong("the number of nights must be from 1 to 3,660");
    }
    if !(1..=5_000_000).contains(&wish.rows) {
        return wrong("the rows of a night must be from 1 to 5,000,000");
    }
    if !(2010..=2099).contains(&wish.first.year()) {
        return wrong("the first night must lie between 2010 and 2099");
    }
    let end = wish.first + Days::new(u64::from(wish.nights) - 1);
    if wish.night.is_some_and(|night| night < wish.first || night > end) {
        return wrong("the night to write is none of the simulated ones");
    }
    Ok(())
}

/// The tables that can be filled; the others are said to be left out.
fn courses<'a>(wish: Wish<'a>, world: World<'a>, filled: &mut Filled) -> Vec<Course<'a>> {
    let chosen = |id: &String| wish.only.is_empty() || wish.only.contains(id);
    let contracts = wish.declarations.contracts.iter().filter(|contract| chosen(&contract.id));
    let mut courses = Vec::new();
    for contract in contracts {
        for table in &contract.tables {
            if matches!(table.origin, Origin::Declared { .. }) {
                continue;
            }
            let shape = hindrance(wish, &contract.id, table)
                .map_or_else(|| Shape::of(wish.declarations, table), Err);
            match shape {
                Ok(shape) => {
                    courses.push(Course::new(&contract.id, shape, world, wish.faults.is_some()));
                }
                Err(reason) => filled.left_out.push((table.name.clone(), reason)),
            }
        }
    }
    courses
}

/// Why nothing can be written for a table.
fn hindrance(wish: Wish<'_>, source: &str, table: &SourceTable) -> Option<String> {
    let Origin::Read { kind, settings, .. } = &table.origin else { return None };
    match kind {
        SourceKind::PostgreSql | SourceKind::MariaDb | SourceKind::Odbc => {
            (!wish.servers.contains_key(source))
                .then(|| format!("the configuration has no [servers.{source}]"))
        }
        _ if wish.folder.is_none() => Some("no folder is named: --to".to_owned()),
        _ => files::hindrance(*kind, settings),
    }
}

/// Lists the planted faults: night, table, reason, column, and the key as the source has it.
fn truth(
    wish: Wish<'_>,
    path: &Path,
    courses: &[Course<'_>],
    last: u64,
) -> Result<u64, SimulateError> {
    let failed = |source| SimulateError::Write { path: path.to_owned(), source };
    let mut writer = csv::Writer::from_path(path).map_err(|error| failed(error.into()))?;
    let header = ["dem", "bang", "ly_do", "cot", "khoa"];
    writer.write_record(header).map_err(|error| failed(error.into()))?;
    let mut count = 0;
    for night in 0..=last {
        let date = (wish.first + Days::new(night)).to_string();
        for course in courses {
            let table = course.shape.table.name.to_string();
            for row in course.rows(night) {
                let Some(fault) = &row.fault else { continue };
                let key = course.key(&row.cells);
                let record: [&str; 5] = [&date, &table, fault.kind.as_str(), &fault.column, &key];
                writer.write_record(record).map_err(|error| failed(error.into()))?;
                count += 1;
            }
        }
    }
    writer.flush().map_err(failed)?;
    Ok(count)
}
