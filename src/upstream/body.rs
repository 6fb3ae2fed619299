use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::{Instant, Sleep, sleep};

use super::error::UpstreamError;
use super::pool::{Connection, Pool};

/// The body of an origin's answer. It ends cleanly only when the origin ended it cleanly, and gives
/// its connection back to the pool when it does; dropped earlier, it closes the connection.
pub struct UpstreamBody {
    inner: Incoming,
    idle: Option<IdleTimer>,
    reuse: Option<Reuse>,
}

/// The connection, for when the body was read to its end.
#[derive(Debug)]
pub(super) struct Reuse {
    pub(super) pool: Weak<Pool>,
    pub(super) connection: Connection,
}

struct IdleTimer {
    limit: Duration,
    sleep: Pin<Box<Sleep>>,
    /// Whether the edge is waiting for the origin. Time in which the client does not ask for the
    /// next frame is not the origin's.
    is_running: bool,
}

impl UpstreamBody {
    pub(super) fn new(inner: Incoming, limit: Option<Duration>, reuse: Option<Reuse>) -> Self {
        let mut body = Self {
            inner,
            idle: limit.map(IdleTimer::new),
            reuse,
        };
        body.reuse_if_ended();
        body
    }

    fn reuse_if_ended(&mut self) {
        if self.inner.is_end_stream() {
            self.reuse();
        }
    }

    fn reuse(&mut self) {
        if let Some(Reuse { pool, connection }) = self.reuse.take() {
            tokio::spawn(Pool::take_back(pool, connection));
        }
    }
}

impl Body for UpstreamBody {
    type Data = Bytes;
    type Error = UpstreamError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, UpstreamError>>> {
        let polled = Pin::new(&mut self.inner).poll_frame(cx);
        let Poll::Ready(frame) = polled else {
            let Some(idle) = &mut self.idle else {
                return Poll::Pending;
            };
            let after = ready!(idle.poll_expired(cx));
            self.reuse = None;
            return Poll::Ready(Some(Err(UpstreamError::BodyIdle { after })));
        };
        if let Some(idle) = &mut self.idle {
            idle.is_running = false;
        }
        match &frame {
            None => self.reuse(),
            Some(Ok(_)) => self.reuse_if_ended(),
            Some(Err(_)) => self.reuse = None,
        }
        Poll::Ready(frame.map(|result| result.map_err(UpstreamError::BodyBroken)))
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

impl IdleTimer {
    fn new(limit: Duration) -> Self {
        Self {
            limit,
            sleep: Box::pin(sleep(limit)),
            is_running: false,
        }
    }

    fn poll_expired(&mut self, cx: &mut Context<'_>) -> Poll<Duration> {
        if !self.is_running {
            self.is_running = true;
            self.sleep.as_mut().reset(Instant::now() + self.limit);
        }
        self.sleep.as_mut().poll(cx).map(|()| self.limit)
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
