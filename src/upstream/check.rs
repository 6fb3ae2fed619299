use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::Duration;

use http::header::{CONNECTION, HOST, HeaderValue, USER_AGENT};
use http::{Request, Uri};
use http_body_util::{BodyExt, Limited};
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

use super::client::{Client, Shared, prepared};
use super::health::Fault;
use super::line::Line;
use super::request_body::RequestBody;
use super::resolver::Resolver;
use crate::wire::empty_body;

/// How an origin is asked whether it is well.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HealthCheck {
    /// In origin-form.
    pub path: Uri,
    /// What is said in Host; none: the origin's own name.
    pub host: Option<HeaderValue>,
    pub interval: Duration,
    /// For the whole answer.
    pub timeout: Duration,
    /// Checks in a row after which an origin is back.
    pub healthy_after: u32,
    /// Checks in a row after which it is left alone.
    pub unhealthy_after: u32,
    /// What a good answer has; none: 200 to 399.
    pub statuses: Vec<u16>,
}

/// More of an answer is not read.
const BODY_MAX: usize = 64 * 1024;

impl Client {
    /// Looks after the origin as long as anybody uses it: looks its name up anew, and checks its
    /// health, where that is wanted.
    /// Further calls do nothing.
    pub(super) fn watch(&self) {
        if self.shared.is_watched.swap(true, Ordering::AcqRel) {
            return;
        }
        if let Some(interval) = self
            .shared
            .connector
            .resolver()
            .and_then(Resolver::interval)
        {
            tokio::spawn(resolve_always(Arc::downgrade(&self.shared), interval));
        }
        if let Some(check) = &self.shared.config.health_check {
            tokio::spawn(check_always(Arc::downgrade(&self.shared), check.clone()));
        }
    }
}

/// So that changes are heeded where no new connection asks for them.
async fn resolve_always(origin: Weak<Shared>, every: Duration) {
    loop {
        sleep(every).await;
        let Some(origin) = origin.upgrade() else {
            return;
        };
        let Some(resolver) = origin.connector.resolver() else {
            return;
        };
        if let Err(error) = resolver.look_up().await {
            tracing::debug!(%error, "an origin's name cannot be looked up");
        }
    }
}

async fn check_always(origin: Weak<Shared>, check: HealthCheck) {
    let mut ticks = interval(check.interval);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let Some(origin) = origin.upgrade() else {
            return;
        };
        let outcome = timeout(check.timeout, origin.ask(&check)).await;
        match outcome.unwrap_or(Err(Some(Fault::Unserving))) {
            Ok(()) => origin.pulse.note_check(Ok(()), &check),
            Err(Some(fault)) => origin.pulse.note_check(Err(fault), &check),
            Err(None) => {}
        }
    }
}

impl Shared {
    /// On a connection of its own, which ends with the answer: whether one can be had is part of the
    /// question, and those of visitors are not to grow in number by it. No fault where it is the
    /// edge that lacks something.
    async fn ask(&self, check: &HealthCheck) -> Result<(), Option<Fault>> {
        let line = self.open(None, self.http2.is_some()).await;
        let line = line.map_err(|error| error.fault().map(|_| Fault::Unreachable))?;
        let mut question = self.question(check);
        if let Line::Http1(_) = line {
            let headers = question.headers_mut();
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        let answer = self.exchange(line, question).await;
        let answer = answer.map_err(|_| Some(Fault::Unserving))?;
        let status = answer.status().as_u16();
        let is_good = match &check.statuses[..] {
            [] => (200..400).contains(&status),
            statuses => statuses.contains(&status),
        };
        let mut body = Limited::new(answer.into_body(), BODY_MAX);
        while let Some(Ok(_)) = body.frame().await {}
        is_good.then_some(()).ok_or(Some(Fault::Unserving))
    }

    fn question(&self, check: &HealthCheck) -> Request<RequestBody> {
        let mut request = Request::new(empty_body());
        *request.uri_mut() = check.path.clone();
        let own = || HeaderValue::try_from(&self.authority).ok();
        let host = check.host.clone().or_else(own);
        let headers = request.headers_mut();
        headers.extend(host.map(|host| (HOST, host)));
        headers.insert(USER_AGENT, HeaderValue::from_static(CALLED));
        prepared(request, check.timeout)
    }
}

/// For who reads the origin's log.
const CALLED: &str = "cobrowse-edge (health check)";
