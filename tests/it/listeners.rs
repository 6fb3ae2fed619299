//! Where visitors are served besides on IPv4: on IPv6, and through Unix sockets.

use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use cobrowse_edge::app::{Edge, StartError};
use cobrowse_edge::wire::TrustedPeers;
use http::Request;
use tokio::io::AsyncWriteExt;
use tokio::net::UnixStream;

use crate::support::{
    Directory, Script, ScriptedOrigin, TestEdge, Visitor, config, rules_for, soon,
};

const PAGE: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 5\r\n\r\n<p>hi";

async fn origin() -> ScriptedOrigin {
    ScriptedOrigin::start(|_| vec![Script::Send(PAGE.into())]).await
}

/// Through the socket; `begin` goes in front of what a visitor says.
async fn ask(path: &Path, begin: &[u8], request: http::request::Builder) -> u16 {
    let mut stream = UnixStream::connect(path).await.unwrap();
    stream.write_all(begin).await.unwrap();
    let answer = Visitor::http1_over(stream).await.send(request).await;
    assert!(answer.text().contains("<p>hi"), "{answer:?}");
    answer.status.as_u16()
}

/// The lines of the last request that tell for whom it is.
fn told(origin: &ScriptedOrigin) -> Vec<String> {
    let head = origin.seen().pop().unwrap().to_ascii_lowercase();
    let lines = head
        .lines()
        .filter(|line| line.starts_with("x-forwarded-for:") || line.starts_with("forwarded:"));
    lines.map(str::to_owned).collect()
}

#[tokio::test]
async fn a_unix_socket_serves_pages_and_nobody_is_believed_there() {
    let (origin, files) = (origin().await, Directory::new());
    let path = files.write("socket-here", "").with_file_name("edge.sock");
    let mut config = config(&rules_for(origin.address));
    config.server.unix = vec![path.clone()];
    config.server.unix_mode = 0o600;
    config.server.limits.connections_per_address_max = Some(1);
    let edge = TestEdge::spawn(config).await;
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let _kept = UnixStream::connect(&path).await.unwrap();
    let claim = Request::get("/").header("x-forwarded-for", "203.0.113.7");
    assert_eq!(ask(&path, b"", claim).await, 200);
    let expected = [
        "forwarded: for=unknown;host=localhost;proto=http",
        "x-forwarded-for: unknown",
    ];
    let mut lines = told(&origin);
    lines.sort();
    assert_eq!(lines, expected);
    edge.end().await;
    assert!(!path.exists(), "its file goes with it");
}

#[tokio::test]
async fn a_proxy_behind_a_unix_socket_is_believed_by_rule() {
    let (origin, files) = (origin().await, Directory::new());
    let path = files.write("socket-here", "").with_file_name("edge.sock");
    let unix = || TrustedPeers::new(vec!["::/128".parse().unwrap()]);
    let mut config = config(&rules_for(origin.address));
    config.server.unix = vec![path.clone()];
    config.trusted_peers = unix();
    let edge = TestEdge::spawn(config.clone()).await;
    let claim = || Request::get("/").header("x-forwarded-for", "203.0.113.7");
    assert_eq!(ask(&path, b"", claim()).await, 200);
    let lines = told(&origin);
    let expected = "x-forwarded-for: 203.0.113.7, unknown".to_owned();
    assert!(lines.contains(&expected), "{lines:?}");
    edge.end().await;

    config.trusted_peers = TrustedPeers::default();
    config.server.proxy_protocol = unix();
    let _edge = TestEdge::spawn(config).await;
    let header = b"PROXY TCP4 203.0.113.9 192.0.2.1 49152 443\r\n";
    assert_eq!(ask(&path, header, claim()).await, 200);
    assert!(told(&origin).contains(&"x-forwarded-for: 203.0.113.9".to_owned()));
    // Without the header nobody is served.
    let mut stream = UnixStream::connect(&path).await.unwrap();
    stream
        .write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        .await
        .unwrap();
    let mut answer = Vec::new();
    let _ = soon(tokio::io::AsyncReadExt::read_to_end(
        &mut stream,
        &mut answer,
    ))
    .await;
    assert!(answer.is_empty());
}

#[tokio::test]
async fn a_socket_that_was_left_behind_is_replaced_and_one_in_use_is_not() {
    let (origin, files) = (origin().await, Directory::new());
    let path = files.write("socket-here", "").with_file_name("edge.sock");
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    let mut config = config(&rules_for(origin.address));
    config.server.unix = vec![path.clone()];
    let old = TestEdge::spawn(config.clone()).await;
    let second = Edge::start_logging_to(std::io::sink(), config.clone()).await;
    let Err(StartError::Bind(error)) = second else {
        panic!("both listen");
    };
    let message = error.to_string();
    assert!(
        message.contains("edge.sock") && message.contains("another program"),
        "{message}"
    );
    // But a new edge that takes over does, and the old one leaves its file alone.
    config.server.reuse_port = true;
    let _new = TestEdge::spawn(config).await;
    old.end().await;
    assert_eq!(ask(&path, b"", Request::get("/")).await, 200);
}

#[tokio::test]
async fn visitors_come_by_ipv6() {
    let origin = origin().await;
    let any = SocketAddr::from(([0, 0, 0, 0, 0, 0, 0, 1], 0));
    let mut config = config(&rules_for(origin.address));
    config.server.http = vec![any];
    config.server.https = vec![any];
    let edge = TestEdge::spawn(config).await;
    assert!(edge.http.is_ipv6());
    for mut visitor in [
        Visitor::http1(edge.http).await,
        Visitor::http2(edge.https.unwrap()).await,
    ] {
        assert_eq!(visitor.get("/").await.status, 200);
        let lines = told(&origin);
        assert!(
            lines.contains(&"x-forwarded-for: ::1".to_owned()),
            "{lines:?}"
        );
        assert!(
            lines.iter().any(|line| line.contains("for=\"[::1]\"")),
            "{lines:?}"
        );
    }
    // The address of a host may be one of IPv6, too.
    let request = Request::get("/").header("host", format!("[::1]:{}", edge.http.port()));
    let answer = Visitor::http1(edge.http).await.send(request).await;
    assert_eq!(answer.status, 200);
}
