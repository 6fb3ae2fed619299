use http_body_util::BodyExt;
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;

use super::client::{GET, GET_AND_CLOSE, read_until, rest, send, talk, tls};
use super::*;
use crate::wire::empty_body;
use crate::wire::test_body::streamed;

fn certificates() -> Option<Arc<Certificates>> {
    Some(Arc::new(Certificates::self_signed(&["a.example"]).unwrap()))
}

#[tokio::test]
async fn one_address_has_so_many_connections_and_a_closed_one_makes_room() {
    let server = Running::hello(Limits {
        connections_per_address_max: Some(2),
        ..Limits::default()
    });
    let mut open = Vec::new();
    for _ in 0..2 {
        let mut stream = TcpStream::connect(server.address()).await.unwrap();
        send(&mut stream, GET).await;
        read_until(&mut stream, "hello").await;
        open.push(stream);
    }
    assert_eq!(talk(server.address(), GET_AND_CLOSE).await, "");
    assert!(server.has_metric("edge_connections_refused_total{reason=\"address\"} 1"));
    let mut ended = open.remove(0);
    send(&mut ended, GET_AND_CLOSE).await;
    read_until(&mut ended, "hello").await;
    rest(&mut ended).await;
    let room = async {
        while talk(server.address(), GET_AND_CLOSE).await.is_empty() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, room).await.unwrap();
}

#[tokio::test]
async fn a_silent_client_is_closed_by_the_heads_time_out() {
    let server = Running::hello(Limits {
        head_timeout: BRIEFLY,
        ..Limits::default()
    });
    for beginning in ["", "GET / HTTP/1.1\r\nhost:"] {
        let mut stream = TcpStream::connect(server.address()).await.unwrap();
        send(&mut stream, beginning).await;
        let answer = rest(&mut stream).await;
        assert!(!answer.contains("200"), "{answer}");
    }
}

#[tokio::test]
async fn an_idle_connection_is_closed_by_the_heads_time_out() {
    let server = Running::hello(Limits {
        head_timeout: BRIEFLY,
        ..Limits::default()
    });
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    send(&mut stream, GET).await;
    read_until(&mut stream, "hello").await;
    rest(&mut stream).await;
}

#[tokio::test]
async fn a_silent_client_over_tls_is_closed_by_the_heads_time_out() {
    let limits = Limits {
        head_timeout: BRIEFLY,
        ..Limits::default()
    };
    let server = Running::start(tls_config(limits), certificates().as_ref(), |_, _| hello());
    let mut stream = tls(server.address(), "a.example", &["http/1.1"])
        .await
        .unwrap();
    rest(&mut stream).await;
}

#[tokio::test]
async fn a_handshake_that_does_not_end_is_closed() {
    let limits = Limits {
        handshake_timeout: BRIEFLY,
        ..Limits::default()
    };
    let server = Running::start(tls_config(limits), certificates().as_ref(), |_, _| hello());
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    send(&mut stream, "\u{16}\u{3}\u{1}").await;
    rest(&mut stream).await;
    assert!(server.has_metric("edge_tls_handshake_failures_total{reason=\"timeout\"} 1"));
}

#[tokio::test]
async fn a_client_that_agreed_on_http_2_and_says_nothing_is_closed() {
    let limits = Limits {
        h2_idle_timeout: BRIEFLY,
        ..Limits::default()
    };
    let server = Running::start(tls_config(limits), certificates().as_ref(), |_, _| hello());
    for beginning in ["", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\u{4}\0\0\0\0\0"] {
        let mut stream = tls(server.address(), "a.example", &["h2"]).await.unwrap();
        send(&mut stream, beginning).await;
        rest(&mut stream).await;
    }
}

#[tokio::test]
async fn connections_above_the_limit_wait_until_one_ends() {
    let server = Running::hello(Limits {
        connections_max: 1,
        ..Limits::default()
    });
    let mut first = TcpStream::connect(server.address()).await.unwrap();
    send(&mut first, GET).await;
    read_until(&mut first, "hello").await;
    let mut second = TcpStream::connect(server.address()).await.unwrap();
    send(&mut second, GET_AND_CLOSE).await;
    let early = tokio::time::timeout(BRIEFLY, second.read_u8()).await;
    assert!(early.is_err(), "the second one must wait");
    drop(first);
    assert!(rest(&mut second).await.ends_with("hello"));
}

#[tokio::test]
async fn a_head_at_the_limit_passes_and_one_above_does_not() {
    let server = Running::hello(Limits {
        headers_max: 2,
        ..Limits::default()
    });
    let with = |fields: &str| format!("GET / HTTP/1.1\r\nconnection: close\r\n{fields}\r\n");
    let answer = talk(server.address(), &with("host: a\r\n")).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let answer = talk(server.address(), &with("host: a\r\nx: 1\r\n")).await;
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
}

#[tokio::test]
async fn a_head_with_too_many_bytes_is_refused() {
    let head = |size: usize| {
        let frame = "GET / HTTP/1.1\r\nconnection: close\r\nx: \r\n\r\n";
        frame.replace("x: ", &format!("x: {}", "y".repeat(size - frame.len())))
    };
    let server = Running::hello(Limits {
        head_bytes_max: 1000,
        ..Limits::default()
    });
    for (size, expected) in [(1000, "HTTP/1.1 200"), (1001, "HTTP/1.1 431")] {
        let answer = talk(server.address(), &head(size)).await;
        assert!(answer.starts_with(expected), "{size}: {answer}");
    }
}

/// An endless answer to a client that reads nothing: the server must let go of it.
#[tokio::test]
async fn a_client_that_takes_nothing_is_closed() {
    let limits = Limits {
        write_stall_timeout: BRIEFLY,
        ..Limits::default()
    };
    let (ended, mut is_ended) = mpsc::channel(1);
    let server = Running::start(config(limits), None, move |_, _| {
        let body = truncation::endless(ended.clone());
        Box::pin(async { Response::new(body) })
    });
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    stream.write_all(GET.as_bytes()).await.unwrap();
    soon(is_ended.recv()).await.unwrap();
}

async fn http2_client(server: &Running) -> http2::SendRequest<EdgeBody> {
    let stream = tls(server.address(), "a.example", &["h2"]).await.unwrap();
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder.initial_stream_window_size(1024);
    let (sender, connection) = builder.handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    sender
}

fn http2_get() -> Request<EdgeBody> {
    let request = Request::get("https://a.example/").body(empty_body());
    request.unwrap()
}

/// Over HTTP/2 the connection still takes what is sent, while the stream's window is shut.
#[tokio::test]
async fn a_client_that_takes_nothing_of_a_stream_is_closed() {
    let limits = Limits {
        write_stall_timeout: BRIEFLY,
        ..Limits::default()
    };
    let (ended, mut is_ended) = mpsc::channel(1);
    let certificates = certificates();
    let server = Running::start(tls_config(limits), certificates.as_ref(), move |_, _| {
        let body = truncation::endless(ended.clone());
        Box::pin(async { Response::new(body) })
    });
    let mut sender = http2_client(&server).await;
    let _unread = soon(sender.send_request(http2_get())).await.unwrap();
    soon(is_ended.recv()).await.unwrap();
}

/// An origin that takes its time is not the client's fault.
#[tokio::test]
async fn an_answer_that_takes_its_time_is_not_cut_off() {
    let limits = Limits {
        write_stall_timeout: BRIEFLY,
        ..Limits::default()
    };
    let (pieces, body) = streamed();
    let body = std::sync::Mutex::new(Some(body));
    let certificates = certificates();
    let server = Running::start(tls_config(limits), certificates.as_ref(), move |_, _| {
        let body = body.lock().unwrap().take().unwrap();
        Box::pin(async { Response::new(body) })
    });
    let mut sender = http2_client(&server).await;
    let mut answer = soon(sender.send_request(http2_get())).await.unwrap();
    for _ in 0..2 {
        pieces.send(Ok("piece")).await.unwrap();
        let frame = soon(answer.body_mut().frame()).await.unwrap().unwrap();
        assert_eq!(frame.into_data().unwrap(), "piece");
        let early = tokio::time::timeout(BRIEFLY * 4, answer.body_mut().frame()).await;
        assert!(early.is_err(), "the answer must wait: {early:?}");
    }
    drop(pieces);
    let rest = soon(answer.into_body().collect()).await.unwrap();
    assert_eq!(rest.to_bytes(), "");
}
