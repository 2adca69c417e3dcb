//! How many connections there may be: in all, before their log-in, of one address, of one principal.
//!
//! Those that have not logged in keep nobody out. Where there are too many of them, the one that
//! has stood longest at the address with most of them makes room for the next: a log-in takes
//! moments, and whoever only stands there is gone before those who log in.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

use super::WireLimits;
use super::fault::Fault;

/// Connections that are told why they are not served; more of them are only closed.
const LAST_WORDS: usize = 64;

/// All connections there are.
pub(super) struct Crowd {
    most: usize,
    most_strangers: usize,
    most_of_address: usize,
    most_of_principal: usize,
    counts: Mutex<Counts>,
    last_words: Arc<Semaphore>,
}

#[derive(Default)]
struct Counts {
    all: usize,
    /// Those that have not logged in, by their turn.
    strangers: BTreeMap<u64, Stranger>,
    addresses: HashMap<IpAddr, BTreeSet<u64>>,
    principals: HashMap<String, usize>,
    next: u64,
}

struct Stranger {
    address: IpAddr,
    gone: CancellationToken,
}

impl Counts {
    /// The stranger that makes room for one from `address`, if one has to.
    fn crowded_out(&self, crowd: &Crowd, address: IpAddr) -> Option<u64> {
        let of_address = self.addresses.get(&address);
        if let Some(of_address) = of_address.filter(|all| all.len() >= crowd.most_of_address) {
            return of_address.first().copied();
        }
        if self.strangers.len() < crowd.most_strangers && self.all < crowd.most {
            return None;
        }
        let crowded = self.addresses.values().max_by_key(|all| all.len());
        crowded.and_then(|all| all.first().copied())
    }

    /// Whether it was still there.
    fn remove_stranger(&mut self, turn: u64) -> Option<Stranger> {
        let stranger = self.strangers.remove(&turn)?;
        if let Some(of_address) = self.addresses.get_mut(&stranger.address) {
            of_address.remove(&turn);
            if of_address.is_empty() {
                self.addresses.remove(&stranger.address);
            }
        }
        Some(stranger)
    }
}

impl Crowd {
    pub(super) fn new(limits: &WireLimits) -> Self {
        Self {
            most: limits.connections,
            most_strangers: limits.half_open.max(1),
            most_of_address: limits.per_address.max(1),
            most_of_principal: limits.per_principal,
            counts: Mutex::default(),
            last_words: Arc::new(Semaphore::new(LAST_WORDS)),
        }
    }

    /// Lets a connection in, if there is room or can be made.
    pub(super) fn enter(self: &Arc<Self>, address: IpAddr) -> Result<Visit, Fault> {
        let address = place(address);
        let mut counts = self.lock();
        match counts.crowded_out(self, address) {
            Some(turn) => {
                if let Some(stranger) = counts.remove_stranger(turn) {
                    counts.all -= 1;
                    stranger.gone.cancel();
                }
            }
            None if counts.all >= self.most => {
                return Err(full("there are too many connections; try again later"));
            }
            None => {}
        }
        let turn = counts.next;
        let gone = CancellationToken::new();
        counts.next += 1;
        counts.all += 1;
        counts.strangers.insert(turn, Stranger { address, gone: gone.clone() });
        counts.addresses.entry(address).or_default().insert(turn);
        let crowd = Arc::clone(self);
        Ok(Visit { crowd, turn, gone, principal: None })
    }

    /// Room for telling a connection why it is not served.
    pub(super) fn last_word(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.last_words).try_acquire_owned().ok()
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

/// One connection's place, given up when it is dropped.
pub(super) struct Visit {
    crowd: Arc<Crowd>,
    turn: u64,
    gone: CancellationToken,
    principal: Option<String>,
}

impl Visit {
    /// Ends when the place has been given to another.
    pub(super) async fn crowded_out(&self) -> Fault {
        self.gone.cancelled().await;
        full("too many connections wait for a log-in; try again later")
    }

    /// Whether the place has been given to another.
    pub(super) fn is_lost(&self) -> bool {
        self.gone.is_cancelled()
    }

    /// The connection is now `name`'s.
    pub(super) fn logged_in(&mut self, name: &str) -> Result<(), Fault> {
        let mut counts = self.crowd.lock();
        let count = counts.principals.get(name).copied().unwrap_or_default();
        if count >= self.crowd.most_of_principal {
            return Err(full("you have too many connections; close some"));
        }
        if counts.remove_stranger(self.turn).is_none() {
            return Err(full("too many connections wait for a log-in; try again later"));
        }
        counts.principals.insert(name.to_owned(), count + 1);
        self.principal = Some(name.to_owned());
        Ok(())
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        let mut counts = self.crowd.lock();
        let Some(principal) = &self.principal else {
            // A place that was lost is not given up once more.
            if counts.remove_stranger(self.turn).is_some() {
                counts.all -= 1;
            }
            return;
        };
        counts.all -= 1;
        match counts.principals.get_mut(principal) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(counts.principals.remove(principal)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crowd(connections: usize, half_open: usize, per_address: usize) -> Arc<Crowd> {
        let limits = WireLimits {
            connections,
            half_open,
            per_address,
            per_principal: 2,
            ..WireLimits::default()
        };
        Arc::new(Crowd::new(&limits))
    }

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn strangers_make_room_and_those_who_logged_in_do_not() {
        let crowd = crowd(4, 9, 9);
        let one = address("10.0.0.1");
        let mut all: Vec<Visit> = (0..4).map(|_| crowd.enter(one).unwrap()).collect();
        for visit in &mut all[1..3] {
            visit.logged_in("an").unwrap();
        }
        assert!(all[3].logged_in("an").is_err(), "two of one principal");
        all[3].logged_in("binh").unwrap();
        let mut last = crowd.enter(one).unwrap();
        assert!(all[0].is_lost() && all[0].logged_in("chi").is_err(), "its place was taken");
        last.logged_in("chi").unwrap();
        assert!(crowd.enter(one).is_err(), "four in all, and nobody only stands there");
        drop((all, last));
        assert_eq!(crowd.lock().all, 0);
        assert!(crowd.lock().principals.is_empty() && crowd.lock().addresses.is_empty());
    }

    #[test]
    fn the_most_crowded_address_makes_room() {
        let crowd = crowd(99, 3, 2);
        let (one, two) = (address("10.0.0.1"), address("10.0.0.2"));
        let other = crowd.enter(two).unwrap();
        let first = crowd.enter(one).unwrap();
        let second = crowd.enter(one).unwrap();
        let third = crowd.enter(one).unwrap();
        assert!(first.is_lost(), "two of one address");
        let fourth = crowd.enter(two).unwrap();
        assert!(second.is_lost() && !other.is_lost(), "three in all");
        assert!(!third.is_lost() && !fourth.is_lost());
    }

    #[test]
    fn a_network_of_the_newer_kind_counts_as_one_address() {
        let crowd = crowd(99, 99, 2);
        let held = ["2001:db8::1", "2001:db8::2", "2001:db8::3"];
        let held = held.map(|text| crowd.enter(address(text)).unwrap());
        assert!(held[0].is_lost() && !held[1].is_lost());
        assert_eq!(place(address("::ffff:10.0.0.1")), address("10.0.0.1"));
    }
}
