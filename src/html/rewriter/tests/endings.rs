//! What the end of a page lets stand behind it.

use super::*;

/// The page passes as it is, and says why.
#[track_caller]
fn untagged(page: &str, why: LocatorStop) {
    let plan = masking(&[".x"]);
    let page = page.as_bytes();
    check(&plan, page, page, PageOutcome::Untagged(why));
}

#[test]
fn a_tag_that_would_not_run_is_not_written() {
    for end in [
        "<textarea>a",
        "<title>",
        "<script>x()",
        "<script><!--<script></script>",
        "<style></styl",
        "<xmp></xm>",
        "<iframe>",
        "<noembed>",
        "<noframes>",
        "<noscript>",
        "<plaintext>a</plaintext>",
        "<!-- a",
        "<!--",
        "<!-- a --",
        "<!",
        "<!doctype html",
        "<?php",
        "</",
        "</p",
        "<p",
        "<p class=x",
        "<p title='a>",
        "<p title=\"<script></script>",
        "<svg>",
        "<svg><g>",
        "<svg><![CDATA[ a",
        "<math><mrow>",
        "<template><p>",
        "<template><template></template>",
        "<p><frameset>",
        "</body><frameset>",
    ] {
        untagged(end, LocatorStop::TagNotLive);
    }
    let (out, report) = whole(&masking(&[".x"]), b"<p class=x>1</p><textarea class=x>");
    assert_eq!(
        report.outcome,
        PageOutcome::Untagged(LocatorStop::TagNotLive)
    );
    assert_eq!(*report.mask_counts, [2]);
    assert!(!String::from_utf8(out).unwrap().contains(TAG));
}

#[test]
fn a_tag_behind_what_only_looks_unfinished_is_written() {
    for end in [
        "<",
        "a &am",
        "<table><tr><td>",
        "<select><option>a",
        "<b><i><p></b>",
        "<svg></svg>",
        "<svg><foreignObject>",
        "<svg><title>a",
        "<math><mi>",
        "<svg><p>",
        "<template></template>",
        "<svg><template><p>",
        "<!-->",
        "</p>",
        "<textarea></textarea >",
        "<cobrowse-edge-probe>",
        "</html> a",
        "a<frameset>",
    ] {
        tagged(&masking(&[]), end, &format!("{end}[TAG]"));
    }
}
