use proptest::prelude::*;

use super::*;

#[track_caller]
fn check(raw: &str, expect: &str) {
    let path = CanonicalPath::parse(raw).unwrap_or_else(|refusal| panic!("{raw:?}: {refusal}"));
    assert_eq!(path.as_str(), expect, "{raw:?}");
    assert_eq!(CanonicalPath::parse(expect), Ok(path), "{raw:?} again");
}

#[test]
fn refuses_what_has_two_readings() {
    use PathRefusal::*;
    let table = [
        ("", NotAbsolute),
        ("*", NotAbsolute),
        ("a/b", NotAbsolute),
        ("\\a", NotAbsolute),
        ("%2Fa", NotAbsolute),
        ("/..", AboveRoot),
        ("/../a", AboveRoot),
        ("/a/../..", AboveRoot),
        ("/a/../../b", AboveRoot),
        ("/a//../../b", AboveRoot),
        ("/%2e%2E/a", AboveRoot),
        ("/.%2e", AboveRoot),
        ("/./..", AboveRoot),
        ("/a\\b", Backslash),
        ("/a%5Cb", Backslash),
        ("/a%5cb", Backslash),
        ("/..\\a", Backslash),
        ("/a\tb", Control),
        ("/a\r\nb", Control),
        ("/a%0d%0ab", Control),
        ("/a\x7f", Control),
        ("/a%7F", Control),
        ("/a%01", Control),
        ("/a%1f", Control),
        ("/a#b", Delimiter),
        ("/a?b", Delimiter),
        ("/a/..;/b", DotSegmentParameters),
        ("/a/..;x=1/b", DotSegmentParameters),
        ("/a/.;x", DotSegmentParameters),
        ("/a/%2e%2e;x", DotSegmentParameters),
        ("/a/..%3bx", DotSegmentParameters),
        ("/a/.%3B/b", DotSegmentParameters),
        ("/a%2Fb", EncodedSlash),
        ("/a%2fb", EncodedSlash),
        ("/..%2f..", EncodedSlash),
        ("/a\0", Nul),
        ("/a%00.html", Nul),
        ("/%", PercentEncoding),
        ("/%4", PercentEncoding),
        ("/%4/", PercentEncoding),
        ("/%zz", PercentEncoding),
        ("/%+1", PercentEncoding),
        ("/%u0041", PercentEncoding),
        ("/100%", PercentEncoding),
        ("/%é1", PercentEncoding),
        ("/%C0%AE%C0%AE/a", Overlong),
        ("/a%c0%af", Overlong),
        ("/a%C1%9C", Overlong),
        ("/a%C0%", PercentEncoding),
        ("/%E0%80%AF", Overlong),
        ("/%e0%9F%AF", Overlong),
        ("/%F0%80%80%AF", Overlong),
        ("/%F0%8F%80%AF", Overlong),
    ];
    for (raw, refusal) in table {
        assert_eq!(CanonicalPath::parse(raw), Err(refusal), "{raw:?}");
    }
}

#[test]
fn gives_one_spelling() {
    for (raw, expect) in [
        ("/", "/"),
        ("//", "/"),
        ("/.", "/"),
        ("/./", "/"),
        ("/a/..", "/"),
        ("/a/../", "/"),
        ("/a", "/a"),
        ("/a/", "/a/"),
        ("/a/.", "/a/"),
        ("/a/b/..", "/a/"),
        ("/a/b/../c", "/a/c"),
        ("/a/./b", "/a/b"),
        ("//a///b//", "/a/b/"),
        ("/a//../b", "/b"),
        ("/a/%2e%2E/b", "/b"),
        ("/a/%2e/b", "/a/b"),
        ("/%6dortgage", "/mortgage"),
        ("/%4D%2d%5f%7E", "/M-_~"),
        ("/Mortgage", "/Mortgage"),
        ("/a%3ab", "/a%3Ab"),
        ("/a%3fb%23c%3bd", "/a%3Fb%23c%3Bd"),
        ("/a%252e%252e/b", "/a%252e%252e/b"),
        ("/a/%252e%252e/b", "/a/%252e%252e/b"),
        ("/%2541", "/%2541"),
        ("/é", "/%C3%A9"),
        ("/%c3%a9", "/%C3%A9"),
        ("/%e9", "/%E9"),
        (
            "/%E0%A0%80%F0%90%80%80%c2%80",
            "/%E0%A0%80%F0%90%80%80%C2%80",
        ),
        ("/%E0%E9t%E0/%F0", "/%E0%E9t%E0/%F0"),
        ("/%C0propos/%c1%c0", "/%C0propos/%C1%C0"),
        ("/a b", "/a%20b"),
        ("/a|b\"<>^`{}[]", "/a%7Cb%22%3C%3E%5E%60%7B%7D%5B%5D"),
        ("/!$&'()*+,;=:@-._~", "/!$&'()*+,;=:@-._~"),
        ("/...", "/..."),
        ("/..a/.b/a..", "/..a/.b/a.."),
        ("/...;x", "/...;x"),
        ("/a;x/../b", "/b"),
    ] {
        check(raw, expect);
    }
}

#[test]
fn length_counts_before_and_after() {
    let fits = format!("/{}", "a".repeat(MAX_PATH_BYTES - 1));
    check(&fits, &fits);
    let longer = format!("{fits}a");
    assert_eq!(CanonicalPath::parse(&longer), Err(PathRefusal::TooLong));
    let grows = format!("/{}", "é".repeat(MAX_PATH_BYTES / 4));
    assert_eq!(CanonicalPath::parse(&grows), Err(PathRefusal::TooLong));
}

#[test]
fn reasons_are_distinct() {
    let mut reasons: Vec<_> = ALL.map(PathRefusal::as_str).to_vec();
    reasons.dedup();
    assert_eq!(reasons.len(), ALL.len());
}

const ALL: [PathRefusal; 12] = [
    PathRefusal::AboveRoot,
    PathRefusal::Backslash,
    PathRefusal::Control,
    PathRefusal::Delimiter,
    PathRefusal::DotSegmentParameters,
    PathRefusal::EncodedSlash,
    PathRefusal::NotAbsolute,
    PathRefusal::Nul,
    PathRefusal::Overlong,
    PathRefusal::PercentEncoding,
    PathRefusal::TooLong,
    PathRefusal::WindowsName,
];

proptest! {
    #[test]
    fn canonical_paths_stay_as_they_are(raw in "/([a-c.;/%é| ]|%2[eEfF5]|%2e|\\.\\.|%[0-9a-fA-F]{2}){0,12}") {
        let Ok(path) = CanonicalPath::parse(&raw) else { return Ok(()) };
        prop_assert_eq!(CanonicalPath::parse(path.as_str()), Ok(path.clone()));
        let text = path.as_str();
        prop_assert!(text.starts_with('/') && text.is_ascii());
        prop_assert!(!text.contains("//"), "{}", text);
        prop_assert!(text.split('/').all(|name| name != "." && name != ".."), "{}", text);
        prop_assert!(text.parse::<http::uri::PathAndQuery>().is_ok());
    }

    #[test]
    fn plain_paths_come_out_the_long_way_as_they_went_in(raw in "/([a-c./;:~*=]|\\.\\.;?|%2e|é){0,12}") {
        if is_plain(&raw) {
            let normal = normalise(&raw.as_bytes()[1..]).unwrap();
            prop_assert_eq!(resolve(&normal), Ok(raw));
        }
    }

    #[test]
    fn never_panics(raw in "\\PC*") {
        let _ = CanonicalPath::parse(&raw);
        let _ = CanonicalPath::parse(&format!("/{raw}"));
    }
}
