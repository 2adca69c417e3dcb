//! The one sparse linear system an attacker of a publication faces.
//!
//! A cell is a non-negative number in exact units (a count, or a magnitude times a power of ten);
//! an equation says that a total is the sum of its parts. Everything the gate does — choosing what
//! to suppress, attacking, auditing — sees only this: no code lists, no files, no solver.
//!
//! [`Deviation`]s are what witnesses are made of: the difference between a table that an attacker
//! cannot rule out and the true one. [`System::admits`] checks one by plain integer addition and
//! is the only judge of it; whatever found the deviation needs no trust.

use std::collections::BTreeMap;
use std::sync::Arc;

/// A cell's place in its [`System`].
pub type CellIndex = usize;

/// The upper end of a range that has none.
pub const UNBOUNDED: i128 = i128::MAX / 4;

/// `total` is the sum of `parts`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Equation {
    /// The cell that is the sum.
    pub total: CellIndex,
    /// The cells that are added, each at most once and never the total.
    pub parts: Vec<CellIndex>,
}

impl Equation {
    /// The cells with their coefficients: +1 for the total, −1 for a part.
    pub(crate) fn terms(&self) -> impl Iterator<Item = (CellIndex, i8)> + '_ {
        std::iter::once((self.total, 1)).chain(self.parts.iter().map(|&part| (part, -1)))
    }
}

/// What an attacker can know before looking at values: cells, their possible range, and sums.
#[derive(Debug, Clone, Default)]
pub struct System {
    values: Vec<i128>,
    lower: Vec<i128>,
    upper: Vec<i128>,
    equations: Vec<Equation>,
    rows_of: Vec<Vec<(usize, i8)>>,
    integral: bool,
}

impl System {
    /// A system of cells with these true values, each possible from 0 to `upper`.
    ///
    /// `integral` says that only whole units are possible (counts).
    pub fn new(
        values: Vec<i128>,
        upper: Vec<i128>,
        equations: Vec<Equation>,
        integral: bool,
    ) -> Self {
        let mut rows_of = vec![Vec::new(); values.len()];
        for (row, equation) in equations.iter().enumerate() {
            for (cell, sign) in equation.terms() {
                rows_of[cell].push((row, sign));
            }
        }
        let lower = vec![0; values.len()];
        Self { values, lower, upper, equations, rows_of, integral }
    }

    /// The same cells and sums, with each value possible only within its own range (what a
    /// rounded or perturbed figure tells).
    pub fn with_ranges(&self, lower: Vec<i128>, upper: Vec<i128>) -> Self {
        Self { lower, upper, ..self.clone() }
    }

    /// How many cells there are.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there is no cell.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The true value of a cell, in units.
    pub fn value(&self, cell: CellIndex) -> i128 {
        self.values[cell]
    }

    /// The largest value an attacker holds possible, in units.
    pub fn upper(&self, cell: CellIndex) -> i128 {
        self.upper[cell]
    }

    /// Whether only whole units are possible.
    pub fn is_integral(&self) -> bool {
        self.integral
    }

    /// All equations.
    pub fn equations(&self) -> &[Equation] {
        &self.equations
    }

    /// The equations a cell stands in, with its coefficient.
    pub(crate) fn rows_of(&self, cell: CellIndex) -> &[(usize, i8)] {
        &self.rows_of[cell]
    }

    /// How far `cell` can move towards `sign` (+1 up, −1 down) before it leaves its range.
    pub(crate) fn room(&self, cell: CellIndex, sign: i8) -> i128 {
        if sign > 0 {
            self.upper[cell] - self.values[cell]
        } else {
            self.values[cell] - self.lower[cell]
        }
    }

    /// Whether the true table plus `deviation` agrees with everything published.
    ///
    /// That is: only cells that `hidden` allows move, every equation still holds, every cell stays
    /// in its range, and counts stay whole. Plain integer addition, no solver.
    pub fn admits(&self, deviation: &Deviation, hidden: &dyn Fn(CellIndex) -> bool) -> bool {
        let Deviation { changes, denominator } = deviation;
        if *denominator < 1 || (self.integral && *denominator != 1) {
            return false;
        }
        let mut residual: BTreeMap<usize, i128> = BTreeMap::new();
        for (&cell, &change) in changes {
            if cell >= self.len() || (change != 0 && !hidden(cell)) {
                return false;
            }
            let scaled = |units: i128| units.checked_mul(*denominator);
            let (Some(value), Some(lower)) = (scaled(self.values[cell]), scaled(self.lower[cell]))
            else {
                return false;
            };
            // Where this saturates, no number reaches it.
            let upper = self.upper[cell].saturating_mul(*denominator);
            let Some(moved) = value.checked_add(change) else { return false };
            if moved < lower || moved > upper {
                return false;
            }
            for &(row, sign) in &self.rows_of[cell] {
                let sum = residual.entry(row).or_default();
                let Some(next) = sum.checked_add(i128::from(sign) * change) else { return false };
                *sum = next;
            }
        }
        residual.values().all(|&sum| sum == 0)
    }
}

/// The difference between another possible table and the true one, cell by cell.
///
/// Changes are in units divided by `denominator`: 1 for counts; a magnitude need not fall on the
/// grid it happened to be printed with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deviation {
    /// Change of each moved cell, in units × denominator.
    pub changes: BTreeMap<CellIndex, i128>,
    /// What the changes are divided by, at least 1.
    pub denominator: i128,
}

impl Deviation {
    /// A deviation by whole units.
    pub fn whole(changes: BTreeMap<CellIndex, i128>) -> Self {
        Self { changes, denominator: 1 }
    }

    /// How far `cell` moves, in units rounded towards zero: never more than it truly moves.
    pub fn reach(&self, cell: CellIndex) -> i128 {
        self.changes.get(&cell).map_or(0, |change| change / self.denominator.max(1))
    }

    /// Whether `cell` moves at all.
    pub fn moves(&self, cell: CellIndex) -> bool {
        self.changes.get(&cell).is_some_and(|&change| change != 0)
    }
}

/// What must stay uncertain about one cell, in units.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Demand {
    /// The sensitive cell.
    pub cell: CellIndex,
    /// An attacker must hold values at least this far above the true one possible …
    pub above: i128,
    /// … and at least this far below it.
    pub below: i128,
    /// Besides, the interval must be at least this wide (for a cell whose true value is not known).
    pub width: i128,
    /// Cells whose values this attacker knows already (an insider's own), sorted.
    pub known: Arc<[CellIndex]>,
}

impl Demand {
    /// That the cell stays uncertain by a width, for those outside.
    pub fn of_width(cell: CellIndex, width: i128) -> Self {
        Self { cell, above: 0, below: 0, width, known: Arc::default() }
    }

    /// The longest distance or width demanded.
    pub(crate) fn longest(&self) -> i128 {
        self.above.max(self.below).max(self.width)
    }

    /// The distances to reach, upwards (+1) and downwards (−1), without those of length 0.
    pub(crate) fn reaches(&self) -> impl Iterator<Item = (i8, i128)> {
        [(1, self.above), (-1, self.below)].into_iter().filter(|&(_, distance)| distance > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn square() -> System {
        // a b | r1    4 cells, row sums 4,5, column sums 6,7: a margin published round 2 × 2.
        let sums = [([0, 1], 4), ([2, 3], 5), ([0, 2], 6), ([1, 3], 7)];
        let equations =
            sums.map(|(parts, total)| Equation { total, parts: parts.to_vec() }).to_vec();
        System::new(vec![1, 5, 3, 2, 6, 5, 4, 7], vec![20; 8], equations, true)
    }

    #[test]
    fn admits_only_what_adds_up_and_stays_in_range() {
        let system = square();
        let swap =
            |by: i128| Deviation::whole(BTreeMap::from([(0, by), (1, -by), (2, -by), (3, by)]));
        let inner = |cell: usize| cell < 4;
        assert!(system.admits(&swap(3), &inner));
        assert!(!system.admits(&swap(4), &inner), "cell 2 would fall below zero");
        assert!(!system.admits(&swap(1), &|cell| cell < 3), "cell 3 is published");
        let broken = Deviation::whole(BTreeMap::from([(0, 1), (1, -1)]));
        assert!(!system.admits(&broken, &inner), "the columns no longer add up");
        let half = Deviation { denominator: 2, ..swap(1) };
        assert!(!system.admits(&half, &inner), "half a person");
    }
}
