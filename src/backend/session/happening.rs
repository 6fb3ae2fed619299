use bytes::Bytes;
use serde_json::Value;

use super::effect::Line;
use crate::backend::protocol::{FinishReason, FrameHead, VisitorMessage};

/// A visitor's socket, within its session.
pub type SocketNo = u64;
/// An agent's place in a session; one agent may have several.
pub type SeatNo = u64;

/// What can happen to a session.
#[derive(Clone, Debug)]
pub enum Happening {
    /// A socket said `hello`.
    Opened {
        socket: SocketNo,
        page: OpenedPage,
    },
    /// A tab got the focus; its page was looked at again.
    Focused {
        socket: SocketNo,
        admission: Admission,
        allowed: Vec<u32>,
    },
    /// Any other message.
    Said {
        socket: SocketNo,
        message: VisitorMessage,
    },
    Frame {
        socket: SocketNo,
        head: FrameHead,
        bytes: Bytes,
    },
    Closed {
        socket: SocketNo,
    },
    /// A document in a frame of a page is not to be seen.
    FrameRefused(Admission),
    /// The visitor's script ends the session.
    Finished(FinishReason),
    Joined {
        seat: SeatNo,
        guest: Guest,
    },
    Left {
        seat: SeatNo,
    },
    /// Whether the agent may see the page.
    Views {
        seat: SeatNo,
        views: bool,
    },
    Ordered {
        seat: SeatNo,
        order: Order,
    },
    /// The agent was too slow, and what waited for it was dropped.
    Lagged {
        seat: SeatNo,
    },
    /// The line is not in the audit log, and will not be.
    Unwritten(Line),
    /// Nothing but time.
    Passed,
}

/// A page of the visitor's, as its `hello` and its grant describe it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OpenedPage {
    pub tab: String,
    pub url: String,
    pub focused: bool,
    pub paused: bool,
    pub masks_by_agent: bool,
    pub admission: Admission,
    /// The groups that it allows.
    pub allowed: Vec<u32>,
    pub masks: Vec<String>,
}

/// Whether a page allows the session's group.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Admission {
    Allowed,
    /// With a constant word that says why not.
    Refused(&'static str),
    /// Nobody looked. Every doubt is a no.
    #[default]
    Unknown,
}

/// An agent who joins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guest {
    pub name: String,
    pub display_name: String,
    pub role: Option<String>,
    /// Whether it may see the page.
    pub views: bool,
}

/// What an agent wants. Whether it has the right to was looked at before.
#[derive(Clone, Debug, PartialEq)]
pub enum Order {
    Pointer {
        page: u32,
        node: u64,
        x: f64,
        y: f64,
    },
    Highlight {
        page: u32,
        node: u64,
    },
    Message {
        name: String,
        data: Value,
    },
    Snapshot,
    End,
}

impl Admission {
    pub fn is_allowed(self) -> bool {
        self == Self::Allowed
    }

    /// Why not; a constant word.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Allowed => "",
            Self::Refused(reason) => reason,
            Self::Unknown => "unknown",
        }
    }
}
