//! What a person may have meant by a unit that is not declared.

use super::{Geography, Unit};
use crate::spec::nearest::distance;

impl Geography {
    /// The units that `text` may stand for, the likeliest first, at most `limit`: those of the
    /// code before its `@`, the newest first; else those whose name is near.
    pub fn nearest(&self, text: &str, limit: usize) -> Vec<&Unit> {
        let typed = text.trim().to_lowercase();
        let code = typed.split('@').next().unwrap_or_default();
        let mut same: Vec<&Unit> = self.all().filter(|unit| unit.code == code).collect();
        if !same.is_empty() {
            same.sort_by_key(|unit| std::cmp::Reverse(unit.valid_from));
            same.truncate(limit);
            return same;
        }
        let allowed = typed.chars().count() / 3;
        let far = |unit: &Unit| {
            let names = [&unit.name, &unit.name_en, &unit.key].map(|name| name.to_lowercase());
            names.iter().map(|name| distance(&typed, name)).min().unwrap_or(usize::MAX)
        };
        let mut near: Vec<(usize, &Unit)> = self.all().map(|unit| (far(unit), unit)).collect();
        near.retain(|(far, _)| *far <= allowed && !typed.is_empty());
        near.sort_by_key(|(far, unit)| (*far, std::cmp::Reverse(unit.valid_from)));
        near.into_iter().take(limit).map(|(_, unit)| unit).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{SUCCESSIONS, UNITS};
    use super::*;

    #[test]
    fn a_code_is_answered_with_its_units_and_a_name_with_its_like() {
        let units = Geography::from_declared(UNITS, SUCCESSIONS).expect("valid");
        let near = |text| -> Vec<&str> {
            units.nearest(text, 2).iter().map(|unit| unit.key.as_str()).collect()
        };
        assert_eq!(near("24@2026-01-01"), ["24@2025-07-01", "24@2004-01-01"]);
        assert_eq!(near("Bắc Ninh"), ["24@2025-07-01", "27@2004-01-01"]);
        assert_eq!(near("cao bang"), ["04@2004-01-01"]);
        assert!(near("").is_empty() && near("99").is_empty());
    }
}
