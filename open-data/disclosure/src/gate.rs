//! The gate as a whole: earlier releases first, then the candidate, then what would help.
//!
//! The order matters. If what is out leaks by itself, no candidate can repair it and the answer
//! says so. Otherwise the candidate is judged together with everything out; when it is refused,
//! the answer names the cells that could be computed and the smallest coarsening that would pass.

use std::collections::BTreeSet;
use std::time::Duration;

use super::attack::Attacker;
use super::audit::{Audited, Hints, Refusal, audit_past, audit_with};
use super::input::build::Loaded;
use super::model::{Identity, Model, Standing};
use super::past;
use super::primary::Primaries;
use super::protect::{Limits, Protected, Quality, protect_with};
use super::solver::Deadline;
use super::system::CellIndex;

/// Coarsenings are an extra: looked for in at most this time, and what is left of the limit.
const TIME_FOR_COARSENINGS: Duration = Duration::from_secs(40);
const TIME_PER_COARSENING: Duration = Duration::from_secs(10);

/// A smaller publication that would pass.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Coarsening {
    /// What is left out of which dimension.
    pub steps: Vec<CoarseningStep>,
    /// How many of the candidate's cells are given up.
    pub cells_lost: usize,
}

/// Leaves out one level of one dimension.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct CoarseningStep {
    /// The dimension's column.
    pub dimension: String,
    /// Codes this deep below the total, and deeper, are left out (1: only the total remains).
    pub from_depth: u32,
}

/// What the gate says.
#[derive(Debug)]
pub enum Verdict {
    /// It may leave, with the proof; `quality` is there when the gate chose the pattern.
    Pass {
        /// The proof.
        audited: Audited,
        /// How good the chosen pattern is.
        quality: Option<Quality>,
    },
    /// It may not.
    Refuse {
        /// Which cells could be computed.
        refusal: Box<Refusal>,
        /// The smallest coarsening that would pass, if one was found.
        coarsening: Option<Coarsening>,
    },
}

impl Verdict {
    /// The proof, if it may leave.
    pub fn audited(&self) -> Option<&Audited> {
        match self {
            Self::Pass { audited, .. } => Some(audited),
            Self::Refuse { .. } => None,
        }
    }
}

/// Protects a candidate, jointly with everything that is out.
pub fn protect_candidate(model: &Model, limits: Limits) -> (Primaries, Verdict) {
    let deadline = Deadline::after(limits.time);
    judge(model, deadline, |attacker, primaries| {
        let Protected { audited, quality } = protect_with(attacker, model, primaries, deadline)?;
        Ok((audited, Some(quality)))
    })
}

/// Audits a candidate as it stands, jointly with everything that is out.
pub fn audit_candidate(loaded: &Loaded, limits: Limits) -> (Primaries, Verdict) {
    let model = &loaded.model;
    let deadline = Deadline::after(limits.time);
    judge(model, deadline, |attacker, primaries| {
        let hints = Hints::default();
        let audited = audit_with(attacker, model, &loaded.hidden, primaries, &hints, deadline)?;
        Ok((audited, None))
    })
}

/// How often demands are lowered to what earlier releases leave and the candidate tried again.
const MOST_NARROWINGS: usize = 4;

/// Earlier releases alone, then the candidate, again where earlier releases leave too little.
fn judge(
    model: &Model,
    deadline: Deadline,
    attempt: impl Fn(&Attacker<'_>, &Primaries) -> Result<(Audited, Option<Quality>), Box<Refusal>>,
) -> (Primaries, Verdict) {
    let attacker = Attacker::new(model);
    let mut primaries = Primaries::find(model);
    if let Err(refusal) = audit_past(&attacker, model, &primaries, deadline) {
        return (primaries, Verdict::Refuse { refusal, coarsening: None });
    }
    let has_past = (0..model.cells.len()).any(|cell| model.standing(cell) == Standing::Out);
    let mut outcome = attempt(&attacker, &primaries);
    for _ in 0..MOST_NARROWINGS {
        let Err(refusal) = &outcome else { break };
        if !has_past || !past::narrow(model, &attacker, &mut primaries, refusal, deadline) {
            break;
        }
        let gone = primaries.sensitive().iter().filter(|s| s.narrowed && s.demand.longest() == 0);
        let gone: Vec<CellIndex> = gone.map(|s| s.cell).collect();
        if !gone.is_empty() {
            let mut refusal = refusal.clone();
            refusal.past_leaks = true;
            refusal.findings.retain(|finding| gone.contains(&finding.cell));
            return (primaries, Verdict::Refuse { refusal, coarsening: None });
        }
        outcome = attempt(&attacker, &primaries);
    }
    let verdict = match outcome {
        Ok((audited, quality)) => Verdict::Pass { audited, quality },
        Err(refusal) => {
            Verdict::Refuse { refusal, coarsening: smallest_coarsening(model, deadline) }
        }
    };
    (primaries, verdict)
}

/// Cells lost, what is left out (dimension and depth), and the lost cells.
type Choice = (usize, Vec<(usize, u32)>, BTreeSet<CellIndex>);

/// Tries what could be left out, from little to much, until a candidate passes.
fn smallest_coarsening(model: &Model, deadline: Deadline) -> Option<Coarsening> {
    let mut steps: Vec<(usize, u32)> = Vec::new();
    for (d, dimension) in model.dimensions.iter().enumerate().filter(|(_, d)| d.total.is_some()) {
        let deepest = dimension.depth.iter().copied().max().unwrap_or(0);
        steps.extend((1..=deepest).map(|depth| (d, depth)));
    }
    let mut choices: Vec<Vec<(usize, u32)>> = steps.iter().map(|&step| vec![step]).collect();
    for (i, &first) in steps.iter().enumerate() {
        let other = steps[i + 1..].iter().filter(|second| second.0 != first.0);
        choices.extend(other.map(|&second| vec![first, second]));
    }
    let mut ranked: Vec<Choice> = choices
        .into_iter()
        .map(|steps| {
            let lost = lost_cells(model, &steps);
            (lost.len(), steps, lost)
        })
        .filter(|(count, ..)| *count > 0 && *count < model.candidate_count())
        .collect();
    ranked.sort();
    let deadline = deadline.within(TIME_FOR_COARSENINGS);
    ranked.into_iter().take(24).find_map(|(cells_lost, steps, lost)| {
        if deadline.passed() {
            return None;
        }
        let coarse = without(model, &lost);
        let limit = deadline.within(TIME_PER_COARSENING);
        let primaries = Primaries::find(&coarse);
        protect_with(&Attacker::new(&coarse), &coarse, &primaries, limit).ok()?;
        let name = |&(d, from_depth): &(usize, u32)| CoarseningStep {
            dimension: model.dimensions[d].column.clone(),
            from_depth,
        };
        Some(Coarsening { steps: steps.iter().map(name).collect(), cells_lost })
    })
}

fn lost_cells(model: &Model, steps: &[(usize, u32)]) -> BTreeSet<CellIndex> {
    let deep = |key: &[u32]| {
        steps.iter().any(|&(d, depth)| model.dimensions[d].depth[key[d] as usize] >= depth)
    };
    let cells = model.cells.iter().enumerate();
    cells
        .filter(|(_, cell)| cell.standing == Standing::Candidate && deep(&cell.key))
        .map(|(index, _)| index)
        .collect()
}

/// The same with these cells not published: they still must not be found out.
fn without(model: &Model, lost: &BTreeSet<CellIndex>) -> Model {
    let mut coarse = model.clone();
    coarse.identity = Identity::default();
    lost.iter().for_each(|&cell| coarse.cells[cell].standing = Standing::Withheld);
    coarse
}
