use std::sync::Arc;

use http::header::ORIGIN;

use super::Asking;
use crate::groups::{GroupId, GroupSet, PageGrant};
use crate::proxy::page::check_path;
use crate::wire::{self, Authority, CanonicalPath, Scheme};

/// The page that a request comes from, as far as it can be known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct KnownPage {
    /// `None`: the page gets no tag, and so allows no group.
    groups: Option<GroupSet>,
    rule: Arc<str>,
    known_by: &'static str,
}

impl KnownPage {
    pub(super) fn of_grant(grant: &PageGrant) -> Self {
        Self {
            groups: Some(grant.groups().clone()),
            rule: grant.rule().into(),
            known_by: "grant",
        }
    }

    pub(super) fn allows(&self, group: GroupId) -> bool {
        self.groups.as_ref().is_some_and(|set| set.contains(group))
    }

    pub(super) fn allowed(&self) -> impl Iterator<Item = GroupId> + '_ {
        self.groups.iter().flat_map(GroupSet::iter)
    }

    pub(super) fn rule(&self) -> &str {
        &self.rule
    }

    pub(super) fn known_by(&self) -> &'static str {
        self.known_by
    }
}

/// The host of the page that asks: where the backend has a host of its own, only `Origin` and
/// `Referer` tell.
pub(super) fn host(asking: &Asking<'_>) -> Option<String> {
    let told = match asking.headers.contains_key(ORIGIN) {
        true => Some(origin(asking)?),
        false => wire::referer_origin(asking.headers),
    };
    match told {
        Some((_, authority)) => Some(authority.host().to_owned()),
        None if asking.route.mount.is_some() => Some(asking.request.host().to_owned()),
        None => None,
    }
}

/// The page that `Referer` names, if it is one of the origin that is asked: of another origin browsers
/// tell no path. An address below the mount is the backend's own, and no page.
pub(super) fn by_referer(asking: &Asking<'_>) -> Option<KnownPage> {
    let (scheme, authority, path) = wire::referer_page(asking.headers)?;
    let told = asking.headers.contains_key(ORIGIN);
    let same_origin = asking.is_own(scheme, &authority)
        && (!told || origin(asking).is_some_and(|(scheme, origin)| asking.is_own(scheme, &origin)));
    let path = CanonicalPath::parse(path).ok()?;
    let site = asking.route.rules.site(asking.request.host())?;
    check_path(site, &path).ok()?;
    let is_page = asking.route.mount.as_deref().is_some_and(|mount| {
        let below = path.as_str().strip_prefix(mount);
        !below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    });
    let rule = (same_origin && is_page).then(|| site.resolve(path.as_str()))?;
    Some(KnownPage {
        groups: rule.groups.clone(),
        rule: Arc::clone(&rule.label),
        known_by: "referer",
    })
}

fn origin(asking: &Asking<'_>) -> Option<(Scheme, Authority)> {
    let mut lines = asking.headers.get_all(ORIGIN).into_iter();
    let line = lines.next().filter(|_| lines.next().is_none())?;
    let (scheme, authority) = line.to_str().ok()?.split_once("://")?;
    Some((Scheme::parse(scheme)?, authority.parse().ok()?))
}

impl Asking<'_> {
    /// Whether this is the origin that the visitor's browser asks.
    fn is_own(&self, scheme: Scheme, authority: &Authority) -> bool {
        scheme == self.visitor_scheme && authority.is_same(self.request.authority(), scheme)
    }
}
