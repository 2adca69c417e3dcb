//! One indicator at a glance: the newest figure, how it moved, and a small line.

use askama::Template;
use askama::filters::HtmlSafe;
use warehouse::grid::format_number;
use warehouse::names::Lang;
use warehouse::spec::{Indicator, Query};

use crate::chart::spark::Spark;
use crate::figures::{self, Change, Key, Point};
use crate::period;
use crate::shell::Shown;
use crate::text::{board, count, fill, shared};

/// A card.
#[derive(Template)]
#[template(path = "card.html")]
pub(crate) struct Card {
    pub(crate) href: String,
    pub(crate) title: String,
    pub(crate) breakdown: Option<String>,
    pub(crate) value: Shown,
    pub(crate) unit: String,
    pub(crate) period: String,
    pub(crate) moved: Option<Moved>,
    pub(crate) spark: Option<Spark>,
    /// What else must be said: rank, the country, what is missing.
    pub(crate) facts: Vec<String>,
    pub(crate) warnings: Vec<String>,
    /// Whether this is the indicator of the chart and map.
    pub(crate) current: bool,
    /// Says that the figure is simulated, where it is.
    pub(crate) mark: Option<&'static str>,
}

impl HtmlSafe for Card {}

/// How a figure moved, in words; the arrow repeats them.
pub(crate) struct Moved {
    pub(crate) arrow: &'static str,
    /// `good`, `bad` or `plain`.
    pub(crate) tone: &'static str,
    pub(crate) words: String,
}

impl Card {
    /// The card of a series whose newest known figure is shown.
    pub(crate) fn new(
        href: String,
        (query, indicator): (&Query, &Indicator),
        key: &Key,
        series: &[Point],
        lang: Lang,
    ) -> Self {
        let newest = figures::newest(series);
        let value = newest.and_then(|point| point.value);
        let change = newest.and_then(|point| figures::change(series, point, indicator.period));
        Self {
            href,
            title: query.title.get(lang).to_owned(),
            breakdown: key.breakdown.clone(),
            value: Shown::number(value, indicator.digits, lang),
            unit: indicator.unit.get(lang).to_owned(),
            period: newest.map_or(String::new(), |at| period::label(indicator.period, at.on, lang)),
            moved: change.map(|change| moved(&change, indicator, lang)),
            spark: Spark::new(series, indicator.period),
            facts: Vec::new(),
            warnings: Vec::new(),
            current: false,
            mark: None,
        }
    }

    /// The same with its mark.
    pub(crate) fn marked(self, mark: Option<&'static str>) -> Self {
        Self { mark, ..self }
    }

    /// The card of a national figure; says when provinces are missing from the sum.
    pub(crate) fn of_country(
        href: String,
        declared: (&Query, &Indicator),
        key: &Key,
        series: &[Point],
        lang: Lang,
    ) -> Self {
        let mut card = Self::new(href, declared, key, series, lang);
        card.warnings.extend(figures::newest(series).and_then(|point| partial(point, lang)));
        card
    }

    /// Adds what a province's reader asks: its place, and the country in the same period. `yours`
    /// is whether the reader may see the province's figures.
    pub(crate) fn with_country(
        mut self,
        indicator: &Indicator,
        yours: bool,
        series: &[Point],
        country: &[Point],
        lang: Lang,
    ) -> Self {
        let w = board::words(lang);
        let Some(point) = figures::newest(series) else {
            self.facts.push(if yours { w.card_missing } else { w.card_not_yours }.to_owned());
            self.warnings.extend(series.last().and_then(|point| incomplete(point, lang)));
            if !yours {
                self.facts.extend(country_newest(indicator, country, lang));
            }
            return self;
        };
        if let Some((rank, total)) = point.rank {
            self.facts.push(fill(w.card_rank, &[&count(rank, lang), &count(total, lang)]));
        }
        let same = figures::at(country, point.on);
        if let Some(value) = same.and_then(|point| point.value) {
            let figure = format_number(value, usize::from(indicator.digits), lang);
            let when = period::label(indicator.period, point.on, lang);
            self.facts.push(fill(w.card_country, &[&when, &figure]));
        }
        let newer = figures::newest(country).filter(|newest| newest.on > point.on);
        if let Some(newer) = newer {
            let when = period::label(indicator.period, newer.on, lang);
            self.warnings.push(fill(w.card_older, &[&when]));
            let own = figures::at(series, newer.on);
            self.warnings.extend(own.and_then(|point| incomplete(point, lang)));
        }
        self
    }
}

/// The country's newest figure in words.
fn country_newest(indicator: &Indicator, country: &[Point], lang: Lang) -> Option<String> {
    let newest = figures::newest(country)?;
    let figure = format_number(newest.value?, usize::from(indicator.digits), lang);
    let when = period::label(indicator.period, newest.on, lang);
    Some(fill(board::words(lang).card_country, &[&when, &figure]))
}

/// Says that a merged province lacks figures of its parts.
fn incomplete(point: &Point, lang: Lang) -> Option<String> {
    let (have, need) = point.parts;
    let values = [count(need - have, lang), count(need, lang)];
    let text = board::words(lang).card_partial;
    point.is_partial().then(|| fill(text, &[&values[0], &values[1]]))
}

/// Says that a national sum lacks provinces.
pub(crate) fn partial(point: &Point, lang: Lang) -> Option<String> {
    let (have, need) = point.parts;
    let text = shared::words(lang).country_partial;
    point.is_partial().then(|| fill(text, &[&count(have, lang), &count(need, lang)]))
}

/// Words for a change. Shares in percent move by points; other figures by percent of what they
/// were.
pub(crate) fn moved(change: &Change, indicator: &Indicator, lang: Lang) -> Moved {
    let t = shared::words(lang);
    let since = period::label(indicator.period, change.since, lang);
    let digits = usize::from(indicator.digits);
    if change.difference == 0.0 {
        return Moved { arrow: "=", tone: "plain", words: fill(t.same, &[&since]) };
    }
    let size = change.difference.abs();
    let amount = match change.percent {
        _ if indicator.factor == 100.0 => {
            fill(t.points, &[&format_number(size, digits.max(1), lang)])
        }
        Some(percent) => fill(t.percent, &[&format_number(percent.abs(), 1, lang)]),
        None => format_number(size, digits, lang),
    };
    let up = change.difference > 0.0;
    let tone = match indicator.higher_is_better {
        None => "plain",
        Some(higher) if higher == up => "good",
        Some(_) => "bad",
    };
    let (arrow, words) = if up { ("▲", t.up) } else { ("▼", t.down) };
    Moved { arrow, tone, words: fill(words, &[&amount, &since]) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::NaiveDate;
    use warehouse::names::Text;
    use warehouse::spec::Period;

    fn indicator(factor: f64, higher_is_better: Option<bool>) -> Indicator {
        Indicator {
            unit: Text::new("%", "%"),
            numerator: Text::new("a", "a"),
            denominator: None,
            factor,
            period: Period::Year,
            breakdown: None,
            higher_is_better,
            digits: 1,
        }
    }

    fn change(difference: f64, percent: Option<f64>) -> Change {
        let since = NaiveDate::from_ymd_opt(2015, 1, 1).expect("a date");
        Change { difference, percent, since, skips: false }
    }

    #[test]
    fn shares_move_by_points_and_rates_by_percent() {
        let share = moved(&change(-2.5, Some(-2.6)), &indicator(100.0, Some(true)), Lang::Vi);
        assert_eq!(share.words, "giảm 2,5 điểm % so với 2015");
        assert_eq!((share.arrow, share.tone), ("▼", "bad"));
        let rate = moved(&change(-10.0, Some(-50.0)), &indicator(1e5, Some(false)), Lang::En);
        assert_eq!(rate.words, "down 50.0% on 2015");
        assert_eq!(rate.tone, "good");
        assert_eq!(moved(&change(0.0, Some(0.0)), &indicator(1e5, None), Lang::Vi).arrow, "=");
    }
}
