use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;

use super::error::UpstreamError;
use super::idle::IdleTimer;
use super::pool::{Connection, Pool};
use super::request_body::Upload;

/// The body of an origin's answer. It ends cleanly only when the origin ended it cleanly, and gives
/// its connection back to the pool when it does; dropped earlier, it closes the connection.
pub struct UpstreamBody {
    inner: Incoming,
    /// Time in which the client does not ask for the next frame is not the origin's.
    idle: Option<IdleTimer>,
    /// The request, whose failure ends the answer too.
    upload: Arc<Upload>,
    reuse: Option<Reuse>,
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
        reuse: Option<Reuse>,
    ) -> Self {
        let mut body = Self {
            inner,
            idle: limit.map(IdleTimer::new),
            upload,
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
            idle.stop();
        }
        match &frame {
            None => self.reuse(),
            Some(Ok(_)) => self.reuse_if_ended(),
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
