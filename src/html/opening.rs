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
mod tests;
