//! What of a table is otherwise than when it was read: told by the files that the log names, of which
//! none is opened.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::version::DataFile;
use super::{Lake, Version};
use crate::names::TableName;

/// A version of a table, as whoever made something of its rows keeps it in mind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// Its number.
    pub version: u64,
    /// SHA-256, in hex, of its files and the rows in them that count: a table that was made anew, or
    /// brought back from a copy, has the same numbers for other rows.
    pub files: String,
}

/// What of a table is otherwise than it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Changed {
    /// Nothing.
    Nothing,
    /// The rows of these partitions, of which some may be new and others gone: their values as text.
    Partitions(BTreeSet<String>),
    /// Nobody can tell what; perhaps all.
    All,
}

impl Version {
    /// What is kept in mind of it.
    pub fn seen(&self) -> Seen {
        let mut sum = Sha256::new();
        for column in &self.partitioned_by {
            add_text(&mut sum, column);
        }
        let files: BTreeMap<&str, &DataFile> =
            self.files.iter().map(|file| (file.path.as_str(), file)).collect();
        for (path, file) in files {
            add_text(&mut sum, path);
            sum.update(file.gone.len().to_le_bytes());
            file.gone.iter().for_each(|row| sum.update(row.to_le_bytes()));
        }
        Seen { version: self.number, files: format!("{:x}", sum.finalize()) }
    }

    /// The column that it is partitioned by, and the values of its partitions; `None` where there is
    /// no such column, or several, or rows without a value.
    pub(crate) fn parts(&self) -> Option<(&str, BTreeSet<&str>)> {
        let [by] = self.partitioned_by.as_slice() else { return None };
        let values = self.files.iter().map(|file| file.values.first()?.as_deref());
        Some((by, values.collect::<Option<_>>()?))
    }

    /// The same without the files of other partitions than these.
    pub(crate) fn only(&self, parts: &BTreeSet<String>) -> Self {
        let is_wanted = |file: &&DataFile| {
            file.values.first().and_then(Option::as_ref).is_some_and(|value| parts.contains(value))
        };
        let files = self.files.iter().filter(is_wanted).cloned().collect();
        Self { number: self.number, partitioned_by: self.partitioned_by.clone(), files }
    }

    /// What is otherwise than in `before`.
    fn since(&self, before: &Self) -> Changed {
        let (Some((by, _)), Some((was, _))) = (self.parts(), before.parts()) else {
            return Changed::All;
        };
        if by != was {
            return Changed::All;
        }
        let (now, before) = (self.by_part(), before.by_part());
        let parts =
            now.keys().chain(before.keys()).filter(|part| now.get(*part) != before.get(*part));
        Changed::Partitions(parts.map(|part| (*part).to_owned()).collect())
    }

    /// The files of each partition, and how many of their rows, and which, no longer count.
    fn by_part(&self) -> BTreeMap<&str, BTreeMap<&str, &roaring::RoaringTreemap>> {
        let mut parts: BTreeMap<_, BTreeMap<_, _>> = BTreeMap::new();
        for file in &self.files {
            if let Some(Some(part)) = file.values.first() {
                parts.entry(part.as_str()).or_default().insert(file.path.as_str(), &file.gone);
            }
        }
        parts
    }
}

/// A text with its end.
fn add_text(sum: &mut Sha256, text: &str) {
    sum.update(text.len().to_le_bytes());
    sum.update(text);
}

impl Lake {
    /// What of a table is otherwise in the version `now` than in the one that was seen. Where its log
    /// no longer tells of that one, all may be.
    pub async fn changed(&self, name: &TableName, now: &Version, before: &Seen) -> Changed {
        if now.seen().files == before.files {
            return Changed::Nothing;
        }
        match self.version(name, before.version).await {
            Some(then) if then.seen().files == before.files => now.since(&then),
            _ => Changed::All,
        }
    }

    /// A version of before, where the log still tells of it.
    async fn version(&self, name: &TableName, number: u64) -> Option<Version> {
        let mut table = self.handle(name).ok()?;
        table.load_version(number).await.ok()?;
        Version::of(&table).ok()
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use object_store::ObjectMeta;
    use object_store::path::Path;

    use super::*;

    /// A version whose files are called and lie as told, each with the rows that no longer count.
    fn version(files: &[(&str, Option<&str>, &[u64])]) -> Version {
        let file = |(name, part, gone): &(&str, Option<&str>, &[u64])| DataFile {
            path: (*name).to_owned(),
            meta: ObjectMeta {
                location: Path::from(*name),
                last_modified: DateTime::UNIX_EPOCH,
                size: 1,
                e_tag: None,
                version: None,
            },
            rows: Some(10),
            gone: gone.iter().copied().collect(),
            values: vec![part.map(str::to_owned)],
        };
        let files = files.iter().map(file).collect();
        Version { number: 3, partitioned_by: vec!["thang".to_owned()], files }
    }

    #[test]
    fn a_partition_changes_with_its_files_and_with_the_rows_in_them_that_count() {
        let before = version(&[
            ("a", Some("2026-01"), &[]),
            ("b", Some("2026-02"), &[]),
            ("c", Some("2026-03"), &[4]),
            ("d", Some("2026-04"), &[]),
        ]);
        let now = version(&[
            ("a", Some("2026-01"), &[]),
            ("b", Some("2026-02"), &[7]),
            ("c", Some("2026-03"), &[4]),
            ("e", Some("2026-05"), &[]),
        ]);
        let parts = ["2026-02", "2026-04", "2026-05"].map(str::to_owned);
        assert_eq!(now.since(&before), Changed::Partitions(parts.into()));
        assert_eq!(before.since(&before), Changed::Partitions(BTreeSet::new()));
        assert_ne!(now.seen().files, before.seen().files);
    }

    #[test]
    fn what_lies_in_no_partition_counts_as_changed() {
        let (one, other) = (version(&[("a", Some("1"), &[])]), version(&[("a", None, &[])]));
        assert_eq!(other.since(&one), Changed::All);
        assert_eq!(one.since(&other), Changed::All);
        let otherwise = Version { partitioned_by: vec!["nam".to_owned()], ..version(&[]) };
        assert_eq!(otherwise.since(&version(&[])), Changed::All);
    }

    #[test]
    fn files_in_another_order_are_the_same_version() {
        let (one, other) = (("a", Some("1"), &[1_u64][..]), ("b", Some("2"), &[][..]));
        assert_eq!(version(&[one, other]).seen(), version(&[other, one]).seen());
    }
}
