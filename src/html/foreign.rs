//! Where svg and math begin and end, and where lol_html's reading of that parts from a browser's.
//!
//! What `<style>`, `<title>` or `<![CDATA[` mean depends on it. lol_html simulates it without a
//! tree, and is wrong for some broken markup; from there on it would find tags in text, and text
//! in tags. It is therefore watched with a stack of open elements, as WHATWG HTML 13.2.6.5 has it,
//! and the search stops where the two could part.
//!
//! What stands in text of svg and math is HTML again, but an end tag right in there is not: where a
//! browser has dropped its start tag, or closed the element before, it closes what of that name is
//! open around. So there is nothing in there of a name that is open around it, and nothing that
//! takes a browser back to a table around.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lol_html::html_content::{Comment, EndTag};
use lol_html::send::{CommentHandler, Element, ElementContentHandlers};
use lol_html::{HandlerResult, Selector};

use super::locator::{LocatorStop, Shared};

/// The elements that matter, from an outermost `<svg>` or `<math>` inwards.
#[derive(Default)]
pub(super) struct Foreign {
    open: Vec<Open>,
    opened: u64,
    /// How many elements in svg and math were closed.
    closed: u64,
    behind_frameset: bool,
    /// A table, or a template, which may hold parts of one, has begun somewhere.
    behind_table: bool,
}

struct Open {
    id: u64,
    name: String,
    content: Content,
    /// How many `<svg>` or `<math>` are open up to here with no HTML between.
    roots: usize,
}

/// How the content of an element is read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Content {
    Html,
    MathMl,
    Svg,
}

impl Content {
    fn of(element: &Element<'_, '_>) -> Self {
        match element.namespace_uri() {
            "http://www.w3.org/2000/svg" => Self::Svg,
            "http://www.w3.org/1998/Math/MathML" => Self::MathMl,
            _ => Self::Html,
        }
    }
}

/// Takes notice of `<svg>`, `<math>`, or an element inside of them.
pub(super) fn watch(
    foreign: &Arc<Mutex<Foreign>>,
    shared: &Arc<Shared>,
    element: &mut Element<'_, '_>,
) -> HandlerResult {
    let name = element.tag_name();
    let content = locked(foreign).content_of(&name, element)?;
    if !element.can_have_content() {
        return Ok(());
    }
    let id = content.map(|content| locked(foreign).push(&name, content));
    let is_known = id.is_some();
    let (foreign, shared) = (Arc::clone(foreign), Arc::clone(shared));
    let start = element.source_location().bytes().start;
    element.on_end_tag(Box::new(move |end: &mut EndTag<'_>| {
        let mut foreign = locked(&foreign);
        foreign.close(id, end.name() == name)?;
        if is_known && foreign.open.is_empty() {
            shared.note_left(start, end.source_location().bytes().end);
        }
        Ok(())
    }))
}

/// Takes notice of `<frameset>`: it depends on the tree whether svg and math behind it are read.
pub(super) fn expect_none(foreign: &Mutex<Foreign>) {
    locked(foreign).behind_frameset = true;
}

/// Takes notice of `<table>` and `<template>`, but for those in text of svg or math.
pub(super) fn watch_table(foreign: &Mutex<Foreign>, element: &Element<'_, '_>) {
    let mut foreign = locked(foreign);
    foreign.behind_table |= Content::of(element) == Content::Html && !foreign.is_in_text();
}

/// A table has begun in what is not read here.
pub(super) fn expect_table(foreign: &Mutex<Foreign>) {
    locked(foreign).behind_table = true;
}

/// Stops at a CDATA section that lol_html takes for a bogus comment, as in `<mo>`, where a tag in it
/// would be HTML. Both end alike where it holds no `>`.
pub(super) fn bogus_cdata_guard<'s>(
    roots: &'s Selector,
) -> (Cow<'s, Selector>, ElementContentHandlers<'static>) {
    let watch_comment = |comment: &mut Comment<'_>| {
        let text = comment.text();
        match text.starts_with("[CDATA[") && !text.ends_with("]]") {
            true => Err(LocatorStop::Ambiguity.into()),
            false => Ok(()),
        }
    };
    let watch_comment: CommentHandler<'static> = Box::new(watch_comment);
    let handlers = ElementContentHandlers::default().comments(watch_comment);
    (Cow::Borrowed(roots), handlers)
}

pub(super) fn locked(foreign: &Mutex<Foreign>) -> MutexGuard<'_, Foreign> {
    foreign.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Foreign {
    pub(super) fn is_open(&self) -> bool {
        !self.open.is_empty()
    }

    /// Whether svg or math is open within svg or math.
    pub(super) fn is_nested(&self) -> bool {
        self.open.last().is_some_and(|open| open.roots > 1)
    }

    /// Whether what comes is HTML in text of svg or math.
    fn is_in_text(&self) -> bool {
        self.is_open() && self.content() == Content::Html
    }

    pub(super) fn closed(&self) -> u64 {
        self.closed
    }

    /// How the content of an element is read, if that matters for what follows.
    fn content_of(
        &mut self,
        name: &str,
        element: &Element<'_, '_>,
    ) -> Result<Option<Content>, LocatorStop> {
        if let "svg" | "math" = name {
            return self.content_of_root(name, element).map(Some);
        }
        let read_as = Content::of(element);
        if is_integration_point(self.content(), name, element) && !element.is_self_closing() {
            // Here, too, lol_html names what the element contains.
            return match read_as {
                Content::Html => Ok(Some(Content::Html)),
                Content::MathMl | Content::Svg => Err(LocatorStop::Ambiguity),
            };
        }
        if self.content() != Content::Html && read_as == Content::Html {
            self.break_out()?;
        }
        match self.content() {
            _ if self.open.is_empty() => Ok(None),
            content if content != read_as => Err(LocatorStop::Ambiguity),
            Content::Html if self.is_doubtful_in_text(name) => Err(LocatorStop::Ambiguity),
            Content::MathMl | Content::Svg if breaks_out(name, element) => {
                Err(LocatorStop::Ambiguity)
            }
            content => Ok(Some(content)),
        }
    }

    /// lol_html takes no notice of `<svg/>`, and changes from the one to the other where there is
    /// no such change.
    fn content_of_root(
        &mut self,
        name: &str,
        element: &Element<'_, '_>,
    ) -> Result<Content, LocatorStop> {
        self.behind_table |= self.is_in_text();
        let own = Content::of(element);
        let changes = self.content() != Content::Html && self.content() != own;
        match own {
            _ if changes || self.behind_frameset || element.is_self_closing() => {
                Err(LocatorStop::Ambiguity)
            }
            Content::Svg if name == "svg" => Ok(own),
            Content::MathMl if name == "math" => Ok(own),
            Content::Html | Content::MathMl | Content::Svg => Err(LocatorStop::Ambiguity),
        }
    }

    fn content(&self) -> Content {
        self.open.last().map_or(Content::Html, |open| open.content)
    }

    /// A tag such as `<p>` ends all svg and math around it up to HTML; lol_html ends one.
    fn break_out(&mut self) -> Result<(), LocatorStop> {
        if self.is_nested() {
            return Err(LocatorStop::Ambiguity);
        }
        let text = self
            .open
            .iter()
            .rposition(|one| one.content == Content::Html);
        self.open.truncate(text.map_or(0, |at| at + 1));
        Ok(())
    }

    /// Whether a browser may do more at this tag in text of svg or math, or at its end tag, than to
    /// open an element and to close it.
    fn is_doubtful_in_text(&self, name: &str) -> bool {
        let around = || self.open.iter().filter(|one| one.content != Content::Html);
        has_meaning_in_text(name)
            || (self.behind_table && is_of_table(name))
            || self.open.len() > MAX_AROUND_TEXT
            || around().any(|one| one.name == name)
    }

    fn push(&mut self, name: &str, content: Content) -> u64 {
        self.opened += 1;
        let id = self.opened;
        let around = self.open.last().map_or(0, |one| one.roots);
        let roots = match content {
            Content::Html => 0,
            Content::MathMl | Content::Svg => around + usize::from(is_root(name)),
        };
        self.open.push(Open {
            id,
            name: name.to_owned(),
            content,
            roots,
        });
        id
    }

    /// Whether an end tag of another name ends the element too is for the tree to say, but for what
    /// is right in svg or math; unless the element was left before. Then its own end tag may end one
    /// around it.
    fn close(&mut self, id: Option<u64>, by_its_name: bool) -> HandlerResult {
        self.closed += 1;
        let known = id.map(|id| self.open.binary_search_by_key(&id, |one| one.id));
        let Some(Ok(at)) = known else {
            let ends_another = id.is_some() && by_its_name && self.is_open();
            return match ends_another {
                true => Err(LocatorStop::Ambiguity.into()),
                false => Ok(()),
            };
        };
        let closed = &self.open[at];
        let is_drawn = closed.content != Content::Html && !is_root(&closed.name);
        self.open.truncate(at);
        match by_its_name || is_drawn {
            true => Ok(()),
            false => Err(LocatorStop::Ambiguity.into()),
        }
    }
}

/// In each element there its name is looked for among those of all that are open around.
const MAX_AROUND_TEXT: usize = 512;

fn is_root(name: &str) -> bool {
    matches!(name, "math" | "svg")
}

/// `<mglyph>` and `<malignmark>` are MathML even where everything else is HTML; of the others
/// lol_html takes the end tag for the end of the integration point.
fn has_meaning_in_text(name: &str) -> bool {
    matches!(
        name,
        "annotation-xml"
            | "desc"
            | "foreignobject"
            | "malignmark"
            | "mglyph"
            | "mi"
            | "mn"
            | "mo"
            | "ms"
            | "mtext"
            | "title"
    )
}

/// What closes all that is open in a table, or in a cell, up to that.
fn is_of_table(name: &str) -> bool {
    matches!(
        name,
        "caption" | "col" | "colgroup" | "table" | "tbody" | "td" | "tfoot" | "th" | "thead" | "tr"
    )
}

fn is_integration_point(content: Content, name: &str, element: &Element<'_, '_>) -> bool {
    match content {
        Content::Html => false,
        Content::Svg => matches!(name, "desc" | "foreignobject" | "title"),
        Content::MathMl if name == "annotation-xml" => {
            let encoding = element.get_attribute("encoding").unwrap_or_default();
            ["text/html", "application/xhtml+xml"]
                .iter()
                .any(|html| html.eq_ignore_ascii_case(&encoding))
        }
        Content::MathMl => matches!(name, "mi" | "mn" | "mo" | "ms" | "mtext"),
    }
}

/// Elements that end svg and math.
const BREAK_OUT: [&str; 44] = [
    "b",
    "big",
    "blockquote",
    "body",
    "br",
    "center",
    "code",
    "dd",
    "div",
    "dl",
    "dt",
    "em",
    "embed",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "head",
    "hr",
    "i",
    "img",
    "li",
    "listing",
    "menu",
    "meta",
    "nobr",
    "ol",
    "p",
    "pre",
    "ruby",
    "s",
    "small",
    "span",
    "strike",
    "strong",
    "sub",
    "sup",
    "table",
    "tt",
    "u",
    "ul",
    "var",
];

fn breaks_out(name: &str, element: &Element<'_, '_>) -> bool {
    let styled = || {
        ["color", "face", "size"]
            .iter()
            .any(|name| element.has_attribute(name))
    };
    BREAK_OUT.contains(&name) || (name == "font" && styled())
}
