//! What a peer sends is looked at before it is timed: a proxy that does not do the work is not a
//! fast proxy.

use anyhow::{Result, bail, ensure};

use crate::client::{Answer, Target, fetch, find};
use crate::coding::Coding;
use crate::http2;
use crate::pages::Page;
use crate::peers::{Kind, Packing, Work};
use crate::rows::{Method, Row};

const MASK: &str = " glance_masked=\"true\"";

/// Returns the body's size as sent.
pub fn page(kind: Kind, row: &Row, target: &Target, page: &Page, tag: &str) -> Result<usize> {
    let (answer, body) = match row.method {
        Method::Http2 => http2::fetch(target)?,
        _ => fetch(target)?,
    };
    ensure!(answer.status == 200, "answers {}", answer.status);
    let plain = unpack(&answer, row, &body)?;
    let tags = match (row.work, kind) {
        (Work::Pass, _) | (_, Kind::Direct) => 0,
        (Work::Tag | Work::Masks(_), _) => 1,
    };
    let masks = match (row.work, kind) {
        (Work::Masks(count), _) if masks(kind) => page.masked_by(count),
        _ => 0,
    };
    ensure!(
        count(&plain, tag.as_bytes()) == tags,
        "the tag is there {} times instead of {tags}",
        count(&plain, tag.as_bytes())
    );
    ensure!(
        count(&plain, MASK.as_bytes()) == masks,
        "{} masks instead of {masks}",
        count(&plain, MASK.as_bytes())
    );
    let bare = without(&without(&plain, tag.as_bytes()), MASK.as_bytes());
    ensure!(bare == page.html, "the page itself is changed");
    Ok(body.len())
}

/// Who can: nginx, in the rows with masks, only writes the tag.
fn masks(kind: Kind) -> bool {
    kind.is_edge() || kind == Kind::Pingora
}

fn unpack(answer: &Answer, row: &Row, body: &[u8]) -> Result<Vec<u8>> {
    let expected = match row.packing {
        Packing::Pack | Packing::Repack => row.wanted(),
        Packing::Kept => Coding::Identity,
    };
    match answer.coding {
        Some(coding) if coding == expected => coding.unpack(body),
        Some(coding) => bail!("sends {} instead of {}", coding.name(), expected.name()),
        None => bail!("sends an unknown coding"),
    }
}

fn count(text: &[u8], what: &[u8]) -> usize {
    split(text, what).len() - 1
}

fn without(text: &[u8], what: &[u8]) -> Vec<u8> {
    split(text, what).concat()
}

fn split<'t>(mut text: &'t [u8], at: &[u8]) -> Vec<&'t [u8]> {
    let mut pieces = Vec::new();
    while let Some(start) = find(text, at) {
        pieces.push(&text[..start]);
        text = &text[start + at.len()..];
    }
    pieces.push(text);
    pieces
}
