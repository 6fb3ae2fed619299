use std::future::pending;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use clap::Args;

use super::demo::{Addresses, StandIn, rules};
use super::exit::Exit;
use super::running::{AddressPlaces, on_runtime, run};
use super::serve::carry_sessions;
use super::terminal::{complain, say};
use crate::app::Edge;
use crate::config::{
    CertificatesSource, DEFAULT_ADMIN, DEFAULT_LISTEN, EdgeConfig, Environment, RulesSource,
    parse_listen_address,
};
use crate::server::Inherited;
use crate::upstream::{Target, TlsSettings};
use crate::wire::Scheme;

/// Show the edge at work before a small legacy bank
///
/// The bank and a stand-in for the cobrowse backend are played by this program; nothing else is needed.
/// Ctrl-C ends it.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Examples:
  cobrowse-edge demo
  cobrowse-edge demo --listen 127.0.0.1:8081 --listen-tls 127.0.0.1:8444 --admin 127.0.0.1:9091")]
pub(super) struct DemoArgs {
    /// Address for HTTP
    #[arg(long, value_name = "ADDR", value_parser = parse_listen_address, default_value_t = DEFAULT_LISTEN)]
    listen: SocketAddr,
    /// Address for HTTPS, with a certificate made in memory
    #[arg(long, value_name = "ADDR", value_parser = parse_listen_address, default_value_t = LISTEN_TLS)]
    listen_tls: SocketAddr,
    /// Address for health and metrics
    #[arg(long, value_name = "ADDR", value_parser = parse_listen_address, default_value_t = DEFAULT_ADMIN)]
    admin: SocketAddr,
}

/// The servers that are played.
#[derive(Debug)]
struct Stage {
    bank: StandIn,
    backend: StandIn,
}

impl DemoArgs {
    pub(super) fn run(self) -> Exit {
        on_runtime(async {
            match Stage::set().await {
                Ok(stage) => self.play(stage).await,
                Err(error) => {
                    complain(format_args!(
                        "error: the demo's bank finds no free port: {error}"
                    ));
                    Exit::Unavailable
                }
            }
        })
    }

    async fn play(self, stage: Stage) -> Exit {
        let mut config = self.configure(&stage);
        // What is asked for in an environment is no reason for a demo not to start.
        let _ = Environment {
            listen: None,
            ..Environment::of_process()
        }
        .apply(&mut config);
        let (places, origin) = (AddressPlaces::flags(&config), stage.bank.address());
        // Boxed: the future of a whole edge is large.
        let edge = Box::pin(run(config, Inherited::default(), &places, &[], |edge| {
            announce(edge, origin)
        }));
        tokio::select! {
            exit = edge => exit,
            () = stage.bank.serve_bank(pending()) => Exit::Success,
            () = stage.backend.serve_backend(pending()) => Exit::Success,
        }
    }

    fn configure(&self, stage: &Stage) -> EdgeConfig {
        let mut config = EdgeConfig::new(RulesSource::Given(rules(stage.bank.address())));
        config.certificates = CertificatesSource::SelfSigned;
        config.server.http = vec![self.listen];
        config.server.https = vec![self.listen_tls];
        config.server.drain_timeout = DRAIN_TIMEOUT;
        config.admin = Some(self.admin);
        config.session = Some(carry_sessions(target(stage.backend.address())));
        config.log.access = None;
        config.log.filter = LOG_FILTER.to_owned();
        config
    }
}

impl Stage {
    async fn set() -> io::Result<Self> {
        Ok(Self {
            bank: StandIn::bind().await?,
            backend: StandIn::bind().await?,
        })
    }
}

fn target(address: SocketAddr) -> Target {
    Target {
        scheme: Scheme::Http,
        host: address.ip().to_string(),
        port: address.port(),
        tls: TlsSettings::default(),
    }
}

fn announce(edge: &Edge, origin: SocketAddr) {
    let bound = edge.addresses();
    let of = |scheme| {
        bound
            .iter()
            .find(|bound| bound.scheme == scheme)
            .map(|bound| bound.address)
    };
    let (http, https) = (of(Scheme::Http), of(Scheme::Https));
    if let (Some(http), Some(https), Some(admin)) = (http, https, edge.admin_address()) {
        say(Addresses {
            http,
            https,
            admin,
            origin,
        });
    }
}

/// What 443 is to 8080's 80.
const LISTEN_TLS: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 8443);
/// A demo has no visitors who would mind; open event streams and sockets would hold it up.
const DRAIN_TIMEOUT: Duration = Duration::from_millis(200);
/// The terminal belongs to what the demo has to say.
const LOG_FILTER: &str = "error";
