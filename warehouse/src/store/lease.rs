//! A lease on the lake, so that one night works at a time, whatever machine it is on.
//!
//! Each time that the lake is taken, a new object is written below `_khoyte/night/` in the lake
//! itself: JSON, named by a number that is one more than the last (`00000000000000000007.lease`),
//! and written only if there is none of that name. This is the one condition that a lake needs of
//! its store anyway, because Delta commits in the same way; folders and buckets know it alike. Of
//! two that want the same number, one gets it. The holder says every [`RENEWED_SECS`] that it is
//! still there, by overwriting its own object: nobody else ever writes under that number, so no
//! condition is needed. The object lapses [`LASTS_SECS`] after it was last written, and is left as
//! given back when the lease is released, so that the numbers go on.
//!
//! Holder and newcomer write first and look afterwards. A holder that was late sees the higher
//! number and has lost; a newcomer that took the number of a lapsed lease sees that it was renewed
//! meanwhile and withdraws. At least one of them sees the other, for what is written is seen by
//! whoever looks later: so say S3 and every local file system.
//!
//! In a folder there is a lock of the machine beside (`_khoyte/night.lock`), which ends with its
//! process. With it the lease of a killed night of this machine is free at once; without it, as in
//! a bucket, the next night waits until it has lapsed. Locks of a network mount may be known to one
//! machine only: then the object still keeps the others out, as long as the mount shows new files
//! at once.
//!
//! Clocks of two machines may differ by [`SKEW_SECS`]: so much later than it says is a lease taken
//! for lapsed. A holder asks its own steady clock, from before it last asked to renew, and its
//! calendar as well, because the steady one stands still while a machine sleeps.
//!
//! [`Lease::check`] is asked by [`Lake::write`] before it begins and again before the commit
//! itself. Between that and the commit a machine may still be stopped for minutes; then Delta's own
//! order holds, by which a commit over another's is refused or shown to come after it. The lease
//! keeps two nights from doing the same work and from mixing their accounts; tables stay whole
//! without it.

mod machine;
mod record;
#[cfg(test)]
mod tests;

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use self::machine::Lock;
use self::record::{Record, Records};
use super::Lake;

/// How often a lease is renewed.
const RENEWED_SECS: u64 = 20;

/// How soon after a renewal that failed the next is tried.
const TRIED_AGAIN_SECS: u64 = 5;

/// How long a lease lasts that is not renewed.
const LASTS_SECS: u32 = 90;

/// How far the clocks of two machines may differ.
const SKEW_SECS: u32 = 30;

/// Why there is no lease, or no longer.
#[derive(Debug, thiserror::Error)]
pub enum LeaseError {
    /// Another has it.
    #[error(
        "another night is running: {holder} has held the lake at {place} since {since}. If that \
         machine is dead, wait until {until}, or remove the folder _khoyte/night of the lake",
        since = shown(since),
        until = shown(until)
    )]
    Held {
        /// Folder or bucket.
        place: String,
        /// Its host and process.
        holder: String,
        /// Since when.
        since: DateTime<Utc>,
        /// When it may be taken by another, unless it is renewed.
        until: DateTime<Utc>,
    },
    /// Another process has the lock on the folder.
    #[error(
        "another night is running: {holder} has locked the lake at {place}; wait until it ends, or \
         stop it"
    )]
    Locked {
        /// The folder.
        place: String,
        /// Its host and process, as far as it has said.
        holder: String,
    },
    /// Another took it, or its object was removed.
    #[error("the lease on the lake at {place} is lost{to}: this night writes nothing more", to = to_whom(to))]
    Lost {
        /// Folder or bucket.
        place: String,
        /// Who has it now.
        to: Option<String>,
    },
    /// It could not be renewed in time, so another may have it.
    #[error(
        "the lease on the lake at {place} could not be renewed for {secs} seconds: nothing is \
         written until it is"
    )]
    Late {
        /// Folder or bucket.
        place: String,
        /// How long a lease lasts.
        secs: u32,
    },
    /// It was given back.
    #[error("the lease on the lake at {place} was given back")]
    Released {
        /// Folder or bucket.
        place: String,
    },
    /// An object of a lease is not one of ours.
    #[error("{record} is not the record of a lease: remove it if no night is running")]
    Damaged {
        /// The object, seen from the root of the store.
        record: String,
    },
    /// The store failed.
    #[error("cannot {doing} on the lake")]
    Store {
        /// What was tried.
        doing: &'static str,
        /// Why.
        #[source]
        source: Box<object_store::Error>,
    },
    /// The lock of the folder cannot be had.
    #[error("cannot lock {path}", path = path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The system gave no random bytes.
    #[error("the system gives no random bytes for a lease: {0}")]
    NoRandomness(getrandom::Error),
}

/// An instant in the time of Viet Nam.
fn shown(at: &DateTime<Utc>) -> String {
    (*at + TimeDelta::hours(7)).format("%Y-%m-%d %H:%M:%S +07:00").to_string()
}

fn to_whom(holder: &Option<String>) -> String {
    holder.as_ref().map(|holder| format!(" to {holder}")).unwrap_or_default()
}

/// An error as it is logged: with what caused it.
fn cause(error: &LeaseError) -> &(dyn std::error::Error + 'static) {
    error
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// How long leases last.
#[derive(Debug, Clone, Copy)]
struct Terms {
    lasts_secs: u32,
    skew_secs: u32,
}

impl Default for Terms {
    fn default() -> Self {
        Self { lasts_secs: LASTS_SECS, skew_secs: SKEW_SECS }
    }
}

impl Terms {
    fn lasts(self) -> TimeDelta {
        TimeDelta::seconds(i64::from(self.lasts_secs))
    }

    fn skew(self) -> TimeDelta {
        TimeDelta::seconds(i64::from(self.skew_secs))
    }
}

/// The lake is this process's own, until this is released or dropped.
pub struct Lease {
    standing: Arc<Standing>,
    /// Gone once it is released.
    held: Option<Held>,
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease").field("fence", &self.fence()).finish_non_exhaustive()
    }
}

impl Lake {
    /// Takes the lake for `holder`, named `host:process`. From now on this handle and its clones
    /// commit only while the lease stands. It is renewed by a task of the current runtime.
    ///
    /// # Errors
    /// When another has it ([`LeaseError::Held`], [`LeaseError::Locked`]), or the store fails.
    pub async fn lease(&self, holder: &str) -> Result<Lease, LeaseError> {
        self.lease_on(holder, Terms::default()).await
    }

    async fn lease_on(&self, holder: &str, terms: Terms) -> Result<Lease, LeaseError> {
        let records = Records::new(self.store(), &self.root)?;
        let lock = match self.folder() {
            Some(folder) => Lock::of(&folder.join(record::ABOUT))?,
            None => Lock::Absent,
        };
        let place = self.place.clone();
        if matches!(lock, Lock::Taken) {
            let record = match records.newest().await? {
                Some(fence) => records.read(fence).await?,
                None => None,
            };
            let record = record.filter(|record| record.released_at.is_none());
            let holder = record.map_or_else(|| "a process".to_owned(), |record| record.holder);
            return Err(LeaseError::Locked { place, holder });
        }
        let claim = Claim { records: &records, place: &place, holder, terms, lock: &lock };
        let (record, state) = claim.take().await?;
        let standing = Arc::new(Standing { record, place, terms, state: Mutex::new(state) });
        self.leased.set(Some(Arc::clone(&standing)));
        let keeper = Keeper { records, standing: Arc::clone(&standing) };
        let stop = CancellationToken::new();
        let renewing = tokio::spawn(keeper.clone().keep(stop.clone()));
        let leased = self.leased.clone();
        let held = Held { keeper, leased, stop, renewing, lock };
        Ok(Lease { standing, held: Some(held) })
    }

    /// The folder, where the lake is one.
    fn folder(&self) -> Option<PathBuf> {
        (self.root.scheme() == "file").then(|| self.root.to_file_path().ok()).flatten()
    }
}

impl Lease {
    /// The number of the lease: higher than that of any before it.
    pub fn fence(&self) -> u64 {
        self.standing.record.fence
    }

    /// Whether the lake is still this process's own. Asks nobody: the task that renews the lease
    /// knows.
    ///
    /// # Errors
    /// When another took it, or it could not be renewed in time.
    pub fn check(&self) -> Result<(), LeaseError> {
        self.standing.check()
    }

    /// Gives the lake back, so that the next in line has it at once.
    ///
    /// # Errors
    /// When the store cannot be told: then the lease lapses by itself.
    pub async fn release(mut self) -> Result<(), LeaseError> {
        match self.held.take() {
            Some(held) => held.end().await,
            None => Ok(()),
        }
    }
}

impl Drop for Lease {
    /// As [`Lease::release`] where there is time left; otherwise it lapses.
    fn drop(&mut self) {
        let Some(held) = self.held.take() else { return };
        held.stop.cancel();
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                if let Err(error) = held.end().await {
                    tracing::warn!(error = cause(&error), "a lease was not given back; it lapses");
                }
            });
        }
    }
}

/// What a lease has until it ends.
struct Held {
    keeper: Keeper,
    leased: Leased,
    stop: CancellationToken,
    renewing: JoinHandle<()>,
    lock: Lock,
}

impl Held {
    async fn end(self) -> Result<(), LeaseError> {
        self.stop.cancel();
        // A renewal under way would undo what follows. One that panicked is over as well.
        let _ = self.renewing.await;
        let standing = &self.keeper.standing;
        let record = Record { released_at: Some(Utc::now()), ..standing.record.clone() };
        standing.release();
        self.leased.set(None);
        let told = self.keeper.records.overwrite(&record).await;
        // The machine's lock goes last: whoever gets it finds the lease given back.
        self.lock.open();
        told
    }
}

/// An attempt to take the lake.
struct Claim<'a> {
    records: &'a Records,
    place: &'a str,
    holder: &'a str,
    terms: Terms,
    lock: &'a Lock,
}

impl Claim<'_> {
    async fn take(&self) -> Result<(Record, State), LeaseError> {
        let (confirmed, now) = (Instant::now(), Utc::now());
        let machine = machine::marks(self.holder);
        let is_ours = matches!(self.lock, Lock::Ours(_));
        // Whoever has the lock of a machine knows that its other processes are gone.
        let is_free = |record: &Record| {
            record.is_over(now, self.terms.skew()) || (is_ours && record.is_of(&machine))
        };
        let newest = self.records.newest().await?;
        let before = match newest {
            Some(fence) => self.records.read(fence).await?,
            None => None,
        };
        if let Some(other) = &before
            && !is_free(other)
        {
            return Err(self.held_by(other));
        }
        let record = Record {
            holder: self.holder.to_owned(),
            token: token()?,
            fence: newest.unwrap_or_default() + 1,
            taken_at: now,
            expires_at: now + self.terms.lasts(),
            released_at: None,
            machine: machine.clone(),
        };
        self.write(&record).await?;
        if let Some(before) = before
            && let Some(again) = self.records.read(before.fence).await?
            && !is_free(&again)
        {
            // Its holder was late, not gone.
            let record = Record { released_at: Some(now), ..record };
            self.records.overwrite(&record).await?;
            return Err(self.held_by(&again));
        }
        self.records.forget_below(record.fence).await;
        let state = State::Held { confirmed, expires_at: record.expires_at };
        Ok((record, state))
    }

    /// Writes the record, unless another was faster.
    async fn write(&self, record: &Record) -> Result<(), LeaseError> {
        if !self.records.create(record).await? {
            match self.records.read(record.fence).await? {
                // A first try went through, and its answer was lost.
                Some(there) if there.token == record.token => (),
                Some(there) => return Err(self.held_by(&there)),
                None => return Err(self.lost(None)),
            }
        }
        // Whoever looked for the newest long ago may have written below it.
        let newest = self.records.newest().await?.filter(|newest| *newest != record.fence);
        let Some(newest) = newest else { return Ok(()) };
        match self.records.read(newest).await? {
            Some(other) => Err(self.held_by(&other)),
            None => Err(self.lost(None)),
        }
    }

    fn held_by(&self, record: &Record) -> LeaseError {
        LeaseError::Held {
            place: self.place.to_owned(),
            holder: record.holder.clone(),
            since: record.taken_at,
            until: record.expires_at + self.terms.skew(),
        }
    }

    fn lost(&self, to: Option<String>) -> LeaseError {
        LeaseError::Lost { place: self.place.to_owned(), to }
    }
}

fn token() -> Result<String, LeaseError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(LeaseError::NoRandomness)?;
    Ok(hex(&bytes))
}

/// Whether a lease stands, as far as is known.
pub(super) struct Standing {
    record: Record,
    place: String,
    terms: Terms,
    state: Mutex<State>,
}

enum State {
    Held {
        /// Before it was last renewed.
        confirmed: Instant,
        /// As the record says.
        expires_at: DateTime<Utc>,
    },
    Lost {
        to: Option<String>,
    },
    Released,
}

impl Standing {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn check(&self) -> Result<(), LeaseError> {
        let place = self.place.clone();
        match &*self.state() {
            State::Held { confirmed, expires_at } => {
                let secs = self.terms.lasts_secs;
                let lasts = Duration::from_secs(u64::from(secs));
                if confirmed.elapsed() < lasts && Utc::now() < *expires_at {
                    Ok(())
                } else {
                    Err(LeaseError::Late { place, secs })
                }
            }
            State::Lost { to } => Err(LeaseError::Lost { place, to: to.clone() }),
            State::Released => Err(LeaseError::Released { place }),
        }
    }

    fn is_lost(&self) -> bool {
        matches!(*self.state(), State::Lost { .. })
    }

    fn confirm(&self, confirmed: Instant, expires_at: DateTime<Utc>) {
        *self.state() = State::Held { confirmed, expires_at };
    }

    fn lose(&self, to: Option<String>) {
        *self.state() = State::Lost { to };
    }

    fn release(&self) {
        *self.state() = State::Released;
    }
}

/// What keeps a lease.
#[derive(Clone)]
struct Keeper {
    records: Records,
    standing: Arc<Standing>,
}

impl Keeper {
    /// Renews the lease until it is stopped or lost.
    async fn keep(self, stop: CancellationToken) {
        let mut pause = RENEWED_SECS;
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(Duration::from_secs(pause)) => (),
            }
            pause = match self.renew().await {
                Ok(()) => RENEWED_SECS,
                Err(error) if self.standing.is_lost() => {
                    tracing::error!(error = cause(&error), "the night goes on without writing");
                    return;
                }
                Err(error) => {
                    tracing::warn!(
                        error = cause(&error),
                        "the lease was not renewed; it is tried again"
                    );
                    TRIED_AGAIN_SECS
                }
            };
        }
    }

    async fn renew(&self) -> Result<(), LeaseError> {
        let (confirmed, now) = (Instant::now(), Utc::now());
        let expires_at = now + self.standing.terms.lasts();
        self.look().await?;
        let record = Record { expires_at, ..self.standing.record.clone() };
        self.records.overwrite(&record).await?;
        self.look().await?;
        self.standing.confirm(confirmed, expires_at);
        Ok(())
    }

    /// Looks whether another has taken the lake.
    async fn look(&self) -> Result<(), LeaseError> {
        let newest = self.records.newest().await?;
        if newest == Some(self.standing.record.fence) {
            return Ok(());
        }
        let other = match newest {
            Some(fence) => self.records.read(fence).await?,
            None => None,
        };
        self.standing.lose(other.map(|record| record.holder));
        self.standing.check()
    }
}

/// The lease that a lake and its clones are under, where they are under one.
#[derive(Clone, Default)]
pub(super) struct Leased(Arc<Mutex<Option<Arc<Standing>>>>);

impl fmt::Debug for Leased {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Leased")
    }
}

impl Leased {
    fn lock(&self) -> MutexGuard<'_, Option<Arc<Standing>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, standing: Option<Arc<Standing>>) {
        *self.lock() = standing;
    }

    /// Whether a commit may be made.
    pub(super) fn check(&self) -> Result<(), LeaseError> {
        self.lock().as_ref().map_or(Ok(()), |standing| standing.check())
    }
}
