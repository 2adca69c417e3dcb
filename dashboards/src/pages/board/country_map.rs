//! All provinces in one period: the map, its legend, and the table that says the same; or only the
//! reader's own, in a table without ranks.

use warehouse::grid::format_number;
use warehouse::names::Lang;
use warehouse::spec::{Indicator, Query};

use super::choices::Choices;
use crate::app::App;
use crate::chart::classes::Classes;
use crate::chart::map::{About, Map};
use crate::figures::PlaceFigure;
use crate::period;
use crate::shell::Shown;
use crate::text::board::words;
use crate::text::{count, fill, shared, size};

/// Map, legend and table; without figures there is nothing to draw.
pub(super) struct CountryMap {
    /// Whether the other provinces are not the reader's to see.
    pub(super) own_only: bool,
    pub(super) map: Option<Map>,
    pub(super) caption: String,
    /// Shade and words.
    pub(super) legend: Vec<(usize, String)>,
    pub(super) notes: Vec<String>,
    pub(super) rows: Vec<Row>,
    pub(super) is_rate: bool,
}

/// One province.
pub(super) struct Row {
    pub(super) rank: String,
    pub(super) name: String,
    /// Its code, where the map shows codes.
    pub(super) code: Option<String>,
    pub(super) href: String,
    pub(super) value: Shown,
    pub(super) numerator: Shown,
    pub(super) denominator: Shown,
    pub(super) note: String,
    pub(super) chosen: bool,
}

impl CountryMap {
    pub(super) fn new(
        app: &App,
        (query, indicator): (&Query, &Indicator),
        chosen: &Choices,
        (places, whole): (&[PlaceFigure], bool),
        lang: Lang,
    ) -> Self {
        let w = words(lang);
        let when = chosen.on.map(|on| period::label(indicator.period, on, lang));
        let when = when.unwrap_or_default();
        let title = query.title.get(lang);
        let classes = Classes::of(places.iter().filter_map(|place| place.value));
        let figure = |value: f64| format_number(value, usize::from(indicator.digits), lang);
        let written = |value: Option<f64>| match value {
            Some(value) => figure(value),
            None => shared::words(lang).no_figure.to_owned(),
        };
        let about = About {
            id: "ban-do",
            title: fill(w.map_title, &[title, &when]),
            description: description(places, &figure, lang),
            chosen: &chosen.unit,
            figure: &written,
        };
        let shapes = app.shapes();
        let hides = app.declarations().fewest_persons(query).is_some();
        let map = (whole && !places.is_empty()).then(|| Map::new(about, places, &classes, shapes));
        let tiled = map.as_ref().is_some_and(Map::is_tiled);
        let coded = map.as_ref().is_some_and(Map::is_coded);
        Self {
            own_only: !whole,
            caption: fill(if whole { w.map_caption } else { w.own_caption }, &[title, &when]),
            legend: legend(places, &classes, &figure, lang),
            notes: notes(places, (tiled, coded), lang),
            rows: rows(indicator, chosen, (places, hides), coded, lang),
            is_rate: indicator.denominator.is_some(),
            map,
        }
    }
}

fn description(places: &[PlaceFigure], figure: &dyn Fn(f64) -> String, lang: Lang) -> String {
    let known: Vec<(&PlaceFigure, f64)> =
        places.iter().filter_map(|place| Some((place, place.value?))).collect();
    let (Some((high, top)), Some((low, bottom))) = (known.first(), known.last()) else {
        return shared::words(lang).no_figure.to_owned();
    };
    let values = [
        &high.name,
        &figure(*top),
        &low.name,
        &figure(*bottom),
        &size(known.len(), lang),
        &size(places.len(), lang),
    ];
    fill(words(lang).map_text, &values.map(String::as_str))
}

fn legend(
    places: &[PlaceFigure],
    classes: &Classes,
    figure: &dyn Fn(f64) -> String,
    lang: Lang,
) -> Vec<(usize, String)> {
    let w = words(lang);
    let mut legend: Vec<(usize, String)> = classes
        .iter()
        .map(|class| {
            let values = [figure(class.low), figure(class.high), size(class.count, lang)];
            (class.shade, fill(w.legend_class, &values.each_ref().map(String::as_str)))
        })
        .collect();
    let missing = places.iter().filter(|place| place.value.is_none()).count();
    if missing > 0 {
        legend.push((0, fill(w.legend_missing, &[&size(missing, lang)])));
    }
    legend
}

fn notes(places: &[PlaceFigure], (tiled, coded): (bool, bool), lang: Lang) -> Vec<String> {
    let w = words(lang);
    let mut notes = Vec::new();
    if tiled {
        notes.push(w.tiles.to_owned());
    }
    if coded {
        notes.push(w.codes.to_owned());
    }
    let incomplete = places.iter().filter(|place| is_incomplete(place)).count();
    if incomplete > 0 {
        notes.push(fill(w.incomplete_note, &[&size(incomplete, lang)]));
    }
    notes
}

/// Whether a merged province has figures of some of its parts but not of all.
fn is_incomplete(place: &PlaceFigure) -> bool {
    place.parts.0 > 0 && place.parts.0 < place.parts.1
}

fn rows(
    indicator: &Indicator,
    chosen: &Choices,
    (places, hides): (&[PlaceFigure], bool),
    coded: bool,
    lang: Lang,
) -> Vec<Row> {
    let rank = |place: &PlaceFigure| {
        let value = place.value?;
        // Equal figures share a rank.
        let above = places.iter().filter(|other| other.value.is_some_and(|v| v > value)).count();
        Some(size(above + 1, lang))
    };
    let row = |place: &PlaceFigure| {
        let (have, need) = place.parts;
        let missing = [count(need - have, lang), count(need, lang)];
        let note = if is_incomplete(place) {
            fill(words(lang).incomplete, &[&missing[0], &missing[1]])
        } else if hides && place.is_there && place.value.is_none() {
            shared::words(lang).small_group.to_owned()
        } else {
            String::new()
        };
        Row {
            rank: rank(place).unwrap_or_default(),
            name: place.name.clone(),
            code: coded.then(|| place.code.clone()),
            href: chosen.href(lang, &[("tinh", &place.unit)], chosen.key.breakdown.as_deref()),
            value: Shown::number(place.value, indicator.digits, lang),
            numerator: Shown::amount(place.numerator, lang),
            denominator: Shown::amount(place.denominator, lang),
            note,
            chosen: place.unit == chosen.unit,
        }
    };
    places.iter().map(row).collect()
}
