//! What a request's body may be, how slowly it may come, and an answer be taken, and how long an
//! exchange may take.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use cobrowse_edge::config::EdgeConfig;
use http::{Request, Version};
use http_body::{Body, Frame};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpSocket;
use tokio::sync::{Notify, mpsc};
use tokio::time::interval;

use crate::support::frames::{self, RawHttp2, kind};
use crate::support::{
    Answer, RawOrigin, RawVisitor, RecordingOrigin, Script, ScriptedOrigin, Seen, TestEdge,
    Visitor, config, read, rules_for, soon, tls_http2,
};

const LIMIT: u64 = 2048;

fn rules(origin: &RecordingOrigin) -> String {
    format!(
        "version = 1\n[[site]]\nhosts = [\"localhost\"]\norigin = \"http://{0}\"\ngroup = 1\n\
         [[site]]\nhosts = [\"large.example\"]\norigin = \"http://{0}\"\ngroup = 1\n\
         body_bytes_max = \"4KiB\"\n",
        origin.address
    )
}

async fn limited(origin: &RecordingOrigin) -> TestEdge {
    let mut config = config(&rules(origin));
    config.exchange.body_bytes_max = LIMIT;
    TestEdge::spawn(config).await
}

async fn post(edge: &TestEdge, version: Version, host: &str, bytes: u64) -> Answer {
    let body = Bytes::from(vec![b'x'; usize::try_from(bytes).unwrap()]);
    let request = match version {
        Version::HTTP_2 => Request::post(format!("https://{host}/upload")),
        _ => Request::post("/upload").header("host", host),
    };
    let mut visitor = match version {
        Version::HTTP_2 => Visitor::http2(edge.https.unwrap()).await,
        _ => Visitor::http1(edge.http).await,
    };
    visitor.send_with_body(request, body).await
}

#[tokio::test]
async fn a_body_that_says_that_it_is_too_large_goes_nowhere() {
    for version in [Version::HTTP_11, Version::HTTP_2] {
        let origin = RecordingOrigin::start().await;
        let edge = limited(&origin).await;
        let own = [("localhost", LIMIT, 200), ("localhost", LIMIT + 1, 413)];
        // One connection over TLS is for one site.
        let others = [("large.example", 4096, 200), ("large.example", 4097, 413)];
        let others = others.iter().filter(|_| version == Version::HTTP_11);
        for (host, bytes, status) in own.iter().chain(others) {
            let (host, bytes, status) = (*host, *bytes, *status);
            let answer = post(&edge, version, host, bytes).await;
            assert_eq!(answer.status, status, "{version:?} {host} {bytes}");
        }
        let series = r#"edge_refusals_total{reason="body_too_large"}"#;
        let taken = if version == Version::HTTP_2 { 1 } else { 2 };
        assert_eq!(edge.metric(series).await, f64::from(taken));
        edge.end().await;
        let seen = origin.finish().await;
        assert_eq!(seen.len(), taken as usize, "{seen:?}");
        assert!(seen.iter().all(|request| request.is_whole));
    }
}

#[tokio::test]
async fn nobody_is_asked_to_go_on_with_what_is_too_large() {
    let origin = RecordingOrigin::start().await;
    let edge = limited(&origin).await;
    let mut visitor = RawVisitor::connect(edge.http).await;
    let head = "POST /upload HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n";
    visitor
        .send(format!("{head}Content-Length: 2049\r\n\r\n"))
        .await;
    let answer = visitor.read_to_end().await.unwrap();
    let answer = String::from_utf8(answer).unwrap().to_ascii_lowercase();
    assert!(answer.starts_with("http/1.1 413 "), "{answer}");
    assert!(answer.contains("\r\nconnection: close\r\n"), "{answer}");
}

/// A chunk of so many bytes.
fn chunk(bytes: usize) -> String {
    format!("{bytes:x}\r\n{}\r\n", "x".repeat(bytes))
}

const CHUNKED: &str =
    "POST /upload HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n";

#[tokio::test]
async fn chunks_are_counted_and_no_origin_takes_the_beginning_for_the_whole() {
    for (second, status, whole) in [(1048, "200", true), (1049, "413", false)] {
        let origin = RecordingOrigin::start().await;
        let edge = limited(&origin).await;
        let mut visitor = RawVisitor::connect(edge.http).await;
        let body = [&chunk(1000), &chunk(second), "0\r\n\r\n"].concat();
        visitor.send(format!("{CHUNKED}{body}")).await;
        let answer = visitor.read_until("\r\n\r\n").await;
        assert_eq!(answer.split(' ').nth(1), Some(status), "{answer}");
        drop(visitor);
        edge.end().await;
        let seen = origin.finish().await;
        assert!(
            seen.iter().all(|request| request.is_whole == whole),
            "{seen:?}"
        );
    }
}

/// What the origin has seen of a body that comes at this pace, and how it was answered.
async fn trickled(change: impl FnOnce(&mut EdgeConfig)) -> (String, Vec<Seen>) {
    let origin = RecordingOrigin::start().await;
    let mut config = config(&rules(&origin));
    change(&mut config);
    let edge = TestEdge::spawn(config).await;
    let mut visitor = RawVisitor::connect(edge.http).await;
    visitor.send(CHUNKED).await;
    let (mut reader, mut writer) = visitor.0.into_split();
    let trickling = tokio::spawn(async move {
        let mut ticks = interval(Duration::from_millis(20));
        for _ in 0..40 {
            ticks.tick().await;
            if writer.write_all(b"1\r\nx\r\n").await.is_err() {
                return writer;
            }
        }
        let _ = writer.write_all(b"0\r\n\r\n").await;
        writer
    });
    let mut answer = vec![0; 12];
    soon(reader.read_exact(&mut answer)).await.unwrap();
    drop(reader);
    drop(trickling.await.unwrap());
    edge.end().await;
    (String::from_utf8(answer).unwrap(), origin.finish().await)
}

#[tokio::test]
async fn a_body_that_comes_a_byte_now_and_then_is_not_waited_for() {
    let (answer, seen) = trickled(|config| {
        config.exchange.body_timeout = Duration::from_millis(300);
        config.exchange.body_bytes_per_second_min = 1000;
    })
    .await;
    assert_eq!(answer, "HTTP/1.1 408");
    assert!(seen.iter().all(|request| !request.is_whole), "{seen:?}");
}

#[tokio::test]
async fn a_body_that_comes_slowly_is_waited_for_where_any_byte_will_do() {
    let (answer, seen) = trickled(|config| {
        config.exchange.body_timeout = Duration::from_secs(30);
        config.exchange.body_bytes_per_second_min = 0;
    })
    .await;
    assert_eq!(answer, "HTTP/1.1 200");
    assert!(seen[0].is_whole, "{seen:?}");
}

/// A body that never ends.
enum Stalling {
    Begins,
    Stands,
    /// None at all.
    Empty,
}

impl Body for Stalling {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match std::mem::replace(&mut *self, Self::Stands) {
            Self::Begins => Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b"12"))))),
            Self::Stands | Self::Empty => Poll::Pending,
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Empty)
    }
}

/// A client that gives up says so with an error; without one hyper takes the body for whole.
#[tokio::test]
async fn a_body_that_is_reset_is_never_whole() {
    for reason in [0_u32, 8] {
        let (seen, mut saw) = mpsc::channel(1);
        let origin = RawOrigin::start(move |mut conversation| {
            let seen = seen.clone();
            async move {
                conversation.read_through(b"hello\r\n").await.unwrap();
                seen.send(true).await.unwrap();
                let end = conversation.read_through(b"0\r\n\r\n").await;
                seen.send(end.is_some()).await.unwrap();
            }
        })
        .await;
        let edge = TestEdge::with_rules(&rules_for(origin.address)).await;
        let mut visitor = RawHttp2::connect(edge.https.unwrap()).await;
        let head = frames::headers(1, 0, frames::POST);
        visitor
            .send(&[head, frames::frame(kind::DATA, 0, 1, b"hello")].concat())
            .await;
        assert!(soon(saw.recv()).await.unwrap());
        let reset = frames::frame(kind::RST_STREAM, 0, 1, &reason.to_be_bytes());
        visitor.send(&reset).await;
        let is_whole = soon(saw.recv()).await.unwrap();
        assert!(!is_whole, "reset with {reason}");
    }
}

#[tokio::test]
async fn a_body_that_stands_still_is_a_408_over_http2_too() {
    let origin = RecordingOrigin::start().await;
    let mut config = config(&rules(&origin));
    config.exchange.body_timeout = Duration::from_millis(100);
    let edge = TestEdge::spawn(config).await;
    let stream = TokioIo::new(tls_http2(edge.https.unwrap()).await);
    let (mut visitor, connection) = http2::handshake(TokioExecutor::new(), stream)
        .await
        .unwrap();
    tokio::spawn(connection);
    let request = Request::post("https://localhost/upload").body(Stalling::Begins);
    let answer = soon(visitor.send_request(request.unwrap())).await.unwrap();
    assert_eq!(answer.status(), 408);
    // Others on the connection are served.
    let request = Request::get("https://localhost/page").body(Stalling::Empty);
    let answer = soon(visitor.send_request(request.unwrap())).await.unwrap();
    assert_eq!(answer.status(), 200);
    drop((visitor, answer));
    edge.end().await;
    let seen = origin.finish().await;
    let uploads = seen
        .iter()
        .filter(|request| request.head.starts_with("POST"));
    assert!(uploads.clone().all(|request| !request.is_whole), "{seen:?}");
}

/// An edge in front of this origin, whose exchanges last for a tenth of a second at most.
async fn hurried(script: Vec<Script>) -> (TestEdge, ScriptedOrigin) {
    let origin = ScriptedOrigin::start(move |_| script.clone()).await;
    let mut config = config(&rules_for(origin.address));
    config.exchange.exchange_timeout = Some(Duration::from_millis(100));
    (TestEdge::spawn(config).await, origin)
}

fn never() -> Script {
    Script::Wait(Arc::new(Notify::new()))
}

#[tokio::test]
async fn an_exchange_that_takes_too_long_is_a_504_or_breaks_off() {
    let (edge, _origin) = hurried(vec![never()]).await;
    assert_eq!(Visitor::http1(edge.http).await.get("/").await.status, 504);

    let begun = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\n12";
    let (edge, _origin) = hurried(vec![Script::Send(begun.into()), never()]).await;
    for mut visitor in [
        Visitor::http1(edge.http).await,
        Visitor::http2(edge.https.unwrap()).await,
    ] {
        let answer = visitor.get("/").await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.body, Err(b"12".to_vec()));
    }
}

#[tokio::test]
async fn an_event_stream_takes_its_time() {
    let told = Arc::new(Notify::new());
    let begun =
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n\r\ndata: 1\n\n";
    let script = vec![
        Script::Send(begun.into()),
        Script::Wait(Arc::clone(&told)),
        Script::Send("data: 2\n\n".into()),
        Script::Close,
    ];
    let (edge, _origin) = hurried(script).await;
    let mut visitor = Visitor::http1(edge.http).await;
    let answer = visitor
        .begin(Request::get("/").body(Default::default()).unwrap())
        .await;
    // As long as another exchange needs to be cut off.
    let (other, _origin) = hurried(vec![never()]).await;
    assert_eq!(Visitor::http1(other.http).await.get("/").await.status, 504);
    told.notify_one();
    assert_eq!(read(answer).await.text(), "data: 1\n\ndata: 2\n\n");
}

/// What a visitor is given are megabytes, of which it takes a byte at a time.
async fn sipping(https: bool) -> Duration {
    let body = vec![b'x'; 4 << 20];
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 4194304\r\n\r\n";
    let script = vec![Script::Send([head.as_bytes(), &body].concat())];
    let origin = ScriptedOrigin::start(move |_| script.clone()).await;
    let mut config = config(&rules_for(origin.address));
    config.server.limits.write_stall_timeout = Duration::from_millis(300);
    let edge = TestEdge::spawn(config).await;
    let began = Instant::now();
    let sipped = match https {
        false => sip_http1(&edge).await,
        true => sip_http2(&edge).await,
    };
    assert!(sipped, "it was not told that it is not waited for");
    began.elapsed()
}

/// Whether the connection ended.
async fn sip_http1(edge: &TestEdge) -> bool {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut stream = socket.connect(edge.http).await.unwrap();
    let get = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
    stream.write_all(get).await.unwrap();
    let mut ticks = interval(Duration::from_millis(20));
    for _ in 0..60 {
        ticks.tick().await;
        if stream.read_u8().await.is_err() {
            return true;
        }
    }
    // What the kernel had taken before is read without a pause; the whole is not among it.
    let mut rest = Vec::new();
    let read = soon(stream.read_to_end(&mut rest)).await;
    read.is_err() || rest.len() < 4 << 20
}

async fn sip_http2(edge: &TestEdge) -> bool {
    let mut visitor = RawHttp2::connect(edge.https.unwrap()).await;
    let no_window = frames::frame(kind::SETTINGS, 0, 0, &[0, 4, 0, 0, 0, 0]);
    let get = frames::headers(1, frames::END_STREAM, frames::GET);
    visitor.send(&[no_window, get].concat()).await;
    let one_more = frames::frame(kind::WINDOW_UPDATE, 0, 1, &1_u32.to_be_bytes());
    let mut ticks = interval(Duration::from_millis(20));
    for _ in 0..500 {
        ticks.tick().await;
        if !visitor.send(&one_more).await {
            return true;
        }
    }
    false
}

#[tokio::test]
async fn a_visitor_who_takes_a_byte_now_and_then_is_not_kept() {
    for https in [false, true] {
        let took = sipping(https).await;
        println!("ended after {took:?}");
    }
}
