use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Instant, SystemTime};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;

use super::stack::Arrival;
use crate::proxy::{self, Notes};
use crate::telemetry::{AccessLog, AccessRecord, Blame, Direction, Metrics};
use crate::upstream::UpstreamError;
use crate::wire::{Authority, BoxError, EdgeBody, TrustedPeers};

/// What is counted and logged of an exchange, from its head to the last byte of its answer.
#[derive(Debug)]
pub(super) struct ExchangeLog {
    metrics: Arc<Metrics>,
    notes: Notes,
    began: Instant,
    status: u16,
    bytes_down: u64,
    /// `None`: the access log is off.
    line: Option<Box<Line>>,
}

/// The line of an exchange, as far as it is known from its beginning.
#[derive(Debug)]
struct Line {
    log: AccessLog,
    record: AccessRecord,
}

impl ExchangeLog {
    pub(super) fn begin(edge: &proxy::Edge, log: Option<&AccessLog>, arrival: &Arrival) -> Self {
        let line = log.map(|log| {
            Box::new(Line {
                log: log.clone(),
                record: record(edge, arrival),
            })
        });
        Self {
            metrics: Arc::clone(&edge.metrics),
            notes: arrival.notes.clone(),
            began: Instant::now(),
            status: 0,
            bytes_down: 0,
            line,
        }
    }

    /// Lets the answer's body close the log when its last frame, or an error, leaves.
    pub(super) fn follow(mut self, answer: Response<EdgeBody>) -> Response<EdgeBody> {
        self.status = answer.status().as_u16();
        answer.map(|body| {
            LoggedBody {
                body: Some(body),
                log: Some(self),
                cut: None,
            }
            .boxed_unsync()
        })
    }

    fn close(self, cut: Option<Blame>) {
        let seen = self.notes.read();
        let duration = self.began.elapsed();
        match &seen.site {
            Some(site) => self
                .metrics
                .request(Arc::clone(site), self.status, duration),
            None => self.metrics.request(NO_SITE, self.status, duration),
        }
        self.metrics.bytes(Direction::Down, self.bytes_down);
        let Some(line) = self.line else {
            return;
        };
        line.log.record(&AccessRecord {
            status: self.status,
            bytes_down: self.bytes_down,
            duration,
            upstream: seen.upstream,
            site: seen.site,
            rule: seen.rule,
            verdict: seen.verdict,
            reason: seen.reason,
            blame: seen.blame.or(cut),
            ..line.record
        });
    }
}

/// What the request's head says.
fn record(edge: &proxy::Edge, arrival: &Arrival) -> AccessRecord {
    let head = &arrival.request;
    let host = head.headers().get(http::header::HOST);
    let authority = match head.uri().authority() {
        Some(authority) => Some(authority.as_str().as_bytes()),
        None => host.map(HeaderValue::as_bytes),
    };
    // What is no plain host may be anything, a password among it.
    let authority = authority.and_then(|authority| Authority::parse(authority).ok());
    AccessRecord {
        time: SystemTime::now(),
        peer: visitor(&edge.trusted_peers, arrival.connection.peer, head.headers()),
        method: head.method().to_string(),
        scheme: arrival.connection.scheme.as_str(),
        authority: authority.map(|authority| authority.to_string()),
        path: head.uri().path().to_owned(),
        status: 0,
        bytes_down: 0,
        duration: Default::default(),
        upstream: None,
        site: None,
        rule: None,
        verdict: None,
        reason: None,
        blame: None,
    }
}

/// Who asked, as far as trusted peers tell. They do not tell from which port: it is 0 then, for the
/// peer's own port belongs to another address.
fn visitor(trusted: &TrustedPeers, peer: SocketAddr, headers: &HeaderMap) -> SocketAddr {
    let address = trusted.visitor_address(peer.ip(), headers);
    match address == peer.ip().to_canonical() {
        true => peer,
        false => SocketAddr::new(address, 0),
    }
}

/// The site's label for what belongs to none: refused requests, unknown hosts, session traffic.
const NO_SITE: &str = "-";

/// Counts the bytes of an answer and closes its log, however it ends.
struct LoggedBody {
    body: Option<EdgeBody>,
    log: Option<ExchangeLog>,
    cut: Option<Blame>,
}

impl Body for LoggedBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let Some(body) = &mut self.body else {
            return Poll::Ready(None);
        };
        let polled = Pin::new(body).poll_frame(context);
        match &polled {
            Poll::Ready(Some(Ok(frame))) => {
                let length = frame.data_ref().map_or(0, |data| data.len() as u64);
                if let Some(log) = &mut self.log {
                    log.bytes_down += length;
                }
            }
            Poll::Ready(Some(Err(error))) => {
                let blame = blame(error.as_ref());
                let error = chain(error.as_ref());
                match blame {
                    Blame::Downstream => tracing::debug!(%error, "an answer was cut off"),
                    Blame::Internal | Blame::Upstream => {
                        tracing::warn!(%error, "an answer was cut off");
                    }
                }
                self.cut = Some(blame);
                self.close();
            }
            Poll::Ready(None) => self.close(),
            Poll::Pending => {}
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body
            .as_ref()
            .map_or_else(SizeHint::default, Body::size_hint)
    }
}

impl LoggedBody {
    /// The body goes first: what it learnt is noted when it ends.
    fn close(&mut self) {
        self.body = None;
        if let Some(log) = self.log.take() {
            log.close(self.cut);
        }
    }
}

impl Drop for LoggedBody {
    /// A body that is dropped before its end was not wanted any more, or had none (HEAD, 304).
    fn drop(&mut self) {
        let unread = self.body.as_ref().is_some_and(|body| !body.is_end_stream());
        let had_bytes = self.log.as_ref().is_some_and(|log| log.bytes_down > 0);
        self.cut = (unread && had_bytes).then_some(Blame::Downstream);
        self.close();
    }
}

/// Who broke an answer off: the origin, where nobody says otherwise.
fn blame(error: &(dyn std::error::Error + 'static)) -> Blame {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(upstream) = error.downcast_ref::<UpstreamError>() {
            return upstream.blame();
        }
        cause = error.source();
    }
    Blame::Upstream
}

/// An error with its causes, in one line.
pub(super) fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("the page broke off")]
    struct Wrapped(#[source] UpstreamError);

    #[test]
    fn who_broke_an_answer_off_is_found_among_its_causes() {
        let after = Duration::from_secs(60);
        let table = [
            (UpstreamError::RequestIdle { after }, Blame::Downstream),
            (UpstreamError::BodyIdle { after }, Blame::Upstream),
        ];
        for (error, expected) in table {
            assert_eq!(blame(&Wrapped(error)), expected);
        }
        assert_eq!(blame(&std::fmt::Error), Blame::Upstream);
    }
}
