//! How exposed the persons of a table are, as a commit's note tells it.
//!
//! A group is the rows that have the same quasi-identifiers. A person counts once in each group that
//! they are in. Where a table is partitioned by a quasi-identifier, no group is in two partitions:
//! then each partition is told apart, one that no batch touched keeps its figures, and those of the
//! table are their sums.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Partitions that are told at most, the newest: ten years of months.
const MOST_PARTS: usize = 120;

/// What was measured of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Measured {
    /// What was asked.
    pub asked: Asked,
    /// The figures by partition; under an empty name where the table is measured as one.
    pub parts: BTreeMap<String, Exposure>,
}

/// What is asked of a table. Figures of another question say nothing of this one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// The column whose pseudonyms are persons; where there is none, each row counts as one.
    pub person: Option<String>,
    /// The columns whose values make the groups.
    pub quasi_identifiers: Vec<String>,
    /// The columns that nobody should learn.
    pub sensitive: Vec<String>,
    /// The quasi-identifier that parts the table.
    pub by: Option<String>,
    /// What could be done to a column: its name, and the word for it.
    pub ways: Vec<(String, String)>,
}

/// The figures of some groups.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exposure {
    /// Groups.
    pub groups: u64,
    /// Persons, each once in each group.
    pub persons: u64,
    /// Persons of the smallest group (k); 0 where there is no group.
    pub smallest: u64,
    /// Persons alone in their group.
    pub alone: u64,
    /// Persons in groups of fewer than five.
    pub few: u64,
    /// Of each sensitive column, how its values are spread.
    pub spread: Vec<Alike>,
    /// Of each way, how many of the persons would still be alone: in groups that hold nobody else.
    pub left: Vec<u64>,
}

/// How the values of a sensitive column are spread over the groups.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alike {
    /// Fewest different values in a group (ℓ); 0 where there is no group.
    pub fewest: u64,
    /// Persons in groups where all rows have the same value.
    pub persons: u64,
}

impl Measured {
    /// The figures of the table.
    pub fn whole(&self) -> Exposure {
        self.parts.values().fold(Exposure::default(), Exposure::and)
    }

    /// With figures of partitions in the place of what was told of them; those in `gone` that have
    /// none any more are empty.
    pub fn replace(
        &mut self,
        gone: impl IntoIterator<Item = String>,
        new: BTreeMap<String, Exposure>,
    ) {
        for part in gone {
            self.parts.remove(&part);
        }
        self.parts.extend(new);
        while self.parts.len() > MOST_PARTS {
            self.parts.pop_first();
        }
    }
}

impl Exposure {
    /// Share of persons, from 0 to 1, that `some` of them are.
    pub fn share(&self, some: u64) -> f64 {
        some as f64 / self.persons.max(1) as f64
    }

    fn and(self, other: &Self) -> Self {
        let each = |one: Vec<u64>, other: &[u64]| match one.is_empty() {
            true => other.to_vec(),
            false => one.iter().zip(other).map(|(one, other)| one + other).collect(),
        };
        let spread = match self.spread.is_empty() {
            true => other.spread.clone(),
            false => {
                self.spread.iter().zip(&other.spread).map(|(one, other)| one.and(*other)).collect()
            }
        };
        Self {
            groups: self.groups + other.groups,
            persons: self.persons + other.persons,
            smallest: least(self.smallest, other.smallest),
            alone: self.alone + other.alone,
            few: self.few + other.few,
            spread,
            left: each(self.left, &other.left),
        }
    }
}

impl Alike {
    fn and(self, other: Self) -> Self {
        Self { fewest: least(self.fewest, other.fewest), persons: self.persons + other.persons }
    }
}

/// The smaller of two, where 0 says that there is none.
fn least(one: u64, other: u64) -> u64 {
    match (one, other) {
        (0, some) | (some, 0) => some,
        (one, other) => one.min(other),
    }
}
