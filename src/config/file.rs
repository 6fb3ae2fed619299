//! `edge.toml` as it was written: every value parsed and with its place, nothing yet brought
//! together. What cannot be read is reported and left out.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use toml::Spanned;
use toml::de::DeTable;

use super::SessionBackend;
use super::acme::AcmeTable;
use super::agents::AgentsTable;
use super::backend::{parse_host, parse_mount};
use super::coding::read_levels;
use super::embedded::parse_session_backend;
use super::enforce::EnforceTable;
use super::grants::GrantsTable;
use super::limits::read_limits;
use super::origins::UpstreamTable;
use super::value::{
    log_filter, marker_name, network, parse_listen_address, path, token, unix_mode, unix_socket,
};
use crate::document::{
    At, Reports, Stated, TableReader, count, duration, filled_text, flag, one_of,
};
use crate::problem::SourceFile;
use crate::proxy::ExchangeLimits;
use crate::rules::SiteEnv;
use crate::server;
use crate::telemetry::{AccessLogFormat, LogFormat};
use crate::wire::{CodingLevels, Markers, TrustedPeers};

/// The whole file.
#[derive(Debug)]
pub(super) struct EdgeFile {
    pub(super) env: Option<Stated<SiteEnv>>,
    pub(super) rules: Written<PathBuf>,
    pub(super) certs: Written<PathBuf>,
    pub(super) acme: Option<AcmeTable>,
    pub(super) via: Option<Stated<Arc<str>>>,
    pub(super) server: ServerTable,
    pub(super) limits: (server::Limits, ExchangeLimits),
    pub(super) levels: CodingLevels,
    pub(super) admin: AdminTable,
    pub(super) upstream: UpstreamTable,
    pub(super) session: Option<SessionTable>,
    pub(super) agents: Option<AgentsTable>,
    pub(super) grants: GrantsTable,
    pub(super) trusted_peers: TrustedPeers,
    pub(super) markers: Markers,
    pub(super) log: LogTable,
}

/// A setting that other files are looked for by.
#[derive(Debug)]
pub(super) enum Written<T> {
    Absent,
    /// It is there, and was reported.
    Refused,
    Stated(Stated<T>),
}

/// `[server]`
#[derive(Debug, Default)]
pub(super) struct ServerTable {
    /// Something was wrong with it, so contradictions are not worth looking for.
    pub(super) faulty: bool,
    pub(super) http: Option<Stated<Vec<Stated<SocketAddr>>>>,
    pub(super) https: Option<Stated<Vec<Stated<SocketAddr>>>>,
    pub(super) unix: Vec<PathBuf>,
    pub(super) unix_mode: Option<Stated<u32>>,
    pub(super) redirect_http: Option<Stated<bool>>,
    pub(super) https_port: Option<Stated<u16>>,
    pub(super) reuse_port: Option<Stated<bool>>,
    pub(super) proxy_protocol: TrustedPeers,
    pub(super) drain_timeout: Option<Stated<Duration>>,
}

/// `[admin]`
#[derive(Debug, Default)]
pub(super) struct AdminTable {
    pub(super) listen: Option<Stated<SocketAddr>>,
    pub(super) enabled: Option<Stated<bool>>,
}

/// `[session]`
#[derive(Debug)]
pub(super) struct SessionTable {
    pub(super) faulty: bool,
    pub(super) header: At,
    pub(super) backend: Option<Stated<SessionBackend>>,
    pub(super) database: Option<Stated<PathBuf>>,
    pub(super) audit_days: Option<Stated<u32>>,
    pub(super) audit_lines: Option<Stated<u32>>,
    pub(super) mount: Option<Stated<String>>,
    pub(super) host: Option<Stated<String>>,
    pub(super) strip_mount: Option<Stated<bool>>,
    pub(super) cookies: Vec<Stated<Arc<str>>>,
    pub(super) ca: Option<Stated<PathBuf>>,
    pub(super) server_name: Option<Stated<String>>,
    pub(super) client_certificate: Option<Stated<PathBuf>>,
    pub(super) client_key: Option<Stated<PathBuf>>,
    pub(super) enforce: Option<EnforceTable>,
}

/// `[log]`
#[derive(Debug, Default)]
pub(super) struct LogTable {
    pub(super) format: LogFormat,
    pub(super) filter: Option<String>,
    /// Within, `None`: off.
    pub(super) access: Option<Option<AccessLogFormat>>,
}

impl EdgeFile {
    /// `base` is the directory that paths in the file start from.
    pub(super) fn read(
        tree: &Spanned<DeTable<'_>>,
        file: &Arc<SourceFile>,
        base: &Path,
        reports: &Reports,
    ) -> Self {
        let mut table = TableReader::new("the settings", file, reports, tree);
        let file = Self {
            env: table.take("env", one_of(ENVS)),
            rules: read_path(&mut table, "rules", base),
            certs: read_path(&mut table, "certs", base),
            acme: table
                .take_table("acme", "[acme]")
                .map(|table| AcmeTable::read(table, base)),
            via: table.take("via", filled_text(token)),
            server: read_or_default(table.take_table("server", "[server]"), ServerTable::read),
            limits: read_or_default(table.take_table("limits", "[limits]"), read_limits),
            levels: read_or_default(table.take_table("coding", "[coding]"), read_levels),
            admin: read_or_default(table.take_table("admin", "[admin]"), AdminTable::read),
            upstream: read_or_default(table.take_table("upstream", "[upstream]"), |table| {
                UpstreamTable::read(table, base)
            }),
            session: table
                .take_table("session", "[session]")
                .map(|table| SessionTable::read(table, base)),
            agents: table
                .take_table("agents", "[agents]")
                .map(AgentsTable::read),
            grants: read_or_default(table.take_table("grants", "[grants]"), |table| {
                GrantsTable::read(table, base)
            }),
            trusted_peers: read_or_default(
                table.take_table("forwarded", "[forwarded]"),
                read_trusted_peers,
            ),
            markers: read_or_default(table.take_table("markers", "[markers]"), read_markers),
            log: read_or_default(table.take_table("log", "[log]"), LogTable::read),
        };
        table.finish();
        file
    }
}

impl ServerTable {
    fn read(mut table: TableReader<'_>) -> Self {
        let server = Self {
            faulty: false,
            http: table.take_whole_list("http", filled_text(parse_listen_address)),
            https: table.take_whole_list("https", filled_text(parse_listen_address)),
            unix: table
                .take_list("unix", filled_text(unix_socket))
                .into_iter()
                .map(|path| path.value)
                .collect(),
            unix_mode: table.take("unix_mode", filled_text(unix_mode)),
            redirect_http: table.take("redirect_http", flag),
            https_port: table.take("https_port", count(1..=u64::from(u16::MAX))),
            reuse_port: table.take("reuse_port", flag),
            proxy_protocol: read_networks(&mut table, "proxy_protocol"),
            drain_timeout: table.take("drain_timeout", duration(Duration::ZERO..=MAX_DRAIN)),
        };
        let faulty = !table.finish();
        Self { faulty, ..server }
    }
}

impl AdminTable {
    fn read(mut table: TableReader<'_>) -> Self {
        let admin = Self {
            listen: table.take("listen", filled_text(parse_listen_address)),
            enabled: table.take("enabled", flag),
        };
        table.finish();
        admin
    }
}

impl SessionTable {
    fn read(mut table: TableReader<'_>, base: &Path) -> Self {
        let session = Self {
            faulty: false,
            header: table.at().clone(),
            backend: table.take("backend", filled_text(parse_session_backend)),
            database: table.take("database", path(base)),
            audit_days: table.take("audit_keep_days", count(1..=36_500)),
            audit_lines: table.take("audit_keep_lines", count(1_000..=1_000_000_000)),
            mount: table.take("mount", filled_text(parse_mount)),
            host: table.take("host", filled_text(parse_host)),
            strip_mount: table.take("strip_mount", flag),
            cookies: table.take_list("cookies", filled_text(token)),
            ca: table.take("ca", path(base)),
            server_name: table.take("server_name", filled_text(parse_host)),
            client_certificate: table.take("client_certificate", path(base)),
            client_key: table.take("client_key", path(base)),
            enforce: table
                .take_table("enforce", "[session.enforce]")
                .map(EnforceTable::read),
        };
        let faulty = !table.finish();
        Self { faulty, ..session }
    }
}

impl LogTable {
    fn read(mut table: TableReader<'_>) -> Self {
        let log = Self {
            format: table.take_or("format", LogFormat::Human, one_of(LOG_FORMATS)),
            filter: table
                .take("filter", filled_text(log_filter))
                .map(|filter| filter.value),
            access: table
                .take("access", one_of(ACCESS_LOGS))
                .map(|access| access.value),
        };
        table.finish();
        log
    }
}

fn read_trusted_peers(mut table: TableReader<'_>) -> TrustedPeers {
    let peers = read_networks(&mut table, "trusted_peers");
    table.finish();
    peers
}

fn read_networks(table: &mut TableReader<'_>, key: &'static str) -> TrustedPeers {
    let networks = table.take_list(key, filled_text(network));
    TrustedPeers::new(networks.into_iter().map(|network| network.value).collect())
}

fn read_markers(mut table: TableReader<'_>) -> Markers {
    let mut name = |key| {
        let stated = table.take(key, filled_text(marker_name));
        stated.map(|name| name.value)
    };
    let markers = Markers {
        request: name("request"),
        response: name("response"),
    };
    table.finish();
    markers
}

fn read_path(table: &mut TableReader<'_>, key: &'static str, base: &Path) -> Written<PathBuf> {
    match table.take(key, path(base)) {
        Some(stated) => Written::Stated(stated),
        None if table.has(key) => Written::Refused,
        None => Written::Absent,
    }
}

fn read_or_default<'a, T: Default>(
    table: Option<TableReader<'a>>,
    read: impl FnOnce(TableReader<'a>) -> T,
) -> T {
    table.map(read).unwrap_or_default()
}

/// Longer, and a deployment waits for one visitor's forgotten tab.
const MAX_DRAIN: Duration = Duration::from_hours(1);

const ENVS: &[(&str, SiteEnv)] = &[
    ("production", SiteEnv::Production),
    ("staging", SiteEnv::Staging),
];

const LOG_FORMATS: &[(&str, LogFormat)] = &[("human", LogFormat::Human), ("json", LogFormat::Json)];

const ACCESS_LOGS: &[(&str, Option<AccessLogFormat>)] = &[
    ("human", Some(AccessLogFormat::Human)),
    ("json", Some(AccessLogFormat::Json)),
    ("off", None),
];
