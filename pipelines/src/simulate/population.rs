//! Who lives in the simulated country: ages and sexes as in Viet Nam, and at which age women give
//! birth.

use std::sync::LazyLock;

use super::random::Random;

/// All ages that are simulated, in years.
pub(super) const EVERYONE: (u64, u64) = (0, 99);

/// Ages of those who work in health care; assumed.
pub(super) const WORKING: (u64, u64) = (23, 61);

/// Years of one band of the tables below.
const BAND: u64 = 5;

/// Thousands of men and of women by age, from 0–4 on; the last band is everyone from 95 on.
///
/// United Nations, World Population Prospects 2019, Viet Nam on 1 July 2020.
const PYRAMID: [(f64, f64); 20] = [
    (4165.0, 3728.0),
    (4005.0, 3581.0),
    (3734.0, 3364.0),
    (3365.0, 3136.0),
    (3500.0, 3320.0),
    (4364.0, 4206.0),
    (4279.0, 4158.0),
    (3916.0, 3848.0),
    (3526.0, 3508.0),
    (3267.0, 3272.0),
    (2908.0, 2960.0),
    (2530.0, 2712.0),
    (2012.0, 2319.0),
    (1339.0, 1672.0),
    (665.0, 987.0),
    (423.0, 704.0),
    (298.0, 563.0),
    (193.0, 416.0),
    (79.0, 196.0),
    (31.0, 91.0),
];

/// Percent of a woman's births that she has at 15–19 and so on, to 45–49.
///
/// United Nations, World Population Prospects 2019, Viet Nam, 2020 to 2025.
const BIRTHS: [f64; 7] = [5.5, 22.3, 33.0, 25.4, 10.9, 2.6, 0.3];

/// How often women of the age with the most births give birth, beside the mean.
pub(super) const MOST_BIRTHS: f64 = 2.4;

/// The age at which births begin.
const FIRST_BIRTH: u64 = 15;

/// Draws until an age is within the bounds; no bounds in use need nearly as many.
const DRAWS: u32 = 1_000;

/// Running sum of the pyramid: men and women of a band, and then the next.
static RUNNING: LazyLock<Vec<f64>> =
    LazyLock::new(|| running(PYRAMID.iter().flat_map(|(men, women)| [*men, *women])));

/// A person between two ages, both of them included: whether it is a woman, and her age in years.
pub(super) fn draw(random: &mut Random, (from, to): (u64, u64)) -> (bool, u64) {
    for _ in 0..DRAWS {
        let at = random.weighted(&RUNNING);
        let age = at as u64 / 2 * BAND + random.below(BAND);
        if (from..=to).contains(&age) {
            return (at % 2 == 1, age);
        }
    }
    (random.chance(0.5), from)
}

/// How often women of an age give birth, beside the mean of those of 15 to 49.
pub(super) fn births(age: u64) -> f64 {
    let band = age.checked_sub(FIRST_BIRTH).map(|years| years / BAND);
    let share = band.and_then(|band| BIRTHS.get(usize::try_from(band).ok()?));
    share.map_or(0.0, |share| share * BIRTHS.len() as f64 / 100.0)
}

/// Running sums, for [`Random::weighted`].
pub(super) fn running(weights: impl Iterator<Item = f64>) -> Vec<f64> {
    weights
        .scan(0.0, |sum, weight| {
            *sum += weight;
            Some(*sum)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PERSONS: usize = 100_000;

    fn persons(ages: (u64, u64)) -> Vec<(bool, u64)> {
        let person = |number| draw(&mut Random::of(1, &[number]), ages);
        (0..PERSONS as u64).map(person).collect()
    }

    #[test]
    fn each_band_of_either_sex_has_its_share_within_a_percentage_point() {
        let persons = persons(EVERYONE);
        let whole: f64 = PYRAMID.iter().map(|(men, women)| men + women).sum();
        for (band, (men, women)) in (0_u64..).zip(PYRAMID) {
            for (is_woman, expected) in [(false, men), (true, women)] {
                let own = |&&(female, age): &&(bool, u64)| female == is_woman && age / BAND == band;
                let found = persons.iter().filter(own).count() as f64 / PERSONS as f64;
                let away = (found - expected / whole).abs();
                assert!(away < 0.01, "{} years, women {is_woman}: {found}", band * BAND);
            }
        }
    }

    #[test]
    fn half_of_the_country_is_younger_than_about_thirty_two() {
        let mut ages: Vec<u64> = persons(EVERYONE).into_iter().map(|(_, age)| age).collect();
        ages.sort_unstable();
        assert!((31..=33).contains(&ages[PERSONS / 2]), "{}", ages[PERSONS / 2]);
    }

    #[test]
    fn bounds_of_age_are_kept_within_a_band_too() {
        let ages = persons((23, 61));
        assert!(ages.iter().all(|(_, age)| (23..=61).contains(age)));
        assert!(ages.iter().any(|(_, age)| *age == 23) && ages.iter().any(|(_, age)| *age == 61));
    }

    #[test]
    fn births_are_of_women_from_15_to_49() {
        assert_eq!((births(14), births(50)), (0.0, 0.0));
        assert!(births(27) > 4.0 * births(17) && births(49) > 0.0);
        assert!((0..100).all(|age| births(age) <= MOST_BIRTHS));
    }
}
