//! Tables that share dimensions in a circle: a × b, b × c and a × c.
//!
//! Figures of such tables restrict each other beyond their common margins, because the counts of
//! the full cross table, which nobody publishes, cannot be negative. The gate's cells do not hold
//! that table, so it would not see everything an attacker can: such a run is refused. Tables in a
//! tree (a × b, b × c) have no such restriction: whatever agrees on their margins comes from some
//! full table, in whole numbers too.

use std::collections::BTreeSet;

use warehouse::diagnostic::Diagnostic;

use super::Faults;
use super::spec::DimensionSpec;
use super::table::Table;

/// Refuses tables, candidates or out already, whose dimensions form a circle.
pub(super) fn refuse<'t>(
    tables: impl Iterator<Item = &'t Table>,
    dimensions: &[DimensionSpec],
    faults: &mut Faults,
) {
    let tables: Vec<&Table> = tables.collect();
    let Some(first) = tables.first() else { return };
    let has = |table: &Table, at: &usize| table.column(&dimensions[*at].column).is_some();
    let sets = tables.iter().map(|table| (0..dimensions.len()).filter(|at| has(table, at)));
    let left = circle(sets.map(Iterator::collect).collect());
    if left.is_empty() {
        return;
    }
    let names: Vec<&str> = left.iter().map(|&at| dimensions[at].column.as_str()).collect();
    let message = format!("the tables share the dimensions `{}` in a circle", names.join("`, `"));
    let help = "protect one table over all of these dimensions, or leave one table out: what \
                their full cross table tells by never being negative cannot be judged without it";
    faults.push(Diagnostic::error(&first.name, "linked-in-a-circle", message).at(0..0).help(help));
}

/// The dimensions of a circle, by taking away what is in none (Graham's reduction): a dimension of
/// one set only, and a set that lies in another.
fn circle(mut sets: Vec<BTreeSet<usize>>) -> BTreeSet<usize> {
    loop {
        let before = sets.clone();
        let shared = |at: &usize| before.iter().filter(|set| set.contains(at)).count() > 1;
        sets.iter_mut().for_each(|set| set.retain(&shared));
        let mut kept: Vec<BTreeSet<usize>> = Vec::new();
        for set in sets {
            if !kept.iter().any(|other| set.is_subset(other)) {
                kept.retain(|other| !other.is_subset(&set));
                kept.push(set);
            }
        }
        sets = kept;
        if sets == before {
            return sets.into_iter().flatten().collect();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(sets: &[&[usize]]) -> Vec<usize> {
        let sets = sets.iter().map(|set| set.iter().copied().collect()).collect();
        circle(sets).into_iter().collect()
    }

    #[test]
    fn only_circles_are_found() {
        assert!(found(&[&[0, 1, 2]]).is_empty());
        assert!(found(&[&[0, 1], &[1, 2], &[2, 3]]).is_empty());
        assert!(found(&[&[0, 1], &[0, 1], &[0]]).is_empty());
        assert_eq!(found(&[&[0, 1], &[1, 2], &[0, 2], &[2, 3]]), [0, 1, 2]);
        assert!(found(&[&[0, 1], &[1, 2], &[0, 2], &[0, 1, 2]]).is_empty(), "one table holds all");
    }
}
