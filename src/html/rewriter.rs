use std::collections::VecDeque;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use encoding_rs::Encoding;

use super::charset::PageCharset;
use super::edit::{self, Edit};
use super::end_probe::PageEnd;
use super::frameset::{Frameset, Prologue};
use super::locator::{Finding, Found, Locate, LocatorStop, LolHtmlLocator};
use super::opening::{self, Opening};
use super::page_report::{PageOutcome, PageReport};
use super::policy::{self, PagePolicies, PolicyRefused};
use super::scan::ScanLocator;
use super::script_tag::Attribute;
use super::transcoder::Transcoder;
use super::xml::XmlLocator;
use super::{ExistingTag, PageKind, Placement, Plan, script_tag};

/// Takes the bytes of a page in any chunking and gives them back with the plan's edits laid in.
///
/// A locator finds the places; this lays the insertions into the raw bytes and releases them as
/// far as the locator is sure. Nothing is ever removed or changed, so that the output without the
/// insertions *is* the input. When the locator stops, for whatever reason, the rest of the page
/// passes as it is, and a tag that was not yet written is not written: the page fails open,
/// privacy fails closed.
///
/// A page that cannot be searched as it is (UTF-16) is searched in UTF-8: offsets are those of the
/// text then, and its bytes are kept beside it.
pub struct PageRewriter {
    plan: Arc<Plan>,
    stage: Stage,
    transcoder: Option<Transcoder>,
    /// Text that was read and not yet released; the first byte stands at offset `released`.
    held: BytesMut,
    released: u64,
    edits: VecDeque<Edit>,
    prologue: Prologue,
    policies: Option<Box<dyn PagePolicies>>,
    tag: TagState,
    /// What our tag takes over from those that were put out of action.
    inherited: Vec<Attribute>,
    mask_counts: Box<[u64]>,
}

enum Stage {
    /// The first bytes may still name the charset, or show that this is no document.
    Start {
        declared: Option<&'static Encoding>,
        kind: PageKind,
    },
    Locating(Box<dyn Locate>),
    /// Nothing more is looked for.
    Passing(LocatorStop),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum TagState {
    Pending,
    /// A policy of the page forbids it.
    Refused,
    /// The same, once it was written.
    RefusedLate,
    Written,
    /// The page keeps the tag that it came with.
    Kept,
    /// The page's body is thrown away for frames, and a tag with it.
    Lost,
}

impl TagState {
    /// What it is under a policy that forbids the tag.
    fn refused(self) -> Self {
        match self {
            Self::Pending => Self::Refused,
            Self::Written => Self::RefusedLate,
            other => other,
        }
    }
}

impl PageRewriter {
    /// `declared` is the charset of the response's header, if it names one.
    pub fn new(plan: Arc<Plan>, declared: Option<&'static Encoding>, kind: PageKind) -> Self {
        Self {
            mask_counts: vec![0; plan.masks().len()].into(),
            plan,
            stage: Stage::Start { declared, kind },
            transcoder: None,
            held: BytesMut::new(),
            released: 0,
            edits: VecDeque::new(),
            prologue: Prologue::default(),
            policies: None,
            tag: TagState::Pending,
            inherited: Vec::new(),
        }
    }

    /// With somebody who decides about the policies that the page carries; without, they stay.
    pub fn with_policies(mut self, policies: Box<dyn PagePolicies>) -> Self {
        self.policies = Some(policies);
        self
    }

    /// How much is best pushed at once: what is searched for a place in the head is copied, and what
    /// lies behind it passes as it is.
    pub fn piece_max(&self) -> usize {
        match (&self.stage, self.plan.placement()) {
            (Stage::Start { .. }, _) | (Stage::Locating(_), Placement::Head) => HEAD_PIECE,
            (Stage::Locating(_), Placement::End) | (Stage::Passing(_), _) => usize::MAX,
        }
    }

    /// Whether all that is to come passes as it is, behind a tag in the head: nothing is held, and
    /// nothing will be inserted.
    pub fn passes(&self) -> bool {
        let is_done = matches!(self.stage, Stage::Passing(_)) && self.transcoder.is_none();
        let is_head = self.plan.placement() == Placement::Head;
        is_done && is_head && self.held.is_empty() && self.edits.is_empty()
    }

    /// Reads the next bytes of the page; returns what can be sent now, which may be nothing.
    pub fn push(&mut self, chunk: Bytes) -> Bytes {
        match &mut self.stage {
            Stage::Start { declared, kind } => {
                let (declared, kind) = (*declared, *kind);
                self.held.extend_from_slice(&chunk);
                self.open(declared, kind, false)
            }
            Stage::Locating(_) => {
                let text = self.read_text(chunk);
                self.locate(text)
            }
            Stage::Passing(_) => self.pass(chunk),
        }
    }

    /// The page has ended well: returns its last bytes and what became of it. A page that broke
    /// off is not finished; its rewriter is dropped.
    pub fn finish(mut self) -> (Bytes, PageReport) {
        let mut out = BytesMut::new();
        if let Stage::Start { declared, kind } = self.stage {
            out.extend_from_slice(&self.open(declared, kind, true));
        }
        let stage = mem::replace(&mut self.stage, Stage::Passing(LocatorStop::Complete));
        let outcome = match stage {
            Stage::Locating(locator) => self.end_locating(locator),
            Stage::Passing(stop) => self.outcome_after(stop),
            Stage::Start { .. } => PageOutcome::Untagged(LocatorStop::Fault),
        };
        let rest = self.release_all();
        out.extend_from_slice(&rest);
        (
            out.freeze(),
            PageReport {
                outcome,
                mask_counts: self.mask_counts,
            },
        )
    }

    /// Begins on what is held, once enough of the page is.
    fn open(&mut self, declared: Option<&'static Encoding>, kind: PageKind, ended: bool) -> Bytes {
        match opening::read(&self.held, kind, declared, self.compares_letters(), ended) {
            Opening::Wait => Bytes::new(),
            Opening::Begin(charset) if kind == PageKind::Xhtml => self.begin_xhtml(charset),
            Opening::Begin(charset) => self.begin(charset),
            Opening::Data => self.pass_from_start(LocatorStop::Data),
            Opening::NotADocument => self.pass_from_start(LocatorStop::NotADocument),
            Opening::Untyped => self.pass_from_start(LocatorStop::Untyped),
            Opening::UnreadableCharset => self.pass_from_start(LocatorStop::Charset),
        }
    }

    fn pass_from_start(&mut self, stop: LocatorStop) -> Bytes {
        self.stage = Stage::Passing(stop);
        self.release(self.held.len())
    }

    /// Whether a selector asks for letters that are not ASCII.
    fn compares_letters(&self) -> bool {
        let mut masks = self.plan.masks().iter();
        masks.any(|mask| !mask.selector.is_ascii())
    }

    /// The locator can start on what is held.
    fn begin(&mut self, charset: PageCharset) -> Bytes {
        if self.plan.placement() == Placement::Head {
            // No frameset is looked for.
            self.prologue.forget();
        }
        let transcoded_from = charset.transcoded_from(self.compares_letters());
        self.transcoder = transcoded_from.map(Transcoder::new);
        let start = self.held.split().freeze();
        let start = self.read_text(start);
        let locator: Box<dyn Locate> = match self.plan.masks() {
            [] => Box::new(ScanLocator::new(&self.plan, charset)),
            _ => Box::new(LolHtmlLocator::new(&self.plan, charset)),
        };
        self.start_with(locator, start)
    }

    fn begin_xhtml(&mut self, charset: PageCharset) -> Bytes {
        self.transcoder = charset.transcoded_from(true).map(Transcoder::new);
        self.prologue.forget();
        let start = self.held.split().freeze();
        let start = self.read_text(start);
        self.start_with(Box::new(XmlLocator::new(Arc::clone(&self.plan))), start)
    }

    /// The text of the page's next bytes.
    fn read_text(&mut self, chunk: Bytes) -> Bytes {
        match &mut self.transcoder {
            None => chunk,
            Some(transcoder) => transcoder.read(&chunk),
        }
    }

    fn start_with(&mut self, locator: Box<dyn Locate>, start: Bytes) -> Bytes {
        self.stage = Stage::Locating(locator);
        self.locate(start)
    }

    fn locate(&mut self, chunk: Bytes) -> Bytes {
        let Stage::Locating(locator) = &mut self.stage else {
            return self.pass(chunk);
        };
        let mut found = Vec::new();
        let settled = guarded(|| locator.feed(&chunk, &mut found));
        self.prologue.push(&chunk);
        // Where the body begins, nothing is written.
        let asks_for_nothing = found.iter().all(|finding| finding.what == Found::Body);
        let untouched = asks_for_nothing
            && self.edits.is_empty()
            && self.held.is_empty()
            && self.transcoder.is_none();
        match settled {
            Ok(settled) if untouched => {
                self.place_tag(&found);
                self.release_chunk(chunk, settled)
            }
            Ok(settled) => {
                self.held.extend_from_slice(&chunk);
                self.plan_edits(&found);
                self.release(self.distance_to(settled))
            }
            Err(stop) => {
                self.held.extend_from_slice(&chunk);
                self.plan_edits(&found);
                self.stop(stop);
                self.release_all()
            }
        }
    }

    fn stop(&mut self, stop: LocatorStop) {
        self.stage = Stage::Passing(stop);
        self.prologue.forget();
    }

    fn distance_to(&self, settled: u64) -> usize {
        let distance = settled.saturating_sub(self.released);
        usize::try_from(distance)
            .unwrap_or(usize::MAX)
            .min(self.held.len())
    }

    /// The chunk goes on as it came, but for the end of it that is not settled.
    fn release_chunk(&mut self, mut chunk: Bytes, settled: u64) -> Bytes {
        let distance = settled.saturating_sub(self.released);
        let length = usize::try_from(distance)
            .unwrap_or(usize::MAX)
            .min(chunk.len());
        let unsettled = chunk.split_off(length);
        self.held.extend_from_slice(&unsettled);
        self.released += chunk.len() as u64;
        chunk
    }

    fn pass(&mut self, chunk: Bytes) -> Bytes {
        if self.held.is_empty() {
            self.released += chunk.len() as u64;
            return chunk;
        }
        self.held.extend_from_slice(&chunk);
        self.release(self.held.len())
    }

    /// Takes all that is held, and what could not be read of it: it is searched no further.
    fn release_all(&mut self) -> Bytes {
        let mut out = self.release(self.held.len());
        if let Some(transcoder) = self.transcoder.take() {
            let mut all = BytesMut::from(out);
            all.extend_from_slice(&transcoder.into_raw());
            out = all.freeze();
        }
        out
    }

    /// Takes `length` bytes of text off what is held and lays in the edits that fall there.
    fn release(&mut self, length: usize) -> Bytes {
        if length == 0
            && self
                .edits
                .front()
                .is_none_or(|edit| edit.at > self.released)
        {
            // What is held stays where it is: it would be copied with each piece.
            return Bytes::new();
        }
        let text = self.held.split_to(length);
        let from = self.released;
        self.released += text.len() as u64;
        let first_edit = self.edits.front();
        let unedited = first_edit.is_none_or(|edit| edit.at > self.released);
        if unedited && self.transcoder.is_none() {
            return text.freeze();
        }
        // What is left is little, and of its own: a visitor who takes this slowly would have the room of
        // a whole piece held beside it.
        self.held = BytesMut::from(&self.held[..]);
        let mut out = BytesMut::with_capacity(text.len() + self.inserted_bytes());
        let mut done = 0;
        while let Some(edit) = self.edits.pop_front_if(|edit| edit.at <= self.released) {
            // An edit never stands in front of what is held: its tag was not settled before.
            let until = usize::try_from(edit.at.saturating_sub(from)).unwrap_or(text.len());
            self.pass_on(&text[done..until], &mut out);
            self.write(&edit.text, &mut out);
            done = until;
        }
        self.pass_on(&text[done..], &mut out);
        out.freeze()
    }

    /// How much is laid into what is released.
    fn inserted_bytes(&self) -> usize {
        let edits = self.edits.iter();
        let now = edits.take_while(|edit| edit.at <= self.released);
        now.map(|edit| edit.text.len()).sum()
    }

    /// Appends the origin's bytes of a piece of the text.
    fn pass_on(&mut self, text: &[u8], out: &mut BytesMut) {
        match &mut self.transcoder {
            None => out.extend_from_slice(text),
            Some(transcoder) => transcoder.take(text, out),
        }
    }

    fn write(&self, inserted: &[u8], out: &mut BytesMut) {
        match &self.transcoder {
            None => out.extend_from_slice(inserted),
            Some(transcoder) => transcoder.write(inserted, out),
        }
    }

    /// Turns findings into edits; the bytes of their tags are held.
    fn plan_edits(&mut self, found: &[Finding]) {
        for of_one_tag in found.chunk_by(|one, next| one.at == next.at) {
            let at = of_one_tag[0].at;
            self.count_masks(of_one_tag);
            self.edits
                .extend(of_one_tag.iter().filter_map(edit::of_enclosure));
            self.place_tag(of_one_tag);
            let start = usize::try_from(at.saturating_sub(self.released)).unwrap_or(usize::MAX);
            let start_tag = self.held.get(start..).unwrap_or_default();
            let policy = match &mut self.policies {
                Some(policies) if of_one_tag.iter().any(|one| one.what == Found::Policy) => {
                    policy::attribute(&mut **policies, start_tag)
                }
                Some(policies) if of_one_tag.iter().any(|one| one.what == Found::PolicyInXml) => {
                    match policy::attribute(&mut **policies, start_tag) {
                        Ok(Some(_)) => Err(PolicyRefused),
                        as_it_is => as_it_is,
                    }
                }
                _ => Ok(None),
            };
            let edit = edit::at_start_tag(
                &self.plan,
                of_one_tag,
                start_tag,
                policy.as_ref().ok().and_then(Option::as_deref),
            );
            self.edits.extend(edit);
            self.inherit(of_one_tag, start);
            if policy == Err(PolicyRefused) {
                self.tag = self.tag.refused();
            }
        }
    }

    /// `start` is where the tag stands in what is held.
    fn inherit(&mut self, findings: &[Finding], start: usize) {
        let replaces = self.plan.existing_tag() == ExistingTag::Replace;
        let exists = |one: &Finding| matches!(one.what, Found::ExistingTag | Found::Enclosure(_));
        if let Some(inheritance) = self.plan.inheritance()
            && replaces
            && findings.iter().any(exists)
        {
            let start_tag = self.held.get(start..).unwrap_or_default();
            inheritance.take(start_tag, &mut self.inherited);
        }
    }

    fn count_masks(&mut self, findings: &[Finding]) {
        for finding in findings {
            if let Found::Mask(index) = finding.what {
                self.mask_counts[index] += 1;
            }
        }
    }

    /// Lets an existing tag, a frameset or a gap in the head decide about our tag.
    fn place_tag(&mut self, findings: &[Finding]) {
        let keeps = self.plan.existing_tag() == ExistingTag::Keep;
        for finding in findings {
            if self.tag == TagState::Refused && keeps && finding.what == Found::ExistingTag {
                self.tag = TagState::Kept;
            }
            if self.tag != TagState::Pending {
                return;
            }
            match finding.what {
                Found::ExistingTag if keeps => self.tag = TagState::Kept,
                Found::HeadGap => self.write_tag(finding.at),
                Found::RootEnd { by_prefix } => self.write_tag_in_xml(finding.at, by_prefix),
                Found::Frameset => self.meet_frameset(finding.at),
                Found::Body => self.prologue.forget(),
                Found::DormantTag
                | Found::Enclosure(_)
                | Found::ExistingTag
                | Found::Mask(_)
                | Found::Policy
                | Found::PolicyInXml => {}
            }
        }
    }

    fn meet_frameset(&mut self, at: u64) {
        match self.prologue.judge(at) {
            Frameset::Opens => self.write_tag(at),
            Frameset::Replaces => self.tag = TagState::Lost,
            // And so is every other one.
            Frameset::Ignored => self.prologue.forget(),
            Frameset::Inert => {}
        }
    }

    fn write_tag(&mut self, at: u64) {
        self.tag = TagState::Written;
        let text = self.tag_html();
        self.edits.push_back(Edit { at, text });
    }

    fn write_tag_in_xml(&mut self, at: u64, with_namespace: bool) {
        self.tag = TagState::Written;
        let text = script_tag::in_xml(&self.tag_html(), with_namespace);
        self.edits.push_back(Edit { at, text });
    }

    fn tag_html(&self) -> Bytes {
        let tag = self.plan.tag();
        let nonce = self.policies.as_ref().and_then(|policies| policies.nonce());
        match (nonce, &*self.inherited) {
            (None, []) => tag.html().clone(),
            (nonce, inherited) => tag.html_with(nonce, inherited),
        }
    }

    /// Every byte was read: the tag is written, where it would be live.
    fn end_locating(&mut self, locator: Box<dyn Locate>) -> PageOutcome {
        let end = match guarded(|| locator.finish()) {
            Ok(end) => end,
            Err(stop) => return self.outcome_after(stop),
        };
        let length = self.released + self.held.len() as u64;
        match self.tag {
            TagState::Pending if length == 0 => PageOutcome::Empty,
            TagState::Pending if end == PageEnd::Open => {
                self.write_tag(length);
                PageOutcome::Tagged
            }
            _ => self.outcome_after(LocatorStop::TagNotLive),
        }
    }

    /// The locator stopped early. A tag in the head was all there was to do; a tag in front of a
    /// frameset stands there rightly, since a frameset document shows nothing that could need a
    /// mask.
    fn outcome_after(&self, stop: LocatorStop) -> PageOutcome {
        match self.tag {
            TagState::Written => PageOutcome::Tagged,
            TagState::Kept if self.is_masked_at(stop) => PageOutcome::Kept,
            TagState::Kept => PageOutcome::KeptUnmasked(stop),
            TagState::Refused => PageOutcome::Refused,
            TagState::RefusedLate => PageOutcome::RefusedLate,
            TagState::Lost | TagState::Pending => PageOutcome::Untagged(stop),
        }
    }
}

impl PageRewriter {
    /// Whether no mask can be missing on a page at which the search ended like this.
    fn is_masked_at(&self, stop: LocatorStop) -> bool {
        let was_read = matches!(stop, LocatorStop::Complete | LocatorStop::TagNotLive);
        was_read || self.plan.masks().is_empty()
    }
}

impl std::fmt::Debug for PageRewriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PageRewriter")
            .field("plan", &self.plan.version())
            .field("released", &self.released)
            .field("held", &self.held.len())
            .finish_non_exhaustive()
    }
}

/// Most heads are no longer, up to where a tag may stand.
const HEAD_PIECE: usize = 4 * 1024;

/// A panic of the parser ends the search, not the page.
fn guarded<T>(search: impl FnOnce() -> Result<T, LocatorStop>) -> Result<T, LocatorStop> {
    catch_unwind(AssertUnwindSafe(search)).unwrap_or(Err(LocatorStop::Panic))
}

#[cfg(test)]
pub(super) mod test_failing;
#[cfg(test)]
mod tests;
