//! The few forms of URL that may stand in a file. Checked strictly, kept as they were written.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::fault::Fault;

/// An absolute http or https URL, cut into its parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AbsoluteUrl<'a> {
    pub https: bool,
    /// Spelled as [`canonical_host`] does.
    pub host: String,
    pub port: Option<u16>,
    /// Path, query and fragment, as written; empty or beginning with one of `/?#`.
    pub rest: &'a str,
}

impl<'a> AbsoluteUrl<'a> {
    pub fn parse(text: &'a str) -> Result<Self, Fault> {
        refuse_odd_characters(text)?;
        let (https, after) = split_scheme(text)?;
        let end = after.find(['/', '?', '#']).unwrap_or(after.len());
        let (authority, rest) = after.split_at(end);
        let (host, port) = split_port(text, authority)?;
        check_host(text, &host.to_ascii_lowercase())?;
        Ok(Self {
            https,
            host: canonical_host(host),
            port,
            rest,
        })
    }

    /// This machine, by name or by address.
    pub fn is_loopback(&self) -> bool {
        let host = self.host.trim_start_matches('[').trim_end_matches(']');
        host == "localhost"
            || host
                .parse::<Ipv4Addr>()
                .is_ok_and(|address| address.is_loopback())
            || host
                .parse::<Ipv6Addr>()
                .is_ok_and(|address| address.is_loopback())
    }
}

/// Where a server listens: a URL without a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    pub https: bool,
    /// A name, an IPv4 address, or an IPv6 address in brackets; in lower case.
    pub host: String,
    /// As written, else the scheme's own.
    pub port: u16,
}

impl Endpoint {
    pub fn parse(text: &str) -> Result<Self, Fault> {
        let url = AbsoluteUrl::parse(text)?;
        if !matches!(url.rest, "" | "/") {
            return Err(Fault::new(
                format!("\"{text}\" has a path, query or fragment"),
                "write scheme, host and port only: paths go there as they are asked for",
            ));
        }
        let usual_port = if url.https { 443 } else { 80 };
        Ok(Self {
            https: url.https,
            host: url.host,
            port: url.port.unwrap_or(usual_port),
        })
    }
}

/// `host` or `host:port`.
pub fn check_host_port(text: &str) -> Result<(), Fault> {
    refuse_odd_characters(text)?;
    if text.contains('/') {
        return check_host(text, text);
    }
    let (host, _) = split_port(text, text)?;
    check_host(text, &host.to_ascii_lowercase())
}

/// A host as it stands in `Host`, without a port: a name, an IPv4 address, an IPv6 address in
/// brackets. `text` is all that was written, for the message.
pub fn check_host(text: &str, host: &str) -> Result<(), Fault> {
    let fault = |message: &str, remedy: &str| {
        Err(Fault::new(
            format!("\"{text}\" {message}"),
            remedy.to_owned(),
        ))
    };
    if let Some(address) = host.strip_prefix('[') {
        let address = address.strip_suffix(']');
        return match address.map(str::parse::<Ipv6Addr>) {
            Some(Ok(_)) => Ok(()),
            _ => fault(
                "is not an IPv6 address in brackets",
                "write it as \"[::1]\"",
            ),
        };
    }
    if host.contains("//") || host.contains('/') {
        return fault(
            "is a URL or a path, not a host",
            "write the host name alone",
        );
    }
    if host.contains(':') {
        return fault("has a port where none can be", "write the host name alone");
    }
    if !host.is_ascii() {
        return fault(
            "is not in ASCII, which hosts are in on the wire",
            "write its xn-- form",
        );
    }
    if host.contains('*') {
        return fault("has a `*` where none can be", "write the host name in full");
    }
    let labels_fit = host.split('.').all(|label| {
        let fits = label
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
        fits && (1..=63).contains(&label.len())
    });
    if !labels_fit || host.len() > 253 {
        return fault("is not a host name", "write it as \"www.bank.example\"");
    }
    Ok(())
}

/// A host in the one spelling in which hosts are compared: in lower case, and an IPv6 address in its
/// shortest form.
pub fn canonical_host(host: &str) -> String {
    let address = host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .and_then(|address| address.parse::<Ipv6Addr>().ok());
    match address {
        Some(address) => format!("[{address}]"),
        None => host.to_ascii_lowercase(),
    }
}

/// Whether it is https, and what follows.
fn split_scheme(text: &str) -> Result<(bool, &str), Fault> {
    match text.split_once("://") {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("https") => Ok((true, rest)),
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => Ok((false, rest)),
        _ => Err(Fault::new(
            format!("\"{text}\" is not an http or https URL"),
            "write it in full: \"https://host/...\"",
        )),
    }
}

fn split_port<'a>(text: &str, authority: &'a str) -> Result<(&'a str, Option<u16>), Fault> {
    if authority.contains('@') {
        return Err(Fault::new(
            format!("\"{text}\" has a user name in it"),
            "remove it and the `@`",
        ));
    }
    let Some((host, port)) = authority.rsplit_once(':') else {
        return Ok((authority, None));
    };
    if port.ends_with(']') {
        return Ok((authority, None));
    }
    let digits = port.bytes().all(|byte| byte.is_ascii_digit());
    match port.parse() {
        Ok(number @ 1..) if digits => Ok((host, Some(number))),
        _ => Err(Fault::new(
            format!("\"{port}\" in \"{text}\" is not a port"),
            "write a number from 1 to 65535, or leave it out",
        )),
    }
}

/// Characters that no URL has as they are.
pub fn refuse_odd_characters(text: &str) -> Result<(), Fault> {
    let odd =
        |c: &char| !c.is_ascii_graphic() || matches!(*c, '"' | '<' | '>' | '\\' | '`' | '^' | '|');
    match text.chars().find(odd) {
        Some(odd) => Err(Fault::new(
            format!(
                "\"{}\" contains {odd:?}, which no URL does",
                text.escape_debug()
            ),
            "percent-encode it",
        )),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_urls_into_parts() {
        let url = AbsoluteUrl::parse("https://WWW.bank.example:8443/a?b#c").unwrap();
        assert_eq!(
            (url.https, &*url.host, url.port),
            (true, "www.bank.example", Some(8443))
        );
        assert_eq!(url.rest, "/a?b#c");
        let url = AbsoluteUrl::parse("http://[::1]:80").unwrap();
        assert_eq!((&*url.host, url.port, url.rest), ("[::1]", Some(80), ""));
        let url = AbsoluteUrl::parse("http://[2001:DB8:0:0::1]/").unwrap();
        assert_eq!(url.host, "[2001:db8::1]");
        for bad in [
            "ftp://a",
            "www.bank.example",
            "https://",
            "https://a:0",
            "https://a:70000",
            "https://a:+1",
            "https://u@a",
            "https://a b",
            "https://a:",
            "//a",
            "https://a/\"",
            "https://é",
        ] {
            assert!(AbsoluteUrl::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_endpoint_has_no_path() {
        let endpoint = |text| Endpoint::parse(text).unwrap();
        let one = endpoint("HTTPS://Bank.example:8443");
        assert_eq!(
            (one.https, &*one.host, one.port),
            (true, "bank.example", 8443)
        );
        let one = endpoint("http://[::1]/");
        assert_eq!((one.https, &*one.host, one.port), (false, "[::1]", 80));
        assert_eq!(endpoint("https://a").port, 443);
        for bad in [
            "http://a/app",
            "http://a?x",
            "http://a#x",
            "a:80",
            "unix:/x",
        ] {
            assert!(Endpoint::parse(bad).is_err(), "{bad}");
        }
    }
}
