//! The catalogue: every dataset that is out, and those that are declared and have no data yet.

use askama::Template;
use warehouse::names::Lang;

use super::dataset::{inside, other, up};
use super::{Dataset, Pending, Spoken};
use crate::metadata::{Metadata, PublisherInfo};

/// Addresses relative to the catalogue.
struct Links {
    style: String,
    home: String,
    other: String,
}

/// The catalogue's page.
pub(super) struct CataloguePage<'a> {
    pub(super) lang: Lang,
    pub(super) datasets: &'a [Dataset],
    pub(super) pending: &'a [&'a Pending],
    pub(super) publisher: &'a PublisherInfo,
    /// Whether there are listings in the form of CKAN.
    pub(super) with_ckan: bool,
}

#[derive(Template)]
#[template(path = "catalogue.html")]
struct Page<'a> {
    lang: Lang,
    links: Links,
    datasets: &'a [Dataset],
    pending: &'a [&'a Pending],
    publisher: &'a PublisherInfo,
    root: &'static str,
    inside: &'static str,
    with_ckan: bool,
}

impl CataloguePage<'_> {
    pub(super) fn draw(&self) -> Result<Vec<u8>, askama::Error> {
        let Self { lang, datasets, pending, publisher, with_ckan } = *self;
        let root = up(lang);
        let style = format!("{root}style.css");
        let links = Links { style, home: "index.html".to_owned(), other: other(lang) };
        let inside = inside(lang);
        let page = Page { lang, links, datasets, pending, publisher, root, inside, with_ckan };
        page.render().map(String::into_bytes)
    }
}

impl Spoken for Page<'_> {
    fn lang(&self) -> Lang {
        self.lang
    }
}

impl Page<'_> {
    fn title(&self) -> &str {
        self.t("Dữ liệu mở về y tế", "Open health data")
    }

    fn summary(&self) -> &str {
        self.t(
            "Các bộ dữ liệu mở về y tế: tải về tự do, không đăng ký, không mất phí.",
            "Open health datasets: free to download, without registration or charge.",
        )
    }

    fn groups(&self, meta: &Metadata) -> String {
        let all: Vec<_> = meta
            .groups()
            .map(|group| format!("{}. {}", group.number(), group.title().get(self.lang)))
            .collect();
        all.join("; ")
    }
}
