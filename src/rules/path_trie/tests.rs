use std::collections::BTreeSet;
use std::ops::ControlFlow;

use proptest::prelude::*;

use crate::rules::path_pattern::{PathPattern, Segment};

use super::*;

fn pattern(text: &str) -> PathPattern {
    text.parse().unwrap()
}

fn trie(patterns: &[PathPattern]) -> PathTrie {
    PathTrie::new((0..).zip(patterns))
}

/// What the words in [`PathPattern`]'s documentation say, and nothing else.
fn matches_naively(pattern: &[Segment], path: &[&str]) -> bool {
    match (pattern, path) {
        ([], rest) => rest.is_empty(),
        ([Segment::Rest, after @ ..], _) => {
            (0..=path.len()).any(|skipped| matches_naively(after, &path[skipped..]))
        }
        ([first, after @ ..], [segment, rest @ ..]) => {
            let fits = match first {
                Segment::Literal(text) => &**text == *segment,
                Segment::Partial(glob) => !segment.is_empty() && glob.matches(segment),
                Segment::One => !segment.is_empty(),
                Segment::Rest => true,
            };
            fits && matches_naively(after, rest)
        }
        (_, []) => false,
    }
}

fn naive(pattern: &PathPattern, path: &str) -> bool {
    let segments: Vec<_> = path[1..].split('/').collect();
    matches_naively(pattern.segments(), &segments)
}

#[test]
fn matches_what_a_person_expects() {
    for (text, yes, no) in [
        ("/", &["/"][..], &["/a"][..]),
        ("/a", &["/a"], &["/a/", "/", "/a/b", "/A"]),
        ("/a/", &["/a/"], &["/a", "/a/b"]),
        ("/a/*", &["/a/b"], &["/a", "/a/", "/a/b/", "/a/b/c"]),
        (
            "/a/**",
            &["/a", "/a/", "/a/b", "/a/b/", "/a/b/c"],
            &["/", "/ab", "/b/a"],
        ),
        ("/**", &["/", "/a", "/a/", "/a/b"], &[]),
        (
            "/**/print",
            &["/print", "/a/print", "/a/b/print"],
            &["/print/", "/a/printer"],
        ),
        (
            "/a/**/b/**/c",
            &["/a/b/c", "/a/x/b/y/z/c", "/a/b/b/c/c"],
            &["/a/c", "/a/b/c/"],
        ),
        (
            "/*.asp",
            &["/x.asp", "/.asp"],
            &["/a/x.asp", "/x.aspx", "/"],
        ),
        ("/**/*.asp", &["/x.asp", "/a/b/x.asp"], &["/x.asp/"]),
    ] {
        let patterns = [pattern(text)];
        let trie = trie(&patterns);
        for path in yes {
            assert_eq!(trie.matches(path), [0], "{text} {path}");
        }
        for path in no {
            assert!(trie.matches(path).is_empty(), "{text} {path}");
        }
    }
}

/// All pairs of different patterns that have a path in common, each with the path shown.
fn collisions(patterns: &[PathPattern]) -> Vec<(u32, u32, String)> {
    let trie = trie(patterns);
    let mut found = Vec::new();
    overlaps(&trie, &trie, |one, other, path| {
        if one < other {
            found.push((one, other, path.to_owned()));
        }
        ControlFlow::Continue(())
    })
    .unwrap();
    found
}

#[test]
fn shows_a_short_path_that_both_patterns_match() {
    for (left, right, path) in [
        ("/a/**", "/**/b", Some("/a/b")),
        ("/a/*", "/*/b", Some("/a/b")),
        ("/*/b", "/a/*.b", None),
        ("/*.asp", "/login*", Some("/loginx.asp")),
        ("/a/**", "/b/**", None),
        ("/a/**/x", "/a/**/y", None),
        ("/a/**/x/**", "/a/**/y/**", Some("/a/x/y")),
        ("/a/*", "/a/", None),
        ("/a/**", "/a/", Some("/a/")),
        ("/**", "/", Some("/")),
        ("/*", "/**", Some("/x")),
    ] {
        let mut found = collisions(&[pattern(left), pattern(right)]);
        // The search is breadth-first, so the first path is a shortest one.
        let shown = (!found.is_empty()).then(|| found.remove(0).2);
        let natural = path.map(str::to_owned);
        assert_eq!(shown.is_some(), natural.is_some(), "{left} {right}");
        if let Some(shown) = shown {
            assert!(
                naive(&pattern(left), &shown) && naive(&pattern(right), &shown),
                "{shown}"
            );
            assert_eq!(Some(shown.len()), natural.map(|path| path.len()), "{shown}");
        }
    }
}

fn segment() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["a", "b", "ab", "*", "**", "a*", "*b", "*a*"])
}

fn any_pattern() -> impl Strategy<Value = PathPattern> {
    let segments = prop::collection::vec(segment(), 1..5);
    let text = (segments, any::<bool>()).prop_map(|(segments, slash)| {
        let slash = if slash { "/" } else { "" };
        format!("/{}{slash}", segments.join("/")).replace("**/**", "**")
    });
    text.prop_filter_map("`**` in a row", |text| text.parse().ok())
}

fn any_path() -> impl Strategy<Value = String> {
    let segments = prop::collection::vec(prop::sample::select(vec!["a", "b", "ab", "ba"]), 0..6);
    (segments, any::<bool>()).prop_map(|(segments, slash)| {
        let slash = if slash && !segments.is_empty() {
            "/"
        } else {
            ""
        };
        format!("/{}{slash}", segments.join("/"))
    })
}

proptest! {
    #[test]
    fn agrees_with_a_naive_matcher(
        patterns in prop::collection::vec(any_pattern(), 1..12),
        path in any_path(),
    ) {
        let found: BTreeSet<_> = trie(&patterns).matches(&path).into_iter().collect();
        let expected: BTreeSet<_> = (0..).zip(&patterns)
            .filter(|(_, pattern)| naive(pattern, &path))
            .map(|(number, _)| number)
            .collect();
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn finds_exactly_the_pairs_that_share_a_path(
        left in any_pattern(),
        right in any_pattern(),
        paths in prop::collection::vec(any_path(), 40),
    ) {
        let found = collisions(&[left.clone(), right.clone()]);
        for (_, _, path) in &found {
            prop_assert!(naive(&left, path) && naive(&right, path), "{} {} {}", left, right, path);
        }
        let shared = paths.iter().find(|path| naive(&left, path) && naive(&right, path));
        prop_assert!(shared.is_none() || !found.is_empty(), "{} {} {:?}", left, right, shared);
    }
}
