//! How many connections there may be: in all, before their log-in, of one address, of one principal.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::WireLimits;
use super::fault::Fault;

/// All connections there are.
pub(super) struct Crowd {
    most: usize,
    most_of_address: usize,
    most_of_principal: usize,
    wait: Duration,
    counts: Mutex<Counts>,
    half_open: Arc<Semaphore>,
    /// Refused connections that are still told why.
    refused: Arc<Semaphore>,
}

#[derive(Default)]
struct Counts {
    all: usize,
    addresses: HashMap<IpAddr, usize>,
    principals: HashMap<String, usize>,
}

impl Crowd {
    pub(super) fn new(limits: &WireLimits) -> Self {
        Self {
            most: limits.connections,
            most_of_address: limits.per_address,
            most_of_principal: limits.per_principal,
            wait: limits.half_open_wait,
            counts: Mutex::default(),
            half_open: Arc::new(Semaphore::new(limits.half_open)),
            refused: Arc::new(Semaphore::new(limits.half_open)),
        }
    }

    /// Lets a connection in, if there is room.
    pub(super) fn enter(self: &Arc<Self>, address: IpAddr) -> Result<Visit, Fault> {
        let address = place(address);
        let mut counts = self.lock();
        if counts.all >= self.most {
            return Err(full("there are too many connections; try again later"));
        }
        if !add(&mut counts.addresses, address, self.most_of_address) {
            return Err(full("too many connections of your address wait for a log-in"));
        }
        counts.all += 1;
        let crowd = Arc::clone(self);
        Ok(Visit { crowd, address: Some(address), principal: None, half_open: None })
    }

    /// Room for telling a refused connection why; without it there is only the door.
    pub(super) fn last_word(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.refused).try_acquire_owned().ok()
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn full(text: &str) -> Fault {
    Fault::fatal("53300", text)
}

/// Whose address it is: of the newer kind, each house has very many.
fn place(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(six) => {
            let network = six.to_bits() >> 64 << 64;
            IpAddr::V6(Ipv6Addr::from_bits(network))
        }
        four => four,
    }
}

fn add<K: Hash + Eq>(counts: &mut HashMap<K, usize>, of: K, most: usize) -> bool {
    let count = counts.entry(of).or_default();
    let room = *count < most;
    *count += usize::from(room);
    room
}

fn remove<K: Hash + Eq>(counts: &mut HashMap<K, usize>, of: &K) {
    if let Some(count) = counts.get_mut(of) {
        *count = count.saturating_sub(1);
        if *count == 0 {
            counts.remove(of);
        }
    }
}

/// One connection's place, given up when it is dropped.
pub(super) struct Visit {
    crowd: Arc<Crowd>,
    /// Until the log-in.
    address: Option<IpAddr>,
    principal: Option<String>,
    half_open: Option<OwnedSemaphorePermit>,
}

impl Visit {
    /// Waits for its turn to be served before the log-in.
    pub(super) async fn turn(&mut self) -> Result<(), Fault> {
        let turn = Arc::clone(&self.crowd.half_open).acquire_owned();
        match tokio::time::timeout(self.crowd.wait, turn).await {
            Ok(Ok(permit)) => {
                self.half_open = Some(permit);
                Ok(())
            }
            _ => Err(full("too many connections wait for a log-in; try again later")),
        }
    }

    /// The connection is now `name`'s.
    pub(super) fn logged_in(&mut self, name: &str) -> Result<(), Fault> {
        let mut counts = self.crowd.lock();
        if !add(&mut counts.principals, name.to_owned(), self.crowd.most_of_principal) {
            return Err(full("you have too many connections; close some"));
        }
        self.principal = Some(name.to_owned());
        if let Some(address) = self.address.take() {
            remove(&mut counts.addresses, &address);
        }
        self.half_open = None;
        Ok(())
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        let mut counts = self.crowd.lock();
        counts.all -= 1;
        if let Some(address) = &self.address {
            remove(&mut counts.addresses, address);
        }
        if let Some(principal) = &self.principal {
            remove(&mut counts.principals, principal);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crowd() -> Arc<Crowd> {
        let limits = WireLimits {
            connections: 4,
            half_open: 1,
            half_open_wait: Duration::from_millis(1),
            per_address: 2,
            per_principal: 2,
            ..WireLimits::default()
        };
        Arc::new(Crowd::new(&limits))
    }

    #[test]
    fn room_is_counted_and_given_back() {
        let crowd = crowd();
        let [one, two, three]: [IpAddr; 3] =
            ["10.0.0.1", "10.0.0.2", "10.0.0.3"].map(|text| text.parse().unwrap());
        let mut first = crowd.enter(one).unwrap();
        let mut second = crowd.enter(one).unwrap();
        assert!(crowd.enter(one).is_err(), "two of one address");
        first.logged_in("an").unwrap();
        let mut third = crowd.enter(one).unwrap();
        second.logged_in("an").unwrap();
        assert!(third.logged_in("an").is_err(), "two of one principal");
        let _fourth = crowd.enter(two).unwrap();
        assert!(crowd.enter(three).is_err(), "four in all");
        drop((first, second, third));
        assert!(crowd.enter(three).is_ok());
    }

    #[test]
    fn a_network_of_the_newer_kind_counts_as_one_address() {
        let crowd = crowd();
        let address = |text: &str| text.parse::<IpAddr>().unwrap();
        let _held = ["2001:db8::1", "2001:db8::2"].map(|text| crowd.enter(address(text)).unwrap());
        assert!(crowd.enter(address("2001:db8::3")).is_err());
        assert_eq!(place(address("::ffff:10.0.0.1")), address("10.0.0.1"));
    }

    #[tokio::test]
    async fn a_turn_is_waited_for_and_given_up() {
        let crowd = crowd();
        let mut first = crowd.enter("10.0.0.1".parse().unwrap()).unwrap();
        let mut second = crowd.enter("10.0.0.1".parse().unwrap()).unwrap();
        first.turn().await.unwrap();
        assert!(second.turn().await.is_err());
        first.logged_in("an").unwrap();
        second.turn().await.unwrap();
    }
}
