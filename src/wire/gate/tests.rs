use http::Request;

use super::super::path::PathRefusal;
use super::super::test_heads::heads;
use super::*;

const H10: Version = Version::HTTP_10;
const H11: Version = Version::HTTP_11;
const H2: Version = Version::HTTP_2;

/// `line` is a method and a target, as in `GET /a`.
fn read(line: &str, version: Version, lines: &[&str]) -> Result<EdgeRequest, Refusal> {
    let (method, target) = line.split_once(' ').unwrap();
    let request = Request::builder()
        .method(method)
        .uri(target)
        .version(version);
    let (mut parts, ()) = request.body(()).unwrap().into_parts();
    parts.headers = heads(lines);
    admit(&parts, Scheme::Http)
}

/// A request that is well but for one line more.
fn with(version: Version, line: &str) -> Result<EdgeRequest, Refusal> {
    match version {
        H2 => read("POST http://a/", version, &[line]),
        version => read("POST /", version, &["Host: a", line]),
    }
}

fn refusal(result: Result<EdgeRequest, Refusal>) -> Option<Refusal> {
    result.err()
}

#[test]
fn unclear_framing_is_refused() {
    for (version, lines, expect) in [
        (
            H11,
            &["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"][..],
            Refusal::TransferEncoding,
        ),
        (
            H11,
            &["Transfer-Encoding: ,chunked"],
            Refusal::TransferEncoding,
        ),
        (
            H11,
            &["Transfer-Encoding: chunked,"],
            Refusal::TransferEncoding,
        ),
        (
            H11,
            &["Transfer-Encoding: identity, chunked"],
            Refusal::TransferEncoding,
        ),
        (H11, &["Transfer-Encoding: gzip"], Refusal::TransferEncoding),
        (
            H11,
            &["Transfer-Encoding: xchunked"],
            Refusal::TransferEncoding,
        ),
        (
            H11,
            &["Transfer-Encoding: chunked;a=b"],
            Refusal::TransferEncoding,
        ),
        (H11, &["Transfer-Encoding: "], Refusal::TransferEncoding),
        (
            H11,
            &["Transfer-Encoding: chunked", "Content-Length: 1"],
            Refusal::LengthAndChunks,
        ),
        (
            H10,
            &["Transfer-Encoding: chunked"],
            Refusal::TransferEncoding,
        ),
        (
            H11,
            &["Content-Length: 1", "Content-Length: 1"],
            Refusal::ContentLength,
        ),
        (
            H11,
            &["Content-Length: 1", "Content-Length: 2"],
            Refusal::ContentLength,
        ),
        (H11, &["Content-Length: 1, 1"], Refusal::ContentLength),
        (H11, &["Content-Length: "], Refusal::ContentLength),
        (H11, &["Content-Length: +1"], Refusal::ContentLength),
        (H11, &["Content-Length: -1"], Refusal::ContentLength),
        (H11, &["Content-Length: 0x1"], Refusal::ContentLength),
        (H11, &["Content-Length: 1 1"], Refusal::ContentLength),
        (H11, &["Content-Length: \u{e9}"], Refusal::ContentLength),
        (H11, &["Content-Length: 05"], Refusal::ContentLength),
        (H11, &["Content-Length: 00"], Refusal::ContentLength),
        (H11, &["Content_Length: 1"], Refusal::ContentLength),
        (
            H11,
            &["Transfer_Encoding: chunked"],
            Refusal::TransferEncoding,
        ),
        (
            H11,
            &["Content-Length: 18446744073709551616"],
            Refusal::ContentLength,
        ),
        (
            H2,
            &["Content-Length: 1", "Content-Length: 1"],
            Refusal::ContentLength,
        ),
        (
            H2,
            &["Transfer-Encoding: chunked"],
            Refusal::ConnectionFields,
        ),
        (H2, &["Connection: close"], Refusal::ConnectionFields),
        (H2, &["Keep-Alive: timeout=5"], Refusal::ConnectionFields),
        (H2, &["Proxy-Connection: close"], Refusal::ConnectionFields),
        (H2, &["Upgrade: websocket"], Refusal::ConnectionFields),
    ] {
        let target = if version == H2 {
            "POST http://a/"
        } else {
            "POST /"
        };
        let mut all = lines.to_vec();
        if version != H2 {
            all.push("Host: a");
        }
        let found = refusal(read(target, version, &all));
        assert_eq!(found, Some(expect), "{version:?} {lines:?}");
    }
}

#[test]
fn clear_framing_is_admitted() {
    for (version, line) in [
        (H11, "Transfer-Encoding: chunked"),
        (H11, "Transfer-Encoding: Chunked"),
        (H11, "Content-Length: 0"),
        (H11, "Content-Length: 18446744073709551615"),
        (H10, "Content-Length: 5"),
        (H2, "Content-Length: 5"),
    ] {
        assert_eq!(refusal(with(version, line)), None, "{version:?} {line}");
    }
}

#[test]
fn exactly_one_host_is_asked_for() {
    for (version, target, hosts, expect) in [
        (H11, "/", &[][..], Refusal::HostMissing),
        (H10, "/", &[], Refusal::HostMissing),
        (H2, "/", &[], Refusal::HostMissing),
        (H11, "http://a/", &[], Refusal::HostMissing),
        (H11, "/", &["Host: a", "Host: a"], Refusal::HostTwice),
        (H11, "/", &["Host: a", "Host: b"], Refusal::HostTwice),
        (H2, "http://a/", &["Host: a", "Host: a"], Refusal::HostTwice),
        (H11, "/", &["Host: "], Refusal::Host),
        (H11, "/", &["Host: a b"], Refusal::Host),
        (H11, "/", &["Host: a/b"], Refusal::Host),
        (H11, "/", &["Host: a@b"], Refusal::Host),
        (H11, "/", &["Host: a, b"], Refusal::Host),
        (H11, "/", &["Host: a:"], Refusal::Host),
        (H11, "/", &["Host: \u{e9}"], Refusal::Host),
        (H11, "http://u@a/", &["Host: a"], Refusal::Host),
        (H11, "http://b/", &["Host: a"], Refusal::HostMismatch),
        (H11, "http://a:81/", &["Host: a"], Refusal::HostMismatch),
        (H2, "http://a/", &["Host: b"], Refusal::HostMismatch),
        (H2, "http://a/", &["Host: a:8080"], Refusal::HostMismatch),
        (H11, "https://a/", &["Host: a"], Refusal::TargetScheme),
        (H11, "ftp://a/", &["Host: a"], Refusal::TargetScheme),
        (H2, "https://a/", &[], Refusal::TargetScheme),
    ] {
        let found = refusal(read(&format!("GET {target}"), version, hosts));
        assert_eq!(found, Some(expect), "{version:?} {target} {hosts:?}");
    }
}

#[test]
fn one_host_is_read_from_wherever_it_stands() {
    for (version, target, hosts, expect) in [
        (
            H11,
            "/",
            &["Host: WWW.Bank.Example."][..],
            "www.bank.example",
        ),
        (H10, "/", &["Host: a"], "a"),
        (H11, "/", &["Host: a:8080"], "a:8080"),
        (H11, "http://a/", &["Host: A"], "a"),
        (H11, "http://a/", &["Host: a:80"], "a"),
        (H2, "http://a/", &[], "a"),
        (H2, "http://a:8080/", &["Host: a:8080"], "a:8080"),
        (H2, "/", &["Host: a"], "a"),
        (H2, "http://[::1]:8080/", &[], "[::1]:8080"),
    ] {
        let request = read(&format!("GET {target}"), version, hosts).unwrap();
        assert_eq!(
            request.authority().to_string(),
            expect,
            "{version:?} {target} {hosts:?}"
        );
    }
}

#[test]
fn only_origin_form_and_absolute_form_are_targets() {
    for line in ["GET a", "GET a:80", "GET !", "GET *", "POST *"] {
        let found = refusal(read(line, H11, &["Host: a"]));
        assert_eq!(found, Some(Refusal::TargetForm), "{line}");
    }
    let server = read("OPTIONS *", H11, &["Host: a"]).unwrap();
    assert_eq!(
        (server.path_and_query().as_str(), server.path().as_str()),
        ("*", "/")
    );
    assert_eq!(server.query(), None);
}

#[test]
fn methods_that_reach_no_site_are_refused() {
    let long = "M".repeat(MAX_METHOD_BYTES + 1);
    for (method, refused) in [
        ("CONNECT", Refusal::Connect),
        ("TRACE", Refusal::Method),
        (&long, Refusal::Method),
    ] {
        let found = refusal(read(&format!("{method} /"), H11, &["Host: a"]));
        assert_eq!(found, Some(refused), "{method}");
    }
    let found = refusal(read("CONNECT http://a/", H2, &[]));
    assert_eq!(found, Some(Refusal::Connect), "extended CONNECT");
    for method in [
        "GET",
        "HEAD",
        "PATCH",
        "DELETE",
        "OPTIONS",
        "PROPFIND",
        "X-ODD",
        &long[1..],
    ] {
        let found = refusal(read(&format!("{method} /"), H11, &["Host: a"]));
        assert_eq!(found, None, "{method}");
    }
}

#[test]
fn one_expectation_can_be_met() {
    for line in [
        "Expect: y 100-continue",
        "Expect: 100-continue, x",
        "Expect: ",
        "Expect: 100",
    ] {
        assert_eq!(refusal(with(H11, line)), Some(Refusal::Expect), "{line}");
    }
    assert_eq!(refusal(with(H11, "Expect: 100-Continue")), None);
}

#[test]
fn values_that_change_on_their_way_are_refused() {
    for line in ["X:  a", "X: a ", "X: \ta", "X: a\t"] {
        assert_eq!(
            refusal(with(H2, line)),
            Some(Refusal::HeaderValue),
            "{line:?}"
        );
    }
    for line in ["X: a\tb c", "X: "] {
        assert_eq!(refusal(with(H2, line)), None, "{line:?}");
    }
}

#[test]
fn heads_have_a_size() {
    let mut lines = vec!["X: y"; MAX_HEADER_LINES - 1];
    lines.push("Host: a");
    assert_eq!(refusal(read("GET /", H11, &lines)), None);
    lines.push("X: y");
    assert_eq!(
        refusal(read("GET /", H11, &lines)),
        Some(Refusal::HeaderLines)
    );

    let spent = "Hosta".len() + "X".len();
    let line = |bytes: usize| format!("X: {}", "y".repeat(bytes - spent));
    assert_eq!(refusal(with(H11, &line(MAX_HEADER_BYTES))), None);
    let found = refusal(with(H11, &line(MAX_HEADER_BYTES + 1)));
    assert_eq!(found, Some(Refusal::HeaderBytes));
}

#[test]
fn cookies_are_one_line_however_many_crumbs_they_come_in() {
    let mut lines = vec!["cookie: a=1"; 2 * MAX_HEADER_LINES];
    assert_eq!(refusal(read("GET http://a/", H2, &lines)), None);
    lines.extend(["x: y"; MAX_HEADER_LINES - 1]);
    assert_eq!(refusal(read("GET http://a/", H2, &lines)), None);
    lines.push("x: y");
    let found = refusal(read("GET http://a/", H2, &lines));
    assert_eq!(found, Some(Refusal::HeaderLines));

    let joined = |crumbs: usize| "cookie".len() + crumbs * "a=1; ".len() - "; ".len();
    let most = (1..)
        .find(|crumbs| joined(crumbs + 1) > MAX_HEADER_BYTES)
        .unwrap();
    let found = refusal(read("GET http://a/", H2, &vec!["cookie: a=1"; most]));
    assert_eq!(found, None);
    let found = refusal(read("GET http://a/", H2, &vec!["cookie: a=1"; most + 1]));
    assert_eq!(found, Some(Refusal::HeaderBytes));
}

#[test]
fn queries_have_a_size_and_no_control_characters() {
    let query = "q".repeat(MAX_QUERY_BYTES);
    let request = read(&format!("GET /?{query}"), H11, &["Host: a"]).unwrap();
    assert_eq!(request.query(), Some(query.as_str()));
    let found = refusal(read(&format!("GET /?{query}q"), H11, &["Host: a"]));
    assert_eq!(found, Some(Refusal::QueryBytes));
    for query in ["\0", "a\nb", "\x7f", "a#b"] {
        assert_eq!(read_query(query), Err(Refusal::Query), "{query:?}");
    }
    for query in ["", "a=b&c=%0a%ZZ", "a'b\"{|}", "é"] {
        assert_eq!(read_query(query).as_deref(), Ok(query));
    }
}

#[test]
fn the_origin_is_sent_the_path_that_was_matched() {
    for (target, expect) in [
        ("/a/%2e%2e/b?x=/../y", "/b?x=/../y"),
        ("//evil.example/a", "/evil.example/a"),
        ("/a?", "/a?"),
        ("/a??b", "/a??b"),
        ("http://a", "/"),
        ("http://a?q", "/?q"),
        ("/a%2Db;x=1", "/a-b;x=1"),
    ] {
        let request = read(&format!("GET {target}"), H11, &["Host: a"]).unwrap();
        assert_eq!(request.path_and_query(), expect, "{target}");
    }
    for (target, expect) in [
        ("/../a", PathRefusal::AboveRoot),
        ("/a%2fb", PathRefusal::EncodedSlash),
        ("/a%00", PathRefusal::Nul),
        ("/a\\b", PathRefusal::Backslash),
    ] {
        let found = refusal(read(&format!("GET {target}"), H11, &["Host: a"]));
        assert_eq!(found, Some(Refusal::Path(expect)), "{target}");
    }
}

#[test]
fn versions_that_are_not_served_are_refused() {
    for version in [Version::HTTP_09, Version::HTTP_3] {
        let found = refusal(read("GET /", version, &["Host: a"]));
        assert_eq!(found, Some(Refusal::Version), "{version:?}");
    }
}

#[test]
fn an_upgrade_is_seen_only_where_it_is_one() {
    let mut lines = vec![
        "Host: a",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    ];
    assert!(read("GET /", H11, &lines).unwrap().upgrade().is_some());
    lines[2] = "Upgrade: h2c";
    assert!(read("GET /", H11, &lines).unwrap().upgrade().is_none());
}
