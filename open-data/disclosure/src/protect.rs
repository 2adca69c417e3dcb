//! Protecting a candidate from end to end: rules, suppression, audit.

use std::time::{Duration, Instant};

use super::attack::Attacker;
use super::audit::{Audited, Hints, Refusal, audit_with};
use super::input::spec::Objective;
use super::model::Model;
use super::primary::Primaries;
use super::solver::Deadline;
use super::suppress::{Plan, exact, goals_of};

/// Tables up to this many cells get the exact search.
const LARGEST_EXACT: usize = 1_600;
/// Share of the time limit kept for the audit.
const AUDIT_SHARE: u32 = 4;

/// What the caller allows.
#[derive(Debug, Clone, Copy, Default)]
pub struct Limits {
    /// Time for suppression and audit together; a safe answer comes at the end of it, dearer than
    /// with more time. `None`: until the cheapest pattern is proven (small tables).
    pub time: Option<Duration>,
}

/// How good the pattern is known to be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quality {
    /// What was spent: hidden value, or cells, beside the sensitive ones.
    pub cost: f64,
    /// No safe pattern costs less than this; `None` where the exact search was not run.
    pub bound: Option<f64>,
    /// Whether the pattern is proven to be the cheapest.
    pub optimal: bool,
    /// How long the suppression took.
    pub elapsed: Duration,
    /// What was kept small.
    pub objective: Objective,
}

impl Quality {
    /// The share of the cost that a better pattern might save, from 0 to 1.
    pub fn gap(&self) -> Option<f64> {
        let bound = self.bound?;
        Some(if self.cost <= 0.0 { 0.0 } else { ((self.cost - bound) / self.cost).max(0.0) })
    }
}

/// A pattern with its proof.
#[derive(Debug)]
pub struct Protected {
    /// The proof.
    pub audited: Audited,
    /// How good it is.
    pub quality: Quality,
}

/// Chooses what to suppress and proves it safe.
///
/// # Errors
///
/// A [`Refusal`] when no suppression of candidate cells can protect everything.
pub fn protect(
    model: &Model,
    primaries: &Primaries,
    limits: Limits,
) -> Result<Protected, Box<Refusal>> {
    protect_with(&Attacker::new(model), model, primaries, Deadline::after(limits.time))
}

/// The same with an attacker made before, until a time agreed before.
pub(crate) fn protect_with(
    attacker: &Attacker<'_>,
    model: &Model,
    primaries: &Primaries,
    deadline: Deadline,
) -> Result<Protected, Box<Refusal>> {
    let started = Instant::now();
    let working = deadline.share(AUDIT_SHARE);
    let goals = goals_of(&primaries.demands());
    let mut plan = Plan::new(model, attacker, primaries, &goals, working);
    plan.complete();
    let (mut bound, mut optimal) = (None, plan.cost() == 0.0);
    let mut cost = plan.cost();
    if model.cells.len() <= LARGEST_EXACT && plan.missed() == 0 && !optimal {
        let searching = working.share(AUDIT_SHARE);
        let search = exact::Search::new(model, attacker, primaries, &goals, &plan, searching);
        let best = search.run();
        bound = Some(best.bound);
        if best.hidden != plan.hidden {
            let mut better =
                Plan::new(model, attacker, primaries, &goals, working).hiding_also(&best.hidden);
            better.complete();
            if better.missed() == 0 {
                plan = better;
            }
        }
        // What is said of the pattern is said of the one that leaves.
        cost = plan.cost();
        optimal = best.optimal && cost <= best.bound * (1.0 + 1e-6) + 1e-6;
    }
    let hidden = plan.hidden.clone();
    let quality =
        Quality { cost, bound, optimal, elapsed: started.elapsed(), objective: model.objective };
    let hints = Hints { deviations: plan.into_witnesses() };
    let audited = audit_with(attacker, model, &hidden, primaries, &hints, deadline)?;
    Ok(Protected { audited, quality })
}
