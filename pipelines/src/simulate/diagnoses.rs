//! What is wrong with the people who come: codes of ICD-10, by age, sex and season, of the list in
//! force on the day.

use chrono::{Datelike, NaiveDate};

use super::calendar;
use super::population;
use super::random::Random;

/// Who may have a diagnosis.
#[derive(Clone, Copy, PartialEq)]
enum Who {
    Anyone,
    /// From 20 years.
    Adults,
    /// From 50 years.
    Elders,
    /// From 50 years.
    Men,
    /// From 30 years.
    Women,
    /// Women who give birth, as often as those of their age do.
    Mothers,
}

/// ICD-10 codes of Decision 4469/QĐ-BYT that may be a principal diagnosis: weight as outpatient,
/// weight as inpatient. The weights are assumed.
const DIAGNOSES: [(&str, f64, f64, Who); 66] = [
    ("I10", 16.0, 3.0, Who::Adults),
    ("E11.9", 9.0, 2.5, Who::Adults),
    ("E78.5", 4.0, 0.2, Who::Adults),
    ("J06.9", 6.0, 1.0, Who::Anyone),
    ("J02.9", 5.0, 1.0, Who::Anyone),
    ("J00", 3.0, 0.2, Who::Anyone),
    ("J03.9", 2.0, 1.0, Who::Anyone),
    ("J18.9", 1.0, 7.0, Who::Anyone),
    ("J20.9", 4.0, 5.0, Who::Anyone),
    ("J30.4", 1.5, 0.1, Who::Anyone),
    ("J31.0", 1.0, 0.1, Who::Anyone),
    ("J32.9", 1.5, 0.4, Who::Anyone),
    ("J44.9", 1.5, 3.0, Who::Elders),
    ("J45.9", 1.5, 1.0, Who::Anyone),
    ("A09", 1.5, 4.0, Who::Anyone),
    ("A15.0", 0.2, 0.6, Who::Adults),
    ("A90", 0.3, 1.0, Who::Anyone),
    ("A97.0", 0.6, 2.5, Who::Anyone),
    ("B02.9", 0.3, 0.3, Who::Adults),
    ("B05.9", 0.1, 0.3, Who::Anyone),
    ("B08.4", 0.3, 1.0, Who::Anyone),
    ("B18.1", 1.0, 0.3, Who::Adults),
    ("C16.9", 0.1, 0.7, Who::Elders),
    ("C34.9", 0.1, 1.0, Who::Elders),
    ("C50.9", 0.2, 0.8, Who::Women),
    ("D50.9", 0.4, 0.4, Who::Anyone),
    ("E03.9", 0.7, 0.1, Who::Adults),
    ("E04.9", 0.6, 0.3, Who::Adults),
    ("F41.9", 0.7, 0.2, Who::Adults),
    ("G40.9", 0.5, 0.4, Who::Anyone),
    ("G47.0", 1.0, 0.3, Who::Adults),
    ("H10.9", 1.2, 0.1, Who::Anyone),
    ("H25.9", 0.8, 2.0, Who::Elders),
    ("H40.9", 0.2, 0.3, Who::Elders),
    ("H52.1", 0.8, 0.0, Who::Anyone),
    ("H66.9", 0.7, 0.3, Who::Anyone),
    ("I20.9", 0.9, 2.0, Who::Elders),
    ("I25.9", 1.5, 2.0, Who::Elders),
    ("I48", 0.3, 0.6, Who::Elders),
    ("I50.9", 0.6, 1.8, Who::Elders),
    ("I63.9", 0.4, 3.5, Who::Elders),
    ("K02.9", 2.0, 0.0, Who::Anyone),
    ("K04.7", 0.8, 0.1, Who::Anyone),
    ("K05.1", 0.9, 0.0, Who::Anyone),
    ("K21.9", 2.5, 0.6, Who::Adults),
    ("K25.9", 0.8, 0.7, Who::Adults),
    ("K29.7", 3.0, 1.5, Who::Adults),
    ("K35.8", 0.0, 2.0, Who::Anyone),
    ("K59.1", 0.5, 0.4, Who::Anyone),
    ("K80.2", 0.3, 0.9, Who::Adults),
    ("L20.9", 0.8, 0.1, Who::Anyone),
    ("L30.9", 1.0, 0.1, Who::Anyone),
    ("L50.9", 0.6, 0.2, Who::Anyone),
    ("M10.9", 0.8, 0.5, Who::Adults),
    ("M17.9", 2.0, 1.5, Who::Elders),
    ("M47.9", 2.2, 2.0, Who::Adults),
    ("M54.5", 2.0, 1.5, Who::Adults),
    ("M81.9", 0.6, 0.3, Who::Elders),
    ("N18.5", 2.0, 0.8, Who::Adults),
    ("N20.0", 0.6, 1.2, Who::Adults),
    ("N39.0", 0.7, 1.0, Who::Anyone),
    ("N40", 0.6, 0.9, Who::Men),
    ("O80.9", 0.0, 15.0, Who::Mothers),
    ("O82.9", 0.0, 12.0, Who::Mothers),
    ("S52.5", 0.4, 0.9, Who::Anyone),
    ("R10.4", 1.0, 0.6, Who::Anyone),
];

/// Of these, what one has for good, and gets drugs for every month.
const CHRONIC: [&str; 16] = [
    "I10", "E11.9", "E78.5", "J44.9", "J45.9", "B18.1", "E03.9", "G40.9", "I20.9", "I25.9", "I48",
    "I50.9", "M10.9", "M17.9", "M81.9", "N18.5",
];

/// Principal diagnoses of newborns who stay: codes of the same list. The weights are assumed.
const NEWBORN: [(&str, f64); 4] =
    [("P59.9", 40.0), ("P36.9", 25.0), ("P22.9", 20.0), ("P07.3", 15.0)];

/// The day from which the list of Circular 06/2026/TT-BYT is in force.
const NEW_LIST: (i32, u32, u32) = (2026, 7, 1);

/// Codes that the list of 2020 has and the next one lacks, each with what stands in its place. The
/// new list is not at hand: what WHO's ICD-10 has dropped is assumed to be dropped there, and all
/// other codes to be in both.
const DROPPED: [(&str, &str); 1] = [("A90", "A97.0")];

/// Somebody who comes: the sex, the age in years, and the day.
#[derive(Debug, Clone, Copy)]
pub(super) struct Whose {
    pub(super) female: bool,
    pub(super) age: u64,
    pub(super) on: NaiveDate,
}

impl Who {
    /// How often somebody has what these have, beside a usual one of them.
    fn weight(self, whose: Whose) -> f64 {
        let Whose { female, age, .. } = whose;
        let fits = match self {
            Self::Anyone => true,
            Self::Adults => age >= 20,
            Self::Elders => age >= 50,
            Self::Men => !female && age >= 50,
            Self::Women => female && age >= 30,
            Self::Mothers => return if female { population::births(age) } else { 0.0 },
        };
        f64::from(u8::from(fits))
    }
}

/// A principal diagnosis, of an inpatient or of somebody who goes home.
pub(super) fn draw(random: &mut Random, whose: Whose, inpatient: bool) -> &'static str {
    pick(random, whose, |_, out, within| if inpatient { within } else { out })
}

/// What somebody has for good: the same whenever it is drawn from the same numbers.
pub(super) fn chronic(random: &mut Random, whose: Whose) -> &'static str {
    pick(random, whose, |code, out, _| if CHRONIC.contains(&code) { out } else { 0.0 })
}

fn pick(random: &mut Random, whose: Whose, weight: impl Fn(&str, f64, f64) -> f64) -> &'static str {
    let weights = population::running(DIAGNOSES.iter().map(|(code, out, within, who)| {
        weight(code, *out, *within) * who.weight(whose) * calendar::season(code, whose.on)
    }));
    in_force(DIAGNOSES[random.weighted(&weights)].0, whose.on)
}

/// What a newborn stays for.
pub(super) fn newborn(random: &mut Random) -> &'static str {
    let weights = population::running(NEWBORN.iter().map(|(_, weight)| *weight));
    NEWBORN[random.weighted(&weights)].0
}

/// Whether a day is one of the new list.
pub(super) fn is_of_new_list(day: NaiveDate) -> bool {
    (day.year(), day.month(), day.day()) >= NEW_LIST
}

/// The code that stands for a code of the list of 2020 on a day.
fn in_force(code: &'static str, on: NaiveDate) -> &'static str {
    let dropped = DROPPED.iter().find(|(old, _)| *old == code && is_of_new_list(on));
    dropped.map_or(code, |(_, new)| new)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn drawn(on: &str, female: bool, age: u64) -> BTreeSet<&'static str> {
        let whose = Whose { female, age, on: on.parse().unwrap() };
        (0..4_000).map(|at| draw(&mut Random::of(1, &[at]), whose, true)).collect()
    }

    #[test]
    fn a_code_is_of_the_list_of_its_day() {
        assert!(drawn("2026-06-30", false, 30).contains("A90"));
        assert!(!drawn("2026-07-01", false, 30).contains("A90"));
    }

    #[test]
    fn only_women_of_15_to_49_give_birth() {
        assert!(drawn("2026-05-05", true, 27).contains("O80.9"));
        for (female, age) in [(false, 27), (true, 14), (true, 50)] {
            assert!(!drawn("2026-05-05", female, age).iter().any(|code| code.starts_with('O')));
        }
    }

    #[test]
    fn what_is_chronic_is_a_diagnosis_of_outpatients() {
        for code in CHRONIC {
            assert!(DIAGNOSES.iter().any(|(own, out, ..)| *own == code && *out > 0.0), "{code}");
        }
    }
}
