use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// How an answer's bytes flow: between its body, which is asked for frames, and the stream that
/// reads them off the socket, in another task.
///
/// The socket is read only while somebody waits for bytes, so that nothing is read ahead for a
/// visitor who does not take what he has; and as much at once as he has shown to take. So a large
/// read costs memory only where it saves time.
#[derive(Debug, Default)]
pub(super) struct Flow(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// A frame was handed over, and nobody has come back for the next one.
    is_paused: bool,
    /// Bytes that were taken without delay, more or less.
    taken: usize,
    /// The stream's, while it waits.
    reader: Option<Waker>,
}

/// The most that is read at once: a page of 64 KB with its head, and as much again.
pub(super) const READ_MAX: usize = 128 * 1024;
/// What is read at once for somebody who has taken nothing yet, or takes it slowly.
const READ_MIN: usize = 8 * 1024;
/// A read is at most this share of what was taken without delay.
const SHARE: usize = 16;
/// What a delay leaves of that.
const LEFT_BY_DELAY: usize = 4;

impl Flow {
    /// How much may be read now.
    pub(super) fn poll_allowance(&self, cx: &Context<'_>) -> Poll<usize> {
        let mut state = self.lock();
        if state.is_paused {
            state.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        Poll::Ready(allowance(state.taken))
    }

    /// Many share the connection, and each is held back by itself.
    pub(super) fn open_wide(&self) {
        self.lock().taken = READ_MAX * SHARE;
    }

    /// A frame of this length was handed over.
    pub(super) fn pause(&self, length: usize) {
        let mut state = self.lock();
        state.is_paused = true;
        state.taken = state.taken.saturating_add(length).min(READ_MAX * SHARE);
    }

    /// Somebody waits for bytes again, or the answer is over.
    pub(super) fn resume(&self) {
        let reader = {
            let mut state = self.lock();
            state.is_paused = false;
            state.reader.take()
        };
        if let Some(reader) = reader {
            reader.wake();
        }
    }

    /// It took long to take the last frame.
    pub(super) fn note_delay(&self) {
        let mut state = self.lock();
        state.taken /= LEFT_BY_DELAY;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Short of a power of two by one: hyper doubles its buffer when a read fills it, and its buffers
/// are powers of two.
fn allowance(taken: usize) -> usize {
    let share = (taken / SHARE).clamp(READ_MIN, READ_MAX);
    match share == READ_MAX {
        true => READ_MAX,
        false => (1 << share.ilog2()) - 1,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
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
    fn reads_grow_with_what_was_taken() {
        let kib = 1024;
        for (taken, read) in [
            (0, 8 * kib - 1),
            (200 * kib, 8 * kib - 1),
            (256 * kib, 16 * kib - 1),
            (2000 * kib, 64 * kib - 1),
            (2048 * kib, 128 * kib),
            (usize::MAX, 128 * kib),
        ] {
            assert_eq!(allowance(taken), read, "{taken}");
        }
    }

    #[test]
    fn a_visitor_who_becomes_slow_gets_small_reads_again() {
        let flow = Flow::default();
        flow.pause(usize::MAX);
        flow.resume();
        let context = Context::from_waker(Waker::noop());
        assert_eq!(flow.poll_allowance(&context), Poll::Ready(READ_MAX));
        (0..3).for_each(|_| flow.note_delay());
        assert_eq!(flow.poll_allowance(&context), Poll::Ready(READ_MIN - 1));
    }

    #[test]
    fn nothing_is_read_until_somebody_waits_for_it() {
        let flow = Flow::default();
        let flag = Arc::new(Flag::default());
        let waker = Waker::from(Arc::clone(&flag));
        let context = Context::from_waker(&waker);
        flow.pause(1);
        assert!(flow.poll_allowance(&context).is_pending());
        assert!(!flag.0.load(Ordering::Acquire));
        flow.resume();
        assert!(flag.0.load(Ordering::Acquire));
        assert!(flow.poll_allowance(&context).is_ready());
    }
}
