use super::expression::{HostSource, Port, is_host_name};
use crate::wire::{Authority, Scheme};

/// Where a page stands, as the visitor's browser sees it: what `'self'` means in its policies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SelfOrigin {
    scheme: Scheme,
    authority: Authority,
}

impl SelfOrigin {
    pub fn new(scheme: Scheme, authority: Authority) -> Self {
        Self { scheme, authority }
    }

    /// Whether a URL, in full or as a path, leads to it.
    pub fn has(&self, url: &str) -> bool {
        if url.starts_with('/') && !url.starts_with("//") {
            return true;
        }
        let Some((scheme, rest)) = url.split_once("://") else {
            return false;
        };
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        scheme.eq_ignore_ascii_case(self.scheme.as_str())
            && authority
                .parse::<Authority>()
                .is_ok_and(|one| self.is_at(&one))
    }

    fn is_at(&self, other: &Authority) -> bool {
        let usual = match self.scheme {
            Scheme::Http => 80,
            Scheme::Https => 443,
        };
        let port = |authority: &Authority| authority.port().unwrap_or(usual);
        self.authority.host().eq_ignore_ascii_case(other.host())
            && port(&self.authority) == port(other)
    }

    pub(super) fn scheme(&self) -> Scheme {
        self.scheme
    }

    pub(super) fn as_source(&self) -> HostSource<'_> {
        HostSource {
            scheme: Some(self.scheme.as_str()),
            ..self.as_socket()
        }
    }

    /// The same host and port, for WebSockets.
    pub(super) fn as_socket(&self) -> HostSource<'_> {
        HostSource {
            scheme: Some(self.socket_scheme()),
            host: self.authority.host(),
            port: self.authority.port().map(Port::Number),
            path: "",
        }
    }

    pub(super) fn socket_scheme(&self) -> &'static str {
        match self.scheme {
            Scheme::Http => "ws",
            Scheme::Https => "wss",
        }
    }

    /// Host and port as a host source writes them; `None` where none can: for an IP address by the
    /// letter of CSP3 6.7.2.10, for an underscore by its grammar.
    pub(super) fn in_a_source(&self) -> Option<&Authority> {
        let writable = !self.authority.is_ip() && is_host_name(self.authority.host());
        writable.then_some(&self.authority)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_urls_of_its_own() {
        let page = SelfOrigin::new(Scheme::Https, "www.bank.example".parse().unwrap());
        for (url, own) in [
            ("/a.js", true),
            ("https://www.bank.example/a.js", true),
            ("HTTPS://WWW.bank.example:443?a", true),
            ("http://www.bank.example/a.js", false),
            ("https://www.bank.example:8443/a.js", false),
            ("https://bank.example/a.js", false),
            ("https://cdn.example/https://www.bank.example/", false),
            ("//www.bank.example/a.js", false),
            ("a.js", false),
        ] {
            assert_eq!(page.has(url), own, "{url}");
        }
    }
}
