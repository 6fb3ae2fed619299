use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Duration;

use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, timeout_at};

use super::error::UpstreamError;
use super::group::{Group, Without};
use super::health::Standing;
use super::turn::{Choice, Turn};

/// How many requests wait for an origin that has all it may have at once, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct QueueConfig {
    /// Default: 256.
    pub length_max: usize,
    /// Default: 5 seconds.
    pub timeout: Duration,
}

/// A place in the queue; it is free again when this is dropped.
struct Waiting<'g>(&'g AtomicUsize);

type Slot = Pin<Box<dyn Future<Output = Option<OwnedSemaphorePermit>> + Send>>;

/// Some seconds' work of a small application.
const DEFAULT_LENGTH_MAX: usize = 256;
/// Most visitors have gone by then.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(5);

impl Default for QueueConfig {
    fn default() -> Self {
        Self {
            length_max: DEFAULT_LENGTH_MAX,
            timeout: DEFAULT_TIMEOUT,
        }
    }
}

impl Group {
    /// Waits for a place, behind those who wait already.
    pub(super) async fn wait(&self, choice: Choice) -> Result<Turn<'_>, UpstreamError> {
        let QueueConfig {
            length_max,
            timeout: after,
        } = self.policy.queue;
        let waiting = Waiting::enter(&self.waiting, length_max);
        let _waiting = waiting.ok_or(UpstreamError::QueueFull)?;
        let deadline = Instant::now() + after;
        loop {
            match self.choose(choice) {
                Ok(turn) => return Ok(turn),
                Err(Without::Origin(until)) => return Err(Without::Origin(until).into_error()),
                Err(Without::Place) => {}
            }
            let free = timeout_at(deadline, self.first_free(choice)).await;
            let (index, slot) = free.map_err(|_| UpstreamError::QueueTimeout { after })?;
            let pulse = &self.clients[index].shared.pulse;
            // Nobody may be there by now: then the next look leaves it out.
            if !matches!(pulse.standing().0, Standing::Down(_)) {
                return Ok(self.turn(index, pulse.enter_with(slot)));
            }
        }
    }

    /// The first place that is given back at any of the origins that may be asked. First come,
    /// first served.
    async fn first_free(&self, choice: Choice) -> (usize, OwnedSemaphorePermit) {
        let fit = self.fit(choice).into_iter();
        let slots = fit.map(|index| (index, self.clients[index].shared.pulse.slot()));
        let slots = slots.map(|(index, slot)| (index, Box::pin(slot) as Slot));
        let mut slots: Vec<_> = slots.collect();
        std::future::poll_fn(|cx| {
            let mut free = None;
            slots.retain_mut(|(index, slot)| match slot.as_mut().poll(cx) {
                Poll::Ready(permit) => {
                    // Of two at once the second goes back.
                    free = free
                        .take()
                        .or_else(|| permit.map(|permit| (*index, permit)));
                    false
                }
                Poll::Pending => true,
            });
            free.map_or(Poll::Pending, Poll::Ready)
        })
        .await
    }
}

impl<'g> Waiting<'g> {
    fn enter(count: &'g AtomicUsize, max: usize) -> Option<Self> {
        let more = |waiting| (waiting < max).then_some(waiting + 1);
        let entered = count.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more);
        entered.is_ok().then(|| Self(count))
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
