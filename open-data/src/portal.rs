//! Static pages, Vietnamese first and English under `en/`: one for each version, which never
//! changes again, a landing page for each dataset and a catalogue.
//!
//! Pages need no script and carry no inline style; every link is relative and names its file, so
//! that they work from a folder on a disk as well as under any address.

mod catalogue;
mod dataset;
mod preview;

use warehouse::grid::Cell;
use warehouse::names::{Lang, Text};
use warehouse::spec::Query;

use crate::metadata::dcat::Listed;
use crate::metadata::{Metadata, PublisherInfo, ckan, dcat};
use crate::release::{ReleaseError, Version};

use self::catalogue::CataloguePage;
use self::dataset::{DatasetPage, Links};
use self::preview::Preview;

const STYLE: &[u8] = include_bytes!("../templates/style.css");

/// The listings in the form of CKAN, written only where the address of the public folder is known.
pub(crate) const CKAN_FILES: [&str; 2] = ["package_list.json", "package_search.json"];

/// Files below the public folder by their path.
type Pages = Vec<(String, Vec<u8>)>;

/// A dataset that is out.
pub(crate) struct Dataset {
    /// What is said about its newest version.
    pub(crate) meta: Metadata,
    /// All versions, oldest first.
    pub(crate) versions: Vec<Version>,
    /// The CSV of the newest version.
    pub(crate) csv: Vec<u8>,
}

impl Dataset {
    fn listed(&self) -> Listed<'_> {
        Listed {
            meta: &self.meta,
            issued: self.versions.first().map_or(self.meta.date, |first| first.date),
            versions: self.versions.iter().map(|version| version.version).collect(),
        }
    }
}

/// A declared dataset that has no data yet.
pub(crate) struct Pending {
    pub(crate) dataset: String,
    pub(crate) title: Text,
    pub(crate) description: Text,
}

impl Pending {
    pub(crate) fn of(query: &Query) -> Self {
        Self {
            dataset: query.id.clone(),
            title: query.title.clone(),
            description: query.description.clone(),
        }
    }
}

/// The pages inside a version's folder.
///
/// # Errors
/// When the data cannot be read back or a page cannot be drawn.
pub(crate) fn version_pages(meta: &Metadata, csv: &[u8]) -> Result<Pages, ReleaseError> {
    let preview = Preview::read(csv, meta)?;
    [(Lang::Vi, "index.html"), (Lang::En, "en/index.html")]
        .into_iter()
        .map(|(lang, path)| {
            let page = DatasetPage {
                lang,
                links: Links::of_version(lang),
                meta,
                versions: None,
                preview: &preview,
            };
            Ok((path.to_owned(), page.draw()?))
        })
        .collect()
}

/// Everything outside the versions' folders: landing pages, catalogue, listings, style.
///
/// # Errors
/// When the data cannot be read back or a page cannot be drawn.
pub(crate) fn site(
    datasets: &[Dataset],
    pending: &[&Pending],
    publisher: &PublisherInfo,
    base: Option<&str>,
) -> Result<Pages, ReleaseError> {
    let mut pages = Pages::new();
    for dataset in datasets {
        let meta = &dataset.meta;
        let preview = Preview::read(&dataset.csv, meta)?;
        for (lang, path) in [(Lang::Vi, "index.html"), (Lang::En, "en/index.html")] {
            let page = DatasetPage {
                lang,
                links: Links::of_landing(lang, meta.version),
                meta,
                versions: Some(&dataset.versions),
                preview: &preview,
            };
            pages.push((format!("{}/{path}", meta.dataset), page.draw()?));
        }
    }
    for (lang, path) in [(Lang::Vi, "index.html"), (Lang::En, "en/index.html")] {
        let with_ckan = base.is_some();
        let page = CataloguePage { lang, datasets, pending, publisher, with_ckan };
        pages.push((path.to_owned(), page.draw()?));
    }
    let listed: Vec<Listed<'_>> = datasets.iter().map(Dataset::listed).collect();
    pages.push(("catalog.jsonld".into(), dcat::catalog_jsonld(&listed, publisher, base)));
    if let Some(base) = base {
        let files = [ckan::package_list(&listed), ckan::package_search(&listed, base)];
        pages.extend(CKAN_FILES.map(str::to_owned).into_iter().zip(files));
    }
    pages.push(("style.css".into(), STYLE.to_vec()));
    Ok(pages)
}

/// What every page can say in its own language.
trait Spoken {
    fn lang(&self) -> Lang;

    /// One of two texts.
    fn t<'a>(&self, vi: &'a str, en: &'a str) -> &'a str {
        match self.lang() {
            Lang::Vi => vi,
            Lang::En => en,
        }
    }

    /// A declared text.
    fn say<'a>(&self, text: &'a Text) -> &'a str {
        text.get(self.lang())
    }

    /// A whole number.
    fn whole(&self, number: &u64) -> String {
        i64::try_from(*number).map_or_else(|_| number.to_string(), |n| self.cell(&Cell::Integer(n)))
    }

    /// A day.
    fn day(&self, date: &chrono::NaiveDate) -> String {
        self.cell(&Cell::Date(*date))
    }

    fn cell(&self, cell: &Cell) -> String {
        cell.display(self.lang())
    }
}
