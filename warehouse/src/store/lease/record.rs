//! The records of a lease: one small object for each time that the lake was taken, named by its
//! number. The number that is highest is the one that counts.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{DynObjectStore, Error, ObjectStore, ObjectStoreExt, PutMode, PutPayload};
use serde::{Deserialize, Serialize};
use url::Url;

use super::LeaseError;

/// The folder of the lake that holds what is about the lake, and the one of leases in it.
pub(super) const ABOUT: &str = "_khoyte";
const NIGHT: &str = "night";

/// The end of a record's name.
const SUFFIX: &str = ".lease";

/// Who took the lake, and until when it is theirs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    /// Host and process.
    pub(super) holder: String,
    /// Random hex: by it a process knows its own record.
    pub(super) token: String,
    /// One more than that of whoever held the lake before.
    pub(super) fence: u64,
    /// When it was taken, by the holder's clock.
    pub(super) taken_at: DateTime<Utc>,
    /// When it lapses unless it is renewed, by the holder's clock.
    pub(super) expires_at: DateTime<Utc>,
    /// When it was given back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) released_at: Option<DateTime<Utc>>,
    /// What tells the holder's machine from others: hashes.
    #[serde(default)]
    pub(super) machine: Vec<String>,
}

impl Record {
    /// Whether it no longer keeps anybody out at `now`, by a clock that may be `skew` ahead of the
    /// holder's.
    pub(super) fn is_over(&self, now: DateTime<Utc>, skew: TimeDelta) -> bool {
        self.released_at.is_some() || now >= self.expires_at + skew
    }

    /// Whether it was written on the machine that has one of `marks`.
    pub(super) fn is_of(&self, marks: &[String]) -> bool {
        self.machine.iter().any(|mark| marks.contains(mark))
    }
}

/// Where the records are; cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Records {
    store: Arc<DynObjectStore>,
    folder: Path,
}

impl Records {
    /// The records of the lake at `root`.
    pub(super) fn new(store: Arc<DynObjectStore>, root: &Url) -> Result<Self, LeaseError> {
        let root = Path::from_url_path(root.path());
        let root = root.map_err(|error| failed("find the lease", Error::from(error)))?;
        Ok(Self { store, folder: root.join(ABOUT).join(NIGHT) })
    }

    fn location(&self, fence: u64) -> Path {
        // As many digits as the largest number has, so that names sort as numbers do.
        let name = format!("{fence:020}{SUFFIX}");
        self.folder.clone().join(name.as_str())
    }

    /// All numbers.
    async fn fences(&self) -> Result<Vec<u64>, LeaseError> {
        let found: Result<Vec<_>, Error> = self.store.list(Some(&self.folder)).try_collect().await;
        let found = found.map_err(|source| failed("look for the lease", source))?;
        let number = |name: &str| name.strip_suffix(SUFFIX)?.parse::<u64>().ok();
        Ok(found.iter().filter_map(|meta| number(meta.location.filename()?)).collect())
    }

    /// The highest number; none where the lake was never taken.
    pub(super) async fn newest(&self) -> Result<Option<u64>, LeaseError> {
        Ok(self.fences().await?.into_iter().max())
    }

    /// The record of a number, where it is there.
    pub(super) async fn read(&self, fence: u64) -> Result<Option<Record>, LeaseError> {
        let location = self.location(fence);
        let failed = |source| failed("read the lease", source);
        let bytes = match self.store.get(&location).await {
            Ok(found) => found.bytes().await.map_err(failed)?,
            Err(Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        let damaged = |_| LeaseError::Damaged { record: location.to_string() };
        serde_json::from_slice(&bytes).map(Some).map_err(damaged)
    }

    /// Writes a record whose number nobody has; `false` where somebody has.
    pub(super) async fn create(&self, record: &Record) -> Result<bool, LeaseError> {
        let (location, mode) = (self.location(record.fence), PutMode::Create);
        match self.store.put_opts(&location, payload(record), mode.into()).await {
            Ok(_) => Ok(true),
            Err(Error::AlreadyExists { .. }) => Ok(false),
            Err(error) => Err(failed("take the lease", error)),
        }
    }

    /// Writes a record in the place of the one of its number, which is the writer's own.
    pub(super) async fn overwrite(&self, record: &Record) -> Result<(), LeaseError> {
        let written = self.store.put(&self.location(record.fence), payload(record)).await;
        written.map(|_| ()).map_err(|source| failed("renew the lease", source))
    }

    /// Removes the records below a number. Whoever finds one that is left passes it over.
    pub(super) async fn forget_below(&self, fence: u64) {
        let Ok(fences) = self.fences().await else { return };
        for old in fences.into_iter().filter(|old| *old < fence) {
            if let Err(error) = self.store.delete(&self.location(old)).await {
                tracing::debug!(%error, "an old record of the lease was left");
            }
        }
    }
}

fn payload(record: &Record) -> PutPayload {
    serde_json::to_vec(record).expect("a record has only string keys").into()
}

fn failed(doing: &'static str, source: Error) -> LeaseError {
    LeaseError::Store { doing, source: Box::new(source) }
}
