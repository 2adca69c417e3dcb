//! The disclosure gate: nothing that leaves lets anyone work out a person's or a facility's figure.
//!
//! A candidate table, together with everything already out, becomes one linear system
//! ([`system`]); the declared rules say which cells are sensitive ([`Primaries`]); suppression
//! chooses what else to hide ([`protect`]); and the audit ([`audit`]) proves each sensitive cell
//! uncertain by two complete alternative tables that it checks by plain integer addition. Only the
//! audit makes an [`Audited`], and only with one can a table be rendered ([`render_tables`]).
//!
//! What this module refuses to do: trust a solver, forget an earlier release, change a figure that
//! is out, quote a confidential value in a diagnostic, leave a half-written file.
//!
//! ```text
//! Inputs::load ─▶ Model ─▶ Primaries::find ─▶ protect (suppress ─▶ audit) ─▶ Audited ─▶ render_tables
//! ```
//!
//! The method follows Fischetti and Salazar (*Models and algorithms for optimizing cell
//! suppression in tabular data with linear constraints*, 2000) and the handbook of Hundepool et
//! al. (*Statistical Disclosure Control*, 2012). The page for statisticians is `DISCLOSURE.md`.

mod alternative;
mod attack;
mod audit;
mod certificate;
mod exact;
mod gate;
pub mod groups;
mod input;
mod lattice;
pub mod microdata;
mod model;
mod output;
mod past;
mod primary;
mod protect;
mod report;
mod solver;
mod suppress;
pub mod system;

pub use alternative::cell_key::{NoiseTable, perturb_table};
pub use alternative::rounding::round_table;
pub use alternative::{AlternativeError, AuditedFigures, Remaining};
pub use audit::{AuditLimits, Audited, Finding, Hints, Refusal, Status, audit};
pub use gate::{Coarsening, CoarseningStep, Verdict, audit_candidate, protect_candidate};
pub use input::Faults;
pub use input::build::{Inputs, Loaded, Purpose};
pub use input::spec;
pub use model::{Cell, Model, Standing};
pub use output::{OutputError, StatusDetail, render_tables, write_all_whole, write_whole};
pub use primary::{AlreadyOut, Primaries, Reason, Sensitive};
pub use protect::{Limits, Protected, Quality, protect};
pub use report::Report;
