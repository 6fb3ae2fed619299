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
    let opened = |text: &str, ended| read(text.as_bytes(), PageKind::Document, None, false, ended);
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
    let opened = |text: &str, ended| read(text.as_bytes(), PageKind::Untyped, None, false, ended);
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
    let opened =
        |declared, length: usize| read(&page[..length], PageKind::Document, declared, false, false);
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
