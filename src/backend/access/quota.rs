use std::time::Duration;

use tokio::time::Instant;

/// So many at once, and then one in each interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    pub burst: u32,
    pub interval: Duration,
}

/// How much of a quota is used up, as one moment: when all of it will be there again (GCRA, ITU-T I.371).
#[derive(Clone, Copy, Debug)]
pub struct Bucket(Instant);

impl Quota {
    pub const fn new(burst: u32, interval: Duration) -> Self {
        Self { burst, interval }
    }

    fn slack(self) -> Duration {
        self.interval * self.burst.saturating_sub(1)
    }
}

impl Bucket {
    /// All of a quota is there.
    pub fn full(now: Instant) -> Self {
        Self(now)
    }

    /// How long to wait for the next one; `None`: it is there.
    pub fn wait(self, quota: Quota, now: Instant) -> Option<Duration> {
        let late = self.0.saturating_duration_since(now);
        late.checked_sub(quota.slack())
            .filter(|wait| !wait.is_zero())
    }

    pub fn take(&mut self, quota: Quota, now: Instant) {
        self.0 = self.0.max(now) + quota.interval;
    }

    /// Takes one if it is there.
    pub fn try_take(&mut self, quota: Quota, now: Instant) -> bool {
        let is_there = self.wait(quota, now).is_none();
        if is_there {
            self.take(quota, now);
        }
        is_there
    }

    /// Gives one back.
    pub fn give(&mut self, quota: Quota, now: Instant) {
        self.0 = self.0.checked_sub(quota.interval).unwrap_or(now).max(now);
    }

    pub fn is_full(self, now: Instant) -> bool {
        self.0 <= now
    }
}
