//! The readers of files and whatever may come to them as a file: rows come out, or an error that
//! names the file and tells none of its cells.

mod corpus;
mod fuzz;
mod malformed;
pub(crate) mod random;

use std::error::Error;
use std::path::Path;

use connectors::claims_xml::ClaimsXml;
use connectors::fhir::Fhir;
use connectors::tabular::Tabular;
use connectors::xlsx::Xlsx;
use connectors::{Request, Source, SourceError};
use futures::StreamExt;

use crate::support;

/// The kinds of reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Claims,
    Book,
    Table,
    Resources,
}

/// What is asked of a file, and of which reader.
#[derive(Debug, Clone, Copy)]
struct Asked {
    kind: Kind,
    /// The file below the folder of sources.
    place: &'static str,
    columns: &'static [&'static str],
    settings: &'static [(&'static str, &'static str)],
}

impl Asked {
    fn source(&self, root: &Path) -> Box<dyn Source> {
        let root = Some(root.to_owned());
        match self.kind {
            Kind::Claims => Box::new(ClaimsXml::new(root)),
            Kind::Book => Box::new(Xlsx::new(root)),
            Kind::Table => Box::new(Tabular::new(root)),
            Kind::Resources => Box::new(Fhir::new(root)),
        }
    }

    fn request(&self) -> Request {
        let setting = |(name, value): &(&'static str, &'static str)| {
            ((*name).to_owned(), (*value).to_owned())
        };
        Request {
            place: self.place.to_owned(),
            columns: self.columns.iter().map(|column| (*column).to_owned()).collect(),
            span: None,
            settings: self.settings.iter().map(setting).collect(),
        }
    }

    /// Writes the file and reads all of it; how many rows there are.
    fn read(&self, root: &Path, bytes: &[u8]) -> Result<usize, SourceError> {
        std::fs::write(root.join(self.place), bytes).unwrap();
        support::wait(async {
            let source = self.source(root);
            let snapshot = source.open(&self.request()).await?.expect("the file is there");
            let mut batches = snapshot.rows;
            let mut rows = 0;
            while let Some(batch) = batches.next().await {
                rows += batch?.num_rows();
            }
            Ok(rows)
        })
    }
}

/// All that could be told of an error: itself and what lies behind it, in both forms.
fn told(error: &SourceError) -> String {
    let mut text = format!("{error}\n{error:?}");
    let mut source = error.source();
    while let Some(error) = source {
        text += &format!("\n{error}\n{error:?}");
        source = error.source();
    }
    text
}

/// The cells of [`corpus`] that an error tells.
fn leaked(text: &str) -> Vec<&'static str> {
    corpus::CELLS.into_iter().filter(|cell| text.contains(cell)).collect()
}
