use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

use super::frames::{Frame, Frames, kind};
use crate::telemetry::Metrics;

/// An HTTP/2 connection below hyper, held to what hyper sets no limit to: frames that ask for
/// nothing and cost work (pings, settings, resets, window updates, kinds that nobody knows), and the
/// time that a preface or a head may take. It knows nothing of fields.
#[derive(Debug)]
pub(super) struct FrameWatch<I> {
    io: I,
    incoming: Frames,
    outgoing: Frames,
    spare: Spare,
    head: HeadTimer,
    metrics: Arc<Metrics>,
}

/// How many frames a client may still send beside those that its exchanges call for.
#[derive(Debug)]
struct Spare {
    left: u32,
    most: u32,
    refilled: Instant,
}

/// How long a preface, or a head, has been on its way.
#[derive(Debug)]
struct HeadTimer {
    limit: Duration,
    timer: Option<Pin<Box<Sleep>>>,
    is_running: bool,
}

/// In how many seconds all of them may be sent again.
const REFILL_SECONDS: u32 = 20;
/// A request may come with a priority, and with more window for its answer.
const EARNED_BY_REQUEST: u32 = 2;
/// What is sent to a client may be answered by more window, for the stream and for all of them.
const EARNED_BY_DATA: u32 = 2;
/// Some clients open their windows again after every few bytes that they read.
const DATA_BYTES_EARNING_ONE: u32 = 1024;
/// More than its request has earned: a client that resets all it asks for is told apart from one
/// that leaves a page with a hundred images.
const COST_OF_RESET: u32 = 4;

impl<I> FrameWatch<I> {
    pub(super) fn new(
        io: I,
        spare_frames_max: u32,
        head_timeout: Duration,
        metrics: Arc<Metrics>,
    ) -> Self {
        Self {
            io,
            incoming: Frames::of_client(),
            outgoing: Frames::of_server(),
            spare: Spare::new(spare_frames_max),
            head: HeadTimer {
                limit: head_timeout,
                timer: None,
                is_running: false,
            },
            metrics,
        }
    }

    fn note_read(&mut self, bytes: &[u8]) -> io::Result<()> {
        let heads = self.incoming.heads_ended();
        let mut is_flood = false;
        let spare = &mut self.spare;
        self.incoming
            .walk(bytes, |frame| is_flood |= !spare.admits(frame));
        if is_flood {
            return Err(self.refuse("h2_flood", io::ErrorKind::ConnectionAborted));
        }
        if self.incoming.heads_ended() != heads || !self.incoming.is_in_head() {
            self.head.is_running = false;
        }
        Ok(())
    }

    fn note_written(&mut self, bytes: &[u8]) {
        let spare = &mut self.spare;
        self.outgoing
            .walk(bytes, |frame| spare.earn_by_answer(frame));
    }

    /// Ready when a preface or a head is late.
    fn poll_late(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        if !self.incoming.is_in_head() || self.head.poll_late(cx).is_pending() {
            return Poll::Pending;
        }
        Poll::Ready(self.refuse("h2_slow_head", io::ErrorKind::TimedOut))
    }

    fn refuse(&self, reason: &'static str, kind: io::ErrorKind) -> io::Error {
        self.metrics.connection_refused(reason);
        io::Error::new(kind, reason)
    }
}

impl Spare {
    fn new(most: u32) -> Self {
        Self {
            left: most,
            most,
            refilled: Instant::now(),
        }
    }

    /// `false`: this frame is one too many.
    fn admits(&mut self, frame: Frame) -> bool {
        match frame.kind {
            kind::HEADERS => self.earn(EARNED_BY_REQUEST),
            kind::DATA if frame.length > 0 || frame.ends_stream() => {}
            kind::RST_STREAM => return self.spend(COST_OF_RESET),
            _ => return self.spend(1),
        }
        true
    }

    fn earn_by_answer(&mut self, frame: Frame) {
        if frame.kind == kind::DATA {
            self.earn(EARNED_BY_DATA + frame.length / DATA_BYTES_EARNING_ONE);
        }
    }

    fn earn(&mut self, frames: u32) {
        self.left = self.left.saturating_add(frames).min(self.most);
    }

    /// The clock is only looked at when nothing is left.
    fn spend(&mut self, frames: u32) -> bool {
        if self.left < frames {
            let refill = self.refilled.elapsed().as_millis() * u128::from(self.most);
            let refill = refill / (u128::from(REFILL_SECONDS) * 1000);
            self.refilled = Instant::now();
            self.earn(u32::try_from(refill).unwrap_or(self.most));
        }
        let left = self.left.checked_sub(frames);
        self.left = left.unwrap_or(0);
        left.is_some()
    }
}

impl HeadTimer {
    fn poll_late(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let limit = self.limit;
        let deadline = || Instant::now() + limit;
        let timer = self
            .timer
            .get_or_insert_with(|| Box::pin(sleep_until(deadline())));
        if !self.is_running {
            self.is_running = true;
            timer.as_mut().reset(deadline());
        }
        timer.as_mut().poll(cx)
    }
}

impl<I: AsyncRead + Unpin> AsyncRead for FrameWatch<I> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        match Pin::new(&mut self.io).poll_read(cx, buf) {
            Poll::Ready(Ok(())) => {
                let noted = self.note_read(&buf.filled()[before..]);
                // A head that comes byte by byte is looked at between the bytes, too.
                let late = self.poll_late(cx);
                Poll::Ready(match late {
                    Poll::Ready(error) => noted.and(Err(error)),
                    Poll::Pending => noted,
                })
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => self.poll_late(cx).map(Err),
        }
    }
}

impl<I: AsyncWrite + Unpin> AsyncWrite for FrameWatch<I> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.io).poll_write(cx, bytes);
        if let Poll::Ready(Ok(count)) = polled {
            self.note_written(&bytes[..count]);
        }
        polled
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.io).poll_write_vectored(cx, slices);
        if let Poll::Ready(Ok(mut count)) = polled {
            for slice in slices {
                let taken = count.min(slice.len());
                self.note_written(&slice[..taken]);
                count -= taken;
            }
        }
        polled
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PING: Frame = Frame::new(6, 0, 8);
    const RESET: Frame = Frame::new(kind::RST_STREAM, 0, 4);
    const REQUEST: Frame = Frame::new(kind::HEADERS, 5, 20);
    const WINDOW: Frame = Frame::new(8, 0, 4);

    /// How many rounds of these frames are let in at once.
    fn rounds(frames: &[Frame]) -> usize {
        let mut spare = Spare::new(1000);
        let mut round = || frames.iter().all(|frame| spare.admits(*frame));
        (0..10_000).take_while(|_| round()).count()
    }

    #[tokio::test(start_paused = true)]
    async fn what_asks_for_nothing_is_counted() {
        let empty = Frame::new(kind::DATA, 0, 0);
        let unknown = Frame::new(0xfa, 0, 0);
        for (frames, expected) in [
            (&[PING][..], 1000),
            (&[Frame::new(4, 0, 0)], 1000),
            (&[Frame::new(2, 0, 5)], 1000),
            (&[WINDOW], 1000),
            (&[empty], 1000),
            (&[unknown], 1000),
            (&[REQUEST, RESET], 499),
            (&[REQUEST, WINDOW, Frame::new(kind::DATA, 1, 0)], 10_000),
            (&[Frame::new(kind::DATA, 0, 1)], 10_000),
            (&[REQUEST], 10_000),
        ] {
            assert_eq!(rounds(frames), expected, "{frames:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn time_and_answers_earn_more() {
        let mut spare = Spare::new(1000);
        while spare.admits(PING) {}
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!((0..100).filter(|_| spare.admits(PING)).count(), 50);
        spare.earn_by_answer(Frame::new(kind::DATA, 0, 16 * 1024));
        assert_eq!((0..100).filter(|_| spare.admits(WINDOW)).count(), 18);
        spare.earn_by_answer(Frame::new(kind::HEADERS, 0, 16 * 1024));
        assert!(!spare.admits(WINDOW));
    }
}
