//! The few doors through which the tests enter: an edge, an origin that does as it is told, one
//! that keeps what it sees, a visitor, and the binary.

mod directory;
mod edge;
pub(crate) mod frames;
mod origin;
mod patience;
mod pki;
mod process;
mod raw_answer;
mod raw_origin;
mod recorder;
#[path = "../../../src/test_tls.rs"]
mod test_tls;
mod visitor;
mod websocket;
mod written;

pub(crate) use directory::Directory;
pub(crate) use edge::{TestEdge, config, rules_for, session};
pub(crate) use origin::{SMALL_BUFFER, Script, ScriptedOrigin};
pub(crate) use patience::{eventually, patience, soon, tries};
pub(crate) use pki::{Authority, Signed};
pub(crate) use process::{EdgeProcess, Ended};
pub(crate) use raw_answer::{Ending, RawAnswer};
pub(crate) use raw_origin::{Conversation, RawOrigin};
pub(crate) use recorder::{RecordingOrigin, Seen};
pub(crate) use test_tls::{ALL_VERSIONS, connect_with, trusting};
pub(crate) use visitor::{Answer, RawVisitor, Visitor, read, tls, tls_http2, undo_coding};
pub(crate) use websocket::{SWITCHED, Socket, Told, handshake, serve_echo, switched};
pub(crate) use written::Written;
