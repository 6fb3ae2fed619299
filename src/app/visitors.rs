//! Sites whose visitors must show a certificate: who is one of theirs, and what the origin is told.

use std::collections::HashMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use http::header::{HeaderMap, HeaderName, HeaderValue};

use super::routes::Routes;
use crate::problem::{Place, Problem};
use crate::proxy::{ProxyError, Subject};
use crate::rules::RuleSet;
use crate::server::{ConnectionInfo, Demands, VisitorAuthority};
use crate::wire::{EdgeRequest, dashed_if_odd};

/// What sites demand of their visitors.
#[derive(Debug, Default)]
pub(super) struct VisitorDemands {
    of_sites: HashMap<Arc<str>, Demand>,
    /// Of all sites: no visitor says them, on whatever site. Two may have one origin.
    subject_headers: Vec<HeaderName>,
}

#[derive(Debug)]
struct Demand {
    authority: Arc<VisitorAuthority>,
    subject_header: Option<HeaderName>,
}

impl VisitorDemands {
    pub(super) fn load(
        rules: &RuleSet,
        before: Option<&Self>,
        problems: &mut Vec<Problem>,
    ) -> Self {
        let mut demands = Self::default();
        for site in rules.sites() {
            let Some(settings) = site.visitors() else {
                continue;
            };
            let known = before.and_then(|before| before.of_sites.get(site.name()));
            let known = known.map(|demand| &demand.authority);
            match VisitorAuthority::load(&settings.ca, known) {
                Ok(authority) => {
                    let name = settings.subject_header.as_deref().map(header);
                    let demand = Demand {
                        authority,
                        subject_header: accept(name, problems),
                    };
                    demands
                        .subject_headers
                        .extend(demand.subject_header.clone());
                    demands.of_sites.insert(Arc::clone(site.name()), demand);
                }
                Err(problem) => problems.push(problem),
            }
        }
        demands
    }

    /// Takes away what a visitor says of himself.
    pub(super) fn drop_forged(&self, headers: &mut HeaderMap) {
        if self.subject_headers.is_empty() {
            return;
        }
        let forged: Vec<_> = headers
            .keys()
            .filter(|name| self.is_ours(name))
            .cloned()
            .collect();
        for name in forged {
            headers.remove(name);
        }
    }

    /// Some origins take any other sign for `-`.
    fn is_ours(&self, name: &HeaderName) -> bool {
        let dashed = dashed_if_odd(name);
        let name = dashed.as_deref().unwrap_or(name.as_str());
        let names = self.subject_headers.iter();
        names.map(HeaderName::as_str).any(|ours| ours == name)
    }
}

/// For handshakes: by the rules of the moment.
pub(super) fn demands(routes: Arc<ArcSwap<Routes>>) -> Demands {
    Demands::new(move |host| {
        let routes = routes.load();
        let demand = demand(&routes, host)?;
        Some(Arc::clone(&demand.authority))
    })
}

fn demand<'a>(routes: &'a Routes, host: &str) -> Option<&'a Demand> {
    let site = routes.rules.site(host)?;
    routes.visitors.of_sites.get(site.name())
}

/// A site that demands certificates serves only connections in whose handshake one was shown to the
/// authority that it has now. What was made for another site, without a name, before the authority was
/// replaced, or by a balancer that does TLS itself, does not count.
pub(super) fn visitor_of_site(
    connection: &ConnectionInfo,
    routes: &Routes,
    request: &EdgeRequest,
) -> Result<Option<Subject>, ProxyError> {
    let Some(demand) = demand(routes, request.host()) else {
        return Ok(None);
    };
    let visitor = connection.visitor.as_deref();
    let visitor = visitor.filter(|visitor| Arc::ptr_eq(&visitor.authority, &demand.authority));
    let visitor = visitor.ok_or(ProxyError::Misdirected)?;
    let Some(header) = demand.subject_header.clone() else {
        return Ok(None);
    };
    // Written in ASCII, so that it is one.
    let subject = HeaderValue::try_from(&visitor.subject).map_err(|_| ProxyError::Misdirected)?;
    Ok(Some(Subject { header, subject }))
}

fn header(name: &str) -> Result<HeaderName, Problem> {
    HeaderName::try_from(name).map_err(|error| {
        let place = Place::Flag("subject_header");
        Problem::error(
            place,
            error.to_string(),
            "write a name such as \"X-Client-Subject\"",
        )
    })
}

fn accept<T>(read: Option<Result<T, Problem>>, problems: &mut Vec<Problem>) -> Option<T> {
    read?.map_err(|problem| problems.push(problem)).ok()
}
