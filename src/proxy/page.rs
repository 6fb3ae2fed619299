use std::sync::Arc;
use std::time::SystemTime;

use http::{Response, StatusCode};
use http_body_util::BodyExt;

use super::call::Outgoing;
use super::error::ProxyError;
use super::exchange::{Edge, Exchange};
use super::grants::Grants;
use super::heads::{self, PageHead};
use super::notes::Notes;
use super::pending::Pending;
use super::switch;
use crate::html::Plan;
use crate::inject::{Coverage, PageEnd, RewriteBody, SkipReason, Verdict};
use crate::rules::{PageRule, PathCase, Site};
use crate::upstream::{Origins, UpstreamBody};
use crate::wire::{
    Authority, CanonicalPath, EdgeBody, EdgeRequest, Refusal, Scheme, WithoutTrailers, read_ahead,
};

/// A site, and how its origin is reached.
#[derive(Clone, Debug)]
pub struct PageRoute {
    pub site: Arc<Site>,
    pub origins: Origins,
    /// What the origin calls itself.
    pub origin: (Scheme, Authority),
    /// What the others do, where there are several.
    pub other_origins: Vec<(Scheme, Authority)>,
    /// Signs what each page allows; `None`: tags carry no grant.
    pub grants: Option<Arc<Grants>>,
}

/// Takes a request to its site's origin, and the answer back: edited if it is a page.
pub async fn page(
    edge: &Edge,
    route: &PageRoute,
    exchange: Exchange,
) -> Result<Response<EdgeBody>, ProxyError> {
    let Exchange {
        request,
        mut headers,
        body,
        visitor,
        subject,
        switchable,
        notes,
    } = exchange;
    let rule = route.rule(&request, SystemTime::now());
    note_rule(&notes, &route.site, &rule);
    let head = PageHead {
        edge,
        route,
        request: &request,
        peer: visitor.peer.ip(),
        subject: subject.as_ref(),
    };
    let pending = Pending::new(head, rule, &mut headers)?;

    let outgoing = Outgoing {
        method: request.method(),
        target: request.path_and_query(),
        headers,
        body,
        visitor,
    };
    let answer = outgoing.call(&route.origins, edge, &notes).await?;

    if answer.status() == StatusCode::SWITCHING_PROTOCOLS {
        let answer = switch::open(edge, request.upgrade(), switchable, answer)?;
        notes.write(|seen| seen.verdict = Some("tunnel"));
        return Ok(answer);
    }
    if answer.status() == StatusCode::NOT_MODIFIED && pending.carried.rules_out_not_modified() {
        return Err(ProxyError::UnaskedNotModified);
    }
    let (mut parts, body) = answer.into_parts();
    let (verdict, policies) = pending.judge(&parts);
    pending.to_visitor(&mut parts, &verdict, policies.as_ref());
    let journey = Journey {
        edge,
        site: &route.site,
        rule: &pending.rule,
        notes,
    };
    let body = match (verdict, pending.plan) {
        (Verdict::Rewrite(codings), Ok(plan)) => {
            let on_end = journey.coverage(&plan);
            let rewritten = RewriteBody::new(body, plan, codings, edge.levels, on_end);
            let rewritten = match policies {
                Some(policies) => rewritten.with_policies(Box::new(policies)),
                None => rewritten,
            };
            read_ahead(rewritten).await.boxed_unsync()
        }
        (verdict, _) => journey.pass(verdict, body),
    };
    Ok(heads::response(parts, body))
}

impl PageRoute {
    /// What its origins call themselves.
    pub(super) fn names(&self) -> impl Iterator<Item = &(Scheme, Authority)> {
        std::iter::once(&self.origin).chain(&self.other_origins)
    }

    /// What applies to the page, with its grant.
    pub(super) fn rule(&self, request: &EdgeRequest, now: SystemTime) -> Arc<PageRule> {
        let rule = self.site.resolve(request.path().as_str());
        match &self.grants {
            Some(grants) => grants.granted(rule, request.host(), now),
            None => rule,
        }
    }
}

/// A site whose paths know no case runs on Windows, as far as anyone can tell.
pub(super) fn check_path(site: &Site, path: &CanonicalPath) -> Result<(), ProxyError> {
    let checked = match site.path_case() {
        PathCase::Insensitive => path.check_windows_names(),
        PathCase::Sensitive => Ok(()),
    };
    checked.map_err(|refusal| ProxyError::Refused(Refusal::Path(refusal)))
}

fn note_rule(notes: &Notes, site: &Site, rule: &PageRule) {
    notes.write(|seen| {
        seen.site = Some(Arc::clone(site.name()));
        seen.rule = Some(Arc::clone(&rule.label));
    });
}

/// The last leg: what is counted and noted while the body goes down.
struct Journey<'a> {
    edge: &'a Edge,
    site: &'a Arc<Site>,
    rule: &'a Arc<PageRule>,
    notes: Notes,
}

impl Journey<'_> {
    fn coverage(&self, plan: &Arc<Plan>) -> impl FnOnce(PageEnd) + Send + 'static {
        let coverage = Coverage {
            metrics: Arc::clone(&self.edge.metrics),
            site: Arc::clone(self.site.name()),
            rule: Arc::clone(&self.rule.label),
            plan: Arc::clone(plan),
        };
        let notes = self.notes.clone();
        move |end| {
            let untagged = coverage.record(&end);
            notes.write(|seen| {
                seen.verdict = Some(if untagged.is_none() {
                    "rewritten"
                } else {
                    "untagged"
                });
                seen.reason = untagged;
            });
        }
    }

    fn pass(&self, verdict: Verdict, body: UpstreamBody) -> EdgeBody {
        let reason = match verdict {
            Verdict::Pass(reason) => reason,
            Verdict::Rewrite(_) | Verdict::Describe(_) => SkipReason::BodyAbsent,
        };
        self.edge
            .metrics
            .page_passed(Arc::clone(self.site.name()), reason.as_str());
        self.notes.write(|seen| {
            seen.verdict = Some("passed");
            seen.reason = Some(reason.as_str());
        });
        WithoutTrailers(body).map_err(Into::into).boxed_unsync()
    }
}
