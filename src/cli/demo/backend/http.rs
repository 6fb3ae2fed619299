use bytes::Bytes;
use http::header::{
    ALLOW, CACHE_CONTROL, CONNECTION, CONTENT_TYPE, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY,
    SEC_WEBSOCKET_VERSION, UPGRADE,
};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use hyper::upgrade::OnUpgrade;

use super::socket::accept_key;
use crate::wire::{EdgeBody, empty_body, full_body};

/// What the stand-in answers, and the connection to come where it agrees to a WebSocket.
pub(crate) struct Answer {
    pub(crate) response: Response<EdgeBody>,
    pub(crate) socket: Option<OnUpgrade>,
}

impl From<Response<EdgeBody>> for Answer {
    fn from(response: Response<EdgeBody>) -> Self {
        Self {
            response,
            socket: None,
        }
    }
}

pub(crate) fn respond<B>(request: &mut Request<B>) -> Answer {
    match request.uri().path() {
        "/cobrowse/CobrowseJS.ashx" if is_read(request.method()) => loader().into(),
        "/cobrowse/CobrowseJS.ashx" => {
            let mut response = refuse(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD");
            let methods = HeaderValue::from_static("GET, HEAD");
            response.headers_mut().insert(ALLOW, methods);
            response.into()
        }
        "/cobrowse/socket" => socket(request),
        _ => refuse(StatusCode::NOT_FOUND, "the demo's backend has no such page").into(),
    }
}

fn is_read(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD)
}

fn loader() -> Response<EdgeBody> {
    let mut response = Response::new(full_body(Bytes::from_static(LOADER)));
    let headers = response.headers_mut();
    let content_type = HeaderValue::from_static("text/javascript; charset=utf-8");
    headers.insert(CONTENT_TYPE, content_type);
    let caching = HeaderValue::from_static("public, max-age=3600");
    headers.insert(CACHE_CONTROL, caching);
    response
}

/// The opening handshake, RFC 6455 4.2.
fn socket<B>(request: &mut Request<B>) -> Answer {
    let headers = request.headers();
    let field = |name| headers.get(name).map(HeaderValue::as_bytes);
    let asks = field(UPGRADE).is_some_and(|value| value.eq_ignore_ascii_case(b"websocket"))
        && field(SEC_WEBSOCKET_VERSION) == Some(b"13")
        && request.method() == Method::GET;
    let accept = field(SEC_WEBSOCKET_KEY).and_then(|key| accept_key(key).parse().ok());
    let Some(accept) = accept.filter(|_| asks) else {
        return refuse(StatusCode::UPGRADE_REQUIRED, "this address is a WebSocket").into();
    };
    let mut response = Response::new(empty_body());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(SEC_WEBSOCKET_ACCEPT, accept);
    Answer {
        response,
        socket: Some(hyper::upgrade::on(request)),
    }
}

fn refuse(status: StatusCode, reason: &'static str) -> Response<EdgeBody> {
    let mut response = Response::new(full_body(Bytes::from_static(reason.as_bytes())));
    *response.status_mut() = status;
    let plain = HeaderValue::from_static("text/plain");
    response.headers_mut().insert(CONTENT_TYPE, plain);
    response
}

const LOADER: &[u8] = include_bytes!("loader.js");

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(path: &str, headers: &[(&str, &str)]) -> Answer {
        let mut request = Request::get(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        respond(&mut request.body(()).unwrap())
    }

    #[test]
    fn serves_the_loader_as_a_script() {
        let answer = ask("/cobrowse/CobrowseJS.ashx?group=15687&site=production", &[]);
        assert_eq!(answer.response.status(), 200);
        assert_eq!(
            answer.response.headers()[CONTENT_TYPE],
            "text/javascript; charset=utf-8"
        );
        assert!(answer.socket.is_none());
    }

    #[test]
    fn agrees_to_a_websocket_with_the_key_of_the_request() {
        // Key and answer are those of RFC 6455 1.3.
        let answer = ask("/cobrowse/socket", HANDSHAKE);
        assert_eq!(answer.response.status(), 101);
        assert_eq!(
            answer.response.headers()[SEC_WEBSOCKET_ACCEPT],
            "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
        );
        assert!(answer.socket.is_some());
    }

    #[test]
    fn refuses_what_is_no_websocket_handshake() {
        for missing in HANDSHAKE {
            let rest: Vec<_> = HANDSHAKE
                .iter()
                .copied()
                .filter(|field| field != missing)
                .collect();
            let answer = ask("/cobrowse/socket", &rest);
            assert_eq!(answer.response.status(), 426, "{missing:?}");
            assert!(answer.socket.is_none());
        }
        assert_eq!(ask("/", &[]).response.status(), 404);
    }

    const HANDSHAKE: &[(&str, &str)] = &[
        ("upgrade", "WebSocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];
}
