//! The home page: what this is, how the newest night went, the country in figures, and the way
//! on for leaders, planners and the public.

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use crate::app::App;
use crate::error::PageError;
use crate::freshness::{self, Nights};
use crate::pages::card::Card;
use crate::pages::notes;
use crate::request::Reader;
use crate::shell::{Part, Shell, page};
use crate::simulated::simulated;
use crate::text::home::{self, Words};
use crate::text::{date, fill, size};
use crate::{boards, figures, lang};

/// How many indicators stand on the page.
const CARDS: usize = 6;

#[derive(Template)]
#[template(path = "home.html")]
struct HomePage {
    shell: Shell,
    w: &'static Words,
    night: Option<Night>,
    late: Option<String>,
    kept_to: Option<String>,
    cards: Vec<Card>,
    all_indicators: String,
}

struct Night {
    title: String,
    /// Number, words and tone.
    counts: Vec<(String, &'static str, &'static str)>,
}

pub(crate) async fn show(State(app): State<App>, reader: Reader) -> Result<Response, PageError> {
    let (nights, country, simulated) = tokio::try_join!(
        freshness::nights(&app, &reader),
        figures::country(&app, &reader),
        simulated(&app, &reader)
    )?;
    let language = reader.lang;
    let w = home::words(language);
    let declared = boards::visible(&app, &reader);
    let cards = declared.iter().filter_map(|&(query, indicator)| {
        let key = country.main_key(&query.id)?;
        let href = lang::href(language, &format!("/chi-tieu/{}", query.id));
        let series = country.of(key);
        figures::newest(series)?;
        let card = Card::of_country(href, (query, indicator), key, series, language);
        Some(card.marked(simulated.mark_of_indicator(&query.id, language)))
    });
    let late = nights.late(app.today());
    let template = HomePage {
        shell: Shell::new(&reader, Some(Part::Home), crate::text::shared::words(language).product),
        w,
        night: night(&app, &nights, &reader),
        late: late.map(|night| {
            fill(crate::text::shared::words(language).late, &[&date(night, language)])
        }),
        kept_to: notes::kept_to(&app, &reader),
        cards: cards.take(CARDS).collect(),
        all_indicators: fill(w.all_indicators, &[&size(declared.len(), language)]),
    };
    page(&template)
}

fn night(app: &App, nights: &Nights, reader: &Reader) -> Option<Night> {
    let w = home::words(reader.lang);
    let title = fill(w.night_of, &[&date(nights.newest?, reader.lang)]);
    let summary = nights.summary(app.declarations());
    let counts = [
        (summary.fresh, w.fresh, "good"),
        (summary.refused, w.refused, "bad"),
        (summary.stale, w.stale, "bad"),
        (summary.waiting, w.waiting, "plain"),
        (summary.indicators_fresh, w.indicators_fresh, "good"),
        (summary.indicators_stale, w.indicators_stale, "bad"),
        (summary.indicators_waiting, w.indicators_waiting, "plain"),
    ];
    let counts = counts.into_iter().map(|(number, words, tone)| {
        // Nothing refused is no alarm.
        let tone = if number == 0 { "plain" } else { tone };
        (size(number, reader.lang), words, tone)
    });
    Some(Night { title, counts: counts.collect() })
}
