//! A line as small as a word, beside the figure that it belongs to; it is decoration to those who
//! do not see it, since the figure and its change are written out.

use askama::Template;
use askama::filters::HtmlSafe;
use warehouse::spec::Period;

use super::scale::Linear;
use super::scale::coordinate;
use super::trend::{days, runs, segments};
use crate::figures::Point;

const WIDTH: f64 = 120.0;
const HEIGHT: f64 = 32.0;
const MARGIN: f64 = 3.0;

/// A small line.
#[derive(Template)]
#[template(path = "chart/spark.svg")]
pub(crate) struct Spark {
    lines: Vec<String>,
    /// The newest figure, and those without neighbours.
    dots: Vec<(String, String)>,
}

impl HtmlSafe for Spark {}

impl Spark {
    /// The line of a series; `None` when fewer than two figures are known.
    pub(crate) fn new(series: &[Point], period: Period) -> Option<Self> {
        let known: Vec<(f64, f64)> =
            series.iter().filter_map(|point| Some((days(point.on), point.value?))).collect();
        let (first, last) = (known.first()?, known.last()?);
        if known.len() < 2 {
            return None;
        }
        let high = known.iter().map(|point| point.1).fold(f64::MIN, f64::max);
        let low = known.iter().map(|point| point.1).fold(f64::MAX, f64::min);
        let x = Linear::new((first.0, last.0), (MARGIN, WIDTH - MARGIN));
        let y = Linear::new((low, high), (HEIGHT - MARGIN, MARGIN));
        let place = |on, value| (x.at(on), y.at(value));
        let lines = segments(series, period, place);
        let alone = runs(series, period).into_iter().filter(|run| run.len() == 1).flatten();
        let alone = alone.filter_map(|point| Some((days(point.on), point.value?)));
        let dots = alone.filter(|point| point != last).chain([*last]);
        let dots = dots.map(|(on, value)| {
            let (x, y) = place(on, value);
            (coordinate(x), coordinate(y))
        });
        let dots = dots.collect();
        Some(Self { lines, dots })
    }
}
