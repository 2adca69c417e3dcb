//! How busy a day is, which diseases have their season, and on which day what is told at night
//! happened.

use chrono::{Datelike, Days, NaiveDate};

use super::random::Random;

/// From Monday, as a share of a usual day: visits pile up on Mondays. Assumed.
const WEEKDAYS: [f64; 7] = [1.28, 1.12, 1.06, 1.03, 1.0, 0.4, 0.18];

/// What is left of a day's visits at Tết and on a holiday, and what comes after Tết. Assumed.
const AT_TET: f64 = 0.25;
const AFTER_TET: f64 = 1.15;
const ON_HOLIDAY: f64 = 0.3;

/// First days of the lunar year in Viet Nam; of years that are not here no Tết is known.
const TET: [(i32, u32, u32); 15] = [
    (2016, 2, 8),
    (2017, 1, 28),
    (2018, 2, 16),
    (2019, 2, 5),
    (2020, 1, 25),
    (2021, 2, 12),
    (2022, 2, 1),
    (2023, 1, 22),
    (2024, 2, 10),
    (2025, 1, 29),
    (2026, 2, 17),
    (2027, 2, 6),
    (2028, 1, 26),
    (2029, 2, 13),
    (2030, 2, 2),
];

/// The Hùng Kings' day, the tenth of the third lunar month.
const HUNG_KINGS: [(i32, u32, u32); 7] = [
    (2024, 4, 18),
    (2025, 4, 7),
    (2026, 4, 26),
    (2027, 4, 16),
    (2028, 4, 4),
    (2029, 4, 23),
    (2030, 4, 12),
];

/// Diseases with a season, by the first and the last of their codes: the month of the peak, and how
/// far the year swings about its mean. Assumed, of the size known: fevers of the rains, respiratory
/// infections of winter, births from August to November.
const SEASONS: [(&str, &str, f64, f64); 8] = [
    ("A00", "A09", 6.5, 0.3),
    ("A83", "A87", 6.5, 0.5),
    ("A90", "A99", 10.0, 0.8),
    ("B05", "B06", 4.0, 0.7),
    ("B08", "B08", 9.5, 0.6),
    ("J00", "J22", 1.0, 0.35),
    ("O80", "O84", 9.5, 0.12),
    ("P00", "P96", 9.5, 0.12),
];

/// How much happens on a day, as a share of a usual working day.
pub(super) fn weight(day: NaiveDate) -> f64 {
    let weekday = WEEKDAYS[day.weekday().num_days_from_monday() as usize];
    let since_tet = TET.iter().filter_map(|first| Some((day - date(*first)?).num_days()));
    let of_tet = since_tet
        .filter_map(|days| match days {
            -3..=6 => Some(AT_TET),
            7..=20 => Some(AFTER_TET),
            _ => None,
        })
        .next();
    let is_hung_kings = HUNG_KINGS.iter().any(|one| date(*one) == Some(day));
    let is_fixed = matches!((day.month(), day.day()), (1, 1) | (4, 30) | (5, 1) | (9, 2));
    if is_fixed || is_hung_kings {
        return weekday * ON_HOLIDAY;
    }
    weekday * of_tet.unwrap_or(1.0)
}

fn date((year, month, day): (i32, u32, u32)) -> Option<NaiveDate> {
    NaiveDate::from_ymd_opt(year, month, day)
}

/// How often a disease is met in the month of a day, beside its mean of the year; 1 of what has no
/// season.
pub(super) fn season(code: &str, day: NaiveDate) -> f64 {
    let category = code.get(..3).unwrap_or(code);
    let own = SEASONS.iter().find(|(first, last, ..)| (*first..=*last).contains(&category));
    let Some((_, _, peak, swing)) = own else { return 1.0 };
    let turn = (f64::from(day.month()) - peak) * std::f64::consts::TAU / 12.0;
    1.0 + swing * turn.cos()
}

/// The day of something that is told on `told`: mostly that day, else one of the `back` days
/// before, busy days more often.
pub(super) fn event(random: &mut Random, told: NaiveDate, back: u64, late: f64) -> NaiveDate {
    if back == 0 || !random.chance(late) {
        return told;
    }
    for _ in 0..8 {
        let day = told - Days::new(1 + random.below(back));
        if random.unit() * 1.5 < weight(day) {
            return day;
        }
    }
    told - Days::new(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn sundays_and_tet_are_quiet() {
        let weight = |text: &str| weight(day(text));
        assert!(weight("2026-07-06") > 6.0 * weight("2026-07-12"));
        assert!(weight("2026-02-17") < 0.4 * weight("2026-03-17"));
        assert!(weight("2026-03-02") > weight("2026-03-16"), "who waited comes after Tết");
        assert!(weight("2026-09-02") < 0.5 * weight("2026-09-09"));
    }

    #[test]
    fn dengue_comes_with_the_rains_and_colds_in_winter() {
        assert!(season("A97.0", day("2026-10-10")) > 5.0 * season("A97.0", day("2026-04-10")));
        assert!(season("J06.9", day("2026-01-10")) > 1.5 * season("J06.9", day("2026-07-10")));
        assert_eq!(season("I10", day("2026-01-10")), 1.0);
    }
}
