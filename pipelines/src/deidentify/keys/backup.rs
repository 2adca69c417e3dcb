//! A backup of the keys: one file with those of all epochs, for a place apart from the lake and
//! from this machine.
//!
//! It is a plain text, which can be printed and kept in a safe, and not sealed: a password that
//! seals it could be lost as well. Whoever wants it sealed does so with a tool of their own. The
//! folder of the keys remembers when a backup was made, and of which keys, so that an operator is
//! reminded until there is one.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, Zeroizing};

use super::{KEY_BYTES, KeyError, KeyRing, Master, folder};

/// The file in the key folder that says when a backup was made.
const RECORD: &str = "backup.json";

/// What the first line of a backup says it is.
const KIND: &str = "khoyte pseudonym keys";

/// When a backup was made or used, and of which keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupRecord {
    /// When.
    pub at: DateTime<Utc>,
    /// The fingerprint of the newest key in it.
    pub fingerprint: String,
}

/// What a backup holds.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    kind: String,
    epochs: Vec<WrittenKey>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenKey {
    epoch: usize,
    fingerprint: String,
    made_at: DateTime<Utc>,
    key: String,
}

impl Drop for WrittenKey {
    fn drop(&mut self) {
        self.key.zeroize();
    }
}

impl KeyRing {
    /// Writes a backup to `to`, where there is no file, with mode 0600, and remembers it in the
    /// folder of the keys. `never_in` are folders in which, at any depth, no backup may lie: that of
    /// the lake and what is copied with it, the keys' own, what is served.
    ///
    /// # Errors
    /// When the place is one of these, or the file system refuses.
    pub fn back_up(
        &self,
        keys_folder: &Path,
        to: &Path,
        never_in: &[PathBuf],
    ) -> Result<BackupRecord, KeyError> {
        let parent = to.parent().filter(|parent| !parent.as_os_str().is_empty());
        let parent = parent.unwrap_or_else(|| Path::new("."));
        let real = parent.canonicalize();
        let real = real.map_err(|source| folder::io_error("look at", parent, source))?;
        let keys = std::iter::once(keys_folder);
        for never in keys.chain(never_in.iter().map(PathBuf::as_path)) {
            if never.canonicalize().is_ok_and(|never| real.starts_with(never)) {
                let (path, never) = (to.to_owned(), never.to_owned());
                return Err(KeyError::BackupPlace { path, never });
            }
        }
        let of = |(master, epoch): (&Master, super::Epoch)| WrittenKey {
            epoch: epoch.number,
            fingerprint: epoch.fingerprint,
            made_at: epoch.made_at,
            key: connectors::files::hex(&master.key[..]),
        };
        let epochs = self.masters.iter().zip(self.epochs()).map(of).collect();
        let written = Written { kind: KIND.to_owned(), epochs };
        let text = serde_json::to_string_pretty(&written).expect("a backup has only string keys");
        let text = Zeroizing::new(text + "\n");
        folder::write_new(to, text.as_bytes(), None)?;
        remember(keys_folder, self.fingerprint())
    }
}

/// The newest record of a backup in the folder of the keys.
///
/// # Errors
/// When the record cannot be read. One that is no record says nothing.
pub fn last_backup(keys_folder: &Path) -> Result<Option<BackupRecord>, KeyError> {
    let path = keys_folder.join(RECORD);
    match fs::read(&path) {
        Ok(bytes) => Ok(serde_json::from_slice(&bytes).ok()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(source) => Err(folder::io_error("read", &path, source)),
    }
}

fn remember(keys_folder: &Path, fingerprint: String) -> Result<BackupRecord, KeyError> {
    let record = BackupRecord { at: Utc::now(), fingerprint };
    let bytes = serde_json::to_vec(&record).expect("a record has only string keys");
    folder::write_over(&keys_folder.join(RECORD), &bytes)?;
    Ok(record)
}

/// A backup that was read, and found whole.
pub struct Backup {
    ring: KeyRing,
}

impl Backup {
    /// Reads a backup and compares each key with its fingerprint.
    ///
    /// # Errors
    /// When the file cannot be read, or is no backup.
    pub fn read(from: &Path) -> Result<Self, KeyError> {
        let text = fs::read(from).map_err(|source| folder::io_error("read", from, source))?;
        let text = Zeroizing::new(text);
        // What the parser says may quote the file.
        let written = serde_json::from_slice::<Written>(&text).ok();
        let ring = written.as_ref().and_then(ring);
        let ring = ring.ok_or_else(|| KeyError::NotABackup { path: from.to_owned() })?;
        Ok(Self { ring })
    }

    /// The keys in it.
    pub fn keys(&self) -> &KeyRing {
        &self.ring
    }

    /// Puts the keys that are not there into the folder, and remembers that there is a backup of
    /// them. `lake` is the lake's folder, where it is one.
    ///
    /// # Errors
    /// When the folder holds another key, which is nobody's to overwrite, or cannot be written.
    pub fn put_back(self, keys_folder: &Path, lake: Option<&Path>) -> Result<KeyRing, KeyError> {
        folder::make(keys_folder)?;
        folder::check(keys_folder, lake)?;
        for epoch in folder::epochs(keys_folder)? {
            let there = folder::read(keys_folder, epoch)?;
            if self.ring.masters.get(epoch - 1).is_some_and(|master| master.key != there.key) {
                return Err(KeyError::OtherKeys { folder: keys_folder.to_owned() });
            }
        }
        for (at, master) in self.ring.masters.iter().enumerate() {
            folder::put(keys_folder, at + 1, master)?;
        }
        let there = KeyRing::open(keys_folder, lake)?;
        remember(keys_folder, self.ring.fingerprint())?;
        Ok(there)
    }
}

/// The keys of a backup; `None` where one is missing or is not as its fingerprint says.
fn ring(written: &Written) -> Option<KeyRing> {
    let is_whole = written.kind == KIND && !written.epochs.is_empty();
    let masters = written.epochs.iter().map(|written| {
        let key = key_of(&written.key)?;
        Some(Master { key, made_at: written.made_at })
    });
    let ring = KeyRing { masters: masters.collect::<Option<_>>()?, is_new: false };
    let is_told = ring
        .epochs()
        .zip(&written.epochs)
        .all(|(epoch, told)| (epoch.number, &epoch.fingerprint) == (told.epoch, &told.fingerprint));
    (is_whole && is_told).then_some(ring)
}

fn key_of(hex: &str) -> Option<Zeroizing<[u8; KEY_BYTES]>> {
    if hex.len() != 2 * KEY_BYTES || !hex.is_ascii() {
        return None;
    }
    let mut key = Zeroizing::new([0; KEY_BYTES]);
    for (at, byte) in key.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).ok()?;
    }
    Some(key)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn folders() -> (tempfile::TempDir, PathBuf, PathBuf) {
        let home = tempfile::tempdir().unwrap();
        let (data, safe) = (home.path().join("data"), home.path().join("safe"));
        for folder in [data.join("lake"), safe.clone()] {
            fs::create_dir_all(folder).unwrap();
        }
        (home, data, safe)
    }

    #[test]
    fn keys_of_all_epochs_come_back_from_a_backup_as_they_were() {
        let (_home, data, safe) = folders();
        let keys = data.join("keys");
        let ring = KeyRing::open_or_create(&keys, None).unwrap();
        let ring = ring.with_new_epoch(&keys, None).unwrap();
        assert_eq!(last_backup(&keys).unwrap(), None);
        let to = safe.join("keys.json");
        let record = ring.back_up(&keys, &to, std::slice::from_ref(&data)).unwrap();
        assert_eq!(record.fingerprint, ring.fingerprint());
        assert_eq!(last_backup(&keys).unwrap(), Some(record));
        assert_eq!(fs::metadata(&to).unwrap().permissions().mode() & 0o777, 0o600);

        fs::remove_dir_all(&keys).unwrap();
        let there = Backup::read(&to).unwrap().put_back(&keys, None).unwrap();
        let told = |ring: &KeyRing| ring.epochs().collect::<Vec<_>>();
        assert_eq!(told(&there), told(&ring));
        assert_eq!(last_backup(&keys).unwrap().unwrap().fingerprint, ring.fingerprint());
        // What is there already is no reason to refuse; another key is.
        Backup::read(&to).unwrap().put_back(&keys, None).unwrap();
        let other = data.join("other");
        KeyRing::open_or_create(&other, None).unwrap();
        let refused = Backup::read(&to).unwrap().put_back(&other, None);
        assert!(matches!(refused, Err(KeyError::OtherKeys { .. })));
    }

    #[test]
    fn no_backup_lies_with_the_lake_with_the_keys_or_over_a_file() {
        let (_home, data, safe) = folders();
        let keys = data.join("keys");
        let ring = KeyRing::open_or_create(&keys, None).unwrap();
        let never = [data.clone()];
        for place in ["lake/keys.json", "keys/keys.json", "keys.json", "lake/../keys.json"] {
            let refused = ring.back_up(&keys, &data.join(place), &never);
            assert!(matches!(refused, Err(KeyError::BackupPlace { .. })), "{place}");
        }
        fs::write(safe.join("taken"), "of somebody").unwrap();
        let refused = ring.back_up(&keys, &safe.join("taken"), &never).unwrap_err();
        assert!(refused.is_there());
        assert_eq!(fs::read_to_string(safe.join("taken")).unwrap(), "of somebody");
        assert_eq!(fs::read_dir(&safe).unwrap().count(), 1);
    }

    #[test]
    fn what_is_cut_changed_or_no_backup_is_refused() {
        let (_home, data, safe) = folders();
        let keys = data.join("keys");
        let ring = KeyRing::open_or_create(&keys, None).unwrap();
        let to = safe.join("keys.json");
        ring.back_up(&keys, &to, &[]).unwrap();
        let text = fs::read_to_string(&to).unwrap();
        let key = connectors::files::hex(&ring.masters[0].key[..]);
        let other = text.replace(&key, &"ab".repeat(KEY_BYTES));
        for bad in [&text[..text.len() / 2], other.as_str(), "{}", ""] {
            fs::write(&to, bad).unwrap();
            let Err(error) = Backup::read(&to) else { panic!("a bad backup was read") };
            assert!(matches!(error, KeyError::NotABackup { .. }));
            assert!(!format!("{error} {error:?}").contains(&key[..8]));
        }
    }
}
