//! Workbooks of a night. A form is what is said once for all its rows (`@B3`: the province, the
//! period, who signed): rows that agree on it stand in one workbook, on the sheets that they name.
//! Tables that are read from the same files are sheets of the same workbooks.

use std::collections::BTreeMap;

use connectors::fill::{Cells, Holds};
use connectors::xlsx::writer::{self, Sheet};
use connectors::{Request, SourceError};
use warehouse::spec::{Origin, SourceKind, SourceTable, Treatment};

use super::shape::{Field, Make, Shape};

/// Rows of a form, where there is room for them.
const MOST: u64 = 12;

/// The name of a sheet, as a column.
const SHEET: &str = "@sheet";

/// The name of a file, as a column.
const FILE: &str = "@file";

/// Sheets of one workbook: for each its name and its rows.
type Form = Vec<(String, Vec<Cells>)>;

/// How many rows of a table share one form; `None` of what has no forms. What hinders otherwise.
pub(super) fn size(table: &SourceTable, fields: &[Field<'_>]) -> Result<Option<u64>, String> {
    let Origin::Read { kind: SourceKind::Xlsx, place, .. } = &table.origin else { return Ok(None) };
    let is_read = |field: &Field<'_>| field.column.treatment != Treatment::Drop;
    if fields.iter().any(|field| field.name == FILE && is_read(field)) {
        return Err("its rows name the file that they are in".to_owned());
    }
    let room = writer::room(&request(table, fields)).map_err(told)?;
    if !fields.iter().any(is_fixed) {
        return Ok(None);
    }
    if !has_many(place) {
        return Ok(Some(u64::MAX));
    }
    // Of a key whose parts are few, a form takes fewer rows than there are keys.
    let mut keys = fields.iter().filter(|field| field.is_key && !is_fixed(field));
    let keys = keys.try_fold(1_u64, |keys, field| match &field.make {
        Make::Values(values) => Some(keys.saturating_mul(values.len() as u64)),
        _ => None,
    });
    let room = room.map_or(MOST, |room| MOST.min(room as u64));
    Ok(Some(keys.map_or(room, |keys| room.min(keys * 2 / 3)).max(1)))
}

/// Whether a column is one cell of the form.
pub(super) fn is_fixed(field: &Field<'_>) -> bool {
    field.name.starts_with('@') && field.name != SHEET && field.name != FILE
}

/// Whether a place has room for several workbooks.
fn has_many(place: &str) -> bool {
    place.ends_with('/') || place.contains('*')
}

/// What the table's connector would be asked for, of all columns that the source has.
fn request(table: &SourceTable, fields: &[Field<'_>]) -> Request {
    let (place, settings) = match &table.origin {
        Origin::Read { place, settings, .. } => (place.clone(), settings.clone()),
        Origin::Declared { path, .. } => (path.clone(), BTreeMap::new()),
    };
    let columns = fields.iter().filter(|field| field.name != FILE);
    Request {
        place,
        columns: columns.map(|field| field.name.clone()).collect(),
        span: None,
        settings,
    }
}

fn told(error: SourceError) -> String {
    error.to_string()
}

/// One table of the workbooks.
struct Table {
    request: Request,
    holds: Vec<Holds>,
    forms: Vec<Form>,
}

/// The workbooks with these rows; what hinders otherwise.
pub(super) fn books(
    tables: &[(&Shape<'_>, Vec<Cells>)],
    place: &str,
) -> Result<Vec<Vec<u8>>, String> {
    let all: Result<Vec<Table>, String> =
        tables.iter().map(|(shape, rows)| Table::of(shape, rows)).collect();
    let all = all?;
    let count = all.iter().map(|table| table.forms.len()).max().unwrap_or(0).max(1);
    if count > 1 && !has_many(place) {
        return Err("its one workbook has no room for all of its forms".to_owned());
    }
    (0..count).map(|number| book(&all, number)).collect()
}

/// The workbook with the form of that number of each table, empty where it has no more.
fn book(tables: &[Table], number: usize) -> Result<Vec<u8>, String> {
    let empty: Result<Vec<Form>, SourceError> = tables
        .iter()
        .map(|table| Ok(vec![(writer::sheet_name(&table.request, 1)?, Vec::new())]))
        .collect();
    let empty = empty.map_err(told)?;
    let mut sheets = Vec::new();
    for (table, empty) in tables.iter().zip(&empty) {
        for (name, rows) in table.forms.get(number).unwrap_or(empty) {
            sheets.push(Sheet { name, request: &table.request, holds: &table.holds, rows });
        }
    }
    writer::workbook(&sheets).map_err(told)
}

impl Table {
    fn of(shape: &Shape<'_>, rows: &[Cells]) -> Result<Self, String> {
        let request = request(shape.table, &shape.fields);
        let room = writer::room(&request).map_err(told)?.unwrap_or(usize::MAX).max(1);
        let name = writer::sheet_name(&request, 1).map_err(told)?;
        let places = |wanted: fn(&Field<'_>) -> bool| -> Vec<usize> {
            let fields = shape.fields.iter().enumerate();
            fields.filter(|(_, field)| wanted(field)).map(|(at, _)| at).collect()
        };
        let fixed = places(is_fixed);
        let sheet = places(|field| field.name == SHEET).first().copied();
        let kept = places(|field| field.name != FILE);
        let mut agreed: BTreeMap<Vec<Option<String>>, BTreeMap<String, Vec<Cells>>> =
            BTreeMap::new();
        for row in rows {
            let once = fixed.iter().map(|at| row[*at].clone()).collect();
            let own = sheet.and_then(|at| row[at].clone()).unwrap_or_else(|| name.clone());
            let cells = kept.iter().map(|at| row[*at].clone()).collect();
            agreed.entry(once).or_default().entry(own).or_default().push(cells);
        }
        let mut forms = Vec::new();
        for sheets in agreed.into_values() {
            let most = sheets.values().map(|rows| rows.len().div_ceil(room)).max().unwrap_or(0);
            for part in 0..most {
                let own = sheets.iter().filter_map(|(name, rows)| {
                    let rows = rows.chunks(room).nth(part)?;
                    Some((name.clone(), rows.to_vec()))
                });
                forms.push(own.collect());
            }
        }
        let holds = kept.iter().map(|at| shape.fields[*at].holds).collect();
        Ok(Self { request, holds, forms })
    }
}
