use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::BytesMut;
use cobrowse_edge::wire::{Coding, CodingLevels, Encoder};
use tokio::sync::Notify;
use tokio::time::timeout;

use super::verdict::{Asker, CLIENTS, Client};
use crate::support::{Script, ScriptedOrigin, TestEdge, config, rules_for};

/// How often each way of breaking off is tried with each content and each client.
const ROUNDS: usize = 100;

/// A guard only.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Framing {
    /// Shorter than its Content-Length.
    Length,
    /// Ends between two chunks.
    Chunked,
    /// Ends within a chunk.
    WithinChunk,
    /// HTTP/1.1, but only the close ends it.
    ToClose,
    /// The same from an origin of HTTP/1.0.
    ToClose10,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Fin,
    Reset,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Content {
    Page,
    GzipPage,
    Binary,
    GzipBinary,
}

/// All of it that the origin gets to send, decoded.
const PART: &str = "<!DOCTYPE html><title>x</title><p>half of it</p><p id=ssn>078-05-1120</p>";

impl Content {
    fn fields(self) -> &'static str {
        match self {
            Self::Page => "Content-Type: text/html",
            Self::GzipPage => "Content-Type: text/html\r\nContent-Encoding: gzip",
            Self::Binary => "Content-Type: image/png",
            Self::GzipBinary => "Content-Type: application/octet-stream\r\nContent-Encoding: gzip",
        }
    }

    fn part(self) -> Vec<u8> {
        match self {
            Self::Page | Self::Binary => PART.into(),
            Self::GzipPage | Self::GzipBinary => {
                let (mut out, mut encoder) = (
                    BytesMut::new(),
                    Encoder::new(Coding::Gzip, CodingLevels::default()).unwrap(),
                );
                encoder.encode(PART.as_bytes(), &mut out).unwrap();
                encoder.flush(&mut out).unwrap();
                out.to_vec()
            }
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Cell {
    framing: Framing,
    end: End,
    content: Content,
}

impl Cell {
    /// All of them, but for those whose end nobody can tell from an orderly one.
    fn all() -> Vec<Self> {
        use {Content::*, End::*, Framing::*};
        let mut cells = Vec::new();
        for framing in [Length, Chunked, WithinChunk, ToClose, ToClose10] {
            for end in [Fin, Reset] {
                for content in [Page, GzipPage, Binary, GzipBinary] {
                    cells.push(Self {
                        framing,
                        end,
                        content,
                    });
                }
            }
        }
        cells.retain(|cell| cell.is_visible());
        cells
    }

    /// An orderly close ends a body that only the close ends. Only where the edge reads the
    /// content itself, and finds it short, is there anything to see.
    fn is_visible(&self) -> bool {
        let only_close = matches!(self.framing, Framing::ToClose | Framing::ToClose10);
        !(only_close && self.end == End::Fin) || self.content == Content::GzipPage
    }

    fn answer(&self) -> Vec<u8> {
        let part = self.content.part();
        let size = part.len();
        let (version, framing) = match self.framing {
            Framing::Length => ("1.1", format!("Content-Length: {}\r\n", 2 * size)),
            Framing::Chunked => ("1.1", format!("Transfer-Encoding: chunked\r\n\r\n{size:x}")),
            Framing::WithinChunk => (
                "1.1",
                format!("Transfer-Encoding: chunked\r\n\r\n{:x}", 2 * size),
            ),
            Framing::ToClose => ("1.1", String::new()),
            Framing::ToClose10 => ("1.0", String::new()),
        };
        let head = format!(
            "HTTP/{version} 200 OK\r\n{}\r\n{framing}\r\n",
            self.content.fields()
        );
        let mut answer = [head.as_bytes(), &part].concat();
        if self.framing == Framing::Chunked {
            answer.extend_from_slice(b"\r\n");
        }
        answer
    }

    /// In every other round the visitor has something of the body before the origin breaks off; in the others
    /// everything comes at once.
    fn script(&self, round: usize, seen: &Arc<Notify>) -> Vec<Script> {
        let mut script = vec![Script::Send(self.answer())];
        if round.is_multiple_of(2) {
            script.push(Script::Wait(Arc::clone(seen)));
        }
        script.push(match self.end {
            End::Fin => Script::Close,
            End::Reset => Script::Reset,
        });
        script
    }
}

async fn check(client: Client) {
    let current: Arc<Mutex<Vec<Script>>> = Arc::default();
    let script = Arc::clone(&current);
    let origin = ScriptedOrigin::start(move |_| script.lock().unwrap().clone()).await;
    let edge = TestEdge::spawn(config(&rules_for(origin.address))).await;
    let mut asker = Asker::of(&edge, client).await;
    for cell in Cell::all() {
        for round in 0..ROUNDS {
            let case = format!("{client:?} {cell:?} round {round}");
            let seen = Arc::new(Notify::new());
            *current.lock().unwrap() = cell.script(round, &seen);
            let asked = timeout(PATIENCE, asker.ask("/page", "", &seen)).await;
            let verdict = asked.unwrap_or_else(|_| panic!("{case} stalled"));
            if [0, 502].contains(&verdict.status) && !round.is_multiple_of(2) {
                // The reset overtook the head, on the way to the edge or from it.
                continue;
            }
            assert_eq!(verdict.status, 200, "{case}");
            assert!(!verdict.looks_complete, "{case}: {verdict:?}");
            let plain = verdict.plain();
            let text = String::from_utf8_lossy(&plain);
            assert!(!text.contains("<script"), "{case}: {text}");
            let origins = text.replace(" glance_masked=\"true\"", "");
            assert!(PART.starts_with(&origins), "{case}: {text}");
            assert!(
                !round.is_multiple_of(2) || !verdict.body.is_empty(),
                "{case}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_broken_looks_complete_over_http_1_1() {
    check(Client::Http11).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_broken_looks_complete_over_http_1_0() {
    check(Client::Http10).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_broken_looks_complete_over_http_2() {
    check(Client::Http2).await;
}

/// The same page, whole: what these tests call complete does occur.
#[tokio::test(flavor = "multi_thread")]
async fn a_whole_page_looks_complete_and_carries_the_tag() {
    let length = PART.len();
    let head =
        format!("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {length}\r\n\r\n");
    let origin = ScriptedOrigin::answering(head + PART).await;
    let edge = TestEdge::spawn(config(&rules_for(origin.address))).await;
    for client in CLIENTS {
        let mut asker = Asker::of(&edge, client).await;
        let verdict = asker.ask("/page", "", &Arc::new(Notify::new())).await;
        assert!(verdict.looks_complete, "{client:?} {verdict:?}");
        let text = String::from_utf8(verdict.plain()).unwrap();
        assert_eq!(
            text.matches("<script id=\"glance-cobrowse\"").count(),
            1,
            "{text}"
        );
    }
}
