//! The places of a reader who is kept to some: which provinces of a day are theirs.
//!
//! The door decides which rows they get; this decides what a page says about the provinces whose
//! figures are not among them, and which one it opens on.

use chrono::NaiveDate;
use warehouse::access::{Principal, Scope};
use warehouse::geography::{Geography, Unit};

/// Whether figures of the unit `key` that are not open are the principal's to see: their own
/// units, and what became part of them.
pub(crate) fn is_own(principal: &Principal, geography: &Geography, key: &str) -> bool {
    match &principal.scope {
        Scope::Country => true,
        Scope::Units(own) => geography.within(own).contains(key),
    }
}

/// The principal's provinces of a day, by code; none where they are not kept to any.
pub(crate) fn own_on<'a>(
    principal: &Principal,
    geography: &'a Geography,
    date: NaiveDate,
) -> Vec<&'a Unit> {
    if principal.scope.is_country() {
        return Vec::new();
    }
    let mut units = geography.units_on(date);
    units.retain(|unit| is_own(principal, geography, &unit.key));
    units
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNITS: &str = "don_vi,ma,ten,ten_en,loai,tu_ngay,den_ngay,can_cu\n\
        24@2004-01-01,24,Bắc Giang,Bac Giang,tinh,2004-01-01,2025-06-30,x\n\
        27@2004-01-01,27,Bắc Ninh,Bac Ninh,tinh,2004-01-01,2025-06-30,x\n\
        24@2025-07-01,24,Bắc Ninh,Bac Ninh,tinh,2025-07-01,,x\n\
        04@2004-01-01,04,Cao Bằng,Cao Bang,tinh,2004-01-01,,x\n";
    const SUCCESSIONS: &str = "tu_don_vi,den_don_vi,ngay,can_cu\n\
        24@2004-01-01,24@2025-07-01,2025-07-01,x\n\
        27@2004-01-01,24@2025-07-01,2025-07-01,x\n";

    fn own(scope: &str, date: &str) -> Vec<String> {
        let geography = Geography::from_declared(UNITS, SUCCESSIONS).expect("valid");
        let principal = Principal::planner("a").within(Scope::parse(scope));
        let units = own_on(&principal, &geography, date.parse().expect("a date"));
        units.into_iter().map(|unit| unit.key.clone()).collect()
    }

    #[test]
    fn a_merged_province_owns_what_it_was_made_of() {
        assert_eq!(own("24@2025-07-01", "2026-01-01"), ["24@2025-07-01"]);
        assert_eq!(own("24@2025-07-01", "2017-12-31"), ["24@2004-01-01", "27@2004-01-01"]);
    }

    #[test]
    fn a_part_does_not_own_what_it_became_part_of() {
        assert_eq!(own("27@2004-01-01", "2017-12-31"), ["27@2004-01-01"]);
        assert!(own("27@2004-01-01", "2026-01-01").is_empty());
        assert_eq!(own("04@2004-01-01", "2026-01-01"), ["04@2004-01-01"]);
        assert!(own("country", "2026-01-01").is_empty());
    }
}
