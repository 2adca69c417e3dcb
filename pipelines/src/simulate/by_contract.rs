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
//! contract says by `column = 'x'` or `column IN (…)` what a deletion looks like. The same seed and
//! first night give the same rows, so one night can be written after the other.
//!
//! | kind | what is written |
//! |---|---|
//! | `postgresql`, `mariadb` | the relation, made where it is not there, at the configured server |
//! | `csv`, `tsv` (`utf-8`, `tcvn3`), `parquet`, `fhir` | one file, whole where there is no place for each night |
//! | `claims_xml` | a file of each of three facilities, with the rows of all tables of one visit |
//! | `odbc`, `http`, `xlsx` | nothing: the table is named as left out |
//!
//! What to expect of the nights: single cells fit their own columns, and checks of the form `a <= b`
//! hold. Other checks of a contract do not, for nothing here understands SQL: those that warn will
//! warn, and one that quarantines many rows has its batch refused where they pass
//! `max_bad_rows_percent`.
//!
//! It refuses to write to a relation or a file that it did not make, so that no real source is ever
//! touched: a relation carries the comment [`connectors::fill::MARK`], a file has a hidden one
//! beside it. Memory grows by some bytes with each row of all nights; only what is written whole, and
//! the claims of one night, are in memory as rows.

mod claims;
mod course;
mod faults;
mod fhir;
mod files;
mod make;
mod pattern;
mod row;
mod shape;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::Path;

use chrono::{Datelike, Days, NaiveDate};
use connectors::SourceError;
use connectors::fill::{Cells, Holds, Target};
use warehouse::names::TableName;
use warehouse::spec::{Declarations, Growth, NIGHT, Origin, SourceKind, SourceTable};

use self::course::{Course, Row};
use self::files::{Folder, Settings};
use self::row::World;
use self::shape::Shape;
use super::places::Places;
use super::{Reference, SimulateError};
use crate::sources::{self, Server};

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
        let hour = Hour { wish, night, date, is_last: night == last };
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
        SourceKind::Odbc | SourceKind::HttpJson | SourceKind::Xlsx => {
            Some(format!("sources of the kind {} cannot be filled", kind.as_str()))
        }
        SourceKind::PostgreSql | SourceKind::MariaDb => (!wish.servers.contains_key(source))
            .then(|| format!("the configuration has no [servers.{source}]")),
        _ if wish.folder.is_none() => Some("no folder is named: --to".to_owned()),
        _ => files::hindrance(*kind, settings),
    }
}

/// One night's writing.
struct Hour<'a> {
    wish: Wish<'a>,
    night: u64,
    date: NaiveDate,
    is_last: bool,
}

impl Hour<'_> {
    /// Writes what the night says of a table, and of those whose rows are in the same files.
    async fn write(
        &self,
        courses: &[Course<'_>],
        at: usize,
        done: &mut Vec<usize>,
        filled: &mut Filled,
    ) -> Result<(), SimulateError> {
        let course = &courses[at];
        let table = course.shape.table;
        let Origin::Read { kind, place, settings } = &table.origin else { return Ok(()) };
        let written = match kind {
            SourceKind::PostgreSql | SourceKind::MariaDb => {
                self.to_server(*kind, place, course).await?
            }
            SourceKind::ClaimsXml => {
                return self.claims(courses, place, done, filled);
            }
            _ => {
                let is_nightly = table.origin.is_nightly();
                // What is written whole is written once.
                if !is_nightly && !self.is_last {
                    return Ok(());
                }
                match self.to_file(*kind, (place.as_str(), settings), course)? {
                    Ok(rows) => rows,
                    Err(reason) => {
                        filled.left_out.push((table.name.clone(), reason));
                        return Ok(());
                    }
                }
            }
        };
        filled.tables.push((table.name.clone(), self.date, written));
        Ok(())
    }

    async fn to_server(
        &self,
        kind: SourceKind,
        relation: &str,
        course: &Course<'_>,
    ) -> Result<u64, SimulateError> {
        let Some(server) = self.wish.servers.get(course.source) else { return Ok(0) };
        let shape = &course.shape;
        let columns: Vec<(String, Holds)> =
            shape.fields.iter().map(|field| (field.name.clone(), field.holds)).collect();
        let key: Vec<String> = shape.key.iter().map(|at| shape.fields[*at].name.clone()).collect();
        let target = Target { relation, columns: &columns, key: &key };
        let rows = course.rows(self.night).map(|row| row.cells);
        let filled: Result<u64, SourceError> = sources::fill(kind, server, target, rows).await;
        Ok(filled?)
    }

    /// Writes one file; says otherwise what hinders it.
    fn to_file(
        &self,
        kind: SourceKind,
        (place, settings): (&str, &Settings),
        course: &Course<'_>,
    ) -> Result<Result<u64, String>, SimulateError> {
        let Some(folder) = self.wish.folder else { return Ok(Ok(0)) };
        let grows = !matches!(course.shape.table.growth, Growth::Append { .. });
        let rows: Vec<Cells> = if place.contains(NIGHT) && grows {
            course.rows(self.night).map(|row| row.cells).collect()
        } else {
            whole(course, self.night)
        };
        let count = rows.len() as u64;
        let rows = rows.into_iter();
        let (bytes, ending) = match kind {
            SourceKind::Parquet => (files::parquet(&course.shape, rows), "parquet"),
            SourceKind::Fhir => {
                let resource = settings.get("resource").map_or("", String::as_str);
                (fhir::lines(&course.shape, resource, rows), "ndjson")
            }
            _ => (files::delimited(&course.shape, (kind, settings), rows), kind.as_str()),
        };
        let bytes = match bytes {
            Ok(bytes) => bytes,
            Err(reason) => return Ok(Err(reason)),
        };
        let place = files::simulated(place, self.date, ending);
        let complete = settings.get("complete").map(String::as_str);
        Folder(folder).put(&place, &bytes, complete)?;
        Ok(Ok(count))
    }

    /// Writes the claims of all tables that are read from the same files.
    fn claims(
        &self,
        courses: &[Course<'_>],
        place: &str,
        done: &mut Vec<usize>,
        filled: &mut Filled,
    ) -> Result<(), SimulateError> {
        let Some(folder) = self.wish.folder else { return Ok(()) };
        if !place.contains(NIGHT) && !self.is_last {
            return Ok(());
        }
        let mut together: Vec<(u8, &Course<'_>)> = Vec::new();
        let mut complete = None;
        for (at, course) in courses.iter().enumerate() {
            let Origin::Read { kind: SourceKind::ClaimsXml, place: other, settings } =
                &course.shape.table.origin
            else {
                continue;
            };
            if other != place {
                continue;
            }
            done.push(at);
            let number = settings.get("table").and_then(|number| number.parse().ok());
            let Some(number) = number else { continue };
            complete = complete.or(settings.get("complete").map(String::as_str));
            let rows = course.rows(self.night).count() as u64;
            filled.tables.push((course.shape.table.name.clone(), self.date, rows));
            together.push((number, course));
        }
        let made_on = self.date.pred_opt().unwrap_or(self.date);
        let files = match claims::files(&together, (self.night, made_on)) {
            Ok(files) => files,
            Err(reason) => {
                let names = together.iter().map(|(_, course)| course.shape.table.name.clone());
                filled.left_out.extend(names.map(|name| (name, reason.clone())));
                return Ok(());
            }
        };
        for (facility, bytes) in files {
            let stem = format!("{facility}_mo_phong");
            let place = files::place(place, self.date, &stem, "xml");
            Folder(folder).put(&place, &bytes, complete)?;
        }
        Ok(())
    }
}

/// All rows of a source after a night: those that no later one replaced or took away.
fn whole(course: &Course<'_>, last: u64) -> Vec<Cells> {
    let mut rows: BTreeMap<_, Cells> = BTreeMap::new();
    for night in 0..=last {
        for Row { spot, cells, is_gone, is_double, .. } in course.rows(night) {
            if is_gone {
                rows.remove(&(spot, false));
            } else {
                rows.insert((spot, is_double), cells);
            }
        }
    }
    rows.into_values().collect()
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
