//! Streams of HTTP/2 of which the client takes nothing: each is ended alone and in time, whatever the
//! client does on others, and those that only wait for somebody else are not. And answers over HTTP/1.1 of which it takes
//! hardly anything.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpSocket;
use tokio::sync::Notify;
use tokio::time::interval;

use crate::support::frames::{
    ACK, END_STREAM, Frame, POST, RawHttp2, SOCKET, frame, headers, kind, reset, window_update,
};
use crate::support::{
    Conversation, RawOrigin, Script, ScriptedOrigin, TestEdge, config, rules_for, soon, switched,
};

/// How long a stream may stand.
const LIMIT: Duration = Duration::from_millis(400);
/// For the edge to notice, on a machine that is busy with other things.
const AT_ONCE: Duration = Duration::from_secs(5);
const BEAT: Duration = Duration::from_millis(50);

/// A client that opens no window unless it says so.
struct Client {
    raw: RawHttp2,
    began: Instant,
}

impl Client {
    async fn connect(edge: &TestEdge) -> Self {
        let mut raw = RawHttp2::connect(edge.https.unwrap()).await;
        let no_window = frame(kind::SETTINGS, 0, 0, &[0, 4, 0, 0, 0, 0]);
        raw.send(&no_window).await;
        let began = Instant::now();
        Self { raw, began }
    }

    async fn get(&mut self, stream: u32, path: &str) {
        self.raw.send(&get(stream, path)).await;
    }

    /// Sends this, and returns what came until the edge had read it.
    async fn beat(&mut self, bytes: &[u8]) -> Vec<Frame> {
        let ping = frame(kind::PING, 0, 0, &[0; 8]);
        self.raw.send(&[bytes, &ping].concat()).await;
        let mut came = Vec::new();
        loop {
            let frame = self.raw.next().await;
            let frame = frame.expect("the connection goes on");
            if frame.kind == kind::PING && frame.flags & ACK != 0 {
                return came;
            }
            came.push(frame);
        }
    }

    /// Sends this with every beat until the edge resets this stream, and no other.
    async fn until_reset(&mut self, stream: u32, mut bytes: impl FnMut(u32) -> Vec<u8>) {
        let mut beats = interval(BEAT);
        for at in 0.. {
            beats.tick().await;
            let came = self.beat(&bytes(at)).await;
            let resets = came.iter().filter(|frame| frame.kind == kind::RST_STREAM);
            let resets: Vec<_> = resets.map(|frame| frame.stream).collect();
            if !resets.is_empty() {
                assert_eq!(resets, [stream]);
                break;
            }
            assert!(self.began.elapsed() < AT_ONCE, "it is kept");
        }
        println!("ended after {:?}", self.began.elapsed());
    }
}

fn get(stream: u32, path: &str) -> Vec<u8> {
    let fields = [
        (":method", "GET"),
        (":scheme", "https"),
        (":authority", "localhost"),
        (":path", path),
    ];
    headers(stream, END_STREAM, &fields)
}

/// An origin with a page that is never whole, one for which it does not even begin to answer, and
/// short ones; told when the edge lets go of the first.
async fn origin(gone: &Arc<Notify>) -> ScriptedOrigin {
    let gone = Arc::clone(gone);
    let half = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 99\r\n\r\nhalf";
    let page = "HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno";
    ScriptedOrigin::start(move |head| match head {
        head if head.starts_with("GET /half") => {
            vec![
                Script::Send(half.into()),
                Script::AwaitClose(Arc::clone(&gone)),
            ]
        }
        head if head.starts_with("GET /wait") => vec![Script::Wait(Arc::new(Notify::new()))],
        _ => vec![Script::Send(page.into())],
    })
    .await
}

async fn edge(origin: &ScriptedOrigin) -> TestEdge {
    let mut config = config(&rules_for(origin.address));
    config.server.limits.write_stall_timeout = LIMIT;
    TestEdge::spawn(config).await
}

#[tokio::test]
async fn a_stream_that_stands_is_ended_though_others_come_and_go() {
    let gone = Arc::new(Notify::new());
    let origin = origin(&gone).await;
    let edge = edge(&origin).await;
    let mut client = Client::connect(&edge).await;
    client.get(1, "/half").await;
    let asked = |at| [get(2 * at + 3, "/x"), reset(2 * at + 3)].concat();
    client.until_reset(1, asked).await;
    assert!(client.began.elapsed() >= LIMIT);
    // The origin's connection is given back with it.
    soon(gone.notified()).await;
}

#[tokio::test]
async fn a_stream_that_stands_is_ended_though_another_waits_for_its_origin() {
    let gone = Arc::new(Notify::new());
    let origin = origin(&gone).await;
    let edge = edge(&origin).await;
    let mut client = Client::connect(&edge).await;
    client.get(1, "/wait").await;
    client.get(3, "/half").await;
    client.until_reset(3, |_| Vec::new()).await;
    soon(gone.notified()).await;
    // The other is still waited for.
    let mut beats = interval(BEAT);
    let waited = Instant::now();
    while waited.elapsed() < LIMIT * 2 {
        beats.tick().await;
        let came = client.beat(&[]).await;
        assert!(came.iter().all(|frame| frame.stream != 1), "{came:?}");
    }
}

#[tokio::test]
async fn a_stream_that_is_taken_little_by_little_is_not_ended() {
    const PIECE: usize = 16 * 1024;
    const PIECES: usize = 40;
    let body = vec![b'x'; PIECE * PIECES];
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let origin = ScriptedOrigin::answering([head.as_bytes(), &body].concat()).await;
    let edge = edge(&origin).await;
    let mut client = Client::connect(&edge).await;
    client.get(1, "/film").await;
    let more = u32::try_from(PIECE).unwrap();
    let more = [window_update(0, more), window_update(1, more)].concat();
    let mut beats = interval(BEAT);
    let mut taken = 0;
    while taken < body.len() {
        beats.tick().await;
        for frame in client.beat(&more).await {
            assert_ne!(frame.kind, kind::RST_STREAM, "after {taken} bytes");
            if frame.kind == kind::DATA {
                taken += frame.payload.len();
            }
        }
    }
    let took = client.began.elapsed();
    assert!(took > LIMIT * 2, "it was slow: {took:?}");
}

#[tokio::test]
async fn a_stream_that_stands_is_ended_when_its_exchange_has_lasted_too_long() {
    let gone = Arc::new(Notify::new());
    let origin = origin(&gone).await;
    let mut config = config(&rules_for(origin.address));
    config.server.limits.write_stall_timeout = AT_ONCE * 2;
    config.exchange.exchange_timeout = Some(LIMIT);
    let edge = TestEdge::spawn(config).await;
    let mut client = Client::connect(&edge).await;
    client.get(1, "/half").await;
    client.until_reset(1, |_| Vec::new()).await;
    soon(gone.notified()).await;
}

#[tokio::test]
async fn an_answer_that_is_taken_byte_by_byte_is_ended_when_its_exchange_has_lasted_too_long() {
    let gone = Arc::new(Notify::new());
    let told = Arc::clone(&gone);
    let origin = RawOrigin::start(move |mut conversation| {
        let told = Arc::clone(&told);
        async move {
            conversation.head().await;
            conversation.send(FILM).await;
            while (conversation.stream.write_all(&[0; 16 * 1024]).await).is_ok() {}
            told.notify_one();
        }
    })
    .await;
    let mut config = config(&rules_for(origin.address));
    config.server.limits.write_stall_timeout = Duration::from_secs(3600);
    config.exchange.exchange_timeout = Some(LIMIT);
    let edge = TestEdge::spawn(config).await;
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let mut client = socket.connect(edge.http).await.unwrap();
    let request = "GET /film HTTP/1.1\r\nHost: localhost\r\n\r\n";
    client.write_all(request.as_bytes()).await.unwrap();
    let trickle = async {
        let mut beats = interval(BEAT);
        loop {
            beats.tick().await;
            assert_eq!(client.read(&mut [0]).await.unwrap(), 1);
        }
    };
    tokio::select! {
        () = soon(gone.notified()) => {}
        () = trickle => {}
    }
}

/// More than anybody takes here.
const FILM: &str =
    "HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\nContent-Length: 1000000000\r\n\r\n";

/// A socket that says more than anybody takes, and pages for what is sent to it.
async fn socket_and_uploads(mut conversation: Conversation) {
    while let Some(head) = conversation.head().await {
        if head.starts_with("GET /socket") {
            conversation.send(switched(&head, &[])).await;
            while (conversation.stream.write_all(&[0; 16 * 1024]).await).is_ok() {}
            return;
        }
        conversation.read_through(b"0\r\n\r\n").await;
        let page = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
        conversation.send(page).await;
    }
}

#[tokio::test]
async fn a_socket_that_stands_is_ended_without_the_upload_beside_it() {
    let origin = RawOrigin::start(socket_and_uploads).await;
    let mut config = config(&rules_for(origin.address));
    config.server.limits.write_stall_timeout = LIMIT;
    let edge = TestEdge::spawn(config).await;
    let mut client = Client::connect(&edge).await;
    client.raw.send(&headers(1, 0, SOCKET)).await;
    client.raw.send(&headers(3, 0, POST)).await;
    let piece = frame(kind::DATA, 0, 3, &[b'x'; 256]);
    client.until_reset(1, |_| piece.clone()).await;
    let end = frame(kind::DATA, END_STREAM, 3, b"x");
    client.raw.send(&end).await;
    let answered = |frame: &Frame| frame.stream == 3;
    let answer = client.raw.find(answered).await.unwrap();
    assert_eq!(answer.kind, kind::HEADERS);
}
