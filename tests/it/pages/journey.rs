//! A page's way through the engine, in any pieces.

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use bytes::{Bytes, BytesMut};
use cobrowse_edge::html::{
    ExistingTag, Mask, MaskScope, PageKind, PageReport, PageRewriter, Placement, Plan, ScriptTag,
};
use cobrowse_edge::inject::{PageBody, PageEnd, RewriteBody};
use cobrowse_edge::wire::{Coding, CodingLevels, Decoder, Encoder, full_body};
use http_body::Body;

use super::index::Page;
use super::masks::MASKS;

pub(super) const TAG: &str = r#"<script id="glance-cobrowse" src="/c.js"></script>"#;
pub(super) const TAG_SOURCE: &str = "/c.js";
pub(super) const MASKED: &str = r#" glance_masked="true""#;
pub(super) const OUT_OF_ACTION: &str = r#" id="glance-cobrowse-replaced" type="text/plain""#;

/// What has become of a page.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Arrived {
    pub(super) bytes: Vec<u8>,
    pub(super) report: PageReport,
}

pub(super) fn masking(existing_tag: ExistingTag) -> Arc<Plan> {
    let masks = MASKS.map(|mask| Mask {
        selector: mask.selector.parse().unwrap(),
        scope: MaskScope::Everyone,
    });
    plan(Placement::End, existing_tag, masks.into())
}

pub(super) fn in_head() -> Arc<Plan> {
    plan(Placement::Head, ExistingTag::Replace, Vec::new())
}

fn plan(placement: Placement, existing_tag: ExistingTag, masks: Vec<Mask>) -> Arc<Plan> {
    let tag = [("id", Some("glance-cobrowse")), ("src", Some(TAG_SOURCE))];
    let tag = ScriptTag::render(tag).unwrap();
    Arc::new(Plan::new(tag, placement, existing_tag, masks))
}

pub(super) fn whole(plan: &Arc<Plan>, page: &Page) -> Arrived {
    in_pieces(plan, page, [page.bytes.clone()])
}

pub(super) fn in_pieces(
    plan: &Arc<Plan>,
    page: &Page,
    pieces: impl IntoIterator<Item = Bytes>,
) -> Arrived {
    let mut rewriter = PageRewriter::new(Arc::clone(plan), page.declared(), PageKind::Document);
    let mut bytes = Vec::with_capacity(page.bytes.len() + TAG.len());
    for piece in pieces {
        bytes.extend_from_slice(&rewriter.push(piece));
    }
    let (rest, report) = rewriter.finish();
    bytes.extend_from_slice(&rest);
    Arrived { bytes, report }
}

/// The page in the one coding from the origin, and in the other to the visitor.
pub(super) fn in_codings(plan: &Arc<Plan>, page: &Page, from: Coding, to: Coding) -> Arrived {
    let codings = PageBody {
        from,
        to,
        charset: page.declared(),
        kind: PageKind::Document,
    };
    let ended = Arc::new(Mutex::new(None));
    let on_end = Arc::clone(&ended);
    let origin = full_body(encoded(from, &page.bytes));
    let body = RewriteBody::new(
        origin,
        Arc::clone(plan),
        codings,
        CodingLevels::default(),
        move |end| {
            *on_end.lock().unwrap() = Some(end);
        },
    );
    let bytes = decoded(to, drained(body));
    let end = ended.lock().unwrap().take();
    match end {
        Some(PageEnd::Finished(report)) => Arrived { bytes, report },
        other => panic!("the page has not ended well: {other:?}"),
    }
}

fn encoded(coding: Coding, plain: &Bytes) -> Bytes {
    let Some(mut encoder) = Encoder::new(coding, CodingLevels::default()) else {
        return plain.clone();
    };
    let mut out = BytesMut::new();
    encoder.encode(plain, &mut out).unwrap();
    encoder.finish(&mut out).unwrap();
    out.freeze()
}

/// All that a body gives that never has to be waited for.
fn drained(mut body: impl Body<Data = Bytes, Error: std::fmt::Debug> + Unpin) -> Bytes {
    let mut bytes = BytesMut::new();
    let mut context = Context::from_waker(Waker::noop());
    while let Poll::Ready(Some(frame)) = Pin::new(&mut body).poll_frame(&mut context) {
        bytes.extend_from_slice(&frame.unwrap().into_data().unwrap());
    }
    bytes.freeze()
}

fn decoded(coding: Coding, mut coded: Bytes) -> Vec<u8> {
    let Some(mut decoder) = Decoder::new(coding) else {
        return coded.to_vec();
    };
    let mut plain = Vec::new();
    loop {
        let piece = decoder.decode(&mut coded).unwrap();
        if piece.is_empty() {
            decoder.finish().unwrap();
            return plain;
        }
        plain.extend_from_slice(&piece);
    }
}

/// Where a text stands first in a page.
pub(super) fn position(page: &[u8], text: &[u8]) -> Option<usize> {
    page.windows(text.len()).position(|part| part == text)
}

/// How often a text stands in a page.
pub(super) fn count(page: &[u8], text: &[u8]) -> usize {
    let parts = page.windows(text.len());
    parts.filter(|part| *part == text).count()
}

/// What the page has become, without everything that an edge may write.
pub(super) fn without_insertions(page: &Page, bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for text in [OUT_OF_ACTION, MASKED, TAG] {
        let text = page.spelled(text);
        let mut rest = &bytes[..];
        let mut kept = Vec::with_capacity(bytes.len());
        while let Some(at) = position(rest, &text) {
            kept.extend_from_slice(&rest[..at]);
            rest = &rest[at + text.len()..];
        }
        kept.extend_from_slice(rest);
        bytes = kept;
    }
    bytes
}
