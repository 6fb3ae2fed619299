use std::sync::Arc;

use bytes::Bytes;
use html5ever::tendril::TendrilSink;
use html5ever::{ParseOpts, parse_document};
use markup5ever_rcdom::{Handle, NodeData, RcDom};

use super::*;
use crate::html::{
    ExistingTag, Mask, MaskScope, PageKind, PageOutcome, PageRewriter, Placement, Plan, ScriptTag,
};

/// Puts `GROWN` behind policies, refuses those that say so, and takes its nonce from one.
#[derive(Default)]
struct Scripted {
    seen: Vec<String>,
    nonce: Option<String>,
}

impl PagePolicies for Scripted {
    fn adjust(&mut self, policy: &str) -> Result<Option<String>, PolicyRefused> {
        self.seen.push(policy.to_owned());
        if let Some((_, nonce)) = policy.split_once("nonce=") {
            self.nonce = Some(nonce.to_owned());
        }
        match policy {
            "refused" => Err(PolicyRefused),
            "left" => Ok(None),
            _ => Ok(Some(format!("{policy} <\"&GROWN'>"))),
        }
    }

    fn nonce(&self) -> Option<&str> {
        self.nonce.as_deref()
    }
}

fn plan(placement: Placement, existing: ExistingTag) -> Arc<Plan> {
    let tag = ScriptTag::render([("id", Some("t")), ("nonce", Some("fixed"))]).unwrap();
    let masks = match placement {
        Placement::Head => Vec::new(),
        Placement::End => vec![Mask {
            selector: "#ssn".parse().unwrap(),
            scope: MaskScope::Everyone,
        }],
    };
    Arc::new(Plan::new(tag, placement, existing, masks))
}

fn at_end() -> Arc<Plan> {
    plan(Placement::End, ExistingTag::Replace)
}

fn rewrite(plan: &Arc<Plan>, page: &[u8], chunk: usize) -> (String, PageOutcome) {
    let rewriter = PageRewriter::new(Arc::clone(plan), None, PageKind::Document);
    let mut rewriter = rewriter.with_policies(Box::<Scripted>::default());
    let mut out = Vec::new();
    for piece in page.chunks(chunk) {
        out.extend_from_slice(&rewriter.push(Bytes::copy_from_slice(piece)));
    }
    let (rest, report) = rewriter.finish();
    out.extend_from_slice(&rest);
    (String::from_utf8_lossy(&out).into_owned(), report.outcome)
}

#[track_caller]
fn check(plan: &Arc<Plan>, page: &str, expected: &str, outcome: PageOutcome) {
    let expected = expected
        .replace("[G]", " &lt;&quot;&amp;GROWN'&gt;\"")
        .replace("[TAG]", "<script id=\"t\" nonce=\"fixed\"></script>")
        .replace("[M]", " glance_masked=\"true\"");
    for chunk in 1..=page.len().max(1) {
        let rewritten = rewrite(plan, page.as_bytes(), chunk);
        assert_eq!(rewritten, (expected.clone(), outcome), "chunks of {chunk}");
    }
}

#[test]
fn a_policy_is_said_anew_in_front_of_the_pages_own() {
    check(
        &at_end(),
        "<head><META  Http-Equiv='Content-SECURITY-policy' CONTENT=\"img-src &#39;self&#x27;\"><p id=ssn>",
        "<head><META content=\"img-src 'self'[G]  Http-Equiv='Content-SECURITY-policy' \
         CONTENT=\"img-src &#39;self&#x27;\"><p[M] id=ssn>[TAG]",
        PageOutcome::Tagged,
    );
    check(
        &at_end(),
        "<meta/http-equiv=content-security-policy/content=left>\
         <meta content=a http-equiv=content-security-policy content=b>\
         <meta http-equiv=content-security-policy-report-only content=c>\
         <meta name=content-security-policy content=d><meta http-equiv=content-security-policy>\
         <!--<meta http-equiv=content-security-policy content=e>-->",
        "<meta/http-equiv=content-security-policy/content=left>\
         <meta content=\"a[G] content=a http-equiv=content-security-policy content=b>\
         <meta http-equiv=content-security-policy-report-only content=c>\
         <meta name=content-security-policy content=d><meta http-equiv=content-security-policy>\
         <!--<meta http-equiv=content-security-policy content=e>-->[TAG]",
        PageOutcome::Tagged,
    );
}

#[test]
fn a_policy_that_is_refused_or_unreadable_leaves_the_page_masked_and_without_a_tag() {
    for content in [
        "refused",
        "img-src&nbsp;*",
        "&#39",
        "&#0;",
        "&#10;",
        "&#x1F600;",
        "&#xD800;",
        "&copy",
        "a\u{e9}",
        "\u{b}",
    ] {
        let meta = format!("<meta http-equiv=content-security-policy content='{content}'>");
        let page = format!("{meta}<p id=ssn><script id=cobrowsescript></script>");
        let expected = format!(
            "{meta}<p[M] id=ssn><script id=\"glance-cobrowse-replaced\" type=\"text/plain\" id=cobrowsescript></script>"
        );
        check(&at_end(), &page, &expected, PageOutcome::Refused);
    }
}

#[test]
fn a_tag_that_the_page_keeps_is_kept_whatever_its_policies_say() {
    let keep = plan(Placement::End, ExistingTag::Keep);
    let meta = "<meta http-equiv=content-security-policy content=refused>";
    let tag = "<script id=glance-cobrowse></script>";
    for page in [format!("{meta}{tag}"), format!("{tag}{meta}")] {
        check(&keep, &page, &page, PageOutcome::Kept);
    }
}

#[test]
fn references_are_read_as_browsers_read_them() {
    for (written, value) in [
        ("a&amp;b&lt;&gt;&quot;&apos;", Some("a&b<>\"'")),
        ("&#39;self&#X27;&#x20;", Some("'self' ")),
        ("a & b&", Some("a & b&")),
        ("/x?a=1&;", Some("/x?a=1&;")),
        ("/x?a=1&b=2", None),
        ("&unknown;", None),
        ("&#;", None),
        ("&# 39;", None),
        ("&#-1;", None),
        ("&#+39;", None),
        ("a\tb\nc", Some("a\tb\nc")),
    ] {
        assert_eq!(decoded(written).as_deref(), value, "{written}");
    }
}

#[test]
fn the_tag_carries_the_nonce_that_was_settled_on_the_way() {
    let meta = "<meta http-equiv=content-security-policy content=\"nonce=Ab+/9==\">";
    let (out, outcome) = rewrite(&at_end(), meta.as_bytes(), 7);
    assert!(
        out.ends_with("<script nonce=\"Ab+/9==\" id=\"t\" nonce=\"fixed\"></script>"),
        "{out}"
    );
    assert_eq!(outcome, PageOutcome::Tagged);
}

#[test]
fn a_tag_in_the_head_does_not_end_the_search_for_policies() {
    let in_head = plan(Placement::Head, ExistingTag::Replace);
    let meta = |content| format!("<meta {content}http-equiv=content-security-policy content=a>");
    let page = |tag: &str, head: &str| {
        format!(
            "<head><title>t</title>{head}{tag}<script>1</script><template><p></template>{head}</head>\
             {head}<p>{}",
            meta("")
        )
    };
    let expected = page("[TAG]", &meta("content=\"a[G] "));
    check(
        &in_head,
        &page("", &meta("")),
        &expected,
        PageOutcome::Tagged,
    );
    // A browser puts what stands between head and body into the head, too.
    let ended = |tag: &str, head: &str| format!("<head>{tag}</head>{head}<body>{}", meta(""));
    let expected = ended("[TAG]", &meta("content=\"a[G] "));
    check(
        &in_head,
        &ended("", &meta("")),
        &expected,
        PageOutcome::Tagged,
    );
}

/// It is in the page already, and nothing is taken back.
#[test]
fn a_policy_behind_the_tag_that_refuses_it_is_told() {
    let in_head = plan(Placement::Head, ExistingTag::Replace);
    let meta = "<meta http-equiv=content-security-policy content=refused>";
    check(
        &in_head,
        &format!("<head><style></style>{meta}</head><p>"),
        &format!("<head>[TAG]<style></style>{meta}</head><p>"),
        PageOutcome::RefusedLate,
    );
    check(
        &in_head,
        &format!("<head>{meta}<style></style>{meta}</head><p>"),
        &format!("<head>{meta}<style></style>{meta}</head><p>"),
        PageOutcome::Refused,
    );
    // Browsers take no policy out of a body.
    check(
        &in_head,
        &format!("<head><style></style></head><p>{meta}"),
        &format!("<head>[TAG]<style></style></head><p>{meta}"),
        PageOutcome::Tagged,
    );
}

#[test]
fn without_anybody_to_decide_policies_stay() {
    let page = b"<meta http-equiv=content-security-policy content=refused>";
    let mut rewriter = PageRewriter::new(at_end(), None, PageKind::Document);
    let mut out = rewriter.push(Bytes::from_static(page)).to_vec();
    let (rest, report) = rewriter.finish();
    out.extend_from_slice(&rest);
    assert!(out.starts_with(page));
    assert_eq!(report.outcome, PageOutcome::Tagged);
}

/// The first `content` of the first `<meta>`, as an HTML parser gives it.
fn content_in(page: &str) -> String {
    fn find(node: &Handle) -> Option<String> {
        if let NodeData::Element { name, attrs, .. } = &node.data
            && &*name.local == "meta"
        {
            let attrs = attrs.borrow();
            let content = attrs.iter().find(|attr| &*attr.name.local == "content");
            return content.map(|attr| attr.value.to_string());
        }
        node.children.borrow().iter().find_map(find)
    }
    let document = parse_document(RcDom::default(), ParseOpts::default()).one(page);
    find(&document.document).unwrap_or_default()
}

#[test]
fn a_parser_reads_the_grown_policy_and_no_other() {
    for content in [
        "img-src 'self'",
        "a&#39;b&amp;c",
        "&lt;script&gt;",
        "x & y",
        "a\nb",
    ] {
        let page = format!("<meta http-equiv=content-security-policy content=\"{content}\">");
        let (out, _) = rewrite(&at_end(), page.as_bytes(), 5);
        let own = content_in(&page);
        assert_eq!(decoded(content).as_deref(), Some(&*own), "{content}");
        assert_eq!(content_in(&out), format!("{own} <\"&GROWN'>"), "{content}");
    }
}
