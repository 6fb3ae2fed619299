use crate::backend::protocol::SuspendReason;
use crate::backend::store::SessionId;
use crate::groups::GroupId;

/// What does not change in a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    pub id: SessionId,
    pub group: GroupId,
    pub key: String,
    pub visitor: VisitorData,
    /// In seconds since 1970.
    pub started: i64,
}

/// What the page said of its visitor at the start.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(default)]
pub struct VisitorData {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
}

/// What those may know of a session who may see that there is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionFacts {
    pub id: SessionId,
    pub group: GroupId,
    pub key: String,
    pub standing: Standing,
    /// Without query and fragment; of the tab that is shown.
    pub url: Option<String>,
    pub visitor: VisitorData,
    pub started: i64,
    /// By the names that visitors see.
    pub agents: Vec<String>,
    pub paused: Option<Pause>,
}

/// How a session stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// No page of it was seen yet.
    Starting,
    /// For an agent.
    Waiting,
    Live,
    Suspended(SuspendReason),
}

/// The visitor does not want to be seen just now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pause {
    pub message: Option<String>,
}
