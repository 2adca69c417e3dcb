//! What the cells of a row have in common: whom it is about, where and when it happened.

use chrono::{Datelike, NaiveDate};

use super::super::calendar;
use super::super::care::Care;
use super::super::patients::{CHRONIC, Patients, Whom};
use super::super::people::Person;
use super::super::population;
use super::super::random::Random;
use super::super::visits::Visit;
use super::row::{Maker, Spot, World};
use super::shape::Make;

/// What each stream of random numbers is of.
const PERSON: u64 = 71;
const CARE: u64 = 77;
const FORM: u64 = 78;

/// Places in the numbering of one night, for those whose number must be their own.
const NIGHT: u64 = 10_000_000;

/// Tries to find a mother among those who are ill.
const MOTHERS: u32 = 500;

/// What the cells of a row have in common.
pub(super) struct Whole {
    pub(super) told: NaiveDate,
    pub(super) event: NaiveDate,
    pub(super) visit: Visit,
    pub(super) staff: u64,
    pub(super) entity: String,
    pub(super) line: u64,
    pub(super) serial: u64,
}

impl Maker<'_> {
    /// Which visit, subject or form of the night a row is of, and which line of it.
    fn place(&self, spot: Spot) -> (u64, u64) {
        match self.shape.form {
            Some(size) => (spot.index / size, 1),
            None if self.shape.has_lines => (spot.index / 4, spot.index % 4 + 1),
            None => (spot.index, 1),
        }
    }

    /// The random numbers of a row's form. One that has a single row is made anew with it.
    pub(super) fn form(&self, spot: Spot, attempt: u64, what: u64) -> Random {
        let attempt = if self.shape.form == Some(1) { attempt } else { 0 };
        let (ordinal, _) = self.place(spot);
        Random::of(self.world.seed, &[FORM, self.number, spot.night, ordinal, attempt, what])
    }

    /// What the cells of a row are made from.
    pub(super) fn whole(&self, spot: Spot, attempt: u64, random: &mut Random) -> Whole {
        let World { seed, rows, .. } = self.world;
        let (ordinal, line) = self.place(spot);
        let mut of_form = self.form(spot, attempt, 0);
        let random = if self.shape.form.is_some() { &mut of_form } else { random };
        let told = self.world.told(spot.night);
        let back = if spot.night == 0 { 28 } else { 14 };
        let end = calendar::event(random, told, back, if spot.night == 0 { 0.9 } else { 0.12 });
        // Whom a visit is about does not depend on the system that tells of it.
        let mut whose = Random::of(seed, &[PERSON, spot.night, ordinal]);
        let own = spot.night * NIGHT + ordinal;
        let is_key = |wanted: fn(&Make) -> bool| {
            self.shape.key.iter().any(|at| wanted(&self.shape.fields[*at].make))
        };
        let patients = self.patients();
        // Nor does it matter which system tells of the care.
        let mut course = Random::of(seed, &[CARE, spot.night, ordinal]);
        let care = self.care(&mut course, end);
        let whom = if self.shape.is_of_birth {
            Whom::Patient(self.mother(&mut whose, &patients))
        } else if is_key(|make| matches!(make, Make::Person(_))) {
            Whom::Patient(patients.person(own))
        } else {
            // By the day that the night tells of: on which day before it was told to have ended is
            // each table's own.
            patients.whom(&mut whose, care, told)
        };
        let staff = if is_key(|make| matches!(make, Make::Staff(_))) {
            own
        } else {
            whose.below((rows / 4).max(10))
        };
        let visit = Visit::of(&mut course, &patients, whom, care, (own, end));
        // What counts its days tells of them when they are over.
        let event = if self.shape.has_stay { visit.arrived } else { end };
        let serial = spot.night * NIGHT + spot.index;
        let entity = format!("99{:06}{ordinal:07}", told.num_days_from_ce());
        Whole { told, event, visit, staff, entity, line, serial }
    }

    /// Those who come to the doctor.
    fn patients(&self) -> Patients<'_> {
        let World { seed, places, rows, .. } = self.world;
        let chronic = (rows as f64 * CHRONIC).round() as u64;
        Patients { seed, places, today: self.world.today(), people: (rows * 20).max(100), chronic }
    }

    /// One of the women of whom children are born, by their age.
    fn mother(&self, random: &mut Random, patients: &Patients<'_>) -> Person {
        let mut person = patients.person(random.below(patients.people));
        for _ in 0..MOTHERS {
            let age = u64::try_from(person.age_on(self.world.today())).unwrap_or_default();
            let share = population::births(age) / population::MOST_BIRTHS;
            if person.female && random.chance(share) {
                break;
            }
            person = patients.person(random.below(patients.people));
        }
        person
    }

    /// The type of care: one of those that the table knows, and a bed where days are counted alone.
    fn care(&self, random: &mut Random, on: NaiveDate) -> &'static Care {
        if self.shape.has_stay && !self.shape.has_care {
            return Care::inpatient();
        }
        let known = self.shape.fields.iter().find_map(|field| match &field.make {
            Make::Care(codes) => Some(codes),
            _ => None,
        });
        Care::draw(random, on, |care| {
            known.is_none_or(|codes| codes.iter().any(|code| code == care.code))
        })
    }
}
