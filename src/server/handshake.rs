use std::io;
use std::sync::Arc;
use std::time::Duration;

use rustls::server::danger::ClientCertVerifier;
use rustls::server::{Acceptor, ClientHello, NoServerSessionStorage};
use rustls::version::{TLS12, TLS13};
use rustls::{ConfigBuilder, ServerConfig, WantsVerifier};
use tokio::time::timeout;
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::server::TlsStream;

use super::certificates::{ALPN_CHALLENGE, Certificates, asks_for_a_challenge};
use super::transport::Transport;
use super::visitors::{Demands, VerifiedVisitor, VisitorAuthority, subject};
use crate::telemetry::Metrics;

/// Makes TLS sessions of connections.
#[derive(Clone, Debug)]
pub(super) struct Handshake {
    /// For visitors who need not show a certificate.
    config: Arc<ServerConfig>,
    certificates: Arc<Certificates>,
    demands: Option<Demands>,
    timeout: Duration,
}

/// A session, and who is at its other end, if that was asked.
pub(super) type Session = (TlsStream<Transport>, Option<VerifiedVisitor>);

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
        let mut config = builder()?
            .with_no_client_auth()
            .with_cert_resolver(certificates.resolver());
        config.alpn_protocols = vec![ALPN_HTTP2.to_vec(), ALPN_HTTP1.to_vec()];
        if certificates.are_ordered() {
            config.alpn_protocols.push(ALPN_CHALLENGE.to_vec());
        }
        config.ticketer = rustls::crypto::aws_lc_rs::Ticketer::new()?;
        // A second one is a twentieth of the work, for clients that soon open two connections more;
        // with HTTP/2 they open none.
        config.send_tls13_tickets = 1;
        Ok(Self {
            config: Arc::new(config),
            certificates: Arc::clone(certificates),
            demands: None,
            timeout,
        })
    }

    pub(super) fn demand(&mut self, demands: Demands) {
        self.demands = Some(demands);
    }

    /// `None` when no session came about; why is counted.
    pub(super) async fn accept(&self, transport: Transport, metrics: &Metrics) -> Option<Session> {
        match timeout(self.timeout, self.agree(transport)).await {
            Ok(Ok(session)) => return Some(session),
            Ok(Err(error)) => {
                tracing::debug!(%error, "a TLS handshake failed");
                metrics.tls_handshake_failed(reason(&error));
            }
            Err(_) => metrics.tls_handshake_failed("timeout"),
        }
        None
    }

    async fn agree(&self, transport: Transport) -> io::Result<Session> {
        let start = LazyConfigAcceptor::new(Acceptor::default(), transport).await?;
        let authority = self.demanded(&start.client_hello());
        let config = match &authority {
            Some(authority) => {
                let config = authority.config(|verifier| self.asking(verifier));
                config.map_err(io::Error::other)?
            }
            None => Arc::clone(&self.config),
        };
        let stream = start.into_stream(config).await?;
        let visitor = authority.and_then(|authority| {
            let certificate = stream.get_ref().1.peer_certificates()?.first()?;
            let subject = subject(certificate)?;
            Some(VerifiedVisitor { authority, subject })
        });
        Ok((stream, visitor))
    }

    /// Who must vouch for this visitor. Authorities that look at a challenge are nobody's visitors, and
    /// are shown nothing else.
    fn demanded(&self, hello: &ClientHello<'_>) -> Option<Arc<VisitorAuthority>> {
        let name = hello.server_name()?.to_ascii_lowercase();
        let demanded = self.demands.as_ref()?.of_host(&name);
        demanded.filter(|_| !asks_for_a_challenge(hello))
    }

    /// Sessions of visitors who show a certificate are not resumed: a ticket would stand for what was
    /// verified once, whatever became of it.
    fn asking(&self, verifier: Arc<dyn ClientCertVerifier>) -> Result<ServerConfig, rustls::Error> {
        let mut config = builder()?
            .with_client_cert_verifier(verifier)
            .with_cert_resolver(self.certificates.resolver());
        config.alpn_protocols = vec![ALPN_HTTP2.to_vec(), ALPN_HTTP1.to_vec()];
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        Ok(config)
    }
}

fn builder() -> Result<ConfigBuilder<ServerConfig, WantsVerifier>, rustls::Error> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    ServerConfig::builder_with_provider(provider).with_protocol_versions(&[&TLS13, &TLS12])
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
        Some(rustls::Error::InvalidCertificate(_)) => "bad_client_certificate",
        Some(rustls::Error::InvalidMessage(_)) => "not_tls",
        Some(rustls::Error::NoCertificatesPresented) => "no_client_certificate",
        Some(_) => "other",
        None => "closed",
    }
}
