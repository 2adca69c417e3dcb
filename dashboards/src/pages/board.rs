//! The leaders' dashboard: one province on the boundaries of today or of the time before the
//! merger; where it stands, what moved, and whether the figures can be trusted.

mod choices;
mod country_map;
mod history;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use chrono::NaiveDate;
use warehouse::grid::format_number;
use warehouse::names::Lang;
use warehouse::spec::{Indicator, Query};

use crate::app::App;
use crate::error::PageError;
use crate::figures::{self, Figures, Key, Point};
use crate::freshness;
use crate::pages::card::Card;
use crate::pages::{indicator, notes};
use crate::period;
use crate::request::Reader;
use crate::shell::{Part, Shell, page};
use crate::simulated::{Simulated, simulated};
use crate::text::board::{Words, words};
use crate::text::fill;
use crate::{boards, scope};

use self::choices::Choices;
use self::country_map::CountryMap;
use self::history::History;

pub(crate) use self::choices::vintages;

/// How many indicators are cards; the rest stand in a table.
const CARDS: usize = 6;

#[derive(Template)]
#[template(path = "board.html")]
struct BoardPage {
    shell: Shell,
    w: &'static Words,
    form: Form,
    kept_to: Option<String>,
    /// What could not be shown as asked.
    notices: Vec<String>,
    stale: Vec<String>,
    cards: Vec<Card>,
    others: Vec<Card>,
    others_caption: String,
    indicator_title: String,
    /// That of the indicator of the chart and map.
    mark: Option<&'static str>,
    indicator_href: String,
    breakdown: Option<String>,
    source: String,
    caveats: Vec<String>,
    history: History,
    /// Said in place of a province's figures.
    no_trend: String,
    /// The country's, where the province's are not the reader's to see.
    country_figure: Option<String>,
    map: CountryMap,
}

#[derive(Template)]
#[template(path = "board_empty.html")]
struct EmptyPage {
    shell: Shell,
    text: &'static str,
}

/// The choices, as the form offers them: value, words, chosen.
struct Form {
    action: String,
    vintages: Vec<(&'static str, String, bool)>,
    provinces: Vec<(String, String, bool)>,
    indicators: Vec<(String, String, bool)>,
    breakdowns: Vec<(String, bool)>,
    periods: Vec<(String, String, bool)>,
}

pub(crate) async fn show(State(app): State<App>, reader: Reader) -> Result<Response, PageError> {
    let lang = reader.lang;
    let w = words(lang);
    let (country, nights, simulated) = tokio::try_join!(
        figures::country(&app, &reader),
        freshness::nights(&app, &reader),
        simulated(&app, &reader)
    )?;
    let empty = |text| EmptyPage { shell: Shell::new(&reader, Some(Part::Board), w.title), text };
    let Some(chosen) = Choices::of(&app, &reader, &country) else {
        let any = !boards::visible(&app, &reader).is_empty();
        return page(&empty(if any { w.no_units } else { no_indicators(&reader) }));
    };
    let Some((query, declared)) = boards::find(&app, &reader, &chosen.key.indicator) else {
        return page(&empty(no_indicators(&reader)));
    };
    let province = figures::province(&app, &reader, &chosen.unit, chosen.date).await?;
    let places = match chosen.on {
        Some(on) => figures::places(&app, &reader, &chosen.key, on, chosen.date).await?,
        None => Vec::new(),
    };
    let (cards, others) = cards(&app, &reader, &chosen, (&province, &country), &simulated);
    let visible = boards::visible(&app, &reader).into_iter();
    let shown: Vec<&Query> = visible.map(|(query, _)| query).collect();
    let yours = is_yours(&app, &reader, &chosen, query);
    let whole = reader.reads_whole(query.sensitivity);
    let title = fill(w.title_of, &[&chosen.name]);
    let template = BoardPage {
        shell: Shell::new(&reader, Some(Part::Board), title),
        w,
        form: form(&app, &reader, &chosen, &country),
        kept_to: notes::kept_to(&app, &reader),
        stale: notes::stale(&app, &nights, &shown, lang),
        cards,
        others,
        others_caption: fill(w.others_caption, &[&chosen.name]),
        indicator_title: query.title.get(lang).to_owned(),
        mark: simulated.mark_of_indicator(&query.id, lang),
        indicator_href: format!("/chi-tieu/{}", query.id),
        breakdown: chosen.key.breakdown.clone(),
        source: query.source.get(lang).to_owned(),
        caveats: query.caveats.iter().map(|text| text.get(lang).to_owned()).collect(),
        history: History::new(
            (query, declared),
            &chosen,
            province.of(&chosen.key),
            (country.of(&chosen.key), app.declarations().fewest_persons(query).is_some()),
            lang,
        ),
        no_trend: if yours {
            w.no_trend.to_owned()
        } else {
            fill(w.trend_not_yours, &[&chosen.name])
        },
        country_figure: if yours {
            None
        } else {
            country_figure(declared, country.of(&chosen.key), lang)
        },
        map: CountryMap::new(&app, (query, declared), &chosen, (places.as_slice(), whole), lang),
        notices: chosen.notices,
    };
    page(&template)
}

/// Says why there is nothing to show.
fn no_indicators(reader: &Reader) -> &'static str {
    let w = words(reader.lang);
    if reader.logged_in { w.no_indicators } else { w.no_open_indicators }
}

/// Whether the chosen province's figures of an indicator are the reader's to see.
fn is_yours(app: &App, reader: &Reader, chosen: &Choices, query: &Query) -> bool {
    reader.reads_whole(query.sensitivity)
        || scope::is_own(&reader.principal, app.geography(), &chosen.unit)
}

/// The country's newest figure in a sentence.
fn country_figure(indicator: &Indicator, country: &[Point], lang: Lang) -> Option<String> {
    let newest = figures::newest(country)?;
    let figure = format_number(newest.value?, usize::from(indicator.digits), lang);
    let when = period::label(indicator.period, newest.on, lang);
    Some(fill(words(lang).country_figure, &[&when, &figure, indicator.unit.get(lang)]))
}

/// Cards of the indicators that say most about the province: those with figures first, in the
/// order of the board.
fn cards(
    app: &App,
    reader: &Reader,
    chosen: &Choices,
    (province, country): (&Figures, &Figures),
    simulated: &Simulated,
) -> (Vec<Card>, Vec<Card>) {
    let mut with = Vec::new();
    let mut without = Vec::new();
    for (query, declared) in boards::visible(app, reader) {
        let key = if query.id == chosen.key.indicator {
            chosen.key.clone()
        } else {
            let key = province.main_key(&query.id).or_else(|| country.main_key(&query.id));
            key.cloned().unwrap_or(Key { indicator: query.id.clone(), breakdown: None })
        };
        let series = province.of(&key);
        let yours = is_yours(app, reader, chosen, query);
        let about = (query, declared, yours);
        let card = card(chosen, about, &key, (series, country.of(&key)), reader.lang);
        let card = card.marked(simulated.mark_of_indicator(&query.id, reader.lang));
        let known = figures::newest(series).is_some();
        if known { with.push(card) } else { without.push(card) }
    }
    with.append(&mut without);
    let others = with.split_off(with.len().min(CARDS));
    (with, others)
}

fn card(
    chosen: &Choices,
    (query, indicator, yours): (&Query, &Indicator, bool),
    key: &Key,
    (series, country): (&[Point], &[Point]),
    lang: Lang,
) -> Card {
    let href = chosen.href(lang, &[("chi_tieu", &key.indicator)], key.breakdown.as_deref());
    let card = Card::new(href, (query, indicator), key, series, lang);
    let current = key.indicator == chosen.key.indicator;
    Card { current, ..card.with_country(indicator, yours, series, country, lang) }
}

fn form(app: &App, reader: &Reader, chosen: &Choices, country: &Figures) -> Form {
    let lang = reader.lang;
    let units = app.geography().units_on(chosen.date);
    let mut provinces: Vec<(String, String, bool)> = units
        .into_iter()
        .map(|unit| {
            let name = choices::name(unit, lang).to_owned();
            (unit.key.clone(), name, unit.key == chosen.unit)
        })
        .collect();
    provinces.sort_by_key(|(_, name, _)| choices::sort_key(name));
    let indicators = boards::visible(app, reader).into_iter().map(|(query, _)| {
        let title = query.title.get(lang).to_owned();
        (query.id.clone(), title, query.id == chosen.key.indicator)
    });
    let series = country.of(&chosen.key).iter().rev();
    let periods = series.filter(|point| point.value.is_some()).map(|point| {
        let label = period::label(chosen.period, point.on, lang);
        (day(point.on), label, Some(point.on) == chosen.on)
    });
    Form {
        action: crate::lang::href(lang, "/bang-dieu-khien"),
        vintages: vintages(app)
            .into_iter()
            .map(|vintage| (vintage.id, vintage.words(lang), vintage.date == chosen.date))
            .collect(),
        provinces,
        indicators: indicators.collect(),
        breakdowns: indicator::breakdowns(country, &chosen.key.indicator, Some(&chosen.key)),
        periods: periods.collect(),
    }
}

/// A day as addresses write it.
fn day(date: NaiveDate) -> String {
    date.format("%Y-%m-%d").to_string()
}
