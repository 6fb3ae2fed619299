//! The group check for a remote backend: a request that names a group leaves the edge only if the page
//! that it comes from allows the group.
//!
//! 1. Every place in which a request can name a group is read: query parameters, form and JSON fields,
//!    header fields. What can be read in two ways is refused, whether or not one reading is allowed.
//! 2. The page is known by its grant, where the request carries one, else by a `Referer` of the same
//!    origin. A request that names a group and whose page cannot be known is refused.
//! 3. Every group that is named must be among those of the page.
//!
//! What this cannot do: tell one page of an origin from another against a script on that origin. Such a
//! script can load every page of its origin and read the grant there, and say any of its addresses as
//! referrer. A group that no page of the host allows is refused whatever a script does; one that only some
//! pages allow is kept from the others against mistakes and honest scripts.

mod body;
mod claims;
mod known_page;
mod query;
mod refusal;

use std::sync::Arc;
use std::time::SystemTime;

use http::HeaderMap;

use super::exchange::Edge;
use super::forward::SessionRoute;
use super::grants::Grants;
use crate::groups::GroupId;
use crate::wire::{EdgeBody, EdgeRequest, Scheme};

use claims::{Claims, Reader};
use known_page::KnownPage;
pub use refusal::EnforceRefusal;

/// Where requests carry what, and how a page is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnforceConfig {
    /// Where a request names its group.
    pub group: Places,
    /// Where it carries its page's grant.
    pub grant: Places,
    /// Whether a page without a grant is known by `Referer`. Default: it is.
    pub referer: bool,
    /// Media types, in lower case, whose bodies go on unread: the backend never looks for a group in
    /// them. Default: none; bodies that the edge cannot read are refused.
    pub unread_types: Vec<String>,
    /// Of a body that is read; it is held until it was. Default: 64 KiB.
    pub body_bytes_max: usize,
}

/// Names, compared without regard to case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Places {
    /// Query parameters, and fields of forms.
    pub query: Vec<String>,
    /// Members of JSON objects at any depth.
    pub json: Vec<String>,
    pub headers: Vec<String>,
}

impl EnforceConfig {
    /// The two names under which the vendor's scripts and pages name a group.
    pub const GROUP_NAMES: [&str; 2] = ["group", "groupid"];
    /// Requests that start or continue a session are some hundred bytes long.
    pub const BODY_BYTES_MAX: usize = 64 * 1024;

    fn reads_json(&self) -> bool {
        !self.group.json.is_empty() || !self.grant.json.is_empty()
    }
}

impl Places {
    pub fn is_empty(&self) -> bool {
        self.query.is_empty() && self.json.is_empty() && self.headers.is_empty()
    }
}

/// The check, for the session traffic of one set of routes.
#[derive(Clone, Debug)]
pub struct Enforcement {
    pub config: Arc<EnforceConfig>,
    /// Opens the grants that requests carry.
    pub grants: Option<Arc<Grants>>,
}

/// A request for the backend, before anything of it has left.
pub(super) struct Asking<'a> {
    pub(super) edge: &'a Edge,
    pub(super) route: &'a SessionRoute,
    pub(super) request: &'a EdgeRequest,
    /// As the visitor sent them.
    pub(super) headers: &'a HeaderMap,
    pub(super) visitor_scheme: Scheme,
}

impl Enforcement {
    /// Lets a request go on that may, with its body as it was.
    pub(super) async fn check(
        &self,
        asking: &Asking<'_>,
        body: EdgeBody,
    ) -> Result<EdgeBody, EnforceRefusal> {
        let mut reader = Reader::new(&self.config);
        let read = self.read(asking, body, &mut reader).await;
        let claims = reader.into_claims();
        let checked = read.and_then(|body| {
            let page = self.check_groups(asking, &claims, SystemTime::now())?;
            Ok((body, page))
        });
        match checked {
            Ok((body, page)) => {
                if let Some(page) = page {
                    asking.note(&claims, Ok(&page));
                }
                Ok(body)
            }
            Err(refusal) => {
                asking.note(&claims, Err(&refusal));
                Err(refusal)
            }
        }
    }

    /// What of the request names groups and carries grants.
    async fn read(
        &self,
        asking: &Asking<'_>,
        body: EdgeBody,
        reader: &mut Reader<'_>,
    ) -> Result<EdgeBody, EnforceRefusal> {
        reader.read_headers(asking.headers)?;
        reader.read_query(asking.request.query().unwrap_or_default())?;
        body::read(asking.headers, body, reader).await
    }

    /// The page, if the request names a group.
    fn check_groups(
        &self,
        asking: &Asking<'_>,
        claims: &Claims,
        now: SystemTime,
    ) -> Result<Option<KnownPage>, EnforceRefusal> {
        let Some(first) = claims.groups.first() else {
            return Ok(None);
        };
        let page = match &claims.grants[..] {
            [] if self.config.referer => known_page::by_referer(asking),
            [] => None,
            [grant] => Some(self.by_grant(asking, grant, now)?),
            [_, _, ..] => return Err(EnforceRefusal::SeveralGrants),
        };
        let page = page.ok_or(EnforceRefusal::PageUnknown { group: *first })?;
        let foreign = claims.groups.iter().find(|group| !page.allows(**group));
        match foreign {
            None => Ok(Some(page)),
            Some(group) => Err(EnforceRefusal::GroupNotAllowed {
                group: *group,
                allowed: page.allowed().collect(),
            }),
        }
    }

    fn by_grant(
        &self,
        asking: &Asking<'_>,
        grant: &str,
        now: SystemTime,
    ) -> Result<KnownPage, EnforceRefusal> {
        let grants = self.grants.as_ref().ok_or(EnforceRefusal::NoGrants)?;
        let host = known_page::host(asking);
        let host = host.ok_or(EnforceRefusal::NoGrants)?;
        let grant = grants.open(grant, &host, now);
        let grant = grant.map_err(EnforceRefusal::Grant)?;
        Ok(KnownPage::of_grant(&grant))
    }
}

impl Asking<'_> {
    /// Counts what was decided, and writes it down for whoever must be able to prove it: which groups,
    /// on which site, and why; never who asked.
    fn note(&self, claims: &Claims, decided: Result<&KnownPage, &EnforceRefusal>) {
        let site = self.route.rules.site(self.request.host());
        let site = site.map_or("-", |site| &**site.name());
        let groups = listed(claims.groups.iter().copied());
        let outcome = decided.map_or_else(EnforceRefusal::kind, |_| "allowed");
        self.edge.metrics.group_checked(site, outcome);
        match decided {
            Ok(page) => tracing::debug!(
                target: "cobrowse_edge::audit",
                site, groups, rule = page.rule(), known_by = page.known_by(), "group allowed"
            ),
            Err(refusal) => tracing::info!(
                target: "cobrowse_edge::audit",
                site, groups, allowed = listed(refusal.allowed().iter().copied()), reason = outcome,
                "session traffic refused"
            ),
        }
    }
}

fn listed(groups: impl Iterator<Item = GroupId>) -> String {
    let groups: Vec<_> = groups.map(|group| group.to_string()).collect();
    groups.join(",")
}

#[cfg(test)]
mod tests;
