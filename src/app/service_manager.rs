//! What a service manager hears of the edge (systemd's `sd_notify`), where there is one.
//!
//! <https://www.freedesktop.org/software/systemd/man/latest/sd_notify.html>

use sd_notify::{NotifyState, notify, watchdog_enabled};
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};

/// Tells that the edge is alive as long as its tasks have their turn; ends when dropped.
#[derive(Debug)]
pub(super) struct Watchdog(Option<JoinHandle<()>>);

pub(super) fn tell_ready() {
    tell(&[NotifyState::Ready, NotifyState::Status("serving")]);
}

/// To be followed by [`tell_ready`], whatever becomes of the reload: what was in force stays so.
pub(super) fn tell_reloading() {
    // A clock that cannot be read does not keep anybody from reloading.
    let since = NotifyState::monotonic_usec_now().unwrap_or(NotifyState::MonotonicUsec(0));
    let status = NotifyState::Status("reading rules and certificates");
    tell(&[NotifyState::Reloading, since, status]);
}

pub(super) fn tell_stopping() {
    let status = NotifyState::Status("draining: open exchanges may end");
    tell(&[NotifyState::Stopping, status]);
}

impl Watchdog {
    /// Twice in the time after which the manager would take the edge for dead.
    pub(super) fn start() -> Self {
        Self(watchdog_enabled().map(|period| {
            tokio::spawn(async move {
                let mut ticks = interval(period / 2);
                ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
                loop {
                    ticks.tick().await;
                    tell(&[NotifyState::Watchdog]);
                }
            })
        }))
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        if let Some(task) = &self.0 {
            task.abort();
        }
    }
}

fn tell(states: &[NotifyState<'_>]) {
    // Without a manager that wants to hear it, this does nothing.
    if let Err(error) = notify(states) {
        tracing::debug!(%error, "the service manager cannot be told");
    }
}
