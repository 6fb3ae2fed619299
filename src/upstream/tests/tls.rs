use std::sync::{Arc, Mutex};

use rustls::ServerConfig;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;

use super::origin::Step::{self, Read, Send};
use super::origin::perform;
use super::pki::{Authority, missing};
use super::*;
use crate::problem::Problem;
use crate::test_directory::TestDirectory;

/// How an origin ends a TLS connection.
#[derive(Clone, Copy, Debug)]
enum End {
    CloseNotify,
    WithoutAWord,
}

/// An origin that speaks TLS on every connection.
async fn tls_origin(config: Arc<ServerConfig>, script: &'static [Step], end: End) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = TlsAcceptor::from(Arc::clone(&config));
            let Ok(mut stream) = acceptor.accept(stream).await else {
                continue;
            };
            let (seen, (_go, mut go)) = (Mutex::default(), mpsc::channel(1));
            for step in script {
                if perform(&mut stream, *step, &seen, &mut go).await.is_none() {
                    break;
                }
            }
            if let End::CloseNotify = end {
                let _ = tokio::io::AsyncWriteExt::shutdown(&mut stream).await;
            }
        }
    });
    port
}

pub(super) fn tls_target(port: u16, directory: &TestDirectory, trusted: &Authority) -> Target {
    Target {
        scheme: Scheme::Https,
        tls: TlsSettings {
            ca: Some(directory.write("ca.pem", trusted.pem())),
            server_name: Some("origin.bank.example".to_owned()),
            ..TlsSettings::default()
        },
        ..target(port)
    }
}

const TO_CLOSE: &[Step] = &[Read, Send("HTTP/1.1 200 OK\r\n\r\nwhole")];

#[tokio::test]
async fn a_certificate_of_the_own_authority_is_trusted() {
    let (directory, authority) = (TestDirectory::new(), Authority::new());
    let config = authority.server("origin.bank.example", None);
    let port = tls_origin(config, TO_CLOSE, End::CloseNotify).await;
    let target = tls_target(port, &directory, &authority);
    let client = origins_at(&target, super::config());
    assert_eq!(fetch(&client, get("/")).await.unwrap(), "whole");
}

#[tokio::test]
async fn an_end_without_a_word_may_be_an_attackers() {
    const LENGTH: &[Step] = &[
        Read,
        Send("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nwhole"),
    ];
    let (directory, authority) = (TestDirectory::new(), Authority::new());
    let config = authority.server("origin.bank.example", None);
    for (script, expected) in [
        (TO_CLOSE, Err("body_broken")),
        (LENGTH, Ok("whole".to_owned())),
    ] {
        let port = tls_origin(Arc::clone(&config), script, End::WithoutAWord).await;
        let target = tls_target(port, &directory, &authority);
        let client = origins_at(&target, super::config());
        let outcome = fetch(&client, get("/")).await.map_err(|e| e.kind());
        assert_eq!(outcome, expected, "{script:?}");
    }
}

#[tokio::test]
async fn strangers_and_other_names_are_not_trusted() {
    let (directory, authority) = (TestDirectory::new(), Authority::new());
    for config in [
        Authority::new().server("origin.bank.example", None),
        authority.server("other.bank.example", None),
    ] {
        let port = tls_origin(config, TO_CLOSE, End::CloseNotify).await;
        let target = tls_target(port, &directory, &authority);
        let client = origins_at(&target, super::config());
        assert_eq!(failure(&client, get("/")).await, "tls");
    }
}

#[tokio::test]
async fn the_system_does_not_trust_our_authority() {
    let (directory, authority) = (TestDirectory::new(), Authority::new());
    let config = authority.server("origin.bank.example", None);
    let port = tls_origin(config, TO_CLOSE, End::CloseNotify).await;
    let mut target = tls_target(port, &directory, &authority);
    target.tls.ca = None;
    let client = origins_at(&target, super::config());
    assert_eq!(failure(&client, get("/")).await, "tls");
}

#[tokio::test]
async fn a_client_certificate_is_shown_when_asked_for() {
    let (directory, authority, clients) =
        (TestDirectory::new(), Authority::new(), Authority::new());
    let config = authority.server("origin.bank.example", Some(&clients));
    let port = tls_origin(config, TO_CLOSE, End::CloseNotify).await;
    let mut target = tls_target(port, &directory, &authority);
    let without = origins_at(&target, super::config());
    assert!(fetch(&without, get("/")).await.is_err());
    let (certificate, key) = clients.sign("edge");
    target.tls.client_certificate = Some(directory.write("edge.pem", &certificate));
    target.tls.client_key = Some(directory.write("edge.key", &key));
    let with = origins_at(&target, super::config());
    assert_eq!(fetch(&with, get("/")).await.unwrap(), "whole");
}

fn problems(target: &Target) -> Vec<Problem> {
    Client::new(target, config()).unwrap_err()
}

#[test]
fn every_fault_is_reported_at_once() {
    let mut target = target(443);
    target.scheme = Scheme::Https;
    target.tls.ca = Some(missing());
    target.tls.server_name = Some("not a name".to_owned());
    target.tls.client_key = Some(missing());
    let texts: Vec<_> = problems(&target).iter().map(Problem::to_string).collect();
    assert_eq!(texts.len(), 3, "{texts:#?}");
    assert!(texts[0].contains("\"not a name\""), "{texts:#?}");
    assert!(texts[1].contains("client_certificate"), "{texts:#?}");
    assert!(texts[2].contains("/nonexistent/ca.pem"), "{texts:#?}");
}

#[test]
fn files_with_the_wrong_things_in_them() {
    let (directory, authority) = (TestDirectory::new(), Authority::new());
    let (certificate, _) = authority.sign("edge");
    let (_, other_key) = authority.sign("edge");
    let certificate = directory.write("edge.pem", &certificate);
    let other_key = directory.write("other.key", &other_key);
    let table = [
        (
            Some(directory.write("empty.pem", "")),
            None,
            None,
            "no certificate",
        ),
        (Some(other_key.clone()), None, None, "no certificate"),
        (
            None,
            Some(certificate.clone()),
            Some(other_key),
            "cannot be used",
        ),
        (
            None,
            Some(certificate.clone()),
            Some(certificate),
            "cannot be read",
        ),
    ];
    for (ca, client_certificate, client_key, expected) in table {
        let mut target = target(443);
        target.scheme = Scheme::Https;
        target.tls = TlsSettings {
            ca,
            client_certificate,
            client_key,
            server_name: None,
        };
        let problems = problems(&target);
        assert_eq!(problems.len(), 1, "{problems:#?}");
        assert!(problems[0].to_string().contains(expected), "{problems:#?}");
    }
}
