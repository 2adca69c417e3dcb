//! What is known of the files that were walked through, so that a night which reads fifteen tables of
//! one folder walks through its files once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Limits;
use super::fault::{Fault, Place};
use super::parts::{Part, Parts};
use crate::files::{Chunks, Sum, TableFile};

/// Bytes that all this may take up: enough for a night of the country, some 4 million parts.
const ROOM: usize = 192 << 20;

/// Bytes of a file beside its parts.
const FILE: usize = 256;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Shelf {
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    /// By the sum of their bytes.
    files: HashMap<Sum, Slot>,
    bytes: usize,
}

/// A file has a lock of its own, so that of two who want its parts at a time one waits for the other.
type Slot = Arc<Mutex<Option<Arc<Parts>>>>;

impl Shelf {
    /// The parts of a file, which is open.
    pub(super) fn parts(
        &self,
        file: &TableFile,
        open: &Chunks,
        limits: &Limits,
        buffer: &mut Vec<u8>,
    ) -> Result<Arc<Parts>, (Fault, Place)> {
        // The sum that is looked up is that of the file as it was found; that it still is so, the
        // reader asks when it has read the parts.
        let Some(sum) = file.settled_sum() else { return walked(open, limits, buffer) };
        let slot = Arc::clone(self.known().files.entry(sum).or_default());
        let mut kept = slot.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(parts) = &*kept {
            return Ok(Arc::clone(parts));
        }
        let parts = walked(open, limits, buffer)?;
        if file.check_open(open).is_ok() && self.has_room(&parts) {
            *kept = Some(Arc::clone(&parts));
        }
        Ok(parts)
    }

    fn has_room(&self, parts: &Parts) -> bool {
        let mut known = self.known();
        let bytes = known.bytes + FILE + parts.all.len() * size_of::<Part>();
        let has_room = bytes <= ROOM;
        if has_room {
            known.bytes = bytes;
        }
        has_room
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        // What is behind these locks is whole whoever panicked.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn walked(
    open: &Chunks,
    limits: &Limits,
    buffer: &mut Vec<u8>,
) -> Result<Arc<Parts>, (Fault, Place)> {
    let at_begin = Place { hoso: 0, byte: 0 };
    let input = open.reader().map_err(|error| (Fault::Read(error), at_begin))?;
    Ok(Arc::new(Parts::of(input, limits, buffer)?))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::Request;
    use crate::files::FileSet;

    #[test]
    fn a_file_is_walked_through_once_while_it_stays_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("1.xml");
        std::fs::write(&path, "<TONG_HOP/>").unwrap();
        let (shelf, limits) = (Shelf::default(), Limits::default());
        let parts = || {
            let (place, columns) = ("1.xml".to_owned(), Vec::new());
            let request = Request { place, columns, span: None, settings: BTreeMap::new() };
            let set = FileSet::find(folder.path(), &request).unwrap().unwrap();
            let file = &set.files()[0];
            let open = file.chunks(1).unwrap();
            let parts = shelf.parts(file, &open, &limits, &mut Vec::new()).unwrap();
            (file.settled_sum(), parts)
        };
        // Nothing stands yet for the sum of a file that was just written.
        let (mut sum, mut first) = parts();
        while sum.is_none() {
            std::thread::yield_now();
            (sum, first) = parts();
        }
        assert!(Arc::ptr_eq(&parts().1, &first));
        std::fs::write(&path, "<CHI_TIEU_GIAYHEN_KHAMLAI/>").unwrap();
        let changed = parts().1;
        assert_eq!((first.all[0].table, changed.all[0].table), (1, 14));
    }
}
