//! The room as its users see it: rule files in, problems or page rules out.

mod bad_files;
mod examples;
mod explanation;
mod limits;
mod resolve;
mod settings;
mod spelling;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::problem::{Problem, SourceFile};
use crate::test_directory::TestDirectory;

use super::*;

/// Rule text as if it stood in `rules/test.toml`.
fn source(text: &str) -> Arc<SourceFile> {
    Arc::new(SourceFile {
        path: PathBuf::from("rules/test.toml"),
        text: text.to_owned(),
    })
}

fn compile(text: &str) -> Result<Loaded, Vec<Problem>> {
    RuleSet::compile(vec![source(text)], SiteEnv::Production)
}

fn rules(text: &str) -> RuleSet {
    let loaded = compile(text).unwrap_or_else(|problems| panic!("{}", listed(&problems)));
    loaded.rules
}

/// One site, `www.bank.example` with group 1, and what else is said.
fn site(more: &str) -> Arc<Site> {
    let text = format!(
        "version = 1\n[[site]]\nhosts = [\"www.bank.example\"]\norigin = \"http://10.0.0.1\"\ngroup = 1\n{more}"
    );
    Arc::clone(rules(&text).site("www.bank.example").unwrap())
}

fn listed(problems: &[Problem]) -> String {
    problems
        .iter()
        .map(|problem| format!("{problem}\n"))
        .collect()
}

fn masks(rule: &PageRule) -> Vec<&str> {
    let plan = rule.plan.as_ref().expect("a plan");
    plan.masks()
        .iter()
        .map(|mask| mask.selector.as_str())
        .collect()
}

/// The tag that pages at this path get.
fn tag(site: &Site, path: &str) -> String {
    let rule = site.resolve(path);
    rule.plan
        .as_ref()
        .expect("a plan")
        .tag()
        .as_str()
        .to_owned()
}

fn groups(rule: &PageRule) -> Vec<u32> {
    let groups = rule.groups.as_ref().expect("groups");
    groups.iter().map(|group| group.as_u32()).collect()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
