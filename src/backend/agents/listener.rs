use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use http::header::{HOST, HeaderMap, HeaderValue};
use http::request::Parts;
use http::{Method, Request, Response};
use hyper::body::Incoming;
use tokio::sync::watch;

use super::answers::{Code, Refusal};
use super::api;
use super::door::{Asking, Origin, admit, sole};
use super::files::ConsoleFiles;
use super::line::{self, Desk};
use crate::backend::access::Access;
use crate::backend::roster::Roster;
use crate::groups::GroupId;
use crate::wire::{self, EdgeBody, Scheme};

/// What answers on the agents' listener. Clones are the same.
#[derive(Clone, Debug)]
pub struct Console(Arc<Shared>);

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) access: Access,
    pub(super) roster: Roster,
    pub(super) origins: Vec<Origin>,
    pub(super) files: ConsoleFiles,
    pub(super) surroundings: Surroundings,
    /// The edge is about to end.
    pub(super) leaving: watch::Sender<bool>,
}

/// What the rules in force say, and what does not change.
pub struct Surroundings {
    pub group_names: Box<dyn Fn(GroupId) -> Option<String> + Send + Sync>,
    /// From where pages load what they are made of, as sources of a content security policy.
    pub sites: Box<dyn Fn() -> Vec<String> + Send + Sync>,
}

impl fmt::Debug for Surroundings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Surroundings")
    }
}

impl Surroundings {
    pub(super) fn group_name(&self, group: GroupId) -> String {
        (self.group_names)(group).unwrap_or_else(|| group.to_string())
    }
}

impl Console {
    pub fn new(
        access: Access,
        roster: Roster,
        origins: Vec<Origin>,
        files: ConsoleFiles,
        surroundings: Surroundings,
    ) -> Self {
        Self(Arc::new(Shared {
            access,
            roster,
            origins,
            files,
            surroundings,
            leaving: watch::Sender::new(false),
        }))
    }

    /// Takes up what other processes change. Runs until dropped.
    pub async fn follow(&self) {
        self.0.access.follow().await;
    }

    /// Sockets are closed, and consoles come back when they can.
    pub fn leave(&self) {
        self.0.leaving.send_replace(true);
    }

    /// `scheme`: that of the connection.
    pub async fn answer(
        &self,
        request: Request<Incoming>,
        scheme: Scheme,
        peer: IpAddr,
    ) -> Response<EdgeBody> {
        let (mut parts, body) = request.into_parts();
        if name_host(&mut parts, scheme).is_none() {
            return Refusal::new(Code::Malformed).into();
        }
        let answered = match parts.uri.path() {
            "/api/login" => self.login(&parts, body, peer).await,
            "/api/logout" => self.logout(&parts).await,
            "/api/account" => self.account(&parts),
            "/api/desk" => self.socket(parts, Desk::List, peer).await,
            "/api/session" => self.socket(parts, Desk::Session, peer).await,
            path => self.file(path, &parts),
        };
        answered.unwrap_or_else(Into::into)
    }

    async fn login(
        &self,
        parts: &Parts,
        body: Incoming,
        peer: IpAddr,
    ) -> Result<Response<EdgeBody>, Refusal> {
        self.admit(parts, &Method::POST, Asking::Acting)?;
        let request = api::read(&parts.headers, body).await?;
        api::login(&self.0, &parts.headers, request, peer).await
    }

    async fn logout(&self, parts: &Parts) -> Result<Response<EdgeBody>, Refusal> {
        self.admit(parts, &Method::POST, Asking::Acting)?;
        Ok(api::logout(&self.0, &parts.headers).await)
    }

    fn account(&self, parts: &Parts) -> Result<Response<EdgeBody>, Refusal> {
        self.admit(parts, &Method::GET, Asking::Reading)?;
        api::account(&self.0, &parts.headers)
    }

    async fn socket(
        &self,
        parts: Parts,
        desk: Desk,
        peer: IpAddr,
    ) -> Result<Response<EdgeBody>, Refusal> {
        self.admit(&parts, &Method::GET, Asking::Acting)?;
        line::open(Arc::clone(&self.0), parts, desk, peer).await
    }

    fn file(&self, path: &str, parts: &Parts) -> Result<Response<EdgeBody>, Refusal> {
        let method = match parts.method {
            Method::HEAD => Method::HEAD,
            _ => Method::GET,
        };
        self.admit(parts, &method, Asking::File)?;
        let file = self.0.files.find(path);
        let file = file.ok_or_else(|| Refusal::new(Code::Unknown))?;
        let sites = (self.0.surroundings.sites)();
        let socket = self.0.socket_origin(&parts.headers);
        Ok(self.0.files.serve(file, &parts.headers, &sites, &socket))
    }

    fn admit(&self, parts: &Parts, method: &Method, asking: Asking) -> Result<(), Refusal> {
        match parts.method == *method {
            true => admit(&self.0.origins, &parts.headers, asking),
            false => Err(Refusal::new(Code::Method)),
        }
    }
}

/// One strict reading of the head; whoever reads `Host` afterwards reads what was asked for, also over HTTP/2.
fn name_host(parts: &mut Parts, scheme: Scheme) -> Option<()> {
    let request = wire::admit(parts, scheme).ok()?;
    let host = HeaderValue::try_from(request.authority().to_string()).ok()?;
    parts.headers.insert(HOST, host);
    Some(())
}

impl Shared {
    /// The origin under which this was asked for; the door has seen that there is one.
    fn origin(&self, headers: &HeaderMap) -> Option<&Origin> {
        let host = sole(headers, &HOST)?;
        let host = host.parse().ok()?;
        self.origins.iter().find(|origin| origin.authority == host)
    }

    /// Without TLS there is no `Secure`; that is for loopback alone.
    pub(super) fn is_secure(&self, headers: &HeaderMap) -> bool {
        let origin = self.origin(headers);
        origin.is_none_or(|origin| origin.scheme == Scheme::Https)
    }

    /// Some browsers do not take `'self'` for sockets.
    fn socket_origin(&self, headers: &HeaderMap) -> String {
        let scheme = if self.is_secure(headers) { "wss" } else { "ws" };
        let authority = self
            .origin(headers)
            .map(|origin| origin.authority.to_string());
        format!("{scheme}://{}", authority.unwrap_or_default())
    }
}
