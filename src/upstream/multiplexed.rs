use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hyper::client::conn::http2::{self, SendRequest};
use hyper::rt::Executor;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::sync::Notify;
use tokio::time::timeout;

use super::config::{Config, EXCHANGES_MAX};
use super::error::UpstreamError;
use super::request_body::RequestBody;
use super::stream::Stream;

/// A connection that carries many exchanges at once, and the place of one of them.
#[derive(Debug)]
pub(super) struct Multiplexed {
    pub(super) sender: SendRequest<RequestBody>,
    pub(super) share: Share,
    pub(super) address: Option<SocketAddr>,
}

/// An exchange's place; it is free again when this is dropped.
#[derive(Debug)]
pub(super) struct Share(Arc<Room>);

/// What a connection carries, and how much more it may.
#[derive(Debug)]
pub(super) struct Room {
    exchanges: AtomicUsize,
    /// None: it has ended.
    driver: Mutex<Option<Driver>>,
    /// Somebody waits for a place on any connection to the origin.
    freed: Arc<Notify>,
}

type Driver = http2::Connection<TokioIo<Stream>, RequestBody, Spawner>;

/// Runs the tasks of a connection, the first of which reads and writes it.
#[derive(Clone, Debug)]
struct Spawner {
    has_first: Arc<AtomicBool>,
    /// The first one went on.
    moved: Arc<Notify>,
}

/// What is held of one answer that its visitor does not take.
const STREAM_WINDOW: u32 = 128 * 1024;
/// As much for each of them, so that visitors who read slowly keep nobody else waiting: at worst
/// 12.5 MiB are held of a connection's answers.
const CONNECTION_WINDOW: u32 = EXCHANGES_MAX as u32 * STREAM_WINDOW;
const SEND_BUFFER_MAX: usize = 64 * 1024;
/// How often an origin with exchanges must show that it is there, and how long it may take to.
const PING: Duration = Duration::from_secs(20);
/// The origin has not said yet how many exchanges it allows. No origin can say this.
const UNTOLD: usize = usize::MAX - 1;
/// It is the first thing that an origin says.
const TOLD_WITHIN: Duration = Duration::from_secs(1);

impl Multiplexed {
    /// Begins to speak HTTP/2 on a connection that both sides agreed on. Who waits for a place is
    /// woken by `freed`.
    pub(super) async fn open(
        stream: Stream,
        address: Option<SocketAddr>,
        config: &Config,
        freed: Arc<Notify>,
    ) -> Result<Self, UpstreamError> {
        let head_max = u32::try_from(config.head_bytes_max).unwrap_or(u32::MAX);
        let spawner = Spawner {
            has_first: Arc::default(),
            moved: Arc::default(),
        };
        let moved = Arc::clone(&spawner.moved);
        let mut builder = http2::Builder::new(spawner);
        builder
            .timer(TokioTimer::new())
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .initial_max_send_streams(UNTOLD)
            .max_header_list_size(head_max)
            .max_send_buf_size(SEND_BUFFER_MAX)
            .keep_alive_interval(PING)
            .keep_alive_timeout(PING);
        let (sender, driver) = builder
            .handshake(TokioIo::new(stream))
            .await
            .map_err(UpstreamError::before_head)?;
        let room = Arc::new(Room {
            exchanges: AtomicUsize::new(0),
            driver: Mutex::new(Some(driver)),
            freed,
        });
        tokio::spawn(drive(Arc::clone(&room), Arc::clone(&moved)));
        // Who has not said it by then is asked like one that allows as many as come.
        let _ = timeout(TOLD_WITHIN, room.told(&moved)).await;
        Ok(Self {
            sender,
            share: Share::of(&room),
            address,
        })
    }
}

async fn drive(room: Arc<Room>, moved: Arc<Notify>) {
    let ended = std::future::poll_fn(|cx| room.poll_driver(cx)).await;
    moved.notify_waiters();
    // Whoever waits for an answer, or reads its body, is told of the error too.
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection to an origin ended with an error");
    }
}

impl Share {
    pub(super) fn of(room: &Arc<Room>) -> Self {
        room.exchanges.fetch_add(1, Ordering::AcqRel);
        Self(Arc::clone(room))
    }

    pub(super) fn room(&self) -> &Arc<Room> {
        &self.0
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.0.exchanges.fetch_sub(1, Ordering::AcqRel);
        self.0.freed.notify_one();
    }
}

impl Room {
    pub(super) fn has_place(&self) -> bool {
        let exchanges = self.exchanges.load(Ordering::Acquire);
        exchanges < EXCHANGES_MAX && exchanges < self.allowed()
    }

    pub(super) fn is_busy(&self) -> bool {
        self.exchanges.load(Ordering::Acquire) > 0
    }

    /// What the origin allows at once, which it may change at any time. Beyond, requests would wait
    /// in the connection, each for all before it.
    fn allowed(&self) -> usize {
        let driver = self.lock();
        driver.as_ref().map_or(0, Driver::current_max_send_streams)
    }

    async fn told(&self, moved: &Notify) {
        loop {
            let moved = moved.notified();
            if self.allowed() != UNTOLD {
                return;
            }
            moved.await;
        }
    }

    fn poll_driver(&self, cx: &mut Context<'_>) -> Poll<hyper::Result<()>> {
        let mut driver = self.lock();
        let Some(running) = &mut *driver else {
            return Poll::Ready(Ok(()));
        };
        let ended = ready!(Pin::new(running).poll(cx));
        *driver = None;
        Poll::Ready(ended)
    }

    fn lock(&self) -> MutexGuard<'_, Option<Driver>> {
        self.driver.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<F: Future<Output = ()> + Send + 'static> Executor<F> for Spawner {
    fn execute(&self, task: F) {
        if self.has_first.swap(true, Ordering::Relaxed) {
            tokio::spawn(task);
            return;
        }
        let moved = Arc::clone(&self.moved);
        tokio::spawn(async move {
            let mut task = std::pin::pin!(task);
            std::future::poll_fn(|cx| {
                let polled = task.as_mut().poll(cx);
                moved.notify_waiters();
                polled
            })
            .await;
        });
    }
}
