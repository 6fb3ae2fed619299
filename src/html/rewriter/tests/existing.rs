//! Tags that a page brings along.

use super::*;
use crate::html::Inheritance;

const OUT: &str = r#" id="glance-cobrowse-replaced" type="text/plain""#;

/// `[X]` stands for what puts a tag out of action.
#[track_caller]
fn replaced(page: &str, expected: &str) {
    let expected = expected.replace("[X]", OUT);
    tagged(&masking(&["p"]), page, &expected);
}

#[test]
fn every_form_is_put_out_of_action_wherever_it_stands() {
    replaced(
        "<head><script src='//cdn.example/CobrowseJS.ashx?group=1&script='></script></head>\
         <p>a<script data-groupid=7 src=/own.js></script></p></html><meta id=cobrowsescript>",
        "<head><script[X] src='//cdn.example/CobrowseJS.ashx?group=1&script='></script></head>\
         <p[M]>a<script[X] data-groupid=7 src=/own.js></script></p></html><meta[X] id=cobrowsescript>[TAG]",
    );
    replaced(
        "<svg><script id=glance-cobrowse /></svg>",
        "<svg><script[X] id=glance-cobrowse /></svg>[TAG]",
    );
    replaced(
        "<template><script id=glance-cobrowse></script></template>",
        "<template><script[X] id=glance-cobrowse></script></template>[TAG]",
    );
}

#[test]
fn a_tag_that_runs_nowhere_is_no_reason_to_write_none() {
    let keeping = plan(Placement::End, ExistingTag::Keep, &[]);
    let page = "<svg><script id=glance-cobrowse /></svg>";
    tagged(&keeping, page, &format!("{page}[TAG]"));
    let page = b"<template><script id=glance-cobrowse></script></template>";
    check(&keeping, page, page, PageOutcome::Kept);
}

#[test]
fn a_kept_tag_on_a_page_that_cannot_be_masked_to_its_end_is_told_apart() {
    let page = b"<script id=glance-cobrowse></script><p>1<select><xmp></xmp></select><p>2";
    let masked = br#"<script id=glance-cobrowse></script><p glance_masked="true">1<select><xmp></xmp></select><p>2"#;
    let keeping = |masks: &[&str]| plan(Placement::End, ExistingTag::Keep, masks);
    let outcome = PageOutcome::KeptUnmasked(LocatorStop::Ambiguity);
    check(&keeping(&["p"]), page, masked, outcome);
    check(&keeping(&[]), page, page, PageOutcome::Kept);
    let replaced = format!(
        "<script{OUT} id=glance-cobrowse></script><p glance_masked=\"true\">1<select><xmp></xmp></select><p>2"
    );
    check(
        &masking(&["p"]),
        page,
        replaced.as_bytes(),
        PageOutcome::Untagged(LocatorStop::Ambiguity),
    );
}

fn merging() -> Arc<Plan> {
    let plan = masking(&["p"]);
    let inheritance = Inheritance {
        attributes: vec!["data-inputevents", "data-termsurl", "defer"],
        accepts: |_, value| !value.contains("javascript:"),
    };
    Arc::new(Plan::clone(&plan).with_inheritance(inheritance))
}

#[test]
fn ours_takes_over_what_it_may_from_every_tag_that_is_put_out_of_action() {
    let with = |attributes: &str| TAG.replace("></script>", &format!("{attributes}></script>"));
    for (page, attributes) in [
        (
            "<script id=glance-cobrowse data-groupid=9 data-additionalgroupids=8 data-ws=evil.example></script>",
            "",
        ),
        (
            "<script id=glance-cobrowse data-termsurl='/a?b=\"1\"' defer></script>",
            " data-termsurl=\"/a?b=&quot;1&quot;\" defer",
        ),
        (
            "<meta id=cobrowsescript data-termsurl=/1><p><script src=/GlanceCobrowseLoader_4.js data-termsurl=/2 \
             data-inputevents='{\"ctrl-13\":\"showTerms\"}'></script>",
            " data-inputevents=\"{&quot;ctrl-13&quot;:&quot;showTerms&quot;}\" data-termsurl=\"/1\"",
        ),
        ("<meta id=cobrowsescript data-termsurl='javascript:x'>", ""),
        ("<p id=glance-cobrowse data-termsurl=/1>", ""),
        (
            "<svg><script id=glance-cobrowse data-termsurl=/1 /></svg>",
            "",
        ),
        (
            "<script id=glance-cobrowse data-termsurl='</script><script>x'></script>",
            " data-termsurl=\"&lt;/script&gt;&lt;script&gt;x\"",
        ),
    ] {
        let (out, report) = whole(&merging(), page.as_bytes());
        let out = String::from_utf8(out).unwrap();
        assert_eq!(report.outcome, PageOutcome::Tagged);
        assert!(out.ends_with(&with(attributes)), "{page}: {out}");
        for at in 0..page.len() {
            let (first, second) = page.as_bytes().split_at(at);
            let (split, _) = rewrite_chunks(&merging(), [first, second]);
            assert_eq!(split, out.as_bytes(), "{page} at {at}");
        }
    }
}

#[test]
fn what_does_not_merge_takes_nothing_over() {
    let page = "<script id=glance-cobrowse data-termsurl=/1></script>";
    replaced(
        page,
        "<script[X] id=glance-cobrowse data-termsurl=/1></script>[TAG]",
    );
}

/// Behind the frames, a browser drops every script.
#[test]
fn a_tag_before_a_frameset_takes_over_what_stands_in_front() {
    let page = "<head><meta id=cobrowsescript data-termsurl=/1></head><frameset></frameset>\
                <noframes></noframes><script id=glance-cobrowse data-inputevents=x></script>";
    let (out, report) = whole(&merging(), page.as_bytes());
    assert_eq!(report.outcome, PageOutcome::Tagged);
    let out = String::from_utf8(out).unwrap();
    let tag = TAG.replace("></script>", " data-termsurl=\"/1\"></script>");
    assert!(out.contains(&format!("{tag}<frameset>")), "{out}");
    assert_eq!(out.matches(OUT).count(), 1, "{out}");
}
