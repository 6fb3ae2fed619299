use http::header::{COOKIE, Entry, HeaderMap, HeaderValue, SET_COOKIE};

use super::set_cookie;

/// Keeps the cookies of these names in a request, and nothing of the others. What stands on
/// several lines comes out on one, in its order; with nothing left the field is gone.
pub fn keep_cookies(headers: &mut HeaderMap, names: &[String]) {
    let is_kept = |pair: &&[u8]| {
        let name = pair.split(|byte| *byte == b'=').next().unwrap_or_default();
        names
            .iter()
            .any(|kept| kept.as_bytes() == name.trim_ascii())
    };
    let lines = headers.get_all(COOKIE).into_iter();
    let pairs = lines.flat_map(|line| line.as_bytes().split(|byte| *byte == b';'));
    let pairs = pairs
        .map(<[u8]>::trim_ascii)
        .filter(|pair| !pair.is_empty());
    let kept: Vec<_> = pairs.filter(is_kept).collect();
    let line = kept.join(&b"; "[..]);
    headers.remove(COOKIE);
    if let Some(value) = HeaderValue::from_bytes(&line)
        .ok()
        .filter(|value| !value.is_empty())
    {
        headers.insert(COOKIE, value);
    }
}

/// The value of the first cookie of this name in a request.
pub fn cookie_value<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h [u8]> {
    let lines = headers.get_all(COOKIE).into_iter();
    let mut pairs = lines.flat_map(|line| line.as_bytes().split(|byte| *byte == b';'));
    pairs.find_map(|pair| {
        let rest = pair.trim_ascii().strip_prefix(name.as_bytes())?;
        Some(rest.strip_prefix(b"=")?.trim_ascii())
    })
}

/// Puts all cookies of a request on one line. HTTP/2 clients send them on several, which an
/// HTTP/1.1 origin need not understand (RFC 9113 8.2.3).
pub fn join_cookies(headers: &mut HeaderMap) {
    let lines: Vec<_> = headers.get_all(COOKIE).into_iter().collect();
    if lines.len() < 2 {
        return;
    }
    let lines: Vec<_> = lines.into_iter().map(HeaderValue::as_bytes).collect();
    if let Ok(value) = HeaderValue::from_bytes(&lines.join(&b"; "[..])) {
        headers.insert(COOKIE, value);
    }
}

/// Confines what a backend sets to its place below `mount`, and to this host: the site's own paths
/// never see these cookies. A cookie whose name starts with `__Host-` must have the path `/`, so
/// browsers refuse it from here.
pub fn confine_set_cookie(headers: &mut HeaderMap, mount: &str) {
    let Entry::Occupied(mut lines) = headers.entry(SET_COOKIE) else {
        return;
    };
    for line in lines.iter_mut() {
        if let Ok(value) = HeaderValue::from_bytes(&confined(line.as_bytes(), mount)) {
            *line = value;
        }
    }
}

/// Of several paths the last counts (RFC 6265 5.3).
fn confined(line: &[u8], mount: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(line.len() + mount.len());
    let mut path = None;
    for (index, part) in set_cookie::parts(line).enumerate() {
        if index == 0 {
            out.extend_from_slice(part);
        } else if let Some(value) = set_cookie::attribute(part, "path") {
            path = Some(value);
        } else if set_cookie::attribute(part, "domain").is_none() {
            out.extend_from_slice(&[b";", part].concat());
        }
    }
    let path = path.filter(|path| is_below(path, mount.as_bytes()));
    out.extend_from_slice(b"; Path=");
    out.extend_from_slice(path.unwrap_or(mount.as_bytes()));
    out
}

fn is_below(path: &[u8], mount: &[u8]) -> bool {
    let rest = path.strip_prefix(mount);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/") || mount.ends_with(b"/"))
}

#[cfg(test)]
mod tests;
