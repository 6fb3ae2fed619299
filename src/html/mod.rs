//! Bytes of a page in, bytes out: the plan for a page, the tag, the masks, and the engine that
//! finds where they go. Knows no HTTP, no sockets, no rules.
//!
//! *lol_html finds, we insert*: see [`PageRewriter`].

mod mask;
mod plan;
mod script_tag;

pub use mask::{Mask, MaskScope, MaskSelector, SelectorError};
pub use plan::{ExistingTag, Placement, Plan, PlanVersion};
pub use script_tag::{AttributeError, ScriptTag};
