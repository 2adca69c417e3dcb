//! Controlled rounding: every figure a multiple of the base, every total still the sum.
//!
//! Elements (cells that are no sum) are rounded to the multiple below or above, the nearer one at
//! first; then one at a time they change sides while that brings totals nearer to the truth. A
//! total is the sum of its rounded parts, so it may be further away than the base; how far is
//! measured and reported. Fully determined by the tables of the run: the same run gives the same
//! figures. A run over other tables can round a shared cell to its other multiple, and what several
//! such releases tell together is not judged: round what belongs together in one run.

use std::time::Instant;

use super::{AlternativeError, AuditedFigures, Method, audit_figures, is_a_count, nothing_is_out};
use crate::input::spec::Spec;
use crate::model::Model;
use crate::protect::Limits;
use crate::solver::Deadline;
use crate::system::{CellIndex, System};

/// Rounds a candidate as declared and audits the result.
///
/// # Errors
///
/// When nothing is declared, the measure is no count, totals cannot be kept, part of it is out, or
/// a sensitive cell keeps too few possible values.
pub fn round_table(
    spec: &Spec,
    model: &Model,
    limits: Limits,
) -> Result<AuditedFigures, AlternativeError> {
    let declared = spec.rounding.ok_or(AlternativeError::NotDeclared { section: "rounding" })?;
    is_a_count(model)?;
    nothing_is_out(model)?;
    let (started, deadline) = (Instant::now(), Deadline::after(limits.time));
    let base = i128::from(declared.base) * 10_i128.pow(model.scale);
    let system = &model.system;
    let sums = Sums::new(system);
    let mut figures: Vec<i128> =
        (0..system.len()).map(|cell| nearest(system.value(cell), base)).collect();
    sums.add_up(&mut figures);
    sums.balance(system, base, &mut figures);
    if let Some(broken) = system.equations().iter().find(|equation| {
        figures[equation.total] != equation.parts.iter().map(|&p| figures[p]).sum::<i128>()
    }) {
        return Err(AlternativeError::NotAdditive { cell: model.name(broken.total) });
    }
    // An attacker knows the rule: an element lies less than a base away, a total as far as its
    // elements allow.
    let reach = |cell: CellIndex| (base - 1) * sums.elements_of(cell).max(1);
    let ranges =
        |cell: CellIndex, figure: i128| ((figure - reach(cell)).max(0), figure + reach(cell));
    let method = Method { name: "rounded", ranges: &ranges, started, deadline };
    audit_figures(model, figures, &method)
}

fn nearest(value: i128, base: i128) -> i128 {
    (value + base / 2).div_euclid(base) * base
}

/// Which equation computes each total, parts before totals.
struct Sums {
    /// For each total, one equation that gives it.
    order: Vec<(CellIndex, usize)>,
    equations: Vec<Vec<CellIndex>>,
    /// For each cell, the totals it enters, with how often.
    above: Vec<Vec<CellIndex>>,
    is_total: Vec<bool>,
    elements: Vec<i128>,
}

impl Sums {
    fn new(system: &System) -> Self {
        let mut defined: Vec<Option<usize>> = vec![None; system.len()];
        for (row, equation) in system.equations().iter().enumerate() {
            defined[equation.total].get_or_insert(row);
        }
        let equations: Vec<_> = system.equations().iter().map(|e| e.parts.clone()).collect();
        let is_total: Vec<bool> = defined.iter().map(Option::is_some).collect();
        let mut done: Vec<bool> = is_total.iter().map(|total| !total).collect();
        let mut order = Vec::new();
        loop {
            let ready: Vec<(CellIndex, usize)> = (0..system.len())
                .filter(|&cell| !done[cell])
                .filter_map(|cell| Some((cell, defined[cell]?)))
                .filter(|&(_, row)| equations[row].iter().all(|&part| done[part]))
                .collect();
            if ready.is_empty() {
                break;
            }
            ready.iter().for_each(|&(cell, _)| done[cell] = true);
            order.extend(ready);
        }
        let mut elements: Vec<i128> = is_total.iter().map(|&total| i128::from(!total)).collect();
        let mut above = vec![Vec::new(); system.len()];
        for &(cell, row) in order.iter() {
            elements[cell] = equations[row].iter().map(|&part| elements[part]).sum();
        }
        // Every total over an element, through the defining equations, once.
        for &(cell, row) in order.iter().rev() {
            let mut parts = equations[row].clone();
            while let Some(part) = parts.pop() {
                match defined[part].filter(|_| is_total[part]) {
                    Some(row) => parts.extend(&equations[row]),
                    None => above[part].push(cell),
                }
            }
        }
        Self { order, equations, above, is_total, elements }
    }

    fn elements_of(&self, cell: CellIndex) -> i128 {
        self.elements[cell]
    }

    fn add_up(&self, figures: &mut [i128]) {
        for &(cell, row) in &self.order {
            figures[cell] = self.equations[row].iter().map(|&part| figures[part]).sum();
        }
    }

    /// Moves elements to their other multiple while totals come nearer to the truth.
    fn balance(&self, system: &System, base: i128, figures: &mut [i128]) {
        let value = |cell: CellIndex| system.value(cell);
        for _ in 0..64 {
            let mut changed = false;
            for cell in (0..system.len()).filter(|&cell| !self.is_total[cell]) {
                let rest = value(cell).rem_euclid(base);
                if rest == 0 {
                    continue;
                }
                let (low, high) = (value(cell) - rest, value(cell) - rest + base);
                let other = if figures[cell] == low { high } else { low };
                let step = other - figures[cell];
                let gain: i128 = std::iter::once(&cell)
                    .chain(&self.above[cell])
                    .map(|&total| {
                        let error = figures[total] - value(total);
                        (error + step) * (error + step) - error * error
                    })
                    .sum();
                if gain < 0 {
                    figures[cell] = other;
                    self.above[cell].iter().for_each(|&total| figures[total] += step);
                    changed = true;
                }
            }
            if !changed {
                return;
            }
        }
    }
}
