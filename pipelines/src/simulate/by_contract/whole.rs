//! What the cells of a row have in common: whom it is about, where and when it happened.

use chrono::{Datelike, Days, NaiveDate};

use super::super::calendar;
use super::super::care::Care;
use super::super::facilities::{Facility, Need};
use super::super::people::Person;
use super::super::population::{self, EVERYONE};
use super::super::random::Random;
use super::row::{Maker, Spot, World};
use super::shape::Make;

/// What each stream of random numbers is of.
const PERSON: u64 = 71;
const PATIENTS: u64 = 72;
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
    pub(super) person: Person,
    pub(super) staff: u64,
    pub(super) facility: Facility,
    pub(super) care: &'static Care,
    /// Days from arrival to discharge, and those that are counted as days of treatment.
    pub(super) stay: u64,
    pub(super) days: u64,
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
        let World { seed, places, rows, .. } = self.world;
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
        let pool = (rows * 20).max(100);
        let number = if is_key(|make| matches!(make, Make::Person(_))) {
            own
        } else if whose.chance(0.35) {
            // The chronically ill come again and again.
            whose.below(pool / 10)
        } else {
            whose.below(pool)
        };
        let staff = if is_key(|make| matches!(make, Make::Staff(_))) {
            own
        } else {
            whose.below((rows / 4).max(10))
        };
        let person = if self.shape.is_of_birth {
            self.mother(&mut whose, pool)
        } else {
            self.patient(number)
        };
        // Nor does it matter which system tells of the care.
        let mut course = Random::of(seed, &[CARE, spot.night, ordinal]);
        let care = self.care(&mut course, end);
        let need = if care.is_inpatient() { Need::Bed } else { Need::Visit };
        let facility = Facility::of(&mut course, person.province, places, need);
        let stay = care.stay(&mut course, facility);
        let days = care.days(&mut course, stay);
        // What counts its days tells of them when they are over.
        let event = if self.shape.has_stay { end - Days::new(stay) } else { end };
        let serial = spot.night * NIGHT + spot.index;
        let entity = format!("99{:06}{ordinal:07}", told.num_days_from_ce());
        Whole { told, event, person, staff, facility, care, stay, days, entity, line, serial }
    }

    fn patient(&self, number: u64) -> Person {
        let World { seed, places, .. } = self.world;
        Person::of(seed, PATIENTS, number, places, self.world.today(), EVERYONE)
    }

    /// One of the women of whom children are born, by their age.
    fn mother(&self, random: &mut Random, pool: u64) -> Person {
        let mut person = self.patient(random.below(pool));
        for _ in 0..MOTHERS {
            let age = u64::try_from(person.age_on(self.world.today())).unwrap_or_default();
            let share = population::births(age) / population::MOST_BIRTHS;
            if person.female && random.chance(share) {
                break;
            }
            person = self.patient(random.below(pool));
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
