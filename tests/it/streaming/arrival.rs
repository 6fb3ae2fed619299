use std::sync::Arc;

use bytes::BytesMut;
use cobrowse_edge::wire::{Coding, CodingLevels, Encoder};
use tokio::sync::Notify;

use super::reader::Reader;
use crate::support::{Script, ScriptedOrigin, TestEdge, Visitor, config, rules_for};

const CODINGS: [(&str, Coding); 5] = [
    ("", Coding::Identity),
    ("gzip", Coding::Gzip),
    ("deflate", Coding::Deflate),
    ("br", Coding::Br),
    ("zstd", Coding::Zstd),
];

/// An answer in chunks, each flushed through its coding.
struct Chunks(Option<Encoder>);

impl Chunks {
    fn head(content_type: &str, coding: &str) -> Vec<u8> {
        let coding = match coding {
            "" => String::new(),
            coding => format!("Content-Encoding: {coding}\r\n"),
        };
        format!("HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\n{coding}Transfer-Encoding: chunked\r\n\r\n")
            .into_bytes()
    }

    fn of(coding: Coding) -> Self {
        Self(Encoder::new(coding, CodingLevels::default()))
    }

    fn chunk(&mut self, part: &[u8]) -> Vec<u8> {
        let mut coded = BytesMut::new();
        match &mut self.0 {
            None => coded.extend_from_slice(part),
            Some(encoder) => {
                encoder.encode(part, &mut coded).unwrap();
                encoder.flush(&mut coded).unwrap();
            }
        }
        framed(&coded)
    }

    fn end(self) -> Vec<u8> {
        let mut coded = BytesMut::new();
        if let Some(encoder) = self.0 {
            encoder.finish(&mut coded).unwrap();
        }
        let chunk = match coded.is_empty() {
            true => Vec::new(),
            false => framed(&coded),
        };
        [&chunk[..], b"0\r\n\r\n"].concat()
    }
}

fn framed(data: &[u8]) -> Vec<u8> {
    [format!("{:x}\r\n", data.len()).as_bytes(), data, b"\r\n"].concat()
}

/// A head, then each part once the visitor has seen the one before.
fn one_by_one(
    (name, coding): (&str, Coding),
    content_type: &str,
    parts: &[&[u8]],
) -> (Vec<Script>, Vec<Arc<Notify>>) {
    let steps: Vec<_> = (0..=parts.len()).map(|_| Arc::new(Notify::new())).collect();
    let mut chunks = Chunks::of(coding);
    let mut script = vec![Script::Send(Chunks::head(content_type, name))];
    for (part, step) in parts.iter().zip(&steps) {
        script.push(Script::Wait(Arc::clone(step)));
        script.push(Script::Send(chunks.chunk(part)));
    }
    script.push(Script::Wait(Arc::clone(&steps[parts.len()])));
    script.push(Script::Send(chunks.end()));
    (script, steps)
}

async fn edge_before(script: Vec<Script>) -> (TestEdge, ScriptedOrigin) {
    let origin = ScriptedOrigin::start(move |_| script.clone()).await;
    let edge = TestEdge::spawn(config(&rules_for(origin.address))).await;
    (edge, origin)
}

async fn visitors(edge: &TestEdge) -> [Visitor; 2] {
    let https = edge.https.unwrap();
    [Visitor::http1(edge.http).await, Visitor::http2(https).await]
}

const PARTS: [&str; 3] = [
    "<!DOCTYPE html><p id=ssn>first</p>",
    "<p id=ssn class=x>second",
    "</p><p>third</p></html>",
];

/// The parts as the visitor sees them, one after another.
const SEEN: [&str; 3] = [
    "<!DOCTYPE html><p glance_masked=\"true\" id=ssn>first</p>",
    "<p glance_masked=\"true\" id=ssn class=x>second",
    "</p><p>third</p></html>",
];

/// The head is there before the body begins, each part before the next is sent.
#[tokio::test]
async fn a_page_arrives_part_by_part_in_every_coding() {
    for coding in CODINGS {
        let (script, steps) = one_by_one(coding, "text/html", &PARTS.map(str::as_bytes));
        let (edge, _origin) = edge_before(script).await;
        for mut visitor in visitors(&edge).await {
            let mut reader = Reader::begin(&mut visitor, "/", coding.0).await;
            let named = reader.headers.get("content-encoding");
            assert_eq!(named.map_or("", |name| name.to_str().unwrap()), coding.0);
            let mut expected = Vec::new();
            for (part, step) in SEEN.iter().zip(&steps) {
                step.notify_one();
                expected.extend_from_slice(part.as_bytes());
                reader.read_exactly(&expected).await;
            }
            steps.last().unwrap().notify_one();
            reader.read_to_end().await;
            let tag = &reader.plain[expected.len()..];
            assert!(tag.starts_with(b"<script id=\"glance-cobrowse\""));
        }
    }
}

#[tokio::test]
async fn what_is_no_page_arrives_part_by_part_in_every_coding() {
    for coding in CODINGS {
        let (script, steps) = one_by_one(coding, "image/png", &PARTS.map(str::as_bytes));
        let (edge, _origin) = edge_before(script).await;
        for mut visitor in visitors(&edge).await {
            let mut reader = Reader::begin(&mut visitor, "/", coding.0).await;
            let mut expected = Vec::new();
            for (part, step) in PARTS.iter().zip(&steps) {
                step.notify_one();
                expected.extend_from_slice(part.as_bytes());
                reader.read_exactly(&expected).await;
            }
            steps.last().unwrap().notify_one();
            reader.read_to_end().await;
            assert_eq!(reader.plain, expected);
        }
    }
}

/// A piece of a page, as the edge lets it go.
#[derive(Clone, Copy)]
enum Piece {
    /// Every byte goes on as it comes.
    Flows(&'static str),
    /// Goes on when its end has come: until then it may still be a tag that needs a mask.
    Held(&'static str),
}

use Piece::{Flows, Held};

const SLOW_PAGE: &[Piece] = &[
    Held("<!"),
    Held("DOCTYPE"),
    Flows(" html>\r\n"),
    Held("<title>"),
    Flows("Slow &amp; s"),
    Held("<t"),
    Held("</title>"),
    Held("<!"),
    Held("--"),
    Flows(" a <b> -->"),
    Held("<p class=\"a > b\">"),
    Flows("1 "),
    Held("< "),
    Flows("2, caf\u{e9}"),
    Held("</p>"),
    Held("<script>"),
    Flows("if (a"),
    Held("<b"),
    Flows(") c('"),
    Held("</p>"),
    Flows("')"),
    Held("</script>"),
    Held("<p  CLASS=y   id='ssn' >"),
    Flows("078-05-1120"),
    Held("</p>"),
    Held("<br/>"),
    Flows("the end"),
];

impl Piece {
    fn text(self) -> &'static str {
        match self {
            Flows(text) | Held(text) => text,
        }
    }
}

/// What the visitor has when this much of the slow page was sent.
fn settled(sent: usize) -> Vec<u8> {
    let mut page = Vec::new();
    let mut left = sent;
    for piece in SLOW_PAGE {
        let text = piece.text().as_bytes();
        match piece {
            Held(_) if text.len() > left => break,
            _ => page.extend_from_slice(&text[..text.len().min(left)]),
        }
        left = left.saturating_sub(text.len());
    }
    let (tag, masked) = (
        &b"<p  CLASS=y"[..],
        &b"<p glance_masked=\"true\"  CLASS=y"[..],
    );
    if let Some(at) = page.windows(tag.len()).position(|part| part == tag) {
        page.splice(at..at + tag.len(), masked.iter().copied());
    }
    page
}

#[tokio::test]
async fn a_page_of_two_bytes_at_a_time_is_delivered_as_it_comes() {
    let page: String = SLOW_PAGE.iter().map(|piece| piece.text()).collect();
    let parts: Vec<_> = page.as_bytes().chunks(2).collect();
    let sent: Vec<_> = (1..=parts.len()).map(|n| page.len().min(2 * n)).collect();
    let stages: Vec<_> = [0]
        .iter()
        .chain(&sent)
        .map(|sent| settled(*sent).len())
        .collect();
    for coding in CODINGS {
        let (script, steps) = one_by_one(coding, "text/html", &parts);
        let (edge, _origin) = edge_before(script).await;
        for mut visitor in visitors(&edge).await {
            let mut reader = Reader::begin(&mut visitor, "/", coding.0).await;
            for (sent, step) in sent.iter().zip(&steps) {
                step.notify_one();
                reader.read_exactly(&settled(*sent)).await;
            }
            // Nothing of what is held came early.
            assert_eq!(
                reader.stages.iter().find(|stage| !stages.contains(stage)),
                None
            );
            steps.last().unwrap().notify_one();
            reader.read_to_end().await;
            assert!(reader.plain.starts_with(&settled(page.len())));
        }
    }
}
