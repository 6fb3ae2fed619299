//! WebSockets over HTTP/2 (RFC 8441): each on a stream of its own, and one of HTTP/1.1 for the origin.

use std::sync::Arc;
use std::time::{Duration, Instant};

use http::Request;
use tokio::io::AsyncReadExt;
use tokio::sync::{Notify, mpsc};

use crate::support::frames::{RawHttp2, SOCKET, frame, headers, kind, reset};
use crate::support::{
    Conversation, RawOrigin, SWITCHED, ScriptedOrigin, Socket, TestEdge, Told, Visitor, config,
    eventually, read, rules_for, soon, switched,
};

async fn at(edge: &TestEdge) -> Visitor {
    Visitor::http2(edge.https.unwrap()).await
}

async fn open(visitor: &mut Visitor, path: &str) -> Socket {
    let opened = Socket::open_stream(visitor, "localhost", path, &[]).await;
    opened.unwrap_or_else(|status| panic!("{status}"))
}

/// An origin with pages beside its socket, both on connections that are kept.
async fn serve_both(mut conversation: Conversation) {
    while let Some(head) = conversation.head().await {
        if head.starts_with("GET /socket") {
            conversation.send(switched(&head, &[])).await;
            let mut buffer = std::mem::take(&mut conversation.buffer);
            while conversation
                .stream
                .read_buf(&mut buffer)
                .await
                .is_ok_and(|read| read > 0)
            {
                // What a client says is masked, with a key of zeros; what is said to it is not.
                conversation.send(unmasked(&buffer)).await;
                buffer.clear();
            }
            return;
        }
        let page = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
        conversation.send(page).await;
    }
}

/// One whole short frame as a server sends it.
fn unmasked(frame: &[u8]) -> Vec<u8> {
    let mut frame = frame.to_vec();
    frame[1] &= 0x7f;
    frame.drain(2..6);
    frame
}

#[tokio::test]
async fn the_origin_sees_a_handshake_of_http_1() {
    let (seen, mut saw) = mpsc::channel(1);
    let origin = RawOrigin::start(move |mut conversation| {
        let seen = seen.clone();
        async move {
            let head = conversation.head().await.unwrap();
            let lines = ["Sec-WebSocket-Protocol: chat", "Set-Cookie: a=1"];
            conversation.send(switched(&head, &lines)).await;
            conversation.send([0x81, 2, b'h', b'i']).await;
            seen.send(head).await.unwrap();
            conversation.head().await;
        }
    })
    .await;
    let edge = TestEdge::with_rules(&rules_for(origin.address)).await;
    let mut visitor = at(&edge).await;
    let request = || {
        Request::builder()
            .uri("https://localhost/socket?a=b")
            .header("sec-websocket-version", "13")
            .header("sec-websocket-protocol", "chat")
            .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")
            .header("origin", "https://localhost")
    };
    let answer = visitor.connect("websocket", request).await;
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["sec-websocket-protocol"], "chat");
    assert_eq!(answer.headers()["set-cookie"], "a=1");
    assert!(!answer.headers().contains_key("sec-websocket-accept"));
    let head = soon(saw.recv()).await.unwrap().to_ascii_lowercase();
    assert!(head.starts_with("get /socket?a=b http/1.1\r\n"), "{head}");
    for line in [
        "host: localhost",
        "connection: upgrade",
        "upgrade: websocket",
        "sec-websocket-version: 13",
        "sec-websocket-protocol: chat",
        "origin: https://localhost",
        "x-forwarded-proto: https",
    ] {
        let lines = head.matches(&format!("\r\n{line}\r\n")).count();
        assert_eq!(lines, 1, "{line} in {head}");
    }
    assert_eq!(head.matches("\r\nsec-websocket-key: ").count(), 1, "{head}");
    assert!(!head.contains("dghlihnhbxbszsbub25jzq=="), "{head}");
}

#[tokio::test]
async fn sockets_and_pages_share_a_connection() {
    let origin = RawOrigin::start(serve_both).await;
    let edge = TestEdge::with_rules(&rules_for(origin.address)).await;
    let mut visitor = at(&edge).await;
    let mut one = open(&mut visitor, "/socket").await;
    let mut other = open(&mut visitor, "/socket").await;
    for round in ["a", "b"] {
        one.say(round).await;
        other.say("x").await;
        assert_eq!(visitor.get("/page").await.status, 200);
        assert_eq!(one.next().await, Told::Text(round.to_owned()));
        assert_eq!(other.next().await, Told::Text("x".to_owned()));
    }
    drop(one);
    other.say("still here").await;
    assert_eq!(other.next().await, Told::Text("still here".to_owned()));
}

#[tokio::test]
async fn an_accept_for_another_key_opens_nothing() {
    let origin = RawOrigin::start(|mut conversation| async move {
        conversation.head().await;
        conversation.send(SWITCHED).await;
        conversation.head().await;
    })
    .await;
    let edge = TestEdge::with_rules(&rules_for(origin.address)).await;
    let opened = Socket::open_stream(&mut at(&edge).await, "localhost", "/socket", &[]).await;
    assert_eq!(opened.err(), Some(502));
    let series = r#"edge_upstream_errors_total{site="*",kind="switch",blame="upstream"}"#;
    assert_eq!(edge.metric(series).await, 1.0);
}

#[tokio::test]
async fn an_answer_that_does_not_switch_never_looks_like_one_that_does() {
    for (origins, status) in [
        ("200 OK", 502),
        ("201 Created", 502),
        ("403 Forbidden", 403),
    ] {
        let answer = format!("HTTP/1.1 {origins}\r\nContent-Length: 2\r\n\r\nno");
        let origin = ScriptedOrigin::answering(answer).await;
        let edge = TestEdge::with_rules(&rules_for(origin.address)).await;
        let mut visitor = at(&edge).await;
        let request = || {
            Request::builder()
                .uri("https://localhost/socket")
                .header("sec-websocket-version", "13")
        };
        let answer = visitor.connect("websocket", request).await;
        assert_eq!(answer.status(), status, "{origins}");
        let answer = read(answer).await;
        assert_eq!(answer.text() == "no", status == 403, "{answer:?}");
        // The connection goes on, and so does the origin's.
        assert_eq!(visitor.get("/").await.text(), "no");
    }
}

/// Instead of a status.
const RESET: u16 = 0;

#[tokio::test]
async fn what_is_no_whole_handshake_goes_nowhere() {
    let origin = ScriptedOrigin::serving("<p>x").await;
    let edge = TestEdge::with_rules(&rules_for(origin.address)).await;
    let mut visitor = at(&edge).await;
    let whole = ("sec-websocket-version", "13");
    for (protocol, fields, status) in [
        ("websocket", &[][..], 400),
        ("websocket", &[("sec-websocket-version", "8")], 400),
        ("websocket", &[whole, whole], 400),
        // Malformed (RFC 9113 8.1.1).
        ("websocket", &[whole, ("host", "elsewhere")], RESET),
        ("websocket", &[whole, ("x", " y")], RESET),
        ("websocket", &[whole, ("content_length", "1")], 400),
        ("connect-udp", &[whole], 501),
        ("WebSocket", &[whole], 501),
        ("h2c", &[whole], 501),
    ] {
        let request = || {
            let request = Request::builder().uri("https://localhost/socket");
            fields.iter().fold(request, |request, (name, value)| {
                request.header(*name, *value)
            })
        };
        let answer = visitor.try_connect(protocol, request).await;
        let seen = answer.map_or(RESET, |answer| answer.status().as_u16());
        assert_eq!(seen, status, "{protocol} {fields:?}");
    }
    for path in ["/a%00", "/../x", "*"] {
        let request = || {
            Request::builder()
                .uri(format!("https://localhost{path}"))
                .header("sec-websocket-version", "13")
        };
        if request().body(()).is_ok() {
            let answer = visitor.connect("websocket", request).await;
            assert_ne!(answer.status(), 200, "{path}");
        }
    }
    let plain = Request::connect("localhost:443").body(Default::default());
    let answer = visitor.try_begin(plain.unwrap()).await;
    assert_eq!(answer.unwrap().status(), 405);
    assert_eq!(origin.seen().len(), 0, "{:?}", origin.seen());
}

#[tokio::test]
async fn a_connection_with_a_quiet_socket_is_not_idle() {
    let origin = RawOrigin::start(serve_both).await;
    let mut config = config(&rules_for(origin.address));
    config.server.limits.h2_idle_timeout = Duration::from_millis(50);
    let edge = TestEdge::spawn(config).await;
    let mut visitor = at(&edge).await;
    let mut socket = open(&mut visitor, "/socket").await;
    for _ in 0..3 {
        // One that asks for nothing is sent home meanwhile.
        let idle = at(&edge).await;
        let Visitor::Http2(idle) = idle else {
            unreachable!()
        };
        eventually("it is closed", async || idle.is_closed()).await;
    }
    socket.say("still here").await;
    assert_eq!(socket.next().await, Told::Text("still here".to_owned()));
}

#[tokio::test]
async fn a_visitor_who_takes_nothing_of_a_socket_is_not_kept() {
    let ended = Arc::new(Notify::new());
    let end = Arc::clone(&ended);
    let origin = RawOrigin::start(move |mut conversation| {
        let end = Arc::clone(&end);
        async move {
            let head = conversation.head().await.unwrap();
            conversation.send(switched(&head, &[])).await;
            while tokio::io::AsyncWriteExt::write_all(&mut conversation.stream, &[0; 16 * 1024])
                .await
                .is_ok()
            {}
            end.notify_one();
        }
    })
    .await;
    let mut config = config(&rules_for(origin.address));
    config.server.limits.write_stall_timeout = Duration::from_millis(100);
    let edge = TestEdge::spawn(config).await;
    let mut visitor = at(&edge).await;
    let _unread = open(&mut visitor, "/socket").await;
    soon(ended.notified()).await;
}

#[tokio::test]
async fn an_end_of_either_side_reaches_the_other() {
    let (sent, mut came) = mpsc::channel(1);
    let origin = RawOrigin::start(move |mut conversation| {
        let sent = sent.clone();
        async move {
            let head = conversation.head().await.unwrap();
            conversation.send(switched(&head, &[])).await;
            if head.starts_with("GET /leave") {
                return;
            }
            let mut rest = conversation.buffer;
            let _ = conversation.stream.read_to_end(&mut rest).await;
            sent.send(rest).await.unwrap();
        }
    })
    .await;
    let edge = TestEdge::with_rules(&rules_for(origin.address)).await;
    let mut visitor = at(&edge).await;
    let mut left = open(&mut visitor, "/leave").await;
    assert_eq!(left.next().await, Told::Gone);
    let mut leaving = open(&mut visitor, "/stay").await;
    leaving.say("bye").await;
    leaving.finish().await;
    let masked = [&[0x81, 0x83, 0, 0, 0, 0][..], b"bye"].concat();
    assert_eq!(soon(came.recv()).await.unwrap(), masked);
    // Without a word: the stream is reset.
    drop(open(&mut visitor, "/stay").await);
    assert_eq!(soon(came.recv()).await.unwrap(), b"");
}

/// A stream that was reset is none that counts: what it had at the origin must go with it.
#[tokio::test]
async fn nothing_is_kept_of_a_socket_whose_stream_was_reset() {
    let origin = RawOrigin::start(|mut conversation| async move {
        let head = conversation.head().await.unwrap();
        conversation.send(switched(&head, &[])).await;
        let mut rest = conversation.buffer;
        let _ = conversation.stream.read_to_end(&mut rest).await;
        // It has not said that it will say no more.
        std::future::pending().await
    })
    .await;
    let edge = TestEdge::with_rules(&rules_for(origin.address)).await;
    let mut client = RawHttp2::connect(edge.https.unwrap()).await;
    client.send(&headers(1, 0, SOCKET)).await;
    let opened = client.find(|frame| frame.stream == 1).await.unwrap();
    assert_eq!(opened.kind, kind::HEADERS);
    let said = frame(kind::DATA, 0, 1, b"bye");
    client.send(&[said, reset(1)].concat()).await;
    let began = Instant::now();
    // Counted when the tunnel is over.
    let series = r#"edge_bytes_total{direction="up"}"#;
    eventually("it is over", async || edge.metric(series).await > 0.0).await;
    let took = began.elapsed();
    assert!(took < Duration::from_secs(30), "{took:?}");
}

#[tokio::test]
async fn a_socket_ends_with_the_edge_once_a_drain_has_lasted_too_long() {
    let origin = RawOrigin::start(serve_both).await;
    let mut config = config(&rules_for(origin.address));
    config.server.drain_timeout = Duration::from_millis(300);
    let mut edge = TestEdge::spawn(config).await;
    let mut visitor = at(&edge).await;
    let mut socket = open(&mut visitor, "/socket").await;
    edge.begin_drain();
    socket.say("while it drains").await;
    assert_eq!(
        socket.next().await,
        Told::Text("while it drains".to_owned())
    );
    assert_eq!(socket.next().await, Told::Close(Some(1001)));
    assert_eq!(socket.next().await, Told::Gone);
    assert_eq!(edge.end().await.cut, 1);
}
