use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_LENGTH;
use http::{HeaderMap, Version};
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::{Instant, Sleep, sleep_until};

use super::error::ProxyError;
use super::last_piece::LastPiece;
use super::limits::ExchangeLimits;
use crate::telemetry::{Direction, Metrics};
use crate::wire::{BoxError, EdgeBody, WithoutTrailers, empty_body};

/// What became of a request's body, for whoever answers the request. Clones are the same.
#[derive(Clone, Debug, Default)]
pub struct UploadEnd(Arc<OnceLock<UploadRefusal>>);

/// Why a request's body is not read on. The upstream's connection ends with it: no origin takes the
/// beginning of a body for the whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UploadRefusal {
    #[error("the request's body was reset before its end")]
    Reset,
    #[error("the request's body is too large")]
    TooLarge,
    #[error("the request's body comes too slowly")]
    TooSlow,
}

/// A request's body on its way from the visitor: counted, and held to limits.
struct Upload {
    inner: Incoming,
    version: Version,
    metrics: Arc<Metrics>,
    /// What may still come.
    room: u64,
    patience: Patience,
    end: UploadEnd,
}

/// How long a client may still be waited for. Waiting spends it, and what comes earns it back.
#[derive(Debug)]
struct Patience {
    most: Duration,
    /// `0`: whatever comes earns all of it.
    bytes_per_second: u64,
    left: Duration,
    waits_since: Option<Instant>,
    /// Made when there is something to wait for, which most bodies never need.
    timer: Option<Pin<Box<Sleep>>>,
}

/// Takes a request's body in, unless its head says already that it is too large.
pub fn take_body(
    body: Incoming,
    (version, headers): (Version, &HeaderMap),
    limits: &ExchangeLimits,
    metrics: &Arc<Metrics>,
) -> Result<(EdgeBody, UploadEnd), ProxyError> {
    let end = UploadEnd::default();
    if body.is_end_stream() {
        return Ok((empty_body(), end));
    }
    let length = said_length(headers);
    if length.is_some_and(|length| length > limits.body_bytes_max) {
        return Err(ProxyError::Upload(UploadRefusal::TooLarge));
    }
    let upload = Upload {
        inner: body,
        version,
        metrics: Arc::clone(metrics),
        room: limits.body_bytes_max,
        patience: Patience::new(limits.body_timeout, limits.body_bytes_per_second_min),
        end: end.clone(),
    };
    let body = WithoutTrailers(upload);
    let body = match length.filter(|_| version == Version::HTTP_2) {
        Some(length) => EdgeBody::new(LastPiece::new(body, length)),
        None => EdgeBody::new(body),
    };
    Ok((body, end))
}

/// The gate has seen to it that there is one at most, of digits.
fn said_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

impl UploadEnd {
    /// What an exchange that came to nothing came to: if its body was refused, that.
    pub fn settle(&self, error: ProxyError) -> ProxyError {
        let refusal = self.0.get().copied();
        refusal.map_or(error, ProxyError::Upload)
    }
}

impl Upload {
    fn refuse(&self, refusal: UploadRefusal) -> BoxError {
        let _ = self.end.0.set(refusal);
        refusal.into()
    }

    fn take(&mut self, frame: Frame<Bytes>) -> Result<Frame<Bytes>, BoxError> {
        let length = frame.data_ref().map_or(0, Bytes::len) as u64;
        self.metrics.bytes(Direction::Up, length);
        self.patience.earn(length);
        match self.room.checked_sub(length) {
            Some(room) => {
                self.room = room;
                Ok(frame)
            }
            None => Err(self.refuse(UploadRefusal::TooLarge)),
        }
    }

    /// hyper ends the body of an HTTP/2 request like a whole one when the client resets the stream
    /// without an error, which is not for clients to do (RFC 9113 8.1).
    fn was_reset(&self) -> bool {
        self.version == Version::HTTP_2 && !self.inner.is_end_stream()
    }
}

impl Body for Upload {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match Pin::new(&mut self.inner).poll_frame(cx) {
            Poll::Ready(Some(Ok(frame))) => Poll::Ready(Some(self.take(frame))),
            Poll::Ready(Some(Err(error))) => Poll::Ready(Some(Err(error.into()))),
            Poll::Ready(None) if self.was_reset() => {
                Poll::Ready(Some(Err(self.refuse(UploadRefusal::Reset))))
            }
            Poll::Ready(None) => Poll::Ready(None),
            Poll::Pending => {
                let spent = self.patience.poll_spent(cx);
                spent.map(|()| Some(Err(self.refuse(UploadRefusal::TooSlow))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

impl Patience {
    fn new(most: Duration, bytes_per_second: u64) -> Self {
        Self {
            most,
            bytes_per_second,
            left: most,
            waits_since: None,
            timer: None,
        }
    }

    /// So many bytes have come.
    fn earn(&mut self, bytes: u64) {
        if let Some(since) = self.waits_since.take() {
            self.left = self.left.saturating_sub(since.elapsed());
        }
        let earned = match self.bytes_per_second {
            0 => self.most,
            rate => Duration::from_millis(bytes.saturating_mul(1000) / rate),
        };
        self.left = self.left.saturating_add(earned).min(self.most);
    }

    /// Ready when nothing is left of it.
    fn poll_spent(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let is_new = self.waits_since.is_none();
        let since = *self.waits_since.get_or_insert_with(Instant::now);
        let deadline = since + self.left;
        let timer = self
            .timer
            .get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        if is_new {
            timer.as_mut().reset(deadline);
        }
        timer.as_mut().poll(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;

    const MOST: Duration = Duration::from_secs(60);

    /// How long a client is put up with that sends so many bytes each time after so long.
    async fn endured(rate: u64, bytes: u64, pause: Duration) -> Option<Duration> {
        let mut patience = Patience::new(MOST, rate);
        let began = Instant::now();
        for _ in 0..1000 {
            let spent = poll_fn(|cx| patience.poll_spent(cx));
            if tokio::time::timeout(pause, spent).await.is_ok() {
                return Some(began.elapsed());
            }
            patience.earn(bytes);
        }
        None
    }

    #[tokio::test(start_paused = true)]
    async fn who_sends_a_byte_now_and_then_is_not_put_up_with() {
        let seconds = Duration::from_secs;
        for (rate, bytes, pause, ends) in [
            (240, 1, seconds(59), Some(60..=61)),
            (240, 1, seconds(1), Some(60..=62)),
            (240, 120, seconds(1), Some(118..=122)),
            (240, 240, seconds(1), None),
            (240, 240 * 59, seconds(59), None),
            (240, u64::MAX, seconds(61), Some(60..=61)),
            (0, 1, seconds(59), None),
            (0, 1, seconds(61), Some(60..=61)),
        ] {
            let endured = endured(rate, bytes, pause).await.map(|time| time.as_secs());
            let fits = match (&ends, endured) {
                (None, None) => true,
                (Some(ends), Some(endured)) => ends.contains(&endured),
                _ => false,
            };
            assert!(fits, "{rate} {bytes} {pause:?}: {endured:?}, not {ends:?}");
        }
    }
}
