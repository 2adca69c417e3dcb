//! What is said about one version of one dataset, kept in its `metadata.json`.
//!
//! One model, projected: the plain keys of [`Metadata`] for people and for us, DCAT 3 and
//! schema.org keys beside them for harvesters ([`dcat`]), CKAN packages in listings of
//! their own ([`ckan`]). Pages are drawn from the same model, so that page and metadata cannot differ.

pub mod ckan;
pub mod dcat;
pub mod law;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use warehouse::names::{Group, Sensitivity, Text};

/// The body that publishes, as pages and metadata name it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublisherInfo {
    /// Its name.
    pub name: Text,
    /// Where errors in the data are reported (Điều 24.1).
    pub email: Option<String>,
    /// Its own site, `https://…`.
    pub homepage: Option<String>,
}

impl Default for PublisherInfo {
    fn default() -> Self {
        let name =
            Text::new("Trung tâm Thông tin y tế Quốc gia", "National Health Information Center");
        Self { name, email: None, homepage: None }
    }
}

/// One version of one dataset.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Metadata {
    /// Identifier of the dataset.
    pub dataset: String,
    /// Number of this version, from 1.
    pub version: u32,
    /// The night of its release.
    pub date: NaiveDate,
    /// What it is called.
    pub title: Text,
    /// A paragraph about it.
    pub description: Text,
    /// What one row is.
    pub grain: Text,
    /// The body that answers for the figures.
    pub owner: Text,
    /// The body that publishes them.
    pub publisher: PublisherInfo,
    /// Groups of Điều 5.
    pub groups: Vec<u8>,
    /// Class of the data; `open` in everything released.
    pub sensitivity: Sensitivity,
    /// Where the figures come from.
    pub source: Text,
    /// What orders or defines the data, and what orders their release.
    pub legal_basis: Vec<String>,
    /// What a reader must know before using it.
    pub caveats: Vec<Text>,
    /// Search words.
    pub keywords: Vec<Text>,
    /// Terms that come with this dataset.
    pub licence: Text,
    /// The terms of the law, the same for every open dataset.
    pub terms: Text,
    /// How to cite it.
    pub citation: Text,
    /// How often it is renewed.
    pub frequency: Text,
    /// The small-cell rule applied; `None` where none is declared.
    pub rule: Option<RuleApplied>,
    /// What was done to the values of the query besides that.
    pub processing: Text,
    /// The columns of the files, in order.
    pub columns: Vec<ColumnEntry>,
    /// The declared checks and what they found.
    pub checks: Vec<CheckResult>,
    /// Rows in each file.
    pub rows: u64,
    /// Small cells that are not shown.
    pub suppressed_cells: u64,
    /// Cells of derived columns that are not shown because of them.
    pub blanked_cells: u64,
    /// SHA-256 over data and declaration, in hex: the same hash is the same version.
    pub sha256: String,
    /// The data files.
    pub files: Vec<FileEntry>,
    /// Whether it is made from simulated rows; then title, caveats, source and citation say so.
    #[serde(default)]
    pub simulated: bool,
}

/// A small-cell rule as applied, with what it cannot do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleApplied {
    /// Cells from 1 to this number less one are not shown.
    pub minimum_cell: u32,
    /// Columns it applies to.
    pub columns: Vec<String>,
    /// Columns of the same row that vanish with them.
    pub columns_with: Vec<String>,
    /// The column that names, row by row, what was hidden.
    pub note_column: String,
    /// The rule in words.
    pub statement: Text,
    /// What the rule does not prevent.
    pub limits: Text,
}

/// One column of the files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnEntry {
    /// Its name.
    pub name: String,
    /// What it is called.
    pub label: Text,
    /// Its type, as SQL writes it.
    #[serde(rename = "type")]
    pub ty: String,
    /// Unit of a number.
    pub unit: Option<Text>,
}

/// What a declared check found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckResult {
    /// Its name.
    pub name: String,
    /// What it asks.
    pub title: Text,
    /// Rows at fault.
    pub faults: u64,
}

/// One data file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileEntry {
    /// Its name in the version's folder.
    pub name: String,
    /// Short name of its format.
    pub format: String,
    /// IANA media type.
    pub media_type: String,
    /// Its size.
    pub bytes: u64,
    /// SHA-256 of its bytes, in hex.
    pub sha256: String,
}

impl Metadata {
    /// The groups of Điều 5 as a type.
    pub fn groups(&self) -> impl Iterator<Item = Group> {
        self.groups.iter().filter_map(|number| Group::new(*number))
    }

    /// Folder of this version below the public folder, with a slash at the end.
    pub fn folder(&self) -> String {
        format!("{}/v{}/", self.dataset, self.version)
    }
}

/// JSON with sorted keys, indented, with a line feed at the end. Sorting here keeps the bytes
/// apart from how the JSON library was built.
pub(crate) fn pretty(value: &Value) -> Vec<u8> {
    let mut text = format!("{:#}", sorted(value));
    text.push('\n');
    text.into_bytes()
}

fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_by_key(|(key, _)| *key);
            let entries = entries.into_iter().map(|(key, value)| (key.clone(), sorted(value)));
            Value::Object(entries.collect::<Map<_, _>>())
        }
        Value::Array(values) => Value::Array(values.iter().map(sorted).collect()),
        other => other.clone(),
    }
}
