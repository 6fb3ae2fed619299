use std::collections::HashMap;
use std::sync::Arc;

use crate::document::{At, Fault, Reports};
use crate::rules::SiteEnv;
use crate::rules::cache::PageRuleCache;
use crate::rules::group_book::GroupBook;
use crate::rules::level::{Level, LevelName};
use crate::rules::limits::{MAX_MASKS_PER_PAGE, MAX_NAME_CHARS};
use crate::rules::site::{PathIndex, Rule, Site};
use crate::rules::tables::{RuleTable, ScriptTable, SiteTable};

use super::overrides::Overrides;
use super::{origins, paths, placement, scripts, tags};

/// What all sites share.
pub(super) struct Context<'a> {
    pub(super) env: SiteEnv,
    pub(super) defaults: &'a Arc<Level>,
    pub(super) groups: &'a Arc<GroupBook>,
    pub(super) script: Option<&'a ScriptTable>,
    pub(super) overrides: &'a Overrides,
    pub(super) reports: &'a Reports,
}

/// A site from its table. Where a part could not be read, something stands in for it, so that the
/// rest can be checked all the same; a set with errors is never used.
pub(super) fn compile(table: SiteTable, context: &Context<'_>) -> Site {
    let (overrides, reports) = (context.overrides, context.reports);
    let (origin, mut files) = origins::compile(&table, reports);
    let visitors = table.visitors.as_ref();
    let visitors = visitors.and_then(|visitors| visitors.compile(reports));
    let (visitors, ca) = visitors.unzip();
    files.extend(ca);
    let tables = [table.script.as_ref(), overrides.script(), context.script];
    let rules = rules(table.rules, overrides);
    let hosts = table
        .hosts
        .into_iter()
        .map(|host| host.map(|host| overrides.host(host)));
    let hosts: Vec<_> = hosts.collect();
    let site = Site {
        name: hosts
            .first()
            .map(|host| host.value.to_string())
            .unwrap_or_default()
            .into(),
        hosts,
        origin,
        host_header: table.host_header,
        body_bytes_max: table.body_bytes_max,
        path_case: table.path_case,
        path_parameters: table.path_parameters,
        script: scripts::settle(tables, reports),
        csp: table.csp,
        env: context.env,
        groups: Arc::clone(context.groups),
        defaults: Arc::clone(context.defaults),
        level: overrides.level(table.level),
        paths: PathIndex::new(&rules, table.path_case),
        rules,
        cache: PageRuleCache::new(),
        visitors,
        files,
    };
    check_names(&site, reports);
    check_group(&site, reports);
    check_masks(&site, reports);
    tags::check(&site, reports);
    paths::check(&site, reports);
    placement::check(&site, reports);
    site
}

fn rules(tables: Vec<RuleTable>, overrides: &Overrides) -> Vec<Rule> {
    let rule = |table: RuleTable| {
        let name: Arc<str> = match &table.name {
            Some(name) => name.value.as_str().into(),
            None => unnamed(&table).into(),
        };
        let mut level = overrides.level(table.level);
        level.name = LevelName::Rule(Arc::clone(&name));
        Rule {
            name,
            named_at: table.name.map_or(table.at, |name| name.at),
            patterns: table.paths,
            level,
        }
    };
    tables.into_iter().map(rule).collect()
}

/// A rule without a name is called by its first path.
fn unnamed(table: &RuleTable) -> String {
    let path = table
        .paths
        .first()
        .map(|path| path.value.as_str())
        .unwrap_or_default();
    path.chars().take(MAX_NAME_CHARS).collect()
}

fn check_names(site: &Site, reports: &Reports) {
    let mut first: HashMap<&str, &At> = HashMap::new();
    for rule in &site.rules {
        if rule.name.is_empty() {
            continue;
        }
        if let Some(known) = first.insert(&rule.name, &rule.named_at) {
            let fault = Fault::new(
                format!("two rules of this site are called \"{}\"", rule.name),
                "give each a name of its own: logs and metrics tell them apart by it",
            );
            reports.conflict(&rule.named_at, (known, "the other one"), fault);
        }
    }
}

/// A page that gets the tag must have a group, on every path.
fn check_group(site: &Site, reports: &Reports) {
    let broad = [&site.level, &*site.defaults];
    if broad
        .iter()
        .any(|level| level.group.is_some() || level.unclear)
    {
        return;
    }
    let inject = broad.iter().find_map(|level| level.inject.as_ref());
    if inject.is_none_or(|inject| inject.value) {
        reports.error(
            &site.level.at,
            "this site names no group for its pages",
            "write group = 15687, or inject = false and group and inject = true in single rules",
        );
        return;
    }
    for rule in &site.rules {
        let injects = rule.level.inject.as_ref().filter(|inject| inject.value);
        if let (Some(inject), None, false) = (injects, &rule.level.group, rule.level.unclear) {
            reports.error(
                &inject.at,
                format!(
                    "the rule \"{}\" writes the tag, but neither it nor its site names a group",
                    rule.name
                ),
                "write group = 15687 in the rule or in the site",
            );
        }
    }
}

fn check_masks(site: &Site, reports: &Reports) {
    let broad = site.defaults.masks.len() + site.level.masks.len();
    for level in site.levels() {
        let meeting = match level.name {
            LevelName::Rule(_) => broad + level.masks.len(),
            LevelName::Defaults | LevelName::Site => broad,
        };
        if meeting > MAX_MASKS_PER_PAGE && !level.masks.is_empty() {
            reports.error(
                &level.at,
                format!("{meeting} masks meet on pages of {}", level.name),
                format!("keep to {MAX_MASKS_PER_PAGE}, those of site and defaults included"),
            );
        }
    }
}
