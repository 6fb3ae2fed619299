use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// How much may be done: so much at once, and so much in a second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Pace {
    pub(super) burst: f64,
    pub(super) per_second: f64,
}

/// What is left of what may be done.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bucket {
    pace: Pace,
    left: f64,
    seen: Instant,
}

impl Bucket {
    pub(super) fn new(pace: Pace, now: Instant) -> Self {
        Self {
            pace,
            left: pace.burst,
            seen: now,
        }
    }

    /// Whether so much may be done now.
    pub(super) fn take(&mut self, amount: f64, now: Instant) -> bool {
        self.refill(now);
        let fits = self.left >= amount;
        if fits {
            self.left -= amount;
        }
        fits
    }

    /// Does so much, if by running into debt; how long to rest until it is paid off.
    pub(super) fn spend(&mut self, amount: f64, now: Instant) -> Duration {
        self.refill(now);
        self.left -= amount;
        Duration::from_secs_f64((-self.left / self.pace.per_second).max(0.0))
    }

    fn refill(&mut self, now: Instant) {
        let passed = now.saturating_duration_since(self.seen).as_secs_f64();
        self.left = (self.left + passed * self.pace.per_second).min(self.pace.burst);
        self.seen = now;
    }

    fn is_full(&self) -> bool {
        self.left >= self.pace.burst
    }
}

/// One bucket for each address, and bounded: when there are too many, those that are full go; when
/// none is, everybody new waits.
#[derive(Debug)]
pub(super) struct Brake {
    pace: Pace,
    buckets: Mutex<Buckets>,
}

#[derive(Debug, Default)]
struct Buckets {
    of: HashMap<IpAddr, Bucket>,
    swept: Option<Instant>,
}

const ADDRESSES_MAX: usize = 20_000;
/// Looking at all of them takes a while.
const SWEEP_PAUSE: Duration = Duration::from_secs(1);

impl Brake {
    pub(super) fn new(pace: Pace) -> Self {
        Self {
            pace,
            buckets: Mutex::default(),
        }
    }

    /// Whether the address may do it once more.
    pub(super) fn allows(&self, address: IpAddr) -> bool {
        let now = Instant::now();
        let network = network(address);
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.of.len() >= ADDRESSES_MAX && !buckets.of.contains_key(&network) {
            buckets.sweep(now);
            if buckets.of.len() >= ADDRESSES_MAX {
                return false;
            }
        }
        let bucket = buckets.of.entry(network);
        let bucket = bucket.or_insert_with(|| Bucket::new(self.pace, now));
        bucket.take(1.0, now)
    }
}

impl Buckets {
    fn sweep(&mut self, now: Instant) {
        let recently = |swept: Instant| now.saturating_duration_since(swept) < SWEEP_PAUSE;
        if self.swept.is_some_and(recently) {
            return;
        }
        self.swept = Some(now);
        self.of.retain(|_, bucket| {
            bucket.refill(now);
            !bucket.is_full()
        });
    }
}

/// A household has a whole /64 of IPv6 addresses.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::from([a, b, c, d, 0, 0, 0, 0])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACE: Pace = Pace {
        burst: 3.0,
        per_second: 0.5,
    };

    #[tokio::test(start_paused = true)]
    async fn lets_so_many_through_and_then_so_many_in_a_time() {
        let brake = Brake::new(PACE);
        let one: IpAddr = "192.0.2.1".parse().unwrap();
        let allowed = |count: usize| (0..count).filter(|_| brake.allows(one)).count();
        assert_eq!(allowed(10), 3);
        tokio::time::advance(Duration::from_secs(2)).await;
        assert_eq!(allowed(10), 1);
        tokio::time::advance(Duration::from_secs(600)).await;
        assert_eq!(allowed(10), 3);
        assert!(brake.allows("192.0.2.2".parse().unwrap()));
    }

    #[test]
    fn who_does_too_much_rests_until_it_is_paid_off() {
        let now = Instant::now();
        let after = |seconds: u64| now + Duration::from_secs(seconds);
        let mut bucket = Bucket::new(PACE, now);
        let rests = [1.0, 2.0, 1.0, 0.5].map(|amount| bucket.spend(amount, now).as_secs_f64());
        assert_eq!(rests, [0.0, 0.0, 2.0, 3.0]);
        assert_eq!(bucket.spend(0.0, after(2)), Duration::from_secs(1));
        assert_eq!(bucket.spend(0.5, after(4)), Duration::ZERO);
        assert_eq!(bucket.spend(3.0, after(600)), Duration::ZERO);
        assert_eq!(bucket.spend(1.0, after(600)), Duration::from_secs(2));
    }

    #[tokio::test(start_paused = true)]
    async fn a_network_of_ipv6_is_one_address() {
        let brake = Brake::new(PACE);
        let allowed = (0..10).filter(|number| {
            let address: IpAddr = format!("2001:db8:0:1::{number}").parse().unwrap();
            brake.allows(address)
        });
        assert_eq!(allowed.count(), 3);
        assert!(brake.allows("2001:db8:0:2::1".parse().unwrap()));
    }

    #[tokio::test(start_paused = true)]
    async fn addresses_that_are_made_up_do_not_fill_the_memory() {
        let brake = Brake::new(PACE);
        let address = |number: usize| IpAddr::from(u32::try_from(number).unwrap().to_be_bytes());
        for number in 0..ADDRESSES_MAX + 100 {
            brake.allows(address(number));
        }
        assert!(!brake.allows(address(ADDRESSES_MAX + 7)));
        assert!(brake.buckets.lock().unwrap().of.len() <= ADDRESSES_MAX);
        tokio::time::advance(Duration::from_secs(10)).await;
        assert!(brake.allows(address(ADDRESSES_MAX + 7)));
        assert_eq!(brake.buckets.lock().unwrap().of.len(), 1);
    }
}
