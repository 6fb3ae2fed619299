use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use http::header::{CONNECTION, CONTENT_LENGTH, HOST, HeaderValue, TRANSFER_ENCODING};
use http::uri::{Authority, Parts, PathAndQuery, Scheme, Uri};
use http::{Request, Version};
use http_body::Body;
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep_until};

use super::config::Config;
use super::error::UpstreamError;
use super::request_body::RequestBody;
use super::resolver::Addresses;
use super::stream::Stream;

/// Connections to one origin that carry many exchanges at once.
#[derive(Debug)]
pub(super) struct Http2 {
    idle_timeout: Duration,
    connections: Mutex<Vec<Kept>>,
    /// One leave to open another: who comes meanwhile waits for what comes of it.
    pub(super) opening: Semaphore,
    /// The origin chose HTTP/1.1, so that nobody need wait for others.
    pub(super) is_declined: AtomicBool,
}

/// A share of such a connection, for one exchange.
#[derive(Clone, Debug)]
pub(super) struct Multiplexed {
    pub(super) sender: http2::SendRequest<RequestBody>,
    /// One for each exchange, and one for the place where it is kept.
    pub(super) exchanges: Arc<()>,
    address: Option<SocketAddr>,
}

#[derive(Debug)]
struct Kept {
    connection: Multiplexed,
    used: Instant,
}

/// What common servers allow at once. Beyond, another connection is opened.
const EXCHANGES_MAX: usize = 100;
/// What is held of one answer that its visitor does not take.
const STREAM_WINDOW: u32 = 128 * 1024;
/// As much for each of them, so that visitors who read slowly keep nobody else waiting: at worst
/// 12.5 MiB are held of a connection's answers.
const CONNECTION_WINDOW: u32 = EXCHANGES_MAX as u32 * STREAM_WINDOW;
const SEND_BUFFER_MAX: usize = 64 * 1024;
/// How often an origin with exchanges must show that it is there, and how long it may take to.
const PING: Duration = Duration::from_secs(20);

impl Http2 {
    pub(super) fn new(config: &Config) -> Arc<Self> {
        Arc::new(Self {
            idle_timeout: config.pool_idle_timeout,
            connections: Mutex::default(),
            opening: Semaphore::new(1),
            is_declined: AtomicBool::new(false),
        })
    }

    /// A connection that takes one more exchange.
    pub(super) fn take(&self) -> Option<Multiplexed> {
        let mut connections = self.lock();
        connections.retain(|kept| !kept.connection.sender.is_closed());
        let has_room = |kept: &&mut Kept| {
            let exchanges = Arc::strong_count(&kept.connection.exchanges);
            kept.connection.sender.is_ready() && exchanges <= EXCHANGES_MAX
        };
        let kept = connections.iter_mut().find(has_room)?;
        kept.used = Instant::now();
        Some(kept.connection.clone())
    }

    /// Keeps a new connection until nobody has used it for long enough.
    pub(super) fn keep(self: &Arc<Self>, connection: Multiplexed) {
        let used = Instant::now();
        let id = Arc::downgrade(&connection.exchanges);
        tokio::spawn(close_unused(
            Arc::downgrade(self),
            id,
            used + self.idle_timeout,
        ));
        self.lock().push(Kept { connection, used });
    }

    /// Lets go of connections to other addresses than these. What they carry ends as it would.
    pub(super) fn keep_only(&self, addresses: &Addresses) {
        let is_current = |kept: &Kept| {
            kept.connection
                .address
                .is_none_or(|one| addresses.contains(&one))
        };
        self.lock().retain(is_current);
    }

    pub(super) fn kept(&self) -> usize {
        self.lock().len()
    }

    /// Lets go of the connection if nobody has used it; else tells when to look again.
    fn close_unless_used(&self, id: &Weak<()>) -> Option<Instant> {
        let now = Instant::now();
        let mut connections = self.lock();
        let is_it = |kept: &Kept| Arc::downgrade(&kept.connection.exchanges).ptr_eq(id);
        let at = connections.iter().position(is_it)?;
        let is_busy = Arc::strong_count(&connections[at].connection.exchanges) > 1;
        let until = connections[at].used + self.idle_timeout;
        match (is_busy, until > now) {
            (true, _) => Some(now + self.idle_timeout),
            (false, true) => Some(until),
            (false, false) => {
                connections.swap_remove(at);
                None
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Kept>> {
        self.connections
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

async fn close_unused(http2: Weak<Http2>, id: Weak<()>, first: Instant) {
    let mut next = Some(first);
    while let Some(until) = next {
        sleep_until(until).await;
        let http2 = http2.upgrade();
        next = http2.and_then(|http2| http2.close_unless_used(&id));
    }
}

impl Multiplexed {
    /// Begins to speak HTTP/2 on a connection that both sides agreed on.
    pub(super) async fn open(
        stream: Stream,
        address: Option<SocketAddr>,
        config: &Config,
    ) -> Result<Self, UpstreamError> {
        let head_max = u32::try_from(config.head_bytes_max).unwrap_or(u32::MAX);
        let mut builder = http2::Builder::new(TokioExecutor::new());
        builder
            .timer(TokioTimer::new())
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .max_header_list_size(head_max)
            .max_send_buf_size(SEND_BUFFER_MAX)
            .keep_alive_interval(PING)
            .keep_alive_timeout(PING);
        let (sender, driver) = builder
            .handshake(TokioIo::new(stream))
            .await
            .map_err(UpstreamError::before_head)?;
        tokio::spawn(async move {
            // Whoever waits for an answer, or reads its body, is told of the error too.
            if let Err(error) = driver.await {
                tracing::debug!(%error, "a connection to an origin ended with an error");
            }
        });
        Ok(Self {
            sender,
            exchanges: Arc::default(),
            address,
        })
    }
}

/// Whether the origin has, as far as is known, not begun to answer: the connection broke, or the
/// origin says that it did not look at the request.
pub(super) fn is_unanswered(error: &hyper::Error) -> bool {
    if error.is_canceled() || error.is_closed() {
        return true;
    }
    let Some(source) = error.source() else {
        return false;
    };
    let of_stream = source.downcast_ref::<h2::Error>();
    source.is::<io::Error>()
        || of_stream.is_some_and(|error| {
            error.is_go_away() || error.reason() == Some(h2::Reason::REFUSED_STREAM)
        })
}

/// The request as HTTP/2 has it: with the authority in its address, and without fields that tell of
/// a connection (RFC 9113 8.2.2, 8.3.1).
pub(super) fn address(request: &mut Request<RequestBody>) -> Result<(), &'static str> {
    const NO_HOST: &str = "no host to ask for";
    let host = request.headers_mut().remove(HOST).ok_or(NO_HOST)?;
    request.headers_mut().remove(TRANSFER_ENCODING);
    request.headers_mut().remove(CONNECTION);
    let authority = Authority::try_from(host.as_bytes()).map_err(|_| NO_HOST)?;
    let path = request.uri().path_and_query().cloned();
    let mut parts = Parts::default();
    parts.scheme = Some(Scheme::HTTPS);
    parts.authority = Some(authority);
    parts.path_and_query = Some(path.unwrap_or_else(|| PathAndQuery::from_static("/")));
    *request.uri_mut() = Uri::from_parts(parts).map_err(|_| NO_HOST)?;
    *request.version_mut() = Version::HTTP_2;
    Ok(())
}

/// The request as it was before.
pub(super) fn restore(mut request: Request<RequestBody>) -> Request<RequestBody> {
    let authority = request.uri().authority();
    let host = authority.and_then(|authority| HeaderValue::from_str(authority.as_str()).ok());
    if let Some(host) = host {
        request.headers_mut().insert(HOST, host);
    }
    let has_length = request.headers().contains_key(CONTENT_LENGTH);
    if !has_length && request.body().size_hint().exact().is_none() {
        let chunked = HeaderValue::from_static("chunked");
        request.headers_mut().insert(TRANSFER_ENCODING, chunked);
    }
    let path = request.uri().path_and_query().cloned();
    *request.uri_mut() = path.map_or_else(|| Uri::from_static("/"), Uri::from);
    *request.version_mut() = Version::HTTP_11;
    request
}
