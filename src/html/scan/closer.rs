//! Parts of a page that are read more closely: svg, math and templates, and what is beyond a scan.

use std::sync::Arc;

use memchr::memchr_iter;

use super::name::Name;
use super::open_elements::OpenElements;
use crate::html::Plan;
use crate::html::charset::PageCharset;
use crate::html::end_probe::PageEnd;
use crate::html::locator::{Finding, Locate, LocatorStop, LolHtmlLocator};

/// lol_html, fed with parts of a page only: with tags that open what is open around a part, and
/// with the part. It stands then where it would if it had read all.
pub(super) struct Closer {
    locator: LolHtmlLocator,
    /// The elements that are open there around a part.
    open: Vec<Name>,
    /// Where the part begins in the page, and among what was fed.
    at: u64,
    at_there: u64,
    until: Until,
    settled: u64,
    /// The last bytes of the part, where it came in pieces.
    tail: Vec<u8>,
}

/// How far a part reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Until {
    /// To the end tag of the element that it begins with.
    ItsEndTag,
    PageEnd(Select),
}

/// Whether a `<select>` has begun that may still be open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Select {
    /// None can have.
    Unknown,
    Closed,
    Open,
}

/// Room for `</template >`.
const TAIL: usize = 16;

impl Closer {
    pub(super) fn new(plan: &Arc<Plan>, charset: PageCharset) -> Self {
        Self {
            locator: LolHtmlLocator::for_parts(plan, charset),
            open: Vec::new(),
            at: 0,
            at_there: 0,
            until: Until::PageEnd(Select::Unknown),
            settled: 0,
            tail: Vec::new(),
        }
    }

    /// A table has begun in the page.
    pub(super) fn expect_table(&self) {
        self.locator.expect_table();
    }

    /// A part begins at this offset of the page.
    pub(super) fn begin(
        &mut self,
        at: u64,
        open: &mut OpenElements,
        until: Until,
    ) -> Result<(), LocatorStop> {
        let mut tags = open.tags_from(&mut self.open);
        if let Until::PageEnd(select) = until {
            tags.extend_from_slice(select_tags(select));
        }
        // What is found in front of the part was found before.
        self.settled = self.locator.feed(&tags, &mut Vec::new())?;
        self.at = at;
        self.at_there = self.locator.fed();
        self.until = until;
        self.tail.clear();
        Ok(())
    }

    /// Reads on; returns how many bytes belong to the part, and whether it ends with them.
    pub(super) fn read(
        &mut self,
        bytes: &[u8],
        found: &mut Vec<Finding>,
    ) -> Result<(usize, bool), LocatorStop> {
        if matches!(self.until, Until::PageEnd(_)) {
            self.feed(bytes, found)?;
            return Ok((bytes.len(), false));
        }
        let mut done = 0;
        for end in memchr_iter(b'>', bytes).map(|at| at + 1) {
            if !self.may_end(&bytes[..end]) {
                continue;
            }
            self.feed(&bytes[done..end], found)?;
            done = end;
            if self.locator.has_left(self.at_there) {
                return Ok((end, true));
            }
        }
        self.feed(&bytes[done..], found)?;
        self.tail
            .extend_from_slice(&bytes[bytes.len().saturating_sub(TAIL)..]);
        self.tail.drain(..self.tail.len().saturating_sub(TAIL));
        Ok((bytes.len(), false))
    }

    fn feed(&mut self, bytes: &[u8], found: &mut Vec<Finding>) -> Result<(), LocatorStop> {
        let first = found.len();
        let settled = self.locator.feed(bytes, found);
        for finding in &mut found[first..] {
            finding.at = finding.at - self.at_there + self.at;
        }
        self.settled = settled?;
        Ok(())
    }

    /// How far the page is settled.
    pub(super) fn settled(&self) -> u64 {
        self.settled.saturating_sub(self.at_there) + self.at
    }

    pub(super) fn finish(self) -> Result<PageEnd, LocatorStop> {
        Box::new(self.locator).finish()
    }

    /// Whether an end tag that may be the part's ends here; it is for lol_html to say.
    fn may_end(&self, bytes: &[u8]) -> bool {
        let from = bytes.len().saturating_sub(TAIL);
        let near = match from {
            0 => [&*self.tail, bytes].concat(),
            _ => bytes[from..].to_vec(),
        };
        let near = near[..near.len() - 1].trim_ascii_end();
        [&b"</svg"[..], b"</math", b"</template"].iter().any(|tag| {
            let start = near.len().checked_sub(tag.len());
            start.is_some_and(|start| near[start..].eq_ignore_ascii_case(tag))
        })
    }
}

/// Tags behind those of all open elements, which bring lol_html to expect, or not to expect, what
/// stands in a `<select>`; they leave nothing open.
fn select_tags(select: Select) -> &'static [u8] {
    match select {
        Select::Unknown => b"",
        Select::Closed => b"<input>",
        Select::Open => b"<input><cobrowse-edge-part><select></cobrowse-edge-part>",
    }
}
