//! What must hold of every page, whatever it is and in whatever pieces it comes: a browser finds in it
//! what it found before, the tag once or not at all, and every mask in its place.

use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use cobrowse_edge::html::{
    ExistingTag, Mask, MaskScope, PageKind, PageOutcome, PageReport, PageRewriter, Placement, Plan,
    ScriptTag,
};
use encoding_rs::UTF_8;

use super::selector::Selector;
use super::tree::{Place, Tree};

const TAG: &str = r#"<script id="glance-cobrowse" src="/c.js"></script>"#;
const MASKED: &str = r#" glance_masked="true""#;
const OUT_OF_ACTION: &str = r#" id="glance-cobrowse-replaced" type="text/plain""#;

static MASKS: LazyLock<Vec<Selector>> = LazyLock::new(|| {
    let selectors = [
        ".x",
        "#y",
        "td",
        "textarea",
        "#f input",
        "form#f > p",
        ".l i",
        "ul.l > li.o",
        "tr.t td",
        ".t .f b",
        ".f font",
        "div.l > div",
    ];
    selectors.into_iter().map(Selector::new).collect()
});

/// The plans that a page is taken through.
pub(crate) static PLANS: LazyLock<[Arc<Plan>; 3]> = LazyLock::new(|| {
    let masks = || MASKS.iter().map(mask).collect();
    [
        plan(Placement::End, ExistingTag::Replace, masks()),
        plan(Placement::End, ExistingTag::Keep, masks()),
        plan(Placement::Head, ExistingTag::Replace, Vec::new()),
    ]
});

fn mask(selector: &Selector) -> Mask {
    Mask {
        selector: selector.text.parse().expect("a mask can be matched"),
        scope: MaskScope::Everyone,
    }
}

fn plan(placement: Placement, existing: ExistingTag, masks: Vec<Mask>) -> Arc<Plan> {
    let tag = ScriptTag::render([("id", Some("glance-cobrowse")), ("src", Some("/c.js"))]);
    Arc::new(Plan::new(tag.expect("a tag"), placement, existing, masks))
}

/// Whether the page holds what is written into pages, and could not be told from that, or is in
/// UTF-16, in which that looks otherwise.
pub(crate) fn says_too_much(page: &[u8]) -> bool {
    let written = ["/c.js", MASKED, OUT_OF_ACTION];
    written.iter().any(|text| position(page, text).is_some())
        || [[0xfe, 0xff], [0xff, 0xfe], [0, b'<'], [b'<', 0]]
            .iter()
            .any(|start| page.starts_with(start))
}

/// Takes the page through whole and, if they have a length, in pieces.
#[track_caller]
pub(crate) fn check(plan: &Arc<Plan>, page: &[u8], pieces: usize) {
    let shown = String::from_utf8_lossy(page);
    let (out, report) = rewrite(plan, [page]);
    if pieces > 0 {
        let in_pieces = rewrite(plan, page.chunks(pieces));
        let whole = (out.clone(), report.clone());
        assert_eq!(in_pieces, whole, "in pieces: {shown:?}");
    }
    assert!(without_insertions(&out) == page, "other bytes: {shown:?}");
    check_tree(plan, page, &out, report.outcome);
}

fn rewrite<'p>(
    plan: &Arc<Plan>,
    pieces: impl IntoIterator<Item = &'p [u8]>,
) -> (Vec<u8>, PageReport) {
    let mut rewriter = PageRewriter::new(Arc::clone(plan), Some(UTF_8), PageKind::Document);
    let mut out = Vec::new();
    for piece in pieces {
        out.extend_from_slice(&rewriter.push(Bytes::copy_from_slice(piece)));
    }
    let (rest, report) = rewriter.finish();
    out.extend_from_slice(&rest);
    (out, report)
}

/// What the rest of the tree is does not depend on what was written, and what was written works.
fn check_tree(plan: &Plan, page: &[u8], out: &[u8], outcome: PageOutcome) {
    let shown = String::from_utf8_lossy(page);
    let before = Tree::parse(page, UTF_8, true);
    let after = Tree::parse(out, UTF_8, true);
    let live = after.live_elements().filter(|place| is_ours(*place));
    let (live, written) = (live.count(), usize::from(outcome == PageOutcome::Tagged));
    let in_head = plan.placement() == Placement::Head;
    // From a head, a frameset behind something like a lone `</body>` takes the tag away.
    assert!(
        live == written || in_head && live < written,
        "{live} live tags: {shown:?}"
    );
    // A browser repeats no more than three elements such as `<b>` that are alike, and a page that is
    // masked in part has some with a mask, and some without.
    let masked_in_part = written == 0 && position(out, MASKED).is_some();
    if live == written && !masked_in_part {
        assert_eq!(outline(&before), outline(&after), "another tree: {shown:?}");
    }
    // In front of frames the tag is written before they are read; where that comes to an early end,
    // their masks may lack.
    let has_frames = after
        .live_elements()
        .any(|place| place.name() == "frameset");
    if live == 1 && !in_head && !has_frames {
        let unmasked: Vec<_> = after
            .live_elements()
            .filter(|place| is_unmasked(*place))
            .collect();
        let lines: Vec<_> = unmasked.iter().map(|place| place.line(|_| false)).collect();
        assert!(lines.is_empty(), "unmasked: {lines:?} in {shown:?}");
    }
}

/// What a lone `</p>` makes has no tag, and nothing in it.
fn is_unmasked(place: Place<'_>) -> bool {
    let masked = place.attribute("glance_masked").is_some();
    !masked && !place.is_bare() && MASKS.iter().any(|mask| mask.matches(place))
}

fn is_ours(place: Place<'_>) -> bool {
    place.is_script() && place.attribute("src").as_deref() == Some("/c.js")
}

fn outline(tree: &Tree) -> String {
    tree.outline(|place| {
        let existing = matches!(place.name(), "script" | "meta")
            && place
                .attribute("id")
                .is_some_and(|id| EXISTING.contains(&id.as_str()));
        let hidden =
            |name: &str| name == "glance_masked" || existing && (name == "id" || name == "type");
        (!is_ours(place)).then(|| place.line(hidden))
    })
}

const EXISTING: [&str; 3] = [
    "glance-cobrowse",
    "cobrowsescript",
    "glance-cobrowse-replaced",
];

fn without_insertions(page: &[u8]) -> Vec<u8> {
    let mut page = page.to_vec();
    for text in [OUT_OF_ACTION, MASKED, TAG] {
        while let Some(at) = position(&page, text) {
            page.drain(at..at + text.len());
        }
    }
    page
}

fn position(page: &[u8], text: &str) -> Option<usize> {
    page.windows(text.len())
        .position(|part| part == text.as_bytes())
}
