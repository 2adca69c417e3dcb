//! The list of the indicators that the reader may see, with their newest national figures.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use warehouse::names::Lang;
use warehouse::spec::Period;

use crate::app::App;
use crate::error::PageError;
use crate::period;
use crate::request::Reader;
use crate::shell::{Part, Shell, Shown, page};
use crate::simulated::simulated;
use crate::text::indicators::{self, Words};
use crate::text::shared;
use crate::{boards, figures};

#[derive(Template)]
#[template(path = "indicators.html")]
struct IndicatorsPage {
    shell: Shell,
    w: &'static Words,
    rows: Vec<Row>,
}

struct Row {
    id: String,
    title: String,
    mark: Option<&'static str>,
    breakdown: Option<String>,
    unit: String,
    length: &'static str,
    groups: Vec<String>,
    period: Shown,
    value: Shown,
    class: &'static str,
    class_words: String,
}

/// What a period of that length is called.
pub(crate) fn length(period: Period, lang: Lang) -> &'static str {
    let t = shared::words(lang);
    match period {
        Period::Year => t.year,
        Period::Quarter => t.quarter,
        Period::Month => t.month,
        Period::Day => t.day,
    }
}

pub(crate) async fn show(State(app): State<App>, reader: Reader) -> Result<Response, PageError> {
    let (country, simulated) =
        tokio::try_join!(figures::country(&app, &reader), simulated(&app, &reader))?;
    let lang = reader.lang;
    let w = indicators::words(lang);
    let rows = boards::visible(&app, &reader).into_iter().map(|(query, indicator)| {
        let key = country.main_key(&query.id);
        let newest = key.and_then(|key| figures::newest(country.of(key)));
        let when = newest.map(|point| period::label(indicator.period, point.on, lang));
        Row {
            id: query.id.clone(),
            title: query.title.get(lang).to_owned(),
            mark: simulated.mark_of_indicator(&query.id, lang),
            breakdown: key.and_then(|key| key.breakdown.clone()),
            unit: indicator.unit.get(lang).to_owned(),
            length: length(indicator.period, lang),
            groups: query.groups.iter().map(|group| group.number().to_string()).collect(),
            period: Shown::text(when, lang),
            value: Shown::number(newest.and_then(|p| p.value), indicator.digits, lang),
            class: query.sensitivity.as_str(),
            class_words: query.sensitivity.title().get(lang).to_owned(),
        }
    });
    let rows = rows.collect();
    page(&IndicatorsPage { shell: Shell::new(&reader, Some(Part::Indicators), w.title), w, rows })
}
