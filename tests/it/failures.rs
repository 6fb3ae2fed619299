//! Origins that fail: every visitor gets an answer with the right status, nothing is done twice,
//! and it is known whose fault it was.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::Request;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::timeout;

use crate::support::{
    Answer, RawOrigin, Script, ScriptedOrigin, TestEdge, Visitor, config, eventually, rules_for,
};

const GOOD: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 3\r\n\r\n<p>";

/// An origin that answers `/good` well, and all else by this script.
async fn failing(script: Vec<Script>) -> ScriptedOrigin {
    ScriptedOrigin::start(move |head| match head.contains(" /good ") {
        true => vec![send(GOOD)],
        false => script.clone(),
    })
    .await
}

fn send(bytes: impl Into<Vec<u8>>) -> Script {
    Script::Send(bytes.into())
}

fn error_series(kind: &str) -> String {
    format!(r#"edge_upstream_errors_total{{site="*",kind="{kind}",blame="upstream"}}"#)
}

/// What a visitor reads when there is no answer from the origin.
fn check_page(answer: &Answer, status: u16) {
    assert_eq!(answer.status, status);
    assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.header("connection"), "");
    let text = answer.text();
    assert!(
        text.contains("This page is not available right now"),
        "{text}"
    );
    assert!(
        !text.contains("glance-cobrowse") && !text.contains("127.0.0.1"),
        "{text}"
    );
}

#[tokio::test]
async fn an_origin_that_speaks_nonsense_is_a_502() {
    let head = |lines: &str| format!("HTTP/1.1 200 OK\r\n{lines}\r\n\r\nbody").into_bytes();
    let large = format!("X-Large: {}", "x".repeat(70 * 1024));
    let many = vec!["X-Many: 1"; 201].join("\r\n");
    for (name, script, kind) in [
        ("close", vec![Script::Close], "closed"),
        (
            "half a line",
            vec![send("HTTP/1.1 2"), Script::Close],
            "closed",
        ),
        (
            "half a head",
            vec![send("HTTP/1.1 200 OK\r\nServer: "), Script::Close],
            "closed",
        ),
        ("reset", vec![Script::Reset], "reset"),
        (
            "another protocol",
            vec![send("SSH-2.0-OpenSSH_9.9\r\n")],
            "malformed",
        ),
        (
            "a page alone",
            vec![send("<html><body>\r\n\r\n")],
            "malformed",
        ),
        (
            "another version",
            vec![send("HTTP/3.0 200 OK\r\n\r\n")],
            "malformed",
        ),
        ("no status", vec![send("HTTP/1.1 OK\r\n\r\n")], "malformed"),
        (
            "a strange name",
            vec![send(head("Set Cookie: a"))],
            "malformed",
        ),
        (
            "a negative length",
            vec![send(head("Content-Length: -1"))],
            "malformed",
        ),
        (
            "two lengths",
            vec![send(head("Content-Length: 4\r\nContent-Length: 2"))],
            "malformed",
        ),
        (
            "a length and chunks",
            vec![send(head(
                "Content-Length: 4\r\nTransfer-Encoding: chunked",
            ))],
            "framing",
        ),
        (
            "chunks and a length",
            vec![send(head(
                "Transfer-Encoding: chunked\r\nContent-Length: 4",
            ))],
            "framing",
        ),
        (
            "another coding",
            vec![send(head("Transfer-Encoding: gzip, chunked"))],
            "framing",
        ),
        ("a large head", vec![send(head(&large))], "head_too_large"),
        ("many fields", vec![send(head(&many))], "head_too_large"),
    ] {
        let origin = failing(script).await;
        let edge = TestEdge::with_rules(&rules_for(origin.address)).await;
        for mut visitor in [
            Visitor::http1(edge.http).await,
            Visitor::http2(edge.https.unwrap()).await,
        ] {
            let answer = visitor.get("/bad").await;
            assert_eq!(answer.status, 502, "{name}");
            check_page(&answer, 502);
            // The visitor's connection goes on.
            assert_eq!(visitor.get("/good").await.status, 200, "{name}");
        }
        assert_eq!(edge.metric(&error_series(kind)).await, 2.0, "{name}");
    }
}

#[tokio::test]
async fn an_origin_that_refuses_connections_is_a_502() {
    let edge = TestEdge::with_rules(&rules_for(nobody().await)).await;
    let mut visitor = Visitor::http1(edge.http).await;
    for _ in 0..2 {
        check_page(&visitor.get("/").await, 502);
    }
    let post = visitor.send_with_body(Request::post("/"), "a=b").await;
    check_page(&post, 502);
    assert_eq!(edge.metric(&error_series("refused")).await, 3.0);
}

/// Where nobody listens.
async fn nobody() -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    listener.local_addr().unwrap()
}

#[tokio::test]
async fn an_origin_that_is_not_reached_in_time_is_a_504() {
    let (listener, waiting) = overcrowded().await;
    let mut config = config(&rules_for(listener.local_addr().unwrap()));
    config.upstream.connect_timeout = Duration::from_millis(100);
    let edge = TestEdge::spawn(config).await;
    check_page(&Visitor::http1(edge.http).await.get("/").await, 504);
    assert_eq!(edge.metric(&error_series("connect_timeout")).await, 1.0);
    drop(waiting);
}

/// A listener that takes no more connections: the system drops who asks for one.
async fn overcrowded() -> (TcpListener, Vec<TcpStream>) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    let mut waiting = Vec::new();
    let patience = Duration::from_millis(300);
    while let Ok(stream) = timeout(patience, TcpStream::connect(address)).await {
        waiting.push(stream.unwrap());
    }
    (listener, waiting)
}

#[tokio::test]
async fn an_origin_that_does_not_answer_in_time_is_a_504() {
    let origin = failing(vec![Script::Wait(Arc::default())]).await;
    let mut config = config(&rules_for(origin.address));
    config.upstream.first_byte_timeout = Duration::from_millis(100);
    let edge = TestEdge::spawn(config).await;
    let mut visitor = Visitor::http1(edge.http).await;
    check_page(&visitor.get("/bad").await, 504);
    assert_eq!(visitor.get("/good").await.status, 200);
    assert_eq!(edge.metric(&error_series("first_byte_timeout")).await, 1.0);
}

#[tokio::test]
async fn a_site_may_have_a_time_out_of_its_own() {
    let origin = failing(vec![Script::Wait(Arc::default())]).await;
    let rules = rules_for(origin.address) + "\n[site.upstream]\nfirst_byte_timeout = \"100ms\"\n";
    let edge = TestEdge::with_rules(&rules).await;
    check_page(&Visitor::http1(edge.http).await.get("/bad").await, 504);
}

/// An answer that breaks off after its head has no other status any more: it is cut short where
/// everybody can see it, and the page has no tag.
#[tokio::test]
async fn an_answer_that_breaks_off_is_seen_to() {
    let half = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 99\r\n\r\n<p>half";
    let idle = vec![send(half), Script::Wait(Arc::default())];
    for script in [vec![send(half), Script::Close], idle] {
        let origin = failing(script).await;
        let mut config = config(&rules_for(origin.address));
        config.upstream.body_idle_timeout = Some(Duration::from_millis(100));
        let edge = TestEdge::spawn(config).await;
        for mut visitor in [
            Visitor::http1(edge.http).await,
            Visitor::http2(edge.https.unwrap()).await,
        ] {
            let answer = visitor.get("/bad").await;
            assert_eq!(answer.status, 200);
            assert_eq!(answer.body.unwrap_err(), b"<p>half");
        }
        let series = r#"edge_pages_untagged_total{site="*",rule="site",reason="broken_off"}"#;
        assert_eq!(edge.metric(series).await, 2.0);
    }
}

#[tokio::test]
async fn an_origin_that_speaks_http_1_0_is_understood() {
    for (head, script) in [
        ("HTTP/1.0 200 OK\r\n", vec![Script::Close]),
        ("HTTP/1.0 200 OK\r\nContent-Length: 5\r\n", vec![]),
        (
            "HTTP/1.0 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive\r\n",
            vec![],
        ),
        (
            "HTTP/1.1 200 OK\r\nConnection: close\r\n",
            vec![Script::Close],
        ),
    ] {
        let answer = format!("{head}Content-Type: text/html\r\n\r\n<p>ok");
        let script = [vec![send(answer)], script].concat();
        let origin = ScriptedOrigin::start(move |_| script.clone()).await;
        let edge = TestEdge::with_rules(&rules_for(origin.address)).await;
        let mut visitor = Visitor::http1(edge.http).await;
        for _ in 0..2 {
            let answer = visitor.get("/").await;
            assert_eq!(answer.version, http::Version::HTTP_11);
            let text = answer.text();
            assert!(text.starts_with("<p>ok<script "), "{head}: {text}");
        }
    }
}

/// How often each target was asked for.
type Counts = Arc<Mutex<HashMap<String, usize>>>;

/// An origin that answers `/warm` and whatever `answers` says, by target and how often it was
/// asked for; else it closes the connection without a word.
async fn forgetful(answers: fn(&str, usize) -> bool) -> (RawOrigin, Counts) {
    let counts = Counts::default();
    let counted = Arc::clone(&counts);
    let origin = RawOrigin::start(move |mut conversation| {
        let counts = Arc::clone(&counted);
        async move {
            while let Some(head) = conversation.head().await {
                let target = head.split(' ').nth(1).unwrap().to_owned();
                let times = {
                    let mut counts = counts.lock().unwrap();
                    let times = counts.entry(target.clone()).or_default();
                    *times += 1;
                    *times
                };
                if target != "/warm" && !answers(&target, times) {
                    return;
                }
                conversation.send(GOOD).await;
            }
        }
    })
    .await;
    (origin, counts)
}

fn count(counts: &Counts, target: &str) -> usize {
    counts.lock().unwrap().get(target).copied().unwrap_or(0)
}

#[tokio::test]
async fn a_post_is_never_sent_twice() {
    let (origin, counts) = forgetful(|_, _| false).await;
    let edge = TestEdge::with_rules(&rules_for(origin.address)).await;
    let mut visitor = Visitor::http1(edge.http).await;
    for round in 0..20 {
        visitor.get("/warm").await;
        let target = format!("/transfer/{round}");
        let post = Request::post(&*target).header("content-length", 6);
        let answer = visitor.send_with_body(post, "amount").await;
        assert_eq!(answer.status, 502);
        assert_eq!(count(&counts, &target), 1);
    }
    assert!(origin.connections() < 40, "no connection was used again");
}

#[tokio::test]
async fn a_get_that_met_a_stale_connection_is_sent_once_more() {
    let (origin, counts) = forgetful(|_, times| times == 2).await;
    let edge = TestEdge::with_rules(&rules_for(origin.address)).await;
    let mut visitor = Visitor::http1(edge.http).await;
    let mut round = 0;
    // A connection may be free only after the next request had to go on another one.
    eventually("a request is sent again", async || {
        round += 1;
        visitor.get("/warm").await;
        let target = format!("/page/{round}");
        let status = visitor.get(&target).await.status;
        let times = count(&counts, &target);
        assert_eq!(
            times == 2,
            status == 200,
            "asked for {times} times: {status}"
        );
        times == 2
    })
    .await;
}

#[tokio::test]
async fn a_get_is_sent_no_more_than_twice() {
    let (origin, counts) = forgetful(|_, _| false).await;
    let edge = TestEdge::with_rules(&rules_for(origin.address)).await;
    let mut visitor = Visitor::http1(edge.http).await;
    let mut round = 0;
    eventually("a request is sent again", async || {
        round += 1;
        visitor.get("/warm").await;
        let target = format!("/page/{round}");
        check_page(&visitor.get(&target).await, 502);
        let times = count(&counts, &target);
        assert!(times <= 2, "asked for {times} times");
        times == 2
    })
    .await;
}
