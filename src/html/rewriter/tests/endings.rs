//! What the end of a page lets stand behind it, and where the reading of svg and math is in doubt.

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

#[test]
fn text_is_text_behind_an_attribute_without_its_value() {
    for name in [
        "iframe", "noembed", "noframes", "noscript", "script", "style", "textarea", "title", "xmp",
    ] {
        for end in ["a=>", "a= >", "a=b c=\n>"] {
            let text = format!("<{name} {end}<!--</{name}>");
            for (mask, class) in [("p", ""), (".x", " class=x"), ("p:not(b)", "")] {
                let page = format!("{text}<p{class}>private</p>-->");
                let expected = format!("{text}<p[M]{class}>private</p>-->[TAG]");
                tagged(&masking(&[mask]), &page, &expected);
            }
        }
    }
}

#[test]
fn a_page_stops_to_be_read_where_a_browser_may_read_svg_and_math_otherwise() {
    for page in [
        "<svg/><style><p></style>",
        "<div><svg></div><style><p></style>",
        "<svg><svg><p>",
        "<math><svg>",
        "<svg><math>",
        "<svg><foreignObject><p></foreignObject>",
        "<svg><foreignObject><title></title>",
        "<svg><title></svg>",
        "<math><mi><mglyph>",
        "<math><mo><![CDATA[</h1>",
        "<svg><title><![CDATA[<p class=x>]]></title></svg>",
        "<svg><foreignObject><![CDATA[>",
        "<math><annotation-xml encoding='Text/HTML'><p></annotation-xml>",
        "<table><math><form id=f><mi><form></form>",
        "<form><math><form><mi><form></form>",
        "<math><tr><mi><tr></tr>",
        "<math><option><mi><option><option></option></option>",
        "<svg><g><a><foreignObject><a><a></a></a>",
        "<svg><g><foreignObject><svg><g><p></p></g>",
        "<table><td><svg><foreignObject><td></td></foreignObject><style>",
        "<table><tr><td><math><mi><table></table>",
        "<template><td><svg><desc><tr></tr></desc><style>",
        "<svg><desc><table><td><svg><desc><tr></tr></desc><style>",
        "<svg><svg><font size=1>",
        "<template><col><textarea></template>",
        "<template><caption><svg></table><caption><style><p class=x></style>",
        "<template><tr><caption><p><math></table></template>",
        "<p><i></p><svg></i><textarea class=x>",
        "<table><td><svg></tbody><textarea class=x>",
        "<table><td><math></tr><style>",
        "<form><div></form><svg><g></div ><style>",
        "<svg><ul><script></script><svg><option></td>",
        "<svg><svg></p><style>",
        "<svg><svg></BR x><style>",
        "<div><template></div>",
        "a<frameset><svg>",
    ] {
        untagged(page, LocatorStop::Ambiguity);
    }
}

#[test]
fn a_page_with_sound_svg_and_math_is_read_to_its_end() {
    let page = "<svg CLASS=x><g><path/></g><title>a</title><style>b</style><desc/>\
         <foreignObject><div><p class=x>c</p><br></div></foreignObject><svg></svg></svg>\
         <math><mi>a</mi><annotation-xml encoding=text/html><p>d</p></annotation-xml>\
         <annotation-xml><g></annotation-xml></math><svg><path></svg><svg><p class=x></svg>\
         <textarea><p class=x></textarea><p class=x>";
    let mask = |tag: &str| (tag.to_owned(), tag.replacen(' ', "[M] ", 1));
    let mut expected = page.to_owned();
    for (tag, masked) in ["<svg CLASS=x>", "<p class=x>"].map(mask) {
        expected = expected.replace(&tag, &masked);
    }
    let expected = expected.replace("<textarea><p[M]", "<textarea><p");
    tagged(&masking(&[".x"]), page, &format!("{expected}[TAG]"));
    for page in [
        "<svg><foreignObject><table><tr><td></td></tr></table></foreignObject></svg>",
        "<table><tr><td><svg><a><g></a></g><desc><form></form></desc></svg></table>",
        "<math><form></form><mi><form></form></mi></math>",
    ] {
        tagged(&masking(&[".x"]), page, &format!("{page}[TAG]"));
    }
}

#[test]
fn html_far_down_in_a_drawing_is_not_read() {
    let page = |depth| format!("<svg>{}<desc><p>", "<g>".repeat(depth - 3));
    let deep = page(MAX_DEPTH);
    tagged(&masking(&[".x"]), &deep, &format!("{deep}[TAG]"));
    untagged(&page(MAX_DEPTH + 1), LocatorStop::Ambiguity);
}

/// So far it is looked for elements of the same name around; svg, text and `<p>` are three of them.
const MAX_DEPTH: usize = 512;
