use std::error::Error as _;
use std::io;
use std::time::Duration;

use nix::errno::Errno;
use thiserror::Error;

use super::health::Fault;
use crate::telemetry::Blame;

/// Why an origin gave no answer, or not the whole of it.
#[derive(Debug, Error)]
pub enum UpstreamError {
    /// The body ended before its framing said so, or its framing is nonsense.
    #[error("the origin's answer broke off")]
    BodyBroken(#[source] hyper::Error),
    /// In HTTP/2: reset without an error, which hyper takes for an end.
    #[error("the origin gave its answer up")]
    BodyReset,
    #[error("the origin's answer stood still for {after:?}")]
    BodyIdle { after: Duration },
    #[error("the origin closed the connection without an answer")]
    ClosedBeforeHead(#[source] hyper::Error),
    #[error("no connection to {address}")]
    Connect {
        address: String,
        #[source]
        source: io::Error,
    },
    #[error("no connection within {after:?}")]
    ConnectTimeout { after: Duration },
    #[error("the name {host:?} has no address")]
    Dns {
        host: String,
        #[source]
        source: Option<io::Error>,
    },
    /// The head can be read in two ways as to where the body ends.
    #[error("the origin's answer has {0}")]
    Framing(&'static str),
    #[error("no answer within {after:?}")]
    FirstByteTimeout { after: Duration },
    #[error(
        "the head of the origin's answer is too large: see headers_max and head_bytes_max of its [site.upstream]"
    )]
    HeadTooLarge(#[source] hyper::Error),
    #[error("the origin's answer is not HTTP/1.1")]
    Malformed(#[source] hyper::Error),
    /// All of them failed, and none is asked before this time has passed.
    #[error("no origin is up, and none is asked for {retry_after:?}")]
    OriginDown { retry_after: Duration },
    #[error("all origins have what they may have at once, and so has the queue")]
    QueueFull,
    #[error("all origins had what they may have at once for {after:?}")]
    QueueTimeout { after: Duration },
    /// The client's fault: its request broke off while it was sent on.
    #[error("the client's request broke off")]
    RequestBroken(#[source] hyper::Error),
    /// The client's fault: the rest of its request did not come.
    #[error("the client's request stood still for {after:?}")]
    RequestIdle { after: Duration },
    #[error("the origin reset the connection without an answer")]
    Reset(#[source] hyper::Error),
    #[error("no TLS session with the origin")]
    Tls(#[source] io::Error),
}

impl UpstreamError {
    /// A constant word for metrics and logs.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::BodyBroken(_) | Self::BodyReset => "body_broken",
            Self::BodyIdle { .. } => "body_idle",
            Self::ClosedBeforeHead(_) => "closed",
            Self::Connect { source, .. } => connect_kind(source),
            Self::ConnectTimeout { .. } => "connect_timeout",
            Self::Dns { .. } => "dns",
            Self::FirstByteTimeout { .. } => "first_byte_timeout",
            Self::Framing(_) => "framing",
            Self::HeadTooLarge(_) => "head_too_large",
            Self::Malformed(_) => "malformed",
            Self::OriginDown { .. } => "origin_down",
            Self::QueueFull => "queue_full",
            Self::QueueTimeout { .. } => "queue_timeout",
            Self::RequestBroken(_) => "request_broken",
            Self::RequestIdle { .. } => "request_idle",
            Self::Reset(_) => "reset",
            Self::Tls(_) => "tls",
        }
    }

    /// Whether time ran out, so that the answer is 504 (or 408, by [`Self::blame`]), not 502.
    pub fn is_timeout(&self) -> bool {
        matches!(
            self,
            Self::BodyIdle { .. }
                | Self::ConnectTimeout { .. }
                | Self::FirstByteTimeout { .. }
                | Self::RequestIdle { .. }
        )
    }

    /// When it makes sense to ask again, where that is known: the answer is 503.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::OriginDown { retry_after } => Some(*retry_after),
            Self::QueueFull | Self::QueueTimeout { .. } => Some(BUSY),
            _ => None,
        }
    }

    /// What it says of the origin's health, if anything.
    pub(super) fn fault(&self) -> Option<Fault> {
        match self {
            Self::Connect { source, .. } if is_local(source) => None,
            Self::Connect { .. }
            | Self::ConnectTimeout { .. }
            | Self::Dns { .. }
            | Self::Tls(_) => Some(Fault::Unreachable),
            Self::ClosedBeforeHead(_)
            | Self::FirstByteTimeout { .. }
            | Self::Malformed(_)
            | Self::Reset(_) => Some(Fault::Unserving),
            Self::BodyBroken(_)
            | Self::BodyIdle { .. }
            | Self::BodyReset
            | Self::Framing(_)
            | Self::HeadTooLarge(_)
            | Self::OriginDown { .. }
            | Self::QueueFull
            | Self::QueueTimeout { .. }
            | Self::RequestBroken(_)
            | Self::RequestIdle { .. } => None,
        }
    }

    pub fn blame(&self) -> Blame {
        match self {
            Self::RequestBroken(_) | Self::RequestIdle { .. } => Blame::Downstream,
            Self::BodyBroken(_)
            | Self::BodyIdle { .. }
            | Self::BodyReset
            | Self::ClosedBeforeHead(_)
            | Self::Connect { .. }
            | Self::ConnectTimeout { .. }
            | Self::Dns { .. }
            | Self::FirstByteTimeout { .. }
            | Self::Framing(_)
            | Self::HeadTooLarge(_)
            | Self::Malformed(_)
            | Self::OriginDown { .. }
            | Self::QueueFull
            | Self::QueueTimeout { .. }
            | Self::Reset(_)
            | Self::Tls(_) => Blame::Upstream,
        }
    }

    /// What hyper says about an exchange that has had no head yet.
    pub(super) fn before_head(error: hyper::Error) -> Self {
        if error.is_parse_too_large() || is_kind(&error, &[io::ErrorKind::QuotaExceeded]) {
            Self::HeadTooLarge(error)
        } else if error.is_parse() {
            Self::Malformed(error)
        } else if error.is_user() {
            Self::RequestBroken(error)
        } else if is_reset(&error) {
            Self::Reset(error)
        } else {
            Self::ClosedBeforeHead(error)
        }
    }
}

/// An origin that has too much to do may have less in a moment.
const BUSY: Duration = Duration::from_secs(1);

fn connect_kind(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "refused",
        _ => "unreachable",
    }
}

/// Whether it tells nothing of whether somebody is there: the edge itself lacks descriptors or
/// ports, or more wait already than may.
fn is_local(error: &io::Error) -> bool {
    let code = error.raw_os_error().map(Errno::from_raw);
    matches!(code, Some(Errno::EMFILE | Errno::ENFILE))
        || matches!(
            error.kind(),
            io::ErrorKind::AddrNotAvailable | io::ErrorKind::WouldBlock
        )
}

fn is_reset(error: &hyper::Error) -> bool {
    is_kind(
        error,
        &[io::ErrorKind::ConnectionReset, io::ErrorKind::BrokenPipe],
    )
}

fn is_kind(error: &hyper::Error, kinds: &[io::ErrorKind]) -> bool {
    let io = error.source().and_then(|e| e.downcast_ref::<io::Error>());
    io.is_some_and(|io| kinds.contains(&io.kind()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trouble_of_the_edge_is_no_fault_of_the_origin() {
        let fault = |code: Errno| {
            let source = io::Error::from_raw_os_error(code as i32);
            let address = "192.0.2.1:80".to_owned();
            UpstreamError::Connect { address, source }.fault()
        };
        for code in [
            Errno::EMFILE,
            Errno::ENFILE,
            Errno::EADDRNOTAVAIL,
            Errno::EAGAIN,
        ] {
            assert_eq!(fault(code), None, "{code}");
        }
        for code in [Errno::ECONNREFUSED, Errno::EHOSTUNREACH, Errno::ENOENT] {
            assert_eq!(fault(code), Some(Fault::Unreachable), "{code}");
        }
    }
}
