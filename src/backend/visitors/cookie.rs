//! The resume token in the visitor's browser.

use http::header::{COOKIE, HeaderMap, ORIGIN, SEC_WEBSOCKET_PROTOCOL};

use crate::backend::protocol::{DOMAIN_OFFER, Storage, StorageKind};
use crate::backend::roster::ResumeToken;
use crate::wire::{Authority, Scheme};

/// Over https, where nobody but the host itself can set it.
const OWN: &str = "__Host-cobrowse";
/// Over https, for a domain: any host in it can set it.
const WIDE: &str = "__Secure-cobrowse";
/// Over http.
const PLAIN: &str = "cobrowse";

/// What a page that opens a socket goes on with. Its `Origin` was looked at. A cookie for a domain counts
/// only where the page's own tag has one: else any other host of the domain could put a visitor into a
/// session of its own.
pub(super) fn tokens(headers: &HeaderMap) -> Vec<ResumeToken> {
    read(headers, offers_domain(headers))
}

/// To end a session: the one that is found may only end.
pub(super) fn tokens_to_end(headers: &HeaderMap) -> Vec<ResumeToken> {
    read(headers, true)
}

/// The name that nobody else can set first.
fn read(headers: &HeaderMap, with_domain: bool) -> Vec<ResumeToken> {
    let own = named(headers, OWN).filter(|token| token.domain().is_none());
    let Some(host) = https_host(headers) else {
        let tokens = own.chain(named(headers, PLAIN));
        return tokens.take(TOKENS_MAX).collect();
    };
    let is_here = |token: &ResumeToken| {
        let domain = token.domain();
        with_domain && domain.is_some_and(|domain| fitting(domain, &host).is_some())
    };
    let wide = named(headers, WIDE).filter(is_here);
    own.chain(wide).take(TOKENS_MAX).collect()
}

fn named(headers: &HeaderMap, name: &'static str) -> impl Iterator<Item = ResumeToken> {
    let lines = headers.get_all(COOKIE).into_iter();
    let pairs = lines.flat_map(|line| line.as_bytes().split(|byte| *byte == b';'));
    pairs.filter_map(move |pair| {
        let value = pair.trim_ascii().strip_prefix(name.as_bytes())?;
        let value = std::str::from_utf8(value.strip_prefix(b"=")?).ok()?;
        ResumeToken::parse(value)
    })
}

/// Of the page that asks, which is the host that is asked.
fn https_host(headers: &HeaderMap) -> Option<Authority> {
    let origin = headers.get(ORIGIN)?.to_str().ok()?;
    let (scheme, host) = origin.split_once("://")?;
    (Scheme::parse(scheme)? == Scheme::Https).then(|| host.parse().ok())?
}

fn offers_domain(headers: &HeaderMap) -> bool {
    let lines = headers.get_all(SEC_WEBSOCKET_PROTOCOL).into_iter();
    let mut offers = lines.flat_map(|line| line.as_bytes().split(|byte| *byte == b','));
    offers.any(|offer| offer.trim_ascii() == DOMAIN_OFFER.as_bytes())
}

/// More would only be somebody's who guesses.
const TOKENS_MAX: usize = 4;

/// What the token of a new session is marked with: the domain of its cookie. Over http nothing is.
pub(super) fn domain_of(
    storage: &Storage,
    scheme: Scheme,
    authority: &Authority,
) -> Option<String> {
    let domain = storage.domain.as_deref()?;
    let marks = scheme == Scheme::Https && storage.kind != StorageKind::Ls;
    fitting(domain, authority).filter(|_| marks)
}

/// `Set-Cookie` lines for a new session. What a session before it left under another name is removed.
pub(super) fn keep(
    token: &ResumeToken,
    storage: &Storage,
    scheme: Scheme,
    authority: &Authority,
) -> Vec<String> {
    let domain = storage
        .domain
        .as_deref()
        .and_then(|domain| fitting(domain, authority));
    if storage.kind == StorageKind::Ls {
        return remove(scheme, authority);
    }
    let (name, secure) = match (scheme, &domain) {
        (Scheme::Http, _) => (PLAIN, ""),
        (Scheme::Https, None) => (OWN, "; Secure"),
        (Scheme::Https, Some(_)) => (WIDE, "; Secure"),
    };
    let domain = domain.map_or_else(String::new, |domain| format!("; Domain={domain}"));
    let token = token.reveal();
    let kept = format!("{name}={token}; Path=/; HttpOnly; SameSite=Lax{secure}{domain}");
    let other = match name {
        OWN => expired(PLAIN, scheme, ""),
        WIDE => expired(OWN, scheme, ""),
        _ => return vec![kept],
    };
    vec![other, kept]
}

/// `Set-Cookie` lines that remove it, for whatever domain it was set.
pub(super) fn remove(scheme: Scheme, authority: &Authority) -> Vec<String> {
    let mut lines = vec![expired(PLAIN, scheme, "")];
    if scheme == Scheme::Https {
        lines.push(expired(OWN, scheme, ""));
    }
    let host = authority.host();
    let above = host.match_indices('.').map(|(at, _)| &host[at + 1..]);
    let domains = [host].into_iter().chain(above).take(DOMAINS_MAX);
    let domains = domains.filter_map(|domain| fitting(domain, authority));
    for domain in domains {
        let domain = format!("; Domain={domain}");
        lines.push(expired(PLAIN, scheme, &domain));
        if scheme == Scheme::Https {
            lines.push(expired(WIDE, scheme, &domain));
        }
    }
    lines
}

const DOMAINS_MAX: usize = 4;

fn expired(name: &str, scheme: Scheme, domain: &str) -> String {
    let secure = if scheme == Scheme::Https {
        "; Secure"
    } else {
        ""
    };
    format!("{name}=; Path=/; HttpOnly; SameSite=Lax{secure}{domain}; Max-Age=0")
}

/// A domain that the host is in, and that is more than a top-level one. Of longer public suffixes
/// browsers themselves take no cookie.
fn fitting(domain: &str, authority: &Authority) -> Option<String> {
    let domain = domain.strip_prefix('.').unwrap_or(domain);
    let domain = domain.to_ascii_lowercase();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.';
    let named = domain.bytes().all(plain) && domain.split('.').all(|label| !label.is_empty());
    if authority.is_ip() || !named || !domain.contains('.') {
        return None;
    }
    let host = authority.host();
    let inside = host.strip_suffix(&*domain);
    let inside = inside.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    inside.then_some(domain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn authority(text: &str) -> Authority {
        text.parse().unwrap()
    }

    fn lines(kind: StorageKind, domain: Option<&str>, scheme: Scheme, host: &str) -> Vec<String> {
        let token = ResumeToken::parse(&"t".repeat(43)).unwrap();
        let storage = Storage {
            kind,
            domain: domain.map(str::to_owned),
        };
        let lines = keep(&token, &storage, scheme, &authority(host));
        let short = |line: String| line.replace(&"t".repeat(43), "TOKEN");
        lines.into_iter().map(short).collect()
    }

    #[test]
    fn over_https_it_belongs_to_the_host_alone() {
        for kind in [StorageKind::Normal, StorageKind::Secure, StorageKind::Dual] {
            assert_eq!(
                lines(kind, None, Scheme::Https, "www.bank.example"),
                [
                    "cobrowse=; Path=/; HttpOnly; SameSite=Lax; Secure; Max-Age=0",
                    "__Host-cobrowse=TOKEN; Path=/; HttpOnly; SameSite=Lax; Secure",
                ]
            );
        }
    }

    #[test]
    fn a_domain_holds_where_the_host_is_in_it() {
        let with = "cobrowse=TOKEN; Path=/; HttpOnly; SameSite=Lax; Domain=bank.example";
        let without = "cobrowse=TOKEN; Path=/; HttpOnly; SameSite=Lax";
        for (domain, host, line) in [
            ("bank.example", "www.bank.example", with),
            (".Bank.Example", "bank.example", with),
            ("other.example", "www.bank.example", without),
            ("ank.example", "www.bank.example", without),
            ("example", "www.bank.example", without),
            ("", "www.bank.example", without),
            (".", "www.bank.example", without),
            ("bank..example", "bank..example.test", without),
            ("bank.example; Path=/x", "www.bank.example", without),
            ("www.bank.example.test", "bank.example", without),
            ("0.0.1", "127.0.0.1", without),
        ] {
            let Ok(_) = host.parse::<Authority>() else {
                continue;
            };
            let set = lines(StorageKind::Normal, Some(domain), Scheme::Http, host);
            assert_eq!(set.last().unwrap(), line, "{domain} {host}");
        }
    }

    #[test]
    fn in_the_local_storage_there_is_none() {
        let set = lines(StorageKind::Ls, None, Scheme::Https, "www.bank.example");
        assert!(
            set.iter().all(|line| line.ends_with("; Max-Age=0")),
            "{set:?}"
        );
        assert!(
            set.iter()
                .any(|line| line.contains("; Domain=bank.example;"))
        );
    }

    #[test]
    fn reads_what_can_be_a_token() {
        let (one, other) = ("a".repeat(43), "b".repeat(43));
        let mut headers = HeaderMap::new();
        for line in [
            format!("x=1; cobrowse={one};glance_cobrowse=1; cobrowse=short"),
            format!("__Host-cobrowse={other}; acobrowse={one}"),
        ] {
            headers.append(COOKIE, line.parse().unwrap());
        }
        let read: Vec<_> = tokens(&headers)
            .iter()
            .map(|token| token.reveal().to_owned())
            .collect();
        assert_eq!(read, [other, one]);
    }

    /// What is believed of cookies on a socket.
    fn believed(origin: &str, offers: &str, cookies: &str) -> Vec<String> {
        let mut headers = HeaderMap::new();
        headers.insert(ORIGIN, origin.parse().unwrap());
        headers.insert(SEC_WEBSOCKET_PROTOCOL, offers.parse().unwrap());
        headers.insert(COOKIE, cookies.parse().unwrap());
        let tokens = tokens(&headers);
        tokens.iter().map(|token| token.reveal().into()).collect()
    }

    #[test]
    fn over_https_no_sibling_puts_a_visitor_into_its_session() {
        let (own, wide) = ("a".repeat(43), format!("{}.bank.example", "b".repeat(43)));
        let believes =
            |offers: &str, cookies: &str| believed("https://www.bank.example", offers, cookies);
        // All that a sibling can set: for a host without a domain nothing of it counts.
        for planted in [&own, &wide] {
            for name in [PLAIN, WIDE, "__secure-cobrowse", "__host-cobrowse"] {
                let cookies = format!("{name}={planted}");
                assert!(believes("cobrowse.v1", &cookies).is_empty(), "{cookies}");
            }
        }
        let both = "cobrowse.v1, cobrowse.domain";
        for foreign in [
            own.clone(),
            format!("{own}.other.example"),
            format!("{own}.example"),
        ] {
            let cookies = format!("{WIDE}={foreign}; {PLAIN}={foreign}");
            assert!(believes(both, &cookies).is_empty(), "{cookies}");
        }
        assert!(believes(both, &format!("{PLAIN}={wide}")).is_empty());
        let cookies = format!("{WIDE}={wide}; {OWN}={own}");
        assert_eq!(
            believes("cobrowse.v1", &cookies),
            std::slice::from_ref(&own)
        );
        assert_eq!(believes(both, &cookies), [own, wide]);
    }

    #[test]
    fn over_http_it_is_one_cookie() {
        let own = "a".repeat(43);
        let cookies = format!("{PLAIN}={own}; {WIDE}={own}");
        let origin = "http://www.bank.example:8080";
        assert_eq!(believed(origin, "cobrowse.v1", &cookies), [own]);
    }

    #[test]
    fn a_token_for_a_domain_is_marked_and_has_a_name_of_its_own() {
        let host = authority("www.bank.example");
        let asked = |kind, domain: &str| Storage {
            kind,
            domain: Some(domain.to_owned()),
        };
        let fits = asked(StorageKind::Normal, ".Bank.example");
        let wide = Some("bank.example".to_owned());
        assert_eq!(domain_of(&fits, Scheme::Https, &host), wide);
        assert_eq!(domain_of(&fits, Scheme::Http, &host), None);
        for storage in [
            asked(StorageKind::Ls, "bank.example"),
            asked(StorageKind::Normal, "other.example"),
            Storage {
                domain: None,
                ..fits
            },
        ] {
            assert_eq!(domain_of(&storage, Scheme::Https, &host), None);
        }
        assert_eq!(
            lines(
                StorageKind::Normal,
                Some("bank.example"),
                Scheme::Https,
                "www.bank.example"
            ),
            [
                "__Host-cobrowse=; Path=/; HttpOnly; SameSite=Lax; Secure; Max-Age=0",
                "__Secure-cobrowse=TOKEN; Path=/; HttpOnly; SameSite=Lax; Secure; Domain=bank.example",
            ]
        );
        let gone = remove(Scheme::Https, &host);
        let wide = "__Secure-cobrowse=; Path=/; HttpOnly; SameSite=Lax; Secure; Domain=bank.example; Max-Age=0";
        assert!(gone.iter().any(|line| line == wide), "{gone:?}");
    }
}
