//! How exposed the persons of a table are, in words and numbers for its page.

use warehouse::grid::format_number;
use warehouse::names::Lang;
use warehouse::spec::Coarser;

use crate::freshness::Risk;
use crate::tables::{Origin, TableInfo};
use crate::text::catalogue::{Words, words};
use crate::text::{count, date, fill, shared};

pub(crate) struct RiskView {
    pub(crate) about: String,
    /// Label and value.
    pub(crate) facts: Vec<(String, String)>,
    pub(crate) ways: Vec<WayView>,
}

/// What leaving a column out, or making it coarser, would bring.
pub(crate) struct WayView {
    pub(crate) column: String,
    pub(crate) words: &'static str,
    pub(crate) left: String,
}

impl RiskView {
    /// `None` where nothing was measured.
    pub(crate) fn of(risks: &[Risk], info: &TableInfo<'_>, lang: Lang) -> Option<Self> {
        let first = risks.first()?;
        let w = words(lang);
        let unit = if first.of_persons { w.risk_persons } else { w.risk_rows };
        let Origin::Source(_, table) = info.origin else { return None };
        let known = table.risk.as_ref()?.quasi_identifiers.join(", ");
        let counted = count(first.counted, lang);
        let about = fill(w.risk_night, &[&date(first.night, lang), &counted, unit, &known]);
        let facts = ["k", "mot_minh", "duoi_5", "l", "mot_gia_tri"];
        let facts = facts.iter().flat_map(|measure| {
            let of = risks.iter().filter(move |risk| risk.measure == *measure);
            of.filter_map(|risk| fact(risk, w, lang))
        });
        let ways = risks.iter().filter(|risk| risk.measure == "con_mot_minh");
        let ways = ways.filter_map(|risk| {
            let left = percent(risk.value, lang);
            Some(WayView { column: risk.column.clone(), words: way(&risk.way, w)?, left })
        });
        Some(Self { about, facts: facts.collect(), ways: ways.collect() })
    }
}

fn fact(risk: &Risk, w: &Words, lang: Lang) -> Option<(String, String)> {
    let (label, is_share) = match risk.measure.as_str() {
        "k" => (w.risk_k.to_owned(), false),
        "mot_minh" => (w.risk_alone.to_owned(), true),
        "duoi_5" => (w.risk_few.to_owned(), true),
        "l" => (fill(w.risk_fewest, &[&risk.column]), false),
        "mot_gia_tri" => (fill(w.risk_alike, &[&risk.column]), true),
        _ => return None,
    };
    let shown = |value: f64| match is_share {
        true => percent(value, lang),
        false => format_number(value, 0, lang),
    };
    let value = shown(risk.value);
    Some((
        label,
        match risk.bound {
            Some(bound) => fill(w.risk_bound, &[&value, &shown(bound)]),
            None => value,
        },
    ))
}

fn percent(share: f64, lang: Lang) -> String {
    fill(shared::words(lang).percent, &[&format_number(share * 100.0, 1, lang)])
}

/// What a treatment is called.
fn way(word: &str, w: &Words) -> Option<&'static str> {
    let known = Coarser::ALL.into_iter().find(|way| way.as_str() == word)?;
    Some(match known {
        Coarser::Without => w.way_without,
        Coarser::Month => w.way_month,
        Coarser::Year => w.way_year,
        Coarser::FiveYears => w.way_five_years,
        Coarser::TenYears => w.way_ten_years,
        Coarser::IcdCategory => w.way_category,
        Coarser::IcdChapter => w.way_chapter,
        Coarser::Province => w.way_province,
    })
}
