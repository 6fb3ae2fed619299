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
use hyper::client::conn::http2::SendRequest;
use tokio::sync::{Notify, Semaphore};
use tokio::time::{Instant, sleep_until};

use super::config::Config;
use super::multiplexed::{Multiplexed, Room, Share};
use super::request_body::RequestBody;
use super::resolver::Addresses;

/// Connections to one origin that carry many exchanges at once.
#[derive(Debug)]
pub(super) struct Http2 {
    idle_timeout: Duration,
    connections: Mutex<Vec<Kept>>,
    /// One leave to open another: who comes meanwhile waits for what comes of it.
    pub(super) opening: Semaphore,
    /// A place is free again on one of them.
    pub(super) freed: Arc<Notify>,
    /// The origin chose HTTP/1.1, so that nobody need wait for others.
    pub(super) is_declined: AtomicBool,
}

#[derive(Debug)]
struct Kept {
    sender: SendRequest<RequestBody>,
    room: Arc<Room>,
    address: Option<SocketAddr>,
    used: Instant,
}

impl Http2 {
    pub(super) fn new(config: &Config) -> Arc<Self> {
        Arc::new(Self {
            idle_timeout: config.pool_idle_timeout,
            connections: Mutex::default(),
            opening: Semaphore::new(1),
            freed: Arc::default(),
            is_declined: AtomicBool::new(false),
        })
    }

    /// A place on a connection that takes one more exchange.
    pub(super) fn take(&self) -> Option<Multiplexed> {
        let mut connections = self.lock();
        connections.retain(|kept| !kept.sender.is_closed());
        let has_place = |kept: &&mut Kept| kept.sender.is_ready() && kept.room.has_place();
        let kept = connections.iter_mut().find(has_place)?;
        kept.used = Instant::now();
        Some(Multiplexed {
            sender: kept.sender.clone(),
            share: Share::of(&kept.room),
            address: kept.address,
        })
    }

    /// Waits for a place that is given back.
    pub(super) async fn take_freed(&self) -> Multiplexed {
        loop {
            let freed = self.freed.notified();
            if let Some(multiplexed) = self.take() {
                return multiplexed;
            }
            freed.await;
        }
    }

    /// Keeps a new connection until nobody has used it for long enough.
    pub(super) fn keep(self: &Arc<Self>, connection: &Multiplexed) {
        let kept = Kept {
            sender: connection.sender.clone(),
            room: Arc::clone(connection.share.room()),
            address: connection.address,
            used: Instant::now(),
        };
        tokio::spawn(close_unused(
            Arc::downgrade(self),
            Arc::downgrade(&kept.room),
            kept.used + self.idle_timeout,
        ));
        self.lock().push(kept);
    }

    /// Lets go of connections to other addresses than these. What they carry ends as it would.
    pub(super) fn keep_only(&self, addresses: &Addresses) {
        let is_current = |kept: &Kept| kept.address.is_none_or(|one| addresses.contains(&one));
        self.lock().retain(is_current);
    }

    pub(super) fn kept(&self) -> usize {
        self.lock().len()
    }

    /// Lets go of the connection if nobody has used it; else tells when to look again.
    fn close_unless_used(&self, id: &Weak<Room>) -> Option<Instant> {
        let now = Instant::now();
        let mut connections = self.lock();
        let is_it = |kept: &Kept| Arc::downgrade(&kept.room).ptr_eq(id);
        let at = connections.iter().position(is_it)?;
        let until = connections[at].used + self.idle_timeout;
        match (connections[at].room.is_busy(), until > now) {
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

async fn close_unused(http2: Weak<Http2>, id: Weak<Room>, first: Instant) {
    let mut next = Some(first);
    while let Some(until) = next {
        sleep_until(until).await;
        let http2 = http2.upgrade();
        next = http2.and_then(|http2| http2.close_unless_used(&id));
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
