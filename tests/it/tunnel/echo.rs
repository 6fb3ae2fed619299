//! What a WebSocket client hears through the edge is what it hears from the server itself, byte for byte:
//! cases after those of the Autobahn test suite, over HTTP/1.1 and over HTTP/2.

use std::net::SocketAddr;
use std::time::Duration;

use axum::extract::FromRequestParts;
use axum::extract::ws::{Message, WebSocketUpgrade};
use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::time::timeout;

use crate::support::{Socket, TestEdge, Visitor, rules_for};

/// Bytes that a client says, in the pieces in which it writes them.
struct Case {
    name: String,
    pieces: Vec<Vec<u8>>,
}

const TEXT: u8 = 1;
const BINARY: u8 = 2;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;
const FIN: u8 = 0x80;
/// Longer than any server takes to answer or to hang up; a case in which it does neither is one, too.
const SILENCE: Duration = Duration::from_secs(3);

/// A server of its own kind: it echoes messages, and leaves the rest to its library.
async fn echo_server() -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let service = service_fn(async |request: Request<Incoming>| {
                let (mut parts, _) = request.into_parts();
                let upgrade = WebSocketUpgrade::from_request_parts(&mut parts, &()).await;
                let upgrade = upgrade
                    .unwrap()
                    .max_message_size(64 << 20)
                    .max_frame_size(64 << 20);
                Ok::<_, hyper::Error>(upgrade.on_upgrade(async |mut socket| {
                    while let Some(Ok(message)) = socket.recv().await {
                        let is_echoed = matches!(message, Message::Text(_) | Message::Binary(_));
                        if is_echoed && socket.send(message).await.is_err() {
                            return;
                        }
                    }
                }))
            });
            let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
            tokio::spawn(connection.with_upgrades());
        }
    });
    address
}

/// One frame as clients send it, masked.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];
    let mut frame = vec![first];
    match payload.len() {
        short @ ..126 => frame.push(0x80 | short as u8),
        middle @ ..=0xffff => {
            frame.push(0x80 | 126);
            frame.extend((middle as u16).to_be_bytes());
        }
        long => {
            frame.push(0x80 | 127);
            frame.extend((long as u64).to_be_bytes());
        }
    }
    frame.extend(KEY);
    let masked = payload.iter().zip(KEY.iter().cycle());
    frame.extend(masked.map(|(byte, key)| byte ^ key));
    frame
}

fn closing(code: u16, reason: &[u8]) -> Vec<u8> {
    frame(FIN | CLOSE, &[&code.to_be_bytes()[..], reason].concat())
}

fn filled(length: usize) -> Vec<u8> {
    (0..length).map(|at| b'a' + (at % 26) as u8).collect()
}

fn case(name: impl Into<String>, frames: &[Vec<u8>]) -> Case {
    let (name, pieces) = (name.into(), vec![frames.concat()]);
    Case { name, pieces }
}

/// What ends in order: the client says goodbye.
fn polite(name: impl Into<String>, frames: &[Vec<u8>]) -> Case {
    case(name, &[frames, &[closing(1000, b"")]].concat())
}

/// The same bytes in pieces of this size.
fn chopped(case: &Case, size: usize) -> Case {
    let all = case.pieces.concat();
    Case {
        name: format!("{} in pieces of {size}", case.name),
        pieces: all.chunks(size).map(<[u8]>::to_vec).collect(),
    }
}

fn messages() -> Vec<Case> {
    let mut cases = Vec::new();
    for (kind, name) in [(TEXT, "text"), (BINARY, "binary")] {
        for length in [0, 1, 125, 126, 127, 128, 65_535, 65_536, 70_000] {
            let message = frame(FIN | kind, &filled(length));
            cases.push(polite(format!("{name} of {length}"), &[message]));
        }
        for size in [1, 997] {
            let message = frame(FIN | kind, &filled(2000));
            cases.push(chopped(
                &polite(format!("{name} of 2000"), &[message]),
                size,
            ));
        }
    }
    for megabytes in [1, 4, 16] {
        let payload = filled(megabytes << 20);
        let whole = frame(FIN | BINARY, &payload);
        cases.push(polite(format!("{megabytes} MiB"), &[whole]));
        cases.push(polite(
            format!("{megabytes} MiB in fragments"),
            &fragments(&payload, 64 << 10),
        ));
    }
    let many = vec![frame(FIN | TEXT, b"again"); 500];
    cases.push(polite("500 messages at once", &many));
    cases
}

fn fragments(payload: &[u8], size: usize) -> Vec<Vec<u8>> {
    let last = payload.len().div_ceil(size) - 1;
    let pieces = payload.chunks(size).enumerate();
    let first = |at| if at == 0 { BINARY } else { 0 };
    let fin = |at| if at == last { FIN } else { 0 };
    pieces
        .map(|(at, piece)| frame(first(at) | fin(at), piece))
        .collect()
}

fn controls() -> Vec<Case> {
    let hello = frame(FIN | TEXT, b"hello");
    let mut cases = vec![
        polite("an empty ping", &[frame(FIN | PING, b"")]),
        polite("a ping", &[frame(FIN | PING, b"are you there")]),
        polite("a ping of bytes", &[frame(FIN | PING, &[0, 0xff, 0xfe])]),
        polite("the longest ping", &[frame(FIN | PING, &filled(125))]),
        case(
            "a ping that is too long",
            &[frame(FIN | PING, &filled(126))],
        ),
        chopped(&polite("a ping", &[frame(FIN | PING, &filled(125))]), 1),
        polite(
            "a pong that nobody asked for",
            &[frame(FIN | PONG, b"x"), hello.clone()],
        ),
        polite("ten pings", &vec![frame(FIN | PING, b"x"); 10]),
        case("a ping in fragments", &[frame(PING, b"x")]),
        case("a pong in fragments", &[frame(PONG, b"x")]),
    ];
    for rsv in 1..8_u8 {
        for (kind, name) in [
            (TEXT, "text"),
            (BINARY, "binary"),
            (PING, "ping"),
            (CLOSE, "close"),
        ] {
            let reserved = frame(FIN | rsv << 4 | kind, b"");
            cases.push(case(
                format!("reserved bits {rsv} on {name}"),
                &[hello.clone(), reserved],
            ));
        }
    }
    for opcode in [3, 4, 5, 6, 7, 11, 12, 13, 14, 15] {
        let reserved = frame(FIN | opcode, b"");
        cases.push(case(format!("opcode {opcode}"), &[hello.clone(), reserved]));
    }
    let mut unmasked = frame(FIN | TEXT, b"");
    unmasked[1] = 0;
    unmasked.truncate(2);
    cases.push(case("a frame without a mask", &[unmasked]));
    cases
}

fn fragmented() -> Vec<Case> {
    let (begin, middle, end) = (
        frame(TEXT, b"one "),
        frame(0, b"two "),
        frame(FIN, b"three"),
    );
    let ping = frame(FIN | PING, b"?");
    let two = [begin.clone(), end.clone()];
    let with_pings = [
        begin.clone(),
        ping.clone(),
        middle.clone(),
        ping,
        end.clone(),
    ];
    vec![
        polite("two fragments", &two),
        chopped(&polite("two fragments", &two), 1),
        polite(
            "three fragments",
            &[begin.clone(), middle.clone(), end.clone()],
        ),
        polite("pings between fragments", &with_pings),
        chopped(&polite("pings between fragments", &with_pings), 1),
        polite(
            "empty fragments",
            &[frame(TEXT, b""), frame(0, b""), frame(FIN, b"")],
        ),
        case("the end of nothing", std::slice::from_ref(&end)),
        case("the middle of nothing", std::slice::from_ref(&middle)),
        case(
            "a message within a message",
            &[begin.clone(), frame(FIN | TEXT, b"x")],
        ),
        case(
            "a continuation behind the end",
            &[begin.clone(), end.clone(), end],
        ),
        polite("a goodbye within a message", &[begin, middle]),
    ]
}

fn letters() -> Vec<Case> {
    let mut cases = Vec::new();
    for (at, valid) in [
        "κόσμε",
        "\u{0}",
        "\u{7ff}",
        "\u{ffff}",
        "\u{10ffff}",
        "\u{feff}x",
    ]
    .iter()
    .enumerate()
    {
        cases.push(polite(
            format!("letters {at}"),
            &[frame(FIN | TEXT, valid.as_bytes())],
        ));
        let (one, rest) = valid.as_bytes().split_at(1);
        let halves = [frame(TEXT, one), frame(FIN, rest)];
        cases.push(polite(format!("letters {at} cut apart"), &halves));
    }
    for (at, invalid) in [
        &b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80edited"[..],
        b"\x80",
        b"\xbf",
        b"\xc0\xaf",
        b"\xe0\x80\xaf",
        b"\xf0\x80\x80\xaf",
        b"\xf4\x90\x80\x80",
        b"\xf8\x88\x80\x80\x80",
        b"\xed\xa0\x80",
        b"\xed\xbf\xbf",
        b"\xfe",
        b"\xff",
        b"\xce",
        b"abc\xe2\x82",
    ]
    .iter()
    .enumerate()
    {
        cases.push(case(
            format!("no letters {at}"),
            &[frame(FIN | TEXT, invalid)],
        ));
        let binary = frame(FIN | BINARY, invalid);
        cases.push(polite(format!("no letters {at} as bytes"), &[binary]));
    }
    cases
}

fn goodbyes() -> Vec<Case> {
    let mut cases = vec![
        case("a goodbye without a code", &[frame(FIN | CLOSE, b"")]),
        case("a goodbye of one byte", &[frame(FIN | CLOSE, b"x")]),
        case("a goodbye with a reason", &[closing(1000, b"that is all")]),
        case("the longest reason", &[closing(1000, &filled(123))]),
        case("a reason that is too long", &[closing(1000, &filled(124))]),
        case(
            "a reason of no letters",
            &[closing(1000, b"\xce\xba\xed\xa0\x80")],
        ),
        case(
            "a goodbye in fragments",
            &[frame(CLOSE, &1000_u16.to_be_bytes())],
        ),
    ];
    let known = [
        1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999,
    ];
    let unknown = [
        0, 999, 1004, 1005, 1006, 1012, 1015, 1016, 1100, 2000, 2999, 5000, 65_535,
    ];
    for code in known.into_iter().chain(unknown) {
        cases.push(case(
            format!("a goodbye with {code}"),
            &[closing(code, b"")],
        ));
    }
    cases
}

/// All that a client hears, and whether the server hung up.
async fn hear(mut socket: Socket, case: &Case) -> (Vec<u8>, bool) {
    let mut heard = Vec::new();
    // What is heard must be taken while more is said, or both sides wait for each other.
    let conversation = socket.converse(&case.pieces, &mut heard);
    let ended = timeout(SILENCE, conversation).await.is_ok();
    (heard, ended)
}

async fn compare(cases: Vec<Case>) {
    let server = echo_server().await;
    let edge = TestEdge::with_rules(&rules_for(server)).await;
    let mut visitor = Visitor::http2(edge.https.unwrap()).await;
    let (mut differing, mut refused) = (Vec::new(), 0);
    for case in &cases {
        let direct = Socket::open(server, "localhost", "/", &[]).await.unwrap();
        let direct = hear(direct, case).await;
        let http1 = Socket::open(edge.http, "localhost", "/", &[])
            .await
            .unwrap();
        let http1 = hear(http1, case).await;
        let http2 = Socket::open_stream(&mut visitor, "localhost", "/", &[])
            .await
            .unwrap();
        let http2 = hear(http2, case).await;
        refused += usize::from(direct.0.is_empty());
        for (way, heard) in [("HTTP/1.1", http1), ("HTTP/2", http2)] {
            if heard != direct {
                let lengths = (direct.0.len(), direct.1, heard.0.len(), heard.1);
                differing.push(format!("{} over {way}: {lengths:?}", case.name));
            }
        }
    }
    println!(
        "{} cases, {refused} answered by nothing, {} differ",
        cases.len(),
        differing.len()
    );
    assert!(differing.is_empty(), "{differing:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_of_every_size_are_heard_as_from_the_server() {
    compare(messages()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn control_frames_and_what_is_none_are() {
    compare(controls()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fragments_are() {
    compare(fragmented()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn letters_and_what_are_none_are() {
    compare(letters()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn goodbyes_are() {
    compare(goodbyes()).await;
}
