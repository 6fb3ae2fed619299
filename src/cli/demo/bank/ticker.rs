use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame};
use http_body_util::BodyExt;
use tokio::time::{Interval, interval};

use crate::wire::{BoxError, EdgeBody};

/// Quotes as server-sent events, a few a second, until the client goes, or for an hour: a browser
/// then comes back by itself.
pub(super) fn events() -> EdgeBody {
    let ticker = Ticker {
        clock: interval(BETWEEN_TICKS),
        sent: 0,
    };
    ticker.boxed_unsync()
}

struct Ticker {
    clock: Interval,
    sent: u32,
}

impl Body for Ticker {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if self.sent == TICKS {
            return Poll::Ready(None);
        }
        ready!(self.clock.poll_tick(context));
        let event = event(self.sent);
        self.sent += 1;
        Poll::Ready(Some(Ok(Frame::data(event.into()))))
    }
}

/// A made-up quote that wanders to and fro.
fn event(number: u32) -> String {
    let step = f64::from(number % 40);
    let (symbol, value) = match number % 3 {
        0 => ("EX30", 10_000.0 + step * 1.25),
        1 => ("PORK", 88.40 - step * 0.05),
        _ => ("EUR", 1.204 + step * 0.0005),
    };
    format!("id: {number}\ndata: {symbol} {value:.4}\n\n")
}

const BETWEEN_TICKS: Duration = Duration::from_millis(250);
const TICKS: u32 = 4 * 60 * 60;
