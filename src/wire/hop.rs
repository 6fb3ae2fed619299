use http::header::{self, HeaderMap, HeaderName};

/// Takes out what is meant for one connection only (RFC 9110 7.6.1): the fields of that kind, and
/// what the `Connection` lines nominate. All lines are read, not only the first.
///
/// Nominations of fields that are end-to-end by nature are not obeyed: a client that could make
/// `Cookie`, `X-Forwarded-For` or `Content-Security-Policy` vanish could change what the other
/// side, or this edge, decides.
///
/// `Expect` goes too, because the edge answers it itself.
pub fn strip_hop_by_hop(headers: &mut HeaderMap) {
    for name in nominated(headers) {
        headers.remove(name);
    }
    for name in &HOP_BY_HOP {
        headers.remove(name);
    }
}

/// All the members of all `Connection` lines, in lower case.
pub(super) fn connection_options(headers: &HeaderMap) -> impl Iterator<Item = &[u8]> {
    list_members(headers, header::CONNECTION)
}

/// The members of a comma-separated field over all its lines, trimmed, empty ones left out. Not for
/// fields whose members may be quoted.
pub(super) fn list_members(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &[u8]> {
    let lines = headers.get_all(name).into_iter();
    lines
        .flat_map(|line| line.as_bytes().split(|byte| *byte == b','))
        .map(<[u8]>::trim_ascii)
        .filter(|member| !member.is_empty())
}

static HOP_BY_HOP: [HeaderName; 11] = [
    header::CONNECTION,
    header::EXPECT,
    HeaderName::from_static("http2-settings"),
    HeaderName::from_static("keep-alive"),
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    HeaderName::from_static("proxy-connection"),
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// A name that is no field name cannot stand in the map, so it need not be taken out.
fn nominated(headers: &HeaderMap) -> Vec<HeaderName> {
    connection_options(headers)
        .filter_map(|option| HeaderName::from_bytes(option).ok())
        .filter(|name| !is_end_to_end(name))
        .collect()
}

fn is_end_to_end(name: &HeaderName) -> bool {
    let name = name.as_str();
    END_TO_END.contains(&name)
        || END_TO_END_FAMILIES
            .iter()
            .any(|start| name.starts_with(start))
}

const END_TO_END_FAMILIES: [&str; 8] = [
    "access-control-",
    "content-",
    "cross-origin-",
    "if-",
    "sec-",
    "x-content-",
    "x-forwarded",
    "x-frame-",
];

const END_TO_END: [&str; 33] = [
    "accept",
    "accept-encoding",
    "accept-ranges",
    "age",
    "authorization",
    "cache-control",
    "cookie",
    "date",
    "digest",
    "etag",
    "expires",
    "forwarded",
    "host",
    "last-modified",
    "link",
    "location",
    "origin",
    "permissions-policy",
    "pragma",
    "range",
    "referer",
    "referrer-policy",
    "refresh",
    "repr-digest",
    "retry-after",
    "server",
    "set-cookie",
    "strict-transport-security",
    "user-agent",
    "vary",
    "via",
    "www-authenticate",
    "x-real-ip",
];

#[cfg(test)]
mod tests {
    use super::super::test_heads::{heads, lines};
    use super::*;

    #[track_caller]
    fn check(before: &[&str], after: &[&str]) {
        let mut headers = heads(before);
        strip_hop_by_hop(&mut headers);
        assert_eq!(lines(&headers), after, "{before:?}");
    }

    #[test]
    fn every_connection_line_counts() {
        check(
            &[
                "Connection: x-one, close",
                "X-One: 1",
                "X-Two: 2",
                "Connection: X-TWO",
            ],
            &[],
        );
    }

    #[test]
    fn every_line_of_a_nominated_field_goes() {
        check(
            &["Connection: x-a", "X-A: 1", "X-A: 2", "X-B: 3"],
            &["x-b: 3"],
        );
    }

    #[test]
    fn end_to_end_fields_cannot_be_nominated() {
        let kept = [
            "authorization: a",
            "content-length: 3",
            "content-security-policy: default-src 'self'",
            "content-type: text/html",
            "cookie: a=1",
            "etag: \"a\"",
            "forwarded: for=a",
            "host: a",
            "if-none-match: \"a\"",
            "sec-fetch-dest: document",
            "set-cookie: a=1",
            "set-cookie: b=2",
            "via: 1.1 a",
            "x-forwarded-for: 1.2.3.4",
            "x-forwarded-host: a",
            "x-real-ip: 1.2.3.4",
        ];
        let names = kept.map(|line| line.split(':').next().unwrap());
        let nominate = format!("Connection: {}", names.join(" ,, "));
        let mut before = kept.to_vec();
        before.push(&nominate);
        check(&before, &kept);
    }

    #[test]
    fn fields_of_one_connection_go_without_being_nominated() {
        check(
            &[
                "Keep-Alive: timeout=5",
                "Proxy-Connection: keep-alive",
                "Proxy-Authenticate: Basic",
                "Proxy-Authorization: Basic eA==",
                "TE: trailers",
                "Trailer: X-A",
                "Transfer-Encoding: chunked",
                "Upgrade: h2c",
                "HTTP2-Settings: AAMAAABkAAQAAP__",
                "Expect: 100-continue",
                "Accept: */*",
            ],
            &["accept: */*"],
        );
    }

    #[test]
    fn nonsense_in_connection_is_harmless() {
        check(&["Connection: ,, @, \u{e9}, x y", "X: 1"], &["x: 1"]);
    }
}
