//! The way to an authority: HTTPS, with a limit on how long an answer may take and how long it may be.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use instant_acme::{
    Account, AccountCredentials, BodyWrapper, BytesResponse, Error, ExternalAccountKey, HttpClient,
    NewAccount,
};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::BuilderVerifierExt;
use tokio::time::timeout;

use super::config::{Config, ExternalAccount};
use super::error::OrderError;
use super::store::Store;

/// Far above what authorities need for any answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);
/// Far above any directory, order or chain.
const ANSWER_BYTES_MAX: usize = 1024 * 1024;

#[derive(Clone)]
struct Https(Client<HttpsConnector<HttpConnector>, BodyWrapper<Bytes>>);

/// The account at the authority: the one that is kept, or a new one.
pub(super) async fn account(config: &Config, store: &Store) -> Result<Account, OrderError> {
    let https = Box::new(Https::new(config)?);
    let builder = Account::builder_with_http(https);
    if let Some(known) = store.account(&config.directory) {
        return Ok(builder.from_credentials(known).await?);
    }
    let external = config
        .external_account
        .as_ref()
        .map(external_key)
        .transpose()?;
    let contact: Vec<_> = config.contact.iter().map(String::as_str).collect();
    let new = NewAccount {
        contact: &contact,
        // The settings are refused if they do not say so.
        terms_of_service_agreed: true,
        only_return_existing: false,
    };
    let created = builder.create(&new, config.directory.clone(), external.as_ref());
    let (account, credentials): (Account, AccountCredentials) = created.await?;
    store.keep_account(&config.directory, &credentials)?;
    tracing::info!(
        directory = config.directory,
        "an account was made at the authority"
    );
    Ok(account)
}

fn external_key(external: &ExternalAccount) -> Result<ExternalAccountKey, OrderError> {
    use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
    let what = "the key of the external account";
    let text = std::fs::read_to_string(&external.key_file);
    let text = text.map_err(|source| OrderError::Keep { what, source })?;
    let key = BASE64_URL_SAFE_NO_PAD.decode(text.trim().trim_end_matches('='));
    let key = key.map_err(|_| OrderError::ExternalKey)?;
    Ok(ExternalAccountKey::new(external.id.clone(), &key))
}

impl Https {
    fn new(config: &Config) -> Result<Self, OrderError> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(OrderError::Tls)?;
        let builder = match &config.ca {
            None => builder.with_platform_verifier().map_err(OrderError::Tls)?,
            Some(file) => builder.with_root_certificates(roots(file)?),
        };
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(builder.with_no_client_auth())
            .https_only()
            .enable_http1()
            .build();
        Ok(Self(Client::builder(TokioExecutor::new()).build(connector)))
    }
}

fn roots(file: &std::path::Path) -> Result<RootCertStore, OrderError> {
    let what = "what vouches for the authority";
    let unread = |source| OrderError::Keep { what, source };
    let text = std::fs::read(file).map_err(unread)?;
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&text) {
        let certificate = certificate.map_err(|error| unread(std::io::Error::other(error)))?;
        roots.add(certificate).map_err(OrderError::Tls)?;
    }
    Ok(roots)
}

type Answering = Pin<Box<dyn Future<Output = Result<BytesResponse, Error>> + Send>>;

impl HttpClient for Https {
    fn request(&self, request: Request<BodyWrapper<Bytes>>) -> Answering {
        let client = self.0.clone();
        Box::pin(async move {
            let answering = async {
                let answer = client.request(request).await;
                let (head, body) = answer
                    .map_err(|error| Error::Other(error.into()))?
                    .into_parts();
                let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await;
                let body = body.map_err(Error::Other)?.to_bytes();
                Ok(BytesResponse::from(Response::from_parts(
                    head,
                    Full::new(body),
                )))
            };
            let timed_out = || Error::Str("an answer in time");
            timeout(ANSWER_TIMEOUT, answering)
                .await
                .map_err(|_| timed_out())?
        })
    }
}
