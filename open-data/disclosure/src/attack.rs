//! One attacker's question: could this cell be so much more, or so much less?
//!
//! Answered with a witness, an exact [`Deviation`] that [`System::admits`] has checked, or not at
//! all. Products of moves are tried first ([`super::lattice`]), then a linear programme over the
//! hidden cells tied to this one, then, for counts, an integer programme.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::certificate;
use super::exact::exact_move;
use super::lattice::{Lattice, Search};
use super::model::Model;
use super::solver::{Component, Deadline, Proposal, cheapest_move, dual, push};
use super::system::{CellIndex, Deviation, System};

/// In tables of more cells than this, programmes are slow and searches are tried longer.
pub(crate) const LARGE_TABLE: usize = 6_400;
/// Linear programmes take at most so many hidden cells, the nearest: small ones first, because
/// most movements close near the cell and a small programme is solved at once.
const PROGRAMME_SIZES: [usize; 4] = [300, 1_200, 4_000, 12_000];
/// Ranges for a report are computed over at most this many hidden cells.
const LARGEST_RANGE_PROGRAMME: usize = 2_000;
/// Integer programmes above this many cells to decide are left out.
const LARGEST_INTEGER_PROGRAMME: usize = 1_500;
const TIME_PER_PROGRAMME: Duration = Duration::from_secs(40);
const TIME_PER_INTEGER_PROGRAMME: Duration = Duration::from_secs(3);

/// Which cell is to move, which way (+1, −1) and how far, in units.
pub(crate) type Reach = (CellIndex, i8, i128);

/// How hard to look before saying that nothing was found.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Diligence {
    /// Work per search of products.
    pub(crate) effort: u32,
    /// How often a search begins anew.
    pub(crate) attempts: u32,
    /// Whether programmes may be solved when the search finds nothing.
    pub(crate) programmes: bool,
}

impl Diligence {
    /// Everything there is: programmes do the rest in small tables, patience in large ones.
    pub(crate) fn thorough(cells: usize) -> Self {
        let attempts = if cells > LARGE_TABLE { 400 } else { 16 };
        Self { effort: 100_000, attempts, programmes: true }
    }

    /// One quick look: for the many questions that a large table's plan asks.
    pub(crate) const QUICK: Self = Self { effort: 20_000, attempts: 1, programmes: false };
}

/// What an attacker has to work with.
#[derive(Debug)]
pub(crate) struct Attacker<'m> {
    pub(crate) system: &'m System,
    pub(crate) lattice: Option<Lattice<'m>>,
}

impl<'m> Attacker<'m> {
    /// An attacker of a model's tables.
    pub(crate) fn new(model: &'m Model) -> Self {
        Self { system: &model.system, lattice: Lattice::new(model) }
    }

    /// A witness that the cell can move so far, given what is hidden and what is known besides.
    pub(crate) fn witness(
        &self,
        hidden: &dyn Fn(CellIndex) -> bool,
        reach: Reach,
        diligence: Diligence,
        deadline: Deadline,
    ) -> Option<Deviation> {
        let (cell, sign, distance) = reach;
        if !hidden(cell) || self.system.room(cell, sign) < distance || deadline.passed() {
            return None;
        }
        if let Some(found) = self.search(hidden, reach, diligence, deadline) {
            return Some(found);
        }
        if !diligence.programmes {
            return None;
        }
        let mut tried = 0;
        for most in PROGRAMME_SIZES {
            if deadline.passed() {
                return None;
            }
            let component = Component::restricted(self.system, hidden, cell, most);
            // A wider ring that ties nothing more in has nothing new to say.
            if component.cells.len() > tried {
                tried = component.cells.len();
                let found = self.solve(&component, hidden, reach, deadline);
                if found.is_some() {
                    return found;
                }
            }
        }
        None
    }

    fn search(
        &self,
        hidden: &dyn Fn(CellIndex) -> bool,
        reach: Reach,
        Diligence { effort, attempts, .. }: Diligence,
        deadline: Deadline,
    ) -> Option<Deviation> {
        let price = |cell| hidden(cell).then_some(0.0);
        let search = Search { price: &price, effort, attempts, deadline };
        let found = self.lattice.as_ref()?.cheapest(reach, &search)?;
        self.accept(found.deviation, hidden, reach)
    }

    fn solve(
        &self,
        component: &Component,
        hidden: &dyn Fn(CellIndex) -> bool,
        reach: Reach,
        deadline: Deadline,
    ) -> Option<Deviation> {
        let (cell, sign, distance) = reach;
        let limit = deadline.within(TIME_PER_PROGRAMME);
        // The shortest movement: it is sparse, and so more often whole than any other.
        let free = |other: CellIndex| hidden(other).then_some(0.0);
        let proposal = cheapest_move(self.system, component, &free, reach, limit)?;
        let target = (cell, i128::from(sign) * distance);
        let exact = exact_move(self.system, &proposal, target)
            .and_then(|deviation| self.accept(deviation, hidden, reach));
        if exact.is_some() || !self.system.is_integral() {
            return exact;
        }
        self.make_whole(component, &proposal, hidden, reach, deadline)
    }

    /// Keeps what is whole of a proposal and looks for whole movements of the rest, letting go of
    /// its neighbours ring by ring.
    fn make_whole(
        &self,
        component: &Component,
        proposal: &Proposal,
        hidden: &dyn Fn(CellIndex) -> bool,
        reach: Reach,
        deadline: Deadline,
    ) -> Option<Deviation> {
        let (cell, sign, distance) = reach;
        let moved: BTreeMap<CellIndex, f64> = proposal.iter().copied().collect();
        let by = |other: CellIndex| moved.get(&other).copied().unwrap_or(0.0);
        let mut open: BTreeSet<CellIndex> = moved
            .iter()
            .filter(|&(_, by)| (by - by.round()).abs() > 1e-6)
            .map(|(&other, _)| other)
            .collect();
        for _ in 0..4 {
            if open.len() > LARGEST_INTEGER_PROGRAMME || deadline.passed() {
                return None;
            }
            let stays = component.cells.iter().filter(|&other| !open.contains(other));
            let kept = stays.map(|&other| (other, by(other).round() as i128)).collect();
            let limit = deadline.within(TIME_PER_INTEGER_PROGRAMME);
            let whole = push(self.system, component, reach, Some(&kept), limit);
            let target = (cell, i128::from(sign) * distance);
            let found = whole
                .and_then(|whole| exact_move(self.system, &whole, target))
                .and_then(|deviation| self.accept(deviation, hidden, reach));
            if found.is_some() {
                return found;
            }
            let rows: BTreeSet<usize> = open
                .iter()
                .flat_map(|&other| self.system.rows_of(other).iter().map(|&(row, _)| row))
                .collect();
            for row in rows {
                open.extend(self.system.equations()[row].terms().map(|(other, _)| other));
            }
            open.retain(|other| component.cells.binary_search(other).is_ok());
        }
        None
    }

    /// The judge: a deviation counts only if it is admitted and goes far enough.
    pub(crate) fn accept(
        &self,
        deviation: Deviation,
        hidden: &dyn Fn(CellIndex) -> bool,
        (cell, sign, distance): Reach,
    ) -> Option<Deviation> {
        let far = deviation.reach(cell) * i128::from(sign) >= distance;
        (far && self.system.admits(&deviation, hidden)).then_some(deviation)
    }

    /// How far the cell can move each way, `(down, up)` in units, at most: a bound that integer
    /// arithmetic proves, near the truth where a solver finds good multipliers for it.
    ///
    /// `wanted` is the distance in question. In large tables only the equations near the cell are
    /// used, which can only make the bound larger.
    pub(crate) fn range(
        &self,
        hidden: &dyn Fn(CellIndex) -> bool,
        (cell, wanted): (CellIndex, i128),
        deadline: Deadline,
    ) -> (i128, i128) {
        if !hidden(cell) {
            return (0, 0);
        }
        let room = |sign: i8| self.system.room(cell, sign).max(0);
        if deadline.passed() {
            return (room(-1), room(1));
        }
        let mut component = Component::around(self.system, hidden, cell);
        if component.cells.is_empty() {
            return (0, 0);
        }
        if component.cells.len() > LARGEST_RANGE_PROGRAMME {
            component = Component::near(self.system, hidden, cell, LARGEST_RANGE_PROGRAMME);
        }
        let far = |sign: i8| {
            let limit = deadline.within(TIME_PER_PROGRAMME);
            let reach = (cell, sign, wanted);
            dual(self.system, &component, reach, limit)
                .and_then(|found| certificate::bound(self.system, hidden, (cell, sign), &found))
                .map_or(room(sign), |bound| bound.clamp(0, room(sign)))
        };
        (far(-1), far(1))
    }
}
