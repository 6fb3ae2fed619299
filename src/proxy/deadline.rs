use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderMap};
use http::{Response, StatusCode};
use http_body::{Body, Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep_until, timeout_at};

use super::error::ProxyError;
use crate::wire::{BoxError, Deadline, EdgeBody};

/// An answer that must have gone by a certain time, or breaks off. While the visitor takes nothing
/// nobody asks it for more: then it is for the server to end it.
struct Hurried {
    inner: EdgeBody,
    timer: Pin<Box<Sleep>>,
}

#[derive(Debug, thiserror::Error)]
#[error("the exchange took too long")]
struct TooLong;

/// Holds an exchange to the time in which it must be over. Tunnels and event streams have none.
///
/// It is pinned by the caller: moved in here, it would take several times the room.
pub async fn hurried(
    deadline: Option<Instant>,
    answering: Pin<&mut impl Future<Output = Result<Response<EdgeBody>, ProxyError>>>,
) -> Result<Response<EdgeBody>, ProxyError> {
    let Some(deadline) = deadline else {
        return answering.await;
    };
    let answered = timeout_at(deadline, answering).await;
    let mut answer = answered.unwrap_or(Err(ProxyError::ExchangeTimeout))?;
    if is_endless(answer.status(), answer.headers()) || answer.body().is_end_stream() {
        return Ok(answer);
    }
    answer
        .extensions_mut()
        .insert(Deadline(deadline.into_std()));
    let timer = Box::pin(sleep_until(deadline));
    Ok(answer.map(|inner| EdgeBody::new(Hurried { inner, timer })))
}

fn is_endless(status: StatusCode, headers: &HeaderMap) -> bool {
    let events = headers.get(CONTENT_TYPE).is_some_and(|kind| {
        let essence = kind.as_bytes().split(|byte| *byte == b';').next();
        let essence = essence.unwrap_or_default().trim_ascii();
        essence.eq_ignore_ascii_case(b"text/event-stream")
    });
    status == StatusCode::SWITCHING_PROTOCOLS || events
}

impl Body for Hurried {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.inner).poll_frame(cx) {
            // A client that takes little pieces is not served for ever, either.
            let in_time = self.timer.deadline() > Instant::now();
            return Poll::Ready(match frame {
                Some(Ok(_)) if !in_time => Some(Err(TooLong.into())),
                frame => frame,
            });
        }
        ready!(self.timer.as_mut().poll(cx));
        Poll::Ready(Some(Err(TooLong.into())))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
