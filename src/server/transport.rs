use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, Sleep, sleep};

use super::crowd::Place;
use super::signals::{Handle, OpenConnection};
use super::socket::ClientStream;
use super::unsent::Pace;
use super::write_gate::WriteGate;
use crate::telemetry::ConnectionGuard;

/// A client's TCP connection with everything that must be given back when it closes. It goes along
/// when the connection is upgraded, so a tunnel counts as the connection that it is, and ends with
/// the server.
pub(super) struct Transport {
    stream: ClientStream,
    /// The client sends no more.
    has_ended: bool,
    read_cut: Cut,
    write_cut: Cut,
    stall: Stall,
    pace: Pace,
    reset: ResetSwitch,
    gate: WriteGate,
    _seat: Seat,
}

/// What a connection holds while it is open.
#[derive(Debug)]
#[expect(dead_code, reason = "what they do, they do when they are dropped")]
pub(super) struct Seat {
    pub(super) open: OpenConnection,
    pub(super) guard: ConnectionGuard,
    pub(super) permit: OwnedSemaphorePermit,
    /// `None` until it is known for whom it is.
    pub(super) place: Option<Place>,
}

/// What exchanges have in hand of the connection that carries them.
#[derive(Clone, Debug)]
pub(super) struct Controls {
    pub(super) reset: ResetSwitch,
    pub(super) gate: WriteGate,
}

/// Makes the connection end with a reset instead of an orderly close, so that an answer which
/// nothing but the close delimits cannot look whole when it is not (HTTP/1.0 clients).
#[derive(Clone, Debug, Default)]
pub(super) struct ResetSwitch(Arc<AtomicU8>);

/// The connection may close in order.
const OFF: u8 = 0;
/// It may once all that hyper holds of a whole answer is written.
const OFF_ONCE_WRITTEN: u8 = 1;
const ON: u8 = 2;

/// Whether this direction must end. Each direction has its own, as each may be polled by another
/// task.
struct Cut {
    handle: Handle,
    signal: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

/// How long the client has taken nothing.
struct Stall {
    limit: Duration,
    timer: Option<Pin<Box<Sleep>>>,
    is_running: bool,
}

impl Transport {
    pub(super) fn new(
        stream: ClientStream,
        handle: &Handle,
        write_stall_timeout: Duration,
        seat: Seat,
    ) -> Self {
        Self {
            stream,
            has_ended: false,
            read_cut: Cut::new(handle),
            write_cut: Cut::new(handle),
            stall: Stall::new(write_stall_timeout),
            pace: Pace::new(),
            reset: ResetSwitch::default(),
            gate: WriteGate::default(),
            _seat: seat,
        }
    }

    pub(super) fn controls(&self) -> Controls {
        Controls {
            reset: self.reset.clone(),
            gate: self.gate.clone(),
        }
    }

    /// Whether the client has closed its side, as was seen when it was read from.
    pub(super) fn has_ended(&self) -> bool {
        self.has_ended
    }

    fn poll_writing<T>(
        &mut self,
        cx: &mut Context<'_>,
        polled: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if polled.is_ready() {
            self.stall.is_running = false;
            if let Some(unsent) = self.pace.taken() {
                self.stream.keep_unsent(unsent);
            }
            return polled;
        }
        self.gate.shut();
        self.pace.blocked();
        if self.write_cut.poll(cx).is_ready() {
            return Poll::Ready(Err(cut()));
        }
        self.stall.poll(cx).map(Err)
    }
}

impl ResetSwitch {
    pub(super) fn turn_on(&self) {
        self.0.store(ON, Ordering::Release);
    }

    /// Turns it off as soon as all that was to be written is.
    pub(super) fn turn_off_once_written(&self) {
        self.0.store(OFF_ONCE_WRITTEN, Ordering::Release);
    }

    /// A flush comes down here only when the layers above have nothing left to write.
    fn note_written(&self) {
        let _ = self
            .0
            .compare_exchange(OFF_ONCE_WRITTEN, OFF, Ordering::AcqRel, Ordering::Acquire);
    }

    fn is_on(&self) -> bool {
        self.0.load(Ordering::Acquire) != OFF
    }
}

impl Drop for Transport {
    fn drop(&mut self) {
        if self.reset.is_on() {
            self.stream.linger_no_time();
        }
    }
}

impl AsyncRead for Transport {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let (filled, room) = (buf.filled().len(), buf.remaining());
        let polled = Pin::new(&mut self.stream).poll_read(cx, buf);
        self.has_ended |= polled.is_ready() && room > 0 && buf.filled().len() == filled;
        if polled.is_pending() && self.read_cut.poll(cx).is_ready() {
            return Poll::Ready(Err(cut()));
        }
        polled
    }
}

impl AsyncWrite for Transport {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.poll_writing(cx, polled)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.poll_writing(cx, polled)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_flush(cx);
        if matches!(polled, Poll::Ready(Ok(()))) {
            self.reset.note_written();
            self.gate.open();
        }
        polled
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transport")
            .field("stream", &self.stream)
            .finish_non_exhaustive()
    }
}

impl Cut {
    fn new(handle: &Handle) -> Self {
        Self {
            handle: handle.clone(),
            signal: None,
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let handle = &self.handle;
        let signal = self.signal.get_or_insert_with(|| {
            let handle = handle.clone();
            Box::pin(async move { handle.cutting().await })
        });
        let polled = signal.as_mut().poll(cx);
        if polled.is_ready() {
            // A future that is done must not be polled again; the next one is done at once.
            self.signal = None;
        }
        polled
    }
}

impl Stall {
    fn new(limit: Duration) -> Self {
        Self {
            limit,
            timer: None,
            is_running: false,
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        let limit = self.limit;
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep(limit)));
        if !self.is_running {
            self.is_running = true;
            timer.as_mut().reset(Instant::now() + limit);
        }
        timer.as_mut().poll(cx).map(|()| {
            let message = "the client takes nothing of what is sent to it";
            io::Error::new(io::ErrorKind::TimedOut, message)
        })
    }
}

fn cut() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionAborted, "the server ends")
}
