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
