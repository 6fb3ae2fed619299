use std::convert::Infallible;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Instant;

use bytes::Bytes;
use http::header::CONTENT_LENGTH;
use http::{Method, Request, Response, StatusCode, Version};
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use hyper::service::Service;
use hyper::upgrade::OnUpgrade;
use tokio::sync::Notify;
use tokio::time::{Sleep, sleep_until};

use super::handshake::Protocol;
use super::head_watch::HeadWatch;
use super::malformed::Malformed;
use super::signals::Handle;
use super::streams::{Stream, Streams};
use super::transport::{Controls, ResetSwitch};
use super::write_gate::WriteGate;
use crate::wire::{BoxError, ConnectProtocol, Deadline, EdgeBody, Gone, Held, Hold};

/// The exchanges of one connection.
#[derive(Clone, Debug)]
pub(super) struct Exchanges {
    counts: Arc<Counts>,
    reset: ResetSwitch,
    /// HTTP/2 has windows of its own for each exchange instead.
    gate: Option<WriteGate>,
    /// Of HTTP/2.
    streams: Option<Arc<Streams>>,
    handle: Handle,
}

#[derive(Debug, Default)]
struct Counts {
    begun: AtomicU64,
    open: AtomicUsize,
    /// Those that have become tunnels over streams of their own. Over HTTP/1.1 the connection is
    /// the tunnel.
    tunnels: AtomicUsize,
    one_begun: Notify,
}

/// A service that keeps count of its exchanges, from their head to the last byte of their answer.
#[derive(Clone, Debug)]
pub(super) struct Counted<S> {
    inner: S,
    exchanges: Exchanges,
    heads: Option<HeadWatch>,
}

/// An exchange whose answer has no head yet. Its state is large, and moved only into its box.
#[derive(Debug)]
pub(super) struct Answering<F> {
    inner: Pin<Box<F>>,
    reset: Option<ResetSwitch>,
    gate: Option<WriteGate>,
    /// `None` once the answer's body has it.
    open: Option<OpenExchange>,
}

/// An answer's body on its way to the client.
pub struct ExchangeBody {
    inner: EdgeBody,
    /// For an answer that nothing but the close delimits: turned off when the body is whole.
    reset: Option<ResetSwitch>,
    /// Shut while the client has not taken what it was given.
    gate: Option<WriteGate>,
    /// The client was waited for: from then on it is given one frame after another.
    is_slow: bool,
    /// When it must have gone, where a gate keeps it.
    deadline: Option<Instant>,
    /// Runs to then while the client is waited for.
    timer: Option<Pin<Box<Sleep>>>,
    open: OpenExchange,
}

#[derive(Debug)]
struct OpenExchange {
    counts: Arc<Counts>,
    place: StreamPlace,
}

/// An exchange that becomes a tunnel over its stream, or over the whole connection.
#[derive(Debug)]
struct OpenTunnel {
    counts: Arc<Counts>,
    place: StreamPlace,
    handle: Handle,
}

/// The stream that an exchange, or its tunnel, is on; `None` over HTTP/1.
#[derive(Clone, Debug)]
struct StreamPlace(Option<Arc<Stream>>);

impl Exchanges {
    pub(super) fn new(controls: Controls, protocol: Protocol, handle: &Handle) -> Self {
        let Controls { reset, gate } = controls;
        Self {
            counts: Arc::default(),
            reset,
            gate: (protocol == Protocol::Http1).then_some(gate),
            streams: (protocol == Protocol::Http2).then(Arc::default),
            handle: handle.clone(),
        }
    }

    pub(super) fn count<S>(&self, inner: S) -> Counted<S> {
        Counted {
            inner,
            exchanges: self.clone(),
            heads: None,
        }
    }

    /// How many have begun so far.
    pub(super) fn begun(&self) -> u64 {
        self.counts.begun.load(Ordering::Acquire)
    }

    /// Resolves once another one has begun, or if one is under way.
    pub(super) async fn next(&self) {
        let begun = self.counts.one_begun.notified();
        if self.open() == 0 {
            begun.await;
        }
    }

    /// How many are under way, tunnels among them.
    pub(super) fn open(&self) -> usize {
        self.counts.open.load(Ordering::Acquire) + self.counts.tunnels.load(Ordering::Acquire)
    }

    /// Looks at the streams of HTTP/2, and ends those that stand, and have for too long or whose time
    /// is up. `true`: all have for too long.
    pub(super) fn end_overdue(&self) -> bool {
        let streams = self.streams.as_ref();
        streams.is_some_and(|streams| streams.end_overdue(Instant::now()))
    }

    fn begin(&self) -> OpenExchange {
        self.counts.begun.fetch_add(1, Ordering::AcqRel);
        self.counts.open.fetch_add(1, Ordering::AcqRel);
        self.counts.one_begun.notify_waiters();
        OpenExchange {
            counts: Arc::clone(&self.counts),
            place: StreamPlace(self.streams.as_ref().map(Streams::open)),
        }
    }

    /// Says in words that belong to no server what an extended `CONNECT` asks for, and has whatever
    /// comes of it, or of an `Upgrade`, held.
    fn mark_tunnel(&self, request: &mut Request<Incoming>, exchange: &OpenExchange) {
        let extensions = request.extensions_mut();
        let protocol = extensions.remove::<hyper::ext::Protocol>();
        if protocol.is_none() && extensions.get::<OnUpgrade>().is_none() {
            return;
        }
        if let Some(protocol) = protocol {
            extensions.insert(ConnectProtocol(protocol.as_str().into()));
        }
        self.counts.tunnels.fetch_add(1, Ordering::AcqRel);
        extensions.insert(Hold::new(OpenTunnel {
            counts: Arc::clone(&self.counts),
            place: exchange.place.clone(),
            handle: self.handle.clone(),
        }));
    }
}

impl Held for OpenTunnel {
    fn stand(&self) {
        self.place.stand();
    }

    fn go_on(&self) {
        self.place.go_on();
    }

    fn gone(&self) -> Pin<Box<dyn Future<Output = Gone> + Send + '_>> {
        Box::pin(async {
            match &self.place.0 {
                Some(stream) => stream.gone().await,
                None => std::future::pending().await,
            }
        })
    }

    fn leaving(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(self.handle.leaving())
    }
}

impl Drop for OpenTunnel {
    fn drop(&mut self) {
        self.counts.tunnels.fetch_sub(1, Ordering::AcqRel);
    }
}

impl<S> Counted<S> {
    /// Tells the service of each request what was wrong with its head.
    pub(super) fn watched(self, heads: HeadWatch) -> Self {
        let heads = Some(heads);
        Self { heads, ..self }
    }
}

impl OpenExchange {
    /// Called in the task that runs it.
    fn note_task(&self) {
        if let Some(stream) = &self.place.0 {
            stream.note_task();
        }
    }

    fn note_deadline(&self, deadline: Instant) {
        if let Some(stream) = &self.place.0 {
            stream.must_end_by(deadline);
        }
    }
}

impl StreamPlace {
    /// A frame was handed over, just after it went on, and the next is not asked for before the
    /// client took it.
    fn stand(&self) {
        if let Some(stream) = &self.0 {
            stream.stand();
        }
    }

    fn go_on(&self) {
        if let Some(stream) = &self.0 {
            stream.go_on();
        }
    }
}

impl Drop for OpenExchange {
    fn drop(&mut self) {
        self.counts.open.fetch_sub(1, Ordering::AcqRel);
    }
}

impl<S> Service<Request<Incoming>> for Counted<S>
where
    S: Service<Request<Incoming>, Response = Response<EdgeBody>, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = Response<ExchangeBody>;
    type Error = Malformed;
    type Future = Answering<S::Future>;

    fn call(&self, mut request: Request<Incoming>) -> Self::Future {
        let open = self.exchanges.begin();
        self.exchanges.mark_tunnel(&mut request, &open);
        if let Some(fault) = self.heads.as_ref().and_then(HeadWatch::next) {
            request.extensions_mut().insert(fault);
        }
        let may_end_by_close =
            request.version() <= Version::HTTP_10 && request.method() != Method::HEAD;
        let reset = may_end_by_close.then(|| self.exchanges.reset.clone());
        Answering {
            inner: Box::pin(self.inner.call(request)),
            reset,
            gate: self.exchanges.gate.clone(),
            open: Some(open),
        }
    }
}

impl<F> Future for Answering<F>
where
    F: Future<Output = Result<Response<EdgeBody>, Infallible>>,
{
    type Output = Result<Response<ExchangeBody>, Malformed>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if let Some(open) = &self.open {
            open.note_task();
        }
        let Ok(response) = ready!(self.inner.as_mut().poll(cx));
        if let Some(malformed) = Malformed::of(&response) {
            return Poll::Ready(Err(malformed));
        }
        let Some(open) = self.open.take() else {
            // It has answered already, and is not polled again.
            return Poll::Pending;
        };
        let deadline = response.extensions().get();
        let deadline = deadline.map(|Deadline(deadline)| *deadline);
        if let Some(deadline) = deadline {
            open.note_deadline(deadline);
        }
        let reset = self.reset.take().filter(|_| ends_by_close(&response));
        let gate = self.gate.take();
        Poll::Ready(Ok(response.map(|inner| {
            let body = ExchangeBody::new(inner, reset, gate, open);
            ExchangeBody { deadline, ..body }
        })))
    }
}

impl ExchangeBody {
    fn new(
        inner: EdgeBody,
        reset: Option<ResetSwitch>,
        gate: Option<WriteGate>,
        open: OpenExchange,
    ) -> Self {
        // On from the beginning, as a body that is dropped or panics cannot turn it on.
        if let Some(reset) = &reset {
            reset.turn_on();
        }
        Self {
            inner,
            reset,
            gate,
            is_slow: false,
            deadline: None,
            timer: None,
            open,
        }
    }
}

impl ExchangeBody {
    /// Ready when the client has taken what it was given, as far as it is waited for; and when the answer must have
    /// gone: then it ends, by itself, at whatever it is asked for next.
    fn poll_taken(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let gate = self.gate.as_ref();
        if gate.is_none_or(|gate| gate.poll_open(cx).is_ready()) {
            return Poll::Ready(());
        }
        self.is_slow = true;
        let Some(deadline) = self.deadline else {
            return Poll::Pending;
        };
        let timer = self
            .timer
            .get_or_insert_with(|| Box::pin(sleep_until(deadline.into())));
        ready!(timer.as_mut().poll(cx));
        (self.deadline, self.timer) = (None, None);
        Poll::Ready(())
    }

    fn wait_if_slow(&self) {
        if let Some(gate) = self.gate.as_ref().filter(|_| self.is_slow) {
            gate.shut();
        }
    }
}

impl Body for ExchangeBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        ready!(self.poll_taken(cx));
        self.open.place.go_on();
        let polled = Pin::new(&mut self.inner).poll_frame(cx);
        if let Poll::Ready(Some(Ok(_))) = polled {
            self.open.place.stand();
            self.wait_if_slow();
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
