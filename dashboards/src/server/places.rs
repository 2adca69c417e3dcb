//! How many connections there are, in all and from one address.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The bounds, and who is within them now.
pub(super) struct Places {
    all: usize,
    each: usize,
    taken: Mutex<Taken>,
}

#[derive(Default)]
struct Taken {
    all: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// One connection's place, free again when it is dropped.
pub(super) struct Place {
    places: Arc<Places>,
    address: IpAddr,
}

impl Places {
    /// Room for `all` connections and for `each` of one address; 0 is no bound.
    pub(super) fn new(all: usize, each: usize) -> Arc<Self> {
        let bound = |number| if number == 0 { usize::MAX } else { number };
        Arc::new(Self { all: bound(all), each: bound(each), taken: Mutex::default() })
    }

    /// A place for a connection from `address`, if one is left.
    pub(super) fn take(self: &Arc<Self>, address: IpAddr) -> Option<Place> {
        let address = one_of(address);
        let mut taken = self.lock();
        let own = taken.by_address.get(&address).copied().unwrap_or_default();
        if taken.all >= self.all || own >= self.each {
            return None;
        }
        taken.all += 1;
        taken.by_address.insert(address, own + 1);
        Some(Place { places: Arc::clone(self), address })
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.lock();
        taken.all -= 1;
        if let Some(own) = taken.by_address.get_mut(&self.address) {
            *own -= 1;
            if *own == 0 {
                taken.by_address.remove(&self.address);
            }
        }
    }
}

/// Addresses that one subscriber has at will count as one: an IPv6 network of 64 bits.
fn one_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64)).into(),
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn a_place_is_free_again_when_its_connection_ends() {
        let places = Places::new(3, 2);
        let (a, b) = (address("192.0.2.1"), address("192.0.2.2"));
        let first = places.take(a);
        let second = places.take(a);
        assert!(first.is_some() && second.is_some() && places.take(a).is_none());
        let third = places.take(b);
        assert!(third.is_some() && places.take(b).is_none(), "three in all");
        drop(first);
        assert!(places.take(b).is_some());
        drop((second, third));
        assert!(places.lock().by_address.is_empty());
    }

    #[test]
    fn a_network_of_one_subscriber_counts_as_one_address() {
        assert_eq!(one_of(address("2001:db8::1")), one_of(address("2001:db8::ffff:1")));
        assert_ne!(one_of(address("2001:db8:0:1::1")), one_of(address("2001:db8::1")));
        assert_eq!(one_of(address("::ffff:192.0.2.1")), address("192.0.2.1"));
    }

    #[test]
    fn no_bound_is_no_bound() {
        let places = Places::new(0, 0);
        let taken: Vec<_> = (0..5000).map(|_| places.take(address("127.0.0.1"))).collect();
        assert!(taken.iter().all(Option::is_some));
    }
}
