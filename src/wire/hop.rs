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
    drop_all(headers, is_hop_by_hop);
}

/// Takes out the fields of a few names. Most heads have none of them, and a look at all that there
/// are takes less than a search for each.
pub(super) fn drop_all(headers: &mut HeaderMap, is_of_kind: impl Fn(&str) -> bool) {
    let mut names = headers.keys();
    while let Some(name) = names.find(|name| is_of_kind(name.as_str())).cloned() {
        headers.remove(name);
        names = headers.keys();
    }
}

/// Takes out fields whose names some origins cannot tell from other names. CGI, and what came of it
/// (WSGI, Rack, PHP), know `X-Forwarded-For` as `HTTP_X_FORWARDED_FOR`, and so they know
/// `X_Forwarded_For`, `X.Forwarded.For`: a client could say what only this edge may say.
///
/// What goes is what in its spelling with dashes belongs to HTTP or to those who stand before an
/// origin, or is in the same head. Other names with underscores are the site's own affair.
pub fn strip_confusable(headers: &mut HeaderMap) {
    let is_confusable = |name: &&HeaderName| {
        dashed_if_odd(name).is_some_and(|dashed| headers.contains_key(&dashed) || is_known(&dashed))
    };
    let confusable: Vec<_> = headers.keys().filter(is_confusable).cloned().collect();
    for name in confusable {
        headers.remove(name);
    }
}

/// The name as CGI's way of writing names makes it out, if that is another.
pub fn dashed_if_odd(name: &HeaderName) -> Option<String> {
    let is_plain = |byte: u8| PLAIN[usize::from(byte)];
    let is_odd = !name.as_str().bytes().all(is_plain);
    let other = |letter: char| !letter.is_ascii_alphanumeric();
    is_odd.then(|| name.as_str().replace(other, "-"))
}

/// Letters, digits and the dash, as a table: each byte of each name in a head is looked up.
static PLAIN: [bool; 256] = {
    let mut plain = [false; 256];
    let mut byte = 0;
    while byte < 128 {
        plain[byte] = (byte as u8).is_ascii_alphanumeric() || byte as u8 == b'-';
        byte += 1;
    }
    plain
};

fn is_known(dashed: &str) -> bool {
    END_TO_END.contains(&dashed)
        || CONFUSABLE.contains(&dashed)
        || is_hop_by_hop(dashed)
        || END_TO_END_FAMILIES
            .iter()
            .chain(&CONFUSABLE_FAMILIES)
            .any(|start| dashed.starts_with(start))
}

/// What else HTTP has, and what proxies commonly tell origins in words of their own.
const CONFUSABLE_FAMILIES: [&str; 7] = [
    "accept-",
    "remote-",
    "ssl-",
    "x-auth",
    "x-client-",
    "x-remote-",
    "x-ssl-",
];

const CONFUSABLE: [&str; 10] = [
    "client-ip",
    "front-end-https",
    "proxy",
    "true-client-ip",
    "x-cluster-client-ip",
    "x-http-method",
    "x-http-method-override",
    "x-original-url",
    "x-request-id",
    "x-rewrite-url",
];

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

fn is_hop_by_hop(name: &str) -> bool {
    matches!(
        name,
        "connection"
            | "expect"
            | "http2-settings"
            | "keep-alive"
            // No field at all: CGI programs take it for the environment's HTTP_PROXY (CVE-2016-5385).
            | "proxy"
            | "proxy-authenticate"
            | "proxy-authorization"
            | "proxy-connection"
            | "te"
            | "trailer"
            | "transfer-encoding"
            | "upgrade"
    )
}

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
                "Proxy: http://evil.example",
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
    fn names_that_cgi_cannot_tell_apart_go() {
        for (before, after) in [
            (&["X_Forwarded_For: 1.2.3.4"][..], &[][..]),
            (&["X.Forwarded.For: 1.2.3.4"], &[]),
            (&["X-Forwarded_Proto: https"], &[]),
            (
                &["Content_Type: a", "Cookie_: a", "Accept_Language: a"],
                &["cookie_: a"],
            ),
            (&["Transfer_Encoding: chunked", "Keep_Alive: 1"], &[]),
            (&["Remote_User: root", "X_Original_URL: /admin"], &[]),
            // The site's own, unless it is there twice.
            (&["Session_Id: 1"], &["session_id: 1"]),
            (&["Session_Id: 1", "Session-Id: 2"], &["session-id: 2"]),
            (
                &["a.b: 2", "a_b: 1", "a~b: 3"],
                &["a.b: 2", "a_b: 1", "a~b: 3"],
            ),
            (&["X-Forwarded-For: 1.2.3.4"], &["x-forwarded-for: 1.2.3.4"]),
        ] {
            let mut headers = heads(before);
            strip_confusable(&mut headers);
            assert_eq!(lines(&headers), after, "{before:?}");
        }
    }

    #[test]
    fn nonsense_in_connection_is_harmless() {
        check(&["Connection: ,, @, \u{e9}, x y", "X: 1"], &["x: 1"]);
    }
}
