//! How a request gets to an origin: on a connection of its own, or on a share of one.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use http::header::UPGRADE;
use http::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

use super::body::UpstreamBody;
use super::client::{Failure, Shared};
use super::connector::Connected;
use super::error::UpstreamError;
use super::framing;
use super::http2::{self, Http2};
use super::multiplexed::Multiplexed;
use super::pool::{Connection, Opportunity};
use super::request_body::RequestBody;
use super::stream::Stream;

/// What carries one exchange.
#[derive(Debug)]
pub(super) enum Line {
    Http1(Connection),
    Http2(Multiplexed),
}

/// Whether a request asks for another protocol: it needs a connection of its own.
pub(super) fn is_upgrade(request: &Request<RequestBody>) -> bool {
    request.headers().contains_key(UPGRADE)
}

impl Http2 {
    /// What an origin chooses may change, and differ behind one address.
    fn note(self: &Arc<Self>, opened: &(Line, bool)) {
        match opened {
            (Line::Http1(_), true) => self.is_declined.store(true, Ordering::Relaxed),
            (Line::Http2(multiplexed), true) => {
                self.is_declined.store(false, Ordering::Relaxed);
                self.keep(multiplexed);
            }
            (_, false) => {}
        }
    }
}

impl Shared {
    /// What is open already and can carry the request.
    pub(super) fn take(&self, is_upgrade: bool) -> Option<Line> {
        let multiplexed = self.http2_for(is_upgrade).and_then(|http2| http2.take());
        let multiplexed = multiplexed.map(Line::Http2);
        multiplexed.or_else(|| self.pool.take().map(Line::Http1))
    }

    /// A new connection (`true`); where there is to be none, one that is open already.
    pub(super) async fn connect(&self, is_upgrade: bool) -> Result<(Line, bool), UpstreamError> {
        let until = Instant::now() + self.config.connect_timeout;
        let Some(http2) = self.http2_for(is_upgrade) else {
            return self.open_when_allowed(None, until).await;
        };
        let mut opening = None;
        if !http2.is_declined.load(Ordering::Relaxed) {
            let leave = timeout_at(until, http2.opening.acquire()).await;
            opening = Some(leave.map_err(|_| self.waited())?);
            if let Some(multiplexed) = http2.take() {
                return Ok((Line::Http2(multiplexed), false));
            }
        }
        let opened = self.open_when_allowed(Some(http2), until).await?;
        http2.note(&opened);
        drop(opening);
        Ok(opened)
    }

    /// What somebody else's connection is waited for in vain means: where as many are opened as are
    /// needed, that it could not be had.
    fn waited(&self) -> UpstreamError {
        let after = self.config.connect_timeout;
        match self.connections {
            None => UpstreamError::ConnectTimeout { after },
            Some(_) => UpstreamError::QueueTimeout { after },
        }
    }

    fn http2_for(&self, is_upgrade: bool) -> Option<&Arc<Http2>> {
        self.http2.as_ref().filter(|_| !is_upgrade)
    }

    /// In HTTP/2, where the origin may be spoken to in that.
    async fn open_when_allowed(
        &self,
        http2: Option<&Arc<Http2>>,
        until: Instant,
    ) -> Result<(Line, bool), UpstreamError> {
        let Some(connections) = &self.connections else {
            return Ok((self.open(None, http2.is_some()).await?, true));
        };
        let opportunity = timeout_at(until, self.opportunity(connections, http2)).await;
        match opportunity.map_err(|_| self.waited())? {
            Opportunity::Pooled(connection) => Ok((Line::Http1(connection), false)),
            Opportunity::Shared(multiplexed) => Ok((Line::Http2(multiplexed), false)),
            Opportunity::Open(permit) => Ok((self.open(permit, http2.is_some()).await?, true)),
        }
    }

    async fn opportunity(
        &self,
        connections: &Arc<Semaphore>,
        http2: Option<&Arc<Http2>>,
    ) -> Opportunity {
        let alone = self.pool.take_or_open(connections);
        let Some(http2) = http2 else {
            return alone.await;
        };
        tokio::select! {
            opportunity = alone => opportunity,
            multiplexed = http2.take_freed() => Opportunity::Shared(multiplexed),
        }
    }

    /// A new connection, which holds the permit until it is closed. `http2`: it is offered.
    pub(super) async fn open(
        &self,
        permit: Option<OwnedSemaphorePermit>,
        http2: bool,
    ) -> Result<Line, UpstreamError> {
        let Connected { transport, address } = self.connector.connect(http2).await?;
        let is_http2 = transport.is_http2();
        let (stream, probe) = Stream::new(transport, permit);
        if is_http2 {
            probe.flow().open_wide();
            let freed = self.http2.as_ref().map(|http2| Arc::clone(&http2.freed));
            let freed = freed.unwrap_or_default();
            let multiplexed = Multiplexed::open(stream, address, &self.config, freed).await?;
            return Ok(Line::Http2(multiplexed));
        }
        let (sender, driver) = self
            .builder()
            .handshake(TokioIo::new(stream))
            .await
            .map_err(UpstreamError::before_head)?;
        let driver = tokio::spawn(async move {
            // Whoever waits for the answer, or reads its body, is told of the error too.
            if let Err(error) = driver.with_upgrades().await {
                tracing::debug!(%error, "a connection to an origin ended with an error");
            }
        });
        Ok(Line::Http1(Connection {
            sender,
            probe,
            driver,
            address,
        }))
    }

    pub(super) async fn exchange(
        &self,
        line: Line,
        request: Request<RequestBody>,
    ) -> Result<Response<UpstreamBody>, Failure> {
        match line {
            Line::Http1(connection) => self.exchange_alone(connection, request).await,
            Line::Http2(multiplexed) => self.exchange_shared(multiplexed, request).await,
        }
    }

    async fn exchange_shared(
        &self,
        multiplexed: Multiplexed,
        mut request: Request<RequestBody>,
    ) -> Result<Response<UpstreamBody>, Failure> {
        let final_error = |what| Failure::Final(UpstreamError::Framing(what));
        let upload = request.body().upload();
        http2::address(&mut request).map_err(final_error)?;
        let Multiplexed {
            mut sender, share, ..
        } = multiplexed;
        let sending = sender.try_send_request(request);
        drop(sender);
        match self.before_first_byte(sending, &upload).await {
            Ok(Ok(mut response)) => {
                framing::settle(response.headers_mut()).map_err(final_error)?;
                let mut answer = self.answer(response, None, upload, Arc::default());
                answer.body_mut().share(share);
                Ok(answer)
            }
            Ok(Err(mut error)) => {
                let request = error.take_message().map(http2::restore);
                let is_unanswered = http2::is_unanswered(error.error());
                let error = upload.failure_before_head(error.into_error());
                Err(match request {
                    Some(request) => Failure::Unsent(Box::new(request), error),
                    None if is_unanswered => Failure::Unanswered(error),
                    None => Failure::Final(error),
                })
            }
            Err(error) => Err(Failure::Final(error)),
        }
    }
}
