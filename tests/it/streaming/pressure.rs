use std::fs;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use socket2::SockRef;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::Notify;
use tokio::time::timeout;

use super::reader::{PATIENCE, Reader};
use crate::support::{
    Ending, RawAnswer, RawVisitor, SMALL_BUFFER, Script, ScriptedOrigin, TestEdge, Visitor, config,
    rules_for,
};

/// What floods the edge: a page, and what is no page.
const KINDS: [&str; 2] = ["text/html", "image/png"];

/// One chunk of the flood; whole tags, so that the parser holds none.
const LINE: &str = "<tr><td class=r>1,024.00</td><td>Payment</td></tr>\r\n";
const LINES: usize = 300;

/// Far more than any number of socket buffers between origin and visitor would hold.
const FLOOD_BYTES: usize = 96 * 1024 * 1024;

/// What the edge holds of an answer that its visitor does not read: one chunk in each of hyper's
/// buffers of 64 KiB, the frame that waits, and with HTTP/2 what the visitor's window lets through.
const HELD_MAX: u64 = 8 * 1024 * 1024;

/// What the kernel may hold on top, between an origin that cannot write on and the edge, and between
/// the edge and its visitor: its buffers grow as far as it was told to let them.
fn kernel_holds_max() -> u64 {
    let most = |name: &str| -> u64 {
        let limits = fs::read_to_string(format!("/proc/sys/net/ipv4/{name}")).unwrap();
        limits.split_whitespace().last().unwrap().parse().unwrap()
    };
    2 * (most("tcp_rmem") + most("tcp_wmem"))
}

/// How many other answers are waited for before a flood counts as stopped: the edge has had that
/// often the chance to read on.
const OTHERS: usize = 200;

/// An answer of many chunks; the count of the bytes of it that could be written.
fn flood(content_type: &str) -> (Vec<Script>, Arc<AtomicU64>) {
    let data = LINE.repeat(LINES);
    let written = Arc::new(AtomicU64::new(0));
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\nTransfer-Encoding: chunked\r\n\r\n"
    );
    let script = vec![
        Script::Send(head.into()),
        Script::Flood {
            piece: format!("{:x}\r\n{data}\r\n", data.len()).into_bytes(),
            times: FLOOD_BYTES / data.len(),
            written: Arc::clone(&written),
        },
        Script::Send(b"0\r\n\r\n".to_vec()),
    ];
    (script, written)
}

/// An edge before an origin that floods below `/flood`, and otherwise answers.
async fn flooded(content_type: &str) -> (TestEdge, ScriptedOrigin, Arc<AtomicU64>) {
    let (script, written) = flood(content_type);
    let origin = ScriptedOrigin::start(move |head| match head.starts_with("GET /flood") {
        true => script.clone(),
        false => vec![Script::Send(OTHER.into())],
    })
    .await;
    let edge = TestEdge::spawn(config(&rules_for(origin.address))).await;
    (edge, origin, written)
}

const OTHER: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\nhi";

/// The edge takes its turn, again and again; the flood must not move on for it.
async fn let_the_edge_work(edge: &TestEdge) {
    let mut other = Visitor::http1(edge.http).await;
    for _ in 0..OTHERS {
        timeout(PATIENCE, other.get("/other")).await.unwrap();
    }
}

/// How much the origin could write while nobody read.
async fn held(edge: &TestEdge, written: &AtomicU64) -> u64 {
    let_the_edge_work(edge).await;
    let held = written.load(Ordering::Relaxed);
    let held_max = HELD_MAX + kernel_holds_max();
    assert!(held < held_max, "the origin could write {held}");
    held
}

#[tokio::test(flavor = "multi_thread")]
async fn a_visitor_who_stops_reading_stops_the_origin_over_http1() {
    for kind in KINDS {
        let (edge, _origin, written) = flooded(kind).await;
        let mut visitor = RawVisitor::slow(edge.http).await;
        visitor
            .send("GET /flood HTTP/1.1\r\nHost: localhost\r\n\r\n")
            .await;
        visitor.0.readable().await.unwrap();
        let held = held(&edge, &written).await;
        // It goes on when the visitor does.
        let mut bytes = vec![0; SMALL_BUFFER];
        while written.load(Ordering::Relaxed) == held {
            let read = timeout(PATIENCE, visitor.0.read(&mut bytes)).await;
            assert!(read.unwrap().unwrap() > 0);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_visitor_who_stops_reading_stops_the_origin_over_http2() {
    for kind in KINDS {
        let (edge, _origin, written) = flooded(kind).await;
        let mut visitor = Visitor::http2(edge.https.unwrap()).await;
        let mut reader = Reader::begin(&mut visitor, "/flood", "").await;
        let held = held(&edge, &written).await;
        while written.load(Ordering::Relaxed) == held {
            assert!(reader.read_on().await);
        }
    }
}

/// Half a body, or not even a head; then it waits for the edge to let go.
fn scripts_of_waiting(gone: &Arc<Notify>) -> [(&'static str, Vec<Script>); 4] {
    let half = |kind: &str| {
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: 99\r\n\r\n<p>half</p>"
        );
        Script::Send(head.into())
    };
    let wait = || Script::AwaitClose(Arc::clone(gone));
    let stalled = |kind| vec![half(kind), wait()];
    [
        ("no head", vec![wait()]),
        ("page", stalled("text/html")),
        ("binary", stalled("image/png")),
        ("events", stalled("text/event-stream")),
    ]
}

#[derive(Clone, Copy, Debug)]
enum Leaving {
    /// Closes the connection.
    Close,
    /// Shuts its sending side and waits.
    HalfClose,
    Reset,
}

async fn edge_before(script: Vec<Script>) -> (TestEdge, ScriptedOrigin, Arc<Notify>) {
    let asked = Arc::new(Notify::new());
    let is_asked = Arc::clone(&asked);
    let origin = ScriptedOrigin::start(move |_| {
        is_asked.notify_one();
        script.clone()
    })
    .await;
    let edge = TestEdge::spawn(config(&rules_for(origin.address))).await;
    (edge, origin, asked)
}

async fn leave_http1(
    address: SocketAddr,
    asked: &Notify,
    until: Option<&str>,
    leaving: Leaving,
    gone: &Notify,
) {
    let mut visitor = RawVisitor::connect(address).await;
    visitor
        .send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .await;
    asked.notified().await;
    if let Some(half) = until {
        visitor.read_until(half).await;
    }
    match leaving {
        Leaving::Close => {}
        Leaving::HalfClose => {
            visitor.0.shutdown().await.unwrap();
            gone.notified().await;
        }
        Leaving::Reset => {
            let socket = SockRef::from(&visitor.0);
            socket.set_linger(Some(Duration::ZERO)).unwrap();
        }
    }
}

#[tokio::test]
async fn a_visitor_who_leaves_closes_the_origins_connection_over_http1() {
    for leaving in [Leaving::Close, Leaving::HalfClose, Leaving::Reset] {
        let gone = Arc::new(Notify::new());
        for (case, script) in scripts_of_waiting(&gone) {
            let (edge, _origin, asked) = edge_before(script).await;
            let half = match case {
                "no head" => None,
                "page" => Some("<p>half</p>\r\n"),
                _ => Some("<p>half</p>"),
            };
            let told = Arc::new(Notify::new());
            let visit = leave_http1(edge.http, &asked, half, leaving, &told);
            let both = async {
                tokio::join!(visit, async {
                    gone.notified().await;
                    told.notify_one();
                })
            };
            let left = timeout(PATIENCE, both).await;
            left.unwrap_or_else(|_| panic!("{leaving:?} {case}: the origin still waits"));
        }
    }
}

#[tokio::test]
async fn a_visitor_who_leaves_a_stream_closes_the_origins_connection_over_http2() {
    let gone = Arc::new(Notify::new());
    for (case, script) in scripts_of_waiting(&gone) {
        let (edge, _origin, asked) = edge_before(script).await;
        let mut visitor = Visitor::http2(edge.https.unwrap()).await;
        if case == "no head" {
            tokio::select! {
                _ = Reader::begin(&mut visitor, "/", "") => panic!("there is no head"),
                () = asked.notified() => {}
            }
        } else {
            let mut reader = Reader::begin(&mut visitor, "/", "").await;
            reader.read_exactly(b"<p>half</p>").await;
        }
        let left = timeout(PATIENCE, gone.notified()).await;
        left.unwrap_or_else(|_| panic!("{case}: the origin still waits"));
        // The connection itself goes on.
        drop(visitor);
    }
}

/// hyper has cut such answers off: a large one, a slow visitor, and a connection that closes.
#[tokio::test(flavor = "multi_thread")]
async fn a_slow_visitor_gets_all_of_an_answer_that_closes_the_connection() {
    const BYTES: usize = 2 * 1024 * 1024;
    for kind in KINDS {
        let page = LINE.repeat(BYTES / LINE.len());
        let length = page.len();
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
        );
        let answer = [head.as_bytes(), page.as_bytes()].concat();
        let origin =
            ScriptedOrigin::start(move |_| vec![Script::Send(answer.clone()), Script::Close]).await;
        let edge = TestEdge::spawn(config(&rules_for(origin.address))).await;
        let mut visitor = RawVisitor::slow(edge.http).await;
        visitor
            .send("GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            .await;
        let (mut bytes, mut some) = (Vec::new(), [0; 1000]);
        loop {
            // The edge has much time to think that it is done.
            tokio::task::yield_now().await;
            match timeout(PATIENCE, visitor.0.read(&mut some))
                .await
                .unwrap()
                .unwrap()
            {
                0 => break,
                read => bytes.extend_from_slice(&some[..read]),
            }
        }
        let answers = RawAnswer::all(&bytes);
        assert_eq!(answers[0].ending, Ending::Whole, "{kind}");
        assert!(answers[0].body.starts_with(page.as_bytes()), "{kind}");
    }
}
