use std::sync::Arc;

use http::header::{
    AUTHORIZATION, CONTENT_LOCATION, HeaderMap, HeaderName, HeaderValue, LOCATION,
    STRICT_TRANSPORT_SECURITY,
};
use http::{Response, StatusCode};
use http_body_util::BodyExt;

use super::call::Outgoing;
use super::enforce::{Asking, Enforcement};
use super::error::ProxyError;
use super::exchange::{Edge, Exchange};
use super::heads;
use super::named_site::named_site;
use super::switch;
use crate::rules::RuleSet;
use crate::upstream::Origins;
use crate::wire::{
    self, Authority, EdgeBody, EdgeRequest, Forwarding, Locations, OriginRefusal, Scheme,
    WithoutTrailers,
};

/// How session traffic reaches a remote cobrowse backend.
#[derive(Clone, Debug)]
pub struct SessionRoute {
    pub origins: Origins,
    pub backend: (Scheme, Authority),
    /// Where visitors find the backend: below this path on every site, e.g. `/_cobrowse`; `None`:
    /// on a host of its own, at any path.
    pub mount: Option<Arc<str>>,
    /// Whether the backend does not know the mount: it is taken off on the way up.
    pub strip_mount: bool,
    /// The cookies that the backend gets; the site's own stay with the site.
    pub cookies: Arc<[String]>,
    /// Pages of these sites may open sessions.
    pub rules: Arc<RuleSet>,
    /// Holds requests to the groups of their pages; `None`: the backend alone checks groups.
    pub enforcement: Option<Enforcement>,
}

/// Takes session traffic to the cobrowse backend, and the answer back.
pub async fn forward(
    edge: &Edge,
    route: &SessionRoute,
    exchange: Exchange,
) -> Result<Response<EdgeBody>, ProxyError> {
    let Exchange {
        request,
        mut headers,
        body,
        visitor,
        subject: _,
        switchable,
        notes,
    } = exchange;
    notes.write(|seen| seen.verdict = Some("session"));
    let forwarding = Forwarding {
        peer: visitor.peer.ip(),
        scheme: request.scheme(),
        authority: request.authority(),
        trusted: &edge.trusted_peers,
    };
    let visitor_scheme = forwarding.visitor_scheme(&headers);
    route.check_origin(&request, &headers, visitor_scheme)?;
    let body = match &route.enforcement {
        None => body,
        Some(enforcement) => {
            let asking = Asking {
                edge,
                route,
                request: &request,
                headers: &headers,
                visitor_scheme,
            };
            let checked = enforcement.check(&asking, body).await;
            checked.map_err(ProxyError::Enforced)?
        }
    };
    heads::go_up(&mut headers, &request, &forwarding, edge);
    heads::set_host(&mut headers, &route.backend.1);
    withhold_secrets(&mut headers, &route.cookies);
    wire::strip_confusable(&mut headers);

    let outgoing = Outgoing {
        method: request.method(),
        target: route.target(&request),
        headers,
        body,
        visitor,
    };
    let answer = outgoing.call(&route.origins, edge, &notes).await?;

    let mut answer = match answer.status() {
        StatusCode::SWITCHING_PROTOCOLS => {
            switch::open(edge, request.upgrade(), switchable, answer)?
        }
        _ => {
            let (mut parts, body) = answer.into_parts();
            heads::go_down(&mut parts, edge);
            heads::response(
                parts,
                WithoutTrailers(body).map_err(Into::into).boxed_unsync(),
            )
        }
    };
    route.confine(answer.headers_mut(), visitor_scheme, &request);
    Ok(answer)
}

impl SessionRoute {
    /// A browser's page must be one of ours. A WebSocket handshake always says whose page it is;
    /// other requests do when it matters.
    fn check_origin(
        &self,
        request: &EdgeRequest,
        headers: &HeaderMap,
        visitor_scheme: Scheme,
    ) -> Result<(), ProxyError> {
        let is_ours = |scheme: Scheme, origin: &Authority| {
            let not_weaker = scheme == Scheme::Https || visitor_scheme == Scheme::Http;
            let same = origin.is_same(request.authority(), scheme);
            // On another port of a site's host there may be anything.
            let port = origin.effective_port(scheme);
            let known_port = port == scheme.default_port()
                || port == request.authority().effective_port(visitor_scheme);
            not_weaker && (same || known_port && named_site(&self.rules, origin.host()).is_some())
        };
        let checked = match wire::origin_allowed(headers, is_ours) {
            Err(OriginRefusal::Missing) if request.upgrade().is_none() => {
                check_without_origin(headers, is_ours)
            }
            checked => checked,
        };
        checked.map_err(ProxyError::ForeignOrigin)
    }

    /// The target as the backend knows it.
    fn target(&self, request: &EdgeRequest) -> String {
        let target = request.path_and_query();
        let stripped = match &self.mount {
            Some(mount) if self.strip_mount => target.strip_prefix(&**mount),
            _ => None,
        };
        match stripped {
            Some(rest) if rest.starts_with('/') => rest.to_owned(),
            Some(rest) => format!("/{rest}"),
            None => target,
        }
    }

    /// Keeps what the backend says of itself to its place on the site.
    fn confine(&self, headers: &mut HeaderMap, visitor_scheme: Scheme, request: &EdgeRequest) {
        let locations = Locations {
            origin: (self.backend.0, &self.backend.1),
            visitor: (visitor_scheme, request.authority()),
        };
        locations.rewrite(headers);
        let place = self.mount.as_deref().unwrap_or("/");
        wire::confine_set_cookie(headers, place);
        if self.mount.is_some() {
            for name in OF_THE_WHOLE_SITE {
                headers.remove(name);
            }
        }
        if self.strip_mount
            && let Some(mount) = &self.mount
        {
            let authority = format!("//{}", request.authority());
            let here = format!("{visitor_scheme}:{authority}");
            for field in [LOCATION, CONTENT_LOCATION] {
                put_mount_back(headers, &field, mount, [&here, &authority]);
            }
        }
    }
}

/// What has no Origin (a script, an image) may still be known to be set off by a page elsewhere. A
/// site of ours on another domain than the backend shows itself by Referer.
fn check_without_origin(
    headers: &HeaderMap,
    is_ours: impl Fn(Scheme, &Authority) -> bool,
) -> Result<(), OriginRefusal> {
    let page = wire::referer_origin(headers);
    let known = page.is_some_and(|(scheme, origin)| is_ours(scheme, &origin));
    match known || !wire::is_set_off_elsewhere(headers) {
        true => Ok(()),
        false => Err(OriginRefusal::Foreign),
    }
}

/// What acts on all of a host, wherever on it the answer was. On a host of its own a backend may
/// say it.
const OF_THE_WHOLE_SITE: [HeaderName; 5] = [
    HeaderName::from_static("clear-site-data"),
    HeaderName::from_static("public-key-pins"),
    HeaderName::from_static("public-key-pins-report-only"),
    HeaderName::from_static("service-worker-allowed"),
    STRICT_TRANSPORT_SECURITY,
];

/// A path that the backend names is below the mount for the visitor. `here` is the scheme and
/// authority under which the visitor sees it, and `//` and the authority.
fn put_mount_back(headers: &mut HeaderMap, field: &HeaderName, mount: &str, here: [&str; 2]) {
    let line = headers.get(field).and_then(|line| line.to_str().ok());
    let moved = line.and_then(|line| below_mount(line, mount, here));
    if let Some(moved) = moved.and_then(|moved| HeaderValue::try_from(moved).ok()) {
        headers.insert(field, moved);
    }
}

/// `None` for an address that leads elsewhere, or below the mount as it is (from a backend that
/// was told where visitors find it).
fn below_mount(line: &str, mount: &str, here: [&str; 2]) -> Option<String> {
    let named = here.into_iter().find(|here| line.starts_with(here));
    let (before, path) = line.split_at(named.unwrap_or_default().len());
    let is_local = match before {
        "" => path.starts_with('/') && !path.starts_with("//"),
        _ => path.is_empty() || path.starts_with(['/', '?', '#']),
    };
    let beside = path
        .strip_prefix(mount)
        .is_none_or(|rest| !rest.is_empty() && !rest.starts_with(['/', '?', '#']));
    (is_local && beside).then(|| format!("{before}{mount}{path}"))
}

/// What belongs to the site stays with the site: its cookies, the passwords that browsers send
/// along by themselves, and what the address of its page holds. A token that a script sends
/// (Bearer) is meant for the backend.
fn withhold_secrets(headers: &mut HeaderMap, cookies: &[String]) {
    wire::keep_cookies(headers, cookies);
    wire::cut_referer(headers);
    let bearer = headers.get(AUTHORIZATION).is_some_and(|value| {
        value
            .as_bytes()
            .get(..7)
            .is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"bearer "))
    });
    if !bearer {
        headers.remove(AUTHORIZATION);
    }
}

#[cfg(test)]
mod tests;
