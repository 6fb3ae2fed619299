use http_body_util::BodyExt;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::client::{GET, GET_AND_CLOSE, read_until, rest, send, talk, tls};
use super::*;
use crate::wire::{Scheme, empty_body};

/// Answers with what is known of the connection.
#[expect(clippy::needless_pass_by_value, reason = "the signature of a service")]
fn describe(info: &ConnectionInfo, request: Request<Incoming>) -> Answering {
    let sni = info.sni.as_deref().unwrap_or("-").to_owned();
    let text = format!("{:?} {:?} {sni}", info.scheme, request.version());
    Box::pin(async move { Response::new(full_body(text)) })
}

fn certificates() -> Option<Arc<Certificates>> {
    let made = Certificates::self_signed(&["www.bank.example"]).unwrap();
    Some(Arc::new(made))
}

#[tokio::test]
async fn serves_http_1_1_in_the_clear() {
    let server = Running::start(config(Limits::default()), None, describe);
    let answer = talk(server.address(), GET_AND_CLOSE).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.ends_with("Http HTTP/1.1 -"), "{answer}");
}

#[tokio::test]
async fn keeps_connections_alive() {
    let server = Running::hello(Limits::default());
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    for _ in 0..3 {
        send(&mut stream, GET).await;
        read_until(&mut stream, "hello").await;
    }
}

#[tokio::test]
async fn a_preface_of_http_2_in_the_clear_is_not_taken() {
    let server = Running::start(config(Limits::default()), None, describe);
    let answer = talk(server.address(), "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await;
    assert!(!answer.contains("200"), "{answer}");
}

#[tokio::test]
async fn the_protocol_is_what_tls_agreed_on() {
    let config = tls_config(Limits::default());
    let server = Running::start(config, certificates().as_ref(), describe);
    for protocols in [&["http/1.1"] as &[_], &[]] {
        let stream = tls(server.address(), "www.bank.example", protocols).await;
        let mut stream = stream.unwrap();
        send(&mut stream, GET_AND_CLOSE).await;
        let answer = rest(&mut stream).await;
        assert!(
            answer.ends_with("Https HTTP/1.1 www.bank.example"),
            "{answer}"
        );
    }
}

#[tokio::test]
async fn http_2_is_preferred() {
    let config = tls_config(Limits::default());
    let server = Running::start(config, certificates().as_ref(), describe);
    let stream = tls(server.address(), "www.bank.example", &["http/1.1", "h2"]).await;
    let io = TokioIo::new(stream.unwrap());
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake::<_, _, EdgeBody>(TokioExecutor::new(), io)
            .await
            .unwrap();
    tokio::spawn(connection);
    let request = Request::get("https://www.bank.example/").body(empty_body());
    let response = soon(sender.send_request(request.unwrap())).await.unwrap();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(body, "Https HTTP/2.0 www.bank.example");
}

#[tokio::test]
async fn a_client_that_speaks_no_known_protocol_is_counted() {
    let config = tls_config(Limits::default());
    let server = Running::start(config, certificates().as_ref(), describe);
    let failed = tls(server.address(), "www.bank.example", &["spdy/3"]).await;
    assert!(failed.is_err());
    let mut plain = TcpStream::connect(server.address()).await.unwrap();
    send(&mut plain, GET).await;
    rest(&mut plain).await;
    for reason in ["no_common_protocol", "not_tls"] {
        let line = format!("edge_tls_handshake_failures_total{{reason=\"{reason}\"}} 1");
        assert!(server.has_metric(&line), "{}", server.metrics.encode());
    }
}

#[tokio::test]
async fn listens_on_both_families_and_says_where() {
    let config = Config {
        http: vec![any_port(), "[::1]:0".parse().unwrap()],
        https: vec![any_port()],
        ..Config::default()
    };
    let server = Running::start(config, certificates().as_ref(), describe);
    let schemes: Vec<_> = server.addresses.iter().map(|a| a.scheme).collect();
    assert_eq!(schemes, [Scheme::Http, Scheme::Http, Scheme::Https]);
    assert!(server.addresses.iter().all(|a| a.address.port() != 0));
    for bound in &server.addresses[..2] {
        let answer = talk(bound.address, GET_AND_CLOSE).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{bound}: {answer}");
    }
}

#[tokio::test]
async fn all_addresses_of_both_families_share_a_port() {
    let all = |address: &str, port| Config {
        http: vec![SocketAddr::new(address.parse().unwrap(), port)],
        ..Config::default()
    };
    let first = Running::start(all("0.0.0.0", 0), None, describe);
    let port = first.address().port();
    let second = Server::bind(
        all("::", port),
        &mut Inherited::default(),
        None,
        Arc::new(Metrics::new()),
    );
    assert!(second.is_ok(), "{second:?}");
}

#[tokio::test]
async fn an_upgraded_stream_is_the_services() {
    let server = Running::start(config(Limits::default()), None, |_, mut request| {
        tokio::spawn(async move {
            let upgraded = hyper::upgrade::on(&mut request).await.unwrap();
            let mut stream = TokioIo::new(upgraded);
            stream.write_all(b"tunnel").await.unwrap();
            stream.shutdown().await.unwrap();
        });
        let response = Response::builder()
            .status(101)
            .header("connection", "upgrade")
            .header("upgrade", "websocket")
            .body(empty_body());
        Box::pin(async { response.unwrap() })
    });
    let upgrade = "GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n";
    let answer = talk(server.address(), upgrade).await;
    assert!(answer.starts_with("HTTP/1.1 101"), "{answer}");
    assert!(answer.ends_with("\r\n\r\ntunnel"), "{answer}");
}

async fn bind_error(config: Config) -> String {
    let bound = Server::bind(
        config,
        &mut Inherited::default(),
        None,
        Arc::new(Metrics::new()),
    );
    bound.unwrap_err().to_string()
}

#[tokio::test]
async fn what_cannot_be_bound_is_explained() {
    let server = Running::hello(Limits::default());
    let taken = server.address();
    let with = |http| Config {
        http,
        ..Config::default()
    };
    let error = bind_error(with(vec![taken])).await;
    assert!(
        error.contains(&taken.to_string()) && error.contains("--listen"),
        "{error}"
    );
    let elsewhere = SocketAddr::from(([203, 0, 113, 1], 0));
    let error = bind_error(with(vec![elsewhere])).await;
    assert!(
        error.contains("203.0.113.1:0 is not an address of this machine"),
        "{error}"
    );
    let error = bind_error(with(Vec::new())).await;
    assert!(error.contains("no address"), "{error}");
    let error = bind_error(tls_config(Limits::default())).await;
    assert!(error.contains("certificate"), "{error}");
}

#[test]
fn ports_that_need_rights_are_explained() {
    let denied = std::io::Error::from(std::io::ErrorKind::PermissionDenied);
    let error = BindError::listen(SocketAddr::from(([0, 0, 0, 0], 80)), denied);
    assert!(error.to_string().contains("ports below 1024"), "{error}");
}
