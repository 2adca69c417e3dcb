//! The audit: nothing leaves unless every sensitive cell has two witnesses.
//!
//! A witness is a complete table that agrees with everything published, now and before, and in
//! which the cell is at least so much higher, or lower, than in truth. It is kept as a deviation
//! and checked by plain integer addition, so the audit trusts neither the suppression that chose
//! the pattern nor the solver that found the witness. What it cannot show, it refuses.
//!
//! [`Audited`] can be made only here. The publisher asks for one; there is no other way out.

use std::time::{Duration, Instant};

use super::attack::{Attacker, Diligence};
use super::model::{Identity, Model, Standing};
use super::primary::{AlreadyOut, Primaries, Reason};
use super::solver::Deadline;
use super::system::{CellIndex, Demand, Deviation};
use std::sync::Arc;

/// What happens to a row of the candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Its value is public.
    Published,
    /// Suppressed because it is sensitive.
    Primary,
    /// Suppressed to protect another.
    Secondary,
}

impl Status {
    /// The word in the `status` column.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Published => "published",
            Self::Primary => "primary",
            Self::Secondary => "secondary",
        }
    }
}

/// What an attacker can find out about one suppressed cell.
#[derive(Debug, Clone)]
pub struct Finding {
    /// The cell.
    pub cell: CellIndex,
    /// Why it is sensitive; `None` for a cell that only protects others.
    pub reason: Option<Reason>,
    /// Its value, in units.
    pub value: i128,
    /// The interval an attacker is left with, in units: for a protected cell the part of it that
    /// witnesses prove; for another an interval that surely contains it.
    pub low: i128,
    /// Upper end of the interval.
    pub high: i128,
    /// Distances demanded below and above (a width: 0 and the width).
    pub wanted: (i128, i128),
    /// Whether the demand is met.
    pub protected: bool,
    /// Cells an insider was taken to know when the demand was not met.
    pub insider: Arc<[CellIndex]>,
}

impl Finding {
    /// Whether the value can be computed exactly.
    pub fn is_recoverable(&self) -> bool {
        !self.protected && self.low == self.high
    }
}

/// The proof that a pattern is safe: what the publisher demands before anything leaves.
///
/// It owns the pattern it speaks of, knows the model it speaks about, and cannot be made, changed
/// or cloned into another pattern outside this module.
#[derive(Debug)]
pub struct Audited {
    model: Identity,
    hidden: Vec<bool>,
    findings: Vec<Finding>,
    already_out: Vec<AlreadyOut>,
    witnesses: usize,
    elapsed: Duration,
}

impl Audited {
    /// Whether this is a proof about `model`.
    pub(crate) fn is_of(&self, model: &Model) -> bool {
        self.model == model.identity
    }

    /// Whether the cell's value stays hidden.
    pub fn is_hidden(&self, cell: CellIndex) -> bool {
        self.hidden[cell]
    }

    /// What an attacker learns of each suppressed cell.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// Sensitive cells that earlier releases published.
    pub fn already_out(&self) -> &[AlreadyOut] {
        &self.already_out
    }

    /// How many witnesses were checked.
    pub fn witness_count(&self) -> usize {
        self.witnesses
    }

    /// How long the audit took.
    pub fn elapsed(&self) -> Duration {
        self.elapsed
    }

    /// What the row of `cell` says.
    pub fn status(&self, cell: CellIndex) -> Status {
        if !self.hidden[cell] {
            return Status::Published;
        }
        let at = self.findings.binary_search_by_key(&cell, |finding| finding.cell);
        match at.ok().and_then(|at| self.findings[at].reason) {
            Some(_) => Status::Primary,
            None => Status::Secondary,
        }
    }
}

/// Why a pattern may not leave.
#[derive(Debug, Clone)]
pub struct Refusal {
    /// Every suppressed or sensitive cell, in order; those not protected say so.
    pub findings: Vec<Finding>,
    /// Whether the earlier releases leak by themselves, whatever the candidate does.
    pub past_leaks: bool,
    /// Sensitive cells that earlier releases published.
    pub already_out: Vec<AlreadyOut>,
    /// How long the audit took.
    pub elapsed: Duration,
}

impl Refusal {
    /// The cells that are not protected.
    pub fn exposed(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| !finding.protected)
    }
}

/// Witnesses somebody already found; the audit checks them before it looks for its own.
#[derive(Debug, Clone, Default)]
pub struct Hints {
    pub(crate) deviations: Vec<Deviation>,
}

/// What the audit may spend.
#[derive(Debug, Clone, Copy, Default)]
pub struct AuditLimits {
    /// Time after which cells without witnesses are refused.
    pub time: Option<Duration>,
}

/// Audits a pattern: `hidden` says of each cell whether the candidate suppresses it. Primaries of
/// another model are not taken: the model's own are found instead.
///
/// # Errors
///
/// A [`Refusal`] when any demand has no witness, or a suppressed cell can be computed.
pub fn audit(
    model: &Model,
    hidden: &[bool],
    primaries: &Primaries,
    hints: &Hints,
    limits: AuditLimits,
) -> Result<Audited, Box<Refusal>> {
    let attacker = Attacker::new(model);
    audit_with(&attacker, model, hidden, primaries, hints, Deadline::after(limits.time))
}

/// The same with an attacker made before, until a time agreed before.
pub(crate) fn audit_with(
    attacker: &Attacker<'_>,
    model: &Model,
    hidden: &[bool],
    primaries: &Primaries,
    hints: &Hints,
    deadline: Deadline,
) -> Result<Audited, Box<Refusal>> {
    let auditor = Auditor::new(model, attacker, hidden, hints, deadline);
    if primaries.are_of(model) {
        auditor.run(primaries)
    } else {
        auditor.run(&Primaries::find(model))
    }
}

/// Whether the earlier releases protect what they hid, were the candidate never published.
///
/// # Errors
///
/// A [`Refusal`] with `past_leaks` set and the cells that are exposed.
pub(crate) fn audit_past(
    attacker: &Attacker<'_>,
    model: &Model,
    primaries: &Primaries,
    deadline: Deadline,
) -> Result<(), Box<Refusal>> {
    let nothing_new = vec![true; model.cells.len()];
    let none = Hints::default();
    let mut auditor = Auditor::new(model, attacker, &nothing_new, &none, deadline);
    let mut findings = Vec::new();
    for sensitive in primaries.sensitive() {
        if model.standing(sensitive.cell) == Standing::Withheld {
            let finding = auditor.judge(&sensitive.demand);
            findings.push(Finding { reason: Some(sensitive.reason), ..finding });
        }
    }
    findings.extend(auditor.protectors(primaries.kept().iter().copied()));
    findings.sort_by_key(|finding| finding.cell);
    if findings.iter().all(|finding| finding.protected) {
        return Ok(());
    }
    let already_out = primaries.already_out().to_vec();
    let elapsed = auditor.started.elapsed();
    Err(Box::new(Refusal { findings, past_leaks: true, already_out, elapsed }))
}

struct Auditor<'a> {
    model: &'a Model,
    attacker: &'a Attacker<'a>,
    hidden: Vec<bool>,
    /// Checked witnesses that hold for an outsider.
    checked: Vec<Deviation>,
    /// For each cell, the checked witnesses that move it.
    movers: Vec<Vec<usize>>,
    deadline: Deadline,
    started: Instant,
}

impl<'a> Auditor<'a> {
    fn new(
        model: &'a Model,
        attacker: &'a Attacker<'a>,
        hidden: &[bool],
        hints: &Hints,
        deadline: Deadline,
    ) -> Self {
        // The candidate cannot take back what is out, nor show what was never its own.
        let hidden: Vec<bool> = (0..model.cells.len())
            .map(|cell| match model.standing(cell) {
                Standing::Candidate => hidden.get(cell).copied().unwrap_or(false),
                Standing::Out => false,
                Standing::Withheld | Standing::Implied => true,
            })
            .collect();
        let started = Instant::now();
        let movers = vec![Vec::new(); hidden.len()];
        let mut auditor =
            Self { model, attacker, hidden, checked: Vec::new(), movers, deadline, started };
        for hint in &hints.deviations {
            if model.system.admits(hint, &|cell| auditor.hidden[cell]) {
                auditor.keep(hint.clone());
            }
        }
        auditor
    }

    fn keep(&mut self, witness: Deviation) {
        for (&cell, &change) in &witness.changes {
            if change != 0 {
                self.movers[cell].push(self.checked.len());
            }
        }
        self.checked.push(witness);
    }

    fn run(mut self, primaries: &Primaries) -> Result<Audited, Box<Refusal>> {
        let mut findings: Vec<Finding> = Vec::new();
        for sensitive in primaries.sensitive() {
            let mut finding = self.judge(&sensitive.demand);
            finding.reason = Some(sensitive.reason);
            findings.push(finding);
        }
        for demand in primaries.demands().iter().skip(primaries.sensitive().len()) {
            let at = findings.binary_search_by_key(&demand.cell, |finding| finding.cell);
            let Ok(at) = at else { continue };
            if findings[at].protected {
                let finding = self.judge(demand);
                if !finding.protected {
                    findings[at] = Finding { reason: findings[at].reason, ..finding };
                }
            }
        }
        let judged =
            |cell: &CellIndex| findings.binary_search_by_key(cell, |finding| finding.cell).is_ok();
        let printed = |cell: &CellIndex| {
            matches!(self.model.standing(*cell), Standing::Candidate | Standing::Withheld)
        };
        let others = (0..self.hidden.len()).filter(|cell| self.hidden[*cell] && printed(cell));
        let others: Vec<CellIndex> = others.filter(|cell| !judged(cell)).collect();
        findings.extend(self.protectors(others.into_iter()));
        findings.sort_by_key(|finding| finding.cell);
        let elapsed = self.started.elapsed();
        let already_out = primaries.already_out().to_vec();
        if findings.iter().all(|finding| finding.protected) {
            return Ok(Audited {
                model: self.model.identity.clone(),
                hidden: self.hidden,
                findings,
                already_out,
                witnesses: self.checked.len(),
                elapsed,
            });
        }
        Err(Box::new(Refusal { findings, past_leaks: false, already_out, elapsed }))
    }

    /// Judges one demand: two witnesses, or the interval that is left.
    fn judge(&mut self, demand: &Demand) -> Finding {
        let cell = demand.cell;
        let value = self.model.system.value(cell);
        let (below, above) = if demand.width > 0 {
            self.judge_width(demand)
        } else {
            (self.side(demand, -1, demand.below), self.side(demand, 1, demand.above))
        };
        let protected = self.hidden[cell]
            && match demand.width {
                0 => below.is_some() && above.is_some(),
                width => below.unwrap_or(0) + above.unwrap_or(0) >= width,
            };
        let mut finding = Finding {
            cell,
            reason: None,
            value,
            low: value - below.unwrap_or(0),
            high: value + above.unwrap_or(0),
            wanted: (demand.below, demand.above.max(demand.width)),
            protected,
            insider: demand.known.clone(),
        };
        if !protected {
            let hidden = |other: CellIndex| {
                self.hidden[other] && demand.known.binary_search(&other).is_err()
            };
            let question = (cell, demand.longest());
            let (down, up) = self.attacker.range(&hidden, question, self.deadline);
            finding.low = finding.low.min(value - down);
            finding.high = finding.high.max(value + up);
        }
        finding
    }

    /// How far witnesses prove the cell can move towards `sign`, if at least `distance`.
    fn side(&mut self, demand: &Demand, sign: i8, distance: i128) -> Option<i128> {
        if distance == 0 {
            return Some(0);
        }
        let cell = demand.cell;
        let kept = self.movers[cell].iter().map(|&at| &self.checked[at]);
        let known = &demand.known;
        let proven = kept
            .filter(|witness| known.iter().all(|&other| !witness.moves(other)))
            .map(|witness| witness.reach(cell) * i128::from(sign))
            .max()
            .filter(|&reach| reach >= distance);
        if proven.is_some() {
            return proven;
        }
        let hidden = |other: CellIndex| self.hidden[other] && known.binary_search(&other).is_err();
        let witness = self.attacker.witness(
            &hidden,
            (cell, sign, distance),
            Diligence::thorough(self.model.cells.len()),
            self.deadline,
        )?;
        let reach = witness.reach(cell) * i128::from(sign);
        self.keep(witness);
        Some(reach)
    }

    fn judge_width(&mut self, demand: &Demand) -> (Option<i128>, Option<i128>) {
        let width = demand.width;
        let up = self.side(demand, 1, width);
        if up.is_some() {
            return (None, up);
        }
        let down = self.side(demand, -1, width);
        if down.is_some() {
            return (down, None);
        }
        let mut best = (None, None);
        for part in (1..width.min(64)).rev() {
            best.0 = best.0.or_else(|| self.side(demand, -1, part));
            best.1 = best.1.or_else(|| self.side(demand, 1, part));
        }
        best
    }

    /// Suppressed cells that are not sensitive: none of them may be computable.
    fn protectors(&mut self, cells: impl Iterator<Item = CellIndex>) -> Vec<Finding> {
        let mut findings = Vec::new();
        for cell in cells {
            let demand = |above, below| Demand { above, below, ..Demand::of_width(cell, 0) };
            let moved = self.movers[cell].iter().map(|&at| self.checked[at].reach(cell));
            let moved = moved
                .max_by_key(|reach| reach.abs())
                .filter(|&reach| reach != 0)
                .or_else(|| self.side(&demand(1, 0), 1, 1))
                .or_else(|| self.side(&demand(0, 1), -1, 1).map(|reach| -reach));
            let value = self.model.system.value(cell);
            let reach = moved.unwrap_or(0);
            findings.push(Finding {
                cell,
                reason: None,
                value,
                low: value + reach.min(0),
                high: value + reach.max(0),
                wanted: (0, 1),
                protected: reach != 0,
                insider: Arc::default(),
            });
        }
        findings
    }
}
