use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::Instant;

use super::error::UpstreamError;
use super::flow::Flow;
use super::idle::IdleTimer;
use super::multiplexed::Share;
use super::pool::{Connection, Pool};
use super::pulse::InFlight;
use super::request_body::Upload;
use super::stream::Tenancy;

/// The body of an origin's answer. It ends cleanly only when the origin ended it cleanly, and gives
/// its connection back to the pool when it does; dropped earlier, it closes the connection.
pub struct UpstreamBody {
    inner: Incoming,
    /// Time in which the client does not ask for the next frame is not the origin's.
    idle: Option<IdleTimer>,
    /// The request, whose failure ends the answer too.
    upload: Arc<Upload>,
    flow: Arc<Flow>,
    /// When the last frame was handed over.
    handed_over: Option<Instant>,
    reuse: Option<Reuse>,
    /// Counted for as long as this is read.
    in_flight: Option<InFlight>,
    tenancy: Option<Arc<Tenancy>>,
    /// In HTTP/2: the share of the connection.
    share: Option<Share>,
}

/// The connection, for when the body was read to its end.
#[derive(Debug)]
pub(super) struct Reuse {
    pub(super) pool: Weak<Pool>,
    pub(super) connection: Connection,
}

impl UpstreamBody {
    pub(super) fn new(
        inner: Incoming,
        limit: Option<Duration>,
        upload: Arc<Upload>,
        flow: Arc<Flow>,
        reuse: Option<Reuse>,
    ) -> Self {
        let mut body = Self {
            inner,
            idle: limit.map(IdleTimer::new),
            upload,
            flow,
            handed_over: None,
            reuse,
            in_flight: None,
            tenancy: None,
            share: None,
        };
        body.reuse_if_ended();
        body
    }

    /// The exchange lasts until the body was read or given up.
    pub(super) fn hold(&mut self, in_flight: InFlight) {
        match self.tenancy.take() {
            Some(tenancy) => drop(tenancy.set(in_flight)),
            None if self.inner.is_end_stream() => {}
            None => self.in_flight = Some(in_flight),
        }
    }

    /// The answer came in HTTP/2, on a connection that others share.
    pub(super) fn share(&mut self, share: Share) {
        self.share = Some(share);
    }

    /// The exchange lasts as long as the tunnel that comes of it.
    pub(super) fn move_out_to(&mut self, tenancy: Arc<Tenancy>) {
        self.tenancy = Some(tenancy);
    }

    fn reuse_if_ended(&mut self) {
        if self.inner.is_end_stream() {
            self.reuse();
        }
    }

    fn reuse(&mut self) {
        self.flow.resume();
        self.in_flight = None;
        if let Some(Reuse { pool, connection }) = self.reuse.take() {
            Pool::take_back(pool, connection);
        }
    }
}

impl UpstreamBody {
    /// Nothing more is read until somebody comes back for more.
    fn hand_over(&mut self, frame: &Frame<Bytes>) {
        let length = frame.data_ref().map_or(0, Bytes::len);
        self.flow.pause(length);
        self.handed_over = Some(Instant::now());
    }

    fn note_delay(&mut self) {
        let since = self.handed_over.take().map(|then| then.elapsed());
        if since.is_some_and(|since| since > DELAY) {
            self.flow.note_delay();
        }
    }
}

impl Drop for UpstreamBody {
    fn drop(&mut self) {
        self.flow.resume();
    }
}

/// A visitor who takes longer for a frame is slower than some megabytes in a second.
const DELAY: Duration = Duration::from_millis(10);

impl Body for UpstreamBody {
    type Data = Bytes;
    type Error = UpstreamError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, UpstreamError>>> {
        self.note_delay();
        let polled = Pin::new(&mut self.inner).poll_frame(cx);
        let Poll::Ready(frame) = polled else {
            self.flow.resume();
            let Some(idle) = &mut self.idle else {
                return Poll::Pending;
            };
            let after = ready!(idle.poll_expired(cx));
            self.reuse = None;
            return Poll::Ready(Some(Err(UpstreamError::BodyIdle { after })));
        };
        if let Some(idle) = &mut self.idle {
            idle.stop();
        }
        if frame.is_none() && self.share.is_some() && !self.inner.is_end_stream() {
            return Poll::Ready(Some(Err(UpstreamError::BodyReset)));
        }
        match &frame {
            None => self.reuse(),
            Some(Ok(frame)) => {
                self.hand_over(frame);
                self.reuse_if_ended();
            }
            Some(Err(_)) => self.reuse = None,
        }
        let upload = &self.upload;
        Poll::Ready(frame.map(|frame| frame.map_err(|error| upload.failure(error))))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

impl fmt::Debug for UpstreamBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UpstreamBody")
            .field("inner", &self.inner)
            .finish_non_exhaustive()
    }
}

impl Reuse {
    pub(super) fn new(pool: &Arc<Pool>, connection: Connection) -> Self {
        Self {
            pool: Arc::downgrade(pool),
            connection,
        }
    }
}
