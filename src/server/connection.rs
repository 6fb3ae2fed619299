use std::convert::Infallible;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::Service;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::config::{CONNECTION_BUFFER_BYTES_MIN, Limits};
use super::exchanges::Exchanges;
use super::frame_watch::FrameWatch;
use super::handshake::Protocol;
use super::head_watch::Watched;
use super::signals::Handle;
use super::streams::{LOOKS, StreamExecutor};
use super::trailers::Marked;
use super::transport::Controls;
use crate::telemetry::Metrics;
use crate::wire::{EdgeBody, HYPERS_HEADERS_MAX};

/// For the request that a client may have sent before it hears of a drain; a round trip or two.
const LAST_REQUEST_GRACE: Duration = Duration::from_secs(1);

/// How HTTP is spoken, with every limit said.
#[derive(Clone, Debug)]
pub(super) struct Http {
    http1: http1::Builder,
    http2: http2::Builder<StreamExecutor>,
    h2_spare_frames_max: u32,
    h2_idle_timeout: Duration,
    head_timeout: Duration,
    write_stall_timeout: Duration,
    metrics: Arc<Metrics>,
}

impl Http {
    pub(super) fn new(limits: &Limits, metrics: Arc<Metrics>) -> Self {
        Self {
            http1: http1_builder(limits),
            http2: http2_builder(limits),
            h2_spare_frames_max: limits.h2_spare_frames_max,
            h2_idle_timeout: limits.h2_idle_timeout,
            head_timeout: limits.head_timeout,
            write_stall_timeout: limits.write_stall_timeout,
            metrics,
        }
    }

    fn watch<I>(&self, io: I) -> Marked<FrameWatch<I>> {
        let metrics = Arc::clone(&self.metrics);
        let watched = FrameWatch::new(io, self.h2_spare_frames_max, self.head_timeout, metrics);
        Marked::new(watched)
    }
}

/// Serves one connection to its end, which comes in order when the server drains.
pub(super) async fn serve_connection<I, S>(
    http: &Http,
    protocol: Protocol,
    io: I,
    controls: Controls,
    service: S,
    handle: &Handle,
) where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    S: Service<Request<Incoming>, Response = Response<EdgeBody>, Error = Infallible>,
    S: Clone + Send + 'static,
    S::Future: Send + 'static,
{
    let exchanges = Exchanges::new(controls, protocol, handle);
    let ended = match protocol {
        Protocol::Http1 => {
            let (io, heads) = Watched::new(io);
            let service = exchanges.count(service).watched(heads);
            let io = TokioIo::new(io);
            let connection = http.http1.serve_connection(io, service).with_upgrades();
            let connection = pin!(connection);
            let shut_down = http1::UpgradeableConnection::graceful_shutdown;
            drained(connection, shut_down, told_in_an_answer(handle, &exchanges)).await
        }
        Protocol::Http2 => {
            // Boxed, so that its large state is not part of every HTTP/1.1 connection.
            let service = exchanges.count(service);
            let io = TokioIo::new(http.watch(io));
            let mut connection = Box::pin(http.http2.serve_connection(io, service));
            let period = http.h2_idle_timeout;
            let quit = async {
                tokio::select! {
                    () = sent_home(handle, &exchanges) => {}
                    () = idle(&exchanges, period) => {}
                }
            };
            let shut_down = http2::Connection::graceful_shutdown;
            tokio::select! {
                ended = drained(connection.as_mut(), shut_down, quit) => ended,
                () = abandoned(&exchanges, period) => Ok(()),
                () = stalled(&exchanges, http.write_stall_timeout) => Ok(()),
            }
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended with an error");
        if let Some(reason) = refusal(&error) {
            http.metrics.refused(reason);
        }
    }
}

/// Why hyper answered a request itself, which no gate has seen.
fn refusal(error: &hyper::Error) -> Option<&'static str> {
    match error.is_parse() {
        true if error.is_parse_too_large() => Some("head_too_large"),
        true => Some("malformed"),
        false => None,
    }
}

/// Drives a connection; when `quit` resolves, tells it to end after the exchanges under way. It is
/// pinned by the caller: pinned here, it would take twice the room.
async fn drained<C: Future>(
    mut connection: Pin<&mut C>,
    shut_down: impl FnOnce(Pin<&mut C>),
    quit: impl Future<Output = ()>,
) -> C::Output {
    tokio::select! {
        ended = connection.as_mut() => return ended,
        () = quit => {}
    }
    shut_down(connection.as_mut());
    connection.await
}

/// Resolves when the server drains. A client that has just come may have asked already, and what it
/// asked not been read: it is not sent home before it was served, or was silent for a while.
async fn sent_home(handle: &Handle, exchanges: &Exchanges) {
    handle.draining().await;
    if exchanges.begun() == 0 {
        // Over time it asks for nothing: a connection that a browser opens in advance.
        let _ = timeout(LAST_REQUEST_GRACE, exchanges.next()).await;
    }
}

/// The same on HTTP/1.1, where only an answer can say that it is the last: whoever asks once more is
/// answered, and hears it. Closed at once, what a busy client has just sent would be lost.
async fn told_in_an_answer(handle: &Handle, exchanges: &Exchanges) {
    handle.draining().await;
    if exchanges.open() == 0 {
        let _ = timeout(LAST_REQUEST_GRACE, exchanges.next()).await;
    }
}

/// Resolves when a client that was told to go, because it asked for nothing, has not gone for as
/// long again: one that never began to speak HTTP/2, for instance.
async fn abandoned(exchanges: &Exchanges, period: Duration) {
    idle(exchanges, period).await;
    idle(exchanges, period).await;
}

/// Resolves when nothing was asked for during a whole period. Pings are not exchanges: without
/// this, a client that does nothing but answer them would stay for ever.
async fn idle(exchanges: &Exchanges, period: Duration) {
    let mut ticks = interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks.tick().await;
    let mut seen = exchanges.begun();
    loop {
        ticks.tick().await;
        let begun = exchanges.begun();
        if begun == seen && exchanges.open() == 0 {
            return;
        }
        seen = begun;
    }
}

/// Ends streams of which the client has taken nothing during a whole period; resolves when it has
/// taken nothing at all, and asked for nothing. A client that keeps its streams' windows shut takes
/// what little is written to the connection.
async fn stalled(exchanges: &Exchanges, period: Duration) {
    let mut looks = interval((period / LOOKS).max(Duration::from_millis(1)));
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut seen, mut quiet) = (0, 0);
    loop {
        looks.tick().await;
        exchanges.next().await;
        let begun = exchanges.begun();
        quiet = if begun == seen { quiet + 1 } else { 0 };
        seen = begun;
        if exchanges.end_overdue() && quiet >= LOOKS {
            return;
        }
    }
}

fn http1_builder(limits: &Limits) -> http1::Builder {
    let mut builder = http1::Builder::new();
    let buffer = limits
        .connection_buffer_bytes_max
        .max(limits.head_bytes_max)
        .max(CONNECTION_BUFFER_BYTES_MIN);
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head_timeout)
        .max_header_size(limits.head_bytes_max)
        .max_buf_size(buffer)
        // A client that shuts its sending side is gone: its exchange is not worth finishing.
        .half_close(false)
        // It would lift the limit of the write buffer for clients that read slowly.
        .pipeline_flush(false)
        .keep_alive(true);
    if limits.headers_max != HYPERS_HEADERS_MAX {
        builder.max_headers(limits.headers_max);
    }
    builder
}

fn http2_builder(limits: &Limits) -> http2::Builder<StreamExecutor> {
    let head_bytes_max = u32::try_from(limits.head_bytes_max).unwrap_or(u32::MAX);
    let mut builder = http2::Builder::new(StreamExecutor);
    builder
        .timer(TokioTimer::new())
        // WebSockets over HTTP/2 (RFC 8441).
        .enable_connect_protocol()
        .max_concurrent_streams(limits.h2_streams_max)
        .max_header_list_size(head_bytes_max)
        .max_pending_accept_reset_streams(limits.h2_pending_resets_max)
        .max_local_error_reset_streams(limits.h2_error_resets_max)
        .initial_stream_window_size(limits.h2_stream_window)
        .initial_connection_window_size(limits.h2_connection_window)
        .max_send_buf_size(limits.h2_send_buffer_bytes_max)
        .keep_alive_interval(limits.h2_ping_interval)
        .keep_alive_timeout(limits.h2_ping_timeout);
    builder
}
