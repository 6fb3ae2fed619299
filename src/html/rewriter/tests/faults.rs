//! A parser that fails, in every way and anywhere, loses no byte of a page.

use proptest::prelude::*;

use super::soup::tag_soup;
use super::*;

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

    fn finish(self: Box<Self>) -> Result<PageEnd, LocatorStop> {
        self.inner.finish()
    }
}

fn rewrite_with_fault(
    plan: &Arc<Plan>,
    page: &[u8],
    chunk: usize,
    left: usize,
    failure: LocatorStop,
) -> (Vec<u8>, PageReport) {
    let mut rewriter = PageRewriter::new(Arc::clone(plan), None, PageKind::Document);
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

#[test]
fn a_panic_of_the_parser_loses_no_byte_and_writes_no_tag() {
    let page = b"<p>1</p><p>2</p>";
    for at in 0..page.len() {
        let (out, report) = rewrite_with_fault(&masking(&["p"]), page, 1, at, LocatorStop::Panic);
        assert_eq!(report.outcome, PageOutcome::Untagged(LocatorStop::Panic));
        assert_eq!(without_masks(&out).as_bytes(), page);
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
