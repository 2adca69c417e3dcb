//! Claims files of a night: the rows of all tables that come in the same files, put together by the
//! visit that they are of. One visit is in memory at a time: a file says first how many there are, so
//! they are made once to be counted, and once more to be written.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use chrono::NaiveDate;
use connectors::claims_xml::writer::{ClaimsWriter, Header, Part, Record};
use connectors::fill::Holds;

use super::super::SimulateError;
use super::course::{Change, Course, Row};
use super::files::{Begun, Folder};
use super::row::Spot;
use super::shape::Field;

/// Records of one table: their tags and texts.
type Records<'a> = Vec<Vec<(&'a str, &'a str)>>;

/// Facilities that send a file.
const FACILITIES: [&str; 3] = ["01901", "48902", "79903"];

/// Tables with one record for each visit.
const SINGLE: [u8; 7] = [1, 7, 8, 10, 11, 13, 14];

/// Lines of one visit in a table that has lines.
const LINES: u64 = 4;

/// Records of one visit by table: tags and texts.
type Visit = BTreeMap<u8, Vec<Vec<(String, String)>>>;

/// What a night says of visits.
pub(super) struct Claims<'c, 'a> {
    courses: &'c [(u8, &'c Course<'a>)],
    night: u64,
    /// By course and visit: the rows of before that the night changes.
    changes: Vec<BTreeMap<(u64, u64), Vec<Change>>>,
    /// Visits of before with such rows, and how many new ones there may be.
    before: BTreeSet<(u64, u64)>,
    new: u64,
}

/// What was counted: rows of each course, and visits of each facility.
pub(super) struct Counted {
    pub(super) rows: Vec<u64>,
    visits: [u64; FACILITIES.len()],
}

impl<'c, 'a> Claims<'c, 'a> {
    /// Of a night; each course comes with the number of its table.
    pub(super) fn of(courses: &'c [(u8, &'c Course<'a>)], night: u64) -> Self {
        let (mut changes, mut before, mut new) = (Vec::new(), BTreeSet::new(), 0);
        for (_, course) in courses {
            let mut own: BTreeMap<_, Vec<Change>> = BTreeMap::new();
            for change in course.changes(night) {
                let visit = (change.spot.night, change.spot.index / lines(course));
                own.entry(visit).or_default().push(change);
                before.insert(visit);
            }
            changes.push(own);
            new = new.max(course.count(night).div_ceil(lines(course)));
        }
        Self { courses, night, changes, before, new }
    }

    /// All visits, those of before first.
    fn visits(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        self.before.iter().copied().chain((0..self.new).map(|visit| (self.night, visit)))
    }

    /// What a table says of a visit.
    fn rows(&self, at: usize, (night, visit): (u64, u64)) -> Vec<Row> {
        let (_, course) = self.courses[at];
        if night < self.night {
            let changes = self.changes[at].get(&(night, visit));
            let changes = changes.into_iter().flatten();
            return changes.map(|change| course.changed(*change, self.night)).collect();
        }
        let first = visit * lines(course);
        let last = (first + lines(course)).min(course.count(night));
        (first..last).flat_map(|index| course.told(Spot { night, index })).collect()
    }

    /// The records of a visit, more than once where it has more of a table than a visit may.
    fn copies(&self, visit: (u64, u64)) -> Vec<Visit> {
        let mut copies = Vec::new();
        for (at, (table, course)) in self.courses.iter().enumerate() {
            for row in self.rows(at, visit) {
                put(&mut copies, *table, record(course, row));
            }
        }
        copies
    }

    /// Counts what there is to write.
    pub(super) fn count(&self) -> Counted {
        let mut counted = Counted { rows: vec![0; self.courses.len()], visits: [0; 3] };
        for visit in self.visits() {
            let mut copies = 0;
            for (at, (table, _)) in self.courses.iter().enumerate() {
                let rows = self.rows(at, visit).len() as u64;
                counted.rows[at] += rows;
                copies = copies.max(if SINGLE.contains(table) { rows } else { rows.min(1) });
            }
            counted.visits[sender(visit)] += copies;
        }
        counted
    }

    /// Writes a file of each facility that has visits; `place` says where.
    pub(super) fn write(
        &self,
        counted: &Counted,
        made_on: NaiveDate,
        (folder, complete): (Folder<'_>, Option<&str>),
        place: impl Fn(&str) -> String,
    ) -> Result<(), SimulateError> {
        let day = made_on.format("%Y%m%d").to_string();
        for (at, facility) in FACILITIES.into_iter().enumerate() {
            let hoso = counted.visits[at];
            if hoso == 0 {
                continue;
            }
            let mut file = folder.begin(&place(facility))?;
            let header = Header { facility, made_on: &day, hoso };
            let written = self.write_file(&mut file, header, at);
            file.end(written, complete)?;
        }
        Ok(())
    }

    fn write_file(&self, file: &mut Begun, header: Header<'_>, at: usize) -> io::Result<()> {
        let mut writer = ClaimsWriter::begin(&mut file.out, header)?;
        for visit in self.visits().filter(|visit| sender(*visit) == at) {
            for copy in self.copies(visit) {
                write_visit(&mut writer, &copy)?;
            }
        }
        writer.end().map(|_| ())
    }
}

/// Rows of one visit in a table.
fn lines(course: &Course<'_>) -> u64 {
    if course.shape.has_lines { LINES } else { 1 }
}

/// Which facility sends a visit.
fn sender((_, visit): (u64, u64)) -> usize {
    usize::try_from(visit % FACILITIES.len() as u64).unwrap_or_default()
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

fn write_visit<W: io::Write>(writer: &mut ClaimsWriter<W>, visit: &Visit) -> io::Result<()> {
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
    writer.hoso(&parts)
}

fn borrowed(record: &[(String, String)]) -> Vec<(&str, &str)> {
    record.iter().map(|(tag, text)| (tag.as_str(), text.as_str())).collect()
}
