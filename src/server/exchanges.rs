use std::convert::Infallible;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::CONTENT_LENGTH;
use http::{Method, Request, Response, StatusCode, Version};
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use hyper::service::Service;

use super::transport::ResetSwitch;
use crate::wire::{BoxError, EdgeBody};

/// The exchanges of one connection.
#[derive(Clone, Debug)]
pub(super) struct Exchanges {
    counts: Arc<Counts>,
    reset: ResetSwitch,
}

#[derive(Debug, Default)]
struct Counts {
    begun: AtomicU64,
    open: AtomicUsize,
    /// How many of the open ones wait for the client to take what it was sent.
    standing: AtomicUsize,
    /// Frames that were asked for, in all exchanges.
    moves: AtomicU64,
}

/// A service that keeps count of its exchanges, from their head to the last byte of their answer.
#[derive(Clone, Debug)]
pub(super) struct Counted<S> {
    inner: S,
    exchanges: Exchanges,
}

/// An answer's body on its way to the client.
pub struct ExchangeBody {
    inner: EdgeBody,
    /// For an answer that nothing but the close delimits: turned off when the body is whole.
    reset: Option<ResetSwitch>,
    open: OpenExchange,
}

#[derive(Debug)]
struct OpenExchange {
    counts: Arc<Counts>,
    is_standing: bool,
}

impl Exchanges {
    pub(super) fn new(reset: ResetSwitch) -> Self {
        let counts = Arc::default();
        Self { counts, reset }
    }

    pub(super) fn count<S>(&self, inner: S) -> Counted<S> {
        let exchanges = self.clone();
        Counted { inner, exchanges }
    }

    /// How many have begun so far.
    pub(super) fn begun(&self) -> u64 {
        self.counts.begun.load(Ordering::Acquire)
    }

    /// How many are under way.
    pub(super) fn open(&self) -> usize {
        self.counts.open.load(Ordering::Acquire)
    }

    /// Whether there are exchanges, and the client takes nothing of any of them now.
    pub(super) fn are_standing(&self) -> bool {
        let open = self.open();
        open > 0 && self.counts.standing.load(Ordering::Acquire) == open
    }

    /// Changes whenever an exchange begins or moves.
    pub(super) fn moves(&self) -> u64 {
        self.counts.moves.load(Ordering::Acquire)
    }

    fn begin(&self) -> OpenExchange {
        self.counts.begun.fetch_add(1, Ordering::AcqRel);
        self.counts.open.fetch_add(1, Ordering::AcqRel);
        self.counts.moves.fetch_add(1, Ordering::AcqRel);
        OpenExchange {
            counts: Arc::clone(&self.counts),
            is_standing: false,
        }
    }
}

impl OpenExchange {
    /// A frame was handed over, and the next is not asked for before the client took it.
    fn stand(&mut self) {
        self.is_standing = true;
        self.counts.standing.fetch_add(1, Ordering::AcqRel);
    }

    fn go_on(&mut self) {
        self.counts.moves.fetch_add(1, Ordering::AcqRel);
        if std::mem::take(&mut self.is_standing) {
            self.counts.standing.fetch_sub(1, Ordering::AcqRel);
        }
    }
}

impl Drop for OpenExchange {
    fn drop(&mut self) {
        self.go_on();
        self.counts.open.fetch_sub(1, Ordering::AcqRel);
    }
}

impl<S> Service<Request<Incoming>> for Counted<S>
where
    S: Service<Request<Incoming>, Response = Response<EdgeBody>, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = Response<ExchangeBody>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let open = self.exchanges.begin();
        let reset = self.exchanges.reset.clone();
        let (version, is_head) = (request.version(), request.method() == Method::HEAD);
        let answering = self.inner.call(request);
        Box::pin(async move {
            let response = answering.await?;
            let by_close = version <= Version::HTTP_10 && !is_head && ends_by_close(&response);
            let reset = by_close.then_some(reset);
            Ok(response.map(|inner| ExchangeBody::new(inner, reset, open)))
        })
    }
}

impl ExchangeBody {
    fn new(inner: EdgeBody, reset: Option<ResetSwitch>, open: OpenExchange) -> Self {
        // On from the beginning, as a body that is dropped or panics cannot turn it on.
        if let Some(reset) = &reset {
            reset.turn_on();
        }
        Self { inner, reset, open }
    }
}

impl Body for ExchangeBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        self.open.go_on();
        let polled = Pin::new(&mut self.inner).poll_frame(cx);
        if let Poll::Ready(Some(Ok(_))) = polled {
            self.open.stand();
        }
        let is_whole = match &polled {
            Poll::Ready(None) => true,
            Poll::Ready(Some(Ok(_))) => self.inner.is_end_stream(),
            Poll::Ready(Some(Err(_))) | Poll::Pending => false,
        };
        if is_whole && let Some(reset) = &self.reset {
            reset.turn_off_once_written();
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// Whether nothing but the close tells an HTTP/1.0 client where the answer ends (RFC 9112 6.3).
fn ends_by_close(response: &Response<EdgeBody>) -> bool {
    let status = response.status();
    let has_body = !status.is_informational()
        && status != StatusCode::NO_CONTENT
        && status != StatusCode::NOT_MODIFIED
        && !response.body().is_end_stream();
    let has_length = response.headers().contains_key(CONTENT_LENGTH)
        || response.body().size_hint().exact().is_some();
    has_body && !has_length
}

impl fmt::Debug for ExchangeBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExchangeBody").finish_non_exhaustive()
    }
}
