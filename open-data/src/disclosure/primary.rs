//! Which cells are sensitive by themselves, and how far an attacker must be kept from each.
//!
//! The rules are those of official statistics (Hundepool et al., *Statistical Disclosure Control*,
//! 2012, chapter 4): a minimum number of contributors, (n, k)-dominance, p%. Each says how much
//! protection a cell needs above and below its value. A cell whose true value is not known (it was
//! suppressed in an earlier release and only the release was kept) must stay uncertain by a width.

use std::collections::BTreeMap;

use super::audit::Status;
use super::model::{Cell, Model, Standing};
use super::system::{CellIndex, Demand};

/// Why a cell is sensitive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Fewer contributors than the minimum.
    FewContributors,
    /// The largest contributions dominate.
    Dominance,
    /// The second largest contributor could estimate the largest.
    PPercent,
    /// An empty cell, declared sensitive.
    Zero,
    /// Everyone of a group is in this one cell.
    GroupDisclosure,
    /// Suppressed in an earlier release, its value not at hand.
    WithheldBefore,
}

/// A sensitive cell with what protects it.
#[derive(Debug, Clone)]
pub struct Sensitive {
    /// The cell.
    pub cell: CellIndex,
    /// The first rule that makes it so.
    pub reason: Reason,
    /// What an outsider must not find out.
    pub demand: Demand,
    /// Whether earlier releases leave less than the rules want, and the demand is what they leave.
    pub narrowed: bool,
}

/// A cell sensitive by the rules that is out already: nothing can be done for it any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AlreadyOut {
    /// The cell.
    pub cell: CellIndex,
    /// The rule that it breaks.
    pub reason: Reason,
}

/// What the rules say about every cell.
#[derive(Debug, Clone, Default)]
pub struct Primaries {
    /// Cells to protect, in the order of cells.
    pub sensitive: Vec<Sensitive>,
    /// Sensitive cells that are public already.
    pub already_out: Vec<AlreadyOut>,
    /// What insiders know: the cells of each sole contributor.
    pub insiders: Vec<Vec<CellIndex>>,
}

impl Primaries {
    /// Applies the declared rules, and believes a status column where the value is not at hand.
    pub fn find(model: &Model) -> Self {
        let mut found = Self::default();
        let groups = if model.rule.group_disclosure { group_cells(model) } else { Vec::new() };
        for (cell, it) in model.cells.iter().enumerate() {
            if it.standing == Standing::Implied {
                continue;
            }
            let reason = if it.is_true {
                let listed = groups.binary_search(&cell).is_ok();
                reason(model, it).or(listed.then_some(Reason::GroupDisclosure))
            } else {
                (it.mark != Some(Status::Secondary)).then_some(Reason::WithheldBefore)
            };
            let marked = it.mark == Some(Status::Primary);
            let Some(reason) = reason.or(marked.then_some(Reason::WithheldBefore)) else {
                continue;
            };
            if it.standing == Standing::Out {
                found.already_out.push(AlreadyOut { cell, reason });
            } else {
                let demand = demand(model, cell, reason);
                found.sensitive.push(Sensitive { cell, reason, demand, narrowed: false });
            }
        }
        if model.rule.insiders {
            found.insiders = insiders(model);
        }
        found
    }

    /// Every demand: of outsiders, and of each insider about the cells that are not its own.
    ///
    /// What a contributor knows are its own cells and every total that equals one of them.
    pub fn demands(&self) -> Vec<Demand> {
        let mut demands: Vec<Demand> = self.sensitive.iter().map(|s| s.demand.clone()).collect();
        for known in &self.insiders {
            for sensitive in self.sensitive.iter().filter(|s| !known.contains(&s.cell)) {
                demands.push(Demand { known: known.clone(), ..sensitive.demand.clone() });
            }
        }
        demands
    }
}

fn reason(model: &Model, cell: &Cell) -> Option<Reason> {
    let rule = &model.rule;
    let contributors = cell.contributors;
    if contributors == Some(0) || (contributors.is_none() && cell.value == 0) {
        return (rule.zeros && model.counts).then_some(Reason::Zero);
    }
    if let (Some(least), Some(count)) = (rule.min_contributors, contributors)
        && count < i128::from(least)
    {
        return Some(Reason::FewContributors);
    }
    let largest = cell.largest?;
    let second = cell.second.unwrap_or(0);
    if let Some(dominance) = rule.dominance {
        let top = if dominance.n == 1 { largest } else { largest + second };
        if dominance.percent.exceeded_by(top, cell.value) {
            return Some(Reason::Dominance);
        }
    }
    let rest = cell.value - largest - second;
    rule.p_percent.filter(|p| rest < p.of(largest)).map(|_| Reason::PPercent)
}

fn demand(model: &Model, index: CellIndex, reason: Reason) -> Demand {
    let cell = &model.cells[index];
    let rule = &model.rule;
    let threshold = i128::from(rule.min_contributors.unwrap_or(1)).max(1);
    if reason == Reason::WithheldBefore {
        let share = rule.protection_percent.map_or(0, |percent| percent.of(cell.value));
        let width = if model.counts { threshold } else { share.max(1) };
        return Demand { cell: index, above: 0, below: 0, width, known: Vec::new() };
    }
    let (largest, second) = (cell.largest.unwrap_or(0), cell.second.unwrap_or(0));
    let by_rule = match reason {
        _ if model.counts => threshold,
        Reason::Dominance => rule.dominance.map_or(0, |dominance| {
            let top = if dominance.n == 1 { largest } else { largest + second };
            dominance.percent.whole_of(top) - cell.value
        }),
        Reason::PPercent => {
            rule.p_percent.map_or(0, |p| p.of(largest) - (cell.value - largest - second))
        }
        _ => super::input::spec::Percent::new(10.0).map_or(0, |ten| ten.of(cell.value)),
    };
    let least = rule.protection_percent.map(|percent| percent.of(cell.value));
    let distance = match (least, reason) {
        (Some(least), Reason::PPercent) => least.max(by_rule),
        (Some(least), _) if cell.value > 0 => least,
        _ => by_rule,
    }
    .max(1);
    let above = distance.min(model.system.upper(index) - cell.value).max(1);
    Demand { cell: index, above, below: distance.min(cell.value), width: 0, known: Vec::new() }
}

/// Cells that equal a total with several parts: everyone of the group is in the one cell.
fn group_cells(model: &Model) -> Vec<CellIndex> {
    let mut cells = Vec::new();
    for equation in model.system.equations() {
        let filled = |&&cell: &&CellIndex| model.cells[cell].value > 0;
        let mut parts = equation.parts.iter().filter(filled);
        if let (Some(&part), None) = (parts.next(), parts.next())
            && equation.parts.len() > 1
        {
            cells.push(part);
        }
    }
    cells.sort_unstable();
    cells.dedup();
    cells
}

/// Cells of one contributor, pooled by the contributor's code where it is given.
fn insiders(model: &Model) -> Vec<Vec<CellIndex>> {
    let mut pools: BTreeMap<(Option<&str>, CellIndex), Vec<CellIndex>> = BTreeMap::new();
    for (index, cell) in model.cells.iter().enumerate() {
        if cell.contributors == Some(1) && cell.is_true && cell.standing != Standing::Out {
            let own = if cell.sole.is_some() { 0 } else { equal_to(model, index) };
            pools.entry((cell.sole.as_deref(), own)).or_default().push(index);
        }
    }
    pools.into_values().collect()
}

/// The first cell that a chain of sums with one filled part makes equal to `cell`.
fn equal_to(model: &Model, cell: CellIndex) -> CellIndex {
    let mut seen = vec![cell];
    let mut at = 0;
    while at < seen.len() {
        for &(row, _) in model.system.rows_of(seen[at]) {
            let equation = &model.system.equations()[row];
            let same = |&other: &CellIndex| {
                model.cells[other].contributors == Some(1) && !seen.contains(&other)
            };
            let alike: Vec<_> = equation.terms().map(|(other, _)| other).filter(same).collect();
            let holds = model.cells[equation.total].contributors == Some(1);
            if holds {
                seen.extend(alike);
            }
        }
        at += 1;
    }
    seen.into_iter().min().unwrap_or(cell)
}
