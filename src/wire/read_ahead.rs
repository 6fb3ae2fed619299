use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use super::BoxError;

/// Bytes of a body that are held while its head waits: what one write takes beside a head. Beyond
/// it, nothing is gained by knowing the length.
const AHEAD_BYTES_MAX: usize = 32 * 1024;

/// Frames that are held: an edited page is what came before its tag, the tag, and what a codec
/// kept back.
const AHEAD_FRAMES_MAX: usize = 4;

/// How often others have their turn: a packed page of 64 KB comes in three reads.
const AHEAD_TURNS: usize = 3;

/// A body of which all that was there at once has been read.
///
/// If that is all of it, its length is known, and it can leave in one write behind a head that says
/// so: `Content-Length` instead of chunks (RFC 9112 6.2), also for a page whose length only its
/// edits tell.
#[derive(Debug)]
pub struct ReadAhead<B> {
    ready: VecDeque<Result<Frame<Bytes>, BoxError>>,
    /// `None` once the body has ended.
    rest: Option<B>,
}

/// Reads what is there. It waits for nothing, but lets others have their turn before it takes that
/// for all: among them is who reads the socket.
pub async fn read_ahead<B>(body: B) -> ReadAhead<B>
where
    B: Body<Data = Bytes, Error = BoxError> + Unpin,
{
    let mut ahead = ReadAhead {
        ready: VecDeque::new(),
        rest: Some(body),
    };
    let mut turns = 0;
    // A body that is not there yet has this task woken, which goes on with the same body.
    poll_fn(|cx| {
        while ahead.has_room() && ahead.poll_more(cx).is_ready() {}
        if !ahead.awaits_its_first() || turns == AHEAD_TURNS {
            return Poll::Ready(());
        }
        turns += 1;
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
    ahead
}

impl<B> ReadAhead<B>
where
    B: Body<Data = Bytes, Error = BoxError> + Unpin,
{
    fn has_room(&self) -> bool {
        self.rest.is_some()
            && self.ready.len() < AHEAD_FRAMES_MAX
            && self.ready_bytes() < AHEAD_BYTES_MAX
    }

    /// A page that is packed gives out nothing before its end, if that is near. Of another what is
    /// there may leave: more would only be held for a visitor who takes it slowly.
    fn awaits_its_first(&self) -> bool {
        self.rest.is_some() && self.ready.is_empty()
    }

    fn ready_bytes(&self) -> usize {
        let data = |frame: &Result<Frame<Bytes>, BoxError>| {
            let frame = frame.as_ref().ok();
            frame.and_then(Frame::data_ref).map_or(0, Bytes::len)
        };
        self.ready.iter().map(data).sum()
    }

    fn poll_more(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(rest) = &mut self.rest else {
            return Poll::Ready(());
        };
        match Pin::new(rest).poll_frame(cx) {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(Some(frame)) => {
                // Nothing comes after an error.
                if frame.is_err() {
                    self.rest = None;
                }
                self.ready.push_back(frame);
            }
            Poll::Ready(None) => self.rest = None,
        }
        Poll::Ready(())
    }
}

impl<B> Body for ReadAhead<B>
where
    B: Body<Data = Bytes, Error = BoxError> + Unpin,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if let Some(frame) = self.ready.pop_front() {
            return Poll::Ready(Some(frame));
        }
        let Some(rest) = &mut self.rest else {
            return Poll::Ready(None);
        };
        let polled = Pin::new(rest).poll_frame(cx);
        if let Poll::Ready(None | Some(Err(_))) = polled {
            self.rest = None;
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.ready.is_empty() && self.rest.as_ref().is_none_or(Body::is_end_stream)
    }

    /// Exact where the body is whole, or says itself how much is to come. One that broke off has no length that could be kept.
    fn size_hint(&self) -> SizeHint {
        let ready = self.ready_bytes() as u64;
        let broke_off = self.ready.iter().any(Result::is_err);
        let rest = self
            .rest
            .as_ref()
            .map_or(Some(0), |rest| rest.size_hint().exact());
        if let Some(rest) = rest.filter(|_| !broke_off) {
            return SizeHint::with_exact(ready + rest);
        }
        let mut hint = SizeHint::new();
        hint.set_lower(ready);
        hint
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::super::test_body::{Piece, streamed};
    use super::*;

    /// The length, or that it is not known; then all that comes, and whether it ended well.
    async fn read(pieces: Vec<Piece>, is_whole: bool) -> (Option<u64>, String, bool) {
        let (sender, body) = streamed();
        for piece in pieces {
            sender.send(piece).await.unwrap();
        }
        let mut sender = (!is_whole).then_some(sender);
        let mut ahead = read_ahead(body).await;
        let length = ahead.size_hint().exact();
        if let Some(sender) = sender.take() {
            sender.send(Ok("later")).await.unwrap();
        }
        let mut text = String::new();
        while let Some(frame) = ahead.frame().await {
            let Ok(frame) = frame else {
                return (length, text, false);
            };
            text.push_str(std::str::from_utf8(frame.data_ref().unwrap()).unwrap());
        }
        assert!(ahead.is_end_stream());
        (length, text, true)
    }

    #[tokio::test]
    async fn a_body_that_is_there_has_its_length() {
        let whole = |text: &str| (Some(text.len() as u64), text.to_owned(), true);
        assert_eq!(read(vec![], true).await, whole(""));
        assert_eq!(read(vec![Ok("<p>"), Ok("x")], true).await, whole("<p>x"));
    }

    /// As with a socket: who reads it has to be waited for.
    #[tokio::test]
    async fn a_body_that_another_task_is_about_to_bring_has_its_length() {
        let (sender, body) = streamed();
        tokio::spawn(async move {
            tokio::task::yield_now().await;
            sender.send(Ok("<p>x")).await.unwrap();
        });
        assert_eq!(read_ahead(body).await.size_hint().exact(), Some(4));
    }

    /// A visitor who takes it slowly would have it held for him.
    #[tokio::test]
    async fn nobody_is_waited_for_beside_what_is_there() {
        let (sender, body) = streamed();
        sender.send(Ok("<p>")).await.unwrap();
        tokio::spawn(async move { sender.send(Ok("x")).await.unwrap() });
        let ahead = read_ahead(body).await;
        assert_eq!((ahead.ready.len(), ahead.size_hint().exact()), (1, None));
    }

    #[tokio::test]
    async fn a_body_that_is_to_come_has_none() {
        let later = |text: &str| (None, text.to_owned(), true);
        assert_eq!(read(vec![], false).await, later("later"));
        assert_eq!(read(vec![Ok("<p>")], false).await, later("<p>later"));
    }

    #[tokio::test]
    async fn a_rest_that_says_how_long_it_is_adds_to_what_is_there() {
        static LARGE: [u8; AHEAD_BYTES_MAX] = [b'x'; AHEAD_BYTES_MAX];
        let (sender, body) = streamed();
        sender
            .send(Ok(std::str::from_utf8(&LARGE).unwrap()))
            .await
            .unwrap();
        let body = Announced(body, Some(5));
        assert_eq!(
            read_ahead(body).await.size_hint().exact(),
            Some(LARGE.len() as u64 + 5)
        );
    }

    /// A body that says how much of it is to come.
    struct Announced(crate::wire::EdgeBody, Option<u64>);

    impl Body for Announced {
        type Data = Bytes;
        type Error = BoxError;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
            Pin::new(&mut self.0).poll_frame(cx)
        }

        fn size_hint(&self) -> SizeHint {
            self.1.map_or_else(SizeHint::default, SizeHint::with_exact)
        }
    }

    #[tokio::test]
    async fn a_body_that_broke_off_has_none_and_stays_broken() {
        let broken = vec![Ok("<p>"), Err("reset".into())];
        assert_eq!(read(broken, true).await, (None, "<p>".to_owned(), false));
    }

    #[tokio::test]
    async fn no_more_is_held_than_the_limits() {
        static LARGE: [u8; AHEAD_BYTES_MAX] = [b'x'; AHEAD_BYTES_MAX];
        let large = std::str::from_utf8(&LARGE).unwrap();
        let (sender, body) = streamed();
        for piece in [large, "x"] {
            sender.send(Ok(piece)).await.unwrap();
        }
        drop(sender);
        let ahead = read_ahead(body).await;
        assert_eq!((ahead.ready.len(), ahead.size_hint().exact()), (1, None));

        let (sender, body) = streamed();
        for _ in 0..=AHEAD_FRAMES_MAX {
            sender.send(Ok("x")).await.unwrap();
        }
        assert_eq!(read_ahead(body).await.ready.len(), AHEAD_FRAMES_MAX);
    }
}
