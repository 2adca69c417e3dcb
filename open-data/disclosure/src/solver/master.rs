//! The choice of cells to hide, as a programme over 0–1 variables.

use super::Deadline;
use super::programme::{Programme, Relation};

/// Σ coefficient · x ≥ 1 over 0–1 variables.
pub(crate) type Cut = Vec<(usize, f64)>;

/// The cheapest choice of 0–1 (or, relaxed, 0 to 1) variables that satisfies all cuts.
#[derive(Debug)]
pub(crate) struct Master<'a> {
    /// Cost of each variable.
    pub(crate) costs: &'a [f64],
    /// Lower bound of each variable: 1 for what must be chosen.
    pub(crate) lower: &'a [f64],
    /// Upper bound of each variable: 0 for what cannot be chosen.
    pub(crate) upper: &'a [f64],
}

/// What the master answered.
#[derive(Debug)]
pub(crate) struct Choice {
    /// One number per variable.
    pub(crate) values: Vec<f64>,
    /// A proven lower bound of the cost.
    pub(crate) bound: f64,
    /// Whether it is proven to be the cheapest.
    pub(crate) optimal: bool,
}

impl Master<'_> {
    /// Solves it; `start` is a known choice for the integer search to beat.
    pub(crate) fn solve(
        &self,
        cuts: &[Cut],
        whole: bool,
        start: Option<&[bool]>,
        deadline: Deadline,
    ) -> Option<Choice> {
        let mut problem = Programme::minimise();
        let mut constant = 0.0;
        let variables: Vec<_> = (0..self.costs.len())
            .map(|i| {
                let (low, high) = (self.lower[i], self.upper[i]);
                if low >= high {
                    constant += low * self.costs[i];
                    None
                } else if whole {
                    Some(problem.add_whole(self.costs[i], (0, 1)))
                } else {
                    Some(problem.add(self.costs[i], (low, high)))
                }
            })
            .collect();
        for cut in cuts {
            let mut rest = 1.0;
            let mut terms = Vec::new();
            for &(i, weight) in cut {
                match variables[i] {
                    Some(variable) => terms.push((variable, weight)),
                    None => rest -= weight * self.lower[i],
                }
            }
            if rest > 1e-9 {
                problem.row(terms, Relation::AtLeast, rest);
            }
        }
        let known: Option<Vec<_>> = start.map(|chosen| {
            let pairs = variables.iter().zip(chosen);
            pairs.filter_map(|(v, &on)| v.map(|v| (v, f64::from(u8::from(on))))).collect()
        });
        let answer = problem.solve(known.as_deref(), deadline)?;
        let values = variables.iter().zip(self.lower);
        let values = values.map(|(v, &fixed)| v.map_or(fixed, |v| answer.values[v])).collect();
        Some(Choice { values, bound: answer.bound + constant, optimal: answer.optimal })
    }
}
