use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Weak};
use std::time::Duration;

use http::{Method, Request, Response, Uri, Version};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use tokio::sync::Semaphore;
use tokio::task::{AbortHandle, JoinHandle};
use tokio::time::{Instant, timeout_at};

use super::body::{Reuse, UpstreamBody};
use super::config::Config;
use super::connector::Connector;
use super::error::UpstreamError;
use super::flow::{Flow, READ_MAX};
use super::framing;
use super::health::{Health, Standing};
use super::http2::Http2;
use super::origins::OriginStatus;
use super::pool::{Connection, Pool};
use super::pulse::{Pulse, SLOTS_MAX};
use super::request_body::{RequestBody, Upload};
use super::resolver::{Heed, Lookup, by_system};
use super::reusable;
use super::target::Target;
use crate::problem::Problem;
use crate::wire::{EdgeBody, HYPERS_HEADERS_MAX, Scheme};

/// The way to one origin: its connections, and how it does. Clones share both.
#[derive(Clone, Debug)]
pub struct Client {
    pub(super) shared: Arc<Shared>,
}

#[derive(Debug)]
pub(super) struct Shared {
    name: String,
    /// As the origin calls itself in Host.
    pub(super) authority: String,
    pub(super) config: Config,
    pub(super) connector: Connector,
    pub(super) pool: Arc<Pool>,
    pub(super) pulse: Arc<Pulse>,
    /// How many connections there may be at once; none: as many as are needed.
    pub(super) connections: Option<Arc<Semaphore>>,
    /// Connections that many share; none: the origin is spoken to in HTTP/1.1 alone.
    pub(super) http2: Option<Arc<Http2>>,
    /// Whether tasks look after it.
    pub(super) is_watched: AtomicBool,
}

/// Why an exchange failed, seen from whether it may be tried again.
pub(super) enum Failure {
    /// Not a byte of the request was written: it can be sent on another connection as it is.
    Unsent(Box<Request<RequestBody>>, UpstreamError),
    /// It may have been written, and not a byte of an answer came.
    Unanswered(UpstreamError),
    Final(UpstreamError),
}

impl Client {
    /// Reads the certificates that the target names; every fault in them is reported.
    pub fn new(target: &Target, config: Config) -> Result<Self, Vec<Problem>> {
        Self::with_lookup(target, config, by_system())
    }

    pub(super) fn with_lookup(
        target: &Target,
        config: Config,
        lookup: Lookup,
    ) -> Result<Self, Vec<Problem>> {
        let config = Config {
            http2: config.http2 && target.scheme == Scheme::Https,
            ..config
        };
        let pool = Pool::new(&config);
        let http2 = config.http2.then(|| Http2::new(&config));
        let connector = Connector::new(target, &config, lookup, heed(&pool, http2.as_ref()))?;
        let name = target.to_string();
        let health = Health::new(config.ejection.clone(), config.slow_start, Instant::now());
        let pulse = Pulse::new(name.clone(), health, config.exchanges_max());
        let connections = config.connections_max;
        let connections = connections.map(|max| Arc::new(Semaphore::new(max.min(SLOTS_MAX))));
        let shared = Arc::new(Shared {
            name,
            authority: target.authority(),
            config,
            connector,
            pool,
            pulse,
            connections,
            http2,
            is_watched: AtomicBool::new(false),
        });
        Ok(Self { shared })
    }

    /// Scheme, host and port.
    pub fn name(&self) -> &str {
        &self.shared.name
    }
}

/// Closes kept connections to addresses that the name no longer has.
fn heed(pool: &Arc<Pool>, http2: Option<&Arc<Http2>>) -> Heed {
    let (pool, http2) = (Arc::downgrade(pool), http2.map(Arc::downgrade));
    Box::new(move |addresses| {
        if let Some(http2) = http2.as_ref().and_then(Weak::upgrade) {
            http2.keep_only(addresses);
        }
        if let Some(pool) = pool.upgrade() {
            pool.keep_only(Arc::clone(addresses));
        }
    })
}

impl Shared {
    pub(super) fn status(&self) -> OriginStatus {
        let (standing, weight) = self.pulse.standing();
        let state = match standing {
            Standing::Up if weight < 1.0 => "starting",
            Standing::Up => "up",
            Standing::Due => "to be tried",
            Standing::Spared => "left alone",
            Standing::Down(_) => "down",
        };
        OriginStatus {
            name: self.name.clone(),
            state,
            is_up: matches!(standing, Standing::Up),
            in_flight: self.pulse.in_flight(),
            kept: self.pool.kept() + self.http2.as_ref().map_or(0, |http2| http2.kept()),
            ejections: self.pulse.ejections(),
        }
    }

    pub(super) fn builder(&self) -> http1::Builder {
        let mut builder = http1::Builder::new();
        builder
            .max_header_size(self.config.head_bytes_max)
            // Also what is held of a request that the origin does not take.
            .max_buf_size(READ_MAX.max(self.config.head_bytes_max))
            // Legacy origins fold long fields. hyper unfolds them, as RFC 9112 5.2 asks for.
            .allow_obsolete_multiline_headers_in_responses(true);
        if self.config.headers_max != HYPERS_HEADERS_MAX {
            builder.max_headers(self.config.headers_max);
        }
        builder
    }

    /// The final head, and as many bytes of interim answers (RFC 9110 15.2) in front of it as three
    /// more such heads: who sends more of them does nothing else.
    fn head_and_interim_max(&self) -> u64 {
        4 * self.config.head_bytes_max as u64
    }

    /// On a connection that carries nothing else meanwhile.
    pub(super) async fn exchange_alone(
        &self,
        connection: Connection,
        request: Request<RequestBody>,
    ) -> Result<Response<UpstreamBody>, Failure> {
        let upload = request.body().upload();
        let is_reusable = reusable::after_request(request.headers());
        let is_head = request.method() == Method::HEAD;
        let Connection {
            mut sender,
            probe,
            mut driver,
            address,
        } = connection;
        let received = probe.received();
        probe.expect_head(self.head_and_interim_max());
        let sending = sender.try_send_request(request);
        let answering = answer_of(sending, sender, &mut driver);
        match self.before_first_byte(answering, &upload).await {
            Ok((Ok(mut response), sender)) => {
                probe.head_came();
                framing::settle(response.headers_mut())
                    .map_err(|what| Failure::Final(UpstreamError::Framing(what)))?;
                if !upload.is_done() {
                    close_if_stuck(Arc::clone(&upload), driver.abort_handle());
                }
                let flow = Arc::clone(probe.flow());
                let may_have_body = is_head && reusable::announces_a_body(response.headers());
                let is_reusable = is_reusable && !may_have_body;
                let tenancy = probe.tenancy(response.status());
                let connection = sender.filter(|_| is_reusable).map(|sender| Connection {
                    sender,
                    probe,
                    driver,
                    address,
                });
                let mut answer = self.answer(response, connection, upload, flow);
                if let Some(tenancy) = tenancy {
                    answer.body_mut().move_out_to(tenancy);
                }
                Ok(answer)
            }
            Ok((Err(mut error), _)) => {
                let request = error.take_message();
                let error = upload.failure_before_head(error.into_error());
                let is_unanswered = probe.received() == received;
                Err(match request {
                    Some(request) => Failure::Unsent(Box::new(request), error),
                    None if is_unanswered => Failure::Unanswered(error),
                    None => Failure::Final(error),
                })
            }
            Err(error) => Err(Failure::Final(error)),
        }
    }

    /// Waits for the head. The clock starts anew with every piece of the request that moves, so
    /// that a large upload is not cut.
    pub(super) async fn before_first_byte<T>(
        &self,
        sending: impl Future<Output = T>,
        upload: &Upload,
    ) -> Result<T, UpstreamError> {
        let after = self.config.first_byte_timeout;
        tokio::pin!(sending);
        loop {
            let deadline = upload.last_moved() + after;
            match timeout_at(deadline, &mut sending).await {
                Ok(answer) => return Ok(answer),
                Err(_) if upload.last_moved() + after > Instant::now() => {}
                Err(_) => return Err(stalled(upload, after)),
            }
        }
    }

    pub(super) fn answer(
        &self,
        mut response: Response<Incoming>,
        connection: Option<Connection>,
        upload: Arc<Upload>,
        flow: Arc<Flow>,
    ) -> Response<UpstreamBody> {
        *response.version_mut() = Version::HTTP_11;
        // What an origin does with the rest of a request that it answered early is its own affair:
        // such a connection carries no other request.
        let is_reusable = upload.is_done() && reusable::after_answer(&response);
        let connection = connection.filter(|_| is_reusable);
        let reuse = connection.map(|connection| Reuse::new(&self.pool, connection));
        let limit = self.config.body_idle_timeout;
        response.map(|body| UpstreamBody::new(body, limit, upload, flow, reuse))
    }
}

/// The answer, and the sender if the connection goes on.
///
/// A request that is handed to a connection at the moment of its end may lie in a queue that nobody
/// reads any more, for as long as anybody could add to it: the sender is given up then.
async fn answer_of<T>(
    sending: impl Future<Output = T>,
    sender: Sender,
    driver: &mut JoinHandle<()>,
) -> (T, Option<Sender>) {
    tokio::pin!(sending);
    tokio::select! {
        biased;
        answer = &mut sending => return (answer, Some(sender)),
        _ = driver => {}
    }
    drop(sender);
    (sending.await, None)
}

type Sender = http1::SendRequest<RequestBody>;

/// An origin that has answered may leave the rest of the request on the way for ever.
fn close_if_stuck(upload: Arc<Upload>, driver: AbortHandle) {
    tokio::spawn(async move {
        if upload.is_stuck().await {
            driver.abort();
        }
    });
}

fn stalled(upload: &Upload, after: Duration) -> UpstreamError {
    if upload.waits_for_client() {
        UpstreamError::RequestIdle { after }
    } else {
        UpstreamError::FirstByteTimeout { after }
    }
}

pub(super) fn prepared(request: Request<EdgeBody>, idle_limit: Duration) -> Request<RequestBody> {
    let version = request.version();
    let mut request = request.map(|body| RequestBody::new(body, version, idle_limit));
    *request.version_mut() = Version::HTTP_11;
    if request.uri().authority().is_some() {
        *request.uri_mut() = origin_form(request.uri());
    }
    request
}

fn origin_form(uri: &Uri) -> Uri {
    let path = uri.path_and_query().cloned();
    path.map_or_else(|| Uri::from_static("/"), Uri::from)
}
