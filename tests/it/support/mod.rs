//! The few doors through which the tests enter: an edge, an origin that does as it is told, and a
//! visitor.

mod edge;
mod origin;
mod visitor;

pub(crate) use edge::{TestEdge, config, rules_for};
pub(crate) use origin::{Script, ScriptedOrigin};
pub(crate) use visitor::{Answer, RawVisitor, Visitor, undo_coding};
