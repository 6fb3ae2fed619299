//! Brings the settings together. Total: what is refused is reported, and stands at its default.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::agents::AgentsTable;
use super::environment::{Environment, Overrides};
use super::file::{AdminTable, EdgeFile, LogTable, SessionTable, Written};
use super::grants::GrantReader;
use super::listeners::{Listeners, check_admin};
use super::{
    CertificatesSource, DEFAULT_ADMIN, DEFAULT_CERTIFICATES_DIRECTORY, DEFAULT_LOG_FILTER,
    DEFAULT_PSEUDONYM, DEFAULT_RULES_DIRECTORY, EdgeConfig, EmbeddedConfig, LogConfig, RulesSource,
    SessionBackend, SessionConfig, SessionPlace,
};
use crate::document::{At, Fault, Reports, Stated};
use crate::server;
use crate::telemetry::AccessLogFormat;
use crate::upstream::{Target, TlsSettings};
use crate::wire::Scheme;

/// `base` is the directory that paths in the file start from.
pub(super) fn compile(
    file: EdgeFile,
    base: &Path,
    environment: &Environment,
    reports: &Reports,
) -> EdgeConfig {
    let (overrides, refused) = environment.read();
    let Overrides {
        listen,
        log,
        grant_keys,
    } = overrides;
    refused
        .into_iter()
        .for_each(|problem| reports.push(problem));
    let listeners = Listeners::compile(&file.server, listen, reports);
    let agents_want_tls = file.agents.as_ref().is_some_and(AgentsTable::wants_tls);
    let ordered = file.acme.as_ref().map(|_| base);
    let certificates = certificates(&file.certs, &listeners, agents_want_tls, ordered, reports);
    let has_certificates = ordered.is_some() || !matches!(file.certs, Written::Absent);
    let default = server::Config::default();
    let (session, embedded) = sessions(file.session.as_ref(), base, reports);
    let agents = file.agents.and_then(|agents| {
        agents.report_idle(embedded.is_some(), reports);
        agents.compile(&listeners, has_certificates, reports)
    });
    let enforced = session.as_ref();
    let enforced = enforced.is_some_and(|session| session.enforce.is_some());
    let reader = match &embedded {
        Some(embedded) => GrantReader::Backend(embedded.grant_keys()),
        None if enforced => GrantReader::Edge,
        None => GrantReader::Nobody,
    };
    EdgeConfig {
        env: file.env.map_or_else(Default::default, |env| env.value),
        rules: RulesSource::Directory(rules(&file.rules, base)),
        certificates,
        acme: file.acme.and_then(|acme| acme.compile(&listeners, reports)),
        admin: admin(&file.admin, &listeners, reports),
        redirect_to_https: listeners.redirect_port(&file.server, reports),
        server: server::Config {
            http: listeners.http_addresses(),
            https: listeners.https_addresses(),
            unix: file.server.unix,
            unix_mode: file
                .server
                .unix_mode
                .map_or(default.unix_mode, |mode| mode.value),
            reuse_port: file.server.reuse_port.is_some_and(|reuse| reuse.value),
            proxy_protocol: file.server.proxy_protocol,
            proxies: file.trusted_peers.clone(),
            limits: file.limits.0,
            drain_timeout: file
                .server
                .drain_timeout
                .map_or(default.drain_timeout, |time| time.value),
        },
        upstream: file.upstream.config,
        error_page: file.upstream.error_page,
        exchange: file.limits.1,
        grants: file.grants.compile(grant_keys, reader, reports),
        session,
        agents,
        embedded,
        trusted_peers: file.trusted_peers,
        levels: file.levels,
        markers: file.markers,
        pseudonym: file
            .via
            .map_or_else(|| Arc::from(DEFAULT_PSEUDONYM), |via| via.value),
        log: log_config(file.log, log),
    }
}

fn rules(written: &Written<PathBuf>, base: &Path) -> PathBuf {
    match written {
        Written::Stated(stated) => stated.value.clone(),
        Written::Absent | Written::Refused => base.join(DEFAULT_RULES_DIRECTORY),
    }
}

fn certificates(
    written: &Written<PathBuf>,
    listeners: &Listeners,
    agents_want_tls: bool,
    ordered: Option<&Path>,
    reports: &Reports,
) -> CertificatesSource {
    let Written::Stated(certs) = written else {
        if let (Written::Absent, Some(base)) = (written, ordered) {
            return CertificatesSource::Directory(base.join(DEFAULT_CERTIFICATES_DIRECTORY));
        }
        if let (Written::Absent, Some(https)) = (written, &listeners.https_list) {
            let remedy = "write certs = \"certs/\", a directory with certificates and keys, \
                          above the first [table]";
            reports.error(https, "https has no certificates", remedy);
        }
        return CertificatesSource::None;
    };
    if listeners.https_list.is_none() && !listeners.faulty && !agents_want_tls {
        let remedy = "write https = [\"0.0.0.0:443\"] in [server], or remove certs";
        reports.warning(
            &certs.at,
            "certs is named, but nothing listens for https",
            remedy,
        );
    }
    CertificatesSource::Directory(certs.value.clone())
}

fn admin(
    table: &AdminTable,
    listeners: &Listeners,
    reports: &Reports,
) -> Option<std::net::SocketAddr> {
    let off = table.enabled.as_ref().filter(|enabled| !enabled.value);
    match (off, &table.listen) {
        (Some(off), Some(listen)) => {
            let fault = Fault::new(
                "the admin listener has an address and is switched off",
                "remove one of the two",
            );
            reports.conflict(&off.at, (&listen.at, "its address"), fault);
            None
        }
        (Some(_), None) => None,
        (None, listen) => {
            check_admin(listen.as_ref(), listeners, reports);
            Some(listen.as_ref().map_or(DEFAULT_ADMIN, |listen| listen.value))
        }
    }
}

/// At most one of both runs the sessions.
fn sessions(
    table: Option<&SessionTable>,
    base: &Path,
    reports: &Reports,
) -> (Option<SessionConfig>, Option<EmbeddedConfig>) {
    let Some(table) = table.filter(|table| !table.faulty) else {
        return (None, None);
    };
    match table.backend.as_ref().map(|backend| &backend.value) {
        Some(SessionBackend::Embedded) => (None, Some(table.compile_embedded(base, reports))),
        Some(SessionBackend::Remote(_)) | None => (table.compile_remote(reports), None),
    }
}

impl SessionTable {
    fn compile_remote(&self, reports: &Reports) -> Option<SessionConfig> {
        self.report_misfits(reports);
        let place = self.place(reports);
        let Some((backend, _)) = self.remote() else {
            let remedy = "write backend = \"embedded\" or \"https://...\", or remove [session]";
            reports.error(&self.header, "[session] names no `backend`", remedy);
            return None;
        };
        let (backend, place) = (self.target(backend), place?);
        let enforce = self.enforce.as_ref();
        let enforce = enforce.and_then(|enforce| enforce.compile(&place, reports));
        let cookies = self.cookies.iter().map(|name| name.value.to_string());
        Some(SessionConfig {
            backend,
            place,
            cookies: cookies.collect(),
            enforce,
        })
    }

    fn place(&self, reports: &Reports) -> Option<SessionPlace> {
        match (&self.mount, &self.host) {
            (Some(mount), None) => Some(SessionPlace::Mount {
                path: mount.value.as_str().into(),
                strip: self.strip_mount.as_ref().is_none_or(|strip| strip.value),
            }),
            (None, Some(host)) => {
                if let Some(strip) = &self.strip_mount {
                    let fault = Fault::new(
                        "strip_mount has no meaning without `mount`",
                        "remove strip_mount",
                    );
                    reports.conflict(
                        &strip.at,
                        (&host.at, "the backend has a host of its own"),
                        fault,
                    );
                }
                Some(SessionPlace::Host(host.value.as_str().into()))
            }
            (Some(mount), Some(host)) => {
                let fault = Fault::new(
                    "[session] has both a `mount` and a `host`",
                    "keep one: `mount` puts it on every site, `host` on a host of its own",
                );
                reports.conflict(&host.at, (&mount.at, "the other place"), fault);
                None
            }
            (None, None) => {
                let remedy = "write mount = \"/_cobrowse\", or host = \"cobrowse.bank.example\"";
                let message = "[session] says no place at which visitors find it";
                reports.error(&self.header, message, remedy);
                None
            }
        }
    }

    /// Settings that are good each for itself and have no meaning together.
    fn report_misfits(&self, reports: &Reports) {
        self.report_half_an_identity(reports);
        for (key, at) in self.of_the_embedded_backend() {
            let message = format!("`{key}` has no meaning without the embedded backend");
            let remedy = format!("remove {key}, or write backend = \"embedded\"");
            reports.error(at, message, remedy);
        }
        let Some((backend, backend_at)) = self.remote() else {
            return;
        };
        if backend.scheme == Scheme::Https {
            return;
        }
        let tls = [
            ("ca", self.ca.as_ref().map(|ca| &ca.at)),
            (
                "server_name",
                self.server_name.as_ref().map(|name| &name.at),
            ),
            (
                "client_certificate",
                self.client_certificate.as_ref().map(|file| &file.at),
            ),
        ];
        for (key, at) in tls {
            if let Some(at) = at {
                let fault = Fault::new(
                    format!("`{key}` has no meaning without TLS"),
                    format!("write https:// in `backend`, or remove {key}"),
                );
                reports.conflict(at, (backend_at, "plain http"), fault);
            }
        }
    }

    fn report_half_an_identity(&self, reports: &Reports) {
        let (there, other) = match (&self.client_certificate, &self.client_key) {
            (Some(certificate), None) => (certificate, "client_key"),
            (None, Some(key)) => (key, "client_certificate"),
            (Some(_), Some(_)) | (None, None) => return,
        };
        reports.error(
            &there.at,
            "a client certificate and its key are only of use together",
            format!("write {other} = \"...\", too, or remove this"),
        );
    }

    fn remote(&self) -> Option<(&Target, &At)> {
        let stated = self.backend.as_ref()?;
        match &stated.value {
            SessionBackend::Remote(target) => Some((target, &stated.at)),
            SessionBackend::Embedded => None,
        }
    }

    fn target(&self, backend: &Target) -> Target {
        let path = |file: &Option<Stated<PathBuf>>| file.as_ref().map(|file| file.value.clone());
        Target {
            tls: TlsSettings {
                ca: path(&self.ca),
                server_name: self.server_name.as_ref().map(|name| name.value.clone()),
                client_certificate: path(&self.client_certificate),
                client_key: path(&self.client_key),
            },
            ..backend.clone()
        }
    }
}

fn log_config(table: LogTable, filter: Option<String>) -> LogConfig {
    LogConfig {
        format: table.format,
        filter: filter
            .or(table.filter)
            .unwrap_or_else(|| DEFAULT_LOG_FILTER.to_owned()),
        access: table.access.unwrap_or(Some(AccessLogFormat::Human)),
    }
}
