//! The warehouse: what is declared, the lake it is kept in, and the one door through which it is
//! read.
//!
//! Everything else in the workspace stands on this crate and meets here: pipelines write tables,
//! dashboards and the publisher read them, and none of them knows another.

pub mod access;
pub mod diagnostic;
pub mod geography;
pub mod grid;
pub mod names;
pub mod query;
pub mod serve;
pub mod spec;
pub mod stage;
pub mod state;
pub mod store;
pub mod system;
