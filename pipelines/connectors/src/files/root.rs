//! Where files are: a folder of this machine, or a prefix of an object store; and what is asked of
//! either to find out which files hold a table.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use object_store::ObjectMeta;

use super::bucket::{Bucket, Object};
use super::sums::{self, State, Sum};

/// The longest manifest of a store, some 800,000 files.
const MANIFEST_BYTES: u64 = 64 << 20;

/// Where files are.
#[derive(Debug, Clone)]
pub enum Root {
    /// A folder of this machine.
    Folder(PathBuf),
    /// A prefix of an object store.
    Bucket(Bucket),
}

impl From<&PathBuf> for Root {
    fn from(folder: &PathBuf) -> Self {
        Self::Folder(folder.clone())
    }
}

impl From<&Path> for Root {
    fn from(folder: &Path) -> Self {
        Self::Folder(folder.to_owned())
    }
}

impl From<&Root> for Root {
    fn from(root: &Root) -> Self {
        root.clone()
    }
}

/// One file of a root.
#[derive(Debug, Clone)]
pub(super) enum At {
    Path(PathBuf),
    Object(Object),
}

/// What is at a place.
pub(super) enum Found {
    Nothing,
    Folder,
    File,
}

/// A root while the files of one table are looked for: a store's folder is listed once.
pub(super) struct View {
    root: Root,
    listed: RefCell<BTreeMap<String, BTreeMap<String, ObjectMeta>>>,
}

impl View {
    pub(super) fn new(root: Root) -> Self {
        Self { root, listed: RefCell::default() }
    }

    /// What is at a place that is a file's.
    pub(super) fn look(&self, place: &str) -> io::Result<Found> {
        match &self.root {
            Root::Folder(root) => match std::fs::metadata(root.join(place)) {
                Ok(meta) if meta.is_dir() => Ok(Found::Folder),
                Ok(_) => Ok(Found::File),
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Found::Nothing),
                Err(error) => Err(error),
            },
            Root::Bucket(bucket) => match self.object(place)? {
                Some(_) => Ok(Found::File),
                None if bucket.list(place)?.is_empty() => Ok(Found::Nothing),
                None => Ok(Found::Folder),
            },
        }
    }

    /// The names of a folder's files that fit; none where there is no such folder.
    pub(super) fn names(
        &self,
        folder: &str,
        fits: impl Fn(&str) -> bool,
    ) -> io::Result<Vec<String>> {
        let Root::Folder(root) = &self.root else {
            self.list(folder)?;
            let listed = self.listed.borrow();
            let names = listed.get(folder).into_iter().flat_map(BTreeMap::keys);
            return Ok(names.filter(|name| fits(name)).cloned().collect());
        };
        let entries = match std::fs::read_dir(root.join(folder)) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut names = Vec::new();
        for entry in entries {
            let entry = entry?;
            let name = entry.file_name();
            let Some(name) = name.to_str() else { continue };
            if fits(name) && entry.path().is_file() {
                names.push(name.to_owned());
            }
        }
        names.sort();
        Ok(names)
    }

    /// Whether something is at a place.
    pub(super) fn is_there(&self, place: &str) -> io::Result<bool> {
        match &self.root {
            Root::Folder(root) => Ok(root.join(place).exists()),
            Root::Bucket(_) => Ok(self.object(place)?.is_some()),
        }
    }

    /// When a file was written to.
    pub(super) fn written(&self, place: &str) -> io::Result<SystemTime> {
        match self.at(place)? {
            At::Path(path) => std::fs::metadata(path)?.modified(),
            At::Object(object) => Ok(object.meta.last_modified.into()),
        }
    }

    /// A small text; `None` where it is not there.
    pub(super) fn text(&self, place: &str) -> io::Result<Option<String>> {
        let Root::Folder(root) = &self.root else {
            let Some(object) = self.object(place)? else { return Ok(None) };
            if object.meta.size > MANIFEST_BYTES {
                return Err(io::ErrorKind::FileTooLarge.into());
            }
            let bytes = object.bytes(0..object.meta.size)?;
            let text = String::from_utf8(bytes.into());
            return text.map(Some).map_err(|_| io::ErrorKind::InvalidData.into());
        };
        match std::fs::read_to_string(root.join(place)) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// A file that is there.
    pub(super) fn at(&self, place: &str) -> io::Result<At> {
        match &self.root {
            Root::Folder(root) => Ok(At::Path(root.join(place))),
            Root::Bucket(_) => match self.object(place)? {
                Some(object) => Ok(At::Object(object)),
                None => Err(io::ErrorKind::NotFound.into()),
            },
        }
    }

    /// The object at a place, from the listing of its folder where there is one.
    fn object(&self, place: &str) -> io::Result<Option<Object>> {
        let Root::Bucket(bucket) = &self.root else { return Ok(None) };
        let (folder, name) = super::split(place);
        if let Some(listed) = self.listed.borrow().get(folder) {
            return listed.get(name).map_or(Ok(None), |meta| bucket.listed(meta));
        }
        bucket.find(place)
    }

    fn list(&self, folder: &str) -> io::Result<()> {
        let Root::Bucket(bucket) = &self.root else { return Ok(()) };
        let mut listed = self.listed.borrow_mut();
        if !listed.contains_key(folder) {
            listed.insert(folder.to_owned(), bucket.list(folder)?.into_iter().collect());
        }
        Ok(())
    }
}

impl At {
    /// The sum of its bytes, and the state that stands for it where it is of this machine.
    pub(super) fn sum(&self) -> io::Result<(Sum, Option<State>)> {
        match self {
            Self::Path(path) => sums::of(path),
            Self::Object(object) => Ok((object.sum()?, None)),
        }
    }
}
