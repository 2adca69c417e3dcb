//! The leaders' dashboard: one province on the boundaries of today or of the time before the
//! merger; where it stands, what moved, and whether the figures can be trusted.

mod choices;
mod country_map;
mod history;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use chrono::NaiveDate;
use warehouse::names::Lang;
use warehouse::spec::{Indicator, Query};

use crate::app::App;
use crate::boards;
use crate::error::PageError;
use crate::figures::{self, Figures, Key, Point};
use crate::freshness;
use crate::pages::card::Card;
use crate::pages::{indicator, notes};
use crate::period;
use crate::request::Reader;
use crate::shell::{Part, Shell, page};
use crate::text::board::{Words, words};
use crate::text::fill;

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
    /// What could not be shown as asked.
    notices: Vec<String>,
    stale: Vec<String>,
    cards: Vec<Card>,
    others: Vec<Card>,
    others_caption: String,
    indicator_title: String,
    indicator_href: String,
    breakdown: Option<String>,
    source: String,
    caveats: Vec<String>,
    history: History,
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
    let (country, nights) = tokio::try_join!(figures::country(&app), freshness::nights(&app))?;
    let empty = |text| EmptyPage { shell: Shell::new(&reader, Some(Part::Board), w.title), text };
    let Some(chosen) = Choices::of(&app, &reader, &country) else {
        let any = !boards::visible(&app).is_empty();
        return page(&empty(if any { w.no_units } else { w.no_indicators }));
    };
    let Some((query, declared)) = boards::find(&app, &chosen.key.indicator) else {
        return page(&empty(w.no_indicators));
    };
    let province = figures::province(&app, &chosen.unit, chosen.date).await?;
    let places = match chosen.on {
        Some(on) => figures::places(&app, &chosen.key, on, chosen.date, lang).await?,
        None => Vec::new(),
    };
    let (cards, others) = cards(&app, &chosen, &province, &country, lang);
    let shown: Vec<&Query> = boards::visible(&app).into_iter().map(|(query, _)| query).collect();
    let title = fill(w.title_of, &[&chosen.name]);
    let template = BoardPage {
        shell: Shell::new(&reader, Some(Part::Board), title),
        w,
        form: form(&app, &chosen, &country, lang),
        stale: notes::stale(&app, &nights, &shown, lang),
        cards,
        others,
        others_caption: fill(w.others_caption, &[&chosen.name]),
        indicator_title: query.title.get(lang).to_owned(),
        indicator_href: format!("/chi-tieu/{}", query.id),
        breakdown: chosen.key.breakdown.clone(),
        source: query.source.get(lang).to_owned(),
        caveats: query.caveats.iter().map(|text| text.get(lang).to_owned()).collect(),
        history: History::new(
            (query, declared),
            &chosen,
            province.of(&chosen.key),
            country.of(&chosen.key),
            lang,
        ),
        map: CountryMap::new(&app, (query, declared), &chosen, &places, lang),
        notices: chosen.notices,
    };
    page(&template)
}

/// Cards of the indicators that say most about the province: those with figures first, in the
/// order of the board.
fn cards(
    app: &App,
    chosen: &Choices,
    province: &Figures,
    country: &Figures,
    lang: Lang,
) -> (Vec<Card>, Vec<Card>) {
    let mut with = Vec::new();
    let mut without = Vec::new();
    for (query, declared) in boards::visible(app) {
        let key = if query.id == chosen.key.indicator {
            chosen.key.clone()
        } else {
            let key = province.main_key(&query.id).or_else(|| country.main_key(&query.id));
            key.cloned().unwrap_or(Key { indicator: query.id.clone(), breakdown: None })
        };
        let series = province.of(&key);
        let card = card(chosen, (query, declared), &key, series, country.of(&key), lang);
        let known = figures::newest(series).is_some();
        if known { with.push(card) } else { without.push(card) }
    }
    with.append(&mut without);
    let others = with.split_off(with.len().min(CARDS));
    (with, others)
}

fn card(
    chosen: &Choices,
    declared: (&Query, &Indicator),
    key: &Key,
    series: &[Point],
    country: &[Point],
    lang: Lang,
) -> Card {
    let href = chosen.href(lang, &[("chi_tieu", &key.indicator)], key.breakdown.as_deref());
    let card = Card::new(href, declared, key, series, lang);
    let current = key.indicator == chosen.key.indicator;
    Card { current, ..card.with_country(declared.1, series, country, lang) }
}

fn form(app: &App, chosen: &Choices, country: &Figures, lang: Lang) -> Form {
    let units = app.geography().units_on(chosen.date);
    let mut provinces: Vec<(String, String, bool)> = units
        .into_iter()
        .map(|unit| {
            let name = choices::name(unit, lang).to_owned();
            (unit.key.clone(), name, unit.key == chosen.unit)
        })
        .collect();
    provinces.sort_by_key(|(_, name, _)| choices::sort_key(name));
    let indicators = boards::visible(app).into_iter().map(|(query, _)| {
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
