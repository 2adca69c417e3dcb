//! The rules, applied to one cell at a time.

use super::Reason;
use crate::input::spec::{Percent, Rule};
use crate::model::{Cell, Model, Standing};
use crate::system::{CellIndex, Demand};

/// For every cell, the first rule that it breaks and what protects it.
pub(super) fn broken(model: &Model) -> Vec<Option<(Reason, Demand)>> {
    let empty_of_group = if model.rule.group_disclosure { group_zeros(model) } else { Vec::new() };
    let harmless = if model.counts { Vec::new() } else { harmless(model) };
    let one = |index: CellIndex| {
        let cell = &model.cells[index];
        if !cell.is_true {
            return unknown(model, index);
        }
        if cell.standing == Standing::Implied && !model.counts {
            let distance = default_distance(&model.rule, cell.value).max(1);
            let demand = (Reason::Difference, both_sides(index, cell.value, distance));
            return (!harmless[index]).then_some(demand);
        }
        let mut found = judge(model, cell);
        if empty_of_group.binary_search(&index).is_ok() {
            found.push((Reason::GroupDisclosure, threshold(model)));
        }
        let reason = found.first()?.0;
        let distance = found.iter().map(|&(_, distance)| distance).max().unwrap_or(0).max(1);
        Some((reason, both_sides(index, cell.value, distance)))
    };
    (0..model.cells.len()).map(one).collect()
}

fn both_sides(cell: CellIndex, value: i128, distance: i128) -> Demand {
    Demand { above: distance, below: distance.min(value), ..Demand::of_width(cell, 0) }
}

fn threshold(model: &Model) -> i128 {
    i128::from(model.rule.min_contributors.unwrap_or(1)).max(1)
}

/// The declared share of a value, else 10 %.
fn default_distance(rule: &Rule, value: i128) -> i128 {
    rule.protection_percent.or(Percent::new(10.0)).map_or(value, |percent| percent.of(value))
}

/// A cell whose value is not at hand must stay uncertain by a width, wherever its value lies.
fn unknown(model: &Model, index: CellIndex) -> Option<(Reason, Demand)> {
    let implied = model.standing(index) == Standing::Implied;
    let reason = if implied { Reason::Difference } else { Reason::WithheldBefore };
    if model.counts {
        return Some((reason, Demand::of_width(index, threshold(model))));
    }
    // At most what the smallest known sum above it allows.
    let above = model.system.rows_of(index).iter().filter(|&&(_, sign)| sign < 0);
    let totals = above.map(|&(row, _)| model.system.equations()[row].total);
    let known = totals.filter(|&total| model.cells[total].is_true);
    let most = known.map(|total| model.cells[total].value).min();
    let largest = || model.cells.iter().map(|cell| cell.value).max();
    let most = most.or_else(largest).unwrap_or(0);
    let width = 2 * default_distance(&model.rule, most).max(1);
    Some((reason, Demand::of_width(index, width)))
}

/// Every rule that a cell breaks, with the distance that the rule asks for.
fn judge(model: &Model, cell: &Cell) -> Vec<(Reason, i128)> {
    let rule = &model.rule;
    let contributors = cell.contributors;
    if contributors == Some(0) || (contributors.is_none() && cell.value == 0) {
        let zero = rule.zeros && model.counts;
        return zero.then_some((Reason::Zero, threshold(model))).into_iter().collect();
    }
    let declared = rule.protection_percent.map(|percent| percent.of(cell.value));
    let mut broken = Vec::new();
    if let (Some(least), Some(count)) = (rule.min_contributors, contributors)
        && count < i128::from(least)
    {
        let usual =
            if model.counts { threshold(model) } else { default_distance(rule, cell.value) };
        broken.push((Reason::FewContributors, declared.unwrap_or(usual)));
    }
    let Some(largest) = cell.largest else { return broken };
    let second = cell.second.unwrap_or(0);
    if let Some(dominance) = rule.dominance {
        let top = if dominance.n == 1 { largest } else { largest + second };
        if dominance.percent.exceeded_by(top, cell.value) {
            let enough = dominance.percent.whole_of(top) - cell.value;
            broken.push((Reason::Dominance, declared.unwrap_or(enough)));
        }
    }
    let rest = cell.value - largest - second;
    if let Some(p) = rule.p_percent.filter(|p| rest < p.of(largest)) {
        let enough = p.of(largest) - rest;
        broken.push((Reason::PPercent, declared.unwrap_or(0).max(enough)));
    }
    broken
}

/// Empty cells that tell that everyone of their group is in the one other cell.
fn group_zeros(model: &Model) -> Vec<CellIndex> {
    let mut cells = Vec::new();
    for equation in model.system.equations() {
        let is_empty =
            |&cell: &CellIndex| model.cells[cell].is_true && model.cells[cell].value == 0;
        let (empty, filled): (Vec<CellIndex>, Vec<CellIndex>) =
            equation.parts.iter().partition(|cell| is_empty(cell));
        if filled.len() == 1 {
            cells.extend(empty);
        }
    }
    cells.sort_unstable();
    cells.dedup();
    cells
}

/// Magnitudes: cells of which nothing sensitive can be learned. A sum of parts that break no rule
/// breaks none either, because the rules' measures are subadditive.
fn harmless(model: &Model) -> Vec<bool> {
    let judged = model.cells.iter().map(|cell| match cell.standing {
        Standing::Out => true,
        Standing::Implied => cell.is_true && cell.value == 0,
        _ => cell.is_true && judge(model, cell).is_empty(),
    });
    let mut harmless: Vec<bool> = judged.collect();
    loop {
        let mut changed = false;
        for equation in model.system.equations() {
            if !harmless[equation.total]
                && model.standing(equation.total) == Standing::Implied
                && equation.parts.iter().all(|&part| harmless[part])
            {
                (harmless[equation.total], changed) = (true, true);
            }
        }
        if !changed {
            return harmless;
        }
    }
}
