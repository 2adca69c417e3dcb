//! Complementary suppression: what else to hide so that the sensitive cells stay uncertain.
//!
//! [`Plan`] is the constructive part, for tables of any size: each sensitive cell, in falling
//! need, gets the cheapest movement that protects it, and every cell that movement uses is hidden;
//! then hidden cells are published again one by one while every movement can be replaced. It
//! always ends with a pattern that it believes safe — in the last resort everything is hidden —
//! and says which cells it could not protect at all. [`exact`] improves on it where the table's
//! size allows. Neither is believed: the audit judges what comes out.

pub(crate) mod exact;

use std::collections::BTreeSet;
use std::time::Duration;

use super::attack::{Attacker, Diligence, LARGE_TABLE, Reach};
use super::exact::exact_move;
use super::input::spec::Objective;
use super::lattice::Search;
use super::model::Model;
use super::primary::Primaries;
use super::solver::{Component, Deadline, cheapest_move};
use super::system::{CellIndex, Demand, Deviation};

/// Tables up to this many cells are small enough for a programme per sensitive cell.
const SMALL_TABLE: usize = 2_500;

/// One witness wanted: a demand, and the movements of which any one will do.
#[derive(Debug, Clone)]
pub(crate) struct Goal {
    pub(crate) demand: Demand,
    pub(crate) reaches: Vec<Reach>,
}

/// The witnesses that a set of demands wants, in falling distance.
pub(crate) fn goals_of(demands: &[Demand]) -> Vec<Goal> {
    let mut goals = Vec::new();
    for demand in demands {
        let cell = demand.cell;
        for (sign, distance) in demand.reaches() {
            goals.push(Goal { demand: demand.clone(), reaches: vec![(cell, sign, distance)] });
        }
        if demand.width > 0 {
            let reaches = vec![(cell, 1, demand.width), (cell, -1, demand.width)];
            goals.push(Goal { demand: demand.clone(), reaches });
        }
    }
    goals.sort_by_key(|goal| std::cmp::Reverse(goal.reaches[0].2));
    goals
}

/// A pattern in the making.
pub(crate) struct Plan<'a> {
    model: &'a Model,
    attacker: &'a Attacker<'a>,
    goals: &'a [Goal],
    deadline: Deadline,
    /// Hidden cells, the withheld and implied ones included.
    pub(crate) hidden: Vec<bool>,
    sensitive: Vec<bool>,
    /// One per goal, where found.
    witnesses: Vec<Option<Deviation>>,
    /// Per cell: the goals whose witnesses move it.
    users: Vec<BTreeSet<usize>>,
}

impl<'a> Plan<'a> {
    /// A plan that hides only what must be hidden.
    pub(crate) fn new(
        model: &'a Model,
        attacker: &'a Attacker<'a>,
        primaries: &Primaries,
        goals: &'a [Goal],
        deadline: Deadline,
    ) -> Self {
        let cells = model.cells.len();
        let mut sensitive = vec![false; cells];
        primaries.sensitive().iter().for_each(|s| sensitive[s.cell] = true);
        let hidden = (0..cells).map(|cell| sensitive[cell] || model.is_withheld(cell)).collect();
        Self {
            model,
            attacker,
            goals,
            deadline,
            hidden,
            sensitive,
            witnesses: vec![None; goals.len()],
            users: vec![BTreeSet::new(); cells],
        }
    }

    /// Hides a given pattern as well, to start from.
    pub(crate) fn hiding_also(mut self, hidden: &[bool]) -> Self {
        self.hidden.iter_mut().zip(hidden).for_each(|(own, &given)| *own |= given);
        self
    }

    /// What is spent on the pattern.
    pub(crate) fn cost(&self) -> f64 {
        (0..self.hidden.len()).filter(|&c| self.is_secondary(c)).map(|c| price(self.model, c)).sum()
    }

    /// The witnesses of the plan, for the audit to check.
    pub(crate) fn into_witnesses(self) -> Vec<Deviation> {
        self.witnesses.into_iter().flatten().collect()
    }

    /// Goals without a witness.
    pub(crate) fn missed(&self) -> usize {
        self.witnesses.iter().filter(|witness| witness.is_none()).count()
    }

    /// Protects every goal, then publishes again what is not needed.
    pub(crate) fn complete(&mut self) {
        // What was withheld before needs no new suppression if its own release was safe, and its
        // witnesses carry over to the cells that it is now part of.
        let withheld = |&goal: &usize| self.model.is_withheld(self.goals[goal].demand.cell);
        let mut order: Vec<usize> = (0..self.goals.len()).filter(withheld).collect();
        order.extend((0..self.goals.len()).filter(|goal| !withheld(goal)));
        let hard: Vec<usize> = order.into_iter().filter(|&goal| !self.secure(goal)).collect();
        for goal in hard {
            if !self.borrow(goal) {
                self.widen(goal);
            }
        }
        self.publish_unneeded();
    }

    fn is_secondary(&self, cell: CellIndex) -> bool {
        self.hidden[cell] && !self.sensitive[cell] && !self.model.is_withheld(cell)
    }

    fn is_small(&self) -> bool {
        self.model.cells.len() <= SMALL_TABLE
    }

    /// Finds a witness for a goal, hiding the cheapest movement's cells if need be.
    fn secure(&mut self, goal: usize) -> bool {
        if self.find(goal) || self.borrow(goal) {
            return true;
        }
        if self.deadline.passed() {
            return false;
        }
        let reaches = self.goals[goal].reaches.clone();
        let mut best: Option<(f64, Deviation)> = None;
        for reach in reaches {
            let found = [self.cheapest_product(goal, reach), self.cheapest_programme(goal, reach)];
            for deviation in found.into_iter().flatten() {
                let cost = self.extra_cost(&deviation);
                if best.as_ref().is_none_or(|(least, _)| cost < *least) {
                    best = Some((cost, deviation));
                }
            }
        }
        if let Some((_, deviation)) = best {
            let moved: Vec<_> =
                deviation.changes.keys().copied().filter(|&c| deviation.moves(c)).collect();
            moved.into_iter().for_each(|cell| self.hidden[cell] = true);
            return self.find_by(goal, deviation) || self.find(goal);
        }
        false
    }

    /// Uses another goal's witness that happens to move this one's cell far enough.
    fn borrow(&mut self, goal: usize) -> bool {
        let lenders: Vec<usize> =
            self.users[self.goals[goal].demand.cell].iter().copied().collect();
        lenders.into_iter().any(|lender| {
            self.witnesses[lender].clone().is_some_and(|witness| self.find_by(goal, witness))
        })
    }

    fn extra_cost(&self, deviation: &Deviation) -> f64 {
        let moved = deviation.changes.keys().filter(|&&cell| !self.hidden[cell]);
        moved.map(|&cell| price(self.model, cell)).sum()
    }

    /// In despair: hides whole equations round the cell, then everything.
    fn widen(&mut self, goal: usize) {
        let cell = self.goals[goal].demand.cell;
        for step in 0..2 {
            if step == 0 {
                for &(row, _) in self.model.system.rows_of(cell) {
                    for (other, _) in self.model.system.equations()[row].terms() {
                        self.hidden[other] |= self.model.can_hide(other);
                    }
                }
            } else {
                self.hide_everything();
            }
            let diligence = Diligence::thorough(self.model.cells.len());
            let witness = self.look(goal, None, diligence);
            if witness.is_some_and(|witness| self.find_by(goal, witness)) || self.borrow(goal) {
                return;
            }
        }
    }

    fn hide_everything(&mut self) {
        (0..self.hidden.len()).for_each(|cell| self.hidden[cell] |= self.model.can_hide(cell));
    }

    fn find(&mut self, goal: usize) -> bool {
        let witness = self.look(goal, None, self.usual());
        witness.is_some_and(|witness| self.find_by(goal, witness))
    }

    /// How hard to look, as a rule.
    fn usual(&self) -> Diligence {
        if self.model.cells.len() <= LARGE_TABLE {
            Diligence::thorough(self.model.cells.len())
        } else {
            Diligence::QUICK
        }
    }

    /// A witness within the pattern, without the cell `but`.
    fn look(&self, goal: usize, but: Option<CellIndex>, diligence: Diligence) -> Option<Deviation> {
        let Goal { demand, reaches } = &self.goals[goal];
        let hidden = |cell: CellIndex| {
            self.hidden[cell] && Some(cell) != but && demand.known.binary_search(&cell).is_err()
        };
        let mut reaches = reaches.iter();
        reaches.find_map(|&reach| self.attacker.witness(&hidden, reach, diligence, self.deadline))
    }

    fn find_by(&mut self, goal: usize, witness: Deviation) -> bool {
        let Goal { demand, reaches } = &self.goals[goal];
        let hidden =
            |cell: CellIndex| self.hidden[cell] && demand.known.binary_search(&cell).is_err();
        let accepted =
            reaches.iter().find_map(|&reach| self.attacker.accept(witness.clone(), &hidden, reach));
        let Some(witness) = accepted else { return false };
        self.store(goal, witness);
        true
    }

    fn store(&mut self, goal: usize, witness: Deviation) {
        if let Some(old) = self.witnesses[goal].take() {
            for &cell in old.changes.keys() {
                self.users[cell].remove(&goal);
            }
        }
        for &cell in witness.changes.keys().filter(|&&cell| witness.moves(cell)) {
            self.users[cell].insert(goal);
        }
        self.witnesses[goal] = Some(witness);
    }

    fn price_for(&self, goal: usize, cell: CellIndex) -> Option<f64> {
        if self.goals[goal].demand.known.binary_search(&cell).is_ok() {
            None
        } else if self.hidden[cell] {
            Some(0.0)
        } else {
            self.model.can_hide(cell).then(|| price(self.model, cell))
        }
    }

    fn cheapest_product(&self, goal: usize, reach: Reach) -> Option<Deviation> {
        let price = |cell| self.price_for(goal, cell);
        let lattice = self.attacker.lattice.as_ref()?;
        let thorough = Diligence::thorough(self.model.cells.len());
        [Diligence::QUICK, thorough].into_iter().find_map(|diligence| {
            let Diligence { effort, attempts, .. } = diligence;
            let search = Search { price: &price, effort, attempts, deadline: self.deadline };
            lattice.cheapest(reach, &search).map(|found| found.deviation)
        })
    }

    fn cheapest_programme(&self, goal: usize, reach: Reach) -> Option<Deviation> {
        if !self.is_small() {
            return None;
        }
        let price = |cell| self.price_for(goal, cell);
        let limit = self.deadline.within(Duration::from_secs(20));
        let (cell, sign, distance) = reach;
        let system = self.attacker.system;
        let component = Component::around(system, &|cell| price(cell).is_some(), cell);
        if component.cells.is_empty() {
            return None;
        }
        let proposal = cheapest_move(system, &component, &price, reach, limit)?;
        exact_move(self.attacker.system, &proposal, (cell, i128::from(sign) * distance))
    }

    /// Publishes hidden cells again, dearest first, while every goal keeps a witness.
    pub(crate) fn publish_unneeded(&mut self) {
        let mut cells: Vec<CellIndex> =
            (0..self.hidden.len()).filter(|&cell| self.is_secondary(cell)).collect();
        let dear = |&cell: &CellIndex| price(self.model, cell);
        cells.sort_by(|a, b| dear(b).total_cmp(&dear(a)).then(a.cmp(b)));
        for cell in cells {
            if self.deadline.passed() && !self.users[cell].is_empty() {
                continue;
            }
            self.publish_if_unneeded(cell);
        }
    }

    fn publish_if_unneeded(&mut self, cell: CellIndex) {
        let users: Vec<usize> = self.users[cell].iter().copied().collect();
        let mut replaced = Vec::new();
        for goal in users {
            let Some(witness) = self.look(goal, Some(cell), self.usual()) else { return };
            replaced.push((goal, witness));
        }
        self.hidden[cell] = false;
        replaced.into_iter().for_each(|(goal, witness)| self.store(goal, witness));
    }
}

/// What it costs to hide a cell: never nothing, so that no cell is hidden for nothing.
pub(crate) fn price(model: &Model, cell: CellIndex) -> f64 {
    let unit = 10_f64.powi(i32::try_from(model.scale).unwrap_or(0));
    let value = model.system.value(cell) as f64 / unit;
    match model.objective {
        Objective::Value => value + 1.0,
        Objective::Cells => {
            let largest = model.system.upper(cell) as f64 / unit;
            1.0 + 0.001 * value / largest.max(1.0)
        }
    }
}
