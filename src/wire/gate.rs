use http::header::{
    CONNECTION, CONTENT_LENGTH, COOKIE, EXPECT, HOST, HeaderMap, HeaderName, HeaderValue,
    TRANSFER_ENCODING, UPGRADE,
};
use http::request::Parts;
use http::{Method, Version};

use super::authority::Authority;
use super::edge_request::{EdgeRequest, Target};
use super::hop::dashed_if_odd;
use super::path::CanonicalPath;
use super::raw_heads::RawFault;
use super::refusal::Refusal;
use super::scheme::Scheme;
use super::upgrade::Upgrade;

/// The longest method name; the longest registered one has 16 letters.
pub const MAX_METHOD_BYTES: usize = 32;

/// The longest query. With the path's own limit a target stays far below what the `http` crate can
/// hold, and is what common servers take.
pub const MAX_QUERY_BYTES: usize = 16 * 1024;

/// The most lines in a head; hyper's own default for HTTP/1.1, here for HTTP/2 too, where the cookies
/// count as the one line that they become.
pub const MAX_HEADER_LINES: usize = 100;

/// The most bytes in all names and values of a head together. Legacy sites are known for large
/// cookies, so it is twice what nginx takes.
pub const MAX_HEADER_BYTES: usize = 64 * 1024;

/// The one strict reading of a request's head. `scheme` is how the connection came in.
///
/// What hyper, the origin, or a server between could read in another way than this edge is refused
/// before anything is sent up. Any method is let through that is a token, because legacy sites use
/// WebDAV and methods of their own, but not `CONNECT` (this is no forward proxy) and `TRACE` (it
/// shows a script the cookies that it must not see). A `CONNECT` that is a WebSocket handshake (RFC
/// 8441) is read as the `GET` that it would be in HTTP/1.1. A fragment never arrives here: hyper
/// cuts it.
pub fn admit(parts: &Parts, scheme: Scheme) -> Result<EdgeRequest, Refusal> {
    check_version(parts.version)?;
    check_sizes(&parts.headers)?;
    check_framing(parts.version, &parts.headers)?;
    check_raw(parts)?;
    check_method(&parts.method)?;
    check_expect(&parts.headers)?;
    let (method, upgrade) = match parts.method {
        Method::CONNECT if is_without_authority(parts) => return Err(Refusal::HostMissing),
        Method::CONNECT => (Method::GET, Some(Upgrade::of_connect(parts)?)),
        ref method => (method.clone(), Upgrade::of(parts)),
    };
    Ok(EdgeRequest {
        authority: authority(parts, scheme)?,
        target: target(parts)?,
        method,
        scheme,
        version: parts.version,
        upgrade,
    })
}

/// A `CONNECT` of HTTP/2 that names no host is malformed (RFC 9113 8.5).
fn is_without_authority(parts: &Parts) -> bool {
    parts.version == Version::HTTP_2 && parts.uri.authority().is_none()
}

fn check_version(version: Version) -> Result<(), Refusal> {
    match version {
        Version::HTTP_10 | Version::HTTP_11 | Version::HTTP_2 => Ok(()),
        _ => Err(Refusal::Version),
    }
}

/// What was seen of the head before hyper put it in order, if anything was wrong with it.
fn check_raw(parts: &Parts) -> Result<(), Refusal> {
    match parts.extensions.get() {
        None => Ok(()),
        Some(RawFault::LengthAndChunks) => Err(Refusal::LengthAndChunks),
        Some(RawFault::LengthTwice | RawFault::Lost) => Err(Refusal::ContentLength),
    }
}

fn check_sizes(headers: &HeaderMap) -> Result<(), Refusal> {
    // HTTP/2 clients send each cookie on a line of its own (RFC 9113 8.2.3).
    let joints = headers.get_all(COOKIE).into_iter().skip(1).count();
    if headers.len() - joints > MAX_HEADER_LINES {
        return Err(Refusal::HeaderLines);
    }
    let lines = headers.iter();
    let bytes: usize = lines
        .map(|(name, value)| name.as_str().len() + value.len())
        .sum();
    if bytes - joints * (COOKIE.as_str().len() - "; ".len()) > MAX_HEADER_BYTES {
        return Err(Refusal::HeaderBytes);
    }
    match headers.values().all(is_trimmed) {
        true => Ok(()),
        false => Err(Refusal::HeaderValue),
    }
}

/// HTTP/1.1 trims values; an HTTP/2 value that would change on its way up is malformed (RFC 9113
/// 8.2.1).
fn is_trimmed(value: &HeaderValue) -> bool {
    let is_space = |byte: Option<&u8>| matches!(byte, Some(b' ' | b'\t'));
    !is_space(value.as_bytes().first()) && !is_space(value.as_bytes().last())
}

/// RFC 9112 6.1 to 6.3, without the leniency. Of what hyper has taken out of the head already
/// [`check_raw`] knows.
///
/// A CGI-style origin cannot tell `Content_Length` from `Content-Length`: nobody sends the former
/// with good intent.
fn check_framing(version: Version, headers: &HeaderMap) -> Result<(), Refusal> {
    if version == Version::HTTP_2 && names_connection(headers) {
        return Err(Refusal::ConnectionFields);
    }
    if let Some(refusal) = headers.keys().find_map(framing_in_disguise) {
        return Err(refusal);
    }
    let mut codings = headers.get_all(TRANSFER_ENCODING).into_iter();
    if let Some(coding) = codings.next() {
        let chunked = coding.as_bytes().eq_ignore_ascii_case(b"chunked");
        if !chunked || codings.next().is_some() || version == Version::HTTP_10 {
            return Err(Refusal::TransferEncoding);
        }
        if headers.contains_key(CONTENT_LENGTH) {
            return Err(Refusal::LengthAndChunks);
        }
    }
    match lengths_are_clear(headers) {
        true => Ok(()),
        false => Err(Refusal::ContentLength),
    }
}

/// A field that says to some origins where the request ends, and to nobody else.
fn framing_in_disguise(name: &HeaderName) -> Option<Refusal> {
    match &*dashed_if_odd(name)? {
        "content-length" => Some(Refusal::ContentLength),
        "transfer-encoding" => Some(Refusal::TransferEncoding),
        _ => None,
    }
}

/// Fields that HTTP/2 does not know (RFC 9113 8.2.2).
fn names_connection(headers: &HeaderMap) -> bool {
    const PROXY_CONNECTION: HeaderName = HeaderName::from_static("proxy-connection");
    const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
    [
        CONNECTION,
        KEEP_ALIVE,
        PROXY_CONNECTION,
        TRANSFER_ENCODING,
        UPGRADE,
    ]
    .iter()
    .any(|name| headers.contains_key(name))
}

/// At most one line, of digits only, that fits 64 bits; no zero in front, which some read as octal.
fn lengths_are_clear(headers: &HeaderMap) -> bool {
    let mut lengths = headers.get_all(CONTENT_LENGTH).into_iter();
    let Some(length) = lengths.next() else {
        return true;
    };
    let digits = length.to_str().unwrap_or_default();
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit())
        && (digits == "0" || !digits.starts_with('0'));
    plain && digits.parse::<u64>().is_ok() && lengths.next().is_none()
}

fn check_method(method: &Method) -> Result<(), Refusal> {
    match method.as_str().len() {
        _ if method == Method::TRACE => Err(Refusal::Method),
        0..=MAX_METHOD_BYTES => Ok(()),
        _ => Err(Refusal::Method),
    }
}

fn check_expect(headers: &HeaderMap) -> Result<(), Refusal> {
    let known = |line: &HeaderValue| line.as_bytes().eq_ignore_ascii_case(b"100-continue");
    match headers.get_all(EXPECT).into_iter().all(known) {
        true => Ok(()),
        false => Err(Refusal::Expect),
    }
}

/// The one authority that `Host`, `:authority` and an absolute target agree on.
fn authority(parts: &Parts, scheme: Scheme) -> Result<Authority, Refusal> {
    let host = host(&parts.headers)?;
    let Some(target) = parts.uri.authority() else {
        return host.ok_or(Refusal::HostMissing);
    };
    if host.is_none() && parts.version != Version::HTTP_2 {
        return Err(Refusal::HostMissing);
    }
    let spoken = parts.uri.scheme_str().ok_or(Refusal::TargetForm)?;
    if Scheme::parse(spoken) != Some(scheme) {
        return Err(Refusal::TargetScheme);
    }
    let target = Authority::parse(target.as_str().as_bytes()).map_err(|_| Refusal::Host)?;
    match host {
        Some(host) if !host.is_same(&target, scheme) => Err(Refusal::HostMismatch),
        _ => Ok(target),
    }
}

fn host(headers: &HeaderMap) -> Result<Option<Authority>, Refusal> {
    let mut lines = headers.get_all(HOST).into_iter();
    let Some(line) = lines.next() else {
        return Ok(None);
    };
    if lines.next().is_some() {
        return Err(Refusal::HostTwice);
    }
    let host = Authority::parse(line.as_bytes()).map_err(|_| Refusal::Host)?;
    Ok(Some(host))
}

fn target(parts: &Parts) -> Result<Target, Refusal> {
    let uri = &parts.uri;
    if uri.path() == "*" {
        return match parts.method == Method::OPTIONS && uri.query().is_none() {
            true => Ok(Target::Server(CanonicalPath::root())),
            false => Err(Refusal::TargetForm),
        };
    }
    if !uri.path().starts_with('/') {
        return Err(Refusal::TargetForm);
    }
    Ok(Target::Resource {
        path: CanonicalPath::parse(uri.path())?,
        query: uri.query().map(read_query).transpose()?,
    })
}

fn read_query(query: &str) -> Result<String, Refusal> {
    if query.len() > MAX_QUERY_BYTES {
        return Err(Refusal::QueryBytes);
    }
    match query
        .bytes()
        .any(|byte| byte.is_ascii_control() || byte == b'#')
    {
        true => Err(Refusal::Query),
        false => Ok(query.to_owned()),
    }
}

#[cfg(test)]
mod tests;
