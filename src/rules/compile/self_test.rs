use std::collections::BTreeSet;
use std::sync::Arc;

use crate::document::{Reports, Stated};
use crate::groups::{GroupId, GroupSet};
use crate::rules::host::HostPattern;
use crate::rules::page_rule::PageRule;
use crate::rules::rule_set::RuleSet;
use crate::rules::site::Site;
use crate::rules::tables::{Expectation, TestTable, TestUrl};

use super::overrides::Overrides;

/// Runs the `[[test]]` blocks. They speak of the hosts and groups that the rules speak of, so they hold
/// in every environment.
pub(super) fn run(rules: &RuleSet, tests: &[TestTable], overrides: &Overrides, reports: &Reports) {
    for test in tests {
        let Some(url) = &test.url else { continue };
        let host = overrides
            .host(HostPattern::Exact(url.value.host.as_str().into()))
            .to_string();
        let Some(site) = rules.site(&host) else {
            let message = format!("no site answers for the host \"{host}\"");
            reports.error(&url.at, message, "write a host of one of the sites");
            continue;
        };
        check(site, &url.value, &test.expectations, overrides, reports);
    }
}

fn check(
    site: &Arc<Site>,
    url: &TestUrl,
    expectations: &[Stated<Expectation>],
    overrides: &Overrides,
    reports: &Reports,
) {
    let outcome = Outcome {
        site,
        rule: site.resolve(&url.path),
    };
    for expected in expectations {
        if let Err(came_out) = outcome.compare(&expected.value, overrides) {
            let message = format!("the test for {}{} fails: {came_out}", url.host, url.path);
            reports.error(
                &expected.at,
                message,
                "mend the rules, or what the test expects",
            );
        }
    }
}

/// What came out for one URL.
struct Outcome<'a> {
    site: &'a Site,
    rule: Arc<PageRule>,
}

impl Outcome<'_> {
    /// An error says what came out instead.
    fn compare(&self, expected: &Expectation, overrides: &Overrides) -> Result<(), String> {
        match expected {
            Expectation::AdditionalGroups(groups) => {
                let groups: BTreeSet<_> =
                    groups.iter().map(|group| overrides.group(*group)).collect();
                let came_out: BTreeSet<GroupId> = self
                    .rule
                    .groups
                    .iter()
                    .flat_map(GroupSet::additional)
                    .collect();
                ensure(came_out == groups, || {
                    format!("additional_groups came out as {}", self.list(&came_out))
                })
            }
            Expectation::Group(group) => {
                let came_out = self.rule.groups.as_ref().map(GroupSet::primary);
                ensure(
                    came_out == Some(overrides.group(*group)),
                    || match came_out {
                        Some(group) => format!("group came out as {group}"),
                        None => format!("there is no group{}", self.because()),
                    },
                )
            }
            Expectation::Inject(inject) => ensure(self.rule.plan.is_some() == *inject, || {
                format!("inject came out as {}{}", !inject, self.because())
            }),
            Expectation::Masks(masks) => {
                let came_out = self.masks();
                let masks: BTreeSet<&str> = masks.iter().map(|mask| mask.trim()).collect();
                ensure(came_out == masks, || {
                    format!(
                        "the masks came out as {}{}",
                        quoted(&came_out),
                        self.because()
                    )
                })
            }
            Expectation::MasksExclude(mask) => ensure(!self.masks().contains(mask.trim()), || {
                format!("the mask \"{mask}\" is on the page")
            }),
            Expectation::MasksInclude(mask) => ensure(self.masks().contains(mask.trim()), || {
                format!(
                    "the mask \"{mask}\" is not among {}{}",
                    quoted(&self.masks()),
                    self.because()
                )
            }),
            Expectation::Rule(rule) => ensure(**rule == *self.rule.label, || {
                format!("rule came out as \"{}\"", self.rule.label)
            }),
            Expectation::Site(site) => {
                let site = HostPattern::parse(site).map(|site| overrides.host(site).to_string());
                ensure(site.is_ok_and(|site| site == *self.site.name), || {
                    format!("site came out as \"{}\"", self.site.name)
                })
            }
        }
    }

    /// The masks of the page, whoever applies them; none if it gets no tag.
    fn masks(&self) -> BTreeSet<&str> {
        let Some(plan) = &self.rule.plan else {
            return BTreeSet::new();
        };
        let streamed = plan.masks().iter().map(|mask| mask.selector.as_str());
        let client = self.rule.client_masks.iter().map(|mask| &*mask.selector);
        streamed.chain(client).collect()
    }

    fn because(&self) -> String {
        let reason = self.rule.untagged.as_ref();
        reason
            .map(|reason| format!(" ({reason})"))
            .unwrap_or_default()
    }

    fn list(&self, groups: &BTreeSet<GroupId>) -> String {
        let groups: Vec<_> = groups.iter().map(GroupId::to_string).collect();
        format!("[{}]{}", groups.join(", "), self.because())
    }
}

fn ensure(holds: bool, otherwise: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(otherwise()) }
}

fn quoted(masks: &BTreeSet<&str>) -> String {
    let masks: Vec<_> = masks.iter().map(|mask| format!("\"{mask}\"")).collect();
    format!("[{}]", masks.join(", "))
}
