//! The sum of a file, taken once for each state in which the file system shows it.
//!
//! A night reads a file once for each of its tables, and summing costs more than most of what is
//! then done with the bytes. Whatever writes to a file sets the instant of its last change (ctime),
//! and no program can set that to another: where device, number, size and both instants are the
//! same, so are the bytes. That holds only of a change that is older than the file system's clock
//! is coarse; of a younger one, the bytes are summed each time.

use std::collections::BTreeMap;
use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use sha2::{Digest, Sha256};

/// A SHA-256.
pub(crate) type Sum = [u8; 32];

/// What is longer ago, no coarse clock confuses with what is still to come. The coarsest in use
/// counts every other second.
const SETTLED_AFTER: Duration = Duration::from_secs(2);

/// Sums that are kept, some 200 bytes each. A night of the country may come as a file for each visit.
const KEPT: usize = 1 << 19;

/// Bytes read at once.
const BUFFER_BYTES: usize = 256 << 10;

static KNOWN: Known = Mutex::new(BTreeMap::new());

/// A sum has a lock of its own, so that of two who ask for it at a time one waits for the other.
type Known = Mutex<BTreeMap<State, Arc<Mutex<Option<Sum>>>>>;

/// A file as the file system shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct State {
    device: u64,
    number: u64,
    size: u64,
    /// Seconds and nanoseconds since 1970.
    written: (i64, i64),
    changed: (i64, i64),
}

impl State {
    pub(super) fn of(file: &Metadata) -> Self {
        Self {
            device: file.dev(),
            number: file.ino(),
            size: file.size(),
            written: (file.mtime(), file.mtime_nsec()),
            changed: (file.ctime(), file.ctime_nsec()),
        }
    }

    /// Whether a change from now on would show. Where a clock was set back, nothing is known.
    fn is_settled(&self, now: SystemTime) -> bool {
        let now = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let changed = Duration::from_secs(u64::try_from(self.changed.0).unwrap_or(u64::MAX));
        changed.saturating_add(Duration::from_secs(1) + SETTLED_AFTER) <= now
    }
}

/// The sum of a file, and the state that stands for it: none where the file changed just now.
pub(super) fn of(path: &Path) -> io::Result<(Sum, Option<State>)> {
    at(path, SystemTime::now(), &KNOWN)
}

fn at(path: &Path, now: SystemTime, known: &Known) -> io::Result<(Sum, Option<State>)> {
    let file = File::open(path)?;
    let state = State::of(&file.metadata()?);
    if !state.is_settled(now) {
        return Ok((digest(&file)?, None));
    }
    let slot = slot(known, state);
    // What is behind these locks is whole whoever panicked.
    let mut kept = slot.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(sum) = *kept {
        return Ok((sum, Some(state)));
    }
    let sum = digest(&file)?;
    if State::of(&file.metadata()?) != state {
        return Ok((sum, None));
    }
    *kept = Some(sum);
    Ok((sum, Some(state)))
}

fn slot(known: &Known, state: State) -> Arc<Mutex<Option<Sum>>> {
    let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
    if known.len() >= KEPT {
        known.clear();
    }
    Arc::clone(known.entry(state).or_default())
}

/// The sum of all bytes of an open file, wherever its readers are.
pub(super) fn digest(file: &File) -> io::Result<Sum> {
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; BUFFER_BYTES];
    let mut offset = 0;
    loop {
        match file.read_at(&mut buffer, offset) {
            Ok(0) => return Ok(hasher.finalize().into()),
            Ok(read) => {
                hasher.update(&buffer[..read]);
                offset += read as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_is_taken_once_for_a_state_that_is_settled() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("1.xml");
        std::fs::write(&path, "abc").unwrap();
        let known = Known::default();
        let later = SystemTime::now() + Duration::from_secs(10);
        let taken: Sum = Sha256::digest("abc").into();
        assert_eq!(at(&path, SystemTime::now(), &known).unwrap(), (taken, None));
        let (sum, state) = at(&path, later, &known).unwrap();
        assert_eq!(sum, taken);
        // What is kept is given, so nothing was summed again.
        *slot(&known, state.unwrap()).lock().unwrap() = Some([7; 32]);
        assert_eq!(at(&path, later, &known).unwrap(), ([7; 32], state));
        std::fs::write(&path, "xyz").unwrap();
        let (sum, other) = at(&path, later, &known).unwrap();
        assert_eq!(sum, <Sum>::from(Sha256::digest("xyz")));
        assert_ne!(other, state);
    }
}
