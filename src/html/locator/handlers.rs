//! What lol_html is to look for, and what is noted of it.

use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, Mutex};

use lol_html::html_content::EndTag;
use lol_html::send::{Element, ElementContentHandlers, ElementHandler, Settings};
use lol_html::{AsciiCompatibleEncoding, HandlerResult, MemorySettings, Selector};

use super::lol_html::{MAX_PARSER_MEMORY, Scope};
use super::shared::Shared;
use super::{Found, LocatorStop};
use crate::html::charset::PageCharset;
use crate::html::descent;
use crate::html::end_probe::{EndProbe, PROBE, is_html};
use crate::html::existing_tag::{self, CANDIDATES, CobrowseTag};
use crate::html::foreign::{self, Foreign};
use crate::html::frameset::HEAD_ELEMENTS;
use crate::html::{Placement, Plan};

/// What handlers leave behind for the locator.
#[derive(Default)]
pub(super) struct Watched {
    pub(super) shared: Arc<Shared>,
    pub(super) end_probe: Arc<EndProbe>,
    pub(super) foreign: Arc<Mutex<Foreign>>,
}

/// All that is looked for on a page with this plan.
pub(super) fn settings<'s>(
    plan: &'s Arc<Plan>,
    charset: PageCharset,
    scope: Scope,
    watched: &Watched,
) -> Settings<'static, 's> {
    let Watched {
        shared,
        end_probe,
        foreign,
    } = watched;
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
    settings = with_existing_tag(settings, shared);
    settings = match plan.placement() {
        Placement::End => {
            settings = with_body(settings, shared, end_probe);
            with_end_handlers(settings, plan, shared)
        }
        Placement::Head => with_head_handlers(settings, shared, end_probe),
    };
    // In the head, too: svg and math may stand in a template there.
    settings = with_guards(settings, foreign, shared);
    settings = with_end_probe(settings, end_probe, shared);
    if scope == Scope::Parts {
        settings = with_flag(settings, &ENTANGLING, shared, |shared| &shared.is_entangled);
    }
    if charset == PageCharset::Any {
        settings = with_flag(settings, &FOREIGN_ROOT, shared, |shared| &shared.foreign);
    }
    settings
}

/// Notes that there is such an element.
fn with_flag<'s>(
    settings: Settings<'static, 's>,
    selector: &'s Selector,
    shared: &Arc<Shared>,
    flag: fn(&Shared) -> &AtomicBool,
) -> Settings<'static, 's> {
    let shared = Arc::clone(shared);
    let note = move |_: &mut Element<'_, '_>| {
        flag(&shared).store(true, Ordering::Relaxed);
        Ok(())
    };
    settings.append_element_content_handler(on(selector, note))
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

pub(in crate::html) fn on<'s>(
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
pub(in crate::html) static META: LazyLock<Selector> = LazyLock::new(|| fixed("meta"));
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
pub(in crate::html) fn fixed(selector: &str) -> Selector {
    selector
        .parse()
        .expect("invariant: a constant selector parses")
}
