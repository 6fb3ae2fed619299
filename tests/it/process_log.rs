//! The log of the edge as a process of its own.

use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};

use crate::support::{Visitor, soon};

/// Each answer is a line of the log; far more than a pipe holds of them.
const ANSWERS: usize = 2000;

/// An origin that closes every connection without a word: each is told of.
fn silent_origin() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || listener.incoming().for_each(drop));
    address
}

struct Process(Child);

impl Process {
    /// With a pipe for standard error that nobody reads.
    fn start() -> (Self, SocketAddr) {
        let origin = format!("http://{}", silent_origin());
        let mut child = Command::new(env!("CARGO_BIN_EXE_cobrowse-edge"))
            .args(["serve", "--origin", &origin, "--group", "1"])
            .args(["--listen", "127.0.0.1:0", "--admin", "off"])
            .args(["--access-log", "off"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let address = lines.find_map(|line| {
            let line = line.unwrap();
            line.strip_prefix("listening on http://")?.parse().ok()
        });
        (Self(child), address.expect("it says where it listens"))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

#[tokio::test]
async fn a_log_that_nobody_reads_stops_nothing() {
    let (_process, address) = Process::start();
    let mut visitor = Visitor::http1(address).await;
    for _ in 0..ANSWERS {
        let answer = soon(visitor.get("/")).await;
        assert_eq!(answer.status, 502);
    }
}
