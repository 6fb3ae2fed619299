//! Who may ask: the console, from its own origin, and nobody else's page.

use http::header::{HOST, HeaderMap, HeaderName};

use super::answers::{Code, Refusal};
use crate::wire::{Authority, OriginRefusal, Scheme, origin_allowed};

/// An origin under which the console is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    pub scheme: Scheme,
    pub authority: Authority,
}

/// What a request wants, as far as its origin matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asking {
    /// A document, a script: the same for everybody, and links may lead there.
    File,
    /// To read something.
    Reading,
    /// To change something, or a socket: no browser leaves the origin out.
    Acting,
}

/// Whether the request is for us, and from whom it may be.
pub(super) fn admit(
    origins: &[Origin],
    headers: &HeaderMap,
    asking: Asking,
) -> Result<(), Refusal> {
    let refused = Refusal::new(Code::Origin);
    // A name of somebody else's that leads here would make this a page of theirs.
    let host = sole(headers, &HOST).and_then(|host| host.parse::<Authority>().ok());
    let host = host.ok_or_else(|| refused.clone())?;
    if !origins.iter().any(|origin| origin.authority == host) {
        return Err(refused);
    }
    if asking == Asking::File {
        return Ok(());
    }
    let is_ours = |scheme, authority: &Authority| {
        // The page's origin is the one under which this was asked for.
        let same = |origin: &Origin| origin.scheme == scheme && origin.authority == *authority;
        *authority == host && origins.iter().any(same)
    };
    match (origin_allowed(headers, is_ours), asking) {
        (Ok(()), _) | (Err(OriginRefusal::Missing), Asking::Reading) => {}
        (Err(_), _) => return Err(refused),
    }
    match is_from_elsewhere(headers) {
        true => Err(refused),
        false => Ok(()),
    }
}

/// As browsers tell (W3C Fetch Metadata); `same-site` is somebody else, too.
fn is_from_elsewhere(headers: &HeaderMap) -> bool {
    let mut lines = headers.get_all(SEC_FETCH_SITE).into_iter();
    lines.any(|line| !matches!(line.as_bytes(), b"same-origin" | b"none"))
}

pub(super) fn sole<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut lines = headers.get_all(name).into_iter();
    let line = lines.next()?.to_str().ok()?;
    lines.next().is_none().then_some(line)
}

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

#[cfg(test)]
mod tests;
