//! The server over real sockets, with clients that do what browsers would not.

mod certificates;
mod client;
mod drain;
mod handshake;
mod limits;
mod pki;
mod protocol;
mod proxy_protocol;
mod truncation;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::service::Service;
use tokio::task::JoinHandle;

use super::*;
use crate::telemetry::Metrics;
use crate::wire::{EdgeBody, full_body};

/// Short enough for a test to wait for.
const BRIEFLY: Duration = Duration::from_millis(60);
/// Long enough never to be reached by what works.
const PATIENCE: Duration = Duration::from_secs(20);

type Answering = Pin<Box<dyn Future<Output = Response<EdgeBody>> + Send>>;

type Answers = Arc<dyn Fn(&ConnectionInfo, Request<Incoming>) -> Answering + Send + Sync>;

/// What a test's service does with a request.
#[derive(Clone)]
struct Answer {
    info: ConnectionInfo,
    answer: Answers,
}

impl Service<Request<Incoming>> for Answer {
    type Response = Response<EdgeBody>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let answering = (self.answer)(&self.info, request);
        Box::pin(async move { Ok(answering.await) })
    }
}

/// A server under way on ports of its own.
struct Running {
    addresses: Vec<BoundAddress>,
    metrics: Arc<Metrics>,
    handle: Handle,
    ended: JoinHandle<Drained>,
}

impl Running {
    fn start<F>(config: Config, certificates: Option<&Arc<Certificates>>, answer: F) -> Self
    where
        F: Fn(&ConnectionInfo, Request<Incoming>) -> Answering + Send + Sync + 'static,
    {
        let metrics = Arc::new(Metrics::new());
        let server = Server::bind(
            config,
            &mut Inherited::default(),
            certificates,
            Arc::clone(&metrics),
        )
        .unwrap();
        let (addresses, handle) = (server.addresses(), server.handle());
        let answer: Answers = Arc::new(answer);
        let make_service = move |info| Answer {
            info,
            answer: Arc::clone(&answer),
        };
        let ended = tokio::spawn(server.serve(make_service, std::future::pending()));
        Self {
            addresses,
            metrics,
            handle,
            ended,
        }
    }

    /// A server in the clear that answers every request with "hello".
    fn hello(limits: Limits) -> Self {
        Self::start(config(limits), None, |_, _| hello())
    }

    fn address(&self) -> SocketAddr {
        self.addresses[0].address
    }

    fn has_metric(&self, line: &str) -> bool {
        self.metrics.encode().lines().any(|l| l == line)
    }
}

fn config(limits: Limits) -> Config {
    Config {
        http: vec![any_port()],
        limits,
        drain_timeout: PATIENCE * 2,
        ..Config::default()
    }
}

fn tls_config(limits: Limits) -> Config {
    Config {
        http: Vec::new(),
        https: vec![any_port()],
        ..config(limits)
    }
}

fn any_port() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

fn hello() -> Answering {
    Box::pin(async { Response::new(full_body("hello")) })
}

/// Ends a test that would otherwise wait for ever.
async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future)
        .await
        .expect("this takes too long")
}
