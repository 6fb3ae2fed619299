//! Origins that are asked whether they are well.

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::yield_now;
use tokio::time::timeout;

use super::*;

/// Answers its checks with a status that the test sets, and pages with its name.
struct Checked {
    port: u16,
    status: Arc<AtomicU16>,
    checks: watch::Sender<usize>,
}

impl Checked {
    async fn start(name: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (status, checks) = (Arc::new(AtomicU16::new(200)), watch::Sender::new(0));
        let (told, counted) = (Arc::clone(&status), checks.clone());
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    head.push(stream.read_u8().await.unwrap_or(b'\n'));
                }
                let head = String::from_utf8(head).unwrap();
                let is_check = head.starts_with("GET /well?now HTTP/1.1\r\nhost: checks.example");
                let status = match is_check {
                    true => told.load(Ordering::Acquire),
                    false => 200,
                };
                counted.send_modify(|checks| *checks += usize::from(is_check));
                let length = name.len();
                let answer = format!(
                    "HTTP/1.1 {status} -\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{name}"
                );
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        });
        Self {
            port,
            status,
            checks,
        }
    }

    /// Waits for so many more checks.
    async fn checked(&self, count: usize) {
        let mut checks = self.checks.subscribe();
        let until = *checks.borrow() + count;
        let reached = timeout(PATIENCE, checks.wait_for(|checks| *checks >= until));
        reached.await.expect("it is asked in time").unwrap();
        let_tasks_run().await;
    }
}

fn checking() -> Config {
    Config {
        health_check: Some(HealthCheck {
            path: "/well?now".parse().unwrap(),
            host: Some("checks.example".parse().unwrap()),
            interval: Duration::from_millis(5),
            timeout: PATIENCE,
            healthy_after: 2,
            unhealthy_after: 2,
            statuses: vec![200, 204],
        }),
        ..config()
    }
}

fn states(origins: &Origins) -> Vec<&'static str> {
    let status = origins.status();
    status.iter().map(|origin| origin.state).collect()
}

#[tokio::test]
async fn one_that_fails_its_checks_is_left_alone_until_it_passes_them() {
    let (one, other) = (Checked::start("one").await, Checked::start("other").await);
    let clients = [&one, &other].map(|origin| Client::new(&target(origin.port), checking()));
    let clients = clients.into_iter().map(Result::unwrap).collect();
    let policy = Policy {
        balance: Balance::RoundRobin,
        ..Policy::default()
    };
    let origins = Origins::new(clients, policy);
    origins.watch();
    origins.watch();
    one.checked(2).await;
    assert_eq!(states(&origins), ["up", "up"]);
    one.status.store(302, Ordering::Release);
    one.checked(4).await;
    assert_eq!(states(&origins), ["left alone", "up"]);
    for _ in 0..6 {
        assert_eq!(fetch(&origins, get("/")).await.unwrap(), "other");
    }
    other.status.store(500, Ordering::Release);
    other.checked(4).await;
    let mut texts = Vec::new();
    for _ in 0..6 {
        texts.push(fetch(&origins, get("/")).await.unwrap());
    }
    assert!(
        texts.iter().any(|text| text == "one"),
        "too few are up: {texts:?}"
    );
    one.status.store(204, Ordering::Release);
    one.checked(4).await;
    assert_eq!(states(&origins), ["up", "left alone"]);
}

#[tokio::test]
async fn nobody_checks_origins_that_nobody_uses() {
    let one = Checked::start("one").await;
    let tasks = || Handle::current().metrics().num_alive_tasks();
    let before = tasks();
    let origins = origins_at(&target(one.port), checking());
    origins.watch();
    one.checked(1).await;
    assert!(tasks() > before);
    drop(origins);
    // Who would ask is gone, and what he had open.
    let gone = async {
        while tasks() > before {
            yield_now().await;
        }
    };
    timeout(PATIENCE, gone).await.expect("nobody is left");
}

#[tokio::test]
async fn the_connection_of_a_check_ends_with_it() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let origins = origins_at(&target(port), checking());
    origins.watch();
    let (mut stream, _) = listener.accept().await.unwrap();
    let mut question = Vec::new();
    while !question.ends_with(b"\r\n\r\n") {
        question.push(stream.read_u8().await.unwrap());
    }
    let question = String::from_utf8(question).unwrap();
    assert!(question.contains("\r\nconnection: close\r\n"), "{question}");
    let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
    stream.write_all(answer).await.unwrap();
    let after = timeout(PATIENCE, stream.read_u8()).await;
    assert!(after.expect("the edge closes").is_err());
}
