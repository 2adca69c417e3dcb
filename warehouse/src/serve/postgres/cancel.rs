//! How a client stops its query: on a connection of its own, by the number and the secret that the
//! first one was given.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use datafusion_postgres::pgwire::messages::ProtocolVersion;
use datafusion_postgres::pgwire::messages::startup::SecretKey;
use tokio_util::sync::CancellationToken;

/// All connections that can be told to stop.
#[derive(Default)]
pub(super) struct Cancels {
    known: Mutex<HashMap<i32, Known>>,
}

struct Known {
    secret: Vec<u8>,
    work: Work,
}

/// What a connection is at; nothing while it waits for its client.
type Work = Arc<Mutex<Option<CancellationToken>>>;

impl Cancels {
    /// Gives a connection a number and a secret; `None` when the system has no random bytes.
    pub(super) fn register(self: &Arc<Self>, version: ProtocolVersion) -> Option<Handle> {
        let mut secret = vec![0; if version == ProtocolVersion::PROTOCOL3_0 { 4 } else { 32 }];
        getrandom::fill(&mut secret).ok()?;
        let work = Work::default();
        let mut known = self.lock();
        loop {
            let mut number = [0; 4];
            getrandom::fill(&mut number).ok()?;
            // Positive, as the number of a process is.
            let pid = i32::from_be_bytes(number) & i32::MAX;
            let Entry::Vacant(vacant) = known.entry(pid) else { continue };
            vacant.insert(Known { secret: secret.clone(), work: Arc::clone(&work) });
            let all = Arc::clone(self);
            return Some(Handle { all, pid, secret, work });
        }
    }

    /// Stops what a connection is at, if the secret is its own.
    pub(super) fn cancel(&self, pid: i32, secret: &[u8]) {
        let known = self.lock();
        let Some(known) = known.get(&pid).filter(|known| same(&known.secret, secret)) else {
            return;
        };
        if let Some(work) = locked(&known.work).as_ref() {
            work.cancel();
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<i32, Known>> {
        locked(&self.known)
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether two secrets are the same, in the same time wherever they differ.
fn same(ours: &[u8], theirs: &[u8]) -> bool {
    let differing = ours.iter().zip(theirs).fold(0, |sum, (a, b)| sum | (a ^ b));
    ours.len() == theirs.len() && differing == 0
}

/// A connection's entry, which is taken out when it is dropped.
pub(super) struct Handle {
    all: Arc<Cancels>,
    pub(super) pid: i32,
    secret: Vec<u8>,
    work: Work,
}

impl Handle {
    /// In the form in which a client is given it.
    pub(super) fn secret(&self) -> SecretKey {
        match <[u8; 4]>::try_from(self.secret.as_slice()) {
            Ok(short) => SecretKey::I32(i32::from_be_bytes(short)),
            Err(_) => SecretKey::Bytes(bytes::Bytes::copy_from_slice(&self.secret)),
        }
    }

    /// The connection is at work: what it is told until [`Self::rest`] holds for all of it, messages
    /// that were sent ahead among it.
    pub(super) fn work(&self) -> CancellationToken {
        locked(&self.work).get_or_insert_with(CancellationToken::new).clone()
    }

    /// The connection waits for its client.
    pub(super) fn rest(&self) {
        self.resting().rest();
    }

    /// What says so from within the work.
    pub(super) fn resting(&self) -> Resting {
        Resting(Arc::clone(&self.work))
    }
}

/// Ends what a connection can be told to stop, before its client hears that it is over: a
/// cancellation that comes then has nothing to stop.
pub(super) struct Resting(Work);

impl Resting {
    pub(super) fn rest(&self) {
        *locked(&self.0) = None;
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.all.lock().remove(&self.pid);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_right_secret_stops_what_is_at_work() {
        let all = Arc::new(Cancels::default());
        for version in [ProtocolVersion::PROTOCOL3_0, ProtocolVersion::PROTOCOL3_2] {
            let handle = all.register(version).unwrap();
            let secret = handle.secret.clone();
            all.cancel(handle.pid, &secret);
            let work = handle.work();
            assert!(!work.is_cancelled(), "what came before does not count");
            all.cancel(handle.pid, &secret[1..]);
            all.cancel(handle.pid, &[]);
            all.cancel(handle.pid ^ 1, &secret);
            assert!(!work.is_cancelled());
            all.cancel(handle.pid, &secret);
            assert!(work.is_cancelled() && handle.work().is_cancelled());
            handle.rest();
            assert!(!handle.work().is_cancelled());
        }
        assert!(all.lock().is_empty());
    }
}
