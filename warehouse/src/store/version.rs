//! One version of a table: the files that hold its rows, as its log tells.

use std::collections::HashMap;

use deltalake_core::kernel::EagerSnapshot;
use deltalake_core::{DeltaTable, DeltaTableError};
use object_store::ObjectMeta;
use object_store::path::Path;

/// See the module. Files never change, so neither does a version.
#[derive(Debug)]
pub struct Version {
    /// Columns whose values stand in the log and not in the files.
    pub(crate) partitioned_by: Vec<String>,
    pub(crate) files: Vec<DataFile>,
}

/// A file of rows.
#[derive(Debug)]
pub(crate) struct DataFile {
    /// Where it is, seen from the root of the store.
    pub(crate) meta: ObjectMeta,
    /// How many rows it holds, where the log says so.
    pub(crate) rows: Option<usize>,
    /// The values of its partition, in the order of [`Version::partitioned_by`].
    pub(crate) values: Vec<Option<String>>,
}

impl Version {
    pub(super) fn of(table: &DeltaTable) -> Result<Self, DeltaTableError> {
        let snapshot = table.snapshot()?.snapshot();
        plain(snapshot)?;
        let root = Path::from_url_path(table.log_store().config().location().path())?;
        let partitioned_by = snapshot.metadata().partition_columns().to_vec();
        let mut files = Vec::new();
        for file in snapshot.try_log_data()?.iter() {
            if file.deletion_vector_descriptor().is_some() {
                return Err(foreign("rows are deleted inside its files"));
            }
            let size = u64::try_from(file.size());
            let size = size.map_err(|_| foreign("a file has no size"))?;
            let meta = ObjectMeta {
                location: root.parts().chain(file.object_store_path().parts()).collect(),
                last_modified: file.modification_datetime()?,
                size,
                e_tag: None,
                version: None,
            };
            let mut told: HashMap<_, _> = file.partition_values_map();
            let values = partitioned_by.iter().map(|name| told.remove(name).flatten()).collect();
            files.push(DataFile { meta, rows: file.num_records(), values });
        }
        Ok(Self { partitioned_by, files })
    }
}

/// Refuses what `khoyte` never writes, and would read wrongly.
fn plain(snapshot: &EagerSnapshot) -> Result<(), DeltaTableError> {
    match snapshot.metadata().configuration().get("delta.columnMapping.mode").map(String::as_str) {
        None | Some("none") => Ok(()),
        Some(_) => Err(foreign("its columns have other names in its files")),
    }
}

fn foreign(what: &str) -> DeltaTableError {
    DeltaTableError::generic(format!("the table was written by another program: {what}"))
}
