use super::LocatorStop;

/// What became of a page, once it has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageReport {
    pub outcome: PageOutcome,
    /// How many elements each mask of the plan marked, in the plan's order.
    pub mask_counts: Box<[u64]>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageOutcome {
    /// The tag is on the page, and all its masks are.
    Tagged,
    /// The page had a tag of its own, which stays.
    Kept,
    /// The same, but the page could not be read to its end: from there on it is not masked, and its
    /// tag runs all the same.
    KeptUnmasked(LocatorStop),
    /// No character was in the page.
    Empty,
    /// A policy of the page does not let the tag run; its masks are there.
    Refused,
    /// The same, but the tag stood in front of the policy already: it is there, and cannot do its work.
    RefusedLate,
    /// The page could not be read to its end; it passed, without the tag.
    Untagged(LocatorStop),
}
