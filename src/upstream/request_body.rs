use std::pin::Pin;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::Version;
use http_body::{Body, Frame, SizeHint};
use tokio::time::{Instant, sleep, sleep_until};

use super::error::UpstreamError;
use super::idle::IdleTimer;
use crate::wire::{BoxError, EdgeBody};

/// A request's body on its way up, and a note of how far it has come.
#[derive(Debug)]
pub(super) struct RequestBody {
    inner: EdgeBody,
    idle: IdleTimer,
    version: Version,
    upload: Arc<Upload>,
}

/// How far a request's body has come.
#[derive(Debug)]
pub(super) struct Upload {
    /// How long the client may keep the origin waiting, before the answer and after its head.
    idle_limit: Duration,
    state: AtomicU8,
    moved: Mutex<Instant>,
}

/// Frames of the body are taken as fast as the origin takes them.
const FLOWING: u8 = 0;
/// The client was asked for the next frame and has none yet.
const WAITS_FOR_CLIENT: u8 = 1;
/// The whole body was handed to the connection.
const DONE: u8 = 2;
/// The client has let the origin wait for too long.
const STALLED: u8 = 3;
/// The client's request failed.
const BROKEN: u8 = 4;
/// The connection let go of it before its end.
const GONE: u8 = 5;

impl RequestBody {
    /// The body of a request that came in this version.
    pub(super) fn new(inner: EdgeBody, version: Version, idle_limit: Duration) -> Self {
        let state = if inner.is_end_stream() { DONE } else { FLOWING };
        let upload = Arc::new(Upload {
            idle_limit,
            state: AtomicU8::new(state),
            moved: Mutex::new(Instant::now()),
        });
        Self {
            inner,
            idle: IdleTimer::new(idle_limit),
            version,
            upload,
        }
    }

    /// hyper ends the body of an HTTP/2 request like a whole one when the client resets the stream
    /// without an error, which is not for clients to do (RFC 9113 8.1).
    fn was_reset(&self) -> bool {
        self.version == Version::HTTP_2 && !self.inner.is_end_stream()
    }

    pub(super) fn upload(&self) -> Arc<Upload> {
        Arc::clone(&self.upload)
    }
}

impl Upload {
    pub(super) fn idle_limit(&self) -> Duration {
        self.idle_limit
    }

    pub(super) fn is_done(&self) -> bool {
        self.state.load(Ordering::Acquire) == DONE
    }

    pub(super) fn waits_for_client(&self) -> bool {
        matches!(
            self.state.load(Ordering::Acquire),
            WAITS_FOR_CLIENT | STALLED
        )
    }

    /// What an error within the answer's body is: one that came of the request is the client's.
    pub(super) fn failure(&self, error: hyper::Error) -> UpstreamError {
        match self.state.load(Ordering::Acquire) {
            STALLED => self.stalled(),
            BROKEN => UpstreamError::RequestBroken(error),
            _ => UpstreamError::BodyBroken(error),
        }
    }

    /// What an error before the answer's head is.
    pub(super) fn failure_before_head(&self, error: hyper::Error) -> UpstreamError {
        match self.state.load(Ordering::Acquire) {
            STALLED => self.stalled(),
            _ => UpstreamError::before_head(error),
        }
    }

    fn stalled(&self) -> UpstreamError {
        UpstreamError::RequestIdle {
            after: self.idle_limit,
        }
    }

    /// When the last frame moved, or the exchange began.
    pub(super) fn last_moved(&self) -> Instant {
        *self.moved.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until the origin has taken nothing for the limit (`true`), or the upload is over. A
    /// client that sends nothing is not waited for here: the body itself does.
    pub(super) async fn is_stuck(&self) -> bool {
        loop {
            let deadline = self.last_moved() + self.idle_limit;
            let is_late = deadline <= Instant::now();
            match self.state.load(Ordering::Acquire) {
                FLOWING if is_late => return true,
                WAITS_FOR_CLIENT if is_late => sleep(self.idle_limit).await,
                FLOWING | WAITS_FOR_CLIENT => sleep_until(deadline).await,
                _ => return false,
            }
        }
    }

    fn note(&self, state: u8) {
        self.state.store(state, Ordering::Release);
        if matches!(state, FLOWING | DONE) {
            *self.moved.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        }
    }
}

impl Drop for RequestBody {
    fn drop(&mut self) {
        let state = self.upload.state.load(Ordering::Acquire);
        if matches!(state, FLOWING | WAITS_FOR_CLIENT) {
            self.upload.note(GONE);
        }
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let polled = Pin::new(&mut self.inner).poll_frame(cx);
        let Poll::Ready(mut frame) = polled else {
            self.upload.note(WAITS_FOR_CLIENT);
            let after = ready!(self.idle.poll_expired(cx));
            self.upload.note(STALLED);
            return Poll::Ready(Some(Err(UpstreamError::RequestIdle { after }.into())));
        };
        self.idle.stop();
        if frame.is_none() && self.was_reset() {
            frame = Some(Err("the request was reset before its end".into()));
        }
        self.upload.note(match &frame {
            None => DONE,
            Some(Ok(_)) if self.inner.is_end_stream() => DONE,
            Some(Ok(_)) => FLOWING,
            Some(Err(_)) => BROKEN,
        });
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
