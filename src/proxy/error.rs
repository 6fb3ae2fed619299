use super::enforce::EnforceRefusal;
use super::upload::UploadRefusal;
use crate::telemetry::Blame;
use crate::upstream::UpstreamError;
use crate::wire::{OriginRefusal, Refusal, SwitchRefusal};

/// Why an exchange has no answer from an upstream.
#[derive(Debug, thiserror::Error)]
pub enum ProxyError {
    /// The program failed; the exchange did not.
    #[error("the exchange panicked")]
    Panicked,
    /// Session traffic in a group that its page does not allow, as far as anyone can tell.
    #[error("session traffic was refused")]
    Enforced(#[source] EnforceRefusal),
    #[error("the exchange took too long")]
    ExchangeTimeout,
    /// Session traffic from a page that is not of one of our sites.
    #[error("session traffic from a foreign page")]
    ForeignOrigin(#[source] OriginRefusal),
    /// The connection was made for another site than the request is for.
    #[error("the connection was made for another site")]
    Misdirected,
    #[error("the system gives no random numbers")]
    NoRandomness,
    /// The gate refused the request's head.
    #[error("the request was refused")]
    Refused(#[source] Refusal),
    /// The upstream answered 101 to what was no upgrade, or with nonsense.
    #[error("the upstream switched protocols wrongly")]
    Switch(#[source] SwitchRefusal),
    /// The origin answered 304 to a request that it got without a condition. The visitor, who sent
    /// one, would take a page of other rules out of its store.
    #[error("the upstream answered 304 without being asked")]
    UnaskedNotModified,
    /// No site has this host.
    #[error("no site has this host")]
    UnknownHost,
    /// The request's body is not what the limits allow.
    #[error("the request's body was refused")]
    Upload(#[source] UploadRefusal),
    #[error("the upstream failed")]
    Upstream(#[source] UpstreamError),
}

impl ProxyError {
    pub fn blame(&self) -> Blame {
        match self {
            Self::NoRandomness | Self::Panicked => Blame::Internal,
            Self::Enforced(_)
            | Self::ForeignOrigin(_)
            | Self::Misdirected
            | Self::Refused(_)
            | Self::UnknownHost
            | Self::Upload(_) => Blame::Downstream,
            Self::ExchangeTimeout | Self::Switch(_) | Self::UnaskedNotModified => Blame::Upstream,
            Self::Upstream(error) => error.blame(),
        }
    }

    /// A constant word for metrics and logs.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Panicked => "panicked",
            Self::Enforced(refusal) => refusal.kind(),
            Self::ExchangeTimeout => "exchange_timeout",
            Self::ForeignOrigin(_) => "foreign_origin",
            Self::Misdirected => "misdirected",
            Self::NoRandomness => "no_randomness",
            Self::Refused(refusal) => refusal.reason(),
            Self::Switch(_) => "switch",
            Self::UnaskedNotModified => "unasked_not_modified",
            Self::UnknownHost => "unknown_host",
            Self::Upload(UploadRefusal::Reset) => "body_reset",
            Self::Upload(UploadRefusal::TooLarge) => "body_too_large",
            Self::Upload(UploadRefusal::TooSlow) => "body_too_slow",
            Self::Upstream(error) => error.kind(),
        }
    }
}
