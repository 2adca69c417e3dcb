//! A table (or several, with everything already out) as the gate sees it.
//!
//! A cell is a tuple of codes, one for each dimension. Two rows with the same tuple, in linked
//! tables, in past releases, in the old or the new geography, are the same cell and therefore one
//! variable of the [`System`]. A cell that is out stays out: it is a constant forever.

use std::collections::BTreeMap;

use super::audit::Status;
use super::input::hierarchy::{Dimension, Node};
use super::input::number::decimal_text;
use super::input::spec::{Objective, Rule};
use super::system::{CellIndex, System};

/// How a cell stands towards publication, before anything is decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// To be published by the candidate, or suppressed.
    Candidate,
    /// Out already: a constant.
    Out,
    /// Suppressed in an earlier release: stays hidden.
    Withheld,
    /// Never part of a publication; it only ties sums together.
    Implied,
}

/// One cell with what is known of its contributors.
#[derive(Debug, Clone)]
pub struct Cell {
    pub(crate) key: Vec<Node>,
    pub(crate) value: i128,
    /// Whether `value` is the truth, or only one of the values that fit what is out.
    pub(crate) is_true: bool,
    pub(crate) contributors: Option<i128>,
    pub(crate) largest: Option<i128>,
    pub(crate) second: Option<i128>,
    pub(crate) sole: Option<String>,
    /// What a `status` column said of it.
    pub(crate) mark: Option<Status>,
    pub(crate) standing: Standing,
}

/// A row that the gate will write again.
#[derive(Debug, Clone)]
pub(crate) struct OutputRow {
    pub(crate) cell: CellIndex,
    /// Position in the table as read; `None` for a computed total.
    pub(crate) source: Option<usize>,
}

/// One candidate table: its rows, in order, and what to write of them.
#[derive(Debug, Clone)]
pub(crate) struct OutputTable {
    pub(crate) name: String,
    /// Position of each dimension's column among the dimensions, in the file's order.
    pub(crate) columns: Vec<OutputColumn>,
    pub(crate) rows: Vec<OutputRow>,
    /// The fields of each source row that are passed through, by column name.
    pub(crate) extra: Vec<Vec<String>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum OutputColumn {
    Dimension(usize),
    Measure(String),
    /// A column without a role: passed through (a label).
    Extra(String),
}

/// Everything the gate needs to judge a candidate.
#[derive(Debug, Clone)]
pub struct Model {
    pub(crate) dimensions: Vec<Dimension>,
    pub(crate) cells: Vec<Cell>,
    pub(crate) index: BTreeMap<Vec<Node>, CellIndex>,
    pub(crate) system: System,
    /// Decimals of the measure: values are units of 10^−scale.
    pub(crate) scale: u32,
    pub(crate) rule: Rule,
    pub(crate) objective: Objective,
    pub(crate) outputs: Vec<OutputTable>,
    /// Cells left out of a sum that others enter: known to be 0.
    pub(crate) empty: Vec<Vec<Node>>,
    /// Whether the measure counts persons.
    pub(crate) counts: bool,
}

impl Model {
    /// The linear system of the cells.
    pub fn system(&self) -> &System {
        &self.system
    }

    /// How many cells the candidate wants to publish.
    pub fn candidate_count(&self) -> usize {
        self.cells.iter().filter(|cell| cell.standing == Standing::Candidate).count()
    }

    /// How a cell stands.
    pub fn standing(&self, cell: CellIndex) -> Standing {
        self.cells[cell].standing
    }

    /// A cell's codes, in the order of the dimensions.
    pub fn codes(&self, cell: CellIndex) -> Vec<&str> {
        let key = self.cells[cell].key.iter().zip(&self.dimensions);
        key.map(|(&node, dimension)| dimension.codes[node as usize].as_str()).collect()
    }

    /// A cell as people name it: `ACTIVITY=01, SIZE=tr1`.
    pub fn name(&self, cell: CellIndex) -> String {
        let codes = self.codes(cell).into_iter().zip(&self.dimensions);
        let parts: Vec<_> = codes.map(|(code, d)| format!("{}={code}", d.column)).collect();
        parts.join(", ")
    }

    /// The cell with these codes, in the order of the dimensions.
    pub fn find(&self, codes: &[&str]) -> Option<CellIndex> {
        let key: Option<Vec<Node>> = codes
            .iter()
            .zip(&self.dimensions)
            .map(|(&code, dimension)| dimension.index.get(code).copied())
            .collect();
        self.index.get(&key?).copied()
    }

    /// Units as the decimal people read.
    pub fn decimal(&self, units: i128) -> String {
        decimal_text(units, self.scale)
    }

    /// Names of the dimensions.
    pub fn dimension_names(&self) -> impl Iterator<Item = &str> {
        self.dimensions.iter().map(|dimension| dimension.column.as_str())
    }

    /// Decimals of the measure: a value in units is that value times ten to this power.
    pub fn scale(&self) -> u32 {
        self.scale
    }

    /// Whether the cell can still be hidden.
    pub(crate) fn can_hide(&self, cell: CellIndex) -> bool {
        let it = &self.cells[cell];
        // That nobody contributes to a magnitude is known; that a count is 0 need not be.
        it.standing == Standing::Candidate && (self.counts || it.value != 0)
    }

    /// Whether the cell is hidden whatever the candidate does.
    pub(crate) fn is_withheld(&self, cell: CellIndex) -> bool {
        matches!(self.cells[cell].standing, Standing::Withheld | Standing::Implied)
    }
}
