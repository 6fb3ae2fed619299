//! The agents' listener: an address and an origin of its own, of which visitors see nothing.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use http::header::{HOST, HeaderValue};
use http::{Method, Request, Response, Version};
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
use crate::proxy::{Bridge, ProxyError, rescue};
use crate::rules::{HostPattern, RuleSet};
use crate::server::{self, BoundAddress, Certificates, Handle, Inherited, Server};
use crate::telemetry::Metrics;
use crate::wire::{self, EdgeBody, Scheme, TrustedPeers};

/// The listener, bound.
#[derive(Debug)]
pub(super) struct AgentsServer {
    server: Server,
    console: Console,
    /// Proxies that are believed when they say for whom they ask.
    trusted: TrustedPeers,
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
        visitors: &[BoundAddress],
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
            surroundings(agents, backend, PublicPorts::of(config, visitors)),
        );
        let trusted = config.trusted_peers.clone();
        Ok(Some(Self {
            server,
            console,
            trusted,
        }))
    }

    pub(super) fn address(&self) -> Option<BoundAddress> {
        self.server.addresses().first().copied()
    }

    pub(super) fn start(self) -> AgentsTask {
        let Self {
            server,
            console,
            trusted,
        } = self;
        let trusted = Arc::new(trusted);
        let handle = server.handle();
        let (answering, followed) = (console.clone(), console.clone());
        let serving = tokio::spawn(async move {
            let make_service = move |connection: server::ConnectionInfo| {
                let console = answering.clone();
                let (scheme, peer) = (connection.scheme, connection.peer.ip());
                let trusted = Arc::clone(&trusted);
                service_fn(move |request: Request<Incoming>| {
                    let console = console.clone();
                    let agent = trusted.visitor_address(peer, request.headers());
                    async move { Ok::<_, Infallible>(answer(&console, request, scheme, agent).await) }
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

/// A socket over HTTP/2 is one over HTTP/1.1 for the console.
async fn answer(
    console: &Console,
    request: Request<Incoming>,
    scheme: Scheme,
    agent: IpAddr,
) -> Response<EdgeBody> {
    if request.method() != Method::CONNECT {
        return console.answer(request, scheme, agent).await;
    }
    let version = request.version();
    let answered = async {
        let (mut parts, body) = request.into_parts();
        let admitted = wire::admit(&parts, scheme).map_err(ProxyError::Refused)?;
        let bridge = Bridge::enter(&admitted, &mut parts.headers)?;
        if let Ok(host) = HeaderValue::try_from(admitted.authority().to_string()) {
            parts.headers.insert(HOST, host);
        }
        (parts.method, parts.version) = (Method::GET, Version::HTTP_11);
        let request = Request::from_parts(parts, body);
        let answer = console.answer(request, scheme, agent).await;
        match bridge {
            Some(bridge) => bridge.cross(answer),
            None => Ok(answer),
        }
    };
    answered
        .await
        .unwrap_or_else(|error| rescue(&error, version, None))
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
        reuse_port: config.server.reuse_port,
        proxy_protocol: config.server.proxy_protocol.clone(),
        proxies: config.server.proxies.clone(),
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

fn surroundings(agents: &AgentsConfig, backend: &Backend, ports: PublicPorts) -> Surroundings {
    let (named, sited, assets) = (backend.clone(), backend.clone(), agents.assets.clone());
    Surroundings {
        group_names: Box::new(move |group| named.realm().rules.group(group)?.name.clone()),
        sites: Box::new(move || {
            let assets = assets.iter().map(|asset| asset.to_string());
            let rules = &sited.realm().rules;
            ports.sources(rules).into_iter().chain(assets).collect()
        }),
    }
}

/// Where visitors find the sites, besides https on its usual port.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct PublicPorts {
    http: Vec<u16>,
    https: Vec<u16>,
}

impl PublicPorts {
    fn of(config: &EdgeConfig, visitors: &[BoundAddress]) -> Self {
        let ports = |scheme: Scheme| {
            let bound = visitors.iter().filter(move |bound| bound.scheme == scheme);
            bound.map(|bound| bound.address.port()).collect()
        };
        Self {
            // Where requests are sent to https there are no pages.
            http: match config.redirect_to_https {
                Some(_) => Vec::new(),
                None => ports(Scheme::Http),
            },
            https: ports(Scheme::Https),
        }
    }

    /// The sites' own origins, as sources of a content security policy, and nothing beside them: a page
    /// must not send the agent's browser to other services of these hosts. A site for any host has none:
    /// its pages could name any.
    fn sources(&self, rules: &RuleSet) -> Vec<String> {
        let hosts = rules.sites().iter().flat_map(|site| site.hosts());
        let hosts = hosts.filter(|host| **host != HostPattern::Any);
        hosts.flat_map(|host| self.origins(host)).collect()
    }

    fn origins(&self, host: &HostPattern) -> Vec<String> {
        let https = self.https.iter().filter(|port| **port != 443);
        let https = https.map(|port| format!("https://{host}:{port}"));
        let http = self.http.iter().map(|port| format!("http://{host}:{port}"));
        let usual = std::iter::once(format!("https://{host}"));
        usual.chain(https).chain(http).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::RulesSource;
    use crate::problem::SourceFile;
    use crate::rules::SiteEnv;

    const RULES: &str = r#"
version = 1
[[site]]
hosts = ["www.bank.example", "*.shop.example"]
origin = "http://127.0.0.1:1"
group = 1
[[site]]
hosts = ["*"]
origin = "http://127.0.0.1:1"
group = 1
"#;

    #[test]
    fn agents_browsers_load_from_the_sites_own_origins_alone() {
        let file = SourceFile {
            path: "rules.toml".into(),
            text: RULES.to_owned(),
        };
        let loaded = RuleSet::compile(vec![Arc::new(file)], SiteEnv::Production).unwrap();
        let ports = PublicPorts {
            http: vec![8080],
            https: vec![443, 8443],
        };
        let bank = [
            "https://www.bank.example",
            "https://www.bank.example:8443",
            "http://www.bank.example:8080",
            "https://*.shop.example",
            "https://*.shop.example:8443",
            "http://*.shop.example:8080",
        ];
        assert_eq!(ports.sources(&loaded.rules), bank);
        let none = PublicPorts::default().sources(&loaded.rules);
        assert_eq!(none, ["https://www.bank.example", "https://*.shop.example"]);
    }

    #[test]
    fn ports_that_only_redirect_have_no_pages() {
        let bound = |scheme, port: u16| BoundAddress {
            scheme,
            address: ([127, 0, 0, 1], port).into(),
        };
        let visitors = [bound(Scheme::Http, 80), bound(Scheme::Https, 443)];
        let mut config = EdgeConfig::new(RulesSource::Directory("rules".into()));
        let ports = PublicPorts::of(&config, &visitors);
        assert_eq!((ports.http, ports.https), (vec![80], vec![443]));
        config.redirect_to_https = Some(443);
        let ports = PublicPorts::of(&config, &visitors);
        assert_eq!((ports.http, ports.https), (vec![], vec![443]));
    }
}
