use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use crate::wire::{TrustedPeers, subscriber_network};

/// How many connections each address has open, and how many it may.
#[derive(Clone, Debug)]
pub(super) struct Crowd {
    /// `None`: any number.
    each_max: Option<usize>,
    /// Proxies connect for many visitors, and are not counted.
    proxies: TrustedPeers,
    /// Bounded by the connections that are open.
    open: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

/// A counted connection, for as long as it lives.
#[derive(Debug)]
pub(super) struct Place {
    /// `None`: nobody counts.
    network: Option<IpAddr>,
    open: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

impl Crowd {
    pub(super) fn new(each_max: Option<usize>, proxies: TrustedPeers) -> Self {
        Self {
            each_max,
            proxies,
            open: Arc::default(),
        }
    }

    /// `None`: this address has as many connections as it may.
    pub(super) fn enter(&self, peer: IpAddr) -> Option<Place> {
        // Who comes through a Unix socket has no address to be counted by.
        let is_counted = !peer.is_unspecified() && !self.proxies.contains(peer);
        let counts = self.each_max.filter(|_| is_counted);
        let network = counts.map(|_| subscriber_network(peer));
        if let (Some(each_max), Some(network)) = (counts, network) {
            let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
            let connections = open.entry(network).or_default();
            if *connections >= each_max {
                return None;
            }
            *connections += 1;
        }
        let open = Arc::clone(&self.open);
        Some(Place { network, open })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Some(network) = self.network else {
            return;
        };
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(connections) = open.get_mut(&network) {
            *connections = connections.saturating_sub(1);
            if *connections == 0 {
                open.remove(&network);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crowd(each_max: Option<usize>) -> Crowd {
        let proxies = vec!["10.0.0.0/8".parse().unwrap()];
        Crowd::new(each_max, TrustedPeers::new(proxies))
    }

    fn enter(crowd: &Crowd, peer: &str) -> Option<Place> {
        crowd.enter(peer.parse().unwrap())
    }

    #[test]
    fn an_address_has_so_many_connections_and_another_its_own() {
        let crowd = crowd(Some(2));
        for (first, same, other) in [
            ("192.0.2.1", "192.0.2.1", "192.0.2.2"),
            ("192.0.2.9", "::ffff:192.0.2.9", "::ffff:192.0.2.8"),
            ("2001:db8::1", "2001:db8::ffff:1", "2001:db8:0:1::1"),
        ] {
            let one = enter(&crowd, first).unwrap();
            let _two = enter(&crowd, same).unwrap();
            assert!(enter(&crowd, first).is_none(), "{first}");
            assert!(enter(&crowd, same).is_none(), "{same}");
            assert!(enter(&crowd, other).is_some(), "{other}");
            drop(one);
            assert!(enter(&crowd, same).is_some(), "{same}");
        }
        assert!(crowd.open.lock().unwrap().is_empty(), "nothing is kept");
    }

    #[test]
    fn proxies_are_not_counted_and_without_a_limit_nobody_is() {
        for (crowd, peer) in [(crowd(Some(1)), "10.1.2.3"), (crowd(None), "192.0.2.1")] {
            let places: Vec<_> = (0..3).map(|_| enter(&crowd, peer)).collect();
            assert!(places.iter().all(Option::is_some), "{peer}");
            assert!(crowd.open.lock().unwrap().is_empty(), "{peer}");
        }
    }
}
