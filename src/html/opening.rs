//! What the first bytes of a page tell, before anything is looked for in it: its charset, and
//! whether it is a document at all.

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};

use super::charset::{self, Mark, PRESCAN};

/// What is known of a page before its first byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageKind {
    /// A person asked for it: it is a document, whatever it begins with.
    Document,
    /// Somebody asked for it; it is a document if it begins like one. Scripts are answered with
    /// data and pieces of pages under the same media type.
    Unknown,
}

/// What becomes of a page's first bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Opening {
    /// More must be seen.
    Wait,
    /// The page can be read; header or byte order mark name its charset, or nothing does.
    Begin(Option<&'static Encoding>),
    NotADocument,
    /// Markup cannot be found in the charset of its XML declaration.
    UnreadableCharset,
}

/// Reads the start of a page. `declared` is the header's charset; `holds_for_meta` says that more
/// must be known of the charset than that markup can be found; `ended` that nothing more comes.
pub(super) fn read(
    start: &[u8],
    kind: PageKind,
    declared: Option<&'static Encoding>,
    holds_for_meta: bool,
    ended: bool,
) -> Opening {
    let (named, text) = match charset::byte_order_mark(start) {
        Mark::Undecided if !ended => return Opening::Wait,
        Mark::Undecided | Mark::Absent => (declared, start),
        Mark::Present(encoding) if encoding == UTF_8 => (Some(encoding), &start[3..]),
        Mark::Present(encoding) => return Opening::Begin(Some(encoding)),
    };
    match kind {
        PageKind::Unknown => match begins_document(text) {
            None if !ended => return Opening::Wait,
            None | Some(false) => return Opening::NotADocument,
            Some(true) => {}
        },
        PageKind::Document => {}
    }
    if named.is_some() {
        return Opening::Begin(named);
    }
    let in_declaration = b"<?xml".starts_with(text) || (is_xml(text) && !text.contains(&b'>'));
    if !ended && start.len() < PRESCAN && (holds_for_meta || in_declaration) {
        return Opening::Wait;
    }
    match xml_encoding(text) {
        Some(encoding) if !charset::is_ascii_compatible(encoding) => Opening::UnreadableCharset,
        _ => Opening::Begin(None),
    }
}

/// How documents begin, in any case; `None` while it can still go either way.
fn begins_document(text: &[u8]) -> Option<bool> {
    let text = text.trim_ascii_start();
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

/// The encoding that an XML declaration names (WHATWG HTML, "get an XML encoding"): browsers obey
/// it in HTML, too, where nothing else speaks.
pub(super) fn xml_encoding(text: &[u8]) -> Option<&'static Encoding> {
    let declaration = text.strip_prefix(b"<?xml")?;
    let end = declaration.iter().position(|byte| *byte == b'>')?;
    let declaration = std::str::from_utf8(&declaration[..end]).ok()?;
    let (_, value) = declaration.split_once("encoding")?;
    let value = value.trim_start().strip_prefix('=')?.trim_start();
    let quote = value
        .chars()
        .next()
        .filter(|quote| matches!(quote, '"' | '\''))?;
    let label = value[1..].split(quote).next()?;
    let encoding = charset::labelled(label.trim())?;
    let is_utf_16 = encoding == UTF_16BE || encoding == UTF_16LE;
    Some(if is_utf_16 { UTF_8 } else { encoding })
}

#[cfg(test)]
mod tests {
    use encoding_rs::{ISO_2022_JP, SHIFT_JIS};

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
        let asked_for = read(b"{", PageKind::Document, None, false, false);
        assert_eq!(asked_for, Opening::Begin(None));
    }

    #[test]
    fn an_xml_declaration_names_a_charset_where_nothing_else_does() {
        let of =
            |label| xml_encoding(format!("<?xml version='1.0' encoding=\"{label}\"?>").as_bytes());
        assert_eq!(of("Shift_JIS"), Some(SHIFT_JIS));
        assert_eq!(of("iso-2022-jp"), Some(ISO_2022_JP));
        assert_eq!(of("utf-16"), Some(UTF_8));
        assert_eq!(xml_encoding(b"<?xml version='1.0'?>"), None);
        assert_eq!(xml_encoding(b"<?xml encoding='utf-8'"), None);
        let page = b"<?xml encoding='iso-2022-jp'?>";
        let opened = |declared, length: usize| {
            read(&page[..length], PageKind::Document, declared, false, false)
        };
        assert_eq!(opened(None, page.len()), Opening::UnreadableCharset);
        assert_eq!(opened(Some(UTF_8), page.len()), Opening::Begin(Some(UTF_8)));
        for length in 0..page.len() {
            assert_eq!(opened(None, length), Opening::Wait, "{length}");
        }
    }
}
