use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use aws_lc_rs::rand;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::header::{CONTENT_LENGTH, HeaderMap, HeaderValue};
use http::header::{SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY};
use http::{Response, StatusCode};

use super::error::ProxyError;
use crate::wire::{self, EdgeBody, EdgeRequest, SwitchRefusal};

/// A WebSocket handshake of HTTP/2 (RFC 8441) that goes on in the form which HTTP/1.1 gives it (RFC
/// 6455 4.1). The key is our own, and so is the check of what answers it: the visitor's browser
/// knows of neither.
#[derive(Debug)]
pub struct Bridge {
    key: String,
}

/// RFC 6455 4.2.2.
const ACCEPT_GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

impl Bridge {
    /// Makes the head of such a handshake one of HTTP/1.1. `None`: it is another request.
    pub fn enter(
        request: &EdgeRequest,
        headers: &mut HeaderMap,
    ) -> Result<Option<Self>, ProxyError> {
        let Some(upgrade) = request.upgrade().filter(|upgrade| upgrade.is_of_stream()) else {
            return Ok(None);
        };
        let mut nonce = [0; 16];
        rand::fill(&mut nonce).map_err(|_| ProxyError::NoRandomness)?;
        let key = BASE64_STANDARD.encode(nonce);
        // Base64 always is a field value.
        if let Ok(key) = HeaderValue::try_from(&key) {
            headers.insert(SEC_WEBSOCKET_KEY, key);
        }
        upgrade.write(headers);
        Ok(Some(Self { key }))
    }

    /// The answer to it in HTTP/2: a 101 is a 200 there (RFC 8441 5). No other answer may look like
    /// one that opens a tunnel.
    pub fn cross(self, mut answer: Response<EdgeBody>) -> Result<Response<EdgeBody>, ProxyError> {
        let status = answer.status();
        if status == StatusCode::SWITCHING_PROTOCOLS {
            let headers = answer.headers_mut();
            let accept = headers.remove(SEC_WEBSOCKET_ACCEPT);
            if accept.is_none_or(|accept| accept != self.accept()) {
                return Err(ProxyError::Switch(SwitchRefusal::Accept));
            }
            wire::strip_hop_by_hop(headers);
            headers.remove(CONTENT_LENGTH);
            *answer.status_mut() = StatusCode::OK;
        } else if status.is_success() {
            return Err(ProxyError::Switch(SwitchRefusal::Status));
        }
        Ok(answer)
    }

    fn accept(&self) -> String {
        let signed = [self.key.as_bytes(), ACCEPT_GUID.as_bytes()].concat();
        BASE64_STANDARD.encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, &signed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::empty_body;

    /// RFC 6455 1.3.
    const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
    const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

    fn crossed(status: u16, fields: &[(&'static str, &str)]) -> Result<Response<()>, String> {
        let mut answer = Response::builder().status(status);
        for (name, value) in fields {
            answer = answer.header(*name, *value);
        }
        let bridge = Bridge { key: KEY.into() };
        let crossed = bridge.cross(answer.body(empty_body()).unwrap());
        crossed
            .map(|answer| answer.map(drop))
            .map_err(|error| error.kind().to_owned())
    }

    #[test]
    fn a_switch_is_a_success_without_what_http_1_needs() {
        let answer = crossed(
            101,
            &[
                ("connection", "Upgrade"),
                ("upgrade", "websocket"),
                ("sec-websocket-accept", ACCEPT),
                ("sec-websocket-protocol", "chat"),
                ("content-length", "0"),
            ],
        )
        .unwrap();
        assert_eq!(answer.status(), 200);
        let names: Vec<_> = answer.headers().keys().collect();
        assert_eq!(names, ["sec-websocket-protocol"]);
    }

    #[test]
    fn nothing_else_opens_a_tunnel() {
        for (status, accept) in [
            (101, "s3pPLMBiTxaQ9kYGzzhZRbK+xOa="),
            (200, ACCEPT),
            (204, ACCEPT),
        ] {
            let refused = crossed(status, &[("sec-websocket-accept", accept)]);
            assert_eq!(refused.unwrap_err(), "switch", "{status} {accept}");
        }
        assert!(crossed(101, &[]).is_err());
        for status in [302, 403, 426, 502] {
            assert_eq!(crossed(status, &[]).unwrap().status(), status);
        }
    }
}
