use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use crate::document::Fault;

use super::url::AbsoluteUrl;

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

/// The origin's URL: scheme, host and port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct OriginUrl {
    pub(super) scheme: OriginScheme,
    pub(super) host: Box<str>,
    pub(super) port: u16,
}

impl FromStr for OriginUrl {
    type Err = Fault;

    fn from_str(text: &str) -> Result<Self, Fault> {
        let url = AbsoluteUrl::parse(text)?;
        if !matches!(url.rest, "" | "/") {
            return Err(Fault::new(
                format!("the origin \"{text}\" has a path, query or fragment"),
                "write scheme, host and port only: paths go to the origin as they are asked for",
            ));
        }
        let (scheme, usual_port) = match url.https {
            true => (OriginScheme::Https, 443),
            false => (OriginScheme::Http, 80),
        };
        Ok(Self {
            scheme,
            host: url.host.into(),
            port: url.port.unwrap_or(usual_port),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_origins_without_a_path() {
        let origin: OriginUrl = "https://10.1.4.20:8443".parse().unwrap();
        assert_eq!(
            (origin.scheme, &*origin.host, origin.port),
            (OriginScheme::Https, "10.1.4.20", 8443)
        );
        let origin: OriginUrl = "http://Legacy.local/".parse().unwrap();
        assert_eq!(
            (origin.scheme, &*origin.host, origin.port),
            (OriginScheme::Http, "legacy.local", 80)
        );
        for bad in ["http://a/app", "http://a?x", "a:80", "unix:/x"] {
            assert!(bad.parse::<OriginUrl>().is_err(), "{bad}");
        }
    }
}
