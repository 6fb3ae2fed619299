use std::collections::BTreeSet;
use std::ops::ControlFlow;

use crate::document::{At, Fault, Reports};
use crate::html::Placement;
use crate::rules::level::Level;
use crate::rules::limits::MAX_COLLISIONS_REPORTED;
use crate::rules::path_pattern::PathPattern;
use crate::rules::path_trie::{PathTrie, overlaps};
use crate::rules::site::{Rule, Site};

use super::paths;

/// A tag in the head runs before the rest of the page was seen, so no page may have both that and
/// masks. Reports all pages that would.
pub(super) fn check(site: &Site, reports: &Reports) {
    for level in site.levels() {
        warn(level, reports);
    }
    let broad_head = [&site.level, &*site.defaults]
        .into_iter()
        .find_map(|level| level.placement.as_ref());
    let broad_head = broad_head.filter(|placement| placement.value == Placement::Head);
    let broad_mask = [&site.level, &*site.defaults]
        .into_iter()
        .find_map(|level| first_mask(site, level));
    if let Some(head) = broad_head {
        if let Some(mask) = broad_mask {
            refuse(&head.at, mask, "every page of the site has masks", reports);
        }
        for rule in site
            .rules
            .iter()
            .filter(|rule| rule.level.placement.is_none())
        {
            if let Some(mask) = first_mask(site, &rule.level) {
                let what = format!("pages of rule \"{}\" have masks", rule.name);
                refuse(&head.at, mask, &what, reports);
            }
        }
    }
    for rule in site.rules.iter().filter(|rule| says_head(&rule.level)) {
        let Some(head) = &rule.level.placement else {
            continue;
        };
        if let Some(mask) = broad_mask.or_else(|| first_mask(site, &rule.level)) {
            refuse(
                &head.at,
                mask,
                &format!("pages of rule \"{}\" have masks", rule.name),
                reports,
            );
        }
    }
    check_meeting_rules(site, reports);
}

fn warn(level: &Level, reports: &Reports) {
    let Some(stated) = level.placement.as_ref().filter(|_| says_head(level)) else {
        return;
    };
    reports.warning(
        &stated.at,
        "with the tag in the head, the rest of the page is not searched for a cobrowse tag of its own",
        "make sure that these pages have none below the head, or write placement = \"end\"",
    );
}

/// Rules that say "head" against rules that bring masks, where both match a path.
fn check_meeting_rules(site: &Site, reports: &Reports) {
    let heads: Vec<_> = patterns(site, says_head).collect();
    let masked: Vec<_> = patterns(site, |level| first_mask(site, level).is_some()).collect();
    let trie = |entries: &[(&Rule, PathPattern)]| {
        PathTrie::new((0..).zip(entries.iter().map(|(_, pattern)| pattern)))
    };
    let mut seen = BTreeSet::new();
    let walked = overlaps(&trie(&heads), &trie(&masked), |head, mask, path| {
        let (head, head_pattern) = &heads[head as usize];
        let (masked, mask_pattern) = &masked[mask as usize];
        let same = std::ptr::eq(*head, *masked);
        let ends = masked
            .level
            .placement
            .as_ref()
            .is_some_and(|at| at.value == Placement::End);
        let overruled = ends && mask_pattern.rank() > head_pattern.rank();
        if same || overruled || !seen.insert((&head.name, &masked.name)) {
            return ControlFlow::Continue(());
        }
        let Some(stated) = &head.level.placement else {
            return ControlFlow::Continue(());
        };
        if let Some(mask) = first_mask(site, &masked.level) {
            let what = format!("{path} has masks by rule \"{}\"", masked.name);
            refuse(&stated.at, mask, &what, reports);
        }
        match seen.len() {
            MAX_COLLISIONS_REPORTED => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        }
    });
    if let (Err(_), Some((head, _))) = (walked, heads.first()) {
        paths::report_entangled(&head.level.at, reports);
    }
}

fn patterns<'a>(
    site: &'a Site,
    wanted: impl Fn(&Level) -> bool + 'a,
) -> impl Iterator<Item = (&'a Rule, PathPattern)> {
    let rules = site.rules.iter().filter(move |rule| wanted(&rule.level));
    rules.flat_map(move |rule| {
        let patterns = rule.patterns.iter();
        patterns.map(move |stated| (rule, site.path_case.apply(&stated.value).into_owned()))
    })
}

fn says_head(level: &Level) -> bool {
    level
        .placement
        .as_ref()
        .is_some_and(|placement| placement.value == Placement::Head)
}

/// A mask that this level writes into pages, if only by way of its groups.
fn first_mask<'a>(site: &'a Site, level: &'a Level) -> Option<&'a At> {
    let own = level.streamed_masks().next();
    let groups = level
        .groups()
        .flat_map(|group| site.groups.masks(group.value));
    let mut of_groups = groups.filter(|mask| !mask.target.is_client_only());
    own.or_else(|| of_groups.next()).map(|mask| &mask.at)
}

fn refuse(head: &At, mask: &At, what: &str, reports: &Reports) {
    let fault = Fault::new(
        format!("the tag cannot go into the head: {what}"),
        "write placement = \"end\" where there are masks: the tag must come after all they apply to",
    );
    reports.conflict(head, (mask, "such a mask"), fault);
}
