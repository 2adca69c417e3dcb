//! Keys for pseudonyms, kept in a folder outside the lake.
//!
//! One master key of 32 random bytes per installation; each domain's key is derived from it
//! (HKDF-SHA-256, RFC 5869), so that tokens of two domains cannot be joined and no list of keys
//! has to be kept. Without a key a hash of an identity number protects nothing: twelve structured
//! digits can be enumerated in minutes.
//!
//! Losing the file means that new tokens no longer match old ones; copying it into the lake, or
//! beside a backup of the lake, undoes the de-identification. This module therefore refuses a
//! folder inside the lake and a file that others may read, and never prints a key.

use std::fmt;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use hkdf::Hkdf;
use sha2::Sha256;
use warehouse::names::is_name;
use warehouse::spec::SourceTable;

/// Name of the key file in its folder.
const FILE: &str = "pseudonym-v1.key";
const KEY_BYTES: usize = 32;
/// Bound into every derived key: a token of another purpose or version never equals one of these.
const PURPOSE: &str = "khoyte/pseudonym/v1/";

/// Derives what names a key; no domain is called so.
const FINGERPRINT: &[u8] = b"khoyte/pseudonym/fingerprint";
const FINGERPRINT_BYTES: usize = 8;

/// Why keys cannot be had. Never carries key material.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file system refused.
    #[error("cannot {action} {path}", path = path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// The system's answer.
        #[source]
        source: io::Error,
    },
    /// Others than the owner may read the key.
    #[error(
        "the key file {path} can be read by others (mode {mode:03o}); run `chmod 600` on it, and \
         make a new key if it may have been copied",
        path = path.display()
    )]
    Exposed {
        /// The key file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Others than the owner may replace files in the key folder.
    #[error(
        "the key folder {path} can be written by others (mode {mode:03o}); run `chmod 700` on it",
        path = path.display()
    )]
    ExposedFolder {
        /// The folder.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The key folder lies in the lake, so that whoever copies the lake has the key.
    #[error("the key folder {path} lies inside the lake; name a folder outside it", path = path.display())]
    InsideLake {
        /// The folder.
        path: PathBuf,
    },
    /// The file is not a key.
    #[error("{path} is not a key file: it must hold exactly 32 bytes", path = path.display())]
    Damaged {
        /// The key file.
        path: PathBuf,
    },
    /// The system gave no random bytes.
    #[error("the system gives no random bytes for a new key: {0}")]
    NoRandomness(getrandom::Error),
    /// A domain that is not a plain name.
    #[error("`{0}` is not a pseudonym domain: use a-z, 0-9 and _, beginning with a letter")]
    NotADomain(String),
}

/// The master key of an installation.
pub struct KeyRing {
    master: [u8; KEY_BYTES],
}

impl KeyRing {
    /// Opens the key in `folder`, or makes folder (mode 0700) and key (mode 0600) when there is
    /// none. Two processes that do so at the same moment end with the same key. `lake` is the
    /// lake's folder, where it is one.
    ///
    /// # Errors
    /// See [`KeyError`].
    pub fn open_or_create(folder: &Path, lake: Option<&Path>) -> Result<Self, KeyError> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .map_err(|source| io_error("create", folder, source))?;
        check_folder(folder, lake)?;
        let path = folder.join(FILE);
        if let Some(master) = read(&path)? {
            return Ok(Self { master });
        }
        create(folder, &path)?;
        // What another process put there first is the key, not ours.
        Self::open(folder, lake)
    }

    /// Opens the key in `folder`, which must be there: for an installation that already holds
    /// tokens, where a new key would silently break every link.
    ///
    /// # Errors
    /// See [`KeyError`].
    pub fn open(folder: &Path, lake: Option<&Path>) -> Result<Self, KeyError> {
        check_folder(folder, lake)?;
        let path = folder.join(FILE);
        match read(&path)? {
            Some(master) => Ok(Self { master }),
            None => Err(io_error("open", &path, ErrorKind::NotFound.into())),
        }
    }

    /// A ring with a fixed key, for tests.
    #[cfg(test)]
    pub(crate) fn from_bytes(master: [u8; KEY_BYTES]) -> Self {
        Self { master }
    }

    /// What tells this key from another, and nothing of it.
    pub fn fingerprint(&self) -> String {
        let mut print = [0; FINGERPRINT_BYTES];
        Hkdf::<Sha256>::new(None, &self.master)
            .expand(FINGERPRINT, &mut print)
            .expect("8 bytes are fewer than the 8,160 that HKDF-SHA-256 can give");
        connectors::files::hex(&print)
    }

    /// Its fingerprint, where a table holds pseudonyms.
    pub fn of(&self, table: &SourceTable) -> Option<String> {
        table.has_pseudonyms().then(|| self.fingerprint())
    }

    /// The key of one domain (`nguoi_benh`, `the_bhyt`, …).
    ///
    /// # Errors
    /// When `domain` is not a plain name.
    pub fn domain(&self, domain: &str) -> Result<DomainKey, KeyError> {
        if !is_name(domain) {
            return Err(KeyError::NotADomain(domain.to_owned()));
        }
        let mut key = [0; KEY_BYTES];
        Hkdf::<Sha256>::new(None, &self.master)
            .expand_multi_info(&[PURPOSE.as_bytes(), domain.as_bytes()], &mut key)
            .expect("32 bytes are fewer than the 8,160 that HKDF-SHA-256 can give");
        Ok(DomainKey { key })
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyRing(secret)")
    }
}

/// The key of one pseudonym domain.
pub struct DomainKey {
    key: [u8; KEY_BYTES],
}

impl DomainKey {
    pub(super) fn bytes(&self) -> &[u8] {
        &self.key
    }
}

impl fmt::Debug for DomainKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DomainKey(secret)")
    }
}

fn check_folder(folder: &Path, lake: Option<&Path>) -> Result<(), KeyError> {
    let meta = fs::metadata(folder).map_err(|source| io_error("look at", folder, source))?;
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

fn read(path: &Path) -> Result<Option<[u8; KEY_BYTES]>, KeyError> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(io_error("open", path, source)),
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
    let mut master = [0; KEY_BYTES];
    file.read_exact(&mut master).map_err(|source| io_error("read", path, source))?;
    Ok(Some(master))
}

/// Writes a new key under a name of its own, then links it to `path`: the link either shows a
/// whole key or fails because another process was first.
fn create(folder: &Path, path: &Path) -> Result<(), KeyError> {
    let mut random = [0; KEY_BYTES + 8];
    getrandom::fill(&mut random).map_err(KeyError::NoRandomness)?;
    let (master, tag) = random.split_at(KEY_BYTES);
    let tag: String = tag.iter().map(|byte| format!("{byte:02x}")).collect();
    let temporary = folder.join(format!(".{FILE}.{tag}"));
    let made = write_and_link(&temporary, path, master);
    let removed = fs::remove_file(&temporary);
    made?;
    removed.map_err(|source| io_error("remove", &temporary, source))?;
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(|source| io_error("save", folder, source))
}

fn write_and_link(temporary: &Path, path: &Path, master: &[u8]) -> Result<(), KeyError> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(temporary)
        .map_err(|source| io_error("create", temporary, source))?;
    file.write_all(master)
        .and_then(|()| file.sync_all())
        .map_err(|source| io_error("write", temporary, source))?;
    match fs::hard_link(temporary, path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        linked => linked.map_err(|source| io_error("create", path, source)),
    }
}

fn io_error(action: &'static str, path: &Path, source: io::Error) -> KeyError {
    KeyError::Io { action, path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::thread;

    use super::*;

    #[test]
    fn processes_that_start_together_agree_on_one_key() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("a/keys");
        let keys: BTreeSet<[u8; KEY_BYTES]> = thread::scope(|scope| {
            let all: Vec<_> = (0..8)
                .map(|_| scope.spawn(|| KeyRing::open_or_create(&folder, None).unwrap().master))
                .collect();
            all.into_iter().map(|one| one.join().unwrap()).collect()
        });
        assert_eq!(keys.len(), 1);
        let left: Vec<_> = fs::read_dir(&folder).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert_eq!(left, vec![FILE]);
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&folder), mode(&folder.join(FILE))), (0o700, 0o600));
    }

    #[test]
    fn an_exposed_or_damaged_key_is_refused() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("keys");
        KeyRing::open_or_create(&folder, None).unwrap();
        let path = folder.join(FILE);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let error = KeyRing::open(&folder, None).unwrap_err();
        assert!(matches!(error, KeyError::Exposed { mode: 0o644, .. }));
        assert!(error.to_string().contains("chmod 600"));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(&path, b"short").unwrap();
        assert!(matches!(KeyRing::open(&folder, None), Err(KeyError::Damaged { .. })));
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o777)).unwrap();
        assert!(matches!(KeyRing::open(&folder, None), Err(KeyError::ExposedFolder { .. })));
    }

    #[test]
    fn a_key_inside_the_lake_is_refused_and_a_missing_one_is_not_made_by_open() {
        let lake = tempfile::tempdir().unwrap();
        let folder = lake.path().join("keys");
        assert!(matches!(
            KeyRing::open_or_create(&folder, Some(lake.path())),
            Err(KeyError::InsideLake { .. })
        ));
        assert!(!folder.join(FILE).exists());
        assert!(matches!(KeyRing::open(&folder, None), Err(KeyError::Io { .. })));
    }

    #[test]
    fn domains_have_different_keys_and_nothing_prints_them() {
        let ring = KeyRing::from_bytes([1; KEY_BYTES]);
        let one = ring.domain("nguoi_benh").unwrap();
        assert_ne!(one.key, ring.domain("nhan_vien").unwrap().key);
        assert_eq!(one.key, ring.domain("nguoi_benh").unwrap().key);
        assert!(matches!(ring.domain("Người bệnh"), Err(KeyError::NotADomain(_))));
        assert_eq!(format!("{ring:?} {one:?}"), "KeyRing(secret) DomainKey(secret)");
    }
}
