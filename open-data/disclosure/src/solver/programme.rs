//! A linear programme, perhaps in whole numbers, as any solver takes it.
//!
//! `microlp` by default; HiGHS with the feature `highs`, which needs a C++ compiler, cmake and
//! libclang to build. Which of them answered is of no consequence: see [`super`].

use super::Deadline;

/// A variable's place in its [`Programme`].
pub(super) type Variable = usize;

/// What a row demands of its sum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Relation {
    Equal,
    AtLeast,
}

#[derive(Debug, Clone, Copy)]
struct Column {
    gain: f64,
    low: f64,
    high: f64,
    whole: bool,
}

#[derive(Debug, Clone)]
struct Row {
    terms: Vec<(Variable, f64)>,
    relation: Relation,
    right: f64,
}

/// The largest or smallest gain that some rows allow.
#[derive(Debug, Clone)]
pub(super) struct Programme {
    maximise: bool,
    columns: Vec<Column>,
    rows: Vec<Row>,
}

/// What a solver says; not to be believed.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    /// One number per variable.
    pub(super) values: Vec<f64>,
    /// No solution gains more (or costs less) than this.
    pub(super) bound: f64,
    /// Whether the values reach the bound.
    pub(super) optimal: bool,
}

impl Programme {
    /// Looks for the largest gain.
    pub(super) fn maximise() -> Self {
        Self { maximise: true, columns: Vec::new(), rows: Vec::new() }
    }

    /// Looks for the smallest cost.
    pub(super) fn minimise() -> Self {
        Self { maximise: false, ..Self::maximise() }
    }

    /// A variable between two bounds, which may be infinite.
    pub(super) fn add(&mut self, gain: f64, (low, high): (f64, f64)) -> Variable {
        self.columns.push(Column { gain, low, high, whole: false });
        self.columns.len() - 1
    }

    /// A variable that takes whole values between two whole bounds.
    pub(super) fn add_whole(&mut self, gain: f64, (low, high): (i32, i32)) -> Variable {
        let (low, high) = (f64::from(low), f64::from(high));
        self.columns.push(Column { gain, low, high, whole: true });
        self.columns.len() - 1
    }

    /// A row; each variable stands in it once.
    pub(super) fn row(&mut self, terms: Vec<(Variable, f64)>, relation: Relation, right: f64) {
        self.rows.push(Row { terms, relation, right });
    }

    /// Asks the solver; `start` is a solution already known. `None` when it found nothing in time.
    pub(super) fn solve(
        &self,
        start: Option<&[(Variable, f64)]>,
        deadline: Deadline,
    ) -> Option<Answer> {
        if deadline.passed() {
            return None;
        }
        self.ask(start, deadline)
    }
}

#[cfg(not(feature = "highs"))]
mod default {
    use microlp::{
        ComparisonOp, OptimizationDirection, Problem, SolutionStatus, SolveOptions, SolveOutcome,
    };

    use super::{Answer, Column, Deadline, Programme, Relation, Variable};

    impl Programme {
        pub(super) fn ask(
            &self,
            start: Option<&[(Variable, f64)]>,
            deadline: Deadline,
        ) -> Option<Answer> {
            let mut problem = Problem::new(if self.maximise {
                OptimizationDirection::Maximize
            } else {
                OptimizationDirection::Minimize
            });
            let add = |column: &Column| match *column {
                Column { gain, low, high, whole: true } if (low, high) == (0.0, 1.0) => {
                    problem.add_binary_var(gain)
                }
                Column { gain, low, high, whole: true } => {
                    problem.add_integer_var(gain, (low as i32, high as i32))
                }
                Column { gain, low, high, whole: false } => problem.add_var(gain, (low, high)),
            };
            let variables: Vec<_> = self.columns.iter().map(add).collect();
            for row in &self.rows {
                let terms: Vec<_> = row.terms.iter().map(|&(at, by)| (variables[at], by)).collect();
                let relation = match row.relation {
                    Relation::Equal => ComparisonOp::Eq,
                    Relation::AtLeast => ComparisonOp::Ge,
                };
                problem.add_constraint(&terms[..], relation, row.right);
            }
            let mut options = SolveOptions::default();
            options.time_limit = deadline.left();
            options.warm_start = start
                .map(|start| start.iter().map(|&(at, value)| (variables[at], value)).collect());
            let SolveOutcome::Solution(solution) = problem.solve_with(options).ok()? else {
                return None;
            };
            let optimal = solution.status() == SolutionStatus::Optimal;
            let unknown = if self.maximise { f64::INFINITY } else { f64::NEG_INFINITY };
            let bound = if optimal {
                solution.objective()
            } else {
                solution.stats().best_bound.unwrap_or(unknown)
            };
            let values = variables.iter().map(|&variable| solution.var_value(variable)).collect();
            Some(Answer { values, bound, optimal })
        }
    }
}

#[cfg(feature = "highs")]
mod highs_backend {
    use highs::{HighsModelStatus, RowProblem, Sense};

    use super::{Answer, Deadline, Programme, Relation, Variable};

    /// Gap below which a choice of whole cells counts as the cheapest.
    const MIP_GAP: f64 = 1e-9;

    impl Programme {
        pub(super) fn ask(
            &self,
            start: Option<&[(Variable, f64)]>,
            deadline: Deadline,
        ) -> Option<Answer> {
            let mut problem = RowProblem::new();
            let mut columns = Vec::with_capacity(self.columns.len());
            for column in &self.columns {
                let bounds = column.low..=column.high;
                columns.push(if column.whole {
                    problem.add_integer_column(column.gain, bounds)
                } else {
                    problem.add_column(column.gain, bounds)
                });
            }
            for row in &self.rows {
                let terms: Vec<_> = row.terms.iter().map(|&(at, by)| (columns[at], by)).collect();
                match row.relation {
                    Relation::Equal => problem.add_row(row.right..=row.right, &terms),
                    Relation::AtLeast => problem.add_row(row.right.., &terms),
                };
            }
            let sense = if self.maximise { Sense::Maximise } else { Sense::Minimise };
            let mut model = problem.try_optimise(sense).ok()?;
            model.make_quiet();
            model.try_set_option("mip_rel_gap", MIP_GAP).ok()?;
            if let Some(left) = deadline.left() {
                model.try_set_option("time_limit", left.as_secs_f64()).ok()?;
            }
            if let Some(start) = start {
                let mut values = vec![0.0; columns.len()];
                start.iter().for_each(|&(at, value)| values[at] = value);
                // A start that is not taken only costs time.
                let _ = model.try_set_solution(Some(&values), None, None, None);
            }
            let solved = model.try_solve().ok()?;
            let optimal = solved.status() == HighsModelStatus::Optimal;
            let in_time = solved.status() == HighsModelStatus::ReachedTimeLimit;
            let whole = self.columns.iter().any(|column| column.whole);
            if !optimal && !(in_time && whole && solved.objective_value().is_finite()) {
                return None;
            }
            let bound = if whole && !optimal {
                solved.double_info_value(c"mip_dual_bound").ok()?
            } else {
                solved.objective_value()
            };
            let values = solved.get_solution().columns().to_vec();
            Some(Answer { values, bound, optimal })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_gain_is_found_in_whole_and_in_broken_numbers() {
        // 3a + 2b at most 12 (as −3a − 2b ≥ −12), a − b = 0: a = b = 2.4, or 2 in whole numbers.
        let solved = |whole: bool| {
            let mut programme = Programme::maximise();
            let mut add = || {
                if whole {
                    programme.add_whole(1.0, (0, 9))
                } else {
                    programme.add(1.0, (0.0, 9.0))
                }
            };
            let (a, b) = (add(), add());
            programme.row(vec![(a, -3.0), (b, -2.0)], Relation::AtLeast, -12.0);
            programme.row(vec![(a, 1.0), (b, -1.0)], Relation::Equal, 0.0);
            let answer = programme.solve(None, Deadline::after(None)).expect("feasible");
            assert!(answer.optimal);
            assert!((answer.bound - answer.values.iter().sum::<f64>()).abs() < 1e-6);
            answer.values
        };
        assert!(solved(false).iter().all(|value| (value - 2.4).abs() < 1e-6));
        assert!(solved(true).iter().all(|value| (value - 2.0).abs() < 1e-6));
    }

    #[test]
    fn what_cannot_be_is_not_found() {
        let mut programme = Programme::minimise();
        let a = programme.add(1.0, (0.0, 1.0));
        programme.row(vec![(a, 1.0)], Relation::AtLeast, 2.0);
        assert!(programme.solve(None, Deadline::after(None)).is_none());
    }
}
