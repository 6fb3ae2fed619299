//! The elements that are open, as lol_html counts them: by their tags alone.

use super::name::Name;

#[derive(Debug, Default)]
pub(super) struct OpenElements {
    names: Vec<Name>,
    /// How many of them, from the outermost on, have been open since the last mark.
    unchanged: usize,
    /// Looked at for end tags that end nothing at the top.
    searched: u64,
}

/// More open elements, or end tags that end none, are left to lol_html, which knows a limit for the
/// one and does not search for the other.
const MAX_DEPTH: usize = 4096;
const MAX_SEARCHED: u64 = 1 << 20;

impl OpenElements {
    pub(super) fn push(&mut self, name: &Name) {
        self.names.push(name.clone());
    }

    /// Leaves the innermost element of this name, with all in it; tells of each.
    pub(super) fn leave(&mut self, name: &Name, mut tell: impl FnMut(&Name)) {
        let left = match self.names.last() {
            Some(last) if last == name => self.names.len() - 1,
            _ => self.search(name),
        };
        self.unchanged = self.unchanged.min(left);
        self.names[left..].iter().for_each(&mut tell);
        self.names.truncate(left);
    }

    fn search(&mut self, name: &Name) -> usize {
        let found = self.names.iter().rposition(|own| own == name);
        self.searched += (self.names.len() - found.unwrap_or(0)) as u64;
        found.unwrap_or(self.names.len())
    }

    pub(super) fn have(&self, name: &[u8]) -> bool {
        self.names.iter().any(|own| own.is(name))
    }

    pub(super) fn are_too_many(&self) -> bool {
        self.names.len() > MAX_DEPTH || self.searched > MAX_SEARCHED
    }

    /// The tags that lead from the elements that were open at the last mark, in `then`, to those that
    /// are open now; and marks those.
    pub(super) fn tags_from(&mut self, then: &mut Vec<Name>) -> Vec<u8> {
        let mut tags = Vec::new();
        for left in then.drain(self.unchanged.min(then.len())..).rev() {
            tags.extend_from_slice(b"</");
            left.push_onto(&mut tags);
            tags.push(b'>');
        }
        for name in &self.names[then.len()..] {
            tags.push(b'<');
            name.push_onto(&mut tags);
            tags.push(b'>');
        }
        then.extend_from_slice(&self.names[then.len()..]);
        self.unchanged = self.names.len();
        tags
    }
}
