//! What a candidate can tell at all: cells that no chain of sums ties to it are as they were.

use crate::model::{Model, Standing};
use crate::system::CellIndex;

/// Whether each cell is tied to a candidate's by sums of cells that are not out.
pub(super) fn by_candidates(model: &Model) -> Vec<bool> {
    let is_new = |cell: CellIndex| model.standing(cell) == Standing::Candidate;
    let mut reached: Vec<bool> = (0..model.cells.len()).map(is_new).collect();
    let mut open: Vec<CellIndex> = (0..reached.len()).filter(|&cell| reached[cell]).collect();
    let mut done = vec![false; model.system.equations().len()];
    while let Some(cell) = open.pop() {
        for &(row, _) in model.system.rows_of(cell) {
            if std::mem::replace(&mut done[row], true) {
                continue;
            }
            for (other, _) in model.system.equations()[row].terms() {
                if !reached[other] && model.standing(other) != Standing::Out {
                    reached[other] = true;
                    open.push(other);
                }
            }
        }
    }
    reached
}

/// Whether subtracting what is out, again and again, gives each cell.
pub(super) fn computable(model: &Model) -> Vec<bool> {
    let system = &model.system;
    let mut known: Vec<bool> =
        (0..system.len()).map(|cell| model.standing(cell) == Standing::Out).collect();
    let unknown = |row: &usize, known: &[bool]| {
        let mut left = system.equations()[*row].terms().map(|(cell, _)| cell);
        let mut left = left.by_ref().filter(|&cell| !known[cell]);
        left.next().filter(|_| left.next().is_none())
    };
    let mut open: Vec<usize> = (0..system.equations().len()).collect();
    while let Some(row) = open.pop() {
        if let Some(cell) = unknown(&row, &known) {
            known[cell] = true;
            open.extend(system.rows_of(cell).iter().map(|&(row, _)| row));
        }
    }
    known
}
