//! The disclosure gate.

mod alternative;
mod attack;
mod audit;
mod exact;
mod gate;
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
pub use audit::{AuditLimits, Audited, Finding, Hints, Refusal, Status, audit, audit_past};
pub use gate::{Coarsening, CoarseningStep, Verdict, audit_candidate, protect_candidate};
pub use input::Faults;
pub use input::build::{Inputs, Loaded, Purpose};
pub use input::spec;
pub use model::{Cell, Model, Standing};
pub use output::{OutputError, StatusDetail, render_tables, write_whole};
pub use primary::{AlreadyOut, Primaries, Reason, Sensitive};
pub use protect::{Limits, Protected, Quality, protect};
pub use report::Report;
