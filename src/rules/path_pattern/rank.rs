use std::cmp::Reverse;

use super::Segment;

/// How specific a pattern is; the greater rank decides.
///
/// Compared field by field, from the top. The rank depends on the pattern alone, never on the order
/// of rules or files:
///
/// 1. a pattern without any wildcard (it matches one path only) before all others,
/// 2. more literal segments (what is behind a last slash is none),
/// 3. more segments with a wildcard inside (`*.asp`),
/// 4. more `*` segments,
/// 5. fewer `**`.
///
/// Two patterns of one site that have the same rank and a path in common are refused at load.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::rules) struct Rank {
    exact: bool,
    literals: usize,
    partials: usize,
    ones: usize,
    rests: Reverse<usize>,
}

impl Rank {
    pub(super) fn of(segments: &[Segment]) -> Self {
        let count =
            |wanted: fn(&Segment) -> bool| segments.iter().filter(|one| wanted(one)).count();
        let literals =
            count(|segment| matches!(segment, Segment::Literal(text) if !text.is_empty()));
        let exact = |segment: &Segment| matches!(segment, Segment::Literal(_));
        Self {
            exact: segments.iter().all(exact),
            literals,
            partials: count(|segment| matches!(segment, Segment::Partial(_))),
            ones: count(|segment| matches!(segment, Segment::One)),
            rests: Reverse(count(|segment| matches!(segment, Segment::Rest))),
        }
    }

    pub(in crate::rules) fn is_exact(self) -> bool {
        self.exact
    }
}
