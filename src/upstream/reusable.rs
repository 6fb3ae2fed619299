//! Whether a connection may carry another request, as far as the heads of an exchange tell.

use http::header::{
    AUTHORIZATION, CONTENT_LENGTH, HeaderName, TRANSFER_ENCODING, UPGRADE, WWW_AUTHENTICATE,
};
use http::{HeaderMap, Response, StatusCode};

/// Whether a request leaves its connection as it was. After an upgrade that was asked for, an
/// origin may begin to speak another protocol whatever it answered.
pub(super) fn after_request(headers: &HeaderMap) -> bool {
    !headers.contains_key(UPGRADE) && !is_connection_bound(headers, &AUTHORIZATION)
}

/// Whether an answer leaves its connection as it was.
pub(super) fn after_answer<B>(response: &Response<B>) -> bool {
    response.status() != StatusCode::SWITCHING_PROTOCOLS
        && !may_leave_a_body(response)
        && !is_connection_bound(response.headers(), &WWW_AUTHENTICATE)
}

/// Whether an answer says that it has a body where none may be (RFC 9110 15.3.5, 15.3.6, 15.4.5).
/// One that is sent all the same would be taken for the next answer.
fn may_leave_a_body<B>(response: &Response<B>) -> bool {
    let has_no_body = matches!(
        response.status(),
        StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED | StatusCode::RESET_CONTENT
    );
    has_no_body && announces_a_body(response.headers())
}

/// Whether a head tells of a body; in an answer to `HEAD` it may, and a few origins send it along.
pub(super) fn announces_a_body(headers: &HeaderMap) -> bool {
    let mut lengths = headers.get_all(CONTENT_LENGTH).iter();
    headers.contains_key(TRANSFER_ENCODING) || lengths.any(|length| length != "0")
}

fn is_connection_bound(headers: &HeaderMap, field: &HeaderName) -> bool {
    let mut values = headers.get_all(field).iter();
    values.any(|value| names_connection_bound_scheme(value.as_bytes()))
}

/// Schemes that authenticate a connection instead of a request, in breach of RFC 9110 11.1 (RFC
/// 4559 6): whoever used such a connection next would be taken for the first visitor.
const CONNECTION_BOUND_SCHEMES: [&str; 2] = ["NTLM", "Negotiate"];

/// A field may hold several challenges, whose parts cannot be told apart without a parser for each
/// (RFC 9110 11.6.1): any word counts, wherever it stands. A word too many costs a connection, one
/// too few a person's account.
fn names_connection_bound_scheme(value: &[u8]) -> bool {
    let mut words = value.split(|byte| !byte.is_ascii_alphanumeric());
    words.any(|word| {
        let is_word = |scheme: &&str| word.eq_ignore_ascii_case(scheme.as_bytes());
        CONNECTION_BOUND_SCHEMES.iter().any(is_word)
    })
}
