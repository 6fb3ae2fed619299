use std::time::Duration;

use tokio::time::Instant;

/// What the kernel takes of an answer before it could be sent (`TCP_NOTSENT_LOWAT`). It takes megabytes,
/// where it may, of which a slow client sees nothing for minutes; what is on its way to the client is
/// not limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unsent {
    /// A page of 64 KB leaves in one write, also where the network takes its first packets only.
    Usual,
    /// For a client that takes its answer slowly: there may be ten thousand of them.
    Little,
}

/// How a client takes what is written to it.
#[derive(Debug)]
pub(super) struct Pace {
    unsent: Unsent,
    /// Since when the kernel takes no more.
    blocked_since: Option<Instant>,
}

/// Who takes longer for half of what the kernel holds is slow: below 160 KB/s.
const SLOW: Duration = Duration::from_millis(200);
/// And no longer slow who takes half of the little within this time.
const FAST: Duration = Duration::from_millis(20);

impl Unsent {
    pub(super) fn bytes(self) -> u32 {
        match self {
            Self::Usual => 64 * 1024,
            Self::Little => 16 * 1024,
        }
    }

    /// What it is from now on for a client that was waited for so long.
    fn after(self, blocked: Duration) -> Self {
        match self {
            Self::Usual if blocked >= SLOW => Self::Little,
            Self::Little if blocked < FAST => Self::Usual,
            as_before => as_before,
        }
    }
}

impl Pace {
    pub(super) fn new() -> Self {
        Self {
            unsent: Unsent::Usual,
            blocked_since: None,
        }
    }

    pub(super) fn blocked(&mut self) {
        self.blocked_since.get_or_insert_with(Instant::now);
    }

    /// The kernel takes something again; with what it shall take from now on, if that is another.
    pub(super) fn taken(&mut self) -> Option<Unsent> {
        let blocked = self.blocked_since.take()?.elapsed();
        let before = self.unsent;
        self.unsent = before.after(blocked);
        (self.unsent != before).then_some(self.unsent)
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn who_is_waited_for_is_slow_until_he_is_not() {
        let mut pace = Pace::new();
        assert_eq!(pace.taken(), None, "nobody was waited for");
        for (blocked, changed) in [
            (SLOW / 2, None),
            (SLOW, Some(Unsent::Little)),
            (SLOW, None),
            (FAST, None),
            (FAST / 2, Some(Unsent::Usual)),
            (FAST / 2, None),
        ] {
            pace.blocked();
            advance(blocked / 2).await;
            // Asked once more while it still is.
            pace.blocked();
            advance(blocked / 2).await;
            assert_eq!(pace.taken(), changed, "{blocked:?}");
        }
    }
}
