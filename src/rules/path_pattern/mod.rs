//! Path patterns: their grammar, the canonical spelling of paths, and which of two patterns is the
//! more specific one. Knows no rule and no file.

mod canonical;
mod glob;
mod pattern;
mod rank;
#[cfg(test)]
mod tests;

pub(super) use canonical::{canonical_path, check_canonical, fold_case};
pub(super) use glob::Glob;
pub(super) use pattern::{PathPattern, Segment};
pub(super) use rank::Rank;
