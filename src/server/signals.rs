use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use tokio::sync::watch;

/// Ends a server from outside, and tells others (tunnels) how far its end has come. Clones are the
/// same handle.
#[derive(Clone, Debug)]
pub struct Handle {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    phase: watch::Sender<Phase>,
    /// Connections, tunnels among them.
    open: AtomicUsize,
    /// How many were open when the cut came.
    cut: OnceLock<usize>,
}

/// One open connection.
#[derive(Debug)]
pub(super) struct OpenConnection {
    shared: Arc<Shared>,
}

/// Told to every connection. Phases only move forward.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    Serve,
    /// No new connection, no new exchange on an idle one.
    Drain,
    /// Tunnels say that they end.
    Leave,
    /// Whatever is still open is closed.
    Cut,
}

impl Handle {
    pub(super) fn new() -> Self {
        Self {
            shared: Arc::new(Shared {
                phase: watch::Sender::new(Phase::Serve),
                open: AtomicUsize::new(0),
                cut: OnceLock::new(),
            }),
        }
    }

    /// Begins the drain, as the shutdown future of `Server::serve` does.
    pub fn drain(&self) {
        self.advance(Phase::Drain);
    }

    /// Tells tunnels that the cut is near.
    pub(super) fn leave(&self) {
        self.advance(Phase::Leave);
    }

    /// Ends everything now, without waiting for exchanges.
    pub fn cut(&self) {
        self.cut_off();
        self.advance(Phase::Cut);
    }

    /// Waits until the drain has begun.
    ///
    /// Cancel safety: safe.
    pub async fn draining(&self) {
        self.reached(Phase::Drain).await;
    }

    /// Waits until the cut is near.
    ///
    /// Cancel safety: safe.
    pub(super) async fn leaving(&self) {
        self.reached(Phase::Leave).await;
    }

    /// Waits until what is still open is being cut.
    ///
    /// Cancel safety: safe.
    pub async fn cutting(&self) {
        self.reached(Phase::Cut).await;
    }

    pub(super) fn open_connection(&self) -> OpenConnection {
        self.shared.open.fetch_add(1, Ordering::AcqRel);
        let shared = Arc::clone(&self.shared);
        OpenConnection { shared }
    }

    /// How many connections the cut ends: those that are open when it comes.
    pub(super) fn cut_off(&self) -> usize {
        let open = || self.shared.open.load(Ordering::Acquire);
        *self.shared.cut.get_or_init(open)
    }

    fn advance(&self, to: Phase) {
        self.shared.phase.send_if_modified(|phase| {
            let moves = *phase < to;
            *phase = to.max(*phase);
            moves
        });
    }

    async fn reached(&self, awaited: Phase) {
        let mut phase = self.shared.phase.subscribe();
        // The sender lives in `self`, so the wait cannot fail.
        let _ = phase.wait_for(|phase| *phase >= awaited).await;
    }
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.shared.open.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_drain_after_a_cut_changes_nothing() {
        let handle = Handle::new();
        handle.cut();
        handle.drain();
        handle.draining().await;
        handle.cutting().await;
    }
}
