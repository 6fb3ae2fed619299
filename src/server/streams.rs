use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::Instant;

use hyper::rt::Executor;
use tokio::sync::Notify;
use tokio::task::AbortHandle;

use crate::wire::Gone;

/// The streams of one HTTP/2 connection. From time to time they are looked at, and those are ended of
/// which the client takes nothing.
#[derive(Debug, Default)]
pub(super) struct Streams {
    listed: Mutex<Vec<Weak<Stream>>>,
    /// One that stood when it was looked at has gone on since.
    has_moved: AtomicBool,
}

/// One of them, for as long as an exchange or a tunnel is on it.
#[derive(Debug)]
pub(super) struct Stream {
    streams: Arc<Streams>,
    /// `None` until it is first polled.
    tasks: OnceLock<Arc<StreamTasks>>,
    /// Whether the client has yet to take what it was sent.
    is_standing: AtomicBool,
    /// Whether it has gone on since it was looked at.
    has_moved: AtomicBool,
    stood_when_seen: AtomicBool,
    /// For how long, as these looks count it.
    stood: AtomicU32,
    /// After which it may not stand at all.
    deadline: OnceLock<Instant>,
    /// It stood for too long.
    is_ended: AtomicBool,
}

/// What is to become of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Kept,
    /// Its exchange has lasted too long.
    Late,
    /// The client has taken nothing of it for too long.
    Overdue,
}

/// Runs what hyper does for each stream, such that it can be ended from outside: a stream of which
/// hyper's part is dropped is reset.
#[derive(Clone, Copy, Debug)]
pub(super) struct StreamExecutor;

/// What runs for a stream: its exchange, or the tunnel that has come of it.
#[derive(Debug, Default)]
pub(super) struct StreamTasks {
    running: Mutex<Option<AbortHandle>>,
    /// Nothing more is sent by the tunnel.
    tunnel_over: Notify,
}

/// Tells so, however it ends.
struct SendingTunnel(Arc<StreamTasks>);

tokio::task_local! {
    static TASKS: Arc<StreamTasks>;
}

/// How often streams are looked at in the time for which they may stand.
pub(super) const LOOKS: u32 = 8;
/// While nothing else that stood goes on, either.
const COST_OF_STANDING: u32 = 4;
/// A client behind a slow line takes of its streams by turns, and may keep each waiting for longer.
const COST_WHILE_OTHERS_MOVE: u32 = 1;
const COST_MAX: u32 = COST_OF_STANDING * LOOKS;

impl Streams {
    pub(super) fn open(self: &Arc<Self>) -> Arc<Stream> {
        let stream = Arc::new(Stream::new(Arc::clone(self)));
        self.listed().push(Arc::downgrade(&stream));
        stream
    }

    /// Ends the streams that stand, and have for too long or whose time is up. `true`: all have for
    /// too long.
    pub(super) fn end_overdue(&self, now: Instant) -> bool {
        let streams: Vec<_> = self.listed().iter().filter_map(Weak::upgrade).collect();
        let cost = match self.has_moved.swap(false, Ordering::AcqRel) {
            true => COST_WHILE_OTHERS_MOVE,
            false => COST_OF_STANDING,
        };
        let mut are_all_overdue = !streams.is_empty();
        for stream in &streams {
            let fate = stream.fate(cost, now);
            if fate != Fate::Kept {
                stream.end();
            }
            are_all_overdue &= fate == Fate::Overdue;
        }
        are_all_overdue
    }

    fn listed(&self) -> MutexGuard<'_, Vec<Weak<Stream>>> {
        lock(&self.listed)
    }
}

impl Stream {
    fn new(streams: Arc<Streams>) -> Self {
        Self {
            streams,
            tasks: OnceLock::new(),
            is_standing: AtomicBool::new(false),
            has_moved: AtomicBool::new(false),
            stood_when_seen: AtomicBool::new(false),
            stood: AtomicU32::new(0),
            deadline: OnceLock::new(),
            is_ended: AtomicBool::new(false),
        }
    }

    /// Called in the task that runs it.
    pub(super) fn note_task(&self) {
        if let Ok(tasks) = TASKS.try_with(Arc::clone) {
            self.tasks.get_or_init(|| tasks);
        }
    }

    pub(super) fn must_end_by(&self, deadline: Instant) {
        self.deadline.get_or_init(|| deadline);
    }

    /// The client was given bytes, and has not taken them yet.
    pub(super) fn stand(&self) {
        self.is_standing.store(true, Ordering::Release);
    }

    /// It has. What never stood for long says nothing of whether the client takes anything.
    pub(super) fn go_on(&self) {
        if !self.is_standing.swap(false, Ordering::AcqRel) {
            return;
        }
        self.has_moved.store(true, Ordering::Release);
        if self.stood_when_seen.load(Ordering::Acquire) {
            self.streams.has_moved.store(true, Ordering::Release);
        }
    }

    /// Resolves, once, when its tunnel can send nothing any more.
    pub(super) async fn gone(&self) -> Gone {
        match self.tasks.get() {
            Some(tasks) => tasks.tunnel_over.notified().await,
            None => std::future::pending().await,
        }
        match self.is_ended.load(Ordering::Acquire) {
            true => Gone::Overdue,
            false => Gone::Reset,
        }
    }

    fn fate(&self, cost: u32, now: Instant) -> Fate {
        let is_standing = self.is_standing.load(Ordering::Acquire);
        let has_moved = self.has_moved.swap(false, Ordering::AcqRel);
        let stood_before = self.stood_when_seen.swap(is_standing, Ordering::AcqRel);
        let stood = match is_standing && stood_before && !has_moved {
            true => self.stood.load(Ordering::Acquire).saturating_add(cost),
            false => 0,
        };
        self.stood.store(stood, Ordering::Release);
        let is_late = self.deadline.get().is_some_and(|deadline| *deadline <= now);
        match is_standing {
            true if stood >= COST_MAX => Fate::Overdue,
            true if is_late => Fate::Late,
            _ => Fate::Kept,
        }
    }

    fn end(&self) {
        tracing::debug!("a stream ends of which the client takes nothing");
        self.is_ended.store(true, Ordering::Release);
        let tasks = self.tasks.get();
        if let Some(task) = tasks.and_then(|tasks| lock(&tasks.running).take()) {
            task.abort();
        }
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        let this = ptr::from_ref(self);
        let mut listed = self.streams.listed();
        if let Some(at) = listed.iter().position(|one| ptr::eq(one.as_ptr(), this)) {
            listed.swap_remove(at);
        }
    }
}

impl<F> Executor<F> for StreamExecutor
where
    F: Future<Output = ()> + Send + 'static,
{
    fn execute(&self, task: F) {
        match TASKS.try_with(Arc::clone) {
            // A tunnel is started by the exchange that it was.
            Ok(tasks) => {
                let sending = SendingTunnel(Arc::clone(&tasks));
                tasks.run(async move {
                    let _sending = sending;
                    task.await;
                });
            }
            Err(_) => Arc::<StreamTasks>::default().run(task),
        }
    }
}

impl StreamTasks {
    fn run(self: Arc<Self>, task: impl Future<Output = ()> + Send + 'static) {
        // Held, so that what is started in it comes later.
        let mut running = lock(&self.running);
        let spawned = tokio::spawn(TASKS.scope(Arc::clone(&self), task));
        *running = Some(spawned.abort_handle());
    }
}

impl Drop for SendingTunnel {
    fn drop(&mut self) {
        self.0.tunnel_over.notify_one();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    impl Streams {
        fn look(&self) -> bool {
            self.end_overdue(Instant::now())
        }
    }

    /// A stream whose client was given bytes, and seen to have been.
    fn standing(streams: &Arc<Streams>) -> Arc<Stream> {
        let stream = streams.open();
        stream.stand();
        assert!(!streams.look());
        stream
    }

    /// In how many looks all of them have ended.
    fn looks(streams: &Streams, mut between: impl FnMut()) -> u32 {
        let mut look = || {
            between();
            streams.look()
        };
        (1..100).find(|_| look()).unwrap_or(u32::MAX)
    }

    #[test]
    fn a_client_that_takes_nothing_of_a_stream_has_its_time() {
        let streams = Arc::new(Streams::default());
        assert!(!streams.look());
        let stream = standing(&streams);
        assert_eq!(looks(&streams, || {}), LOOKS);
        stream.go_on();
        stream.stand();
        assert_eq!(looks(&streams, || {}), LOOKS + 1);
        drop(stream);
        assert!(!streams.look());
        assert!(streams.listed().is_empty());
    }

    #[test]
    fn what_moves_or_waits_for_somebody_else_is_kept() {
        let streams = Arc::new(Streams::default());
        let film = standing(&streams);
        let slow = || {
            film.go_on();
            film.stand();
        };
        assert_eq!(looks(&streams, slow), u32::MAX);
        film.go_on();
        assert_eq!(looks(&streams, || {}), u32::MAX);
    }

    #[test]
    fn what_comes_and_goes_is_no_move() {
        let streams = Arc::new(Streams::default());
        let film = standing(&streams);
        let pages = || {
            let page = streams.open();
            page.stand();
            page.go_on();
            page.stand();
        };
        assert_eq!(looks(&streams, pages), LOOKS);
        drop(film);
    }

    #[test]
    fn a_stream_that_waits_for_its_turn_is_kept_for_longer() {
        let streams = Arc::new(Streams::default());
        let mut others: Vec<_> = (0..2).map(|_| standing(&streams)).collect();
        let waiting = standing(&streams);
        let by_turns = || {
            others.rotate_left(1);
            others[0].go_on();
            others[0].stand();
            assert!(!streams.look());
            waiting.stood.load(Ordering::Acquire)
        };
        let rounds = std::iter::repeat_with(by_turns);
        let waited = rounds.take_while(|stood| *stood < COST_MAX).count();
        assert_eq!(waited, 4 * LOOKS as usize - 1);
    }

    #[test]
    fn a_stream_whose_time_is_up_is_ended_if_it_stands() {
        let streams = Arc::new(Streams::default());
        let stream = streams.open();
        let deadline = Instant::now();
        stream.must_end_by(deadline);
        assert_eq!(stream.fate(COST_OF_STANDING, deadline), Fate::Kept);
        stream.stand();
        let before = deadline.checked_sub(Duration::from_millis(1)).unwrap();
        assert_eq!(stream.fate(COST_OF_STANDING, before), Fate::Kept);
        assert_eq!(stream.fate(COST_OF_STANDING, deadline), Fate::Late);
        // The client may well take of others.
        assert!(!streams.end_overdue(deadline));
    }

    #[tokio::test(start_paused = true)]
    async fn what_a_stream_has_become_is_ended_too() {
        let streams = Arc::new(Streams::default());
        let stream = streams.open();
        stream.stand();
        let (held, ended) = tokio::sync::oneshot::channel::<()>();
        let tunnel = async move {
            let _held = held;
            std::future::pending().await
        };
        let (noted, is_noted) = tokio::sync::oneshot::channel();
        let exchange = {
            let stream = Arc::clone(&stream);
            async move {
                stream.note_task();
                StreamExecutor.execute(tunnel);
                let _ = noted.send(());
            }
        };
        StreamExecutor.execute(exchange);
        is_noted.await.unwrap();
        assert_eq!(looks(&streams, || {}), LOOKS + 1);
        let ended = timeout(Duration::from_secs(1), ended).await;
        assert!(ended.expect("it has ended").is_err());
        let gone = timeout(Duration::from_secs(1), stream.gone()).await;
        assert_eq!(gone.expect("it is told so"), Gone::Overdue);
    }
}
