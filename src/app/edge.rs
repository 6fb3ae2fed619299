use std::convert::Infallible;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};

use arc_swap::ArcSwap;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::service::{Service, service_fn};
use tokio::sync::watch;

use super::admin::{Admin, AdminServer, Readiness};
use super::agents::AgentsServer;
use super::embedded::Embedded;
use super::orders::Orders;
use super::reload::{Reloader, Sources};
use super::routes::Routes;
use super::service_manager::{Watchdog, tell_ready, tell_stopping};
use super::stack::{self, Arrival};
use super::visitors::demands;
use super::wishes::Wishes;
use crate::acme::Keeper;
use crate::config::{CertificatesSource, EdgeConfig, KeysSource};
use crate::problem::Problem;
use crate::proxy;
use crate::server::{
    self, BindError, BoundAddress, Certificates, Challenges, Inherited, SelfSignedError, Server,
};
use crate::telemetry::{AccessLog, AccessLogWriter, Metrics};
use crate::wire::{EdgeBody, Via};

/// An edge whose sockets are bound and whose rules are read, ready to run.
#[derive(Debug)]
pub struct Edge {
    shared: Arc<Shared>,
    server: Server,
    admin: Option<AdminServer>,
    agents: Option<AgentsServer>,
    reloader: Reloader,
    wishes: Wishes,
    keeper: Option<Keeper>,
    readiness: watch::Sender<Readiness>,
    access_log: Option<AccessLogWriter>,
    warnings: Vec<Problem>,
}

/// What every exchange needs.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) edge: proxy::Edge,
    pub(super) routes: Arc<ArcSwap<Routes>>,
    pub(super) redirect_to_https: Option<u16>,
    pub(super) access_log: Option<AccessLog>,
    pub(super) embedded: Embedded,
    /// `None`: no certificates are ordered.
    pub(super) challenges: Option<Arc<Challenges>>,
}

/// Why an edge did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("the access log cannot be written")]
    AccessLog(#[source] io::Error),
    #[error(transparent)]
    Bind(#[from] BindError),
    #[error("no certificate could be made")]
    Certificate(#[from] SelfSignedError),
    /// Faults in rules or certificates.
    #[error("{} problems in rules and certificates", .0.len())]
    Problems(Vec<Problem>),
}

/// How an edge ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Connections that were cut because the drain lasted too long.
    pub cut: usize,
}

impl Edge {
    /// Reads rules and certificates, and binds the sockets. Nothing is served before
    /// [`run`](Self::run).
    pub async fn start(config: EdgeConfig) -> Result<Self, StartError> {
        Self::start_logging_to(io::stdout(), config).await
    }

    /// The same, on the sockets that were handed over, where the settings name their addresses.
    pub async fn start_on(inherited: Inherited, config: EdgeConfig) -> Result<Self, StartError> {
        Self::assemble(inherited, io::stdout(), config).await
    }

    /// The same, with the access log written to `output` instead of standard output.
    pub async fn start_logging_to(
        output: impl Write + Send + 'static,
        config: EdgeConfig,
    ) -> Result<Self, StartError> {
        Self::assemble(Inherited::default(), output, config).await
    }

    async fn assemble(
        mut inherited: Inherited,
        output: impl Write + Send + 'static,
        config: EdgeConfig,
    ) -> Result<Self, StartError> {
        let metrics = Arc::new(Metrics::new());
        let wishes = Wishes::new(&config);
        let (routes, certificates, warnings) = load(&config)?;
        tell_of_keys(&config, &routes);
        let orders = Orders::new(&config, certificates.as_ref(), &routes);
        let keeper = orders.as_ref().and_then(|orders| orders.keeper(&metrics));
        let embedded = Embedded::start(&config, &routes).await?;
        let routes = Arc::new(ArcSwap::from_pointee(routes));
        let mut server = Server::bind(
            config.server.clone(),
            &mut inherited,
            certificates.as_ref(),
            Arc::clone(&metrics),
        )?;
        server.demand(demands(Arc::clone(&routes)));
        let (readiness, ready) = watch::channel(Readiness::Serving);
        let admin = Admin {
            metrics: Arc::clone(&metrics),
            routes: Arc::clone(&routes),
            certificates: certificates.clone(),
            ready,
        };
        let admin = config
            .admin
            .map(|address| {
                let reuse_port = config.server.reuse_port;
                AdminServer::bind(address, reuse_port, &mut inherited, admin)
            })
            .transpose()?;
        let visitors = server.addresses();
        let agents = AgentsServer::bind(
            &config,
            &embedded,
            &visitors,
            &mut inherited,
            certificates.as_ref(),
            Arc::clone(&metrics),
        );
        let agents = agents.await?;
        BindError::unless_all_taken(&inherited)?;
        let (access_log, writer) = start_access_log(output, &config, &metrics)?;
        server.open()?;
        let shared = Arc::new(Shared {
            edge: proxy::Edge {
                metrics: Arc::clone(&metrics),
                trusted_peers: Arc::new(config.trusted_peers.clone()),
                via: Via::new(&config.pseudonym),
                levels: config.levels,
                markers: config.markers.clone(),
                limits: config.exchange.clone(),
            },
            routes: Arc::clone(&routes),
            redirect_to_https: config.redirect_to_https,
            access_log,
            embedded: embedded.clone(),
            challenges: certificates.as_ref().and_then(|all| all.challenges()),
        });
        let reloader = Reloader::new(Sources {
            config,
            routes,
            embedded,
            certificates,
            orders,
            metrics,
            turn: Mutex::new(()),
        });
        Ok(Self {
            shared,
            server,
            admin,
            agents,
            reloader,
            wishes,
            keeper,
            readiness,
            access_log: writer,
            warnings,
        })
    }

    /// Where visitors are served.
    pub fn addresses(&self) -> Vec<BoundAddress> {
        self.server.addresses()
    }

    /// The Unix sockets on which visitors are served, too.
    pub fn unix_sockets(&self) -> impl Iterator<Item = &Path> {
        self.server.unix_sockets()
    }

    pub fn admin_address(&self) -> Option<SocketAddr> {
        self.admin.as_ref().and_then(AdminServer::address)
    }

    /// Where agents find their console.
    pub fn agents_address(&self) -> Option<BoundAddress> {
        self.agents.as_ref().and_then(AgentsServer::address)
    }

    /// What a person should look at, though it stops nothing.
    pub fn warnings(&self) -> &[Problem] {
        &self.warnings
    }

    /// Ends exchanges from outside, without waiting for them.
    pub fn handle(&self) -> server::Handle {
        self.server.handle()
    }

    /// Reloads rules and certificates from outside.
    pub fn reloader(&self) -> Reloader {
        self.reloader.clone()
    }

    /// The backend in this program, where the settings want one.
    #[cfg(feature = "backend")]
    pub fn backend(&self) -> Option<&crate::backend::Backend> {
        self.shared.embedded.backend()
    }

    /// Serves until `shutdown` resolves, then drains. The admin listener outlives the drain, so
    /// that it can be watched.
    pub async fn run(self, shutdown: impl Future<Output = ()>) -> Ended {
        let Self {
            shared,
            server,
            admin,
            agents,
            reloader,
            wishes,
            keeper,
            readiness,
            access_log,
            warnings: _,
        } = self;
        shared.routes.load().watch_origins();
        let reloading = reloader.follow(wishes);
        let admin = admin.map(AdminServer::start);
        let agents = agents.map(AgentsServer::start);
        let watchdog = Watchdog::start();
        let keeping = keeper.map(Keeper::start);
        tell_ready();
        let embedded = shared.embedded.clone();
        let draining = async {
            shutdown.await;
            tell_stopping();
            readiness.send_replace(Readiness::Draining);
            if let Some(agents) = &agents {
                agents.leave();
            }
            embedded.drain().await;
        };
        let drained = server
            .serve(move |connection| service(&shared, connection), draining)
            .await;
        drop((reloading, watchdog, keeping));
        if let Some(agents) = agents {
            agents.end().await;
        }
        if let Some(admin) = admin {
            admin.end().await;
        }
        if let Some(writer) = access_log {
            writer.close();
        }
        Ended { cut: drained.cut }
    }
}

type Loaded = (Routes, Option<Arc<Certificates>>, Vec<Problem>);

/// Rules and certificates, with the problems of both at once.
fn load(config: &EdgeConfig) -> Result<Loaded, StartError> {
    let certificates = match &config.certificates {
        CertificatesSource::None => Ok((None, Vec::new())),
        CertificatesSource::SelfSigned => {
            let made = Certificates::self_signed(&SELF_SIGNED_NAMES)?;
            Ok((Some(Arc::new(made)), Vec::new()))
        }
        CertificatesSource::Directory(directory) => match &config.acme {
            Some(acme) => Certificates::load_ordered(directory, acme.has_stand_ins),
            None => Certificates::load(directory),
        }
        .map(|(certificates, warnings)| (Some(Arc::new(certificates)), warnings)),
    };
    match (Routes::load(config, None), certificates) {
        (Ok((routes, mut warnings)), Ok((certificates, more))) => {
            warnings.extend(more);
            Ok((routes, certificates, warnings))
        }
        (routes, certificates) => {
            let mut problems = routes.err().unwrap_or_default();
            problems.extend(certificates.err().unwrap_or_default());
            Err(StartError::Problems(problems))
        }
    }
}

/// By their names only.
fn tell_of_keys(config: &EdgeConfig, routes: &Routes) {
    let Some((settings, grants)) = config.grants.as_ref().zip(routes.grants()) else {
        return;
    };
    let ids = grants.keys().ids().collect::<Vec<_>>().join(", ");
    match settings.keys {
        KeysSource::Made => tracing::warn!(
            key = ids,
            "grants are signed with a key that was made just now: no other edge believes them, and \
             nor does this one after a restart; `keys` in [grants] names a file with a key that stays"
        ),
        KeysSource::File(_) | KeysSource::Given(_) | KeysSource::Kept(_) => {
            tracing::info!(keys = ids, "grants are signed")
        }
    }
}

/// What a certificate made in memory is good for.
const SELF_SIGNED_NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

fn start_access_log(
    output: impl Write + Send + 'static,
    config: &EdgeConfig,
    metrics: &Metrics,
) -> Result<(Option<AccessLog>, Option<AccessLogWriter>), StartError> {
    let Some(format) = config.log.access else {
        return Ok((None, None));
    };
    let started = AccessLog::start(format, output, metrics).map_err(StartError::AccessLog)?;
    Ok((Some(started.0), Some(started.1)))
}

fn service(
    shared: &Arc<Shared>,
    connection: server::ConnectionInfo,
) -> impl Service<Request<Incoming>, Response = Response<EdgeBody>, Error = Infallible, Future: Send>
+ Clone
+ Send
+ use<> {
    let shared = Arc::clone(shared);
    service_fn(move |request: Request<Incoming>| {
        let (shared, connection) = (Arc::clone(&shared), connection.clone());
        let arrival = Arrival {
            request,
            connection,
            notes: proxy::Notes::default(),
        };
        async move { Ok::<_, Infallible>(stack::answer(shared, arrival).await) }
    })
}
