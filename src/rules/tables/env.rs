use crate::document::{Fault, Stated, TableReader, text};
use crate::groups::GroupId;
use crate::rules::SiteEnv;
use crate::rules::host::HostPattern;
use crate::rules::level::group_id;

use super::ScriptTable;

/// `[env.staging]` or `[env.production]`: what is different there.
#[derive(Debug)]
pub(in crate::rules) struct EnvTable {
    pub(in crate::rules) env: SiteEnv,
    pub(in crate::rules) script: Option<ScriptTable>,
    /// Hosts as the sites write them, and what stands in their place.
    pub(in crate::rules) hosts: Vec<(Stated<HostPattern>, HostPattern)>,
    pub(in crate::rules) groups: Vec<(Stated<GroupId>, GroupId)>,
}

impl EnvTable {
    pub(super) fn read(env: SiteEnv, mut table: TableReader<'_>) -> Self {
        let read = Self {
            env,
            script: table
                .take_table("script", "the script of [env]")
                .map(ScriptTable::read),
            hosts: read_hosts(&mut table),
            groups: read_groups(&mut table),
        };
        table.finish();
        read
    }
}

fn read_hosts(table: &mut TableReader<'_>) -> Vec<(Stated<HostPattern>, HostPattern)> {
    let Some(hosts) = table.take_table("hosts", "the hosts of [env]") else {
        return Vec::new();
    };
    let parse = |(key, value, at): (Stated<&str>, &toml::de::DeValue<'_>, _)| {
        let from = hosts.accept(&key.at, HostPattern::parse(key.value));
        let to = hosts.accept(&at, text(HostPattern::parse)(value));
        Some((
            Stated {
                value: from?,
                at: key.at,
            },
            to?,
        ))
    };
    hosts.all().into_iter().filter_map(parse).collect()
}

fn read_groups(table: &mut TableReader<'_>) -> Vec<(Stated<GroupId>, GroupId)> {
    let Some(groups) = table.take_table("groups", "the groups of [env]") else {
        return Vec::new();
    };
    let parse = |(key, value, at): (Stated<&str>, &toml::de::DeValue<'_>, _)| {
        let from = key.value.parse::<GroupId>().map_err(|error| {
            Fault::new(
                format!("`{}` is not a group ID: {error}", key.value),
                "write groups = { 15687 = 25687 }",
            )
        });
        let from = groups.accept(&key.at, from);
        let to = groups.accept(&at, group_id(value));
        Some((
            Stated {
                value: from?,
                at: key.at,
            },
            to?,
        ))
    };
    groups.all().into_iter().filter_map(parse).collect()
}
