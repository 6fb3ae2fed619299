use std::sync::Arc;

use tokio::sync::watch;

/// Ends a server from outside, and tells others (tunnels) how far its end has come. Clones are the
/// same handle.
#[derive(Clone, Debug)]
pub struct Handle {
    phase: Arc<watch::Sender<Phase>>,
}

/// Told to every connection. Phases only move forward.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    Serve,
    /// No new connection, no new exchange on an idle one.
    Drain,
    /// Whatever is still open is closed.
    Cut,
}

impl Handle {
    pub(super) fn new() -> Self {
        Self {
            phase: Arc::new(watch::Sender::new(Phase::Serve)),
        }
    }

    /// Begins the drain, as the shutdown future of `Server::serve` does.
    pub fn drain(&self) {
        self.advance(Phase::Drain);
    }

    /// Ends everything now, without waiting for exchanges.
    pub fn cut(&self) {
        self.advance(Phase::Cut);
    }

    /// Waits until the drain has begun.
    ///
    /// Cancel safety: safe.
    pub async fn draining(&self) {
        self.reached(Phase::Drain).await;
    }

    /// Waits until what is still open is being cut.
    ///
    /// Cancel safety: safe.
    pub async fn cutting(&self) {
        self.reached(Phase::Cut).await;
    }

    fn advance(&self, to: Phase) {
        self.phase.send_if_modified(|phase| {
            let moves = *phase < to;
            *phase = to.max(*phase);
            moves
        });
    }

    async fn reached(&self, awaited: Phase) {
        let mut phase = self.phase.subscribe();
        // The sender lives in `self`, so the wait cannot fail.
        let _ = phase.wait_for(|phase| *phase >= awaited).await;
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
