//! What the edge, as a process of its own, needs for an answer does not depend on its size.

use std::fs;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use cobrowse_edge::wire::{Coding, CodingLevels, Encoder};
use http::Request;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::time::timeout;

use crate::support::{EdgeProcess, Ending, RawAnswer, RawVisitor, Script, ScriptedOrigin, Visitor};

/// By how much the resident memory may grow for one exchange.
const GROWTH_MAX_KIB: u64 = 8 * 1024;

const MIB: usize = 1024 * 1024;

/// A guard only.
const PATIENCE: Duration = Duration::from_secs(120);

/// A row of a table, with text as pages have it.
const CELLS: &str = "<tr class=row><td>2024-02-29</td><th id=ssn>078-05-1120</th><th>";
const TEXT: &str =
    "Payment received, with thanks. Please keep this statement &mdash; it is proof of payment. ";
const TEXTS: usize = 10;
const END: &str = "</th></tr>\r\n";
const ROW_BYTES: usize = CELLS.len() + TEXTS * TEXT.len() + END.len();

/// One cell by `td`, one by `#ssn`.
const MASKS_PER_ROW: usize = 2;
const MASK: &str = " glance_masked=\"true\"";
const ROWS_PER_CHUNK: usize = 64;

/// The binary, with masks that match in every row.
struct Process {
    edge: EdgeProcess,
    address: SocketAddr,
}

impl Process {
    fn start(origin: SocketAddr) -> Self {
        let origin = format!("http://{origin}");
        let site = [
            "serve", "--origin", &origin, "--group", "1", "--mask", "#ssn", "--mask", "td",
        ];
        let rest = [
            "--listen",
            "127.0.0.1:0",
            "--admin",
            "off",
            "--access-log",
            "off",
        ];
        let mut edge = EdgeProcess::start(&[&site[..], &rest].concat());
        let address = edge.address_behind("listening on http://");
        Self { edge, address }
    }

    /// From here on the peak is measured anew; how much memory there is now.
    fn begin_measuring(&self) -> u64 {
        fs::write(format!("/proc/{}/clear_refs", self.edge.id()), "5").unwrap();
        self.edge.status_kib("VmRSS")
    }

    #[track_caller]
    fn check_growth(&self, before: u64, case: &str) {
        let growth = self.edge.status_kib("VmHWM").saturating_sub(before);
        println!("{case}: {before} KiB before, at most {growth} KiB more");
        assert!(
            growth < GROWTH_MAX_KIB,
            "{case}: grew by {growth} KiB from {before} KiB"
        );
    }
}

/// An answer of this many chunks of rows, generated as it is sent.
fn rows(content_type: &str, chunks: usize) -> Vec<Script> {
    let rows = format!("{CELLS}{}{END}", TEXT.repeat(TEXTS)).repeat(ROWS_PER_CHUNK);
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\nTransfer-Encoding: chunked\r\n\r\n"
    );
    vec![
        Script::Send(head.into()),
        Script::Flood {
            piece: format!("{:x}\r\n{rows}\r\n", rows.len()).into(),
            times: chunks,
            written: Arc::default(),
        },
        Script::Send(b"0\r\n\r\n".to_vec()),
    ]
}

fn chunks_of(bytes: usize) -> usize {
    bytes.div_ceil(ROW_BYTES * ROWS_PER_CHUNK)
}

/// The sizes of the answer without and with its masks.
fn sizes(chunks: usize) -> (usize, usize) {
    let rows = chunks * ROWS_PER_CHUNK;
    (
        rows * ROW_BYTES,
        rows * (ROW_BYTES + MASKS_PER_ROW * MASK.len()),
    )
}

/// How many bytes came, and the last of them.
async fn fetch(visitor: &mut Visitor, path: &str) -> (usize, String) {
    let request = Request::get(path).body("".into()).unwrap();
    let mut body = visitor.begin(request).await.into_body();
    let (mut count, mut tail) = (0, Vec::new());
    while let Some(frame) = body.frame().await {
        let data = frame.unwrap().into_data().unwrap_or_default();
        count += data.len();
        tail.extend_from_slice(&data);
        tail.drain(..tail.len().saturating_sub(TAIL));
    }
    (count, String::from_utf8_lossy(&tail).into_owned())
}

/// More than the tag takes.
const TAIL: usize = 1024;

/// An origin with a large page, a large image, and a small page to begin with.
async fn origin() -> ScriptedOrigin {
    let large = rows("text/html", chunks_of(LARGE_PAGE));
    let image = rows("image/png", chunks_of(DOWNLOAD));
    let page = rows("text/html", chunks_of(DOWNLOAD));
    let small = rows("text/html", 1);
    ScriptedOrigin::start(move |head| match head.split(' ').nth(1).unwrap() {
        "/large" => large.clone(),
        "/download" => image.clone(),
        "/page" => page.clone(),
        _ => small.clone(),
    })
    .await
}

const LARGE_PAGE: usize = 200 * MIB;
/// So much more than the kernel holds of it for the visitor that it would show.
const DOWNLOAD: usize = 24 * MIB;

/// All that is made once, at the first exchanges, is not counted.
async fn warm_up(process: &Process) -> Visitor {
    let mut visitor = Visitor::http1(process.address).await;
    for _ in 0..50 {
        fetch(&mut visitor, "/small").await;
    }
    visitor
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_200_mb_needs_no_more_memory_than_a_small_one() {
    let origin = origin().await;
    let process = Process::start(origin.address);
    let mut visitor = warm_up(&process).await;
    let before = process.begin_measuring();
    let fetched = timeout(PATIENCE, fetch(&mut visitor, "/large")).await;
    process.check_growth(before, "a page of 200 MB");
    let (count, tail) = fetched.unwrap();
    let (_, masked) = sizes(chunks_of(LARGE_PAGE));
    let tag = &tail[tail.rfind("<script").unwrap()..];
    assert_eq!(count, masked + tag.len());
    assert_eq!(tail.matches("id=\"glance-cobrowse\"").count(), 1);
}

/// Nobody has said that it is one, and it begins with nothing.
#[tokio::test(flavor = "multi_thread")]
async fn what_may_still_become_a_document_is_not_held_for_ever() {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n";
    let piece = format!("{:x}\r\n{}\r\n", MIB, " ".repeat(MIB));
    let origin = ScriptedOrigin::start(move |_| {
        let times = DOWNLOAD / MIB;
        let (piece, written) = (piece.clone().into(), Arc::default());
        vec![
            Script::Send(head.into()),
            Script::Flood {
                piece,
                times,
                written,
            },
            Script::Send(b"0\r\n\r\n".to_vec()),
        ]
    })
    .await;
    let process = Process::start(origin.address);
    let mut visitor = Visitor::http1(process.address).await;
    let mut blank = async || {
        let request = Request::get("/").header("accept", "*/*");
        let answer = visitor.begin(request.body("".into()).unwrap()).await;
        timeout(PATIENCE, count(answer.into_body())).await.unwrap()
    };
    assert_eq!(blank().await.unwrap(), DOWNLOAD);
    let before = process.begin_measuring();
    assert_eq!(blank().await.unwrap(), DOWNLOAD);
    process.check_growth(before, "a page of blanks");
}

/// A page of spaces that is sent as a few bytes: to the origin it costs nothing.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_made_to_explode_needs_no_more_memory_than_a_small_page() {
    let codings = [
        ("gzip", Coding::Gzip),
        ("deflate", Coding::Deflate),
        ("br", Coding::Br),
        ("zstd", Coding::Zstd),
    ];
    let small = rows("text/html", 1);
    let bombs = codings.map(|(label, coding)| (format!("/{label}"), bomb(label, coding)));
    let origin = ScriptedOrigin::start(move |head| {
        let path = head.split(' ').nth(1).unwrap();
        let bomb = bombs.iter().find(|(of, _)| of == path);
        bomb.map_or_else(
            || small.clone(),
            |(_, answer)| vec![Script::Send(answer.clone())],
        )
    })
    .await;
    let process = Process::start(origin.address);
    let mut visitor = warm_up(&process).await;
    for (label, coding) in codings {
        let before = process.begin_measuring();
        let request = Request::get(format!("/{label}")).header("accept-encoding", "identity");
        let answer = visitor.begin(request.body("".into()).unwrap()).await;
        let arrived = timeout(PATIENCE, count(answer.into_body())).await.unwrap();
        process.check_growth(before, label);
        match coding {
            // As much as these formats can grow, a page may.
            Coding::Gzip | Coding::Deflate => assert!(arrived.unwrap() > EXPLODED),
            _ => {
                arrived.unwrap_err();
                visitor = warm_up(&process).await;
            }
        }
    }
}

const EXPLODED: usize = 64 * MIB;

fn bomb(label: &str, coding: Coding) -> Vec<u8> {
    let (mut coded, mut encoder) = (
        BytesMut::new(),
        Encoder::new(coding, CodingLevels::default()).unwrap(),
    );
    encoder.encode(b"<html>", &mut coded).unwrap();
    for _ in 0..EXPLODED / MIB {
        encoder.encode(&[b' '; MIB], &mut coded).unwrap();
    }
    encoder.finish(&mut coded).unwrap();
    let length = coded.len();
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Encoding: {label}\r\n\
         Content-Length: {length}\r\n\r\n"
    );
    [head.as_bytes(), &coded].concat()
}

/// How many bytes come, or that they break off.
async fn count(mut body: Incoming) -> Result<usize, hyper::Error> {
    let mut count = 0;
    while let Some(frame) = body.frame().await {
        count += frame?.into_data().unwrap_or_default().len();
    }
    Ok(count)
}

/// The visitor takes nothing until the edge has answered many others, then all of it: had the edge
/// read on, most of the answer would have been in its memory. How much the origin could write tells
/// nothing: the kernel holds what the edge has not read, tens of MiB where it is allowed to.
#[tokio::test(flavor = "multi_thread")]
async fn a_visitor_who_reads_slowly_is_not_buffered_for() {
    let origin = origin().await;
    let process = Process::start(origin.address);
    let mut others = warm_up(&process).await;
    for path in ["/download", "/page"] {
        let before = process.begin_measuring();
        let mut visitor = RawVisitor::slow(process.address).await;
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept: text/html\r\nConnection: close\r\n\r\n"
        );
        visitor.send(request).await;
        visitor.0.readable().await.unwrap();
        for _ in 0..100 {
            fetch(&mut others, "/small").await;
        }
        process.check_growth(before, path);
        let bytes = timeout(PATIENCE, visitor.read_to_end())
            .await
            .unwrap()
            .unwrap();
        process.check_growth(before, path);
        let answers = RawAnswer::all(&bytes);
        assert_eq!(answers[0].ending, Ending::Whole);
        let (plain, masked) = sizes(chunks_of(DOWNLOAD));
        match path {
            "/download" => assert_eq!(answers[0].body.len(), plain),
            _ => assert!((masked..masked + TAIL).contains(&answers[0].body.len())),
        }
    }
}
