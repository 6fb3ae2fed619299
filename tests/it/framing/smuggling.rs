//! Published techniques by which one request becomes two. `INNER` is the request that must never
//! be one.

use super::expect::Expect::{Broken, Closed};
use super::expect::{Row, about, exactly, last, passed, post, raw, with_lines};

const INNER: &str = "GET /inner HTTP/1.1\r\nHost: a\r\n\r\n";

const CHUNKED: &str = "Transfer-Encoding: chunked";

pub(super) fn all() -> Vec<Row> {
    [
        about("CL.TE (RFC 9112 6.1)", cl_te()),
        about("TE.CL (RFC 9112 6.1)", te_cl()),
        about("TE.TE (RFC 9112 6.1)", te_te()),
        about("CL.CL (RFC 9112 6.3)", cl_cl()),
        about("CL.0 (RFC 9110 9.3.1)", cl_0()),
        about("0.CL (RFC 9112 5.1)", zero_cl()),
        about("0.CL by Expect (RFC 9110 10.1.1)", by_expect()),
        about("early answer (RFC 9112 9.3)", early()),
        about("pipeline (RFC 9112 9.3.2)", pipelines()),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// A server behind that reads the chunks ends where the length of this one does not.
fn cl_te() -> Vec<Row> {
    let body = format!("0\r\n\r\n{INNER}");
    let length = format!("Content-Length: {}", body.len());
    [
        format!("{length}\r\n{CHUNKED}"),
        format!("{CHUNKED}\r\n{length}"),
        format!("{length}\r\nX: y\r\nTRANSFER-ENCODING: CHUNKED"),
        format!("{length}\r\nTransfer-Encoding:chunked"),
        format!("{length}\r\nTransfer-Encoding:\tchunked\t"),
        format!("Content-Length: 5\r\n{CHUNKED}"),
        format!("Content-Length: 0\r\n{CHUNKED}"),
        format!("{length}\r\nConnection: Transfer-Encoding\r\n{CHUNKED}"),
        format!("{length}\r\nConnection: Content-Length\r\n{CHUNKED}"),
        // A line end of one byte (RFC 9112 2.2) makes it a line of its own.
        format!("{length}\r\nX: y\n{CHUNKED}"),
        format!("{length}\nX: y\n{CHUNKED}"),
    ]
    .map(|lines| post(&lines, &body, Closed(400)))
    .into()
}

/// A server behind that goes by the length finds the inner request in the chunk.
fn te_cl() -> Vec<Row> {
    let size = INNER.len();
    let body = format!("{size:x}\r\n{INNER}\r\n0\r\n\r\n");
    let mut rows: Vec<_> = [
        format!("Content-Length: 4\r\n{CHUNKED}"),
        format!("{CHUNKED}\r\nContent-Length: 4"),
        format!("Content-Length: 4\r\nContent-Length: 4\r\n{CHUNKED}"),
        format!("{CHUNKED}\r\nX: y\r\ncontent-length:4"),
    ]
    .map(|lines| post(&lines, &body, Closed(400)))
    .into();
    // Behind a request that is as it should be.
    let good = "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nok";
    let bad =
        format!("POST /y HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n{CHUNKED}\r\n\r\n{body}");
    rows.push(raw(good, exactly(&[200, 400], &["POST /x body=ok"])).later(bad));
    let both =
        format!("{good}POST /y HTTP/1.1\r\nHost: a\r\n{CHUNKED}\r\nContent-Length: 4\r\n\r\n");
    rows.push(raw(both, exactly(&[200, 400], &["POST /x body=ok"])));
    rows
}

/// Spellings of the coding that one reader takes for it and another does not.
fn te_te() -> Vec<Row> {
    let size = INNER.len();
    let body = format!("{size:x}\r\n{INNER}\r\n0\r\n\r\n");
    let spellings: [&[u8]; 40] = [
        b"Transfer-Encoding: xchunked",
        b"Transfer-Encoding: chunkedx",
        b"Transfer-Encoding: x-chunked",
        b"Transfer-Encoding : chunked",
        b"Transfer-Encoding\t: chunked",
        b"Transfer-Encoding\x0b: chunked",
        b"Transfer-Encoding\x00: chunked",
        b"Transfer-Encoding;: chunked",
        b"Transfer-Encoding: chunked\r\nTransfer-encoding: x",
        b"Transfer-Encoding: x\r\nTransfer-encoding: chunked",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
        b"Transfer-Encoding: \x0bchunked",
        b"Transfer-Encoding: \x0cchunked",
        b"Transfer-Encoding: \x00chunked",
        b"Transfer-Encoding: \x08chunked",
        b"Transfer-Encoding: \x7fchunked",
        b"Transfer-Encoding: \xa0chunked",
        b"Transfer-Encoding: \xffchunked",
        b"Transfer-Encoding: chunked\x00",
        b"Transfer-Encoding: chunked\x0b",
        b"Transfer-Encoding: chun\xc5\xb1ked",
        b"Transfer-Encoding: \"chunked\"",
        b"Transfer-Encoding: 'chunked'",
        b"Transfer-Encoding: chunked;q=1",
        b"Transfer-Encoding: chunked;",
        b"Transfer-Encoding: chunked,",
        b"Transfer-Encoding: , chunked",
        b"Transfer-Encoding: chunked, identity",
        b"Transfer-Encoding: identity, chunked",
        b"Transfer-Encoding: deflate, chunked",
        b"Transfer-Encoding: chunked chunked",
        b"Transfer-Encoding: gzip",
        b"Transfer-Encoding:",
        b" Transfer-Encoding: chunked",
        b"X: y\r\n Transfer-Encoding: chunked",
        b"X: y\rTransfer-Encoding: chunked",
        b"X: y\r\n\rTransfer-Encoding: chunked",
        b"Transfer-Encoding:\r\n chunked",
        b"Transfer\r\n-Encoding: chunked",
    ];
    let request = |line: &[u8], length: &str| {
        let start = format!("POST /x HTTP/1.1\r\nHost: a\r\n{length}");
        [start.as_bytes(), line, b"\r\n\r\n", body.as_bytes()].concat()
    };
    let with_length =
        spellings.map(|line| raw(request(line, "Content-Length: 4\r\n"), Closed(400)));
    let without = spellings.map(|line| raw(request(line, ""), Closed(400)));
    let mut rows: Vec<_> = with_length.into_iter().chain(without).collect();
    // Legal spellings of the one coding (RFC 9112 6.1, RFC 9110 5.6.3).
    let seen = format!("POST /x body={INNER}");
    let legal: [&[u8]; 4] = [
        b"transfer-encoding:chunked",
        b"TRANSFER-ENCODING: CHUNKED",
        b"Transfer-Encoding:\tchunked \t",
        b"Transfer-Encoding: ChUnKeD",
    ];
    rows.extend(legal.map(|line| raw(request(line, ""), passed(&*seen))));
    rows
}

fn cl_cl() -> Vec<Row> {
    let length = INNER.len();
    let mut rows: Vec<_> = [
        format!("Content-Length: 0\r\nContent-Length: {length}"),
        format!("Content-Length: {length}\r\nContent-Length: 0"),
        format!("Content-Length: {length}\r\nContent-Length: {length}"),
        format!("Content-Length: {length}\r\nX: y\r\ncontent-length:{length}"),
        format!("Content-Length: {length}, {length}"),
        format!("Content-Length: {length}, 0"),
        format!("Content-Length: {length}\nContent-Length: {length}"),
        format!("Content-Length: 0\r\nContent_Length: {length}"),
        format!("Content.Length: 0\r\nContent_Length: {length}"),
        format!("Content-Length: {length}\r\nContent-Length:"),
        format!("Content-Length: 18446744073709551616{length}"),
    ]
    .map(|lines| post(&lines, INNER, Closed(400)))
    .into();
    // On an HTTP/1.0 connection that is to be kept.
    let lines = format!(
        "Host: a\r\nConnection: keep-alive\r\nContent-Length: 0\r\nContent-Length: {length}"
    );
    rows.push(raw(
        format!("POST /x HTTP/1.0\r\n{lines}\r\n\r\n{INNER}"),
        Closed(400),
    ));
    rows
}

/// An origin that does not look for a body takes it for the next request: it must say where it
/// ends, and it does.
fn cl_0() -> Vec<Row> {
    let length = INNER.len();
    let methods = [
        "GET", "DELETE", "OPTIONS", "PUT", "PATCH", "PROPFIND", "FOO",
    ];
    let mut rows: Vec<_> = methods
        .map(|method| {
            let head = format!("{method} /x HTTP/1.1\r\nHost: a\r\nContent-Length: {length}");
            let seen = format!("{method} /x body={INNER}");
            raw(format!("{head}\r\n\r\n{INNER}"), passed(seen))
                .seen_with("content-length", "32")
                .seen_without("transfer-encoding")
        })
        .into();
    let head = format!("POST /a/../x/ HTTP/1.1\r\nHost: a\r\nContent-Length: {length}");
    let seen = format!("POST /x/ body={INNER}");
    rows.push(raw(format!("{head}\r\n\r\n{INNER}"), passed(seen)));
    // The length is wrong: what is beyond it is the next request, and seen as one.
    let beyond = "GET /beyond HTTP/1.1\r\nHost: a\r\n\r\n";
    rows.push(post(
        "Content-Length: 2",
        &format!("ok{beyond}"),
        exactly(&[200, 200], &["POST /x body=ok", "GET /beyond"]),
    ));
    rows
}

/// A length that one reader overlooks.
fn zero_cl() -> Vec<Row> {
    let length = INNER.len();
    [
        format!("Content-Length : {length}"),
        format!("Content-Length\t: {length}"),
        format!(" Content-Length: {length}"),
        format!("\tContent-Length: {length}"),
        format!("X: y\r\n Content-Length: {length}"),
        format!("X: y\rContent-Length: {length}"),
        format!("Content-Length\u{b}: {length}"),
        format!("Content-Length\0: {length}"),
        format!("Content-Length:\r\n {length}"),
        format!("Content-\r\nLength: {length}"),
        format!("Content-Length: {length}\0"),
        format!("Content-Length: \u{b}{length}"),
        format!("Content-Length: {length};"),
        format!("Content-Length: +{length}"),
        format!("Content-Length: 0{length}"),
        format!("Content-Length: {length}.0"),
        format!("Content-Length: {length}e0"),
        format!("Content-Length: 0x21{length}"),
        format!("Content-Length: \"{length}\""),
        format!("Content_Length: {length}"),
        format!("Content.Length: {length}"),
        format!("Content~Length: {length}"),
    ]
    .map(|lines| post(&lines, INNER, Closed(400)))
    .into()
}

/// "HTTP/1.1 must die" (2025): servers that forget the body over an expectation.
fn by_expect() -> Vec<Row> {
    let length = INNER.len();
    let with = |method: &str, lines: &str, expect| {
        let head =
            format!("{method} /x HTTP/1.1\r\nHost: a\r\n{lines}\r\nContent-Length: {length}");
        raw(format!("{head}\r\n\r\n{INNER}"), expect)
    };
    let methods = ["GET", "POST", "OPTIONS", "DELETE"];
    let mut rows: Vec<_> = methods
        .map(|method| {
            let seen = passed(format!("{method} /x body={INNER}"));
            with(method, "Expect: 100-continue", seen).seen_without("expect")
        })
        .into();
    let unknown = [
        "Expect: y 100-continue",
        "Expect: 100-continue y",
        "Expect: 100-continue, 100-continue",
        "Expect: \"100-continue\"",
        "Expect: 100-continue;",
        "Expect: 200-ok",
        "Expect: 100-continue\r\nExpect: 100-continue; q=1",
    ];
    for method in ["GET", "POST"] {
        rows.extend(unknown.map(|line| with(method, line, Closed(417))));
    }
    let malformed = [
        "Expect : 100-continue",
        "Expect:\r\n 100-continue",
        "Expect\0: 100-continue",
        " Expect: 100-continue",
    ];
    rows.extend(malformed.map(|line| with("POST", line, Closed(400))));
    // A length beside it is still one of two.
    let two = format!("Expect: 100-continue\r\n{CHUNKED}");
    rows.push(with("POST", &two, Closed(400)));
    rows
}

/// The origin answers before it has the request: the connection to it carries nothing else.
fn early() -> Vec<Row> {
    let length = INNER.len();
    let with = |lines: &str, body: &str| {
        let head = format!("POST /early HTTP/1.1\r\nHost: a\r\n{lines}\r\n\r\n");
        raw(head + body, passed(format!("POST /early body={INNER}")))
    };
    let chunks = format!("{length:x}\r\n{INNER}\r\n0\r\n\r\n");
    vec![
        with(&format!("Content-Length: {length}"), INNER),
        with(CHUNKED, &chunks),
        with(&format!("Content-Length: {length}"), "").later(INNER),
        with(&format!("Content-Length: {length}"), &INNER[..10]).later(&INNER[10..]),
        with(CHUNKED, "").later(&*chunks),
        with(CHUNKED, &chunks[..10]).later(&chunks[10..]),
        with(
            &format!("Expect: 100-continue\r\nContent-Length: {length}"),
            "",
        )
        .later(INNER),
    ]
}

/// Several requests in one piece.
fn pipelines() -> Vec<Row> {
    let get = |path: &str| format!("GET /{path} HTTP/1.1\r\nHost: a\r\n\r\n");
    let post = |path: &str, lines: &str, body: &str| {
        format!("POST /{path} HTTP/1.1\r\nHost: a\r\n{lines}\r\n\r\n{body}")
    };
    let chunks = "5\r\nhello\r\n0\r\n\r\n";
    vec![
        raw(
            [get("1"), get("2"), get("3")].concat(),
            exactly(&[200; 3], &["GET /1", "GET /2", "GET /3"]),
        ),
        raw(
            [
                post("1", CHUNKED, chunks),
                get("2"),
                post("3", "Content-Length: 2", "ok"),
            ]
            .concat(),
            exactly(
                &[200; 3],
                &["POST /1 body=hello", "GET /2", "POST /3 body=ok"],
            ),
        ),
        raw(
            [
                post("1", "Content-Length: 5", "hello"),
                "\r\n\r\n".to_owned(),
                get("2"),
            ]
            .concat(),
            exactly(&[200; 2], &["POST /1 body=hello", "GET /2"]),
        ),
        // Refused in the middle: nothing behind it is read.
        raw(
            [get("1"), "GET /2 HTTP/1.1\r\n\r\n".to_owned(), get("3")].concat(),
            exactly(&[200, 400], &["GET /1"]),
        ),
        raw(
            [
                get("1"),
                "GET  /2 HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(),
                get("3"),
            ]
            .concat(),
            exactly(&[200, 400], &["GET /1"]),
        ),
        // Bytes between two requests that are no request.
        raw(
            [get("1"), "\0".to_owned(), get("2")].concat(),
            exactly(&[200, 400], &["GET /1"]),
        ),
        raw(
            [post("1", "Content-Length: 5", "hello!"), get("2")].concat(),
            exactly(&[200, 200], &["POST /1 body=hello", "!GET /2"]),
        ),
        // The last chunk's line end is missing: the next request is no trailer.
        raw(
            [post("1", CHUNKED, "5\r\nhello\r\n0\r\n"), get("2")].concat(),
            Broken(400),
        ),
        // A tunnel that was not opened yet (RFC 9931): what was sent ahead is no request of it.
        raw(
            [
                "GET /1 HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                 Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
                "\u{1}\u{2}GET /inner HTTP/1.1\r\n\r\n",
            ]
            .concat(),
            exactly(&[200, 400], &["GET /1"]),
        ),
        raw(
            ["CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n", INNER].concat(),
            Closed(405),
        ),
        with_lines("Host: a\r\nConnection: close", last("GET /x")),
    ]
}
