//! What a lease asks of the machine: its lock on a folder, and by what it is told from others.

use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::LeaseError;

/// The lock of the machine on a folder of the lake.
#[derive(Debug)]
pub(super) enum Lock {
    /// Ours until the file is closed, which the end of the process does too.
    Ours(File),
    /// Another process has it.
    Taken,
    /// There is none: a bucket, or a file system without locks.
    Absent,
}

impl Lock {
    /// Takes the lock in `folder`, or says that another has it.
    pub(super) fn of(folder: &Path) -> Result<Self, LeaseError> {
        let path = folder.join("night.lock");
        let failed = |source| LeaseError::File { path: path.clone(), source };
        fs::create_dir_all(folder).map_err(failed)?;
        let file = File::options().create(true).truncate(false).write(true).open(&path);
        let file = file.map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(Self::Ours(file)),
            Err(TryLockError::WouldBlock) => Ok(Self::Taken),
            Err(TryLockError::Error(error)) if has_no_locks(&error) => Ok(Self::Absent),
            Err(TryLockError::Error(error)) => Err(failed(error)),
        }
    }

    /// Gives it back.
    pub(super) fn open(self) {
        if let Self::Ours(file) = self {
            drop(file);
        }
    }
}

fn has_no_locks(error: &io::Error) -> bool {
    error.kind() == ErrorKind::Unsupported
}

/// Hashes that only this machine has. Two processes that share one of them share the machine's
/// locks: the same start of a kernel, or an installation of the same number and name. None where the
/// system tells neither.
pub(super) fn marks(holder: &str) -> Vec<String> {
    let host = holder.rsplit_once(':').map_or(holder, |(host, _)| host);
    let read = |path: PathBuf| {
        let text = fs::read_to_string(path).ok()?;
        Some(text.trim().to_owned()).filter(|text| !text.is_empty())
    };
    let start = read("/proc/sys/kernel/random/boot_id".into()).map(|id| format!("start {id}"));
    let machine = read("/etc/machine-id".into()).map(|id| format!("machine {id} {host}"));
    // The number of an installation is not for others to read: machine-id(5).
    let hash = |text: String| super::hex(&Sha256::digest(text.as_bytes())[..8]);
    start.into_iter().chain(machine).map(hash).collect()
}
