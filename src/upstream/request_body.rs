use std::pin::Pin;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::time::Instant;

use crate::wire::{BoxError, EdgeBody};

/// A request's body on its way up, and a note of how far it has come.
#[derive(Debug)]
pub(super) struct RequestBody {
    inner: EdgeBody,
    upload: Arc<Upload>,
}

/// How far a request's body has come.
#[derive(Debug)]
pub(super) struct Upload {
    state: AtomicU8,
    moved: Mutex<Instant>,
}

/// Frames of the body are taken as fast as the origin takes them.
const FLOWING: u8 = 0;
/// The client was asked for the next frame and has none yet.
const WAITS_FOR_CLIENT: u8 = 1;
/// The whole body was handed to the connection.
const DONE: u8 = 2;

impl RequestBody {
    pub(super) fn new(inner: EdgeBody) -> Self {
        let state = if inner.is_end_stream() { DONE } else { FLOWING };
        let upload = Arc::new(Upload {
            state: AtomicU8::new(state),
            moved: Mutex::new(Instant::now()),
        });
        Self { inner, upload }
    }

    pub(super) fn upload(&self) -> Arc<Upload> {
        Arc::clone(&self.upload)
    }
}

impl Upload {
    pub(super) fn is_done(&self) -> bool {
        self.state.load(Ordering::Acquire) == DONE
    }

    pub(super) fn waits_for_client(&self) -> bool {
        self.state.load(Ordering::Acquire) == WAITS_FOR_CLIENT
    }

    /// When the last frame moved, or the exchange began.
    pub(super) fn last_moved(&self) -> Instant {
        *self.moved.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, state: u8) {
        self.state.store(state, Ordering::Release);
        if state != WAITS_FOR_CLIENT {
            *self.moved.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
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
        self.upload.note(match &polled {
            Poll::Pending => WAITS_FOR_CLIENT,
            Poll::Ready(Some(_)) if self.inner.is_end_stream() => DONE,
            Poll::Ready(Some(_)) => FLOWING,
            Poll::Ready(None) => DONE,
        });
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
