use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

/// A body whose length its head tells, and whose end comes by itself: over HTTP/2 it may still turn
/// out to be malformed, or be given up, when its last byte is there. So the last piece goes on with
/// the end, or an origin would take such a request for a whole one.
#[derive(Debug)]
pub(super) struct LastPiece<B> {
    inner: B,
    left: u64,
    held: Option<Frame<Bytes>>,
}

impl<B> LastPiece<B> {
    pub(super) fn new(inner: B, length: u64) -> Self {
        Self {
            inner,
            left: length,
            held: None,
        }
    }
}

impl<B> Body for LastPiece<B>
where
    B: Body<Data = Bytes> + Unpin,
{
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let this = &mut *self;
        loop {
            match ready!(Pin::new(&mut this.inner).poll_frame(cx)) {
                Some(Ok(frame)) => {
                    let length = frame.data_ref().map_or(0, Bytes::len) as u64;
                    this.left = this.left.saturating_sub(length);
                    if this.left > 0 {
                        return Poll::Ready(Some(Ok(frame)));
                    }
                    let before = match length {
                        0 => None,
                        _ => this.held.replace(frame),
                    };
                    if before.is_some() {
                        return Poll::Ready(before.map(Ok));
                    }
                }
                None => return Poll::Ready(this.held.take().map(Ok)),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
            }
            if this.inner.is_end_stream() && this.held.is_some() {
                return Poll::Ready(this.held.take().map(Ok));
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.held.is_none() && self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;
    use crate::wire::test_body::{Piece, streamed};

    /// What goes on of a body of five bytes before its end is known, and with it.
    async fn gone_on(pieces: Vec<Piece>, ends: bool) -> (String, Option<bool>) {
        let (sender, body) = streamed();
        for piece in pieces {
            sender.send(piece).await.unwrap();
        }
        let sender = (!ends).then_some(sender);
        let mut body = LastPiece::new(body, 5);
        let mut all = String::new();
        loop {
            let waited = std::time::Duration::from_secs(1);
            match tokio::time::timeout(waited, body.frame()).await {
                Err(_) => break (all, None),
                Ok(None) => break (all, Some(true)),
                Ok(Some(Err(_))) => break (all, Some(false)),
                Ok(Some(Ok(frame))) => {
                    let data = frame.into_data().unwrap();
                    all.push_str(std::str::from_utf8(&data).unwrap());
                    assert!(all.len() < 5 || sender.is_none(), "{all}");
                }
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_last_piece_waits_for_the_end() {
        let broken = || Err("broken".into());
        for (pieces, before, with_end) in [
            (vec![], "", ""),
            (vec![Ok("hello")], "", "hello"),
            (vec![Ok("hel"), Ok("lo")], "hel", "hello"),
            (vec![Ok("hel"), Ok(""), Ok("lo"), Ok("")], "hel", "hello"),
            (vec![Ok("h"), Ok("e")], "he", "he"),
        ] {
            let again = pieces.iter().map(|piece| Ok(*piece.as_ref().unwrap()));
            let again: Vec<Piece> = again.collect();
            assert_eq!(gone_on(again, false).await, (before.to_owned(), None));
            assert_eq!(
                gone_on(pieces, true).await,
                (with_end.to_owned(), Some(true))
            );
        }
        let broken_at_last = vec![Ok("hel"), Ok("lo"), broken()];
        let expected = ("hel".to_owned(), Some(false));
        assert_eq!(gone_on(broken_at_last, true).await, expected);
    }
}
