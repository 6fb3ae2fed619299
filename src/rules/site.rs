use std::borrow::Cow;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use crate::document::{At, Stated};
use crate::groups::GroupId;
use crate::wire::csp::Treatment;

use super::SiteEnv;
use super::cache::PageRuleCache;
use super::decisions::{Decisions, Matched};
use super::explanation::Explanation;
use super::group_book::GroupBook;
use super::host::HostPattern;
use super::level::Level;
use super::origin::{HostHeader, OriginSettings};
use super::page_rule::{PageRule, SITE_LABEL};
use super::path_parameters::PathParameters;
use super::path_pattern::{PathPattern, Rank, canonical_path, fold_case};
use super::path_trie::PathTrie;
use super::script::Script;
use super::visitors::VisitorCertificates;

/// A site before which the edge stands: its hosts, where its pages come from, and what is done to
/// them by path.
pub struct Site {
    pub(super) name: Arc<str>,
    pub(super) hosts: Vec<Stated<HostPattern>>,
    pub(super) origin: OriginSettings,
    pub(super) host_header: HostHeader,
    pub(super) body_bytes_max: Option<u64>,
    pub(super) path_case: PathCase,
    pub(super) path_parameters: PathParameters,
    pub(super) script: Script,
    pub(super) csp: Option<Stated<Treatment>>,
    pub(super) env: SiteEnv,
    pub(super) groups: Arc<GroupBook>,
    pub(super) defaults: Arc<Level>,
    pub(super) level: Level,
    pub(super) rules: Vec<Rule>,
    pub(super) paths: PathIndex,
    pub(super) cache: PageRuleCache,
    /// None: nobody is asked for a certificate.
    pub(super) visitors: Option<VisitorCertificates>,
    /// Files that the settings name; whether they are there is for the loader to see.
    pub(super) files: Vec<Stated<PathBuf>>,
}

/// How letters in paths compare.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum PathCase {
    /// As on IIS: `/Login.asp` and `/login.asp` are one page.
    Insensitive,
    #[default]
    Sensitive,
}

/// `[[site.rule]]`, compiled.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) name: Arc<str>,
    pub(super) named_at: At,
    pub(super) patterns: Vec<Stated<PathPattern>>,
    pub(super) level: Level,
}

impl Site {
    /// The first of its hosts: a label in logs and metrics.
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    pub fn hosts(&self) -> impl Iterator<Item = &HostPattern> {
        self.hosts.iter().map(|host| &host.value)
    }

    pub fn rule_count(&self) -> usize {
        self.rules.len()
    }

    pub fn origin(&self) -> &OriginSettings {
        &self.origin
    }

    pub fn visitors(&self) -> Option<&VisitorCertificates> {
        self.visitors.as_ref()
    }

    pub fn host_header(&self) -> HostHeader {
        self.host_header
    }

    /// How large a request's body may be; `None`: as the process settings say.
    pub fn body_bytes_max(&self) -> Option<u64> {
        self.body_bytes_max
    }

    pub fn path_case(&self) -> PathCase {
        self.path_case
    }

    pub fn path_parameters(&self) -> PathParameters {
        self.path_parameters
    }

    /// What applies to a canonical path without its query.
    ///
    /// Total: every path has an answer. Where `;` in the path leaves two readings open, the answer is
    /// the stricter of both: their masks together, the groups that both allow.
    pub fn resolve(&self, path: &str) -> Arc<PageRule> {
        self.page_rule(&self.readings(path))
    }

    fn page_rule(&self, readings: &Readings) -> Arc<PageRule> {
        let key = readings.key();
        self.cache
            .find_or_compile(key, || PageRule::compile(self, &self.decide(readings)))
    }

    /// Whether a page can be under the rule of this label.
    pub fn has_rule(&self, label: &str) -> bool {
        label == SITE_LABEL || self.rules.iter().any(|rule| *rule.name == *label)
    }

    /// Whether all pages under the rule of this label allow the group, as far as the rule's patterns tell
    /// which other rules meet on them: for pages of which the rule is known, and not the path.
    pub fn rule_allows(&self, label: &str, group: GroupId) -> bool {
        let mut pages = self.examples_of(label).into_iter().peekable();
        pages.peek().is_some()
            && pages.all(|page| page.groups.as_ref().is_some_and(|all| all.contains(group)))
    }

    /// What applies to pages under a rule, on which no other rule lays hold but by wildcards.
    fn examples_of(&self, label: &str) -> Vec<Arc<PageRule>> {
        if label == SITE_LABEL {
            let alone = Readings {
                plain: Vec::new(),
                stripped: None,
            };
            return vec![self.page_rule(&alone)];
        }
        let rule = self.rules.iter().find(|rule| *rule.name == *label);
        let patterns = rule.into_iter().flat_map(|rule| &rule.patterns);
        let paths = patterns.flat_map(|pattern| pattern.value.examples());
        let pages = paths.map(|path| {
            let plain = self.matches(&path);
            self.page_rule(&Readings {
                plain,
                stripped: None,
            })
        });
        pages.filter(|page| *page.label == *label).collect()
    }

    /// Every mask that some page of the site has in sessions of the group: for pages of which it is not
    /// known which rules meet on them.
    pub fn masks_of_all_pages(&self, group: GroupId) -> Vec<Arc<str>> {
        let levels = self.levels().flat_map(|level| &level.masks);
        let mut masks: Vec<Arc<str>> = Vec::new();
        for mask in levels.chain(self.groups.masks(group)) {
            let selector = mask.target.selector();
            if !masks.iter().any(|known| **known == *selector) {
                masks.push(selector.into());
            }
        }
        masks
    }

    /// The same as [`Site::resolve`], with all that led to it.
    pub fn explain(&self, path: &str) -> Explanation {
        let readings = self.readings(path);
        Explanation::of(self, path, &readings, &self.decide(&readings))
    }

    /// Everything that says something about pages of this site.
    pub(super) fn levels(&self) -> impl Iterator<Item = &Level> {
        let rules = self.rules.iter().map(|rule| &rule.level);
        [&*self.defaults, &self.level].into_iter().chain(rules)
    }

    fn decide(&self, readings: &Readings) -> Decisions<'_> {
        let decisions = Decisions::of(self, &readings.plain);
        match &readings.stripped {
            Some(other) => decisions.join_strictly(Decisions::of(self, other)),
            None => decisions,
        }
    }

    fn readings(&self, path: &str) -> Readings {
        let path = canonical_path(path);
        let (plain, stripped) = self.path_parameters.readings(&path);
        let plain = self.matches(&plain);
        let stripped = stripped.map(|path| self.matches(&path));
        Readings {
            stripped: stripped.filter(|other| *other != plain),
            plain,
        }
    }

    /// The rules that match a path in the spelling of patterns, the most specific one first.
    fn matches(&self, path: &str) -> Vec<Matched> {
        match self.path_case {
            PathCase::Insensitive => self.paths.matches(&fold_case(path)),
            PathCase::Sensitive => self.paths.matches(path),
        }
    }
}

impl fmt::Debug for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Site")
            .field("name", &self.name)
            .field("origin", &self.origin)
            .field("rules", &self.rules.len())
            .finish_non_exhaustive()
    }
}

/// The rules that match a path, in the one or two ways in which it can be read.
pub(super) struct Readings {
    pub(super) plain: Vec<Matched>,
    /// Only if other rules match when parameters are taken off.
    pub(super) stripped: Option<Vec<Matched>>,
}

impl Readings {
    /// All that a page rule depends on: which rules match and in which order they decide.
    fn key(&self) -> Box<[u32]> {
        const BETWEEN: u32 = u32::MAX;
        let plain = self.plain.iter().map(|matched| matched.rule);
        match &self.stripped {
            None => plain.collect(),
            Some(other) => {
                let other = other.iter().map(|matched| matched.rule);
                plain.chain([BETWEEN]).chain(other).collect()
            }
        }
    }
}

/// Finds the rules of one site that match a path.
#[derive(Debug)]
pub(super) struct PathIndex {
    trie: PathTrie,
    /// By the number of the pattern in the trie.
    patterns: Vec<(Matched, Rank)>,
}

impl PathIndex {
    pub(super) fn new(rules: &[Rule], path_case: PathCase) -> Self {
        let mut patterns = Vec::new();
        let mut compiled = Vec::new();
        for (rule, place) in (0..).zip(rules) {
            for (pattern, stated) in (0..).zip(&place.patterns) {
                patterns.push((Matched { rule, pattern }, stated.value.rank()));
                compiled.push(path_case.apply(&stated.value));
            }
        }
        let trie = PathTrie::new((0..).zip(compiled.iter().map(|pattern| &**pattern)));
        Self { trie, patterns }
    }

    fn matches(&self, path: &str) -> Vec<Matched> {
        let found = self.trie.matches(path).into_iter();
        let mut found: Vec<_> = found.map(|number| self.patterns[number as usize]).collect();
        found.sort_by(|(one, rank), (other, other_rank)| other_rank.cmp(rank).then(one.cmp(other)));
        let mut matched: Vec<Matched> = Vec::with_capacity(found.len());
        for (one, _) in found {
            if !matched.iter().any(|known| known.rule == one.rule) {
                matched.push(one);
            }
        }
        matched
    }
}

impl PathCase {
    /// The pattern as it is compared on such a site.
    pub(super) fn apply(self, pattern: &PathPattern) -> Cow<'_, PathPattern> {
        match self {
            Self::Insensitive => Cow::Owned(pattern.folded()),
            Self::Sensitive => Cow::Borrowed(pattern),
        }
    }
}
