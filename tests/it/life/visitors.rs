//! Visitors who come all the while, and a tally of what they met. A visitor asks again only where the
//! protocol says that it may: where the answer before was a connection's last, or where HTTP/2 says
//! that a request was not looked at.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use crate::support::{RawOrigin, SWITCHED, soon, tls};

/// Visitors under way.
pub(super) struct Crowd {
    tally: Arc<Tally>,
    visitors: Vec<JoinHandle<()>>,
}

#[derive(Default)]
struct Tally {
    done: AtomicBool,
    requests: [AtomicUsize; KINDS.len()],
    /// Connections that came to their end in order.
    sent_home: AtomicUsize,
}

/// Everybody comes in one of these ways.
#[derive(Clone, Copy)]
enum Kind {
    NewEachTime,
    Posting,
    KeptAlive,
    Http2,
}

const KINDS: [(Kind, &str); 4] = [
    (Kind::NewEachTime, "new connections"),
    (Kind::Posting, "kept connections with POST"),
    (Kind::KeptAlive, "kept connections"),
    (Kind::Http2, "HTTP/2"),
];

const EACH: usize = 2;

/// Where visitors find the edge.
#[derive(Clone, Copy)]
pub(super) struct Doors {
    pub(super) http: SocketAddr,
    pub(super) https: SocketAddr,
}

impl Crowd {
    /// Two visitors of each kind.
    pub(super) fn come(doors: Doors) -> Self {
        let tally = Arc::new(Tally::default());
        let visit = |at: usize| {
            let tally = Arc::clone(&tally);
            tokio::spawn(async move { tally.visit(at % KINDS.len(), doors).await })
        };
        let visitors = (0..EACH * KINDS.len()).map(visit).collect();
        Self { tally, visitors }
    }

    /// Waits until everybody has had some more answers.
    pub(super) async fn some_more(&self) {
        let seen =
            || KINDS.map(|(kind, _)| self.tally.requests[kind as usize].load(Ordering::Relaxed));
        let before = seen();
        let all_moved = async {
            while !seen()
                .iter()
                .zip(before)
                .all(|(now, before)| *now >= before + 5)
            {
                assert!(
                    !self.visitors.iter().any(JoinHandle::is_finished),
                    "one gave up"
                );
                tokio::task::yield_now().await;
            }
        };
        soon(all_moved).await;
    }

    /// How many requests there were, none of which failed.
    pub(super) async fn go(self) -> String {
        self.tally.done.store(true, Ordering::Relaxed);
        for visitor in self.visitors {
            soon(visitor).await.unwrap();
        }
        let counted = KINDS.map(|(kind, name)| {
            let requests = self.tally.requests[kind as usize].load(Ordering::Relaxed);
            format!("{requests} by {name}")
        });
        let sent_home = self.tally.sent_home.load(Ordering::Relaxed);
        format!("{}; {sent_home} kept connections ended", counted.join(", "))
    }
}

impl Tally {
    async fn visit(&self, kind: usize, doors: Doors) {
        let (kind, name) = KINDS[kind];
        while !self.done.load(Ordering::Relaxed) {
            match kind {
                Kind::NewEachTime => {
                    let mut connection = Connection::http1(doors.http).await;
                    connection
                        .ask(false)
                        .await
                        .unwrap_or_else(|error| panic!("{name}: {error}"));
                    self.count(kind);
                }
                Kind::Posting | Kind::KeptAlive => {
                    let connection = Connection::http1(doors.http).await;
                    self.stay(kind, name, connection).await;
                }
                Kind::Http2 => {
                    let connection = Connection::http2(doors.https).await;
                    self.stay(kind, name, connection).await;
                }
            }
        }
    }

    /// Asks on one connection until that ends in order.
    async fn stay(&self, kind: Kind, name: &str, mut connection: Connection) {
        while !self.done.load(Ordering::Relaxed) {
            match connection.ask(matches!(kind, Kind::Posting)).await {
                Ok(Asked::Answered) => self.count(kind),
                Ok(Asked::AnsweredLast) => {
                    self.count(kind);
                    break;
                }
                Ok(Asked::NotTaken) => break,
                Err(error) => panic!("{name}: {error}"),
            }
        }
        self.sent_home.fetch_add(1, Ordering::Relaxed);
    }

    fn count(&self, kind: Kind) {
        self.requests[kind as usize].fetch_add(1, Ordering::Relaxed);
    }
}

enum Connection {
    Http1(http1::SendRequest<Full<Bytes>>),
    Http2(http2::SendRequest<Full<Bytes>>),
}

enum Asked {
    Answered,
    /// And the connection ends.
    AnsweredLast,
    /// The server had said before that it takes no more here.
    NotTaken,
}

impl Connection {
    async fn http1(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address)
            .await
            .expect("nobody is refused");
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        Self::Http1(sender)
    }

    async fn http2(address: SocketAddr) -> Self {
        let stream = tls(address, Some("localhost"), &["h2"]).await;
        let io = TokioIo::new(stream.expect("nobody is refused"));
        let (sender, connection) = http2::handshake(TokioExecutor::new(), io).await.unwrap();
        tokio::spawn(connection);
        Self::Http2(sender)
    }

    async fn ask(&mut self, posts: bool) -> hyper::Result<Asked> {
        let answer = match self {
            Self::Http1(sender) => {
                soon(sender.ready()).await?;
                let mut request = request("/page", posts);
                let host = http::HeaderValue::from_static("localhost");
                request.headers_mut().insert("host", host);
                soon(sender.send_request(request)).await?
            }
            Self::Http2(sender) => {
                if soon(sender.ready()).await.is_err() {
                    return Ok(Asked::NotTaken);
                }
                match soon(sender.send_request(request("https://localhost/page", false))).await {
                    Ok(answer) => answer,
                    // It never left.
                    Err(error) if error.is_canceled() => return Ok(Asked::NotTaken),
                    Err(error) => return Err(error),
                }
            }
        };
        check(answer).await
    }
}

fn request(uri: &str, posts: bool) -> Request<Full<Bytes>> {
    let body = if posts { vec![b'x'; BODY] } else { Vec::new() };
    let request = Request::builder().uri(uri).header("accept", "text/html");
    let request = request.method(if posts { "POST" } else { "GET" });
    request.body(Full::new(Bytes::from(body))).unwrap()
}

/// More than is sent ahead in one piece.
const BODY: usize = 100_000;

const PAGE: &str = "<p id=ssn>123-45-6789</p>";

async fn check(answer: Response<Incoming>) -> hyper::Result<Asked> {
    assert_eq!(answer.status(), 200);
    let closes = answer
        .headers()
        .get("connection")
        .is_some_and(|value| value == "close");
    let body = soon(answer.into_body().collect()).await?.to_bytes();
    let start = r#"<p glance_masked="true" id=ssn>123-45-6789</p><script id="glance-cobrowse""#;
    let is_whole = body.starts_with(start.as_bytes()) && body.ends_with(b"</script>");
    assert!(is_whole, "{}", String::from_utf8_lossy(&body));
    Ok(if closes {
        Asked::AnsweredLast
    } else {
        Asked::Answered
    })
}

/// Pages, and an echo where somebody wants to switch.
pub(super) async fn origin() -> RawOrigin {
    RawOrigin::start(async |mut conversation: crate::support::Conversation| {
        while let Some(head) = conversation.head().await {
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(": ")?;
                let is_length = name.eq_ignore_ascii_case("content-length");
                is_length.then(|| value.parse().unwrap())
            });
            conversation.read_exactly(length.unwrap_or(0)).await;
            if head.to_ascii_lowercase().contains("upgrade: websocket") {
                conversation.send(SWITCHED).await;
                let (mut from, mut to) = tokio::io::split(conversation.stream);
                let _ = tokio::io::copy(&mut from, &mut to).await;
                return;
            }
            let length = PAGE.len();
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {length}\r\n\r\n"
            );
            conversation.send(format!("{head}{PAGE}")).await;
        }
    })
    .await
}
