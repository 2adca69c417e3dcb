//! Keys for pseudonyms, kept in a folder outside the lake.
//!
//! An installation has a master key of 32 random bytes, and one more for each time that it was
//! rotated: the epochs. Each domain's key is derived from a master (HKDF-SHA-256, RFC 5869), so that
//! tokens of two domains cannot be joined and no list of keys has to be kept. Without a key a hash
//! of an identity number protects nothing: twelve structured digits can be enumerated in minutes.
//!
//! A token of a later epoch is made from that of the epoch before it ([`super::pseudonym`]), so that
//! the tokens in a lake can be made anew without any identifier, and the keys of all epochs are
//! needed for a new one. A fingerprint names a key together with all before it.
//!
//! Losing a key means that new tokens no longer match old ones; copying it into the lake, or beside
//! a backup of the lake, undoes the de-identification. This module therefore refuses a folder inside
//! the lake and a file that others may read, and never prints a key.

mod backup;
mod folder;

use std::fmt;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use warehouse::names::is_name;
use warehouse::spec::SourceTable;
use zeroize::Zeroizing;

pub use self::backup::{Backup, BackupRecord, last_backup};

const KEY_BYTES: usize = 32;
/// Bound into every derived key: a token of another purpose or version never equals one of these.
const PURPOSE: &str = "khoyte/pseudonym/v1/";

/// Derives what names a key; no domain is called so.
const FINGERPRINT: &[u8] = b"khoyte/pseudonym/fingerprint";
const FINGERPRINT_BYTES: usize = 8;

/// Derives the key that batches are named with.
const BATCH: &[u8] = b"khoyte/batch/v1";

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
    /// There is no key at all.
    #[error("there is no key in {folder}", folder = folder.display())]
    Absent {
        /// The folder.
        folder: PathBuf,
    },
    /// The key of a later epoch is there, and this one is not.
    #[error("{path} is gone, and later keys are of no use without it", path = path.display())]
    Missing {
        /// The key file.
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
    /// A backup would lie with what it must be kept apart from.
    #[error(
        "a backup of the keys in {path} would be copied together with what is in {never}; keep it \
         apart from the lake and from this machine",
        path = path.display(),
        never = never.display()
    )]
    BackupPlace {
        /// The file that was named.
        path: PathBuf,
        /// The folder in which it may not lie.
        never: PathBuf,
    },
    /// The file is no backup, or not as it was written.
    #[error("{path} is not a whole backup of keys", path = path.display())]
    NotABackup {
        /// The file.
        path: PathBuf,
    },
    /// The key folder holds other keys than the backup.
    #[error(
        "{folder} holds another key than the backup; move it away before you restore",
        folder = folder.display()
    )]
    OtherKeys {
        /// The folder.
        folder: PathBuf,
    },
}

impl KeyError {
    /// Whether a file was to be made that is there already.
    pub fn is_there(&self) -> bool {
        matches!(self, Self::Io { source, .. } if source.kind() == ErrorKind::AlreadyExists)
    }
}

/// The key of one epoch.
struct Master {
    key: Zeroizing<[u8; KEY_BYTES]>,
    made_at: DateTime<Utc>,
}

/// What may be told of an epoch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Epoch {
    /// Its number, from 1.
    pub number: usize,
    /// What tells its key, with all before it, from others.
    pub fingerprint: String,
    /// When the key was made.
    pub made_at: DateTime<Utc>,
}

/// The keys of an installation, of all epochs.
pub struct KeyRing {
    /// The first epoch first; at least one.
    masters: Vec<Master>,
    is_new: bool,
}

impl KeyRing {
    /// Opens the keys in `folder`, or makes folder (mode 0700) and first key (mode 0600) when there
    /// is none. Two processes that do so at the same moment end with the same key. `lake` is the
    /// lake's folder, where it is one.
    ///
    /// # Errors
    /// See [`KeyError`].
    pub fn open_or_create(folder: &Path, lake: Option<&Path>) -> Result<Self, KeyError> {
        folder::make(folder)?;
        match Self::open(folder, lake) {
            Err(KeyError::Absent { .. }) => {}
            opened => return opened,
        }
        folder::create(folder, 1)?;
        // What another process put there first is the key, not ours.
        Ok(Self { is_new: true, ..Self::open(folder, lake)? })
    }

    /// Opens the keys in `folder`, which must be there: for an installation that already holds
    /// tokens, where a new key would silently break every link.
    ///
    /// # Errors
    /// See [`KeyError`].
    pub fn open(folder: &Path, lake: Option<&Path>) -> Result<Self, KeyError> {
        folder::check(folder, lake)?;
        Ok(Self { masters: folder::read_all(folder)?, is_new: false })
    }

    /// The same with the key of one more epoch, which is made.
    ///
    /// # Errors
    /// See [`KeyError`].
    pub fn with_new_epoch(self, folder: &Path, lake: Option<&Path>) -> Result<Self, KeyError> {
        folder::check(folder, lake)?;
        folder::create(folder, self.masters.len() + 1)?;
        Self::open(folder, lake)
    }

    /// A first key in the place of all that there are, which get other names.
    ///
    /// # Errors
    /// See [`KeyError`].
    pub fn begin_anew(folder: &Path, lake: Option<&Path>) -> Result<Self, KeyError> {
        folder::make(folder)?;
        folder::check(folder, lake)?;
        folder::set_aside(folder)?;
        Self::open_or_create(folder, lake)
    }

    /// Keys that are fixed, for tests.
    #[cfg(test)]
    pub(crate) fn from_bytes(masters: &[[u8; KEY_BYTES]]) -> Self {
        let master = |key: &[u8; KEY_BYTES]| Master {
            key: Zeroizing::new(*key),
            made_at: DateTime::UNIX_EPOCH,
        };
        Self { masters: masters.iter().map(master).collect(), is_new: false }
    }

    /// Whether the key was made just now, where there was none.
    pub fn is_new(&self) -> bool {
        self.is_new
    }

    /// What may be told of the epochs, the first first.
    pub fn epochs(&self) -> impl Iterator<Item = Epoch> {
        let mut before = String::new();
        self.masters.iter().enumerate().map(move |(at, master)| {
            let mut print = [0; FINGERPRINT_BYTES];
            Hkdf::<Sha256>::new(None, &master.key[..])
                .expand_multi_info(&[FINGERPRINT, before.as_bytes()], &mut print)
                .expect("8 bytes are fewer than the 8,160 that HKDF-SHA-256 can give");
            before = connectors::files::hex(&print);
            Epoch { number: at + 1, fingerprint: before.clone(), made_at: master.made_at }
        })
    }

    /// The newest epoch: new tokens are of it.
    pub fn newest(&self) -> Epoch {
        self.epochs().last().expect("there is at least one epoch")
    }

    /// What tells these keys from others, and nothing of them.
    pub fn fingerprint(&self) -> String {
        self.newest().fingerprint
    }

    /// The number of the epoch of which a fingerprint is; that of the first, where tokens were made
    /// before fingerprints were noted.
    pub fn epoch_of(&self, fingerprint: Option<&str>) -> Option<usize> {
        let Some(print) = fingerprint else { return Some(1) };
        self.epochs().find(|epoch| epoch.fingerprint == print).map(|epoch| epoch.number)
    }

    /// Its fingerprint, where a table holds pseudonyms.
    pub fn of(&self, table: &SourceTable) -> Option<String> {
        table.has_pseudonyms().then(|| self.fingerprint())
    }

    /// The keys of one domain (`nguoi_benh`, `the_bhyt`, …).
    ///
    /// # Errors
    /// When `domain` is not a plain name.
    pub fn domain(&self, domain: &str) -> Result<DomainKeys, KeyError> {
        if !is_name(domain) {
            return Err(KeyError::NotADomain(domain.to_owned()));
        }
        let derive = |master: &Master| derived(master, &[PURPOSE.as_bytes(), domain.as_bytes()]);
        Ok(DomainKeys { epochs: self.masters.iter().map(derive).collect() })
    }

    /// What a batch made from `text` is named, by the key of each epoch, the newest first: whoever
    /// guesses the text cannot test the guess against the name.
    pub fn batch_names(&self, text: &str) -> impl Iterator<Item = String> {
        self.masters.iter().rev().map(move |master| {
            let key = derived(master, &[BATCH]);
            let keyed = Hmac::<Sha256>::new_from_slice(&key[..]);
            let mut keyed = keyed.expect("HMAC takes a key of any length");
            keyed.update(text.as_bytes());
            connectors::files::hex(&keyed.finalize().into_bytes())
        })
    }
}

fn derived(master: &Master, info: &[&[u8]]) -> Zeroizing<[u8; KEY_BYTES]> {
    let mut key = Zeroizing::new([0; KEY_BYTES]);
    Hkdf::<Sha256>::new(None, &master.key[..])
        .expand_multi_info(info, &mut key[..])
        .expect("32 bytes are fewer than the 8,160 that HKDF-SHA-256 can give");
    key
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyRing(secret)")
    }
}

/// The keys of one pseudonym domain, of all epochs.
pub struct DomainKeys {
    epochs: Vec<Zeroizing<[u8; KEY_BYTES]>>,
}

impl DomainKeys {
    /// The first epoch first.
    pub(super) fn bytes(&self) -> impl Iterator<Item = &[u8]> {
        self.epochs.iter().map(|key| &key[..])
    }
}

impl fmt::Debug for DomainKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DomainKeys(secret)")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;
    use std::thread;

    use super::*;

    #[test]
    fn processes_that_start_together_agree_on_one_key() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("a/keys");
        let keys: BTreeSet<[u8; KEY_BYTES]> = thread::scope(|scope| {
            let open = || *KeyRing::open_or_create(&folder, None).unwrap().masters[0].key;
            let all: Vec<_> = (0..8).map(|_| scope.spawn(open)).collect();
            all.into_iter().map(|one| one.join().unwrap()).collect()
        });
        assert_eq!(keys.len(), 1);
        let left: Vec<_> = fs::read_dir(&folder).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert_eq!(left, vec![folder::name(1).as_str()]);
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&folder), mode(&folder.join(folder::name(1)))), (0o700, 0o600));
    }

    #[test]
    fn an_exposed_or_damaged_key_is_refused() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("keys");
        KeyRing::open_or_create(&folder, None).unwrap();
        let path = folder.join(folder::name(1));
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
        assert!(!folder.join(folder::name(1)).exists());
        assert!(matches!(KeyRing::open(&folder, None), Err(KeyError::Absent { .. })));
    }

    #[test]
    fn a_later_key_without_an_earlier_one_is_refused_and_never_made_anew() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("keys");
        let ring = KeyRing::open_or_create(&folder, None).unwrap();
        let first = ring.fingerprint();
        let ring = ring.with_new_epoch(&folder, None).unwrap();
        let numbers: Vec<usize> = ring.epochs().map(|epoch| epoch.number).collect();
        assert_eq!(numbers, [1, 2]);
        assert_eq!((ring.epoch_of(Some(&first)), ring.epoch_of(None)), (Some(1), Some(1)));
        assert_eq!(ring.epoch_of(Some("0011223344556677")), None);
        fs::remove_file(folder.join(folder::name(1))).unwrap();
        for opened in [KeyRing::open(&folder, None), KeyRing::open_or_create(&folder, None)] {
            assert!(matches!(opened, Err(KeyError::Missing { .. })));
        }
        let anew = KeyRing::begin_anew(&folder, None).unwrap();
        assert_eq!(anew.newest().number, 1);
        assert_ne!(anew.fingerprint(), first);
        // What was there is there still, under another name.
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 2);
    }

    #[test]
    fn a_fingerprint_names_all_keys_up_to_its_own() {
        let print = |masters: &[[u8; KEY_BYTES]]| KeyRing::from_bytes(masters).fingerprint();
        let (a, b, c) = ([1; KEY_BYTES], [2; KEY_BYTES], [3; KEY_BYTES]);
        assert_ne!(print(&[a, c]), print(&[b, c]));
        assert_ne!(print(&[a, c]), print(&[c]));
    }

    #[test]
    fn domains_have_different_keys_and_nothing_prints_them() {
        let ring = KeyRing::from_bytes(&[[1; KEY_BYTES]]);
        let one = ring.domain("nguoi_benh").unwrap();
        assert_ne!(one.epochs, ring.domain("nhan_vien").unwrap().epochs);
        assert_eq!(one.epochs, ring.domain("nguoi_benh").unwrap().epochs);
        assert!(matches!(ring.domain("Người bệnh"), Err(KeyError::NotADomain(_))));
        assert_eq!(format!("{ring:?} {one:?}"), "KeyRing(secret) DomainKeys(secret)");
    }
}
