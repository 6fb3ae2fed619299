//! The agents' listener: an address and an origin of its own, of which visitors see nothing.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use http::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use tokio::task::JoinHandle;

use super::edge::StartError;
use super::embedded::Embedded;
use crate::backend::access::Access;
use crate::backend::agents::{Console, Origin, Surroundings};
use crate::backend::{Backend, CONSOLE_FILES};
use crate::config::{AgentsConfig, EdgeConfig};
use crate::problem::{Place, Problem};
use crate::rules::{HostPattern, RuleSet};
use crate::server::{self, BoundAddress, Certificates, Handle, Inherited, Server};
use crate::telemetry::Metrics;
use crate::wire::Scheme;

/// The listener, bound.
#[derive(Debug)]
pub(super) struct AgentsServer {
    server: Server,
    console: Console,
}

/// The listener, running.
#[derive(Debug)]
pub(super) struct AgentsTask {
    console: Console,
    handle: Handle,
    serving: JoinHandle<()>,
    following: JoinHandle<()>,
}

impl AgentsServer {
    /// `None`: the settings want none.
    pub(super) async fn bind(
        config: &EdgeConfig,
        embedded: &Embedded,
        inherited: &mut Inherited,
        certificates: Option<&Arc<Certificates>>,
        metrics: Arc<Metrics>,
    ) -> Result<Option<Self>, StartError> {
        let Some((agents, backend)) = config.agents.as_ref().zip(embedded.backend()) else {
            return Ok(None);
        };
        let certificates = certificates.filter(|_| agents.scheme == Scheme::Https);
        let server = Server::bind(
            server_config(config, agents),
            inherited,
            certificates,
            metrics,
        )?;
        let opened = Access::open(backend.store().clone()).await;
        let access = opened.map_err(|error| {
            let place = Place::Flag("agents");
            let problem = Problem::error(place, error.to_string(), error.remedy());
            StartError::Problems(vec![problem])
        })?;
        let bound = server.addresses();
        let origins = bound.first().map(|bound| origins(agents, bound.address));
        let console = Console::new(
            access,
            backend.roster().clone(),
            origins.unwrap_or_default(),
            CONSOLE_FILES,
            surroundings(agents, backend),
        );
        Ok(Some(Self { server, console }))
    }

    pub(super) fn address(&self) -> Option<BoundAddress> {
        self.server.addresses().first().copied()
    }

    pub(super) fn start(self) -> AgentsTask {
        let Self { server, console } = self;
        let handle = server.handle();
        let (answering, followed) = (console.clone(), console.clone());
        let serving = tokio::spawn(async move {
            let make_service = move |connection: server::ConnectionInfo| {
                let console = answering.clone();
                let (scheme, peer) = (connection.scheme, connection.peer.ip());
                service_fn(move |request: Request<Incoming>| {
                    let console = console.clone();
                    async move { Ok::<_, Infallible>(console.answer(request, scheme, peer).await) }
                })
            };
            // It ends when the edge does.
            let _ = server.serve(make_service, std::future::pending()).await;
        });
        let following = tokio::spawn(async move { followed.follow().await });
        AgentsTask {
            console,
            handle,
            serving,
            following,
        }
    }
}

impl AgentsTask {
    /// Consoles are told that the edge goes, and come back when it does.
    pub(super) fn leave(&self) {
        self.console.leave();
    }

    pub(super) async fn end(self) {
        self.following.abort();
        self.handle.cut();
        if self.serving.await.is_err() {
            tracing::error!("the agents' listener had panicked");
        }
    }
}

fn server_config(config: &EdgeConfig, agents: &AgentsConfig) -> server::Config {
    let (http, https) = match agents.scheme {
        Scheme::Http => (vec![agents.listen], Vec::new()),
        Scheme::Https => (Vec::new(), vec![agents.listen]),
    };
    server::Config {
        http,
        https,
        limits: config.server.limits.clone(),
        ..server::Config::default()
    }
}

fn origins(agents: &AgentsConfig, bound: SocketAddr) -> Vec<Origin> {
    let origins = agents.origins(bound).into_iter().map(|origin| Origin {
        scheme: origin.scheme,
        authority: origin.authority,
    });
    origins.collect()
}

fn surroundings(agents: &AgentsConfig, backend: &Backend) -> Surroundings {
    let (named, sited, assets) = (backend.clone(), backend.clone(), agents.assets.clone());
    Surroundings {
        group_names: Box::new(move |group| named.realm().rules.group(group)?.name.clone()),
        sites: Box::new(move || {
            let assets = assets.iter().map(|asset| asset.to_string());
            site_sources(&sited.realm().rules).chain(assets).collect()
        }),
    }
}

/// Every host of the rules, by either scheme and any port. `*` is none: a page could name any host.
fn site_sources(rules: &RuleSet) -> impl Iterator<Item = String> {
    let hosts = rules.sites().iter().flat_map(|site| site.hosts());
    let hosts = hosts.filter(|host| **host != HostPattern::Any);
    let sources = hosts.flat_map(|host| [format!("http://{host}:*"), format!("https://{host}:*")]);
    sources.collect::<Vec<_>>().into_iter()
}
