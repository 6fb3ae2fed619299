use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
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

/// A body without the fields behind it (RFC 9110 6.5.1): no gate has read them, and whoever merged
/// them into a head would have fields there that were not allowed in it.
#[derive(Debug)]
pub struct WithoutTrailers<B>(pub B);

impl<B> Body for WithoutTrailers<B>
where
    B: Body<Data = Bytes> + Unpin,
{
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        loop {
            match ready!(Pin::new(&mut self.0).poll_frame(cx)) {
                Some(Ok(frame)) if frame.is_trailers() => {}
                frame => return Poll::Ready(frame),
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.size_hint()
    }
}
