//! An origin that is a process of its own and is killed midway, anywhere in what it sends.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsFd, OwnedFd};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use cobrowse_edge::wire::{Coding, CodingLevels, Encoder};
use tokio::sync::Notify;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::verdict::{Asker, CLIENTS};
use crate::support::{TestEdge, config, rules_for, tries};

/// How often an origin is killed for each framing, content and client; and with
/// `COBROWSE_TEST_FULL` in the environment.
const ROUNDS: usize = 9;
const ROUNDS_IN_FULL: usize = 200;

/// A guard only.
const PATIENCE: Duration = Duration::from_secs(60);

/// Tells the test binary to be an origin, and how its answer is framed and what it is.
const ORIGIN: &str = "COBROWSE_EDGE_TEST_ORIGIN";
const TEST: &str = "truncation::killed::is_an_origin_when_asked_to";

const FRAMINGS: [&str; 3] = ["length", "chunked", "to-close"];

/// What passes as it is, plain and compressed, and what is rewritten, plain and decoded for it.
const CONTENTS: [&str; 4] = ["plain", "gzip", "injected", "injected gzip"];

const PART: &str = "<!DOCTYPE html><p id=ssn>078-05-1120</p>";

/// The visitor has as much of the body, at most, when the origin is killed.
const SEEN_MAX: usize = 8 * 1024;

/// From here on the origin takes its time, so that not much is on its way when it is killed.
const SENT_FAST_MAX: usize = 16 * 1024;

/// What is sent to the origin. Where only the close ends the answer it is never read there, so that
/// the kernel resets the connection of the process that is killed; else it closes it in order.
const BODY: &str = "a form";

/// No test by itself: the process that is killed. It takes one connection from the listener that
/// is its standard input, and answers without end.
#[test]
fn is_an_origin_when_asked_to() {
    let Ok(told) = std::env::var(ORIGIN) else {
        return;
    };
    let (framing, content) = told.split_once(' ').unwrap();
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
    // Ends with an error only if nobody kills it.
    let _ = answer(&mut stream, framing, content);
}

fn answer(stream: &mut TcpStream, framing: &str, content: &str) -> std::io::Result<()> {
    let framed = match framing {
        "length" => "Content-Length: 1000000000\r\n",
        "chunked" => "Transfer-Encoding: chunked\r\n",
        _ => "",
    };
    let (media, coding) = match content {
        "plain" => ("image/png", Coding::Identity),
        "gzip" => ("application/octet-stream", Coding::Gzip),
        "injected" => ("text/html", Coding::Identity),
        _ => ("text/html", Coding::Gzip),
    };
    let coded = match coding {
        Coding::Gzip => "Content-Encoding: gzip\r\n",
        _ => "",
    };
    let head = format!("HTTP/1.1 200 OK\r\nContent-Type: {media}\r\n{coded}{framed}\r\n");
    stream.write_all(head.as_bytes())?;
    let mut encoder = Encoder::new(coding, CodingLevels::default());
    let mut sent = 0;
    loop {
        if sent > SENT_FAST_MAX {
            std::thread::park_timeout(Duration::from_millis(1));
        }
        let mut piece = BytesMut::new();
        match &mut encoder {
            None => piece.extend_from_slice(PART.as_bytes()),
            Some(encoder) => {
                encoder.encode(PART.as_bytes(), &mut piece).unwrap();
                encoder.flush(&mut piece).unwrap();
            }
        }
        sent += piece.len();
        if framing == "chunked" {
            let size = format!("{:x}\r\n", piece.len());
            stream.write_all(&[size.as_bytes(), &piece, b"\r\n"].concat())?;
        } else {
            stream.write_all(&piece)?;
        }
    }
}

/// A process that takes the next connection of a listener. Whatever happens, it ends.
struct Origin(Child);

impl Origin {
    fn start(listener: &TcpListener, told: &str) -> Self {
        let listener: OwnedFd = listener.try_clone().unwrap().into();
        let child = Command::new(std::env::current_exe().unwrap())
            .args([TEST, "--exact", "--nocapture", "--test-threads=1"])
            .env(ORIGIN, told)
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

/// How much of the body the visitor has when the origin is killed: anything, the same in each run.
fn seen_before(round: usize) -> usize {
    round.wrapping_mul(7919) % SEEN_MAX
}

async fn check(framing: &'static str) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let edge = TestEdge::spawn(config(&rules_for(address))).await;
    let mut killed = 0;
    for client in CLIENTS {
        let mut asker = Asker::of(&edge, client).await;
        for content in CONTENTS {
            for round in 0..tries(ROUNDS, ROUNDS_IN_FULL) {
                let case = format!("{framing} {content} {client:?} round {round}");
                let origin = Origin::start(&listener, &format!("{framing} {content}"));
                let seen = Arc::new(Notify::new());
                let is_seen = Arc::clone(&seen);
                let killing = tokio::spawn(async move {
                    is_seen.notified().await;
                    spawn_blocking(move || drop(origin)).await.unwrap();
                });
                let asking = asker.ask_and_tell_at(seen_before(round), "/page", BODY, &seen);
                let asked = timeout(PATIENCE, asking).await;
                let verdict = asked.unwrap_or_else(|_| panic!("{case} stalled"));
                killing.await.unwrap();
                assert_eq!(verdict.status, 200, "{case}");
                assert!(!verdict.looks_complete, "{case}: {verdict:?}");
                let plain = verdict.plain();
                let text = String::from_utf8_lossy(&plain);
                assert!(!text.contains("<script"), "{case}: {text}");
                killed += 1;
            }
        }
    }
    println!("{framing}: {killed} origins killed");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_origin_killed_within_a_length_is_seen_to_break_off() {
    check(FRAMINGS[0]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_origin_killed_between_chunks_is_seen_to_break_off() {
    check(FRAMINGS[1]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_origin_killed_before_its_close_is_seen_to_break_off() {
    check(FRAMINGS[2]).await;
}
