//! Alternatives to suppression that must be declared: controlled rounding and cell-key noise.
//!
//! Both publish every figure, a little wrong. What an attacker learns then is a range round each
//! figure, narrowed by the sums that the true figures satisfy. [`audit_figures`] demands that every
//! sensitive count keep at least `min_contributors` possible values, each end shown by a complete
//! table of true figures that could have given the published ones; the result, [`AuditedFigures`],
//! is to these methods what [`Audited`](super::audit::Audited) is to suppression.
//!
//! The attacker judged knows the method, its parameters and every published figure of this run.
//! What other rounded or perturbed releases of the same counts tell is not judged.

pub(crate) mod cell_key;
pub(crate) mod rounding;

use std::time::{Duration, Instant};

use super::attack::{Attacker, Diligence};
use super::model::{Identity, Model, Standing};
use super::output::{OutputError, render_with};
use super::primary::Primaries;
use super::solver::Deadline;
use super::system::{CellIndex, UNBOUNDED};

/// Tables above this many cells are searched, not solved.
const LARGEST_FOR_PROGRAMMES: usize = 4_000;
/// Witnesses further away than this (or than must be) are not looked for.
const MOST_SHOWN: i128 = 16;

/// Why a table cannot be rounded or perturbed.
#[derive(Debug, thiserror::Error)]
pub enum AlternativeError {
    /// The declaration lacks the section.
    #[error("the declaration has no [{section}]")]
    NotDeclared {
        /// The section's name.
        section: &'static str,
    },
    /// Rounding and noise are for counts.
    #[error("rounding and cell-key perturbation are for counts; this measure is a magnitude")]
    NotACount,
    /// Linked tables whose totals cannot all be kept.
    #[error("no rounding keeps every total: {cell} differs between linked tables")]
    NotAdditive {
        /// The total.
        cell: String,
    },
    /// Part of the table is out exactly; noise on the rest can be subtracted away.
    #[error("{cells} cells of the table are out already without noise")]
    AlreadyOut {
        /// How many.
        cells: usize,
    },
    /// Sensitive cells are left too certain in spite of it.
    #[error("{} sensitive cells keep fewer than {least} possible values, first {first}", cells.len())]
    Exposed {
        /// How many possible values each must keep: the declared `min_contributors`.
        least: i128,
        /// The cells.
        cells: Vec<CellIndex>,
        /// The first one's name.
        first: String,
    },
}

/// What an attacker is left with for one sensitive cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Remaining {
    /// The cell.
    pub cell: CellIndex,
    /// Part of the interval of possible true values that witnesses prove, in units.
    pub low: i128,
    /// Its upper end.
    pub high: i128,
}

/// Figures that may leave, with the proof that no sensitive one can be computed.
#[derive(Debug)]
pub struct AuditedFigures {
    model: Identity,
    figures: Vec<i128>,
    method: &'static str,
    remaining: Vec<Remaining>,
    largest_error: i128,
    elapsed: Duration,
}

impl AuditedFigures {
    /// The figure published for a cell, in units.
    pub fn figure(&self, cell: CellIndex) -> i128 {
        self.figures[cell]
    }

    /// What is left uncertain of each sensitive cell.
    pub fn remaining(&self) -> &[Remaining] {
        &self.remaining
    }

    /// The largest difference between a figure and the truth, in units.
    pub fn largest_error(&self) -> i128 {
        self.largest_error
    }

    /// How long method and audit took.
    pub fn elapsed(&self) -> Duration {
        self.elapsed
    }

    /// Renders every candidate table with its figures and a `status` column.
    ///
    /// # Errors
    ///
    /// When the figures are another model's, or a row cannot be written as CSV.
    pub fn render(&self, model: &Model) -> Result<Vec<(String, Vec<u8>)>, OutputError> {
        if self.model != model.identity {
            return Err(OutputError::NotAudited);
        }
        let figure = |cell: CellIndex| (model.decimal(self.figures[cell]), self.method.to_owned());
        let tables = model.outputs.iter();
        tables
            .map(|table| Ok((table.name.clone(), render_with(model, table, "status", figure)?)))
            .collect()
    }
}

/// Says of each cell the range of true values that its figure allows.
type Range = (i128, i128);

/// A method that changes figures, and what its figures tell.
struct Method<'a> {
    name: &'static str,
    /// The true values that a cell's figure allows.
    ranges: &'a dyn Fn(CellIndex, i128) -> Range,
    started: Instant,
    deadline: Deadline,
}

/// Proves that every sensitive cell keeps as many possible values as there must be contributors.
fn audit_figures(
    model: &Model,
    figures: Vec<i128>,
    method: &Method<'_>,
) -> Result<AuditedFigures, AlternativeError> {
    let known = knowing(model, &figures, method.ranges);
    let attacker = Attacker::new(&known);
    let programmes = model.cells.len() <= LARGEST_FOR_PROGRAMMES;
    let diligence = Diligence { effort: 20_000, attempts: 4, programmes };
    let least = i128::from(model.rule.min_contributors.unwrap_or(2)).max(2);
    let (mut remaining, mut exposed) = (Vec::new(), Vec::new());
    for sensitive in Primaries::find(model).sensitive() {
        let cell = sensitive.cell;
        let reach = |sign: i8| {
            let most = known.system.room(cell, sign).min(MOST_SHOWN.max(least));
            let shown = (1..=most).rev().find(|&distance| {
                let reach = (cell, sign, distance);
                attacker.witness(&|_| true, reach, diligence, method.deadline).is_some()
            });
            shown.unwrap_or(0)
        };
        let (down, up) = (reach(-1), reach(1));
        if down + up + 1 < least {
            exposed.push(cell);
        }
        let value = model.system.value(cell);
        remaining.push(Remaining { cell, low: value - down, high: value + up });
    }
    if let Some(&first) = exposed.first() {
        let first = model.name(first);
        return Err(AlternativeError::Exposed { first, cells: exposed, least });
    }
    let candidates = (0..model.cells.len()).filter(|&c| model.standing(c) == Standing::Candidate);
    let errors = candidates.map(|cell| (figures[cell] - model.system.value(cell)).abs());
    let largest_error = errors.max().unwrap_or(0);
    let (model, elapsed) = (model.identity.clone(), method.started.elapsed());
    Ok(AuditedFigures { model, figures, method: method.name, remaining, largest_error, elapsed })
}

/// The model as somebody sees it who knows the figures and how they were made.
fn knowing(model: &Model, figures: &[i128], ranges: &dyn Fn(CellIndex, i128) -> Range) -> Model {
    let range = |cell: CellIndex| match model.standing(cell) {
        Standing::Implied => (0, UNBOUNDED),
        _ => ranges(cell, figures[cell]),
    };
    let (lower, upper) = (0..model.system.len()).map(range).unzip();
    let mut known = model.clone();
    known.identity = Identity::default();
    known.system = model.system.with_ranges(lower, upper);
    known
}

/// Refuses magnitudes: what a range of their figures protects is not judged here.
fn is_a_count(model: &Model) -> Result<(), AlternativeError> {
    if model.counts { Ok(()) } else { Err(AlternativeError::NotACount) }
}

/// Refuses tables of which part is out exactly.
fn nothing_is_out(model: &Model) -> Result<(), AlternativeError> {
    let out = (0..model.cells.len()).filter(|&cell| model.standing(cell) == Standing::Out).count();
    if out > 0 { Err(AlternativeError::AlreadyOut { cells: out }) } else { Ok(()) }
}
