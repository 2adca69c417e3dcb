//! Who asks, and what they may see.
//!
//! A principal has one clearance: the most sensitive class of table that they may read. A table
//! above it is not refused by name, it is simply not there: a session holds only what its
//! principal may see, whichever door the query came through.

use crate::names::Sensitivity;

/// Someone, or something, that runs queries.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Principal {
    /// Who, for the audit log.
    pub name: String,
    /// The most sensitive class of table they may read.
    pub clearance: Sensitivity,
}

impl Principal {
    /// The product itself: the night, checks, releases. Reads everything.
    pub fn system() -> Self {
        Self { name: "khoyte".into(), clearance: Sensitivity::Restricted }
    }

    /// Anyone, without a name: open tables only.
    pub fn public() -> Self {
        Self { name: "public".into(), clearance: Sensitivity::Open }
    }

    /// A planner at the ministry: aggregates and business figures, no person-level tables.
    pub fn planner(name: impl Into<String>) -> Self {
        Self { name: name.into(), clearance: Sensitivity::Business }
    }

    /// Whether a table or column of class `class` is visible.
    pub fn may_read(&self, class: Sensitivity) -> bool {
        class <= self.clearance
    }
}
