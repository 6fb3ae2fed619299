use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::service::Service;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::certificates::Certificates;
use super::config::{Config, Limits};
use super::connection::{Http, serve_connection};
use super::crowd::Crowd;
use super::error::BindError;
use super::handshake::{Handshake, Protocol};
use super::inherited::Inherited;
use super::listener::{BoundAddress, Listener};
use super::proxy_protocol::{Ends, read_header};
use super::signals::Handle;
use super::socket::ClientStream;
use super::tls_connection::TlsConnection;
use super::transport::{Seat, Transport};
use super::visitors::{Demands, VerifiedVisitor};
use crate::telemetry::Metrics;
use crate::wire::{EdgeBody, Scheme, TrustedPeers};

/// What is known about a connection when its service is made.
#[derive(Clone, Debug)]
pub struct ConnectionInfo {
    pub peer: SocketAddr,
    pub local: SocketAddr,
    pub scheme: Scheme,
    /// The name that the client asked for in the TLS handshake.
    pub sni: Option<Arc<str>>,
    /// Who showed a certificate there, where the name's visitors must.
    pub visitor: Option<Arc<VerifiedVisitor>>,
}

/// A server whose sockets are bound: clients may connect, and are served once `serve` runs.
#[derive(Debug)]
pub struct Server {
    listeners: Vec<Listener>,
    context: Context,
    drain_timeout: Duration,
    permits_max: u32,
    linger: Duration,
}

/// How a server ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct Drained {
    /// Connections, tunnels among them, that were cut because time was up.
    pub cut: usize,
}

/// What every connection needs.
#[derive(Clone, Debug)]
struct Context {
    limits: Arc<Limits>,
    proxy_protocol: Arc<TrustedPeers>,
    crowd: Crowd,
    http: Http,
    tls: Option<Handshake>,
    permits: Arc<Semaphore>,
    handle: Handle,
    metrics: Arc<Metrics>,
}

impl Server {
    /// Binds every address, but for those whose sockets were handed over. Must be called within a
    /// tokio runtime.
    pub fn bind(
        config: Config,
        inherited: &mut Inherited,
        certificates: Option<&Arc<Certificates>>,
        metrics: Arc<Metrics>,
    ) -> Result<Self, BindError> {
        let listeners = bind_all(&config, inherited)?;
        let limits = Arc::new(config.limits);
        let crowd = Crowd::new(limits.connections_per_address_max, config.proxies);
        let proxy_protocol = Arc::new(config.proxy_protocol);
        let tls = match certificates {
            Some(certificates) => Some(Handshake::new(certificates, limits.handshake_timeout)?),
            None if config.https.is_empty() => None,
            None => return Err(BindError::NoCertificates),
        };
        let permits_max = permits_max(limits.connections_max, listeners.len());
        let context = Context {
            http: Http::new(&limits, Arc::clone(&metrics)),
            limits,
            proxy_protocol,
            crowd,
            tls,
            permits: Arc::new(Semaphore::new(permits_max as usize)),
            handle: Handle::new(),
            metrics,
        };
        let linger = if config.reuse_port {
            LINGER
        } else {
            Duration::ZERO
        };
        Ok(Self {
            listeners,
            context,
            linger,
            drain_timeout: config.drain_timeout,
            permits_max,
        })
    }

    /// Lets the Unix sockets be found. Until then those of another process that this one takes over
    /// from are where they were.
    pub fn open(&mut self) -> Result<(), BindError> {
        self.listeners.iter_mut().try_for_each(Listener::open)
    }

    /// Visitors of some names must show a certificate.
    pub fn demand(&mut self, demands: Demands) {
        if let Some(tls) = &mut self.context.tls {
            tls.demand(demands);
        }
    }

    /// What is listened on, in the order of the configuration, HTTP first.
    pub fn addresses(&self) -> Vec<BoundAddress> {
        let listeners = self.listeners.iter().filter(|l| l.path().is_none());
        listeners.map(|l| l.bound).collect()
    }

    /// The Unix sockets that are listened on.
    pub fn unix_sockets(&self) -> impl Iterator<Item = &Path> {
        self.listeners.iter().filter_map(Listener::path)
    }

    /// Ends the server from outside; can be had before it runs.
    pub fn handle(&self) -> Handle {
        self.context.handle.clone()
    }

    /// Serves until `shutdown` resolves (or the handle says so), then drains: takes no new
    /// connection, lets exchanges and tunnels end until the drain time-out, has tunnels say their last word, for
    /// which all that is still open gets a second more, and cuts the rest.
    pub async fn serve<M, S>(self, make_service: M, shutdown: impl Future<Output = ()>) -> Drained
    where
        M: Fn(ConnectionInfo) -> S + Clone + Send + 'static,
        S: Service<Request<Incoming>, Response = Response<EdgeBody>, Error = Infallible>,
        S: Clone + Send + 'static,
        S::Future: Send + 'static,
    {
        let mut accepting = JoinSet::new();
        let (open, mut closed) = mpsc::channel(1);
        for socket in self.listeners {
            let listener = OpenListener {
                socket,
                linger: self.linger,
                _open: open.clone(),
            };
            let context = self.context.clone();
            accepting.spawn(accept_connections(listener, context, make_service.clone()));
        }
        drop(open);
        let Context {
            handle, permits, ..
        } = self.context;
        tokio::select! {
            () = shutdown => handle.drain(),
            () = handle.draining() => {}
        }
        let all_closed = async {
            // Who waits for all permits is served before those who want one.
            let _: Option<Infallible> = closed.recv().await;
            // Every connection, upgraded or not, holds a permit until it is closed.
            drop(permits.acquire_many(self.permits_max).await);
        };
        let in_time = async {
            let mut all_closed = pin!(all_closed);
            if timeout(self.drain_timeout, &mut all_closed).await.is_err() {
                handle.leave();
                let _ = timeout(FAREWELL, all_closed).await;
            }
        };
        tokio::select! {
            () = in_time => {}
            () = handle.cutting() => {}
        }
        handle.cut();
        let cut = handle.cut_off();
        while accepting.join_next().await.is_some() {}
        Drained { cut }
    }
}

/// How long a tunnel may take to end in order once the drain has lasted too long: a round trip, and its
/// client's answer.
const FAREWELL: Duration = Duration::from_secs(1);

/// For connections that are being made while another edge takes over: longer than a round trip.
const LINGER: Duration = Duration::from_secs(1);

/// A listener under way.
struct OpenListener {
    socket: Listener,
    /// How long it goes on when the drain has begun.
    linger: Duration,
    /// Dropped with it.
    _open: mpsc::Sender<Infallible>,
}

fn bind_all(config: &Config, inherited: &mut Inherited) -> Result<Vec<Listener>, BindError> {
    let http = config.http.iter().map(|a| (Scheme::Http, *a));
    let https = config.https.iter().map(|a| (Scheme::Https, *a));
    let open = |path: &PathBuf| Listener::on_path(path, config.unix_mode, config.reuse_port);
    let listeners: Vec<_> = http
        .chain(https)
        .map(|(scheme, address)| {
            Listener::bind(scheme, address, inherited.take(address), config.reuse_port)
        })
        .chain(config.unix.iter().map(open))
        .collect::<Result<_, _>>()?;
    if listeners.is_empty() {
        return Err(BindError::NoListener);
    }
    Ok(listeners)
}

/// A listener holds a permit while it waits for a connection, so that none is taken which could not
/// be served; the permits of all but one are put on top, or a small limit would leave it none.
fn permits_max(connections_max: usize, listeners: usize) -> u32 {
    let permits = connections_max.max(1) + listeners - 1;
    u32::try_from(permits.min(Semaphore::MAX_PERMITS)).unwrap_or(u32::MAX)
}

/// Takes connections until the drain begins, then waits for them until they are cut.
async fn accept_connections<M, S>(mut listener: OpenListener, context: Context, make_service: M)
where
    M: Fn(ConnectionInfo) -> S + Clone + Send + 'static,
    S: Service<Request<Incoming>, Response = Response<EdgeBody>, Error = Infallible>,
    S: Clone + Send + 'static,
    S::Future: Send + 'static,
{
    let mut connections = JoinSet::new();
    let handle = context.handle.clone();
    let mut closing = pin!(closing(&handle, listener.linger));
    let socket = &mut listener.socket;
    while let Some((permit, stream, peer)) =
        next_connection(socket, &context, closing.as_mut()).await
    {
        while let Some(ended) = connections.try_join_next() {
            report_panic(ended);
        }
        let scheme = socket.bound.scheme;
        let seat = Seat {
            open: context.handle.open_connection(),
            guard: context.metrics.connection(scheme_label(scheme)),
            permit,
            place: None,
        };
        let local = stream.local_address(socket.bound.address);
        let info = ConnectionInfo {
            peer,
            local,
            scheme,
            sni: None,
            visitor: None,
        };
        let (context, make_service) = (context.clone(), make_service.clone());
        if context.proxy_protocol.contains(peer.ip()) {
            // A task of another kind, so that the header's buffers are not part of every connection.
            connections.spawn(serve_behind_proxy(
                stream,
                seat,
                info,
                context,
                make_service,
            ));
        } else {
            connections.spawn(serve_stream(stream, seat, info, context, make_service));
        }
    }
    drop(listener);
    tokio::select! {
        () = async { while let Some(ended) = connections.join_next().await { report_panic(ended) } } => {}
        () = context.handle.cutting() => connections.shutdown().await,
    }
}

/// Resolves when a listener has to close.
async fn closing(handle: &Handle, linger: Duration) {
    handle.draining().await;
    tokio::select! {
        () = sleep(linger) => {}
        () = handle.cutting() => {}
    }
}

/// `None` once it has to close.
async fn next_connection(
    listener: &mut Listener,
    context: &Context,
    closing: Pin<&mut impl Future<Output = ()>>,
) -> Option<(OwnedSemaphorePermit, ClientStream, SocketAddr)> {
    let accepting = async {
        let permit = Arc::clone(&context.permits).acquire_owned().await.ok()?;
        let (stream, peer) = listener.accept().await;
        Some((permit, stream, peer))
    };
    tokio::select! {
        biased;
        () = closing => None,
        accepted = accepting => accepted,
    }
}

/// A load balancer's connection: what its header tells is true of it from then on.
async fn serve_behind_proxy<M, S>(
    mut stream: ClientStream,
    seat: Seat,
    mut info: ConnectionInfo,
    context: Context,
    make_service: M,
) where
    M: Fn(ConnectionInfo) -> S,
    S: Service<Request<Incoming>, Response = Response<EdgeBody>, Error = Infallible>,
    S: Clone + Send + 'static,
    S::Future: Send + 'static,
{
    match read_header(&mut stream, context.limits.handshake_timeout).await {
        Ok(ends) => {
            if let Some(Ends { peer, local }) = ends {
                (info.peer, info.local) = (peer, local);
            }
            serve_stream(stream, seat, info, context, make_service).await;
        }
        Err(refusal) => {
            if let Some(reason) = refusal.reason() {
                tracing::debug!(peer = %info.peer, %refusal, "a load balancer's connection");
                context.metrics.proxy_header_refused(reason);
            }
        }
    }
}

async fn serve_stream<M, S>(
    stream: ClientStream,
    mut seat: Seat,
    mut info: ConnectionInfo,
    context: Context,
    make_service: M,
) where
    M: Fn(ConnectionInfo) -> S,
    S: Service<Request<Incoming>, Response = Response<EdgeBody>, Error = Infallible>,
    S: Clone + Send + 'static,
    S::Future: Send + 'static,
{
    seat.place = context.crowd.enter(info.peer.ip());
    if seat.place.is_none() {
        context.metrics.connection_refused("address");
        return;
    }
    let write_stall_timeout = context.limits.write_stall_timeout;
    let transport = Transport::new(stream, &context.handle, write_stall_timeout, seat);
    let controls = transport.controls();
    let (http, handle) = (&context.http, &context.handle);
    match (info.scheme, &context.tls) {
        (Scheme::Https, Some(tls)) => {
            // Boxed, as is all that TLS needs: its large state is not part of a connection in the
            // clear.
            let accepting = Box::pin(tls.accept(transport, &context.metrics));
            let Some((stream, visitor)) = accepting.await else {
                return;
            };
            info.visitor = visitor.map(Arc::new);
            info.sni = stream.get_ref().1.server_name().map(Arc::from);
            let Some(protocol) = Protocol::agreed(&stream) else {
                return;
            };
            let service = make_service(info);
            let stream = TlsConnection::new(stream);
            let serving = serve_connection(http, protocol, stream, controls, service, handle);
            Box::pin(serving).await;
        }
        (Scheme::Http, _) | (Scheme::Https, None) => {
            let protocol = Protocol::Http1;
            serve_connection(
                http,
                protocol,
                transport,
                controls,
                make_service(info),
                handle,
            )
            .await;
        }
    }
}

fn report_panic(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        tracing::error!(%error, "a connection's task panicked");
    }
}

fn scheme_label(scheme: Scheme) -> &'static str {
    match scheme {
        Scheme::Http => "http",
        Scheme::Https => "https",
    }
}
