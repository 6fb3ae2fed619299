use super::listener::Surroundings;
use super::protocol::{Account, AccountGroup, GroupView};
use crate::backend::store::AgentRecord;
use crate::groups::GroupId;

/// What an agent is told about himself.
pub(super) fn account(agent: &AgentRecord, surroundings: &Surroundings) -> Account {
    let groups = agent.rights.iter().map(|(group, rights)| AccountGroup {
        id: group.as_u32(),
        name: surroundings.group_name(*group),
        may: (*rights).into(),
    });
    Account {
        name: agent.name.to_string(),
        display_name: agent.display_name.clone(),
        groups: groups.collect(),
    }
}

pub(super) fn group_view(group: GroupId, surroundings: &Surroundings) -> GroupView {
    GroupView {
        id: group.as_u32(),
        name: surroundings.group_name(group),
    }
}
