//! What is said on the agents' sockets, as AGENTS.md describes it. Read strictly: a message with anything in it
//! that has no meaning here is none.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::backend::protocol::SuspendReason;
use crate::backend::session::{SessionFacts, Standing, VisitorData};
use crate::backend::store::{Rights, SessionId};
use crate::groups::GroupId;

/// Of both sockets.
pub(super) const SUBPROTOCOL: &str = "cobrowse-agent.v1";

/// From a desk.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum DeskMessage {
    Active {},
}

/// From a console in a session.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum ConsoleMessage {
    Active {},
    End {},
    Highlight {
        page: u32,
        node: u64,
    },
    Join {
        session: Option<String>,
        key: Option<String>,
        group: Option<i64>,
        wait: Option<bool>,
    },
    Message {
        name: String,
        data: Value,
    },
    Pointer {
        page: u32,
        node: u64,
        x: f64,
        y: f64,
    },
    Snapshot {},
}

/// Which session an agent wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    Key {
        key: String,
        group: Option<GroupId>,
        wait: bool,
    },
    Session(SessionId),
}

/// To a desk.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum ToDesk {
    Account {
        account: Account,
    },
    Beat,
    Sessions {
        sessions: Vec<SessionView>,
        more: usize,
    },
}

/// To a console in a session.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum ToConsole {
    Beat,
    Denied {
        action: &'static str,
    },
    Ended {
        by: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        error: Option<String>,
    },
    Joined {
        session: SessionView,
    },
    Message {
        name: String,
        data: Value,
    },
    Paused {
        paused: bool,
        #[serde(skip_serializing_if = "Option::is_none")]
        message: Option<String>,
    },
    Refused(Refused),
    Reset,
    Session {
        session: SessionView,
    },
    Waiting,
}

/// Why an agent is not let in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Refused {
    pub(super) code: &'static str,
    pub(super) text: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) groups: Option<Vec<GroupView>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) retry_after: Option<u64>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Account {
    pub(super) name: String,
    pub(super) display_name: String,
    pub(super) groups: Vec<AccountGroup>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct AccountGroup {
    pub(super) id: u32,
    pub(super) name: String,
    #[serde(flatten)]
    pub(super) may: May,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct GroupView {
    pub(super) id: u32,
    pub(super) name: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) struct May {
    view: bool,
    point: bool,
    end: bool,
}

/// A session, as an agent is told of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct SessionView {
    id: String,
    group: u32,
    group_name: String,
    key: String,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    visitor: Option<VisitorData>,
    started: i64,
    agents: Vec<String>,
    may: May,
}

/// A message that cannot be read, or makes no sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unreadable;

impl DeskMessage {
    pub(super) fn parse(text: &str) -> Result<Self, Unreadable> {
        serde_json::from_str(text).map_err(|_| Unreadable)
    }
}

impl ConsoleMessage {
    pub(super) fn parse(text: &str) -> Result<Self, Unreadable> {
        let message: Self = serde_json::from_str(text).map_err(|_| Unreadable)?;
        match message.makes_sense() {
            true => Ok(message),
            false => Err(Unreadable),
        }
    }

    fn makes_sense(&self) -> bool {
        match self {
            Self::Pointer { x, y, .. } => [x, y].iter().all(|part| (0.0..=1.0).contains(*part)),
            Self::Message { name, .. } => (1..=64).contains(&name.chars().count()),
            Self::Join { .. } => self.wanted().is_some(),
            Self::Active {} | Self::End {} | Self::Highlight { .. } | Self::Snapshot {} => true,
        }
    }

    /// Of a `join`.
    pub(super) fn wanted(&self) -> Option<Wanted> {
        let Self::Join {
            session,
            key,
            group,
            wait,
        } = self
        else {
            return None;
        };
        match (session, key) {
            (Some(session), None) if group.is_none() && wait.is_none() => {
                session.parse().ok().map(Wanted::Session)
            }
            (None, Some(key)) if is_key(key) => Some(Wanted::Key {
                key: key.clone(),
                group: match group {
                    Some(group) => Some(GroupId::new(*group)?),
                    None => None,
                },
                wait: wait.unwrap_or(false),
            }),
            _ => None,
        }
    }
}

/// As visitors may have them.
fn is_key(key: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_.~-".contains(&byte);
    (1..=62).contains(&key.len()) && key.bytes().all(is_plain)
}

impl From<Rights> for May {
    fn from(Rights { view, point, end }: Rights) -> Self {
        Self { view, point, end }
    }
}

impl SessionView {
    pub(super) fn new(facts: &SessionFacts, group_name: String, rights: Rights) -> Self {
        let (state, reason) = match facts.standing {
            Standing::Starting => ("starting", None),
            Standing::Waiting => ("waiting", None),
            Standing::Live => ("live", None),
            Standing::Suspended(reason) => ("suspended", Some(word(reason))),
        };
        Self {
            id: facts.id.to_string(),
            group: facts.group.as_u32(),
            group_name,
            key: facts.key.clone(),
            state,
            reason,
            url: facts.url.clone(),
            visitor: Some(facts.visitor.clone())
                .filter(|visitor| *visitor != VisitorData::default()),
            started: facts.started,
            agents: facts.agents.clone(),
            may: rights.into(),
        }
    }
}

fn word(reason: SuspendReason) -> &'static str {
    match reason {
        SuspendReason::Group => "group",
        SuspendReason::Masks => "masks",
        SuspendReason::Navigating => "navigating",
    }
}
