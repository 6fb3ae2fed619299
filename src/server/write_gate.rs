use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

/// Shut while a client does not take what was written to its connection. Then its answers are not
/// asked for more, so that what is held for a slow client is one frame.
#[derive(Clone, Debug, Default)]
pub(super) struct WriteGate(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    is_shut: AtomicBool,
    waiting: Mutex<Option<Waker>>,
}

impl WriteGate {
    /// Until all is written that was to be.
    pub(super) fn shut(&self) {
        self.0.is_shut.store(true, Ordering::Release);
    }

    /// All that was to be written is.
    pub(super) fn open(&self) {
        if !self.0.is_shut.load(Ordering::Acquire) {
            return;
        }
        self.0.is_shut.store(false, Ordering::Release);
        let waiting = self.waiting().take();
        if let Some(waiting) = waiting {
            waiting.wake();
        }
    }

    /// Ready while it is open.
    pub(super) fn poll_open(&self, cx: &Context<'_>) -> Poll<()> {
        if !self.0.is_shut.load(Ordering::Acquire) {
            return Poll::Ready(());
        }
        *self.waiting() = Some(cx.waker().clone());
        // It may have been opened in between, by another task that drives the connection.
        match self.0.is_shut.load(Ordering::Acquire) {
            true => Poll::Pending,
            false => Poll::Ready(()),
        }
    }

    fn waiting(&self) -> std::sync::MutexGuard<'_, Option<Waker>> {
        self.0
            .waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::task::Wake;

    use super::*;

    #[derive(Default)]
    struct Flag(AtomicBool);

    impl Wake for Flag {
        fn wake(self: Arc<Self>) {
            self.0.store(true, Ordering::Release);
        }
    }

    #[test]
    fn whoever_waits_is_woken_when_it_opens() {
        let gate = WriteGate::default();
        let flag = Arc::new(Flag::default());
        let waker = Waker::from(Arc::clone(&flag));
        let context = Context::from_waker(&waker);
        assert!(gate.poll_open(&context).is_ready());
        gate.shut();
        assert!(gate.poll_open(&context).is_pending());
        gate.open();
        assert!(flag.0.load(Ordering::Acquire));
        assert!(gate.poll_open(&context).is_ready());
    }
}
