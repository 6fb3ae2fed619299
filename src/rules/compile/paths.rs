use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::ControlFlow;

use crate::document::{At, Fault, Reports};
use crate::rules::limits::{MAX_COLLISIONS_REPORTED, MAX_PARTIALS_PER_NODE};
use crate::rules::path_parameters::PathParameters;
use crate::rules::path_pattern::{PathPattern, Rank};
use crate::rules::path_trie::{PathTrie, overlaps};
use crate::rules::site::{Rule, Site};

/// Reports paths that no request can have, paths given twice, and rules of which neither is the more
/// specific one.
pub(super) fn check(site: &Site, reports: &Reports) {
    check_reachable(site, reports);
    let entries = entries(site);
    let distinct = without_duplicates(&entries, reports);
    let mut by_rank: BTreeMap<Rank, Vec<&Entry<'_>>> = BTreeMap::new();
    for entry in distinct {
        by_rank.entry(entry.pattern.rank()).or_default().push(entry);
    }
    let mut collisions = Collisions {
        reports,
        seen: BTreeSet::new(),
    };
    // Exact patterns of one rank collide only if they are equal, and those are gone.
    for (_, same_rank) in by_rank.into_iter().filter(|(rank, _)| !rank.is_exact()) {
        let patterns = (0..).zip(same_rank.iter().map(|entry| &*entry.pattern));
        let trie = PathTrie::new(patterns);
        if trie.most_partials() > MAX_PARTIALS_PER_NODE {
            too_many_partials(site, reports);
        } else if collisions.find(&trie, &same_rank).is_break() {
            return;
        }
    }
}

/// One path of one rule, as it compares on its site.
struct Entry<'a> {
    number: usize,
    rule: &'a Rule,
    pattern: Cow<'a, PathPattern>,
    at: &'a At,
}

fn entries(site: &Site) -> Vec<Entry<'_>> {
    let mut entries = Vec::new();
    for (number, rule) in site.rules.iter().enumerate() {
        for stated in &rule.patterns {
            entries.push(Entry {
                number,
                rule,
                pattern: site.path_case.apply(&stated.value),
                at: &stated.at,
            });
        }
    }
    entries
}

fn check_reachable(site: &Site, reports: &Reports) {
    if site.path_parameters != PathParameters::Strip {
        return;
    }
    let patterns = site.rules.iter().flat_map(|rule| &rule.patterns);
    for pattern in patterns.filter(|pattern| pattern.value.names_parameters()) {
        reports.error(
            &pattern.at,
            format!(
                "\"{}\" can never match: this site takes `;` parameters off paths",
                pattern.value
            ),
            "remove the `;` and what follows, or write path_parameters = \"keep\" in the site",
        );
    }
}

fn without_duplicates<'e, 'a>(entries: &'e [Entry<'a>], reports: &Reports) -> Vec<&'e Entry<'a>> {
    let mut first: HashMap<&str, &Entry<'_>> = HashMap::new();
    let mut distinct = Vec::new();
    for entry in entries {
        let text = entry.pattern.as_str();
        match first.get(text) {
            None => {
                first.insert(text, entry);
                distinct.push(entry);
            }
            Some(known) if known.number == entry.number => {
                let fault =
                    Fault::new(format!("the path \"{text}\" is listed twice"), "remove one");
                reports.conflict(entry.at, (known.at, "the first one"), fault);
            }
            Some(known) => {
                let fault = Fault::new(
                    format!(
                        "the rules \"{}\" and \"{}\" have the same path \"{text}\"",
                        known.rule.name, entry.rule.name
                    ),
                    "bring both together in one rule",
                );
                reports.conflict(entry.at, (known.at, "the other one"), fault);
            }
        }
    }
    distinct
}

struct Collisions<'a> {
    reports: &'a Reports,
    /// Pairs of rules that were reported.
    seen: BTreeSet<(usize, usize)>,
}

impl Collisions<'_> {
    fn find(&mut self, trie: &PathTrie, entries: &[&Entry<'_>]) -> ControlFlow<()> {
        let mut full = false;
        let walked = overlaps(trie, trie, |one, other, path| {
            let (one, other) = (entries[one as usize], entries[other as usize]);
            if one.number < other.number {
                full = self.report(one, other, path).is_break();
            }
            if full {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        });
        if let (Err(_), Some(entry)) = (walked, entries.first()) {
            report_entangled(entry.at, self.reports);
            return ControlFlow::Break(());
        }
        if full {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }

    fn report(&mut self, one: &Entry<'_>, other: &Entry<'_>, path: &str) -> ControlFlow<()> {
        if !self.seen.insert((one.number, other.number)) {
            return ControlFlow::Continue(());
        }
        let fault = Fault::new(
            format!(
                "ambiguous: \"{}\" of rule \"{}\" and \"{}\" of rule \"{}\" both match {path}, and neither is more specific",
                one.pattern, one.rule.name, other.pattern, other.rule.name
            ),
            "make one of them more specific (literal segments count first, then `*.asp`, then `*`), or bring both together in one rule",
        );
        self.reports
            .conflict(other.at, (one.at, "the other one"), fault);
        match self.seen.len() {
            MAX_COLLISIONS_REPORTED => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        }
    }
}

/// What cannot be checked is not let through.
pub(super) fn report_entangled(at: &At, reports: &Reports) {
    reports.error(
        at,
        "the paths of this site overlap in so many ways that they cannot be checked",
        "write fewer paths that begin with wildcards",
    );
}

fn too_many_partials(site: &Site, reports: &Reports) {
    reports.error(
        &site.level.at,
        format!("more than {MAX_PARTIALS_PER_NODE} paths with a `*` inside the same segment"),
        "bring paths such as *.asp and *.aspx together in fewer",
    );
}
