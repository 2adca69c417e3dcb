//! Small groups of a table that is shown inside: which of its rows may not be seen.
//!
//! The rows of a block add up to a total that readers may know, from another table or from
//! somewhere else. A figure that stands for fewer persons than the least is hidden, and with it a
//! figure of at least that many: then the total less what is shown is a figure of enough persons
//! too. One row is enough for that, and only one row is certain to be: persons may stand in several
//! rows, so two groups of three can be the same three. Where no row is large enough, nothing of the
//! block is shown, and whoever shows its total answers for it as for any other figure.
//!
//! The choice is one of few steps, the same in whichever order the rows come. The audit of the gate
//! ([`audit`](super::audit())) then has to find two other tables for every small group, as for a
//! release; where it does not, nothing of the block is shown.
//!
//! Promised is that no figure of a small group can be computed. Not promised is that nothing can be
//! said about it: that a sum over enough persons is 0 tells that each of them has 0.

use std::collections::BTreeMap;

use super::audit::{AuditLimits, Hints, audit};
use super::input::hierarchy::{self, Dimension};
use super::input::spec::{Objective, Rule};
use super::model::{Cell, Identity, Model, Standing};
use super::primary::Primaries;
use super::system::{Equation, System, UNBOUNDED};

/// What stands behind one figure of one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Group {
    /// Different persons, or fewer where it is not known of all.
    pub persons: u64,
    /// Where the figure is of some of a row's persons: how many others there are. Whoever sees the
    /// row and its part sees theirs as well.
    pub others: Option<u64>,
    /// Whether the figure is 0, and so shows nobody.
    pub empty: bool,
    /// Whether it is hidden; so from the beginning where the row is, for another reason.
    pub hidden: bool,
}

/// What readers may know of the sum of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Total {
    /// Nothing: there is no such sum.
    Unknown,
    /// The sum, where it is of enough persons.
    Known,
    /// Nothing, and it must not be had from here: it is a figure of a table that may hide it.
    Withheld,
}

/// Hides what must be hidden of one block.
///
/// Of rows that would do, the first of the smallest is taken, where sizes are alike that have as many
/// binary digits: so the choice seldom changes from one night to the next, and two nights seldom show
/// what each of them hides.
pub fn hide(block: &mut [Group], least: u64, total: Total) {
    for group in block.iter_mut() {
        group.hidden |= group.is_small(least);
    }
    if total == Total::Unknown || !is_open(block, least, total) {
        return;
    }
    let enough = block.iter_mut().filter(|group| !group.hidden && group.is_enough(least));
    match enough.min_by_key(|group| group.persons.max(1).ilog2()) {
        Some(cover) => cover.hidden = true,
        None => block.iter_mut().for_each(|group| group.hidden = true),
    }
    if total == Total::Known && !is_proven(block, least) {
        block.iter_mut().for_each(|group| group.hidden = true);
    }
}

impl Group {
    fn is_small(&self, least: u64) -> bool {
        let few = |count: u64| (1..least).contains(&count);
        !self.empty && (self.persons < least || self.others.is_some_and(few))
    }

    fn is_enough(&self, least: u64) -> bool {
        self.persons >= least && self.others.is_none_or(|others| others >= least)
    }
}

/// Whether the total less what is shown could be a figure of few persons.
fn is_open(block: &[Group], least: u64, total: Total) -> bool {
    if total == Total::Withheld && !block.iter().any(|group| group.hidden && group.persons >= least)
    {
        return block.iter().any(|group| !group.empty);
    }
    let hidden = || block.iter().filter(|group| group.hidden);
    let uncovered = |count: &dyn Fn(&Group) -> u64| {
        hidden().any(|group| count(group) > 0 || !group.empty)
            && !hidden().any(|group| count(group) >= least)
    };
    let others = |group: &Group| group.others.unwrap_or_default();
    let has_others = block.iter().any(|group| group.others.is_some());
    uncovered(&|group| group.persons) || (has_others && uncovered(&others))
}

/// Whether the gate holds every small group uncertain that somebody sees whom the total helps.
fn is_proven(block: &[Group], least: u64) -> bool {
    if block.iter().all(|group| group.hidden) {
        return true;
    }
    let persons = block.iter().map(|group| (group.persons, group.hidden));
    let others = block.iter().map(|group| (group.others.unwrap_or_default(), group.hidden));
    [persons.collect::<Vec<_>>(), others.collect()].iter().all(|counts| passes(counts, least))
}

fn passes(counts: &[(u64, bool)], least: u64) -> bool {
    let counts: Vec<(u64, bool)> = counts.iter().copied().filter(|&(count, _)| count > 0).collect();
    if counts.is_empty() {
        return true;
    }
    let model = model_of(&counts, least);
    let hidden: Vec<bool> = counts.iter().map(|&(_, hidden)| hidden).chain([false]).collect();
    let primaries = Primaries::find(&model);
    match audit(&model, &hidden, &primaries, &Hints::default(), AuditLimits::default()) {
        Ok(_) => true,
        // What only covers others is a figure of enough persons, and may be found out.
        Err(refusal) => refusal.exposed().all(|finding| finding.reason.is_none()),
    }
}

/// The block as the gate sees it: counts of persons, and their sum, which is out.
fn model_of(counts: &[(u64, bool)], least: u64) -> Model {
    let total = counts.len();
    let sum: i128 = counts.iter().map(|&(count, _)| i128::from(count)).sum();
    let values: Vec<i128> =
        counts.iter().map(|&(count, _)| i128::from(count)).chain([sum]).collect();
    let cell = |(at, &value): (usize, &i128)| Cell {
        key: vec![at as hierarchy::Node],
        value,
        is_true: true,
        contributors: Some(value),
        largest: None,
        second: None,
        sole: None,
        standing: if at == total { Standing::Out } else { Standing::Candidate },
    };
    let cells: Vec<Cell> = values.iter().enumerate().map(cell).collect();
    let index: BTreeMap<_, _> = cells.iter().map(|cell| cell.key.clone()).zip(0..).collect();
    let parts = (0..total).collect();
    let bounds = vec![UNBOUNDED; values.len()];
    let mut model = Model {
        dimensions: vec![rows(total)],
        cells,
        index,
        system: System::new(values, bounds, vec![Equation { total, parts }], true),
        scale: 0,
        rule: Rule { min_contributors: Some(least), ..Rule::default() },
        objective: Objective::Cells,
        outputs: Vec::new(),
        empty: Vec::new(),
        counts: true,
        identity: Identity::default(),
    };
    model.bound_cells();
    model
}

/// The one dimension of a block: its rows, by number, and their total behind them.
fn rows(total: usize) -> Dimension {
    let codes: Vec<String> = (0..=total).map(|at| at.to_string()).collect();
    let index = codes.iter().cloned().zip(0..).collect();
    let parent = total as hierarchy::Node;
    let groups = vec![hierarchy::Group { parent, children: (0..parent).collect(), hierarchy: 0 }];
    let depth = (0..=total).map(|at| u32::from(at < total)).collect();
    Dimension { column: "row".to_owned(), codes, index, total: Some(parent), groups, depth }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LEAST: u64 = 5;

    fn of(persons: u64) -> Group {
        Group { persons, others: None, empty: persons == 0, hidden: false }
    }

    fn hidden(persons: &[u64], total: Total) -> Vec<bool> {
        let mut block: Vec<Group> = persons.iter().copied().map(of).collect();
        hide(&mut block, LEAST, total);
        block.iter().map(|group| group.hidden).collect()
    }

    #[test]
    fn a_small_group_takes_the_smallest_of_the_large_ones_along() {
        assert_eq!(hidden(&[40, 2, 9, 7], Total::Known), [false, true, false, true]);
        assert_eq!(hidden(&[40, 2, 9, 7], Total::Unknown), [false, true, false, false]);
        assert_eq!(hidden(&[40, 9, 7, 0], Total::Known), [false; 4]);
    }

    #[test]
    fn two_small_groups_may_be_the_same_persons() {
        assert_eq!(hidden(&[4, 4, 9], Total::Known), [true; 3]);
        assert_eq!(hidden(&[4, 4], Total::Known), [true; 2]);
    }

    #[test]
    fn a_total_that_is_withheld_is_not_the_sum_of_what_is_shown() {
        assert_eq!(hidden(&[40, 9], Total::Withheld), [false, true]);
        assert_eq!(hidden(&[0, 0], Total::Withheld), [false; 2]);
    }

    #[test]
    fn the_others_of_a_row_are_a_group_as_well() {
        let part = |persons, others| Group { others: Some(others), ..of(persons) };
        let mut block = [part(18, 2), part(30, 8), part(9, 1), part(50, 50)];
        hide(&mut block, LEAST, Total::Known);
        let hidden: Vec<bool> = block.iter().map(|group| group.hidden).collect();
        assert_eq!(hidden, [true, true, true, false]);
    }

    proptest! {
        #[test]
        fn what_is_left_of_a_total_is_of_enough_persons(
            persons in proptest::collection::vec(0_u64..14, 1..9)
        ) {
            let hidden = hidden(&persons, Total::Known);
            let rows = persons.iter().copied().zip(hidden.iter().copied());
            prop_assert!(rows.clone().all(|(n, hidden)| hidden || n == 0 || n >= LEAST));
            // All persons of a block may be in its largest row.
            let left = rows.clone().filter(|(_, hidden)| *hidden).map(|(n, _)| n).max();
            let whole = rows.clone().all(|(_, hidden)| hidden);
            prop_assert!(whole || left.is_none_or(|n| n >= LEAST));
            let costs = rows.filter(|&(n, hidden)| hidden && n >= LEAST).count();
            prop_assert!(whole || costs <= 1, "one row covers all");
        }
    }
}
