mod charsets;
mod descent;
mod endings;
mod existing;
mod faults;
mod soup;

use super::*;
use crate::html::{Mask, MaskScope, Placement, ScriptTag};

const TAG: &str = r#"<script id="glance-cobrowse" src="/c.js"></script>"#;

fn plan(placement: Placement, existing_tag: ExistingTag, masks: &[&str]) -> Arc<Plan> {
    let tag = ScriptTag::render([("id", Some("glance-cobrowse")), ("src", Some("/c.js"))]).unwrap();
    let mask = |text: &&str| Mask {
        selector: text.parse().unwrap(),
        scope: MaskScope::Everyone,
    };
    Arc::new(Plan::new(
        tag,
        placement,
        existing_tag,
        masks.iter().map(mask).collect(),
    ))
}

fn masking(masks: &[&str]) -> Arc<Plan> {
    plan(Placement::End, ExistingTag::Replace, masks)
}

fn in_head() -> Arc<Plan> {
    plan(Placement::Head, ExistingTag::Replace, &[])
}

fn rewrite_chunks<'c>(
    plan: &Arc<Plan>,
    chunks: impl IntoIterator<Item = &'c [u8]>,
) -> (Vec<u8>, PageReport) {
    let mut rewriter = PageRewriter::new(Arc::clone(plan), None, PageKind::Document);
    let mut out = Vec::new();
    for chunk in chunks {
        out.extend_from_slice(&rewriter.push(Bytes::copy_from_slice(chunk)));
    }
    let (rest, report) = rewriter.finish();
    out.extend_from_slice(&rest);
    (out, report)
}

fn whole(plan: &Arc<Plan>, page: &[u8]) -> (Vec<u8>, PageReport) {
    rewrite_chunks(plan, [page])
}

/// Takes the page through whole, byte by byte and at every split, and compares the output.
#[track_caller]
fn check(plan: &Arc<Plan>, page: &[u8], expected: &[u8], outcome: PageOutcome) {
    let (out, report) = whole(plan, page);
    assert_eq!(
        String::from_utf8_lossy(&out),
        String::from_utf8_lossy(expected)
    );
    assert_eq!(out, expected);
    assert_eq!(report.outcome, outcome);
    assert_eq!(
        rewrite_chunks(plan, page.chunks(1)),
        (out.clone(), report.clone())
    );
    for at in 0..page.len() {
        let (first, second) = page.split_at(at);
        let split = rewrite_chunks(plan, [first, second]);
        assert_eq!(split, (out.clone(), report.clone()), "split at {at}");
    }
}

#[track_caller]
fn tagged(plan: &Arc<Plan>, page: &str, expected: &str) {
    let expected = expected
        .replace("[TAG]", TAG)
        .replace("[M]", r#" glance_masked="true""#);
    check(
        plan,
        page.as_bytes(),
        expected.as_bytes(),
        PageOutcome::Tagged,
    );
}

#[test]
fn writes_the_tag_at_the_very_end_and_masks_before_it() {
    let plan = masking(&["#ssn", ".account", "form textarea", "td"]);
    tagged(
        &plan,
        "<!doctype html><html><P  CLASS=account   id='ssn' >1</p><form><textarea>x</textarea></form></html>\n",
        "<!doctype html><html><P[M]  CLASS=account   id='ssn' >1</p><form><textarea[M]>x</textarea></form></html>\n[TAG]",
    );
    tagged(
        &plan,
        "<table><tr><td>1<td/>2<TD\nx>",
        "<table><tr><td[M]>1<td[M]/>2<TD[M]\nx>[TAG]",
    );
    tagged(&masking(&[]), "text only", "text only[TAG]");
}

#[test]
fn keeps_markup_in_text_and_comments_as_it_is() {
    tagged(
        &masking(&["p"]),
        "<!-- <p> --><script>'<p>'</script><title><p></title><style><p></style>\
         <textarea><p></textarea><p a='>'>",
        "<!-- <p> --><script>'<p>'</script><title><p></title><style><p></style>\
         <textarea><p></textarea><p[M] a='>'>[TAG]",
    );
}

#[test]
fn ids_and_classes_match_in_any_case_as_in_quirks_mode() {
    tagged(
        &masking(&["#ssn", ".account", "[name=iban]", "p:not(.open)"]),
        "<b ID=SSN><b class='a ACCOUNT'><b name=IBAN><p class=OPEN><p class=open>",
        "<b[M] ID=SSN><b[M] class='a ACCOUNT'><b name=IBAN><p[M] class=OPEN><p class=open>[TAG]",
    );
}

#[test]
fn elements_whose_end_tags_are_left_out_are_masked_as_in_the_browsers_tree() {
    tagged(
        &masking(&[
            "ul.acc > li",
            "tr > td.bal",
            "table > tbody > tr > th",
            "body > i",
        ]),
        "<ul class=acc><li>1<li>2</ul><table><tr><th>3<td>a<td class=bal>4</table><i>5",
        "<ul class=acc><li[M]>1<li[M]>2</ul><table><tr><th[M]>3<td>a<td[M] class=bal>4</table><i[M]>5[TAG]",
    );
}

#[test]
fn counts_what_each_mask_marked() {
    let (_, report) = whole(
        &masking(&["p", ".x", "#none"]),
        b"<p class=x><p><b class=x>",
    );
    assert_eq!(*report.mask_counts, [2, 2, 0]);
}

#[test]
fn writes_the_tag_in_front_of_a_frameset_and_nothing_behind_it() {
    tagged(
        &masking(&["#ssn"]),
        "<html><head><title>a</title></head>\n<frameset cols=*><frame src=a></frameset></html>",
        "<html><head><title>a</title></head>\n[TAG]<frameset cols=*><frame src=a></frameset></html>",
    );
    tagged(&masking(&[]), "<p>x<frameset><p>", "<p>x<frameset><p>[TAG]");
}

#[test]
fn writes_the_tag_into_the_head_behind_what_must_stay_in_front() {
    let plan = in_head();
    tagged(
        &plan,
        "<html><head><meta charset=utf-8><title>a</title><script src=b></script></head><body>",
        "<html><head><meta charset=utf-8><title>a</title>[TAG]<script src=b></script></head><body>",
    );
    tagged(
        &plan,
        "<head><title>a</title></head><p>b",
        "<head><title>a</title>[TAG]</head><p>b",
    );
    tagged(&plan, "<p>b<select><xmp>", "[TAG]<p>b<select><xmp>");
    tagged(
        &plan,
        "<title>a</title><body>",
        "<title>a</title>[TAG]<body>",
    );
    tagged(&plan, "text", "text[TAG]");
}

#[test]
fn puts_an_existing_tag_out_of_action() {
    let out = r#" id="glance-cobrowse-replaced" type="text/plain""#;
    for id in ["glance-cobrowse", "cobrowsescript"] {
        for name in ["script", "meta"] {
            let page = format!("<{name} id={id} data-groupid=1></{name}>");
            let expected = format!("<{name}{out} id={id} data-groupid=1></{name}>[TAG]");
            tagged(&masking(&[]), &page, &expected);
        }
    }
    tagged(
        &masking(&[]),
        "<script src=/x/GlanceCobrowseLoader_4.js></script>",
        &format!("<script{out} src=/x/GlanceCobrowseLoader_4.js></script>[TAG]"),
    );
    tagged(
        &masking(&[]),
        "<p id=glance-cobrowse>",
        "<p id=glance-cobrowse>[TAG]",
    );
}

#[test]
fn meets_the_tag_of_another_edge_in_the_head() {
    let out = r#" id="glance-cobrowse-replaced" type="text/plain""#;
    tagged(
        &in_head(),
        "<head><title>a</title><script id=glance-cobrowse></script></head>",
        &format!("<head><title>a</title>[TAG]<script{out} id=glance-cobrowse></script></head>"),
    );
    tagged(
        &in_head(),
        "<meta id=cobrowsescript data-groupid=1><link><p>",
        &format!("<meta{out} id=cobrowsescript data-groupid=1>[TAG]<link><p>"),
    );
    let keeping = plan(Placement::Head, ExistingTag::Keep, &[]);
    let page = b"<title>a</title><script id=glance-cobrowse></script><p>";
    check(&keeping, page, page, PageOutcome::Kept);
}

#[test]
fn what_lies_behind_the_head_is_passed_in_any_size_and_not_copied() {
    let mut rewriter = PageRewriter::new(in_head(), None, PageKind::Document);
    assert!(rewriter.piece_max() < 64 * 1024);
    rewriter.push(Bytes::from_static(
        b"<!doctype html><title>a</title><link><p>",
    ));
    assert_eq!(rewriter.piece_max(), usize::MAX);
    let rest = Bytes::from(vec![b'a'; 64 * 1024]);
    let passed = rewriter.push(rest.clone());
    assert_eq!(passed.as_ptr(), rest.as_ptr());
}

#[test]
fn keeps_an_existing_tag_where_the_rule_says_so_and_masks_all_the_same() {
    let plan = plan(Placement::End, ExistingTag::Keep, &["p"]);
    let page = b"<script id=glance-cobrowse></script><p>";
    let expected = br#"<script id=glance-cobrowse></script><p glance_masked="true">"#;
    check(&plan, page, expected, PageOutcome::Kept);
    tagged(&plan, "<p>", "<p[M]>[TAG]");
}

#[test]
fn an_ambiguous_page_passes_without_a_tag_but_with_the_masks_so_far() {
    let page = b"<p>1</p><select><xmp><script>x</script></select><p>2</p>";
    let expected =
        br#"<p glance_masked="true">1</p><select><xmp><script>x</script></select><p>2</p>"#;
    check(
        &masking(&["p"]),
        page,
        expected,
        PageOutcome::Untagged(LocatorStop::Ambiguity),
    );
}

#[test]
fn an_empty_page_stays_empty() {
    check(&masking(&["p"]), b"", b"", PageOutcome::Empty);
    check(&in_head(), b"", b"", PageOutcome::Empty);
}

#[test]
fn a_page_of_one_odd_byte_is_a_page() {
    let expected = [b"\xef".as_slice(), TAG.as_bytes()].concat();
    check(&masking(&["p"]), b"\xef", &expected, PageOutcome::Tagged);
}

#[test]
fn a_start_tag_longer_than_the_parser_may_hold_passes_without_a_tag() {
    let page = format!("<p>1</p><p a='{}'>", "x".repeat(8 * 1024 * 1024));
    let (out, report) = whole(&masking(&["p"]), page.as_bytes());
    assert_eq!(
        report.outcome,
        PageOutcome::Untagged(LocatorStop::MemoryLimit)
    );
    assert_eq!(out.len(), page.len() + r#" glance_masked="true""#.len());
}

#[test]
fn one_megabyte_in_an_attribute_is_masked() {
    let page = format!("<p a='{}'>", "x".repeat(1024 * 1024));
    let (_, report) = rewrite_chunks(&masking(&["p"]), page.as_bytes().chunks(16 * 1024));
    assert_eq!(
        (report.outcome, &*report.mask_counts),
        (PageOutcome::Tagged, &[1][..])
    );
}

#[test]
fn deep_nesting_is_masked_until_the_memory_limit_and_then_passes() {
    let nested = |depth| {
        let page = "<div class=x>".repeat(depth);
        let chunks = page.as_bytes().chunks(16 * 1024);
        rewrite_chunks(&masking(&["div.x", "p"]), chunks).1
    };
    let deep = nested(30_000);
    assert_eq!(
        (deep.outcome, deep.mask_counts[0]),
        (PageOutcome::Tagged, 30_000)
    );
    assert_eq!(
        nested(80_000).outcome,
        PageOutcome::Untagged(LocatorStop::MemoryLimit)
    );
}

fn without_masks(out: &[u8]) -> String {
    String::from_utf8_lossy(out).replace(r#" glance_masked="true""#, "")
}
