use std::net::IpAddr;

use http::header::{ACCEPT_ENCODING, CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue, VARY};
use http::{Response, StatusCode, response};
use hyper::ext::ReasonPhrase;

use super::exchange::{Edge, Subject};
use super::page::PageRoute;
use crate::html::{PageKind, Plan, PlanVersion};
use crate::inject::{self, Asked, PageBody, PagePolicies, Prospect, SkipReason, Verdict};
use crate::rules::{HostHeader, PageRule};
use crate::wire::csp::SelfOrigin;
use crate::wire::{
    self, Authority, Conditional, EdgeBody, EdgeRequest, Forwarding, Locations, MediaType, Scheme,
};

/// All that the heads of a page's exchange are made of.
pub(super) struct PageHead<'a> {
    pub(super) edge: &'a Edge,
    pub(super) route: &'a PageRoute,
    pub(super) request: &'a EdgeRequest,
    pub(super) peer: IpAddr,
    pub(super) subject: Option<&'a Subject>,
}

/// What the way down must know of the way up.
pub(super) struct Carried {
    conditional: Conditional,
    /// The visitor asked on a condition, and the origin was asked on none.
    conditions_dropped: bool,
    /// The page that the visitor asked about, as the visitor knows it.
    sole_tag: Option<HeaderValue>,
    /// How the visitor's browser asked, as far as trusted peers tell.
    visitor_scheme: Scheme,
}

/// The codings that the origin is asked for.
fn codings_wanted(asked: &Asked, plan: Option<&Plan>) -> Option<HeaderValue> {
    match plan.map(|plan| asked.prospect(plan)) {
        Some(Prospect::Page) => asked.accept.narrowed_for_rewriting(),
        Some(Prospect::Passed | Prospect::Unknown) | None => asked.accept.narrowed(),
    }
}

/// Stands in for the version of a plan where there is none: no page carries it.
const NO_VERSION: &str = "none";

impl PageHead<'_> {
    /// The request's head as the origin gets it.
    pub(super) fn to_origin(
        &self,
        headers: &mut HeaderMap,
        asked: &Asked,
        plan: Option<&Plan>,
    ) -> Carried {
        let forwarding = self.forwarding();
        let visitor_scheme = forwarding.visitor_scheme(headers);
        go_up(headers, self.request, &forwarding, self.edge);
        // Behind what the visitor's own Connection field took away.
        if let Some(Subject { header, subject }) = self.subject {
            headers.insert(header, subject.clone());
        }
        match self.route.site.host_header() {
            HostHeader::Preserve => set_host(headers, self.request.authority()),
            HostHeader::Origin => set_host(headers, &self.route.origin.1),
        }
        match codings_wanted(asked, plan) {
            Some(codings) => drop(headers.insert(ACCEPT_ENCODING, codings)),
            None => drop(headers.remove(ACCEPT_ENCODING)),
        }
        if plan.is_some_and(|plan| asked.prospect(plan) == Prospect::Page) {
            self.edge.markers.mark_request(headers);
        }
        // Last, so that nothing is confused with what the edge says either.
        wire::strip_confusable(headers);
        let was_conditional = wire::is_conditional(headers);
        let sole_tag = plan.filter(|_| was_conditional).and_then(|plan| {
            let version = plan.version();
            wire::sole_page_tag(headers, version.as_str())
        });
        let conditional = restore_validators(headers, asked, plan);
        Carried {
            conditions_dropped: was_conditional && conditional == Conditional::Unconditional,
            conditional,
            sole_tag,
            visitor_scheme,
        }
    }

    /// What the policies in the answer's head make of the verdict.
    pub(super) fn settle_policies(
        &self,
        verdict: Verdict,
        answer: &response::Parts,
        carried: &Carried,
        rule: &PageRule,
    ) -> (Verdict, Option<PagePolicies>) {
        let page = || self.self_origin(carried);
        inject::settle_policies(verdict, &answer.headers, &rule.csp, page)
    }

    /// The origin of the page, as the visitor's browser sees it.
    pub(super) fn self_origin(&self, carried: &Carried) -> SelfOrigin {
        SelfOrigin::new(carried.visitor_scheme, self.request.authority().clone())
    }

    /// The answer's head as the visitor gets it. `policies` are there wherever a page is.
    pub(super) fn to_visitor(
        &self,
        parts: &mut response::Parts,
        carried: &Carried,
        (asked, verdict, policies): (&Asked, &Verdict, Option<&PagePolicies>),
        rule: &PageRule,
    ) {
        let plan = rule.plan.as_deref();
        go_down(parts, self.edge);
        for (scheme, origin) in self.route.names() {
            let locations = Locations {
                origin: (*scheme, origin),
                visitor: (carried.visitor_scheme, self.request.authority()),
            };
            locations.rewrite(&mut parts.headers);
        }
        let headers = &mut parts.headers;
        let varies_by = asked.varies_by(verdict);
        match (verdict, plan) {
            (Verdict::Rewrite(codings) | Verdict::Describe(codings), Some(plan)) => {
                inject::describe_page(headers, codings, plan.version(), varies_by);
                if let Some(policies) = policies {
                    policies.write(headers);
                    announce(headers, policies, codings, rule);
                }
            }
            (Verdict::Pass(SkipReason::Empty), Some(plan)) => {
                inject::describe_validators(headers, plan.version(), varies_by);
            }
            _ if parts.status == StatusCode::NOT_MODIFIED => {
                if carried.describe_not_modified(headers, asked, plan) {
                    self.refresh_policies(headers, carried, rule);
                }
            }
            _ => inject::vary_by(headers, varies_by),
        }
        let markers = &self.edge.markers;
        markers.mark_response(headers, || verdict_in_words(verdict, rule));
    }

    /// The fields of a 304 take the place of those that the page was stored with: its policies
    /// must be grown like the first time. A page whose policies are not to be grown any more runs
    /// no tag.
    fn refresh_policies(&self, headers: &mut HeaderMap, carried: &Carried, rule: &PageRule) {
        let policies = PagePolicies::of(headers, &rule.csp, self.self_origin(carried));
        if let Ok(policies) = policies {
            policies.write_lines(headers);
        }
    }

    fn forwarding(&self) -> Forwarding<'_> {
        Forwarding {
            peer: self.peer,
            scheme: self.request.scheme(),
            authority: self.request.authority(),
            trusted: &self.edge.trusted_peers,
        }
    }
}

impl Carried {
    /// Whether an answer of 304 would make a page good again that is of other rules.
    pub(super) fn rules_out_not_modified(&self) -> bool {
        self.conditions_dropped
    }

    /// Returns whether it speaks of a page that carries our mark.
    fn describe_not_modified(
        &self,
        headers: &mut HeaderMap,
        asked: &Asked,
        plan: Option<&Plan>,
    ) -> bool {
        let version = plan.map(Plan::version);
        let version = version.as_ref().map_or(NO_VERSION, PlanVersion::as_str);
        let conditional = &self.conditional;
        let is_page = conditional.tag_not_modified(headers, version, self.sole_tag.as_ref());
        match (is_page, plan) {
            (true, _) => inject::describe_not_modified(headers, asked.expected.looked_at),
            // What is in store may be the part of a page. It keeps its own Vary where this one
            // has none.
            (false, Some(plan)) if headers.contains_key(VARY) && !is_known_type(headers) => {
                if let Some(reason) = asked.skip_reason(plan) {
                    inject::vary_by(headers, asked.varies_by(&Verdict::Pass(reason)));
                }
            }
            (false, _) => {}
        }
        is_page
    }
}

/// Whether a 304 says that it speaks of something else than HTML.
fn is_known_type(headers: &HeaderMap) -> bool {
    let html = |media: &MediaType| media.essence() == "text/html";
    headers.contains_key(CONTENT_TYPE) && MediaType::of(headers).is_none_or(|media| !html(&media))
}

/// What nobody said that it is a page may turn out to be none.
fn announce(headers: &mut HeaderMap, policies: &PagePolicies, body: &PageBody, rule: &PageRule) {
    if let (Some(preload), PageKind::Document) = (&rule.preload, body.kind) {
        policies.announce(preload, headers);
    }
}

/// Takes the request's conditions and ranges to what the origin knows (DESIGN D3).
fn restore_validators(headers: &mut HeaderMap, asked: &Asked, plan: Option<&Plan>) -> Conditional {
    if !asked.method.is_safe() {
        wire::restore_if_match(headers);
    }
    let Some(plan) = plan else {
        return wire::restore_foreign(headers, NO_VERSION);
    };
    let version = plan.version();
    let version = version.as_str();
    match asked.prospect(plan) {
        Prospect::Page if asked.method.is_safe() => {
            wire::drop_range(headers);
            wire::restore_up(headers, version)
        }
        Prospect::Unknown => wire::restore_foreign(headers, version),
        // A script must not be given the edited page that the browser has in store.
        Prospect::Page | Prospect::Passed => wire::restore_foreign(headers, NO_VERSION),
    }
}

/// The verdict, the rule, and the version of its plan, for whoever looks for a page that is not as
/// it should be.
fn verdict_in_words(verdict: &Verdict, rule: &PageRule) -> String {
    let verdict = match verdict {
        Verdict::Pass(reason) => format!("pass; reason={}", reason.as_str()),
        Verdict::Rewrite(_) | Verdict::Describe(_) => "rewrite".to_owned(),
    };
    let label = rule.label.replace(['"', '\\'], "'");
    let version = rule.plan.as_ref().map(|plan| plan.version().to_string());
    let version = version.map_or_else(String::new, |version| format!("; version={version}"));
    format!("{verdict}; rule=\"{label}\"{version}")
}

/// What every request loses and gains on its way up.
pub(super) fn go_up(
    headers: &mut HeaderMap,
    request: &EdgeRequest,
    forwarding: &Forwarding<'_>,
    edge: &Edge,
) {
    // Takes Expect out, too: the server answers it once the body is asked for.
    wire::strip_hop_by_hop(headers);
    edge.markers.drop_from(headers);
    wire::join_cookies(headers);
    forwarding.apply(headers);
    edge.via.append(headers, request.version());
    if let Some(upgrade) = request.upgrade() {
        upgrade.write(headers);
    }
}

/// What every answer loses and gains on its way down.
pub(super) fn go_down(parts: &mut response::Parts, edge: &Edge) {
    wire::strip_hop_by_hop(&mut parts.headers);
    // It names another way to the site, which would lead past the edge (RFC 7838 3).
    parts.headers.remove(ALT_SVC);
    edge.markers.drop_from(&mut parts.headers);
    edge.via.append(&mut parts.headers, parts.version);
}

const ALT_SVC: HeaderName = HeaderName::from_static("alt-svc");

/// The one Host that goes up. An authority that was parsed is always a field value.
pub(super) fn set_host(headers: &mut HeaderMap, authority: &Authority) {
    let authority = authority.as_str();
    if headers.get(HOST).is_some_and(|host| host == authority) {
        return;
    }
    if let Ok(host) = HeaderValue::from_str(authority) {
        headers.insert(HOST, host);
    }
}

/// The answer in the version of this hop: what framing the upstream used, and in which version it
/// spoke, ends here (a version of 1.0 passed on would let a broken body look complete). The words
/// behind the status stay, because clients of legacy sites read them.
pub(super) fn response(mut parts: response::Parts, body: EdgeBody) -> Response<EdgeBody> {
    let mut response = Response::new(body);
    if let Some(phrase) = parts.extensions.remove::<ReasonPhrase>() {
        response.extensions_mut().insert(phrase);
    }
    *response.status_mut() = parts.status;
    *response.headers_mut() = parts.headers;
    response
}

#[cfg(test)]
mod tests;
