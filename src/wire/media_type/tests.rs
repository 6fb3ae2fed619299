use proptest::prelude::*;

use super::super::test_heads::heads;
use super::*;

#[test]
fn garbage_is_no_type() {
    for text in [
        "",
        " ",
        ";",
        "/",
        "text",
        "text/",
        "/html",
        "text /html",
        "text/ html",
        "text/html charset=utf-8",
        "text/html,text/plain",
        "t\u{e9}xt/html",
        "\"text/html\"",
    ] {
        assert_eq!(MediaType::parse(text), None, "{text:?}");
    }
}

#[test]
fn reads_types_as_browsers_do() {
    for (text, essence, charset) in [
        ("text/html", "text/html", None),
        ("TEXT/HTML", "text/html", None),
        (" text/html ; ", "text/html", None),
        ("text/html;charset=utf-8", "text/html", Some("utf-8")),
        (
            "text/html ;\tCharset=ISO-8859-1 ",
            "text/html",
            Some("ISO-8859-1"),
        ),
        ("text/html; charset=\"utf-8\"", "text/html", Some("utf-8")),
        (
            "text/html; charset=\"a\\\"b;c\"; x=y",
            "text/html",
            Some("a\"b;c"),
        ),
        ("text/html; charset=\"utf-8", "text/html", Some("utf-8")),
        (
            "text/html; charset=\"utf-8\"junk; x=y",
            "text/html",
            Some("utf-8"),
        ),
        ("text/html; charset=", "text/html", None),
        ("text/html; charset =utf-8", "text/html", None),
        ("text/html; charset= utf-8", "text/html", Some(" utf-8")),
        ("text/html;;;charset=a;charset=b", "text/html", Some("a")),
        ("text/html; version; charset=a", "text/html", Some("a")),
        (
            "text/html; x=\"charset=b\"; charset=a",
            "text/html",
            Some("a"),
        ),
        ("text/html; charset=a\0; charset=b", "text/html", Some("b")),
        ("text/html; charset=\"a ", "text/html", Some("a")),
        ("application/xhtml+xml", "application/xhtml+xml", None),
    ] {
        let found = MediaType::parse(text).unwrap();
        assert_eq!(
            (found.essence(), found.charset()),
            (essence, charset),
            "{text:?}"
        );
    }
}

#[test]
fn lines_that_disagree_are_no_type() {
    let html = "Content-Type: text/html; charset=";
    let charset = |lines: &[&str]| {
        let found = MediaType::of(&heads(lines)).unwrap();
        found.charset().map(str::to_owned).unwrap()
    };
    assert_eq!(
        charset(&[&format!("{html}a"), "Content-Type: TEXT/html"]),
        "a"
    );
    assert_eq!(charset(&[&format!("{html}a"), &format!("{html}b")]), "b");
    assert_eq!(charset(&[&format!("{html}a, text/HTML")]), "a");
    assert_eq!(
        charset(&[&format!("{html}a, {}b, text/html", &html[14..])]),
        "a"
    );
    assert_eq!(charset(&[&format!("{html}a,{}b", &html[14..])]), "b");
    assert_eq!(charset(&[&format!("{html}\"a\\\",b\"")]), "a\",b");
    // A quote that is left open reaches over the line's end.
    assert_eq!(
        charset(&[&format!("{html}\"a"), "Content-Type: text/html"]),
        "a, text/html"
    );
    for mixed in [
        &["Content-Type: text/html", "Content-Type: text/plain"][..],
        &["Content-Type: text/html, text/plain"],
        &["Content-Type: text/html,"],
        &["Content-Type: text/html, */*"],
    ] {
        assert_eq!(MediaType::of(&heads(mixed)), None, "{mixed:?}");
    }
    assert_eq!(
        MediaType::of(&heads(&["Content-Type: text/html", "Content-Type: "])),
        None
    );
    assert_eq!(
        MediaType::of(&heads(&["Content-Type: text/html; a=\u{e9}"])),
        None
    );
    assert_eq!(MediaType::of(&HeaderMap::new()), None);
}

#[test]
fn browsers_guess_what_nobody_says() {
    for (lines, guessed) in [
        (&[][..], true),
        (&["Content-Type:"], true),
        (&["Content-Type: html"], true),
        (&["Content-Type: ; charset=utf-8"], true),
        (&["Content-Type: */*"], true),
        (&["Content-Type: Unknown/Unknown "], true),
        (&["Content-Type: application/unknown"], true),
        (&["Content-Type: ", "Content-Type: */*"], true),
        (&["X-Content-Type-Options: sniff"], true),
        (&["Content-Type: application/unknown; charset=utf-8"], false),
        (&["Content-Type: text/"], false),
        (&["Content-Type: text/plain"], false),
        (&["Content-Type: text/html"], false),
        (&["Content-Type: ", "Content-Type: text/html"], false),
        (&["X-Content-Type-Options: NoSniff"], false),
        (
            &["Content-Type: */*", "X-Content-Type-Options: a, nosniff"],
            false,
        ),
        (
            &[
                "X-Content-Type-Options: a",
                "X-Content-Type-Options: nosniff",
            ],
            false,
        ),
    ] {
        assert_eq!(MediaType::is_guessed(&heads(lines)), guessed, "{lines:?}");
    }
}

proptest! {
    #[test]
    fn never_panics(text in "[a/;=\"\\\\ \té]{0,20}", any in "\\PC*") {
        let _ = MediaType::parse(&text);
        let _ = MediaType::parse(&format!("a/b;{text}"));
        let _ = MediaType::parse(&any);
    }
}
