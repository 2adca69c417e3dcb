//! Who asks, and what they may see.
//!
//! A principal has a name, a role, a clearance and a scope. The clearance is the most sensitive
//! class that they may read; the scope says of which places, where a table is not open. What they
//! may not see is not refused by name, it is simply not there: a session holds only what its
//! principal may see, whichever door the query came through.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use crate::names::Sensitivity;

/// Someone, or something, that runs queries.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Principal {
    /// Who, for the account of queries.
    pub name: String,
    /// In which capacity.
    pub role: Role,
    /// The most sensitive class of table or column they may read.
    pub clearance: Sensitivity,
    /// Of which places they may read what is not open.
    pub scope: Scope,
}

/// In which capacity someone asks. It decides which of the product's own records they may read;
/// classes and places are decided by clearance and scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Anyone, without a name.
    Public,
    /// Reads pages and figures.
    Leader,
    /// Writes SQL.
    Planner,
    /// Also reads the account of all queries.
    Inspector,
    /// The product itself, or whoever runs it on its machine.
    Operator,
}

impl Role {
    /// The roles that a person may be given.
    pub const GIVEN: [Self; 3] = [Self::Leader, Self::Planner, Self::Inspector];

    /// The word that configurations and commands use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Leader => "leader",
            Self::Planner => "planner",
            Self::Inspector => "inspector",
            Self::Operator => "operator",
        }
    }
}

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, UnknownRole> {
        Self::GIVEN.into_iter().find(|role| role.as_str() == text).ok_or(UnknownRole)
    }
}

/// Not the word of a role that a person may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a role is leader, planner or inspector")]
pub struct UnknownRole;

/// Of which places a principal may read what is not open.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// All of them.
    Country,
    /// These, by unit key (`24@2025-07-01`), and what became part of them.
    Units(BTreeSet<String>),
}

impl Scope {
    /// Whether it is the whole country.
    pub fn is_country(&self) -> bool {
        *self == Self::Country
    }

    /// Reads [`Self::to_string`]'s form; whether the units exist is for the geography to say.
    pub fn parse(text: &str) -> Self {
        if text == "country" {
            return Self::Country;
        }
        Self::Units(text.split(';').map(|key| key.trim().to_owned()).collect())
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Country => f.write_str("country"),
            Self::Units(units) => {
                f.write_str(&units.iter().map(String::as_str).collect::<Vec<_>>().join(";"))
            }
        }
    }
}

impl Principal {
    /// The product itself: the night, checks, releases. Reads everything.
    pub fn system() -> Self {
        Self::operator("khoyte")
    }

    /// Whoever runs the product on its own machine. Reads everything.
    pub fn operator(name: impl Into<String>) -> Self {
        let (role, clearance) = (Role::Operator, Sensitivity::Restricted);
        Self { name: name.into(), role, clearance, scope: Scope::Country }
    }

    /// Anyone, without a name: open tables only.
    pub fn public() -> Self {
        let (role, clearance) = (Role::Public, Sensitivity::Open);
        Self { name: "public".into(), role, clearance, scope: Scope::Country }
    }

    /// A planner at the ministry: aggregates and business figures, no person-level tables.
    pub fn planner(name: impl Into<String>) -> Self {
        let (role, clearance) = (Role::Planner, Sensitivity::Business);
        Self { name: name.into(), role, clearance, scope: Scope::Country }
    }

    /// The same principal, kept to these places.
    #[must_use]
    pub fn within(mut self, scope: Scope) -> Self {
        self.scope = scope;
        self
    }

    /// Whether a table or column of class `class` is visible, in some of its rows at least.
    pub fn may_read(&self, class: Sensitivity) -> bool {
        class <= self.clearance
    }

    /// Whether all rows of class `class` are visible, wherever they are about.
    pub fn reads_whole(&self, class: Sensitivity) -> bool {
        class == Sensitivity::Open || (self.may_read(class) && self.scope.is_country())
    }

    /// Whether they may read the account of everybody's queries.
    pub fn inspects(&self) -> bool {
        matches!(self.role, Role::Inspector | Role::Operator)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_survives_its_own_form() {
        for text in ["country", "24@2025-07-01", "24@2025-07-01;79@2025-07-01"] {
            assert_eq!(Scope::parse(text).to_string(), text);
        }
    }

    #[test]
    fn what_is_open_is_whole_to_everyone() {
        let scope = Scope::parse("24@2025-07-01");
        let kept = Principal::planner("a").within(scope);
        assert!(kept.reads_whole(Sensitivity::Open));
        assert!(kept.may_read(Sensitivity::Business) && !kept.reads_whole(Sensitivity::Business));
        assert!(!Principal::public().may_read(Sensitivity::Internal));
    }
}
