//! Facilities by class and size: a few central hospitals, thousands of commune stations, and within
//! each class some that are far larger than the others.

use super::places::Places;
use super::random::Random;

/// Numbers of a province that its facilities may have: their codes have three digits.
const MOST: u64 = 990;

/// What somebody comes to a facility for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    /// A visit that ends on its day.
    Visit,
    /// A bed.
    Bed,
    /// Work.
    Work,
}

/// The classes, from the largest to the smallest facilities.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Class {
    Central,
    Provincial,
    District,
    Commune,
}

/// What is said of a class. All figures are assumed, of the size that the health statistics
/// yearbooks have.
struct Size {
    class: Class,
    /// Facilities that every province has, and persons for each further one.
    least: u64,
    persons: u64,
    /// Share of visits, of stays in bed, and of staff.
    visits: f64,
    beds: f64,
    work: f64,
    /// How unequal facilities of the class are: the share of the first `x` of them is `x^equal`.
    equal: f64,
    /// Mean days of a stay.
    stay: f64,
    /// What care costs here beside a district hospital.
    cost: f64,
}

const SIZES: [Size; 4] = [
    Size {
        class: Class::Central,
        least: 0,
        persons: 0,
        visits: 0.06,
        beds: 0.12,
        work: 0.11,
        equal: 0.6,
        stay: 7.5,
        cost: 2.2,
    },
    Size {
        class: Class::Provincial,
        least: 3,
        persons: 400_000,
        visits: 0.26,
        beds: 0.42,
        work: 0.36,
        equal: 0.5,
        stay: 6.3,
        cost: 1.4,
    },
    Size {
        class: Class::District,
        least: 4,
        persons: 90_000,
        visits: 0.43,
        beds: 0.46,
        work: 0.37,
        equal: 0.6,
        stay: 5.2,
        cost: 1.0,
    },
    Size {
        class: Class::Commune,
        least: 10,
        persons: 9_200,
        visits: 0.25,
        beds: 0.0,
        work: 0.16,
        equal: 0.8,
        stay: 2.0,
        cost: 0.5,
    },
];

/// Central hospitals by the province that they are in; assumed, most are in the two great cities.
const CENTRAL: [(&str, u64); 9] = [
    ("01", 24),
    ("19", 1),
    ("22", 1),
    ("31", 1),
    ("46", 2),
    ("48", 2),
    ("49", 1),
    ("79", 10),
    ("92", 2),
];

/// First codes of the middle and of the south of the country, in the list of 63.
const MIDDLE: &str = "42";
const SOUTH: &str = "70";

/// A facility: province and number in it; small numbers are the large ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Facility {
    pub(super) province: usize,
    pub(super) number: u64,
    pub(super) class: Class,
}

impl Facility {
    /// Where somebody from a province goes. For central care that is a hospital of the same part of
    /// the country.
    pub(super) fn of(random: &mut Random, home: usize, places: &Places, need: Need) -> Self {
        let share = |size: &Size| match need {
            Need::Visit => size.visits,
            Need::Bed => size.beds,
            Need::Work => size.work,
        };
        let at = random.unit() * SIZES.iter().map(share).sum::<f64>();
        let mut sum = 0.0;
        let size = SIZES.iter().find(|size| {
            sum += share(size);
            at < sum
        });
        let size = size.unwrap_or(&SIZES[2]);
        let province = if size.class == Class::Central {
            central_province(random, home, places)
        } else {
            home
        };
        let counts = counts(province, places);
        let class = size.class as usize;
        let before: u64 = counts[..class].iter().sum();
        let many = counts[class].max(1);
        // The share of the first `x` is `x^equal`, so chance goes the other way.
        let rank = random.unit().powf(1.0 / size.equal) * many as f64;
        Self { province, number: before + (rank as u64).min(many - 1), class: size.class }
    }

    /// Five characters: a province of the list of 63, three digits.
    pub(super) fn code(self, places: &Places) -> String {
        format!("{}{:03}", places.old[self.province].code, self.number + 1)
    }

    /// Mean days of a stay.
    pub(super) fn stay(self) -> f64 {
        SIZES[self.class as usize].stay
    }

    /// What care costs here beside a district hospital.
    pub(super) fn cost(self) -> f64 {
        SIZES[self.class as usize].cost
    }
}

/// Facilities of a province by class.
fn counts(province: usize, places: &Places) -> [u64; 4] {
    let place = &places.old[province];
    let mut counts = SIZES
        .each_ref()
        .map(|size| size.least + place.population.checked_div(size.persons).unwrap_or_default());
    let central = CENTRAL.iter().find(|(code, _)| *code == place.code);
    counts[0] = central.map_or(0, |(_, many)| *many);
    let larger: u64 = counts[..3].iter().sum();
    counts[3] = counts[3].min(MOST - larger);
    counts
}

fn central_province(random: &mut Random, home: usize, places: &Places) -> usize {
    let part = |code: &str| (code >= MIDDLE, code >= SOUTH);
    let own = part(&places.old[home].code);
    let near = CENTRAL.iter().filter(|(code, _)| part(code) == own);
    let mut at = random.below(near.clone().map(|(_, many)| many).sum::<u64>().max(1));
    let chosen = near.clone().find(|(_, many)| {
        let is_it = at < *many;
        at = at.saturating_sub(*many);
        is_it
    });
    let code = chosen.map(|(code, _)| *code);
    let found = places.old.iter().position(|place| Some(place.code.as_str()) == code);
    found.unwrap_or(home)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::Reference;
    use super::*;

    /// Share of all visits that the largest hundredth of the facilities has, by the table above.
    const TOP_SHARE: f64 = 0.2;

    const VISITS: u64 = 60_000;

    fn places() -> Places {
        let units_csv = include_str!("../../reference/don_vi.csv");
        let successors_csv = include_str!("../../reference/ke_thua.csv");
        Places::read(Reference { units_csv, successors_csv }, 1).unwrap()
    }

    #[test]
    fn the_first_hundredth_of_the_facilities_carries_its_share() {
        let places = places();
        let all: u64 =
            (0..places.old.len()).map(|at| counts(at, &places).iter().sum::<u64>()).sum();
        assert!((8_000..20_000).contains(&all), "{all}");
        let mut visits: BTreeMap<Facility, u64> = BTreeMap::new();
        for at in 0..VISITS {
            let mut random = Random::of(3, &[at]);
            let home = random.weighted(&places.weights);
            *visits.entry(Facility::of(&mut random, home, &places, Need::Visit)).or_default() += 1;
        }
        let mut sizes: Vec<u64> = visits.into_values().collect();
        sizes.sort_unstable_by(|a, b| b.cmp(a));
        let top: u64 = sizes.iter().take(all as usize / 100).sum();
        let share = top as f64 / VISITS as f64;
        assert!((share - TOP_SHARE).abs() < 0.03, "{share}");
    }

    #[test]
    fn nobody_lies_in_bed_at_a_commune_station_and_codes_have_five_characters() {
        let places = places();
        for at in 0..20_000 {
            let mut random = Random::of(4, &[at]);
            let home = random.weighted(&places.weights);
            let facility = Facility::of(&mut random, home, &places, Need::Bed);
            assert!(facility.class != Class::Commune);
            assert_eq!(facility.code(&places).len(), 5);
            let central =
                CENTRAL.iter().any(|(code, _)| *code == places.old[facility.province].code);
            assert!(facility.class != Class::Central || central);
        }
    }
}
