use http::Response;

use crate::wire::MalformedRequest;

/// An HTTP/2 request that is malformed. hyper resets its stream instead of answering it, and finds the
/// code for that in this error's source.
#[derive(Debug, thiserror::Error)]
#[error("the request is malformed")]
pub(super) struct Malformed(#[source] h2::Error);

impl Malformed {
    /// `Some` where an answer stands for such a request.
    pub(super) fn of<B>(answer: &Response<B>) -> Option<Self> {
        let _: &MalformedRequest = answer.extensions().get()?;
        Some(Self(h2::Reason::PROTOCOL_ERROR.into()))
    }
}
