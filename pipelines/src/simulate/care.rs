//! Types of care: how often each is met, what it costs, and what counts as its days of treatment.

use chrono::{Datelike, NaiveDate};

use super::facilities::Facility;
use super::population::running;
use super::random::Random;

/// The day from which Decision 1804/QĐ-BYT (2026) has sixteen types; before it Decision 824/2023 has
/// ten.
const SIXTEEN: (i32, u32, u32) = (2026, 8, 1);

/// What is counted as days of treatment, by the rule of Decision 4750/QĐ-BYT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Counted {
    /// Nothing.
    None,
    /// The days from arrival to discharge, both of them.
    Stay,
    /// The days that the drugs last for.
    Drugs,
}

/// A type of care. Weights and costs are assumed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Care {
    pub(super) code: &'static str,
    weight: f64,
    pub(super) counted: Counted,
    /// The median bill in đồng, of a day where a stay is counted.
    median: f64,
    /// Deviation of its logarithm: bills are many small ones and a few that are very high.
    skew: f64,
}

const CARE: [Care; 16] = [
    care("01", 62.0, Counted::None, 210_000.0, 0.8),
    care("02", 3.0, Counted::Stay, 230_000.0, 0.8),
    care("03", 10.5, Counted::Stay, 620_000.0, 0.8),
    care("04", 1.0, Counted::Stay, 480_000.0, 0.7),
    care("05", 19.0, Counted::Drugs, 340_000.0, 0.6),
    care("06", 1.0, Counted::Stay, 160_000.0, 0.5),
    care("07", 3.0, Counted::None, 260_000.0, 0.5),
    care("08", 1.5, Counted::None, 700_000.0, 0.5),
    care("09", 0.5, Counted::None, 450_000.0, 0.7),
    care("10", 0.1, Counted::None, 200_000.0, 0.8),
    care("11", 0.4, Counted::None, 120_000.0, 0.5),
    care("12", 0.2, Counted::None, 180_000.0, 0.5),
    care("13", 0.6, Counted::None, 150_000.0, 0.5),
    care("14", 0.3, Counted::None, 130_000.0, 0.5),
    care("15", 1.2, Counted::None, 350_000.0, 0.4),
    care("16", 0.5, Counted::None, 220_000.0, 0.4),
];

const fn care(code: &'static str, weight: f64, counted: Counted, median: f64, skew: f64) -> Care {
    Care { code, weight, counted, median, skew }
}

/// Days that a long-term prescription lasts for, and how often; assumed. None is written where the
/// drugs were handed out before.
const PRESCRIBED: [(u64, f64); 5] = [(28, 52.0), (30, 33.0), (14, 9.0), (7, 4.0), (0, 2.0)];

/// The longest simulated stay in days.
const LONGEST: f64 = 60.0;

/// Deviation of the logarithm of a stay's days; assumed.
const STAY_SKEW: f64 = 0.55;

impl Care {
    /// A type that there is on a day, of those that fit.
    pub(super) fn draw(
        random: &mut Random,
        on: NaiveDate,
        fits: impl Fn(&Care) -> bool,
    ) -> &'static Self {
        let is_there = |care: &Care| care.code <= "10" || is_of_sixteen(on);
        let weights =
            CARE.iter().map(|care| if is_there(care) && fits(care) { care.weight } else { 0.0 });
        &CARE[random.weighted(&running(weights))]
    }

    /// Care in a bed over several days.
    pub(super) fn inpatient() -> &'static Self {
        &CARE[2]
    }

    /// Whether it is care in a bed.
    pub(super) fn is_inpatient(&self) -> bool {
        matches!(self.code, "03" | "04" | "06")
    }

    /// Days from arrival to discharge.
    pub(super) fn stay(&self, random: &mut Random, facility: Facility) -> u64 {
        match self.code {
            "03" => stay(random, facility),
            "04" | "06" => random.poisson(0.8),
            "02" => random.below(6),
            _ => 0,
        }
    }

    /// What is told as days of treatment, after so many days from arrival to discharge.
    pub(super) fn days(&self, random: &mut Random, stay: u64) -> u64 {
        match self.counted {
            Counted::None => 0,
            Counted::Stay => stay + 1,
            Counted::Drugs => {
                let weights = running(PRESCRIBED.iter().map(|(_, weight)| *weight));
                PRESCRIBED[random.weighted(&weights)].0
            }
        }
    }

    /// A bill in hundredths of a đồng.
    pub(super) fn cost(&self, random: &mut Random, facility: Facility, days: u64) -> u64 {
        let times = if self.counted == Counted::Stay { days.max(1) as f64 } else { 1.0 };
        let bill = self.median * times * facility.cost() * (self.skew * random.normal()).exp();
        (bill * 100.0).round() as u64 + 3_000_000
    }
}

/// Days that an inpatient stays: many short stays and a few long ones, about the mean of the class.
fn stay(random: &mut Random, facility: Facility) -> u64 {
    let median = facility.stay() / (STAY_SKEW * STAY_SKEW / 2.0).exp();
    let days = median * (STAY_SKEW * random.normal()).exp();
    days.round().clamp(1.0, LONGEST) as u64
}

fn is_of_sixteen(day: NaiveDate) -> bool {
    (day.year(), day.month(), day.day()) >= SIXTEEN
}

#[cfg(test)]
mod tests {
    use super::super::facilities::Class;
    use super::*;

    fn facility(class: Class) -> Facility {
        Facility { province: 0, number: 0, class }
    }

    #[test]
    fn the_ten_types_become_sixteen_in_august_2026() {
        let latest = |on: &str| {
            let on = on.parse().unwrap();
            let codes =
                (0..4_000).map(|at| Care::draw(&mut Random::of(1, &[at]), on, |_| true).code);
            codes.max().unwrap()
        };
        assert_eq!((latest("2026-07-31"), latest("2026-08-01")), ("10", "16"));
    }

    #[test]
    fn stays_are_longer_in_larger_hospitals_and_have_their_mean() {
        for (class, expected) in [(Class::District, 5.2), (Class::Central, 7.5)] {
            let stays = (0..20_000).map(|at| stay(&mut Random::of(2, &[at]), facility(class)));
            let mean = stays.sum::<u64>() as f64 / 20_000.0;
            assert!((mean - expected).abs() < 0.3, "{mean}");
        }
    }

    #[test]
    fn drugs_last_for_up_to_thirty_days_whatever_the_stay() {
        let care = CARE.iter().find(|care| care.counted == Counted::Drugs).unwrap();
        let days: Vec<u64> = (0..500).map(|at| care.days(&mut Random::of(3, &[at]), 0)).collect();
        assert!(days.iter().all(|days| *days <= 30) && days.contains(&28) && days.contains(&0));
    }

    #[test]
    fn a_few_bills_are_far_above_the_median() {
        let care = &CARE[2];
        let bill = |at| care.cost(&mut Random::of(4, &[at]), facility(Class::District), 5);
        let mut bills: Vec<u64> = (0..10_000).map(bill).collect();
        bills.sort_unstable();
        assert!(bills[9_900] > 4 * bills[5_000]);
    }
}
