use http::{StatusCode, Version};

use super::path::PathRefusal;

/// Why a request is not let in. The text is for the visitor, and repeats nothing of the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Refusal {
    #[error("this server opens no tunnels")]
    Connect,
    #[error("this version of HTTP has no fields that belong to a connection")]
    ConnectionFields,
    #[error("the length of the request is given in an unclear way")]
    ContentLength,
    #[error("the only expectation that can be met is 100-continue")]
    Expect,
    #[error("the request is no whole WebSocket handshake")]
    Handshake,
    #[error("the request's header fields are too large")]
    HeaderBytes,
    #[error("the request has too many header fields")]
    HeaderLines,
    #[error("a header field's value begins or ends with a space")]
    HeaderValue,
    #[error("the request names no valid host")]
    Host,
    #[error("the request names two different hosts")]
    HostMismatch,
    #[error("the request names no host")]
    HostMissing,
    #[error("the request has more than one Host field")]
    HostTwice,
    #[error("the request has both a length and chunks")]
    LengthAndChunks,
    #[error("this method is not supported")]
    Method,
    #[error("{0}")]
    Path(#[from] PathRefusal),
    #[error("no other protocol than websocket is spoken here")]
    Protocol,
    #[error("the address has an invalid query")]
    Query,
    #[error("the address has a query that is too long")]
    QueryBytes,
    #[error("the address is not in a form that is served here")]
    TargetForm,
    #[error("the address has another scheme than the connection")]
    TargetScheme,
    #[error("the only transfer coding that is read is chunked, once, in HTTP/1.1")]
    TransferEncoding,
    #[error("this version of HTTP is not supported")]
    Version,
}

impl Refusal {
    pub fn status(self) -> StatusCode {
        match self {
            Self::ConnectionFields
            | Self::ContentLength
            | Self::Handshake
            | Self::HeaderValue
            | Self::Host
            | Self::HostMismatch
            | Self::HostMissing
            | Self::HostTwice
            | Self::LengthAndChunks
            | Self::Query
            | Self::TargetForm
            | Self::TargetScheme
            | Self::TransferEncoding => StatusCode::BAD_REQUEST,
            Self::Expect => StatusCode::EXPECTATION_FAILED,
            Self::HeaderBytes | Self::HeaderLines => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::Connect | Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::Path(PathRefusal::TooLong) | Self::QueryBytes => StatusCode::URI_TOO_LONG,
            Self::Path(_) => StatusCode::BAD_REQUEST,
            // RFC 9220 3, which says it for HTTP/2, too.
            Self::Protocol => StatusCode::NOT_IMPLEMENTED,
            Self::Version => StatusCode::HTTP_VERSION_NOT_SUPPORTED,
        }
    }

    /// The reason as a metric's label.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::ConnectionFields => "connection_fields",
            Self::ContentLength => "content_length",
            Self::Expect => "expect",
            Self::Handshake => "handshake",
            Self::HeaderBytes => "header_bytes",
            Self::HeaderLines => "header_lines",
            Self::HeaderValue => "header_value",
            Self::Host => "host",
            Self::HostMismatch => "host_mismatch",
            Self::HostMissing => "host_missing",
            Self::HostTwice => "host_twice",
            Self::LengthAndChunks => "length_and_chunks",
            Self::Method => "method",
            Self::Path(refusal) => refusal.as_str(),
            Self::Protocol => "protocol",
            Self::Query => "query",
            Self::QueryBytes => "query_bytes",
            Self::TargetForm => "target_form",
            Self::TargetScheme => "target_scheme",
            Self::TransferEncoding => "transfer_encoding",
            Self::Version => "version",
        }
    }

    /// Whether nothing more may be read from the connection: where one request ends and the next
    /// begins, or for whom it is, may be disputed. A path or a query that is refused disputes
    /// neither. What follows a `CONNECT` may be meant for the tunnel (RFC 9931).
    pub fn closes_connection(self) -> bool {
        match self {
            Self::Connect
            | Self::ConnectionFields
            | Self::ContentLength
            | Self::Expect
            | Self::Handshake
            | Self::HeaderBytes
            | Self::HeaderLines
            | Self::HeaderValue
            | Self::Host
            | Self::HostMismatch
            | Self::HostMissing
            | Self::HostTwice
            | Self::LengthAndChunks
            | Self::Protocol
            | Self::TargetForm
            | Self::TargetScheme
            | Self::TransferEncoding
            | Self::Version => true,
            Self::Method | Self::Path(_) | Self::Query | Self::QueryBytes => false,
        }
    }

    /// Whether the request is malformed by the rules of its version, and its stream to be reset for
    /// it (RFC 9113 8.1.1): 8.2.1 on values, 8.2.2 on fields of a connection, 8.3.1 and 8.5 on
    /// authorities. HTTP/1.1 has nothing to reset.
    pub fn is_malformed_in(self, version: Version) -> bool {
        version == Version::HTTP_2
            && matches!(
                self,
                Self::ConnectionFields | Self::HeaderValue | Self::HostMismatch | Self::HostMissing
            )
    }
}

/// Stands in the extensions of an answer to an HTTP/2 request that is malformed: the stream is to be
/// reset instead. What the answer says is for the log.
#[derive(Clone, Copy, Debug)]
pub struct MalformedRequest;

#[cfg(test)]
mod tests {
    use super::*;

    const BAD: u16 = 400;

    /// Status, reason, whether the connection closes.
    const TABLE: [(Refusal, u16, &str, bool); 23] = [
        (Refusal::Connect, 405, "connect", true),
        (Refusal::ConnectionFields, BAD, "connection_fields", true),
        (Refusal::ContentLength, BAD, "content_length", true),
        (Refusal::Expect, 417, "expect", true),
        (Refusal::Handshake, BAD, "handshake", true),
        (Refusal::HeaderBytes, 431, "header_bytes", true),
        (Refusal::HeaderLines, 431, "header_lines", true),
        (Refusal::HeaderValue, BAD, "header_value", true),
        (Refusal::Host, BAD, "host", true),
        (Refusal::HostMismatch, BAD, "host_mismatch", true),
        (Refusal::HostMissing, BAD, "host_missing", true),
        (Refusal::HostTwice, BAD, "host_twice", true),
        (Refusal::LengthAndChunks, BAD, "length_and_chunks", true),
        (Refusal::Method, 405, "method", false),
        (Refusal::Path(PathRefusal::Nul), BAD, "path_nul", false),
        (
            Refusal::Path(PathRefusal::TooLong),
            414,
            "path_too_long",
            false,
        ),
        (Refusal::Protocol, 501, "protocol", true),
        (Refusal::Query, BAD, "query", false),
        (Refusal::QueryBytes, 414, "query_bytes", false),
        (Refusal::TargetForm, BAD, "target_form", true),
        (Refusal::TargetScheme, BAD, "target_scheme", true),
        (Refusal::TransferEncoding, BAD, "transfer_encoding", true),
        (Refusal::Version, 505, "version", true),
    ];

    #[test]
    fn every_refusal_has_its_answer() {
        for (refusal, status, reason, closes) in TABLE {
            let found = (
                refusal.status().as_u16(),
                refusal.reason(),
                refusal.closes_connection(),
            );
            assert_eq!(found, (status, reason, closes));
        }
    }

    #[test]
    fn http2_has_malformed_requests_and_http1_has_answers() {
        let malformed = TABLE.map(|(refusal, ..)| refusal);
        let malformed = malformed
            .iter()
            .filter(|r| r.is_malformed_in(Version::HTTP_2));
        let reasons: Vec<_> = malformed.map(|refusal| refusal.reason()).collect();
        assert_eq!(
            reasons,
            [
                "connection_fields",
                "header_value",
                "host_mismatch",
                "host_missing"
            ]
        );
        for (refusal, ..) in TABLE {
            assert!(!refusal.is_malformed_in(Version::HTTP_11), "{refusal:?}");
        }
    }
}
