//! How busy a day is, and on which day what is told at night happened.

use chrono::{Datelike, Days, NaiveDate};

use super::super::random::Random;

/// From Monday, as a share of a usual day: visits pile up on Mondays.
const WEEKDAYS: [f64; 7] = [1.28, 1.12, 1.06, 1.03, 1.0, 0.4, 0.18];

/// First days of the lunar year.
const TET: [(i32, u32, u32); 7] = [
    (2024, 2, 10),
    (2025, 1, 29),
    (2026, 2, 17),
    (2027, 2, 6),
    (2028, 1, 26),
    (2029, 2, 13),
    (2030, 2, 3),
];

/// How much happens on a day, as a share of a usual working day.
pub(super) fn weight(day: NaiveDate) -> f64 {
    let weekday = WEEKDAYS[day.weekday().num_days_from_monday() as usize];
    let tet =
        TET.iter().filter_map(|(year, month, day)| NaiveDate::from_ymd_opt(*year, *month, *day));
    let is_tet = tet.map(|first| (day - first).num_days()).any(|after| (-3..=6).contains(&after));
    let is_holiday = matches!((day.month(), day.day()), (1, 1) | (4, 30) | (5, 1) | (9, 2));
    if is_tet {
        weekday * 0.25
    } else if is_holiday {
        weekday * 0.3
    } else {
        weekday
    }
}

/// The day of something that is told on `told`: mostly that day, else one of the `back` days
/// before, busy days more often.
pub(super) fn event(random: &mut Random, told: NaiveDate, back: u64, late: f64) -> NaiveDate {
    if back == 0 || !random.chance(late) {
        return told;
    }
    for _ in 0..8 {
        let day = told - Days::new(1 + random.below(back));
        if random.unit() * 1.3 < weight(day) {
            return day;
        }
    }
    told - Days::new(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sundays_and_tet_are_quiet() {
        let day = |text: &str| weight(text.parse().unwrap());
        assert!(day("2026-07-06") > 6.0 * day("2026-07-12"));
        assert!(day("2026-02-17") < 0.4 * day("2026-03-17"));
        assert!(day("2026-09-02") < 0.5 * day("2026-09-09"));
    }
}
