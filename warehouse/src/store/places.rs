//! Where rows lie: in which file of a version of a table, and where in it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use deltalake_core::DeltaTableError;
use deltalake_core::kernel::{DeletionVectorDescriptor, StorageType};
use roaring::RoaringTreemap;

use super::version::{Version, foreign};

/// Before the bitmap, in the form that Delta calls a deletion vector.
const MAGIC: [u8; 4] = 1_681_511_377_u32.to_le_bytes();

/// Some rows of one version of a table.
#[derive(Debug, Clone)]
pub struct Places {
    version: Arc<Version>,
    /// By the position of their file in the version.
    files: BTreeMap<usize, RoaringTreemap>,
}

impl Places {
    /// No row of that version yet.
    pub fn none(version: Arc<Version>) -> Self {
        Self { version, files: BTreeMap::new() }
    }

    /// Adds a row: the position of its file in the version, and its own in the file, from 0; false
    /// where it was there already.
    pub fn insert(&mut self, file: usize, row: u64) -> bool {
        self.files.entry(file).or_default().insert(row)
    }

    /// Adds rows of the same version; returns how many were not there yet.
    pub fn extend(&mut self, others: &Self) -> u64 {
        let mut new = 0;
        for (file, rows) in &others.files {
            let own = self.files.entry(*file).or_default();
            let before = own.len();
            *own |= rows;
            new += own.len() - before;
        }
        new
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// The same rows in groups of whole files, each of at most `most` rows or of one file.
    pub fn in_groups(&self, most: u64) -> Vec<Self> {
        let mut groups: Vec<Self> = Vec::new();
        let mut room = 0;
        for (file, rows) in &self.files {
            if groups.is_empty() || rows.len() > room {
                groups.push(Self::none(Arc::clone(&self.version)));
                room = most;
            }
            room = room.saturating_sub(rows.len());
            if let Some(group) = groups.last_mut() {
                group.files.insert(*file, rows.clone());
            }
        }
        groups
    }

    /// The partitions that they are in, where the table lies by one column.
    pub fn partitions(&self) -> BTreeSet<String> {
        let values = self.files.keys().filter_map(|at| self.version.files.get(*at)?.values.first());
        values.flatten().cloned().collect()
    }

    /// The version that they are of.
    pub(crate) fn version(&self) -> &Arc<Version> {
        &self.version
    }

    /// The rows of one file.
    pub(crate) fn of(&self, file: usize) -> Option<&RoaringTreemap> {
        self.files.get(&file)
    }

    /// The rows of each file, by its position.
    pub(super) fn files(&self) -> impl Iterator<Item = (usize, &RoaringTreemap)> {
        self.files.iter().map(|(file, rows)| (*file, rows))
    }
}

/// The rows that are deleted in a file, as the log tells.
pub(super) fn read(told: &DeletionVectorDescriptor) -> Result<RoaringTreemap, DeltaTableError> {
    if told.storage_type != StorageType::Inline {
        return Err(foreign("the rows that are deleted in a file are told beside the log"));
    }
    let bytes = z85::decode(&told.path_or_inline_dv).ok();
    let rows = bytes.as_deref().and_then(|bytes| bytes.strip_prefix(&MAGIC));
    let rows = rows.and_then(|rows| RoaringTreemap::deserialize_from(rows).ok());
    rows.ok_or_else(|| foreign("the rows that are deleted in a file cannot be read"))
}

/// The same for the log.
pub(super) fn told(rows: &RoaringTreemap) -> Result<DeletionVectorDescriptor, DeltaTableError> {
    let mut bytes = MAGIC.to_vec();
    rows.serialize_into(&mut bytes)?;
    let size = bytes.len();
    // The code of the log takes four bytes at a time; what follows the bitmap is not read.
    bytes.resize(size.next_multiple_of(4), 0);
    let too_many = |_| DeltaTableError::generic("more rows are deleted in a file than can be told");
    Ok(DeletionVectorDescriptor {
        storage_type: StorageType::Inline,
        path_or_inline_dv: z85::encode(&bytes),
        offset: None,
        size_in_bytes: i32::try_from(size).map_err(too_many)?,
        cardinality: i64::try_from(rows.len()).map_err(too_many)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_back_from_the_log() {
        for rows in [vec![], vec![0], vec![3, 70_000, 5_000_000_000], (0..200_000).collect()] {
            let rows: RoaringTreemap = rows.into_iter().collect();
            let told = told(&rows).unwrap();
            assert_eq!(told.path_or_inline_dv.len() % 5, 0);
            assert_eq!(read(&told).unwrap(), rows);
        }
    }

    #[test]
    fn what_is_no_bitmap_is_refused() {
        let good = told(&(0..10).collect()).unwrap();
        for text in ["", "00000", "~~~~~", &good.path_or_inline_dv[..10]] {
            let told =
                DeletionVectorDescriptor { path_or_inline_dv: text.to_owned(), ..good.clone() };
            assert!(read(&told).is_err(), "{text}");
        }
    }

    #[test]
    fn groups_hold_whole_files() {
        let version =
            Arc::new(Version { number: 0, partitioned_by: Vec::new(), files: Vec::new() });
        let mut places = Places::none(version);
        for (file, rows) in [(0, 3), (1, 3), (2, 9), (3, 1)] {
            (0..rows).for_each(|row| {
                places.insert(file, row);
            });
        }
        let files = |group: &Places| group.files().map(|(file, _)| file).collect::<Vec<_>>();
        let groups: Vec<_> = places.in_groups(6).iter().map(files).collect();
        assert_eq!(groups, [vec![0, 1], vec![2], vec![3]]);
    }
}
