//! Where an answer's body ends, said in one way only.

use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderValue};

/// Makes an answer's head say once where its body ends, or says what is wrong with it: what hyper's
/// client lets through, the next reader may read otherwise than hyper did (RFC 9112 6.3).
pub(super) fn settle(headers: &mut HeaderMap) -> Result<(), &'static str> {
    if let Some(what) = unclear_coding(headers) {
        return Err(what);
    }
    match length(headers)? {
        Some(length) if !is_said_plainly(headers) => {
            headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
        }
        Some(_) | None => {}
    }
    Ok(())
}

fn unclear_coding(headers: &HeaderMap) -> Option<&'static str> {
    let mut codings = headers.get_all(TRANSFER_ENCODING).iter();
    let first = codings.next()?;
    if headers.contains_key(CONTENT_LENGTH) {
        Some("both a Content-Length and a Transfer-Encoding")
    } else if codings.next().is_some() || !first.as_bytes().eq_ignore_ascii_case(b"chunked") {
        Some("a transfer coding other than chunked")
    } else {
        None
    }
}

/// A length that is said several times is one, as long as it is the same (RFC 9110 8.6).
fn length(headers: &HeaderMap) -> Result<Option<u64>, &'static str> {
    let lines = headers.get_all(CONTENT_LENGTH).iter();
    let mut lengths = lines.flat_map(|line| line.as_bytes().split(|byte| *byte == b','));
    let Some(first) = lengths.next() else {
        return Ok(None);
    };
    let first = digits(first);
    if first.is_none() || lengths.any(|other| digits(other) != first) {
        return Err("a Content-Length that is not one number");
    }
    Ok(first)
}

/// Whether a length stands there as it would be written anew.
fn is_said_plainly(headers: &HeaderMap) -> bool {
    let mut lines = headers.get_all(CONTENT_LENGTH).iter();
    let line = lines.next().map_or(&[][..], HeaderValue::as_bytes);
    let is_number = line.iter().all(u8::is_ascii_digit);
    lines.next().is_none() && is_number && (line == b"0" || !line.starts_with(b"0"))
}

fn digits(text: &[u8]) -> Option<u64> {
    let text = str::from_utf8(text.trim_ascii()).ok()?;
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then_some(text)?.parse().ok()
}
