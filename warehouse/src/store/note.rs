//! What a commit says about itself.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use deltalake_core::kernel::CommitInfo;
use serde::{Deserialize, Serialize};

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
            version: 0,
        }
    }
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

pub(super) fn from_commit(info: &CommitInfo) -> Option<Note> {
    serde_json::from_value(info.info.get(KEY)?.clone()).ok()
}
