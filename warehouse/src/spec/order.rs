//! The order in which queries run: what reads comes after what it reads.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Nodes in an order that respects `needs`, and the cycles that have none.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Order {
    /// Every node that is on no cycle and behind none, smallest first among those that are free.
    pub(super) sorted: Vec<usize>,
    /// Each cycle once, beginning with its smallest node.
    pub(super) cycles: Vec<Vec<usize>>,
    /// Nodes that are on no cycle but need one that is.
    pub(super) behind: Vec<usize>,
}

/// Sorts the nodes `0..needs.len()`; `needs[n]` are the nodes that must come before `n`.
pub(super) fn sort(needs: &[BTreeSet<usize>]) -> Order {
    let mut open: Vec<usize> = needs.iter().map(BTreeSet::len).collect();
    let mut free: BTreeSet<usize> = (0..needs.len()).filter(|&node| open[node] == 0).collect();
    let mut order = Order::default();
    while let Some(node) = free.pop_first() {
        order.sorted.push(node);
        for (other, needed) in needs.iter().enumerate() {
            if needed.contains(&node) {
                open[other] -= 1;
                if open[other] == 0 {
                    free.insert(other);
                }
            }
        }
    }
    let left: BTreeSet<usize> = (0..needs.len()).filter(|&node| open[node] > 0).collect();
    let mut seen: BTreeSet<usize> = BTreeSet::new();
    for &node in &left {
        if seen.contains(&node) {
            continue;
        }
        match shortest_cycle(node, needs, &left) {
            Some(cycle) => {
                seen.extend(&cycle);
                order.cycles.push(cycle);
            }
            None => order.behind.push(node),
        }
    }
    order
}

/// The shortest way from `start` through what it needs back to itself.
fn shortest_cycle(
    start: usize,
    needs: &[BTreeSet<usize>],
    among: &BTreeSet<usize>,
) -> Option<Vec<usize>> {
    let mut came_from = BTreeMap::new();
    let mut queue = VecDeque::from([start]);
    while let Some(node) = queue.pop_front() {
        for &next in needs[node].intersection(among) {
            if next == start {
                let mut cycle = vec![node];
                while let Some(&previous) = came_from.get(&cycle[cycle.len() - 1]) {
                    cycle.push(previous);
                }
                cycle.reverse();
                return Some(cycle);
            }
            if let Entry::Vacant(vacant) = came_from.entry(next) {
                vacant.insert(node);
                queue.push_back(next);
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(needs: &[&[usize]], sorted: &[usize], cycles: &[&[usize]], behind: &[usize]) {
        let needs: Vec<BTreeSet<usize>> =
            needs.iter().map(|needed| needed.iter().copied().collect()).collect();
        let order = sort(&needs);
        assert_eq!(order.sorted, sorted);
        assert_eq!(order.cycles, cycles.iter().map(|c| c.to_vec()).collect::<Vec<_>>());
        assert_eq!(order.behind, behind);
    }

    #[test]
    fn what_reads_comes_after_what_it_reads() {
        check(&[&[2], &[], &[1]], &[1, 2, 0], &[], &[]);
        check(&[&[], &[], &[]], &[0, 1, 2], &[], &[]);
    }

    #[test]
    fn a_cycle_is_named_whole_and_once() {
        check(&[&[1], &[2], &[0], &[0], &[]], &[4], &[&[0, 1, 2]], &[3]);
        check(&[&[0]], &[], &[&[0]], &[]);
        check(&[&[1], &[0], &[3], &[2]], &[], &[&[0, 1], &[2, 3]], &[]);
    }
}
