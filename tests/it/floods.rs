//! Clients of HTTP/2 that cost more than they ask for: each is ended soon after its limit, and others
//! are served meanwhile. Figures: `cargo test --test it floods -- --nocapture`.

use std::cell::RefCell;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt, split};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use crate::support::frames::{
    ACK, END_HEADERS, END_STREAM, GET, PADDED, POST, PREFACE, RawHttp2, block, frame, headers,
    kind, reset, window_update,
};
use crate::support::{
    RawOrigin, RecordingOrigin, ScriptedOrigin, TestEdge, Visitor, config, rules_for, soon,
    tls_http2,
};

/// For the edge to notice, on a machine that is busy with other things.
const AT_ONCE: Duration = Duration::from_secs(5);

async fn edge(origin: &ScriptedOrigin) -> TestEdge {
    let mut config = config(&rules_for(origin.address));
    config.server.limits.write_stall_timeout = Duration::from_millis(500);
    config.server.limits.head_timeout = Duration::from_millis(500);
    TestEdge::spawn(config).await
}

/// How many others are served while floods go on.
const OTHERS: usize = 5;

/// How long the first flood lasted. As soon as one is ended the next begins, until another client was
/// served several times meanwhile.
async fn flooded(name: &str, opening: Vec<u8>, piece: impl Fn(u32) -> Vec<u8>) -> Duration {
    let origin = ScriptedOrigin::serving("<p>x").await;
    let edge = edge(&origin).await;
    let mut other = Visitor::http2(edge.https.unwrap()).await;
    assert_eq!(other.get("/").await.status, 200);
    let floods = RefCell::new(Vec::new());
    let flooding = async {
        loop {
            let stream = tls_http2(edge.https.unwrap()).await;
            let ended = soon(flood(stream, opening.clone(), &piece)).await;
            floods.borrow_mut().push(ended);
        }
    };
    let mut longest = Duration::ZERO;
    let asking = async {
        let mut served = 0;
        while served < OTHERS || floods.borrow().is_empty() {
            let began = Instant::now();
            assert_eq!(other.get("/").await.status, 200);
            longest = longest.max(began.elapsed());
            served += 1;
        }
        served
    };
    let served = tokio::select! {
        () = flooding => unreachable!("it goes on and on"),
        served = asking => served,
    };
    let (pieces, took) = floods.borrow()[0];
    println!(
        "{name}: ended after {pieces} pieces, {took:?}; {served} others served during {} floods, \
         the slowest in {longest:?}",
        floods.borrow().len()
    );
    assert!(longest < AT_ONCE, "others waited for {longest:?}");
    took
}

async fn flood(
    stream: TlsStream<TcpStream>,
    opening: Vec<u8>,
    piece: impl Fn(u32) -> Vec<u8>,
) -> (u32, Duration) {
    let began = Instant::now();
    let (mut reader, mut writer) = split(stream);
    let mut pieces = 0;
    let writing = async {
        writer.write_all(&[PREFACE, &opening].concat()).await?;
        loop {
            let batch: Vec<_> = (pieces..pieces + 16).flat_map(&piece).collect();
            writer.write_all(&batch).await?;
            writer.flush().await?;
            pieces += 16;
        }
        #[expect(unreachable_code, reason = "names the type of the error")]
        Ok::<(), std::io::Error>(())
    };
    let reading = async {
        let mut sink = vec![0; 64 * 1024];
        while reader.read(&mut sink).await.is_ok_and(|read| read > 0) {}
    };
    tokio::select! {
        _ = writing => {}
        () = reading => {}
    }
    (pieces, began.elapsed())
}

/// Stream numbers of clients are odd.
fn stream(at: u32) -> u32 {
    2 * at + 1
}

async fn check(name: &str, opening: Vec<u8>, piece: impl Fn(u32) -> Vec<u8>) {
    let took = flooded(name, opening, piece).await;
    assert!(took < AT_ONCE, "{name} took {took:?}");
}

/// CVE-2023-44487.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rapid_reset_is_ended() {
    let request_and_reset = |at| [headers(stream(at), END_STREAM, GET), reset(stream(at))].concat();
    check("rapid reset", vec![], request_and_reset).await;
}

const NOTHING: &str = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

/// The same by a client that waits until each of its requests was looked at.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn resets_at_leisure_are_ended_too() {
    // What it asks for is not answered: an answer would earn it more.
    let origin = RawOrigin::start(|mut conversation| async move {
        while let Some(head) = conversation.head().await {
            if head.starts_with("GET / ") {
                conversation.send(NOTHING).await;
            }
        }
    })
    .await;
    let mut config = config(&rules_for(origin.address));
    config.server.limits.h2_spare_frames_max = 200;
    let edge = TestEdge::spawn(config).await;
    let mut client = RawHttp2::connect(edge.https.unwrap()).await;
    let began = Instant::now();
    let mut resets = 0_u64;
    for at in 0..1000 {
        let request = headers(stream(at), END_STREAM, GET);
        let looked_at = frame(kind::PING, 0, 0, &[0; 8]);
        if !client.send(&[request, looked_at].concat()).await {
            break;
        }
        let Some(_) = client.find(|frame| frame.kind == kind::PING).await else {
            break;
        };
        client.send(&reset(stream(at))).await;
        resets += 1;
    }
    println!(
        "resets at leisure: ended after {resets}, {:?}",
        began.elapsed()
    );
    // Each costs four frames and a ping, of which its request earns two; time forgives ten a second.
    let most = (200 + 10 * (began.elapsed().as_secs() + 1)) / 3;
    assert!((60..=most).contains(&resets), "{resets}, not {most}");
    let series = r#"edge_connections_refused_total{reason="h2_flood"}"#;
    assert_eq!(edge.metric(series).await, 1.0);
    assert_eq!(
        Visitor::http2(edge.https.unwrap())
            .await
            .get("/")
            .await
            .status,
        200
    );
}

/// CVE-2025-8671: the edge is made to reset streams itself, which then count no more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn made_you_reset_is_ended() {
    let fault = |at| [headers(stream(at), 0, POST), window_update(stream(at), 0)].concat();
    check("MadeYouReset by a window of 0", vec![], fault).await;
    let fault = |at| {
        let priority = [&stream(at).to_be_bytes()[..], &[0]].concat();
        [
            headers(stream(at), 0, POST),
            frame(kind::PRIORITY, 0, stream(at), &priority),
        ]
        .concat()
    };
    check("MadeYouReset by a priority", vec![], fault).await;
    let fault = |at| {
        let data = frame(kind::DATA, END_STREAM, stream(at), b"x");
        [headers(stream(at), END_STREAM, GET), data].concat()
    };
    check("MadeYouReset by data behind the end", vec![], fault).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn heads_without_end_are_ended() {
    let opening = frame(kind::HEADERS, END_STREAM, 1, &block(GET));
    let field = block(&[("x", "y")]);
    check("CONTINUATION flood", opening.clone(), |_| {
        frame(kind::CONTINUATION, 0, 1, &field)
    })
    .await;
    check("empty CONTINUATION flood", opening, |_| {
        frame(kind::CONTINUATION, 0, 1, &[])
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frames_that_ask_for_nothing_are_ended() {
    let post = headers(1, 0, POST);
    let setting = [&[0, 3][..], &100_u32.to_be_bytes()].concat();
    let none = Vec::new();
    for (name, opening, piece) in [
        (
            "empty DATA flood",
            post.clone(),
            frame(kind::DATA, 0, 1, &[]),
        ),
        (
            "flood of DATA that is padding",
            post.clone(),
            frame(kind::DATA, PADDED, 1, &[0]),
        ),
        (
            "SETTINGS flood",
            none.clone(),
            frame(kind::SETTINGS, 0, 0, &setting),
        ),
        (
            "empty SETTINGS flood",
            none.clone(),
            frame(kind::SETTINGS, 0, 0, &[]),
        ),
        ("PING flood", none.clone(), frame(kind::PING, 0, 0, &[7; 8])),
        (
            "PING ACK flood",
            none.clone(),
            frame(kind::PING, ACK, 0, &[7; 8]),
        ),
        (
            "PRIORITY flood",
            none.clone(),
            frame(kind::PRIORITY, 0, 99, &[0, 0, 0, 1, 0]),
        ),
        ("WINDOW_UPDATE flood", none.clone(), window_update(0, 1)),
        (
            "WINDOW_UPDATE flood of a stream",
            post.clone(),
            window_update(1, 1),
        ),
        (
            "flood of unknown frames",
            none.clone(),
            frame(0xfa, 0, 0, b"whatever"),
        ),
    ] {
        check(name, opening, |_| piece.clone()).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_window_that_overflows_is_ended() {
    let most = window_update(0, 0x7fff_ffff);
    check("window overflow", vec![], |_| most.clone()).await;
}

/// 100 requests, and not a byte of window for their answers.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_that_open_no_window_are_ended() {
    let none = frame(kind::SETTINGS, 0, 0, &[0, 4, 0, 0, 0, 0]);
    let requests = (0..100).flat_map(|at| headers(stream(at), END_STREAM, GET));
    let opening: Vec<u8> = none.into_iter().chain(requests).collect();
    let took = stalled("zero window", [PREFACE, &opening].concat()).await;
    // The time in which something must be taken.
    assert!(took < Duration::from_millis(500) + AT_ONCE, "{took:?}");
}

/// How long a client is kept that says this and then nothing.
async fn stalled(name: &str, opening: Vec<u8>) -> Duration {
    let origin = ScriptedOrigin::serving(&"<p>x".repeat(1000)).await;
    let edge = edge(&origin).await;
    let mut other = Visitor::http2(edge.https.unwrap()).await;
    assert_eq!(other.get("/").await.status, 200);
    let mut stream = tls_http2(edge.https.unwrap()).await;
    let began = Instant::now();
    stream.write_all(&opening).await.unwrap();
    let mut sink = Vec::new();
    let ended = async {
        let _ = soon(stream.read_to_end(&mut sink)).await;
    };
    let mut ended = Box::pin(ended);
    loop {
        tokio::select! {
            () = &mut ended => break,
            answer = other.get("/") => assert_eq!(answer.status, 200),
        }
    }
    let took = began.elapsed();
    println!("{name}: ended after {took:?}");
    took
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_preface_or_a_head_that_does_not_end_is_ended() {
    let part_of_head = frame(kind::HEADERS, END_STREAM, 1, &block(GET));
    let half = headers(1, END_STREAM, GET);
    for (name, opening) in [
        ("no preface", vec![]),
        ("half a preface", PREFACE[..10].to_vec()),
        ("a preface without settings", PREFACE[..24].to_vec()),
        ("a head without an end", [PREFACE, &part_of_head].concat()),
        ("half a head", [PREFACE, &half[..20]].concat()),
    ] {
        let took = stalled(name, opening).await;
        assert!(took >= Duration::from_millis(400), "{name}: {took:?}");
        assert!(
            took < Duration::from_millis(500) + AT_ONCE,
            "{name}: {took:?}"
        );
    }
}

/// A head that would be far larger than it looks: one long field, named again and again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_head_that_unpacks_to_megabytes_reaches_nobody() {
    let origin = RecordingOrigin::start().await;
    let edge = TestEdge::with_rules(&rules_for(origin.address)).await;
    let mut client = RawHttp2::connect(edge.https.unwrap()).await;
    let mut bomb = block(GET);
    // Literal with incremental indexing (RFC 7541 6.2.1): 3000 bytes, then 8000 references to it.
    bomb.extend([0x40, 1, b'x', 0x7f]);
    bomb.extend([
        (3000 - 127_u32) as u8 & 0x7f | 0x80,
        ((3000 - 127_u32) >> 7) as u8,
    ]);
    bomb.extend(vec![b'y'; 3000]);
    bomb.extend(vec![0xbe; 8000]);
    let head = frame(kind::HEADERS, END_HEADERS | END_STREAM, 1, &bomb);
    client.send(&head).await;
    let answered = client
        .find(|frame| frame.stream == 1 || frame.kind == kind::GOAWAY)
        .await;
    println!(
        "a head of 24 MB in 11 KB: {:?}",
        answered.map(|frame| (frame.kind, frame.payload))
    );
    assert_eq!(
        Visitor::http2(edge.https.unwrap())
            .await
            .get("/")
            .await
            .status,
        200
    );
    drop(client);
    edge.end().await;
    let seen = origin.finish().await;
    assert!(
        seen.iter().all(|request| !request.head.contains("\r\nx: ")),
        "{}",
        seen.len()
    );
}
