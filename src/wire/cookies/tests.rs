use super::super::test_heads::{heads, lines};
use super::*;

#[track_caller]
fn check_kept(names: &[&str], before: &[&str], after: &[&str]) {
    let mut headers = heads(before);
    let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
    keep_cookies(&mut headers, &names);
    assert_eq!(lines(&headers), after, "{names:?} of {before:?}");
}

#[track_caller]
fn check_confined(before: &[&str], after: &[&str]) {
    let mut headers = heads(before);
    confine_set_cookie(&mut headers, "/_cobrowse");
    assert_eq!(lines(&headers), after, "{before:?}");
}

#[test]
fn other_cookies_are_not_told() {
    check_kept(&[], &["Cookie: a=1; b=2", "Cookie: c=3"], &[]);
    check_kept(
        &["a"],
        &["Cookie: A=1; aa=2; a b=3; =a; b=a=1", "X: y"],
        &["x: y"],
    );
    check_kept(&["a"], &["Cookie: session=\"x; a=1\""], &["cookie: a=1\""]);
    check_kept(&["a"], &[], &[]);
    check_kept(&[""], &["Cookie: ", "Cookie: ; ;"], &[]);
}

#[test]
fn named_cookies_are_kept_as_they_are() {
    check_kept(
        &["a", "c"],
        &["Cookie: a=1;b=2 ;c=x=y", "Cookie: a=\u{e9}", "Cookie: b=4"],
        &["cookie: a=1; c=x=y; a=\u{e9}"],
    );
    check_kept(
        &["a"],
        &["Cookie: a", "Cookie:  a = 1"],
        &["cookie: a; a = 1"],
    );
}

#[test]
fn crumbs_of_http2_become_one_line() {
    for (before, after) in [
        (&[][..], &[][..]),
        (&["cookie: a=1 ; b=2;"], &["cookie: a=1 ; b=2;"]),
        (
            &["cookie: b=1", "cookie: a=\u{e9}", "x: y"],
            &["cookie: b=1; a=\u{e9}", "x: y"],
        ),
    ] {
        let mut headers = heads(before);
        join_cookies(&mut headers);
        assert_eq!(lines(&headers), after, "{before:?}");
    }
}

#[test]
fn cookies_cannot_leave_their_mount() {
    for attributes in [
        "",
        "; Path=/",
        "; Path=/account",
        "; Path=/_cobrowser",
        "; Path=/_cobrowse/a; PATH = /",
        "; Path",
        "; path=\"/_cobrowse\"",
        "; Domain=bank.example",
        ";Domain=.bank.example; domain=x;Path=/",
    ] {
        check_confined(
            &[&format!("Set-Cookie: a=1{attributes}")],
            &["set-cookie: a=1; Path=/_cobrowse"],
        );
    }
}

#[test]
fn what_is_below_the_mount_stays_there() {
    check_confined(
        &[
            "Set-Cookie: a=1; Path=/_cobrowse/agent; HttpOnly",
            "Set-Cookie: a=path=/; Secure;SameSite=Lax; Path=/_cobrowse",
            "Set-Cookie: __odd \u{e9}; Max-Age=0",
        ],
        &[
            "set-cookie: a=1; HttpOnly; Path=/_cobrowse/agent",
            "set-cookie: a=path=/; Secure;SameSite=Lax; Path=/_cobrowse",
            "set-cookie: __odd \u{e9}; Max-Age=0; Path=/_cobrowse",
        ],
    );
}

#[test]
fn a_mount_may_end_with_a_slash() {
    for (path, expect) in [
        ("/a/b", "/a/b"),
        ("/a/", "/a/"),
        ("/a", "/a/"),
        ("/ab", "/a/"),
    ] {
        let found = confined(format!("x=1; Path={path}").as_bytes(), "/a/");
        assert_eq!(found, format!("x=1; Path={expect}").as_bytes(), "{path}");
    }
}

#[test]
fn a_cookie_is_found_by_its_whole_name() {
    let mut headers = HeaderMap::new();
    for line in ["a=1; bb=2;b = 3", "b=4; c=\"5\"; d"] {
        headers.append("cookie", HeaderValue::from_static(line));
    }
    let value = |name| cookie_value(&headers, name).map(|value| str::from_utf8(value).unwrap());
    assert_eq!(value("a"), Some("1"));
    assert_eq!(value("b"), Some("4"));
    assert_eq!(value("c"), Some("\"5\""));
    assert_eq!(value("d"), None);
}
