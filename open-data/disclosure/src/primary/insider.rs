//! What single contributors know.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::{Model, Standing};
use crate::system::CellIndex;

/// Cells of one contributor, pooled: by the contributor's code, and with every total that a chain
/// of sums makes equal to one of them.
pub(super) fn pools(model: &Model) -> Vec<Arc<[CellIndex]>> {
    let is_sole = |cell: CellIndex| model.cells[cell].contributors == Some(1);
    let mut pools = Pools { first: (0..model.cells.len()).collect() };
    let mut coded: BTreeMap<&str, CellIndex> = BTreeMap::new();
    for (index, cell) in model.cells.iter().enumerate().filter(|&(index, _)| is_sole(index)) {
        if let Some(code) = &cell.sole {
            pools.join(index, *coded.entry(code).or_insert(index));
        }
    }
    for equation in model.system.equations().iter().filter(|equation| is_sole(equation.total)) {
        equation.parts.iter().filter(|&&part| is_sole(part)).for_each(|&part| {
            pools.join(equation.total, part);
        });
    }
    let mut cells: BTreeMap<CellIndex, Vec<CellIndex>> = BTreeMap::new();
    for index in (0..model.cells.len()).filter(|&index| is_sole(index)) {
        if model.standing(index) != Standing::Out {
            cells.entry(pools.of(index)).or_default().push(index);
        }
    }
    cells.into_values().map(Arc::from).collect()
}

/// Sets of cells, each named by one of them.
struct Pools {
    first: Vec<CellIndex>,
}

impl Pools {
    fn of(&self, mut cell: CellIndex) -> CellIndex {
        while self.first[cell] != cell {
            cell = self.first[cell];
        }
        cell
    }

    fn join(&mut self, a: CellIndex, b: CellIndex) {
        let (a, b) = (self.of(a), self.of(b));
        self.first[a.max(b)] = a.min(b);
    }
}
