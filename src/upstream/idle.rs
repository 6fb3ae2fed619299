use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep};

/// How long one side of an exchange keeps the other waiting.
#[derive(Debug)]
pub(super) struct IdleTimer {
    limit: Duration,
    /// Made when there is something to wait for, which most bodies never need.
    sleep: Option<Pin<Box<Sleep>>>,
    is_running: bool,
}

impl IdleTimer {
    pub(super) fn new(limit: Duration) -> Self {
        Self {
            limit,
            sleep: None,
            is_running: false,
        }
    }

    /// Something has come.
    pub(super) fn stop(&mut self) {
        self.is_running = false;
    }

    /// Ready when nothing has come for the whole time since the first call.
    pub(super) fn poll_expired(&mut self, cx: &mut Context<'_>) -> Poll<Duration> {
        let limit = self.limit;
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(sleep(limit)));
        if !self.is_running {
            self.is_running = true;
            sleep.as_mut().reset(Instant::now() + limit);
        }
        sleep.as_mut().poll(cx).map(|()| limit)
    }
}
