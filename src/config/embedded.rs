use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::file::SessionTable;
use super::{EmbeddedConfig, SessionBackend};
use crate::document::{At, Fault, Reports};

/// The mount that the examples have: a name that no legacy site is likely to have.
pub const DEFAULT_MOUNT: &str = "/_cobrowse";
/// Beside the settings file.
pub const DEFAULT_DATABASE: &str = "cobrowse.db";
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
        let mount = self.mount.as_ref();
        let mount = mount.map_or(DEFAULT_MOUNT, |mount| mount.value.as_str());
        let database = self.database.as_ref();
        EmbeddedConfig {
            mount: Arc::from(mount),
            database: database.map_or_else(
                || base.join(DEFAULT_DATABASE),
                |database| database.value.clone(),
            ),
        }
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
