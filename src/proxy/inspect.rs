use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use http::header::{
    CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY_REPORT_ONLY, CONTENT_TYPE, HeaderMap,
    HeaderName, LOCATION,
};
use http::{StatusCode, response};
use http_body_util::BodyExt;

use super::call::Outgoing;
use super::error::ProxyError;
use super::exchange::{Edge, Exchange};
use super::heads::PageHead;
use super::page::PageRoute;
use super::pending::Pending;
use crate::html::{PageOutcome, Plan};
use crate::inject::{
    PageBody, PageEnd, PagePolicies, PolicyWatch, RewriteBody, SeenPolicies, SkipReason, Verdict,
};
use crate::upstream::UpstreamBody;
use crate::wire::EmbedderPolicy;
use crate::wire::csp::{self, Delivery, Obstacle, Tag};

/// What becomes of one page, found out by fetching it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspection {
    pub status: StatusCode,
    /// As the origin says it.
    pub media_type: Option<String>,
    /// Where a redirect leads, as the visitor gets it.
    pub location: Option<String>,
    pub policies: Vec<InspectedPolicy>,
    /// Whether the tag runs.
    pub fate: Result<(), WhyNot>,
}

/// A content security policy of the page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InspectedPolicy {
    pub place: PolicyPlace,
    pub before: String,
    /// As the visitor gets it; `None`: as it was.
    pub after: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PolicyPlace {
    Head,
    /// In the head, and only reporting: it keeps nothing from running.
    ReportOnly,
    Meta,
}

/// Why the tag does not run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WhyNot {
    /// The origin's answer broke off, or its coding did.
    BrokenOff,
    /// The page demands of scripts of other origins that their servers allow it, and the tag does not
    /// ask for that.
    Embedder,
    /// The answer is left alone.
    Passed(SkipReason),
    /// A policy keeps it from running.
    Policy(Obstacle),
    /// There is no tag on the page.
    Untagged(PageOutcome),
}

/// Fetches a page as a visitor would, takes it through the decisions of [`page`](super::page), and
/// tells what comes of it. The page itself is thrown away.
pub async fn inspect(
    edge: &Edge,
    route: &PageRoute,
    exchange: Exchange,
) -> Result<Inspection, ProxyError> {
    let Exchange {
        request,
        mut headers,
        body,
        visitor,
        subject,
        notes,
        ..
    } = exchange;
    let rule = route.rule(&request, SystemTime::now());
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
    let (parts, body) = answer.into_parts();
    let (verdict, policies) = pending.judge(&parts);
    Ok(match (verdict, policies, &pending.plan) {
        (Verdict::Rewrite(page), Some(policies), Ok(plan)) => {
            let plan = Arc::clone(plan);
            let settled = (page, policies);
            pending.look_at_page(parts, settled, body, plan).await
        }
        (verdict, ..) => pending.look_at_passed(parts, verdict),
    })
}

impl Pending<'_> {
    fn look_at_passed(&self, mut parts: response::Parts, verdict: Verdict) -> Inspection {
        let reason = match verdict {
            Verdict::Pass(reason) => reason,
            Verdict::Rewrite(_) | Verdict::Describe(_) => SkipReason::BodyAbsent,
        };
        let origin = self.head.self_origin(&self.carried);
        let refused = PagePolicies::of(&parts.headers, &self.rule.csp, origin).err();
        let why = match (reason, refused) {
            (SkipReason::Csp, Some(obstacle)) => WhyNot::Policy(obstacle),
            _ => WhyNot::Passed(reason),
        };
        let before = parts.headers.clone();
        self.to_visitor(&mut parts, &verdict, None);
        inspection(&before, &parts, Vec::new(), Err(why))
    }

    async fn look_at_page(
        &self,
        mut parts: response::Parts,
        (page, policies): (PageBody, PagePolicies),
        body: UpstreamBody,
        plan: Arc<Plan>,
    ) -> Inspection {
        let before = parts.headers.clone();
        let verdict = Verdict::Rewrite(page);
        self.to_visitor(&mut parts, &verdict, Some(&policies));
        let left = policies.obstacle_left().cloned();
        let is_embeddable = self.is_embeddable(&parts.headers, &plan);
        let rewritten =
            |on_end: OnEnd| RewriteBody::new(body, plan, page, self.head.edge.levels, on_end);
        let (end, seen) = read_to_end(rewritten, policies).await;
        let fate = match (left, end) {
            (_, None | Some(PageEnd::Broken | PageEnd::Abandoned)) => Err(WhyNot::BrokenOff),
            (left, Some(PageEnd::Finished(report))) => match report.outcome {
                PageOutcome::Tagged => match left {
                    Some(obstacle) => Err(WhyNot::Policy(obstacle)),
                    None if !is_embeddable => Err(WhyNot::Embedder),
                    None => self.runs(&parts.headers, &seen).map_err(WhyNot::Policy),
                },
                PageOutcome::Refused | PageOutcome::RefusedLate => Err(first_refusal(&seen)),
                outcome => Err(WhyNot::Untagged(outcome)),
            },
        };
        let metas = seen.metas.into_iter().map(|meta| InspectedPolicy {
            place: PolicyPlace::Meta,
            before: meta.before,
            after: meta.after.ok().flatten(),
        });
        inspection(&before, &parts, metas.collect(), fate)
    }

    /// Whether the page's embedder policy lets the script be fetched. What the script's server says of
    /// it is not known here.
    fn is_embeddable(&self, headers: &HeaderMap, plan: &Plan) -> bool {
        let attribute = |name| plan.tag().attribute(name);
        EmbedderPolicy::of(headers) != EmbedderPolicy::RequireCorp
            || attribute("crossorigin").is_some()
            || attribute("src").is_none_or(|src| self.head.self_origin(&self.carried).has(src))
    }

    /// Whether the policies that the visitor gets let the tag run: a second look, at what comes
    /// of the first.
    fn runs(&self, headers: &HeaderMap, seen: &SeenPolicies) -> Result<(), Obstacle> {
        let tag = Tag {
            needs: &self.rule.csp.needs,
            page: &self.head.self_origin(&self.carried),
            nonce: seen.nonce.as_deref(),
        };
        let lines = headers.get_all(CONTENT_SECURITY_POLICY).iter();
        let lines = lines.map(|line| (line.as_bytes(), Delivery::Header));
        let metas = seen.metas.iter().map(|meta| {
            let delivered = meta.after.as_ref().ok().and_then(Option::as_ref);
            (delivered.unwrap_or(&meta.before).as_bytes(), Delivery::Meta)
        });
        match csp::will_run(lines.chain(metas), &tag) {
            csp::Verdict::Runs => Ok(()),
            csp::Verdict::Blocked(obstacle) => Err(obstacle),
        }
    }
}

type OnEnd = Box<dyn FnOnce(PageEnd) + Send>;

async fn read_to_end(
    rewritten: impl FnOnce(OnEnd) -> RewriteBody<UpstreamBody>,
    policies: PagePolicies,
) -> (Option<PageEnd>, SeenPolicies) {
    let watch = PolicyWatch::default();
    let end = Arc::new(Mutex::new(None));
    let told = Arc::clone(&end);
    let on_end = move |end| *told.lock().unwrap_or_else(PoisonError::into_inner) = Some(end);
    let rewritten = rewritten(Box::new(on_end));
    let mut rewritten = rewritten.with_policies(Box::new(policies.watched(&watch)));
    while let Some(Ok(_)) = rewritten.frame().await {}
    drop(rewritten);
    let end = end.lock().unwrap_or_else(PoisonError::into_inner).take();
    (end, watch.seen())
}

fn first_refusal(seen: &SeenPolicies) -> WhyNot {
    let mut metas = seen.metas.iter();
    let obstacle = metas.find_map(|meta| meta.after.as_ref().err());
    // What was not even shown to anybody could not be read.
    WhyNot::Policy(obstacle.cloned().unwrap_or(Obstacle::Unreadable))
}

fn inspection(
    before: &HeaderMap,
    parts: &response::Parts,
    metas: Vec<InspectedPolicy>,
    fate: Result<(), WhyNot>,
) -> Inspection {
    let text = |name: HeaderName| {
        let value = parts.headers.get(name)?;
        Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
    };
    let mut policies = Vec::new();
    for (name, place) in [
        (CONTENT_SECURITY_POLICY, PolicyPlace::Head),
        (CONTENT_SECURITY_POLICY_REPORT_ONLY, PolicyPlace::ReportOnly),
    ] {
        let lines = before
            .get_all(&name)
            .iter()
            .zip(parts.headers.get_all(&name));
        policies.extend(lines.map(|(before, after)| {
            let shown =
                |line: &http::HeaderValue| String::from_utf8_lossy(line.as_bytes()).into_owned();
            InspectedPolicy {
                place,
                before: shown(before),
                after: (before != after).then(|| shown(after)),
            }
        }));
    }
    policies.extend(metas);
    Inspection {
        status: parts.status,
        media_type: text(CONTENT_TYPE),
        location: text(LOCATION),
        policies,
        fate,
    }
}

impl fmt::Display for WhyNot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BrokenOff => f.write_str("the origin's answer broke off"),
            Self::Embedder => f.write_str(
                "the page says Cross-Origin-Embedder-Policy: require-corp, and the script is another \
                 origin's: set crossorigin = \"anonymous\" on the tag (its server must answer with \
                 CORS), or have its server send Cross-Origin-Resource-Policy: cross-origin, which \
                 cannot be seen from here",
            ),
            Self::Passed(reason) => f.write_str(in_words(*reason)),
            Self::Policy(obstacle) => write!(f, "of a content security policy: {obstacle}"),
            Self::Untagged(outcome) => match outcome {
                PageOutcome::Tagged => f.write_str("it was tagged"),
                PageOutcome::Kept | PageOutcome::KeptUnmasked(_) => {
                    f.write_str("the page keeps the tag that it comes with")
                }
                PageOutcome::Empty => f.write_str("the page is empty"),
                PageOutcome::Refused | PageOutcome::RefusedLate => {
                    f.write_str("a policy of the page forbids it")
                }
                PageOutcome::Untagged(stop) => write!(f, "{stop}"),
            },
        }
    }
}

fn in_words(reason: SkipReason) -> &'static str {
    match reason {
        SkipReason::Attachment => "the answer is a download",
        SkipReason::BodyAbsent => "the answer has no body",
        SkipReason::Charset => "the page is in a charset that cannot be edited",
        SkipReason::CodingStacked => "the answer has several content codings",
        SkipReason::CodingUnknown => "the answer has a content coding that cannot be read",
        SkipReason::Csp => "of a content security policy",
        SkipReason::Empty => "the answer is empty",
        SkipReason::Fragment => "the request is a script's, not a person's",
        SkipReason::FrameSkipped => {
            "the request is for a frame, and the rules say frames = \"skip\""
        }
        SkipReason::InjectOff => "the rules say inject = false",
        SkipReason::NoTransform => "the answer says Cache-Control: no-transform",
        SkipReason::NoTransformAsked => "the request says Cache-Control: no-transform",
        SkipReason::NotHtml => "the answer is not HTML",
        SkipReason::PartialContent => "the answer is only a part of the page",
        SkipReason::PathAmbiguous => "the path can be read in two ways that allow different groups",
        SkipReason::Redirect => "the answer is a redirect",
        SkipReason::RuleLimits => "too many rules, groups or masks meet on the page",
        SkipReason::Xml => "the answer is XML that is not named as XHTML",
    }
}
