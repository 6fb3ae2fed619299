use std::collections::BTreeSet;

use super::GroupId;

/// The groups that may run a session on a page: one primary group and any number of others.
///
/// The primary group is never among the additional ones, which are kept in ascending order, so
/// that equal sets render to equal bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupSet {
    primary: GroupId,
    additional: BTreeSet<GroupId>,
}

impl GroupSet {
    pub fn new(primary: GroupId, additional: impl IntoIterator<Item = GroupId>) -> Self {
        let additional = additional
            .into_iter()
            .filter(|group| *group != primary)
            .collect();
        Self {
            primary,
            additional,
        }
    }

    /// The group of sessions that name none, of hot keys and links, and of Presence.
    pub fn primary(&self) -> GroupId {
        self.primary
    }

    pub fn additional(&self) -> impl Iterator<Item = GroupId> + '_ {
        self.additional.iter().copied()
    }

    /// All groups, the primary one first.
    pub fn iter(&self) -> impl Iterator<Item = GroupId> + '_ {
        std::iter::once(self.primary).chain(self.additional())
    }

    pub fn contains(&self, group: GroupId) -> bool {
        group == self.primary || self.additional.contains(&group)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(number: i64) -> GroupId {
        GroupId::new(number).unwrap()
    }

    #[test]
    fn keeps_the_primary_group_apart_and_the_others_in_order() {
        let set = GroupSet::new(group(5), [group(9), group(5), group(7), group(9)]);
        assert_eq!(
            set.iter().collect::<Vec<_>>(),
            [group(5), group(7), group(9)]
        );
        assert!(set.contains(group(5)) && set.contains(group(9)));
        assert!(!set.contains(group(6)));
    }
}
