//! Content Security Policies of a page (CSP3): whether they let the tag run, and how they are grown
//! so that they do.
//!
//! A policy grows by exactly what the tag's script needs ([`Needs`]): for every other URL it allows
//! what it allowed before. A list that decides about other requests, too (`default-src`) is copied
//! to the directive that is missing, and the copy grows; `'none'` makes room. What would open a page
//! further (`'unsafe-inline'`, `*`, a scheme) is never added and cannot be asked for. Text stays as
//! it is written but for what is added.

mod adjuster;
mod expression;
mod integrity;
mod needs;
mod obstacle;
mod policy;
mod self_origin;
mod source;
mod tag;
#[cfg(test)]
mod tests;

pub use adjuster::{Adjuster, MAX_META_POLICY, will_run};
pub use integrity::requires_integrity;
pub use needs::{Needs, Terms, Treatment};
pub use obstacle::{Obstacle, Verdict};
pub use self_origin::SelfOrigin;
pub use source::{Source, SourceError};
pub use tag::{Delivery, Tag};
