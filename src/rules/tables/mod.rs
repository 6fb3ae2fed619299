//! One rule file as it was written: its tables, every value parsed and with its place, nothing yet
//! brought together. What cannot be read is reported and left out.

mod env;
mod group;
mod rules_file;
mod script;
mod self_test;
mod site;
mod upstream;

pub(super) use env::EnvTable;
pub(super) use group::GroupTable;
pub(super) use rules_file::RulesFile;
pub(super) use script::ScriptTable;
pub(super) use self_test::{Expectation, TestTable, TestUrl};
pub(super) use site::{RuleTable, SiteTable};
pub(super) use upstream::{BalanceName, UpstreamTable};
