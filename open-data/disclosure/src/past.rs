//! What is out already: what it leaves possible, and gaps whose values are not at hand.
//!
//! An earlier release may be known only as it was published. Its gaps then get *some* values that
//! fit everything out; every witness starts from that table, which is as good as the true one,
//! because a witness only has to be a table that the publications admit.
//!
//! A new cell (a new province, say) may already be narrowed by what is out, more than the rules
//! want, whether the candidate appears or not. [`narrow`] lowers the demand to what is left, only
//! on a bound that integer arithmetic proves; the report names such cells. A cell of which nothing
//! is left is a leak.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::attack::Attacker;
use super::audit::Refusal;
use super::exact;
use super::model::{Model, Standing};
use super::primary::Primaries;
use super::solver::{Deadline, Proposal, feasible_point};
use super::system::{CellIndex, System};

const TIME_PER_ATTEMPT: Duration = Duration::from_secs(20);

/// Fills the values that are not known; the first of the cells when no table was found that fits
/// what is out.
pub(crate) fn complete(model: &mut Model, deadline: Deadline) -> Result<(), CellIndex> {
    let unknown: Vec<usize> = (0..model.cells.len()).filter(|&c| !model.cells[c].is_true).collect();
    let Some(&first) = unknown.first() else { return Ok(()) };
    let values = possible_values(&model.system, &unknown, deadline).ok_or(first)?;
    let old = &model.system;
    let mut all: Vec<i128> = (0..old.len()).map(|cell| old.value(cell)).collect();
    for (&cell, &value) in &values {
        all[cell] = value;
        model.cells[cell].value = value;
    }
    let upper = vec![0; all.len()];
    model.system = System::new(all, upper, old.equations().to_vec(), old.is_integral());
    Ok(())
}

/// Lowers demands on new cells that earlier releases make impossible, as proven by a bound over
/// everything out with no candidate cell published. Says whether any was lowered.
pub(crate) fn narrow(
    model: &Model,
    attacker: &Attacker<'_>,
    primaries: &mut Primaries,
    refusal: &Refusal,
    deadline: Deadline,
) -> bool {
    let hidden = |cell: CellIndex| model.standing(cell) != Standing::Out;
    let mut lowered = false;
    for finding in refusal.exposed() {
        let new = matches!(model.standing(finding.cell), Standing::Candidate | Standing::Implied);
        let found = primaries.sensitive().binary_search_by_key(&finding.cell, |s| s.cell);
        if let (true, Ok(at)) = (new, found) {
            let wanted = primaries.sensitive()[at].demand.longest();
            let left = attacker.range(&hidden, (finding.cell, wanted), deadline);
            lowered |= primaries.lower(finding.cell, left);
        }
    }
    lowered
}

/// Values of the unknown cells, from 0 up and whole where they must be, that satisfy every sum.
fn possible_values(
    system: &System,
    unknown: &[usize],
    deadline: Deadline,
) -> Option<BTreeMap<usize, i128>> {
    let point = feasible_point(system, unknown, &BTreeMap::new(), false, deadline)?;
    let accept = |point: &Proposal| {
        let values = exact::exact_point(system, point)?;
        (values.values().all(|&value| value >= 0) && fits(system, &values)).then_some(values)
    };
    if let Some(values) = accept(&point) {
        return Some(values);
    }
    if !system.is_integral() {
        return None;
    }
    // A vertex of three or more dimensions can have fractions: keep what is whole, and look for
    // whole values of the rest, its neighbours let go ring by ring.
    let is_whole = |value: f64| (value - value.round()).abs() < 1e-6;
    let mut open: BTreeSet<usize> =
        point.iter().filter(|&&(_, value)| !is_whole(value)).map(|&(cell, _)| cell).collect();
    for _ in 0..6 {
        let kept: BTreeMap<usize, f64> = point
            .iter()
            .filter(|(cell, _)| !open.contains(cell))
            .map(|&(cell, value)| (cell, value.round()))
            .collect();
        let limit = deadline.within(TIME_PER_ATTEMPT);
        let whole = feasible_point(system, unknown, &kept, true, limit);
        if let Some(values) = whole.as_ref().and_then(accept) {
            return Some(values);
        }
        let rows: BTreeSet<usize> = open
            .iter()
            .flat_map(|&cell| system.rows_of(cell).iter().map(|&(row, _)| row))
            .collect();
        for row in rows {
            open.extend(system.equations()[row].terms().map(|(cell, _)| cell));
        }
        open.retain(|cell| unknown.binary_search(cell).is_ok());
    }
    None
}

fn fits(system: &System, values: &BTreeMap<usize, i128>) -> bool {
    let value = |cell: usize| values.get(&cell).copied().unwrap_or_else(|| system.value(cell));
    system
        .equations()
        .iter()
        .all(|equation| value(equation.total) == equation.parts.iter().map(|&p| value(p)).sum())
}
