use std::collections::HashMap;
use std::hash::{BuildHasherDefault, DefaultHasher};

use crate::rules::path_pattern::{Glob, PathPattern, Segment};

/// A set of patterns, each with a number that its owner gave it.
///
/// The patterns share the nodes of the segments that they have in common. Literal segments are found
/// by hash; wildcards hang beside them. Time to match depends on the length of the path and on how
/// many wildcards lead along it, not on the number of patterns.
#[derive(Debug)]
pub(in crate::rules) struct PathTrie {
    nodes: Vec<Node>,
}

/// A place between two segments.
#[derive(Debug, Default)]
pub(super) struct Node {
    /// The hasher has no random key, so that the same rules give the same messages in every run.
    /// Only what a rule file says is ever inserted, so nobody can choose keys that collide.
    pub(super) literals: HashMap<Box<str>, NodeId, BuildHasherDefault<DefaultHasher>>,
    pub(super) partials: Vec<(Glob, NodeId)>,
    pub(super) one: Option<NodeId>,
    /// Behind a `**`; entered without a segment.
    pub(super) rest: Option<NodeId>,
    /// This node is behind a `**`: any segment leads back to it.
    pub(super) repeats: bool,
    /// The patterns that end here.
    pub(super) ends: Vec<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct NodeId(u32);

pub(super) const ROOT: NodeId = NodeId(0);

impl PathTrie {
    pub(in crate::rules) fn new<'a>(
        patterns: impl IntoIterator<Item = (u32, &'a PathPattern)>,
    ) -> Self {
        let mut trie = Self {
            nodes: vec![Node::default()],
        };
        for (number, pattern) in patterns {
            let end = pattern
                .segments()
                .iter()
                .fold(ROOT, |node, segment| trie.child(node, segment));
            trie.node_mut(end).ends.push(number);
        }
        trie
    }

    /// The numbers of all patterns that match, in no order; each once.
    pub(in crate::rules) fn matches(&self, path: &str) -> Vec<u32> {
        let mut here = Vec::new();
        self.enter(&mut here, ROOT);
        let mut next = Vec::new();
        for segment in path.strip_prefix('/').unwrap_or(path).split('/') {
            for node in &here {
                self.step(&mut next, *node, segment);
            }
            std::mem::swap(&mut here, &mut next);
            next.clear();
        }
        here.iter()
            .flat_map(|node| &self.node(*node).ends)
            .copied()
            .collect()
    }

    /// The greatest number of patterns with a wildcard inside a segment that hang at one node.
    pub(in crate::rules) fn most_partials(&self) -> usize {
        let counts = self.nodes.iter().map(|node| node.partials.len());
        counts.max().unwrap_or(0)
    }

    /// For each node, how many more segments the patterns through it take.
    pub(super) fn remaining(&self) -> Vec<Remaining> {
        let mut remaining = vec![Remaining::NOTHING; self.nodes.len()];
        // Children were added after their parents, so they are settled first.
        for (index, node) in self.nodes.iter().enumerate().rev() {
            let mut here = if node.ends.is_empty() {
                Remaining::NOTHING
            } else {
                Remaining { least: 0, most: 0 }
            };
            let literals = node.literals.values();
            let partials = node.partials.iter().map(|(_, child)| child);
            for child in literals.chain(partials).chain(&node.one) {
                here = here.or(remaining[child.index()].and_one());
            }
            if let Some(rest) = &node.rest {
                here = here.or(remaining[rest.index()]);
            }
            if node.repeats {
                here.most = usize::MAX;
            }
            remaining[index] = here;
        }
        remaining
    }

    pub(super) fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.index()]
    }

    fn node_mut(&mut self, id: NodeId) -> &mut Node {
        &mut self.nodes[id.index()]
    }

    /// Everywhere that one segment leads to.
    fn step(&self, reached: &mut Vec<NodeId>, from: NodeId, segment: &str) {
        let node = self.node(from);
        if node.repeats {
            self.enter(reached, from);
        }
        if let Some(child) = node.literals.get(segment) {
            self.enter(reached, *child);
        }
        if segment.is_empty() {
            return;
        }
        for (glob, child) in &node.partials {
            if glob.matches(segment) {
                self.enter(reached, *child);
            }
        }
        if let Some(child) = node.one {
            self.enter(reached, child);
        }
    }

    /// Adds a node, and what is reached from it without a segment.
    fn enter(&self, reached: &mut Vec<NodeId>, id: NodeId) {
        if reached.contains(&id) {
            return;
        }
        reached.push(id);
        if let Some(rest) = self.node(id).rest {
            self.enter(reached, rest);
        }
    }

    fn child(&mut self, at: NodeId, segment: &Segment) -> NodeId {
        if let Some(child) = self.node(at).child(segment) {
            return child;
        }
        // More nodes than u32 can number would take more memory than a rule file can describe.
        let id = NodeId(u32::try_from(self.nodes.len()).unwrap_or(u32::MAX));
        self.nodes.push(Node {
            repeats: *segment == Segment::Rest,
            ..Node::default()
        });
        let node = self.node_mut(at);
        match segment {
            Segment::Literal(text) => {
                node.literals.insert(text.clone(), id);
            }
            Segment::Partial(glob) => node.partials.push((glob.clone(), id)),
            Segment::One => node.one = Some(id),
            Segment::Rest => node.rest = Some(id),
        }
        id
    }
}

impl NodeId {
    pub(super) fn index(self) -> usize {
        self.0 as usize
    }
}

/// How many segments may follow.
#[derive(Clone, Copy, Debug)]
pub(super) struct Remaining {
    least: usize,
    most: usize,
}

impl Remaining {
    /// No number of segments will do: what `or` begins with.
    const NOTHING: Self = Self {
        least: usize::MAX,
        most: 0,
    };

    /// Whether the same number of segments may follow in both places.
    pub(super) fn agrees(self, other: Self) -> bool {
        self.least.max(other.least) <= self.most.min(other.most)
    }

    fn or(self, other: Self) -> Self {
        Self {
            least: self.least.min(other.least),
            most: self.most.max(other.most),
        }
    }

    fn and_one(self) -> Self {
        Self {
            least: self.least.saturating_add(1),
            most: self.most.saturating_add(1),
        }
    }
}

impl Node {
    fn child(&self, segment: &Segment) -> Option<NodeId> {
        match segment {
            Segment::Literal(text) => self.literals.get(text).copied(),
            Segment::Partial(glob) => {
                let found = self.partials.iter().find(|(known, _)| known == glob);
                found.map(|(_, child)| *child)
            }
            Segment::One => self.one,
            Segment::Rest => self.rest,
        }
    }
}
