//! The few forms of URL that may stand in a rule file. Checked strictly, kept as they were written.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::document::Fault;

use super::host::check_host;

/// An absolute http or https URL, cut into its parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct AbsoluteUrl<'a> {
    pub(super) https: bool,
    /// As written, in lower case.
    pub(super) host: String,
    pub(super) port: Option<u16>,
    /// Path, query and fragment, as written; empty or beginning with one of `/?#`.
    pub(super) rest: &'a str,
}

impl<'a> AbsoluteUrl<'a> {
    pub(super) fn parse(text: &'a str) -> Result<Self, Fault> {
        refuse_odd_characters(text)?;
        let (https, after) = if let Some(after) = text.strip_prefix("https://") {
            (true, after)
        } else if let Some(after) = text.strip_prefix("http://") {
            (false, after)
        } else {
            return Err(Fault::new(
                format!("\"{text}\" is not an http or https URL"),
                "write it in full: \"https://host/...\"",
            ));
        };
        let end = after.find(['/', '?', '#']).unwrap_or(after.len());
        let (authority, rest) = after.split_at(end);
        let (host, port) = split_port(text, authority)?;
        let host = host.to_ascii_lowercase();
        check_host(text, &host)?;
        Ok(Self {
            https,
            host,
            port,
            rest,
        })
    }

    /// This machine, by name or by address.
    pub(super) fn is_loopback(&self) -> bool {
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

/// A URL from which browsers will load something into pages: https, or a path on the site's own
/// origin; plain http only from this machine, for trying things out.
pub(super) fn check_loadable_url(text: &str) -> Result<(), Fault> {
    refuse_odd_characters(text)?;
    if text.starts_with('/') {
        return if text.starts_with("//") {
            let remedy = "write it in full with https://, or a path with a single slash";
            Err(Fault::new(
                format!("\"{text}\" leaves the scheme open"),
                remedy,
            ))
        } else {
            Ok(())
        };
    }
    let url = AbsoluteUrl::parse(text)?;
    if url.https || url.is_loopback() {
        return Ok(());
    }
    Err(Fault::new(
        format!("\"{text}\" is plain http, which anyone on the way can change"),
        "write https://, or a path on the site's own origin, such as \"/_cobrowse/visitor.js\"",
    ))
}

/// `host` or `host:port`, as the vendor's server attributes take it.
pub(super) fn check_host_port(text: &str) -> Result<(), Fault> {
    refuse_odd_characters(text)?;
    if text.contains('/') {
        return check_host(text, text);
    }
    let (host, _) = split_port(text, text)?;
    check_host(text, &host.to_ascii_lowercase())
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

fn refuse_odd_characters(text: &str) -> Result<(), Fault> {
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
    fn loads_scripts_over_https_from_the_own_origin_or_from_this_machine_only() {
        for good in [
            "https://cdn.example/x?y={group}",
            "/_cobrowse/v.js",
            "http://127.0.0.1:9/x",
            "http://[::1]/",
            "http://localhost/x",
        ] {
            assert_eq!(check_loadable_url(good), Ok(()), "{good}");
        }
        for bad in [
            "http://cdn.example/x",
            "//cdn.example/x",
            "javascript:alert(1)",
            "x.js",
            "http://localhost.evil.example/",
        ] {
            assert!(check_loadable_url(bad).is_err(), "{bad}");
        }
    }
}
