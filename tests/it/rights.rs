//! What a principal of some places sees: exactly the rows of these places, through every door, and
//! no way around it.

mod accounts;
mod beyond;
mod places;
mod records;

use std::collections::BTreeSet;

use warehouse::access::{Principal, Scope};

/// Units that the tests are about: one that a merger made, and one that no merger touched.
const MERGED: &str = "24@2025-07-01";
const UNTOUCHED: &str = "22@2004-01-01";

fn kept_to(unit: &str) -> Principal {
    let units = BTreeSet::from([unit.to_owned()]);
    Principal::planner(format!("so_{}", &unit[..2])).within(Scope::Units(units))
}
