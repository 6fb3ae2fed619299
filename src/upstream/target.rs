use std::collections::hash_map::DefaultHasher;
use std::fmt;
use std::fs;
use std::hash::{Hash, Hasher};
use std::path::PathBuf;

use crate::wire::Scheme;

/// Where an origin is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Target {
    pub scheme: Scheme,
    /// A name or an address; an IPv6 address stands without brackets.
    pub host: String,
    pub port: u16,
    /// A Unix socket that stands in for host and port. It is spoken to in plain HTTP.
    pub socket: Option<PathBuf>,
    /// Not looked at when the scheme is http.
    pub tls: TlsSettings,
}

/// How an origin proves who it is, and how the edge does.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct TlsSettings {
    /// A PEM file with the only authorities that are trusted. `None`: those that the operating
    /// system trusts.
    pub ca: Option<PathBuf>,
    /// The name that is asked for and that the certificate must carry. `None`: the target's host.
    pub server_name: Option<String>,
    /// A PEM file with the chain that the edge shows when it is asked to; needs a key.
    pub client_certificate: Option<PathBuf>,
    /// A PEM file with that certificate's private key.
    pub client_key: Option<PathBuf>,
}

impl Target {
    /// Host and port as they stand in `Host`: without the scheme's own port.
    pub(super) fn authority(&self) -> String {
        let host = match self.host.contains(':') {
            true => format!("[{}]", self.host),
            false => self.host.clone(),
        };
        match self.port == self.scheme.default_port() {
            true => host,
            false => format!("{host}:{}", self.port),
        }
    }
}

impl TlsSettings {
    /// Tells apart what the files hold at one time and at another, so that a client that was made
    /// of older ones is known for it. A file that cannot be read is as good as empty here: what is
    /// wrong with it is said when a client is made of it.
    pub fn fingerprint(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        for file in [&self.ca, &self.client_certificate, &self.client_key] {
            let bytes = file.as_ref().map(|path| fs::read(path).unwrap_or_default());
            bytes.hash(&mut hasher);
        }
        hasher.finish()
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.scheme {
            Scheme::Http => "http",
            Scheme::Https => "https",
        };
        if let Some(socket) = &self.socket {
            write!(f, "unix:{}", socket.display())
        } else if self.host.contains(':') {
            write!(f, "{scheme}://[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{scheme}://{}:{}", self.host, self.port)
        }
    }
}
