//! `[[linkage]]`: with which other sources the tokens of a domain may be joined, and for what.
//!
//! Two sources whose columns are of one domain give one person the same token: their rows can be
//! joined. That is a use of personal data of its own, so each source that takes part says for what
//! purpose and on which ground; a source that says nothing has a domain of its own. A restricted
//! source has tables in a schema of their own, so that nobody reads one for another.

use std::collections::{BTreeMap, BTreeSet};

use super::Treatment;
use super::column::ColumnDraft;
use super::contract::ContractDraft;
use super::reader::{At, Node};
use crate::names::{Schema, Sensitivity, TableName, Text};

/// A domain whose tokens other sources have too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Linkage {
    /// The domain of the tokens.
    pub domain: String,
    /// What the rows are joined for.
    pub purpose: Text,
    /// What orders or permits it.
    pub legal_basis: String,
}

/// Reads `[[linkage]]` of a contract.
pub(super) fn read(root: &Node<'_>) -> Vec<At<Linkage>> {
    let mut linkages: Vec<At<Linkage>> = Vec::new();
    for node in root.tables("linkage") {
        let At { value: domain, span } = node.required_string("domain");
        let purpose = node.text("purpose");
        let legal_basis = node.required_string("legal_basis").value;
        node.finish();
        if linkages.iter().any(|other| other.value.domain == domain) {
            let message = format!("the domain `{domain}` is already linked, further up");
            node.file().fault(span.clone(), "duplicate-name", message, None);
        }
        linkages.push(At { value: Linkage { domain, purpose, legal_basis }, span });
    }
    linkages
}

/// Tables of a restricted class are in `han_che`, and no others.
pub(super) fn check_schema(
    node: &Node<'_>,
    (name, parsed): (&At<String>, &TableName),
    class: &At<Sensitivity>,
) {
    let word = class.value.as_str();
    // A class that could not be read counts as restricted, and has its own fault.
    if !node.file().text.get(class.span.clone()).is_some_and(|said| said.contains(word)) {
        return;
    }
    let is_restricted = class.value == Sensitivity::Restricted;
    let (message, right) = match (parsed.schema(), is_restricted) {
        (Schema::HanChe, false) => {
            (format!("`{parsed}` is among restricted tables, and is {word}"), Schema::Nguon)
        }
        (Schema::Nguon | Schema::DanhMuc, true) => {
            (format!("`{parsed}` is restricted, and is among other tables"), Schema::HanChe)
        }
        _ => return,
    };
    let help = format!("write `name = \"{right}.{}\"`, or another class", parsed.name());
    node.file().fault(name.span.clone(), "restricted-schema", message, help);
}

/// Whoever shares a domain says for what, and nobody says so in vain.
pub(super) fn check(contracts: &[ContractDraft<'_>]) {
    let mut users: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for draft in contracts {
        for (domain, _) in domains(draft) {
            users.entry(domain).or_default().insert(&draft.contract.id);
        }
    }
    for draft in contracts {
        let id = draft.contract.id.as_str();
        let mut told = BTreeSet::new();
        for (domain, column) in domains(draft) {
            let others: Vec<&str> = users[domain].iter().copied().filter(|o| *o != id).collect();
            let declared = draft.linkages.iter().any(|one| one.value.domain == domain);
            if others.is_empty() || declared || !told.insert(domain) {
                continue;
            }
            let message = format!(
                "the domain `{domain}` joins persons or things of `{id}` with those of {}: for what?",
                others.join(", ")
            );
            let help = format!(
                "write `[[linkage]]` with `domain = \"{domain}\"`, `purpose` and `legal_basis` before \
                 the first table, or take a domain of its own"
            );
            draft.file.fault(column.span.clone(), "linked-without-purpose", message, help);
        }
        for linkage in &draft.linkages {
            let domain = linkage.value.domain.as_str();
            if users.get(domain).is_none_or(|users| users.len() < 2 || !users.contains(id)) {
                let message = format!("the domain `{domain}` joins this source with no other");
                draft.file.fault(linkage.span.clone(), "unknown-reference", message, None);
            }
        }
    }
}

/// The domains of a contract's tokens, with their columns.
fn domains<'a>(draft: &'a ContractDraft<'_>) -> impl Iterator<Item = (&'a str, &'a ColumnDraft)> {
    let columns = draft.tables.iter().flat_map(|table| &table.columns);
    columns.filter_map(|column| match &column.column.treatment {
        Treatment::Pseudonymise { domain } => Some((domain.as_str(), column)),
        _ => None,
    })
}
