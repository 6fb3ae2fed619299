use std::sync::Arc;

use bytes::Bytes;
use serde_json::Value;

use super::facts::SessionFacts;
use super::happening::{SeatNo, SocketNo};
use crate::backend::protocol::{BackendMessage, CloseCode, EndReason, SessionError};

/// What is to be done about what happened, in this order.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    Say {
        socket: SocketNo,
        message: BackendMessage,
    },
    Close {
        socket: SocketNo,
        code: CloseCode,
    },
    Tell {
        seat: SeatNo,
        event: AgentEvent,
    },
    /// The whole picture as it is kept, for an agent who came late.
    Show {
        seat: SeatNo,
        picture: Vec<Bytes>,
    },
    /// What everybody may know of the session has changed.
    Publish(Arc<SessionFacts>),
    /// What must outlive the process has changed.
    Save,
    Audit(Line),
    /// The session is over; nothing comes after this. The word says why.
    End {
        reason: EndReason,
        why: &'static str,
    },
}

/// What is to stand in the audit log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    pub action: &'static str,
    pub allowed: bool,
    pub reason: &'static str,
    /// So often since the last line of this kind.
    pub times: u32,
}

impl Line {
    pub fn new(action: &'static str, allowed: bool, reason: &'static str) -> Self {
        Self {
            action,
            allowed,
            reason,
            times: 1,
        }
    }
}

/// What an agent who is in hears.
#[derive(Clone, Debug, PartialEq)]
pub enum AgentEvent {
    /// As the visitor sent it.
    Frame(Bytes),
    Session(Arc<SessionFacts>),
    Paused {
        paused: bool,
        message: Option<String>,
    },
    /// Forget what is shown; a snapshot follows.
    Reset,
    /// From the page.
    Message {
        name: String,
        data: Value,
    },
    Ended {
        by: &'static str,
        error: Option<SessionError>,
    },
}
