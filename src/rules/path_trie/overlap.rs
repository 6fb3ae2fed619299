use std::borrow::Cow;
use std::collections::{HashMap, VecDeque};
use std::ops::ControlFlow;

use crate::rules::limits::MAX_OVERLAP_STEPS;

use super::PathTrie;
use super::trie::{Node, NodeId, ROOT, Remaining};

/// The search was given up: the patterns are entangled beyond all reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::rules) struct OverlapError;

/// Calls `meet` with each pattern of `left` and pattern of `right` that match a path in common, and
/// with the shortest such path.
///
/// Both trees are walked at once, along all segments that lead on in both, so patterns that part ways
/// early cost nothing: the time grows with what the patterns share, not with the number of pairs.
pub(in crate::rules) fn overlaps(
    left: &PathTrie,
    right: &PathTrie,
    mut meet: impl FnMut(u32, u32, &str) -> ControlFlow<()>,
) -> Result<(), OverlapError> {
    let mut walk = Walk::new(left, right);
    while let Some(pair) = walk.queue.pop_front() {
        if walk.came_from.len() > MAX_OVERLAP_STEPS {
            return Err(OverlapError);
        }
        let (ends, other_ends) = (&left.node(pair.0).ends, &right.node(pair.1).ends);
        if !ends.is_empty() && !other_ends.is_empty() {
            let path = walk.path_to(pair);
            for (one, other) in ends
                .iter()
                .flat_map(|a| other_ends.iter().map(move |b| (a, b)))
            {
                if meet(*one, *other, &path).is_break() {
                    return Ok(());
                }
            }
        }
        walk.follow(pair);
    }
    Ok(())
}

/// One node of each tree, both reached by the same segments.
type Pair = (NodeId, NodeId);

/// A breadth-first search over pairs.
struct Walk<'a> {
    left: &'a PathTrie,
    right: &'a PathTrie,
    queue: VecDeque<Pair>,
    left_remaining: Vec<Remaining>,
    right_remaining: Vec<Remaining>,
    /// How each pair was reached first; a step without a segment is one into a `**`.
    came_from: HashMap<Pair, Option<Step<'a>>>,
}

struct Step<'a> {
    from: Pair,
    segment: Option<Cow<'a, str>>,
}

/// A segment that stands for any segment in a path that is shown.
const ANY: Cow<'static, str> = Cow::Borrowed("x");

impl<'a> Walk<'a> {
    fn new(left: &'a PathTrie, right: &'a PathTrie) -> Self {
        Self {
            left,
            right,
            queue: VecDeque::from([(ROOT, ROOT)]),
            left_remaining: left.remaining(),
            right_remaining: right.remaining(),
            came_from: HashMap::from([((ROOT, ROOT), None)]),
        }
    }

    fn follow(&mut self, from: Pair) {
        let (left, right) = (self.left.node(from.0), self.right.node(from.1));
        if let Some(rest) = left.rest {
            self.reach((rest, from.1), from, None);
        }
        if let Some(rest) = right.rest {
            self.reach((from.0, rest), from, None);
        }
        self.follow_literals(from);
        self.follow_wildcards(from);
        if left.repeats {
            for (segment, to) in edges(self.right, from.1) {
                self.reach((from.0, to), from, Some(segment));
            }
        }
        if right.repeats {
            for (segment, to) in edges(self.left, from.0) {
                self.reach((to, from.1), from, Some(segment));
            }
        }
    }

    /// Literal segments of either side, against literals and wildcards of the other.
    fn follow_literals(&mut self, from: Pair) {
        let (left, right) = (self.left.node(from.0), self.right.node(from.1));
        if left.literals.len() <= right.literals.len() {
            for (text, to) in &left.literals {
                if let Some(other) = right.literals.get(text) {
                    self.reach((*to, *other), from, Some(Cow::Borrowed(text)));
                }
            }
        } else {
            for (text, other) in &right.literals {
                if let Some(to) = left.literals.get(text) {
                    self.reach((*to, *other), from, Some(Cow::Borrowed(text)));
                }
            }
        }
        let left_literals = has_wildcards(right).then_some(&left.literals);
        for (text, to) in left_literals.into_iter().flatten() {
            for other in wildcards_matching(self.right, from.1, text) {
                self.reach((*to, other), from, Some(Cow::Borrowed(text)));
            }
        }
        let right_literals = has_wildcards(left).then_some(&right.literals);
        for (text, other) in right_literals.into_iter().flatten() {
            for to in wildcards_matching(self.left, from.0, text) {
                self.reach((to, *other), from, Some(Cow::Borrowed(text)));
            }
        }
    }

    /// Wildcards of one side against wildcards of the other.
    fn follow_wildcards(&mut self, from: Pair) {
        let (left, right) = (self.left.node(from.0), self.right.node(from.1));
        for (glob, to) in &left.partials {
            for (other_glob, other) in &right.partials {
                if let Some(segment) = glob.meet(other_glob) {
                    self.reach((*to, *other), from, Some(Cow::Owned(segment)));
                }
            }
            if let Some(other) = right.one {
                self.reach((*to, other), from, Some(Cow::Owned(glob.example())));
            }
        }
        let Some(one) = left.one else { return };
        for (other_glob, other) in &right.partials {
            self.reach((one, *other), from, Some(Cow::Owned(other_glob.example())));
        }
        if let Some(other) = right.one {
            self.reach((one, other), from, Some(ANY));
        }
    }

    /// Notes a pair, unless both sides can never end together from there.
    fn reach(&mut self, to: Pair, from: Pair, segment: Option<Cow<'a, str>>) {
        let (left, right) = (
            self.left_remaining[to.0.index()],
            self.right_remaining[to.1.index()],
        );
        if !left.agrees(right) {
            return;
        }
        if let std::collections::hash_map::Entry::Vacant(new) = self.came_from.entry(to) {
            new.insert(Some(Step { from, segment }));
            self.queue.push_back(to);
        }
    }

    fn path_to(&self, mut pair: Pair) -> String {
        let mut segments = Vec::new();
        while let Some(Some(Step { from, segment })) = self.came_from.get(&pair) {
            segments.extend(segment.as_deref());
            pair = *from;
        }
        segments.reverse();
        format!("/{}", segments.join("/"))
    }
}

fn has_wildcards(node: &Node) -> bool {
    node.one.is_some() || !node.partials.is_empty()
}

/// Every way on from a node that takes a segment, with an example of that segment.
fn edges(trie: &PathTrie, at: NodeId) -> impl Iterator<Item = (Cow<'_, str>, NodeId)> {
    let node = trie.node(at);
    let literals = node
        .literals
        .iter()
        .map(|(text, to)| (Cow::Borrowed(&**text), *to));
    let partials = node
        .partials
        .iter()
        .map(|(glob, to)| (Cow::Owned(glob.example()), *to));
    let one = node.one.map(|to| (ANY, to));
    literals.chain(partials).chain(one)
}

fn wildcards_matching<'t>(
    trie: &'t PathTrie,
    at: NodeId,
    segment: &'t str,
) -> impl Iterator<Item = NodeId> + 't {
    let node = trie.node(at);
    let wanted = !segment.is_empty();
    let partials = node
        .partials
        .iter()
        .filter(move |(glob, _)| wanted && glob.matches(segment));
    let one = node.one.filter(|_| wanted);
    partials.map(|(_, to)| *to).chain(one)
}
