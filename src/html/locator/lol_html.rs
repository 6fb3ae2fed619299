use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use lol_html::errors::RewritingError;
use lol_html::send::HtmlRewriter;

use super::handlers::{self, Watched};
use super::shared::{CountedOutput, Shared};
use super::{Finding, Locate, LocatorStop};
use crate::html::Plan;
use crate::html::cdata::DoubtfulEnds;
use crate::html::charset::PageCharset;
use crate::html::end_probe::{EndProbe, PROBE, PageEnd};
use crate::html::foreign::{self, Foreign};
use crate::html::stray_ends::{Reading, Stop, StrayEnds};

/// What the parser may hold of one page: the longest start tag that can be read, and the stack of
/// open elements (30,000 nested ones fit, with selectors that match; 80,000 do not).
pub(in crate::html) const MAX_PARSER_MEMORY: usize = 4 * 1024 * 1024;

/// The parser copies what it is fed once it holds an unfinished tag, so that it is fed in pieces.
const MAX_FEED: usize = 64 * 1024;

/// The locator of lol_html, in strict mode: where its reading could differ from a browser's, it
/// stops. lol_html's output is only counted; it never becomes the page.
///
/// It is fed UTF-8, or bytes in which markup can be found without knowing their charset.
pub(in crate::html) struct LolHtmlLocator {
    rewriter: HtmlRewriter<'static, CountedOutput>,
    shared: Arc<Shared>,
    end_probe: Arc<EndProbe>,
    /// Looked for where the charset is not known.
    doubtful_ends: Option<DoubtfulEnds>,
    foreign: Arc<Mutex<Foreign>>,
    stray_ends: StrayEnds,
    /// How many bytes the parser was fed.
    fed: u64,
}

impl LolHtmlLocator {
    pub(in crate::html) fn new(plan: &Arc<Plan>, charset: PageCharset) -> Self {
        Self::with(plan, charset, Scope::Page)
    }

    /// For parts of a page, each with tags in front of it that open what is open around it.
    pub(in crate::html) fn for_parts(plan: &Arc<Plan>, charset: PageCharset) -> Self {
        Self::with(plan, charset, Scope::Parts)
    }

    fn with(plan: &Arc<Plan>, charset: PageCharset, scope: Scope) -> Self {
        let watched = Watched::default();
        let settings = handlers::settings(plan, charset, scope, &watched);
        let Watched {
            shared,
            end_probe,
            foreign,
        } = watched;
        Self {
            rewriter: HtmlRewriter::new(settings, CountedOutput(Arc::clone(&shared))),
            shared,
            end_probe,
            doubtful_ends: (charset == PageCharset::Any).then(DoubtfulEnds::default),
            foreign,
            stray_ends: StrayEnds::default(),
            fed: 0,
        }
    }

    /// A table has begun in what is not fed.
    pub(in crate::html) fn expect_table(&self) {
        foreign::expect_table(&self.foreign);
    }

    /// How many bytes were fed.
    pub(in crate::html) fn fed(&self) -> u64 {
        self.fed
    }

    /// Whether the part that begins at this offset of what was fed was left just now, so that all is
    /// as it was in front of it.
    pub(in crate::html) fn has_left(&self, part_at: u64) -> bool {
        let is_settled = self.shared.settled() == self.fed;
        let is_entangled = self.shared.is_entangled.load(Ordering::Relaxed);
        is_settled && !is_entangled && *self.shared.left() == Some((part_at, self.fed))
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), LocatorStop> {
        let doubtful = self.doubtful_ends.as_mut();
        let mut done = 0;
        for end in doubtful.map_or_else(Vec::new, |ends| ends.next_in(bytes)) {
            self.write_in_pieces(&bytes[done..end])?;
            done = end;
            if self.shared.foreign.load(Ordering::Relaxed) {
                return Err(LocatorStop::Ambiguity);
            }
        }
        self.write_in_pieces(&bytes[done..])
    }

    fn write_in_pieces(&mut self, bytes: &[u8]) -> Result<(), LocatorStop> {
        for piece in bytes.chunks(MAX_FEED) {
            self.write_to_end_tags(piece)?;
        }
        Ok(())
    }

    fn write_to_end_tags(&mut self, mut piece: &[u8]) -> Result<(), LocatorStop> {
        while let Some(stop) = self.stray_ends.next_in(piece) {
            let (Stop::EndTag(length) | Stop::Root(length)) = stop;
            let (front, rest) = piece.split_at(length);
            let closed = foreign::locked(&self.foreign).closed();
            self.write_piece(front)?;
            if let Stop::EndTag(_) = stop {
                self.judge_end_tag(closed)?;
            }
            piece = rest;
        }
        self.write_piece(piece)
    }

    /// `closed_before`: how many elements were, before the end tag.
    fn judge_end_tag(&mut self, closed_before: u64) -> Result<(), LocatorStop> {
        let foreign = foreign::locked(&self.foreign);
        self.stray_ends.judge(Reading {
            in_foreign: foreign.is_open(),
            nested: foreign.is_nested(),
            closed: foreign.closed() > closed_before,
            settled: self.shared.settled() == self.fed,
        })
    }

    fn write_piece(&mut self, piece: &[u8]) -> Result<(), LocatorStop> {
        self.fed += piece.len() as u64;
        self.rewriter.write(piece).map_err(stop_of)
    }
}

/// What a locator reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    Page,
    Parts,
}

impl Locate for LolHtmlLocator {
    fn feed(&mut self, bytes: &[u8], found: &mut Vec<Finding>) -> Result<u64, LocatorStop> {
        let outcome = self.write(bytes);
        self.shared.take(found);
        outcome.map(|()| self.shared.settled())
    }

    /// What else is found now is left alone: a tag that only the probe has finished is none.
    fn finish(mut self: Box<Self>) -> Result<PageEnd, LocatorStop> {
        let probe = format!("<{PROBE}>");
        self.rewriter.write(probe.as_bytes()).map_err(stop_of)?;
        Ok(self.end_probe.page_end(self.fed))
    }
}

fn stop_of(error: RewritingError) -> LocatorStop {
    match error {
        RewritingError::MemoryLimitExceeded(_) => LocatorStop::MemoryLimit,
        RewritingError::ParsingAmbiguity(_) => LocatorStop::Ambiguity,
        RewritingError::ContentHandlerError(cause) => cause
            .downcast_ref::<LocatorStop>()
            .copied()
            .unwrap_or(LocatorStop::Fault),
        _ => LocatorStop::Fault,
    }
}
