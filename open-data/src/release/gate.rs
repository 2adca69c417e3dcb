//! Whether a query may be released at all, and with whose eyes it is read.

use std::collections::BTreeSet;

use warehouse::access::Principal;
use warehouse::names::{Schema, Sensitivity, TableName, is_name};
use warehouse::spec::{Declarations, Query, QueryKind};

use super::error::{Refusal, ReleaseError};
use super::{is_open, rule};

/// The principal that runs `query`: anyone when all that it reads is open, else the product
/// itself, which only a query declared open may ask to.
pub(super) fn principal(
    declarations: &Declarations,
    query: &Query,
) -> Result<Principal, ReleaseError> {
    let refuse = |refusal| Err(ReleaseError::Refused(refusal));
    // `en` is the English half of the catalogue.
    if !is_name(&query.id) || query.id == "en" {
        return refuse(Refusal::Identifier);
    }
    if !is_open(query) {
        return refuse(Refusal::NotOpen(query.sensitivity));
    }
    let Some(release) = &query.release else { return refuse(Refusal::NoRelease) };
    let delicate = delicate_input(declarations, query);
    if let Some((table, class)) = delicate.filter(|_| !rule::applies(release)) {
        return refuse(Refusal::NoRule { table, class });
    }
    let class = |table: &TableName| class_of(declarations, table);
    let all_open = query.reads.iter().all(|table| class(table) == Sensitivity::Open);
    Ok(if all_open { Principal::public() } else { Principal::system() })
}

/// A table that makes a small-cell rule necessary, and its class: one that the query reads itself
/// and that is not open, or one about single persons at any depth behind what it reads. That a
/// mart or an indicator is declared open settles that figures of bodies may go out; counts of
/// persons stay counts of persons.
fn delicate_input(declarations: &Declarations, query: &Query) -> Option<(TableName, Sensitivity)> {
    let mut direct = query.reads.iter().map(|table| (table, class_of(declarations, table)));
    if let Some((table, class)) = direct.find(|(_, class)| *class > Sensitivity::Open) {
        return Some((table.clone(), class));
    }
    let mut seen = BTreeSet::new();
    let mut waiting: Vec<&TableName> = query.reads.iter().collect();
    while let Some(table) = waiting.pop() {
        if !seen.insert(table) {
            continue;
        }
        let class = class_of(declarations, table);
        if class >= Sensitivity::Personal {
            return Some((table.clone(), class));
        }
        waiting.extend(made_from(declarations, table));
    }
    None
}

/// What a table was made from: a mart's inputs. `chi_tieu` holds every indicator, and the reader
/// of open tables sees the open ones, so it is made from what all those read.
fn made_from<'a>(declarations: &'a Declarations, table: &TableName) -> Vec<&'a TableName> {
    let fills = |query: &&Query| match query.kind {
        QueryKind::Mart => query.table().as_ref() == Some(table),
        QueryKind::Indicator => table.schema() == Schema::ChiTieu && is_open(query),
        QueryKind::OpenData => false,
    };
    declarations.queries.iter().filter(fills).flat_map(|query| query.reads.iter()).collect()
}

fn class_of(declarations: &Declarations, table: &TableName) -> Sensitivity {
    if let Some((_, source)) = declarations.source_table(table) {
        return source.sensitivity;
    }
    let mart =
        declarations.of_kind(QueryKind::Mart).find(|query| query.table().as_ref() == Some(table));
    match (mart, table.schema()) {
        (Some(mart), _) => mart.sensitivity,
        (None, Schema::ChiTieu) => Sensitivity::Open,
        (None, _) => Sensitivity::Internal,
    }
}
