//! Periods as people name them, and the step from one to the next.

use chrono::{Datelike, Months, NaiveDate, TimeDelta};
use warehouse::names::Lang;
use warehouse::spec::Period;

/// The first day of the period after the one that begins on `on`.
pub(crate) fn next(period: Period, on: NaiveDate) -> Option<NaiveDate> {
    match period {
        Period::Year => on.checked_add_months(Months::new(12)),
        Period::Quarter => on.checked_add_months(Months::new(3)),
        Period::Month => on.checked_add_months(Months::new(1)),
        Period::Day => on.checked_add_signed(TimeDelta::days(1)),
    }
}

/// The period that begins on `on`, in full.
pub(crate) fn label(period: Period, on: NaiveDate, lang: Lang) -> String {
    let (year, month) = (on.year(), on.month());
    match (period, lang) {
        (Period::Year, _) => year.to_string(),
        (Period::Quarter, Lang::Vi) => format!("quý {}/{year}", on.month0() / 3 + 1),
        (Period::Quarter, Lang::En) => format!("Q{} {year}", on.month0() / 3 + 1),
        (Period::Month, Lang::Vi) => format!("tháng {month}/{year}"),
        (Period::Month, Lang::En) => on.format("%b %Y").to_string(),
        (Period::Day, Lang::Vi) => on.format("%d/%m/%Y").to_string(),
        (Period::Day, Lang::En) => on.format("%Y-%m-%d").to_string(),
    }
}

/// The same, short enough for an axis.
pub(crate) fn short(period: Period, on: NaiveDate, lang: Lang) -> String {
    match (period, lang) {
        (Period::Quarter, Lang::Vi) => format!("Q{}/{}", on.month0() / 3 + 1, on.year()),
        (Period::Month, Lang::Vi) => format!("{}/{}", on.month(), on.year()),
        (Period::Day, Lang::Vi) => on.format("%d/%m/%y").to_string(),
        _ => label(period, on, lang),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_in_both_languages() {
        let on = NaiveDate::from_ymd_opt(2015, 7, 1).expect("a date");
        assert_eq!(label(Period::Quarter, on, Lang::Vi), "quý 3/2015");
        assert_eq!(label(Period::Month, on, Lang::En), "Jul 2015");
        assert_eq!(label(Period::Year, on, Lang::En), "2015");
        assert_eq!(short(Period::Day, on, Lang::Vi), "01/07/15");
        let after = next(Period::Quarter, on).map(|date| date.to_string());
        assert_eq!(after.as_deref(), Some("2015-10-01"));
    }
}
