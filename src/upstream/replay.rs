use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri, Version};
use http_body::Body;

use super::request_body::RequestBody;
use crate::wire::empty_body;

/// What it takes to send a request a second time.
///
/// It is kept for nearly every exchange and needed for few, so the head is kept as text in one piece
/// of memory: a map of fields would cost more to copy than to send.
#[derive(Debug)]
pub(super) struct Replay {
    method: Method,
    idle_limit: Duration,
    /// A line for the target, then one for each field: neither can hold the end of a line, nor a
    /// name a colon.
    head: Vec<u8>,
}

impl Replay {
    /// `None` where a second attempt could do something twice: the method is not idempotent
    /// (RFC 9110 9.2.2), or there is a body.
    pub(super) fn of(request: &Request<RequestBody>) -> Option<Self> {
        let is_idempotent = matches!(
            *request.method(),
            Method::GET
                | Method::HEAD
                | Method::OPTIONS
                | Method::PUT
                | Method::DELETE
                | Method::TRACE
        );
        if !is_idempotent || !request.body().is_end_stream() {
            return None;
        }
        Some(Self {
            method: request.method().clone(),
            idle_limit: request.body().upload().idle_limit(),
            head: write_head(request.uri(), request.headers()),
        })
    }

    /// The same request again.
    pub(super) fn restore(self) -> Option<Request<RequestBody>> {
        let body = RequestBody::new(empty_body(), Version::HTTP_11, self.idle_limit);
        let mut request = Request::new(body);
        let mut lines = self.head.split(|byte| *byte == b'\n');
        *request.uri_mut() = Uri::try_from(lines.next()?).ok()?;
        for line in lines.filter(|line| !line.is_empty()) {
            let colon = line.iter().position(|byte| *byte == b':')?;
            let name = HeaderName::from_bytes(&line[..colon]).ok()?;
            let value = HeaderValue::from_bytes(&line[colon + 1..]).ok()?;
            request.headers_mut().append(name, value);
        }
        *request.method_mut() = self.method;
        Some(request)
    }
}

/// The target is in origin-form.
fn write_head(target: &Uri, fields: &HeaderMap) -> Vec<u8> {
    let target = target
        .path_and_query()
        .map_or("/", |target| target.as_str());
    let lengths = fields
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len() + ":\n".len());
    let mut head = Vec::with_capacity(target.len() + "\n".len() + lengths.sum::<usize>());
    head.extend_from_slice(target.as_bytes());
    head.push(b'\n');
    for (name, value) in fields {
        head.extend_from_slice(name.as_str().as_bytes());
        head.push(b':');
        head.extend_from_slice(value.as_bytes());
        head.push(b'\n');
    }
    head
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::full_body;

    fn request(method: Method, target: &str, body: RequestBody) -> Request<RequestBody> {
        let mut request = Request::new(body);
        *request.method_mut() = method;
        *request.uri_mut() = target.parse().unwrap();
        request
    }

    fn body(text: &'static str) -> RequestBody {
        let body = match text {
            "" => empty_body(),
            text => full_body(text),
        };
        RequestBody::new(body, Version::HTTP_2, Duration::from_secs(7))
    }

    #[test]
    fn what_is_sent_again_is_what_was_sent() {
        for target in ["/", "*", "/a%20b:c?d=/e&f=%0A:"] {
            let mut first = request(Method::GET, target, body(""));
            for (name, value) in [
                ("cookie", &b"a=b: c; d"[..]),
                ("x-odd~name", b"caf\xe9\tau lait"),
                ("accept", b"text/html"),
                ("x-empty", b""),
                ("accept", b"*/*"),
            ] {
                let value = HeaderValue::from_bytes(value).unwrap();
                first.headers_mut().append(name, value);
            }
            let again = Replay::of(&first).unwrap().restore().unwrap();
            assert_eq!(again.method(), first.method());
            assert_eq!(again.uri(), first.uri());
            assert_eq!(again.headers(), first.headers());
            assert_eq!(again.version(), Version::HTTP_11);
            assert!(again.body().is_end_stream());
            assert_eq!(again.body().upload().idle_limit(), Duration::from_secs(7));
        }
    }

    #[test]
    fn what_could_do_something_twice_is_not_sent_again() {
        for (method, text, may_be) in [
            (Method::GET, "", true),
            (Method::PUT, "", true),
            (Method::DELETE, "", true),
            (Method::PUT, "x", false),
            (Method::POST, "", false),
            (Method::PATCH, "", false),
            (Method::from_bytes(b"LOCK").unwrap(), "", false),
        ] {
            let request = request(method.clone(), "/", body(text));
            assert_eq!(Replay::of(&request).is_some(), may_be, "{method} {text:?}");
        }
    }
}
