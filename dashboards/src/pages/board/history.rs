//! The province over time, beside the country where the two can be compared.

use warehouse::grid::format_number;
use warehouse::names::Lang;
use warehouse::spec::{Indicator, Query};

use super::choices::Choices;
use crate::chart::trend::{About, LineOf, Trend};
use crate::figures::{self, Point};
use crate::period;
use crate::shell::Shown;
use crate::text::board::words;
use crate::text::{count, fill, shared};

/// Chart and table.
pub(super) struct History {
    pub(super) trend: Option<Trend>,
    pub(super) caption: String,
    pub(super) own: String,
    /// Whether the country is drawn: a country's count would dwarf a province's.
    pub(super) with_country: bool,
    pub(super) is_rate: bool,
    pub(super) rows: Vec<Row>,
}

/// One period.
pub(super) struct Row {
    pub(super) period: String,
    pub(super) value: Shown,
    pub(super) numerator: Shown,
    pub(super) denominator: Shown,
    pub(super) country: Shown,
    pub(super) note: String,
}

impl History {
    pub(super) fn new(
        (query, indicator): (&Query, &Indicator),
        chosen: &Choices,
        province: &[Point],
        (country, hides): (&[Point], bool),
        lang: Lang,
    ) -> Self {
        let is_rate = indicator.denominator.is_some();
        let mut lines = Vec::new();
        if is_rate {
            lines.push(LineOf { class: "country", series: country });
        }
        lines.push(LineOf { class: "own", series: province });
        let about = about((query, indicator), chosen, province, lang);
        let trend = about.and_then(|about| Trend::new(about, &lines));
        let row = |point: &Point| {
            let row = row(indicator, point, figures::at(country, point.on), lang);
            // The indicator has a row of it, and no figure of any part.
            if hides && point.value.is_none() && point.parts.0 == 0 {
                return Row { note: shared::words(lang).small_group.to_owned(), ..row };
            }
            row
        };
        let title = query.title.get(lang);
        Self {
            trend,
            caption: fill(words(lang).trend_caption, &[title, &chosen.name]),
            own: chosen.name.clone(),
            with_country: is_rate,
            is_rate,
            rows: province.iter().rev().map(row).collect(),
        }
    }
}

fn row(indicator: &Indicator, point: &Point, country: Option<&Point>, lang: Lang) -> Row {
    let country = country.and_then(|point| point.value);
    Row {
        period: period::label(indicator.period, point.on, lang),
        value: Shown::number(point.value, indicator.digits, lang),
        numerator: Shown::amount(point.numerator, lang),
        denominator: Shown::amount(point.denominator, lang),
        country: Shown::number(country, indicator.digits, lang),
        note: missing_parts(point, lang),
    }
}

/// Says how many former provinces have no figure.
fn missing_parts(point: &Point, lang: Lang) -> String {
    if !point.is_partial() {
        return String::new();
    }
    let (have, need) = point.parts;
    fill(words(lang).incomplete, &[&count(need - have, lang), &count(need, lang)])
}

fn about(
    (query, indicator): (&Query, &Indicator),
    chosen: &Choices,
    province: &[Point],
    lang: Lang,
) -> Option<About> {
    let w = words(lang);
    let mut known = province.iter().filter(|point| point.value.is_some());
    let first = known.next()?;
    let last = known.next_back().unwrap_or(first);
    let when = |point: &Point| period::label(indicator.period, point.on, lang);
    let figure = |point: &Point| {
        point.value.map_or(shared::words(lang).no_figure.to_owned(), |value| {
            format_number(value, usize::from(indicator.digits), lang)
        })
    };
    let title = query.title.get(lang);
    let text = [chosen.name.clone(), figure(first), when(first), figure(last), when(last)];
    Some(About {
        id: "dien-bien",
        title: fill(w.trend_title, &[title, &chosen.name, &when(first), &when(last)]),
        description: fill(w.trend_text, &text.each_ref().map(String::as_str)),
        period: indicator.period,
        digits: indicator.digits,
        lang,
    })
}
