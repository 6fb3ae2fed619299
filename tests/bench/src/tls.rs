//! One certificate (P-256) for all proxies, and clients that take any.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Result;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{Resumption, Tls12Resumption};
use rustls::crypto::ring::{cipher_suite, default_provider, kx_group};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, HandshakeKind, SignatureScheme};

use crate::client::{HOST, Target, encrypt};

pub struct Certificate {
    pub directory: PathBuf,
    pub chain: PathBuf,
    pub key: PathBuf,
    pub both: PathBuf,
}

impl Certificate {
    pub fn create(bench: &Path) -> Result<Self> {
        let directory = bench.join("certs");
        fs::create_dir_all(&directory)?;
        let made = rcgen::generate_simple_self_signed([HOST.to_owned()])?;
        let (chain, key) = (made.cert.pem(), made.signing_key.serialize_pem());
        let paths = Self {
            chain: directory.join("chain.pem"),
            key: directory.join("key.pem"),
            both: bench.join("both.pem"),
            directory,
        };
        fs::write(&paths.chain, &chain)?;
        fs::write(&paths.key, &key)?;
        fs::write(&paths.both, chain + &key)?;
        Ok(paths)
    }
}

/// X25519 only: what all proxies here can, so that none is measured on a dearer key exchange.
pub fn client(protocol: &str, resume: bool) -> Result<Arc<ClientConfig>> {
    let mut provider = default_provider();
    provider.kx_groups = vec![kx_group::X25519];
    // In the order of browsers: servers follow it, and SHA-384 costs them most of a handshake.
    let aes_128 = cipher_suite::TLS13_AES_128_GCM_SHA256;
    provider
        .cipher_suites
        .sort_by_key(|suite| *suite != aes_128);
    let mut config = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(AnyCertificate))
        .with_no_client_auth();
    config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
    config.resumption = match resume {
        true => Resumption::in_memory_sessions(64).tls12_resumption(Tls12Resumption::Disabled),
        false => Resumption::disabled(),
    };
    Ok(Arc::new(config))
}

#[derive(Debug)]
struct AnyCertificate;

impl ServerCertVerifier for AnyCertificate {
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
        vec![
            SignatureScheme::ECDSA_NISTP256_SHA256,
            SignatureScheme::RSA_PSS_SHA256,
        ]
    }
}

/// Whether a second connection takes up the session of the first.
pub fn resumes(target: &Target) -> Result<bool> {
    let config = client("http/1.1", true)?;
    for _ in 0..2 {
        let mut stream = encrypt(TcpStream::connect(target.address)?, &config)?;
        if stream.conn.handshake_kind() == Some(HandshakeKind::Resumed) {
            return Ok(true);
        }
        // The ticket comes behind the handshake: with the answer, at the latest.
        stream.write_all(&target.request)?;
        let mut answer = [0; 16 * 1024];
        let _ = stream.read(&mut answer)?;
    }
    Ok(false)
}
