//! The page of a dataset: the same for a version, where it never changes, and for the landing
//! page, which adds the list of versions.

use askama::Template;
use warehouse::grid::format_number;
use warehouse::names::Lang;

use super::Spoken;
use super::preview::Preview;
use crate::metadata::{FileEntry, Metadata};
use crate::release::Version;

/// Addresses relative to one page.
pub(super) struct Links {
    pub(super) style: String,
    /// The catalogue, in the page's language.
    pub(super) home: String,
    /// The same page in the other language.
    pub(super) other: String,
    /// The folder of the version shown, with a slash at the end, or empty.
    pub(super) files: String,
    /// The dataset's folder, with a slash at the end, or empty.
    pub(super) dataset: String,
    /// Where the page of this language stands in a folder: nothing, or `en/`.
    pub(super) inside: &'static str,
}

impl Links {
    pub(super) fn of_version(lang: Lang) -> Self {
        let own = up(lang);
        Self {
            style: format!("{own}../../style.css"),
            home: format!("{own}../../{}index.html", inside(lang)),
            other: other(lang),
            files: own.to_owned(),
            dataset: format!("{own}../"),
            inside: inside(lang),
        }
    }

    pub(super) fn of_landing(lang: Lang, version: u32) -> Self {
        let own = up(lang);
        Self {
            style: format!("{own}../style.css"),
            home: format!("{own}../{}index.html", inside(lang)),
            other: other(lang),
            files: format!("{own}v{version}/"),
            dataset: own.to_owned(),
            inside: inside(lang),
        }
    }
}

/// From the page up to the folder that holds both languages.
pub(super) fn up(lang: Lang) -> &'static str {
    match lang {
        Lang::Vi => "",
        Lang::En => "../",
    }
}

pub(super) fn inside(lang: Lang) -> &'static str {
    match lang {
        Lang::Vi => "",
        Lang::En => "en/",
    }
}

pub(super) fn other(lang: Lang) -> String {
    match lang {
        Lang::Vi => "en/index.html".to_owned(),
        Lang::En => "../index.html".to_owned(),
    }
}

/// A dataset's page.
#[derive(Template)]
#[template(path = "dataset.html")]
pub(super) struct DatasetPage<'a> {
    pub(super) lang: Lang,
    pub(super) links: Links,
    pub(super) meta: &'a Metadata,
    /// All versions, on the landing page only.
    pub(super) versions: Option<&'a [Version]>,
    pub(super) preview: &'a Preview,
}

impl Spoken for DatasetPage<'_> {
    fn lang(&self) -> Lang {
        self.lang
    }
}

impl DatasetPage<'_> {
    pub(super) fn draw(&self) -> Result<Vec<u8>, askama::Error> {
        self.render().map(String::into_bytes)
    }

    fn title(&self) -> &str {
        self.say(&self.meta.title)
    }

    fn summary(&self) -> &str {
        self.say(&self.meta.description)
    }

    /// `1. Y tế dự phòng`.
    fn groups(&self) -> Vec<String> {
        self.meta
            .groups()
            .map(|group| format!("{}. {}", group.number(), group.title().get(self.lang)))
            .collect()
    }

    /// The citation with the version that the reader holds.
    fn citation(&self) -> String {
        let (meta, day) = (self.meta, self.day(&self.meta.date));
        let said = self.say(&meta.citation).trim_end_matches('.');
        match self.lang {
            Lang::Vi => format!(
                "{said}. {} ({}), phiên bản {}, {day}.",
                self.title(),
                meta.dataset,
                meta.version
            ),
            Lang::En => format!(
                "{said}. {} ({}), version {}, {day}.",
                self.title(),
                meta.dataset,
                meta.version
            ),
        }
    }

    /// `12,3 kB`.
    fn size(&self, file: &FileEntry) -> String {
        let bytes = file.bytes as f64;
        let (value, digits, unit) = match file.bytes {
            0..1_000 => (bytes, 0, "B"),
            1_000..1_000_000 => (bytes / 1e3, 1, "kB"),
            _ => (bytes / 1e6, 1, "MB"),
        };
        format!("{} {unit}", format_number(value, digits, self.lang))
    }

    fn class(&self) -> String {
        self.meta.sensitivity.title().get(self.lang).to_owned()
    }

    /// Versions, newest first.
    fn newest_first(&self) -> Vec<&Version> {
        self.versions.unwrap_or_default().iter().rev().collect()
    }
}
