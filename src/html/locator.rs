use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use lol_html::errors::RewritingError;
use lol_html::html_content::EndTag;
use lol_html::send::{Element, ElementContentHandlers, ElementHandler, HtmlRewriter, Settings};
use lol_html::{AsciiCompatibleEncoding, HandlerResult, MemorySettings, OutputSink, Selector};

use super::cdata::DoubtfulEnds;
use super::charset::PageCharset;
use super::descent;
use super::end_probe::{EndProbe, PROBE, PageEnd, is_html};
use super::existing_tag::{self, CANDIDATES, CobrowseTag};
use super::foreign::{self, Foreign};
use super::frameset::HEAD_ELEMENTS;
use super::stray_ends::{Reading, Stop, StrayEnds};
use super::{Placement, Plan};

/// Finds the places of a page that a plan speaks of, while the page streams by.
///
/// This is a seam: a faster locator may stand beside the one of lol_html, which is then its
/// oracle.
pub(super) trait Locate: Send {
    /// Reads on; appends what was found, in the order of the page.
    ///
    /// Returns the offset up to which the page is settled: nothing in front of it will be found
    /// any more. After an error the locator is not used again; what it found stays true.
    fn feed(&mut self, bytes: &[u8], found: &mut Vec<Finding>) -> Result<u64, LocatorStop>;

    /// The page has ended; nothing more is found.
    fn finish(self: Box<Self>) -> Result<PageEnd, LocatorStop>;
}

/// Something that a plan speaks of, and where it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Finding {
    /// Offset of the `<` of the tag.
    pub(super) at: u64,
    pub(super) what: Found,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// A `<body>` start tag.
    Body,
    /// A cobrowse tag that runs nowhere.
    DormantTag,
    /// A cobrowse tag of an XML page begins or ends here, and is put out of action by what is laid
    /// around it.
    Enclosure(Enclosure),
    /// A cobrowse tag that the page already carries.
    ExistingTag,
    /// A `<frameset>` start tag.
    Frameset,
    /// The place in the head where the tag may stand: in front of this tag.
    HeadGap,
    /// A `<meta>` with a content security policy.
    Policy,
    /// The same in XML, where no second `content` can be said.
    PolicyInXml,
    /// The end tag of an XML document's root, in front of which our tag may stand; `by_prefix`:
    /// what has no prefix there is not XHTML.
    RootEnd { by_prefix: bool },
    /// An element that the plan's mask of this index matches.
    Mask(usize),
}

/// Where an element is put out of action that no attribute could tell so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Enclosure {
    /// In front of its start tag.
    Begin,
    /// Behind its end.
    End,
}

/// Why a locator looks no further.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LocatorStop {
    /// Markup whose reading depends on what a streaming parser cannot know.
    #[error("the markup is ambiguous to a streaming parser")]
    Ambiguity,
    /// The page declares a charset in which bytes below 0x80 do not mean themselves, or, late,
    /// another one than its selectors were compared in.
    #[error("the page declares a charset in which it cannot be read")]
    Charset,
    /// All that was looked for is found.
    #[error("all that was looked for is found")]
    Complete,
    /// It begins like JSON, a script, or XML that is no page.
    #[error("this begins like data, not like a page")]
    Data,
    /// A handler failed, or the parser reported what it should not.
    #[error("the parser failed")]
    Fault,
    #[error("the page needs more memory than a page may have")]
    MemoryLimit,
    /// Nobody said that this is a page, and it does not begin like one.
    #[error("this does not begin like a document")]
    NotADocument,
    /// The parser panicked.
    #[error("the parser panicked")]
    Panic,
    /// The page ends inside of something that is never closed, or throws its body away for frames:
    /// a tag behind it would be text, or nothing.
    #[error("a tag at the end of the page would not be run")]
    TagNotLive,
    /// Nobody says what it is, and not every browser would take it for HTML.
    #[error("this has no media type, and not every browser takes it for HTML")]
    Untyped,
    /// XML that is not well-formed, declares entities of its own, or is made another page of by a
    /// style sheet.
    #[error("the XML is not well-formed, or more than its text")]
    Xml,
    /// An element of an XML page would need an attribute that it has already, which no second one
    /// can overrule there.
    #[error("in XML an attribute cannot be given twice")]
    XmlAttribute,
}

/// What the parser may hold of one page: the longest start tag that can be read, and the stack of
/// open elements (30,000 nested ones fit, with selectors that match; 80,000 do not).
pub(super) const MAX_PARSER_MEMORY: usize = 4 * 1024 * 1024;

/// The parser copies what it is fed once it holds an unfinished tag, so that it is fed in pieces.
const MAX_FEED: usize = 64 * 1024;

/// The locator of lol_html, in strict mode: where its reading could differ from a browser's, it
/// stops. lol_html's output is only counted; it never becomes the page.
///
/// It is fed UTF-8, or bytes in which markup can be found without knowing their charset.
pub(super) struct LolHtmlLocator {
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

/// What handlers and sink leave behind for their owner.
#[derive(Default)]
pub(super) struct Shared {
    found: Mutex<Vec<Finding>>,
    /// How many bytes the parser is done with.
    settled: AtomicU64,
    /// Whether svg or math stood in the page, in which there are CDATA sections.
    foreign: AtomicBool,
    /// The part of the page that was left last by the end tag of the svg, math or template that it
    /// began with: where it begins, and where it ends.
    left: Mutex<Option<(u64, u64)>>,
    /// Behind this, it depends on more than open elements how tags are read.
    is_entangled: AtomicBool,
}

impl Shared {
    /// What was found already is not found again.
    pub(super) fn note_once(&self, at: u64, what: Found) {
        if !self.has(at, what) {
            self.found().push(Finding { at, what });
        }
    }

    /// Whether this was found at the tag that is looked at.
    pub(super) fn has(&self, at: u64, what: Found) -> bool {
        let found = self.found();
        let mut of_tag = found.iter().rev().take_while(|one| one.at == at);
        of_tag.any(|one| one.what == what)
    }

    /// Whether a mask was found at the tag that is looked at.
    pub(super) fn is_masked(&self, at: u64) -> bool {
        let found = self.found();
        let mut of_tag = found.iter().rev().take_while(|one| one.at == at);
        of_tag.any(|one| matches!(one.what, Found::Mask(_)))
    }

    fn found(&self) -> MutexGuard<'_, Vec<Finding>> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, at: usize, what: Found) {
        let finding = Finding {
            at: at as u64,
            what,
        };
        self.found().push(finding);
    }

    pub(super) fn note_left(&self, start: usize, end: usize) {
        *self.left() = Some((start as u64, end as u64));
    }

    fn left(&self) -> MutexGuard<'_, Option<(u64, u64)>> {
        self.left.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, into: &mut Vec<Finding>) {
        into.append(&mut self.found());
    }
}

struct CountedOutput(Arc<Shared>);

impl OutputSink for CountedOutput {
    fn handle_chunk(&mut self, chunk: &[u8]) {
        self.0
            .settled
            .fetch_add(chunk.len() as u64, Ordering::Relaxed);
    }
}

impl LolHtmlLocator {
    pub(super) fn new(plan: &Arc<Plan>, charset: PageCharset) -> Self {
        Self::with(plan, charset, Scope::Page)
    }

    /// For parts of a page, each with tags in front of it that open what is open around it.
    pub(super) fn for_parts(plan: &Arc<Plan>, charset: PageCharset) -> Self {
        Self::with(plan, charset, Scope::Parts)
    }

    fn with(plan: &Arc<Plan>, charset: PageCharset, scope: Scope) -> Self {
        let shared = Arc::new(Shared::default());
        let mut settings = Settings::new_send()
            .with_strict(true)
            .with_encoding(AsciiCompatibleEncoding::utf_8())
            .with_memory_settings(
                MemorySettings::new().with_max_allowed_memory_usage(MAX_PARSER_MEMORY),
            );
        if !matches!(charset, PageCharset::Certain(_)) {
            let check = move |element: &mut Element<'_, '_>| check_meta(element, charset);
            settings = settings.append_element_content_handler(on(&META, check));
        }
        let (end_probe, foreign) = (Arc::default(), Arc::default());
        settings = with_existing_tag(settings, &shared);
        settings = match plan.placement() {
            Placement::End => {
                settings = with_body(settings, &shared, &end_probe);
                with_end_handlers(settings, plan, &shared)
            }
            Placement::Head => with_head_handlers(settings, &shared, &end_probe),
        };
        // In the head, too: svg and math may stand in a template there.
        settings = with_guards(settings, &foreign, &shared);
        settings = with_end_probe(settings, &end_probe, &shared);
        if scope == Scope::Parts {
            let shared = Arc::clone(&shared);
            let note = move |_: &mut Element<'_, '_>| {
                shared.is_entangled.store(true, Ordering::Relaxed);
                Ok(())
            };
            settings = settings.append_element_content_handler(on(&ENTANGLING, note));
        }
        let doubtful_ends = (charset == PageCharset::Any).then(DoubtfulEnds::default);
        if doubtful_ends.is_some() {
            let shared = Arc::clone(&shared);
            let note_root = move |_: &mut Element<'_, '_>| {
                shared.foreign.store(true, Ordering::Relaxed);
                Ok(())
            };
            settings = settings.append_element_content_handler(on(&FOREIGN_ROOT, note_root));
        }
        let rewriter = HtmlRewriter::new(settings, CountedOutput(Arc::clone(&shared)));
        Self {
            rewriter,
            shared,
            end_probe,
            doubtful_ends,
            foreign,
            stray_ends: StrayEnds::default(),
            fed: 0,
        }
    }

    /// A table has begun in what is not fed.
    pub(super) fn expect_table(&self) {
        foreign::expect_table(&self.foreign);
    }

    /// How many bytes were fed.
    pub(super) fn fed(&self) -> u64 {
        self.fed
    }

    /// Whether the part that begins at this offset of what was fed was left just now, so that all is
    /// as it was in front of it.
    pub(super) fn has_left(&self, part_at: u64) -> bool {
        let is_settled = self.shared.settled.load(Ordering::Relaxed) == self.fed;
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
            settled: self.shared.settled.load(Ordering::Relaxed) == self.fed,
        })
    }

    fn write_piece(&mut self, piece: &[u8]) -> Result<(), LocatorStop> {
        self.fed += piece.len() as u64;
        self.rewriter.write(piece).map_err(stop_of)
    }
}

/// What a locator reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scope {
    Page,
    Parts,
}

impl Locate for LolHtmlLocator {
    fn feed(&mut self, bytes: &[u8], found: &mut Vec<Finding>) -> Result<u64, LocatorStop> {
        let outcome = self.write(bytes);
        self.shared.take(found);
        outcome.map(|()| self.shared.settled.load(Ordering::Relaxed))
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

/// What is looked for when the tag goes to the end: all masks, and what keeps or moves the tag.
fn with_end_handlers<'s>(
    mut settings: Settings<'static, 's>,
    plan: &'s Arc<Plan>,
    shared: &Arc<Shared>,
) -> Settings<'static, 's> {
    let masks = plan.masks().iter().enumerate();
    let masks = masks.map(|(index, mask)| (mask.selector.parsed(), Found::Mask(index)));
    let fixed = [(&*FRAMESET, Found::Frameset), (&*POLICY, Found::Policy)];
    for (selector, what) in fixed.into_iter().chain(masks) {
        settings = settings.append_element_content_handler(noting(shared, selector, what));
    }
    settings = descent::with_handlers(settings, plan, shared);
    if plan.with_references().is_some() {
        return settings;
    }
    // Read for their names alone, they would be taken to contain tags behind `<title a=>`.
    let read_whole = |_: &mut Element<'_, '_>| Ok(());
    settings.append_element_content_handler(on(&TEXT_ELEMENTS, read_whole))
}

/// One in a template begins no body.
fn with_body<'s>(
    settings: Settings<'static, 's>,
    shared: &Arc<Shared>,
    probe: &Arc<EndProbe>,
) -> Settings<'static, 's> {
    let (shared, probe) = (Arc::clone(shared), Arc::clone(probe));
    let note = move |element: &mut Element<'_, '_>| {
        if is_html(element.namespace_uri()) && !probe.in_template() {
            shared.note(element.source_location().bytes().start, Found::Body);
        }
        Ok(())
    };
    settings.append_element_content_handler(on(&BODY, note))
}

fn noting<'s>(
    shared: &Arc<Shared>,
    selector: &'s Selector,
    what: Found,
) -> (Cow<'s, Selector>, ElementContentHandlers<'static>) {
    let shared = Arc::clone(shared);
    let note = move |element: &mut Element<'_, '_>| {
        if is_html(element.namespace_uri()) || matches!(what, Found::Mask(_)) {
            shared.note(element.source_location().bytes().start, what);
        }
        Ok(())
    };
    on(selector, note)
}

/// What the page brings along itself; noted first, because it decides whether ours is written.
fn with_existing_tag<'s>(
    settings: Settings<'static, 's>,
    shared: &Arc<Shared>,
) -> Settings<'static, 's> {
    let shared = Arc::clone(shared);
    let note = move |element: &mut Element<'_, '_>| {
        let what = match existing_tag::cobrowse_tag(element) {
            None => return Ok(()),
            Some(CobrowseTag::Dormant) => Found::DormantTag,
            Some(CobrowseTag::Live) => Found::ExistingTag,
        };
        shared.note(element.source_location().bytes().start, what);
        Ok(())
    };
    settings.append_element_content_handler(on(&CANDIDATES, note))
}

/// Stops at markup that lol_html reads otherwise than a browser, without being in doubt.
fn with_guards<'s>(
    settings: Settings<'static, 's>,
    foreign: &Arc<Mutex<Foreign>>,
    shared: &Arc<Shared>,
) -> Settings<'static, 's> {
    let (behind_frameset, behind_table) = (Arc::clone(foreign), Arc::clone(foreign));
    let foreign = Arc::clone(foreign);
    let shared = Arc::clone(shared);
    let note_frameset = move |_: &mut Element<'_, '_>| {
        foreign::expect_none(&behind_frameset);
        Ok(())
    };
    let watch_table = move |element: &mut Element<'_, '_>| {
        foreign::watch_table(&behind_table, element);
        Ok(())
    };
    let watch = move |element: &mut Element<'_, '_>| foreign::watch(&foreign, &shared, element);
    // Behind a `<col>`, a template drops what can stand in no column group, `<textarea>` too.
    let refuse = |_: &mut Element<'_, '_>| Err(LocatorStop::Ambiguity.into());
    settings
        .append_element_content_handler(on(&FRAMESET, note_frameset))
        .append_element_content_handler(on(&TABLES, watch_table))
        .append_element_content_handler(on(&FOREIGN, watch))
        .append_element_content_handler(foreign::bogus_cdata_guard(&FOREIGN_ROOT))
        .append_element_content_handler(on(&COLUMN_IN_TEMPLATE, refuse))
}

/// What is looked for to know what the page's end lets stand behind it.
fn with_end_probe<'s>(
    settings: Settings<'static, 's>,
    probe: &Arc<EndProbe>,
    shared: &Arc<Shared>,
) -> Settings<'static, 's> {
    let at_probe = Arc::clone(probe);
    let meet_probe = move |element: &mut Element<'_, '_>| {
        at_probe.meet_probe(element);
        Ok(())
    };
    let (probe, shared) = (Arc::clone(probe), Arc::clone(shared));
    let meet_template = move |element: &mut Element<'_, '_>| probe.meet_template(&shared, element);
    settings
        .append_element_content_handler(on(&END_PROBE, meet_probe))
        .append_element_content_handler(on(&TEMPLATE, meet_template))
}

/// What is looked for when the tag goes into the head: the first tag that is not one of those
/// which must stay in front (charset, compatibility mode, base, policy, title), or the head's end;
/// and as far as the head reaches, policies and cobrowse tags: another edge writes its own at this
/// place.
fn with_head_handlers<'s>(
    mut settings: Settings<'static, 's>,
    shared: &Arc<Shared>,
    probe: &Arc<EndProbe>,
) -> Settings<'static, 's> {
    settings = settings.append_element_content_handler(noting(shared, &POLICY, Found::Policy));
    let shared = Arc::clone(shared);
    let probe = Arc::clone(probe);
    let look = move |element: &mut Element<'_, '_>| {
        let name = element.tag_name();
        if name == "head" {
            let shared = Arc::clone(&shared);
            return element.on_end_tag(Box::new(move |end: &mut EndTag<'_>| {
                shared.note(end.source_location().bytes().start, Found::HeadGap);
                Ok(())
            }));
        }
        let stays_in_front = matches!(name.as_str(), "html" | "meta" | "base" | "title");
        if stays_in_front || name == PROBE || probe.in_template() {
            return Ok(());
        }
        shared.note(element.source_location().bytes().start, Found::HeadGap);
        match name == "template" || HEAD_ELEMENTS.contains(&name.as_str()) {
            true => Ok(()),
            false => Err(LocatorStop::Complete.into()),
        }
    };
    settings.append_element_content_handler(on(&ANY, look))
}

fn check_meta(element: &Element<'_, '_>, charset: PageCharset) -> HandlerResult {
    if charset.is_contradicted_by(element) {
        Err(LocatorStop::Charset.into())
    } else {
        Ok(())
    }
}

pub(super) fn on<'s>(
    selector: &'s Selector,
    handler: impl FnMut(&mut Element<'_, '_>) -> HandlerResult + Send + 'static,
) -> (Cow<'s, Selector>, ElementContentHandlers<'static>) {
    let handler: ElementHandler<'static> = Box::new(handler);
    (
        Cow::Borrowed(selector),
        ElementContentHandlers::default().element(handler),
    )
}

static ANY: LazyLock<Selector> = LazyLock::new(|| fixed("*"));
static BODY: LazyLock<Selector> = LazyLock::new(|| fixed("body"));
static COLUMN_IN_TEMPLATE: LazyLock<Selector> = LazyLock::new(|| fixed("template > col"));
static END_PROBE: LazyLock<Selector> = LazyLock::new(|| fixed(PROBE));
static ENTANGLING: LazyLock<Selector> = LazyLock::new(|| fixed("select, frameset"));
static FOREIGN: LazyLock<Selector> = LazyLock::new(|| fixed("svg, math, svg *, math *"));
static FOREIGN_ROOT: LazyLock<Selector> = LazyLock::new(|| fixed("svg, math"));
static FRAMESET: LazyLock<Selector> = LazyLock::new(|| fixed("frameset"));
pub(super) static META: LazyLock<Selector> = LazyLock::new(|| fixed("meta"));
static POLICY: LazyLock<Selector> =
    LazyLock::new(|| fixed(r#"meta[http-equiv="content-security-policy" i][content]"#));
static TABLES: LazyLock<Selector> = LazyLock::new(|| fixed("table, template"));
static TEXT_ELEMENTS: LazyLock<Selector> = LazyLock::new(|| {
    fixed("iframe, noembed, noframes, noscript, plaintext, script, style, textarea, title, xmp")
});
static TEMPLATE: LazyLock<Selector> = LazyLock::new(|| fixed("template"));

#[expect(
    clippy::expect_used,
    reason = "the selectors are constants, parsed by every test"
)]
pub(super) fn fixed(selector: &str) -> Selector {
    selector
        .parse()
        .expect("invariant: a constant selector parses")
}
