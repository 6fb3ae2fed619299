//! The resume token in the visitor's browser.

use http::header::{COOKIE, HeaderMap};

use crate::backend::protocol::{Storage, StorageKind};
use crate::backend::roster::ResumeToken;
use crate::wire::{Authority, Scheme};

/// Only over https, and without a domain.
const OWN: &str = "__Host-cobrowse";
const PLAIN: &str = "cobrowse";

/// What a request carries, the name that nobody else can set first.
pub(super) fn tokens(headers: &HeaderMap) -> Vec<ResumeToken> {
    let of = |name: &'static str| {
        let lines = headers.get_all(COOKIE).into_iter();
        let pairs = lines.flat_map(|line| line.as_bytes().split(|byte| *byte == b';'));
        pairs.filter_map(move |pair| {
            let value = pair.trim_ascii().strip_prefix(name.as_bytes())?;
            let value = std::str::from_utf8(value.strip_prefix(b"=")?).ok()?;
            ResumeToken::parse(value)
        })
    };
    of(OWN).chain(of(PLAIN)).take(TOKENS_MAX).collect()
}

/// More would only be somebody's who guesses.
const TOKENS_MAX: usize = 4;

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
    let own = scheme == Scheme::Https && domain.is_none();
    let name = if own { OWN } else { PLAIN };
    let secure = if scheme == Scheme::Https {
        "; Secure"
    } else {
        ""
    };
    let domain = domain.map_or_else(String::new, |domain| format!("; Domain={domain}"));
    let token = token.reveal();
    let kept = format!("{name}={token}; Path=/; HttpOnly; SameSite=Lax{secure}{domain}");
    // A cookie for a domain and one without are two, and have the same name.
    let other = match own {
        true => expired(PLAIN, scheme, ""),
        false if scheme == Scheme::Https => expired(OWN, scheme, ""),
        false => return vec![kept],
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
    lines.extend(domains.map(|domain| expired(PLAIN, scheme, &format!("; Domain={domain}"))));
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
}
