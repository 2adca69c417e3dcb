//! Indicator figures as pages show them: series by indicator and breakdown, for the country and
//! for one province on the boundaries of a date. Re-aggregation is the warehouse's: pages only ask
//! `chi_tieu.ca_nuoc` and `chi_tieu_tai(DATE '…')`.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use warehouse::geography::Geography;
use warehouse::grid::{Cell, Grid};
use warehouse::names::Lang;
use warehouse::spec::Period;

use crate::app::App;
use crate::error::PageError;
use crate::request::Reader;
use crate::{boards, period, scope, sql};

/// An indicator and, where it has them, one of its breakdowns.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) indicator: String,
    /// Sorts the whole (none) before its parts.
    pub(crate) breakdown: Option<String>,
}

/// One period of a series.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Point {
    /// First day of the period.
    pub(crate) on: NaiveDate,
    pub(crate) numerator: Option<f64>,
    pub(crate) denominator: Option<f64>,
    /// `None` where it is not known.
    pub(crate) value: Option<f64>,
    /// Units with figures, and units that a complete sum needs.
    pub(crate) parts: (i64, i64),
    /// Place among the provinces, highest first, and how many have a figure.
    pub(crate) rank: Option<(i64, i64)>,
}

impl Point {
    /// Whether some parts of the place have no figure.
    pub(crate) fn is_partial(&self) -> bool {
        self.parts.0 < self.parts.1
    }

    /// Whether all parts that the place then had are known to have figures.
    fn is_complete(&self) -> bool {
        self.parts.1 > 0 && !self.is_partial()
    }

    /// Whether this and `other` are sums over the same ground: both whole, though of 64 provinces
    /// then and 63 now, or, where it is not known what a whole sum needs, of as many units.
    fn covers_as_much_as(&self, other: &Self) -> bool {
        let as_many = !self.is_partial() && !other.is_partial() && self.parts.0 == other.parts.0;
        as_many || (self.is_complete() && other.is_complete())
    }
}

/// Periods in order of time.
pub(crate) type Series = Vec<Point>;

/// Series by indicator and breakdown.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    series: BTreeMap<Key, Series>,
}

impl Figures {
    pub(crate) fn of(&self, key: &Key) -> &[Point] {
        self.series.get(key).map_or(&[], Vec::as_slice)
    }

    /// The breakdowns of an indicator that have figures, the whole first.
    pub(crate) fn keys(&self, indicator: &str) -> Vec<&Key> {
        self.series.keys().filter(|key| key.indicator == indicator).collect()
    }

    /// The key that stands for an indicator where no breakdown is chosen: the whole, or else the
    /// breakdown with the largest figure in the newest period, which whoever shows it must name.
    pub(crate) fn main_key(&self, indicator: &str) -> Option<&Key> {
        let keys = self.keys(indicator);
        let first = *keys.first()?;
        if first.breakdown.is_none() {
            return Some(first);
        }
        let known = |key: &Key| newest(self.of(key)).and_then(|at| Some((at.on, at.value?)));
        // Backwards, so that of equals the first by name is taken.
        keys.into_iter().rev().max_by(|a, b| match (known(a), known(b)) {
            (Some((a_on, a)), Some((b_on, b))) => a_on.cmp(&b_on).then(a.total_cmp(&b)),
            (a, b) => a.is_some().cmp(&b.is_some()),
        })
    }

    /// Leaves out ranks but those of the indicators that `wanted` names: among some of the
    /// provinces a place says nothing.
    fn keep_ranks(&mut self, wanted: impl Fn(&str) -> bool) {
        for (key, series) in &mut self.series {
            if !wanted(&key.indicator) {
                series.iter_mut().for_each(|point| point.rank = None);
            }
        }
    }

    fn from_grid(grid: &Grid, needed: impl Fn(&str, NaiveDate) -> Option<i64>) -> Self {
        let mut series: BTreeMap<Key, Series> = BTreeMap::new();
        for row in 0..grid.rows.len() {
            let cell = |name: &str| grid.cell(row, name);
            let (Some(indicator), Cell::Date(on)) = (cell("ma_chi_tieu").as_str(), cell("ky"))
            else {
                continue;
            };
            let breakdown = cell("phan_to").as_str().filter(|text| !text.is_empty());
            let breakdown = breakdown.map(str::to_owned);
            let key = Key { indicator: indicator.to_owned(), breakdown };
            let parts = cell("thanh_phan").as_i64().unwrap_or_default();
            let needed =
                cell("thanh_phan_can").as_i64().or_else(|| needed(indicator, *on)).unwrap_or(parts);
            let value = cell("gia_tri").as_f64().filter(|value| value.is_finite());
            let rank = cell("hang").as_i64().zip(cell("so_tinh").as_i64());
            series.entry(key).or_default().push(Point {
                on: *on,
                numerator: cell("tu_so").as_f64(),
                denominator: cell("mau_so").as_f64(),
                value,
                parts: (parts, needed),
                rank: rank.filter(|_| value.is_some()),
            });
        }
        Self { series }
    }
}

/// All national series.
pub(crate) async fn country(app: &App, reader: &Reader) -> Result<Figures, PageError> {
    let sql = "SELECT ma_chi_tieu, phan_to, ky, tu_so, mau_so, gia_tri, so_don_vi AS thanh_phan \
               FROM chi_tieu.ca_nuoc ORDER BY ma_chi_tieu, phan_to, ky";
    let grid = app.rows(reader, sql).await?;
    Ok(Figures::from_grid(&grid, |id, on| {
        // The list of the period's last day: a year is reported in the provinces at its end.
        let (_, indicator) = boards::find(app, reader, id)?;
        let last = period::next(indicator.period, on)?.pred_opt()?;
        i64::try_from(app.geography().units_on(last).len()).ok()
    }))
}

/// All series of the unit `key` on the boundaries of `date`, with its place among the others where
/// the reader sees those too.
pub(crate) async fn province(
    app: &App,
    reader: &Reader,
    key: &str,
    date: NaiveDate,
) -> Result<Figures, PageError> {
    let sql = format!(
        "SELECT ma_chi_tieu, phan_to, ky, tu_so, mau_so, gia_tri, thanh_phan, thanh_phan_can, \
                hang, so_tinh \
         FROM (SELECT *, \
                 rank() OVER (PARTITION BY ma_chi_tieu, phan_to, ky \
                              ORDER BY gia_tri DESC NULLS LAST) AS hang, \
                 count(gia_tri) OVER (PARTITION BY ma_chi_tieu, phan_to, ky) AS so_tinh \
               FROM chi_tieu_tai({date})) AS t \
         WHERE don_vi = {key} ORDER BY ma_chi_tieu, phan_to, ky",
        date = sql::date(date),
        key = sql::text(key),
    );
    let mut figures = Figures::from_grid(&app.rows(reader, &sql).await?, |_, _| None);
    figures.keep_ranks(|id| boards::is_whole(app, reader, id));
    Ok(figures)
}

/// One province's figure in one period.
#[derive(Debug, Clone)]
pub(crate) struct PlaceFigure {
    /// The unit's key.
    pub(crate) unit: String,
    pub(crate) code: String,
    pub(crate) name: String,
    pub(crate) numerator: Option<f64>,
    pub(crate) denominator: Option<f64>,
    pub(crate) value: Option<f64>,
    pub(crate) parts: (i64, i64),
    /// Whether the indicator has a row of it, though perhaps without a figure.
    pub(crate) is_there: bool,
}

/// The figures of all provinces of `date` that are the reader's to see, those without any included,
/// highest first.
pub(crate) async fn places(
    app: &App,
    reader: &Reader,
    key: &Key,
    on: NaiveDate,
    date: NaiveDate,
) -> Result<Vec<PlaceFigure>, PageError> {
    let sql = format!(
        "SELECT don_vi, tu_so, mau_so, gia_tri, thanh_phan, thanh_phan_can \
         FROM chi_tieu_tai({date}) WHERE ma_chi_tieu = {indicator} AND {breakdown} AND ky = {on}",
        date = sql::date(date),
        indicator = sql::text(&key.indicator),
        breakdown = sql::is("phan_to", key.breakdown.as_deref()),
        on = sql::date(on),
    );
    let grid = app.rows(reader, &sql).await?;
    let mut places = join_places(&grid, app.geography(), date, reader.lang);
    if !boards::is_whole(app, reader, &key.indicator) {
        let own =
            |place: &PlaceFigure| scope::is_own(&reader.principal, app.geography(), &place.unit);
        places.retain(own);
    }
    Ok(places)
}

fn join_places(
    grid: &Grid,
    geography: &Geography,
    date: NaiveDate,
    lang: Lang,
) -> Vec<PlaceFigure> {
    let by_unit: BTreeMap<&str, usize> = (0..grid.rows.len())
        .filter_map(|row| Some((grid.cell(row, "don_vi").as_str()?, row)))
        .collect();
    let mut places: Vec<PlaceFigure> = geography
        .units_on(date)
        .into_iter()
        .map(|unit| {
            let row = by_unit.get(unit.key.as_str()).copied();
            let number = |name| row.and_then(|row| grid.cell(row, name).as_f64());
            let count = |name| row.and_then(|row| grid.cell(row, name).as_i64());
            let name = if lang == Lang::En { &unit.name_en } else { &unit.name };
            PlaceFigure {
                unit: unit.key.clone(),
                code: unit.code.clone(),
                name: name.clone(),
                numerator: number("tu_so"),
                denominator: number("mau_so"),
                value: number("gia_tri").filter(|value| value.is_finite()),
                parts: (
                    count("thanh_phan").unwrap_or_default(),
                    count("thanh_phan_can").unwrap_or(1),
                ),
                is_there: row.is_some(),
            }
        })
        .collect();
    places.sort_by(|a, b| match (a.value, b.value) {
        (Some(a), Some(b)) => b.total_cmp(&a),
        (a, b) => b.is_some().cmp(&a.is_some()),
    });
    places
}

/// The newest point with a value.
pub(crate) fn newest(series: &[Point]) -> Option<&Point> {
    series.iter().rev().find(|point| point.value.is_some())
}

/// The point of that period.
pub(crate) fn at(series: &[Point], on: NaiveDate) -> Option<&Point> {
    series.iter().find(|point| point.on == on)
}

/// How a figure moved since the last period that has one.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Change {
    /// Now less then, in the indicator's unit.
    pub(crate) difference: f64,
    /// The same in percent of then; `None` when then was 0.
    pub(crate) percent: Option<f64>,
    /// The period compared with.
    pub(crate) since: NaiveDate,
    /// Whether periods between the two have no figure.
    pub(crate) skips: bool,
}

/// The change from the newest earlier point with a value to `point`; `None` where the two do not
/// cover the same ground, since the difference would be of coverage.
pub(crate) fn change(series: &[Point], point: &Point, length: Period) -> Option<Change> {
    let now = point.value?;
    let before = series.iter().rev().find(|p| p.on < point.on && p.value.is_some())?;
    let then = before.value.filter(|_| before.covers_as_much_as(point))?;
    Some(Change {
        difference: now - then,
        percent: (then != 0.0).then(|| (now - then) / then.abs() * 100.0),
        since: before.on,
        skips: period::next(length, before.on) != Some(point.on),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(crate) fn point(year: i32, value: Option<f64>) -> Point {
        Point {
            on: NaiveDate::from_ymd_opt(year, 1, 1).expect("a date"),
            numerator: None,
            denominator: None,
            value,
            parts: (1, 1),
            rank: None,
        }
    }

    #[test]
    fn a_change_is_against_the_last_known_figure_and_says_which() {
        let series = [point(2014, Some(10.0)), point(2015, None), point(2016, Some(5.0))];
        let change = change(&series, &series[2], Period::Year).expect("a change");
        assert_eq!(change.percent, Some(-50.0));
        assert_eq!(change.since, series[0].on);
        assert!(change.skips);
        assert_eq!(super::change(&series, &series[0], Period::Year), None);
    }

    #[test]
    fn sums_of_different_coverage_are_not_compared() {
        let of = |year, parts| Point { parts, ..point(year, Some(1.0)) };
        let compared = |then, now| {
            let series = [of(2014, then), of(2015, now)];
            change(&series, &series[1], Period::Year).is_some()
        };
        assert!(compared((63, 63), (63, 63)));
        // The whole country both times.
        assert!(compared((64, 64), (63, 63)));
        assert!(!compared((60, 63), (63, 63)) && !compared((63, 63), (60, 63)));
        assert!(!compared((60, 63), (60, 63)), "perhaps not the same 60");
        // It is not known what a whole sum needs.
        assert!(compared((61, 0), (61, 0)) && !compared((61, 0), (62, 0)));
    }

    #[test]
    fn an_indicator_without_a_whole_is_shown_by_its_largest_breakdown() {
        let key = |breakdown: Option<&str>| Key {
            indicator: "ca_benh".to_owned(),
            breakdown: breakdown.map(str::to_owned),
        };
        let mut figures = Figures::default();
        for (name, series) in [
            ("Bạch hầu", vec![point(2016, Some(900.0)), point(2017, Some(0.0))]),
            ("Cúm", vec![point(2016, Some(5.0)), point(2017, Some(7.0))]),
            ("Dại", vec![point(2016, Some(800.0))]),
            ("Sởi", vec![point(2017, Some(7.0))]),
            ("Tả", vec![point(2017, None)]),
        ] {
            figures.series.insert(key(Some(name)), series);
        }
        assert_eq!(figures.main_key("ca_benh"), Some(&key(Some("Cúm"))));
        figures.series.insert(key(None), vec![point(2017, Some(1.0))]);
        assert_eq!(figures.main_key("ca_benh"), Some(&key(None)));
        assert_eq!(figures.main_key("khac"), None);
    }

    #[test]
    fn a_place_among_some_provinces_is_not_told() {
        let mut figures = Figures::default();
        for id in ["mo", "noi_bo"] {
            let ranked = Point { rank: Some((1, 2)), ..point(2017, Some(1.0)) };
            let key = Key { indicator: id.to_owned(), breakdown: None };
            figures.series.insert(key, vec![ranked]);
        }
        figures.keep_ranks(|id| id == "mo");
        let ranks: Vec<_> = figures.series.values().map(|series| series[0].rank).collect();
        assert_eq!(ranks, [Some((1, 2)), None]);
    }

    #[test]
    fn nothing_is_a_percentage_of_zero() {
        let series = [point(2014, Some(0.0)), point(2015, Some(3.0))];
        let change = change(&series, &series[1], Period::Year).expect("a change");
        assert_eq!((change.difference, change.percent, change.skips), (3.0, None, false));
    }
}
