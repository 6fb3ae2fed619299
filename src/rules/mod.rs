//! Which groups, masks and tag apply to a host and a path.
//!
//! Rule files are TOML. They are read (`tables`: every value parsed, with its place), brought
//! together (`compile`: every fault reported at once) and become a [`RuleSet`], which is never changed
//! again. [`Site::resolve`] then answers for a path in less than a microsecond; [`Site::explain`] says
//! why.
//!
//! The order of files and of rules in them never matters. The most specific rule that says something
//! decides; masks and additional groups add up. A path without wildcards is more specific than any
//! other; then more literal segments, more segments such as `*.asp`, more `*`, fewer `**` count, in this
//! order. Two rules of which neither is more specific, and which have a path in common, are refused.
//!
//! Knows no HTTP: paths come here canonical, hosts in lower case and without port.

mod cache;
mod compile;
mod decisions;
mod directory;
mod explanation;
mod group_book;
mod host;
mod level;
pub mod limits;
mod loadable_url;
mod mask;
mod needs;
mod origin;
mod page_rule;
mod path_parameters;
mod path_pattern;
mod path_trie;
mod rule_set;
mod script;
mod single_site;
mod site;
mod tables;
mod tag;
#[cfg(test)]
mod tests;
mod visitors;

pub use crate::groups::SiteEnv;
pub use explanation::{
    ExplainedGrant, ExplainedLevel, ExplainedMask, ExplainedSetting, Explanation,
};
pub use host::HostPattern;
pub use origin::{
    HostHeader, OriginAddress, OriginBalance, OriginHealth, OriginScheme, OriginSettings,
};
pub use page_rule::{ClientMask, PageRule, Untagged};
pub use path_parameters::PathParameters;
pub use rule_set::{Loaded, RuleSet};
pub use script::{ScriptKind, VENDOR_SCRIPT_URL};
pub use single_site::SingleSite;
pub use site::{PathCase, Site};
pub use visitors::VisitorCertificates;
