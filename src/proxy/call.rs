use std::time::Instant;

use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderValue, Method, Request, Response, Uri};
use http_body::Body;

use super::error::ProxyError;
use super::notes::Notes;
use crate::upstream::{Client, UpstreamBody};
use crate::wire::{EdgeBody, Refusal};

/// A request as an upstream gets it.
pub(super) struct Outgoing<'a> {
    pub(super) method: &'a Method,
    /// In origin-form.
    pub(super) target: &'a str,
    pub(super) headers: HeaderMap,
    pub(super) body: EdgeBody,
}

impl Outgoing<'_> {
    /// Waits for the head of the answer, and notes how long that took.
    pub(super) async fn call(
        self,
        client: &Client,
        notes: &Notes,
    ) -> Result<Response<UpstreamBody>, ProxyError> {
        let request = self.into_request()?;
        let called = Instant::now();
        let answer = client.call(request).await.map_err(ProxyError::Upstream)?;
        notes.write(|seen| seen.upstream = Some(called.elapsed()));
        Ok(answer)
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
