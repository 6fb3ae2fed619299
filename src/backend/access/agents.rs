use std::collections::HashMap;
use std::sync::Arc;

use crate::backend::store::{AgentRecord, Rights};
use crate::groups::GroupId;

/// All agents at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Agents {
    by_id: HashMap<i64, Arc<AgentRecord>>,
}

impl Agents {
    pub fn new(records: Vec<AgentRecord>) -> Self {
        let by_id = records
            .into_iter()
            .map(|record| (record.id, Arc::new(record)));
        Self {
            by_id: by_id.collect(),
        }
    }

    /// By the name that was typed.
    pub fn named(&self, name: &str) -> Option<Arc<AgentRecord>> {
        let name = name.parse().ok()?;
        let mut all = self.by_id.values();
        all.find(|record| record.name == name).cloned()
    }

    /// The agent of a login; `None` once the agent is gone, or has another password.
    pub fn of_login(&self, agent: i64, generation: i64) -> Option<&Arc<AgentRecord>> {
        let record = self.by_id.get(&agent)?;
        (record.generation == generation).then_some(record)
    }

    /// What the agent of a login may do in a group, now.
    pub fn rights(&self, agent: i64, generation: i64, group: GroupId) -> Rights {
        let record = self.of_login(agent, generation);
        let rights = record.and_then(|record| record.rights.get(&group));
        rights.copied().unwrap_or_default()
    }
}
