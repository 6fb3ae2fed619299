//! The end of an edge: what has begun is finished, nothing new begins, and in the end all is cut.

use std::sync::Arc;
use std::time::Duration;

use http::Request;
use tokio::net::TcpStream;
use tokio::sync::Notify;

use crate::support::{
    Answer, RawOrigin, RawVisitor, Script, ScriptedOrigin, TestEdge, Visitor, config, eventually,
    handshake, read, rules_for, serve_echo, soon,
};

const HEAD: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 12\r\n\r\n";

/// An origin that sends half of `/slow/0` and `/slow/1`, and the rest when it is told to.
async fn slow_origin() -> (ScriptedOrigin, [Arc<Notify>; 2]) {
    let go_on = [Arc::new(Notify::new()), Arc::new(Notify::new())];
    let waited = go_on.clone();
    let origin = ScriptedOrigin::start(move |head| {
        let slow = (0..2).find(|at| head.contains(&format!(" /slow/{at} ")));
        let Some(slow) = slow else {
            return vec![Script::Send(format!("{HEAD}<p>first</p>").into_bytes())];
        };
        vec![
            Script::Send(format!("{HEAD}<p>fir").into_bytes()),
            Script::Wait(Arc::clone(&waited[slow])),
            Script::Send(b"st</p>".to_vec()),
        ]
    })
    .await;
    (origin, go_on)
}

async fn begin(visitor: &mut Visitor, path: &str) -> http::Response<hyper::body::Incoming> {
    let request = Request::get(path).body(Default::default()).unwrap();
    visitor.begin(request).await
}

fn check_whole(page: &Answer) {
    let text = page.text();
    assert!(text.starts_with("<p>first</p><script "), "{text}");
}

/// Waits until nobody can connect any more.
async fn closed_to_new_visitors(edge: &TestEdge) {
    for address in [edge.http, edge.https.unwrap()] {
        eventually("new connections are refused", async || {
            TcpStream::connect(address).await.is_err()
        })
        .await;
    }
}

#[tokio::test]
async fn what_has_begun_is_finished_while_nothing_new_begins() {
    let (origin, go_on) = slow_origin().await;
    let mut edge = TestEdge::with_rules(&rules_for(origin.address)).await;
    let mut idle = RawVisitor::connect(edge.http).await;
    idle.send("GET / HTTP/1.1\r\nHost: a\r\nAccept: text/html\r\n\r\n")
        .await;
    idle.read_until("</script>").await;
    let mut one = Visitor::http1(edge.http).await;
    let mut two = Visitor::http2(edge.https.unwrap()).await;
    let (first, second) = (
        begin(&mut one, "/slow/0").await,
        begin(&mut two, "/slow/1").await,
    );
    edge.begin_drain();
    closed_to_new_visitors(&edge).await;
    // Who waits for nothing is sent home at once.
    assert_eq!(idle.read_to_end().await.unwrap(), b"");
    for told in go_on {
        told.notify_one();
    }
    let (first, second) = tokio::join!(read(first), read(second));
    check_whole(&first);
    check_whole(&second);
    assert_eq!(edge.end().await.cut, 0);
}

#[tokio::test]
async fn the_answer_during_a_drain_is_the_connections_last() {
    let go_on = Arc::new(Notify::new());
    let waited = Arc::clone(&go_on);
    let origin = ScriptedOrigin::start(move |_| {
        let page = format!("{HEAD}<p>first</p>").into_bytes();
        vec![Script::Wait(Arc::clone(&waited)), Script::Send(page)]
    })
    .await;
    let mut edge = TestEdge::with_rules(&rules_for(origin.address)).await;
    let mut visitor = RawVisitor::connect(edge.http).await;
    visitor
        .send("GET / HTTP/1.1\r\nHost: a\r\nAccept: text/html\r\n\r\n")
        .await;
    eventually("the exchange is under way", async || {
        !origin.seen().is_empty()
    })
    .await;
    edge.begin_drain();
    closed_to_new_visitors(&edge).await;
    go_on.notify_one();
    let answer = String::from_utf8(visitor.read_to_end().await.unwrap()).unwrap();
    assert!(answer.contains("\r\nconnection: close\r\n"), "{answer}");
    assert!(answer.ends_with("</script>"), "{answer}");
    assert_eq!(edge.end().await.cut, 0);
}

#[tokio::test]
async fn what_does_not_end_is_cut_at_the_limit() {
    let (origin, _go_on) = slow_origin().await;
    let mut config = config(&rules_for(origin.address));
    config.server.drain_timeout = Duration::from_millis(50);
    let edge = TestEdge::spawn(config).await;
    let mut one = Visitor::http1(edge.http).await;
    let mut two = Visitor::http2(edge.https.unwrap()).await;
    let (first, second) = (
        begin(&mut one, "/slow/0").await,
        begin(&mut two, "/slow/1").await,
    );
    assert_eq!(edge.end().await.cut, 2);
    for page in [read(first).await, read(second).await] {
        assert_eq!(page.body.unwrap_err(), b"<p>fir");
    }
}

#[tokio::test]
async fn a_tunnel_goes_on_until_the_limit() {
    let origin = RawOrigin::start(serve_echo).await;
    let mut config = config(&rules_for(origin.address));
    config.server.drain_timeout = Duration::from_secs(2);
    let mut edge = TestEdge::spawn(config).await;
    let mut visitor = RawVisitor::connect(edge.http).await;
    visitor.send(handshake("localhost", "/socket", &[])).await;
    visitor.read_until("\r\n\r\n").await;
    edge.begin_drain();
    closed_to_new_visitors(&edge).await;
    visitor.send("still here").await;
    visitor.read_until("still here").await;
    assert_eq!(soon(edge.end()).await.cut, 1);
    assert!(
        visitor
            .read_to_end()
            .await
            .unwrap_or_else(|rest| rest)
            .is_empty()
    );
}

#[tokio::test]
async fn a_tunnel_that_ends_by_itself_is_waited_for() {
    let origin = RawOrigin::start(serve_echo).await;
    let mut edge = TestEdge::with_rules(&rules_for(origin.address)).await;
    let mut visitor = RawVisitor::connect(edge.http).await;
    visitor.send(handshake("localhost", "/socket", &[])).await;
    visitor.read_until("\r\n\r\n").await;
    edge.begin_drain();
    closed_to_new_visitors(&edge).await;
    drop(visitor);
    assert_eq!(edge.end().await.cut, 0);
}
