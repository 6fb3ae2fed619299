//! What TLS agrees on, and what of it a client may take to its next connection.

use rustls::HandshakeKind;
use rustls::SupportedProtocolVersion;
use rustls::version::{TLS12, TLS13};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::client::{GET_AND_CLOSE, rest, send};
use super::*;
use crate::test_tls::{connect_with, trusting};

fn server() -> Running {
    let made = Certificates::self_signed(&["a.example"]).unwrap();
    let config = tls_config(Limits::default());
    Running::start(config, Some(&Arc::new(made)), |_, _| hello())
}

/// How a client came by its session, once its answer is whole: by then it has its tickets.
async fn visit(server: &Running, client: &rustls::ClientConfig) -> Option<HandshakeKind> {
    let client = client.clone();
    let mut stream = connect_with(server.address(), Some("a.example"), client)
        .await
        .unwrap();
    send(&mut stream, GET_AND_CLOSE).await;
    assert!(rest(&mut stream).await.ends_with("hello"));
    stream.get_ref().1.handshake_kind()
}

#[tokio::test]
async fn who_comes_again_brings_a_ticket() {
    let server = server();
    for version in [&TLS12, &TLS13] as [&'static SupportedProtocolVersion; 2] {
        let client = trusting(&[version]).with_no_client_auth();
        let first = visit(&server, &client).await;
        assert_eq!(first, Some(HandshakeKind::Full), "{version:?}");
        let second = visit(&server, &client).await;
        assert_eq!(second, Some(HandshakeKind::Resumed), "{version:?}");
    }
}

/// As after a hand-over: each process has keys of its own.
#[tokio::test]
async fn a_ticket_of_another_server_is_no_obstacle() {
    let (one, two) = (server(), server());
    let client = trusting(&[&TLS13]).with_no_client_auth();
    assert_eq!(visit(&one, &client).await, Some(HandshakeKind::Full));
    assert_eq!(visit(&two, &client).await, Some(HandshakeKind::Full));
    assert_eq!(visit(&two, &client).await, Some(HandshakeKind::Resumed));
}

/// A greeting in which a client of that version (0x0302 is TLS 1.1) offers ECDHE with RSA and AES.
fn greeting(version: [u8; 2]) -> Vec<u8> {
    let ciphers = [0xc0, 0x13, 0xc0, 0x14];
    let mut hello = vec![1, 0, 0, 0];
    hello.extend(version);
    hello.extend([7; 32]);
    hello.extend([0, 0, ciphers.len() as u8]);
    hello.extend(ciphers);
    hello.extend([1, 0]);
    // One extension, without which no greeting is read: signatures by RSA with SHA-256.
    hello.extend([0, 8, 0, 13, 0, 4, 0, 2, 4, 1]);
    hello[3] = (hello.len() - 4) as u8;
    let mut record = vec![22, 3, 1, 0, hello.len() as u8];
    record.extend(hello);
    record
}

#[tokio::test]
async fn versions_before_1_2_are_not_spoken() {
    let server = server();
    for version in [[3, 0], [3, 1], [3, 2]] {
        let mut stream = TcpStream::connect(server.address()).await.unwrap();
        stream.write_all(&greeting(version)).await.unwrap();
        let mut answer = Vec::new();
        let reading = tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut answer);
        let _ = soon(reading).await;
        // A fatal alert: protocol_version.
        assert_eq!(answer, [21, 3, 3, 0, 2, 2, 70], "{version:?}");
    }
}
