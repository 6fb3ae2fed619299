//! Bytes that nobody says a media type of: browsers look whether they begin like HTML (WHATWG MIME
//! Sniffing 7.1), not all alike.

/// How far Chromium looks.
const MAX_LOOKED_AT: usize = 512;

/// Whether every browser shows the bytes as HTML; `None`: more bytes may tell. What only some of
/// them do would be a tag in the text that the others show.
pub(super) fn is_html(start: &[u8]) -> Option<bool> {
    let looked_at = &start[..start.len().min(MAX_LOOKED_AT)];
    let is_space = |byte: &&u8| matches!(byte, b'\t' | b'\n' | b'\x0c' | b'\r' | b' ');
    let spaces = looked_at.iter().take_while(is_space).count();
    match begins_html(&looked_at[spaces..]) {
        None if looked_at.len() == MAX_LOOKED_AT => Some(false),
        told => told,
    }
}

fn begins_html(text: &[u8]) -> Option<bool> {
    let common = |opening: &&[u8]| text.len().min(opening.len());
    let openings = OPENINGS.iter().filter(|opening| {
        text[..common(opening)].eq_ignore_ascii_case(&opening[..common(opening)])
    });
    let ended = |opening: &[u8]| {
        text.get(opening.len())
            .map(|end| matches!(end, b' ' | b'>'))
    };
    let told: Vec<_> = openings.map(|opening| ended(opening)).collect();
    match told {
        _ if told.contains(&Some(true)) => Some(true),
        _ if told.contains(&None) => None,
        _ => Some(false),
    }
}

/// What Chromium, Firefox and the standard have in common; a space or `>` comes next. (`<br` is
/// none to Firefox; behind a byte order mark all is text.)
const OPENINGS: [&[u8]; 16] = [
    b"<!doctype html",
    b"<html",
    b"<head",
    b"<script",
    b"<iframe",
    b"<h1",
    b"<div",
    b"<font",
    b"<table",
    b"<a",
    b"<style",
    b"<title",
    b"<b",
    b"<body",
    b"<p",
    b"<!--",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_every_browser_shows_as_html_is_told_at_the_first_byte_that_can() {
        for page in [
            "<!doctype HTML>",
            "<HTML ",
            " \t\r\n\x0c<head>",
            "<script ",
            "<iframe>",
            "<h1>",
            "<DIV ",
            "<font ",
            "<table>",
            "<a ",
            "<style>",
            "<title>",
            "<b>",
            "<body ",
            "<p>",
            "<!-- ",
        ] {
            assert_eq!(is_html(page.as_bytes()), Some(true), "{page}");
            for length in 0..page.len() {
                assert_eq!(is_html(&page.as_bytes()[..length]), None, "{page} {length}");
            }
        }
    }

    #[test]
    fn what_some_show_as_text_is_not_html() {
        for other in [
            "text",
            "{",
            "<br>",
            "<pre>",
            "<p\n",
            "<p/>",
            "<h2>",
            "<form>",
            "<!--a",
            "<!doctype html\n",
            "<!doctype svg",
            "<?xml",
            "</p>",
            "\x0b<p>",
            "\u{feff}<p>",
            "\0<p>",
            "<htmx>",
        ] {
            assert_eq!(is_html(other.as_bytes()), Some(false), "{other:?}");
        }
        assert_eq!(is_html(b"\xff\xfe<\0p\0>\0"), Some(false));
    }

    #[test]
    fn no_browser_looks_for_ever() {
        let page = |spaces| [" ".repeat(spaces), "<p>".into()].concat();
        assert_eq!(is_html(page(509).as_bytes()), Some(true));
        assert_eq!(is_html(page(510).as_bytes()), Some(false));
        assert_eq!(is_html(" ".repeat(511).as_bytes()), None);
        assert_eq!(is_html(" ".repeat(512).as_bytes()), Some(false));
    }
}
