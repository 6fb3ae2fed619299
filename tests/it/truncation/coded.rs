//! Compressed pages that are not what they say: the visitor gets the whole page, or sees that it is
//! cut off. There is no third.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::BytesMut;
use cobrowse_edge::wire::{Coding, CodingLevels, Encoder};
use tokio::sync::Notify;
use tokio::time::timeout;

use super::verdict::{Asker, CLIENTS, Client};
use crate::support::{Script, ScriptedOrigin, TestEdge, config, rules_for};

/// A guard only.
const PATIENCE: Duration = Duration::from_secs(60);

const PAGE: &str = "<!DOCTYPE html><title>x</title><p>all of it</p><p id=ssn>078-05-1120</p>";

/// What the origin sends, what it calls that, and how much of it a browser reads.
struct Case {
    name: String,
    label: &'static str,
    body: Vec<u8>,
    whole: Option<String>,
}

impl Case {
    fn new(name: &str, label: &'static str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            name: format!("{label} {name}"),
            label,
            body: body.into(),
            whole: None,
        }
    }

    fn whole(mut self, page: impl Into<String>) -> Self {
        self.whole = Some(page.into());
        self
    }

    fn answer(&self) -> Vec<u8> {
        let (label, length) = (self.label, self.body.len());
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Encoding: {label}\r\n\
             Content-Length: {length}\r\n\r\n"
        );
        [head.as_bytes(), &self.body].concat()
    }
}

const CODINGS: [(&str, Coding); 4] = [
    ("gzip", Coding::Gzip),
    ("deflate", Coding::Deflate),
    ("br", Coding::Br),
    ("zstd", Coding::Zstd),
];

fn coded(coding: Coding, page: &str) -> Vec<u8> {
    let (mut out, mut encoder) = (
        BytesMut::new(),
        Encoder::new(coding, CodingLevels::default()).unwrap(),
    );
    encoder.encode(page.as_bytes(), &mut out).unwrap();
    encoder.finish(&mut out).unwrap();
    out.to_vec()
}

fn spaces() -> String {
    format!("<html>{}", " ".repeat(64 * 1024 * 1024))
}

/// As far as a stream goes before it is ended.
fn begun(coding: Coding, page: &str) -> Vec<u8> {
    let (mut out, mut encoder) = (
        BytesMut::new(),
        Encoder::new(coding, CodingLevels::default()).unwrap(),
    );
    encoder.encode(page.as_bytes(), &mut out).unwrap();
    encoder.flush(&mut out).unwrap();
    out.to_vec()
}

fn cases() -> Vec<Case> {
    let mut cases = vec![
        Case::new("that is not compressed", "identity", PAGE).whole(PAGE),
        Case::new("with a window of 128 MiB", "zstd", zstd_with_window(17)),
        Case::new("with a window of 8 MiB", "zstd", zstd_with_window(13)).whole("<html>x"),
        Case::new("raw", "deflate", raw_deflate()).whole("<html>x"),
        Case::new("raw, cut off", "deflate", &raw_deflate()[..6]),
    ];
    for (label, coding) in CODINGS {
        cases.extend(cases_of(label, coding));
    }
    cases
}

fn cases_of(label: &'static str, coding: Coding) -> Vec<Case> {
    let page = coded(coding, PAGE);
    let with = |behind: &[u8]| [&page[..], behind].concat();
    let changed = [begun(coding, &PAGE[..30]), PAGE.as_bytes()[30..].to_vec()].concat();
    let mut cases = vec![
        Case::new("as it should be", label, &page[..]).whole(PAGE),
        Case::new("without its last byte", label, &page[..page.len() - 1]),
        Case::new("cut in the middle", label, &page[..page.len() / 2]),
        Case::new("flushed and never ended", label, begun(coding, PAGE)),
        Case::new("that turns plain on the way", label, changed),
        Case::new("that is garbage", label, [0xdb; 300]),
        Case::new("that is not compressed", label, PAGE),
        Case::new("that explodes", label, coded(coding, &spaces())),
    ];
    // What a browser ignores is not part of the page; frames of zstd it reads on.
    let garbage = Case::new("with garbage behind it", label, with(b"garbage"));
    let twice = Case::new("sent twice", label, with(&page));
    match coding {
        Coding::Zstd => cases.extend([garbage, twice.whole(PAGE.repeat(2))]),
        _ => cases.extend([garbage.whole(PAGE), twice.whole(PAGE)]),
    }
    // These grow no more than their format lets them, and so pass, whatever there is of it.
    if matches!(coding, Coding::Gzip | Coding::Deflate) {
        let explodes = cases
            .iter_mut()
            .find(|case| case.name.ends_with("explodes"));
        explodes.unwrap().whole = Some(spaces());
    }
    // Raw deflate has no mark of its own, and a few bytes of br may read like a little of it.
    let shows = |other: &str| other != label && (label, other) != ("deflate", "br");
    for (other, of_other) in CODINGS.into_iter().filter(|(other, _)| shows(other)) {
        let lie = Case::new(&format!("that is {other}"), label, coded(of_other, PAGE));
        cases.push(lie);
    }
    cases
}

/// A frame (RFC 8878 3.1.1) of one raw block.
fn zstd_with_window(exponent: u8) -> Vec<u8> {
    let header = [0x28, 0xb5, 0x2f, 0xfd, 0x00, exponent << 3];
    let block_of_7 = [7 << 3 | 1, 0, 0];
    [&header[..], &block_of_7, b"<html>x"].concat()
}

/// One stored block (RFC 1951 3.2.4).
fn raw_deflate() -> Vec<u8> {
    [&[1, 7, 0, 0xf8, 0xff][..], b"<html>x"].concat()
}

async fn check(client: Client) {
    let current: Arc<Mutex<Vec<Script>>> = Arc::default();
    let script = Arc::clone(&current);
    let origin = ScriptedOrigin::start(move |_| script.lock().unwrap().clone()).await;
    let edge = TestEdge::spawn(config(&rules_for(origin.address))).await;
    let mut asker = Asker::of(&edge, client).await;
    for case in cases() {
        *current.lock().unwrap() = vec![Script::Send(case.answer())];
        let seen = Arc::new(Notify::new());
        let asked = timeout(PATIENCE, asker.ask("/page", "", &seen)).await;
        let verdict = asked.unwrap_or_else(|_| panic!("{client:?}: {} stalled", case.name));
        let name = format!("{client:?}: a page of {}", case.name);
        let plain = String::from_utf8_lossy(&verdict.plain()).into_owned();
        let tag = plain.find("<script id=\"glance-cobrowse\"");
        let origins = plain[..tag.unwrap_or(plain.len())].replace(" glance_masked=\"true\"", "");
        match case.whole {
            Some(page) => {
                assert!(verdict.looks_complete, "{name} is cut off");
                assert!(
                    origins == page,
                    "{name} is another: {:?}",
                    &origins[..origins.len().min(200)]
                );
                assert!(tag.is_some(), "{name} has no tag");
            }
            None => {
                assert!(
                    !verdict.looks_complete || verdict.status == 502,
                    "{name} looks whole"
                );
                assert!(tag.is_none(), "{name} has a tag");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_compressed_page_is_whole_or_visibly_cut_off() {
    for client in CLIENTS {
        check(client).await;
    }
}
