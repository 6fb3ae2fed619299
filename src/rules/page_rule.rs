use std::fmt;
use std::sync::Arc;

use crate::groups::{GroupId, GroupSet};
use crate::html::{
    AttributeError, ExistingTag, Inheritance, Mask, MaskScope, Plan, ScriptTag, mask_revision,
};
use crate::wire::csp::Terms;
use crate::wire::{ScriptFetch, ScriptPreload};

use super::decisions::Decisions;
use super::level::{LevelName, Ui};
use super::limits::{MAX_GROUPS_PER_PAGE, MAX_MASKS_PER_PAGE, PAGE_RULE_WEIGHT};
use super::mask::MaskTarget;
use super::site::Site;
use super::tag::{self, TagKey, TagParts};

/// What applies to a page: shared by all paths to which the same rules apply.
#[derive(Clone, Debug)]
pub struct PageRule {
    /// The name of the most specific rule, or `site`: a label in logs and metrics.
    pub label: Arc<str>,
    /// The groups that may run a session on the page; none if the page gets no tag.
    pub groups: Option<GroupSet>,
    /// What is done to the page's HTML; none: nothing.
    pub plan: Option<Arc<Plan>>,
    /// What may be done to the page's content security policies so that the tag runs.
    pub csp: Terms,
    /// How browsers are told of the script before they meet the tag; none: they are not.
    pub preload: Option<ScriptPreload>,
    /// Masks that only the visitor script can apply.
    pub client_masks: Box<[ClientMask]>,
    /// Why there is no plan, where there is none.
    pub untagged: Option<Untagged>,
}

/// The label of pages to which no `[[site.rule]]` applies.
pub(super) const SITE_LABEL: &str = "site";

/// A mask whose selector the streaming engine cannot match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientMask {
    pub selector: Arc<str>,
    pub scope: MaskScope,
}

/// Why a page gets no tag and so no session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Untagged {
    /// A rule, the site or the defaults say `inject = false`.
    InjectOff,
    /// No group is allowed; only where two readings of a path allow different ones.
    NoGroup,
    /// The tag cannot be written.
    Tag(AttributeError),
    /// So many groups meet on the page.
    TooManyGroups(usize),
    /// So many masks meet on the page. Leaving some of them out is no way.
    TooManyMasks(usize),
}

impl PageRule {
    pub(super) fn compile(site: &Site, decisions: &Decisions<'_>) -> Self {
        let planned = plan(site, decisions);
        let client_masks = decisions.masks.iter().filter_map(|mask| match mask.target {
            MaskTarget::ClientOnly(selector) => Some(ClientMask {
                selector: Arc::clone(selector),
                scope: mask.scope.clone(),
            }),
            MaskTarget::Streamed(_) => None,
        });
        let mut rule = Self {
            label: decisions.label(),
            groups: None,
            plan: None,
            csp: Terms::default(),
            preload: None,
            client_masks: client_masks.collect(),
            untagged: None,
        };
        match planned {
            Ok((groups, plan)) => {
                rule.csp = terms(site, decisions, &groups);
                rule.preload = preload(site, decisions, &groups);
                rule.groups = Some(groups);
                let preload = rule.preload.as_ref().map(ToString::to_string);
                let plan = plan
                    .versioned_by(&rule.csp.to_string())
                    .versioned_by(&preload.unwrap_or_default());
                rule.plan = Some(Arc::new(plan));
            }
            Err(untagged) => rule.untagged = Some(untagged),
        }
        rule
    }

    /// Changes with the masks that hold on the page, those of the visitor script included.
    pub fn mask_revision(&self) -> u64 {
        let masks = self.plan.iter().flat_map(|plan| plan.masks());
        let streamed = masks.map(|mask| (mask.selector.as_str(), &mask.scope));
        let client = self.client_masks.iter();
        let client = client.map(|mask| (&*mask.selector, &mask.scope));
        mask_revision(streamed.chain(client))
    }

    /// The selectors that hold in sessions of the group, those of the visitor script included.
    pub fn masks_for(&self, group: GroupId) -> Vec<Arc<str>> {
        let streamed = self.plan.iter().flat_map(|plan| plan.masks());
        let streamed = streamed.map(|mask| (mask.selector.as_str(), &mask.scope));
        let client = self.client_masks.iter();
        let client = client.map(|mask| (&*mask.selector, &mask.scope));
        let holds = |scope: &MaskScope| match scope {
            MaskScope::Everyone => true,
            MaskScope::Groups(groups) => groups.contains(&group.as_u32()),
        };
        let all = streamed.chain(client);
        let held = all.filter(|(_, scope)| holds(scope));
        held.map(|(selector, _)| selector.into()).collect()
    }

    /// What this takes in a cache, in units of about 64 bytes.
    pub(super) fn weight(&self) -> usize {
        let masks = self.plan.as_ref().map_or(0, |plan| plan.masks().len());
        let sources = self.csp.needs.by_directive().map(|(_, list)| list.len());
        PAGE_RULE_WEIGHT + masks + self.client_masks.len() + sources.sum::<usize>()
    }
}

fn plan(site: &Site, decisions: &Decisions<'_>) -> Result<(GroupSet, Plan), Untagged> {
    if !decisions.inject.value {
        return Err(Untagged::InjectOff);
    }
    let groups = decisions.group_set().ok_or(Untagged::NoGroup)?;
    let count = groups.iter().count();
    if count > MAX_GROUPS_PER_PAGE {
        return Err(Untagged::TooManyGroups(count));
    }
    if decisions.masks.len() > MAX_MASKS_PER_PAGE {
        return Err(Untagged::TooManyMasks(decisions.masks.len()));
    }
    let tag = script_tag(site, decisions, &groups).map_err(Untagged::Tag)?;
    let masks = streamed_masks(decisions);
    let (placement, existing_tag) = (decisions.placement.value, decisions.existing_tag.value);
    let plan = Plan::new(tag, placement, existing_tag, masks)
        .with_frames(decisions.frames.value)
        .with_transform(decisions.transform.value);
    let plan = match decisions.merge_existing.value {
        true => plan.with_inheritance(inheritance(decisions)),
        false => plan,
    };
    Ok((groups, plan))
}

/// What no level says anything of.
fn inheritance(decisions: &Decisions<'_>) -> Inheritance {
    let keys = TagKey::ALL.into_iter();
    let open = keys.filter(|key| key.is_inheritable() && !decisions.settled.contains(key));
    let ui = decisions.ui.by.is_none().then_some(tag::UI);
    Inheritance {
        attributes: open.map(TagKey::attribute).chain(ui).collect(),
        accepts: tag::accepts,
    }
}

fn terms(site: &Site, decisions: &Decisions<'_>, groups: &GroupSet) -> Terms {
    let src = site.script.url.fill(groups.primary(), site.env);
    Terms {
        treatment: site.csp.as_ref().map(|csp| csp.value).unwrap_or_default(),
        needs: Arc::new(site.script.needs.of_tag(&src, &decisions.tag)),
    }
}

/// A page that may keep a tag of its own perhaps gets none, and then the script is not needed.
fn preload(site: &Site, decisions: &Decisions<'_>, groups: &GroupSet) -> Option<ScriptPreload> {
    let sure = decisions.existing_tag.value == ExistingTag::Replace;
    let attribute = |key| {
        let (_, value) = decisions.tag.iter().find(|(known, _)| *known == key)?;
        Some(value.value)
    };
    (sure && decisions.preload.value).then(|| {
        ScriptPreload::of(&ScriptFetch {
            src: &site.script.url.fill(groups.primary(), site.env),
            crossorigin: attribute(TagKey::CrossOrigin),
            integrity: attribute(TagKey::Integrity),
            nonce: attribute(TagKey::Nonce),
        })
    })
}

fn script_tag(
    site: &Site,
    decisions: &Decisions<'_>,
    groups: &GroupSet,
) -> Result<ScriptTag, AttributeError> {
    let optional: Vec<_> = decisions
        .tag
        .iter()
        .map(|(key, value)| (*key, value.value))
        .collect();
    tag::render(&TagParts {
        src: &site.script.url.fill(groups.primary(), site.env),
        groups,
        env: site.env,
        custom_ui: decisions.ui.value == Ui::Custom,
        optional: &optional,
    })
}

fn streamed_masks(decisions: &Decisions<'_>) -> Vec<Mask> {
    let masks = decisions.masks.iter().filter_map(|mask| match mask.target {
        MaskTarget::ClientOnly(_) => None,
        MaskTarget::Streamed(selector) => Some(Mask {
            selector: selector.clone(),
            scope: mask.scope.clone(),
        }),
    });
    masks.collect()
}

impl Decisions<'_> {
    fn label(&self) -> Arc<str> {
        match self.winner {
            LevelName::Rule(name) => Arc::clone(name),
            LevelName::Defaults | LevelName::Site => SITE_LABEL.into(),
        }
    }
}

impl fmt::Display for Untagged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InjectOff => f.write_str("inject = false"),
            Self::NoGroup => f.write_str("no group is allowed here"),
            Self::Tag(error) => write!(f, "the tag cannot be written: {error}"),
            Self::TooManyGroups(count) => {
                write!(
                    f,
                    "{count} groups meet here, more than {MAX_GROUPS_PER_PAGE}"
                )
            }
            Self::TooManyMasks(count) => {
                write!(f, "{count} masks meet here, more than {MAX_MASKS_PER_PAGE}")
            }
        }
    }
}
