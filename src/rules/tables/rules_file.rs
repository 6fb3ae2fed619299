use std::sync::Arc;

use crate::document::{At, Fault, Reports, TableReader, parse_toml, whole_number};
use crate::problem::SourceFile;
use crate::rules::SiteEnv;
use crate::rules::level::{Level, LevelName};

use super::{EnvTable, GroupTable, ScriptTable, SiteTable, TestTable};

/// A file, read.
#[derive(Debug)]
pub(in crate::rules) struct RulesFile {
    /// Its beginning.
    pub(in crate::rules) at: At,
    pub(in crate::rules) defaults: Option<Level>,
    pub(in crate::rules) script: Option<ScriptTable>,
    pub(in crate::rules) groups: Vec<GroupTable>,
    pub(in crate::rules) sites: Vec<SiteTable>,
    /// `site` is written, but not as it must be.
    pub(in crate::rules) sites_unclear: bool,
    pub(in crate::rules) envs: Vec<EnvTable>,
    pub(in crate::rules) tests: Vec<TestTable>,
}

/// The only version of the format so far.
const FORMAT_VERSION: i64 = 1;

impl RulesFile {
    /// `None` if the file is not TOML.
    pub(in crate::rules) fn read(file: &Arc<SourceFile>, reports: &Reports) -> Option<Self> {
        let tree = parse_toml(file, reports)?;
        let mut table = TableReader::new("a rule file", file, reports, &tree);
        read_version(&mut table);
        let defaults = table.take_table("defaults", "[defaults]");
        let sites = table.take_tables("site", "[[site]]");
        let read = Self {
            sites_unclear: sites.is_empty() && table.has("site"),
            at: At::new(file, 0..0),
            defaults: defaults.map(read_defaults),
            script: table
                .take_table("script", "[script]")
                .map(ScriptTable::read),
            groups: table
                .take_tables("group", "[[group]]")
                .into_iter()
                .map(GroupTable::read)
                .collect(),
            sites: sites.into_iter().map(SiteTable::read).collect(),
            envs: table
                .take_table("env", "[env]")
                .map(read_envs)
                .unwrap_or_default(),
            tests: table
                .take_tables("test", "[[test]]")
                .into_iter()
                .map(TestTable::read)
                .collect(),
        };
        table.finish();
        Some(read)
    }
}

fn read_version(table: &mut TableReader<'_>) {
    table.take("version", |value| match whole_number(value)? {
        FORMAT_VERSION => Ok(()),
        other => Err(Fault::new(
            format!("version {other} of the rule format is not known"),
            "write version = 1",
        )),
    });
    table.require("version", "write version = 1 in its first line");
}

fn read_defaults(mut table: TableReader<'_>) -> Level {
    let level = Level::read(LevelName::Defaults, &mut table);
    table.finish();
    level
}

fn read_envs(mut table: TableReader<'_>) -> Vec<EnvTable> {
    let staging = table.take_table("staging", "[env.staging]");
    let production = table.take_table("production", "[env.production]");
    let envs = [
        (SiteEnv::Staging, staging),
        (SiteEnv::Production, production),
    ];
    let envs = envs
        .into_iter()
        .filter_map(|(env, table)| Some(EnvTable::read(env, table?)));
    let envs = envs.collect();
    table.finish();
    envs
}
