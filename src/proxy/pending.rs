use std::sync::Arc;

use http::{HeaderMap, response};

use super::error::ProxyError;
use super::heads::{Carried, PageHead};
use super::page::check_path;
use crate::html::Plan;
use crate::inject::{self, Asked, PagePolicies, SkipReason, Verdict};
use crate::rules::{PageRule, Untagged};

/// A page that is asked for: all that is known of it before its answer comes.
pub(super) struct Pending<'a> {
    pub(super) head: PageHead<'a>,
    pub(super) rule: Arc<PageRule>,
    /// Or why the page has none.
    pub(super) plan: Result<Arc<Plan>, SkipReason>,
    pub(super) asked: Asked,
    pub(super) carried: Carried,
}

impl<'a> Pending<'a> {
    /// Makes the visitor's head the one that the origin gets.
    pub(super) fn new(
        head: PageHead<'a>,
        rule: Arc<PageRule>,
        headers: &mut HeaderMap,
    ) -> Result<Self, ProxyError> {
        check_path(&head.route.site, head.request.path())?;
        let plan = plan_of(&rule);
        let asked = Asked::of(head.request.method().clone(), headers);
        let carried = head.to_origin(headers, &asked, plan.as_deref().ok());
        Ok(Self {
            head,
            rule,
            plan,
            asked,
            carried,
        })
    }

    /// What the answer is, and what its policies make of that.
    pub(super) fn judge(&self, answer: &response::Parts) -> (Verdict, Option<PagePolicies>) {
        let plan = self.plan.as_deref().map_err(|reason| *reason);
        let verdict = inject::judge(&self.asked, answer, plan);
        self.head
            .settle_policies(verdict, answer, &self.carried, &self.rule)
    }

    /// The answer's head as the visitor gets it.
    pub(super) fn to_visitor(
        &self,
        answer: &mut response::Parts,
        verdict: &Verdict,
        policies: Option<&PagePolicies>,
    ) {
        let judged = (&self.asked, verdict, policies);
        self.head
            .to_visitor(answer, &self.carried, judged, &self.rule);
    }
}

fn plan_of(rule: &PageRule) -> Result<Arc<Plan>, SkipReason> {
    rule.plan.clone().ok_or(match rule.untagged {
        None | Some(Untagged::InjectOff) => SkipReason::InjectOff,
        Some(Untagged::NoGroup) => SkipReason::PathAmbiguous,
        Some(Untagged::Tag(_) | Untagged::TooManyGroups(_) | Untagged::TooManyMasks(_)) => {
            SkipReason::RuleLimits
        }
    })
}
