//! Alternatives to suppression that must be declared: controlled rounding and cell-key noise.
//!
//! Both publish every figure, a little wrong. What an attacker learns then is a range round each
//! figure, narrowed by the sums that the true figures satisfy. [`audit_figures`] looks for two
//! different true tables for every sensitive cell; the result, [`AuditedFigures`], is to these
//! methods what [`Audited`](super::audit::Audited) is to suppression.

pub(crate) mod cell_key;
pub(crate) mod rounding;

use std::time::{Duration, Instant};

use super::attack::{Attacker, Diligence};
use super::model::{Model, Standing};
use super::output::{OutputError, render_with};
use super::primary::Primaries;
use super::solver::Deadline;
use super::system::CellIndex;

/// Tables above this many cells are searched, not solved.
const LARGEST_FOR_PROGRAMMES: usize = 4_000;

/// Why a table cannot be rounded or perturbed.
#[derive(Debug, thiserror::Error)]
pub enum AlternativeError {
    /// The declaration lacks the section.
    #[error("the declaration has no [{section}]")]
    NotDeclared {
        /// The section's name.
        section: &'static str,
    },
    /// Noise is for counts.
    #[error("cell-key perturbation is for counts; this measure is a magnitude")]
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
    /// Sensitive cells can be computed in spite of it.
    #[error("{} sensitive cells can be computed exactly, first {first}", cells.len())]
    Exposed {
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
    /// When a row cannot be written as CSV.
    pub fn render(&self, model: &Model) -> Result<Vec<(String, Vec<u8>)>, OutputError> {
        let figure = |cell: CellIndex| (model.decimal(self.figures[cell]), self.method.to_owned());
        let tables = model.outputs.iter();
        tables
            .map(|table| Ok((table.name.clone(), render_with(model, table, "status", figure)?)))
            .collect()
    }
}

/// Says of each cell the range of true values that its figure allows.
type Range = (i128, i128);

/// Proves that no sensitive cell follows from the figures.
fn audit_figures(
    model: &Model,
    figures: Vec<i128>,
    ranges: &dyn Fn(CellIndex, i128) -> Range,
    method: &'static str,
    started: Instant,
) -> Result<AuditedFigures, AlternativeError> {
    let system = &model.system;
    let range = |cell: CellIndex| match model.standing(cell) {
        Standing::Implied => (0, i128::MAX / 4),
        _ => ranges(cell, figures[cell]),
    };
    let (lower, upper) = (0..system.len()).map(range).unzip();
    let mut known = model.clone();
    known.system = system.with_ranges(lower, upper);
    let attacker = Attacker::new(&known);
    let programmes = model.cells.len() <= LARGEST_FOR_PROGRAMMES;
    let diligence = Diligence { effort: 20_000, attempts: 4, programmes };
    let (mut remaining, mut exposed) = (Vec::new(), Vec::new());
    for sensitive in Primaries::find(model).sensitive {
        let cell = sensitive.cell;
        let reach = |sign: i8| {
            let most = known.system.room(cell, sign);
            (1..=most.min(16)).rev().find(|&distance| {
                let reach = (cell, sign, distance);
                attacker.witness(&|_| true, reach, diligence, Deadline::after(None)).is_some()
            })
        };
        let (down, up) = (reach(-1).unwrap_or(0), reach(1).unwrap_or(0));
        if down + up == 0 {
            exposed.push(cell);
        }
        let value = system.value(cell);
        remaining.push(Remaining { cell, low: value - down, high: value + up });
    }
    if let Some(&first) = exposed.first() {
        return Err(AlternativeError::Exposed { first: model.name(first), cells: exposed });
    }
    let candidates = (0..system.len()).filter(|&c| model.standing(c) == Standing::Candidate);
    let errors = candidates.map(|cell| (figures[cell] - system.value(cell)).abs());
    let largest_error = errors.max().unwrap_or(0);
    let elapsed = started.elapsed();
    Ok(AuditedFigures { figures, method, remaining, largest_error, elapsed })
}

/// Refuses tables of which part is out exactly.
fn nothing_is_out(model: &Model) -> Result<(), AlternativeError> {
    let out = (0..model.cells.len()).filter(|&cell| model.standing(cell) == Standing::Out).count();
    if out > 0 { Err(AlternativeError::AlreadyOut { cells: out }) } else { Ok(()) }
}
