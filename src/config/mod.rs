//! Process settings: text in, the rooms' own `Config` structs out. What can change while the edge
//! runs (rules, certificates) is named here by its place only, and read by the rooms that own it.

mod acme;
mod agents;
mod backend;
mod coding;
mod compile;
mod embedded;
mod enforce;
mod environment;
mod file;
mod grants;
mod limits;
mod listeners;
mod load;
mod origins;
mod settings;
mod value;

pub use agents::{AgentsConfig, ConsoleOrigin};
pub use backend::parse_backend;
pub use embedded::{DEFAULT_DATABASE, DEFAULT_MOUNT};
pub use environment::Environment;
pub use grants::{GrantsConfig, KeysSource, Secret};
pub use load::{Draft, load, read};
pub use settings::{Setting, settings_markdown, settings_table};
pub use value::parse_listen_address;

use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::problem::SourceFile;
use crate::proxy::{EnforceConfig, ExchangeLimits};
use crate::rules::SiteEnv;
use crate::telemetry::{AccessLogFormat, LogFormat};
use crate::wire::{CodingLevels, Markers, TrustedPeers};
use crate::{server, upstream};

/// Everything that a running edge is made of. Read once, at start.
#[derive(Clone, Debug)]
pub struct EdgeConfig {
    pub env: SiteEnv,
    pub rules: RulesSource,
    pub certificates: CertificatesSource,
    /// Certificates are ordered into that directory.
    pub acme: Option<crate::acme::Config>,
    pub server: server::Config,
    /// Where the admin listener is; `None`: there is none.
    pub admin: Option<SocketAddr>,
    /// Requests over plain HTTP are sent to HTTPS on this port.
    pub redirect_to_https: Option<u16>,
    /// What every origin gets where its site says nothing else.
    pub upstream: upstream::Config,
    /// A file with the page that visitors get where there is no answer. Default: what is built in.
    pub error_page: Option<PathBuf>,
    pub exchange: ExchangeLimits,
    /// Sessions are carried to a backend elsewhere.
    pub session: Option<SessionConfig>,
    /// The console of the embedded backend; `None`: there is none.
    pub agents: Option<AgentsConfig>,
    /// Sessions are run by this program.
    pub embedded: Option<EmbeddedConfig>,
    /// `None`: tags carry no grant.
    pub grants: Option<GrantsConfig>,
    pub trusted_peers: TrustedPeers,
    /// The name of this edge in Via.
    pub pseudonym: Arc<str>,
    /// How much work is put into writing pages in each coding.
    pub levels: CodingLevels,
    /// Fields with which the edge tells of itself. Default: none.
    pub markers: Markers,
    pub log: LogConfig,
}

/// Where the rules are.
#[derive(Clone, Debug)]
pub enum RulesSource {
    /// Every `*.toml` file in it; watched.
    Directory(PathBuf),
    /// One text, made by a command.
    Given(Arc<SourceFile>),
}

/// Where the certificates are.
#[derive(Clone, Debug)]
pub enum CertificatesSource {
    /// There is no HTTPS listener.
    None,
    /// Every pair in it; watched.
    Directory(PathBuf),
    /// Made in memory for `localhost` and loopback, for trying things out.
    SelfSigned,
}

/// The backend in this program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmbeddedConfig {
    /// Below this path on every site, such as `/_cobrowse`.
    pub mount: Arc<str>,
    /// What outlives the process.
    pub database: PathBuf,
    /// How long lines of its audit log are kept. Default: 400.
    pub audit_days: u32,
    /// How many of them. Default: 2,000,000.
    pub audit_lines: u32,
}

/// Who runs the sessions.
#[derive(Clone, Debug)]
enum SessionBackend {
    Embedded,
    Remote(upstream::Target),
}

/// How session traffic reaches a remote cobrowse backend.
#[derive(Clone, Debug)]
pub struct SessionConfig {
    pub backend: upstream::Target,
    pub place: SessionPlace,
    /// The cookies that the backend gets. Default: none.
    pub cookies: Vec<String>,
    /// Holds requests to the groups of their pages. Default: the backend alone checks groups.
    pub enforce: Option<EnforceConfig>,
}

/// Where visitors find the backend.
#[derive(Clone, Debug)]
pub enum SessionPlace {
    /// Below this path on every site, such as `/_cobrowse`; `strip`: the backend does not know
    /// the mount.
    Mount { path: Arc<str>, strip: bool },
    /// On a host of its own.
    Host(Arc<str>),
}

#[derive(Clone, Debug)]
pub struct LogConfig {
    pub format: LogFormat,
    /// As `tracing` reads it, e.g. `info` or `cobrowse_edge=debug`. Default: `info`.
    pub filter: String,
    /// The access log, on standard output; `None`: off.
    pub access: Option<AccessLogFormat>,
}

impl EdgeConfig {
    /// Everything at its default: one HTTP listener on loopback, the admin listener, no sessions.
    pub fn new(rules: RulesSource) -> Self {
        Self {
            env: SiteEnv::default(),
            rules,
            certificates: CertificatesSource::None,
            acme: None,
            server: server::Config {
                http: vec![DEFAULT_LISTEN],
                ..server::Config::default()
            },
            admin: Some(DEFAULT_ADMIN),
            redirect_to_https: None,
            upstream: upstream::Config::default(),
            error_page: None,
            exchange: ExchangeLimits::default(),
            session: None,
            agents: None,
            embedded: None,
            grants: None,
            trusted_peers: TrustedPeers::default(),
            pseudonym: DEFAULT_PSEUDONYM.into(),
            levels: CodingLevels::default(),
            markers: Markers::default(),
            log: LogConfig::default(),
        }
    }
}

impl RulesSource {
    pub fn directory(&self) -> Option<&Path> {
        match self {
            Self::Directory(directory) => Some(directory),
            Self::Given(_) => None,
        }
    }
}

impl CertificatesSource {
    pub fn directory(&self) -> Option<&Path> {
        match self {
            Self::Directory(directory) => Some(directory),
            Self::None | Self::SelfSigned => None,
        }
    }
}

impl Default for LogConfig {
    fn default() -> Self {
        Self {
            format: LogFormat::Human,
            filter: DEFAULT_LOG_FILTER.to_owned(),
            access: Some(AccessLogFormat::Human),
        }
    }
}

/// Loopback: who wants to be seen from outside says so.
pub const DEFAULT_LISTEN: SocketAddr = SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 8080));
/// Loopback, since it tells what visitors do and takes no password.
pub const DEFAULT_ADMIN: SocketAddr = SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 9090));
/// Loopback: who may log in from elsewhere is for the operator to say.
pub const DEFAULT_AGENTS: SocketAddr = SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 8090));
/// Where certificates go that the edge orders itself, if the settings name no place.
const DEFAULT_CERTIFICATES_DIRECTORY: &str = "certs";
/// Beside the settings file.
const DEFAULT_RULES_DIRECTORY: &str = "rules";
/// What the product is called: Via need not tell more (RFC 9110 7.6.3).
const DEFAULT_PSEUDONYM: &str = "cobrowse-edge";
/// What happens, without what happens all the time.
const DEFAULT_LOG_FILTER: &str = "info";

/// How long a tree of files must be quiet before it is read again, since editors and deployments
/// write several files, or one several times.
pub const RELOAD_DEBOUNCE: Duration = Duration::from_millis(250);

#[cfg(test)]
mod tests;
