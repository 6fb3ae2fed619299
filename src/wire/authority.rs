use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use super::scheme::Scheme;

/// The longest host that is read; the DNS knows none that is longer.
pub const MAX_HOST_BYTES: usize = 255;

/// A host with an optional port, as in the `Host` field (RFC 9110 7.2), in one spelling: host in
/// lower case, without a dot at its end, IP addresses in their usual form.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Authority {
    /// The host, and the port behind a colon if one was written.
    text: String,
    host_length: usize,
    port: Option<u16>,
}

impl Authority {
    /// Reads `host`, `host:port`, `1.2.3.4:port` or `[::1]:port`, and nothing else that RFC 3986
    /// would allow: no user, no percent-encoding, no empty port.
    pub fn parse(bytes: &[u8]) -> Result<Self, AuthorityError> {
        let text = std::str::from_utf8(bytes).map_err(|_| AuthorityError::Character)?;
        let (host, port) = split_port(text)?;
        let mut text = parse_host(host)?;
        let host_length = text.len();
        if let Some(port) = port {
            text.extend([":", port]);
        }
        let port = port.map(parse_port).transpose()?;
        Ok(Self {
            text,
            host_length,
            port,
        })
    }

    /// The host, and the port if one was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// In lower case; an IPv6 address stands in brackets.
    pub fn host(&self) -> &str {
        &self.text[..self.host_length]
    }

    /// The port that was written; `None` means the scheme's own.
    pub fn port(&self) -> Option<u16> {
        self.port
    }

    pub fn effective_port(&self, scheme: Scheme) -> u16 {
        self.port.unwrap_or_else(|| scheme.default_port())
    }

    /// Whether both name the same host and port under `scheme`: `a` and `a:443` do under https.
    pub fn is_same(&self, other: &Self, scheme: Scheme) -> bool {
        self.host() == other.host() && self.effective_port(scheme) == other.effective_port(scheme)
    }

    /// Whether the host is an IP address and not a name.
    pub fn is_ip(&self) -> bool {
        self.ip().is_some()
    }

    pub fn ip(&self) -> Option<IpAddr> {
        let host = self.host();
        let plain = host
            .strip_prefix('[')
            .map_or(host, |v6| v6.strip_suffix(']').unwrap_or(v6));
        plain.parse().ok()
    }
}

impl fmt::Display for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Authority({self})")
    }
}

impl FromStr for Authority {
    type Err = AuthorityError;

    fn from_str(text: &str) -> Result<Self, AuthorityError> {
        Self::parse(text.as_bytes())
    }
}

/// Why a text is no authority.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuthorityError {
    #[error("a host consists of letters, digits, '-', '_' and '.', or is an IP address")]
    Character,
    #[error("no host is given")]
    Empty,
    #[error("the host is not a valid IP address")]
    IpAddress,
    #[error("the host has an empty part between two dots")]
    Label,
    #[error("the host is longer than {MAX_HOST_BYTES} bytes")]
    Long,
    #[error("a port is a number from 1 to 65535")]
    Port,
    #[error("a user name has no place before the host")]
    User,
}

fn split_port(text: &str) -> Result<(&str, Option<&str>), AuthorityError> {
    if text.contains('@') {
        return Err(AuthorityError::User);
    }
    let Some(end) = text.starts_with('[').then(|| text.find(']')).flatten() else {
        return Ok(match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        });
    };
    let (host, rest) = text.split_at(end + 1);
    match rest.strip_prefix(':') {
        Some(port) => Ok((host, Some(port))),
        None if rest.is_empty() => Ok((host, None)),
        None => Err(AuthorityError::Character),
    }
}

/// A number with a zero in front, a sign or more than five digits is another spelling of a port
/// that another reader may read otherwise.
fn parse_port(text: &str) -> Result<u16, AuthorityError> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    if !plain {
        return Err(AuthorityError::Port);
    }
    text.parse().map_err(|_| AuthorityError::Port)
}

fn parse_host(text: &str) -> Result<String, AuthorityError> {
    if let Some(v6) = text.strip_prefix('[') {
        return parse_v6(v6);
    }
    let text = text.strip_suffix('.').unwrap_or(text);
    if text.is_empty() {
        return Err(AuthorityError::Empty);
    }
    if text.len() > MAX_HOST_BYTES {
        return Err(AuthorityError::Long);
    }
    if !text.bytes().all(is_host_byte) {
        return Err(AuthorityError::Character);
    }
    if text.split('.').any(str::is_empty) {
        return Err(AuthorityError::Label);
    }
    if ends_in_a_number(text) && text.parse::<Ipv4Addr>().is_err() {
        return Err(AuthorityError::IpAddress);
    }
    Ok(text.to_ascii_lowercase())
}

fn parse_v6(text: &str) -> Result<String, AuthorityError> {
    let text = text.strip_suffix(']').ok_or(AuthorityError::IpAddress)?;
    let address: Ipv6Addr = text.parse().map_err(|_| AuthorityError::IpAddress)?;
    Ok(format!("[{address}]"))
}

fn is_host_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.')
}

/// Browsers read such a host as an IPv4 address (`127.1`, `0x7f.1`), so it must be one in the form
/// that everybody reads alike.
fn ends_in_a_number(host: &str) -> bool {
    let last = host.rsplit('.').next().unwrap_or(host);
    let hex = last.strip_prefix("0x").or_else(|| last.strip_prefix("0X"));
    last.bytes().all(|byte| byte.is_ascii_digit())
        || hex.is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expect: &str) {
        let parsed = Authority::parse(text.as_bytes()).unwrap();
        assert_eq!(parsed.to_string(), expect);
        assert_eq!(parsed.to_string().parse(), Ok(parsed));
    }

    #[test]
    fn refuses_what_is_no_host() {
        use AuthorityError::*;
        let long = "a".repeat(MAX_HOST_BYTES + 1);
        let table: &[(&[u8], AuthorityError)] = &[
            (b"", Empty),
            (b".", Empty),
            (b":80", Empty),
            (b"a b", Character),
            (b" a", Character),
            (b"a,b", Character),
            (b"a/b", Character),
            (b"a?b", Character),
            (b"a%2eb", Character),
            (b"a\\b", Character),
            (b"a\0b", Character),
            (b"a\xFF", Character),
            ("ä.example".as_bytes(), Character),
            (b"user@a", User),
            (b"a@b:80", User),
            (b"a..b", Label),
            (b".a", Label),
            (b"a..", Label),
            (b"a:", Port),
            (b"a:0", Port),
            (b"a:080", Port),
            (b"a:+80", Port),
            (b"a:65536", Port),
            (b"a:80:80", Port),
            (b"a:x", Port),
            (b"256.1.1.1", IpAddress),
            (b"127.1", IpAddress),
            (b"2130706433", IpAddress),
            (b"0x7f000001", IpAddress),
            (b"a.0x", IpAddress),
            (b"010.0.0.1", IpAddress),
            (b"::1", Empty),
            (b"[::1", IpAddress),
            (b"[::g]", IpAddress),
            (b"[fe80::1%25eth0]", IpAddress),
            (b"[::1]80", Character),
            (b"[::1]:", Port),
            (b"[]", IpAddress),
            (long.as_bytes(), Long),
        ];
        for (text, error) in table {
            let found = Authority::parse(text);
            assert_eq!(found, Err(*error), "{:?}", String::from_utf8_lossy(text));
        }
    }

    #[test]
    fn gives_one_spelling() {
        check("WWW.Bank.Example", "www.bank.example");
        check("www.bank.example.", "www.bank.example");
        check("www.bank.example.:8443", "www.bank.example:8443");
        check("a_b-c", "a_b-c");
        check("127.0.0.1:65535", "127.0.0.1:65535");
        check("[0:0:0:0:0:0:0:1]:1", "[::1]:1");
        check("[::FFFF:1.2.3.4]", "[::ffff:1.2.3.4]");
        let longest = "a".repeat(MAX_HOST_BYTES);
        check(&longest, &longest);
    }

    #[test]
    fn tells_addresses_from_names() {
        for (text, is_ip) in [("127.0.0.1", true), ("[::1]:80", true), ("a.1a", false)] {
            assert_eq!(text.parse::<Authority>().unwrap().is_ip(), is_ip, "{text}");
        }
    }

    #[test]
    fn default_ports_may_be_left_out() {
        let [bare, tls, other] = ["a", "a:443", "b"].map(|text| text.parse::<Authority>().unwrap());
        assert!(bare.is_same(&tls, Scheme::Https));
        assert!(!bare.is_same(&tls, Scheme::Http));
        assert!(!bare.is_same(&other, Scheme::Https));
    }
}
