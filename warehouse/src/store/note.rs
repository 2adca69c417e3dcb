//! What a commit says about itself.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use deltalake_core::{DeltaTable, DeltaTableError};
use serde::{Deserialize, Serialize};

use super::Seen;
use super::risk::Measured;

/// The key of the note in the commit's metadata.
const KEY: &str = "khoyte";

/// Which kind of work made a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// A batch of a source was loaded.
    Nap,
    /// A mart or indicator was computed.
    Tinh,
    /// The product wrote about itself.
    HeThong,
}

impl Step {
    /// The word in `he_thong.lan_chay.buoc`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Nap => "nap",
            Self::Tinh => "tinh",
            Self::HeThong => "he_thong",
        }
    }
}

/// One commit's account of itself; what `he_thong.lan_chay` and `he_thong.kiem_tra` are made of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Note {
    /// The night it belongs to.
    pub night: NaiveDate,
    /// Kind of work.
    pub step: Step,
    /// For a table that several jobs fill in turn, which of them: the indicator, or the night whose
    /// files they are; empty otherwise.
    pub part: String,
    /// SHA-256, in hex, of all that the rows were made from: the same input gives the same batch.
    pub batch: String,
    /// Rows read from the source.
    pub rows_read: u64,
    /// Rows written.
    pub rows_written: u64,
    /// Rows sent to quarantine.
    pub rows_quarantined: u64,
    /// Batches of the tables that were read.
    pub inputs: BTreeMap<String, String>,
    /// The fingerprint of the key that its pseudonyms were made with; none where it holds none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The first instant that was asked of the source, in the time of Viet Nam; none where it was
    /// asked for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<NaiveDateTime>,
    /// The newest instant at which the source wrote a row of this batch or one before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watermark: Option<NaiveDateTime>,
    /// Results of the declared checks.
    pub checks: Vec<CheckResult>,
    /// When the work began.
    pub started_at: DateTime<Utc>,
    /// When the rows were ready to be committed.
    pub finished_at: DateTime<Utc>,
    /// Of a table that several jobs fill in turn, the versions that hold the newest notes of the
    /// others, by their part; none where that is not told, and the log itself is to be asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub others: Option<BTreeMap<String, u64>>,
    /// Whether some of the table's rows come from simulated sources: those of this batch, of one
    /// before it that is still there, or of what it was made from.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub simulated: bool,
    /// How exposed the persons of the table are after this commit; none where that is not measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub risk: Option<Measured>,
    /// The versions of the tables that were read, of what can be made by parts.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub seen: BTreeMap<String, Seen>,
    /// SHA-256, in hex, of all but its inputs that the rows follow from, of what can be made by parts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipe: Option<String>,
    /// How many partitions were made anew; none where all rows were. [`Note::rows_written`] are the
    /// rows of these.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parts: Option<u64>,
    /// The keys of the source that were compared last; none where they never were.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keys: Option<ComparedKeys>,
    /// Rows of before that went because the source deleted them.
    #[serde(default)]
    pub rows_deleted: u64,
    /// The version that the commit made; filled in on reading.
    #[serde(skip)]
    pub version: u64,
}

impl Note {
    /// The note of a batch without rows, inputs or checks, begun and ready at one instant.
    pub fn new(night: NaiveDate, step: Step, part: String, batch: String) -> Self {
        let now = Utc::now();
        Self {
            night,
            step,
            part,
            batch,
            rows_read: 0,
            rows_written: 0,
            rows_quarantined: 0,
            inputs: BTreeMap::new(),
            key: None,
            since: None,
            watermark: None,
            checks: Vec::new(),
            started_at: now,
            finished_at: now,
            others: None,
            simulated: false,
            risk: None,
            seen: BTreeMap::new(),
            recipe: None,
            parts: None,
            keys: None,
            rows_deleted: 0,
            version: 0,
        }
    }
}

/// Which keys of a source were compared with those of the lake.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComparedKeys {
    /// The night that did it.
    pub night: NaiveDate,
    /// What they are called: equal names mean equal keys.
    pub content: String,
}

/// How one declared check went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckResult {
    /// Its name in the declaration.
    pub name: String,
    /// Its title in Vietnamese.
    pub title_vi: String,
    /// Its title in English.
    pub title_en: String,
    /// `quarantine`, `warn` or `refuse`.
    pub action: String,
    /// Faults found.
    pub faults: u64,
}

pub(super) fn to_commit(note: &Note) -> Vec<(String, serde_json::Value)> {
    let value = serde_json::to_value(note).expect("a note has only string keys");
    vec![(KEY.to_owned(), value)]
}

/// The note of one commit of a table; `None` where it has none.
pub(super) async fn at(table: &DeltaTable, version: u64) -> Result<Option<Note>, DeltaTableError> {
    let Some(entry) = table.log_store().read_commit_entry(version).await? else { return Ok(None) };
    let lines = entry.split(|byte| *byte == b'\n');
    let info = lines.filter_map(|line| serde_json::from_slice::<Line>(line).ok()?.info).next();
    let note = info.and_then(|mut info| serde_json::from_value::<Note>(info.remove(KEY)?).ok());
    Ok(note.map(|note| Note { version, ..note }))
}

/// The newest wanted note. The newest of all is nearly always that of the newest commit.
pub(super) async fn newest(
    table: &DeltaTable,
    wanted: impl Fn(&Note) -> bool,
) -> Result<Option<Note>, DeltaTableError> {
    for version in (0..=table.version().unwrap_or_default()).rev() {
        if let Some(note) = at(table, version).await?.filter(&wanted) {
            return Ok(Some(note));
        }
    }
    Ok(None)
}

/// A line of a commit, as far as it is about the commit itself.
#[derive(Deserialize)]
struct Line {
    #[serde(rename = "commitInfo")]
    info: Option<serde_json::Map<String, serde_json::Value>>,
}
