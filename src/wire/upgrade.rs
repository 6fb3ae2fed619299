use http::header::{
    CONNECTION, CONTENT_LENGTH, HeaderMap, HeaderName, HeaderValue, SEC_WEBSOCKET_ACCEPT,
    SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, TRANSFER_ENCODING, UPGRADE,
};
use http::request::Parts;
use http::{Method, StatusCode, Version};

use super::hop::{connection_options, list_members};
use super::refusal::Refusal;

/// A request to speak WebSocket from here on, whose handshake is complete (RFC 6455 4.2.1, RFC 8441
/// 5). It is the only protocol to which the edge lets a connection, or a stream, be switched.
///
/// The `Sec-WebSocket-*` fields are end-to-end and travel with the other fields; `Connection` and
/// `Upgrade` are taken out with the hop-by-hop fields, and made again by [`Upgrade::write`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Upgrade(Form);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// `Upgrade: websocket`, for the whole connection.
    Connection,
    /// An extended `CONNECT`, for one stream of an HTTP/2 connection.
    Stream,
}

/// What an extended `CONNECT` asks for in `:protocol` (RFC 8441 4). The server puts it among the
/// request's extensions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectProtocol(pub Box<str>);

impl Upgrade {
    /// `None` unless every condition of the handshake holds. Then an `Upgrade` field means nothing,
    /// as RFC 9110 7.8 allows, and the request is an ordinary one.
    pub fn of(parts: &Parts) -> Option<Self> {
        let headers = &parts.headers;
        let complete = parts.method == Method::GET
            && parts.version == Version::HTTP_11
            && names_websocket(headers)
            && only(headers, SEC_WEBSOCKET_VERSION).is_some_and(|version| version == "13")
            && only(headers, SEC_WEBSOCKET_KEY).is_some_and(is_key)
            && has_no_body(headers);
        complete.then_some(Self(Form::Connection))
    }

    /// Judges a `CONNECT`. It has no reading as an ordinary request, so what is not complete is
    /// refused. A key, which only HTTP/1.1 needs, means nothing.
    pub(super) fn of_connect(parts: &Parts) -> Result<Self, Refusal> {
        let protocol = parts.extensions.get::<ConnectProtocol>();
        let ConnectProtocol(protocol) = protocol.ok_or(Refusal::Connect)?;
        if parts.version != Version::HTTP_2 || &**protocol != "websocket" {
            return Err(Refusal::Protocol);
        }
        let headers = &parts.headers;
        let version = only(headers, SEC_WEBSOCKET_VERSION);
        match version.is_some_and(|version| version == "13") && has_no_body(headers) {
            true => Ok(Self(Form::Stream)),
            false => Err(Refusal::Handshake),
        }
    }

    /// Whether a stream of HTTP/2 is to be switched, not the whole connection.
    pub fn is_of_stream(self) -> bool {
        self.0 == Form::Stream
    }

    /// Puts `Connection` and `Upgrade` on a head, up to the origin or down to the visitor, after
    /// its hop-by-hop fields were taken out.
    pub fn write(self, headers: &mut HeaderMap) {
        headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    }

    /// Whether the origin's answer does switch protocols (RFC 6455 4.1). Nothing may be tunnelled
    /// before this said so.
    ///
    /// That `Sec-WebSocket-Accept` belongs to this request's key is left to the visitor's browser,
    /// which must check it anyway, or to whoever made a key for it; here only its form counts.
    pub fn check_switching(
        self,
        status: StatusCode,
        headers: &HeaderMap,
    ) -> Result<(), SwitchRefusal> {
        if status != StatusCode::SWITCHING_PROTOCOLS {
            return Err(SwitchRefusal::Status);
        }
        if !names_websocket(headers) || list_members(headers, UPGRADE).count() != 1 {
            return Err(SwitchRefusal::Protocol);
        }
        if !only(headers, SEC_WEBSOCKET_ACCEPT).is_some_and(is_accept) {
            return Err(SwitchRefusal::Accept);
        }
        Ok(())
    }
}

/// Why an origin's answer to a handshake opens no tunnel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SwitchRefusal {
    #[error("the origin's 101 has no valid Sec-WebSocket-Accept")]
    Accept,
    #[error("the origin's 101 does not switch to websocket")]
    Protocol,
    #[error("the origin does not switch protocols")]
    Status,
}

fn names_websocket(headers: &HeaderMap) -> bool {
    list_members(headers, UPGRADE).any(|name| name.eq_ignore_ascii_case(b"websocket"))
        && connection_options(headers).any(|name| name.eq_ignore_ascii_case(b"upgrade"))
}

fn has_no_body(headers: &HeaderMap) -> bool {
    let mut lengths = headers.get_all(CONTENT_LENGTH).into_iter();
    !headers.contains_key(TRANSFER_ENCODING) && lengths.all(|length| length == "0")
}

/// The field's value, where it stands on one line.
fn only(headers: &HeaderMap, name: HeaderName) -> Option<&HeaderValue> {
    let mut lines = headers.get_all(name).into_iter();
    let first = lines.next();
    first.filter(|_| lines.next().is_none())
}

/// 16 bytes in base64: 22 digits, the last of which carries two bits only, and two signs of padding.
fn is_key(value: &HeaderValue) -> bool {
    let Some(digits) = value.as_bytes().strip_suffix(b"==") else {
        return false;
    };
    digits.len() == 22 && all_base64(digits) && ends_in(digits, b"AQgw")
}

/// A SHA-1 (20 bytes) in base64: 27 digits, the last of which carries four bits, and one sign of
/// padding.
fn is_accept(value: &HeaderValue) -> bool {
    let Some(digits) = value.as_bytes().strip_suffix(b"=") else {
        return false;
    };
    digits.len() == 27 && all_base64(digits) && ends_in(digits, b"AEIMQUYcgkosw048")
}

fn all_base64(digits: &[u8]) -> bool {
    digits
        .iter()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'))
}

fn ends_in(digits: &[u8], set: &[u8]) -> bool {
    digits.last().is_some_and(|last| set.contains(last))
}

#[cfg(test)]
mod tests;
