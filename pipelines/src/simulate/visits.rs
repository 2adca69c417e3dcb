//! One visit to a facility: who came, where, for what care and with which disease, how it ended, what
//! it cost and who pays. Whatever tells of visits, by a file of the small country or by a contract,
//! tells of these.
//!
//! The arithmetic of the standard of claims holds to the hundredth of a đồng: `t_bntt = t_tongchi_bv −
//! t_tongchi_bh`, `t_bhtt = t_tongchi_bh × benefit / 100`, `t_bncct = t_tongchi_bh − t_bhtt`; days of
//! treatment follow the type of care.

use chrono::{Days, NaiveDate};

use super::care::Care;
use super::diagnoses::{self, Whose};
use super::facilities::{Facility, Need};
use super::patients::{Patients, Whom};
use super::people::Person;
use super::random::Random;

/// Share of visits in the patient's own province; assumed.
const AT_HOME: f64 = 0.9;

/// Share of bills with something outside the scope of insurance, and the most that it is of a bill;
/// assumed.
const BEYOND: f64 = 0.25;
const MOST_BEYOND: f64 = 0.3;

/// What a visit cost and who pays, in hundredths of a đồng.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bill {
    /// `T_TONGCHI_BV`.
    pub(super) total: u64,
    /// `T_TONGCHI_BH`: the part within the scope of insurance.
    pub(super) insured: u64,
    /// `T_BHTT`: what the fund pays.
    pub(super) fund: u64,
    /// `T_BNCCT`: what the patient pays of the insured part.
    pub(super) shared: u64,
    /// `T_BNTT`: what the patient pays outside of it.
    pub(super) own: u64,
}

impl Bill {
    fn of(random: &mut Random, total: u64, benefit: u8) -> Self {
        let beyond = if random.chance(BEYOND) { random.unit() * MOST_BEYOND } else { 0.0 };
        let insured = total - (total as f64 * beyond) as u64;
        let fund = (insured * u64::from(benefit) + 50) / 100;
        Self { total, insured, fund, shared: insured - fund, own: total - insured }
    }
}

/// An amount as claims have it.
pub(super) fn money(hundredths: u64) -> String {
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

/// See the module.
#[derive(Debug, Clone)]
pub(super) struct Visit {
    pub(super) person: Person,
    pub(super) facility: Facility,
    pub(super) arrived: NaiveDate,
    pub(super) left: NaiveDate,
    pub(super) care: &'static Care,
    pub(super) diagnosis: &'static str,
    /// Of `KET_QUA_DTRI`.
    pub(super) outcome: &'static str,
    /// Days from arrival to discharge, and what is counted as days of treatment.
    pub(super) stay: u64,
    pub(super) treatment_days: u64,
    pub(super) bill: Bill,
}

impl Visit {
    /// Visit `number`, which ends on the day `left`.
    pub(super) fn of(
        random: &mut Random,
        patients: &Patients<'_>,
        whom: Whom,
        care: &'static Care,
        (number, left): (u64, NaiveDate),
    ) -> Self {
        let places = patients.places;
        let home = whom.province();
        let home = if random.chance(AT_HOME) { home } else { random.weighted(&places.weights) };
        let need = if care.is_inpatient() { Need::Bed } else { Need::Visit };
        let facility = Facility::of(random, home, places, need);
        let begun = left - Days::new(care.stay(random, facility));
        let (person, ill_with) = match whom {
            Whom::Patient(person) => (person, None),
            Whom::Chronic(person, disease) => (person, Some(disease)),
            Whom::NewbornOf(_) => {
                (patients.newborn(random, number, begun), Some(diagnoses::newborn(random)))
            }
        };
        // No one comes before the birth.
        let arrived = begun.max(person.born).min(left);
        let stay = u64::try_from((left - arrived).num_days()).unwrap_or_default();
        let treatment_days = care.days(random, stay);
        let years = person.age_on(left);
        let age = u64::try_from(years).unwrap_or_default();
        let whose = Whose { female: person.female, age, on: left };
        let drawn = diagnoses::draw(random, whose, care.is_inpatient());
        let outcome = outcome(random, care.is_inpatient(), years);
        let total = care.cost(random, facility, treatment_days);
        let bill = Bill::of(random, total, person.benefit);
        Self {
            person,
            facility,
            arrived,
            left,
            care,
            diagnosis: ill_with.unwrap_or(drawn),
            outcome,
            stay,
            treatment_days,
            bill,
        }
    }
}

/// 1 recovered, 2 better, 3 unchanged, 4 worse, 5 died, 6 taken home dying.
fn outcome(random: &mut Random, inpatient: bool, age: i64) -> &'static str {
    if !inpatient {
        return if random.chance(0.3) { "1" } else { "2" };
    }
    let death = if age >= 70 { 0.02 } else { 0.004 };
    match random.unit() {
        at if at < death => "5",
        at if at < death * 1.5 => "6",
        at if at < 0.03 => "4",
        at if at < 0.08 => "3",
        at if at < 0.6 => "2",
        _ => "1",
    }
}
