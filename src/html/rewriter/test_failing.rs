//! A parser that fails where it is told to.

use super::*;

/// Reads on until a number of bytes was fed, or the page ends with them, then fails as it is told.
struct FailingLocator {
    inner: Box<dyn Locate>,
    left: usize,
    failure: LocatorStop,
}

impl Locate for FailingLocator {
    fn feed(&mut self, bytes: &[u8], found: &mut Vec<Finding>) -> Result<u64, LocatorStop> {
        let Some(left) = self.left.checked_sub(bytes.len()) else {
            return Err(self.fail());
        };
        self.left = left;
        self.inner.feed(bytes, found)
    }

    fn finish(self: Box<Self>) -> Result<PageEnd, LocatorStop> {
        if self.left == 0 {
            return Err(self.fail());
        }
        self.inner.finish()
    }
}

impl FailingLocator {
    fn fail(&self) -> LocatorStop {
        assert!(
            self.failure != LocatorStop::Panic,
            "a panic that the rewriter must survive"
        );
        self.failure
    }
}

/// Reads a page until so many bytes of it were fed, or it ends with them, then fails.
pub(crate) fn failing_rewriter(
    plan: &Arc<Plan>,
    left: usize,
    failure: LocatorStop,
) -> PageRewriter {
    let mut rewriter = PageRewriter::new(Arc::clone(plan), None, PageKind::Document);
    let inner: Box<dyn Locate> = Box::new(LolHtmlLocator::new(plan, PageCharset::Any));
    let failing = FailingLocator {
        inner,
        left,
        failure,
    };
    rewriter.start_with(Box::new(failing), Bytes::new());
    rewriter
}
