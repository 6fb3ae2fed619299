//! The client's side of TLS, for tests that are about what is said, not by whom. The tests in
//! `tests/it` use this file as well.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use rustls::client::WantsClientCert;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::version::{TLS12, TLS13};
use rustls::{
    ClientConfig, ConfigBuilder, DigitallySignedStruct, SignatureScheme, SupportedProtocolVersion,
};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// A TLS session with whoever answers; `None` names no server.
pub(crate) async fn connect(
    address: SocketAddr,
    name: Option<&str>,
    protocols: &[&str],
) -> io::Result<TlsStream<TcpStream>> {
    let mut config = trusting(ALL_VERSIONS).with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|p| p.as_bytes().to_vec()).collect();
    connect_with(address, name, config).await
}

/// The same, by a client's settings; clones of a configuration share their session tickets.
pub(crate) async fn connect_with(
    address: SocketAddr,
    name: Option<&str>,
    mut config: ClientConfig,
) -> io::Result<TlsStream<TcpStream>> {
    config.enable_sni = name.is_some();
    let name = ServerName::try_from(name.unwrap_or("nobody").to_owned()).unwrap();
    let stream = TcpStream::connect(address).await?;
    let connector = TlsConnector::from(Arc::new(config));
    connector.connect(name, stream).await
}

/// The beginning of a client's settings that trust anybody; what the client shows is still to say.
pub(crate) fn trusting(
    versions: &[&'static SupportedProtocolVersion],
) -> ConfigBuilder<ClientConfig, WantsClientCert> {
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    let schemes = provider
        .signature_verification_algorithms
        .supported_schemes();
    reading(versions, schemes)
}

/// The same, for a client that reads signatures of these schemes only.
pub(crate) fn reading(
    versions: &[&'static SupportedProtocolVersion],
    schemes: Vec<SignatureScheme>,
) -> ConfigBuilder<ClientConfig, WantsClientCert> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(TrustAnybody(schemes)))
}

pub(crate) const ALL_VERSIONS: &[&SupportedProtocolVersion] = &[&TLS13, &TLS12];

#[derive(Debug)]
struct TrustAnybody(Vec<SignatureScheme>);

impl ServerCertVerifier for TrustAnybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.clone()
    }
}
