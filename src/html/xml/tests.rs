use bytes::Bytes;
use encoding_rs::{Encoding, ISO_2022_JP, SHIFT_JIS, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1251};
use proptest::prelude::*;
use roxmltree::{Document, ParsingOptions};

use super::*;
use crate::html::{
    Inheritance, Mask, PageKind, PageOutcome, PagePolicies, PageReport, PageRewriter, Placement,
    PolicyRefused, ScriptTag,
};

const TAG: &str = r#"<script id="glance-cobrowse" src="/c.js" defer=""></script>"#;
const MASKED: &str = r#" glance_masked="true""#;
const XMLNS: &str = r#"xmlns="http://www.w3.org/1999/xhtml""#;

fn plan(existing: ExistingTag, masks: &[&str]) -> Arc<Plan> {
    let attributes = [
        ("id", Some("glance-cobrowse")),
        ("src", Some("/c.js")),
        ("defer", None),
    ];
    let mask = |text: &&str| Mask {
        selector: text.parse().unwrap(),
        scope: MaskScope::Everyone,
    };
    let masks = masks.iter().map(mask).collect();
    let tag = ScriptTag::render(attributes).unwrap();
    Arc::new(Plan::new(tag, Placement::End, existing, masks))
}

fn masking(masks: &[&str]) -> Arc<Plan> {
    plan(ExistingTag::Replace, masks)
}

fn rewrite_in(
    plan: &Arc<Plan>,
    declared: Option<&'static Encoding>,
    page: &[u8],
    chunk: usize,
) -> (Vec<u8>, PageReport) {
    let mut rewriter = PageRewriter::new(Arc::clone(plan), declared, PageKind::Xhtml);
    let mut out = Vec::new();
    for chunk in page.chunks(chunk) {
        out.extend_from_slice(&rewriter.push(Bytes::copy_from_slice(chunk)));
    }
    let (rest, report) = rewriter.finish();
    out.extend_from_slice(&rest);
    (out, report)
}

/// `[TAG]`, `[M]` and `[X]` stand for the tag, the mask and the namespace; without the first two,
/// the page is the origin's. Whatever comes out is as well-formed as what went in.
#[track_caller]
fn check(plan: &Arc<Plan>, page: &str, outcome: PageOutcome) {
    let page = page.replace("[X]", XMLNS);
    let origin = page.replace("[TAG]", "").replace("[M]", "");
    let expected = page.replace("[TAG]", TAG).replace("[M]", MASKED);
    for chunk in 1..=origin.len() {
        let (out, report) = rewrite_in(plan, None, origin.as_bytes(), chunk);
        assert_eq!(String::from_utf8_lossy(&out), expected, "chunks of {chunk}");
        assert_eq!(report.outcome, outcome, "{origin}");
    }
    assert_eq!(
        is_well_formed(&expected),
        is_well_formed(&origin),
        "{expected}"
    );
}

fn is_well_formed(page: &str) -> bool {
    let options = ParsingOptions {
        allow_dtd: true,
        ..ParsingOptions::default()
    };
    Document::parse_with_options(page, options).is_ok()
}

#[track_caller]
fn tagged(plan: &Arc<Plan>, page: &str) {
    check(plan, page, PageOutcome::Tagged);
    assert!(is_well_formed(
        &page
            .replace("[X]", XMLNS)
            .replace("[TAG]", "")
            .replace("[M]", "")
    ));
}

#[track_caller]
fn left_alone(plan: &Arc<Plan>, page: &str, stop: LocatorStop) {
    check(plan, page, PageOutcome::Untagged(stop));
}

#[test]
fn the_tag_goes_in_front_of_the_roots_end_and_masks_behind_names() {
    tagged(
        &masking(&[
            "#ssn",
            ".secret",
            "td",
            "ul.list > li",
            "[data-x~=b i]",
            "p:not(.open)",
        ]),
        "<?xml version=\"1.0\"?>\n<!DOCTYPE html PUBLIC \"-//W3C//DTD XHTML 1.0 Strict//EN\" \
         \"http://www.w3.org/TR/xhtml1/DTD/xhtml1-strict.dtd\">\n<!-- <html> --><html [X] lang='en'>\
         <head><title>a</title><script src='/a'/><style><![CDATA[ <p> ]]></style></head>\
         <body><div[M] class='a secret'/><b[M]\n id = 'ssn' >x &lt; y</b><p[M]/><p class='open'></p>\
         <table><tr><td[M]><td[M]/></td></tr></table><ul class='list'><li[M]><b><li/></b></li></ul>\
         <i[M] data-x='a B'/><?php <p> ?><!-- <p> --></body>[TAG]</html  >\n<!-- end -->\n",
    );
    tagged(&masking(&[]), "<html [X]>[TAG]</html>");
    tagged(
        &masking(&["p"]),
        "\u{feff}<html [X]><p[M]>\u{e9}</p>[TAG]</html>",
    );
    tagged(
        &masking(&["p"]),
        "\u{feff}<?xml version='1.0'?><html [X]><p[M]/>[TAG]</html>",
    );
    tagged(
        &masking(&["p"]),
        "<?xml-stylesheet type='text/css' href='a'?><html [X]>[TAG]</html>",
    );
}

#[test]
fn names_ids_and_classes_count_as_they_are_written() {
    tagged(
        &masking(&["P", "#SSN", ".Secret", "[ID=x]", ".\u{e9}"]),
        "<html [X]><p/><P[M]/><b id='ssn'/><b[M] id='SSN'/><i class='secret'/><i[M] class='Secret'/>\
         <u id='x'/><u[M] ID='x'/><s[M] class='&#xe9;'/><s[M] class='\u{e9}'/>[TAG]</html>",
    );
}

#[test]
fn elements_of_other_namespaces_are_masked_by_their_local_names() {
    tagged(
        &masking(&["text", "[href]"]),
        "<html [X] xmlns:s='http://www.w3.org/2000/svg' xmlns:l='http://www.w3.org/1999/xlink'>\
         <s:svg><s:text[M]/><s:a l:href='x'/><s:a[M] href='y'/></s:svg>[TAG]</html>",
    );
}

#[test]
fn where_xhtml_has_a_prefix_the_tag_says_its_namespace() {
    let page = "<h:html xmlns:h='http://www.w3.org/1999/xhtml'><h:p/></h:html>";
    let (out, report) = rewrite_in(&masking(&["p"]), None, page.as_bytes(), 7);
    let out = String::from_utf8(out).unwrap();
    assert_eq!(report.outcome, PageOutcome::Tagged);
    let document = Document::parse(&out).unwrap();
    let script = document.root_element().last_element_child().unwrap();
    assert!(script.has_tag_name(("http://www.w3.org/1999/xhtml", "script")));
    assert_eq!(script.attribute("defer"), Some(""));
    assert!(out.contains("<h:p glance_masked=\"true\"/>"));
}

#[test]
fn what_is_no_xhtml_document_is_left_alone() {
    for page in [
        "<svg xmlns='http://www.w3.org/2000/svg'><p/></svg>",
        "<feed xmlns='http://www.w3.org/2005/Atom'><p/></feed>",
        "<html><p/></html>",
        "<html xmlns='http://www.w3.org/TR/REC-html40'><p/></html>",
        "<HTML [X]><p/></HTML>",
        "<h:html xmlns:x='http://www.w3.org/1999/xhtml'/>",
        "<p [X]/>",
    ] {
        left_alone(&masking(&["p"]), page, LocatorStop::NotADocument);
    }
}

#[test]
fn what_may_be_more_than_its_text_is_left_alone() {
    for page in [
        "<!DOCTYPE html [<!ENTITY m '<p/>'>]><html [X]>&m;<p/></html>",
        "<!DOCTYPE html SYSTEM 'a' [ ]><html [X]><p/></html>",
        "<?xml-stylesheet type='text/xsl' href='a.xsl'?><html [X]><p/></html>",
        "<html [X]><p class='&unknown;'/></html>",
    ] {
        left_alone(&masking(&["p", ".x"]), page, LocatorStop::Xml);
    }
    // Not asked for: an entity there changes nothing.
    check(
        &masking(&["p"]),
        "<html [X]><p[M] title='&nbsp;'/>&nbsp;[TAG]</html>",
        PageOutcome::Tagged,
    );
}

#[test]
fn what_is_not_well_formed_gets_no_tag_and_no_more_masks() {
    for page in [
        "x<html [X]/>",
        "<html [X]><p[M]/><b></p></html>",
        "<html [X]><p[M]/><p a=1/></html>",
        "<html [X]><p[M]/><p a='1' a='2'/></html>",
        "<html [X]><p[M]/><p a='<'/></html>",
        "<html [X]><p[M]/><p <p/></html>",
        "<html [X]><p[M]/><!-- -- --><p/></html>",
        "<html [X]><p[M]/><!x><p/></html>",
        "<html [X]><p[M]/><?xml version='1.0'?></html>",
        "<html [X]><p[M]/><!DOCTYPE html></html>",
        "<html [X]><p[M]/><? ?></html>",
        "<html [X]><p[M]/></HTML>",
        "<html [X]><p[M]/></html x=''>",
        "<!doctype html><html [X]/>",
        " <?xml version='1.0'?><html [X]/>",
        "<![CDATA[]]><html [X]/>",
    ] {
        left_alone(&masking(&["p"]), page, LocatorStop::Xml);
    }
}

#[test]
fn a_document_without_a_roots_end_has_no_place_for_the_tag() {
    for page in [
        "<html [X]><p[M]/>",
        "<html [X]><p[M]/></html",
        "<html [X]><p[M]/><!-- </html>",
        "<html [X]><p[M]/><![CDATA[</html>",
        "<html [X]><p[M]/><p",
        "<html [X]/>",
        " ",
    ] {
        left_alone(&masking(&["p"]), page, LocatorStop::TagNotLive);
    }
    check(&masking(&["p"]), "", PageOutcome::Empty);
}

#[test]
fn nothing_is_written_twice() {
    let twice = LocatorStop::XmlAttribute;
    let replacing = masking(&["p"]);
    left_alone(
        &replacing,
        "<html [X]><p[M]/><p glance_masked='false'/><p/></html>",
        twice,
    );
    tagged(
        &replacing,
        "<html [X]><p glance_masked='true'/><p[M]/>[TAG]</html>",
    );
    tagged(
        &replacing,
        "<html [X]><b glance_masked='false'/><p[M]/>[TAG]</html>",
    );
    let keeping = plan(ExistingTag::Keep, &["p"]);
    let page = "<html [X]><p[M]/><script id='glance-cobrowse'/><p[M]/></html>";
    check(&keeping, page, PageOutcome::Kept);
}

const BEGIN: &str = "<template xmlns=\"http://www.w3.org/1999/xhtml\">";
const END: &str = "</template>";

/// `[T]` and `[/T]` stand for what is laid around the page's own tags.
#[track_caller]
fn enclosed(plan: &Arc<Plan>, page: &str) {
    let origin = page.replace("[T]", "").replace("[/T]", "");
    let origin = origin
        .replace("[X]", XMLNS)
        .replace("[TAG]", "")
        .replace("[M]", "");
    let expected = page.replace("[T]", BEGIN).replace("[/T]", END);
    let expected = expected
        .replace("[X]", XMLNS)
        .replace("[TAG]", TAG)
        .replace("[M]", MASKED);
    for chunk in 1..=origin.len() {
        let (out, report) = rewrite_in(plan, None, origin.as_bytes(), chunk);
        assert_eq!(String::from_utf8_lossy(&out), expected, "chunks of {chunk}");
        assert_eq!(report.outcome, PageOutcome::Tagged, "{origin}");
    }
    assert!(
        is_well_formed(&origin) && is_well_formed(&expected),
        "{expected}"
    );
}

#[test]
fn a_tag_of_the_pages_own_is_put_out_of_action_by_a_template_around_it() {
    for page in [
        "<html [X]><p[M]/>[T]<script id='glance-cobrowse'/>[/T]<p[M]/>[TAG]</html>",
        "<html [X]>[T]<script id='glance-cobrowse'>a &lt; b<!-- </script> --></script >[/T]<p[M]/>[TAG]</html>",
        "<html [X]>[T]<meta id='cobrowsescript'></meta>[/T][T]<script src='/GlanceCobrowseLoader_1.js'/>[/T][TAG]</html>",
        "<html [X]>[T]<script id='glance-cobrowse' glance_masked='no'><script id='glance-cobrowse'/><p/></script>[/T]<p[M]/>[TAG]</html>",
        "<html [X] xmlns:s='http://www.w3.org/2000/svg'>[T]<s:script id='glance-cobrowse'/>[/T]<p[M]/>[TAG]</html>",
        "<html [X]>[T]<script id='glance-cobrowse'/>[/T][TAG]</html>",
    ] {
        enclosed(&masking(&["p", "[glance_masked]"]), page);
    }
    let half = format!("<html {XMLNS}><script id='glance-cobrowse'>");
    let (out, report) = rewrite_in(&masking(&["p"]), None, half.as_bytes(), 9);
    assert_eq!(
        report.outcome,
        PageOutcome::Untagged(LocatorStop::TagNotLive)
    );
    assert_eq!(String::from_utf8(out).unwrap().replace(BEGIN, ""), half);
}

#[test]
fn the_tag_takes_over_what_one_that_is_enclosed_says() {
    let inheritance = Inheritance {
        attributes: vec!["data-groupid", "data-x"],
        accepts: |_, _| true,
    };
    let plan = (*masking(&[])).clone().with_inheritance(inheritance);
    let page =
        format!("<html {XMLNS}><script id='glance-cobrowse' data-groupid='1&amp;2'/></html>");
    let (out, _) = rewrite_in(&Arc::new(plan), None, page.as_bytes(), 9);
    let tag = TAG.replace("></", " data-groupid=\"1&amp;2\"></");
    let expected = page
        .replace("<script", &format!("{BEGIN}<script"))
        .replace("</html>", &format!("{END}{tag}</html>"));
    assert_eq!(String::from_utf8(out).unwrap(), expected);
}

#[test]
fn two_edges_in_a_row_write_one_tag() {
    let page = format!("<html {XMLNS}><p/></html>");
    let (once, _) = rewrite_in(&masking(&["p"]), None, page.as_bytes(), 9);
    let (twice, report) = rewrite_in(&masking(&["p"]), None, &once, 9);
    let twice = String::from_utf8(twice).unwrap();
    assert_eq!(report.outcome, PageOutcome::Tagged);
    let around = twice.replace(&format!("{BEGIN}{TAG}{END}"), "");
    assert_eq!(around.as_bytes(), once);
}

/// Grows policies that do not say otherwise.
struct Policies;

impl PagePolicies for Policies {
    fn adjust(&mut self, policy: &str) -> Result<Option<String>, PolicyRefused> {
        Ok((policy != "fine").then(|| "grown".to_owned()))
    }

    fn nonce(&self) -> Option<&str> {
        Some("abc")
    }
}

#[test]
fn a_policy_that_would_have_to_be_said_anew_costs_the_tag() {
    for (content, outcome) in [
        ("fine", PageOutcome::Tagged),
        ("img-src *", PageOutcome::Refused),
    ] {
        let page = format!(
            "<html {XMLNS}><meta http-equiv='Content-Security-Policy' content='{content}'/><p/></html>"
        );
        let rewriter = PageRewriter::new(masking(&["p"]), None, PageKind::Xhtml);
        let mut rewriter = rewriter.with_policies(Box::new(Policies));
        let mut out = rewriter.push(page.clone().into()).to_vec();
        let (rest, report) = rewriter.finish();
        out.extend_from_slice(&rest);
        assert_eq!(report.outcome, outcome, "{content}");
        let tag = match outcome {
            PageOutcome::Tagged => TAG.replace("<script", "<script nonce=\"abc\""),
            _ => String::new(),
        };
        let expected = page.replace("<p/>", &format!("<p{MASKED}/>{tag}"));
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
}

#[test]
fn a_documents_charset_is_that_of_xml() {
    let plan = masking(&[".\u{436}"]);
    let text =
        |declaration: &str| format!("{declaration}<html {XMLNS}><p class=\"\u{436}\"/></html>");
    let utf_16 = |text: &str, of: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(of).collect();
    let declared = |label: &str| text(&format!("<?xml version=\"1.0\" encoding=\"{label}\"?>"));
    let in_1251 = |text: &str| WINDOWS_1251.encode(text).0.into_owned();
    let big: Vec<u8> = utf_16(&text("\u{feff}"), u16::to_be_bytes);
    for (header, page, matches) in [
        (None, text("").into_bytes(), true),
        (None, declared("utf-8").into_bytes(), true),
        (None, declared("UTF-16").into_bytes(), true),
        (None, in_1251(&declared("windows-1251")), true),
        (Some(WINDOWS_1251), in_1251(&text("")), true),
        (Some(WINDOWS_1251), in_1251(&declared("utf-8")), true),
        (
            None,
            SHIFT_JIS.encode(&declared("Shift_JIS")).0.into_owned(),
            true,
        ),
        (Some(WINDOWS_1251), text("\u{feff}").into_bytes(), true),
        (Some(UTF_8), big, true),
        (None, utf_16(&declared("utf-16"), u16::to_le_bytes), true),
        (Some(UTF_16LE), utf_16(&text(""), u16::to_le_bytes), true),
        (Some(UTF_16BE), utf_16(&text(""), u16::to_be_bytes), true),
        (None, declared("unknown").into_bytes(), false),
        (None, declared("iso-2022-jp").into_bytes(), false),
        (Some(ISO_2022_JP), text("").into_bytes(), false),
        (None, in_1251(&text("")), false),
    ] {
        let whole = rewrite_in(&plan, header, &page, page.len());
        let shown = String::from_utf8_lossy(&page);
        assert_eq!(*whole.1.mask_counts == [1], matches, "{shown}");
        assert_eq!(whole.1.outcome == PageOutcome::Tagged, matches, "{shown}");
        assert_eq!(rewrite_in(&plan, header, &page, 1), whole, "{shown}");
    }
}

#[test]
fn bounds_hold() {
    let page = |inside: String| format!("<html {XMLNS}>{inside}</html>");
    let outcome = |inside| {
        let page = page(inside);
        let (out, report) = rewrite_in(&masking(&["p p.x"]), None, page.as_bytes(), 8192);
        assert_eq!(String::from_utf8(out).unwrap().replace(TAG, ""), page);
        report.outcome
    };
    let nested = |depth| "<p>".repeat(depth) + &"</p>".repeat(depth);
    let too_much = PageOutcome::Untagged(LocatorStop::MemoryLimit);
    assert_eq!(outcome(nested(511)), PageOutcome::Tagged);
    assert_eq!(outcome(nested(512)), too_much);
    let attribute = |length| format!("<p a='{}'/>", "x".repeat(length));
    assert_eq!(outcome(attribute(1024 * 1024)), PageOutcome::Tagged);
    assert_eq!(outcome(attribute(3 * 1024 * 1024)), too_much);
    let comment = format!("<!--{} -->", " -".repeat(4 * 1024 * 1024));
    assert_eq!(outcome(comment), PageOutcome::Tagged);
}

#[test]
fn a_page_streams() {
    let mut rewriter = PageRewriter::new(masking(&["p"]), Some(UTF_8), PageKind::Xhtml);
    let page = format!("<html {XMLNS}><p>text</p><!-- comment");
    let out = rewriter.push(page.clone().into());
    assert!(out.len() + 2 >= page.len() + MASKED.len());
}

/// Pieces of documents, well-formed and not.
fn xml_soup() -> impl Strategy<Value = String> {
    let pieces = vec![
        "<p>",
        "</p>",
        "<p/>",
        "<td class='x'>",
        "</td>",
        "<td/>",
        "<b class=\"a x\"/>",
        "<b class='X'>",
        "</b>",
        "text",
        " ",
        "&amp;",
        "&#65;",
        "&",
        "<!-- <p> -->",
        "<!--",
        "-->",
        "<![CDATA[ <p> ]]>",
        "<![CDATA[",
        "]]>",
        "<?a <p> ?>",
        "<?",
        "?>",
        "<p a='>'/>",
        "<p a=\"",
        "\"",
        "'",
        ">",
        "<",
        "/>",
        "<p glance_masked='true' class='x'/>",
        "<p glance_masked='' class='x'/>",
        "</html>",
        "\u{e9}",
        "<html>",
        "<p xmlns='' class='x'/>",
        "<script>",
        "</script>",
        "<p\n>",
        "</p\n>",
        "<P class='x'/>",
        "<script id='glance-cobrowse'>",
        "<script id='glance-cobrowse' class='x'/>",
    ];
    let inside = prop::collection::vec(prop::sample::select(pieces), 0..14);
    let ends = prop::sample::select(vec![
        "</html>",
        "</body></html>",
        "</p></html>",
        "</p></td></html>",
        "",
        "</html> x",
    ]);
    (inside, ends).prop_map(|(inside, end)| format!("<html {XMLNS}>{}{end}", inside.concat()))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 3000, ..ProptestConfig::default() })]

    /// Against a whole XML parser: a page stays well-formed, with one tag and every mask, or has
    /// no tag; its bytes are what they were.
    #[test]
    fn documents_stay_well_formed(page in xml_soup(), chunk in 1usize..20) {
        let plan = masking(&["td", ".x"]);
        let (out, report) = rewrite_in(&plan, None, page.as_bytes(), chunk);
        let out = String::from_utf8(out).unwrap();
        let tagged = report.outcome == PageOutcome::Tagged;
        prop_assert_eq!(out.matches(TAG).count(), usize::from(tagged));
        let without = out.replace(TAG, "").replace(MASKED, "").replace(BEGIN, "").replace(END, "");
        prop_assert_eq!(without, page.as_str());
        if is_well_formed(&page) {
            prop_assert!(is_well_formed(&out), "{}", out);
            prop_assert!(tagged || report.outcome == PageOutcome::Untagged(LocatorStop::XmlAttribute));
            if tagged {
                let document = Document::parse(&out).unwrap();
                let is_inert = |node: &roxmltree::Node<'_, '_>| {
                    node.ancestors().any(|outer| outer.has_tag_name("template"))
                };
                let shown = document.descendants().filter(|node| !is_inert(node));
                let is_tag = |node: &roxmltree::Node<'_, '_>| {
                    node.attribute("id") == Some("glance-cobrowse")
                };
                prop_assert_eq!(shown.clone().filter(is_tag).count(), 1);
                let private = shown.filter(|node| {
                    let class = node.attribute("class").unwrap_or_default();
                    node.tag_name().name() == "td" || class.split_ascii_whitespace().any(|class| class == "x")
                });
                for node in private {
                    prop_assert_eq!(node.attribute("glance_masked"), Some("true"));
                }
                prop_assert!(document.root_element().last_element_child().unwrap().has_tag_name("script"));
            }
        }
    }
}
