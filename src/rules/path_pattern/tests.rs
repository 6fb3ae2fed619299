use super::*;

fn pattern(text: &str) -> PathPattern {
    text.parse().unwrap()
}

#[test]
fn spells_patterns_canonically() {
    for (written, canonical) in [
        ("/", "/"),
        ("/mortgage/**", "/mortgage/**"),
        ("/%7Euser/%41", "/~user/A"),
        ("/caf%c3%a9", "/caf%C3%A9"),
        ("/café", "/caf%C3%A9"),
        ("/a b|c", "/a%20b%7Cc"),
        ("/a;v=1/b:c@d", "/a;v=1/b:c@d"),
        ("/100%25", "/100%25"),
        ("/a%2ab", "/a%2Ab"),
        (
            "/loans%2Bcredit/%3a%40%21%24%26%27%28%29%2C%3B%3D",
            "/loans+credit/:@!$&'(),;=",
        ),
        ("/%252B", "/%252B"),
    ] {
        assert_eq!(pattern(written).as_str(), canonical, "{written}");
    }
}

#[test]
fn a_star_in_a_path_is_a_character_whatever_its_spelling() {
    assert_eq!(canonical_path("/a*/%2a/**"), "/a%2A/%2A/%2A%2A");
    let literal = pattern("/%2A%2A");
    assert_eq!(*literal.segments(), [Segment::Literal("%2A%2A".into())]);
    assert_eq!(*pattern("/**").segments(), [Segment::Rest]);
}

#[test]
fn refuses_patterns_that_no_canonical_path_can_match() {
    for (written, word) in [
        ("", "does not begin with a slash"),
        ("a/b", "does not begin with a slash"),
        ("https://www.bank.example/a", "is a URL"),
        ("/a/../b", "`..`"),
        ("/a/%2e%2E/b", "`..`"),
        ("/./a", "`.`"),
        ("/a//b", "`//`"),
        ("//a", "`//`"),
        ("/a?b=c", "query"),
        ("/a#b", "fragment"),
        ("/a%2fb", "`%2f`"),
        ("/a%5Cb", "`%5C`"),
        ("/a%00", "`%00`"),
        ("/a%zz", "`%zz`"),
        ("/a%", "`%`"),
        ("/a\\b", "backslash"),
        ("/a\tb", "control"),
        ("/a**b", "inside the segment"),
        ("/a/***", "inside the segment"),
        ("/**/**/a", "twice in a row"),
    ] {
        let fault = written.parse::<PathPattern>().unwrap_err();
        assert!(fault.message.contains(word), "{written}: {}", fault.message);
    }
}

#[test]
fn bounds_the_length_of_a_pattern() {
    let longest = format!("/{}", "a".repeat(2_047));
    assert!(longest.parse::<PathPattern>().is_ok());
    assert!(format!("{longest}a").parse::<PathPattern>().is_err());
}

#[test]
fn ranks_patterns_by_what_they_say() {
    let descending = [
        "/mortgage/apply",
        "/",
        "/mortgage/apply/**/print",
        "/mortgage/apply/**",
        "/mortgage/report-*/*",
        "/mortgage/*.asp",
        "/mortgage/*/*",
        "/mortgage/*/",
        "/mortgage/*/**",
        "/mortgage/**",
        "/**/mortgage/**",
        "/*.asp",
        "/**/*.asp",
        "/*/*",
        "/*",
        "/*/**",
        "/**",
    ];
    for pair in descending.windows(2) {
        let (higher, lower) = (pattern(pair[0]).rank(), pattern(pair[1]).rank());
        assert!(higher > lower, "{} before {}", pair[0], pair[1]);
    }
    for (one, other) in [("/a/**", "/**/b"), ("/a/*/", "/a/*"), ("/a/**/", "/a/**")] {
        assert_eq!(pattern(one).rank(), pattern(other).rank(), "{one} {other}");
    }
}

#[test]
fn matches_segments_with_wildcards_inside() {
    for (glob, yes, no) in [
        (
            "*.asp",
            &["a.asp", ".asp", "a.b.asp"][..],
            &["a.aspx", "asp"][..],
        ),
        (
            "report-*.html",
            &["report-1.html", "report-.html"],
            &["report.html", "report-1.htm"],
        ),
        ("a*a", &["aa", "aba"], &["a", "ab"]),
        ("*b*c*", &["bc", "abxcx"], &["cb", "b"]),
        ("a*b*b", &["abb", "axbxb"], &["ab", "abc"]),
    ] {
        let glob = Glob::parse(glob).unwrap();
        assert!(yes.iter().all(|text| glob.matches(text)), "{glob:?}");
        assert!(!no.iter().any(|text| glob.matches(text)), "{glob:?}");
        assert!(glob.matches(&glob.example()), "{glob:?}");
    }
    for not_partial in ["*", "**", "plain", ""] {
        assert_eq!(Glob::parse(not_partial), None, "{not_partial}");
    }
}

#[test]
fn finds_a_segment_that_two_globs_share() {
    let glob = |text| Glob::parse(text).unwrap();
    for (left, right, meets) in [
        ("*.asp", "login*", true),
        ("*.asp", "*.aspx", false),
        ("a*", "b*", false),
        ("a*", "ab*", true),
        ("a*x*b", "*y*b", true),
    ] {
        let (left, right) = (glob(left), glob(right));
        let shared = left.meet(&right);
        assert_eq!(shared.is_some(), meets, "{left:?} {right:?}");
        assert_eq!(shared, left.meet(&right));
        if let Some(segment) = shared {
            assert!(
                left.matches(&segment) && right.matches(&segment),
                "{segment}"
            );
        }
    }
}

#[test]
fn folds_letters_but_never_escapes_of_other_bytes() {
    for (path, folded) in [
        ("/Mortgage/Apply.ASP", "/mortgage/apply.asp"),
        ("/%C3%89tude", "/%C3%A9tude"),
        ("/a%2Cb%FFc", "/a%2Cb%FFc"),
        ("/%E2%84%AAelvin", "/kelvin"),
        ("/stra%C3%9Fe", "/stra%C3%9Fe"),
        ("/%C5%BFtra", "/stra"),
    ] {
        assert_eq!(fold_case(path), folded, "{path}");
        assert_eq!(fold_case(folded), folded, "folding twice: {path}");
    }
}
