use http::{Response, StatusCode};

use super::body::UpstreamBody;
use super::client::Shared;
use super::error::UpstreamError;
use super::health::Fault;
use super::pulse::InFlight;

/// An exchange's place at one of the origins.
pub(super) struct Turn<'g> {
    pub(super) index: usize,
    pub(super) origin: &'g Shared,
    pub(super) in_flight: InFlight,
    /// There is no other.
    pub(super) is_alone: bool,
}

/// What origins are chosen by, for one exchange.
#[derive(Clone, Copy)]
pub(super) struct Choice {
    /// The exchange's.
    pub(super) number: u64,
    pub(super) key: u64,
    pub(super) tried: Tried,
}

/// The origins that failed in one exchange, by their places.
#[derive(Clone, Copy, Default)]
pub(super) struct Tried(u64);

impl Turn<'_> {
    /// The exchange has its answer, and lasts until that was read.
    pub(super) fn settle(mut self, mut response: Response<UpstreamBody>) -> Response<UpstreamBody> {
        match response.status() {
            StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT
                if !self.is_alone =>
            {
                self.in_flight.failed(Fault::Unserving);
            }
            _ => self.in_flight.succeeded(),
        }
        response.body_mut().hold(self.in_flight);
        response
    }

    pub(super) fn fail(mut self, error: &UpstreamError) {
        match error.fault() {
            Some(Fault::Unserving) if self.is_alone => self.in_flight.succeeded(),
            Some(fault) => self.in_flight.failed(fault),
            None => {}
        }
    }
}

impl Tried {
    pub(super) fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(super) fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(super) fn add(&mut self, index: usize) {
        self.0 |= 1u64.checked_shl(index as u32).unwrap_or_default();
    }

    pub(super) fn has(self, index: usize) -> bool {
        self.0 & 1u64.checked_shl(index as u32).unwrap_or_default() != 0
    }
}
