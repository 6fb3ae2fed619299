use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::http::{SessionError, SessionName};

/// Text messages from a visitor.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum VisitorMessage {
    Hello(Hello),
    Focus,
    Pause {
        paused: bool,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        message: Option<String>,
    },
    Location {
        url: String,
    },
    Refuse {
        code: RefuseCode,
        msg: String,
    },
    Message {
        name: String,
        data: Value,
    },
    Control {
        enabled: bool,
    },
    /// May the document of this frame be seen, and what is masked in it? `frame` is the script's own number.
    Frame {
        frame: u32,
        grant: String,
        url: String,
    },
}

/// The first message on every socket.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Hello {
    pub version: u32,
    pub grant: String,
    /// Made by the script, kept over navigation of one tab.
    pub tab: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resume: Option<String>,
    pub page: Page,
    pub focused: bool,
    pub paused: bool,
    /// What is masked depends on who watches.
    pub masks_by_agent: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Page {
    pub url: String,
    pub width: u32,
    pub height: u32,
}

/// Why a page cannot be shown, by the script's own check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum RefuseCode {
    GroupId,
    MaskingError,
}

/// Text messages to a visitor.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum BackendMessage {
    Welcome(Welcome),
    State(State),
    Shown {
        shown: bool,
    },
    Watch {
        watched: bool,
    },
    Snapshot,
    Agents(Agents),
    Message {
        name: String,
        data: Value,
    },
    Pointer {
        agent: String,
        page: u32,
        node: u64,
        x: f64,
        y: f64,
    },
    Highlight {
        agent: String,
        page: u32,
        node: u64,
    },
    ControlRequested {
        agent: String,
    },
    Control {
        enabled: bool,
    },
    /// The answer to the visitor's `frame`.
    Frame {
        frame: u32,
        allowed: bool,
        masks: Vec<String>,
    },
    /// What the page said was not done.
    Refused {
        error: SessionError,
    },
    Beat,
    Ended {
        reason: EndReason,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error: Option<SessionError>,
    },
}

/// The answer to `hello`.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct Welcome {
    pub page: u32,
    pub session: SessionName,
    #[serde(flatten)]
    pub state: State,
    pub shown: bool,
    pub watched: bool,
    pub paused: bool,
    pub masks: Vec<String>,
    pub agents: Agents,
    /// The page does not allow the session's group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refusal: Option<SessionError>,
}

/// How a session stands, as its visitor is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(tag = "state", content = "reason", rename_all = "lowercase")]
pub enum State {
    Waiting,
    Live,
    Suspended(SuspendReason),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SuspendReason {
    Group,
    Masks,
    Navigating,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum EndReason {
    Agent,
    Error,
    Visitor,
}

/// Who is in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct Agents {
    pub count: usize,
    pub agentlist: Vec<Agent>,
}

/// An agent, in the vendor's words.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Agent {
    pub username: String,
    pub partnerid: u32,
    pub partneruserid: String,
    pub name: String,
    pub title: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agentrole: Option<String>,
}

impl SuspendReason {
    /// As it is on the wire: also a word for the audit log.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Group => "group",
            Self::Masks => "masks",
            Self::Navigating => "navigating",
        }
    }
}

impl EndReason {
    /// As it is on the wire: also a word for the audit log.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Agent => "agent",
            Self::Error => "error",
            Self::Visitor => "visitor",
        }
    }
}
