//! Proof that a cell cannot move further: multipliers of the sums, checked in integers.
//!
//! For any multipliers γ of the equations M d = 0, the movement of a cell is Σ cᵢ dᵢ with
//! c = eₚ − Mᵀγ, and so at most Σ cᵢ · (the room of cell i in the direction of cᵢ). A solver
//! proposes γ; it is rounded to small fractions and the bound computed exactly, so a poor γ gives a
//! bound that is too large, never one that is too small.

use std::collections::BTreeMap;

use super::system::{CellIndex, System, UNBOUNDED};

/// Denominators to which multipliers are rounded; sums of cells rarely need others.
const DENOMINATORS: [i128; 5] = [1, 2, 3, 4, 60];

/// Multipliers of some equations, by row, as a solver proposes them.
pub(crate) type Multipliers = Vec<(usize, f64)>;

/// How far `cell` can move towards `sign` at most, in units rounded down: the best bound that
/// rounded multipliers prove.
pub(crate) fn bound(
    system: &System,
    hidden: &dyn Fn(CellIndex) -> bool,
    target: (CellIndex, i8),
    multipliers: &Multipliers,
) -> Option<i128> {
    let bounds = DENOMINATORS.iter().filter_map(|&denominator| {
        let rounded = |&(row, by): &(usize, f64)| {
            let by = (by * denominator as f64).round();
            (by.abs() < 1e12).then_some((row, by as i128))
        };
        let rounded: Option<Vec<(usize, i128)>> = multipliers.iter().map(rounded).collect();
        exact_bound(system, hidden, target, &rounded?, denominator)
    });
    bounds.min()
}

fn exact_bound(
    system: &System,
    hidden: &dyn Fn(CellIndex) -> bool,
    (cell, sign): (CellIndex, i8),
    multipliers: &[(usize, i128)],
    denominator: i128,
) -> Option<i128> {
    let mut weights: BTreeMap<CellIndex, i128> = BTreeMap::new();
    weights.insert(cell, i128::from(sign).checked_mul(denominator)?);
    for &(row, by) in multipliers.iter().filter(|&&(_, by)| by != 0) {
        for (other, sign) in system.equations()[row].terms() {
            let weight = weights.entry(other).or_default();
            *weight = weight.checked_sub(by.checked_mul(i128::from(sign))?)?;
        }
    }
    let mut sum: i128 = 0;
    for (&other, &weight) in
        weights.iter().filter(|&(&other, &weight)| weight != 0 && hidden(other))
    {
        let room = system.room(other, if weight > 0 { 1 } else { -1 });
        if weight > 0 && system.upper(other) >= UNBOUNDED {
            return None;
        }
        sum = sum.checked_add(weight.abs().checked_mul(room)?)?;
    }
    Some(sum.div_euclid(denominator))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::Equation;

    #[test]
    fn any_multipliers_give_a_valid_bound() {
        // 3 = 1 + 2 with the total published: a can go up by 2, whatever is proposed.
        let equations = vec![Equation { total: 2, parts: vec![0, 1] }];
        let system = System::new(vec![1, 2, 3], vec![9; 3], equations, true);
        let hidden = |cell: CellIndex| cell < 2;
        let bound = |by: f64| bound(&system, &hidden, (0, 1), &vec![(0, by)]);
        assert_eq!(bound(-1.000_000_1), Some(2));
        for by in [-7.0, -0.4, 0.0, 0.3, 5.0] {
            assert!(bound(by).is_some_and(|bound| bound >= 2), "{by}");
        }
    }
}
