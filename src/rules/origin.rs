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

/// The longest time-out that makes sense; longer ones are slips of the unit.
const MAX_DURATION: Duration = Duration::from_secs(24 * 60 * 60);

/// `500ms`, `10s`, `5m`, `1h`.
pub(super) fn parse_duration(text: &str) -> Result<Duration, Fault> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let millis = match unit {
        "ms" => Some(1),
        "s" => Some(1_000),
        "m" => Some(60_000),
        "h" => Some(3_600_000),
        _ => None,
    };
    let total = number.parse().ok().zip(millis);
    let total = total.and_then(|(number, unit): (u64, u64)| number.checked_mul(unit));
    let Some(total) = total.map(Duration::from_millis) else {
        return Err(Fault::new(
            format!("\"{text}\" is not a duration"),
            "write a whole number and its unit: \"500ms\", \"10s\", \"5m\" or \"1h\"",
        ));
    };
    if total.is_zero() || total > MAX_DURATION {
        return Err(Fault::new(
            format!("\"{text}\" is no time-out that can be meant"),
            "write more than nothing and at most \"24h\"",
        ));
    }
    Ok(total)
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

    #[test]
    fn reads_durations_with_their_unit() {
        for (text, millis) in [
            ("500ms", 500),
            ("10s", 10_000),
            ("5m", 300_000),
            ("24h", 86_400_000),
        ] {
            assert_eq!(
                parse_duration(text),
                Ok(Duration::from_millis(millis)),
                "{text}"
            );
        }
        for bad in [
            "",
            "10",
            "s",
            "0s",
            "1.5s",
            "-1s",
            "10 s",
            "25h",
            "99999999999999999999s",
            "10S",
        ] {
            assert!(parse_duration(bad).is_err(), "{bad}");
        }
    }
}
