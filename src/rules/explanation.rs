use std::fmt;

use crate::document::At;
use crate::groups::GroupId;
use crate::html::{ExistingTag, Frames, MaskScope, Placement, Transform};

use super::decisions::{Decided, DecidedMask, Decisions, MaskSource, Matched};
use super::level::Ui;
use super::page_rule::PageRule;
use super::script::ScriptKind;
use super::site::{Readings, Site};

/// Why a page is treated as it is: every level that matched, who decided each setting, where each mask
/// comes from, and the tag. Its `Display` is for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    pub site: String,
    pub path: String,
    /// The most specific first.
    pub levels: Vec<ExplainedLevel>,
    pub settings: Vec<ExplainedSetting>,
    pub masks: Vec<ExplainedMask>,
    /// A group's masks hold in sessions of all groups here, because the vendor's script knows no
    /// others.
    pub group_masks_for_all: bool,
    /// What the script needs of the page's policies: a directive, and what it must allow.
    pub needs: Vec<(String, String)>,
    /// What a grant of the page names, where grants are on.
    pub grant: Option<ExplainedGrant>,
    /// The tag as it is written but for its grant, or why there is none.
    pub tag: Result<String, String>,
}

/// A place in the rule files that applies to the path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExplainedLevel {
    /// `rule "mortgage desk"`, `site`, `defaults`.
    pub name: String,
    /// Which of the rule's paths matched.
    pub pattern: Option<String>,
    /// `file:line`
    pub place: String,
    /// It matches only when `;` parameters are taken off the path.
    pub without_parameters: bool,
}

/// What holds, and who said so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExplainedSetting {
    pub name: String,
    pub value: String,
    /// The level and its `file:line`; none: nobody said anything, this is what holds then.
    pub by: Option<(String, String)>,
}

/// What the page's grant says beside host and expiry. The grant itself is for the page alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExplainedGrant {
    pub rule: String,
    /// The primary one first.
    pub groups: Vec<GroupId>,
    pub mask_revision: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExplainedMask {
    pub selector: String,
    /// For whom, and by whom it is applied.
    pub scope: String,
    /// Everybody who asked for it, each with `file:line`.
    pub by: Vec<(String, String)>,
}

impl Explanation {
    pub(super) fn of(
        site: &Site,
        path: &str,
        readings: &Readings,
        decisions: &Decisions<'_>,
    ) -> Self {
        let rule = PageRule::compile(site, decisions);
        Self {
            site: site.name().to_string(),
            path: path.to_owned(),
            levels: levels(site, readings),
            settings: settings(site, decisions),
            masks: decisions
                .masks
                .iter()
                .map(|mask| explain_mask(site, mask))
                .collect(),
            group_masks_for_all: site.script.kind == ScriptKind::Glance
                && decisions.masks.iter().any(DecidedMask::is_of_group),
            needs: needs(&rule),
            grant: ExplainedGrant::of(&rule),
            tag: match (rule.plan, rule.untagged) {
                (Some(plan), _) => Ok(plan.tag().as_str().to_owned()),
                (None, reason) => Err(reason.map(|reason| reason.to_string()).unwrap_or_default()),
            },
        }
    }
}

fn needs(rule: &PageRule) -> Vec<(String, String)> {
    let lists = rule.csp.needs.by_directive().map(|(directive, sources)| {
        let sources: Vec<_> = sources.iter().map(ToString::to_string).collect();
        (directive.to_owned(), sources.join(" "))
    });
    lists.collect()
}

impl ExplainedGrant {
    fn of(rule: &PageRule) -> Option<Self> {
        let groups = rule.groups.as_ref()?;
        Some(Self {
            rule: rule.label.to_string(),
            groups: groups.iter().collect(),
            mask_revision: rule.mask_revision(),
        })
    }
}

impl fmt::Display for ExplainedGrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let groups: Vec<_> = self.groups.iter().map(ToString::to_string).collect();
        let Self {
            rule,
            mask_revision,
            ..
        } = self;
        write!(
            f,
            "groups {}; rule {rule}; mask revision {mask_revision:016x}",
            groups.join(", ")
        )
    }
}

fn levels(site: &Site, readings: &Readings) -> Vec<ExplainedLevel> {
    let rule = |matched: &Matched, without_parameters| {
        let rule = &site.rules[matched.rule as usize];
        let pattern = rule.patterns.get(matched.pattern as usize)?;
        Some(ExplainedLevel {
            name: rule.level.name.to_string(),
            pattern: Some(pattern.value.to_string()),
            place: pattern.at.to_string(),
            without_parameters,
        })
    };
    let plain = readings
        .plain
        .iter()
        .filter_map(|matched| rule(matched, false));
    let stripped = readings.stripped.iter().flatten();
    let stripped = stripped.filter(|matched| !readings.plain.contains(matched));
    let stripped = stripped.filter_map(|matched| rule(matched, true));
    let defaults = Some(&*site.defaults).filter(|defaults| !defaults.is_silent());
    let broad = std::iter::once(&site.level)
        .chain(defaults)
        .map(|level| ExplainedLevel {
            name: level.name.to_string(),
            pattern: None,
            place: level.at.to_string(),
            without_parameters: false,
        });
    plain.chain(stripped).chain(broad).collect()
}

fn settings(site: &Site, decisions: &Decisions<'_>) -> Vec<ExplainedSetting> {
    let group = |group: &GroupId| site.groups.describe(*group);
    let mut all = vec![explain("inject", &decisions.inject, |inject| {
        inject.to_string()
    })];
    all.extend(
        decisions
            .group
            .as_ref()
            .map(|decided| explain("group", decided, group)),
    );
    for additional in &decisions.additional_groups {
        all.push(explain("additional group", additional, group));
    }
    all.push(explain(
        "placement",
        &decisions.placement,
        |placement| match placement {
            Placement::End => "end".to_owned(),
            Placement::Head => "head".to_owned(),
        },
    ));
    all.push(explain(
        "existing_tag",
        &decisions.existing_tag,
        |existing| match existing {
            ExistingTag::Keep => "keep".to_owned(),
            ExistingTag::Replace => "replace".to_owned(),
        },
    ));
    all.extend(page_wishes(decisions));
    all.push(explain("preload", &decisions.preload, bool::to_string));
    all.push(explain("ui", &decisions.ui, |ui| match ui {
        Ui::Custom => "custom".to_owned(),
        Ui::Default => "default".to_owned(),
    }));
    all.extend(origins(site));
    let csp = site.csp.as_ref();
    all.push(ExplainedSetting {
        name: "csp".to_owned(),
        value: csp
            .map(|csp| csp.value)
            .unwrap_or_default()
            .as_str()
            .to_owned(),
        by: csp.map(|csp| (site.level.name.to_string(), csp.at.to_string())),
    });
    for (key, value) in &decisions.tag {
        let name = format!("tag.{}", key.as_str());
        all.push(explain(&name, value, |value| match *value {
            "" => "true".to_owned(),
            text => text.to_owned(),
        }));
    }
    all
}

/// Where there are several.
fn origins(site: &Site) -> Option<ExplainedSetting> {
    let settings = site.origin();
    let addresses: Vec<_> = settings.addresses.iter().map(ToString::to_string).collect();
    let balance = settings.balance.as_ref();
    let balance = balance.map_or_else(|| "least-requests".to_owned(), ToString::to_string);
    (addresses.len() > 1).then(|| ExplainedSetting {
        name: "origins".to_owned(),
        value: format!("{} ({balance})", addresses.join(", ")),
        by: Some((site.level.name.to_string(), site.level.at.to_string())),
    })
}

/// What is seldom said is only shown where somebody said it.
fn page_wishes(decisions: &Decisions<'_>) -> impl Iterator<Item = ExplainedSetting> {
    let merge = explain("merge_existing", &decisions.merge_existing, bool::to_string);
    let frames = explain("frames", &decisions.frames, |frames| match frames {
        Frames::Skip => "skip".to_owned(),
        Frames::Tag => "tag".to_owned(),
    });
    let transform = explain(
        "transform",
        &decisions.transform,
        |transform| match transform {
            Transform::Always => "always".to_owned(),
            Transform::UnlessForbidden => "unless-forbidden".to_owned(),
        },
    );
    let all = [merge, frames, transform].into_iter();
    all.filter(|setting| setting.by.is_some())
}

fn explain<T>(
    name: &str,
    decided: &Decided<'_, T>,
    show: impl Fn(&T) -> String,
) -> ExplainedSetting {
    ExplainedSetting {
        name: name.to_owned(),
        value: show(&decided.value),
        by: decided
            .by
            .map(|(level, at)| (level.to_string(), at.to_string())),
    }
}

fn explain_mask(site: &Site, mask: &DecidedMask<'_>) -> ExplainedMask {
    let whom = match &mask.scope {
        MaskScope::Everyone => "all sessions".to_owned(),
        MaskScope::Groups(groups) => {
            let groups: Vec<_> = groups.iter().map(u32::to_string).collect();
            format!("sessions of {}", groups.join(", "))
        }
    };
    let scope = match mask.target.is_client_only() {
        true => format!("{whom}, by the visitor script only"),
        false => whom,
    };
    ExplainedMask {
        selector: mask.target.selector().to_owned(),
        scope,
        by: mask
            .by
            .iter()
            .map(|(source, at)| explain_source(site, source, at))
            .collect(),
    }
}

fn explain_source(site: &Site, source: &MaskSource<'_>, at: &At) -> (String, String) {
    let name = match source {
        MaskSource::Level(level) => level.to_string(),
        MaskSource::Group(group) => format!("group {}", site.groups.describe(*group)),
    };
    (name, at.to_string())
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}{}", self.site, self.path)?;
        writeln!(f, "\nwhat applies, the most specific first")?;
        write_columns(f, self.levels.iter().map(ExplainedLevel::columns))?;
        writeln!(f, "\nwhat was decided")?;
        write_columns(f, self.settings.iter().map(ExplainedSetting::columns))?;
        match &self.tag {
            Ok(tag) => {
                self.write_masks(f)?;
                writeln!(f, "\nwhat content security policies must allow")?;
                let needs = self.needs.iter();
                write_columns(
                    f,
                    needs.map(|(directive, sources)| {
                        [
                            directive.clone(),
                            sources.clone(),
                            String::new(),
                            String::new(),
                        ]
                    }),
                )?;
                if let Some(grant) = &self.grant {
                    writeln!(f, "\ngrant, where grants are on\n  {grant}")?;
                }
                writeln!(f, "\ntag\n  {tag}")
            }
            Err(reason) => writeln!(f, "\nnothing is written into this page: {reason}"),
        }
    }
}

impl Explanation {
    fn write_masks(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\nmasks")?;
        if self.masks.is_empty() {
            writeln!(f, "  none")?;
        }
        write_columns(f, self.masks.iter().flat_map(ExplainedMask::columns))?;
        if self.group_masks_for_all {
            writeln!(
                f,
                "  (a group's masks hold in all sessions: the vendor's script knows no others)"
            )?;
        }
        Ok(())
    }
}

impl ExplainedLevel {
    fn columns(&self) -> [String; 4] {
        let pattern = self.pattern.clone().unwrap_or_default();
        let note = if self.without_parameters {
            "without `;` parameters"
        } else {
            ""
        };
        [
            self.name.clone(),
            pattern,
            self.place.clone(),
            note.to_owned(),
        ]
    }
}

impl ExplainedSetting {
    fn columns(&self) -> [String; 4] {
        let (level, place) = self
            .by
            .clone()
            .unwrap_or_else(|| ("by default".to_owned(), String::new()));
        [self.name.clone(), self.value.clone(), level, place]
    }
}

impl ExplainedMask {
    /// One row for each who asked for it.
    fn columns(&self) -> Vec<[String; 4]> {
        let rows = self.by.iter().enumerate().map(|(row, (level, place))| {
            let once = |text: &String| {
                if row == 0 {
                    text.clone()
                } else {
                    String::new()
                }
            };
            [
                once(&self.selector),
                once(&self.scope),
                level.clone(),
                place.clone(),
            ]
        });
        rows.collect()
    }
}

/// Rows with their columns under one another.
fn write_columns(
    f: &mut fmt::Formatter<'_>,
    rows: impl Iterator<Item = [String; 4]>,
) -> fmt::Result {
    let rows: Vec<_> = rows.collect();
    let width = |column: usize| {
        rows.iter()
            .map(|row| row[column].chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths = [width(0), width(1), width(2)];
    for [one, two, three, four] in &rows {
        let [first, second, third] = widths;
        let line = format!("  {one:first$}  {two:second$}  {three:third$}  {four}");
        writeln!(f, "{}", line.trim_end())?;
    }
    Ok(())
}
