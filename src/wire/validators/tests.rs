use proptest::prelude::*;

use super::super::test_heads::{heads, lines};
use super::*;

const DATE: &str = "Sun, 06 Nov 1994 08:49:37 GMT";

#[track_caller]
fn check_down(before: &[&str], after: &[&str]) {
    let mut headers = heads(before);
    tag_down(&mut headers, "v2");
    assert_eq!(lines(&headers), after, "{before:?}");
}

#[track_caller]
fn check_up(before: &[&str], after: &[&str], expect: &Conditional) {
    let mut headers = heads(before);
    assert_eq!(&restore_up(&mut headers, "v2"), expect, "{before:?}");
    assert_eq!(lines(&headers), after, "{before:?}");
}

#[track_caller]
fn check_foreign(before: &[&str], after: &[&str]) -> Conditional {
    let mut headers = heads(before);
    let conditional = restore_foreign(&mut headers, "v2");
    assert_eq!(lines(&headers), after, "{before:?}");
    conditional
}

#[test]
fn unreadable_validators_do_not_go_down() {
    for before in [
        &["ETag: abc"][..],
        &["ETag: \"a\"", "ETag: \"a\""],
        &["ETag: \"a\"b\""],
        &["ETag: "],
        &["Last-Modified: yesterday"],
        &["Last-Modified: Thu, 01 Jan 1601 00:00:00 GMT"],
        &["Last-Modified: 0"],
        &["Last-Modified: \u{e9}"],
        &[
            "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT",
            "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT",
        ],
        &[],
    ] {
        check_down(before, &[]);
    }
}

#[test]
fn tags_go_down_with_the_version() {
    check_down(&["ETag: \"abc\""], &["etag: W/\"abc~ceS.v2\""]);
    check_down(&["ETag: W/\"abc\""], &["etag: W/\"abc~ceW.v2\""]);
    check_down(
        &["ETag: \"a,\u{e9} b\""],
        &["etag: W/\"a,\u{e9} b~ceS.v2\""],
    );
    check_down(&["ETag: \"\""], &["etag: W/\"~ceS.v2\""]);
    let date = format!("last-modified: {DATE}");
    check_down(&[&date], &["etag: W/\"2ebc98a1~ceL.v2\"", &date]);
    check_down(&[&date, "ETag: \"a\""], &["etag: W/\"a~ceS.v2\"", &date]);
    check_down(
        &[&date, "ETag: bad"],
        &["etag: W/\"2ebc98a1~ceL.v2\"", &date],
    );
    check_down(
        &["ETag: \"a\"", "Last-Modified: -1"],
        &["etag: W/\"a~ceS.v2\""],
    );
    let old = "last-modified: Sunday, 06-Nov-94 08:49:37 GMT";
    check_down(&[old], &["etag: W/\"2ebc98a1~ceL.v2\"", old]);
}

#[test]
fn pages_of_another_version_are_asked_for_anew() {
    for condition in [
        "If-None-Match: \"abc\"",
        "If-None-Match: W/\"abc\"",
        "If-None-Match: *",
        "If-None-Match: W/\"abc~ceS.v1\"",
        "If-None-Match: W/\"abc~ceS.v22\"",
        "If-None-Match: W/\"abc~ceS.V2\"",
        "If-None-Match: W/\"abc~ceS.xv2\"",
        "If-None-Match: W/\"2ebc98a1~ceL.v1\"",
        "If-None-Match: W/\"3afff44180~ceL.v2\"",
        "If-None-Match: abc~ceS.v2",
        "If-None-Match: ",
        "If-None-Match: ,,\"",
    ] {
        let date = format!("If-Modified-Since: {DATE}");
        check_up(
            &[condition, &date, "A: b"],
            &["a: b"],
            &Conditional::Unconditional,
        );
    }
    check_up(&["If-Modified-Since: x"], &[], &Conditional::Unconditional);
    check_up(&[], &[], &Conditional::Unconditional);
}

#[test]
fn pages_of_this_version_are_asked_about() {
    for (list, expect) in [
        ("W/\"abc~ceS.v2\"", "\"abc\""),
        ("\"abc~ceS.v2\"", "\"abc\""),
        ("W/\"abc~ceW.v2\"", "W/\"abc\""),
        ("W/\"a,\u{e9} b~ceS.v2\"", "\"a,\u{e9} b\""),
        ("W/\"~ceS.v2\"", "\"\""),
        (
            "\"x\", W/\"a~ceS.v2\",W/\"b~ceW.v2\" , W/\"c~ceS.v1\", *",
            "\"a\", W/\"b\"",
        ),
        ("W/\"2ebc98a1~ceL.v2\", W/\"a~ceS.v2\"", "\"a\""),
        ("W/\"a~ceS.v1~ceW.v2\"", "W/\"a~ceS.v1\""),
    ] {
        let before = [&format!("If-None-Match: {list}"), "If-Modified-Since: x"];
        check_up(
            &before,
            &[&format!("if-none-match: {expect}")],
            &Conditional::Page,
        );
    }
    check_up(
        &[
            "If-None-Match: W/\"a~ceS.v2\"",
            "If-None-Match: W/\"b~ceS.v2\"",
        ],
        &["if-none-match: \"a\", \"b\""],
        &Conditional::Page,
    );
}

#[test]
fn a_tag_made_of_a_date_goes_up_as_the_date() {
    let expect = format!("if-modified-since: {DATE}");
    for list in [
        "W/\"2ebc98a1~ceL.v2\"",
        "W/\"2ebc98a1~ceL.v2\", W/\"2EBC98A1~ceL.v2\", W/\"1~ceL.v1\"",
    ] {
        let before = [&format!("If-None-Match: {list}"), "If-Modified-Since: x"];
        check_up(&before, &[&expect], &Conditional::Page);
    }
}

#[test]
fn other_requests_keep_their_own_conditions() {
    for kept in [
        &["if-none-match: \"a\""][..],
        &["if-none-match: *"],
        &["if-none-match: nonsense, \"x"],
        &["if-none-match: \"a\"", "if-none-match: \"b\""],
        &["if-modified-since: x", "if-none-match: \"a\""],
        &[
            "if-modified-since: x",
            "if-range: \"a\"",
            "range: bytes=0-1",
        ],
    ] {
        let conditional = check_foreign(kept, kept);
        assert_eq!(
            conditional,
            Conditional::Mixed {
                restored: vec![],
                made_of_date: false
            }
        );
    }
}

#[test]
fn other_requests_speak_of_our_pages_in_the_origins_words() {
    let conditional = check_foreign(
        &[
            "If-None-Match: \"x\", W/\"a~ceS.v2\", W/\"b~ceS.v1\"",
            "If-Modified-Since: x",
        ],
        &["if-none-match: \"x\", \"a\""],
    );
    let restored = vec![b"\"a\"".to_vec()];
    assert_eq!(
        conditional,
        Conditional::Mixed {
            restored,
            made_of_date: false
        }
    );
    check_foreign(
        &["If-None-Match: W/\"b~ceS.v1\"", "If-Modified-Since: x"],
        &[],
    );
    let date = format!("if-modified-since: {DATE}");
    let conditional = check_foreign(&["If-None-Match: W/\"2ebc98a1~ceL.v2\""], &[&date]);
    assert_eq!(
        conditional,
        Conditional::Mixed {
            restored: vec![],
            made_of_date: true
        }
    );
    check_foreign(
        &["If-Range: W/\"a~ceS.v2\"", "Range: bytes=0-1", "X: y"],
        &["x: y"],
    );
}

#[test]
fn a_date_that_was_not_sent_is_not_answered() {
    let conditional = check_foreign(
        &["If-None-Match: \"x\", W/\"2ebc98a1~ceL.v2\""],
        &["if-none-match: \"x\""],
    );
    assert_eq!(
        conditional,
        Conditional::Mixed {
            restored: vec![],
            made_of_date: false
        }
    );
}

#[test]
fn writers_compare_with_the_origins_page() {
    let date = format!("if-unmodified-since: {DATE}");
    for (before, after) in [
        ("If-Match: \"a\", *", "if-match: \"a\", *"),
        ("If-Match: W/\"a~ceS.v1\"", "if-match: \"a\""),
        (
            "If-Match: \"x\", W/\"a~ceS.v1\", W/\"b~ceW.v2\"",
            "if-match: \"x\", \"a\", W/\"b\"",
        ),
        ("If-Match: W/\"2ebc98a1~ceL.v1\"", &date),
    ] {
        let mut headers = heads(&[before]);
        restore_if_match(&mut headers);
        assert_eq!(lines(&headers), [after], "{before}");
    }
}

#[test]
fn of_several_dates_the_earliest_counts() {
    let mut headers = heads(&["If-Match: W/\"2~ceL.v2\", W/\"1~ceL.v2\""]);
    restore_if_match(&mut headers);
    let expect = "if-unmodified-since: Thu, 01 Jan 1970 00:00:01 GMT";
    assert_eq!(lines(&headers), [expect]);
    check_up(
        &["If-None-Match: W/\"2~ceL.v2\", W/\"1~ceL.v2\""],
        &["if-modified-since: Thu, 01 Jan 1970 00:00:01 GMT"],
        &Conditional::Page,
    );
}

#[track_caller]
fn check_304(conditional: &Conditional, before: &[&str], after: &[&str]) {
    let mut headers = heads(before);
    conditional.tag_not_modified(&mut headers, "v2", None);
    assert_eq!(lines(&headers), after, "{conditional:?} {before:?}");
}

#[test]
fn a_304_names_the_page_as_the_visitor_knows_it() {
    let page = Conditional::Page;
    check_304(&page, &["ETag: \"a\""], &["etag: W/\"a~ceS.v2\""]);
    check_304(&page, &[], &[]);
    check_304(
        &Conditional::Unconditional,
        &["ETag: \"a\""],
        &["etag: \"a\""],
    );
}

#[test]
fn a_304_without_a_tag_names_the_one_page_that_was_asked_about() {
    for (list, sole) in [
        ("W/\"a~ceS.v2\"", Some("W/\"a~ceS.v2\"")),
        (
            "\"x\", W/\"a~ceS.v2\", W/\"a~ceS.v1\"",
            Some("W/\"a~ceS.v2\""),
        ),
        ("W/\"2ebc98a1~ceL.v2\"", Some("W/\"2ebc98a1~ceL.v2\"")),
        ("W/\"a~ceS.v2\", W/\"b~ceS.v2\"", None),
        ("W/\"a~ceS.v1\"", None),
        ("\"a\", *", None),
        ("", None),
    ] {
        let asked = heads(&[&format!("If-None-Match: {list}")]);
        let found = sole_page_tag(&asked, "v2");
        let expect = sole.map(|tag| HeaderValue::from_str(tag).unwrap());
        assert_eq!(found, expect, "{list}");
    }
    let sole = HeaderValue::from_static("W/\"a~ceS.v2\"");
    let date = format!("last-modified: {DATE}");
    for (conditional, before, after) in [
        (Conditional::Page, &[][..], &["etag: W/\"a~ceS.v2\""][..]),
        (
            Conditional::Page,
            &[&*date],
            &["etag: W/\"a~ceS.v2\"", &*date],
        ),
        (
            Conditional::Page,
            &["ETag: \"b\""],
            &["etag: W/\"b~ceS.v2\""],
        ),
        (Conditional::Unconditional, &[], &[]),
    ] {
        let mut headers = heads(before);
        conditional.tag_not_modified(&mut headers, "v2", Some(&sole));
        assert_eq!(lines(&headers), after, "{conditional:?} {before:?}");
    }
}

#[test]
fn where_only_our_conditions_were_dropped_none_are_left() {
    for list in ["W/\"b~ceS.v1\"", "W/\"b~ceS.v1\", W/\"1~ceL.v1\""] {
        let condition = format!("If-None-Match: {list}");
        let left = check_foreign(&[&condition, "If-Modified-Since: x"], &[]);
        assert_eq!(left, Conditional::Unconditional, "{list}");
    }
}

#[test]
fn a_304_to_another_request_is_marked_only_where_it_speaks_of_our_page() {
    let mixed = |restored: &[&str], made_of_date| Conditional::Mixed {
        restored: restored.iter().map(|tag| tag.as_bytes().to_vec()).collect(),
        made_of_date,
    };
    let date = format!("last-modified: {DATE}");
    let tag = "etag: W/\"2ebc98a1~ceL.v2\"";
    check_304(
        &mixed(&["\"a\""], false),
        &["ETag: \"a\""],
        &["etag: W/\"a~ceS.v2\""],
    );
    check_304(
        &mixed(&["\"a\""], false),
        &["ETag: W/\"a\""],
        &["etag: W/\"a~ceW.v2\""],
    );
    check_304(
        &mixed(&["\"a\""], false),
        &["ETag: \"b\""],
        &["etag: \"b\""],
    );
    check_304(&mixed(&["\"a\""], false), &["ETag: a"], &["etag: a"]);
    check_304(&mixed(&[], false), &["ETag: \"a\""], &["etag: \"a\""]);
    check_304(&mixed(&[], false), &[&date], &[&date]);
    check_304(&mixed(&[], true), &[&date], &[tag, &date]);
    check_304(
        &mixed(&[], true),
        &["ETag: \"a\"", &date],
        &["etag: \"a\"", &date],
    );
}

#[test]
fn edited_bodies_lose_what_was_said_of_their_bytes() {
    let mut headers = heads(&[
        "Accept-Ranges: bytes",
        "Content-Digest: a",
        "Content-Length: 1",
        "Content-MD5: a",
        "Digest: a",
        "Digest: b",
        "Repr-Digest: a",
        "Content-Type: text/html",
    ]);
    drop_body_facts(&mut headers);
    assert_eq!(lines(&headers), ["content-type: text/html"]);
    let mut headers = heads(&["Range: bytes=0-1", "If-Range: \"a\"", "X: y"]);
    drop_range(&mut headers);
    assert_eq!(lines(&headers), ["x: y"]);
}

proptest! {
    #[test]
    fn what_went_down_comes_up(opaque in "[ -!#-~é]{0,12}", weak: bool, version in "[0-9a-z]{1,8}") {
        let origin = format!("{}\"{opaque}\"", if weak { "W/" } else { "" });
        let mut down = heads(&[&format!("ETag: {origin}")]);
        tag_down(&mut down, &version);
        let mut up = HeaderMap::new();
        up.insert(IF_NONE_MATCH, down[ETAG].clone());
        prop_assert_eq!(restore_up(&mut up, &version), Conditional::Page);
        prop_assert_eq!(up[IF_NONE_MATCH].as_bytes(), origin.as_bytes());
    }

    #[test]
    fn never_panics(text in "([\"W/,*~ce.SLv2 0-9a-f]|~ceL\\.v2|W/\"|\", |é){0,20}") {
        for field in ["If-None-Match", "If-Match", "If-Range", "ETag", "Last-Modified"] {
            let mut headers = heads(&[&format!("{field}: {text}")]);
            let sole = sole_page_tag(&headers, "v2");
            let foreign = restore_foreign(&mut headers.clone(), "v2");
            foreign.tag_not_modified(&mut headers.clone(), "v2", sole.as_ref());
            restore_if_match(&mut headers.clone());
            tag_down(&mut headers.clone(), "v2");
            let _ = restore_up(&mut headers, "v2");
            prop_assert!(!headers.contains_key(IF_NONE_MATCH) || field == "If-None-Match");
        }
    }
}
