//! Which charset a page is read in, by the evidence that browsers use, in their order: byte order
//! mark, header, `<meta>`, XML declaration, else windows-1252 (WHATWG HTML 13.2.3.2). The page is never decoded:
//! the charset decides whether its bytes can be read as ASCII markup at all, and how selectors
//! that are not ASCII are compared.

use std::borrow::Cow;
use std::cell::Cell;

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252, X_USER_DEFINED};
use lol_html::html_content::Element;
use lol_html::{
    AsciiCompatibleEncoding, ElementContentHandlers, HandlerTypes, HtmlRewriter, Settings,
};

use super::locator::META;
use super::opening::xml_encoding;

/// What a page is read in, and how sure that is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PageCharset {
    /// It makes no difference to the plan, as long as markup can be found: all its selectors are
    /// ASCII.
    Any,
    /// The header or a byte order mark names it; nothing in the page can change it.
    Certain(AsciiCompatibleEncoding),
    /// The first `<meta>` names it, or nothing does.
    Tentative(AsciiCompatibleEncoding),
}

impl PageCharset {
    pub(super) fn encoding(self) -> AsciiCompatibleEncoding {
        match self {
            Self::Any => AsciiCompatibleEncoding::utf_8(),
            Self::Certain(encoding) | Self::Tentative(encoding) => encoding,
        }
    }

    /// Whether a page that was read like this may come to declare `encoding`.
    pub(super) fn agrees_with(self, encoding: &'static Encoding) -> bool {
        match self {
            Self::Any => is_ascii_compatible(encoding),
            Self::Certain(_) => true,
            Self::Tentative(read_in) => <&Encoding>::from(read_in) == encoding,
        }
    }
}

/// How much of a page may be held back to learn its charset, where that matters: as much as
/// browsers look at (WHATWG HTML 13.2.3.2).
pub(super) const PRESCAN: usize = 1024;

/// The charset of a page that neither header nor byte order mark names: what the first `<meta>`
/// near its start declares, else its XML declaration, else windows-1252. `Err` if markup cannot be found in that.
pub(super) fn prescan(start: &[u8]) -> Result<PageCharset, NotAsciiCompatible> {
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
    // Markup that the parser will not read is met again, and judged, when the page is.
    let _ = rewriter.write(start);
    let encoding = declared
        .get()
        .or_else(|| xml_encoding(start))
        .unwrap_or(WINDOWS_1252);
    AsciiCompatibleEncoding::new(encoding)
        .map(PageCharset::Tentative)
        .ok_or(NotAsciiCompatible)
}

/// Bytes below 0x80 do not always mean themselves in the page's charset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NotAsciiCompatible;

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

/// Whether bytes below 0x80 always mean themselves, so that markup can be found in the raw page.
pub fn is_ascii_compatible(encoding: &'static Encoding) -> bool {
    AsciiCompatibleEncoding::new(encoding).is_some()
}

/// The encoding that a `<meta>` element declares.
pub(super) fn declared_by<H: HandlerTypes>(meta: &Element<'_, '_, H>) -> Option<&'static Encoding> {
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
    let label = match charset {
        Some(label) => label,
        None => charset_in(content.filter(|_| pragma)?)?,
    };
    let encoding = labelled(label)?;
    Some(match encoding {
        _ if encoding == UTF_16BE || encoding == UTF_16LE => UTF_8,
        _ if encoding == X_USER_DEFINED => WINDOWS_1252,
        _ => encoding,
    })
}

/// The label in `text/html; charset=label` (WHATWG HTML, "extracting a character encoding from a
/// meta element").
fn charset_in(content: &str) -> Option<&str> {
    let lower = content.to_ascii_lowercase();
    let mut from = 0;
    loop {
        let at = from + lower[from..].find("charset")? + "charset".len();
        let rest = content[at..].trim_start();
        let Some(value) = rest.strip_prefix('=') else {
            from = at;
            continue;
        };
        let value = value.trim_start();
        return match value.chars().next()? {
            quote @ ('"' | '\'') => value[1..].split_once(quote).map(|(label, _)| label),
            _ => value
                .split(|end: char| end == ';' || end.is_ascii_whitespace())
                .next(),
        };
    }
}

#[cfg(test)]
mod tests {
    use encoding_rs::{ISO_2022_JP, SHIFT_JIS};

    use super::*;

    #[test]
    fn a_byte_order_mark_is_decided_as_early_as_can_be() {
        for (start, mark) in [
            (&b""[..], Mark::Undecided),
            (b"\xef", Mark::Undecided),
            (b"\xef\xbb", Mark::Undecided),
            (b"\xff", Mark::Undecided),
            (b"<", Mark::Absent),
            (b"\xefa", Mark::Absent),
            (b"\xfe\xfe", Mark::Absent),
            (b"\xef\xbb\xbf", Mark::Present(UTF_8)),
            (b"\xfe\xff\0<", Mark::Present(UTF_16BE)),
            (b"\xff\xfe<\0", Mark::Present(UTF_16LE)),
        ] {
            assert_eq!(byte_order_mark(start), mark, "{start:?}");
        }
    }

    #[test]
    fn a_meta_names_its_charset_in_either_form() {
        let pragma = |content| in_meta(None, Some("Content-Type"), Some(content));
        assert_eq!(in_meta(Some("shift_jis"), None, None), Some(SHIFT_JIS));
        assert_eq!(pragma("text/html; charset=ISO-2022-JP"), Some(ISO_2022_JP));
        assert_eq!(
            pragma("text/html; charsets charset = 'utf-8' ; x"),
            Some(UTF_8)
        );
        assert_eq!(pragma("charset=\"utf-8"), None);
        assert_eq!(pragma("text/html"), None);
        assert_eq!(
            in_meta(None, Some("refresh"), Some("0; charset=utf-8")),
            None
        );
        assert_eq!(in_meta(Some("utf-16"), None, None), Some(UTF_8));
        assert_eq!(in_meta(Some("no such"), None, None), None);
    }

    #[test]
    fn knows_which_charsets_give_ascii_bytes_a_second_meaning() {
        for (label, compatible) in [
            ("utf-8", true),
            ("shift_jis", true),
            ("iso-2022-jp", false),
            ("utf-16le", false),
        ] {
            assert_eq!(
                is_ascii_compatible(labelled(label).unwrap()),
                compatible,
                "{label}"
            );
        }
    }
}
