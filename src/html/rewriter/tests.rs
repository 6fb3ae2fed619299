use html5ever::tendril::TendrilSink;
use html5ever::{ParseOpts, local_name, ns, parse_document};
use markup5ever_rcdom::{Handle, NodeData, RcDom};
use proptest::prelude::*;

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
    let mut rewriter = PageRewriter::new(Arc::clone(plan), None);
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
fn a_charset_that_is_not_ascii_compatible_passes_untouched() {
    let charset = PageOutcome::Untagged(LocatorStop::Charset);
    for page in [&b"\xff\xfe<\0p\0>\0"[..], b"\xfe\xff\0<\0p\0>"] {
        check(&masking(&["p"]), page, page, charset);
    }
    let page = b"<meta charset=iso-2022-jp><p>";
    check(&masking(&["p"]), page, page, charset);
    let declared = charset::labelled("utf-16le");
    let rewriter = PageRewriter::new(masking(&["p"]), declared);
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
            let mut declared = PageRewriter::new(Arc::clone(&plan), charset::labelled(label));
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
    let first = |plan| PageRewriter::new(plan, None).push(Bytes::from_static(b"<p>text</p>"));
    assert!(!first(masking(&["p"])).is_empty());
    assert!(first(masking(&[".\u{e4}"])).is_empty());
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

/// Reads on until a number of bytes was fed, then fails as it is told.
struct FailingLocator {
    inner: Box<dyn Locate>,
    left: usize,
    failure: LocatorStop,
}

impl Locate for FailingLocator {
    fn feed(&mut self, bytes: &[u8], found: &mut Vec<Finding>) -> Result<u64, LocatorStop> {
        let Some(left) = self.left.checked_sub(bytes.len()) else {
            assert!(
                self.failure != LocatorStop::Panic,
                "a panic that the rewriter must survive"
            );
            return Err(self.failure);
        };
        self.left = left;
        self.inner.feed(bytes, found)
    }

    fn finish(self: Box<Self>, found: &mut Vec<Finding>) -> Result<(), LocatorStop> {
        self.inner.finish(found)
    }
}

fn rewrite_with_fault(
    plan: &Arc<Plan>,
    page: &[u8],
    chunk: usize,
    left: usize,
    failure: LocatorStop,
) -> (Vec<u8>, PageReport) {
    let mut rewriter = PageRewriter::new(Arc::clone(plan), None);
    let inner: Box<dyn Locate> = Box::new(LolHtmlLocator::new(plan, PageCharset::Any));
    rewriter.start_with(
        Box::new(FailingLocator {
            inner,
            left,
            failure,
        }),
        Bytes::new(),
    );
    let mut out = Vec::new();
    for chunk in page.chunks(chunk) {
        out.extend_from_slice(&rewriter.push(Bytes::copy_from_slice(chunk)));
    }
    let (rest, report) = rewriter.finish();
    out.extend_from_slice(&rest);
    (out, report)
}

fn without_masks(out: &[u8]) -> String {
    String::from_utf8_lossy(out).replace(r#" glance_masked="true""#, "")
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_fault_at_any_offset_loses_no_byte_and_writes_no_tag(
        soup in tag_soup(),
        chunk in 1usize..40,
        at in 0usize..400,
        failure in prop_oneof![
            Just(LocatorStop::Ambiguity), Just(LocatorStop::Fault), Just(LocatorStop::MemoryLimit),
        ],
    ) {
        let plan = masking(&["p", ".x", "td"]);
        let at = at % soup.len().max(1);
        let (out, report) = rewrite_with_fault(&plan, soup.as_bytes(), chunk, at, failure);
        if !soup.is_empty() && at < soup.len() && !matches!(report.outcome, PageOutcome::Tagged) {
            prop_assert!(matches!(report.outcome, PageOutcome::Untagged(_)));
            prop_assert_eq!(without_masks(&out), soup);
        }
    }

    #[test]
    fn chunking_never_changes_the_page(soup in tag_soup(), sizes in prop::collection::vec(1usize..30, 1..20)) {
        let plan = masking(&["p", ".x", "td", "#y"]);
        let expected = whole(&plan, soup.as_bytes());
        let mut rest = soup.as_bytes();
        let mut sizes = sizes.iter().cycle();
        let chunks = std::iter::from_fn(|| {
            let (chunk, after) = rest.split_at_checked((*sizes.next()?).min(rest.len()))?;
            rest = after;
            (!chunk.is_empty()).then_some(chunk)
        });
        prop_assert_eq!(rewrite_chunks(&plan, chunks), expected);
    }

    /// Against a whole parser: the tag is live at most once, and nothing else of the tree
    /// changes but for masks.
    #[test]
    fn the_tree_changes_by_the_tag_and_masks_alone(soup in tag_soup(), head in any::<bool>()) {
        let plan = if head { in_head() } else { masking(&["p", ".x", "td", "textarea"]) };
        let (out, report) = whole(&plan, soup.as_bytes());
        prop_assert_eq!(without_masks(&out).replace(TAG, ""), soup.replace(TAG, ""));
        for scripting in [true, false] {
            let before = outline(soup.as_bytes(), scripting);
            let after = outline(&out, scripting);
            prop_assert!(after.live_tags <= 1);
            if after.live_tags == 1 || report.outcome != PageOutcome::Tagged {
                prop_assert_eq!(&before.tree, &after.tree);
            }
        }
    }
}

#[test]
fn a_panic_of_the_parser_loses_no_byte_and_writes_no_tag() {
    let page = b"<p>1</p><p>2</p>";
    for at in 0..page.len() {
        let (out, report) = rewrite_with_fault(&masking(&["p"]), page, 1, at, LocatorStop::Panic);
        assert_eq!(report.outcome, PageOutcome::Untagged(LocatorStop::Panic));
        assert_eq!(without_masks(&out).as_bytes(), page);
    }
}

/// Pieces that, strung together, make pages such as browsers have to put up with.
fn tag_soup() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "<p>",
        "</p>",
        "<P CLASS=x>",
        "<td>",
        "<table>",
        "</table>",
        "<tr>",
        "<b>",
        "</b>",
        "<i>",
        "<div class='x' id=\"y\">",
        "</div>",
        "<!-- <p> -->",
        "<!--",
        "-->",
        "<!doctype html>",
        "<html>",
        "</html>",
        "<head>",
        "</head>",
        "<body>",
        "</body>",
        "<title>",
        "</title>",
        "<script>",
        "</script>",
        "<style>",
        "</style>",
        "<textarea>",
        "</textarea>",
        "<select>",
        "<option>",
        "</select>",
        "<svg>",
        "</svg>",
        "<math>",
        "<![CDATA[ <p> ]]>",
        "<template>",
        "</template>",
        "<noscript>",
        "</noscript>",
        "<frameset>",
        "<frame>",
        "<noframes>",
        "</noframes>",
        "<plaintext>",
        "<xmp>",
        "</xmp>",
        "<iframe>",
        "</iframe>",
        "<form>",
        "<input type=hidden>",
        "<a href='>'>",
        "</a>",
        "<br/>",
        "<p a=\"",
        "\"",
        "'",
        ">",
        "<",
        "</",
        "<?x y?>",
        "<!x>",
        "text",
        " ",
        "\n",
        "\0",
        "é",
        "&amp;",
        "&",
        "<meta charset=utf-8>",
        "<object>",
        "<button>",
        "<caption>",
        "<col>",
        "<li>",
        "<ul>",
        "<foreignObject>",
        "<mi>",
    ]);
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

struct Outline {
    /// The tree as text, without our tag and the mask attributes.
    tree: String,
    /// How many of our tags a browser would run.
    live_tags: usize,
}

fn outline(page: &[u8], scripting: bool) -> Outline {
    let mut options = ParseOpts::default();
    options.tree_builder.scripting_enabled = scripting;
    let dom = parse_document(RcDom::default(), options).one(String::from_utf8_lossy(page).as_ref());
    let mut outline = Outline {
        tree: String::new(),
        live_tags: 0,
    };
    draw(&dom.document, 0, &mut outline);
    outline
}

fn draw(node: &Handle, depth: usize, outline: &mut Outline) {
    let line = match &node.data {
        NodeData::Element {
            name,
            attrs,
            template_contents,
            ..
        } => {
            let attrs = attrs.borrow();
            let is = |key: &str, value: &str| {
                attrs
                    .iter()
                    .any(|attr| &*attr.name.local == key && &*attr.value == value)
            };
            let html_script = name.ns == ns!(html) && name.local == local_name!("script");
            if html_script && is("id", "glance-cobrowse") && is("src", "/c.js") {
                outline.live_tags += 1;
                return;
            }
            if let Some(contents) = &*template_contents.borrow() {
                // What stands in a template is inert: a tag there is not live.
                let mut inert = Outline {
                    tree: String::new(),
                    live_tags: 0,
                };
                draw(contents, depth + 1, &mut inert);
                outline.tree.push_str(&inert.tree);
            }
            let kept = attrs
                .iter()
                .filter(|attr| &*attr.name.local != "glance_masked");
            let kept: Vec<_> = kept.map(|attr| (&attr.name.local, &attr.value)).collect();
            format!("{:?} {kept:?}", name.local)
        }
        NodeData::Text { contents } => {
            // Two texts with our tag between them are one without it.
            let joint = format!("\n{:depth$}text ", "");
            let last_line = outline.tree.rfind('\n').unwrap_or(0);
            if !outline.tree[last_line..].starts_with(&joint) {
                outline.tree.push_str(&joint);
            }
            return outline.tree.extend(
                contents
                    .borrow()
                    .chars()
                    .map(|char| char.escape_default().to_string()),
            );
        }
        NodeData::Comment { contents } => format!("comment {contents:?}"),
        NodeData::Doctype { name, .. } => format!("doctype {name:?}"),
        NodeData::Document => "document".to_owned(),
        NodeData::ProcessingInstruction { contents, .. } => format!("instruction {contents:?}"),
    };
    outline.tree.push_str(&format!("\n{:depth$}{line}", ""));
    for child in node.children.borrow().iter() {
        draw(child, depth + 1, outline);
    }
}
