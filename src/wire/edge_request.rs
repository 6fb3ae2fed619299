use http::{Method, Version};

use super::authority::Authority;
use super::path::CanonicalPath;
use super::scheme::Scheme;
use super::upgrade::Upgrade;

/// The head of a request that passed the gate: what it asks for, of whom, and how, each in the one
/// reading that everything behind the gate works with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EdgeRequest {
    pub(super) method: Method,
    pub(super) scheme: Scheme,
    pub(super) authority: Authority,
    pub(super) target: Target,
    pub(super) version: Version,
    pub(super) upgrade: Option<Upgrade>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// `OPTIONS *`: the server itself, not a resource of it.
    Server(CanonicalPath),
    Resource {
        path: CanonicalPath,
        query: Option<String>,
    },
}

impl EdgeRequest {
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// How the visitor reached the edge, unless a trusted peer knows better: see
    /// [`Forwarding::visitor_scheme`](super::Forwarding::visitor_scheme).
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    pub fn authority(&self) -> &Authority {
        &self.authority
    }

    /// The host without its port, in lower case: what sites are looked up by.
    pub fn host(&self) -> &str {
        self.authority.host()
    }

    /// What rules are resolved by. `/` for `OPTIONS *`.
    pub fn path(&self) -> &CanonicalPath {
        match &self.target {
            Target::Server(path) | Target::Resource { path, .. } => path,
        }
    }

    /// As it was sent, without `?`.
    pub fn query(&self) -> Option<&str> {
        match &self.target {
            Target::Server(_) => None,
            Target::Resource { query, .. } => query.as_deref(),
        }
    }

    /// The request target for the origin, in origin-form; `*` for `OPTIONS *`.
    pub fn path_and_query(&self) -> String {
        match &self.target {
            Target::Server(_) => String::from("*"),
            Target::Resource { path, query: None } => path.to_string(),
            Target::Resource {
                path,
                query: Some(query),
            } => format!("{path}?{query}"),
        }
    }

    /// The version that the visitor speaks.
    pub fn version(&self) -> Version {
        self.version
    }

    /// Whether this is a WebSocket handshake.
    pub fn upgrade(&self) -> Option<Upgrade> {
        self.upgrade
    }
}
