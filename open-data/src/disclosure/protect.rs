//! Protecting a candidate from end to end: rules, suppression, audit.

use std::time::{Duration, Instant};

use super::attack::Attacker;
use super::audit::{AuditLimits, Audited, Hints, Refusal, audit};
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
    let started = Instant::now();
    let attacker = Attacker::new(model);
    let working = limits.time.map(|time| time - time / AUDIT_SHARE);
    let deadline = Deadline::after(working);
    let goals = goals_of(&primaries.demands());
    let mut plan = Plan::new(model, &attacker, primaries, &goals, deadline);
    plan.complete();
    let (mut bound, mut optimal) = (None, plan.cost() == 0.0);
    let mut cost = plan.cost();
    if model.cells.len() <= LARGEST_EXACT && plan.missed() == 0 && !optimal {
        let search = exact::Search::new(model, &attacker, primaries, &goals, &plan, deadline);
        let best = search.run();
        (cost, bound, optimal) = (best.cost, Some(best.bound), best.optimal);
        if best.hidden != plan.hidden {
            plan =
                Plan::new(model, &attacker, primaries, &goals, deadline).hiding_also(&best.hidden);
            plan.complete();
            cost = plan.cost();
        }
    }
    let hidden = plan.hidden.clone();
    let quality =
        Quality { cost, bound, optimal, elapsed: started.elapsed(), objective: model.objective };
    let hints = Hints { deviations: plan.into_witnesses() };
    let time =
        limits.time.map(|time| time.saturating_sub(started.elapsed()).max(time / AUDIT_SHARE));
    let audited = audit(model, &hidden, primaries, &hints, AuditLimits { time })?;
    Ok(Protected { audited, quality })
}
