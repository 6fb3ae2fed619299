use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::wire::{RawFault, RawHeads};

/// An HTTP/1.x connection in the clear, whose heads are looked at before hyper puts them in order.
#[derive(Debug)]
pub(super) struct Watched<I> {
    inner: I,
    heads: RawHeads,
    seen: HeadWatch,
}

/// What was seen, for the exchanges of the connection.
#[derive(Clone, Debug, Default)]
pub(super) struct HeadWatch(Arc<Seen>);

#[derive(Debug, Default)]
struct Seen {
    /// Requests that hyper has handed over.
    requests: AtomicU64,
    /// The first that may not be served; 0: all may.
    faulty: AtomicU64,
    fault: OnceLock<RawFault>,
}

impl<I> Watched<I> {
    pub(super) fn new(inner: I) -> (Self, HeadWatch) {
        let seen = HeadWatch::default();
        let watched = Self {
            inner,
            heads: RawHeads::new(),
            seen: seen.clone(),
        };
        (watched, seen)
    }

    fn read(&mut self, bytes: &[u8]) {
        if self.heads.fault().is_none() {
            self.heads.read(bytes);
            if let Some((request, fault)) = self.heads.fault() {
                self.seen.note(request, fault);
            }
        }
    }
}

impl HeadWatch {
    /// What is wrong with the request that hyper hands over now.
    pub(super) fn next(&self) -> Option<RawFault> {
        let Self(seen) = self;
        let request = seen.requests.fetch_add(1, Ordering::AcqRel) + 1;
        let faulty = seen.faulty.load(Ordering::Acquire);
        let is_faulty = faulty != 0 && request >= faulty;
        is_faulty.then(|| seen.fault.get().copied())?
    }

    fn note(&self, request: u64, fault: RawFault) {
        let Self(seen) = self;
        seen.fault.get_or_init(|| fault);
        seen.faulty.store(request, Ordering::Release);
    }
}

impl<I: AsyncRead + Unpin> AsyncRead for Watched<I> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.inner).poll_read(cx, buf))?;
        self.read(&buf.filled()[before..]);
        Poll::Ready(Ok(()))
    }
}

impl<I: AsyncWrite + Unpin> AsyncWrite for Watched<I> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}
