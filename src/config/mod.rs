//! Process settings: text in, the rooms' own `Config` structs out. What can change while the edge
//! runs (rules, certificates) is named here by its place only, and read by the rooms that own it.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::problem::SourceFile;
use crate::rules::SiteEnv;
use crate::telemetry::{AccessLogFormat, LogFormat};
use crate::wire::TrustedPeers;
use crate::{server, upstream};

/// Everything that a running edge is made of. Read once, at start.
#[derive(Clone, Debug)]
pub struct EdgeConfig {
    pub env: SiteEnv,
    pub rules: RulesSource,
    pub certificates: CertificatesSource,
    pub server: server::Config,
    /// Where the admin listener is; `None`: there is none.
    pub admin: Option<SocketAddr>,
    /// Requests over plain HTTP are sent to HTTPS on this port.
    pub redirect_to_https: Option<u16>,
    /// What every origin gets where its site says nothing else.
    pub upstream: upstream::Config,
    pub session: Option<SessionConfig>,
    pub trusted_peers: TrustedPeers,
    /// The name of this edge in Via.
    pub pseudonym: Arc<str>,
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

/// How session traffic reaches a remote cobrowse backend.
#[derive(Clone, Debug)]
pub struct SessionConfig {
    pub backend: upstream::Target,
    pub place: SessionPlace,
    /// The cookies that the backend gets. Default: none.
    pub cookies: Vec<String>,
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

/// How long a tree of files must be quiet before it is read again, since editors and deployments
/// write several files, or one several times.
pub const RELOAD_DEBOUNCE: Duration = Duration::from_millis(250);
