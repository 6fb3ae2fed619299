//! Path patterns compiled into one tree of segments: which patterns match a path, and which
//! patterns have a path in common. Knows no rule and no file.

mod overlap;
#[cfg(test)]
mod tests;
mod trie;

pub(super) use overlap::overlaps;
pub(super) use trie::PathTrie;
