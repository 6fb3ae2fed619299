//! Pages in all charsets, and what a whole parser makes of them once they are decoded.

use encoding_rs::{
    BIG5, EUC_JP, EUC_KR, GB18030, GBK, IBM866, ISO_8859_2, KOI8_R, MACINTOSH, SHIFT_JIS, UTF_8,
    UTF_16BE, UTF_16LE, WINDOWS_1251, WINDOWS_1252,
};
use proptest::prelude::*;

use super::soup::{outline_of, tag_soup};
use super::*;
use crate::html::charset;

#[test]
fn a_charset_that_gives_markup_a_second_meaning_passes_untouched() {
    let charset = PageOutcome::Untagged(LocatorStop::Charset);
    let page = b"<meta charset=iso-2022-jp><p>";
    check(&masking(&["p"]), page, page, charset);
    let declared = charset::labelled("iso-2022-jp");
    let rewriter = PageRewriter::new(masking(&["p"]), declared, PageKind::Document);
    assert_eq!(rewriter.finish().1.outcome, charset);
}

/// A class of one letter, in the charset that a label names.
fn letter_page(head: &str, letter: char, label: &str) -> Vec<u8> {
    let text = format!("{head}<p class={letter}>x</p>");
    let (page, _, unmappable) = charset::labelled(label).unwrap().encode(&text);
    assert!(!unmappable, "{label} has {letter}");
    page.into_owned()
}

#[test]
fn a_selector_that_is_not_ascii_is_compared_in_the_pages_charset() {
    for (letter, label) in [
        ('\u{e4}', "windows-1252"),
        ('\u{e4}', "utf-8"),
        ('\u{436}', "windows-1251"),
        ('\u{436}', "shift_jis"),
        ('\u{436}', "euc-kr"),
        ('\u{436}', "gbk"),
    ] {
        for selector in [format!(".{letter}"), format!(".\\{:x} ", u32::from(letter))] {
            let plan = masking(&[&selector]);
            for head in [
                format!("<meta charset={label}>"),
                format!(
                    "<title>a</title><meta http-equiv=content-type content='text/html; charset={label}'>"
                ),
            ] {
                let page = letter_page(&head, letter, label);
                let (out, report) = whole(&plan, &page);
                let expected = (PageOutcome::Tagged, &[1][..]);
                assert_eq!(
                    (report.outcome, &*report.mask_counts),
                    expected,
                    "{selector} {head}"
                );
                assert_eq!(rewrite_chunks(&plan, page.chunks(1)), (out, report));
            }
            let mut declared = PageRewriter::new(
                Arc::clone(&plan),
                charset::labelled(label),
                PageKind::Document,
            );
            let _ = declared.push(letter_page("<meta charset=big5>", letter, label).into());
            assert_eq!(*declared.finish().1.mask_counts, [1], "{selector} {label}");
        }
    }
    let undeclared = letter_page("", '\u{e4}', "windows-1252");
    assert_eq!(
        *whole(&masking(&[".\u{e4}"]), &undeclared).1.mask_counts,
        [1]
    );
    let marked = letter_page("\u{feff}", '\u{e4}', "utf-8");
    assert_eq!(*whole(&masking(&[".\u{e4}"]), &marked).1.mask_counts, [1]);
}

#[test]
fn a_charset_that_is_declared_too_late_costs_the_tag_where_it_matters() {
    let late = format!(
        "<!--{}--><meta charset=utf-8>",
        " ".repeat(charset::PRESCAN)
    );
    let page = letter_page(&late, '\u{e4}', "utf-8");
    check(
        &masking(&[".\u{e4}"]),
        &page,
        &page,
        PageOutcome::Untagged(LocatorStop::Charset),
    );
    let (_, report) = whole(&masking(&["p"]), &page);
    assert_eq!(
        (report.outcome, &*report.mask_counts),
        (PageOutcome::Tagged, &[1][..])
    );
}

#[test]
fn a_page_is_held_back_for_its_charset_only_where_it_matters() {
    let first = |plan| {
        PageRewriter::new(plan, None, PageKind::Document).push(Bytes::from_static(b"<p>text</p>"))
    };
    assert!(!first(masking(&["p"])).is_empty());
    assert!(first(masking(&[".\u{e4}"])).is_empty());
}

/// The text in an encoding, also in those that nothing is encoded in by browsers.
fn encoded(text: &str, encoding: &'static Encoding) -> Vec<u8> {
    match encoding {
        _ if encoding == UTF_16LE => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        _ if encoding == UTF_16BE => text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        _ => encoding.encode(text).0.into_owned(),
    }
}

fn rewrite_in<'c>(
    plan: &Arc<Plan>,
    declared: Option<&'static Encoding>,
    chunks: impl IntoIterator<Item = &'c [u8]>,
) -> (Vec<u8>, PageReport) {
    let mut rewriter = PageRewriter::new(Arc::clone(plan), declared, PageKind::Document);
    let mut out = Vec::new();
    for chunk in chunks {
        out.extend_from_slice(&rewriter.push(Bytes::copy_from_slice(chunk)));
    }
    let (rest, report) = rewriter.finish();
    out.extend_from_slice(&rest);
    (out, report)
}

/// Takes the page through whole, byte by byte and at every split.
#[track_caller]
fn check_in(
    plan: &Arc<Plan>,
    declared: Option<&'static Encoding>,
    page: &[u8],
    expected: &[u8],
    outcome: PageOutcome,
) {
    let whole = rewrite_in(plan, declared, [page]);
    assert_eq!(whole.0, expected, "{}", String::from_utf8_lossy(&whole.0));
    assert_eq!(whole.1.outcome, outcome);
    assert_eq!(rewrite_in(plan, declared, page.chunks(1)), whole);
    for at in 0..page.len() {
        let (first, second) = page.split_at(at);
        assert_eq!(
            rewrite_in(plan, declared, [first, second]),
            whole,
            "split at {at}"
        );
    }
}

/// In the page, `[M]` stands for the mask and `[TAG]` for the tag; without them, it is the origin's.
#[track_caller]
fn check_utf_16(plan: &Arc<Plan>, page: &str) {
    let expected = page
        .replace("[TAG]", TAG)
        .replace("[M]", r#" glance_masked="true""#);
    let origin = page.replace("[TAG]", "").replace("[M]", "");
    for encoding in [UTF_16LE, UTF_16BE] {
        let [page, expected] = [&origin, &expected].map(|text| encoded(text, encoding));
        check_in(plan, Some(encoding), &page, &expected, PageOutcome::Tagged);
        let [page, expected] = [page, expected].map(|text| {
            let mark = encoded("\u{feff}", encoding);
            [mark, text].concat()
        });
        for declared in [None, Some(encoding), Some(UTF_8), Some(WINDOWS_1252)] {
            check_in(plan, declared, &page, &expected, PageOutcome::Tagged);
        }
    }
}

#[test]
fn utf_16_pages_are_edited_in_utf_16() {
    check_utf_16(
        &masking(&["p", ".\u{e9}", "#\u{1f600}", ".\u{8868}"]),
        "<!doctype html><meta charset=utf-16><title>a\u{e9}\u{8868}\u{1f600}</title>\
         <P[M]  CLASS=a   id='ssn' >1</p><b[M] class=\u{e9}>\u{1f600}</b><i[M] id=\u{1f600}>\
         <u[M] class=\u{8868}><s class=e>\u{d7}</html>\n[TAG]",
    );
    check_utf_16(&in_head(), "<title>\u{8868}</title>[TAG]<link><p>\u{e9}");
    check_utf_16(
        &masking(&[]),
        "<html><head></head>[TAG]<frameset><frame></frameset>",
    );
    check_utf_16(
        &masking(&["b"]),
        "<svg><style><![CDATA[ \u{8868}]]></style></svg><b[M]>[TAG]",
    );
}

#[test]
fn an_existing_tag_in_utf_16_is_put_out_of_action_in_utf_16() {
    let out = r#" id="glance-cobrowse-replaced" type="text/plain""#;
    let page = "<script id=glance-cobrowse></script>\u{e9}";
    let expected = format!("<script{out} id=glance-cobrowse></script>\u{e9}{TAG}");
    let [page, expected] = [page, &expected].map(|text| encoded(text, UTF_16BE));
    check_in(
        &masking(&[]),
        Some(UTF_16BE),
        &page,
        &expected,
        PageOutcome::Tagged,
    );
}

#[test]
fn what_is_broken_in_a_utf_16_page_stays_as_it_is() {
    let plan = masking(&["p"]);
    for (encoding, low) in [(UTF_16LE, 0), (UTF_16BE, 1)] {
        let surrogate = |high: u8| if low == 0 { [0x3d, high] } else { [high, 0x3d] };
        for broken in [[0xd8, 0xd8], [0xd8, 0xdc], [0xdc, 0xd8], [0xdc, 0xdc]] {
            let broken = [surrogate(broken[0]), surrogate(broken[1])].concat();
            let text = |text: &str| encoded(text, encoding);
            let mask = text(r#" glance_masked="true""#);
            let tag = text(TAG);
            let page = [
                &text("<p")[..],
                &text(" a="),
                &broken,
                &text(">"),
                &broken,
                &text("x"),
            ];
            let mut masked = page.to_vec();
            masked.insert(1, &mask);
            masked.push(&tag);
            check_in(
                &plan,
                Some(encoding),
                &page.concat(),
                &masked.concat(),
                PageOutcome::Tagged,
            );
            // Half a code unit is behind the tag: in front of it, it would take half of the `<`.
            let odd = [&page.concat()[..], b"<"].concat();
            let masked = [&masked.concat()[..], b"<"].concat();
            check_in(&plan, Some(encoding), &odd, &masked, PageOutcome::Tagged);
        }
    }
    let one = check_in;
    one(&plan, Some(UTF_16LE), b"x", b"x", PageOutcome::Empty);
}

#[test]
fn a_utf_16_page_that_cannot_be_read_to_its_end_passes_whole() {
    let page = encoded("<p>1</p><select><xmp>\u{e9}</select><p>2", UTF_16LE);
    let page = [&page[..], b"x"].concat();
    let expected = encoded(
        "<p glance_masked=\"true\">1</p><select><xmp>\u{e9}</select><p>2",
        UTF_16LE,
    );
    let expected = [&expected[..], b"x"].concat();
    let outcome = PageOutcome::Untagged(LocatorStop::Ambiguity);
    check_in(&masking(&["p"]), Some(UTF_16LE), &page, &expected, outcome);
}

#[test]
fn a_utf_16_page_streams() {
    let mut rewriter = PageRewriter::new(masking(&["p"]), Some(UTF_16LE), PageKind::Document);
    let page = encoded(&"<b>text".repeat(1000), UTF_16LE);
    let first = rewriter.push(page.clone().into());
    assert_eq!(first.len(), page.len());
}

/// The same letter spelled in two ways is one letter to a browser.
#[test]
fn a_letter_matches_however_its_charset_spells_it() {
    for (encoding, letter, spellings) in [
        (SHIFT_JIS, '\u{9ad9}', [&b"\xee\xe0"[..], b"\xfb\xfc"]),
        (SHIFT_JIS, '\u{2252}', [b"\x81\xe0", b"\x87\x90"]),
        (GB18030, '\u{e7c7}', [b"\xa8\xbc", b"\x81\x35\xf4\x37"]),
    ] {
        let plan = masking(&[&format!(".{letter}")]);
        for spelling in spellings {
            let (decoded, _) = encoding.decode_without_bom_handling(spelling);
            if !decoded.starts_with(letter) {
                continue;
            }
            let page = [b"<p class='", spelling, b"'>"].concat();
            let (_, report) = rewrite_in(&plan, Some(encoding), [&page[..]]);
            assert_eq!(*report.mask_counts, [1], "{spelling:x?}");
        }
    }
    let (of, other) = (
        SHIFT_JIS.decode(b"\xee\xe0").0,
        SHIFT_JIS.decode(b"\xfb\xfc").0,
    );
    assert_eq!(of, other, "there is a letter with two spellings");
}

/// What in one charset is part of a value, and in another is part of a letter.
#[test]
fn parts_of_values_are_compared_as_letters_where_that_masks_less() {
    let plan = masking(&["p:not([title*='A'])"]);
    let page = b"<meta charset=shift_jis><p title='\x83A'>";
    let (_, report) = rewrite_in(&plan, None, [&page[..]]);
    assert_eq!(
        (report.outcome, *report.mask_counts == [1]),
        (PageOutcome::Tagged, true)
    );
}

/// In Shift_JIS the first `]` is half a letter, so that the section goes on.
#[test]
fn the_end_of_a_cdata_section_is_only_trusted_where_the_charset_is_known() {
    let plan = masking(&["p"]);
    let page = b"<svg><style><![CDATA[ \x81]]> <p> ]]></style></svg><p>1";
    let outcome = |declared| rewrite_in(&plan, declared, [&page[..]]).1;
    let shift_jis = outcome(Some(SHIFT_JIS));
    assert_eq!(
        (shift_jis.outcome, shift_jis.mask_counts[0]),
        (PageOutcome::Tagged, 1)
    );
    let unknown = outcome(None).outcome;
    assert_eq!(unknown, PageOutcome::Untagged(LocatorStop::Ambiguity));
    let plain = b"<svg><style><![CDATA[ \x81]] a]]></style></svg><p>1";
    assert_eq!(
        rewrite_in(&plan, None, [&plain[..]]).1.outcome,
        PageOutcome::Tagged
    );
}

/// What is found where must not depend on how letters are decoded on the way.
#[test]
fn broken_letters_in_svg_move_no_mask() {
    for broken in [&b"\xfe"[..], b"\x81", b"\xe0\xa0", b"\xfe\x81\xe0"] {
        let page = |mask: &[u8]| {
            [
                b"<svg>",
                broken,
                b"<td",
                mask,
                b" class=x>",
                broken,
                b"</svg><p",
                mask,
                b">",
            ]
            .concat()
        };
        let expected = [page(br#" glance_masked="true""#), TAG.into()].concat();
        check_in(
            &masking(&["td", "p"]),
            None,
            &page(b""),
            &expected,
            PageOutcome::Tagged,
        );
    }
}

const ENCODINGS: [&Encoding; 15] = [
    BIG5,
    EUC_JP,
    EUC_KR,
    GB18030,
    GBK,
    IBM866,
    ISO_8859_2,
    KOI8_R,
    MACINTOSH,
    SHIFT_JIS,
    UTF_8,
    UTF_16BE,
    UTF_16LE,
    WINDOWS_1251,
    WINDOWS_1252,
];

/// Tag soup in which letters begin and do not end, or end in what looks like markup.
fn soup_of_bytes() -> impl Strategy<Value = Vec<u8>> {
    let pieces: Vec<&'static [u8]> = vec![
        b"\x81",
        b"\x83]",
        b"\x95\\",
        b"\x81\x30",
        b"\xfe",
        b"\xa1\xa1",
        b"\x8f\xa1",
        b"\x88\x62",
        b"\x81>",
        b"\x81\"",
        b"\x83=",
        b"\xe0\xa0",
        b"\xd8",
        b"]",
        b"]]>",
        b"<![CDATA[",
        b"<svg>",
        b"</svg>",
        b"<style>",
        b"</style>",
        b"<p title='\x83A",
        b"'>",
        b"<p \x83A=x>",
        b"<p\x83p>",
        b"<p class=\x83x>",
        b"<p class='x \x81",
        b"<!--\x81-->",
        b"<title>\x81</title>",
        b"<td class=x>",
        b"</\x81p>",
        b"<\x81p>",
    ];
    let odd = prop::sample::select(pieces).prop_map(<[u8]>::to_vec);
    let piece = prop_oneof![2 => odd, 1 => tag_soup().prop_map(String::into_bytes)];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

/// The page with a last byte that begins no letter. In gb18030 alone, what stands behind the page
/// brings digits back that the end would have swallowed with a letter's first half.
fn ended(page: &[u8], encoding: &'static Encoding) -> Vec<u8> {
    let mut page = page.to_vec();
    if encoding == GB18030 || encoding == GBK {
        page.push(b'\n');
    }
    page
}

/// Decoded by the standard's decoder and read by a whole parser: the tag is live, all is masked,
/// and nothing else differs.
fn check_against_parser(page: &[u8], encoding: &'static Encoding, out: &[u8], report: &PageReport) {
    let text = |page| encoding.decode_without_bom_handling(page).0.into_owned();
    let [before, after] = [page, out].map(|page| outline_of(&text(page), true));
    let tagged = report.outcome == PageOutcome::Tagged;
    assert_eq!(after.live_tags, usize::from(tagged), "{}", encoding.name());
    if tagged {
        assert_eq!(before.tree, after.tree, "{}", encoding.name());
        assert_eq!(after.unmasked, 0, "{}", encoding.name());
    }
}

fn without(mut page: Vec<u8>, text: &[u8]) -> Vec<u8> {
    let mut at = 0;
    while at + text.len() <= page.len() {
        if page[at..].starts_with(text) {
            page.drain(at..at + text.len());
        } else {
            at += 1;
        }
    }
    page
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn pages_in_a_known_charset_are_read_as_browsers_read_them(page in soup_of_bytes(), chunk in 1usize..20) {
        let plan = masking(&["p", ".x", "td", "textarea", ".\u{436}"]);
        for encoding in ENCODINGS {
            let page = match encoding {
                _ if encoding == UTF_16BE || encoding == UTF_16LE => {
                    // Text in the charset, with the odd bytes between.
                    let units = String::from_utf8_lossy(&page).into_owned();
                    let mut page = encoded(&units, encoding);
                    // The tag stands in front of half a unit. White space before it is parted from it by
                    // that, and stays in a table out of which a browser would have taken both.
                    if !units.ends_with(|last: char| last.is_ascii_whitespace()) {
                        page.extend(page.first().copied());
                    }
                    page
                }
                _ => ended(&page, encoding),
            };
            let (out, report) = rewrite_in(&plan, Some(encoding), page.chunks(chunk));
            check_against_parser(&page, encoding, &out, &report);
            let bare = without(out, &encoded(r#" glance_masked="true""#, encoding));
            prop_assert_eq!(without(bare, &encoded(TAG, encoding)), page);
        }
    }

    /// An ASCII plan is the same in all charsets but UTF-16, whichever a browser takes.
    #[test]
    fn pages_in_a_charset_that_nobody_names_are_read_as_any_browser_reads_them(page in soup_of_bytes(), chunk in 1usize..20) {
        let plan = masking(&["p", ".x", "td", "textarea"]);
        let page = ended(&page, GBK);
        let (out, report) = rewrite_in(&plan, None, page.chunks(chunk));
        let bom = charset::byte_order_mark(&page);
        prop_assume!(!matches!(bom, charset::Mark::Present(_)));
        for encoding in ENCODINGS.into_iter().filter(|encoding| encoding.is_ascii_compatible()) {
            check_against_parser(&page, encoding, &out, &report);
        }
    }

    #[test]
    fn utf_16_units_at_random_stay_as_they_are(
        units in prop::collection::vec(prop_oneof![
            3 => prop::sample::select("<p class=x>/ab\u{e9}\u{8868}".encode_utf16().collect::<Vec<_>>()),
            1 => 0xd800u16..0xe000,
            1 => any::<u16>(),
        ], 0..60),
        odd in prop::option::of(any::<u8>()),
        chunk in 1usize..9,
    ) {
        let plan = masking(&["p", ".x"]);
        for encoding in [UTF_16LE, UTF_16BE] {
            let bytes = |unit: &u16| if encoding == UTF_16LE { unit.to_le_bytes() } else { unit.to_be_bytes() };
            let mut page: Vec<u8> = units.iter().flat_map(bytes).collect();
            page.extend(odd);
            if matches!(charset::byte_order_mark(&page), charset::Mark::Present(_)) {
                continue;
            }
            let (out, report) = rewrite_in(&plan, Some(encoding), page.chunks(chunk));
            check_against_parser(&page, encoding, &out, &report);
            let bare = without(out, &encoded(r#" glance_masked="true""#, encoding));
            prop_assert_eq!(without(bare, &encoded(TAG, encoding)), page);
        }
    }
}
