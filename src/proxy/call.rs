use std::time::Instant;

use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderValue, Method, Request, Response, Uri};
use http_body::Body;

use super::error::ProxyError;
use super::exchange::{Edge, Visitor};
use super::notes::Notes;
use crate::upstream::{HashOn, Origins, UpstreamBody};
use crate::wire::{EdgeBody, Refusal, cookie_value};

/// A request as an upstream gets it.
pub(super) struct Outgoing<'a> {
    pub(super) method: &'a Method,
    /// In origin-form.
    pub(super) target: String,
    pub(super) headers: HeaderMap,
    pub(super) body: EdgeBody,
    pub(super) visitor: Visitor,
}

impl Outgoing<'_> {
    /// Waits for the head of the answer, and notes how long that took.
    pub(super) async fn call(
        self,
        origins: &Origins,
        edge: &Edge,
        notes: &Notes,
    ) -> Result<Response<UpstreamBody>, ProxyError> {
        let visitor = self.known_by(origins, edge);
        let request = self.into_request()?;
        let called = Instant::now();
        let answer = origins.call(request, &visitor).await;
        let answer = answer.map_err(ProxyError::Upstream)?;
        notes.write(|seen| seen.upstream = Some(called.elapsed()));
        Ok(answer)
    }

    /// What tells the visitor from others, where that decides which origin is asked.
    fn known_by(&self, origins: &Origins, edge: &Edge) -> Vec<u8> {
        let cookie = match origins.hash_on() {
            None => return Vec::new(),
            Some(HashOn::Address) => None,
            Some(HashOn::Cookie(name)) => cookie_value(&self.headers, name),
        };
        let peer = self.visitor.peer.ip();
        let address = || edge.trusted_peers.visitor_address(peer, &self.headers);
        cookie.map_or_else(|| address().to_string().into(), <[u8]>::to_vec)
    }

    fn into_request(self) -> Result<Request<EdgeBody>, ProxyError> {
        // The gate bounds path and query far below what a Uri can hold, and leaves it no other byte.
        let refused = |_| ProxyError::Refused(Refusal::TargetForm);
        let has_length =
            self.headers.contains_key(CONTENT_LENGTH) || self.body.size_hint().exact().is_some();
        let mut request = Request::new(self.body);
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = Uri::try_from(self.target).map_err(refused)?;
        *request.headers_mut() = self.headers;
        if !has_length {
            // hyper's client leaves a body out where the method gives it no meaning, unless it is
            // told that there is one.
            let chunked = HeaderValue::from_static("chunked");
            request.headers_mut().insert(TRANSFER_ENCODING, chunked);
        }
        Ok(request)
    }
}
