//! Whether the files of a table are there, as its log tells. Asks the store for each file's size and
//! reads none: what a disk or a bucket lost is found before a query fails on it.

use std::sync::Arc;

use futures::{StreamExt, TryStreamExt};
use object_store::ObjectStoreExt;
use object_store::path::Path;

use super::{Lake, StoreError, read_error};
use crate::names::TableName;

/// Questions to the store at the same time.
const AT_ONCE: usize = 16;

/// What was found of the newest version of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Examined {
    /// Files that its log names.
    pub files: usize,
    /// Their bytes together, by the log.
    pub size_bytes: u64,
    /// Those that are not as the log says, by name.
    pub flaws: Vec<Flaw>,
}

/// A file that is not as the log says.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Flaw {
    /// Its path below the lake.
    pub file: String,
    /// The bytes that the log says it has.
    pub told_bytes: u64,
    /// The bytes that it has; none where it is gone.
    pub found_bytes: Option<u64>,
}

impl Lake {
    /// Looks whether every file of the newest version of a table is there, with its size. `None`
    /// when the table was never written.
    ///
    /// # Errors
    /// When the log cannot be read, or the store cannot be asked.
    pub async fn examine(&self, name: &TableName) -> Result<Option<Examined>, StoreError> {
        let Some(version) = self.newest(name).await? else { return Ok(None) };
        let told: Vec<(Path, u64)> =
            version.files.iter().map(|file| (file.meta.location.clone(), file.meta.size)).collect();
        let (files, size_bytes) = (told.len(), told.iter().map(|(_, size)| size).sum::<u64>());
        let store = self.store();
        let asked = futures::stream::iter(told).map(|(location, told_bytes)| {
            let store = Arc::clone(&store);
            async move {
                match store.head(&location).await {
                    Ok(found) => Ok((location, told_bytes, Some(found.size))),
                    Err(object_store::Error::NotFound { .. }) => Ok((location, told_bytes, None)),
                    Err(error) => Err(error),
                }
            }
        });
        let found: Result<Vec<_>, object_store::Error> =
            asked.buffer_unordered(AT_ONCE).try_collect().await;
        let found = found.map_err(|error| read_error(name, error.into()))?;
        let root = Path::from_url_path(self.root.path()).unwrap_or_default();
        let mut flaws: Vec<Flaw> = found
            .into_iter()
            .filter(|(_, told_bytes, found_bytes)| *found_bytes != Some(*told_bytes))
            .map(|(location, told_bytes, found_bytes)| Flaw {
                file: below(&root, &location),
                told_bytes,
                found_bytes,
            })
            .collect();
        flaws.sort();
        Ok(Some(Examined { files, size_bytes, flaws }))
    }
}

/// The path within the lake.
fn below(root: &Path, location: &Path) -> String {
    match location.prefix_match(root) {
        Some(parts) => parts.collect::<Path>().to_string(),
        None => location.to_string(),
    }
}
