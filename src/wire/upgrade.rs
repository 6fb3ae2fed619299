use http::header::{
    CONNECTION, CONTENT_LENGTH, HeaderMap, HeaderName, HeaderValue, SEC_WEBSOCKET_ACCEPT,
    SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, TRANSFER_ENCODING, UPGRADE,
};
use http::request::Parts;
use http::{Method, StatusCode, Version};

use super::hop::{connection_options, list_members};

/// A request to speak WebSocket from here on, whose handshake is complete (RFC 6455 4.2.1). It is
/// the only protocol to which the edge lets a connection be switched.
///
/// The `Sec-WebSocket-*` fields are end-to-end and travel with the other fields; `Connection` and
/// `Upgrade` are taken out with the hop-by-hop fields, and made again by [`Upgrade::write`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Upgrade(());

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
        complete.then_some(Self(()))
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
    /// which must check it anyway; here only its form counts.
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
mod tests {
    use http::Request;

    use super::super::test_heads::{heads, lines};
    use super::*;

    const KEY: &str = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==";
    const HANDSHAKE: [&str; 4] = [
        "Connection: keep-alive, Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        KEY,
    ];

    fn upgrade(method: Method, version: Version, lines: &[&str]) -> Option<Upgrade> {
        let (mut parts, ()) = Request::new(()).into_parts();
        (parts.method, parts.version, parts.headers) = (method, version, heads(lines));
        Upgrade::of(&parts)
    }

    fn with(line: &str) -> Option<Upgrade> {
        let mut lines = HANDSHAKE.to_vec();
        lines.push(line);
        upgrade(Method::GET, Version::HTTP_11, &lines)
    }

    fn instead(index: usize, line: &str) -> Option<Upgrade> {
        let mut lines = HANDSHAKE;
        lines[index] = line;
        upgrade(Method::GET, Version::HTTP_11, &lines)
    }

    #[test]
    fn an_incomplete_handshake_is_an_ordinary_request() {
        for (missing, line) in HANDSHAKE.iter().enumerate() {
            assert_eq!(instead(missing, "X: y"), None, "without {line}");
        }
        for (index, line) in [
            (0, "Connection: close"),
            (0, "Connection: upgraded"),
            (1, "Upgrade: h2c"),
            (1, "Upgrade: websocket2"),
            (2, "Sec-WebSocket-Version: 8"),
            (2, "Sec-WebSocket-Version: 13, 8"),
            (3, "Sec-WebSocket-Key: "),
            (3, "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ"),
            (3, "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZR=="),
            (3, "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZ==="),
            (3, "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQQQ"),
            (3, "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZZZQ=="),
            (3, "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub-5jZQ=="),
        ] {
            assert_eq!(instead(index, line), None, "{line}");
        }
        for line in [
            KEY,
            "Sec-WebSocket-Version: 13",
            "Content-Length: 1",
            "Transfer-Encoding: chunked",
        ] {
            assert_eq!(with(line), None, "{line}");
        }
        assert_eq!(upgrade(Method::POST, Version::HTTP_11, &HANDSHAKE), None);
        assert_eq!(upgrade(Method::GET, Version::HTTP_10, &HANDSHAKE), None);
        assert_eq!(upgrade(Method::GET, Version::HTTP_2, &HANDSHAKE), None);
    }

    #[test]
    fn a_complete_handshake_counts() {
        assert!(upgrade(Method::GET, Version::HTTP_11, &HANDSHAKE).is_some());
        assert!(with("Content-Length: 0").is_some());
        assert!(instead(0, "Connection: UPGRADE").is_some());
        assert!(instead(1, "Upgrade: h2c, WebSocket").is_some());
    }

    const SWITCH: [&str; 3] = [
        "Connection: upgrade",
        "Upgrade: WebSocket",
        "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
    ];

    #[test]
    fn only_a_whole_101_opens_the_tunnel() {
        let upgrade = Upgrade(());
        let check = |status, lines: &[&str]| upgrade.check_switching(status, &heads(lines));
        let switching = StatusCode::SWITCHING_PROTOCOLS;
        assert_eq!(check(switching, &SWITCH), Ok(()));
        for status in [StatusCode::OK, StatusCode::FORBIDDEN] {
            assert_eq!(check(status, &SWITCH), Err(SwitchRefusal::Status));
        }
        for (index, line, refusal) in [
            (0, "Connection: close", SwitchRefusal::Protocol),
            (1, "Upgrade: h2c", SwitchRefusal::Protocol),
            (1, "Upgrade: h2c, websocket", SwitchRefusal::Protocol),
            (2, "X: y", SwitchRefusal::Accept),
            (
                2,
                "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo",
                SwitchRefusal::Accept,
            ),
            (
                2,
                "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOp=",
                SwitchRefusal::Accept,
            ),
            (
                2,
                "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOoo=",
                SwitchRefusal::Accept,
            ),
            (
                2,
                "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK=",
                SwitchRefusal::Accept,
            ),
        ] {
            let mut lines = SWITCH;
            lines[index] = line;
            assert_eq!(check(switching, &lines), Err(refusal), "{line}");
        }
    }

    #[test]
    fn the_handshake_is_made_again() {
        let mut headers = heads(&["Sec-WebSocket-Version: 13"]);
        Upgrade(()).write(&mut headers);
        let expect = [
            "connection: Upgrade",
            "sec-websocket-version: 13",
            "upgrade: websocket",
        ];
        assert_eq!(lines(&headers), expect);
    }
}
