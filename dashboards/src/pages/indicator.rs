//! One indicator, for those who may see it: its definition and the country over time.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use warehouse::grid::format_number;
use warehouse::spec::{Indicator, Query};
use warehouse::system;

use crate::app::App;
use crate::chart::trend::{About, LineOf, Trend};
use crate::error::PageError;
use crate::figures::{self, Figures, Key, Point};
use crate::freshness::{self, inputs};
use crate::pages::card::Card;
use crate::pages::{indicators, notes};
use crate::request::{Named, Reader};
use crate::shell::{Part, Shell, Shown, page};
use crate::simulated::simulated;
use crate::text::indicators::{Words, words};
use crate::text::{count, fill};
use crate::{boards, lang, period, tables};

#[derive(Template)]
#[template(path = "indicator.html")]
struct IndicatorPage<'a> {
    shell: Shell,
    w: &'static Words,
    query: &'a Query,
    indicator: &'a Indicator,
    length: &'static str,
    factor: String,
    version: String,
    groups: Vec<(u8, String)>,
    inputs: Vec<String>,
    hidden_inputs: Option<&'static str>,
    stale: Vec<String>,
    mark: Option<&'static str>,
    class: &'static str,
    class_words: String,
    /// How many persons its figures stand for at least, in words.
    smallest_group: Option<String>,
    /// The SQL that makes it, where all that it reads is the reader's to see.
    definition: Option<String>,
    breakdowns: Vec<(String, bool)>,
    card: Option<Card>,
    trend: Option<Trend>,
    caption: String,
    rows: Vec<Row>,
    board_href: String,
}

struct Row {
    period: String,
    value: Shown,
    numerator: Shown,
    denominator: Shown,
    provinces: String,
}

pub(crate) async fn show(
    State(app): State<App>,
    Named(id): Named,
    reader: Reader,
) -> Result<Response, PageError> {
    let found = boards::find(&app, &reader, &id);
    let (query, indicator) = found.ok_or(PageError::NotFound)?;
    let (country, nights, simulated) = tokio::try_join!(
        figures::country(&app, &reader),
        freshness::nights(&app, &reader),
        simulated(&app, &reader)
    )?;
    let language = reader.lang;
    let w = words(language);
    let key = chosen_key(&country, &id, reader.choice("phan_to"));
    let series = key.as_ref().map_or(&[][..], |key| country.of(key));
    let card = key
        .as_ref()
        .filter(|_| figures::newest(series).is_some())
        .map(|key| Card::of_country(String::new(), (query, indicator), key, series, language));
    let breakdown = key.as_ref().and_then(|key| key.breakdown.as_deref());
    let choices = [("chi_tieu", Some(id.as_str())), ("phan_to", breakdown)];
    let class = query.sensitivity.title();
    let all = inputs(app.declarations(), query);
    let known = tables::known(&app, &reader, &all)?;
    let read_directly = tables::known(&app, &reader, &query.reads)?;
    let template = IndicatorPage {
        shell: Shell::new(&reader, Some(Part::Indicators), query.title.get(language)),
        w,
        query,
        indicator,
        length: indicators::length(indicator.period, language),
        factor: format_number(indicator.factor, 0, language),
        version: system::version_of(&query.fingerprint),
        groups: query
            .groups
            .iter()
            .map(|group| (group.number(), group.title().get(language).to_owned()))
            .collect(),
        hidden_inputs: match (known.len(), all.len()) {
            (known, all) if known == all => None,
            (0, _) => Some(w.inputs_all_hidden),
            _ => Some(w.inputs_hidden),
        },
        inputs: known,
        stale: notes::stale(&app, &nights, &[query], language),
        mark: simulated.mark_of_indicator(&id, language),
        class: query.sensitivity.as_str(),
        class_words: class.get(language).to_owned(),
        smallest_group: notes::smallest_group(&app, query, language),
        definition: (read_directly.len() == query.reads.len()).then(|| query.sql.trim().to_owned()),
        breakdowns: breakdowns(&country, &id, key.as_ref()),
        card,
        trend: trend(&reader, query, indicator, series),
        caption: fill(w.trend_caption, &[query.title.get(language)]),
        rows: rows(&reader, indicator, series),
        board_href: lang::href_with(language, "/bang-dieu-khien", &choices),
    };
    page(&template)
}

/// The series that was chosen, or the one that stands for the indicator.
pub(crate) fn chosen_key(country: &Figures, id: &str, breakdown: Option<&str>) -> Option<Key> {
    let chosen = breakdown.and_then(|breakdown| {
        country.keys(id).into_iter().find(|key| key.breakdown.as_deref() == Some(breakdown))
    });
    chosen.or_else(|| country.main_key(id)).cloned()
}

/// The breakdowns to choose from; none when there is nothing to choose.
pub(crate) fn breakdowns(country: &Figures, id: &str, chosen: Option<&Key>) -> Vec<(String, bool)> {
    let keys = country.keys(id).into_iter();
    keys.filter_map(|key| Some((key.breakdown.clone()?, chosen == Some(key)))).collect()
}

fn trend(reader: &Reader, query: &Query, indicator: &Indicator, series: &[Point]) -> Option<Trend> {
    let (language, w) = (reader.lang, words(reader.lang));
    let known = || series.iter().filter_map(|point| Some((point.value?, point.on)));
    let low = known().min_by(|a, b| a.0.total_cmp(&b.0))?;
    let high = known().max_by(|a, b| a.0.total_cmp(&b.0))?;
    let when = |on| period::label(indicator.period, on, language);
    let figure = |value| format_number(value, usize::from(indicator.digits), language);
    let (first, last) = (known().next()?.1, known().next_back()?.1);
    let title = fill(w.trend_title, &[query.title.get(language), &when(first), &when(last)]);
    let values = [figure(low.0), when(low.1), figure(high.0), when(high.1)];
    let about = About {
        id: "xu-huong",
        title,
        description: fill(w.trend_text, &values.each_ref().map(String::as_str)),
        period: indicator.period,
        digits: indicator.digits,
        lang: language,
    };
    Trend::new(about, &[LineOf { class: "own", series }])
}

fn rows(reader: &Reader, indicator: &Indicator, series: &[Point]) -> Vec<Row> {
    let (language, w) = (reader.lang, words(reader.lang));
    let row = |point: &Point| Row {
        period: period::label(indicator.period, point.on, language),
        value: Shown::number(point.value, indicator.digits, language),
        numerator: Shown::amount(point.numerator, language),
        denominator: Shown::amount(point.denominator, language),
        provinces: fill(w.of, &[&count(point.parts.0, language), &count(point.parts.1, language)]),
    };
    series.iter().rev().map(row).collect()
}
