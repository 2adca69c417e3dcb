//! What the reader chose, checked against what is declared. A choice that does not exist is
//! replaced by the nearest one that does, and the page says so.
//!
//! A province is chosen by its unit key. A bare code is read with the list of the chosen
//! boundaries, so that `?tinh=24` means Bắc Giang before the merger and Bắc Ninh after it. Where
//! none is chosen, a reader who is kept to some provinces begins with their own.

use chrono::NaiveDate;
use warehouse::geography::{Geography, Unit};
use warehouse::names::Lang;
use warehouse::spec::Period;

use crate::app::App;
use crate::figures::{self, Figures, Key};
use crate::lang::href_with;
use crate::period;
use crate::request::Reader;
use crate::text::board::words;
use crate::text::{fill, size};
use crate::{boards, scope};

/// The last day of the 63 provinces (Nghị quyết 202/2025/QH15).
const BEFORE: NaiveDate = NaiveDate::from_ymd_opt(2025, 6, 30).expect("a calendar day");
/// Where no province is chosen: the capital.
const CAPITAL: &str = "01";

/// Boundaries that can be chosen.
pub(crate) struct Vintage {
    /// The word in addresses.
    pub(crate) id: &'static str,
    /// A day on which they were in force.
    pub(crate) date: NaiveDate,
    pub(crate) units: usize,
}

impl Vintage {
    pub(super) fn words(&self, lang: Lang) -> String {
        let w = words(lang);
        let text = if self.date == BEFORE { w.before } else { w.today };
        fill(text, &[&size(self.units, lang)])
    }
}

/// Today's boundaries and those before the merger; those without declared units are left out.
pub(crate) fn vintages(app: &App) -> Vec<Vintage> {
    let days = [("hien-nay", app.today()), ("truoc-2025", BEFORE)];
    let vintages = days.into_iter().map(|(id, date)| {
        let units = app.geography().units_on(date).len();
        Vintage { id, date, units }
    });
    vintages.filter(|vintage| vintage.units > 0).collect()
}

/// A valid set of choices.
pub(super) struct Choices {
    vintage: &'static str,
    /// The day whose boundaries are used.
    pub(super) date: NaiveDate,
    /// Key of the province.
    pub(super) unit: String,
    pub(super) name: String,
    pub(super) key: Key,
    pub(super) period: Period,
    /// The period of the map; `None` when the indicator has no figures at all.
    pub(super) on: Option<NaiveDate>,
    pub(super) notices: Vec<String>,
}

impl Choices {
    /// The reader's choices; `None` when there is no indicator or no province to choose.
    pub(super) fn of(app: &App, reader: &Reader, country: &Figures) -> Option<Self> {
        let (lang, w) = (reader.lang, words(reader.lang));
        let mut notices = Vec::new();
        let vintage = vintage(app, reader)?;
        let unit = province(app.geography(), reader, vintage.date, &mut notices)?;
        let (query, indicator) = indicator(app, reader, country, &mut notices)?;
        let key = crate::pages::indicator::chosen_key(country, query, reader.choice("phan_to"));
        let key = key.unwrap_or(Key { indicator: query.to_owned(), breakdown: None });
        let series = country.of(&key);
        let newest = figures::newest(series).map(|point| point.on);
        let asked = reader.choice("ky");
        let found = asked
            .and_then(|text| text.parse().ok())
            .filter(|on| figures::at(series, *on).is_some_and(|point| point.value.is_some()));
        let on = found.or(newest);
        if let (Some(_), None, Some(on)) = (asked, found, on) {
            notices.push(fill(w.unknown_period, &[&period::label(indicator, on, lang)]));
        }
        Some(Self {
            vintage: vintage.id,
            date: vintage.date,
            unit: unit.key.clone(),
            name: name(unit, lang).to_owned(),
            key,
            period: indicator,
            on,
            notices,
        })
    }

    /// The address of the dashboard with these choices and others in place of some.
    pub(super) fn href(
        &self,
        lang: Lang,
        other: &[(&str, &str)],
        breakdown: Option<&str>,
    ) -> String {
        let with = |name: &str, own: &str| {
            let other = other.iter().find(|(key, _)| *key == name);
            Some(other.map_or(own, |(_, value)| value).to_owned())
        };
        // Another indicator has periods of its own.
        let same = !other.iter().any(|(name, _)| *name == "chi_tieu");
        let on = self.on.filter(|_| same).map(super::day);
        let values = [
            ("ranh_gioi", with("ranh_gioi", self.vintage)),
            ("tinh", with("tinh", &self.unit)),
            ("chi_tieu", with("chi_tieu", &self.key.indicator)),
            ("phan_to", breakdown.map(str::to_owned)),
            ("ky", on),
        ];
        let values: Vec<(&str, Option<&str>)> =
            values.iter().map(|(name, value)| (*name, value.as_deref())).collect();
        href_with(lang, "/bang-dieu-khien", &values)
    }
}

/// The name of a unit.
pub(super) fn name(unit: &Unit, lang: Lang) -> &str {
    match lang {
        Lang::Vi => &unit.name,
        Lang::En => &unit.name_en,
    }
}

/// The boundaries that were asked for, else today's, or those on which the reader's own provinces
/// still were.
fn vintage(app: &App, reader: &Reader) -> Option<Vintage> {
    let mut all = vintages(app);
    let asked = reader.choice("ranh_gioi");
    let of = |vintage: &Vintage| {
        let own = scope::own_on(&reader.principal, app.geography(), vintage.date);
        reader.choice("tinh").is_none() && !own.is_empty()
    };
    let at = all.iter().position(|vintage| Some(vintage.id) == asked);
    let at = at.or_else(|| all.iter().position(of)).unwrap_or_default();
    (at < all.len()).then(|| all.swap_remove(at))
}

fn province<'a>(
    geography: &'a Geography,
    reader: &Reader,
    date: NaiveDate,
    notices: &mut Vec<String>,
) -> Option<&'a Unit> {
    let (lang, w) = (reader.lang, words(reader.lang));
    let capital = || {
        let own = scope::own_on(&reader.principal, geography, date).into_iter().next();
        let first = || geography.units_on(date).into_iter().next();
        own.or_else(|| geography.find(CAPITAL, date)).or_else(first)
    };
    let Some(asked) = reader.choice("tinh") else { return capital() };
    let Some(chosen) = geography.unit(asked) else {
        let unit = geography.find(asked, date);
        if unit.is_none() {
            let other = capital().map(|unit| name(unit, lang)).unwrap_or_default();
            notices.push(fill(w.unknown_province, &[asked, other]));
        }
        return unit.or_else(capital);
    };
    if let Some(unit) = geography.at(&chosen.key, date) {
        notices.extend(merger(geography, chosen, unit, lang));
        return Some(unit);
    }
    // Back over a merger: one of the parts, that of the same name if there is one.
    let parts = geography.parts(&chosen.key, date);
    let part = parts.iter().find(|part| part.name == chosen.name).or(parts.first()).copied();
    let unit = part.or_else(capital)?;
    notices.push(fill(w.moved_back, &[name(chosen, lang), name(unit, lang)]));
    Some(unit)
}

/// Says where the unit that was chosen went and what that is made of, or only the latter where it
/// kept its name: Bắc Ninh of today holds Bắc Giang too.
fn merger(geography: &Geography, chosen: &Unit, unit: &Unit, lang: Lang) -> Vec<String> {
    if unit.key == chosen.key {
        return Vec::new();
    }
    let w = words(lang);
    let mut notices = Vec::new();
    if name(unit, lang) != name(chosen, lang) {
        notices.push(fill(w.moved, &[name(chosen, lang), name(unit, lang)]));
    }
    let before = unit.valid_from.pred_opt();
    let parts = before.map_or(Vec::new(), |before| geography.parts(&unit.key, before));
    if parts.len() > 1 {
        let mut names: Vec<&str> = parts.into_iter().map(|part| name(part, lang)).collect();
        names.sort_by_key(|name| sort_key(name));
        notices.push(fill(w.made_of, &[name(unit, lang), &names.join(", ")]));
    }
    notices
}

/// The indicator of chart and map: the one asked for, else the first with figures.
fn indicator<'a>(
    app: &'a App,
    reader: &Reader,
    country: &Figures,
    notices: &mut Vec<String>,
) -> Option<(&'a str, Period)> {
    let visible = boards::visible(app, reader);
    let asked = reader.choice("chi_tieu");
    let found = asked.and_then(|id| visible.iter().find(|(query, _)| query.id == id));
    if let Some((query, indicator)) = found {
        return Some((&query.id, indicator.period));
    }
    let with_figures = visible.iter().find(|(query, _)| {
        country.main_key(&query.id).is_some_and(|key| figures::newest(country.of(key)).is_some())
    });
    let (query, indicator) = with_figures.or(visible.first()).copied()?;
    if let Some(asked) = asked {
        let (text, title) = (words(reader.lang).unknown_indicator, query.title.get(reader.lang));
        notices.push(fill(text, &[asked, title]));
    }
    Some((&query.id, indicator.period))
}

/// Sorts Vietnamese names as people look for them: without marks first, đ after d.
pub(super) fn sort_key(name: &str) -> (String, String) {
    (name.to_lowercase().chars().map(plain).collect(), name.to_owned())
}

/// The letter under the marks.
fn plain(letter: char) -> char {
    const LETTERS: [(&str, char); 7] = [
        ("àáảãạăằắẳẵặâầấẩẫậ", 'a'),
        ("èéẻẽẹêềếểễệ", 'e'),
        ("ìíỉĩị", 'i'),
        ("òóỏõọôồốổỗộơờớởỡợ", 'o'),
        ("ùúủũụưừứửữự", 'u'),
        ("ỳýỷỹỵ", 'y'),
        ("đ", 'd'),
    ];
    let found = LETTERS.iter().find(|(letters, _)| letters.contains(letter));
    found.map_or(letter, |(_, plain)| *plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_merger_is_told_even_where_the_name_stays() {
        let units = "don_vi,ma,ten,ten_en,loai,tu_ngay,den_ngay,can_cu\n\
            24@2004-01-01,24,Bắc Giang,Bac Giang,tinh,2004-01-01,2025-06-30,x\n\
            27@2004-01-01,27,Bắc Ninh,Bac Ninh,tinh,2004-01-01,2025-06-30,x\n\
            24@2025-07-01,24,Bắc Ninh,Bac Ninh,tinh,2025-07-01,,x\n";
        let successions = "tu_don_vi,den_don_vi,ngay,can_cu\n\
            24@2004-01-01,24@2025-07-01,2025-07-01,x\n\
            27@2004-01-01,24@2025-07-01,2025-07-01,x\n";
        let geography = Geography::from_declared(units, successions).expect("valid");
        let told = |from: &str| {
            let chosen = geography.unit(from).expect("a unit");
            let unit = geography.at(from, BEFORE.succ_opt().expect("a day")).expect("a unit");
            merger(&geography, chosen, unit, Lang::En)
        };
        let made_of = words(Lang::En).made_of.replace("{0}", "Bac Ninh");
        let made_of = made_of.replace("{1}", "Bac Giang, Bac Ninh");
        assert_eq!(told("27@2004-01-01"), std::slice::from_ref(&made_of));
        assert_eq!(told("24@2004-01-01").last(), Some(&made_of));
        assert_eq!(told("24@2004-01-01").len(), 2);
        assert!(told("24@2025-07-01").is_empty());
    }

    #[test]
    fn names_are_sorted_as_people_look_for_them() {
        let mut names = vec!["Đà Nẵng", "Huế", "An Giang", "Điện Biên", "Cà Mau", "Đắk Lắk"];
        names.sort_by_key(|name| sort_key(name));
        assert_eq!(names, ["An Giang", "Cà Mau", "Đà Nẵng", "Đắk Lắk", "Điện Biên", "Huế"]);
    }
}
