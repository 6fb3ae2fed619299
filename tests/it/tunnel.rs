//! Upgrades: what opens a tunnel and what does not, and that all bytes pass through it both ways.

#[cfg(feature = "backend")]
mod echo;
mod streams;

use std::sync::Arc;
use std::time::Duration;

use http::Request;
use tokio::io::{AsyncReadExt, AsyncWriteExt, split};
use tokio::sync::{Notify, mpsc};

use crate::support::{
    Conversation, RawOrigin, RawVisitor, SWITCHED, ScriptedOrigin, Socket, TestEdge, Told, Visitor,
    config, handshake, rules_for, serve_echo, soon, tls,
};

/// A visitor that has sent a handshake to an edge before this origin.
async fn knocking(origin: &RawOrigin) -> (TestEdge, RawVisitor) {
    let edge = TestEdge::with_rules(&rules_for(origin.address)).await;
    let mut visitor = RawVisitor::connect(edge.http).await;
    visitor.send(handshake("localhost", "/socket", &[])).await;
    (edge, visitor)
}

#[tokio::test]
async fn a_checked_101_opens_a_tunnel() {
    let (seen, mut saw) = mpsc::channel(1);
    let origin = RawOrigin::start(move |mut conversation| {
        let seen = seen.clone();
        async move {
            let head = conversation.head().await.unwrap();
            seen.send(head.to_ascii_lowercase()).await.unwrap();
            conversation.send(SWITCHED).await;
            let asked = conversation.read_exactly(4).await;
            conversation.send([b"you said ", &asked[..]].concat()).await;
        }
    })
    .await;
    let (_edge, mut visitor) = knocking(&origin).await;
    let head = visitor.read_until("\r\n\r\n").await.to_ascii_lowercase();
    assert!(head.starts_with("http/1.1 101 "), "{head}");
    for line in [
        "connection: upgrade",
        "upgrade: websocket",
        "sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo=",
    ] {
        assert!(
            head.contains(&format!("\r\n{line}\r\n")),
            "{line} in {head}"
        );
    }
    visitor.send("ping").await;
    assert_eq!(visitor.read_until("ping").await, "you said ping");
    let seen = saw.recv().await.unwrap();
    for line in [
        "connection: upgrade",
        "upgrade: websocket",
        "sec-websocket-version: 13",
        "sec-websocket-key: dghlihnhbxbszsbub25jzq==",
    ] {
        assert_eq!(
            seen.matches(&format!("\r\n{line}\r\n")).count(),
            1,
            "{seen}"
        );
    }
}

#[tokio::test]
async fn bytes_right_behind_the_101_are_not_lost() {
    let origin = RawOrigin::start(|mut conversation| async move {
        conversation.head().await;
        conversation.send(format!("{SWITCHED}at once")).await;
        conversation.head().await;
    })
    .await;
    let (_edge, mut visitor) = knocking(&origin).await;
    assert!(visitor.read_until("at once").await.contains(" 101 "));
}

#[tokio::test]
async fn a_tunnel_runs_over_tls_too() {
    let origin = RawOrigin::start(serve_echo).await;
    let edge = TestEdge::with_rules(&rules_for(origin.address)).await;
    let address = edge.https.unwrap();
    let mut stream = tls(address, Some("localhost"), &["http/1.1"])
        .await
        .unwrap();
    let head = handshake("localhost", "/socket", &[]);
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n\r\n") {
        bytes.push(soon(stream.read_u8()).await.unwrap());
    }
    assert!(bytes.starts_with(b"HTTP/1.1 101 "));
    stream.write_all(b"ping").await.unwrap();
    let mut echo = [0; 4];
    soon(stream.read_exact(&mut echo)).await.unwrap();
    assert_eq!(&echo, b"ping");
}

#[tokio::test]
async fn an_origin_that_does_not_switch_is_answered_for_as_ever() {
    for (answer, status) in [
        (
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok",
            "200",
        ),
        (
            "HTTP/1.1 403 Forbidden\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nno",
            "403",
        ),
        (
            "HTTP/1.1 426 Upgrade Required\r\nUpgrade: h2c\r\nContent-Type: text/plain\r\n\
             Content-Length: 2\r\n\r\nup",
            "426",
        ),
    ] {
        let origin = ScriptedOrigin::answering(answer).await;
        let edge = TestEdge::with_rules(&rules_for(origin.address)).await;
        let mut visitor = RawVisitor::connect(edge.http).await;
        visitor.send(handshake("localhost", "/socket", &[])).await;
        let body = &answer[answer.len() - 2..];
        let head = visitor.read_until(&format!("\r\n\r\n{body}")).await;
        assert!(head.starts_with(&format!("HTTP/1.1 {status}")), "{head}");
        assert!(
            !head.to_ascii_lowercase().contains("\r\nupgrade:"),
            "{head}"
        );
        // No tunnel: what the visitor sends now is another request, which passes the gate.
        visitor
            .send("GET /next HTTP/1.1\r\nHost: localhost\r\n\r\n")
            .await;
        visitor.read_until(&format!("\r\n\r\n{body}")).await;
        let seen = origin.seen();
        assert_eq!(seen.len(), 2, "{seen:?}");
        assert!(
            seen[1]
                .to_ascii_lowercase()
                .contains("x-forwarded-for: 127.0.0.1")
        );
    }
}

#[tokio::test]
async fn an_answer_that_switches_wrongly_is_a_502() {
    for answer in [
        "HTTP/1.1 101 Switching Protocols\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
        "HTTP/1.1 101 X\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
        "HTTP/1.1 101 X\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\
         Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
        "HTTP/1.1 101 X\r\nConnection: Upgrade\r\nUpgrade: websocket, foo\r\n\
         Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
        "HTTP/1.1 101 X\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Accept: short=\r\n\r\n",
    ] {
        let origin = RawOrigin::start(move |mut conversation| async move {
            conversation.head().await;
            conversation.send(answer).await;
            conversation.head().await;
        })
        .await;
        let (edge, mut visitor) = knocking(&origin).await;
        let head = visitor.read_until("</html>\n").await;
        assert!(head.starts_with("HTTP/1.1 502 "), "{answer}: {head}");
        let series = r#"edge_upstream_errors_total{site="*",kind="switch",blame="upstream"}"#;
        assert_eq!(edge.metric(series).await, 1.0, "{answer}");
    }
}

#[tokio::test]
async fn a_101_to_an_ordinary_request_is_a_502() {
    let origin = ScriptedOrigin::answering(SWITCHED).await;
    let edge = TestEdge::with_rules(&rules_for(origin.address)).await;
    let mut visitor = Visitor::http1(edge.http).await;
    for _ in 0..2 {
        assert_eq!(visitor.get("/").await.status, 502);
    }
    let mut visitor = Visitor::http2(edge.https.unwrap()).await;
    assert_eq!(visitor.get("/").await.status, 502);
}

#[tokio::test]
async fn no_other_protocol_is_ever_asked_for() {
    let origin = ScriptedOrigin::serving("<p>x").await;
    let edge = TestEdge::with_rules(&rules_for(origin.address)).await;
    let mut visitor = Visitor::http1(edge.http).await;
    for fields in [
        &[
            ("connection", "Upgrade, HTTP2-Settings"),
            ("upgrade", "h2c"),
        ][..],
        &[("connection", "upgrade"), ("upgrade", "foo")],
        &[("connection", "upgrade"), ("upgrade", "websocket")],
        &[("connection", "upgrade"), ("upgrade", "TLS/1.0, HTTP/1.1")],
        &[("upgrade", "websocket")],
    ] {
        let mut request = Request::get("/x").header("http2-settings", "AAMAAABkAAQAAP__");
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        assert_eq!(visitor.send(request).await.status, 200, "{fields:?}");
        let seen = origin.seen().pop().unwrap().to_ascii_lowercase();
        for name in ["\r\nupgrade:", "\r\nhttp2-settings:", "\r\nconnection:"] {
            assert!(!seen.contains(name), "{fields:?}: {seen}");
        }
    }
}

#[tokio::test]
async fn a_handshake_with_a_body_is_no_handshake() {
    let origin = ScriptedOrigin::serving("<p>x").await;
    let edge = TestEdge::with_rules(&rules_for(origin.address)).await;
    let mut visitor = RawVisitor::connect(edge.http).await;
    let smuggled = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";
    let length = format!("Content-Length: {}", smuggled.len());
    visitor
        .send(handshake("localhost", "/socket", &[&length]))
        .await;
    visitor.send(smuggled).await;
    visitor
        .send("GET /next HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        .await;
    let answers = String::from_utf8(visitor.read_to_end().await.unwrap()).unwrap();
    assert_eq!(answers.matches("HTTP/1.1 200 OK").count(), 2, "{answers}");
    let seen = origin.seen();
    assert_eq!(seen.len(), 2, "{seen:?}");
    assert!(
        !seen[0].to_ascii_lowercase().contains("\r\nupgrade"),
        "{seen:?}"
    );
    assert!(seen[1].starts_with("GET /next "), "{seen:?}");
}

#[tokio::test]
async fn a_side_that_has_said_all_still_hears() {
    let (told, hears) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (tell, heard) = (Arc::clone(&told), Arc::clone(&hears));
    let origin = RawOrigin::start(move |mut conversation| {
        let (told, hears) = (Arc::clone(&told), Arc::clone(&hears));
        async move {
            conversation.head().await;
            conversation.send(SWITCHED).await;
            let mut rest = Vec::new();
            conversation.stream.read_to_end(&mut rest).await.unwrap();
            assert_eq!(rest, b"that is all");
            hears.notify_one();
            told.notified().await;
            conversation.send("late").await;
        }
    })
    .await;
    let (_edge, mut visitor) = knocking(&origin).await;
    visitor.read_until("\r\n\r\n").await;
    visitor.send("that is all").await;
    visitor.0.shutdown().await.unwrap();
    soon(heard.notified()).await;
    tell.notify_one();
    assert_eq!(visitor.read_to_end().await.unwrap(), b"late");
}

#[tokio::test]
async fn an_origin_that_has_said_all_still_hears() {
    let (sent, mut came) = mpsc::channel(1);
    let origin = RawOrigin::start(move |mut conversation| {
        let sent = sent.clone();
        async move {
            conversation.head().await;
            conversation.send(format!("{SWITCHED}bye")).await;
            conversation.stream.shutdown().await.unwrap();
            let mut rest = conversation.buffer;
            conversation.stream.read_to_end(&mut rest).await.unwrap();
            sent.send(rest).await.unwrap();
        }
    })
    .await;
    let (_edge, mut visitor) = knocking(&origin).await;
    let down = visitor.read_to_end().await.unwrap();
    assert!(down.ends_with(b"\r\n\r\nbye"));
    visitor.send("still here").await;
    drop(visitor);
    assert_eq!(soon(came.recv()).await.unwrap(), b"still here");
}

const MESSAGE_BYTES: usize = 16 * 1024 * 1024;

fn message(seed: usize) -> Vec<u8> {
    (0..MESSAGE_BYTES)
        .map(|at| ((at * 31 + seed) % 251) as u8)
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn big_messages_pass_both_ways_at_once() {
    let (sent, mut came) = mpsc::channel(1);
    let origin = RawOrigin::start(move |conversation| {
        let sent = sent.clone();
        async move {
            sent.send(exchange_messages(conversation).await)
                .await
                .unwrap()
        }
    })
    .await;
    let (_edge, mut visitor) = knocking(&origin).await;
    visitor.read_until("\r\n\r\n").await;
    let (mut reader, mut writer) = visitor.0.into_split();
    let writing = tokio::spawn(async move {
        writer.write_all(&message(1)).await.unwrap();
        writer.shutdown().await.unwrap();
    });
    let mut down = Vec::new();
    soon(reader.read_to_end(&mut down)).await.unwrap();
    writing.await.unwrap();
    assert!(down == message(2), "{} bytes", down.len());
    let up = soon(came.recv()).await.unwrap();
    assert!(up == message(1), "{} bytes", up.len());
}

/// Sends one message while it reads the other.
async fn exchange_messages(mut conversation: Conversation) -> Vec<u8> {
    conversation.head().await;
    conversation.send(SWITCHED).await;
    let mut up = conversation.buffer;
    let (mut reader, mut writer) = split(conversation.stream);
    let write = async {
        writer.write_all(&message(2)).await.unwrap();
        writer.shutdown().await.unwrap();
    };
    let read = async { reader.read_to_end(&mut up).await.unwrap() };
    tokio::join!(write, read);
    up
}

#[tokio::test]
async fn a_tunnel_ends_with_the_edge_on_both_sides() {
    let (sent, mut came) = mpsc::channel(1);
    let origin = RawOrigin::start(move |mut conversation| {
        let sent = sent.clone();
        async move {
            conversation.head().await;
            conversation.send(SWITCHED).await;
            // The end, in order or not.
            let ended = conversation.stream.read_u8().await.is_err();
            sent.send(ended).await.unwrap();
        }
    })
    .await;
    let mut config = config(&rules_for(origin.address));
    config.server.drain_timeout = Duration::from_millis(50);
    let edge = TestEdge::spawn(config).await;
    let mut visitor = RawVisitor::connect(edge.http).await;
    visitor.send(handshake("localhost", "/socket", &[])).await;
    visitor.read_until("\r\n\r\n").await;
    assert_eq!(edge.end().await.cut, 1);
    assert!(soon(came.recv()).await.unwrap());
    let told = visitor.read_to_end().await.unwrap_or_else(|rest| rest);
    assert_eq!(told, [0x88, 2, 0x03, 0xe9], "a close with 1001");
}

/// The visitor's answer to that goes to the origin, and nothing is left to be cut.
#[tokio::test]
async fn a_socket_is_told_to_go_away_once_a_drain_has_lasted_too_long() {
    let (sent, mut came) = mpsc::channel(1);
    let origin = RawOrigin::start(move |mut conversation| {
        let sent = sent.clone();
        async move {
            conversation.head().await;
            conversation.send(SWITCHED).await;
            let mut rest = Vec::new();
            let _ = conversation.stream.read_to_end(&mut rest).await;
            sent.send(rest).await.unwrap();
        }
    })
    .await;
    let mut config = config(&rules_for(origin.address));
    config.server.drain_timeout = Duration::from_millis(50);
    let mut edge = TestEdge::spawn(config).await;
    let mut socket = Socket::open(edge.http, "localhost", "/socket", &[])
        .await
        .unwrap();
    edge.begin_drain();
    assert_eq!(socket.next().await, Told::Close(Some(1001)));
    socket.close(1001).await;
    assert_eq!(socket.next().await, Told::Gone);
    drop(socket);
    let answered = soon(came.recv()).await.unwrap();
    assert_eq!(answered[..2], [0x88, 0x82], "{answered:?}");
    assert_eq!(edge.end().await.cut, 0);
}
