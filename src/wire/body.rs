use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Empty, Full};

/// An error at a boundary where its kind no longer matters: a body that failed is aborted.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Every body that the edge sends, up or down. An error in it must become visible truncation on
/// the connection, never a clean end.
pub type EdgeBody = UnsyncBoxBody<Bytes, BoxError>;

pub fn empty_body() -> EdgeBody {
    Empty::new().map_err(|never| match never {}).boxed_unsync()
}

pub fn full_body(bytes: impl Into<Bytes>) -> EdgeBody {
    Full::new(bytes.into())
        .map_err(|never| match never {})
        .boxed_unsync()
}
