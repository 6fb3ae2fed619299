//! Readers of single values: each says what is wrong and what would be right, and knows neither
//! the setting's name nor its place.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use http::HeaderName;
use ipnet::IpNet;
use toml::de::DeValue;

use crate::document::{Fault, duration, filled_text};
use crate::wire::Markers;

/// A duration; `None` is written `"never"`.
pub(super) fn duration_or_never(
    bounds: RangeInclusive<Duration>,
) -> impl Fn(&DeValue<'_>) -> Result<Option<Duration>, Fault> {
    let duration = duration(bounds);
    move |value| match value {
        DeValue::String(text) if text == "never" => Ok(None),
        other => duration(other).map(Some),
    }
}

/// A path, as it is meant from the settings file's directory.
pub(super) fn path(base: &Path) -> impl Fn(&DeValue<'_>) -> Result<PathBuf, Fault> {
    filled_text(|text| Ok(base.join(text)))
}

/// An IP address and a port on which to listen. Port 0 takes a free one.
pub fn parse_listen_address(text: &str) -> Result<SocketAddr, Fault> {
    text.parse().map_err(|_| {
        let message = format!("{text:?} is not an address to listen on");
        let port = text.rsplit_once(':').map_or(text, |(_, port)| port);
        let remedy = match port.parse::<u16>() {
            Ok(port) if text.ends_with(&format!("localhost:{port}")) => {
                format!("write the address itself: \"127.0.0.1:{port}\"")
            }
            Ok(port) => {
                format!(
                    "write an IP address and a port: \"127.0.0.1:{port}\" or \"0.0.0.0:{port}\""
                )
            }
            Err(_) => "write an IP address and a port: \"127.0.0.1:8080\" or \"[::1]:8080\"".into(),
        };
        Fault::new(message, remedy)
    })
}

/// A network such as `10.0.0.0/8`, or a single address.
pub(super) fn network(text: &str) -> Result<IpNet, Fault> {
    if text == "unix" {
        // The address of whoever comes through a Unix socket; nobody has it on a network.
        return Ok(IpNet::from(IpAddr::from(Ipv6Addr::UNSPECIFIED)));
    }
    let remedy = "write an IP address or a network: \"10.1.2.3\", \"10.0.0.0/8\" or \"fd00::/8\"";
    let refused = || Fault::new(format!("{text:?} is not a network"), remedy);
    if let Ok(address) = text.parse::<IpAddr>() {
        return Ok(IpNet::from(address));
    }
    let network: IpNet = text.parse().map_err(|_| refused())?;
    if network.addr() == network.network() {
        return Ok(network);
    }
    Err(Fault::new(
        format!("{text:?} names one address and a whole network"),
        format!("write \"{}\" or \"{}\"", network.trunc(), network.addr()),
    ))
}

/// Where a Unix socket is to be.
pub(super) fn unix_socket(text: &str) -> Result<PathBuf, Fault> {
    let remedy = "write an absolute path, such as \"/run/cobrowse-edge/http.sock\"";
    let path = PathBuf::from(text.strip_prefix("unix:").unwrap_or(text));
    match (path.is_absolute(), path.as_os_str().len()) {
        (true, 0..=UNIX_PATH_BYTES_MAX) => Ok(path),
        (true, _) => Err(Fault::new(
            format!(
                "{text:?} is longer than the {UNIX_PATH_BYTES_MAX} bytes that the path of a socket may have"
            ),
            remedy,
        )),
        (false, _) => Err(Fault::new(format!("{text:?} is no absolute path"), remedy)),
    }
}

/// What Linux has room for beside a zero (unix(7)), without the `.new` that stands behind it until the
/// edge has started.
const UNIX_PATH_BYTES_MAX: usize = 103;

/// Who may connect: three octal digits, as for chmod.
pub(super) fn unix_mode(text: &str) -> Result<u32, Fault> {
    let digits = text.strip_prefix('0').unwrap_or(text);
    let mode = u32::from_str_radix(digits, 8).ok();
    mode.filter(|_| digits.len() == 3).ok_or_else(|| {
        Fault::new(
            format!("{text:?} is no mode of a file"),
            "write three octal digits, such as \"660\"",
        )
    })
}

/// A token as RFC 9110 5.6.2 has it: a cookie's name, a pseudonym.
pub(super) fn token(text: &str) -> Result<Arc<str>, Fault> {
    match text.chars().find(|&c| !is_token_char(c)) {
        None => Ok(text.into()),
        Some(odd) => Err(Fault::new(
            format!("{text:?} contains {odd:?}, which a name in a header cannot"),
            "write letters, digits, '-', '_' and '.' only",
        )),
    }
}

/// A field under which nobody but the edge speaks.
pub(super) fn marker_name(text: &str) -> Result<HeaderName, Fault> {
    Markers::parse_name(text).map_err(|error| {
        let message = format!("{text:?} cannot be a marker: {error}");
        Fault::new(
            message,
            "write a name of your own, such as \"cobrowse-edge\"",
        )
    })
}

/// What `tracing` reads: a level, or levels by module.
pub(super) fn log_filter(text: &str) -> Result<String, Fault> {
    let parsed = tracing_subscriber::EnvFilter::builder().parse(text);
    parsed.map(|_| text.to_owned()).map_err(|error| {
        Fault::new(
            format!("the log filter {text:?} cannot be read: {error}"),
            "write a level (error, warn, info, debug, trace), or levels by module: \
             \"info,cobrowse_edge::upstream=debug\"",
        )
    })
}

fn is_token_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c)
}
