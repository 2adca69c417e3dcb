//! A chart of one or two lines over time. A period without a figure breaks the line: nothing is
//! drawn where nothing is known.

use askama::Template;
use askama::filters::HtmlSafe;
use chrono::NaiveDate;
use warehouse::grid::format_number;
use warehouse::names::Lang;
use warehouse::spec::Period;

use super::scale::{Linear, coordinate, tick_digits, ticks};
use crate::figures::Point;
use crate::period;

// The text must stay readable when the picture is as wide as a phone, so the paper is narrow.
const WIDTH: f64 = 420.0;
const HEIGHT: f64 = 240.0;
const LEFT: f64 = 52.0;
const RIGHT: f64 = 14.0;
const TOP: f64 = 14.0;
const BOTTOM: f64 = 26.0;
/// More figures than this are a line without dots.
const DOTS: usize = 30;
const TIME_LABELS: usize = 6;
/// About the width of a letter of the axes.
const LETTER: f64 = 6.5;

/// A chart of lines.
#[derive(Template)]
#[template(path = "chart/trend.svg")]
pub(crate) struct Trend {
    /// Unique on the page; begins the ids of title and description.
    id: &'static str,
    title: String,
    description: String,
    width: f64,
    height: f64,
    left: f64,
    right: f64,
    rules: Vec<Mark>,
    times: Vec<Mark>,
    lines: Vec<Line>,
}

impl HtmlSafe for Trend {}

struct Mark {
    at: String,
    label: String,
    anchor: &'static str,
}

struct Line {
    class: &'static str,
    paths: Vec<String>,
    dots: Vec<(String, String, String)>,
}

/// One line to draw.
pub(crate) struct LineOf<'a> {
    /// Style class: `own` or `country`.
    pub(crate) class: &'static str,
    pub(crate) series: &'a [Point],
}

/// What is said about a chart, and in which form its numbers are.
pub(crate) struct About {
    pub(crate) id: &'static str,
    pub(crate) title: String,
    pub(crate) description: String,
    pub(crate) period: Period,
    pub(crate) digits: u8,
    pub(crate) lang: Lang,
}

impl Trend {
    /// Draws the lines; `None` when not one figure is known.
    pub(crate) fn new(about: About, lines: &[LineOf<'_>]) -> Option<Self> {
        let known = || lines.iter().flat_map(|line| line.series).filter(|p| p.value.is_some());
        let first = known().map(|point| point.on).min()?;
        let last = known().map(|point| point.on).max()?;
        let values = || known().filter_map(|point| point.value);
        let (low, high) = (values().fold(0.0, f64::min), values().fold(0.0, f64::max));
        let steps = ticks(low, high, 4);
        let (bottom, top) = (steps.first().copied()?, steps.last().copied()?);
        let x = Linear::new((days(first), days(last)), (LEFT + 6.0, WIDTH - RIGHT - 6.0));
        let y = Linear::new((bottom, top), (HEIGHT - BOTTOM, TOP));
        let place = |on: f64, value: f64| (x.at(on), y.at(value));
        let digits = usize::from(tick_digits(&steps));
        let rules = steps.iter().map(|&step| Mark {
            at: coordinate(y.at(step)),
            label: format_number(step, digits, about.lang),
            anchor: "end",
        });
        let drawn = lines.iter().map(|line| Line {
            class: line.class,
            paths: segments(line.series, about.period, place),
            dots: dots(line.series, &about, place),
        });
        Some(Self {
            id: about.id,
            rules: rules.collect(),
            times: time_labels(lines, &about, &x),
            lines: drawn.collect(),
            title: about.title,
            description: about.description,
            width: WIDTH,
            height: HEIGHT,
            left: LEFT,
            right: WIDTH - RIGHT,
        })
    }

    fn baseline(&self) -> f64 {
        HEIGHT - 8.0
    }
}

fn dots(
    series: &[Point],
    about: &About,
    place: impl Fn(f64, f64) -> (f64, f64),
) -> Vec<(String, String, String)> {
    let many = series.iter().filter(|point| point.value.is_some()).count() > DOTS;
    let shown = runs(series, about.period).into_iter().filter(|run| !many || run.len() == 1);
    shown
        .flatten()
        .filter_map(|point| {
            let value = point.value?;
            let (x, y) = place(days(point.on), value);
            let when = period::label(about.period, point.on, about.lang);
            let figure = format_number(value, usize::from(about.digits), about.lang);
            Some((coordinate(x), coordinate(y), format!("{when}: {figure}")))
        })
        .collect()
}

/// As many periods as have room, at most [`TIME_LABELS`], evenly, the first and the last among
/// them.
fn time_labels(lines: &[LineOf<'_>], about: &About, x: &Linear) -> Vec<Mark> {
    let known = lines.iter().flat_map(|line| line.series).filter(|point| point.value.is_some());
    let mut periods: Vec<NaiveDate> = known.map(|point| point.on).collect();
    periods.sort_unstable();
    periods.dedup();
    let last = periods.len().saturating_sub(1);
    // Even steps where the number of periods allows them.
    let longest = periods.iter().map(|on| period::short(about.period, *on, about.lang).len());
    let room = (WIDTH - LEFT - RIGHT) / (longest.max().unwrap_or_default() as f64 * LETTER + 14.0);
    let most = TIME_LABELS.min(room as usize).saturating_sub(1).max(1);
    let even = (2..=most).rev().find(|gaps| last.is_multiple_of(*gaps));
    let gaps = even.unwrap_or(most).min(last).max(1);
    let mut places: Vec<usize> = (0..=gaps).map(|at| (at * last + gaps / 2) / gaps).collect();
    places.dedup();
    let single = last == 0;
    places
        .into_iter()
        .filter_map(|at| {
            let on = *periods.get(at)?;
            let anchor = match at {
                _ if single => "middle",
                0 => "start",
                at if at == last => "end",
                _ => "middle",
            };
            let label = period::short(about.period, on, about.lang);
            Some(Mark { at: coordinate(x.at(days(on))), label, anchor })
        })
        .collect()
}

/// Days since the beginning of our era, as a length.
pub(super) fn days(on: NaiveDate) -> f64 {
    use chrono::Datelike;
    f64::from(on.num_days_from_ce())
}

/// Runs of periods that follow each other and all have figures.
pub(super) fn runs(series: &[Point], period: Period) -> Vec<Vec<&Point>> {
    let mut runs: Vec<Vec<&Point>> = Vec::new();
    let mut expected = None;
    for point in series.iter().filter(|point| point.value.is_some()) {
        match runs.last_mut() {
            Some(run) if expected == Some(point.on) => run.push(point),
            _ => runs.push(vec![point]),
        }
        expected = period::next(period, point.on);
    }
    runs
}

/// One path for each run of at least two.
pub(super) fn segments(
    series: &[Point],
    period: Period,
    place: impl Fn(f64, f64) -> (f64, f64),
) -> Vec<String> {
    let path = |run: Vec<&Point>| {
        let places = run.iter().filter_map(|point| {
            let (x, y) = place(days(point.on), point.value?);
            Some(format!("{} {}", coordinate(x), coordinate(y)))
        });
        format!("M{}", places.collect::<Vec<_>>().join("L"))
    };
    runs(series, period).into_iter().filter(|run| run.len() > 1).map(path).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(year: i32, value: Option<f64>) -> Point {
        let on = NaiveDate::from_ymd_opt(year, 1, 1).expect("a date");
        let (numerator, denominator, rank) = (None, None, None);
        Point { on, numerator, denominator, value, parts: (1, 1), rank }
    }

    fn about() -> About {
        let (title, description) = ("Xu hướng".to_owned(), String::new());
        About { id: "t", title, description, period: Period::Year, digits: 1, lang: Lang::Vi }
    }

    #[test]
    fn a_missing_period_breaks_the_line() {
        let series = [
            point(2011, Some(1.0)),
            point(2012, Some(2.0)),
            point(2013, None),
            point(2014, Some(3.0)),
            point(2016, Some(3.0)),
            point(2017, Some(4.0)),
        ];
        let paths = segments(&series, Period::Year, |x, y| (x, y));
        assert_eq!(paths.len(), 2, "{paths:?}");
    }

    #[test]
    fn nothing_known_is_no_chart() {
        let series = [point(2011, None)];
        let line = LineOf { class: "own", series: &series };
        assert!(Trend::new(about(), &[line]).is_none());
    }

    #[test]
    fn one_figure_is_one_dot_and_one_label() {
        let series = [point(2011, Some(5.0))];
        let trend = Trend::new(about(), &[LineOf { class: "own", series: &series }]);
        let trend = trend.expect("a chart");
        assert_eq!(trend.times.len(), 1);
        assert_eq!(trend.lines[0].dots.len(), 1);
        let svg = trend.to_string();
        assert!(svg.contains("2011: 5,0") && !svg.contains("style="), "{svg}");
    }
}
