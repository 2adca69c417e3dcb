//! One workbook: its sheets, their merged regions, and their cells one by one.

use std::collections::HashSet;
use std::io::Cursor;

use calamine::{DataRef, Reader, SheetType, SheetVisible, XlsxCellReader};

use super::address::{Address, COLUMNS, ROWS};
use super::plan::Sheets;
use super::{FORMAT, Limits, cell, package};
use crate::SourceError;
use crate::files::TableFile;

/// Sheets of one workbook at most; each could show the same part once more.
const SHEETS: usize = 1024;

/// How many names of sheets an error tells.
const TOLD: usize = 5;

/// An open workbook.
pub(super) struct Book {
    place: String,
    workbook: calamine::Xlsx<Cursor<Vec<u8>>>,
}

/// A sheet, for errors.
#[derive(Debug, Clone)]
pub(super) struct Where {
    place: String,
    /// The sheet's name.
    pub(super) sheet: String,
}

/// The cells of a sheet, row by row.
pub(super) struct Cells<'a> {
    reader: XlsxCellReader<'a, Cursor<Vec<u8>>>,
    at: Where,
    row: u32,
    since_1904: bool,
}

/// One cell that is there.
pub(super) struct Cell<'a> {
    pub(super) at: Address,
    value: DataRef<'a>,
    /// Whether it is a formula that was saved without its value.
    unsolved: bool,
    since_1904: bool,
}

impl Book {
    /// Checks a file and opens it.
    pub(super) fn open(file: &TableFile, limits: &Limits) -> Result<Self, SourceError> {
        let bytes = file.bytes(limits.file_bytes)?;
        package::check(&file.place, &bytes, limits)?;
        let book = calamine::Xlsx::new(Cursor::new(bytes));
        let place = file.place.clone();
        match book {
            Ok(workbook) => Ok(Self { place, workbook }),
            Err(_) => {
                let what = "it holds no workbook that can be read; save it as .xlsx with Excel or \
                            LibreOffice";
                Err(malformed(place, "as a whole".to_owned(), what))
            }
        }
    }

    /// The file's name, without its folder.
    pub(super) fn file_name(&self) -> String {
        self.place.rsplit('/').next().unwrap_or(&self.place).to_owned()
    }

    /// A sheet of it, for errors.
    pub(super) fn at(&self, sheet: &str) -> Where {
        Where { place: self.place.clone(), sheet: sheet.to_owned() }
    }

    /// The names of the sheets that are meant, in the workbook's order.
    pub(super) fn sheets(&self, meant: &Sheets) -> Result<Vec<String>, SourceError> {
        let all = self.workbook.sheets_metadata();
        if all.len() > SHEETS {
            return Err(SourceError::Bound {
                place: self.place.clone(),
                what: "has more sheets than it may",
                bound: SHEETS.to_string(),
            });
        }
        let mut names = HashSet::new();
        if !all.iter().all(|sheet| names.insert(sheet.name.as_str())) {
            let at = "as a whole".to_owned();
            return Err(malformed(self.place.clone(), at, "it has two sheets of one name"));
        }
        let tables = || all.iter().filter(|sheet| sheet.typ == SheetType::WorkSheet);
        let visible = || tables().filter(|sheet| sheet.visible == SheetVisible::Visible);
        let found: Vec<String> = match meant {
            Sheets::Only => visible().map(|sheet| sheet.name.clone()).collect(),
            Sheets::Named(name) => {
                tables().map(|sheet| sheet.name.clone()).filter(|own| own == name).collect()
            }
            Sheets::Fitting(begin, end) => visible()
                .map(|sheet| sheet.name.clone())
                .filter(|name| {
                    name.len() >= begin.len() + end.len()
                        && name.starts_with(begin.as_str())
                        && name.ends_with(end.as_str())
                })
                .collect(),
        };
        match (meant, found.len()) {
            (Sheets::Only, 2..) => {
                let told: Vec<String> =
                    found.iter().take(TOLD).map(|name| format!("`{name}`")).collect();
                let more = if found.len() > TOLD { ", …" } else { "" };
                let told = told.join(", ");
                Err(self.no_sheet(format!("must say which of several sheets: {told}{more}")))
            }
            (Sheets::Only, 0) => Err(self.no_sheet("is not set, and no sheet is visible".into())),
            (_, 0) => Err(self.no_sheet("names no sheet of this workbook".into())),
            _ => Ok(found),
        }
    }

    fn no_sheet(&self, what: String) -> SourceError {
        SourceError::Setting { place: self.place.clone(), setting: "sheet".to_owned(), what }
    }

    /// The merged regions of a sheet: the first and the last cell of each.
    pub(super) fn merged(&mut self, sheet: &str) -> Result<Vec<(Address, Address)>, SourceError> {
        let regions = self.workbook.merge_cells_by_sheet_name(sheet);
        let regions = regions.map_err(|_| self.at(sheet).broken())?;
        let address = |(row, column)| Address { row, column };
        Ok(regions.iter().map(|region| (address(region.start), address(region.end))).collect())
    }

    /// The cells of a sheet from the beginning.
    pub(super) fn cells(&mut self, sheet: &str) -> Result<Cells<'_>, SourceError> {
        let at = self.at(sheet);
        let since_1904 = self.workbook.has_1904_epoch();
        let reader = self.workbook.worksheet_cells_reader(sheet).map_err(|_| at.broken())?;
        Ok(Cells { reader, at, row: 0, since_1904 })
    }
}

impl<'a> Cells<'a> {
    /// The next cell that has anything. Rows come in order; the cells of a row may not.
    pub(super) fn next(&mut self) -> Result<Option<Cell<'a>>, SourceError> {
        loop {
            // The reader tells in this way alone whether an empty cell is a formula.
            let record = self.reader.next_cell_with_formula_metadata();
            let Some(record) = record.map_err(|_| self.broken())? else { return Ok(None) };
            let at = Address { row: record.pos.0, column: record.pos.1 };
            if at.row < self.row || at.row >= ROWS || at.column >= COLUMNS {
                return Err(self.broken());
            }
            self.row = at.row;
            let unsolved = record.formula.is_some() && record.value == DataRef::Empty;
            let cell = Cell { at, value: record.value, unsolved, since_1904: self.since_1904 };
            if !cell.is_blank() {
                return Ok(Some(cell));
            }
        }
    }

    fn broken(&self) -> SourceError {
        let at = format!("in sheet `{}`, in or behind row {}", self.at.sheet, self.row + 1);
        let what = "its cells are not written as a workbook writes them; save it again with Excel \
                    or LibreOffice";
        malformed(self.at.place.clone(), at, what)
    }
}

impl Cell<'_> {
    /// The cell's text.
    pub(super) fn text(&self, at: &Where) -> Result<String, SourceError> {
        if self.unsolved {
            let what = "the formula was saved without its value; open the workbook with Excel or \
                        LibreOffice and save it";
            return Err(at.malformed(self.at, what));
        }
        cell::text(&self.value, self.since_1904).map_err(|what| at.malformed(self.at, what))
    }

    /// Whether it is this text, with single spaces.
    pub(super) fn is(&self, text: &str) -> bool {
        match &self.value {
            DataRef::String(own) => own.split_whitespace().eq(text.split(' ')),
            DataRef::SharedString(own) => own.split_whitespace().eq(text.split(' ')),
            _ => false,
        }
    }

    fn is_blank(&self) -> bool {
        match &self.value {
            DataRef::Empty => !self.unsolved,
            DataRef::String(text) => text.trim().is_empty(),
            DataRef::SharedString(text) => text.trim().is_empty(),
            _ => false,
        }
    }
}

impl Where {
    /// The sheet as the place of an error that has one.
    pub(super) fn place(&self) -> String {
        format!("{}, sheet `{}`,", self.place, self.sheet)
    }

    /// Something is wrong with a cell.
    pub(super) fn malformed(&self, cell: Address, what: &str) -> SourceError {
        let at = format!("in sheet `{}`, cell {cell}", self.sheet);
        malformed(self.place.clone(), at, what)
    }

    /// Something is wrong with the sheet.
    pub(super) fn malformed_sheet(&self, what: &str) -> SourceError {
        malformed(self.place.clone(), format!("in sheet `{}`", self.sheet), what)
    }

    fn broken(&self) -> SourceError {
        self.malformed_sheet("it cannot be read; save it again with Excel or LibreOffice")
    }
}

fn malformed(place: String, at: String, what: &str) -> SourceError {
    SourceError::Malformed { place, format: FORMAT, at, what: what.to_owned() }
}
