use std::io;

use thiserror::Error;

/// Why there is no new certificate.
#[derive(Debug, Error)]
pub(super) enum OrderError {
    #[error("the authority cannot be asked")]
    Authority(#[source] instant_acme::Error),
    #[error("the key of the external account is not base64url")]
    ExternalKey,
    #[error("{what} cannot be kept")]
    Keep {
        what: &'static str,
        #[source]
        source: io::Error,
    },
    #[error("the authority offers no challenge of the kind {0:?}")]
    NoChallenge(&'static str),
    #[error("the authority refuses: {0}")]
    Refused(String),
    #[error("the order took too long")]
    TimedOut,
    #[error("the certificates on disk cannot be loaded: {0}")]
    NotLoaded(String),
    #[error("no connection can be made")]
    Tls(#[source] rustls::Error),
    #[error("the certificate that came is of no use: {0}")]
    Unfit(String),
}

impl From<instant_acme::Error> for OrderError {
    fn from(error: instant_acme::Error) -> Self {
        Self::Authority(error)
    }
}

impl OrderError {
    /// Whether the authority does not know our account any more.
    pub(super) fn is_of_a_lost_account(&self) -> bool {
        let Self::Authority(instant_acme::Error::Api(problem)) = self else {
            return false;
        };
        let kind = problem.r#type.as_deref();
        kind == Some("urn:ietf:params:acme:error:accountDoesNotExist")
    }
}
