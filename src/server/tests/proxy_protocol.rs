use std::net::IpAddr;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::client::{GET, GET_AND_CLOSE, read_until, rest, send};
use super::*;
use crate::wire::TrustedPeers;

const HEADER: &str = "PROXY TCP4 203.0.113.7 192.0.2.1 49152 443\r\n";
const OWN_NETWORK: &str = "127.0.0.0/8";
const ANOTHER_NETWORK: &str = "10.0.0.0/8";

/// Answers each request with the ends of its connection.
fn server(network: &str, limits: Limits) -> Running {
    let proxy_protocol = TrustedPeers::new(vec![network.parse().unwrap()]);
    let config = Config {
        proxy_protocol,
        ..config(limits)
    };
    Running::start(config, None, |info, _| {
        let ends = format!("from {} to {}.", info.peer, info.local);
        Box::pin(async move { Response::new(full_body(ends)) })
    })
}

async fn connect(server: &Running) -> TcpStream {
    TcpStream::connect(server.address()).await.unwrap()
}

#[tokio::test]
async fn a_trusted_peer_says_for_whom_it_connects() {
    let server = server(OWN_NETWORK, Limits::default());
    let binary = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xcb\0\x71\x07\xc0\0\x02\x01\xc0\0\x01\xbb";
    for header in [HEADER.as_bytes(), binary] {
        let mut stream = connect(&server).await;
        stream.write_all(header).await.unwrap();
        for request in [GET, GET_AND_CLOSE] {
            send(&mut stream, request).await;
            read_until(&mut stream, "from 203.0.113.7:49152 to 192.0.2.1:443.").await;
        }
    }
}

#[tokio::test]
async fn the_header_may_come_in_any_pieces_and_together_with_the_request() {
    let server = server(OWN_NETWORK, Limits::default());
    let whole = format!("{HEADER}{GET_AND_CLOSE}");
    for at in 1..=HEADER.len() {
        let mut stream = connect(&server).await;
        stream.set_nodelay(true).unwrap();
        let (first, second) = whole.split_at(at);
        send(&mut stream, first).await;
        tokio::task::yield_now().await;
        send(&mut stream, second).await;
        let answer = rest(&mut stream).await;
        assert!(answer.contains("from 203.0.113.7:49152"), "{at}: {answer}");
    }
}

#[tokio::test]
async fn a_load_balancer_that_speaks_for_itself_is_the_peer() {
    let server = server(OWN_NETWORK, Limits::default());
    for header in ["PROXY UNKNOWN\r\n", "\r\n\r\n\0\r\nQUIT\n\x20\0\0\0"] {
        let mut stream = connect(&server).await;
        let own: IpAddr = stream.local_addr().unwrap().ip();
        send(&mut stream, &format!("{header}{GET_AND_CLOSE}")).await;
        let answer = rest(&mut stream).await;
        assert!(answer.contains(&format!("from {own}:")), "{answer}");
    }
}

#[tokio::test]
async fn without_a_header_a_trusted_peer_is_not_served() {
    let server = server(OWN_NETWORK, Limits::default());
    let endless = "PROXY UNKNOWN".to_owned() + &" x".repeat(100);
    for beginning in [GET_AND_CLOSE, "PROXY TCP9 x x 1 1\r\n", &endless] {
        let mut stream = connect(&server).await;
        send(&mut stream, beginning).await;
        assert_eq!(rest(&mut stream).await, "", "{beginning}");
    }
    assert!(server.has_metric("edge_proxy_headers_refused_total{reason=\"malformed\"} 3"));
}

#[tokio::test]
async fn nobody_else_can_say_for_whom_he_connects() {
    let server = server(ANOTHER_NETWORK, Limits::default());
    let mut stream = connect(&server).await;
    send(&mut stream, &format!("{HEADER}{GET_AND_CLOSE}")).await;
    let answer = rest(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    assert!(!answer.contains("203.0.113.7"), "{answer}");
}

#[tokio::test]
async fn a_header_that_does_not_end_is_not_waited_for() {
    let limits = Limits {
        handshake_timeout: BRIEFLY,
        ..Limits::default()
    };
    let server = server(OWN_NETWORK, limits);
    for beginning in ["", "PROXY TCP4 203.0.113.7 "] {
        let mut stream = connect(&server).await;
        send(&mut stream, beginning).await;
        assert_eq!(rest(&mut stream).await, "", "{beginning}");
    }
    assert!(server.has_metric("edge_proxy_headers_refused_total{reason=\"timeout\"} 2"));
}

#[tokio::test]
async fn those_behind_a_load_balancer_are_counted_each() {
    let limits = Limits {
        connections_per_address_max: Some(1),
        ..Limits::default()
    };
    let server = server(OWN_NETWORK, limits);
    let mut open = Vec::new();
    for (visitor, is_served) in [
        ("203.0.113.7", true),
        ("203.0.113.8", true),
        ("203.0.113.7", false),
    ] {
        let mut stream = connect(&server).await;
        let header = format!("PROXY TCP4 {visitor} 192.0.2.1 49152 443\r\n");
        send(&mut stream, &format!("{header}{GET}")).await;
        if is_served {
            read_until(&mut stream, &format!("from {visitor}")).await;
            open.push(stream);
        } else {
            assert_eq!(rest(&mut stream).await, "");
        }
    }
}
