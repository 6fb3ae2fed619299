//! An origin that is a process of its own and is killed midway.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::fd::{AsFd, OwnedFd};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::verdict::{Asker, CLIENTS};
use crate::support::{TestEdge, config, rules_for};

/// How often an origin is killed for each framing and client.
const ROUNDS: usize = 100;

/// A guard only.
const PATIENCE: Duration = Duration::from_secs(60);

/// Tells the test binary to be an origin, and how its answer is framed.
const FRAMING: &str = "COBROWSE_EDGE_TEST_ORIGIN";
const TEST: &str = "truncation::killed::is_an_origin_when_asked_to";

const PART: &str = "<!DOCTYPE html><p id=ssn>078-05-1120</p>";

/// What is sent to the origin. Where only the close ends the answer it is never read there, so that
/// the kernel resets the connection of the process that is killed; else it closes it in order.
const BODY: &str = "a form";

/// No test by itself: the process that is killed. It takes one connection from the listener that
/// is its standard input, answers with half a page, and waits to be killed.
#[test]
fn is_an_origin_when_asked_to() {
    let Ok(framing) = std::env::var(FRAMING) else {
        return;
    };
    let socket: OwnedFd = std::io::stdin().as_fd().try_clone_to_owned().unwrap();
    let (mut stream, _) = TcpListener::from(socket).accept().unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    if framing == "to-close" {
        assert!(stream.peek(&mut [0]).unwrap() > 0);
    } else {
        stream.read_exact(&mut [0; BODY.len()]).unwrap();
    }
    stream.write_all(half(&framing).as_bytes()).unwrap();
    // To be killed long before that, and not to stay if nobody does.
    std::thread::park_timeout(PATIENCE);
}

fn half(framing: &str) -> String {
    let size = PART.len();
    let fields = match framing {
        "length" => format!("Content-Length: {}\r\n\r\n", 2 * size),
        "chunked" => format!("Transfer-Encoding: chunked\r\n\r\n{size:x}\r\n"),
        "to-close" => "\r\n".to_owned(),
        other => panic!("{other:?} is no framing"),
    };
    let end = if framing == "chunked" { "\r\n" } else { "" };
    format!("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n{fields}{PART}{end}")
}

/// A process that takes the next connection of a listener. Whatever happens, it ends.
struct Origin(Child);

impl Origin {
    fn start(listener: &TcpListener, framing: &str) -> Self {
        let listener: OwnedFd = listener.try_clone().unwrap().into();
        let child = Command::new(std::env::current_exe().unwrap())
            .args([TEST, "--exact", "--nocapture", "--test-threads=1"])
            .env(FRAMING, framing)
            .stdin(Stdio::from(listener))
            .stdout(Stdio::null())
            .spawn();
        Self(child.unwrap())
    }
}

impl Drop for Origin {
    /// With SIGKILL.
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

async fn check(framing: &'static str) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let edge = TestEdge::spawn(config(&rules_for(address))).await;
    for client in CLIENTS {
        let mut asker = Asker::of(&edge, client).await;
        for round in 0..ROUNDS / CLIENTS.len() + 1 {
            let case = format!("{framing} {client:?} round {round}");
            let origin = Origin::start(&listener, framing);
            let seen = Arc::new(Notify::new());
            let is_seen = Arc::clone(&seen);
            let killing = tokio::spawn(async move {
                is_seen.notified().await;
                spawn_blocking(move || drop(origin)).await.unwrap();
            });
            let asked = timeout(PATIENCE, asker.ask("/page", BODY, &seen)).await;
            let verdict = asked.unwrap_or_else(|_| panic!("{case} stalled"));
            killing.await.unwrap();
            assert_eq!(verdict.status, 200, "{case}");
            assert!(!verdict.looks_complete, "{case}: {verdict:?}");
            let text = String::from_utf8(verdict.plain()).unwrap();
            assert!(!text.contains("<script"), "{case}: {text}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_origin_killed_within_a_length_is_seen_to_break_off() {
    check("length").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_origin_killed_between_chunks_is_seen_to_break_off() {
    check("chunked").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_origin_killed_before_its_close_is_seen_to_break_off() {
    check("to-close").await;
}
