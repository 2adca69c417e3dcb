//! Who comes on a day: the young and the old more often than others, and the chronically ill every
//! four weeks, on the same day of the week, for the same disease.

use chrono::{Days, NaiveDate};

use super::care::{Care, Counted};
use super::diagnoses::{self, Whose};
use super::people::Person;
use super::places::Places;
use super::population::EVERYONE;
use super::random::Random;

/// What the streams of random numbers are of.
const PATIENTS: u64 = 20;
const NEWBORNS: u64 = 23;
const DISEASE: u64 = 24;

/// Share of stays in bed that are a newborn's; assumed.
const NEWBORN_STAYS: f64 = 0.03;

/// Share of visits that are of the chronically ill for their drugs: the weight of type 05.
pub(super) const CHRONIC: f64 = 0.19;

/// Days between two prescriptions.
const WEEKS: u64 = 28;

/// From this age on most of the chronically ill are; assumed, as is their share of the younger.
const CHRONIC_AGE: i64 = 40;
const CHRONIC_YOUNGER: f64 = 0.1;

/// How often people of an age come, up to the age: assumed, beside those who come most often.
const RATES: [(i64, f64); 5] = [(5, 0.75), (17, 0.3), (39, 0.3), (59, 0.55), (i64::MAX, 1.0)];

/// Tries to find somebody whose age fits.
const TRIES: u64 = 12;

/// Days after the birth at which a newborn's stay begins, at most.
const AFTER_BIRTH: u64 = 6;

/// Those of the country who come to the doctor.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patients<'a> {
    pub(super) seed: u64,
    pub(super) places: &'a Places,
    /// Everybody is as old as on this day.
    pub(super) today: NaiveDate,
    /// How many there are.
    pub(super) people: u64,
    /// Of them, how many of the chronically ill come on a usual day.
    pub(super) chronic: u64,
}

/// Whom a visit is about.
#[derive(Debug, Clone)]
pub(super) enum Whom {
    Patient(Person),
    /// Somebody who comes again and again, and the disease.
    Chronic(Person, &'static str),
    /// The newborn child of somebody.
    NewbornOf(Person),
}

impl Whom {
    /// Where they live: an index in [`Places::old`].
    pub(super) fn province(&self) -> usize {
        match self {
            Self::Patient(person) | Self::Chronic(person, _) | Self::NewbornOf(person) => {
                person.province
            }
        }
    }
}

impl Patients<'_> {
    /// Who comes for a type of care on a day.
    pub(super) fn whom(&self, random: &mut Random, care: &Care, on: NaiveDate) -> Whom {
        if care.counted == Counted::Drugs {
            let (person, disease) = self.chronic(random, on);
            return Whom::Chronic(person, disease);
        }
        let person = self.anyone(random);
        if care.code == "03" && random.chance(NEWBORN_STAYS) {
            Whom::NewbornOf(person)
        } else {
            Whom::Patient(person)
        }
    }

    /// Somebody with whatever may happen to them.
    pub(super) fn anyone(&self, random: &mut Random) -> Person {
        let mut person = self.person(random.below(self.people.max(1)));
        for _ in 0..TRIES {
            let age = person.age_on(self.today);
            let rate = RATES.iter().find(|(up_to, _)| age <= *up_to).map_or(1.0, |(_, rate)| *rate);
            if random.chance(rate) {
                break;
            }
            person = self.person(random.below(self.people.max(1)));
        }
        person
    }

    /// One of those whose drugs come to their end on a day, and what they are ill with.
    pub(super) fn chronic(&self, random: &mut Random, on: NaiveDate) -> (Person, &'static str) {
        let turn = u64::try_from((on - NaiveDate::MIN).num_days()).unwrap_or_default() % WEEKS;
        let mut number = turn;
        let mut person = self.person(number);
        for _ in 0..TRIES {
            number = turn + WEEKS * random.below(self.chronic.max(1));
            person = self.person(number);
            let own = Random::of(self.seed, &[DISEASE, number]).unit();
            if person.age_on(self.today) >= CHRONIC_AGE || own < CHRONIC_YOUNGER {
                break;
            }
        }
        let age = u64::try_from(person.age_on(self.today)).unwrap_or_default();
        // Of what somebody has for good neither the day nor the season is a matter.
        let whose = Whose { female: person.female, age, on: self.today };
        let disease = diagnoses::chronic(&mut Random::of(self.seed, &[DISEASE, number, 1]), whose);
        (person, disease)
    }

    /// A child that came into the world a few days before it came.
    pub(super) fn newborn(&self, random: &mut Random, visit: u64, arrived: NaiveDate) -> Person {
        let born = arrived - Days::new(random.below(AFTER_BIRTH));
        Person::born(self.seed, (NEWBORNS, visit), self.places, born)
    }

    /// The person of a number.
    pub(super) fn person(&self, number: u64) -> Person {
        Person::of(self.seed, PATIENTS, number, self.places, self.today, EVERYONE)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::Reference;
    use super::*;

    #[test]
    fn the_chronically_ill_come_every_four_weeks_with_the_same_disease() {
        let units_csv = include_str!("../../reference/don_vi.csv");
        let successors_csv = include_str!("../../reference/ke_thua.csv");
        let places = Places::read(Reference { units_csv, successors_csv }, 1).unwrap();
        let today = NaiveDate::from_ymd_opt(2026, 1, 5).unwrap();
        let patients = Patients { seed: 1, places: &places, today, people: 5_000, chronic: 30 };
        let mut visits: BTreeMap<String, Vec<(NaiveDate, &str)>> = BTreeMap::new();
        for day in 0..84 {
            let on = today + Days::new(day);
            for at in 0..30 {
                let (person, disease) = patients.chronic(&mut Random::of(2, &[day, at]), on);
                visits.entry(person.citizen_id).or_default().push((on, disease));
            }
        }
        let again = visits
            .values()
            .filter(|own| own.first().map(|one| one.0) != own.last().map(|one| one.0));
        assert!(again.clone().count() > 200);
        for own in again {
            let (first, disease) = own[0];
            assert!(
                own.iter()
                    .all(|(on, other)| (*on - first).num_days() % 28 == 0 && *other == disease)
            );
        }
    }

    #[test]
    fn the_young_and_the_old_come_more_often() {
        let units_csv = include_str!("../../reference/don_vi.csv");
        let successors_csv = include_str!("../../reference/ke_thua.csv");
        let places = Places::read(Reference { units_csv, successors_csv }, 1).unwrap();
        let today = NaiveDate::from_ymd_opt(2026, 1, 5).unwrap();
        let patients = Patients { seed: 1, places: &places, today, people: 50_000, chronic: 30 };
        let mut random = Random::of(5, &[]);
        let ages: Vec<i64> =
            (0..5_000).map(|_| patients.anyone(&mut random).age_on(today)).collect();
        let share = |from, to| {
            ages.iter().filter(|age| (from..=to).contains(*age)).count() as f64 / 5_000.0
        };
        // Of the country they are one in eight, and three in eight.
        assert!(share(60, 99) > 0.2, "{}", share(60, 99));
        assert!(share(18, 39) < 0.3, "{}", share(18, 39));
    }
}
