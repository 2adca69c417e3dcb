//! From a solver's floats to a movement that adds up exactly.
//!
//! A solver's vertex is determined by which cells sit on a bound. Those are snapped to it, and the
//! rest is solved again in exact fractions; what comes out still goes through
//! [`System::admits`](super::system::System::admits), so a failure here costs a witness, never
//! correctness.

use std::collections::BTreeMap;

use super::solver::{Proposal, bounds};
use super::system::{CellIndex, Deviation, System};

/// A fraction of 128-bit integers, reduced, with a positive denominator; `None` on overflow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Fraction {
    top: i128,
    bottom: i128,
}

impl Fraction {
    const ZERO: Self = Self { top: 0, bottom: 1 };

    fn whole(top: i128) -> Self {
        Self { top, bottom: 1 }
    }

    fn new(top: i128, bottom: i128) -> Self {
        let divisor = greatest_common_divisor(top.unsigned_abs(), bottom.unsigned_abs());
        let divisor = i128::try_from(divisor).unwrap_or(1).max(1) * bottom.signum();
        Self { top: top / divisor, bottom: bottom / divisor }
    }

    fn plus(self, other: Self) -> Option<Self> {
        if self.bottom == 1 && other.bottom == 1 {
            return Some(Self::whole(self.top.checked_add(other.top)?));
        }
        let left = self.top.checked_mul(other.bottom)?;
        let right = other.top.checked_mul(self.bottom)?;
        Some(Self::new(left.checked_add(right)?, self.bottom.checked_mul(other.bottom)?))
    }

    fn times(self, other: Self) -> Option<Self> {
        let (top, bottom) =
            (self.top.checked_mul(other.top)?, self.bottom.checked_mul(other.bottom)?);
        Some(if bottom == 1 { Self::whole(top) } else { Self::new(top, bottom) })
    }

    fn inverse(self) -> Option<Self> {
        (self.top != 0).then(|| Self::new(self.bottom, self.top))
    }

    fn negative(self) -> Self {
        Self { top: -self.top, ..self }
    }
}

fn greatest_common_divisor(mut a: u128, mut b: u128) -> u128 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

/// Makes a proposed movement exact, with `target` moving by exactly the signed distance given.
///
/// The result is not checked; the caller asks [`System::admits`].
pub(crate) fn exact_move(
    system: &System,
    proposal: &Proposal,
    (target, signed_distance): (CellIndex, i128),
) -> Option<Deviation> {
    let rounded = proposal.iter().map(|&(cell, by)| Some((cell, to_integer(by)?)));
    let mut rounded: BTreeMap<_, _> = rounded.collect::<Option<_>>()?;
    rounded.insert(target, signed_distance);
    if balanced(system, &rounded) {
        return Some(Deviation::whole(rounded));
    }
    let mut fixed = BTreeMap::new();
    let mut open = BTreeMap::new();
    let distance = signed_distance.abs();
    let near = (distance as f64 * 1e-6).max(1e-6);
    for &(cell, by) in proposal {
        let (low, high) = bounds(system, cell, distance);
        if cell == target {
            continue;
        }
        let snapped = [0, low, high].into_iter().find(|&at| (by - at as f64).abs() <= near);
        match snapped {
            Some(at) => fixed.insert(cell, at),
            None => open.insert(cell, to_integer(by)?),
        };
    }
    fixed.insert(target, signed_distance);
    solve_open(system, &fixed, &open)
}

/// Makes proposed values of cells exact, given the true values of all others.
///
/// The result is not checked beyond being whole.
pub(crate) fn exact_point(
    system: &System,
    proposal: &Proposal,
) -> Option<BTreeMap<CellIndex, i128>> {
    let rounded = proposal.iter().map(|&(cell, value)| Some((cell, to_integer(value)?)));
    let rounded: BTreeMap<_, _> = rounded.collect::<Option<_>>()?;
    let mut fixed: BTreeMap<CellIndex, i128> = (0..system.len())
        .filter(|cell| !rounded.contains_key(cell))
        .map(|cell| (cell, system.value(cell)))
        .collect();
    let mut all = fixed.clone();
    all.extend(&rounded);
    if balanced(system, &all) {
        return Some(rounded);
    }
    let most = proposal.iter().map(|&(_, value)| value).fold(1.0, f64::max);
    let mut open = BTreeMap::new();
    for &(cell, value) in proposal {
        if value <= most * 1e-9 {
            fixed.insert(cell, 0);
        } else {
            open.insert(cell, to_integer(value)?);
        }
    }
    let solved = solve_open(system, &fixed, &open)?;
    let value = |cell| solved.changes.get(cell).copied().unwrap_or(0);
    (solved.denominator == 1).then(|| rounded.keys().map(|cell| (*cell, value(cell))).collect())
}

fn balanced(system: &System, changes: &BTreeMap<CellIndex, i128>) -> bool {
    let mut residual: BTreeMap<usize, i128> = BTreeMap::new();
    for (&cell, &by) in changes {
        for &(row, sign) in system.rows_of(cell) {
            *residual.entry(row).or_default() += i128::from(sign) * by;
        }
    }
    residual.values().all(|&sum| sum == 0)
}

/// Solves the equations for the `open` cells, given the `fixed` ones; cells the equations leave
/// free keep the value proposed.
fn solve_open(
    system: &System,
    fixed: &BTreeMap<CellIndex, i128>,
    open: &BTreeMap<CellIndex, i128>,
) -> Option<Deviation> {
    let mut rows = equations_of(system, fixed, open)?;
    let mut solved: Vec<(CellIndex, BTreeMap<CellIndex, Fraction>, Fraction)> = Vec::new();
    while let Some((terms, sum)) = rows.pop() {
        let Some((&pivot, &weight)) =
            terms.iter().find(|(_, w)| w.bottom == 1 && w.top.abs() == 1).or(terms.iter().next())
        else {
            if sum == Fraction::ZERO {
                continue;
            }
            return None;
        };
        let scale = weight.inverse()?.negative();
        // pivot = Σ terms + constant
        let mut expression = BTreeMap::new();
        for (&cell, &w) in terms.iter().filter(|&(&cell, _)| cell != pivot) {
            expression.insert(cell, w.times(scale)?);
        }
        let constant = sum.times(scale)?;
        for row in &mut rows {
            substitute(row, pivot, &expression, constant)?;
        }
        solved.push((pivot, expression, constant));
    }
    let mut values: BTreeMap<CellIndex, Fraction> = BTreeMap::new();
    values.extend(fixed.iter().chain(open).map(|(&cell, &by)| (cell, Fraction::whole(by))));
    for (pivot, expression, constant) in solved.iter().rev() {
        let mut value = *constant;
        for (cell, weight) in expression {
            value = value.plus(values.get(cell)?.times(*weight)?)?;
        }
        values.insert(*pivot, value);
    }
    common_denominator(&values)
}

type Row = (BTreeMap<CellIndex, Fraction>, Fraction);

/// Σ terms + constant = 0, one per equation that a moved cell stands in.
fn equations_of(
    system: &System,
    fixed: &BTreeMap<CellIndex, i128>,
    open: &BTreeMap<CellIndex, i128>,
) -> Option<Vec<Row>> {
    let mut rows: BTreeMap<usize, Row> = BTreeMap::new();
    let new_row = || (BTreeMap::new(), Fraction::ZERO);
    for (&cell, &by) in fixed {
        for &(row, sign) in system.rows_of(cell) {
            let entry = rows.entry(row).or_insert_with(new_row);
            entry.1 = entry.1.plus(Fraction::whole(i128::from(sign).checked_mul(by)?))?;
        }
    }
    for &cell in open.keys() {
        for &(row, sign) in system.rows_of(cell) {
            let entry = rows.entry(row).or_insert_with(new_row);
            entry.0.insert(cell, Fraction::whole(i128::from(sign)));
        }
    }
    let mut rows: Vec<_> = rows.into_values().collect();
    // Short rows are taken first (from the end): they substitute cheaply.
    rows.sort_by_key(|(terms, _)| std::cmp::Reverse(terms.len()));
    Some(rows)
}

fn substitute(
    (terms, sum): &mut Row,
    pivot: CellIndex,
    expression: &BTreeMap<CellIndex, Fraction>,
    constant: Fraction,
) -> Option<()> {
    let Some(weight) = terms.remove(&pivot) else { return Some(()) };
    *sum = sum.plus(constant.times(weight)?)?;
    for (&cell, &w) in expression {
        let old = terms.get(&cell).copied().unwrap_or(Fraction::ZERO);
        let new = old.plus(w.times(weight)?)?;
        if new == Fraction::ZERO {
            terms.remove(&cell);
        } else {
            terms.insert(cell, new);
        }
    }
    Some(())
}

fn common_denominator(values: &BTreeMap<CellIndex, Fraction>) -> Option<Deviation> {
    let mut denominator: i128 = 1;
    for value in values.values() {
        let shared =
            greatest_common_divisor(denominator.unsigned_abs(), value.bottom.unsigned_abs());
        denominator = denominator.checked_mul(value.bottom / i128::try_from(shared).ok()?)?;
    }
    let mut changes = BTreeMap::new();
    for (&cell, value) in values.iter().filter(|(_, value)| value.top != 0) {
        changes.insert(cell, value.top.checked_mul(denominator / value.bottom)?);
    }
    Some(Deviation { changes, denominator })
}

fn to_integer(value: f64) -> Option<i128> {
    (value.is_finite() && value.abs() < 1e30).then(|| value.round() as i128)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::Equation;

    #[test]
    fn a_vertex_with_halves_is_made_exact() {
        // Three pairs out of three cells: a+b, b+c, a+c, each a published total.
        let pair = |total, a, b| Equation { total, parts: vec![a, b] };
        let equations = vec![pair(3, 0, 1), pair(4, 1, 2), pair(5, 0, 2)];
        let values = vec![10, 10, 10, 20, 20, 20];
        let system = System::new(values, vec![100; 6], equations, false);
        // The totals 3 and 4 hidden, 5 published: a moves up by 3, c down by 3, b by anything.
        let proposal = vec![(0, 2.999_999_9), (1, 1.4), (2, -3.000_000_1), (3, 4.4), (4, -1.6)];
        let made = exact_move(&system, &proposal, (0, 3)).expect("solvable");
        assert!(system.admits(&made, &|cell| cell != 5), "{made:?}");
        assert_eq!(made.reach(0), 3);
    }
}
