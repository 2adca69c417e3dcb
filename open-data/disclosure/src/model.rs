//! A table (or several, with everything already out) as the gate sees it.
//!
//! A cell is a tuple of codes, one for each dimension. Two rows with the same tuple, in linked
//! tables, in past releases, in the old or the new geography, are the same cell and therefore one
//! variable of the [`System`]. A cell that is out stays out: it is a constant forever.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::input::hierarchy::{Dimension, Node};
use super::input::number::decimal_text;
use super::input::spec::{Objective, Rule};
use super::primary::Primaries;
use super::system::{CellIndex, System, UNBOUNDED};

/// How a cell stands towards publication, before anything is decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// To be published by the candidate, or suppressed.
    Candidate,
    /// Out already: a constant.
    Out,
    /// Suppressed in an earlier release: stays hidden.
    Withheld,
    /// In no table, but a sum or a difference of what is: it ties sums together, and must not be
    /// found out either.
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
    pub(crate) standing: Standing,
}

impl Cell {
    /// A cell that is in no table, its value not known yet.
    pub(crate) fn implied(key: Vec<Node>) -> Self {
        Self {
            key,
            value: 0,
            is_true: false,
            contributors: None,
            largest: None,
            second: None,
            sole: None,
            standing: Standing::Implied,
        }
    }
}

/// A cell as people name it: `ACTIVITY=01, SIZE=tr1`.
pub(crate) fn name_of(dimensions: &[Dimension], key: &[Node]) -> String {
    let codes = key.iter().zip(dimensions);
    let parts: Vec<_> =
        codes.map(|(&node, d)| format!("{}={}", d.column, d.codes[node as usize])).collect();
    parts.join(", ")
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
    pub(crate) identity: Identity,
}

/// Tells one model from another, so that a proof about one is not taken for the other's.
#[derive(Debug, Clone, Default)]
pub(crate) struct Identity(Arc<()>);

impl PartialEq for Identity {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
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
        name_of(&self.dimensions, &self.cells[cell].key)
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

    /// Sets what an attacker holds possible: no cell above the largest by more than the longest
    /// distance that protection needs, so that a hidden cell is never held down by its own value;
    /// sums that are in no table have no bound of their own.
    pub(crate) fn bound_cells(&mut self) {
        let longest = Primaries::find(self).longest();
        let printed = self.cells.iter().filter(|cell| cell.standing != Standing::Implied);
        let largest = printed.map(|cell| cell.value).max().unwrap_or(0) + longest;
        let upper = self.cells.iter().map(|cell| match cell.standing {
            Standing::Implied => UNBOUNDED,
            _ => largest,
        });
        self.system = self.system.with_ranges(vec![0; self.cells.len()], upper.collect());
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
