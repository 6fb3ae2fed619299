use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use socket2::SockRef;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

/// What a scripted origin does with a request, step by step, in raw bytes.
#[derive(Clone)]
pub(crate) enum Script {
    Send(Vec<u8>),
    /// Sends a piece again and again, and counts the bytes that could be written.
    Flood {
        piece: Vec<u8>,
        times: usize,
        written: Arc<AtomicU64>,
    },
    /// Waits until the test says so.
    Wait(Arc<Notify>),
    /// Waits until the edge has closed the connection, and tells the test.
    AwaitClose(Arc<Notify>),
    /// Closes the connection in order.
    Close,
    /// Resets it.
    Reset,
}

/// An origin that answers every request with the same script, and remembers the heads it saw.
pub(crate) struct ScriptedOrigin {
    pub(crate) address: SocketAddr,
    seen: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl ScriptedOrigin {
    /// Answers each request by the script of its target (`GET /x ...`), as `choose` tells.
    pub(crate) async fn start(
        choose: impl Fn(&str) -> Vec<Script> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (noted, choose) = (Arc::clone(&seen), Arc::new(choose));
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (noted, choose) = (Arc::clone(&noted), Arc::clone(&choose));
                tokio::spawn(async move { converse(stream, &noted, &*choose).await });
            }
        });
        Self {
            address,
            seen,
            task,
        }
    }

    /// Answers every request with these bytes and keeps the connection.
    pub(crate) async fn answering(bytes: impl Into<Vec<u8>>) -> Self {
        let bytes = bytes.into();
        Self::start(move |_| vec![Script::Send(bytes.clone())]).await
    }

    /// Answers every request with this page, as an ordinary server would.
    pub(crate) async fn serving(page: &str) -> Self {
        Self::answering(html(page)).await
    }

    /// The heads of the requests so far, as they came.
    pub(crate) fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

impl Drop for ScriptedOrigin {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A whole answer with a page.
fn html(page: &str) -> Vec<u8> {
    let length = page.len();
    let head =
        format!("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {length}\r\n\r\n");
    [head.as_bytes(), page.as_bytes()].concat()
}

async fn converse(
    mut stream: TcpStream,
    seen: &Mutex<Vec<String>>,
    choose: &(impl Fn(&str) -> Vec<Script> + Send + Sync),
) {
    let mut buffer = Vec::new();
    while let Some(head) = read_head(&mut stream, &mut buffer).await {
        let script = choose(&head);
        skip_body(&mut stream, &mut buffer, &head).await;
        seen.lock().unwrap().push(head);
        for step in script {
            match step {
                Script::Send(bytes) => {
                    if stream.write_all(&bytes).await.is_err() {
                        return;
                    }
                }
                Script::Flood {
                    piece,
                    times,
                    written,
                } => {
                    if flood(&mut stream, &piece, times, &written).await.is_err() {
                        return;
                    }
                }
                Script::AwaitClose(tell) => {
                    while stream
                        .read_buf(&mut buffer)
                        .await
                        .is_ok_and(|read| read > 0)
                    {}
                    tell.notify_one();
                    return;
                }
                Script::Wait(told) => told.notified().await,
                Script::Close => return,
                Script::Reset => {
                    SockRef::from(&stream)
                        .set_linger(Some(std::time::Duration::ZERO))
                        .unwrap();
                    return;
                }
            }
        }
    }
}

async fn flood(
    stream: &mut TcpStream,
    piece: &[u8],
    times: usize,
    written: &AtomicU64,
) -> std::io::Result<()> {
    SockRef::from(&*stream).set_send_buffer_size(SMALL_BUFFER)?;
    for _ in 0..times {
        let mut rest = piece;
        while !rest.is_empty() {
            let count = stream.write(rest).await?;
            written.fetch_add(count as u64, Ordering::Relaxed);
            rest = &rest[count..];
        }
    }
    Ok(())
}

/// So that the kernel holds little of what nobody reads.
pub(crate) const SMALL_BUFFER: usize = 16 * 1024;

async fn read_head(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<String> {
    loop {
        if let Some(end) = buffer.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = buffer.drain(..end + 4).collect::<Vec<_>>();
            return Some(String::from_utf8_lossy(&head).into_owned());
        }
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    }
}

async fn skip_body(stream: &mut TcpStream, buffer: &mut Vec<u8>, head: &str) {
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length")
            .then(|| value.trim().parse::<usize>().ok())?
    });
    let chunked = head
        .to_ascii_lowercase()
        .contains("transfer-encoding: chunked");
    while buffer.len() < length.unwrap_or(0) || (chunked && !buffer.ends_with(b"0\r\n\r\n")) {
        if !stream.read_buf(buffer).await.is_ok_and(|read| read > 0) {
            return;
        }
    }
    let body = if chunked {
        buffer.len()
    } else {
        length.unwrap_or(0)
    };
    buffer.drain(..body);
}
