//! How far tokens may go: the tables that hold pseudonyms, and at any depth what is made from them.

use std::collections::BTreeSet;

use warehouse::names::TableName;
use warehouse::spec::{Declarations, Query};

/// Tables in which a token may stand, by what is declared. What a query makes of tokens is not
/// followed: a table that counts them is one of these.
#[derive(Debug)]
pub struct Reach(BTreeSet<TableName>);

impl Reach {
    /// Follows the declared queries, which stand in build order.
    pub fn of(declared: &Declarations) -> Self {
        let sources = declared.contracts.iter().flat_map(|contract| &contract.tables);
        let sources = sources.filter(|table| table.has_pseudonyms());
        let mut reach = Self(sources.map(|table| table.name.clone()).collect());
        for query in &declared.queries {
            if reach.is_read_by(query) {
                reach.0.extend(query.table());
            }
        }
        reach
    }

    /// Whether a query reads one of them.
    pub fn is_read_by(&self, query: &Query) -> bool {
        query.reads.iter().any(|table| self.0.contains(table))
    }

    /// The tables.
    pub fn tables(&self) -> &BTreeSet<TableName> {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use warehouse::spec::load_embedded;

    use super::*;

    #[test]
    fn what_is_made_from_persons_is_reached_and_what_is_made_from_counts_is_not() {
        let declared = load_embedded().declarations;
        let reach = Reach::of(&declared);
        let reached = |name: &str| reach.tables().contains(&name.parse().unwrap());
        assert!(reached("nguon.nhan_luc_nhan_vien") && reached("kho.nhan_luc"));
        assert!(!reached("nguon.lao_quy") && !reached("kho.lao_quy"));
        assert!(reach.is_read_by(declared.query("bhyt_luot_kham").unwrap()));
    }
}
