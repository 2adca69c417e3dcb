//! What a page must say about the freshness of its figures, in sentences.

use warehouse::access::Scope;
use warehouse::names::Lang;
use warehouse::spec::Query;

use crate::app::App;
use crate::freshness::{Latest, Nights, Outcome};
use crate::request::Reader;
use crate::scope;
use crate::text::{count, date, fill, shared};

/// Says to a reader who is kept to some provinces which these are.
pub(crate) fn kept_to(app: &App, reader: &Reader) -> Option<String> {
    let own = scope::own_on(&reader.principal, app.geography(), app.today());
    let own: Vec<&str> = own
        .into_iter()
        .map(|unit| if reader.lang == Lang::En { &*unit.name_en } else { &*unit.name })
        .collect();
    // Units of before a merger are named as they were declared to be theirs.
    let named = match &reader.principal.scope {
        Scope::Country => return None,
        Scope::Units(_) if !own.is_empty() => own.join(", "),
        Scope::Units(keys) => keys.iter().map(String::as_str).collect::<Vec<_>>().join(", "),
    };
    Some(fill(shared::words(reader.lang).kept_to, &[&named]))
}

/// Sentences on stale inputs of these queries and on nights that did not run; none when all is
/// well.
pub(crate) fn stale(app: &App, nights: &Nights, queries: &[&Query], lang: Lang) -> Vec<String> {
    let t = shared::words(lang);
    let mut notes = Vec::new();
    if let Some(night) = nights.late(app.today()) {
        notes.push(fill(t.late, &[&date(night, lang)]));
    }
    for query in queries {
        for (table, latest) in nights.stale_under(app.declarations(), query) {
            let note = stale_table(&table, latest, lang);
            if !notes.contains(&note) {
                notes.push(note);
            }
        }
    }
    notes
}

fn stale_table(table: &str, latest: &Latest, lang: Lang) -> String {
    let t = shared::words(lang);
    let (outcome, night) = (latest.outcome.words(lang).to_lowercase(), date(latest.night, lang));
    match latest.good {
        Some(good) if latest.outcome == Outcome::Waiting => {
            fill(t.silent_input, &[table, &date(good, lang)])
        }
        Some(good) => fill(t.stale_input, &[table, &outcome, &night, &date(good, lang)]),
        None => fill(t.stale_input_never, &[table, &outcome, &night]),
    }
}

/// How many persons a figure of the query stands for at least, in words; nothing where it is not
/// made of persons.
pub(crate) fn smallest_group(app: &App, query: &Query, lang: Lang) -> Option<String> {
    let least = app.declarations().fewest_persons(query)?;
    Some(fill(shared::words(lang).smallest_group_of, &[&count(i64::from(least), lang)]))
}

/// How fresh one table is.
pub(crate) struct Freshness {
    /// `good`, `bad` or `plain`.
    pub(crate) tone: &'static str,
    pub(crate) words: String,
}

impl Freshness {
    pub(crate) fn of(latest: Option<&Latest>, lang: Lang) -> Self {
        let t = shared::words(lang);
        let Some(latest) = latest else {
            return Self { tone: "plain", words: t.never_loaded.to_owned() };
        };
        let state = fill(t.fresh_as_of, &[latest.outcome.words(lang), &date(latest.night, lang)]);
        let words = match latest.good {
            Some(good) if !latest.outcome.is_good() => {
                fill(t.good_as_of, &[&state, &date(good, lang)])
            }
            _ => state,
        };
        Self { tone: latest.tone(), words }
    }

    /// That of the table whose newest night went worst; a source without tables is not connected.
    pub(crate) fn worst<'a>(
        tables: impl IntoIterator<Item = Option<&'a Latest>>,
        lang: Lang,
    ) -> Self {
        let worst = tables.into_iter().max_by_key(|latest| latest.map(|latest| latest.outcome));
        match worst {
            Some(latest) => Self::of(latest, lang),
            None => {
                let words = shared::words(lang).not_connected.to_owned();
                Self { tone: "plain", words }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::NaiveDate;

    fn day(day: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 1, day).expect("a date")
    }

    fn latest(outcome: Outcome) -> Latest {
        Latest { night: day(2), outcome, good: Some(day(1)), quarantined: 0 }
    }

    #[test]
    fn the_worst_table_speaks_for_its_source() {
        use Outcome::{Failed, New, Overdue, Refused, Stale, Unchanged, Waiting};
        let ascending = [New, Unchanged, Waiting, Overdue, Stale, Refused, Failed].map(latest);
        for (at, worst) in ascending.iter().enumerate() {
            let tables = ascending[..=at].iter().rev().map(Some).chain([None]);
            let expected = Freshness::of(Some(worst), Lang::Vi).words;
            assert_eq!(Freshness::worst(tables, Lang::Vi).words, expected);
        }
        let none = Freshness::worst([], Lang::Vi);
        assert_eq!(none.words, shared::words(Lang::Vi).not_connected);
    }

    #[test]
    fn a_source_that_fell_silent_is_named_with_the_night_since_which_it_is() {
        let note = stale_table("nguon.a", &latest(Outcome::Waiting), Lang::Vi);
        assert!(note.contains("chưa gửi dữ liệu từ đêm 01/01/2026"), "{note}");
        let refused = stale_table("nguon.a", &latest(Outcome::Refused), Lang::Vi);
        assert!(refused.contains("bị từ chối trong đêm 02/01/2026"), "{refused}");
        assert_eq!(Freshness::of(Some(&latest(Outcome::Waiting)), Lang::Vi).tone, "bad");
    }
}
