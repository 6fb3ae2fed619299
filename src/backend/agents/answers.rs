use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use http::{Response, StatusCode};
use serde::Serialize;

use crate::wire::{EdgeBody, empty_body, full_body};

/// Why a request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Code {
    Busy,
    Credentials,
    Large,
    Login,
    Malformed,
    MediaType,
    Method,
    Origin,
    Rate,
    Unknown,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    code: Code,
    /// In seconds.
    retry_after: Option<u64>,
}

#[derive(Debug, Serialize)]
struct Told {
    code: &'static str,
    text: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after: Option<u64>,
}

impl Refusal {
    pub(super) fn new(code: Code) -> Self {
        Self {
            code,
            retry_after: None,
        }
    }

    pub(super) fn rate(seconds: u64) -> Self {
        Self {
            code: Code::Rate,
            retry_after: Some(seconds),
        }
    }
}

impl Code {
    fn told(self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::Busy => (
                StatusCode::SERVICE_UNAVAILABLE,
                "busy",
                "this is not possible just now: try again",
            ),
            Self::Credentials => (
                StatusCode::UNAUTHORIZED,
                "credentials",
                "name or password is wrong",
            ),
            Self::Large => (
                StatusCode::PAYLOAD_TOO_LARGE,
                "large",
                "that is more than can be taken",
            ),
            Self::Login => (StatusCode::UNAUTHORIZED, "login", "log in first"),
            Self::Malformed => (
                StatusCode::BAD_REQUEST,
                "malformed",
                "that cannot be understood",
            ),
            Self::MediaType => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "malformed",
                "that is no JSON",
            ),
            Self::Method => (
                StatusCode::METHOD_NOT_ALLOWED,
                "method",
                "this cannot be asked for in that way",
            ),
            Self::Origin => (
                StatusCode::FORBIDDEN,
                "origin",
                "only the console may ask, at its own address",
            ),
            Self::Rate => (
                StatusCode::TOO_MANY_REQUESTS,
                "rate",
                "too many attempts: wait a while",
            ),
            Self::Unknown => (StatusCode::NOT_FOUND, "unknown", "there is nothing here"),
        }
    }
}

impl From<Refusal> for Response<EdgeBody> {
    fn from(refusal: Refusal) -> Self {
        let (status, code, text) = refusal.code.told();
        let retry_after = refusal.retry_after;
        let told = Told {
            code,
            text,
            retry_after,
        };
        let mut response = json(&told);
        *response.status_mut() = status;
        if let Some(seconds) = retry_after {
            let headers = response.headers_mut();
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

pub(super) fn json(value: &impl Serialize) -> Response<EdgeBody> {
    // Strings and numbers always have a JSON form.
    let bytes = serde_json::to_vec(value).unwrap_or_default();
    let mut response = Response::new(full_body(bytes));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    harden(headers);
    response
}

pub(super) fn no_content() -> Response<EdgeBody> {
    let mut response = Response::new(empty_body());
    *response.status_mut() = StatusCode::NO_CONTENT;
    harden(response.headers_mut());
    response
}

/// On everything that is served here.
pub(super) fn harden(headers: &mut HeaderMap) {
    for (name, value) in HARDENING {
        let name = HeaderName::from_static(name);
        headers.insert(name, HeaderValue::from_static(value));
    }
}

const HARDENING: &[(&str, &str)] = &[
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("x-dns-prefetch-control", "off"),
    (
        "permissions-policy",
        "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=(), \
         clipboard-read=(), hid=(), serial=(), midi=()",
    ),
];
