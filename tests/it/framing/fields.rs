//! Fields by which a client would speak for the edge, or take words from it.

use super::expect::Expect::Closed;
use super::expect::{Row, about, passed, post, raw, with_lines};

pub(super) fn all() -> Vec<Row> {
    [
        about("nominated fields (RFC 9110 7.6.1)", nominated()),
        about(
            "names that CGI cannot tell apart (RFC 3875 4.1.18)",
            underscores(),
        ),
        about("forwarding fields (RFC 7239 8.1)", forwarded()),
        about("trailers (RFC 9110 6.5.1)", trailers()),
        about("upgrades (RFC 9110 7.8)", upgrades()),
        about("absolute form (RFC 9112 3.2.2)", absolute()),
        about("line ends (RFC 9112 2.2)", line_ends()),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// A `GET` that goes up whatever its lines say.
fn get(lines: &str) -> Row {
    with_lines(&format!("Host: a\r\n{lines}"), passed("GET /x"))
}

fn nominated() -> Vec<Row> {
    vec![
        get("Connection: X-Forwarded-For\r\nX-Forwarded-For: 6.6.6.6")
            .seen_with("x-forwarded-for", "127.0.0.1"),
        get("Connection: X-Forwarded-Host, Forwarded").seen_with("x-forwarded-host", "a"),
        get("Connection: X-Forwarded-Proto").seen_with("x-forwarded-proto", "http"),
        get("Connection: Via\r\nVia: 1.0 b").seen_with("via", "1.0 b, 1.1 test-edge"),
        get("Connection: Cookie\r\nCookie: a=1").seen_with("cookie", "a=1"),
        get("Connection: Authorization\r\nAuthorization: Basic eA==")
            .seen_with("authorization", "Basic eA=="),
        get("Connection: Host").seen_with("host", "a"),
        get("Connection: close-not, X-A\r\nX-A: 1").seen_without("x-a"),
        get("Connection: x-a\r\nX-A: 1\r\nConnection: X-B\r\nX-B: 2")
            .seen_without("x-a")
            .seen_without("x-b"),
        get("Connection: \"x-a\"\r\nX-A: 1").seen_with("x-a", "1"),
        get("Connection: Origin, Referer\r\nOrigin: http://a").seen_with("origin", "http://a"),
        get("Connection: If-None-Match\r\nIf-Modified-Since: x")
            .seen_with("if-modified-since", "x"),
        get("Keep-Alive: timeout=9").seen_without("keep-alive"),
        get("Proxy-Connection: keep-alive").seen_without("proxy-connection"),
        get("Proxy-Authorization: Basic eA==").seen_without("proxy-authorization"),
        get("Proxy: http://evil.example").seen_without("proxy"),
        get("TE: gzip").seen_without("te"),
        get("Trailer: Content-Length").seen_without("trailer"),
        post(
            "Connection: Content-Length\r\nContent-Length: 2",
            "ok",
            passed("POST /x body=ok"),
        )
        .seen_with("content-length", "2"),
        post(
            "Connection: Transfer-Encoding\r\nTransfer-Encoding: chunked",
            "2\r\nok\r\n0\r\n\r\n",
            passed("POST /x body=ok"),
        )
        .seen_with("transfer-encoding", "chunked"),
    ]
}

fn underscores() -> Vec<Row> {
    let mut rows = vec![
        get("X_Forwarded_For: 6.6.6.6").seen_without("x_forwarded_for"),
        get("X-Forwarded_For: 6.6.6.6").seen_without("x-forwarded_for"),
        get("X.Forwarded.For: 6.6.6.6").seen_without("x.forwarded.for"),
        get("X_Forwarded_Proto: https").seen_without("x_forwarded_proto"),
        get("Forwarded_: for=b").seen_with("forwarded_", "for=b"),
        get("X_Real_IP: 6.6.6.6").seen_without("x_real_ip"),
        get("Remote_User: root").seen_without("remote_user"),
        get("X_Original_URL: /inner").seen_without("x_original_url"),
        get("Keep_Alive: 1").seen_without("keep_alive"),
        get("Accept_Encoding: br").seen_without("accept_encoding"),
        get("If_None_Match: \"a\"").seen_without("if_none_match"),
        // The site's own, once and twice.
        get("Session_Id: 1").seen_with("session_id", "1"),
        get("Session_Id: 1\r\nSession-Id: 2")
            .seen_without("session_id")
            .seen_with("session-id", "2"),
    ];
    let framing = [
        "Content_Length: 3",
        "Transfer_Encoding: chunked",
        "Content.Length: 3",
    ];
    rows.extend(framing.map(|line| post(line, "", Closed(400))));
    rows
}

fn forwarded() -> Vec<Row> {
    vec![
        get("X-Forwarded-For: 6.6.6.6").seen_with("x-forwarded-for", "127.0.0.1"),
        get("X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-For: 7.7.7.7")
            .seen_with("x-forwarded-for", "127.0.0.1"),
        get("X-Forwarded-Host: b").seen_with("x-forwarded-host", "a"),
        get("X-Forwarded-Proto: https").seen_with("x-forwarded-proto", "http"),
        get("X-Forwarded-Port: 1").seen_without("x-forwarded-port"),
        get("X-Forwarded-Prefix: /b").seen_without("x-forwarded-prefix"),
    ]
}

/// They are read, and go no further.
fn trailers() -> Vec<Row> {
    [
        "X-Trailer: y",
        "Content-Length: 5",
        "Transfer-Encoding: chunked",
        "Host: b",
        "Cookie: a=1",
        "X-Forwarded-For: 6.6.6.6",
        "GET: /inner HTTP/1.1",
    ]
    .map(|line| {
        let name = line.split(':').next().unwrap_or_default();
        let body = format!("5\r\nhello\r\n0\r\n{line}\r\n\r\n");
        let lines = format!("Transfer-Encoding: chunked\r\nTrailer: {name}\r\nTE: trailers");
        post(&lines, &body, passed("POST /x body=hello"))
            .seen_without("trailer")
            .seen_without("x-trailer")
            .seen_without("cookie")
            .seen_with("host", "a")
    })
    .into()
}

fn upgrades() -> Vec<Row> {
    const KEY: &str = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==";
    let with = |upgrade: &str, rest: &str| {
        get(&format!("Connection: Upgrade\r\nUpgrade: {upgrade}{rest}")).seen_without("upgrade")
    };
    let version = format!("\r\nSec-WebSocket-Version: 13\r\n{KEY}");
    let mut rows = vec![
        with("h2c", ""),
        with("h2c, websocket", ""),
        with("h2c", "\r\nHTTP2-Settings: AAMAAABkAAQAAP__").seen_without("http2-settings"),
        with("HTTP/2.0", ""),
        with("TLS/1.0", ""),
        with("websocket", ""),
        with("websocketx", &version),
        with("websocket/13", &version),
        with("websocket", "\r\nSec-WebSocket-Version: 13"),
        with(
            "websocket",
            &format!("\r\nSec-WebSocket-Version: 14\r\n{KEY}"),
        ),
        with("websocket", &format!("{version}\r\n{KEY}")),
        with(
            "websocket",
            "\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: short",
        ),
    ];
    // What a body follows is no handshake.
    rows.push(
        post(
            &format!("Connection: Upgrade\r\nUpgrade: websocket{version}\r\nContent-Length: 2"),
            "ok",
            passed("POST /x body=ok"),
        )
        .seen_without("upgrade"),
    );
    rows
}

fn absolute() -> Vec<Row> {
    let with = |target: &str, lines: &str, expect| {
        raw(format!("GET {target} HTTP/1.1\r\n{lines}\r\n\r\n"), expect)
    };
    let mut rows = vec![
        with("http://a/x", "Host: a", passed("GET /x")).seen_with("host", "a"),
        with("http://A:80/x", "Host: a", passed("GET /x")).seen_with("x-forwarded-host", "a:80"),
        with("http://a/x", "Host: a:80", passed("GET /x")),
    ];
    rows.extend(
        [
            ("http://a/x", "Host: b"),
            ("http://b/x", "Host: a"),
            ("http://a/x", "X: y"),
            ("http://a/x", "Host: a\r\nHost: a"),
            ("http://a/x", "Host: a:81"),
            ("http://a:81/x", "Host: a"),
            ("http://a@b/x", "Host: a"),
            ("http://b@a/x", "Host: a"),
            ("http://a:80@b/x", "Host: a"),
            ("http://a\\@b/x", "Host: a"),
            ("http://a%2eb/x", "Host: a"),
            ("http://a,b/x", "Host: a"),
            ("https://a/x", "Host: a"),
            ("ws://a/x", "Host: a"),
            ("file:///x", "Host: a"),
            ("a/x", "Host: a"),
            ("http://", "Host: a"),
            ("http:a/x", "Host: a"),
        ]
        .map(|(target, lines)| with(target, lines, Closed(400))),
    );
    rows
}

fn line_ends() -> Vec<Row> {
    let mut rows: Vec<_> = [
        "GET /x HTTP/1.1\nHost: a\n\n",
        "GET /x HTTP/1.1\r\nHost: a\n\r\n",
        "GET /x HTTP/1.1\nHost: a\r\n\n",
        "\nGET /x HTTP/1.1\r\nHost: a\r\n\r\n",
    ]
    .map(|head| raw(head, passed("GET /x")))
    .into();
    rows.push(raw(
        "POST /x HTTP/1.1\nHost: a\nContent-Length: 2\n\nok",
        passed("POST /x body=ok"),
    ));
    rows.extend(
        [
            "GET /x HTTP/1.1\rHost: a\r\r",
            "GET /x HTTP/1.1\r\r\nHost: a\r\n\r\n",
            "GET /x HTTP/1.1\r\nHost: a\r\r\n\r\n",
            "\rGET /x HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET /x HTTP/1.1\r\nHost: a\r\nX: y\rGET /inner HTTP/1.1\r\n\r\n",
            "GET /x HTTP/1.1\u{85}Host: a\r\n\r\n",
            "GET /x HTTP/1.1\u{b}\nHost: a\r\n\r\n",
            "GET /x\u{c}HTTP/1.1\r\nHost: a\r\n\r\n",
        ]
        .map(|head| raw(head, Closed(400))),
    );
    rows
}
