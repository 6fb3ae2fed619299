use std::path::Path;
use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ConfigBuilder, RootCertStore, WantsVerifier, client::WantsClientCert};
use rustls_platform_verifier::BuilderVerifierExt;

use super::target::{Target, TlsSettings};
use crate::problem::{Place, Problem};

/// What a TLS handshake with an origin needs.
#[derive(Clone, Debug)]
pub(super) struct TlsIdentity {
    pub(super) config: Arc<ClientConfig>,
    /// The same, with HTTP/2 offered.
    pub(super) http2: Arc<ClientConfig>,
    pub(super) name: ServerName<'static>,
}

type Verified = ConfigBuilder<ClientConfig, WantsClientCert>;

impl TlsIdentity {
    /// Reads every file that is named, and reports every fault in them at once.
    pub(super) fn load(target: &Target) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let name = collect(&mut problems, server_name(target));
        let client = collect(&mut problems, client_identity(&target.tls));
        let verified = collect(&mut problems, verified(&target.tls));
        let (Some(name), Some(client), Some(verified)) = (name, client, verified) else {
            return Err(problems);
        };
        let mut config = match client {
            None => verified.with_no_client_auth(),
            Some(client) => client.install(verified).map_err(|problem| vec![problem])?,
        };
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let mut http2 = config.clone();
        http2.alpn_protocols.insert(0, HTTP_2.to_vec());
        Ok(Self {
            config: Arc::new(config),
            http2: Arc::new(http2),
            name,
        })
    }
}

/// What HTTP/2 is called in the handshake (RFC 9113 3.2).
pub(super) const HTTP_2: &[u8] = b"h2";

/// The chain and key with which the edge proves who it is.
struct ClientIdentity {
    path: std::path::PathBuf,
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

impl ClientIdentity {
    fn install(self, verified: Verified) -> Result<ClientConfig, Problem> {
        verified
            .with_client_auth_cert(self.chain, self.key)
            .map_err(|error| {
                Problem::error(
                    Place::Path(self.path),
                    format!("this certificate and its key cannot be used: {error}"),
                    "give the certificate that belongs to the key",
                )
            })
    }
}

fn collect<T>(problems: &mut Vec<Problem>, result: Result<T, Problem>) -> Option<T> {
    result.map_err(|problem| problems.push(problem)).ok()
}

fn server_name(target: &Target) -> Result<ServerName<'static>, Problem> {
    let name = target.tls.server_name.as_ref().unwrap_or(&target.host);
    ServerName::try_from(name.clone()).map_err(|_| {
        Problem::error(
            Place::Flag("server_name"),
            format!("{name:?} is not a name that a certificate can carry"),
            "write a DNS name or an IP address",
        )
    })
}

fn verified(settings: &TlsSettings) -> Result<Verified, Problem> {
    let builder = builder()?;
    match &settings.ca {
        Some(ca) => Ok(builder.with_root_certificates(roots(ca)?)),
        None => builder.with_platform_verifier().map_err(|error| {
            Problem::error(
                Place::Flag("ca"),
                format!("the authorities that this system trusts cannot be read: {error}"),
                "install the package ca-certificates, or name a PEM file as ca",
            )
        }),
    }
}

fn builder() -> Result<ConfigBuilder<ClientConfig, WantsVerifier>, Problem> {
    ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(|error| {
            Problem::error(
                Place::Flag("origin"),
                format!("no TLS version can be offered: {error}"),
                "report this: the cryptographic provider was built without TLS 1.2 and 1.3",
            )
        })
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

fn roots(path: &Path) -> Result<RootCertStore, Problem> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(path)? {
        roots.add(certificate).map_err(|error| {
            Problem::error(
                Place::Path(path.to_owned()),
                format!("a certificate in this file cannot be an authority: {error}"),
                "give the PEM file of the authority that signed the origin's certificate",
            )
        })?;
    }
    Ok(roots)
}

fn client_identity(settings: &TlsSettings) -> Result<Option<ClientIdentity>, Problem> {
    match (&settings.client_certificate, &settings.client_key) {
        (None, None) => Ok(None),
        (Some(certificate), Some(key)) => Ok(Some(ClientIdentity {
            path: certificate.clone(),
            chain: certificates(certificate)?,
            key: private_key(key)?,
        })),
        (Some(path), None) => Err(Problem::error(
            Place::Path(path.clone()),
            "a client certificate without its key",
            "name the private key's PEM file as client_key",
        )),
        (None, Some(path)) => Err(Problem::error(
            Place::Path(path.clone()),
            "a client key without its certificate",
            "name the certificate's PEM file as client_certificate",
        )),
    }
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, Problem> {
    let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    match read {
        Ok(certificates) if certificates.is_empty() => Err(Problem::error(
            Place::Path(path.to_owned()),
            "no certificate in this file",
            "give a PEM file with a line -----BEGIN CERTIFICATE-----",
        )),
        Ok(certificates) => Ok(certificates),
        Err(error) => Err(unreadable(path, &error)),
    }
}

fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, Problem> {
    PrivateKeyDer::from_pem_file(path).map_err(|error| unreadable(path, &error))
}

fn unreadable(path: &Path, error: &rustls::pki_types::pem::Error) -> Problem {
    Problem::error(
        Place::Path(path.to_owned()),
        format!("cannot be read as PEM: {error}"),
        "give a PEM file that this process may read",
    )
}
