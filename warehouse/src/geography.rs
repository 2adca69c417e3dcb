//! Places whose borders and codes change: every place is a unit key that carries the date from
//! which it is valid (`79@2025-07-01`), never a bare two-digit code.
//!
//! On 1 July 2025 the 63 provinces became 34 (Nghị quyết 202/2025/QH15) and seven codes passed to
//! other provinces: 24 was Bắc Giang and is Bắc Ninh. A code is therefore read with the list of
//! its day ([`Geography::find`]), and a figure is moved to another day's boundaries only where
//! that is exact ([`Geography::at`]): merged units add up, a split unit has no share and is not
//! guessed.

mod functions;
mod nearest;

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use sha2::{Digest, Sha256};

pub use self::functions::register;

/// Administrative units with their validity, and which unit followed which.
#[derive(Debug, Default, Clone)]
pub struct Geography {
    units: BTreeMap<String, Unit>,
    /// By old unit.
    successions: BTreeMap<String, Succession>,
    fingerprint: String,
}

/// One province-level unit over the time in which its borders did not change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unit {
    /// `CODE@VALID_FROM`.
    pub key: String,
    /// Two digits, meaningful only between the dates below.
    pub code: String,
    /// Name in Vietnamese.
    pub name: String,
    /// Name in English: unaccented.
    pub name_en: String,
    /// First day on which the code names this unit.
    pub valid_from: NaiveDate,
    /// Last such day; `None` while in force.
    pub valid_to: Option<NaiveDate>,
}

impl Unit {
    fn covers(&self, date: NaiveDate) -> bool {
        self.valid_from <= date && self.valid_to.is_none_or(|last| date <= last)
    }
}

#[derive(Debug, Clone)]
struct Succession {
    successor: String,
    on: NaiveDate,
}

/// Why the declared units cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum GeographyError {
    /// A row that does not parse; rows count from 1 without the header.
    #[error("{table}, row {row}: {reason}")]
    Row {
        /// Which of the declared tables.
        table: &'static str,
        /// Its row.
        row: usize,
        /// What is wrong.
        reason: String,
    },
}

impl Geography {
    /// Before anything is declared: no code resolves.
    pub fn empty() -> Self {
        Self::default()
    }

    /// Reads the declared units (`don_vi,ma,ten,ten_en,loai,tu_ngay,den_ngay,can_cu`) and
    /// successions (`tu_don_vi,den_don_vi,ngay,can_cu`).
    ///
    /// # Errors
    /// When a row does not parse, a key repeats, two units of one code are valid on the same day,
    /// or a succession names an unknown unit, another day than its successor's first, or a unit
    /// that has a successor already.
    pub fn from_declared(units: &str, successions: &str) -> Result<Self, GeographyError> {
        let mut geography = Self::default();
        for (row, record) in rows("don_vi", units)? {
            let unit = unit_of(&record).map_err(|reason| fault("don_vi", row, reason))?;
            if let Some(other) = geography.overlapping(&unit) {
                let reason = format!("{} and {other} have one code on the same day", unit.key);
                return Err(fault("don_vi", row, reason));
            }
            geography.units.insert(unit.key.clone(), unit);
        }
        geography.fingerprint = fingerprint(&[units, successions]);
        for (row, record) in rows("ke_thua", successions)? {
            let (old, succession) =
                succession_of(&record).map_err(|reason| fault("ke_thua", row, reason))?;
            for key in [&old, &succession.successor] {
                if !geography.units.contains_key(key) {
                    return Err(fault("ke_thua", row, format!("there is no unit {key}")));
                }
            }
            let starts_on = geography.units[&succession.successor].valid_from;
            if succession.on != starts_on {
                let key = &succession.successor;
                return Err(fault("ke_thua", row, format!("{key} begins on {starts_on}")));
            }
            // Later than its own beginning, so successions cannot run in a circle.
            if succession.on <= geography.units[&old].valid_from {
                let reason = format!("{} does not come after {old}", succession.successor);
                return Err(fault("ke_thua", row, reason));
            }
            if let Some(twice) = geography.successions.insert(old.clone(), succession) {
                let reason = format!(
                    "{old} already went to {}: a unit that is split has no successor",
                    twice.successor
                );
                return Err(fault("ke_thua", row, reason));
            }
        }
        Ok(geography)
    }

    /// A name for exactly these units and successions.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    fn overlapping(&self, unit: &Unit) -> Option<&str> {
        self.units
            .values()
            .find(|other| {
                other.code == unit.code
                    && (other.covers(unit.valid_from) || unit.covers(other.valid_from))
            })
            .map(|other| other.key.as_str())
    }

    /// The unit that `code` named on `date`.
    pub fn find(&self, code: &str, date: NaiveDate) -> Option<&Unit> {
        let code = code.trim();
        // Keys begin with the code, so all vintages of one code stand together.
        let first = format!("{code}@");
        self.units
            .range(first.clone()..)
            .take_while(|(key, _)| key.starts_with(&first))
            .map(|(_, unit)| unit)
            .find(|unit| unit.covers(date))
    }

    /// The unit of that key.
    pub fn unit(&self, key: &str) -> Option<&Unit> {
        self.units.get(key)
    }

    /// All units ever declared, by key.
    pub fn all(&self) -> impl Iterator<Item = &Unit> {
        self.units.values()
    }

    /// All units in force on `date`, by code.
    pub fn units_on(&self, date: NaiveDate) -> Vec<&Unit> {
        self.units.values().filter(|unit| unit.covers(date)).collect()
    }

    /// The unit that wholly contains the unit `key` on the boundaries of `date`; `None` when
    /// `key` is unknown or would have to be split.
    pub fn at(&self, key: &str, date: NaiveDate) -> Option<&Unit> {
        let mut unit = self.units.get(key)?;
        while !unit.covers(date) {
            let succession = self.successions.get(&unit.key)?;
            if succession.on > date {
                return None;
            }
            unit = self.units.get(&succession.successor)?;
        }
        Some(unit)
    }

    /// Keys of `units` and of all that became part of one of them: whose records are theirs.
    pub fn within(&self, units: &BTreeSet<String>) -> BTreeSet<&str> {
        let theirs = |key: &str| {
            let mut at = Some(key);
            while let Some(key) = at {
                if units.contains(key) {
                    return true;
                }
                at = self.successions.get(key).map(|next| next.successor.as_str());
            }
            false
        };
        self.units.keys().map(String::as_str).filter(|key| theirs(key)).collect()
    }

    /// The units on the boundaries of `source_date` that make up the unit `key`: how many figures
    /// a complete sum needs.
    pub fn parts(&self, key: &str, source_date: NaiveDate) -> Vec<&Unit> {
        let Some(whole) = self.units.get(key) else { return Vec::new() };
        let date = whole.valid_from.max(source_date);
        self.units_on(source_date)
            .into_iter()
            .filter(|unit| self.at(&unit.key, date).is_some_and(|at| at.key == whole.key))
            .collect()
    }
}

fn fingerprint(texts: &[&str]) -> String {
    let mut hasher = Sha256::new();
    for text in texts {
        hasher.update(text.as_bytes());
        hasher.update([0]);
    }
    hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn fault(table: &'static str, row: usize, reason: String) -> GeographyError {
    GeographyError::Row { table, row, reason }
}

fn rows(
    table: &'static str,
    text: &str,
) -> Result<Vec<(usize, csv::StringRecord)>, GeographyError> {
    csv::Reader::from_reader(text.as_bytes())
        .into_records()
        .enumerate()
        .map(|(index, record)| {
            let row = index + 1;
            record.map(|record| (row, record)).map_err(|e| fault(table, row, e.to_string()))
        })
        .collect()
}

fn unit_of(record: &csv::StringRecord) -> Result<Unit, String> {
    let field = |at: usize| record.get(at).unwrap_or_default();
    let valid_from = date_of(field(5))?;
    let unit = Unit {
        key: field(0).to_owned(),
        code: field(1).to_owned(),
        name: field(2).to_owned(),
        name_en: field(3).to_owned(),
        valid_from,
        valid_to: Some(field(6)).filter(|text| !text.is_empty()).map(date_of).transpose()?,
    };
    let expected = format!("{}@{valid_from}", unit.code);
    if unit.key != expected {
        return Err(format!("the key {} should be {expected}", unit.key));
    }
    Ok(unit)
}

fn succession_of(record: &csv::StringRecord) -> Result<(String, Succession), String> {
    let field = |at: usize| record.get(at).unwrap_or_default().to_owned();
    Ok((field(0), Succession { successor: field(1), on: date_of(&field(2))? }))
}

fn date_of(text: &str) -> Result<NaiveDate, String> {
    text.parse().map_err(|_| format!("`{text}` is not a date of the form YYYY-MM-DD"))
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;

    pub(crate) const UNITS: &str = "don_vi,ma,ten,ten_en,loai,tu_ngay,den_ngay,can_cu\n\
        24@2004-01-01,24,Bắc Giang,Bac Giang,tinh,2004-01-01,2025-06-30,x\n\
        27@2004-01-01,27,Bắc Ninh,Bac Ninh,tinh,2004-01-01,2025-06-30,x\n\
        24@2025-07-01,24,Bắc Ninh,Bac Ninh,tinh,2025-07-01,,x\n\
        04@2004-01-01,04,Cao Bằng,Cao Bang,tinh,2004-01-01,,x\n";
    pub(crate) const SUCCESSIONS: &str = "tu_don_vi,den_don_vi,ngay,can_cu\n\
        24@2004-01-01,24@2025-07-01,2025-07-01,x\n\
        27@2004-01-01,24@2025-07-01,2025-07-01,x\n";

    fn day(text: &str) -> NaiveDate {
        text.parse().expect("a date")
    }

    fn geography() -> Geography {
        Geography::from_declared(UNITS, SUCCESSIONS).expect("valid")
    }

    #[test]
    fn a_code_names_another_province_after_the_merger() {
        let g = geography();
        let name = |date| g.find("24", day(date)).map(|unit| unit.name.clone());
        assert_eq!(name("2017-12-31").as_deref(), Some("Bắc Giang"));
        assert_eq!(name("2025-07-01").as_deref(), Some("Bắc Ninh"));
        assert_eq!(name("1990-01-01"), None);
        assert_eq!(g.find("27", day("2025-07-01")), None);
    }

    #[test]
    fn a_unit_moves_forward_whole_and_never_back_in_part() {
        let g = geography();
        let at = |key, date| g.at(key, day(date)).map(|unit| unit.key.clone());
        assert_eq!(at("27@2004-01-01", "2026-01-01").as_deref(), Some("24@2025-07-01"));
        assert_eq!(at("27@2004-01-01", "2020-01-01").as_deref(), Some("27@2004-01-01"));
        assert_eq!(at("24@2025-07-01", "2020-01-01"), None);
        assert_eq!(at("04@2004-01-01", "2026-01-01").as_deref(), Some("04@2004-01-01"));
        assert_eq!(g.parts("24@2025-07-01", day("2020-01-01")).len(), 2);
        assert_eq!(g.parts("24@2025-07-01", day("2026-01-01")).len(), 1);
        assert_eq!(g.parts("04@2004-01-01", day("2020-01-01")).len(), 1);
    }

    #[test]
    fn what_became_part_of_a_unit_is_theirs_and_its_successor_is_not() {
        let g = geography();
        let within = |key: &str| g.within(&BTreeSet::from([key.to_owned()])).len();
        assert_eq!(within("24@2025-07-01"), 3);
        assert_eq!(within("27@2004-01-01"), 1);
        assert_eq!(within("99@2004-01-01"), 0);
    }

    proptest! {
        /// A merger loses nothing and counts nothing twice: every old unit lies in one new unit,
        /// which is made of exactly the old units that lie in it.
        #[test]
        fn a_merger_is_a_partition(into in prop::collection::vec(0_usize..6, 1..40)) {
            let (mut units, mut successions) =
                ("k,ma,ten,ten_en,loai,tu,den,can_cu\n".to_owned(), "t,d,n,c\n".to_owned());
            for group in into.iter().copied().collect::<BTreeSet<_>>() {
                units += &format!("9{group}@2025-07-01,9{group},x,x,tinh,2025-07-01,,x\n");
            }
            for (code, group) in into.iter().enumerate() {
                let key = format!("{code:02}@2004-01-01");
                units += &format!("{key},{code:02},x,x,tinh,2004-01-01,2025-06-30,x\n");
                successions += &format!("{key},9{group}@2025-07-01,2025-07-01,x\n");
            }
            let g = Geography::from_declared(&units, &successions).expect("valid");
            let mut seen = 0;
            for new in g.units_on(day("2026-01-01")) {
                let parts = g.parts(&new.key, day("2020-01-01"));
                seen += parts.len();
                for part in parts {
                    let at = g.at(&part.key, day("2026-01-01")).map(|unit| &unit.key);
                    prop_assert_eq!(at, Some(&new.key));
                }
                prop_assert_eq!(g.at(&new.key, day("2020-01-01")), None);
            }
            prop_assert_eq!(seen, into.len());
        }
    }

    #[test]
    fn a_split_and_a_wrong_day_are_refused() {
        let refused = |row: &str| {
            let text = format!("{SUCCESSIONS}{row}\n");
            Geography::from_declared(UNITS, &text).is_err()
        };
        assert!(refused("27@2004-01-01,04@2004-01-01,2004-01-01,x"));
        assert!(refused("04@2004-01-01,24@2025-07-01,2025-07-02,x"));
        assert!(refused("04@2004-01-01,04@2004-01-01,2004-01-01,x"));
    }

    #[test]
    fn two_units_of_one_code_on_one_day_are_refused() {
        let twice = format!("{UNITS}27@2025-01-01,27,X,X,tinh,2025-01-01,,x\n");
        assert!(Geography::from_declared(&twice, SUCCESSIONS).is_err());
    }
}
