use std::collections::BTreeMap;
use std::sync::Arc;

use crate::document::{Fault, Reports, Stated};
use crate::groups::GroupId;
use crate::rules::group_book::{Group, GroupBook};
use crate::rules::level::Level;
use crate::rules::script::ScriptKind;
use crate::rules::site::Site;

use super::Tables;
use super::overrides::Overrides;
use super::sites::Context;

/// Every `[[group]]`, by the number that it has in this environment.
pub(super) fn gather(
    tables: &mut Tables,
    overrides: &Overrides,
    reports: &Reports,
) -> Arc<GroupBook> {
    let mut book = GroupBook::default();
    for table in tables
        .files
        .iter_mut()
        .flat_map(|file| file.groups.drain(..))
    {
        let Some(id) = table.id else {
            book.incomplete = true;
            continue;
        };
        let group = Group {
            at: table.at,
            masks: table.masks,
            settings: table.settings,
        };
        let number = overrides.group(id.value);
        if let Some(first) = book.groups.get(&number) {
            let fault = Fault::new(
                format!("group {number} is defined twice"),
                "bring both together in one [[group]]",
            );
            reports.conflict(&id.at, (&first.at, "the first one"), fault);
            continue;
        }
        book.groups.insert(number, group);
    }
    book.incomplete |= !tables.complete;
    Arc::new(book)
}

/// Groups that pages carry must be defined where any are, and where the edge's own backend runs the
/// sessions: it has no other place to know them from.
pub(super) fn check_defined(sites: &[Site], defaults: &Level, context: &Context<'_>) {
    let needed = sites
        .iter()
        .any(|site| site.script.kind == ScriptKind::Edge);
    let optional = !needed && context.groups.groups.is_empty();
    if context.groups.incomplete || optional {
        return;
    }
    let rules = sites
        .iter()
        .flat_map(|site| &site.rules)
        .map(|rule| &rule.level);
    let levels = std::iter::once(defaults)
        .chain(sites.iter().map(|site| &site.level))
        .chain(rules);
    let mut undefined: BTreeMap<GroupId, Vec<&Stated<GroupId>>> = BTreeMap::new();
    for used in levels.flat_map(Level::groups) {
        if !context.groups.groups.contains_key(&used.value) {
            undefined.entry(used.value).or_default().push(used);
        }
    }
    for (group, places) in undefined {
        let Some((first, others)) = places.split_first() else {
            continue;
        };
        let also = match others.len() {
            0 => String::new(),
            1 => ", used in one more place".to_owned(),
            more => format!(", used in {more} more places"),
        };
        let message = format!("group {group} is not defined{also}");
        context
            .reports
            .error(&first.at, message, remedy(group, context.groups));
    }
}

fn remedy(group: GroupId, book: &GroupBook) -> String {
    let known: Vec<_> = book
        .groups
        .keys()
        .take(8)
        .map(|known| book.describe(*known))
        .collect();
    let add = format!("write a [[group]] with id = {group}");
    match known.is_empty() {
        true => add,
        false => format!("{add}, or use a defined one: {}", known.join(", ")),
    }
}
