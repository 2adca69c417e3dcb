//! Which cells are sensitive by themselves, and how far an attacker must be kept from each.
//!
//! The rules are those of official statistics (Hundepool et al., *Statistical Disclosure Control*,
//! 2012, chapter 4): a minimum number of contributors, (n, k)-dominance, p%. Each rule a cell
//! breaks says how much protection it needs above and below its value; the most demanding one
//! counts. A count whose true value is not known (it was suppressed in an earlier release and only
//! the release was kept) must stay uncertain by a width.
//!
//! [`Primaries`] are made here and nowhere else, for one model; the audit takes no others.

mod insider;
mod reach;
mod rule;

use std::sync::Arc;

use super::model::{Identity, Model, Standing};
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
    /// Empty, and so it tells that everyone of its group is in one other cell.
    GroupDisclosure,
    /// A difference or sum of figures, in no table, of which some part is sensitive.
    Difference,
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

/// What the rules say about every cell of one model.
#[derive(Debug, Clone)]
pub struct Primaries {
    sensitive: Vec<Sensitive>,
    already_out: Vec<AlreadyOut>,
    insiders: Vec<Arc<[CellIndex]>>,
    /// Cells hidden in earlier releases that no rule calls sensitive: they must stay uncertain,
    /// or what they protected does not.
    kept: Vec<CellIndex>,
    model: Identity,
}

impl Primaries {
    /// Applies the declared rules.
    pub fn find(model: &Model) -> Self {
        let (mut sensitive, mut already_out, mut kept) = (Vec::new(), Vec::new(), Vec::new());
        let broken = rule::broken(model);
        let (reached, computable) = (reach::by_candidates(model), reach::computable(model));
        let is_past = |cell: CellIndex| model.standing(cell) == Standing::Implied && !reached[cell];
        for (cell, broken) in broken.into_iter().enumerate() {
            let standing = model.standing(cell);
            match broken {
                // A difference of what is out, of which no candidate tells more: it was judged with
                // the release that made it, and is reported if it can be computed.
                Some((reason, _)) if is_past(cell) && computable[cell] => {
                    already_out.push(AlreadyOut { cell, reason });
                }
                Some(_) if is_past(cell) => {}
                None if standing == Standing::Withheld => kept.push(cell),
                None => {}
                Some((reason, _)) if standing == Standing::Out => {
                    already_out.push(AlreadyOut { cell, reason });
                }
                Some((reason, demand)) => {
                    sensitive.push(Sensitive { cell, reason, demand, narrowed: false });
                }
            }
        }
        let insiders = if model.rule.insiders { insider::pools(model) } else { Vec::new() };
        Self { sensitive, already_out, insiders, kept, model: model.identity.clone() }
    }

    /// Cells to protect, in the order of cells.
    pub fn sensitive(&self) -> &[Sensitive] {
        &self.sensitive
    }

    /// Sensitive cells that are public already.
    pub fn already_out(&self) -> &[AlreadyOut] {
        &self.already_out
    }

    /// Whether these are the primaries of `model`.
    pub(crate) fn are_of(&self, model: &Model) -> bool {
        self.model == model.identity
    }

    /// Cells of earlier releases that must not become computable.
    pub(crate) fn kept(&self) -> &[CellIndex] {
        &self.kept
    }

    /// Every demand: of outsiders, then of each insider about the cells that are not its own, then
    /// that what was hidden stays uncertain.
    ///
    /// What a contributor knows are its own cells and every total that equals one of them.
    pub fn demands(&self) -> Vec<Demand> {
        let mut demands: Vec<Demand> = self.sensitive.iter().map(|s| s.demand.clone()).collect();
        for known in &self.insiders {
            for sensitive in &self.sensitive {
                if known.binary_search(&sensitive.cell).is_err() {
                    demands.push(Demand { known: known.clone(), ..sensitive.demand.clone() });
                }
            }
        }
        demands.extend(self.kept.iter().map(|&cell| Demand::of_width(cell, 1)));
        demands
    }

    /// Lowers the demand on a sensitive cell to what is left of it, `(down, up)`, at most; says
    /// whether it was more. What is left must be proven: see [`super::past`].
    pub(crate) fn lower(&mut self, cell: CellIndex, (down, up): (i128, i128)) -> bool {
        let Ok(at) = self.sensitive.binary_search_by_key(&cell, |s| s.cell) else { return false };
        let sensitive = &mut self.sensitive[at];
        let old = sensitive.demand.clone();
        sensitive.demand.below = old.below.min(down);
        sensitive.demand.above = old.above.min(up);
        sensitive.demand.width = old.width.min(down.saturating_add(up));
        let lowered = sensitive.demand != old;
        sensitive.narrowed |= lowered;
        lowered
    }

    /// The longest distance that any cell must be able to move.
    pub(crate) fn longest(&self) -> i128 {
        self.sensitive.iter().map(|sensitive| sensitive.demand.longest()).max().unwrap_or(0)
    }
}
