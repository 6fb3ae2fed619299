use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use tokio::time::Instant;

/// How many requests may be sent a second time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RetryConfig {
    /// Of a hundred requests. Default: 20.
    pub percent: u32,
    /// So many in a second whatever the share is, so that a quiet site has some. Default: 10.
    pub floor: u32,
}

/// Keeps requests that are sent again from becoming the load that an ailing origin dies of.
#[derive(Debug)]
pub(super) struct Budget {
    requests: AtomicU64,
    retries: AtomicU64,
    account: Mutex<Account>,
}

/// Pure: time and the number of requests are given.
#[derive(Debug)]
struct Account {
    config: RetryConfig,
    balance: f64,
    known: u64,
    at: Instant,
}

const DEFAULT_PERCENT: u32 = 20;
const DEFAULT_FLOOR: u32 = 10;
/// What a long quiet time leaves is no more than this many retries at once.
const BURST_MAX: f64 = 500.0;

impl Default for RetryConfig {
    fn default() -> Self {
        Self {
            percent: DEFAULT_PERCENT,
            floor: DEFAULT_FLOOR,
        }
    }
}

impl Budget {
    pub(super) fn new(config: RetryConfig) -> Self {
        Self {
            requests: AtomicU64::new(0),
            retries: AtomicU64::new(0),
            account: Mutex::new(Account::new(config, Instant::now())),
        }
    }

    /// Returns how many there were before.
    pub(super) fn note_request(&self) -> u64 {
        self.requests.fetch_add(1, Ordering::Relaxed)
    }

    /// Whether one more request may be sent again.
    pub(super) fn allows_retry(&self) -> bool {
        let requests = self.requests.load(Ordering::Relaxed);
        let mut account = self.account.lock().unwrap_or_else(PoisonError::into_inner);
        let allowed = account.withdraw(requests, Instant::now());
        self.retries
            .fetch_add(u64::from(allowed), Ordering::Relaxed);
        allowed
    }

    pub(super) fn retries(&self) -> u64 {
        self.retries.load(Ordering::Relaxed)
    }
}

impl Account {
    fn new(config: RetryConfig, now: Instant) -> Self {
        Self {
            config,
            balance: f64::from(config.floor),
            known: 0,
            at: now,
        }
    }

    /// `requests`: since the beginning.
    fn withdraw(&mut self, requests: u64, now: Instant) -> bool {
        let news = requests.saturating_sub(self.known) as f64;
        let time = now.saturating_duration_since(self.at).as_secs_f64();
        (self.known, self.at) = (requests, now);
        let earned = news * f64::from(self.config.percent) / 100.0;
        let given = time * f64::from(self.config.floor);
        self.balance = (self.balance + earned + given).min(BURST_MAX);
        let allowed = self.balance >= 1.0;
        if allowed {
            self.balance -= 1.0;
        }
        allowed
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn allowed(account: &mut Account, requests: u64, now: Instant) -> usize {
        (0..1_000)
            .filter(|_| account.withdraw(requests, now))
            .count()
    }

    #[test]
    fn a_share_of_the_requests_and_some_in_each_second() {
        let begin = Instant::now();
        let config = RetryConfig {
            percent: 20,
            floor: 10,
        };
        let mut account = Account::new(config, begin);
        assert_eq!(allowed(&mut account, 0, begin), 10);
        assert_eq!(allowed(&mut account, 100, begin), 20);
        assert_eq!(allowed(&mut account, 100, begin), 0);
        let later = begin + Duration::from_secs(2);
        assert_eq!(allowed(&mut account, 110, later), 22);
        let much_later = later + Duration::from_hours(1);
        assert_eq!(allowed(&mut account, 110, much_later), 500);
    }

    #[test]
    fn none_is_none() {
        let begin = Instant::now();
        let config = RetryConfig {
            percent: 0,
            floor: 0,
        };
        let mut account = Account::new(config, begin);
        assert_eq!(
            allowed(&mut account, 1_000, begin + Duration::from_secs(9)),
            0
        );
    }
}
