//! One night's writing: which rows go where.

use chrono::{Days, NaiveDate};
use connectors::SourceError;
use connectors::fill::{Cells, Holds, Target};
use std::collections::BTreeMap;
use warehouse::spec::{Growth, NIGHT, Origin, SourceKind};

use super::super::SimulateError;
use super::course::{Course, Row};
use super::files::{Folder, Settings};
use super::{Filled, Wish, claims, fhir, files, forms, service};
use crate::sources;

/// See the module.
pub(super) struct Hour<'a> {
    wish: Wish<'a>,
    night: u64,
    date: NaiveDate,
    is_last: bool,
}

impl<'a> Hour<'a> {
    /// Of the night of that number, and whether it is the last to be written.
    pub(super) fn of(wish: Wish<'a>, night: u64, is_last: bool) -> Self {
        Self { wish, night, date: wish.first + Days::new(night), is_last }
    }

    /// Writes what the night says of a table, and of those whose rows are in the same files.
    pub(super) async fn write(
        &self,
        courses: &[Course<'_>],
        at: usize,
        done: &mut Vec<usize>,
        filled: &mut Filled,
    ) -> Result<(), SimulateError> {
        let course = &courses[at];
        let table = course.shape.table;
        let Origin::Read { kind, place, settings } = &table.origin else { return Ok(()) };
        // What is written whole is written once.
        let is_now = table.origin.is_nightly() || self.is_last;
        let written = match kind {
            SourceKind::PostgreSql | SourceKind::MariaDb | SourceKind::Odbc => {
                Ok(self.to_server(*kind, place, course).await?)
            }
            _ if !is_now => return Ok(()),
            SourceKind::ClaimsXml => return self.claims(courses, place, done, filled),
            SourceKind::Xlsx => return self.forms(courses, place, done, filled),
            SourceKind::HttpJson => self.to_service(course)?,
            _ => self.to_file(*kind, (place.as_str(), settings), course)?,
        };
        match written {
            Ok(rows) => filled.tables.push((table.name.clone(), self.date, rows)),
            Err(reason) => filled.left_out.push((table.name.clone(), reason)),
        }
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
        let target = Target { relation, columns: &columns, key: &key, is_gone: false };
        // Where keys are compared, a row that is deleted leaves nothing behind.
        let is_lost = |row: &Row| row.is_gone && shape.table.key_list().is_some();
        let rows = course.rows(self.night).filter(|row| !is_lost(row)).map(|row| row.cells);
        let filled: Result<u64, SourceError> = sources::fill(kind, server, target, rows).await;
        let filled = filled?;
        let mut lost = course.rows(self.night).filter(is_lost).map(|row| row.cells).peekable();
        if lost.peek().is_none() {
            return Ok(filled);
        }
        let target = Target { is_gone: true, ..target };
        Ok(filled + sources::fill(kind, server, target, lost).await?)
    }

    /// Writes one file; says otherwise what hinders it.
    fn to_file(
        &self,
        kind: SourceKind,
        (place, settings): (&str, &Settings),
        course: &Course<'_>,
    ) -> Result<Result<u64, String>, SimulateError> {
        let Some(folder) = self.wish.folder else { return Ok(Ok(0)) };
        let rows = self.rows(course, place);
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

    /// The rows that stand in a place: the night's own where there is one for each and the table
    /// grows by rows, else all that there are.
    fn rows(&self, course: &Course<'_>, place: &str) -> Vec<Cells> {
        let grows = !matches!(course.shape.table.growth, Growth::Append { .. });
        if place.contains(NIGHT) && grows {
            course.rows(self.night).map(|row| row.cells).collect()
        } else {
            whole(course, self.night, false)
        }
    }

    /// Writes what a service would answer as pages; says otherwise what hinders it.
    fn to_service(&self, course: &Course<'_>) -> Result<Result<u64, String>, SimulateError> {
        let Some(folder) = self.wish.folder else { return Ok(Ok(0)) };
        let shape = &course.shape;
        let table = match service::table(shape.table, &shape.fields) {
            Ok(table) => table,
            Err(reason) => return Ok(Err(reason)),
        };
        // A row that is gone is told of as long as the service is asked what changed.
        let rows = whole(course, self.night, shape.deleted.is_some());
        let count = rows.len() as u64;
        let pages = table.pages(rows.into_iter());
        let place = service::folder(course.source, shape.table);
        let file = |number| format!("{place}/{}", service::page(number));
        for (number, page) in (1..).zip(&pages) {
            Folder(folder).put(&file(number), page.as_bytes(), None)?;
        }
        Folder(folder).drop_from(pages.len() + 1, file)?;
        Ok(Ok(count))
    }

    /// Writes the workbooks of all tables that are read from the same files.
    fn forms(
        &self,
        courses: &[Course<'_>],
        place: &str,
        done: &mut Vec<usize>,
        filled: &mut Filled,
    ) -> Result<(), SimulateError> {
        let Some(folder) = self.wish.folder else { return Ok(()) };
        let together = together(courses, SourceKind::Xlsx, place, done);
        let mut complete = None;
        let mut tables = Vec::new();
        for (course, settings) in &together {
            complete = complete.or(settings.get("complete").map(String::as_str));
            tables.push((&course.shape, self.rows(course, place)));
        }
        let books = match forms::books(&tables, place) {
            Ok(books) => books,
            Err(reason) => return leave_out(&together, &reason, filled),
        };
        for (shape, rows) in &tables {
            filled.tables.push((shape.table.name.clone(), self.date, rows.len() as u64));
        }
        let book = |number: usize| {
            files::place(place, self.date, &format!("mo_phong_{number:04}"), "xlsx")
        };
        for (number, bytes) in (1..).zip(&books) {
            Folder(folder).put(&book(number), bytes, complete)?;
        }
        // A place without a part of its own for each workbook has one only.
        if book(1) != book(2) {
            Folder(folder).drop_from(books.len() + 1, book)?;
        }
        Ok(())
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
        let together = together(courses, SourceKind::ClaimsXml, place, done);
        let mut numbered: Vec<(u8, &Course<'_>)> = Vec::new();
        let mut complete = None;
        for (course, settings) in &together {
            let number = settings.get("table").and_then(|number| number.parse().ok());
            let Some(number) = number else { continue };
            complete = complete.or(settings.get("complete").map(String::as_str));
            numbered.push((number, course));
        }
        let claims = claims::Claims::of(&numbered, self.night);
        let counted = claims.count();
        for ((_, course), rows) in numbered.iter().zip(&counted.rows) {
            filled.tables.push((course.shape.table.name.clone(), self.date, *rows));
        }
        let made_on = self.date.pred_opt().unwrap_or(self.date);
        let place =
            |facility: &str| files::place(place, self.date, &format!("{facility}_mo_phong"), "xml");
        claims.write(&counted, made_on, (Folder(folder), complete), place)
    }
}

/// The tables of a kind that are read from one place; none of them is looked at again.
fn together<'c, 'a>(
    courses: &'c [Course<'a>],
    kind: SourceKind,
    place: &str,
    done: &mut Vec<usize>,
) -> Vec<(&'c Course<'a>, &'a Settings)> {
    let mut all = Vec::new();
    for (at, course) in courses.iter().enumerate() {
        let table = course.shape.table;
        if let Origin::Read { kind: own, place: other, settings } = &table.origin
            && *own == kind
            && other == place
        {
            done.push(at);
            all.push((course, settings));
        }
    }
    all
}

fn leave_out(
    together: &[(&Course<'_>, &Settings)],
    reason: &str,
    filled: &mut Filled,
) -> Result<(), SimulateError> {
    let names = together.iter().map(|(course, _)| course.shape.table.name.clone());
    filled.left_out.extend(names.map(|name| (name, reason.to_owned())));
    Ok(())
}

/// All rows of a source after a night: those that no later one replaced or, unless they are kept as
/// such, took away.
fn whole(course: &Course<'_>, last: u64, keeps_gone: bool) -> Vec<Cells> {
    let mut rows: BTreeMap<_, Cells> = BTreeMap::new();
    for night in 0..=last {
        for Row { spot, cells, is_gone, is_double, .. } in course.rows(night) {
            if is_gone && !keeps_gone {
                rows.remove(&(spot, false));
            } else {
                rows.insert((spot, is_double), cells);
            }
        }
    }
    rows.into_values().collect()
}
