use http::header::{HeaderMap, ORIGIN};

use super::authority::Authority;
use super::scheme::Scheme;

/// Whether a browser's page at a host of ours made this request (RFC 6454 7): `is_ours` says which
/// origins are. The comparison is by scheme and authority, never by parts of the text.
///
/// A request without `Origin` is refused with [`OriginRefusal::Missing`]; whether that matters is
/// for the caller to say, since browsers leave it out of same-origin `GET` but never out of a
/// WebSocket handshake.
pub fn origin_allowed(
    headers: &HeaderMap,
    is_ours: impl Fn(Scheme, &Authority) -> bool,
) -> Result<(), OriginRefusal> {
    let mut lines = headers.get_all(ORIGIN).into_iter();
    let line = lines.next().ok_or(OriginRefusal::Missing)?;
    if lines.next().is_some() {
        return Err(OriginRefusal::Malformed);
    }
    if line == "null" {
        return Err(OriginRefusal::Opaque);
    }
    let text = line.to_str().map_err(|_| OriginRefusal::Malformed)?;
    let (scheme, authority) = text.split_once("://").ok_or(OriginRefusal::Malformed)?;
    let scheme = Scheme::parse(scheme).ok_or(OriginRefusal::Foreign)?;
    let authority = authority.parse().map_err(|_| OriginRefusal::Malformed)?;
    match is_ours(scheme, &authority) {
        true => Ok(()),
        false => Err(OriginRefusal::Foreign),
    }
}

/// Why a request's `Origin` is not one of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum OriginRefusal {
    #[error("the request comes from a page of another site")]
    Foreign,
    #[error("the request's Origin cannot be read")]
    Malformed,
    #[error("the request has no Origin")]
    Missing,
    #[error("the request comes from a page without an origin")]
    Opaque,
}

#[cfg(test)]
mod tests {
    use super::super::test_heads::heads;
    use super::*;

    fn check(lines: &[&str]) -> Result<(), OriginRefusal> {
        origin_allowed(&heads(lines), |scheme, authority| {
            scheme == Scheme::Https && authority.to_string() == "www.bank.example"
        })
    }

    #[test]
    fn refuses_all_but_our_own() {
        use OriginRefusal::*;
        assert_eq!(check(&[]), Err(Missing));
        for (origin, refusal) in [
            ("", Malformed),
            ("null", Opaque),
            ("www.bank.example", Malformed),
            ("https:www.bank.example", Malformed),
            ("https://", Malformed),
            ("https://www.bank.example/", Malformed),
            ("https://www.bank.example https://b", Malformed),
            ("https://a@www.bank.example", Malformed),
            ("https://www.bank.example:", Malformed),
            ("https://www.bank.ex\u{e4}mple", Malformed),
            ("http://www.bank.example", Foreign),
            ("https://www.bank.example:8443", Foreign),
            ("https://www.bank.example.evil.example", Foreign),
            ("https://evil-www.bank.example", Foreign),
            ("https://bank.example", Foreign),
            ("file://www.bank.example", Foreign),
            ("chrome-extension://abc", Foreign),
        ] {
            let found = check(&[&format!("Origin: {origin}")]);
            assert_eq!(found, Err(refusal), "{origin:?}");
        }
        let ours = "Origin: https://www.bank.example";
        assert_eq!(check(&[ours, ours]), Err(Malformed));
    }

    #[test]
    fn allows_our_own_in_any_case() {
        assert_eq!(check(&["Origin: https://www.bank.example"]), Ok(()));
        assert_eq!(check(&["Origin: HTTPS://WWW.Bank.Example"]), Ok(()));
    }
}
