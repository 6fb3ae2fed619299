//! Bytes of a page in, bytes out: the plan for a page, the tag, the masks, and the engine that
//! finds where they go. Knows no HTTP, no sockets, no rules.
//!
//! *lol_html finds, we insert*: see [`PageRewriter`].

mod cdata;
pub mod charset;
mod data;
mod descent;
mod edit;
mod end_probe;
mod existing_tag;
mod foreign;
mod frameset;
mod lineage;
mod locator;
mod mask;
mod opening;
mod page_report;
mod plan;
mod policy;
mod prescan;
mod rewriter;
mod scan;
mod script_tag;
mod sniff;
mod stray_ends;
mod transcoder;
mod xml;

pub use existing_tag::Inheritance;
pub use locator::LocatorStop;
pub use mask::{Mask, MaskScope, MaskSelector, SelectorError};
pub use opening::PageKind;
pub use page_report::{PageOutcome, PageReport};
pub use plan::{ExistingTag, Frames, Placement, Plan, PlanVersion, Transform, mask_revision};
pub use policy::{PagePolicies, PolicyRefused};
pub use rewriter::PageRewriter;
pub use script_tag::{AttributeError, ScriptTag};

#[cfg(test)]
pub(crate) use rewriter::test_failing::failing_rewriter;
