//! Brings rule files together into a rule set: pure, total, and with every problem reported at once.

mod client_masks;
mod groups;
mod hosts;
mod origins;
mod overrides;
mod paths;
mod placement;
mod scripts;
mod self_test;
mod sites;
mod tags;

use std::path::PathBuf;
use std::sync::Arc;

use crate::document::{At, Fault, Reports};
use crate::problem::{Place, Problem, SourceFile};

use self::overrides::Overrides;

use super::SiteEnv;
use super::level::{Level, LevelName};
use super::limits::MAX_RULES;
use super::rule_set::{Loaded, RuleSet};
use super::tables::{RulesFile, SiteTable, TestTable};

pub(super) fn compile(files: Vec<Arc<SourceFile>>, env: SiteEnv) -> Result<Loaded, Vec<Problem>> {
    let reports = Reports::default();
    let rules = draft(files, env, &reports);
    let failed = reports.errors() > 0;
    let problems = reports.into_sorted();
    match rules {
        Some(rules) if !failed => Ok(Loaded {
            rules,
            warnings: problems,
        }),
        _ => Err(problems),
    }
}

/// What is wrong inside each file, for want of the others.
pub(super) fn problems_of_single_files(files: &[Arc<SourceFile>]) -> Vec<Problem> {
    let reports = Reports::default();
    for file in files {
        RulesFile::read(file, &reports);
    }
    reports.into_sorted()
}

/// All tables of all files.
struct Tables {
    files: Vec<RulesFile>,
    /// Every file could be read, so what is in none of them is nowhere.
    complete: bool,
}

fn draft(files: Vec<Arc<SourceFile>>, env: SiteEnv, reports: &Reports) -> Option<RuleSet> {
    let read = files
        .into_iter()
        .map(|file| RulesFile::read(&file, reports));
    let read: Vec<_> = read.collect();
    let none = read.is_empty();
    let tables = Tables {
        complete: read.iter().all(Option::is_some),
        files: read.into_iter().flatten().collect(),
    };
    let Some(beginning) = tables.files.first().map(|file| file.at.clone()) else {
        if none {
            let place = Place::Path(PathBuf::from("rules"));
            let remedy = "write a rule file with a [[site]]";
            reports.push(Problem::error(place, "there is no rule file", remedy));
        }
        return None;
    };
    let rules = assemble(tables, &beginning, env, reports);
    Some(rules)
}

fn assemble(mut tables: Tables, beginning: &At, env: SiteEnv, reports: &Reports) -> RuleSet {
    check_size(&tables, beginning, reports);
    let defaults = tables.defaults(reports);
    let defaults =
        defaults.unwrap_or_else(|| Level::silent(LevelName::Defaults, beginning.clone()));
    let script = tables.script(reports);
    let overrides = Overrides::gather(&tables, &defaults, env, reports);
    let defaults = Arc::new(overrides.level(defaults));
    let groups = groups::gather(&mut tables, &overrides, reports);
    let (site_tables, tests) = tables.into_sites_and_tests();
    let context = sites::Context {
        env,
        defaults: &defaults,
        groups: &groups,
        script: script.as_ref(),
        overrides: &overrides,
        reports,
    };
    let mut sites: Vec<_> = site_tables
        .into_iter()
        .map(|site| sites::compile(site, &context))
        .collect();
    sites.sort_by(|one, other| one.name.cmp(&other.name));
    groups::check_defined(&sites, &defaults, &context);
    client_masks::check(&sites, &defaults, &groups, reports);
    let hosts = hosts::index(&sites, reports);
    let rules = RuleSet {
        sites: sites.into_iter().map(Arc::new).collect(),
        hosts,
        groups,
        tests: tests.len(),
    };
    if reports.errors() == 0 {
        self_test::run(&rules, &tests, &overrides, reports);
    }
    rules
}

impl Tables {
    fn defaults(&mut self, reports: &Reports) -> Option<Level> {
        let all = self
            .files
            .iter_mut()
            .filter_map(|file| file.defaults.take())
            .collect();
        only_one("[defaults]", all, |level: &Level| &level.at, reports)
    }

    fn script(&mut self, reports: &Reports) -> Option<super::tables::ScriptTable> {
        let all = self
            .files
            .iter_mut()
            .filter_map(|file| file.script.take())
            .collect();
        only_one("[script]", all, |script| &script.at, reports)
    }

    fn sites(&self) -> impl Iterator<Item = &SiteTable> {
        self.files.iter().flat_map(|file| &file.sites)
    }

    fn into_sites_and_tests(self) -> (Vec<SiteTable>, Vec<TestTable>) {
        let (mut sites, mut tests) = (Vec::new(), Vec::new());
        for file in self.files {
            sites.extend(file.sites);
            tests.extend(file.tests);
        }
        (sites, tests)
    }
}

/// The first of tables of which there may be one over all files; reports the others.
fn only_one<T>(name: &str, all: Vec<T>, at: impl Fn(&T) -> &At, reports: &Reports) -> Option<T> {
    let mut all = all.into_iter();
    let first = all.next()?;
    for other in all {
        let fault = Fault::new(
            format!("a second {name}: it holds for all files, so there is one"),
            format!("bring both together in one {name}"),
        );
        reports.conflict(at(&other), (at(&first), "the first one"), fault);
    }
    Some(first)
}

fn check_size(tables: &Tables, beginning: &At, reports: &Reports) {
    let rules: usize = tables.sites().map(|site| site.rules.len()).sum();
    if rules > MAX_RULES {
        let message = format!("{rules} rules over all files");
        reports.error(
            beginning,
            message,
            format!("keep to {MAX_RULES}; wildcards need fewer"),
        );
    }
    let unclear = !tables.complete || tables.files.iter().any(|file| file.sites_unclear);
    if !unclear && tables.sites().next().is_none() {
        let remedy = "write [[site]] with hosts, origin and group";
        reports.error(beginning, "no file has a [[site]]", remedy);
    }
}
