//! A prefix of an object store, as a place of files.
//!
//! Nothing of it is put down here, and nothing is written there. An object is named by its `ETag`:
//! every read asks for that one, so an object that was written anew meanwhile is noticed at once. Its
//! sum is taken by reading it once, and kept for as long as the bucket is held open.
//!
//! Readers wait on threads of their own for what the store sends; on a thread of the runtime they
//! would panic.

use std::collections::HashMap;
use std::fmt;
use std::io::{self, Read};
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::{Buf, Bytes};
use object_store::path::Path;
use object_store::{Error, GetOptions, GetRange, ObjectMeta, ObjectStore, ObjectStoreExt};
use sha2::{Digest, Sha256};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use super::{ChangedFile, Sum};

/// How much is asked for at once.
const BLOCK_BYTES: u64 = 4 << 20;

/// How much is asked for first: the head of a file is often all that is looked at.
const FIRST_BYTES: u64 = 256 << 10;

/// An object store, from a prefix on.
#[derive(Clone)]
pub struct Bucket(Arc<Opened>);

struct Opened {
    store: Arc<dyn ObjectStore>,
    prefix: String,
    runtime: Handle,
    /// Sums of objects, by path and `ETag`.
    sums: Mutex<HashMap<(Path, String), Sum>>,
}

impl fmt::Debug for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bucket").field("prefix", &self.0.prefix).finish_non_exhaustive()
    }
}

/// One object, as it was when it was looked at.
#[derive(Debug, Clone)]
pub(super) struct Object {
    bucket: Bucket,
    pub(super) meta: ObjectMeta,
    tag: String,
}

impl Bucket {
    /// What is below a prefix of a store. It is waited for on the runtime that is current.
    pub fn over(store: Arc<dyn ObjectStore>, prefix: &str) -> Self {
        let (prefix, runtime) = (prefix.trim_matches('/').to_owned(), Handle::current());
        Self(Arc::new(Opened { store, prefix, runtime, sums: Mutex::default() }))
    }

    fn path(&self, place: &str) -> io::Result<Path> {
        let prefix = &self.0.prefix;
        let path = Path::parse(if prefix.is_empty() {
            place.to_owned()
        } else {
            format!("{prefix}/{place}")
        });
        path.map_err(|_| io::ErrorKind::InvalidInput.into())
    }

    /// The objects of a folder, by name; without those of folders in it.
    pub(super) fn list(&self, folder: &str) -> io::Result<Vec<(String, ObjectMeta)>> {
        let path = self.path(folder)?;
        let listing = self.0.store.list_with_delimiter(Some(&path));
        let listing = self.0.runtime.block_on(listing).map_err(told)?;
        let named = |meta: ObjectMeta| {
            let name = meta.location.filename().unwrap_or_default().to_owned();
            (name, meta)
        };
        Ok(listing.objects.into_iter().map(named).collect())
    }

    /// What is at a place; `None` where nothing is.
    pub(super) fn find(&self, place: &str) -> io::Result<Option<Object>> {
        self.head(&self.path(place)?)
    }

    /// What was listed; `None` where it is gone.
    pub(super) fn listed(&self, meta: &ObjectMeta) -> io::Result<Option<Object>> {
        match meta.e_tag.clone() {
            Some(tag) => Ok(Some(Object { bucket: self.clone(), meta: meta.clone(), tag })),
            // Some stores name the bytes only where they are asked for one object.
            None => self.head(&meta.location),
        }
    }

    fn head(&self, path: &Path) -> io::Result<Option<Object>> {
        let meta = match self.0.runtime.block_on(self.0.store.head(path)) {
            Ok(meta) => meta,
            Err(Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(told(error)),
        };
        // Without a name for its bytes nobody could tell whether they changed.
        let tag = meta.e_tag.clone();
        let tag = tag.ok_or_else(|| io::Error::other("the store names no ETag of its objects"))?;
        Ok(Some(Object { bucket: self.clone(), meta, tag }))
    }
}

impl Object {
    /// SHA-256 of its bytes, which are read once.
    pub(super) fn sum(&self) -> io::Result<Sum> {
        // Sums are whole whoever panicked.
        let sums = || self.bucket.0.sums.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (self.meta.location.clone(), self.tag.clone());
        if let Some(sum) = sums().get(&key) {
            return Ok(*sum);
        }
        let mut hasher = Sha256::new();
        io::copy(&mut self.reader(0), &mut hasher)?;
        let sum = hasher.finalize().into();
        sums().insert(key, sum);
        Ok(sum)
    }

    /// Whether the store still has it as it was.
    pub(super) fn is_same(&self) -> io::Result<bool> {
        let now = self.bucket.0.store.head(&self.meta.location);
        match self.bucket.0.runtime.block_on(now) {
            Ok(now) => Ok(now.e_tag.as_ref() == Some(&self.tag) && now.size == self.meta.size),
            Err(Error::NotFound { .. }) => Ok(false),
            Err(error) => Err(told(error)),
        }
    }

    /// Its bytes from one on.
    pub(super) fn reader(&self, from: u64) -> ObjectReader {
        let (block, is_begun) = (Bytes::new(), false);
        ObjectReader { object: self.clone(), next: from, ahead: None, block, is_begun }
    }

    /// Some of its bytes.
    pub(super) fn bytes(&self, range: Range<u64>) -> io::Result<Bytes> {
        let bytes = self.bucket.0.runtime.block_on(self.fetch(range.clone()))?;
        if bytes.len() as u64 == range.end - range.start {
            Ok(bytes)
        } else {
            Err(io::ErrorKind::UnexpectedEof.into())
        }
    }

    fn fetch(&self, range: Range<u64>) -> impl Future<Output = io::Result<Bytes>> + Send + 'static {
        let store = Arc::clone(&self.bucket.0.store);
        let location = self.meta.location.clone();
        let options = GetOptions {
            if_match: Some(self.tag.clone()),
            range: Some(GetRange::Bounded(range.clone())),
            ..GetOptions::default()
        };
        async move {
            if range.is_empty() {
                return Ok(Bytes::new());
            }
            let got = store.get_opts(&location, options).await.map_err(told)?;
            got.bytes().await.map_err(told)
        }
    }
}

/// Reads an object from one byte on; from the second block on one is on its way while another is
/// read.
#[derive(Debug)]
pub(super) struct ObjectReader {
    object: Object,
    /// The first byte that was not asked for.
    next: u64,
    ahead: Option<JoinHandle<io::Result<Bytes>>>,
    block: Bytes,
    is_begun: bool,
}

impl ObjectReader {
    fn ask(&mut self) -> Option<JoinHandle<io::Result<Bytes>>> {
        let wanted = if self.is_begun { BLOCK_BYTES } else { FIRST_BYTES };
        let end = self.object.meta.size.min(self.next + wanted);
        if self.next >= end {
            return None;
        }
        let fetch = self.object.fetch(self.next..end);
        self.next = end;
        Some(self.object.bucket.0.runtime.spawn(fetch))
    }
}

impl Read for ObjectReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.block.is_empty() && !buffer.is_empty() {
            let Some(arriving) = self.ahead.take().or_else(|| self.ask()) else { return Ok(0) };
            if std::mem::replace(&mut self.is_begun, true) {
                self.ahead = self.ask();
            }
            let arrived = self.object.bucket.0.runtime.block_on(arriving);
            self.block = arrived.map_err(|_| io::Error::other("reading was stopped"))??;
            if self.block.is_empty() {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        let read = self.block.len().min(buffer.len());
        self.block.copy_to_slice(&mut buffer[..read]);
        Ok(read)
    }
}

impl Drop for ObjectReader {
    fn drop(&mut self) {
        if let Some(ahead) = &self.ahead {
            ahead.abort();
        }
    }
}

/// What the store says is not kept: it shows addresses and what was asked.
fn told(error: Error) -> io::Error {
    match error {
        Error::NotFound { .. } | Error::Precondition { .. } => io::Error::other(ChangedFile),
        Error::PermissionDenied { .. } | Error::Unauthenticated { .. } => io::Error::new(
            io::ErrorKind::PermissionDenied,
            "the store does not let us read: check `user`, its secret, and its rights",
        ),
        _ => io::Error::other(
            "the store cannot be reached, refuses or failed: check address, network, `user` and secret",
        ),
    }
}

#[cfg(test)]
mod tests;
