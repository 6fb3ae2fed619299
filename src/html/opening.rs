//! What the first bytes of a page tell, before anything is looked for in it: its charset, and
//! whether it is a document at all.

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};

use super::charset::{self, Declared, Mark, PRESCAN, PageCharset};
use super::data;
use super::prescan::{self, UTF_16_DECLARATIONS};
use super::sniff;

/// What is known of a page before its first byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageKind {
    /// A person asked for it: it is a document, unless it begins like data.
    Document,
    /// Somebody asked for it; it is a document if it begins like one. Scripts are answered with
    /// data and pieces of pages under the same media type.
    Unknown,
    /// Nobody says what it is: it is a document if every browser takes it for one.
    Untyped,
    /// It is XHTML, served as XML: it is a document if its root says so.
    Xhtml,
}

/// What becomes of a page's first bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Opening {
    /// More must be seen.
    Wait,
    /// The page can be read, in this charset.
    Begin(PageCharset),
    /// JSON, a script, XML.
    Data,
    NotADocument,
    /// Markup cannot be found in the charset of the page.
    UnreadableCharset,
    /// It has no media type, and browsers would not all find one that is HTML.
    Untyped,
}

/// Reads the start of a page. `declared` is the header's charset; `compares_letters` says that a
/// selector asks for letters that are not ASCII, so that more must be known of the charset than
/// that markup can be found; `ended` that nothing more comes.
pub(super) fn read(
    start: &[u8],
    kind: PageKind,
    declared: Option<&'static Encoding>,
    compares_letters: bool,
    ended: bool,
) -> Opening {
    if kind == PageKind::Xhtml {
        return read_xhtml(start, declared, ended);
    }
    let (named, text) = match charset::byte_order_mark(start) {
        Mark::Undecided if !ended => return Opening::Wait,
        Mark::Undecided | Mark::Absent => (declared, start),
        Mark::Present(encoding) if encoding == UTF_8 => (Some(encoding), &start[3..]),
        Mark::Present(encoding) => (Some(encoding), &start[2..]),
    };
    let named = named.or_else(|| utf_16_declaration(start));
    if named.is_some_and(|encoding| !charset::is_readable(encoding)) {
        return Opening::UnreadableCharset;
    }
    let ascii = ascii_text(text, named);
    if let Some(no_document) = judge_kind(kind, start, &ascii, ended) {
        return no_document;
    }
    let is_data = data::is_data(&ascii).or_else(|| ended.then_some(false));
    if is_data == Some(true) {
        return Opening::Data;
    }
    match read_charset(start, text, named, compares_letters, ended) {
        Opening::Begin(_) if is_data.is_none() => Opening::Wait,
        opening => opening,
    }
}

/// `text` is what follows the byte order mark; `named` is what that, or the header, says.
fn read_charset(
    start: &[u8],
    text: &[u8],
    named: Option<&'static Encoding>,
    compares_letters: bool,
    ended: bool,
) -> Opening {
    if let Some(encoding) = named {
        return Opening::Begin(PageCharset::Certain(encoding));
    }
    let may_be_utf_16 = UTF_16_DECLARATIONS.iter();
    if !ended
        && may_be_utf_16
            .clone()
            .any(|(begin, _)| begin.starts_with(text))
    {
        return Opening::Wait;
    }
    if compares_letters {
        return match charset::declared_in(text, ended) {
            Declared::Wait => Opening::Wait,
            Declared::In(charset) => Opening::Begin(charset),
            Declared::Unreadable => Opening::UnreadableCharset,
        };
    }
    let in_declaration = b"<?xml".starts_with(text) || (is_xml(text) && !text.contains(&b'>'));
    if !ended && start.len() < PRESCAN && in_declaration {
        return Opening::Wait;
    }
    match prescan::xml_encoding(text) {
        Some(encoding) if !charset::is_readable(encoding) => Opening::UnreadableCharset,
        _ => Opening::Begin(PageCharset::Any),
    }
}

/// Whether it is no document, or that cannot be told yet. `text` is without a byte order mark.
fn judge_kind(kind: PageKind, start: &[u8], text: &[u8], ended: bool) -> Option<Opening> {
    let (told, otherwise) = match kind {
        PageKind::Document | PageKind::Xhtml => return None,
        PageKind::Untyped => (sniff::is_html(start), Opening::Untyped),
        PageKind::Unknown => (begins_document(text), Opening::NotADocument),
    };
    match told {
        None if !ended => Some(Opening::Wait),
        None | Some(false) => Some(otherwise),
        Some(true) => None,
    }
}

/// In XML no `<meta>` counts: what is not named by mark, header or declaration is UTF-8 (XML 1.0,
/// 4.3.3; RFC 7303, 3).
fn read_xhtml(start: &[u8], declared: Option<&'static Encoding>, ended: bool) -> Opening {
    let named = match charset::byte_order_mark(start) {
        Mark::Undecided if !ended => return Opening::Wait,
        Mark::Undecided | Mark::Absent => declared,
        Mark::Present(encoding) => Some(encoding),
    };
    let is_open = |begin: &[u8]| begin.starts_with(start) && !ended;
    let encoding = match named.or_else(|| utf_16_declaration(start)) {
        Some(encoding) => Some(encoding),
        None if is_open(b"<?xml") => return Opening::Wait,
        None if UTF_16_DECLARATIONS.iter().any(|(begin, _)| is_open(begin)) => {
            return Opening::Wait;
        }
        None if !is_xml(start) => Some(UTF_8),
        None => match start.iter().position(|byte| *byte == b'>') {
            None if !ended && start.len() < PRESCAN => return Opening::Wait,
            None => None,
            Some(end) => match prescan::xml_encoding(start) {
                None if names_encoding(&start[..end]) => None,
                encoding => encoding.or(Some(UTF_8)),
            },
        },
    };
    match encoding.filter(|encoding| charset::is_readable(encoding)) {
        Some(encoding) => Opening::Begin(PageCharset::Certain(encoding)),
        None => Opening::UnreadableCharset,
    }
}

fn names_encoding(declaration: &[u8]) -> bool {
    let name = b"encoding";
    declaration.windows(name.len()).any(|part| part == name)
}

/// How much white space may stand in front of what shows whether this is a document.
const MAX_LEADING_SPACE: usize = 4 * 1024;

fn utf_16_declaration(start: &[u8]) -> Option<&'static Encoding> {
    let mut declarations = UTF_16_DECLARATIONS.iter();
    let found = declarations.find(|(begin, _)| start.starts_with(begin))?;
    Some(found.1)
}

/// The text in ASCII; what is none of it is no white space and no markup either.
fn ascii_text<'t>(text: &'t [u8], encoding: Option<&'static Encoding>) -> Cow<'t, [u8]> {
    match encoding {
        Some(encoding) if encoding == UTF_16BE || encoding == UTF_16LE => {
            let low = usize::from(encoding == UTF_16BE);
            let units = text.as_chunks::<2>().0.iter();
            let ascii = units.map(|unit| match unit[1 - low] {
                0 => unit[low],
                _ => b'\xff',
            });
            ascii.collect()
        }
        _ => Cow::Borrowed(text),
    }
}

/// How documents begin, in any case; `None` while it can still go either way.
fn begins_document(text: &[u8]) -> Option<bool> {
    let looked_at = &text[..text.len().min(MAX_LEADING_SPACE)];
    let begun = looked_at.trim_ascii_start();
    match begins_with_an_opening(begun) {
        None if text.len() >= MAX_LEADING_SPACE => Some(false),
        told => told,
    }
}

fn begins_with_an_opening(text: &[u8]) -> Option<bool> {
    let begins = |opening: &&[u8]| {
        let common = text.len().min(opening.len());
        text[..common].eq_ignore_ascii_case(&opening[..common])
    };
    match DOCUMENT_OPENINGS.iter().find(|opening| begins(opening)) {
        None => Some(false),
        Some(opening) => (text.len() >= opening.len()).then_some(true),
    }
}

const DOCUMENT_OPENINGS: [&[u8]; 7] = [
    b"<!doctype",
    b"<html",
    b"<head",
    b"<body",
    b"<frameset",
    b"<?xml",
    b"<!--",
];

fn is_xml(text: &[u8]) -> bool {
    text.starts_with(b"<?xml")
}

#[cfg(test)]
mod tests {
    use encoding_rs::{ISO_2022_JP, REPLACEMENT};

    use super::*;

    fn unknown(text: &str) -> Opening {
        read(text.as_bytes(), PageKind::Unknown, None, false, false)
    }

    #[test]
    fn tells_documents_from_data_and_pieces_at_the_first_byte_that_can() {
        for document in [
            "<!DOCTYPE",
            " \n<html",
            "<HEAD",
            "<body ",
            "<frameset",
            "<!--",
            "\u{feff}<html",
        ] {
            assert!(matches!(unknown(document), Opening::Begin(_)), "{document}");
        }
        for other in [
            "{", "[]", "OK", "<p>", "<div", "<tr>", "<!x", "<htmx", "0", "<script>",
        ] {
            assert_eq!(unknown(other), Opening::NotADocument, "{other}");
        }
        for undecided in ["", " ", "<", "<!", "<!-", "<h", "<ht", "\u{feff} <"] {
            assert_eq!(unknown(undecided), Opening::Wait, "{undecided:?}");
            let ended = read(undecided.as_bytes(), PageKind::Unknown, None, false, true);
            assert_eq!(ended, Opening::NotADocument, "{undecided:?}");
        }
    }

    #[test]
    fn what_a_person_asks_for_is_a_document_unless_it_is_data() {
        let opened =
            |text: &str, ended| read(text.as_bytes(), PageKind::Document, None, false, ended);
        let begin = Opening::Begin(PageCharset::Any);
        for (text, so_far, in_all) in [
            ("<p>", begin, begin),
            ("{x", begin, begin),
            ("{", Opening::Wait, begin),
            ("{\"", Opening::Data, Opening::Data),
            ("\u{feff}[]", Opening::Data, Opening::Data),
        ] {
            assert_eq!(opened(text, false), so_far, "{text}");
            let begin = Opening::Begin(PageCharset::Any);
            assert_eq!(opened(text, true) == begin, in_all == begin, "{text}");
        }
        assert_eq!(unknown("<?xml version='1.0'?><feed>"), Opening::Data);
        assert!(matches!(
            unknown("<?xml version='1.0'?><html>"),
            Opening::Begin(_)
        ));
        let utf_16 = b"\xff\xfe{\0\"\0";
        let opened = read(utf_16, PageKind::Document, None, false, false);
        assert_eq!(opened, Opening::Data);
    }

    #[test]
    fn what_nobody_names_is_a_document_if_browsers_find_it_to_be_one() {
        let opened =
            |text: &str, ended| read(text.as_bytes(), PageKind::Untyped, None, false, ended);
        assert_eq!(opened("<p>", false), Opening::Begin(PageCharset::Any));
        assert_eq!(opened("<p", false), Opening::Wait);
        for text in ["<p", "", " ", "OK", "<br>", "\u{feff}<p>", "{\"a\":1}"] {
            assert_eq!(opened(text, true), Opening::Untyped, "{text}");
        }
        let meta = opened("<html ><meta charset=iso-2022-jp>", false);
        assert_eq!(meta, Opening::Begin(PageCharset::Any));
    }

    #[test]
    fn an_xml_declaration_names_a_charset_where_nothing_else_does() {
        let page = b"<?xml encoding='iso-2022-jp'?>";
        let opened = |declared, length: usize| {
            read(&page[..length], PageKind::Document, declared, false, false)
        };
        assert_eq!(opened(None, page.len()), Opening::UnreadableCharset);
        let certain = Opening::Begin(PageCharset::Certain(UTF_8));
        assert_eq!(opened(Some(UTF_8), page.len()), Opening::Wait);
        let rooted = [&page[..], b"<html>"].concat();
        let opened_root = read(&rooted, PageKind::Document, Some(UTF_8), false, false);
        assert_eq!(opened_root, certain);
        for length in 0..page.len() {
            assert_eq!(opened(None, length), Opening::Wait, "{length}");
        }
    }

    #[test]
    fn documents_in_utf_16_are_told_by_mark_header_or_declaration() {
        for (encoding, header, start, document) in [
            (UTF_16LE, None, &b"\xff\xfe<\0H\0T\0m\0L\0"[..], Some(true)),
            (UTF_16BE, None, b"\xfe\xff\0 \0<\0H\0T\0m\0L", Some(true)),
            (
                UTF_16BE,
                Some(UTF_8),
                b"\xfe\xff\0<\0H\0T\0m\0L",
                Some(true),
            ),
            (UTF_16LE, Some(UTF_16LE), b"<\0h\0t\0m\0l\0", Some(true)),
            (
                UTF_16LE,
                None,
                b"<\0?\0x\0m\0l\0 \0?\0>\0<\0p\0>\0",
                Some(true),
            ),
            (
                UTF_16BE,
                None,
                b"\0<\0?\0x\0m\0l\0 \0?\0>\0<\0p\0>",
                Some(true),
            ),
            (UTF_16LE, None, b"\xff\xfe<\0p\0", Some(false)),
            (UTF_16LE, None, b"\xff\xfe<\x01h\0t\0m\0l\0", Some(false)),
            (UTF_16LE, Some(UTF_16LE), b"<\0h\0", None),
        ] {
            let opened = |kind| read(start, kind, header, false, false);
            let begin = Opening::Begin(PageCharset::Certain(encoding));
            assert_eq!(opened(PageKind::Document), begin, "{start:?}");
            let expected = match document {
                Some(true) => begin,
                Some(false) => Opening::NotADocument,
                None => Opening::Wait,
            };
            assert_eq!(opened(PageKind::Unknown), expected, "{start:?}");
        }
        for length in 1..6 {
            let start = &b"<\0?\0x\0"[..length];
            let opened = read(start, PageKind::Document, None, false, false);
            assert_eq!(opened, Opening::Wait, "{length}");
        }
    }

    #[test]
    fn charsets_that_cannot_be_read_are_told_at_once() {
        for encoding in [ISO_2022_JP, REPLACEMENT] {
            let opened = read(b"<", PageKind::Unknown, Some(encoding), false, false);
            assert_eq!(opened, Opening::UnreadableCharset);
        }
    }

    #[test]
    fn white_space_is_not_waited_on_for_ever() {
        let spaces = " ".repeat(MAX_LEADING_SPACE);
        assert_eq!(unknown(&spaces[1..]), Opening::Wait);
        assert_eq!(unknown(&spaces), Opening::NotADocument);
    }
}
