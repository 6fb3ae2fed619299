use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::file::SessionTable;
use super::{EmbeddedConfig, SessionBackend};
use crate::document::{At, Fault, Reports, Stated};

/// The mount that the examples have: a name that no legacy site is likely to have.
pub const DEFAULT_MOUNT: &str = "/_cobrowse";
/// Beside the settings file.
pub const DEFAULT_DATABASE: &str = "cobrowse.db";
/// A year, and a month to look at it.
const AUDIT_DAYS: u32 = 400;
/// Some 500 MB.
const AUDIT_LINES: u32 = 2_000_000;
/// What is written in place of a URL.
const EMBEDDED: &str = "embedded";

/// `embedded`, or the URL of a backend elsewhere.
pub(super) fn parse_session_backend(text: &str) -> Result<SessionBackend, Fault> {
    match text {
        EMBEDDED => Ok(SessionBackend::Embedded),
        url => super::backend::parse_backend(url).map(SessionBackend::Remote),
    }
}

impl EmbeddedConfig {
    /// With everything else at its default.
    pub fn at(database: PathBuf) -> Self {
        Self {
            mount: Arc::from(DEFAULT_MOUNT),
            database,
            audit_days: AUDIT_DAYS,
            audit_lines: AUDIT_LINES,
        }
    }

    /// The file beside the database in which a grant key lies that was made: pages that were loaded
    /// before a restart are believed after it.
    pub fn grant_keys(&self) -> PathBuf {
        let mut name = self.database.clone().into_os_string();
        name.push(".grant-key");
        name.into()
    }
}

impl SessionTable {
    /// The backend in this program. `base` is the directory that paths in the file start from.
    pub(super) fn compile_embedded(&self, base: &Path, reports: &Reports) -> EmbeddedConfig {
        if cfg!(not(feature = "backend")) {
            let message = "this cobrowse-edge was built without a backend";
            let remedy = "build it with the feature `backend`, or name a backend's URL";
            reports.error(&self.header, message, remedy);
        }
        for (key, at) in self.of_a_remote_backend() {
            let message = format!("`{key}` has no meaning with the embedded backend");
            reports.error(at, message, format!("remove {key}"));
        }
        let database = self.database.as_ref();
        let database = database.map_or_else(
            || base.join(DEFAULT_DATABASE),
            |database| database.value.clone(),
        );
        let default = EmbeddedConfig::at(database);
        let value = |stated: &Option<Stated<u32>>, default| {
            stated.as_ref().map_or(default, |stated| stated.value)
        };
        EmbeddedConfig {
            mount: match &self.mount {
                Some(mount) => Arc::from(mount.value.as_str()),
                None => Arc::clone(&default.mount),
            },
            audit_days: value(&self.audit_days, default.audit_days),
            audit_lines: value(&self.audit_lines, default.audit_lines),
            ..default
        }
    }

    /// What only the backend in this program reads.
    pub(super) fn of_the_embedded_backend(&self) -> impl Iterator<Item = (&'static str, &At)> {
        let written = [
            ("database", self.database.as_ref().map(|stated| &stated.at)),
            (
                "audit_keep_days",
                self.audit_days.as_ref().map(|stated| &stated.at),
            ),
            (
                "audit_keep_lines",
                self.audit_lines.as_ref().map(|stated| &stated.at),
            ),
        ];
        let written = written.into_iter();
        written.filter_map(|(key, at)| Some((key, at?)))
    }

    fn of_a_remote_backend(&self) -> impl Iterator<Item = (&'static str, &At)> {
        let written = [
            ("host", self.host.as_ref().map(|stated| &stated.at)),
            (
                "strip_mount",
                self.strip_mount.as_ref().map(|stated| &stated.at),
            ),
            ("cookies", self.cookies.first().map(|stated| &stated.at)),
            ("ca", self.ca.as_ref().map(|stated| &stated.at)),
            (
                "server_name",
                self.server_name.as_ref().map(|stated| &stated.at),
            ),
            (
                "client_certificate",
                self.client_certificate.as_ref().map(|stated| &stated.at),
            ),
            (
                "client_key",
                self.client_key.as_ref().map(|stated| &stated.at),
            ),
            ("enforce", self.enforce.as_ref().map(|table| table.at())),
        ];
        let written = written.into_iter();
        written.filter_map(|(key, at)| Some((key, at?)))
    }
}
