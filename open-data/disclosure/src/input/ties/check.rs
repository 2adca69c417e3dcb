//! Whether the figures agree with every sum, and what follows from them.

use warehouse::diagnostic::Diagnostic;

use super::{Place, Ties};
use crate::input::Faults;
use crate::model::{Standing, name_of};
use crate::system::{CellIndex, Equation};

/// At most this many sums that fail are told.
const MOST_SUM_FAULTS: usize = 40;

impl Ties<'_> {
    /// Checks every sum as far as its figures are known.
    pub(super) fn agrees(&self, faults: &mut Faults) -> bool {
        let wrong = self.equations.iter().zip(&self.absent).filter(|(equation, _)| {
            let known = equation.parts.iter().filter(|&&part| self.cells[part].is_true);
            let all = known.clone().count() == equation.parts.len();
            let sum: i128 = known.map(|&part| self.cells[part].value).sum();
            let total = &self.cells[equation.total];
            total.is_true && (sum > total.value || (all && sum != total.value))
        });
        let mut right = true;
        for (equation, absent) in wrong.take(MOST_SUM_FAULTS) {
            faults.push(self.mismatch(equation, absent.first().map(Vec::as_slice)));
            right = false;
        }
        right
    }

    /// A cell that is the only unknown one of a sum is known after all; so are the parts of 0.
    pub(super) fn propagate(&mut self, faults: &mut Faults) -> bool {
        let mut rows_of = vec![Vec::new(); self.cells.len()];
        for (row, equation) in self.equations.iter().enumerate() {
            equation.terms().for_each(|(cell, _)| rows_of[cell].push(row));
        }
        let mut open: Vec<usize> = (0..self.equations.len()).rev().collect();
        while let Some(row) = open.pop() {
            for (cell, value) in self.follows(row) {
                if value < 0 {
                    faults.push(self.mismatch(&self.equations[row], None));
                    return false;
                }
                self.cells[cell].value = value;
                self.cells[cell].is_true = true;
                open.extend(&rows_of[cell]);
            }
        }
        true
    }

    /// What an equation says of cells that are not known yet.
    fn follows(&self, row: usize) -> Vec<(CellIndex, i128)> {
        let equation = &self.equations[row];
        let unknown = equation.terms().filter(|&(cell, _)| !self.cells[cell].is_true);
        let unknown: Vec<(CellIndex, i8)> = unknown.collect();
        let total = &self.cells[equation.total];
        if let [(cell, sign)] = unknown[..] {
            let rest = equation.terms().filter(|&(other, _)| other != cell);
            let rest: i128 = rest.map(|(c, s)| i128::from(s) * self.cells[c].value).sum();
            return vec![(cell, -rest * i128::from(sign))];
        }
        if total.is_true && total.value == 0 {
            return unknown.into_iter().map(|(cell, _)| (cell, 0)).collect();
        }
        Vec::new()
    }

    fn mismatch(&self, equation: &Equation, absent: Option<&[u32]>) -> Diagnostic {
        let name = self.name(equation.total);
        let is_out = |cell: CellIndex| {
            matches!(self.cells[cell].standing, Standing::Out | Standing::Withheld)
        };
        let is_new = |cell: CellIndex| self.cells[cell].standing == Standing::Candidate;
        let mixed = equation.terms().any(|(cell, _)| is_out(cell))
            && equation.terms().any(|(cell, _)| is_new(cell));
        let count = equation.parts.len();
        let sum: i128 = equation.parts.iter().map(|&part| self.cells[part].value).sum();
        let (code, message, help) = match absent {
            Some(absent) if sum < self.cells[equation.total].value => {
                let absent = name_of(self.dimensions, absent);
                let message =
                    format!("{name} is not the sum of its parts, and {absent} is missing");
                ("missing-cell", message, "add the row; a cell left out counts as 0")
            }
            _ if mixed => {
                let message =
                    format!("{name} is not the sum of its {count} parts, some already out");
                let help = "what is out stays: find which figure changed, and why";
                ("contradicts-release", message, help)
            }
            _ => {
                let message = format!("{name} is not the sum of its {count} parts");
                let help = "correct the figures, or use margins = \"compute\"";
                ("total-mismatch", message, help)
            }
        };
        let (path, span) = self.place_of(equation);
        Diagnostic::error(path, code, message).at(span).help(help)
    }

    /// The row to look at: the total's, or one of a part, or one below.
    fn place_of(&self, equation: &Equation) -> Place {
        let own = equation.terms().find_map(|(cell, _)| self.places[cell].clone());
        own.or_else(|| self.places.iter().flatten().next().cloned()).unwrap_or_default()
    }
}
