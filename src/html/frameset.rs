//! What a `<frameset>` makes of a page: in a frameset document, a browser drops every script that
//! stands behind it.

use std::cell::Cell;
use std::rc::Rc;

use lol_html::html_content::{Element, SourceLocation, TextChunk, TextType};
use lol_html::{
    HandlerResult, HtmlRewriter, Settings, doc_comments, doc_text, doctype, element, end_tag,
};

use super::end_probe::is_html;
use super::scan::has_end_tag;

/// How much of a page's start is kept in memory to judge a frameset by: a frameset document has
/// its head in front of it, and nothing else.
const MAX_PROLOGUE: usize = 128 * 1024;

/// A copy of the start of a page, kept while a frameset may still follow.
#[derive(Debug, Default)]
pub(super) struct Prologue {
    start: Vec<u8>,
    closed: bool,
    /// How many framesets were inert.
    inert: u8,
}

/// What a browser does with a `<frameset>` (WHATWG HTML 13.2.6.4.6 and 13.2.6.4.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Frameset {
    /// It opens a frameset document: only a head, comments and white space stand in front.
    Opens,
    /// It is ignored: the page shows something already.
    Ignored,
    /// It stands in a template, and says nothing of the page around.
    Inert,
    /// It opens a frameset document and throws away what began as a body, and showed nothing.
    Replaces,
}

impl Prologue {
    /// Keeps the chunk as far as there is room. Once the page has grown past the room, nothing
    /// is kept any more.
    pub(super) fn push(&mut self, chunk: &[u8]) {
        if self.closed {
            return;
        }
        if self.start.len() == MAX_PROLOGUE && !chunk.is_empty() {
            return self.forget();
        }
        let room = MAX_PROLOGUE - self.start.len();
        self.start
            .extend_from_slice(&chunk[..chunk.len().min(room)]);
    }

    /// Nothing will be asked any more.
    pub(super) fn forget(&mut self) {
        *self = Self {
            closed: true,
            ..Self::default()
        };
    }

    /// What a `<frameset>` at `at` does; far down a page, it is taken to be ignored, and so it is
    /// behind many in templates: each is judged by all that stands in front.
    pub(super) fn judge(&mut self, at: u64) -> Frameset {
        let prologue = usize::try_from(at).ok().and_then(|at| self.start.get(..at));
        let found = prologue.map_or(Frameset::Ignored, judge);
        if found == Frameset::Inert {
            self.inert += 1;
            if self.inert == MAX_INERT {
                self.forget();
            }
        }
        found
    }
}

const MAX_INERT: u8 = 8;

/// Browsers take it off before they read the page; it is no text that shows.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

fn judge(prologue: &[u8]) -> Frameset {
    let prologue = prologue.strip_prefix(BYTE_ORDER_MARK).unwrap_or(prologue);
    // Where text is no UTF-8, lol_html tells wrong places for what stands behind it.
    let prologue = String::from_utf8_lossy(prologue);
    let prologue = prologue.as_bytes();
    let start = Start {
        prologue,
        ..Start::default()
    };
    let settings = Settings::new()
        .append_element_content_handler(element!("*", |element| start.note_element(element)))
        .append_document_content_handler(doctype!(|doctype| {
            start.note_token(&doctype.source_location());
            Ok(())
        }))
        .append_document_content_handler(doc_comments!(|comment| {
            start.note_token(&comment.source_location());
            Ok(())
        }))
        .append_document_content_handler(doc_text!(|text| {
            start.note_text(text);
            Ok(())
        }));
    let mut rewriter = HtmlRewriter::new(settings, |_: &[u8]| {});
    let read = rewriter.write(prologue).and_then(|()| rewriter.end());
    start.note_end_tags(prologue.len());
    match (start.body.get(), start.shown.get()) {
        _ if read.is_err() => Frameset::Ignored,
        _ if start.in_template() => Frameset::Inert,
        (false, _) => Frameset::Opens,
        (true, false) => Frameset::Replaces,
        (true, true) => Frameset::Ignored,
    }
}

/// What the start of a page has come to.
#[derive(Default)]
struct Start<'p> {
    prologue: &'p [u8],
    /// Where the last token ended that was no end tag.
    token_end: Rc<Cell<usize>>,
    /// The body has begun, be it by its own tag or by something that belongs into it.
    body: Cell<bool>,
    /// The parser's "frameset-ok flag" is "not ok".
    shown: Cell<bool>,
    /// The head has ended by its tag.
    head_left: Cell<bool>,
    /// Templates that are open.
    templates: Rc<Cell<usize>>,
}

impl Start<'_> {
    fn note_token(&self, location: &SourceLocation) {
        let token = location.bytes();
        if !self.in_template() {
            self.note_end_tags(token.start);
        }
        self.token_end.set(token.end);
    }

    /// lol_html does not tell of end tags that close nothing. They are what stands between all
    /// other tokens, and three of them begin a body; `</p>` is read in one only.
    fn note_end_tags(&self, until: usize) {
        let between = self.prologue.get(self.token_end.get()..until);
        let has = |names: &[&[u8]]| has_end_tag(between.unwrap_or_default(), names);
        self.shown.set(self.shown.get() || has(&[b"br"]));
        self.head_left.set(self.head_left.get() || has(&[b"head"]));
        let begins = || has(&[b"body", b"br", b"html"]);
        self.body.set(self.body.get() || begins());
    }

    fn in_template(&self) -> bool {
        self.templates.get() > 0
    }

    /// A NUL begins a body too, where it is dropped. White space may be spelled as `&#32;`.
    fn note_text(&self, text: &TextChunk<'_>) {
        self.note_token(&text.source_location());
        if text.text_type() != TextType::Data || self.in_template() {
            return;
        }
        let text = htmlize::unescape(text.as_str());
        let mut shown = text
            .bytes()
            .filter(|byte| !byte.is_ascii_whitespace())
            .peekable();
        self.body.set(self.body.get() || shown.peek().is_some());
        self.shown
            .set(self.shown.get() || shown.any(|byte| byte != 0));
    }

    fn note_element(&self, element: &mut Element<'_, '_>) -> HandlerResult {
        self.note_token(&element.source_location());
        let name = element.tag_name();
        let html = is_html(element.namespace_uri());
        if html && name == "template" {
            self.shown.set(true);
            return self.count_template(element);
        }
        if self.in_template() {
            return Ok(());
        }
        let hidden = || {
            let kind = element.get_attribute("type").unwrap_or_default();
            let kind = htmlize::unescape_attribute(&kind);
            name == "input" && kind.eq_ignore_ascii_case("hidden")
        };
        if html && SHOWN_ELEMENTS.contains(&name.as_str()) && !hidden() {
            self.shown.set(true);
        }
        // Behind the head's end tag, all others of the head go back into it.
        let begins_behind_head = name == "noscript" && self.head_left.get();
        if !html || begins_behind_head || !HEAD_ELEMENTS.contains(&name.as_str()) {
            self.body.set(true);
        }
        Ok(())
    }

    fn count_template(&self, element: &mut Element<'_, '_>) -> HandlerResult {
        let templates = Rc::clone(&self.templates);
        templates.set(templates.get() + 1);
        let token_end = Rc::clone(&self.token_end);
        element.on_end_tag(end_tag!(move |end| {
            token_end.set(end.source_location().bytes().end);
            templates.set(templates.get().saturating_sub(1));
            Ok(())
        }))
    }
}

/// Elements that leave the parser in front of the body.
pub(super) const HEAD_ELEMENTS: [&str; 12] = [
    "base", "basefont", "bgsound", "head", "html", "link", "meta", "noframes", "noscript",
    "script", "style", "title",
];

/// Elements that set the "frameset-ok flag" to "not ok", like templates.
const SHOWN_ELEMENTS: [&str; 24] = [
    "applet", "area", "body", "br", "button", "dd", "dt", "embed", "hr", "iframe", "image", "img",
    "input", "keygen", "li", "listing", "marquee", "object", "pre", "select", "table", "textarea",
    "wbr", "xmp",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(prologue: &str) -> Frameset {
        let mut kept = Prologue::default();
        let (first, second) = prologue.split_at(prologue.len() / 2);
        kept.push(first.as_bytes());
        kept.push(format!("{second}<frameset>").as_bytes());
        kept.judge(prologue.len() as u64)
    }

    #[test]
    fn a_frameset_document_has_only_a_head_in_front() {
        for head in [
            "",
            "<!doctype html><html><head><title>a <b></title><script>x()</script></head>\n",
            "<HTML><!-- text --><noframes>text</noframes>",
            "\u{feff}<html>",
            "<template><p>x</p></template>",
            "<script>'</br>'</script><!-- </body> --></head></title>",
            "</pre></x a='</br>' </br>",
            "</p>",
            "</p><template></template>",
            "<head><noscript></head><br></noscript>",
            "</head><noframes></noframes><style></style>",
            "&#32;&Tab;",
            "<template></template></p>",
        ] {
            assert_eq!(judged(head), Frameset::Opens, "{head}");
        }
    }

    #[test]
    fn a_frameset_is_ignored_behind_what_shows_and_replaces_what_does_not() {
        for shown in [
            "text",
            "<body>",
            "<title></title>x",
            "&nbsp;",
            "<p><br>",
            "<input type=text>",
            "<svg>x</svg>",
            "<template></template><p>",
            "<title></br></title></BR >",
            "</body><template></template>",
        ] {
            assert_eq!(judged(shown), Frameset::Ignored, "{shown}");
        }
        assert_eq!(judged("<template><p>"), Frameset::Inert);
        assert_eq!(judged("<p>x<template>"), Frameset::Inert);
        for unshown in [
            "<p>",
            "<center><font>",
            "<svg></svg>",
            "<input type=HIDDEN>",
            "\0 ",
            "<head></head></body>",
            "<head></head><noscript></noscript>",
            "<input type=&#72;idden>",
            "<b>&#x20;&NewLine;",
            "<!-- -->\n</html\n>\n",
            "</text\r</br><ruby>",
            "</brx><p>",
        ] {
            assert_eq!(judged(unshown), Frameset::Replaces, "{unshown}");
        }
    }

    #[test]
    fn broken_letters_hide_no_end_tag() {
        for broken in [&b"\xfe"[..], b"\xe0\xa0", b"\x81\xfe\xf0\x90"] {
            let prologue = [b"<title>", broken, b"</title></body>"].concat();
            assert_eq!(judge(&prologue), Frameset::Replaces, "{broken:x?}");
        }
    }

    #[test]
    fn a_frameset_far_down_opens_nothing() {
        let limit = format!("<!--{}-->", " ".repeat(MAX_PROLOGUE - 7));
        assert_eq!(judged(&limit), Frameset::Opens);
        assert_eq!(judged(&format!("{limit} ")), Frameset::Ignored);
    }
}
