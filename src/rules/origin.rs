use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use crate::document::{Endpoint, Fault};

/// Where a site's pages come from, and how it is spoken to. Two sites with equal settings may share
/// connections.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct OriginSettings {
    /// At least one; all are the same to the site.
    pub addresses: Vec<OriginAddress>,
    /// A file of certificates that may vouch for the origin; none: those of the system.
    pub ca: Option<PathBuf>,
    /// The name that the origin's certificate must carry; none: its host.
    pub server_name: Option<Box<str>>,
    /// The certificate that the edge shows to the origin, and its key: both or neither.
    pub client_certificate: Option<PathBuf>,
    pub client_key: Option<PathBuf>,
    /// None: the upstream room's default, as with all that follow.
    pub connect_timeout: Option<Duration>,
    /// From the end of the request to the head of the answer.
    pub first_byte_timeout: Option<Duration>,
    /// Without a byte in either direction.
    pub idle_timeout: Option<Duration>,
    /// Which of several is asked.
    pub balance: Option<OriginBalance>,
    /// Failures in a row after which an origin is left alone.
    pub eject_after: Option<u32>,
    /// For how long, the first time and at most.
    pub eject_time: Option<Duration>,
    pub eject_time_max: Option<Duration>,
    /// In percent: with fewer of several up, the others are asked, too.
    pub panic_threshold: Option<u32>,
    /// How long an origin that is back gets less than its share.
    pub slow_start: Option<Duration>,
    /// In percent: requests that may be sent again.
    pub retry_percent: Option<u32>,
    /// So many in a second, whatever that share is.
    pub retry_floor: Option<u32>,
    /// Exchanges, and connections, that an origin may have at once.
    pub in_flight_max: Option<u32>,
    pub connections_max: Option<u32>,
    /// Requests that wait then, and for how long.
    pub queue_max: Option<u32>,
    pub queue_timeout: Option<Duration>,
    pub health: Option<OriginHealth>,
    /// HTTP/2, where the origin offers it.
    pub http2: bool,
    /// A file with the page that visitors get where there is no answer; none: the process's.
    pub error_page: Option<PathBuf>,
}

/// How origins are asked whether they are well. None: what compiling puts there.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OriginHealth {
    /// With its query; in origin-form.
    pub path: Box<str>,
    /// What is said in `Host`; none: the origin's own name.
    pub host: Option<Box<str>>,
    pub interval: Duration,
    pub timeout: Duration,
    /// In a row.
    pub healthy_after: u32,
    pub unhealthy_after: u32,
    /// Empty: all below 400.
    pub statuses: Vec<u16>,
}

/// One place that pages come from.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OriginAddress {
    pub scheme: OriginScheme,
    /// A name, an IPv4 address, or an IPv6 address in brackets; in lower case.
    pub host: Box<str>,
    /// As written, else the scheme's own.
    pub port: u16,
    /// The path of a Unix socket, which stands in for host and port.
    pub socket: Option<Box<str>>,
}

impl OriginAddress {
    /// Reads a URL without a path, or `unix:` and the path of a socket.
    pub(super) fn parse(text: &str) -> Result<Self, Fault> {
        if let Some(path) = text.strip_prefix("unix:") {
            return Self::of_socket(path);
        }
        let Endpoint { https, host, port } = Endpoint::parse(text)?;
        Ok(Self {
            scheme: match https {
                true => OriginScheme::Https,
                false => OriginScheme::Http,
            },
            host: host.into(),
            port,
            socket: None,
        })
    }

    fn of_socket(path: &str) -> Result<Self, Fault> {
        let is_fit = path.starts_with('/') && !path.starts_with("//") && path.len() <= SOCKET_MAX;
        match is_fit && !path.chars().any(char::is_control) {
            true => Ok(Self {
                scheme: OriginScheme::Http,
                host: "localhost".into(),
                port: 80,
                socket: Some(path.into()),
            }),
            false => Err(Fault::new(
                format!(
                    "\"unix:{}\" is not the path of a socket",
                    path.escape_debug()
                ),
                "write an absolute path of at most 107 bytes, such as \"unix:/run/app.sock\"",
            )),
        }
    }
}

/// Bytes of a path that the system takes (unix(7)), without the zero at its end.
const SOCKET_MAX: usize = 107;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OriginScheme {
    Http,
    Https,
}

/// How requests are spread over several origins.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum OriginBalance {
    /// By the visitor's address.
    Address,
    /// By the value of this cookie.
    Cookie(Box<str>),
    LeastRequests,
    RoundRobin,
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

impl fmt::Display for OriginAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.scheme {
            OriginScheme::Http => "http",
            OriginScheme::Https => "https",
        };
        match &self.socket {
            Some(socket) => write!(f, "unix:{socket}"),
            None => write!(f, "{scheme}://{}:{}", self.host, self.port),
        }
    }
}

impl fmt::Display for OriginBalance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address => f.write_str("address"),
            Self::Cookie(name) => write!(f, "cookie {name}"),
            Self::LeastRequests => f.write_str("least-requests"),
            Self::RoundRobin => f.write_str("round-robin"),
        }
    }
}
