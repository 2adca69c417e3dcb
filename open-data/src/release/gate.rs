//! Whether a query may be released at all, and with whose eyes it is read.

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
    let class = |table: &TableName| class_of(declarations, table);
    let personal = query.reads.iter().find(|table| class(table) >= Sensitivity::Personal);
    if let Some(table) = personal.filter(|_| !rule::applies(release)) {
        return refuse(Refusal::NoRule(table.clone()));
    }
    let all_open = query.reads.iter().all(|table| class(table) == Sensitivity::Open);
    Ok(if all_open { Principal::public() } else { Principal::system() })
}

fn class_of(declarations: &Declarations, table: &TableName) -> Sensitivity {
    if let Some((contract, _)) = declarations.source_table(table) {
        return contract.sensitivity;
    }
    let mart =
        declarations.of_kind(QueryKind::Mart).find(|query| query.table().as_ref() == Some(table));
    match (mart, table.schema()) {
        (Some(mart), _) => mart.sensitivity,
        (None, Schema::ChiTieu) => Sensitivity::Open,
        (None, _) => Sensitivity::Internal,
    }
}
