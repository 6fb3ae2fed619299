//! A parser that fails, in every way and anywhere, loses no byte of a page.

use std::fs;

use proptest::prelude::*;

use super::soup::tag_soup;
use super::*;
use crate::html::failing_rewriter;

fn rewrite_with_fault(
    plan: &Arc<Plan>,
    page: &[u8],
    chunk: usize,
    left: usize,
    failure: LocatorStop,
) -> (Vec<u8>, PageReport) {
    let mut rewriter = failing_rewriter(plan, left, failure);
    let mut out = Vec::new();
    for chunk in page.chunks(chunk) {
        out.extend_from_slice(&rewriter.push(Bytes::copy_from_slice(chunk)));
    }
    let (rest, report) = rewriter.finish();
    out.extend_from_slice(&rest);
    (out, report)
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

/// A thousand faults over the corpus, each anywhere in a page in front of where its tag goes.
#[test]
fn a_thousand_faults_leave_a_thousand_pages_whole_and_untagged() {
    let pages = corpus();
    let plan = masking(&[".secret", "#ssn", "td", "form textarea"]);
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    for run in 0..1000 {
        let (name, page) = &pages[random.below(pages.len())];
        let at = random.below(fault_room(page) + 1);
        let chunk = 1 + random.below(64);
        let failure = [
            LocatorStop::Ambiguity,
            LocatorStop::Fault,
            LocatorStop::MemoryLimit,
            LocatorStop::Panic,
        ][run % 4];
        println!("run {run}: {name}, {failure:?} at {at}, chunks of {chunk}");
        let (out, report) = rewrite_with_fault(&plan, page, chunk, at, failure);
        assert!(matches!(report.outcome, PageOutcome::Untagged(_)));
        assert_eq!(bare(&out), bare(page));
        let inserted = |text: &str| (count(&out, text) - count(page, text)) * text.len();
        let inserted = inserted(MASKED) + inserted(OUT_OF_ACTION);
        assert_eq!(out.len(), page.len() + inserted);
    }
}

const MASKED: &str = r#" glance_masked="true""#;
const OUT_OF_ACTION: &str = r#" id="glance-cobrowse-replaced" type="text/plain""#;

fn count(page: &[u8], text: &str) -> usize {
    let parts = page.windows(text.len());
    parts.filter(|part| *part == text.as_bytes()).count()
}

/// The page without masks, and without what puts a tag of its own out of action.
fn bare(page: &[u8]) -> String {
    without_masks(page).replace(OUT_OF_ACTION, "")
}

/// In a frameset document the tag goes in front of the frameset.
fn fault_room(page: &[u8]) -> usize {
    let lower = page.to_ascii_lowercase();
    let frameset = lower.windows(9).position(|part| part == b"<frameset");
    frameset.unwrap_or(page.len())
}

/// The pages of tests/pages that are not empty, and that no edge has tagged before.
fn corpus() -> Vec<(String, Vec<u8>)> {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/pages");
    let mut pages = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let page = fs::read(&path).unwrap();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if name.ends_with(".html") && !page.is_empty() {
            pages.push((name, page));
        }
    }
    pages.sort();
    assert!(pages.len() >= 160);
    pages
}

/// xorshift64
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % bound as u64).unwrap()
    }
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
}
