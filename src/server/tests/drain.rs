use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};

use super::client::{GET, GET_AND_CLOSE, read_until, rest, send, talk, tls};
use super::*;
use crate::wire::empty_body;

/// A server whose answers wait until the test lets them go.
struct Slow {
    server: Running,
    asked: mpsc::Receiver<()>,
    gate: watch::Sender<bool>,
}

fn slow(config: Config) -> Slow {
    let certificates = Certificates::self_signed(&["a.example"]).unwrap();
    let (ask, asked) = mpsc::channel(8);
    let (gate, is_open) = watch::channel(false);
    let server = Running::start(config, Some(&Arc::new(certificates)), move |_, _| {
        let (ask, mut is_open) = (ask.clone(), is_open.clone());
        Box::pin(async move {
            ask.send(()).await.unwrap();
            let _ = is_open.wait_for(|is_open| *is_open).await;
            Response::new(full_body("hello"))
        })
    });
    Slow {
        server,
        asked,
        gate,
    }
}

fn cut_after(drain_timeout: Duration) -> Config {
    Config {
        drain_timeout,
        ..config(Limits::default())
    }
}

#[tokio::test]
async fn exchanges_under_way_end_before_the_server_does() {
    let mut slow = slow(config(Limits::default()));
    let address = slow.server.address();
    let mut busy = TcpStream::connect(address).await.unwrap();
    send(&mut busy, GET).await;
    soon(slow.asked.recv()).await;
    slow.server.handle.drain();
    soon(slow.server.handle.draining()).await;
    slow.gate.send(true).unwrap();
    let answer = rest(&mut busy).await;
    assert!(answer.ends_with("hello"), "{answer}");
    assert_eq!(soon(slow.server.ended).await.unwrap(), Drained { cut: 0 });
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn idle_connections_do_not_hold_a_drain_up() {
    let server = Running::hello(Limits::default());
    let mut idle = TcpStream::connect(server.address()).await.unwrap();
    send(&mut idle, GET).await;
    read_until(&mut idle, "hello").await;
    let silent = TcpStream::connect(server.address()).await.unwrap();
    server.handle.drain();
    assert_eq!(rest(&mut idle).await, "");
    drop(silent);
    assert_eq!(soon(server.ended).await.unwrap(), Drained { cut: 0 });
}

#[tokio::test]
async fn who_came_before_the_drain_is_served_once() {
    let certificates = Certificates::self_signed(&["a.example"]).unwrap();
    let config = Config {
        https: vec![any_port()],
        ..config(Limits::default())
    };
    let server = Running::start(config, Some(&Arc::new(certificates)), |_, _| hello());
    let mut in_the_clear = TcpStream::connect(server.address()).await.unwrap();
    let mut over_tls = tls(server.addresses[1].address, "a.example", &["http/1.1"])
        .await
        .unwrap();
    // Served after the first, so that was taken; the second is, its handshake being over.
    talk(server.address(), GET_AND_CLOSE).await;
    server.handle.drain();
    soon(server.handle.draining()).await;
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    send(&mut in_the_clear, GET).await;
    send(&mut over_tls, GET).await;
    for answer in [rest(&mut in_the_clear).await, rest(&mut over_tls).await] {
        assert!(answer.ends_with("hello"), "{answer:?}");
    }
    assert_eq!(soon(server.ended).await.unwrap(), Drained { cut: 0 });
}

#[tokio::test]
async fn http_2_is_told_to_go_and_may_finish() {
    let mut slow = slow(tls_config(Limits::default()));
    let stream = tls(slow.server.address(), "a.example", &["h2"])
        .await
        .unwrap();
    let (mut sender, connection) = hyper::client::conn::http2::handshake::<_, _, EdgeBody>(
        TokioExecutor::new(),
        TokioIo::new(stream),
    )
    .await
    .unwrap();
    let connection = tokio::spawn(connection);
    let request = || {
        Request::get("https://a.example/")
            .body(empty_body())
            .unwrap()
    };
    let answering = tokio::spawn(sender.send_request(request()));
    soon(slow.asked.recv()).await;
    slow.server.handle.drain();
    slow.gate.send(true).unwrap();
    let response = soon(answering).await.unwrap().unwrap();
    assert_eq!(response.status(), 200);
    drop(response);
    soon(connection).await.unwrap().unwrap();
    assert!(sender.send_request(request()).await.is_err());
    assert_eq!(soon(slow.server.ended).await.unwrap(), Drained { cut: 0 });
}

#[tokio::test]
async fn what_does_not_end_in_time_is_cut_and_counted() {
    let mut slow = slow(cut_after(BRIEFLY));
    let mut stuck = TcpStream::connect(slow.server.address()).await.unwrap();
    send(&mut stuck, GET).await;
    soon(slow.asked.recv()).await;
    slow.server.handle.drain();
    assert_eq!(rest(&mut stuck).await, "");
    assert_eq!(soon(slow.server.ended).await.unwrap(), Drained { cut: 1 });
}

#[tokio::test]
async fn a_second_signal_ends_everything_at_once() {
    let mut slow = slow(config(Limits::default()));
    let mut stuck = TcpStream::connect(slow.server.address()).await.unwrap();
    send(&mut stuck, GET).await;
    soon(slow.asked.recv()).await;
    slow.server.handle.drain();
    slow.server.handle.cut();
    assert_eq!(rest(&mut stuck).await, "");
    assert_eq!(soon(slow.server.ended).await.unwrap(), Drained { cut: 1 });
}

/// While a service leaves a request's body unread, nobody reads the connection.
#[tokio::test]
async fn a_connection_that_nobody_reads_is_cut_too() {
    let mut slow = slow(config(Limits::default()));
    let mut stuck = TcpStream::connect(slow.server.address()).await.unwrap();
    send(
        &mut stuck,
        "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 9999\r\n\r\nx",
    )
    .await;
    soon(slow.asked.recv()).await;
    slow.server.handle.cut();
    slow.server.handle.drain();
    assert_eq!(soon(slow.server.ended).await.unwrap(), Drained { cut: 1 });
}

#[tokio::test]
async fn a_tunnel_that_nobody_looks_after_does_not_hold_the_end_up() {
    let server = Running::start(config(Limits::default()), None, |_, mut request| {
        tokio::spawn(async move {
            let _kept = hyper::upgrade::on(&mut request).await.unwrap();
            std::future::pending::<()>().await;
        });
        switching()
    });
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    send(&mut stream, UPGRADE).await;
    read_until(&mut stream, "\r\n\r\n").await;
    server.handle.drain();
    server.handle.cut();
    assert_eq!(soon(server.ended).await.unwrap(), Drained { cut: 1 });
}

/// A tunnel that nobody ends by itself.
fn tunnelling(config: Config) -> Running {
    Running::start(config, None, |_, mut request| {
        tokio::spawn(async move {
            let upgraded = hyper::upgrade::on(&mut request).await.unwrap();
            let mut stream = TokioIo::new(upgraded);
            let mut byte = [0];
            while stream.read_exact(&mut byte).await.is_ok() {
                stream.write_all(&byte).await.unwrap();
            }
        });
        switching()
    })
}

fn switching() -> Answering {
    let response = Response::builder()
        .status(101)
        .header("connection", "upgrade")
        .header("upgrade", "websocket")
        .body(empty_body());
    Box::pin(async { response.unwrap() })
}

const UPGRADE: &str =
    "GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n";

#[tokio::test]
async fn a_tunnel_counts_as_a_connection_and_is_cut_in_the_end() {
    let server = tunnelling(cut_after(BRIEFLY));
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    send(&mut stream, UPGRADE).await;
    read_until(&mut stream, "\r\n\r\n").await;
    send(&mut stream, "x").await;
    read_until(&mut stream, "x").await;
    assert!(server.has_metric("edge_connections{scheme=\"http\"} 1"));
    server.handle.drain();
    assert_eq!(rest(&mut stream).await, "");
    assert_eq!(soon(server.ended).await.unwrap(), Drained { cut: 1 });
}

#[tokio::test]
async fn a_tunnel_that_ends_in_time_is_not_cut() {
    let server = tunnelling(config(Limits::default()));
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    send(&mut stream, UPGRADE).await;
    read_until(&mut stream, "\r\n\r\n").await;
    server.handle.drain();
    soon(server.handle.draining()).await;
    send(&mut stream, "x").await;
    read_until(&mut stream, "x").await;
    drop(stream);
    assert_eq!(soon(server.ended).await.unwrap(), Drained { cut: 0 });
    let line = "edge_connections{scheme=\"http\"} 0";
    assert!(server.metrics.encode().contains(line));
}
