//! Who stands within whom: as in a browser's tree where that is sure, and else too many rather than
//! too few.

use super::*;

#[test]
fn what_is_certainly_left_is_left() {
    for (selector, page) in [
        (
            "#f textarea",
            "<form id=f><p><textarea[M]></textarea></p></form><textarea></textarea>",
        ),
        (
            "tr.t td",
            "<table><tr class=t><td[M]>1<td[M]>2</tr><tr><td>3</table>",
        ),
        (
            "tr.t td",
            "<table><tr class=t><td[M]>1<td[M]>2</table><table><td>3",
        ),
        (
            "ul.l > li",
            "<ul class=l><li[M]>1</li><li[M]><p>2</ul><li>3",
        ),
        (".l i", "<div class=l><p><b>1<i[M]>2</i></div></b><i>3</i>"),
        (".l i", "<h1 class=l><i[M]>1</i></h1><h2></h1><i>2</i>"),
        (
            ".l .m i",
            "<div class=l><div class=m><i[M]>1</i></div><i>2</i></div><b class=m><i>3",
        ),
        ("dl.l dd", "<dl class=l><dt>1<dd[M]>2</dl><dd>3"),
        (".l i", "<td class=l><i[M]>1</i></td><i>2</i>"),
        (
            ".l i",
            "<div class=l><object><i[M]>1</i></object></div><i>2</i>",
        ),
        ("body.l i", "<i>1</i><body class=k><i>2</i></body><i>3</i>"),
    ] {
        tagged(
            &masking(&[selector]),
            &page.replace("[M]", ""),
            &format!("{page}[TAG]"),
        );
    }
}

#[test]
fn what_may_be_open_still_is_not_left() {
    for (selector, page) in [
        (
            "#f textarea",
            "<form id=f><div></form><textarea[M]></textarea>",
        ),
        (
            "#f textarea",
            "<table><tr><td><form id=f></table><textarea[M]></textarea>",
        ),
        (
            "#f textarea",
            "<p><b></p><form id=f>1</form><textarea[M]></textarea>",
        ),
        (
            "#f textarea",
            "<b><form id=f>1</form><textarea[M]></textarea>",
        ),
        (".l i", "<div class=l><table></div><i[M]>"),
        (".l i", "<p><b class=l></p><i[M]>"),
        (".l i", "<b class=l><div></b><i[M]>"),
        (".l i", "<span class=l><div></span><i[M]>"),
        (".l i", "<div class=l></body><i[M]>"),
        (".l i", "<body class=l></body><i[M]>"),
        (".l i", "<h1 class=l><h2></h1><i[M]>"),
        (".l i", "<li class=l><ul></li><i[M]>"),
        (".l i", "<p class=l><button></p><i[M]>"),
        (".l i", "<div class=l><button><table></button></div><i[M]>"),
        (
            ".l .m i",
            "<div class=l><p><table></p><b class=m></b></div><i[M]>",
        ),
        (".l .l i", "<div class=l><table></div><b class=l><i[M]>"),
    ] {
        tagged(
            &masking(&[selector]),
            &page.replace("[M]", ""),
            &format!("{page}[TAG]"),
        );
    }
}

#[test]
fn a_body_that_comes_late_costs_the_tag_where_masks_stand_in_it() {
    let masked = r#"<b class=l><i glance_masked="true"></i></b>"#;
    let page = "<b class=l><i></i></b><body class=l><i></i>";
    let expected = format!("{masked}<body class=l><i></i>");
    let ambiguous = PageOutcome::Untagged(LocatorStop::Ambiguity);
    check(
        &masking(&[".l i"]),
        page.as_bytes(),
        expected.as_bytes(),
        ambiguous,
    );
    tagged(
        &masking(&[".l i"]),
        "<body class=l><i>",
        "<body class=l><i[M]>[TAG]",
    );
}

/// What a browser opens again may stand where its tag did not.
#[test]
fn an_element_that_may_be_opened_again_within_another_costs_the_tag() {
    let ambiguous = PageOutcome::Untagged(LocatorStop::Ambiguity);
    for page in [
        "<p><i><form class=l>",
        "<i><div class=l>",
        "<p><i></p><div class=l>",
        "<i><table><td></i><div class=l>",
    ] {
        check(
            &masking(&[".l i"]),
            page.as_bytes(),
            page.as_bytes(),
            ambiguous,
        );
    }
    for page in ["<i></i><div class=l>", "<p><i></p><i></i><div class=m>"] {
        tagged(&masking(&[".l i"]), page, &format!("{page}[TAG]"));
    }
    tagged(
        &masking(&[".l .f i"]),
        "<p><b class=f><div class=l><i>",
        "<p><b class=f><div class=l><i[M]>[TAG]",
    );
}

#[test]
fn elements_without_a_tag_are_masked_by_what_stands_in_them() {
    for (selector, page) in [
        ("tr", "<table><td[M]>1<tr[M]><th[M]>2</table>"),
        ("#t tbody", "<table id=t><tr[M]><td[M]>1</table>"),
        ("tr td", "<table><td[M]>1</table>"),
        ("tr.x", "<table><tr[M] class=x><td>1</table>"),
        ("img.x", "<image[M] class=x>"),
    ] {
        tagged(
            &masking(&[selector]),
            &page.replace("[M]", ""),
            &format!("{page}[TAG]"),
        );
    }
}

#[test]
fn character_references_are_read() {
    for (selector, page) in [
        (
            ".x",
            "<p[M] class=&#120;><p[M] class='a&Tab;X'><p class='&amp;#120;'><p class=&x>",
        ),
        ("#ss-n", "<p[M] id=&#x73;s&#45n><p id='ss&ndash;n'>"),
        (
            "[title^='a&b']",
            "<p[M] title='a&amp;b'><p[M] title=a&b><p title=a&amp;amp;b>",
        ),
        (
            ".\u{e9}",
            "<p[M] class=&eacute;><p[M] class='x &eacute y'><p class=&eacutex>",
        ),
        ("p:not(.x)", "<p[M] class=&#120;><p class=x>"),
        ("[data-a='\"']", "<p[M] data-a='&quot;'><p data-a='&apos;'>"),
        (
            ".x",
            "<p class=\"a' &quot;\"><p[M] class='\" &apos; &#120;'><p class=\"x' &quot;\">",
        ),
        (
            ".\\78 ",
            "<p class=\"a' &quot;\"><p[M] class='\" &apos; &#120;'>",
        ),
        (".\\22 ", "<p[M] class=\"a' &quot;\"><p class=&apos;>"),
        (
            "[title^=\"a'\"]",
            "<p[M] title=\"a'&quot;\"><p[M] title=a'\"&amp;><p title=&quot;>",
        ),
        (".x", "<p[M] class=a'\"&#32;x><p class=a'\"&#32;y>"),
        (".l i", "<i></i><b class=&#108;></b><i[M]></i>"),
        (".l i", "<b class=l><i[M]></i></b><i></i>"),
    ] {
        tagged(
            &masking(&[selector]),
            &page.replace("[M]", ""),
            &format!("{page}[TAG]"),
        );
    }
}

#[test]
fn no_mask_tells_elements_apart_of_which_a_browser_keeps_three() {
    let ambiguous = PageOutcome::Untagged(LocatorStop::Ambiguity);
    for page in [
        "<div class=l><i[M]></div><i><i><i>",
        "<div class=l><i[M] id=a class=b></div><i CLASS='b' id=&#97;><i id=a id=c class=b><i class=b id=a>",
        "<div class=l><i[M]><i[M]></i></div><i><b></b><i></i><i><i>",
    ] {
        let masked = page.replace("[M]", r#" glance_masked="true""#);
        let page = page.replace("[M]", "");
        check(
            &masking(&[".l i"]),
            page.as_bytes(),
            masked.as_bytes(),
            ambiguous,
        );
    }
    for page in [
        "<div class=l><i[M]></i><i[M]></i><i[M]></div><i></i><i></i><i></i>",
        "<div class=l><i[M]></div><i><i>",
        "<div class=l><i[M]></div><i class=a><i id=a><i>",
        "<div class=l><i[M]><i[M]><i[M]><i[M]></div>",
    ] {
        let masks = masking(&[".l i"]);
        tagged(&masks, &page.replace("[M]", ""), &format!("{page}[TAG]"));
    }
}
