//! The few doors through which the tests enter: an edge, an origin that does as it is told, one
//! that keeps what it sees, and a visitor.

mod edge;
mod origin;
mod raw_answer;
mod recorder;
mod visitor;

pub(crate) use edge::{TestEdge, config, rules_for};
pub(crate) use origin::{SMALL_BUFFER, Script, ScriptedOrigin};
pub(crate) use raw_answer::{Ending, RawAnswer};
pub(crate) use recorder::{RecordingOrigin, Seen};
pub(crate) use visitor::{Answer, RawVisitor, Visitor, tls_http2, undo_coding};
