use std::io;
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use rustls::version::{TLS12, TLS13};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::certificates::{ALPN_CHALLENGE, Certificates};
use super::transport::Transport;
use crate::telemetry::Metrics;

/// Makes TLS sessions of connections.
#[derive(Clone, Debug)]
pub(super) struct Handshake {
    config: Arc<ServerConfig>,
    timeout: Duration,
}

/// What was agreed on with a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    Http1,
    Http2,
}

const ALPN_HTTP1: &[u8] = b"http/1.1";
const ALPN_HTTP2: &[u8] = b"h2";

impl Handshake {
    pub(super) fn new(
        certificates: &Arc<Certificates>,
        timeout: Duration,
    ) -> Result<Self, rustls::Error> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&TLS13, &TLS12])?
            .with_no_client_auth()
            .with_cert_resolver(certificates.resolver());
        config.alpn_protocols = vec![ALPN_HTTP2.to_vec(), ALPN_HTTP1.to_vec()];
        if certificates.are_ordered() {
            config.alpn_protocols.push(ALPN_CHALLENGE.to_vec());
        }
        config.ticketer = rustls::crypto::aws_lc_rs::Ticketer::new()?;
        let config = Arc::new(config);
        Ok(Self { config, timeout })
    }

    /// `None` when no session came about; why is counted.
    pub(super) async fn accept(
        &self,
        transport: Transport,
        metrics: &Metrics,
    ) -> Option<TlsStream<Transport>> {
        let acceptor = TlsAcceptor::from(Arc::clone(&self.config));
        match timeout(self.timeout, acceptor.accept(transport)).await {
            Ok(Ok(stream)) => return Some(stream),
            Ok(Err(error)) => {
                tracing::debug!(%error, "a TLS handshake failed");
                metrics.tls_handshake_failed(reason(&error));
            }
            Err(_) => metrics.tls_handshake_failed("timeout"),
        }
        None
    }
}

impl Protocol {
    /// `None`: an authority has seen what it came for, and goes.
    pub(super) fn agreed(stream: &TlsStream<Transport>) -> Option<Self> {
        match stream.get_ref().1.alpn_protocol() {
            Some(ALPN_CHALLENGE) => None,
            Some(ALPN_HTTP2) => Some(Self::Http2),
            Some(_) | None => Some(Self::Http1),
        }
    }
}

fn reason(error: &io::Error) -> &'static str {
    let tls = error.get_ref().and_then(|e| e.downcast_ref());
    match tls {
        Some(rustls::Error::AlertReceived(_)) => "refused_by_client",
        Some(rustls::Error::NoApplicationProtocol) => "no_common_protocol",
        Some(rustls::Error::PeerIncompatible(_)) => "incompatible",
        Some(rustls::Error::InvalidMessage(_)) => "not_tls",
        Some(_) => "other",
        None => "closed",
    }
}
