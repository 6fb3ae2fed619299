//! HTTP/2 requests that would become other requests on their way to an HTTP/1.1 origin: frames
//! and field blocks are written by hand, because no client library would send them.

use std::collections::HashMap;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::client::TlsStream;

use super::{PATIENCE, SECOND_SEEN, oddity, rules};
use crate::support::{RecordingOrigin, Seen, TestEdge, config, tls_http2};

type Fields<'a> = &'a [(&'a str, &'a str)];

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const GOAWAY: u8 = 7;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
/// `:status: 200` from the static table (RFC 7541, appendix A).
const STATUS_200: u8 = 0x88;

const GET: [(&str, &str); 4] = [
    (":method", "GET"),
    (":scheme", "https"),
    (":authority", "a"),
    (":path", "/x"),
];
const INNER: &str = "0\r\n\r\nGET /inner HTTP/1.1\r\nHost: a\r\n\r\n";

fn frame(kind: u8, flags: u8, stream: u8, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let head = [
        length[1], length[2], length[3], kind, flags, 0, 0, 0, stream,
    ];
    [&head[..], payload].concat()
}

/// Literal fields without indexing, without Huffman coding (RFC 7541 6.2.2).
fn request(stream: u8, fields: Fields<'_>, body: Option<&str>) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in fields {
        block.push(0);
        for text in [name, value] {
            assert!(text.len() < 127);
            block.push(u8::try_from(text.len()).unwrap());
            block.extend_from_slice(text.as_bytes());
        }
    }
    let Some(body) = body else {
        return frame(HEADERS, END_HEADERS | END_STREAM, stream, &block);
    };
    let head = frame(HEADERS, END_HEADERS, stream, &block);
    [head, frame(DATA, END_STREAM, stream, body.as_bytes())].concat()
}

/// How each stream was answered, as far as the connection went.
#[derive(Default, Debug)]
struct Streams {
    /// Whether the status is 200.
    answered: HashMap<u8, bool>,
    ended: Vec<u8>,
}

impl Streams {
    /// Until both streams have ended, or the connection has.
    async fn read(stream: &mut (impl AsyncRead + Unpin)) -> Self {
        let mut streams = Self::default();
        let mut head = [0; 9];
        while !(streams.ended.contains(&1) && streams.ended.contains(&3)) {
            if stream.read_exact(&mut head).await.is_err() {
                break;
            }
            let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
            let mut payload = vec![0; length as usize];
            if stream.read_exact(&mut payload).await.is_err() || head[3] == GOAWAY {
                break;
            }
            streams.note(head[3], head[4], head[8], &payload);
        }
        streams
    }

    fn note(&mut self, kind: u8, flags: u8, stream: u8, payload: &[u8]) {
        if kind == HEADERS {
            // In front of the status there may be a change of the table's size.
            let status = payload.iter().find(|byte| **byte & 0xe0 != 0x20);
            self.answered.insert(stream, status == Some(&STATUS_200));
        }
        let ends = matches!(kind, HEADERS | DATA) && flags & END_STREAM != 0;
        if ends || kind == RST_STREAM {
            self.ended.push(stream);
        }
    }
}

async fn play(fields: Fields<'_>, body: Option<&str>) -> (Streams, Vec<Seen>) {
    let origin = RecordingOrigin::start().await;
    let edge = TestEdge::spawn(config(&rules(&origin))).await;
    let mut stream: TlsStream<TcpStream> = tls_http2(edge.https.unwrap()).await;
    let second = [GET[0], GET[1], GET[2], (":path", "/second")];
    let all = [
        PREFACE.to_vec(),
        request(1, fields, body),
        request(3, &second, None),
    ];
    let _ = stream.write_all(&all.concat()).await;
    let streams = Streams::read(&mut stream).await;
    drop(stream);
    edge.end().await;
    (streams, origin.finish().await)
}

async fn outcome(fields: Fields<'_>, body: Option<&str>) -> (Streams, Vec<String>) {
    let played = timeout(PATIENCE, play(fields, body)).await;
    let (streams, seen) = played.unwrap_or_else(|_| panic!("{fields:?} stalled"));
    assert_eq!(oddity(&seen), None, "{fields:?}");
    let mut seen: Vec<_> = seen.iter().map(Seen::summary).collect();
    seen.sort();
    (streams, seen)
}

#[tokio::test]
async fn what_has_one_reading_goes_up() {
    let post = [(":method", "POST"), GET[1], GET[2], GET[3]];
    let with = |field| [&post[..], &[field]].concat();
    let table: [(Vec<_>, Option<&str>, &str); 8] = [
        (GET.into(), None, "GET /x"),
        (
            [&GET[..3], &[(":path", "/a//../b")]].concat(),
            None,
            "GET /b",
        ),
        (
            [&GET[..2], &[GET[3], ("host", "a")]].concat(),
            None,
            "GET /x",
        ),
        ([&GET[..], &[("te", "trailers")]].concat(), None, "GET /x"),
        (
            with(("content-length", "5")),
            Some("hello"),
            "POST /x body=hello",
        ),
        (with(("x", "y")), Some("hello"), "POST /x body=hello"),
        (with(("x", "")), None, "POST /x"),
        (GET.into(), Some("hello"), "GET /x body=hello"),
    ];
    for (fields, body, expected) in table {
        let (streams, seen) = outcome(&fields, body).await;
        let mut both = [SECOND_SEEN, expected];
        both.sort_unstable();
        assert_eq!(seen, both, "{fields:?}");
        assert!(
            streams.answered[&1] && streams.answered[&3],
            "{fields:?} {streams:?}"
        );
    }
}

/// Nothing of it reaches the origin whole; whether the second stream is answered is the server's
/// choice.
async fn check_stopped(fields: Fields<'_>, body: Option<&str>) {
    let (streams, seen) = outcome(fields, body).await;
    let whole = seen
        .iter()
        .filter(|request| !request.ends_with("(broken off)"));
    let first: Vec<_> = whole.filter(|request| *request != SECOND_SEEN).collect();
    assert!(first.is_empty(), "{fields:?}: the origin saw {first:?}");
    assert_ne!(streams.answered.get(&1), Some(&true), "{fields:?}");
}

#[tokio::test]
async fn fields_that_would_frame_the_request_anew_are_stopped() {
    let with = |field| [&[(":method", "POST"), GET[1], GET[2], GET[3]], &[field][..]].concat();
    for (field, body) in [
        (("content-length", "6"), "hello"),
        (("content-length", "4"), "hello"),
        (("content-length", "0"), "hello"),
        (("content-length", "+5"), "hello"),
        (("content-length", "05"), "hello"),
        (("content-length", ""), "hello"),
        (("content-length", "5, 5"), "hello"),
        (("content_length", "5"), "hello"),
        (("transfer-encoding", "chunked"), INNER),
        (("transfer_encoding", "chunked"), INNER),
        (("Transfer-Encoding", "chunked"), INNER),
        (("transfer-encoding:", "chunked"), INNER),
        (("connection", "content-length"), "hello"),
        (("keep-alive", "1"), "hello"),
        (("proxy-connection", "close"), "hello"),
        (("upgrade", "h2c"), "hello"),
        (("te", "trailers, chunked"), "hello"),
        (("x", "y\r\ntransfer-encoding: chunked"), INNER),
        (("x", "y\nz: 1"), "hello"),
        (("x", "y\rz: 1"), "hello"),
        (("x", "y\0z"), "hello"),
        (("x", " y"), "hello"),
        (("x", "y "), "hello"),
        (("x: y\r\nz", "1"), "hello"),
        (("x y", "1"), "hello"),
        (("X", "y"), "hello"),
        (("", "y"), "hello"),
        ((":x", "y"), "hello"),
        (("expect", "y"), "hello"),
    ] {
        check_stopped(&with(field), Some(body)).await;
    }
    let mut twice = with(("content-length", "5"));
    twice.push(("content-length", "5"));
    check_stopped(&twice, Some("hello")).await;
}

#[tokio::test]
async fn request_lines_that_would_be_other_lines_are_stopped() {
    for (at, value) in [
        (0, "GET /inner HTTP/1.1\r\nX: "),
        (0, "GET /inner"),
        (0, "TRACE"),
        (0, "CONNECT"),
        (0, ""),
        (1, "http"),
        (1, "https://b/x?"),
        (1, ""),
        (2, "b"),
        (2, "u@a"),
        (2, "a b"),
        (2, "a/"),
        (2, "a\r\nX: y"),
        (2, ""),
        (3, ""),
        (3, "x"),
        (3, "*"),
        (3, "/x y"),
        (3, "/x HTTP/1.1\r\nHost: a\r\n\r\nGET /inner"),
        (3, "/x\0"),
        (3, "https://b/x"),
        (3, "@b/x"),
        (3, "/../x"),
        (3, "/a%2fx"),
        (3, "/a\\x"),
        (3, "/a%00"),
    ] {
        let mut fields = GET;
        fields[at].1 = value;
        check_stopped(&fields, None).await;
    }
}

#[tokio::test]
async fn pseudo_fields_out_of_place_are_stopped() {
    for missing in 0..GET.len() {
        let mut fields = GET.to_vec();
        fields.remove(missing);
        check_stopped(&fields, None).await;
    }
    for (at, extra) in [
        (4, (":path", "/y")),
        (4, (":method", "POST")),
        (4, (":authority", "b")),
        (4, (":scheme", "http")),
        (4, (":status", "200")),
        (4, ("host", "b")),
        (0, ("x", "y")),
    ] {
        let mut fields = GET.to_vec();
        fields.insert(at, extra);
        check_stopped(&fields, None).await;
    }
    let extended = [
        (":method", "CONNECT"),
        GET[1],
        GET[2],
        GET[3],
        (":protocol", "websocket"),
    ];
    check_stopped(&extended, None).await;
}
