use std::collections::{BTreeMap, BTreeSet};

use crate::document::{At, Fault, Reports, Stated, did_you_mean};
use crate::groups::GroupId;
use crate::rules::SiteEnv;
use crate::rules::host::HostPattern;
use crate::rules::level::Level;
use crate::rules::tables::{EnvTable, ScriptTable};

use super::{Tables, only_one};

/// What is different in the environment that the process runs in.
#[derive(Default)]
pub(super) struct Overrides {
    hosts: BTreeMap<HostPattern, HostPattern>,
    groups: BTreeMap<GroupId, GroupId>,
    script: Option<ScriptTable>,
}

impl Overrides {
    /// Checks what is said about either environment, and takes what is said about this one.
    pub(super) fn gather(
        tables: &Tables,
        defaults: &Level,
        env: SiteEnv,
        reports: &Reports,
    ) -> Self {
        check_hosts(tables, reports);
        check_groups(tables, defaults, reports);
        let [production, staging] = [SiteEnv::Production, SiteEnv::Staging]
            .map(|env| Self::of_tables(&env_tables(tables, env), reports));
        match env {
            SiteEnv::Production => production,
            SiteEnv::Staging => staging,
        }
    }

    pub(super) fn script(&self) -> Option<&ScriptTable> {
        self.script.as_ref()
    }

    pub(super) fn host(&self, host: HostPattern) -> HostPattern {
        self.hosts.get(&host).cloned().unwrap_or(host)
    }

    pub(super) fn group(&self, group: GroupId) -> GroupId {
        self.groups.get(&group).copied().unwrap_or(group)
    }

    pub(super) fn level(&self, mut level: Level) -> Level {
        for group in level.groups_mut() {
            group.value = self.group(group.value);
        }
        level
    }

    fn of_tables(tables: &[&EnvTable], reports: &Reports) -> Self {
        let scripts = tables
            .iter()
            .filter_map(|table| table.script.clone())
            .collect();
        let name = "script of this environment";
        Self {
            hosts: unique(tables.iter().flat_map(|table| &table.hosts), reports),
            groups: unique(tables.iter().flat_map(|table| &table.groups), reports),
            script: only_one(name, scripts, |script| &script.at, reports),
        }
    }
}

fn env_tables(tables: &Tables, env: SiteEnv) -> Vec<&EnvTable> {
    let all = tables.files.iter().flat_map(|file| &file.envs);
    all.filter(|table| table.env == env).collect()
}

/// What several files say about one environment adds up, but nothing may be said twice.
fn unique<'a, T: Clone + Ord + std::fmt::Display + 'a>(
    entries: impl Iterator<Item = &'a (Stated<T>, T)>,
    reports: &Reports,
) -> BTreeMap<T, T> {
    let mut first: BTreeMap<T, &At> = BTreeMap::new();
    let mut map = BTreeMap::new();
    for (from, to) in entries {
        if let Some(known) = first.get(&from.value) {
            let fault = Fault::new(
                format!("{} is mapped twice in this environment", from.value),
                "keep one of the two",
            );
            reports.conflict(&from.at, (known, "the first one"), fault);
            continue;
        }
        first.insert(from.value.clone(), &from.at);
        map.insert(from.value.clone(), to.clone());
    }
    map
}

/// A host that no site has is a slip: the site that was meant would keep its other host unnoticed.
fn check_hosts(tables: &Tables, reports: &Reports) {
    if !tables.complete {
        return;
    }
    let sites = tables.sites().flat_map(|site| &site.hosts);
    let known: Vec<String> = sites.map(|host| host.value.to_string()).collect();
    let envs = tables.files.iter().flat_map(|file| &file.envs);
    for (from, _) in envs.flat_map(|table| &table.hosts) {
        let host = from.value.to_string();
        if known.contains(&host) {
            continue;
        }
        let remedy = match did_you_mean(&host, known.iter().map(String::as_str)) {
            Some(meant) => format!("did you mean \"{meant}\"?"),
            None => format!("write one of {}", known.join(", ")),
        };
        reports.error(&from.at, format!("no site has the host \"{host}\""), remedy);
    }
}

/// The same for groups: a slip would leave the group of the other environment on the pages.
fn check_groups(tables: &Tables, defaults: &Level, reports: &Reports) {
    let defined = tables
        .files
        .iter()
        .flat_map(|file| &file.groups)
        .flat_map(|group| &group.id);
    let rules = tables
        .sites()
        .flat_map(|site| &site.rules)
        .map(|rule| &rule.level);
    let levels = tables
        .sites()
        .map(|site| &site.level)
        .chain(rules)
        .chain([defaults]);
    let known: BTreeSet<_> = levels
        .flat_map(Level::groups)
        .chain(defined)
        .map(|group| group.value)
        .collect();
    let envs = tables.files.iter().flat_map(|file| &file.envs);
    for (from, _) in envs.flat_map(|table| &table.groups) {
        if tables.complete && !known.contains(&from.value) {
            let message = format!(
                "no page carries group {}, and no [[group]] defines it",
                from.value
            );
            reports.error(
                &from.at,
                message,
                "write the number that the rules use, or remove it",
            );
        }
    }
}
