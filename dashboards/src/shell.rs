//! What all pages share: the frame around them, single values, and tables of rows.

use std::ops::Range;

use askama::Template;
use askama::filters::HtmlSafe;
use axum::response::{Html, IntoResponse, Response};
use warehouse::grid::{Cell, ColumnKind, Grid, GridColumn, format_number, is_year};
use warehouse::names::{Lang, Text};
use warehouse::spec::NOTE_COLUMN;

use crate::error::PageError;
use crate::lang;
use crate::pages::files;
use crate::request::Reader;
use crate::text::shared::{self, Words};

/// What a number in a column of years may be, to be a year.
const YEARS: Range<i64> = 1800..2200;

/// A part of the site that the menu leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Home,
    Board,
    Indicators,
    Catalogue,
    OpenData,
    Sql,
}

/// The frame of a page.
pub(crate) struct Shell {
    pub(crate) lang: Lang,
    pub(crate) title: String,
    pub(crate) part: Option<Part>,
    /// The menu: address, words, and whether it is where the reader is.
    pub(crate) menu: Vec<(String, &'static str, bool)>,
    pub(crate) other: Lang,
    pub(crate) other_href: String,
    pub(crate) style: &'static str,
    /// The name of whoever has logged in.
    pub(crate) name: Option<String>,
    /// Where whoever has not may do so, and come back.
    pub(crate) log_in: Option<String>,
    pub(crate) t: &'static Words,
}

/// Where readers log in.
const LOG_IN: &str = "/dang-nhap";

/// A page whose query string is not carried on: it once held queries, and links to such addresses
/// are about.
const SQL: &str = "/sql";

/// Addresses that take forms only; there is no page to come back to.
const FORMS: [&str; 3] = ["/dang-xuat", "/sql.csv", "/sql.json"];

impl Shell {
    pub(crate) fn new(reader: &Reader, part: Option<Part>, title: impl Into<String>) -> Self {
        let (lang, other) = (reader.lang, lang::other(reader.lang));
        let t = shared::words(lang);
        let menu = [
            (Part::Board, "/bang-dieu-khien", t.board),
            (Part::Indicators, "/chi-tieu", t.indicators),
            (Part::Catalogue, "/danh-muc", t.catalogue),
            (Part::OpenData, "/du-lieu-mo/", t.open_data),
            (Part::Sql, "/sql", t.sql),
        ];
        let menu = menu
            .into_iter()
            .map(|(at, path, words)| (lang::href(lang, path), words, part == Some(at)))
            .collect();
        let path = if FORMS.contains(&&*reader.path) { "/" } else { &*reader.path };
        let query = reader.query.as_deref().filter(|_| !reader.path.starts_with(SQL));
        let with_query = |path: String| match query {
            Some(query) => format!("{path}?{query}"),
            None => path,
        };
        let back = with_query(lang::href(lang, path));
        let here = reader.path == LOG_IN || reader.logged_in;
        Self {
            lang,
            title: title.into(),
            part,
            menu,
            other,
            other_href: with_query(lang::href(other, path)),
            style: files::style_address(),
            name: reader.logged_in.then(|| reader.principal.name.clone()),
            log_in: (!here).then(|| lang::href_with(lang, LOG_IN, &[("ve", Some(&back))])),
            t,
        }
    }

    /// The address of `path` in the page's language.
    pub(crate) fn href(&self, path: &str) -> String {
        lang::href(self.lang, path)
    }

    /// The title of the window.
    pub(crate) fn window_title(&self) -> String {
        if self.part == Some(Part::Home) {
            return self.t.product.to_owned();
        }
        format!("{} – {}", self.title, self.t.product)
    }

    /// A declared text in the page's language.
    pub(crate) fn say<'a>(&self, text: &'a Text) -> &'a str {
        text.get(self.lang)
    }

    pub(crate) fn code(&self) -> &'static str {
        self.lang.code()
    }

    pub(crate) fn other_code(&self) -> &'static str {
        self.other.code()
    }
}

/// A rendered page with status 200.
pub(crate) fn page(template: &impl Template) -> Result<Response, PageError> {
    Ok(Html(template.render()?).into_response())
}

/// One value as it is read; what is not there is a dash with its reason, never 0.
#[derive(Template)]
#[template(path = "shown.html")]
pub(crate) struct Shown {
    text: Option<String>,
    why: &'static str,
}

impl HtmlSafe for Shown {}

impl Shown {
    /// A number with `digits` after the point.
    pub(crate) fn number(value: Option<f64>, digits: u8, lang: Lang) -> Self {
        let text = value
            .map(|value| format_number(value, usize::from(digits), lang))
            .filter(|text| !text.is_empty());
        Self { text, why: shared::words(lang).no_figure }
    }

    /// A count of something; counts are whole unless the data say otherwise.
    pub(crate) fn amount(value: Option<f64>, lang: Lang) -> Self {
        let digits = if value.is_some_and(|value| value.fract() != 0.0) { 2 } else { 0 };
        Self::number(value, digits, lang)
    }

    /// A cell of a column of a grid. A year is not grouped by thousands.
    pub(crate) fn cell(cell: &Cell, column: &str, lang: Lang) -> Self {
        let text = match cell {
            Cell::Null => None,
            Cell::Integer(year) if is_year(column) && YEARS.contains(year) => {
                Some(year.to_string())
            }
            cell => Some(cell.display(lang)),
        };
        Self { text, why: shared::words(lang).no_value }
    }

    /// A cell that is empty because it is hidden.
    fn hidden(lang: Lang) -> Self {
        Self { text: None, why: shared::words(lang).small_group }
    }

    /// A text that may be missing.
    pub(crate) fn text(text: Option<String>, lang: Lang) -> Self {
        Self { text, why: shared::words(lang).no_value }
    }
}

/// Rows of an answer as a table in a region of its own.
#[derive(Template)]
#[template(path = "rows.html")]
pub(crate) struct Rows {
    pub(crate) caption: String,
    /// Name, and whether it holds numbers.
    pub(crate) columns: Vec<(String, bool)>,
    pub(crate) rows: Vec<Vec<(Shown, bool)>>,
}

impl HtmlSafe for Rows {}

impl Rows {
    pub(crate) fn new(caption: impl Into<String>, grid: &Grid, lang: Lang) -> Self {
        let is_number = |column: &GridColumn| column.kind == ColumnKind::Number;
        let columns = grid.columns.iter().map(|column| (column.name.clone(), is_number(column)));
        let columns = columns.collect();
        let note = grid.columns.iter().position(|column| column.name == NOTE_COLUMN);
        let rows = grid
            .rows
            .iter()
            .map(|row| {
                let cells = row.iter().zip(&grid.columns);
                let note = note.and_then(|at| row[at].as_str()).unwrap_or_default();
                let shown = |(cell, column): (&Cell, &GridColumn)| {
                    let is_hidden = *cell == Cell::Null && names(note, &column.name);
                    let cell = match is_hidden {
                        true => Shown::hidden(lang),
                        false => Shown::cell(cell, &column.name, lang),
                    };
                    (cell, is_number(column))
                };
                cells.map(shown).collect()
            })
            .collect();
        Self { caption: caption.into(), columns, rows }
    }
}

/// Whether a note of what is hidden names a column.
fn names(note: &str, column: &str) -> bool {
    let (_, hidden) = note.split_once(": ").unwrap_or_default();
    hidden.split("; ").any(|name| name == column)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_a_dash_and_never_zero() {
        let shown = Shown::number(None, 1, Lang::Vi).to_string();
        assert!(shown.contains('–') && !shown.contains('0'), "{shown}");
        assert_eq!(Shown::number(Some(1234.56), 1, Lang::Vi).to_string(), "1.234,6");
        assert_eq!(Shown::number(Some(0.0), 0, Lang::En).to_string(), "0");
        assert_eq!(Shown::amount(Some(12.5), Lang::En).to_string(), "12.50");
        assert!(Shown::number(Some(f64::NAN), 1, Lang::Vi).to_string().contains('–'));
    }

    #[test]
    fn what_a_note_names_is_hidden_and_the_rest_is_missing() {
        let note = "đã ẩn: so_luot; t_bhtt";
        assert!(names(note, "so_luot") && names(note, "t_bhtt"));
        assert!(!names(note, "so_lu") && !names("", "so_luot") && !names(note, "đã ẩn"));
        assert!(Shown::hidden(Lang::Vi).to_string().contains("ẩn vì nhóm nhỏ"));
    }

    #[test]
    fn text_from_the_lake_is_escaped() {
        let shown = Shown::cell(&Cell::Text("<b>".into()), "ten", Lang::Vi).to_string();
        assert!(!shown.contains("<b>"), "{shown}");
    }

    #[test]
    fn years_are_not_grouped_and_other_numbers_are() {
        let shown =
            |value, column| Shown::cell(&Cell::Integer(value), column, Lang::Vi).to_string();
        assert_eq!(shown(2017, "nam"), "2017");
        assert_eq!(shown(2017, "so_mac"), "2.017");
        assert_eq!(shown(12_017, "nam"), "12.017");
    }
}
