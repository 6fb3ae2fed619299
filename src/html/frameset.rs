//! Whether a `<frameset>` makes the page a frameset document, in which a browser drops every
//! script that stands behind it.

use std::cell::Cell;

use lol_html::html_content::TextType;
use lol_html::{HtmlRewriter, Settings, doc_text, element};

/// How much of a page's start is kept in memory to judge a frameset by: a frameset document has
/// its head in front of it, and nothing else.
const MAX_PROLOGUE: usize = 16 * 1024;

/// A copy of the start of a page, kept while a frameset may still follow.
#[derive(Debug, Default)]
pub(super) struct Prologue {
    start: Vec<u8>,
    closed: bool,
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
            start: Vec::new(),
            closed: true,
        };
    }

    /// Whether a `<frameset>` at `at` opens a frameset document: only a head, comments and white
    /// space stand in front of it (WHATWG HTML 13.2.6.4.6, "after head" insertion mode).
    pub(super) fn ends_in_frameset(&self, at: u64) -> bool {
        let prologue = usize::try_from(at).ok().and_then(|at| self.start.get(..at));
        prologue.is_some_and(is_head_only)
    }
}

/// Elements that leave the parser in front of the body.
const HEAD_ELEMENTS: [&str; 13] = [
    "base", "basefont", "bgsound", "head", "html", "link", "meta", "noframes", "noscript",
    "script", "style", "template", "title",
];

fn is_head_only(prologue: &[u8]) -> bool {
    let body_began = Cell::new(false);
    let settings = Settings::new()
        .append_element_content_handler(element!("*", |element| {
            let head = HEAD_ELEMENTS.contains(&element.tag_name().as_str());
            body_began.set(body_began.get() || !head);
            Ok(())
        }))
        .append_document_content_handler(doc_text!(|text| {
            let shown = text.text_type() == TextType::Data
                && !text.as_str().bytes().all(|byte| byte.is_ascii_whitespace());
            body_began.set(body_began.get() || shown);
            Ok(())
        }));
    let mut rewriter = HtmlRewriter::new(settings, |_: &[u8]| {});
    if rewriter.write(prologue).is_err() {
        return false;
    }
    rewriter.end().is_ok() && !body_began.get()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opens(prologue: &str) -> bool {
        let mut kept = Prologue::default();
        let (first, second) = prologue.split_at(prologue.len() / 2);
        kept.push(first.as_bytes());
        kept.push(format!("{second}<frameset>").as_bytes());
        kept.ends_in_frameset(prologue.len() as u64)
    }

    #[test]
    fn a_frameset_document_has_only_a_head_in_front() {
        assert!(opens(""));
        assert!(opens(
            "<!doctype html><html><head><title>a <b></title><script>x()</script></head>\n"
        ));
        assert!(opens("<HTML><!-- text --><noframes>text</noframes>"));
        for body in [
            "text",
            "<p>",
            "<title></title>x",
            "<body>",
            "<svg></svg>",
            "&nbsp;",
        ] {
            assert!(!opens(body), "{body}");
        }
    }

    #[test]
    fn a_frameset_far_down_opens_nothing() {
        let limit = format!("<!--{}-->", " ".repeat(MAX_PROLOGUE - 7));
        assert!(opens(&limit));
        assert!(!opens(&format!("{limit} ")));
    }
}
