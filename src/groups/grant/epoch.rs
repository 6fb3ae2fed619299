use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// How long all grants of a page are the same. A grant holds from the beginning of its epoch to the
/// end of the next one, so that a page is good for a whole epoch at least after it was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GrantEpoch {
    seconds: u64,
}

impl GrantEpoch {
    /// In whole seconds, from one to [`Self::MAX`]; `None` for anything else.
    pub const fn new(length: Duration) -> Option<Self> {
        let seconds = length.as_secs();
        let whole = length.subsec_nanos() == 0;
        if whole && seconds > 0 && seconds <= Self::MAX.as_secs() {
            Some(Self { seconds })
        } else {
            None
        }
    }

    /// A week: what was once allowed would hold for longer than anybody remembers.
    pub const MAX: Duration = Duration::from_hours(7 * 24);

    /// When the grants end that are made at `now`, in seconds since 1970. It names the epoch, too: as
    /// long as it stays, the grants do.
    pub fn expiry(self, now: SystemTime) -> u64 {
        let begun = unix_seconds(now).unwrap_or_default() / self.seconds;
        begun.saturating_add(2).saturating_mul(self.seconds)
    }
}

impl Default for GrantEpoch {
    /// Half a day: a page that is left open over a working day can still start a session.
    fn default() -> Self {
        Self {
            seconds: 12 * 60 * 60,
        }
    }
}

/// `None` for a clock that stands before 1970.
pub(super) fn unix_seconds(time: SystemTime) -> Option<u64> {
    let since = time.duration_since(UNIX_EPOCH).ok()?;
    Some(since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn grants_of_one_epoch_end_together_and_one_epoch_later() {
        let epoch = GrantEpoch::new(Duration::from_secs(100)).unwrap();
        for (now, end) in [(0, 200), (99, 200), (100, 300), (12_345, 12_500)] {
            assert_eq!(epoch.expiry(at(now)), end, "{now}");
        }
        let before = UNIX_EPOCH - Duration::from_secs(1);
        assert_eq!(epoch.expiry(before), 200);
        assert_eq!(GrantEpoch::default().expiry(at(0)), 24 * 60 * 60);
    }

    #[test]
    fn an_epoch_is_of_whole_seconds_within_bounds() {
        let read = |length| GrantEpoch::new(length).is_some();
        assert!(read(Duration::from_secs(1)) && read(GrantEpoch::MAX));
        for refused in [
            Duration::ZERO,
            Duration::from_millis(1_500),
            GrantEpoch::MAX + Duration::from_secs(1),
        ] {
            assert!(!read(refused), "{refused:?}");
        }
    }
}
