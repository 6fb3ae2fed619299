use std::collections::BTreeSet;

use crate::document::Reports;
use crate::groups::GroupId;
use crate::rules::group_book::GroupBook;
use crate::rules::level::Level;
use crate::rules::mask::MaskSetting;
use crate::rules::script::ScriptKind;
use crate::rules::site::Site;

/// The vendor's script is not told of `client_only` masks: nobody would apply them. Reports each that
/// pages with that script would have, by whatever way it comes to them, once.
pub(super) fn check(sites: &[Site], defaults: &Level, groups: &GroupBook, reports: &Reports) {
    let vendors = || {
        sites
            .iter()
            .filter(|site| site.script.kind == ScriptKind::Glance)
    };
    if vendors().next().is_none() {
        return;
    }
    let levels = vendors().flat_map(own_levels).chain([defaults]);
    let used: BTreeSet<GroupId> = vendors().flat_map(groups_of_pages).collect();
    let of_groups = used.into_iter().flat_map(|group| groups.masks(group));
    for mask in levels.flat_map(|level| &level.masks).chain(of_groups) {
        refuse(mask, reports);
    }
}

fn own_levels(site: &Site) -> impl Iterator<Item = &Level> {
    let rules = site.rules.iter().map(|rule| &rule.level);
    rules.chain([&site.level])
}

/// Every group that a page of the site can carry. A group of the defaults is none of them if the site
/// names another.
fn groups_of_pages(site: &Site) -> impl Iterator<Item = GroupId> {
    let unless_replaced = site
        .level
        .group
        .is_none()
        .then_some(site.defaults.group.as_ref());
    let defaults = unless_replaced
        .flatten()
        .into_iter()
        .chain(&site.defaults.additional_groups);
    own_levels(site)
        .flat_map(Level::groups)
        .chain(defaults)
        .map(|group| group.value)
}

fn refuse(mask: &MaskSetting, reports: &Reports) {
    if !mask.target.is_client_only() {
        return;
    }
    reports.error(
        &mask.at,
        format!(
            "nobody would apply the mask \"{}\": the vendor's script is not told of client_only masks",
            mask.target.selector()
        ),
        "write a selector that the edge can match, enter this one in the vendor's masking settings, or write kind = \"edge\" in [script]",
    );
}
