use std::collections::BTreeMap;

use crate::document::At;
use crate::groups::{GroupId, GroupSettings};

use super::mask::MaskSetting;

/// Every group that a `[[group]]` defines.
#[derive(Debug, Default)]
pub(super) struct GroupBook {
    pub(super) groups: BTreeMap<GroupId, Group>,
    /// Some could not be read, so none can be said to be missing.
    pub(super) incomplete: bool,
}

#[derive(Debug)]
pub(super) struct Group {
    pub(super) at: At,
    pub(super) masks: Vec<MaskSetting>,
    pub(super) settings: GroupSettings,
}

impl GroupBook {
    pub(super) fn masks(&self, group: GroupId) -> &[MaskSetting] {
        self.groups.get(&group).map_or(&[], |group| &group.masks)
    }

    /// The group with its name, as a person knows it.
    pub(super) fn describe(&self, group: GroupId) -> String {
        let name = self
            .groups
            .get(&group)
            .and_then(|group| group.settings.name.as_deref());
        match name {
            Some(name) => format!("{group} ({name})"),
            None => group.to_string(),
        }
    }
}
