//! Bodies as tests send them: piece by piece.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame};
use http_body_util::BodyExt;
use tokio::sync::mpsc;

use super::{BoxError, EdgeBody};

/// An error breaks the body; it ends when the sender is dropped.
pub(crate) type Piece = Result<&'static str, BoxError>;

struct Streamed(mpsc::Receiver<Piece>);

/// A body, and by what it is sent.
pub(crate) fn streamed() -> (mpsc::Sender<Piece>, EdgeBody) {
    let (sender, receiver) = mpsc::channel(8);
    (sender, Streamed(receiver).boxed_unsync())
}

impl Body for Streamed {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let piece = self.0.poll_recv(cx);
        piece.map(|p| p.map(|p| p.map(|text| Frame::data(Bytes::from_static(text.as_bytes())))))
    }
}
