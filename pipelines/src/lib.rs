//! The nightly pipelines: from a source's raw rows to committed, de-identified tables, marts and
//! indicators.
//!
//! A night is a sequence of small promises, each kept by one atomic commit: run again, it finds
//! what is done and does the rest; killed at any instant, it leaves nothing half-written. Raw
//! values live in memory only, between `connectors` and [`deidentify`]; nothing after that has
//! ever seen an identifier.

pub mod batch;

pub mod deidentify;
pub mod ledger;
pub mod materialise;
pub mod night;
pub mod quality;
pub mod quarantine;
mod risk;
pub mod rotation;
pub mod simulate;
pub mod sources;

/// The way in which this version of the program turns the same input into rows. Raise it when a
/// change makes other rows of them: every table is then made again.
pub(crate) const PIPELINE_VERSION: u32 = 3;
