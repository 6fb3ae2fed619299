//! Tag soup, as it comes: whatever is strung together, what must hold of every page holds.

use proptest::prelude::*;

use crate::oracle::engine::{Task, check, says_too_much};
use crate::oracle::soup::soup;

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 1024, ..ProptestConfig::default() })]

    /// `make fuzz` does the same for as long as one likes, and chooses better.
    #[test]
    fn soup_is_tagged_and_masked_as_a_browser_reads_it(
        bytes in prop::collection::vec(any::<u8>(), 0..40),
        task: u8,
        pieces in 0usize..64,
    ) {
        let page = soup(&bytes).into_bytes();
        if !says_too_much(&page) {
            check(Task::chosen(task), &page, pieces);
        }
    }
}
