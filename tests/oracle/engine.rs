//! What must hold of every page, whatever it is and in whatever pieces it comes: a browser finds in it
//! what it found before, the tag once or not at all, and every mask in its place.

use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use cobrowse_edge::html::{
    ExistingTag, LocatorStop, Mask, MaskScope, PageKind, PageOutcome, PageReport, PageRewriter,
    Placement, Plan, ScriptTag,
};
use encoding_rs::UTF_8;

use super::selector::Selector;
use super::tree::{Place, Tree};

const TAG: &str = r#"<script id="glance-cobrowse" src="/c.js"></script>"#;
const MASKED: &str = r#" glance_masked="true""#;
const OUT_OF_ACTION: &str = r#" id="glance-cobrowse-replaced" type="text/plain""#;

/// What is masked: one row of it in a page, or all. What a page takes grows with its masks.
const MASKS: [&[&str]; 4] = [
    &[".x", "#y", "td", "#f input"],
    &["textarea", "form#f > p", ".l i", ".x"],
    &["ul.l > li.o", "tr.t td", ".t .f b", "#y"],
    &[".f font", "div.l > div", ".l i", "tr.t td"],
];

/// What is done to a page, and what must be masked in it then.
pub(crate) struct Task {
    plan: Arc<Plan>,
    masks: Vec<Selector>,
}

/// What pages are taken through: each placement with each row of masks, then with all of them.
pub(crate) static TASKS: LazyLock<Vec<Task>> = LazyLock::new(|| {
    let all: Vec<_> = MASKS.concat();
    let rows = MASKS.into_iter().chain([&*all]);
    rows.flat_map(|row| {
        [
            Task::new(Placement::End, ExistingTag::Replace, row),
            Task::new(Placement::End, ExistingTag::Keep, row),
            Task::new(Placement::Head, ExistingTag::Replace, &[]),
        ]
    })
    .collect()
});

impl Task {
    fn new(placement: Placement, existing: ExistingTag, masks: &[&'static str]) -> Self {
        let masks: Vec<_> = masks.iter().copied().map(Selector::new).collect();
        let tag = ScriptTag::render([("id", Some("glance-cobrowse")), ("src", Some("/c.js"))]);
        let selectors = masks.iter().map(mask).collect();
        let plan = Plan::new(tag.expect("a tag"), placement, existing, selectors);
        Self {
            plan: Arc::new(plan),
            masks,
        }
    }

    /// What a byte of an input asks for: masks at the end are what there is most to say about.
    pub(crate) fn chosen(byte: u8) -> &'static Self {
        let placements = TASKS.len() / (MASKS.len() + 1);
        let (placement, row) = (usize::from(byte & 3), usize::from(byte >> 3));
        let row = row % (MASKS.len() + 1);
        &TASKS[row * placements + placement % placements]
    }

    /// Whether a mask is missing. What a lone `</p>` makes has no tag, and nothing in it.
    fn misses(&self, place: Place<'_>) -> bool {
        let masked = place.attribute("glance_masked").is_some();
        !masked && !place.is_bare() && self.masks.iter().any(|mask| mask.matches(place))
    }
}

fn mask(selector: &Selector) -> Mask {
    Mask {
        selector: selector.text.parse().expect("a mask can be matched"),
        scope: MaskScope::Everyone,
    }
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
pub(crate) fn check(task: &Task, page: &[u8], pieces: usize) {
    let shown = || String::from_utf8_lossy(page);
    let (out, report) = rewrite(&task.plan, [page]);
    if pieces > 0 {
        let (in_pieces, same) = rewrite(&task.plan, page.chunks(pieces));
        assert!(
            in_pieces == out && same == report,
            "in pieces: {:?}",
            shown()
        );
    }
    let failed = [LocatorStop::Fault, LocatorStop::Panic].map(PageOutcome::Untagged);
    assert!(!failed.contains(&report.outcome), "failed: {:?}", shown());
    if out == page {
        let tagged = report.outcome == PageOutcome::Tagged;
        assert!(!tagged, "nothing written: {:?}", shown());
        return;
    }
    assert!(
        without_insertions(&out) == page,
        "other bytes: {:?}",
        shown()
    );
    check_tree(task, page, &out, report.outcome);
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
fn check_tree(task: &Task, page: &[u8], out: &[u8], outcome: PageOutcome) {
    let shown = || String::from_utf8_lossy(page);
    let before = Tree::parse(page, UTF_8, true);
    let after = Tree::parse(out, UTF_8, true);
    let live = after.live_elements().filter(|place| is_ours(*place));
    let (live, written) = (live.count(), usize::from(outcome == PageOutcome::Tagged));
    let in_head = task.plan.placement() == Placement::Head;
    // From a head, a frameset behind something like a lone `</body>` takes the tag away.
    assert!(
        live == written || in_head && live < written,
        "{live} live tags: {:?}",
        shown()
    );
    // A page whose reading ends early is masked in part. Of elements such as `<b>` a browser repeats
    // no more than three that are alike: what was masked is not alike to what comes later.
    let masked_in_part = written == 0 && position(out, MASKED).is_some();
    if live == written && !(masked_in_part && repeats(&after)) {
        assert_eq!(
            outline(&before),
            outline(&after),
            "another tree: {}",
            shown()
        );
    }
    // In front of frames the tag is written before they are read; where that comes to an early end,
    // their masks may lack.
    let has_frames = after
        .live_elements()
        .any(|place| place.name() == "frameset");
    if live == 1 && !in_head && !has_frames {
        let unmasked: Vec<_> = after
            .live_elements()
            .filter(|place| task.misses(*place))
            .collect();
        let lines: Vec<_> = unmasked.iter().map(|place| place.line(|_| false)).collect();
        assert!(lines.is_empty(), "unmasked: {lines:?} in {:?}", shown());
    }
}

/// Whether more than three elements have one name of those that a browser opens again.
fn repeats(tree: &Tree) -> bool {
    let count = |name: &str| tree.elements().filter(|place| place.name() == name).count();
    FORMATTING.iter().any(|name| count(name) > 3)
}

const FORMATTING: [&str; 14] = [
    "a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u",
];

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
        let mut kept = Vec::with_capacity(page.len());
        let mut rest = &page[..];
        while let Some(at) = position(rest, text) {
            kept.extend_from_slice(&rest[..at]);
            rest = &rest[at + text.len()..];
        }
        kept.extend_from_slice(rest);
        page = kept;
    }
    page
}

fn position(page: &[u8], text: &str) -> Option<usize> {
    let (first, rest) = text.as_bytes().split_first()?;
    let mut from = 0;
    while let Some(at) = page[from..].iter().position(|byte| byte == first) {
        from += at + 1;
        if page[from..].starts_with(rest) {
            return Some(from - 1);
        }
    }
    None
}
