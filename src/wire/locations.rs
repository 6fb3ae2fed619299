use std::ops::Range;

use http::header::{
    CONTENT_LOCATION, HeaderMap, HeaderName, HeaderValue, LOCATION, REFRESH, SET_COOKIE,
};

use super::authority::Authority;
use super::scheme::Scheme;
use super::set_cookie;

/// Names of the origin in an answer, and what the visitor knows it by. Only what names exactly the
/// configured origin is rewritten; every other byte stays as it is.
#[derive(Clone, Copy, Debug)]
pub struct Locations<'a> {
    pub origin: (Scheme, &'a Authority),
    pub visitor: (Scheme, &'a Authority),
}

impl Locations<'_> {
    /// Rewrites `Location`, `Content-Location`, `Refresh` and the `Domain` of `Set-Cookie`.
    pub fn rewrite(&self, headers: &mut HeaderMap) {
        for_each_line(headers, LOCATION, |line| self.address(line));
        for_each_line(headers, CONTENT_LOCATION, |line| self.address(line));
        for_each_line(headers, REFRESH, |line| self.refresh(line));
        for_each_line(headers, SET_COOKIE, |line| self.cookie(line));
    }

    fn address(&self, line: &[u8]) -> Option<Vec<u8>> {
        let (written, rest) = split_authority(line)?;
        let (scheme, origin) = self.origin;
        let names_origin = written.scheme.is_none_or(|written| written == scheme)
            && written.authority.is_same(origin, scheme);
        let (visitor_scheme, visitor) = self.visitor;
        let start = match written.scheme {
            Some(_) => format!("{visitor_scheme}://{visitor}"),
            None => format!("//{visitor}"),
        };
        names_origin.then(|| [start.as_bytes(), rest].concat())
    }

    fn refresh(&self, line: &[u8]) -> Option<Vec<u8>> {
        let span = refresh_address(line)?;
        let address = self.address(&line[span.clone()])?;
        Some([&line[..span.start], &address, &line[span.end..]].concat())
    }

    fn cookie(&self, line: &[u8]) -> Option<Vec<u8>> {
        let origin = self.origin.1.host();
        let visitor = self.visitor.1;
        let names_origin = |part: &[u8]| {
            let domain = set_cookie::attribute(part, "domain").unwrap_or_default();
            let domain = domain.strip_prefix(b".").unwrap_or(domain);
            domain.eq_ignore_ascii_case(origin.as_bytes())
        };
        if origin == visitor.host() || !set_cookie::parts(line).any(names_origin) {
            return None;
        }
        let keeps_domain = !visitor.is_ip() && visitor.host() != "localhost";
        let mut parts = set_cookie::parts(line);
        let mut out = parts.next()?.to_vec();
        for part in parts {
            match names_origin(part) {
                false => out.extend_from_slice(&[b";", part].concat()),
                true if keeps_domain => out.extend_from_slice(&rename(part, visitor.host())),
                true => {}
            }
        }
        Some(out)
    }
}

/// The start of an address that names a host.
struct Written {
    /// `None` in an address that starts with `//`.
    scheme: Option<Scheme>,
    authority: Authority,
}

/// `None` for an address that names no host, or one of another kind than the edge carries.
fn split_authority(address: &[u8]) -> Option<(Written, &[u8])> {
    let slashes = memchr::memmem::find(address, b"//")?;
    let (scheme, rest) = address.split_at(slashes);
    let scheme = match scheme.strip_suffix(b":") {
        Some(name) => Some(Scheme::parse(std::str::from_utf8(name).ok()?)?),
        None if scheme.is_empty() => None,
        None => return None,
    };
    let rest = &rest[2..];
    let is_end = |byte: &u8| matches!(byte, b'/' | b'?' | b'#');
    let end = rest.iter().position(is_end).unwrap_or(rest.len());
    let authority = Authority::parse(&rest[..end]).ok()?;
    Some((Written { scheme, authority }, &rest[end..]))
}

/// Where the address stands in `5; url=http://...`, as browsers read it (WHATWG HTML, "shared
/// declarative refresh steps"): `url=` and quotes may be missing.
fn refresh_address(line: &[u8]) -> Option<Range<usize>> {
    let mut rest = line.trim_ascii_start();
    let is_time = |byte: &u8| byte.is_ascii_digit() || *byte == b'.';
    let time = rest.iter().position(|byte| !is_time(byte))?;
    rest = rest[time..].trim_ascii_start();
    if let [b';' | b',', behind @ ..] = rest {
        rest = behind.trim_ascii_start();
    }
    rest = behind_url_sign(rest).unwrap_or(rest);
    let mut length = rest.len();
    if let [quote @ (b'"' | b'\''), behind @ ..] = rest {
        rest = behind;
        length = memchr::memchr(*quote, rest).unwrap_or(rest.len());
    }
    let start = line.len() - rest.len();
    Some(start..start + length)
}

fn behind_url_sign(text: &[u8]) -> Option<&[u8]> {
    let (name, rest) = text.split_at_checked(3)?;
    let rest = rest.trim_ascii_start().strip_prefix(b"=")?;
    name.eq_ignore_ascii_case(b"url")
        .then(|| rest.trim_ascii_start())
}

/// The attribute with another value, its name as it was written.
fn rename(part: &[u8], host: &str) -> Vec<u8> {
    let sign = memchr::memchr(b'=', part).map_or(part.len(), |at| at + 1);
    [b";", &part[..sign], host.as_bytes()].concat()
}

/// Replaces the lines of one field that `rewrite` has another text for; number and order stay.
fn for_each_line(
    headers: &mut HeaderMap,
    name: HeaderName,
    rewrite: impl Fn(&[u8]) -> Option<Vec<u8>>,
) {
    let http::header::Entry::Occupied(mut lines) = headers.entry(name) else {
        return;
    };
    for line in lines.iter_mut() {
        let rewritten = rewrite(line.as_bytes());
        if let Some(Ok(value)) = rewritten.map(|text| HeaderValue::from_bytes(&text)) {
            *line = value;
        }
    }
}

#[cfg(test)]
mod tests;
