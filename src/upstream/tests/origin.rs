use std::sync::{Arc, Mutex};
use std::time::Duration;

use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

/// What the origin does next on a connection. At the end of its script it closes the connection.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    /// Reads one request, with its body.
    Read,
    /// Reads a request's head only.
    ReadHead,
    Send(&'static str),
    /// Waits until the client has closed.
    AwaitClose,
    /// Waits until the test says `go`.
    AwaitGo,
    /// Closes with a reset instead of an orderly end.
    Reset,
    /// Sends back what it reads, until the end.
    Echo,
}

/// Plays a script on each connection, and notes what it was asked.
pub(super) struct Origin {
    pub(super) port: u16,
    seen: Arc<Mutex<Vec<String>>>,
    connections: Arc<Mutex<usize>>,
    go: mpsc::Sender<()>,
    done: mpsc::Receiver<()>,
}

type Script = &'static [Step];

impl Origin {
    /// The n-th connection gets the n-th script; further ones get the last.
    pub(super) async fn start(scripts: &'static [Script]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (go, mut is_go) = mpsc::channel(8);
        let (is_done, done) = mpsc::channel(8);
        let seen = Arc::new(Mutex::new(Vec::new()));
        let connections = Arc::new(Mutex::new(0));
        let (noted, counted) = (Arc::clone(&seen), Arc::clone(&connections));
        tokio::spawn(async move {
            for index in 0.. {
                let (mut stream, _) = listener.accept().await.unwrap();
                *counted.lock().unwrap() += 1;
                let script = scripts[index.min(scripts.len() - 1)];
                // One connection after the other, but for those that wait for the client to close.
                if matches!(script.last(), Some(Step::AwaitClose)) {
                    let (noted, is_done) = (Arc::clone(&noted), is_done.clone());
                    tokio::spawn(async move {
                        let (_never, mut is_go) = mpsc::channel(1);
                        play(&mut stream, script, &noted, &mut is_go).await;
                        let _ = is_done.try_send(());
                    });
                } else {
                    play(&mut stream, script, &noted, &mut is_go).await;
                    drop(stream);
                    let _ = is_done.try_send(());
                }
            }
        });
        Self {
            port,
            seen,
            connections,
            go,
            done,
        }
    }

    pub(super) async fn go(&self) {
        self.go.send(()).await.unwrap();
    }

    /// Waits until a connection's script was played to its end.
    pub(super) async fn done(&mut self) {
        tokio::time::timeout(Duration::from_secs(20), self.done.recv())
            .await
            .unwrap();
    }

    /// The heads of all requests, in order.
    pub(super) fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }

    /// The request lines' methods and paths.
    pub(super) fn lines(&self) -> Vec<String> {
        let line = |head: &String| head.split(" HTTP").next().unwrap_or_default().to_owned();
        self.seen().iter().map(line).collect()
    }

    pub(super) fn connections(&self) -> usize {
        *self.connections.lock().unwrap()
    }
}

async fn play(
    stream: &mut TcpStream,
    script: Script,
    seen: &Mutex<Vec<String>>,
    go: &mut mpsc::Receiver<()>,
) {
    for step in script {
        if let Step::Reset = step {
            SockRef::from(&*stream)
                .set_linger(Some(Duration::ZERO))
                .unwrap();
            return;
        }
        if perform(stream, *step, seen, go).await.is_none() {
            return;
        }
    }
}

/// `None` when the client is gone.
pub(super) async fn perform(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    step: Step,
    seen: &Mutex<Vec<String>>,
    go: &mut mpsc::Receiver<()>,
) -> Option<()> {
    match step {
        Step::Read | Step::ReadHead => {
            let head = read_head(stream).await?;
            let length = content_length(&head);
            seen.lock().unwrap().push(head);
            if let Step::Read = step {
                stream.read_exact(&mut vec![0; length]).await.ok()?;
            }
        }
        Step::Send(text) => {
            stream.write_all(text.as_bytes()).await.ok()?;
            stream.flush().await.ok()?;
        }
        Step::AwaitClose => while stream.read(&mut [0; 64]).await.is_ok_and(|n| n > 0) {},
        Step::AwaitGo => go.recv().await?,
        Step::Echo => loop {
            let mut bytes = [0; 64];
            let count = stream.read(&mut bytes).await.ok().filter(|n| *n > 0)?;
            stream.write_all(&bytes[..count]).await.ok()?;
        },
        Step::Reset => unreachable!("only a TCP stream can be reset"),
    }
    Some(())
}

async fn read_head(stream: &mut (impl AsyncRead + Unpin)) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    String::from_utf8(head).ok()
}

fn content_length(head: &str) -> usize {
    let value = head
        .lines()
        .find_map(|l| l.strip_prefix("content-length: "));
    value.map_or(0, |v| v.parse().unwrap())
}
