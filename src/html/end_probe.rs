//! Whether a script behind a page's last byte would run: it is tried out with an element that
//! changes nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use lol_html::HandlerResult;
use lol_html::html_content::EndTag;
use lol_html::send::Element;

use super::locator::{LocatorStop, Shared};

/// What a page's end lets stand behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PageEnd {
    /// An element there is an element, in the document.
    Open,
    /// Whatever stands there is text, part of an unfinished tag or comment, foreign, or part of a
    /// template.
    Inert,
}

/// The element's name: one that no parser takes notice of, wherever it stands.
pub(super) const PROBE: &str = "cobrowse-edge-probe";

/// What the parser came across on its way to the probe.
#[derive(Default)]
pub(super) struct EndProbe {
    /// Where the last element of the probe's name stands that is part of the document.
    seen_at: AtomicU64,
    /// Templates that are open.
    templates: AtomicU64,
}

impl EndProbe {
    /// What the end of a page of this length, behind which the probe was fed, has shown to be.
    pub(super) fn page_end(&self, length: u64) -> PageEnd {
        if self.seen_at.load(Ordering::Relaxed) == length {
            PageEnd::Open
        } else {
            PageEnd::Inert
        }
    }

    pub(super) fn meet_probe(&self, element: &Element<'_, '_>) {
        if is_html(element.namespace_uri()) && !self.in_template() {
            let at = element.source_location().bytes().start as u64;
            self.seen_at.store(at, Ordering::Relaxed);
        }
    }

    pub(super) fn in_template(&self) -> bool {
        self.templates.load(Ordering::Relaxed) > 0
    }

    pub(super) fn meet_template(
        self: &Arc<Self>,
        shared: &Arc<Shared>,
        element: &mut Element<'_, '_>,
    ) -> HandlerResult {
        if !is_html(element.namespace_uri()) {
            return Ok(());
        }
        self.templates.fetch_add(1, Ordering::Relaxed);
        let (probe, shared) = (Arc::clone(self), Arc::clone(shared));
        let start = element.source_location().bytes().start;
        element.on_end_tag(Box::new(move |end: &mut EndTag<'_>| {
            let were_open = probe.templates.fetch_sub(1, Ordering::Relaxed);
            // A browser takes no notice of the end tag of an element around the template.
            if end.name() == "template" {
                if were_open == 1 {
                    shared.note_left(start, end.source_location().bytes().end);
                }
                Ok(())
            } else {
                Err(LocatorStop::Ambiguity.into())
            }
        }))
    }
}

pub(super) fn is_html(namespace: &str) -> bool {
    namespace == "http://www.w3.org/1999/xhtml"
}
