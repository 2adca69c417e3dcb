//! Writes workbooks that [`super::Xlsx`] reads back, for made-up data: the cells stand where the
//! settings of the same request look for them.
//!
//! Numbers, days, instants and truths are cells of their kind, as people's programs save them. A form
//! that has no room for its rows, or a header that cannot give a column its name, is refused.

use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, Workbook, Worksheet, XlsxError};

use super::address::Address;
use super::plan::{Plan, Sheets, Wanted, tidy};
use crate::fill::{Cells, Holds};
use crate::{Request, SourceError};

/// Digits that a number in a cell keeps.
const DIGITS: usize = 15;

/// What a row without cells of its own begins with.
const LABEL: &str = "Số liệu";

/// What stands between the names of several header rows.
const BETWEEN: &str = " / ";

/// A sheet with the table that a request reads.
#[derive(Debug, Clone, Copy)]
pub struct Sheet<'a> {
    /// Its name.
    pub name: &'a str,
    /// What will be asked of it. Its columns may be more than are asked for later.
    pub request: &'a Request,
    /// What each column of the request holds.
    pub holds: &'a [Holds],
    /// The rows: a cell for each column of the request. What is said once for the whole form
    /// (`@B3`) is taken from the first.
    pub rows: &'a [Cells],
}

/// How many rows the table of a request has room for; `None` where its range has no end.
///
/// # Errors
/// When a setting is not usable.
pub fn room(request: &Request) -> Result<Option<usize>, SourceError> {
    let plan = Plan::new(request)?;
    let Some(bottom) = plan.area.bottom else { return Ok(None) };
    let rows = u64::from(bottom + 1 - plan.first_row()) - u64::from(plan.stop.is_some());
    Ok(usize::try_from(rows).ok())
}

/// The name of a sheet that a request reads: that of its settings, with a number where they name
/// several.
///
/// # Errors
/// When a setting is not usable.
pub fn sheet_name(request: &Request, number: usize) -> Result<String, SourceError> {
    Ok(match Plan::new(request)?.sheets {
        Sheets::Only => "Biểu".to_owned(),
        Sheets::Named(name) => name,
        Sheets::Fitting(begin, end) if begin.ends_with(char::is_alphanumeric) => {
            format!("{begin} {number}{end}")
        }
        Sheets::Fitting(begin, end) => format!("{begin}{number}{end}"),
    })
}

/// A workbook of these sheets. The same sheets give the same bytes.
///
/// # Errors
/// When a sheet cannot be as its request reads it.
pub fn workbook(sheets: &[Sheet<'_>]) -> Result<Vec<u8>, SourceError> {
    let mut book = Workbook::new();
    let made = ExcelDateTime::from_ymd(2026, 1, 1).map_err(|_| failed("the workbook"))?;
    book.set_properties(&DocProperties::new().set_creation_datetime(&made));
    for sheet in sheets {
        let plan = Plan::new(sheet.request)?;
        let table = Table::of(sheet, &plan)?;
        table.write(book.add_worksheet()).map_err(|_| failed(&sheet.request.place))?;
    }
    book.save_to_buffer().map_err(|_| failed("the workbook"))
}

/// A sheet's table, with the place of each of its columns.
struct Table<'a> {
    sheet: &'a Sheet<'a>,
    plan: &'a Plan,
    /// Columns of the request with that of the sheet.
    columns: Vec<(usize, u16)>,
    /// Columns of the request with the cell that they are, once for the whole form.
    fixed: Vec<(usize, Address)>,
    /// Rows of the header with the names that stand there.
    header: Vec<(u32, u16, String)>,
}

impl<'a> Table<'a> {
    fn of(sheet: &'a Sheet<'a>, plan: &'a Plan) -> Result<Self, SourceError> {
        let refused = |setting: &str, what: &str| SourceError::Setting {
            place: plan.place.clone(),
            setting: setting.to_owned(),
            what: what.to_owned(),
        };
        if room(sheet.request)?.is_some_and(|room| room < sheet.rows.len()) {
            return Err(refused("range", "has no room for the rows"));
        }
        let (mut columns, mut fixed, mut header) = (Vec::new(), Vec::new(), Vec::new());
        let mut next = plan.area.left;
        for (at, (_, wanted)) in plan.columns.iter().enumerate() {
            match wanted {
                Wanted::Column(column) => columns.push((at, short(*column))),
                Wanted::Headed(name) => {
                    let parts: Vec<&str> = name.split(BETWEEN).collect();
                    if parts.len() > plan.header as usize {
                        return Err(refused("header", "has too few rows for the columns' names"));
                    }
                    if !plan.area.has_column(next) {
                        return Err(refused("range", "has no room for the columns"));
                    }
                    let names = (plan.area.top..).zip(parts);
                    header.extend(names.map(|(row, name)| (row, short(next), tidy(name))));
                    columns.push((at, short(next)));
                    next += 1;
                }
                Wanted::Cell(cell) => fixed.push((at, *cell)),
                Wanted::Sheet | Wanted::File => {}
            }
        }
        Ok(Self { sheet, plan, columns, fixed, header })
    }

    fn write(&self, to: &mut Worksheet) -> Result<(), XlsxError> {
        to.set_name(self.sheet.name)?;
        let pen = Pen::new();
        let holds = |at: usize| self.sheet.holds.get(at).copied().unwrap_or(Holds::Text);
        let first = self.sheet.rows.first();
        for (at, cell) in &self.fixed {
            let text = first.and_then(|row| row[*at].as_deref());
            pen.put(to, (cell.row, short(cell.column)), text, holds(*at))?;
        }
        for (row, column, name) in &self.header {
            to.write_string(*row, *column, name)?;
        }
        for (row, cells) in (self.plan.first_row()..).zip(self.sheet.rows) {
            for (at, column) in &self.columns {
                pen.put(to, (row, *column), cells[*at].as_deref(), holds(*at))?;
            }
        }
        if self.columns.is_empty() {
            self.label(to)?;
        }
        if self.plan.fill {
            self.merge(to, &holds)?;
        }
        if let Some(stop) = &self.plan.stop {
            let end = self.plan.first_row() + u32::try_from(self.sheet.rows.len()).unwrap_or(0);
            to.write_string(end, short(self.plan.area.left), stop)?;
        }
        Ok(())
    }

    /// A row whose cells are all cells of the form is there where anything stands in the range.
    fn label(&self, to: &mut Worksheet) -> Result<(), XlsxError> {
        let left = self.plan.area.left;
        for (row, _) in (self.plan.first_row()..).zip(self.sheet.rows) {
            if !self.fixed.iter().any(|(_, cell)| (cell.row, cell.column) == (row, left)) {
                to.write_string(row, short(left), LABEL)?;
            }
        }
        Ok(())
    }

    /// Merges equal texts that stand below each other, as forms that are filled down have them.
    fn merge(&self, to: &mut Worksheet, holds: &impl Fn(usize) -> Holds) -> Result<(), XlsxError> {
        let texts = self.columns.iter().filter(|(at, _)| holds(*at) == Holds::Text);
        for (at, column) in texts {
            let mut begin = self.plan.first_row();
            for run in self.sheet.rows.chunk_by(|one, other| one[*at] == other[*at]) {
                let end = begin + u32::try_from(run.len()).unwrap_or(1);
                if let Some(text) = run[0][*at].as_deref().filter(|_| run.len() > 1) {
                    to.merge_range(begin, *column, end - 1, *column, text, &Format::new())?;
                }
                begin = end;
            }
        }
        Ok(())
    }
}

/// Writes cells of every kind.
struct Pen {
    day: Format,
    instant: Format,
}

impl Pen {
    fn new() -> Self {
        let format = |text: &str| Format::new().set_num_format(text);
        Self { day: format("yyyy-mm-dd"), instant: format("yyyy-mm-dd hh:mm:ss") }
    }

    /// A cell; what is none of its kind, as planted faults are not, is written as text.
    fn put(
        &self,
        to: &mut Worksheet,
        (row, column): (u32, u16),
        text: Option<&str>,
        holds: Holds,
    ) -> Result<(), XlsxError> {
        let Some(text) = text else { return Ok(()) };
        let instant = |length: usize| {
            text.get(..length).and_then(|text| ExcelDateTime::parse_from_str(text).ok())
        };
        match holds {
            Holds::Whole | Holds::Decimal { .. } if text.len() <= DIGITS => {
                if let Some(number) = text.parse::<f64>().ok().filter(|one| one.is_finite()) {
                    to.write_number(row, column, number)?;
                    return Ok(());
                }
            }
            Holds::Day => {
                if let Some(day) = instant(10) {
                    to.write_datetime_with_format(row, column, &day, &self.day)?;
                    return Ok(());
                }
            }
            Holds::Instant => {
                if let Some(at) = instant(19) {
                    to.write_datetime_with_format(row, column, &at, &self.instant)?;
                    return Ok(());
                }
            }
            Holds::Truth if matches!(text, "true" | "false") => {
                to.write_boolean(row, column, text == "true")?;
                return Ok(());
            }
            _ => {}
        }
        to.write_string(row, column, text)?;
        Ok(())
    }
}

/// A column's number; an address has none beyond the last column of a sheet.
fn short(column: u32) -> u16 {
    u16::try_from(column).unwrap_or(u16::MAX)
}

fn failed(place: &str) -> SourceError {
    SourceError::Setting {
        place: place.to_owned(),
        setting: "sheet".to_owned(),
        what: "is of a form that cannot be written".to_owned(),
    }
}
