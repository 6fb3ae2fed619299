use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use cobrowse_edge::app::{Edge, Ended, Reloader};
use cobrowse_edge::config::{
    CertificatesSource, EdgeConfig, LogConfig, RulesSource, SessionConfig, SessionPlace,
};
use cobrowse_edge::problem::SourceFile;
use cobrowse_edge::proxy::ExchangeLimits;
use cobrowse_edge::rules::SiteEnv;
use cobrowse_edge::telemetry::LogFormat;
use cobrowse_edge::upstream::{Target, TlsSettings};
use cobrowse_edge::wire::{CodingLevels, Markers, Scheme, TrustedPeers};
use cobrowse_edge::{server, upstream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::patience::soon;
use super::visitor::Visitor;

/// A running edge on ports of the system's choosing; dropping it ends it.
pub(crate) struct TestEdge {
    pub(crate) http: SocketAddr,
    pub(crate) https: Option<SocketAddr>,
    pub(crate) admin: SocketAddr,
    pub(crate) reloader: Reloader,
    /// Of the agents' console.
    pub(crate) agents: Option<SocketAddr>,
    #[cfg(feature = "backend")]
    pub(crate) backend: Option<cobrowse_edge::backend::Backend>,
    shutdown: Option<oneshot::Sender<()>>,
    task: JoinHandle<Ended>,
}

impl TestEdge {
    /// An edge with these rules and nothing else.
    pub(crate) async fn with_rules(rules: &str) -> Self {
        Self::spawn(config(rules)).await
    }

    pub(crate) async fn spawn(config: EdgeConfig) -> Self {
        Self::spawn_logging_to(std::io::sink(), config).await
    }

    /// With an access log, if the settings want one.
    pub(crate) async fn spawn_logging_to(
        output: impl Write + Send + 'static,
        config: EdgeConfig,
    ) -> Self {
        let edge = Edge::start_logging_to(output, config)
            .await
            .unwrap_or_else(|error| panic!("{error:#?}"));
        Self::run(edge)
    }

    /// Runs an edge that has started.
    pub(crate) fn run(edge: Edge) -> Self {
        let find = |scheme| {
            let addresses = edge.addresses();
            addresses
                .iter()
                .find(|bound| bound.scheme == scheme)
                .map(|bound| bound.address)
        };
        let (http, https) = (find(Scheme::Http).unwrap(), find(Scheme::Https));
        let admin = edge.admin_address().unwrap();
        let agents = edge.agents_address().map(|bound| bound.address);
        let reloader = edge.reloader();
        #[cfg(feature = "backend")]
        let backend = edge.backend().cloned();
        let (shutdown, told) = oneshot::channel::<()>();
        let task = tokio::spawn(edge.run(async { drop(told.await) }));
        Self {
            http,
            https,
            admin,
            reloader,
            agents,
            #[cfg(feature = "backend")]
            backend,
            shutdown: Some(shutdown),
            task,
        }
    }

    /// Tells it to drain; waits until it has ended.
    pub(crate) async fn end(mut self) -> Ended {
        drop(self.shutdown.take());
        soon(&mut self.task).await.unwrap()
    }

    /// A metric's value; 0 if it was never counted. `series` is written as in the text of all.
    pub(crate) async fn metric(&self, series: &str) -> f64 {
        let text = Visitor::http1(self.admin)
            .await
            .get("/metrics")
            .await
            .text();
        let mut values = text.lines().filter_map(|line| {
            let value = line.strip_prefix(series)?.strip_prefix(' ')?;
            value.parse().ok()
        });
        values.next().unwrap_or_default()
    }

    /// How many requests were refused, by the gate, by hyper, and over bodies that broke off.
    pub(crate) async fn refusals(&self) -> f64 {
        let text = Visitor::http1(self.admin)
            .await
            .get("/metrics")
            .await
            .text();
        let counts = |line: &&str| {
            line.starts_with("edge_refusals_total{")
                || line.starts_with("edge_upstream_errors_total{")
                    && line.contains(r#"blame="downstream""#)
        };
        let values = text.lines().filter(counts);
        values
            .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
            .sum()
    }

    /// Tells it to drain, and goes on.
    pub(crate) fn begin_drain(&mut self) {
        drop(self.shutdown.take());
    }
}

impl Drop for TestEdge {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Sessions with a backend of somebody else's.
pub(crate) fn session(backend: SocketAddr, place: SessionPlace) -> SessionConfig {
    SessionConfig {
        backend: Target {
            scheme: Scheme::Http,
            host: backend.ip().to_string(),
            port: backend.port(),
            socket: None,
            tls: TlsSettings::default(),
        },
        place,
        cookies: vec!["glance".to_owned()],
        enforce: None,
    }
}

/// Everything at its default, on free ports, with HTTPS by a certificate made in memory.
pub(crate) fn config(rules: &str) -> EdgeConfig {
    let any_port = SocketAddr::from(([127, 0, 0, 1], 0));
    let path = PathBuf::from("rules.toml");
    EdgeConfig {
        env: SiteEnv::Production,
        rules: RulesSource::Given(Arc::new(SourceFile {
            path,
            text: rules.to_owned(),
        })),
        certificates: CertificatesSource::SelfSigned,
        acme: None,
        server: server::Config {
            http: vec![any_port],
            https: vec![any_port],
            drain_timeout: Duration::from_secs(5),
            ..server::Config::default()
        },
        admin: Some(any_port),
        redirect_to_https: None,
        upstream: upstream::Config::default(),
        error_page: None,
        exchange: ExchangeLimits::default(),
        session: None,
        agents: None,
        embedded: None,
        grants: None,
        trusted_peers: TrustedPeers::default(),
        pseudonym: "test-edge".into(),
        levels: CodingLevels::default(),
        markers: Markers::default(),
        log: LogConfig {
            format: LogFormat::Human,
            filter: "off".to_owned(),
            access: None,
        },
    }
}

/// Rules for one site, whatever host is asked, with `#ssn` masked.
pub(crate) fn rules_for(origin: SocketAddr) -> String {
    format!(
        r##"
        version = 1
        [script]
        url = "https://cdn.example.com/loader.js"
        [[site]]
        hosts = ["*"]
        origin = "http://{origin}"
        group = 15687
        additional_groups = [15688]
        masks = ["#ssn"]
        "##
    )
}
