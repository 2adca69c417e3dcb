//! Files of earlier versions, which stay in the lake until somebody takes them away: what a table
//! held on a day can be asked as long as they stand. After the keys of its pseudonyms were rotated,
//! they hold the tokens of before, and so does what the log tells of them.

use std::collections::HashSet;

use chrono::{DateTime, Utc};
use deltalake_core::DeltaTableError;
use deltalake_core::checkpoints::create_checkpoint;
use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};
use serde_json::Value;

use super::{Lake, Read, StoreError, read_error, write_error};
use crate::names::TableName;

/// The folder of a table's log.
const LOG: &str = "_delta_log";

/// Files of rows that the newest version of a table has no more.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Outdated {
    /// How many.
    pub files: usize,
    /// Their bytes together.
    pub size_bytes: u64,
}

impl<'a> FromIterator<&'a ObjectMeta> for Outdated {
    fn from_iter<T: IntoIterator<Item = &'a ObjectMeta>>(files: T) -> Self {
        files.into_iter().fold(Self::default(), |all, file| Self {
            files: all.files + 1,
            size_bytes: all.size_bytes + file.size,
        })
    }
}

/// What lies in a table's folder.
struct Objects {
    log: Vec<ObjectMeta>,
    /// Files of rows that the newest version does not have.
    outdated: Vec<ObjectMeta>,
}

impl Lake {
    /// The files of a table that only its earlier versions have, and that were written before an
    /// instant.
    ///
    /// # Errors
    /// When the log or the folder cannot be read.
    pub async fn outdated(
        &self,
        name: &TableName,
        before: DateTime<Utc>,
    ) -> Result<Outdated, StoreError> {
        let Some(read) = self.last_read(name).await? else { return Ok(Outdated::default()) };
        let objects = self.objects(&read).await.map_err(|source| read_error(name, source))?;
        Ok(objects.outdated.iter().filter(|file| file.last_modified < before).collect())
    }

    /// Takes away what only the earlier versions of a table have: their files, and what the log
    /// tells of the columns of these. The newest version and the notes of all commits stay; a query
    /// that began before may fail. Under a lease, only while it stands. Stopped half-way, it is
    /// ended by doing it again.
    ///
    /// # Errors
    /// When the store refuses, it cannot be said which files the newest version has, or the lease
    /// is lost.
    pub async fn forget(&self, name: &TableName) -> Result<Outdated, StoreError> {
        self.permit(name)?;
        let Some(read) = self.last_read(name).await? else { return Ok(Outdated::default()) };
        self.forget_before(&read).await.map_err(|source| write_error(name, source))
    }

    async fn forget_before(&self, read: &Read) -> Result<Outdated, DeltaTableError> {
        // First, so that nobody needs the checkpoints of before.
        create_checkpoint(&read.table, None).await?;
        let (store, objects) = (self.store(), self.objects(read).await?);
        let stays: HashSet<&str> =
            read.version.files.iter().map(|file| file.path.as_str()).collect();
        for entry in &objects.log {
            let name = entry.location.filename().unwrap_or_default();
            let Some((number, kind)) = name.split_once('.') else { continue };
            let is_before = number.parse::<u64>().is_ok_and(|number| number < read.number());
            if kind == "json" {
                let bytes = store.get(&entry.location).await?.bytes().await?;
                if let Some(bare) = bare(&bytes, &stays) {
                    store.put(&entry.location, bare.into()).await?;
                }
            } else if kind.starts_with("checkpoint") && is_before {
                remove(&*store, &entry.location).await?;
            }
        }
        for file in &objects.outdated {
            remove(&*store, &file.location).await?;
        }
        Ok(objects.outdated.iter().collect())
    }

    async fn objects(&self, read: &Read) -> Result<Objects, DeltaTableError> {
        let root = Path::from_url_path(read.table.log_store().config().location().path())?;
        let there: Vec<ObjectMeta> = self.store().list(Some(&root)).try_collect().await?;
        let used: HashSet<&Path> =
            read.version.files.iter().map(|file| &file.meta.location).collect();
        let is_log = |file: &ObjectMeta| {
            let mut below = file.location.prefix_match(&root).into_iter().flatten();
            below.next().is_some_and(|part| part.as_ref() == LOG)
        };
        let (log, files): (Vec<_>, Vec<_>) = there.into_iter().partition(is_log);
        let all = files.len();
        let outdated: Vec<_> =
            files.into_iter().filter(|file| !used.contains(&file.location)).collect();
        // A name that the store tells otherwise than the log must not look like an old file.
        if all - outdated.len() != used.len() {
            return Err(DeltaTableError::generic("files of its newest version are not there"));
        }
        Ok(Objects { log, outdated })
    }
}

async fn remove(store: &dyn ObjectStore, location: &Path) -> Result<(), DeltaTableError> {
    match store.delete(location).await {
        Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// A commit without what it tells of the columns of files, unless these stay; `None` where it tells
/// nothing of the kind.
fn bare(commit: &[u8], stays: &HashSet<&str>) -> Option<Vec<u8>> {
    let mut is_changed = false;
    let mut told = Vec::with_capacity(commit.len());
    for line in commit.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let bare = bare_action(line, stays);
        is_changed |= bare.is_some();
        told.extend_from_slice(bare.as_deref().unwrap_or(line));
        told.push(b'\n');
    }
    is_changed.then_some(told)
}

fn bare_action(line: &[u8], stays: &HashSet<&str>) -> Option<Vec<u8>> {
    let mut action: Value = serde_json::from_slice(line).ok()?;
    let add = action.get_mut("add")?;
    if add.get("path").and_then(Value::as_str).is_some_and(|path| stays.contains(path)) {
        return None;
    }
    let stats = add.get_mut("stats")?;
    let told: Value = serde_json::from_str(stats.as_str()?).ok()?;
    let bare = serde_json::json!({ "numRecords": told.get("numRecords") });
    if told == bare {
        return None;
    }
    *stats = bare.to_string().into();
    serde_json::to_vec(&action).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_loses_what_it_tells_of_columns_of_files_that_go_and_nothing_else() {
        let add = |path: &str, stats: &str| {
            serde_json::json!({ "add": { "path": path, "size": 7, "stats": stats } }).to_string()
        };
        let full = r#"{"numRecords":3,"minValues":{"so":"v1:00"},"maxValues":{"so":"v1:ff"}}"#;
        let note = r#"{"commitInfo":{"khoyte":{"batch":"00"}}}"#;
        let commit = [note.to_owned(), add("stays", full), add("goes", full)].join("\n");
        let stays = HashSet::from(["stays"]);
        let told = bare(commit.as_bytes(), &stays).unwrap();
        let text = String::from_utf8(told.clone()).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!((lines[0], lines[1]), (note, add("stays", full).as_str()));
        assert!(!lines[2].contains("v1:") && lines[2].contains(r#"{\"numRecords\":3}"#));
        assert_eq!(bare(&told, &stays), None);
    }
}
