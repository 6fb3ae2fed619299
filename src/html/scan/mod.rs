//! The locator of plans without masks. Of such a page little matters: cobrowse tags that it has
//! already, its policies and charset, where head and body begin, and whether a tag behind its end
//! would run. So it is not parsed but scanned, at the speed of memory nearly.
//!
//! It finds what lol_html finds, and stops where that stops: its tests hold the one to the other.
//! What needs more than a scan (svg, math, templates) is read by lol_html, which is fed with that
//! part of the page alone.

mod attributes;
mod closer;
mod name;
mod open_elements;
mod script;
mod tokens;

use std::sync::Arc;

use super::charset::PageCharset;
use super::end_probe::{PROBE, PageEnd};
use super::existing_tag::{CobrowseTag, cobrowse_tag_in_html};
use super::frameset::HEAD_ELEMENTS;
use super::locator::{Finding, Found, Locate, LocatorStop, MAX_PARSER_MEMORY};
use super::{Placement, Plan};
use attributes::Attributes;
use closer::{Closer, Select, Until};
use name::{Kind, Name};
use open_elements::OpenElements;
use tokens::{Step, Text, Tokens};

pub(super) struct ScanLocator {
    plan: Arc<Plan>,
    charset: PageCharset,
    tokens: Tokens,
    /// What the last start tag is.
    kind: Kind,
    open: OpenElements,
    /// A `<select>` has begun and may still be open.
    in_select: bool,
    /// A `<table>` has begun.
    behind_table: bool,
    /// The tag that is being read must be held until it is whole.
    holds_tag: bool,
    /// What came of it in earlier pieces, as long as it is needed.
    tag: Vec<u8>,
    /// How many bytes came before the last piece, and with it.
    base: u64,
    fed: u64,
    closer: Option<Box<Closer>>,
    reads_closer: bool,
}

impl ScanLocator {
    /// The plan has no masks.
    pub(super) fn new(plan: &Arc<Plan>, charset: PageCharset) -> Self {
        Self {
            plan: Arc::clone(plan),
            charset,
            tokens: Tokens::default(),
            kind: Kind::Other,
            open: OpenElements::default(),
            in_select: false,
            behind_table: false,
            holds_tag: false,
            tag: Vec::new(),
            base: 0,
            fed: 0,
            closer: None,
            reads_closer: false,
        }
    }

    fn is_for_head(&self) -> bool {
        self.plan.placement() == Placement::Head
    }

    fn read(&mut self, bytes: &[u8], found: &mut Vec<Finding>) -> Result<(), LocatorStop> {
        let mut at = 0;
        while at < bytes.len() {
            if let Some(closer) = self.closer.as_mut().filter(|_| self.reads_closer) {
                let (read, ends) = closer.read(&bytes[at..], found)?;
                at += read;
                self.reads_closer = !ends;
                continue;
            }
            match self.tokens.step(bytes, &mut at, self.base) {
                None => break,
                Some(Step::Named) if self.tokens.is_end_tag() => {
                    self.meet_end_tag();
                    if self.tokens.has_only_a_name(bytes, &mut at) {
                        self.leave(found);
                    }
                }
                Some(Step::Named) => match self.meet_start_tag()? {
                    None if self.tokens.has_only_a_name(bytes, &mut at) => {
                        self.enter(&bytes[..at], found)?;
                    }
                    None => {}
                    Some(until) => at = self.read_closer(bytes, until, found)?,
                },
                Some(Step::Ended) if self.tokens.is_end_tag() => self.leave(found),
                Some(Step::Ended) => self.enter(&bytes[..at], found)?,
            }
        }
        self.keep_tag(bytes);
        Ok(())
    }

    /// The name of a start tag is known: says how far it is for lol_html to read on from there, if
    /// it is.
    fn meet_start_tag(&mut self) -> Result<Option<Until>, LocatorStop> {
        self.kind = self.tokens.name().kind();
        let until = self.closer_until();
        if until.is_some() {
            return Ok(until);
        }
        if self.in_select {
            self.meet_in_select()?;
        } else {
            self.in_select = self.kind == Kind::Select;
        }
        self.behind_table |= self.kind == Kind::Table;
        if let Kind::Text(text) = self.kind {
            self.tokens.expect(text);
        }
        self.holds_tag = self.is_candidate() || self.kind == Kind::Body || self.is_for_head();
        Ok(None)
    }

    fn is_candidate(&self) -> bool {
        matches!(self.kind, Kind::Meta | Kind::Text(Text::Script))
    }

    fn closer_until(&self) -> Option<Until> {
        let select = match (self.plan.placement(), self.in_select) {
            (Placement::Head, _) => Select::Unknown,
            (Placement::End, true) => Select::Open,
            (Placement::End, false) => Select::Closed,
        };
        if self.tokens.name().is_cut() || self.open.are_too_many() {
            return Some(Until::PageEnd(select));
        }
        let is_part = match self.kind {
            Kind::Template => true,
            // In the head's plan they end the search.
            Kind::Foreign => !self.is_for_head(),
            Kind::Frameset if !self.is_for_head() => return Some(Until::PageEnd(select)),
            _ => return None,
        };
        let is_doubtful = self.in_select || self.open.have(b"select");
        is_part.then_some(match is_doubtful {
            true => Until::PageEnd(select),
            false => Until::ItsEndTag,
        })
    }

    /// In a `<select>` browsers may take no notice of tags that begin text (see lol_html's ambiguity
    /// guard).
    fn meet_in_select(&mut self) -> Result<(), LocatorStop> {
        match self.kind {
            Kind::Select | Kind::Input | Kind::Text(Text::Raw(b"textarea")) => {
                self.in_select = false;
                Ok(())
            }
            Kind::Text(Text::Plain | Text::Raw(_)) => Err(LocatorStop::Ambiguity),
            _ => Ok(()),
        }
    }

    fn meet_end_tag(&mut self) {
        if self.tokens.name().is(b"select") {
            self.in_select = false;
        }
        self.holds_tag = self.is_for_head() && !self.tokens.ends_text();
    }

    /// A start tag is whole; it is the last of these bytes, or of those that are kept with them.
    fn enter(&mut self, bytes: &[u8], found: &mut Vec<Finding>) -> Result<(), LocatorStop> {
        self.holds_tag = false;
        if self.is_candidate() {
            self.read_candidate(bytes, found)?;
        }
        let (name, at) = (self.tokens.name(), self.tokens.tag_at());
        if self.is_for_head() {
            look_for_gap(name, at, found)?;
        } else if self.kind == Kind::Body {
            let what = Found::Body;
            found.push(Finding { at, what });
        }
        if !matches!(self.kind, Kind::Void | Kind::Input | Kind::Meta) {
            self.open.push(name);
        }
        Ok(())
    }

    /// A script or a `<meta>` may be a cobrowse tag, and say something about the page.
    fn read_candidate(
        &mut self,
        bytes: &[u8],
        found: &mut Vec<Finding>,
    ) -> Result<(), LocatorStop> {
        self.gather(bytes);
        let at = self.tokens.tag_at();
        let is_meta = self.kind == Kind::Meta;
        let attributes = Attributes::of(&self.tag);
        if is_meta && contradicts(self.charset, &attributes) {
            return Err(LocatorStop::Charset);
        }
        let tag = cobrowse_tag_in_html(!is_meta, |name| attributes.text(name));
        let tag = tag.map(|tag| match tag {
            CobrowseTag::Dormant => Found::DormantTag,
            CobrowseTag::Live => Found::ExistingTag,
        });
        let policy = (is_meta && is_policy(&attributes)).then_some(Found::Policy);
        let of_tag = [tag, policy].into_iter().flatten();
        found.extend(of_tag.map(|what| Finding { at, what }));
        self.tag.clear();
        Ok(())
    }

    /// An end tag is whole.
    fn leave(&mut self, found: &mut Vec<Finding>) {
        self.holds_tag = false;
        let in_head = self.is_for_head();
        let at = self.tokens.tag_at();
        self.open.leave(self.tokens.name(), |left| {
            if in_head && left.is(b"head") {
                let what = Found::HeadGap;
                found.push(Finding { at, what });
            }
        });
    }

    /// Has lol_html read the tag that has begun, and what follows it; returns how far of these bytes.
    fn read_closer(
        &mut self,
        bytes: &[u8],
        until: Until,
        found: &mut Vec<Finding>,
    ) -> Result<usize, LocatorStop> {
        let at = self.tokens.tag_at();
        self.tokens.leave();
        let fresh = || Box::new(Closer::new(&self.plan, self.charset));
        let closer = self.closer.get_or_insert_with(fresh);
        self.reads_closer = true;
        if self.behind_table {
            closer.expect_table();
        }
        closer.begin(at, &mut self.open, until)?;
        let tag = std::mem::take(&mut self.tag);
        if let Some(began) = at.checked_sub(self.base) {
            return Ok(usize::try_from(began).unwrap_or(bytes.len()));
        }
        closer.read(&tag, found)?;
        Ok(0)
    }

    /// Keeps what came of a tag that is not whole.
    fn keep_tag(&mut self, bytes: &[u8]) {
        let in_name = self.tokens.is_in_name();
        let is_candidate = || self.holds_tag && !self.tokens.is_end_tag() && self.is_candidate();
        if !self.reads_closer && self.tokens.is_in_tag() && (in_name || is_candidate()) {
            self.gather(bytes);
        }
    }

    /// Adds what came of the tag with this piece, whose last bytes may be left out.
    fn gather(&mut self, bytes: &[u8]) {
        let began = self.tokens.tag_at().checked_sub(self.base);
        let from = began.map_or(0, |from| usize::try_from(from).unwrap_or(bytes.len()));
        if began.is_some() {
            self.tag.clear();
        }
        let of_tag = bytes.get(from..).unwrap_or_default();
        self.tag.extend_from_slice(of_tag);
    }

    fn settled(&self) -> Result<u64, LocatorStop> {
        if let Some(closer) = self.closer.as_ref().filter(|_| self.reads_closer) {
            return Ok(closer.settled());
        }
        let is_held = self.tokens.is_in_tag() && (self.tokens.is_in_name() || self.holds_tag);
        if !is_held {
            return Ok(self.fed);
        }
        let at = self.tokens.tag_at();
        match self.fed - at > MAX_PARSER_MEMORY as u64 {
            true => Err(LocatorStop::MemoryLimit),
            false => Ok(at),
        }
    }
}

impl Locate for ScanLocator {
    fn feed(&mut self, bytes: &[u8], found: &mut Vec<Finding>) -> Result<u64, LocatorStop> {
        self.base = self.fed;
        self.fed += bytes.len() as u64;
        self.read(bytes, found)?;
        self.settled()
    }

    fn finish(self: Box<Self>) -> Result<PageEnd, LocatorStop> {
        match self.closer.filter(|_| self.reads_closer) {
            Some(closer) => closer.finish(),
            None if self.tokens.is_open() => Ok(PageEnd::Open),
            None => Ok(PageEnd::Inert),
        }
    }
}

/// The tag may stand in front of the first start tag that is not one of those which must stay there;
/// behind the head nothing is looked for.
fn look_for_gap(name: &Name, at: u64, found: &mut Vec<Finding>) -> Result<(), LocatorStop> {
    let stays_in_front = ["html", "head", "meta", "base", "title", PROBE];
    if stays_in_front.iter().any(|other| name.is(other.as_bytes())) {
        return Ok(());
    }
    let what = Found::HeadGap;
    found.push(Finding { at, what });
    match HEAD_ELEMENTS.iter().any(|other| name.is(other.as_bytes())) {
        true => Ok(()),
        false => Err(LocatorStop::Complete),
    }
}

/// Whether an end tag of one of these names stands in this markup, in which no text is but what shows.
pub(super) fn has_end_tag(markup: &[u8], names: &[&[u8]]) -> bool {
    let (mut tokens, mut at) = (Tokens::default(), 0);
    while let Some(step) = tokens.step(markup, &mut at, 0) {
        let is_named = matches!(step, Step::Named) && tokens.is_end_tag();
        if is_named && names.iter().any(|name| tokens.name().is(name)) {
            return true;
        }
    }
    false
}

fn contradicts(charset: PageCharset, meta: &Attributes<'_>) -> bool {
    !matches!(charset, PageCharset::Certain(_))
        && charset.is_contradicted_by_values(
            meta.text("charset").as_deref(),
            meta.text("http-equiv").as_deref(),
            meta.text("content").as_deref(),
        )
}

fn is_policy(meta: &Attributes<'_>) -> bool {
    let kind = meta.raw("http-equiv").unwrap_or_default();
    kind.eq_ignore_ascii_case(b"content-security-policy") && meta.has("content")
}

#[cfg(test)]
mod tests;
