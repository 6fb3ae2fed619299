use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, JoinSet};

use super::raw_answer::find;

/// An origin that keeps every byte it is sent, reads it strictly, and answers each whole request
/// with `answer to <target>`. What is asked of it below `/early` it answers as soon as it has the
/// head.
pub(crate) struct RecordingOrigin {
    pub(crate) address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

/// A request as the origin got it.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
    /// Whether its framing said that it has ended.
    pub(crate) is_whole: bool,
    has_head: bool,
}

impl RecordingOrigin {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (stop, mut stopped) = oneshot::channel();
        let noted = Arc::clone(&seen);
        let task = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                tokio::select! {
                    _ = &mut stopped => break,
                    accepted = listener.accept() => {
                        connections.spawn(record(accepted.unwrap().0, Arc::clone(&noted)));
                    }
                }
            }
            connections.join_all().await;
        });
        Self {
            address,
            seen,
            stop,
            task,
        }
    }

    /// Waits until the edge has closed every connection; returns all that came.
    pub(crate) async fn finish(self) -> Vec<Seen> {
        drop(self.stop);
        self.task.await.unwrap();
        self.seen.lock().unwrap().clone()
    }
}

impl Seen {
    /// Method, target and body in one line.
    pub(crate) fn summary(&self) -> String {
        let line = self.head.lines().next().unwrap_or_default();
        let line = line.strip_suffix(" HTTP/1.1").unwrap_or(line);
        let mut summary = line.to_owned();
        if !self.body.is_empty() {
            summary.push_str(&format!(" body={}", String::from_utf8_lossy(&self.body)));
        }
        if !self.is_whole {
            summary.push_str(" (broken off)");
        }
        summary
    }

    /// The values of a field, in order.
    pub(crate) fn fields(&self, name: &str) -> Vec<&str> {
        let lines = self.head.lines().skip(1);
        lines
            .filter_map(|line| line.split_once(':'))
            .filter(|(field, _)| field.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim())
            .collect()
    }

    fn is_early(&self) -> bool {
        let target = self.head.split(' ').nth(1).unwrap_or_default();
        self.has_head && target.starts_with("/early")
    }

    fn unread(bytes: &[u8]) -> Self {
        Self {
            head: String::from_utf8_lossy(bytes).into_owned(),
            body: Vec::new(),
            is_whole: false,
            has_head: false,
        }
    }
}

async fn record(mut stream: TcpStream, seen: Arc<Mutex<Vec<Seen>>>) {
    let (mut buffer, mut is_answered) = (Vec::new(), false);
    loop {
        let (request, length) = read(&buffer);
        let answers = request.is_whole || request.is_early();
        if answers && !is_answered {
            is_answered = true;
            if stream.write_all(answer(&request).as_bytes()).await.is_err() {
                seen.lock().unwrap().push(request);
                return;
            }
        }
        if request.is_whole {
            buffer.drain(..length);
            is_answered = false;
            seen.lock().unwrap().push(request);
            continue;
        }
        if !stream
            .read_buf(&mut buffer)
            .await
            .is_ok_and(|read| read > 0)
        {
            if !buffer.is_empty() {
                seen.lock().unwrap().push(request);
            }
            return;
        }
    }
}

fn answer(request: &Seen) -> String {
    let target = request.head.split(' ').nth(1).unwrap_or("nothing");
    let body = format!("answer to {target}\n");
    let length = body.len();
    format!("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {length}\r\n\r\n{body}")
}

/// The first request, and how many bytes it takes up.
fn read(bytes: &[u8]) -> (Seen, usize) {
    let Some(end) = find(bytes, b"\r\n\r\n") else {
        return (Seen::unread(bytes), bytes.len());
    };
    let mut request = Seen::unread(&bytes[..end]);
    request.has_head = true;
    let rest = &bytes[end + 4..];
    let body = match (
        &*request.fields("transfer-encoding"),
        &*request.fields("content-length"),
    ) {
        ([], []) => Some((Vec::new(), 0)),
        (["chunked"], []) => chunks(rest),
        ([], [length]) => {
            let body = rest.get(..length.parse().unwrap_or(usize::MAX));
            body.map(|body| (body.to_vec(), body.len()))
        }
        _ => None,
    };
    let Some((body, length)) = body else {
        request.body = rest.to_vec();
        return (request, bytes.len());
    };
    request.body = body;
    request.is_whole = true;
    (request, end + 4 + length)
}

/// `None` until the last chunk has come, or for ever if a chunk is not exactly as it should be.
fn chunks(bytes: &[u8]) -> Option<(Vec<u8>, usize)> {
    let (mut body, mut at) = (Vec::new(), 0);
    loop {
        let end = find(&bytes[at..], b"\r\n")?;
        let size = std::str::from_utf8(&bytes[at..at + end]).ok()?;
        let size = usize::from_str_radix(size, 16).ok()?;
        let start = at + end + 2;
        let data = bytes.get(start..start + size + 2)?;
        body.extend_from_slice(data[..size].as_ref());
        at = start + size + 2;
        match (&data[size..], size) {
            (b"\r\n", 0) => return Some((body, at)),
            (b"\r\n", _) => {}
            _ => return None,
        }
    }
}
