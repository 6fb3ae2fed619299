use std::collections::BTreeSet;

use crate::document::{At, Stated};
use crate::groups::{GroupId, GroupSet};
use crate::html::{ExistingTag, Frames, MaskScope, Placement, Transform};

use super::level::{Level, LevelName, Ui};
use super::mask::{MaskSetting, MaskTarget};
use super::script::ScriptKind;
use super::site::Site;
use super::tag::TagKey;

/// A rule that matches a path, and by which of its patterns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Matched {
    pub(super) rule: u32,
    pub(super) pattern: u32,
}

/// Every setting for one path, each with who decided it: what is done and what is explained come from
/// here, so that they cannot differ.
#[derive(Debug)]
pub(super) struct Decisions<'a> {
    /// The most specific level that applies.
    pub(super) winner: &'a LevelName,
    pub(super) inject: Decided<'a, bool>,
    pub(super) group: Option<Decided<'a, GroupId>>,
    /// Without the primary group; the first level that brings a group is named.
    pub(super) additional_groups: Vec<Decided<'a, GroupId>>,
    pub(super) masks: Vec<DecidedMask<'a>>,
    pub(super) ui: Decided<'a, Ui>,
    pub(super) placement: Decided<'a, Placement>,
    pub(super) existing_tag: Decided<'a, ExistingTag>,
    pub(super) merge_existing: Decided<'a, bool>,
    pub(super) frames: Decided<'a, Frames>,
    pub(super) transform: Decided<'a, Transform>,
    /// Attributes of which some level says something, if only that they are left out.
    pub(super) settled: Vec<TagKey>,
    pub(super) preload: Decided<'a, bool>,
    pub(super) tag: Vec<(TagKey, Decided<'a, &'a str>)>,
}

/// A value, and who said it; nobody, if it is what holds when nothing is said.
#[derive(Clone, Copy, Debug)]
pub(super) struct Decided<'a, T> {
    pub(super) value: T,
    pub(super) by: Option<(&'a LevelName, &'a At)>,
}

#[derive(Debug)]
pub(super) struct DecidedMask<'a> {
    pub(super) target: &'a MaskTarget,
    pub(super) scope: MaskScope,
    /// Everybody who asked for it.
    pub(super) by: Vec<(MaskSource<'a>, &'a At)>,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum MaskSource<'a> {
    Group(GroupId),
    Level(&'a LevelName),
}

impl<'a> Decisions<'a> {
    /// `matched`: the most specific rule first.
    pub(super) fn of(site: &'a Site, matched: &[Matched]) -> Self {
        let rules = matched
            .iter()
            .map(|one| &site.rules[one.rule as usize].level);
        let levels: Vec<&Level> = rules.chain([&site.level, &*site.defaults]).collect();
        let mut decisions = Self {
            winner: &levels[0].name,
            inject: first(&levels, |level| &level.inject).unwrap_or_else(|| Decided::usual(true)),
            group: first(&levels, |level| &level.group),
            additional_groups: Vec::new(),
            masks: Vec::new(),
            ui: first(&levels, |level| &level.ui).unwrap_or_else(Decided::default),
            placement: first(&levels, |level| &level.placement).unwrap_or_else(Decided::default),
            existing_tag: first(&levels, |level| &level.existing_tag)
                .unwrap_or_else(Decided::default),
            merge_existing: first(&levels, |level| &level.merge_existing)
                .unwrap_or_else(Decided::default),
            frames: first(&levels, |level| &level.frames).unwrap_or_else(Decided::default),
            transform: first(&levels, |level| &level.transform).unwrap_or_else(Decided::default),
            settled: settled(&levels),
            preload: first(&levels, |level| &level.preload).unwrap_or_else(|| Decided::usual(true)),
            tag: tag(&levels),
        };
        decisions.add_groups(&levels);
        decisions.add_masks(site, &levels);
        decisions
    }

    /// The groups that may run a session on the page.
    pub(super) fn group_set(&self) -> Option<GroupSet> {
        let primary = self.group.as_ref()?.value;
        let additional = self.additional_groups.iter().map(|group| group.value);
        Some(GroupSet::new(primary, additional))
    }

    /// Holds back whatever either of two readings of a path holds back.
    pub(super) fn join_strictly(mut self, other: Self) -> Self {
        if !other.inject.value {
            self.inject = other.inject;
        }
        if other.frames.value == Frames::Skip {
            self.frames = other.frames;
        }
        if other.transform.value == Transform::UnlessForbidden {
            self.transform = other.transform;
        }
        if !other.merge_existing.value {
            self.merge_existing = other.merge_existing;
        }
        self.settled.extend(&other.settled);
        let allowed = self.group_set().zip(other.group_set());
        let both = |group: GroupId| {
            let sets = allowed.as_ref();
            sets.is_some_and(|(one, other)| one.contains(group) && other.contains(group))
        };
        let mut primaries = self.group.into_iter().chain(other.group);
        let primary = primaries.find(|group| both(group.value));
        let others = self
            .group
            .into_iter()
            .chain(std::mem::take(&mut self.additional_groups));
        let others: Vec<_> = others.filter(|group| both(group.value)).collect();
        self.group = primary;
        others.into_iter().for_each(|group| self.add_group(group));
        for mask in other.masks {
            for (source, at) in mask.by {
                self.add_mask(mask.target, mask.scope.clone(), source, at);
            }
        }
        self
    }

    /// From the least specific level on, so that the order is the same whatever rules come on top.
    fn add_groups(&mut self, levels: &[&'a Level]) {
        for level in levels.iter().rev() {
            for group in level.additional_groups.iter() {
                self.add_group(Decided::of(level, group));
            }
        }
    }

    fn add_group(&mut self, group: Decided<'a, GroupId>) {
        let primary = self.group.as_ref().map(|primary| primary.value);
        let known = self
            .additional_groups
            .iter()
            .any(|known| known.value == group.value);
        if primary != Some(group.value) && !known {
            self.additional_groups.push(group);
        }
    }

    fn add_masks(&mut self, site: &'a Site, levels: &[&'a Level]) {
        for level in levels.iter().rev() {
            for MaskSetting { target, at } in &level.masks {
                self.add_mask(
                    target,
                    MaskScope::Everyone,
                    MaskSource::Level(&level.name),
                    at,
                );
            }
        }
        let groups = self.group_set();
        for group in groups.iter().flat_map(GroupSet::iter) {
            for MaskSetting { target, at } in site.groups.masks(group) {
                let scope = group_scope(site.script.kind, group);
                self.add_mask(target, scope, MaskSource::Group(group), at);
            }
        }
    }

    fn add_mask(
        &mut self,
        target: &'a MaskTarget,
        scope: MaskScope,
        source: MaskSource<'a>,
        at: &'a At,
    ) {
        match self.masks.iter_mut().find(|known| known.target == target) {
            Some(known) => {
                widen(&mut known.scope, scope);
                // Two readings of a path share the levels that both match.
                if !known.by.iter().any(|(_, known)| *known == at) {
                    known.by.push((source, at));
                }
            }
            None => self.masks.push(DecidedMask {
                target,
                scope,
                by: vec![(source, at)],
            }),
        }
    }
}

impl DecidedMask<'_> {
    pub(super) fn is_of_group(&self) -> bool {
        self.by
            .iter()
            .any(|(source, _)| matches!(source, MaskSource::Group(_)))
    }
}

impl<'a, T> Decided<'a, T> {
    fn usual(value: T) -> Self {
        Self { value, by: None }
    }

    fn of(level: &'a Level, stated: &'a Stated<T>) -> Self
    where
        T: Copy,
    {
        Self {
            value: stated.value,
            by: Some((&level.name, &stated.at)),
        }
    }
}

impl<T: Default> Default for Decided<'_, T> {
    fn default() -> Self {
        Self::usual(T::default())
    }
}

/// What the most specific level says that says anything.
fn first<'a, T: Copy + 'a>(
    levels: &[&'a Level],
    setting: impl Fn(&'a Level) -> &'a Option<Stated<T>>,
) -> Option<Decided<'a, T>> {
    levels.iter().find_map(|level| {
        let stated = setting(level).as_ref()?;
        Some(Decided::of(level, stated))
    })
}

fn tag<'a>(levels: &[&'a Level]) -> Vec<(TagKey, Decided<'a, &'a str>)> {
    let decided = TagKey::ALL.iter().filter_map(|key| {
        let (level, stated) = levels
            .iter()
            .find_map(|level| Some((level, level.tag.find(*key)?)))?;
        let value = stated.value.as_deref()?;
        let by = Some((&level.name, &stated.at));
        Some((*key, Decided { value, by }))
    });
    decided.collect()
}

fn settled(levels: &[&Level]) -> Vec<TagKey> {
    let says = |key: &TagKey| levels.iter().any(|level| level.tag.find(*key).is_some());
    TagKey::ALL.into_iter().filter(says).collect()
}

/// The vendor's script knows no masks of single groups: masking too much beats masking too little.
fn group_scope(kind: ScriptKind, group: GroupId) -> MaskScope {
    match kind {
        ScriptKind::Edge => MaskScope::Groups(BTreeSet::from([group.as_u32()])),
        ScriptKind::Glance => MaskScope::Everyone,
    }
}

fn widen(scope: &mut MaskScope, more: MaskScope) {
    match (&mut *scope, more) {
        (MaskScope::Everyone, _) => {}
        (scope, MaskScope::Everyone) => *scope = MaskScope::Everyone,
        (MaskScope::Groups(groups), MaskScope::Groups(more)) => groups.extend(more),
    }
}
