//! The rows of one sheet's table.

use std::mem;

use arrow::array::RecordBatch;

use super::book::{Book, Cell, Where};
use super::layout::{Layout, Place};
use super::plan::Plan;
use crate::{SourceError, TextRows};

/// Where rows go.
pub(super) struct Out<'a> {
    rows: TextRows,
    give: &'a mut dyn FnMut(RecordBatch) -> bool,
}

/// Why reading ended early.
pub(super) enum Stopped {
    /// Nobody reads on.
    Unread,
    /// The sheet is refused.
    Failed(SourceError),
}

impl From<SourceError> for Stopped {
    fn from(error: SourceError) -> Self {
        Self::Failed(error)
    }
}

impl<'a> Out<'a> {
    /// No rows yet; `give` gets the batches and says whether anybody reads on.
    pub(super) fn new(plan: &Plan, give: &'a mut dyn FnMut(RecordBatch) -> bool) -> Self {
        let names: Vec<&str> = plan.columns.iter().map(|(name, _)| name.as_str()).collect();
        Self { rows: TextRows::new(&names), give }
    }

    fn push<'b>(&mut self, cells: impl Iterator<Item = Option<&'b str>>) -> Result<(), Stopped> {
        self.rows.push(cells);
        if self.rows.is_full() && !(self.give)(self.rows.take()) {
            return Err(Stopped::Unread);
        }
        Ok(())
    }

    /// Gives what is left.
    pub(super) fn end(mut self) {
        if self.rows.rows() > 0 {
            (self.give)(self.rows.take());
        }
    }
}

/// Reads the table of a sheet.
pub(super) fn read(
    book: &mut Book,
    sheet: &str,
    plan: &Plan,
    out: &mut Out<'_>,
) -> Result<(), Stopped> {
    let layout = Layout::survey(book, sheet, plan)?;
    let at = book.at(sheet);
    let mut table = Table {
        plan,
        layout: &layout,
        at: &at,
        row: plan.first_row(),
        has_any: false,
        cells: vec![None; layout.columns.len()],
        regions: vec![None; layout.columns.len()],
        out,
    };
    let mut cells = book.cells(sheet)?;
    while let Some(cell) = cells.next()? {
        if !table.take(&cell)? {
            return Ok(());
        }
    }
    table.end()
}

/// A table whose cells come row by row.
struct Table<'a, 'b> {
    plan: &'a Plan,
    layout: &'a Layout,
    at: &'a Where,
    /// The row that is being put together; those above it are given.
    row: u32,
    /// Whether it has anything.
    has_any: bool,
    /// Its cells, for each column of the request.
    cells: Vec<Option<String>>,
    /// For each column of the request the merged region that it came to last: its last row and its
    /// value.
    regions: Vec<Option<(u32, String)>>,
    out: &'a mut Out<'b>,
}

impl Table<'_, '_> {
    /// Takes a cell that is not blank; `false` once the table has ended.
    fn take(&mut self, cell: &Cell<'_>) -> Result<bool, Stopped> {
        if !self.plan.area.has(cell.at) || cell.at.row < self.plan.first_row() {
            return Ok(true);
        }
        self.advance(cell.at.row)?;
        let is_first = cell.at.column == self.plan.area.left;
        if is_first && self.plan.stop.as_ref().is_some_and(|stop| cell.is(stop)) {
            return Ok(false);
        }
        self.has_any = true;
        let region = self.layout.fill.get(&cell.at);
        for column in 0..self.layout.columns.len() {
            let Place::Column(own) = self.layout.columns[column] else { continue };
            if own == cell.at.column {
                let text = cell.text(self.at)?;
                if self.cells[column].replace(text).is_some() {
                    let what = "it is there twice; save the workbook again";
                    return Err(self.at.malformed(cell.at, what).into());
                }
            }
            if let Some(last) = region
                && (cell.at.column..=last.column).contains(&own)
            {
                self.regions[column] = Some((last.row, cell.text(self.at)?));
            }
        }
        Ok(true)
    }

    /// Gives the rows above this one.
    fn advance(&mut self, row: u32) -> Result<(), Stopped> {
        while self.row < row {
            self.give()?;
            self.row = if self.plan.skip_empty { row } else { self.row + 1 };
        }
        Ok(())
    }

    /// Gives the row that was put together, and begins another.
    fn give(&mut self) -> Result<(), Stopped> {
        let has_any = mem::take(&mut self.has_any);
        if !has_any && self.plan.skip_empty {
            return Ok(());
        }
        let row = self.row;
        let columns = self.layout.columns.iter().zip(&self.cells).zip(&self.regions);
        self.out.push(columns.map(|((place, cell), region)| match (place, region) {
            (Place::Constant(text), _) => text.as_deref(),
            (Place::Column(_), Some((last, text))) if row <= *last => Some(text.as_str()),
            (Place::Column(_), _) => cell.as_deref(),
        }))?;
        self.cells.fill(None);
        Ok(())
    }

    /// The sheet has no more cells.
    fn end(&mut self) -> Result<(), Stopped> {
        if self.plan.stop.is_some() {
            let what = "no row begins with the text of the setting `stop`; the form was changed, or \
                        the setting is not its text";
            return Err(self.at.malformed_sheet(what).into());
        }
        if self.has_any {
            self.give()?;
            self.row += 1;
        }
        match self.plan.area.bottom {
            Some(bottom) => self.advance(bottom + 1),
            None => Ok(()),
        }
    }
}
