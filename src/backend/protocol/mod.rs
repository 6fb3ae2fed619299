//! What visitors' scripts and the backend say to each other. `src/web/shared/PROTOCOL.md` tells when;
//! the examples in `tests/web/protocol.json` are read by both sides.

mod frame;
mod http;
mod messages;
#[cfg(test)]
mod tests;

pub use frame::{FRAME_BYTES_MAX, FrameHead, FrameKind};
pub use http::{
    ButtonReply, EndRequest, ErrorCode, FinishReason, Refusal, SessionError, SessionName,
    SettingsReply, Site, StartReply, StartRequest, Storage, StorageKind, TermsReply, Video,
    Visitor,
};
pub use messages::{
    Agent, Agents, BackendMessage, EndReason, Hello, Page, RefuseCode, State, SuspendReason,
    VisitorMessage, Welcome,
};

/// The version of everything in here.
pub const PROTOCOL_VERSION: u32 = 1;
/// What the socket speaks, in `Sec-WebSocket-Protocol`.
pub const SUBPROTOCOL: &str = "cobrowse.v1";
/// Offered beside it, and never chosen, by a page whose tag has a cookie domain.
pub const DOMAIN_OFFER: &str = "cobrowse.domain";
/// The longest text message, and a bound for the names in it.
pub const TEXT_BYTES_MAX: usize = 64 * 1024;
pub const MESSAGE_NAME_MAX: usize = 64;
/// The longest body of an HTTP request.
pub const BODY_BYTES_MAX: usize = 16 * 1024;

/// Why a socket is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloseCode {
    /// By the visitor: the page goes away.
    Navigating,
    /// By the visitor: the session is over for it.
    Done,
    /// A message that cannot be read, or none in time.
    Protocol,
    /// No such session, or not this visitor's.
    Unknown,
    /// The same tab opened another socket.
    Replaced,
    /// The session has ended.
    Ended,
    /// Too much, too fast.
    Limit,
    /// The backend goes down, and comes again (RFC 6455 7.4.1, and IANA's list).
    Restart,
}

impl CloseCode {
    /// The number on the wire.
    pub fn as_u16(self) -> u16 {
        match self {
            Self::Navigating => 4001,
            Self::Done => 4002,
            Self::Protocol => 4400,
            Self::Unknown => 4401,
            Self::Replaced => 4409,
            Self::Ended => 4410,
            Self::Limit => 4429,
            Self::Restart => 1012,
        }
    }
}
