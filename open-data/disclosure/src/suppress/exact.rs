//! The cheapest safe pattern, by cuts (Fischetti and Salazar, 2000).
//!
//! A master problem chooses cells to hide; for each sensitive cell that its choice leaves exposed,
//! the dual of the attacker's programme gives an inequality that every safe choice satisfies, and
//! the master is solved again: first relaxed, until no inequality is violated, then in whole
//! cells. Each inequality holds for any multipliers whatever, so a solver's inaccuracy can make
//! the answer dearer, never unsafe.

use std::collections::BTreeSet;
use std::time::Duration;

use super::{Goal, Plan, price};
use crate::attack::{Attacker, Reach};
use crate::model::Model;
use crate::primary::Primaries;
use crate::solver::{Cut, Deadline, Master, multipliers};
use crate::system::CellIndex;

/// Multipliers are rounded to parts of this; small fractions stay what they are.
const GRID: f64 = 720_720.0;

/// What the exact search ended with.
#[derive(Debug)]
pub(crate) struct Best {
    pub(crate) hidden: Vec<bool>,
    pub(crate) cost: f64,
    /// A lower bound of the cost of any safe pattern.
    pub(crate) bound: f64,
    pub(crate) optimal: bool,
}

/// The search by cuts, with the best pattern known.
pub(crate) struct Search<'a> {
    model: &'a Model,
    attacker: &'a Attacker<'a>,
    primaries: &'a Primaries,
    goals: &'a [Goal],
    deadline: Deadline,
    costs: Vec<f64>,
    lower: Vec<f64>,
    upper: Vec<f64>,
    cuts: Vec<Cut>,
    seen: BTreeSet<Vec<(usize, i64)>>,
    best: Best,
}

impl<'a> Search<'a> {
    /// A search that starts from a safe pattern.
    pub(crate) fn new(
        model: &'a Model,
        attacker: &'a Attacker<'a>,
        primaries: &'a Primaries,
        goals: &'a [Goal],
        start: &Plan<'_>,
        deadline: Deadline,
    ) -> Self {
        let cells = model.cells.len();
        let mut lower = vec![0.0; cells];
        let upper = (0..cells).map(|c| f64::from(u8::from(model.can_hide(c)))).collect();
        let mut costs: Vec<f64> = (0..cells).map(|cell| price(model, cell)).collect();
        let withheld = (0..cells).filter(|&cell| model.is_withheld(cell));
        for cell in primaries.sensitive().iter().map(|s| s.cell).chain(withheld) {
            lower[cell] = 1.0;
            costs[cell] = 0.0;
        }
        let best =
            Best { hidden: start.hidden.clone(), cost: start.cost(), bound: 0.0, optimal: false };
        let (cuts, seen) = (Vec::new(), BTreeSet::new());
        Self { model, attacker, primaries, goals, deadline, costs, lower, upper, cuts, seen, best }
    }

    /// Runs until the cheapest pattern is proven or time is up.
    pub(crate) fn run(mut self) -> Best {
        self.relax();
        while !self.deadline.passed() {
            let start = self.best.hidden.clone();
            let choice = self.master().solve(&self.cuts, true, Some(&start), self.deadline);
            let Some(choice) = choice else { break };
            self.best.bound = self.best.bound.max(choice.bound);
            let hidden: Vec<bool> = choice.values.iter().map(|&value| value > 0.5).collect();
            let degrees: Vec<f64> = hidden.iter().map(|&on| f64::from(u8::from(on))).collect();
            let added = self.separate(&degrees);
            if added == 0 || self.best.cost <= self.best.bound * (1.0 + 1e-9) {
                self.improve_from(&hidden);
                self.best.optimal = choice.optimal
                    && self.best.cost <= self.best.bound.max(choice.bound) * (1.0 + 1e-6) + 1e-6;
                break;
            }
            self.improve_from(&hidden);
        }
        self.best
    }

    fn master(&self) -> Master<'_> {
        Master { costs: &self.costs, lower: &self.lower, upper: &self.upper }
    }

    /// Cuts of the relaxed problem until none is violated.
    fn relax(&mut self) {
        for round in 0.. {
            if self.deadline.passed() || round > 200 {
                return;
            }
            let Some(choice) = self.master().solve(&self.cuts, false, None, self.deadline) else {
                return;
            };
            self.best.bound = self.best.bound.max(choice.bound);
            let added = self.separate(&choice.values);
            tracing::debug!(round, cuts = self.cuts.len(), added, bound = choice.bound, "relaxed");
            if added == 0 {
                return;
            }
        }
    }

    /// Adds the violated inequalities of every goal; says how many were new.
    fn separate(&mut self, degrees: &[f64]) -> usize {
        let mut added = 0;
        for goal in self.goals {
            let [reach] = goal.reaches[..] else { continue };
            let mut degrees = degrees.to_vec();
            goal.demand.known.iter().for_each(|&cell| degrees[cell] = 0.0);
            let limit = self.deadline.within(Duration::from_secs(20));
            let Some(gamma) = multipliers(self.attacker.system, &degrees, reach, limit) else {
                continue;
            };
            let cut = self.cut_of(&gamma, reach, &goal.demand.known);
            let filled: f64 = cut.iter().map(|&(cell, weight)| weight * degrees[cell]).sum();
            let rounded = cut.iter().map(|&(cell, w)| (cell, (w * 1e6) as i64)).collect();
            if filled < 1.0 - 1e-4 && self.seen.insert(rounded) {
                self.cuts.push(cut);
                added += 1;
            }
        }
        added
    }

    /// Σ min(cᵢ, distance) xᵢ ≥ distance, divided by the distance, where cᵢ is how much cell i
    /// could contribute under the multipliers.
    fn cut_of(&self, gamma: &[f64], (cell, sign, distance): Reach, known: &[CellIndex]) -> Cut {
        let system = self.attacker.system;
        let distance = distance.max(1) as f64;
        // On a grid sums are exact: a term is left out only if it is nothing.
        let gamma: Vec<i64> = gamma.iter().map(|by| (by * GRID).round() as i64).collect();
        let mut cut = Vec::new();
        for other in (0..system.len()).filter(|&other| other != cell) {
            if self.upper[other] == 0.0 && self.lower[other] == 0.0
                || known.binary_search(&other).is_ok()
            {
                continue;
            }
            let rows = system.rows_of(other).iter();
            let reduced: i64 = -rows.map(|&(row, s)| gamma[row] * i64::from(s)).sum::<i64>();
            if reduced == 0 {
                continue;
            }
            let reduced = reduced as f64 / GRID;
            let room = system.room(other, if reduced > 0.0 { 1 } else { -1 }) as f64;
            let weight = (reduced.abs() * room / distance).min(1.0);
            if weight > 0.0 {
                // Raised, never dropped: the inequality stays valid and the numbers tame.
                cut.push((other, weight.max(1e-4)));
            }
        }
        debug_assert!(sign != 0);
        cut
    }

    /// Makes a choice safe and keeps it if it beats the best.
    fn improve_from(&mut self, hidden: &[bool]) {
        let deadline = self.deadline;
        let mut plan = Plan::new(self.model, self.attacker, self.primaries, self.goals, deadline)
            .hiding_also(hidden);
        plan.complete();
        if plan.missed() == 0 && plan.cost() < self.best.cost {
            tracing::debug!(cost = plan.cost(), "better pattern");
            self.best.cost = plan.cost();
            self.best.hidden = plan.hidden;
        }
    }
}
