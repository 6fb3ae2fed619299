use std::fs::DirBuilder;
use std::future::pending;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::demo::{Addresses, StandIn, rules, rules_for_stand_in};
#[cfg(feature = "backend")]
use super::demo::{Cast, Desk};
use super::exit::Exit;
use super::running::{AddressPlaces, on_runtime, run};
use super::serve::carry_sessions;
use super::terminal::{complain, say};
use crate::app::Edge;
#[cfg(feature = "backend")]
use crate::config::{AgentsConfig, DEFAULT_AGENTS};
use crate::config::{
    CertificatesSource, DEFAULT_ADMIN, DEFAULT_LISTEN, EdgeConfig, EmbeddedConfig, Environment,
    GrantsConfig, KeysSource, RulesSource, parse_listen_address,
};
use crate::groups::GrantEpoch;
use crate::server::Inherited;
use crate::upstream::{Target, TlsSettings};
use crate::wire::Scheme;

/// Show the edge at work before a small legacy bank
///
/// The bank is played by this program, which runs the sessions, too; nothing else is needed.
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
    /// Address of the agents' console
    #[cfg(feature = "backend")]
    #[arg(long, value_name = "ADDR", value_parser = parse_listen_address, default_value_t = DEFAULT_AGENTS)]
    agents: SocketAddr,
    /// Carry sessions to a backend elsewhere, which is played, instead of running them
    #[arg(long)]
    stand_in: bool,
    /// Directory of the database, to find sessions again after a restart [default: a new one, removed at the end]
    #[arg(long, value_name = "DIR", conflicts_with = "stand_in")]
    data: Option<PathBuf>,
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
        let data = match DataDirectory::open(self.data.clone()) {
            Ok(data) => data,
            Err(error) => {
                complain(format_args!(
                    "error: the demo's data cannot be kept: {error}"
                ));
                return Exit::Unavailable;
            }
        };
        let mut config = self.configure(&stage, &data);
        #[cfg(feature = "backend")]
        let cast = match self.hire(&mut config) {
            Ok(cast) => cast,
            Err(exit) => return exit,
        };
        // What is asked for in an environment is no reason for a demo not to start.
        let _ = Environment {
            listen: None,
            ..Environment::of_process()
        }
        .apply(&mut config);
        let (places, origin) = (AddressPlaces::flags(&config), stage.bank.address());
        // Boxed: the future of a whole edge is large.
        let edge = Box::pin(run(config, Inherited::default(), &places, &[], |edge| {
            announce(edge, origin);
            #[cfg(feature = "backend")]
            announce_agents(edge, cast.as_ref());
        }));
        tokio::select! {
            exit = edge => exit,
            () = stage.bank.serve_bank(pending()) => Exit::Success,
            () = stage.backend.serve_backend(pending()) => Exit::Success,
        }
    }

    fn configure(&self, stage: &Stage, data: &DataDirectory) -> EdgeConfig {
        let bank = stage.bank.address();
        let rules = match self.plays_backend() {
            true => rules_for_stand_in(bank),
            false => rules(bank),
        };
        let mut config = EdgeConfig::new(RulesSource::Given(rules));
        config.certificates = CertificatesSource::SelfSigned;
        config.server.http = vec![self.listen];
        config.server.https = vec![self.listen_tls];
        config.server.drain_timeout = DRAIN_TIMEOUT;
        config.admin = Some(self.admin);
        if self.plays_backend() {
            config.session = Some(carry_sessions(target(stage.backend.address())));
        } else {
            run_sessions(&mut config, data.0.join("cobrowse.db"));
        }
        config.log.access = None;
        config.log.filter = LOG_FILTER.to_owned();
        config
    }
}

#[cfg(feature = "backend")]
impl DemoArgs {
    /// Agents and their console, where this program runs the sessions.
    fn hire(&self, config: &mut EdgeConfig) -> Result<Option<Cast>, Exit> {
        let Some(embedded) = &config.embedded else {
            return Ok(None);
        };
        let cast = Cast::hire(&embedded.database).map_err(|error| {
            complain(format_args!("error: {error}\n  remedy: {}", error.remedy()));
            Exit::Unavailable
        })?;
        config.agents = Some(AgentsConfig {
            listen: self.agents,
            assets: BANK.map(Into::into).into(),
            ..AgentsConfig::on_loopback()
        });
        Ok(Some(cast))
    }
}

#[cfg(feature = "backend")]
fn announce_agents(edge: &Edge, cast: Option<&Cast>) {
    if let Some((cast, bound)) = cast.zip(edge.agents_address()) {
        let address = bound.address;
        say(Desk { cast, address });
    }
}

/// Where the bank's pages are, which is where they load their styles and pictures from.
#[cfg(feature = "backend")]
const BANK: [&str; 4] = [
    "http://127.0.0.1:*",
    "https://127.0.0.1:*",
    "http://localhost:*",
    "https://localhost:*",
];

impl DemoArgs {
    fn plays_backend(&self) -> bool {
        self.stand_in || cfg!(not(feature = "backend"))
    }
}

/// In this program; it knows its own pages after a restart.
fn run_sessions(config: &mut EdgeConfig, database: PathBuf) {
    let embedded = EmbeddedConfig::at(database);
    config.grants = Some(GrantsConfig {
        keys: KeysSource::Kept(embedded.grant_keys()),
        epoch: GrantEpoch::default(),
    });
    config.embedded = Some(embedded);
}

/// Where the database lies.
#[derive(Debug)]
struct DataDirectory(PathBuf, IsKept);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum IsKept {
    No,
    Yes,
}

impl DataDirectory {
    fn open(wanted: Option<PathBuf>) -> io::Result<Self> {
        let (path, kept) = match wanted {
            Some(path) => (path, IsKept::Yes),
            None => {
                let name = format!("cobrowse-edge-demo-{}", std::process::id());
                (std::env::temp_dir().join(name), IsKept::No)
            }
        };
        let mut builder = DirBuilder::new();
        builder.mode(0o700).recursive(kept == IsKept::Yes);
        builder.create(&path)?;
        Ok(Self(path, kept))
    }
}

impl Drop for DataDirectory {
    fn drop(&mut self) {
        if self.1 == IsKept::No {
            // What cannot be removed is of no use to anybody.
            let _ = std::fs::remove_dir_all(&self.0);
        }
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
        socket: None,
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
