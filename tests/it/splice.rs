//! Insertions into gzip bodies, however they are packed.

use proptest::prelude::*;

use crate::gzip::check;

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 256, ..ProptestConfig::default() })]

    /// `make fuzz` does the same for as long as one likes, and chooses better.
    #[test]
    fn any_body_is_another_page_only_by_what_was_inserted(
        bytes in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        check(&bytes);
    }
}
