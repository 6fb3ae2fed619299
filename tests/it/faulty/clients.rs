use std::time::{Duration, Instant};

use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::{Fault, LATE, check_left, impatient};
use crate::framing::http2::frames::{END_STREAM, PREFACE, data, open};
use crate::support::{
    RawVisitor, RecordingOrigin, Script, ScriptedOrigin, Seen, TestEdge, Visitor, config, patience,
    rules_for, soon, tls_http2,
};

const REQUESTS: [&str; 2] = [
    "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
    "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
];

/// The same over HTTP/2.
fn over_http2() -> Vec<u8> {
    let fields = [
        (":method", "POST"),
        (":scheme", "https"),
        (":authority", "a"),
        (":path", "/x"),
    ];
    [
        PREFACE.to_vec(),
        open(1, &fields),
        data(1, 0, "he"),
        data(1, END_STREAM, "llo"),
    ]
    .concat()
}

/// A connection that can be reset.
pub(super) trait Line: AsyncRead + AsyncWrite + Send + Unpin {
    fn socket(&self) -> &TcpStream;
}

impl Line for TcpStream {
    fn socket(&self) -> &TcpStream {
        self
    }
}

impl Line for tokio_rustls::client::TlsStream<TcpStream> {
    fn socket(&self) -> &TcpStream {
        self.get_ref().0
    }
}

/// A request, and the version of HTTP that it is in.
#[derive(Clone)]
struct Request {
    bytes: Vec<u8>,
    is_http2: bool,
}

impl Request {
    fn all() -> Vec<Self> {
        let http1 = REQUESTS.map(|text| Self {
            bytes: text.into(),
            is_http2: false,
        });
        let http2 = Self {
            bytes: over_http2(),
            is_http2: true,
        };
        http1.into_iter().chain([http2]).collect()
    }

    async fn connect(&self, edge: &TestEdge) -> Box<dyn Line> {
        connect(edge, self.is_http2).await
    }

    /// Sends so much of it, and fails; returns whether the edge let go of the connection.
    async fn fail(&self, mut line: Box<dyn Line>, sent: usize, fault: Fault) -> bool {
        let _ = line.write_all(&self.bytes[..sent]).await;
        let _ = line.flush().await;
        give_up(line, fault).await.is_some()
    }
}

pub(super) async fn connect(edge: &TestEdge, is_http2: bool) -> Box<dyn Line> {
    match is_http2 {
        true => Box::new(tls_http2(edge.https.unwrap()).await),
        false => Box::new(TcpStream::connect(edge.http).await.unwrap()),
    }
}

/// What the edge still says before it lets go of the connection; `None`: it does not let go.
pub(super) async fn give_up(mut line: Box<dyn Line>, fault: Fault) -> Option<Vec<u8>> {
    let mut rest = Vec::new();
    match fault {
        Fault::Fin => drop(line.shutdown().await),
        Fault::Reset => {
            SockRef::from(line.socket())
                .set_linger(Some(Duration::ZERO))
                .unwrap();
            return Some(rest);
        }
        Fault::Stall => {}
    }
    // An error is an end, too.
    let ended = timeout(LATE, line.read_to_end(&mut rest)).await;
    ended.is_ok().then_some(rest)
}

struct House {
    origin: RecordingOrigin,
    edge: TestEdge,
}

impl House {
    async fn new() -> Self {
        let origin = RecordingOrigin::start().await;
        let mut config = config(&rules_for(origin.address));
        impatient(&mut config);
        let edge = TestEdge::spawn(config).await;
        Self { origin, edge }
    }

    async fn check_next(&self) {
        let answer = Visitor::http1(self.edge.http).await.get("/good").await;
        assert_eq!(answer.text(), "answer to /good\n");
    }

    /// Nothing is left, and no part of a request was a whole one to the origin.
    async fn check_end(self, good: usize) {
        check_left(&self.edge).await;
        self.edge.end().await;
        let seen = self.origin.finish().await;
        let whole = seen.iter().filter(|request| request.is_whole);
        let whole: Vec<_> = whole.map(Seen::summary).collect();
        assert!(
            whole.iter().all(|request| request == "GET /good"),
            "{whole:?}"
        );
        assert_eq!(whole.len(), good);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_may_break_off_after_any_byte() {
    let house = House::new().await;
    let mut good = 0;
    for request in Request::all() {
        for fault in [Fault::Fin, Fault::Reset] {
            for sent in 0..request.bytes.len() {
                let line = request.connect(&house.edge).await;
                let is_over = request.fail(line, sent, fault).await;
                assert!(
                    is_over,
                    "{fault:?} after {sent} bytes: the connection stays"
                );
            }
            house.check_next().await;
            good += 1;
        }
    }
    house.check_end(good).await;
}

/// All at once: each takes as long as the edge's patience.
#[tokio::test(flavor = "multi_thread")]
async fn a_client_may_stall_after_any_byte() {
    let house = House::new().await;
    let mut stalls = JoinSet::new();
    for request in Request::all() {
        for sent in 0..request.bytes.len() {
            let (line, request) = (request.connect(&house.edge).await, request.clone());
            stalls.spawn(async move {
                let began = Instant::now();
                let is_over = request.fail(line, sent, Fault::Stall).await;
                let version = if request.is_http2 { 2 } else { 1 };
                let shown = format!("HTTP/{version}, {sent} bytes, {:?}", began.elapsed());
                (!is_over || began.elapsed() > LATE).then_some(shown)
            });
        }
    }
    let stalls = timeout(patience(), stalls.join_all()).await.unwrap();
    let late: Vec<_> = stalls.into_iter().flatten().collect();
    assert!(
        late.is_empty(),
        "the connection stays:\n{}",
        late.join("\n")
    );
    house.check_next().await;
    house.check_end(1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_may_send_byte_by_byte() {
    let origin = RecordingOrigin::start().await;
    let edge = TestEdge::spawn(config(&rules_for(origin.address))).await;
    for request in Request::all() {
        let mut line = request.connect(&edge).await;
        line.socket().set_nodelay(true).unwrap();
        for byte in &request.bytes {
            line.write_all(&[*byte]).await.unwrap();
            line.flush().await.unwrap();
        }
        let mut bytes = Vec::new();
        while !bytes.windows(12).any(|part| part == b"answer to /x") {
            assert!(soon(line.read_buf(&mut bytes)).await.unwrap() > 0);
        }
    }
    check_left(&edge).await;
    edge.end().await;
    let seen: Vec<_> = origin.finish().await.iter().map(Seen::summary).collect();
    assert_eq!(seen, ["POST /x body=hello"; 3]);
}

/// A client that shuts its sending side behind a whole request is gone, or is answered; there is no third.
#[tokio::test(flavor = "multi_thread")]
async fn a_client_may_close_one_half() {
    let house = House::new().await;
    for _ in 0..20 {
        let mut visitor = RawVisitor::connect(house.edge.http).await;
        visitor.send("GET /good HTTP/1.1\r\nHost: a\r\n\r\n").await;
        visitor.0.shutdown().await.unwrap();
        let bytes = visitor.read_to_end().await.unwrap_or_default();
        let text = String::from_utf8(bytes).unwrap();
        assert!(
            text.is_empty() || text.ends_with("\r\n\r\nanswer to /good\n"),
            "{text}"
        );
    }
    house.check_next().await;
    check_left(&house.edge).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_reads_nothing_is_let_go() {
    let piece = vec![b'x'; 64 * 1024];
    let origin = ScriptedOrigin::start(move |head| {
        let length = 64 * piece.len();
        let start = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n");
        match head.contains(" /good ") {
            true => vec![Script::Send(
                b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood".into(),
            )],
            false => vec![
                Script::Send(start.into()),
                Script::Flood {
                    piece: piece.clone(),
                    times: 64,
                    written: Default::default(),
                },
            ],
        }
    })
    .await;
    let mut config = config(&rules_for(origin.address));
    impatient(&mut config);
    let edge = TestEdge::spawn(config).await;
    let mut slow = RawVisitor::slow(edge.http).await;
    slow.send("GET /x HTTP/1.1\r\nHost: a\r\n\r\n").await;
    // It is still connected, and reads nothing.
    check_left(&edge).await;
    let mut visitor = Visitor::http1(edge.http).await;
    assert_eq!(visitor.get("/good").await.text(), "good");
    drop(slow);
}
