//! The ring that every exchange passes through, outermost first: access log, panic, rescue, gate,
//! dispatch. It is one function rather than a stack of tower layers: five steps, each named, no
//! generic bound and no boxed future between them.

use std::pin::pin;
use std::sync::Arc;

use http::header::{CONNECTION, CONTENT_LENGTH, HeaderValue};
use http::{Request, Response, Version};
use http_body::Body;
use hyper::body::Incoming;
use tokio::time::Instant;

use super::access_log::{ExchangeLog, chain};
use super::catch_panic::{Panicked, catch_panic};
use super::dispatch::dispatch;
use super::edge::Shared;
use crate::proxy::{Notes, ProxyError, hurried, rescue};
use crate::server::ConnectionInfo;
use crate::telemetry::Blame;
use crate::wire::EdgeBody;

/// A request as the server hands it over.
#[derive(Debug)]
pub(super) struct Arrival {
    pub(super) request: Request<Incoming>,
    pub(super) connection: ConnectionInfo,
    pub(super) notes: Notes,
}

/// Answers a request, whatever happens.
pub(super) async fn answer(shared: Arc<Shared>, arrival: Arrival) -> Response<EdgeBody> {
    let version = arrival.request.version();
    let notes = arrival.notes.clone();
    // Outermost, so that its line covers all that happens to the exchange, to the last byte.
    let log = ExchangeLog::begin(&shared.edge, shared.access_log.as_ref(), &arrival);
    // Around everything of ours that could panic, and below the log, so that a panic has its line.
    let deadline = shared.edge.limits.exchange_timeout;
    let deadline = deadline.map(|time| Instant::now() + time);
    let dispatched = pin!(dispatch(&shared, arrival));
    let answered = catch_panic(pin!(hurried(deadline, dispatched))).await;
    // Errors become answers here, and nowhere else.
    let answered = answered.unwrap_or_else(|Panicked| Err(ProxyError::Panicked));
    let answer = answered.unwrap_or_else(|error| rescued(&shared, &error, &notes, version));
    log.follow(ended_visibly(answer, version))
}

/// To a visitor of HTTP/1.0 only the close ends an answer without a length. hyper would promise him
/// to keep the connection, unless the answer is of that version, too.
fn ended_visibly(mut answer: Response<EdgeBody>, version: Version) -> Response<EdgeBody> {
    let has_length = answer.headers().contains_key(CONTENT_LENGTH)
        || answer.body().size_hint().exact().is_some();
    if version <= Version::HTTP_10 && !has_length {
        *answer.version_mut() = Version::HTTP_10;
        let close = HeaderValue::from_static("close");
        answer.headers_mut().insert(CONNECTION, close);
    }
    answer
}

fn rescued(
    shared: &Shared,
    error: &ProxyError,
    notes: &Notes,
    version: Version,
) -> Response<EdgeBody> {
    let (kind, blame) = (error.kind(), error.blame());
    let upstream = matches!(error, ProxyError::Upstream(_) | ProxyError::Switch(_));
    notes.write(|seen| {
        seen.verdict = Some(if blame == Blame::Downstream {
            "refused"
        } else {
            "failed"
        });
        seen.reason = Some(kind);
        seen.blame = Some(blame);
    });
    if upstream {
        let seen = notes.read();
        let site = seen.site.as_deref().unwrap_or("-");
        shared.edge.metrics.upstream_error(site, kind, blame);
        // What clients do, they can do as often as they like: no line that an operator must read.
        // Of an origin that is down one is told when it goes.
        match blame {
            _ if matches!(error, ProxyError::Upstream(error) if error.retry_after().is_some()) => {
                tracing::debug!(site, kind, error = %chain(error), "no origin is asked");
            }
            Blame::Downstream => {
                tracing::debug!(site, kind, error = %chain(error), "no answer from upstream");
            }
            Blame::Internal | Blame::Upstream => {
                tracing::warn!(site, kind, error = %chain(error), "no answer from upstream");
            }
        }
    } else if blame == Blame::Downstream {
        shared.edge.metrics.refused(kind);
    } else {
        tracing::error!(kind, "an exchange failed");
    }
    let routes = shared.routes.load();
    let seen = notes.read();
    rescue(error, version, routes.error_page(seen.site.as_deref()))
}
