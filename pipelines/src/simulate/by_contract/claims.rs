//! Claims files of a night: the rows of all tables that come in the same files, put together by the
//! visit that they are of.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use connectors::claims_xml::writer::{ClaimsWriter, Header, Part, Record};
use connectors::fill::Holds;

use super::course::{Course, Row};
use super::shape::Field;

/// Records of one table: their tags and texts.
type Records<'a> = Vec<Vec<(&'a str, &'a str)>>;

/// Facilities that send a file.
const FACILITIES: [&str; 3] = ["01901", "48902", "79903"];

/// Tables with one record for each visit.
const SINGLE: [u8; 7] = [1, 7, 8, 10, 11, 13, 14];

/// Records of one visit by table: tags and texts.
type Visit = BTreeMap<u8, Vec<Vec<(String, String)>>>;

/// A file: the facility, and the bytes.
pub(super) type Claims = (&'static str, Vec<u8>);

/// The files of a night; each course comes with the number of its table.
pub(super) fn files(
    courses: &[(u8, &Course<'_>)],
    (night, made_on): (u64, NaiveDate),
) -> Result<Vec<Claims>, String> {
    let mut visits: BTreeMap<(u64, u64), Vec<Visit>> = BTreeMap::new();
    for (table, course) in courses {
        for row in course.rows(night) {
            let visit = if course.shape.has_lines { row.spot.index / 4 } else { row.spot.index };
            let copies = visits.entry((row.spot.night, visit)).or_default();
            put(copies, *table, record(course, row));
        }
    }
    let mut files = Vec::new();
    for (at, facility) in FACILITIES.into_iter().enumerate() {
        let own = |visit: &u64| *visit % FACILITIES.len() as u64 == at as u64;
        let own = visits.iter().filter(|((_, visit), _)| own(visit));
        let all: Vec<&Visit> = own.flat_map(|(_, copies)| copies).collect();
        if !all.is_empty() {
            files.push((facility, file(facility, made_on, &all)?));
        }
    }
    Ok(files)
}

/// A second record of a table that has one a visit makes the visit come twice.
fn put(copies: &mut Vec<Visit>, table: u8, record: Vec<(String, String)>) {
    let is_single = SINGLE.contains(&table);
    let free = |visit: &Visit| !is_single || !visit.contains_key(&table);
    match copies.iter_mut().find(|visit| free(visit)) {
        Some(visit) => visit.entry(table).or_default().push(record),
        None => copies.push(Visit::from([(table, vec![record])])),
    }
}

fn record(course: &Course<'_>, row: Row) -> Vec<(String, String)> {
    let fields = course.shape.fields.iter().zip(row.cells);
    let own = fields.filter(|(field, _)| !field.name.starts_with('@'));
    own.map(|(field, cell)| (field.name.clone(), written(field, cell))).collect()
}

/// Days of 8 digits and times of 12, as the standard has them.
fn written(field: &Field<'_>, cell: Option<String>) -> String {
    let cell = cell.unwrap_or_default();
    let digits = |length: usize| -> String {
        cell.chars().filter(char::is_ascii_digit).take(length).collect()
    };
    match field.holds {
        Holds::Day => digits(8),
        Holds::Instant => digits(12),
        Holds::Truth if cell == "true" => "1".to_owned(),
        Holds::Truth if cell == "false" => "0".to_owned(),
        _ => cell,
    }
}

fn file(facility: &str, made_on: NaiveDate, visits: &[&Visit]) -> Result<Vec<u8>, String> {
    let failed = |_: std::io::Error| "its rows cannot be written as claims".to_owned();
    let day = made_on.format("%Y%m%d").to_string();
    let header = Header { facility, made_on: &day, hoso: visits.len() as u64 };
    let mut writer = ClaimsWriter::begin(Vec::new(), header).map_err(failed)?;
    for visit in visits {
        let tables: Vec<(u8, Records<'_>)> = visit
            .iter()
            .map(|(table, records)| (*table, records.iter().map(|one| borrowed(one)).collect()))
            .collect();
        let records: Vec<(u8, Vec<Record<'_>>)> = tables
            .iter()
            .map(|(table, records)| (*table, records.iter().map(Vec::as_slice).collect()))
            .collect();
        let parts: Vec<Part<'_>> =
            records.iter().map(|(table, records)| Part { table: *table, records }).collect();
        writer.hoso(&parts).map_err(failed)?;
    }
    writer.end().map_err(failed)
}

fn borrowed(record: &[(String, String)]) -> Vec<(&str, &str)> {
    record.iter().map(|(tag, text)| (tag.as_str(), text.as_str())).collect()
}
