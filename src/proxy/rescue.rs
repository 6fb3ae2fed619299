use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, CONNECTION, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use http::{Response, StatusCode, Version};

use super::error::ProxyError;
use super::upload::UploadRefusal;
use crate::telemetry::Blame;
use crate::wire::{EdgeBody, MalformedRequest, full_body};

/// The one place where errors become answers.
///
/// The visitor reads a fixed text; what went wrong is logged and counted by the caller.
///
/// `page` is the operator's own, which stands in for ours where the origin is at fault.
pub fn rescue(error: &ProxyError, version: Version, page: Option<&Bytes>) -> Response<EdgeBody> {
    let status = status(error);
    let page = page.filter(|_| error.blame() == Blame::Upstream);
    let (media_type, text) = match (error, page) {
        // A script asked, and no person looks at the answer.
        (ProxyError::Enforced(refusal), _) => ("application/json", refusal.to_json().into()),
        (_, Some(page)) => (HTML, page.clone()),
        (_, None) => (HTML, text(error, status).into()),
    };
    let mut response = Response::new(full_body(text));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if status == StatusCode::SERVICE_UNAVAILABLE {
        headers.insert(RETRY_AFTER, HeaderValue::from(retry_after(error)));
    }
    if status == StatusCode::METHOD_NOT_ALLOWED {
        headers.insert(
            ALLOW,
            HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"),
        );
    }
    // HTTP/2 has no such field (RFC 9113 8.2.2); its streams end one by one.
    if closes_connection(error) && version < Version::HTTP_2 {
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
    }
    if matches!(error, ProxyError::Refused(refusal) if refusal.is_malformed_in(version)) {
        response.extensions_mut().insert(MalformedRequest);
    }
    response
}

const HTML: &str = "text/html; charset=utf-8";

/// In seconds.
fn retry_after(error: &ProxyError) -> u64 {
    let time = match error {
        ProxyError::Upstream(error) => error.retry_after(),
        _ => None,
    };
    let seconds = time.map_or(1, |time| time.as_millis().div_ceil(1_000) as u64);
    seconds.max(1)
}

fn status(error: &ProxyError) -> StatusCode {
    match error {
        ProxyError::NoRandomness | ProxyError::Panicked => StatusCode::INTERNAL_SERVER_ERROR,
        ProxyError::Enforced(refusal) => refusal.status(),
        ProxyError::ForeignOrigin(_) => StatusCode::FORBIDDEN,
        ProxyError::Refused(refusal) => refusal.status(),
        ProxyError::Switch(_) | ProxyError::UnaskedNotModified => StatusCode::BAD_GATEWAY,
        ProxyError::Misdirected | ProxyError::UnknownHost => StatusCode::MISDIRECTED_REQUEST,
        ProxyError::Upstream(error) if error.retry_after().is_some() => {
            StatusCode::SERVICE_UNAVAILABLE
        }
        ProxyError::ExchangeTimeout => StatusCode::GATEWAY_TIMEOUT,
        ProxyError::Upload(UploadRefusal::Reset) => StatusCode::BAD_REQUEST,
        ProxyError::Upload(UploadRefusal::TooLarge) => StatusCode::PAYLOAD_TOO_LARGE,
        ProxyError::Upload(UploadRefusal::TooSlow) => StatusCode::REQUEST_TIMEOUT,
        ProxyError::Upstream(error) => match (error.blame(), error.is_timeout()) {
            (Blame::Downstream, true) => StatusCode::REQUEST_TIMEOUT,
            (Blame::Downstream, false) => StatusCode::BAD_REQUEST,
            (_, true) => StatusCode::GATEWAY_TIMEOUT,
            (_, false) => StatusCode::BAD_GATEWAY,
        },
    }
}

fn closes_connection(error: &ProxyError) -> bool {
    match error {
        // The rest of a request may still be on its way.
        ProxyError::ExchangeTimeout | ProxyError::Panicked | ProxyError::Upload(_) => true,
        ProxyError::Enforced(refusal) => refusal.closes_connection(),
        ProxyError::Refused(refusal) => refusal.closes_connection(),
        ProxyError::ForeignOrigin(_)
        | ProxyError::Misdirected
        | ProxyError::NoRandomness
        | ProxyError::Switch(_)
        | ProxyError::UnaskedNotModified
        | ProxyError::UnknownHost => false,
        ProxyError::Upstream(error) => error.blame() == Blame::Downstream,
    }
}

/// A page that says what a visitor can do about it.
fn text(error: &ProxyError, status: StatusCode) -> String {
    let (title, advice) = match error {
        ProxyError::Refused(refusal) => ("This request cannot be served", refusal.to_string()),
        ProxyError::Enforced(refusal) => ("This request cannot be served", refusal.to_string()),
        ProxyError::ForeignOrigin(_) => (
            "This request cannot be served",
            "it does not come from a page of this site".to_owned(),
        ),
        ProxyError::Misdirected => (
            "This request cannot be served",
            "it came over a connection to another site; please try again".to_owned(),
        ),
        ProxyError::UnknownHost => (
            "There is no such site here",
            "please check the address".to_owned(),
        ),
        ProxyError::Upload(refusal) => ("This request cannot be served", refusal.to_string()),
        ProxyError::ExchangeTimeout
        | ProxyError::NoRandomness
        | ProxyError::Panicked
        | ProxyError::Switch(_)
        | ProxyError::UnaskedNotModified
        | ProxyError::Upstream(_) => (
            "This page is not available right now",
            "please try again in a moment".to_owned(),
        ),
    };
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title>\
         <style>body{{font:16px/1.5 sans-serif;margin:15vh auto;max-width:32em;padding:0 1em}}\
         small{{color:#666}}</style></head><body><h1>{title}</h1><p>{advice}.</p>\
         <small>{status}</small></body></html>\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proxy::EnforceRefusal;
    use crate::wire::{PathRefusal, Refusal, SwitchRefusal};

    fn rescued(error: &ProxyError) -> (u16, bool) {
        let response = rescue(error, Version::HTTP_11, None);
        assert!(
            !rescue(error, Version::HTTP_2, None)
                .headers()
                .contains_key(CONNECTION)
        );
        (
            response.status().as_u16(),
            response.headers().contains_key(CONNECTION),
        )
    }

    #[test]
    fn every_error_has_its_status_and_says_whether_the_connection_can_go_on() {
        for (error, expected) in [
            (ProxyError::Panicked, (500, true)),
            (ProxyError::Misdirected, (421, false)),
            (
                ProxyError::Enforced(EnforceRefusal::SeveralGrants),
                (403, false),
            ),
            (
                ProxyError::Enforced(EnforceRefusal::BodyTooLarge),
                (413, true),
            ),
            (ProxyError::UnknownHost, (421, false)),
            (ProxyError::ExchangeTimeout, (504, true)),
            (ProxyError::NoRandomness, (500, false)),
            (ProxyError::Upload(UploadRefusal::Reset), (400, true)),
            (ProxyError::Upload(UploadRefusal::TooLarge), (413, true)),
            (ProxyError::Upload(UploadRefusal::TooSlow), (408, true)),
            (ProxyError::Switch(SwitchRefusal::Protocol), (502, false)),
            (ProxyError::UnaskedNotModified, (502, false)),
            (ProxyError::Refused(Refusal::LengthAndChunks), (400, true)),
            (
                ProxyError::Refused(Refusal::Path(PathRefusal::TooLong)),
                (414, false),
            ),
            (
                ProxyError::Refused(Refusal::Method),
                (405, Refusal::Method.closes_connection()),
            ),
        ] {
            assert_eq!(rescued(&error), expected, "{error:?}");
        }
    }
}
