//! Header lines.

use super::expect::Expect::{Closed, Refused};
use super::expect::{Row, about, last, passed, post, raw, with_lines};

pub(super) fn hosts() -> Vec<Row> {
    let mut rows: Vec<_> = [
        "Host: A",
        "Host: a.",
        "HOST:\ta \t",
        "Host: a:8080",
        "Host: 127.0.0.1",
    ]
    .map(|lines| with_lines(lines, passed("GET /x")))
    .into();
    let unknown = [
        "Host: b",
        "Host: b.a",
        "Host: a.b",
        "Host: [::1]",
        "Host: 127.0.0.2",
    ];
    rows.extend(unknown.map(|lines| with_lines(lines, Refused(421))));
    let refused = [
        "X: y",
        "Host: a\r\nHost: a",
        "Host: a\r\nHost: b",
        "Host: a\r\nhost: a",
        "Host:",
        "Host: a b",
        "Host: a, b",
        "Host: a/x",
        "Host: a?x",
        "Host: a#x",
        "Host: a\\x",
        "Host: u@a",
        "Host: a%2eb",
        "Host: a:",
        "Host: :80",
        "Host: a:0",
        "Host: a:080",
        "Host: a:65536",
        "Host: a:+80",
        "Host: a:80:80",
        "Host: a..b",
        "Host: .",
        "Host: [::1",
        "Host: 127.0.0.256",
        "Host: 127.1",
        "Host: 0x7f.0.0.1",
        "Host: \u{e9}",
        "Host: a\u{b}",
        "Host : a",
        "Host\t: a",
        " Host: a",
        "Host: a\r\n b",
        "Host:\r\n a",
        "Host\0: a",
        "Host: a\0",
    ];
    rows.extend(refused.map(|lines| with_lines(lines, Closed(400))));
    rows.push(raw("GET /x HTTP/1.0\r\n\r\n", Closed(400)));
    rows.push(raw("GET /x HTTP/1.0\r\nHost: a\r\n\r\n", last("GET /x")));
    about("hosts (RFC 9110 7.2)", rows)
}

pub(super) fn lengths() -> Vec<Row> {
    const CHUNKED: &str = "Transfer-Encoding: chunked";
    const CHUNKS: &str = "5\r\nhello\r\n0\r\n\r\n";
    let mut rows = vec![
        post("Content-Length: 5", "hello", passed("POST /x body=hello")),
        post("Content-Length: 0", "", passed("POST /x")),
        post("X: y", "", passed("POST /x")),
        post(
            "Transfer-Encoding: Chunked",
            CHUNKS,
            passed("POST /x body=hello"),
        ),
        // The nominations are not obeyed.
        post(
            "Connection: Content-Length\r\nContent-Length: 5",
            "hello",
            passed("POST /x body=hello"),
        ),
        post(
            &format!("Connection: Transfer-Encoding\r\n{CHUNKED}"),
            CHUNKS,
            passed("POST /x body=hello"),
        ),
        // hyper merges the lines, and takes the length out, before the gate can see it.
        post(
            "Content-Length: 5\r\nContent-Length: 5",
            "hello",
            Closed(400),
        ),
        post(
            &format!("Content-Length: 6\r\n{CHUNKED}"),
            CHUNKS,
            Closed(400),
        ),
        post(
            &format!("{CHUNKED}\r\nContent-Length: 6"),
            CHUNKS,
            Closed(400),
        ),
    ];
    let lengths = [
        "Content-Length: 5\r\nContent-Length: 6",
        "Content-Length: 5, 5",
        "Content-Length: 5,",
        "Content-Length:",
        "Content-Length: +5",
        "Content-Length: -5",
        "Content-Length: 0x5",
        "Content-Length: 5 5",
        "Content-Length: 5;",
        "Content-Length: 5.0",
        "Content-Length: \u{665}",
        "Content-Length: 18446744073709551616",
        "Content-Length : 5",
        "Content-Length\t: 5",
        "Content-Length: 5\r\n 5",
        "Content-Length: 05",
        "Content_Length: 5",
        "Content-Length: 5\r\nContent_Length: 6",
    ];
    rows.extend(lengths.map(|lines| post(lines, "hello", Closed(400))));
    let codings = [
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
        "Transfer-Encoding: chunked, chunked",
        "Transfer-Encoding: identity, chunked",
        "Transfer-Encoding: gzip, chunked",
        "Transfer-Encoding: chunked, gzip",
        "Transfer-Encoding: ,chunked",
        "Transfer-Encoding: chunked,",
        "Transfer-Encoding: gzip",
        "Transfer-Encoding: identity",
        "Transfer-Encoding: xchunked",
        "Transfer-Encoding: chunkedx",
        "Transfer-Encoding: \"chunked\"",
        "Transfer-Encoding: chunked;q=1",
        "Transfer-Encoding: chu nked",
        "Transfer-Encoding:",
        "Transfer-Encoding: \u{b}chunked",
        "Transfer-Encoding : chunked",
        "Transfer-Encoding:\r\n chunked",
        " Transfer-Encoding: chunked",
        "Transfer_Encoding: chunked",
    ];
    rows.extend(codings.map(|lines| post(lines, CHUNKS, Closed(400))));
    rows.push(raw(
        format!("POST /x HTTP/1.0\r\nHost: a\r\n{CHUNKED}\r\n\r\n{CHUNKS}"),
        Closed(400),
    ));
    rows.push(raw(
        "POST /x HTTP/1.0\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
        last("POST /x body=hello"),
    ));
    about("lengths (RFC 9112 6.3)", rows)
}

pub(super) fn broken() -> Vec<Row> {
    let mut rows = vec![
        raw("GET /x HTTP/1.1\nHost: a\n\n", passed("GET /x")),
        raw(
            "\r\n\r\nGET /x HTTP/1.1\r\nHost: a\r\n\r\n",
            passed("GET /x"),
        ),
        with_lines("Host: a\r\nX:", passed("GET /x")),
        with_lines("Host: a\r\nX: \u{e9}", passed("GET /x")),
        with_lines("Host: a\r\nConnection: close", last("GET /x")),
        with_lines(
            "Host: a\r\nConnection: X-Nominated, close\r\nX-Nominated: 1",
            last("GET /x"),
        ),
        with_lines(
            "Host: a\r\nConnection: Host, x-nominated\r\nX-Nominated: 1",
            passed("GET /x"),
        ),
        with_lines(
            "Host: a\r\nTE: trailers, chunked\r\nKeep-Alive: 9\r\nProxy-Connection: x",
            passed("GET /x"),
        ),
    ];
    let lines = [
        "Host: a\r\nX",
        "Host: a\r\n: y",
        "Host: a\r\nX : y",
        "Host: a\r\nX\t: y",
        "Host: a\r\n X: y",
        "Host: a\r\nX: y\r\n z",
        "Host: a\r\nX: y\r\n\tz",
        "Host: a\r\nX: y\0z",
        "Host: a\r\nX: y\rz",
        "Host: a\r\nX: y\r\r\nY: z",
        "Host: a\r\nX: y\u{7f}",
        "Host: a\r\nX\0: y",
        "Host: a\r\nX(: y",
        "Host: a\r\n\u{e9}: y",
        "Host: a\rX: y",
    ];
    rows.extend(lines.map(|lines| with_lines(lines, Closed(400))));
    let lines = [
        "GET /x",
        "GET /x HTTP/1.1 x",
        "GET /x HTTP/1.1\r",
        "GET /x HTTP/1.2",
        "GET /x HTTP/0.9",
        "GET /x HTTP/2.0",
        "GET /x HTTP/3",
        "GET /x HTTP/01.1",
        "GET /x http/1.1",
        "GET /x HTTPS/1.1",
        "GET /x HTTP/1,1",
        "PRI * HTTP/2.0",
    ];
    let version = |line: &str| raw(format!("{line}\r\nHost: a\r\n\r\n"), Closed(400));
    rows.extend(lines.map(version));
    rows.push(raw(
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(),
        Closed(400),
    ));
    about("heads (RFC 9112 2.2, 5)", rows)
}

pub(super) fn sizes() -> Vec<Row> {
    let lines = |count: usize| format!("Host: a{}", "\r\nX: y".repeat(count - 1));
    let bytes = |count: usize| format!("Host: a\r\nX: {}", "y".repeat(count));
    let rows = vec![
        with_lines(&lines(100), passed("GET /x")),
        with_lines(&lines(101), Closed(431)),
        with_lines(&bytes(32_000), passed("GET /x")),
        with_lines(&bytes(33_000), Closed(431)),
        with_lines(&bytes(200_000), Closed(431)),
    ];
    about("sizes (RFC 9110 5.4)", rows)
}

pub(super) fn options() -> Vec<Row> {
    const KEY: &str = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==";
    let mut rows = vec![
        post(
            "Expect: 100-continue\r\nContent-Length: 5",
            "hello",
            passed("POST /x body=hello"),
        ),
        post(
            "Expect: 100-Continue\r\nContent-Length: 5",
            "hello",
            passed("POST /x body=hello"),
        ),
        raw(
            "POST /x HTTP/1.0\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello",
            last("POST /x body=hello"),
        ),
        with_lines("Host: a\r\nExpect: 100-continue", passed("GET /x")),
    ];
    let expectations = [
        "Expect: y 100-continue",
        "Expect: 100-continue, y",
        "Expect: 100-continue\r\nExpect: y",
        "Expect: y",
        "Expect: 100",
        "Expect:",
    ];
    let length = "Content-Length: 5";
    rows.extend(
        expectations.map(|line| post(&format!("{line}\r\n{length}"), "hello", Closed(417))),
    );
    let ordinary = [
        "Connection: Upgrade\r\nUpgrade: foo".to_owned(),
        "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__"
            .to_owned(),
        "Connection: Upgrade\r\nUpgrade: TLS/1.0".to_owned(),
        format!("Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 8\r\n{KEY}"),
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13".to_owned(),
        format!("Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n{KEY}"),
        // Whole, but this origin does not switch: what follows is the next request.
        format!("Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n{KEY}"),
    ];
    let lines = ordinary.iter().map(|lines| format!("Host: a\r\n{lines}"));
    rows.extend(lines.map(|lines| with_lines(&lines, passed("GET /x"))));
    let handshake = &ordinary[6];
    rows.push(post(
        &format!("{handshake}\r\nContent-Length: 5"),
        "hello",
        passed("POST /x body=hello"),
    ));
    about("expectations and upgrades (RFC 9110 7.8, 10.1.1)", rows)
}
