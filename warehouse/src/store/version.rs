//! One version of a table: the files that hold its rows, as its log tells.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use deltalake_core::kernel::EagerSnapshot;
use deltalake_core::{DeltaTable, DeltaTableError};
use object_store::ObjectMeta;
use object_store::path::Path;
use roaring::RoaringTreemap;

use super::places::{self, Places};

/// See the module. Files never change, so neither does a version.
#[derive(Debug)]
pub struct Version {
    /// Its number in the log.
    pub(crate) number: u64,
    /// Columns whose values stand in the log and not in the files.
    pub(crate) partitioned_by: Vec<String>,
    pub(crate) files: Vec<DataFile>,
}

/// A file of rows.
#[derive(Debug, Clone)]
pub(crate) struct DataFile {
    /// Its name in the log.
    pub(crate) path: String,
    /// Where it is, seen from the root of the store.
    pub(crate) meta: ObjectMeta,
    /// How many rows it holds, where the log says so; those that no longer count among them.
    pub(crate) rows: Option<usize>,
    /// The rows that no longer count.
    pub(crate) gone: RoaringTreemap,
    /// The values of its partition, in the order of [`Version::partitioned_by`].
    pub(crate) values: Vec<Option<String>>,
}

/// A file that is smaller is sooner written anew than told about.
const TINY_BYTES: u64 = 1 << 20;

/// A file that is smaller is worth being made one with others.
const SMALL_BYTES: u64 = 16 << 20;

/// So many small files of one partition are made one.
const CROWD: usize = 32;

impl Version {
    /// How many files it has.
    pub fn files(&self) -> usize {
        self.files.len()
    }

    /// The files to be written anew, by their position, where `gone` go: tiny ones that lose rows,
    /// and the small ones of partitions that have many; of a column's values `among`, or of the
    /// whole table.
    pub fn to_gather(
        &self,
        gone: &Places,
        among: Option<(&str, &BTreeSet<String>)>,
    ) -> BTreeSet<usize> {
        let at = among.and_then(|(by, _)| self.partitioned_by.iter().position(|name| name == by));
        let mut small: BTreeMap<Option<&str>, BTreeSet<usize>> = BTreeMap::new();
        let mut gathered = BTreeSet::new();
        for (position, file) in self.files.iter().enumerate() {
            if file.meta.size < TINY_BYTES && gone.of(position).is_some() {
                gathered.insert(position);
            }
            let value = at.and_then(|at| file.values[at].as_deref());
            let is_among =
                among.is_none_or(|(_, values)| value.is_some_and(|v| values.contains(v)));
            if is_among && file.meta.size < SMALL_BYTES {
                small.entry(value).or_default().insert(position);
            }
        }
        gathered.extend(small.into_values().filter(|files| files.len() >= CROWD).flatten());
        gathered
    }

    pub(super) fn of(table: &DeltaTable) -> Result<Self, DeltaTableError> {
        let snapshot = table.snapshot()?.snapshot();
        plain(snapshot)?;
        let root = Path::from_url_path(table.log_store().config().location().path())?;
        let partitioned_by = snapshot.metadata().partition_columns().to_vec();
        let mut files = Vec::new();
        for file in snapshot.try_log_data()?.iter() {
            let gone = file.deletion_vector_descriptor().map(|told| places::read(&told));
            let gone = gone.transpose()?.unwrap_or_default();
            // Which rows are left is said of all that there are.
            if !gone.is_empty() && file.num_records().is_none() {
                return Err(foreign("it does not say how many rows a file holds"));
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
            files.push(DataFile {
                path: file.path().into_owned(),
                meta,
                rows: file.num_records(),
                gone,
                values,
            });
        }
        Ok(Self { number: snapshot.version(), partitioned_by, files })
    }
}

/// Refuses what `khoyte` never writes, and would read wrongly.
fn plain(snapshot: &EagerSnapshot) -> Result<(), DeltaTableError> {
    match snapshot.metadata().configuration().get("delta.columnMapping.mode").map(String::as_str) {
        None | Some("none") => Ok(()),
        Some(_) => Err(foreign("its columns have other names in its files")),
    }
}

pub(super) fn foreign(what: &str) -> DeltaTableError {
    DeltaTableError::generic(format!("the table was written by another program: {what}"))
}
