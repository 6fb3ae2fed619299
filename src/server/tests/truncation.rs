//! An answer that fails midway must never look whole.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame};
use http_body_util::BodyExt;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;

use super::client::{read_until, rest, send, tls};
use super::*;
use crate::wire::test_body::streamed;
use crate::wire::{BoxError, empty_body};

/// Never ends; says so when it is dropped.
struct Endless(mpsc::Sender<()>);

impl Drop for Endless {
    fn drop(&mut self) {
        let _ = self.0.try_send(());
    }
}

impl Body for Endless {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(
            &[b'x'; 16 * 1024],
        )))))
    }
}

pub(super) fn endless(dropped: mpsc::Sender<()>) -> EdgeBody {
    Endless(dropped).boxed_unsync()
}

/// Sends half an answer, waits until the client has it, and fails.
fn broken_server(config: Config) -> (Running, mpsc::Sender<()>) {
    let certificates = Certificates::self_signed(&["a.example"]).unwrap();
    let (go, is_go) = mpsc::channel(1);
    let is_go = Arc::new(std::sync::Mutex::new(Some(is_go)));
    let server = Running::start(config, Some(&Arc::new(certificates)), move |_, _| {
        let (pieces, body) = streamed();
        let mut is_go: mpsc::Receiver<()> = is_go.lock().unwrap().take().unwrap();
        tokio::spawn(async move {
            let _ = pieces.send(Ok("half")).await;
            let _ = is_go.recv().await;
            let _ = pieces.send(Err("the origin is gone".into())).await;
        });
        Box::pin(async { Response::new(body) })
    });
    (server, go)
}

/// Asks, reads the first half, and lets the origin fail.
async fn break_off(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    version: &str,
    half: &str,
    go: &mpsc::Sender<()>,
) {
    send(stream, &format!("GET / {version}\r\nhost: a\r\n\r\n")).await;
    read_until(stream, half).await;
    go.send(()).await.unwrap();
}

#[tokio::test]
async fn http_1_1_lacks_its_last_chunk() {
    let (server, go) = broken_server(config(Limits::default()));
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    break_off(&mut stream, "HTTP/1.1", "half\r\n", &go).await;
    assert_eq!(rest(&mut stream).await, "");
}

/// Nothing but the close ends such an answer, so the close itself must say that it failed.
#[tokio::test]
async fn http_1_0_sees_a_reset() {
    let (server, go) = broken_server(config(Limits::default()));
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    break_off(&mut stream, "HTTP/1.0", "half", &go).await;
    let error = soon(stream.read_to_end(&mut Vec::new())).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
}

#[tokio::test]
async fn http_1_0_sees_a_reset_when_the_server_cuts_it_off() {
    let (server, _go) = broken_server(config(Limits::default()));
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    stream
        .write_all(b"GET / HTTP/1.0\r\nhost: a\r\n\r\n")
        .await
        .unwrap();
    read_until(&mut stream, "half").await;
    server.handle.drain();
    server.handle.cut();
    let error = soon(stream.read_to_end(&mut Vec::new())).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
}

/// Panics after half an answer.
struct Panicking(bool);

impl Body for Panicking {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        assert!(!self.0, "as told");
        self.0 = true;
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b"half")))))
    }
}

#[tokio::test]
async fn http_1_0_sees_a_reset_when_a_body_panics() {
    let server = Running::start(config(Limits::default()), None, |_, _| {
        Box::pin(async { Response::new(Panicking(false).boxed_unsync()) })
    });
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    stream
        .write_all(b"GET / HTTP/1.0\r\nhost: a\r\n\r\n")
        .await
        .unwrap();
    let error = soon(stream.read_to_end(&mut Vec::new())).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
}

/// Says how long it is, and gives no more than that.
#[tokio::test]
async fn http_1_0_sees_an_orderly_end_of_what_is_whole() {
    for method in ["GET", "HEAD"] {
        for said in [None, Some("4")] {
            let server = Running::start(config(Limits::default()), None, move |_, _| {
                let (pieces, body) = streamed();
                pieces.try_send(Ok("half")).unwrap();
                let mut response = Response::new(body);
                if let Some(length) = said {
                    let length = length.parse().unwrap();
                    response.headers_mut().insert("content-length", length);
                }
                Box::pin(async { response })
            });
            let mut stream = TcpStream::connect(server.address()).await.unwrap();
            let request = format!("{method} / HTTP/1.0\r\nhost: a\r\n\r\n");
            stream.write_all(request.as_bytes()).await.unwrap();
            let mut answer = String::new();
            soon(stream.read_to_string(&mut answer)).await.unwrap();
            assert_eq!(answer.ends_with("half"), method == "GET", "{answer}");
        }
    }
}

#[tokio::test]
async fn http_1_0_over_tls_sees_no_orderly_end() {
    let (server, go) = broken_server(tls_config(Limits::default()));
    let mut stream = tls(server.address(), "a.example", &[]).await.unwrap();
    break_off(&mut stream, "HTTP/1.0", "half", &go).await;
    assert!(soon(stream.read_to_end(&mut Vec::new())).await.is_err());
}

#[tokio::test]
async fn http_2_sees_a_stream_that_is_reset() {
    let (server, go) = broken_server(tls_config(Limits::default()));
    let stream = tls(server.address(), "a.example", &["h2"]).await.unwrap();
    let (mut sender, connection) = hyper::client::conn::http2::handshake::<_, _, EdgeBody>(
        TokioExecutor::new(),
        TokioIo::new(stream),
    )
    .await
    .unwrap();
    tokio::spawn(connection);
    let request = Request::get("https://a.example/").body(empty_body());
    let response = soon(sender.send_request(request.unwrap())).await.unwrap();
    let mut body = response.into_body();
    soon(body.frame()).await.unwrap().unwrap();
    go.send(()).await.unwrap();
    assert!(soon(body.frame()).await.unwrap().is_err());
}
