//! Which charset a page is read in, by the evidence that browsers use, in their order: byte order
//! mark, header, `<meta>`, XML declaration, else windows-1252 (WHATWG HTML 13.2.3.2). It decides
//! whether the page's bytes can be searched for markup as they are, and how selectors that are
//! not ASCII are compared.

use std::borrow::Cow;
use std::cell::Cell;

use encoding_rs::{
    BIG5, EUC_KR, Encoding, GB18030, GBK, ISO_2022_JP, REPLACEMENT, SHIFT_JIS, UTF_8, UTF_16BE,
    UTF_16LE, WINDOWS_1252,
};
use lol_html::html_content::Element;
use lol_html::{ElementContentHandlers, HandlerTypes, HtmlRewriter, Settings};

use super::locator::META;
use super::prescan::{self, Declaration};

/// What a page is read in, and how sure that is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PageCharset {
    /// It makes no difference to the plan, as long as markup can be found: all its selectors are
    /// ASCII.
    Any,
    /// The header or a byte order mark names it; nothing in the page can change it.
    Certain(&'static Encoding),
    /// The first `<meta>` names it, or nothing does.
    Tentative(&'static Encoding),
}

impl PageCharset {
    /// The charset that the page is transcoded from to be searched; `None` where its bytes can be
    /// searched as they are. `compares_letters`: a selector asks for letters that are not ASCII.
    pub(super) fn transcoded_from(self, compares_letters: bool) -> Option<&'static Encoding> {
        let (Self::Certain(encoding) | Self::Tentative(encoding)) = self else {
            return None;
        };
        let as_it_is =
            encoding == UTF_8 || !compares_letters && ascii_bytes_are_characters(encoding);
        (!as_it_is).then_some(encoding)
    }

    /// Whether a page that was read like this may come to declare `encoding`.
    fn agrees_with(self, encoding: &'static Encoding) -> bool {
        match self {
            Self::Any => is_ascii_compatible(encoding),
            Self::Certain(_) => true,
            Self::Tentative(read_in) => read_in == encoding,
        }
    }

    /// Whether a `<meta>` says that the page was read wrongly so far. In a charset that gives bytes
    /// like `<` a second meaning (ISO-2022-JP), reading on would find tags in the middle of words;
    /// in another charset than the selectors were compared in, masks would be missed.
    pub(super) fn is_contradicted_by<H: HandlerTypes>(self, meta: &Element<'_, '_, H>) -> bool {
        declared_by(meta).is_some_and(|encoding| !self.agrees_with(encoding))
    }

    /// The same by the values of `charset`, `http-equiv` and `content`.
    pub(super) fn is_contradicted_by_values(
        self,
        charset: Option<&str>,
        http_equiv: Option<&str>,
        content: Option<&str>,
    ) -> bool {
        in_meta(charset, http_equiv, content).is_some_and(|encoding| !self.agrees_with(encoding))
    }
}

/// How much of a page may be held back to learn its charset, where that matters: as much as
/// browsers look at (WHATWG HTML 13.2.3.2).
pub(super) const PRESCAN: usize = 1024;

/// What the first bytes of a page that neither header nor byte order mark speak for have shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Declared {
    /// More bytes may tell.
    Wait,
    In(PageCharset),
    /// Markup cannot be found in that charset, or browsers do not agree on which it is.
    Unreadable,
}

/// The charset of such a page: what its first `<meta>` declares, else its XML declaration, else
/// windows-1252. `ended`: nothing more comes.
pub(super) fn declared_in(start: &[u8], ended: bool) -> Declared {
    let complete = ended || start.len() >= PRESCAN;
    let start = &start[..start.len().min(PRESCAN)];
    let encoding = match prescan::declared_in(start) {
        Some(declaration) if !parser_agrees(start, declaration) => return Declared::Unreadable,
        Some(declaration) => declaration.encoding,
        None if !complete => return Declared::Wait,
        None => prescan::xml_encoding(start).unwrap_or(WINDOWS_1252),
    };
    if is_ascii_compatible(encoding) {
        Declared::In(PageCharset::Tentative(encoding))
    } else {
        Declared::Unreadable
    }
}

/// Whether a browser that prescans with a parser (Chromium) comes to the same: it takes no notice
/// of what a script or a title contains.
fn parser_agrees(start: &[u8], declaration: Declaration) -> bool {
    let declared = Cell::new(None);
    let note = |element: &mut Element<'_, '_>| {
        declared.set(declared.get().or_else(|| declared_by(element)));
        Ok(())
    };
    let settings = Settings::new().append_element_content_handler((
        Cow::Borrowed(&*META),
        ElementContentHandlers::default().element(note),
    ));
    let mut rewriter = HtmlRewriter::new(settings, |_: &[u8]| {});
    let read = rewriter.write(&start[..declaration.end]);
    drop(rewriter);
    read.is_ok() && declared.get() == Some(declaration.encoding)
}

/// What the first bytes of a page say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    /// Too few bytes to tell.
    Undecided,
    Absent,
    Present(&'static Encoding),
}

/// Looks for a byte order mark; decides at the first byte that cannot begin one.
pub(super) fn byte_order_mark(start: &[u8]) -> Mark {
    match start {
        [] | [0xef | 0xfe | 0xff] | [0xef, 0xbb] => Mark::Undecided,
        [0xef, 0xbb, 0xbf, ..] => Mark::Present(UTF_8),
        [0xfe, 0xff, ..] => Mark::Present(UTF_16BE),
        [0xff, 0xfe, ..] => Mark::Present(UTF_16LE),
        _ => Mark::Absent,
    }
}

/// The encoding that a label names, such as the `charset` parameter of a media type.
pub fn labelled(label: &str) -> Option<&'static Encoding> {
    Encoding::for_label(label.as_bytes())
}

/// Whether pages in it can be read: in ISO-2022-JP, and in what browsers refuse to read, bytes of
/// markup may be something else, and the other way around.
pub fn is_readable(encoding: &'static Encoding) -> bool {
    encoding != ISO_2022_JP && encoding != REPLACEMENT
}

/// Whether markup can be found in the bytes of the page, without knowing more.
fn is_ascii_compatible(encoding: &'static Encoding) -> bool {
    encoding.is_ascii_compatible()
}

/// Whether bytes below 0x80 are always characters of their own. None of those that markup is made
/// of is ever the second byte of a character; but letters, backslash and `]` may be.
fn ascii_bytes_are_characters(encoding: &'static Encoding) -> bool {
    encoding.is_ascii_compatible() && ![BIG5, EUC_KR, GB18030, GBK, SHIFT_JIS].contains(&encoding)
}

/// The encoding that a `<meta>` element declares to a parser.
fn declared_by<H: HandlerTypes>(meta: &Element<'_, '_, H>) -> Option<&'static Encoding> {
    in_meta(
        meta.get_attribute("charset").as_deref(),
        meta.get_attribute("http-equiv").as_deref(),
        meta.get_attribute("content").as_deref(),
    )
}

fn in_meta(
    charset: Option<&str>,
    http_equiv: Option<&str>,
    content: Option<&str>,
) -> Option<&'static Encoding> {
    let pragma = http_equiv.is_some_and(|name| name.eq_ignore_ascii_case("content-type"));
    let content = content.filter(|_| pragma);
    let in_content = || prescan::encoding_in(content?.as_bytes());
    charset
        .and_then(labelled)
        .or_else(in_content)
        .map(prescan::declarable)
}

#[cfg(test)]
mod tests;
