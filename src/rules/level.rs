use std::fmt;
use std::sync::Arc;

use crate::document::{
    At, Fault, Stated, TableReader, flag, one_of, text, whole_number, wrong_type,
};
use crate::groups::GroupId;
use crate::html::{ExistingTag, Frames, Placement, Transform};

use super::limits::MAX_GROUPS_PER_PAGE;
use super::mask::{MaskSetting, MaskTarget};
use super::tag::TagSettings;

/// What one place in the rule files says about pages: the defaults, a site, or a rule. All three can
/// say the same things.
#[derive(Clone, Debug)]
pub(super) struct Level {
    pub(super) name: LevelName,
    pub(super) at: At,
    pub(super) group: Option<Stated<GroupId>>,
    pub(super) additional_groups: Vec<Stated<GroupId>>,
    pub(super) masks: Vec<MaskSetting>,
    pub(super) inject: Option<Stated<bool>>,
    pub(super) ui: Option<Stated<Ui>>,
    pub(super) placement: Option<Stated<Placement>>,
    pub(super) existing_tag: Option<Stated<ExistingTag>>,
    pub(super) merge_existing: Option<Stated<bool>>,
    pub(super) frames: Option<Stated<Frames>>,
    pub(super) transform: Option<Stated<Transform>>,
    pub(super) preload: Option<Stated<bool>>,
    pub(super) tag: TagSettings,
    /// `group` or `inject` is written but could not be read, so neither can be said to be missing.
    pub(super) unclear: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum LevelName {
    Defaults,
    Rule(Arc<str>),
    Site,
}

/// Who draws what the visitor sees.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Ui {
    Custom,
    #[default]
    Default,
}

impl Level {
    /// Takes the keys of a level out of its table.
    pub(super) fn read(name: LevelName, table: &mut TableReader<'_>) -> Self {
        const UI: &[(&str, Ui)] = &[("default", Ui::Default), ("custom", Ui::Custom)];
        const PLACEMENT: &[(&str, Placement)] =
            &[("end", Placement::End), ("head", Placement::Head)];
        const EXISTING: &[(&str, ExistingTag)] = &[
            ("replace", ExistingTag::Replace),
            ("keep", ExistingTag::Keep),
        ];
        const FRAMES: &[(&str, Frames)] = &[("tag", Frames::Tag), ("skip", Frames::Skip)];
        const TRANSFORM: &[(&str, Transform)] = &[
            ("unless-forbidden", Transform::UnlessForbidden),
            ("always", Transform::Always),
        ];
        let group = table.take("group", group_id);
        let inject = table.take("inject", flag);
        let level = Self {
            name,
            at: table.at().clone(),
            unclear: table.has("group") != group.is_some()
                || table.has("inject") != inject.is_some(),
            group,
            inject,
            additional_groups: table.take_list("additional_groups", group_id),
            masks: read_masks(table),
            ui: table.take("ui", one_of(UI)),
            placement: table.take("placement", one_of(PLACEMENT)),
            existing_tag: table.take("existing_tag", one_of(EXISTING)),
            merge_existing: table.take("merge_existing", flag),
            frames: table.take("frames", one_of(FRAMES)),
            transform: table.take("transform", one_of(TRANSFORM)),
            preload: table.take("preload", flag),
            tag: table
                .take_table("tag", "tag")
                .map(TagSettings::read)
                .unwrap_or_default(),
        };
        if let Some(last) = level.additional_groups.get(MAX_GROUPS_PER_PAGE - 1) {
            let message = format!("more than {MAX_GROUPS_PER_PAGE} groups on one page");
            table.fault(
                &last.at,
                Fault::new(message, "list fewer: every page carries them all"),
            );
        }
        level
    }

    /// A level that says nothing: the defaults, when no file has any.
    pub(super) fn silent(name: LevelName, at: At) -> Self {
        Self {
            name,
            at,
            group: None,
            additional_groups: Vec::new(),
            masks: Vec::new(),
            inject: None,
            ui: None,
            placement: None,
            existing_tag: None,
            merge_existing: None,
            frames: None,
            transform: None,
            preload: None,
            tag: TagSettings::default(),
            unclear: false,
        }
    }

    /// It could as well not be there.
    pub(super) fn is_silent(&self) -> bool {
        self.group.is_none()
            && self.additional_groups.is_empty()
            && self.masks.is_empty()
            && self.inject.is_none()
            && self.ui.is_none()
            && self.placement.is_none()
            && self.existing_tag.is_none()
            && self.merge_existing.is_none()
            && self.frames.is_none()
            && self.transform.is_none()
            && self.preload.is_none()
            && self.tag.is_empty()
    }

    /// Every group that this level brings to a page.
    pub(super) fn groups(&self) -> impl Iterator<Item = &Stated<GroupId>> {
        self.group.iter().chain(&self.additional_groups)
    }

    pub(super) fn groups_mut(&mut self) -> impl Iterator<Item = &mut Stated<GroupId>> {
        self.group.iter_mut().chain(&mut self.additional_groups)
    }

    /// Masks that the edge writes into the page.
    pub(super) fn streamed_masks(&self) -> impl Iterator<Item = &MaskSetting> {
        self.masks
            .iter()
            .filter(|mask| !mask.target.is_client_only())
    }
}

impl fmt::Display for LevelName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Defaults => f.write_str("defaults"),
            Self::Rule(name) => write!(f, "rule \"{name}\""),
            Self::Site => f.write_str("site"),
        }
    }
}

pub(super) fn group_id(value: &toml::de::DeValue<'_>) -> Result<GroupId, Fault> {
    let number = whole_number(value)?;
    GroupId::new(number).ok_or_else(|| {
        let shown = if number == i64::MAX {
            "this number".to_owned()
        } else {
            number.to_string()
        };
        Fault::new(
            format!("{shown} is not a group ID"),
            "write the number that the cobrowse service gave to the group, 1 to 4294967295",
        )
    })
}

/// `"selector"` or `{ selector = "...", client_only = true }`.
pub(super) fn read_masks(table: &mut TableReader<'_>) -> Vec<MaskSetting> {
    let masks = table.take_list("masks", mask);
    masks
        .into_iter()
        .map(|Stated { value: target, at }| MaskSetting { target, at })
        .collect()
}

fn mask(value: &toml::de::DeValue<'_>) -> Result<MaskTarget, Fault> {
    use toml::de::DeValue;
    let table = match value {
        DeValue::String(_) => return text(MaskTarget::streamed)(value),
        DeValue::Table(table) => table,
        other => {
            let write = "\"#ssn\", or { selector = \"...\", client_only = true }";
            return Err(wrong_type(other, "a selector", write));
        }
    };
    let known = ["selector", "client_only"];
    if let Some(odd) = table.keys().find(|key| !known.contains(&&**key.get_ref())) {
        return Err(Fault::new(
            format!("unknown key `{}` in a mask", odd.get_ref()),
            "write { selector = \"...\", client_only = true }",
        ));
    }
    let client_only = match table.get("client_only").map(|value| value.get_ref()) {
        None => false,
        Some(value) => flag(value).map_err(|fault| fault.named("`client_only`"))?,
    };
    let Some(selector) = table.get("selector") else {
        let remedy = "write { selector = \"...\", client_only = true }";
        return Err(Fault::new("a mask without a selector", remedy));
    };
    let parse = if client_only {
        MaskTarget::client_only
    } else {
        MaskTarget::streamed
    };
    text(parse)(selector.get_ref())
}
