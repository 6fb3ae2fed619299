use std::fmt;
use std::path::PathBuf;

use crate::wire::Scheme;

/// Where an origin is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Target {
    pub scheme: Scheme,
    /// A name or an address; an IPv6 address stands without brackets.
    pub host: String,
    pub port: u16,
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

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.scheme {
            Scheme::Http => "http",
            Scheme::Https => "https",
        };
        if self.host.contains(':') {
            write!(f, "{scheme}://[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{scheme}://{}:{}", self.host, self.port)
        }
    }
}
