//! Two upgraded byte streams joined. Of what runs through them it knows where the frames of a WebSocket
//! end, the only protocol that connections are switched to: a last one can be put in between.

use std::future::pending;
use std::io;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, split};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until, timeout};

use crate::telemetry::{self, Blame, Metrics};
use crate::wire::{GOING_AWAY, Gone, Hold, WebSocketFrames};

/// The visitor's side, before protocols are switched.
#[derive(Debug)]
pub struct Downstream {
    pub upgrade: OnUpgrade,
    /// What it and the server tell each other.
    pub hold: Option<Hold>,
}

/// What ran through a tunnel, and why it ended.
#[derive(Debug)]
pub struct Closed {
    pub bytes_up: u64,
    pub bytes_down: u64,
    pub end: End,
}

/// Why a tunnel ended.
#[derive(Debug)]
pub enum End {
    /// One side failed.
    Broken { blame: Blame, source: io::Error },
    /// Each side had said that it will send no more.
    Finished,
    /// Nothing moved in either direction for the whole idle time-out.
    Idle,
    /// The edge is ending.
    Shutdown,
}

/// What one direction holds at most between its two sides. While it is full nothing more is read,
/// so a slow reader slows its writer down.
pub const BUFFER_BYTES: usize = 16 * 1024;

impl End {
    /// A constant word for logs.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Broken { .. } => "broken",
            Self::Finished => "finished",
            Self::Idle => "idle",
            Self::Shutdown => "shutdown",
        }
    }
}

/// How long a tunnel may stand still. Chats and cobrowse sessions send a ping every minute or so;
/// what is silent for longer than this has lost its other end.
const IDLE_TIMEOUT: Duration = Duration::from_hours(1);

/// How long the other direction may stand still once one has ended. Few protocols end one side
/// alone, and a client that has closed looks the same.
const HALF_CLOSED_TIMEOUT: Duration = Duration::from_mins(1);

/// The same once the visitor's stream was reset, and counts no more: what it had sent before may still
/// be on its way to the origin.
const RESET_TIMEOUT: Duration = Duration::from_secs(5);

/// How long both connections may take to become tunnels once the 101 is on its way.
const UPGRADE_TIMEOUT: Duration = Duration::from_secs(10);

/// Joins two connections once both are upgraded, in a task of its own. The task ends with either
/// connection; the server cuts its visitors' connections when a drain has lasted too long, so
/// that no tunnel outlives it. Its bytes are counted when it ends.
pub fn spawn(downstream: Downstream, upstream: OnUpgrade, metrics: Arc<Metrics>) {
    let Downstream { upgrade, hold } = downstream;
    tokio::spawn(async move {
        let both = async { tokio::try_join!(upgrade, upstream) };
        match timeout(UPGRADE_TIMEOUT, both).await {
            Ok(Ok((downstream, upstream))) => {
                let ends = Ends {
                    downstream: TokioIo::new(downstream),
                    upstream: TokioIo::new(upstream),
                    hold,
                };
                let closed = join(ends, IDLE_TIMEOUT, pending()).await;
                metrics.bytes(telemetry::Direction::Up, closed.bytes_up);
                metrics.bytes(telemetry::Direction::Down, closed.bytes_down);
                let reason = closed.end.reason();
                tracing::debug!(
                    reason,
                    up = closed.bytes_up,
                    down = closed.bytes_down,
                    "tunnel closed"
                );
            }
            Ok(Err(error)) => tracing::debug!(%error, "a connection could not become a tunnel"),
            Err(_) => tracing::debug!("a connection did not become a tunnel in time"),
        }
    });
}

/// What is joined.
#[derive(Debug)]
pub struct Ends<D, U> {
    pub downstream: D,
    pub upstream: U,
    /// Told whether the visitor takes what it is given, and tells when the server is about to end.
    pub hold: Option<Hold>,
}

/// Carries bytes both ways until both sides have ended, one fails, nothing moves for
/// `idle_timeout`, or `shutdown` resolves. When one side ends, the other is told so and may go on
/// sending, as long as it does not pause for longer than a minute.
pub async fn join<D, U>(
    ends: Ends<D, U>,
    idle_timeout: Duration,
    shutdown: impl Future<Output = ()>,
) -> Closed
where
    D: AsyncRead + AsyncWrite,
    U: AsyncRead + AsyncWrite,
{
    let traffic = Traffic::new();
    let (down_reader, down_writer) = split(ends.downstream);
    let (up_reader, up_writer) = split(ends.upstream);
    let up = Direction {
        traffic: &traffic,
        bytes: &traffic.up,
        from: Blame::Downstream,
        to: Blame::Upstream,
        hold: None,
    };
    let down = Direction {
        traffic: &traffic,
        bytes: &traffic.down,
        from: Blame::Upstream,
        to: Blame::Downstream,
        hold: ends.hold.as_ref(),
    };
    let both = async {
        tokio::try_join!(
            up.carry(down_reader, up_writer),
            down.carry(up_reader, down_writer)
        )
    };
    let end = tokio::select! {
        carried = both => carried.map_or_else(|broken| broken, |_| End::Finished),
        () = traffic.idle(idle_timeout) => End::Idle,
        () = traffic.idle_half_closed(idle_timeout) => End::Idle,
        () = traffic.idle_reset(idle_timeout) => End::Idle,
        () = shutdown => End::Shutdown,
    };
    Closed {
        bytes_up: traffic.up.load(Ordering::Relaxed),
        bytes_down: traffic.down.load(Ordering::Relaxed),
        end,
    }
}

struct Traffic {
    up: AtomicU64,
    down: AtomicU64,
    moved: Mutex<Instant>,
    half_closed: Notify,
    reset: Notify,
}

/// One direction, and who is to blame for a failure of its ends.
struct Direction<'a> {
    traffic: &'a Traffic,
    bytes: &'a AtomicU64,
    from: Blame,
    to: Blame,
    hold: Option<&'a Hold>,
}

impl Traffic {
    fn new() -> Self {
        Self {
            up: AtomicU64::new(0),
            down: AtomicU64::new(0),
            moved: Mutex::new(Instant::now()),
            half_closed: Notify::new(),
            reset: Notify::new(),
        }
    }

    /// Resolves when nothing has moved for `timeout`.
    async fn idle(&self, timeout: Duration) {
        loop {
            let deadline = self.last_moved() + timeout;
            if deadline <= Instant::now() {
                return;
            }
            sleep_until(deadline).await;
        }
    }

    /// The same with a shorter time-out, from when one direction has ended.
    async fn idle_half_closed(&self, timeout: Duration) {
        self.half_closed.notified().await;
        self.idle(timeout.min(HALF_CLOSED_TIMEOUT)).await;
    }

    /// The same with one that is far shorter, from when the visitor's stream was reset.
    async fn idle_reset(&self, timeout: Duration) {
        self.reset.notified().await;
        self.idle(timeout.min(RESET_TIMEOUT)).await;
    }

    fn last_moved(&self) -> Instant {
        *self.moved.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note_move(&self) {
        *self.moved.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }
}

impl Direction<'_> {
    /// Resolves when whoever is written to is to be told that the edge is ending.
    async fn leaving(&self) {
        match self.hold {
            Some(hold) => hold.leaving().await,
            None => pending().await,
        }
    }

    /// Resolves when whoever is written to takes nothing any more.
    async fn gone(&self) -> Gone {
        match self.hold {
            Some(hold) => hold.gone().await,
            None => pending().await,
        }
    }

    /// What a client had sent before it reset its stream may still go to the origin. One that took nothing
    /// for too long is owed nothing: its stream is reset once both directions have let go of it.
    fn sends_no_more(&self, why: Gone) -> Result<(), End> {
        match why {
            Gone::Reset => {
                self.traffic.note_move();
                self.traffic.reset.notify_one();
                Ok(())
            }
            Gone::Overdue => Err(End::Broken {
                blame: self.to,
                source: io::ErrorKind::TimedOut.into(),
            }),
        }
    }

    async fn carry(
        &self,
        mut from: impl AsyncRead + Unpin,
        mut to: impl AsyncWrite + Unpin,
    ) -> Result<(), End> {
        let broken = |blame| move |source| End::Broken { blame, source };
        let mut buffer = vec![0; BUFFER_BYTES];
        let mut frames = WebSocketFrames::default();
        let (mut gone, mut leaving) = (pin!(self.gone()), pin!(self.leaving()));
        let mut is_leaving = false;
        loop {
            if is_leaving && frames.takes_another() {
                // Its answer to this goes to the other side, which so hears of it too.
                to.write_all(&GOING_AWAY).await.map_err(broken(self.to))?;
                return to.shutdown().await.map_err(broken(self.to));
            }
            let read = tokio::select! {
                read = from.read(&mut buffer) => read,
                () = &mut leaving, if !is_leaving => {
                    is_leaving = true;
                    continue;
                }
                why = &mut gone => return self.sends_no_more(why),
            };
            let count = read.map_err(broken(self.from))?;
            if count == 0 {
                self.traffic.note_move();
                self.traffic.half_closed.notify_one();
                return to.shutdown().await.map_err(broken(self.to));
            }
            let standing = self.hold.map(Hold::stand);
            let chunk = &buffer[..count];
            frames.pass(chunk);
            to.write_all(chunk).await.map_err(broken(self.to))?;
            to.flush().await.map_err(broken(self.to))?;
            drop(standing);
            self.traffic.note_move();
            self.bytes.fetch_add(count as u64, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests;
