//! One version, built in memory: the rows after the rule, their hash, and every file of the
//! folder. Nothing here touches a disk or a clock.

use std::collections::BTreeMap;

use arrow::array::RecordBatch;
use chrono::NaiveDate;
use sha2::{Digest, Sha256};
use warehouse::names::Text;
use warehouse::spec::{Query, Release};
use warehouse::system::type_name;

use super::error::{Refusal, ReleaseError};
use super::shelf::Version;
use super::{NOTE_COLUMN, rule, simulated, table};
use crate::formats;
use crate::metadata::{
    CheckResult, ColumnEntry, FileEntry, Metadata, PublisherInfo, RuleApplied, dcat, law,
};
use crate::portal;

/// Files of a folder by their path inside it.
pub(super) type Files = BTreeMap<String, Vec<u8>>;

/// Goes into every hash: raise it when the publisher itself changes what it writes, and every
/// dataset gets a new version.
const REVISION: &str = "khoyte open data 2";

/// What a version holds, before it has a number.
pub(super) struct Content {
    batch: RecordBatch,
    csv: Vec<u8>,
    columns: Vec<ColumnEntry>,
    rule: Option<RuleApplied>,
    checks: Vec<CheckResult>,
    suppressed_cells: u64,
    blanked_cells: u64,
    simulated: bool,
    pub(super) sha256: String,
}

/// Applies the rule to the rows of `query`, sorts them and takes the hash. Rows that are simulated
/// say so, and have another hash for it.
pub(super) fn content(
    query: &Query,
    batch: &RecordBatch,
    checks: Vec<CheckResult>,
    simulated: bool,
) -> Result<Content, ReleaseError> {
    let release = release_of(query)?;
    let hidden = rule::apply(&table::normalised(batch)?, release)?;
    let mut batch = table::sorted(&hidden.batch)?;
    if simulated {
        batch = simulated::marked(&batch)?;
    }
    let columns = columns(query, &batch)?;
    let csv = formats::csv(&batch)?;
    let mut hash = Sha256::new();
    for part in [REVISION, &query.fingerprint] {
        hash.update(part);
        hash.update([0]);
    }
    hash.update(serde_json::to_vec(&(&columns, &checks))?);
    hash.update([0]);
    hash.update(&csv);
    Ok(Content {
        batch,
        csv,
        columns,
        rule: rule::described(release),
        checks,
        suppressed_cells: hidden.small,
        blanked_cells: hidden.derived,
        simulated,
        sha256: hex(&hash.finalize()),
    })
}

fn release_of(query: &Query) -> Result<&Release, ReleaseError> {
    query.release.as_ref().ok_or(ReleaseError::Refused(Refusal::NoRelease))
}

fn columns(query: &Query, batch: &RecordBatch) -> Result<Vec<ColumnEntry>, ReleaseError> {
    let schema = batch.schema();
    let mut entries = Vec::with_capacity(schema.fields().len());
    for (at, field) in schema.fields().iter().enumerate() {
        let (label, unit) = match query.columns.get(at) {
            Some(declared) if declared.name == *field.name() => {
                (declared.label.clone(), declared.unit.clone())
            }
            None if field.name() == NOTE_COLUMN => {
                (Text::new("Ghi chú ô đã ẩn", "Which cells are hidden"), None)
            }
            None if field.name() == simulated::COLUMN => (simulated::label(), None),
            _ => return Err(ReleaseError::Refused(Refusal::Columns)),
        };
        let ty = type_name(field.data_type());
        entries.push(ColumnEntry { name: field.name().clone(), label, ty, unit });
    }
    if query.columns.len() > schema.fields().len() {
        return Err(ReleaseError::Refused(Refusal::Columns));
    }
    Ok(entries)
}

impl Content {
    /// This content as version `number` of `night`.
    pub(super) fn version(&self, number: u32, night: NaiveDate) -> Version {
        Version {
            version: number,
            date: night,
            rows: self.batch.num_rows() as u64,
            suppressed_cells: self.suppressed_cells,
            sha256: self.sha256.clone(),
            simulated: self.simulated,
        }
    }

    /// Every file of the version's folder.
    pub(super) fn files(
        &self,
        query: &Query,
        version: &Version,
        publisher: &PublisherInfo,
        base: Option<&str>,
    ) -> Result<Files, ReleaseError> {
        let mut meta = self.metadata(query, version, publisher)?;
        let data = [
            ("csv", "CSV", "text/csv", self.csv.clone()),
            (
                "parquet",
                "Parquet",
                "application/vnd.apache.parquet",
                formats::parquet(&self.batch, &meta)?,
            ),
            ("json", "JSON", "application/json", formats::json(&self.batch, &meta)?),
        ];
        let mut files = Files::new();
        for (extension, format, media_type, bytes) in data {
            let name = format!("{}.{extension}", query.id);
            meta.files.push(FileEntry {
                name: name.clone(),
                format: format.to_owned(),
                media_type: media_type.to_owned(),
                bytes: bytes.len() as u64,
                sha256: sha256(&bytes),
            });
            files.insert(name, bytes);
        }
        files.insert("metadata.json".into(), dcat::metadata_json(&meta, base)?);
        files.extend(portal::version_pages(&meta, &self.csv)?);
        let sums: String =
            files.iter().map(|(name, bytes)| format!("{}  {name}\n", sha256(bytes))).collect();
        files.insert("SHA256SUMS".into(), sums.into_bytes());
        Ok(files)
    }

    fn metadata(
        &self,
        query: &Query,
        version: &Version,
        publisher: &PublisherInfo,
    ) -> Result<Metadata, ReleaseError> {
        let release = release_of(query)?;
        let basis = std::iter::once(query.legal_basis.as_str()).chain(law::RELEASE_BASIS);
        let mut meta = Metadata {
            dataset: query.id.clone(),
            version: version.version,
            date: version.date,
            title: query.title.clone(),
            description: query.description.clone(),
            grain: query.grain.clone(),
            owner: query.owner.clone(),
            publisher: publisher.clone(),
            groups: query.groups.iter().map(|group| group.number()).collect(),
            sensitivity: query.sensitivity,
            source: query.source.clone(),
            legal_basis: basis.map(str::to_owned).collect(),
            caveats: query.caveats.clone(),
            keywords: release.keywords.clone(),
            licence: release.licence.clone(),
            terms: law::terms(),
            citation: release.citation.clone(),
            frequency: release.frequency.clone(),
            rule: self.rule.clone(),
            processing: law::processing(),
            columns: self.columns.clone(),
            checks: self.checks.clone(),
            rows: version.rows,
            suppressed_cells: self.suppressed_cells,
            blanked_cells: self.blanked_cells,
            sha256: self.sha256.clone(),
            files: Vec::new(),
            simulated: false,
        };
        if self.simulated {
            simulated::tell(&mut meta);
        }
        Ok(meta)
    }
}

/// SHA-256 of `bytes`, in hex.
pub(super) fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
