use std::path::PathBuf;
use std::time::Duration;

/// Where a site's pages come from, and how it is spoken to. Two sites with equal settings may share
/// connections.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OriginSettings {
    pub scheme: OriginScheme,
    /// A name, an IPv4 address, or an IPv6 address in brackets; in lower case.
    pub host: Box<str>,
    /// As written, else the scheme's own.
    pub port: u16,
    /// A file of certificates that may vouch for the origin; none: those of the system.
    pub ca: Option<PathBuf>,
    /// The name that the origin's certificate must carry; none: `host`.
    pub server_name: Option<Box<str>>,
    /// The certificate that the edge shows to the origin, and its key: both or neither.
    pub client_certificate: Option<PathBuf>,
    pub client_key: Option<PathBuf>,
    /// None: the upstream room's default, as with the other time-outs.
    pub connect_timeout: Option<Duration>,
    /// From the end of the request to the head of the answer.
    pub first_byte_timeout: Option<Duration>,
    /// Without a byte in either direction.
    pub idle_timeout: Option<Duration>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OriginScheme {
    Http,
    Https,
}

/// What the origin is told in `Host`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum HostHeader {
    /// The host that the visitor asked for.
    #[default]
    Preserve,
    /// The host of the origin's URL.
    Origin,
}
