//! Request lines and chunked bodies.

use cobrowse_edge::wire::{MAX_METHOD_BYTES, MAX_PATH_BYTES, MAX_QUERY_BYTES};

use super::expect::Expect::{Broken, Closed, Refused};
use super::expect::{Row, about, passed, post, raw, target};

pub(super) fn targets() -> Vec<Row> {
    let mut rows = canonical();
    rows.extend(unclear());
    rows.extend(with_bodies());
    rows.extend(forms());
    rows.extend(lengths());
    about("request targets (RFC 9112 3.2)", rows)
}

fn canonical() -> Vec<Row> {
    [
        ("/", "/"),
        ("/a//b", "/a/b"),
        ("//evil.example/x", "/evil.example/x"),
        ("///", "/"),
        ("/a/./b", "/a/b"),
        ("/a/../b", "/b"),
        ("/a/%2e%2e/b", "/b"),
        ("/a/.%2E/b", "/b"),
        ("/%2e/b", "/b"),
        ("/a/b/..", "/a/"),
        ("/a//../b", "/b"),
        ("/%61dmin", "/admin"),
        ("/a%2Db", "/a-b"),
        ("/%c3%a9", "/%C3%A9"),
        ("/\u{e9}", "/%C3%A9"),
        ("/%e9", "/%E9"),
        ("/a|b", "/a%7Cb"),
        ("/%252e%252e/b", "/%252e%252e/b"),
        ("/a%3fb", "/a%3Fb"),
        ("/a%23b", "/a%23b"),
        ("/a;x=1", "/a;x=1"),
        ("/a?x=/../y&z=%00", "/a?x=/../y&z=%00"),
        ("/a/..?x", "/?x"),
        ("/a??", "/a??"),
        ("/a#b", "/a"),
        ("/a?b#c", "/a?b"),
    ]
    .map(|(sent, seen)| target(sent, passed(format!("GET {seen}"))))
    .into()
}

fn unclear() -> Vec<Row> {
    [
        "/a%2fb",
        "/a%2F..%2Fb",
        "/a\\b",
        "/a%5cb",
        "/..\\b",
        "/a%00",
        "/a%0d%0aX:%20y",
        "/a%1f",
        "/a%7F",
        "/../b",
        "/%2e%2e/b",
        "/a/../../b",
        "/a/..;/b",
        "/a/..;x=1/b",
        "/a/%2e%2e%3b/b",
        "/a/.;/b",
        "/a%",
        "/a%2",
        "/a%zz",
        "/a%u002f",
    ]
    .map(|sent| target(sent, Refused(400)))
    .into()
}

/// A body that nobody wants does not become the next request.
fn with_bodies() -> Vec<Row> {
    const INNER: &str = "GET /inner HTTP/1.1\r\nHost: a\r\n\r\n";
    let length = INNER.len();
    let with = |lines: &str, body: &str, expect| {
        let head = format!("POST /a%2fb HTTP/1.1\r\nHost: a\r\n{lines}\r\n\r\n");
        raw(format!("{head}{body}"), expect)
    };
    let chunks = format!("{length:x}\r\n{INNER}\r\n0\r\n\r\n");
    vec![
        with(&format!("Content-Length: {length}"), INNER, Refused(400)),
        with("Transfer-Encoding: chunked", &chunks, Refused(400)),
        with(
            &format!("Expect: 100-continue\r\nContent-Length: {length}"),
            INNER,
            Refused(400),
        ),
    ]
}

fn forms() -> Vec<Row> {
    let mut rows: Vec<_> = [
        ("http://a/x", "/x"),
        ("http://A/x", "/x"),
        ("HTTP://a/x", "/x"),
        ("http://a:80/x", "/x"),
        ("http://a", "/"),
        ("http://a?q", "/?q"),
        ("http://a/b/../x", "/x"),
    ]
    .map(|(sent, seen)| target(sent, passed(format!("GET {seen}"))))
    .into();
    let refused = [
        "http://b/x",
        "http://a:81/x",
        "http://a.b/x",
        "https://a/x",
        "ftp://a/x",
        "http://u@a/x",
        "http://b@a/x",
        "http:///x",
        "http:/x",
        "a",
        "a:80",
        "a/b",
        "!",
        "*",
        "?q",
        "",
        " /x",
        "/x y",
        "/x HTTP/1.1 ",
        "/x\t",
        "/x\0",
        "/x\u{7f}",
    ];
    rows.extend(refused.map(|sent| target(sent, Closed(400))));
    rows.push(target(b"/\xe9", Closed(400)));
    rows
}

fn lengths() -> Vec<Row> {
    let path = |length: usize| format!("/{}", "p".repeat(length - 1));
    let query = |length: usize| format!("/?{}", "q".repeat(length));
    let seen = |target: &str| passed(format!("GET {target}"));
    vec![
        target(path(MAX_PATH_BYTES), seen(&path(MAX_PATH_BYTES))),
        target(path(MAX_PATH_BYTES + 1), Refused(414)),
        target(query(MAX_QUERY_BYTES), seen(&query(MAX_QUERY_BYTES))),
        target(query(MAX_QUERY_BYTES + 1), Refused(414)),
        target("/".repeat(MAX_PATH_BYTES), passed("GET /")),
        target(path(70_000), Closed(431)),
    ]
}

pub(super) fn methods() -> Vec<Row> {
    let with = |line: &str, expect| {
        let lines = "Host: a\r\n\r\n";
        raw(format!("{line} HTTP/1.1\r\n{lines}"), expect)
    };
    let longest = "M".repeat(MAX_METHOD_BYTES);
    let mut rows = vec![
        with("PROPFIND /x", passed("PROPFIND /x")),
        with("get /x", passed("get /x")),
        with("M-SEARCH /x", passed("M-SEARCH /x")),
        with("OPTIONS *", passed("OPTIONS *")),
        with("OPTIONS /x", passed("OPTIONS /x")),
        with(&format!("{longest} /x"), passed(format!("{longest} /x"))),
        with(&format!("{longest}M /x"), Refused(405)),
        with("TRACE /x", Refused(405)),
        // What a client sends behind it may be meant for a tunnel.
        with("CONNECT a:80", Closed(405)),
        with("CONNECT /x", Closed(405)),
    ];
    let closed = [
        "POST *",
        "OPTIONS *?x",
        "(GET) /x",
        "GE\0T /x",
        "G\u{e9}T /x",
        "GET\t/x",
        "GET  /x",
        " GET /x",
        "/x",
        "",
    ];
    rows.extend(closed.map(|line| with(line, Closed(400))));
    about("methods (RFC 9110 9.1)", rows)
}

pub(super) fn chunks() -> Vec<Row> {
    let with = |body: &str, expect| post("Transfer-Encoding: chunked", body, expect);
    let mut rows: Vec<_> = [
        "5\r\nhello\r\n0\r\n\r\n",
        "2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
        "005\r\nhello\r\n000\r\n\r\n",
        "5;name=value\r\nhello\r\n0;last\r\n\r\n",
        "5;name=\"0\"\r\nhello\r\n0\r\n\r\n",
        "5\r\nhello\r\n0\r\nX-Trailer: y\r\n\r\n",
    ]
    .map(|body| with(body, passed("POST /x body=hello")))
    .into();
    rows.push(with("0\r\n\r\n", passed("POST /x")));
    // A body has no meaning here, but the origin may give it one.
    rows.extend(["GET", "DELETE", "SEARCH"].map(|method| {
        let head = format!("{method} /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked");
        let body = "5\r\nhello\r\n0\r\n\r\n";
        let seen = format!("{method} /x body=hello");
        raw(format!("{head}\r\n\r\n{body}"), passed(&seen))
    }));
    let broken = [
        "0x5\r\nhello\r\n0\r\n\r\n",
        "+5\r\nhello\r\n0\r\n\r\n",
        "-5\r\nhello\r\n0\r\n\r\n",
        "5_0\r\nhello\r\n0\r\n\r\n",
        "5h\r\nhello\r\n0\r\n\r\n",
        " 5\r\nhello\r\n0\r\n\r\n",
        "\r\n5\r\nhello\r\n0\r\n\r\n",
        "\r\nhello\r\n0\r\n\r\n",
        ";x\r\nhello\r\n0\r\n\r\n",
        "5\nhello\r\n0\r\n\r\n",
        "5\rhello\r\n0\r\n\r\n",
        "5\r\r\nhello\r\n0\r\n\r\n",
        "5;a\nb\r\nhello\r\n0\r\n\r\n",
        "5;a\rb\r\nhello\r\n0\r\n\r\n",
        "5\r\nhello\n0\r\n\r\n",
        "5\r\nhello0\r\n\r\n",
        "5\r\nhello!\r\n0\r\n\r\n",
        "4\r\nhello\r\n0\r\n\r\n",
        "5\r\nhello\r\n0\n\r\n",
        "5\r\nhello\r\n-0\r\n\r\n",
        "5\r\nhello\r\n0\r\nX y\r\n\r\n",
        "5\r\nhello\r\n0\r\nX : y\r\n\r\n",
        "5\r\nhello\r\n10000000000000005\r\nhello\r\n0\r\n\r\n",
    ];
    rows.extend(broken.map(|body| with(body, Broken(400))));
    about("chunks (RFC 9112 7.1)", rows)
}
