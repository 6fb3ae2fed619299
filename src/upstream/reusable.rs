//! Whether a connection may carry another request, as far as the heads of an exchange tell.

use http::HeaderMap;
use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};

/// Whether a request leaves its connection as it was.
pub(super) fn after_request(headers: &HeaderMap) -> bool {
    let mut credentials = headers.get_all(AUTHORIZATION).iter();
    !credentials.any(|value| names_connection_bound_scheme(value.as_bytes()))
}

/// Whether an answer leaves its connection as it was.
pub(super) fn after_answer(headers: &HeaderMap) -> bool {
    let mut challenges = headers.get_all(WWW_AUTHENTICATE).iter();
    !challenges.any(|value| names_connection_bound_scheme(value.as_bytes()))
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
        CONNECTION_BOUND_SCHEMES
            .iter()
            .any(|scheme| is_word(&scheme))
    })
}
