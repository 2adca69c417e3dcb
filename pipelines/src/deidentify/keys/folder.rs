//! The key folder: a file of 32 bytes for each epoch, `pseudonym-v1.key` the first.
//!
//! Whoever may read a key file, or put another in its place, can undo the de-identification, so a
//! folder that others may write and a file that others may read are refused. No file is ever
//! overwritten, and none is removed.

use std::fs::{self, DirBuilder, File, FileTimes, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use zeroize::Zeroizing;

use super::{KEY_BYTES, KeyError, Master};

/// Name of the key file of an epoch.
pub(super) fn name(epoch: usize) -> String {
    format!("pseudonym-v{epoch}.key")
}

/// The epoch that a file of this name holds the key of.
fn epoch_in(name: &str) -> Option<usize> {
    let number = name.strip_prefix("pseudonym-v")?.strip_suffix(".key")?;
    number.parse().ok().filter(|epoch| *epoch > 0)
}

/// Makes the folder where there is none, with mode 0700.
pub(super) fn make(folder: &Path) -> Result<(), KeyError> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(|source| io_error("create", folder, source))
}

/// Refuses a folder that others may write, or that lies in the lake.
pub(super) fn check(folder: &Path, lake: Option<&Path>) -> Result<(), KeyError> {
    let meta = match fs::metadata(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Err(KeyError::Absent { folder: folder.to_owned() });
        }
        meta => meta.map_err(|source| io_error("look at", folder, source))?,
    };
    let mode = meta.permissions().mode() & 0o777;
    if mode & 0o022 != 0 {
        return Err(KeyError::ExposedFolder { path: folder.to_owned(), mode });
    }
    // A lake that is not there yet cannot hold the folder.
    let Some(lake) = lake.and_then(|lake| lake.canonicalize().ok()) else { return Ok(()) };
    let real = folder.canonicalize().map_err(|source| io_error("look at", folder, source))?;
    if real.starts_with(&lake) {
        return Err(KeyError::InsideLake { path: folder.to_owned() });
    }
    Ok(())
}

/// The keys of all epochs, the first first. A key of which an earlier one is gone is of no use.
pub(super) fn read_all(folder: &Path) -> Result<Vec<Master>, KeyError> {
    let newest = epochs(folder)?.into_iter().max().unwrap_or_default();
    if newest == 0 {
        return Err(KeyError::Absent { folder: folder.to_owned() });
    }
    (1..=newest).map(|epoch| read(folder, epoch)).collect()
}

/// The epochs of which there is a file, whatever it holds.
pub(super) fn epochs(folder: &Path) -> Result<Vec<usize>, KeyError> {
    let failed = |source| io_error("look at", folder, source);
    let mut epochs = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        epochs.extend(entry.map_err(failed)?.file_name().to_str().and_then(epoch_in));
    }
    Ok(epochs)
}

/// The key of an epoch.
pub(super) fn read(folder: &Path, epoch: usize) -> Result<Master, KeyError> {
    let path = &folder.join(name(epoch));
    let mut file = match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Err(KeyError::Missing { path: path.to_owned() });
        }
        file => file.map_err(|source| io_error("open", path, source))?,
    };
    // Asked of the open file, so that it cannot be exchanged between the question and the read.
    let meta = file.metadata().map_err(|source| io_error("look at", path, source))?;
    let mode = meta.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(KeyError::Exposed { path: path.to_owned(), mode });
    }
    if meta.len() != KEY_BYTES as u64 {
        return Err(KeyError::Damaged { path: path.to_owned() });
    }
    let made_at = meta.modified().map_err(|source| io_error("look at", path, source))?;
    let mut key = Zeroizing::new([0; KEY_BYTES]);
    file.read_exact(&mut key[..]).map_err(|source| io_error("read", path, source))?;
    Ok(Master { key, made_at: made_at.into() })
}

/// Makes a new key for an epoch. Where another process was first, its key is the key.
pub(super) fn create(folder: &Path, epoch: usize) -> Result<(), KeyError> {
    let mut key = Zeroizing::new([0; KEY_BYTES]);
    getrandom::fill(&mut key[..]).map_err(KeyError::NoRandomness)?;
    put(folder, epoch, &Master { key, made_at: Utc::now() })
}

/// Writes the key of an epoch, unless there is one.
pub(super) fn put(folder: &Path, epoch: usize, master: &Master) -> Result<(), KeyError> {
    write_new(&folder.join(name(epoch)), &master.key[..], Some(master.made_at))
        .or_else(|error| error.is_there().then_some(()).ok_or(error))
}

/// Writes a file that only its owner reads under a name of its own, then links it to `path`: the
/// link either shows a whole file or fails because there is one.
pub(super) fn write_new(
    path: &Path,
    bytes: &[u8],
    made_at: Option<DateTime<Utc>>,
) -> Result<(), KeyError> {
    let folder = path.parent().unwrap_or_else(|| Path::new("."));
    let temporary = temporary(path)?;
    let made = write(&temporary, bytes, made_at).and_then(|()| {
        fs::hard_link(&temporary, path).map_err(|source| io_error("create", path, source))
    });
    let removed = fs::remove_file(&temporary);
    made?;
    removed.map_err(|source| io_error("remove", &temporary, source))?;
    save(folder)
}

/// Writes a file that only its owner reads in the place of one of the same name.
pub(super) fn write_over(path: &Path, bytes: &[u8]) -> Result<(), KeyError> {
    let temporary = temporary(path)?;
    write(&temporary, bytes, None)?;
    fs::rename(&temporary, path).map_err(|source| io_error("write", path, source))?;
    save(path.parent().unwrap_or_else(|| Path::new(".")))
}

/// Gives the key files names under which nobody looks for keys.
pub(super) fn set_aside(folder: &Path) -> Result<(), KeyError> {
    let at = Utc::now().format("%Y%m%dT%H%M%S");
    for epoch in epochs(folder)? {
        let (from, to) = (folder.join(name(epoch)), folder.join(format!("aside-{at}-{epoch}.key")));
        // A link fails where there is one of that name, in whose place a rename would put it.
        fs::hard_link(&from, &to).map_err(|source| io_error("create", &to, source))?;
        fs::remove_file(&from).map_err(|source| io_error("remove", &from, source))?;
    }
    save(folder)
}

fn temporary(path: &Path) -> Result<PathBuf, KeyError> {
    let mut tag = [0; 8];
    getrandom::fill(&mut tag).map_err(KeyError::NoRandomness)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    Ok(path.with_file_name(format!(".{name}.{}", connectors::files::hex(&tag))))
}

fn write(path: &Path, bytes: &[u8], made_at: Option<DateTime<Utc>>) -> Result<(), KeyError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    let mut file = options.open(path).map_err(|source| io_error("create", path, source))?;
    file.write_all(bytes)
        .and_then(|()| match made_at {
            Some(at) => file.set_times(FileTimes::new().set_modified(at.into())),
            None => Ok(()),
        })
        .and_then(|()| file.sync_all())
        .map_err(|source| io_error("write", path, source))
}

fn save(folder: &Path) -> Result<(), KeyError> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let saved = File::open(folder).and_then(|folder| folder.sync_all());
    saved.map_err(|source| io_error("save", folder, source))
}

pub(super) fn io_error(action: &'static str, path: &Path, source: io::Error) -> KeyError {
    KeyError::Io { action, path: path.to_owned(), source }
}
