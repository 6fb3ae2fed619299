use http::header::{HeaderValue, LOCATION};
use http::request::Parts;
use http::{Response, StatusCode};
use hyper::upgrade::OnUpgrade;

use super::edge::Shared;
use super::embedded;
use super::routes::{Destination, Routes};
use super::stack::Arrival;
use super::visitors::visitor_of_site;
use crate::proxy::{Bridge, Exchange, ProxyError, Visitor, forward, page, take_body};
use crate::server::ConnectionInfo;
use crate::tunnel::Downstream;
use crate::wire::{self, EdgeBody, EdgeRequest, Forwarding, Hold, Scheme, empty_body, full_body};

/// Reads the head strictly, once, and sends the exchange where its host and path belong.
pub(super) async fn dispatch(
    shared: &Shared,
    arrival: Arrival,
) -> Result<Response<EdgeBody>, ProxyError> {
    let Arrival {
        request,
        connection,
        notes,
    } = arrival;
    let (mut parts, body) = request.into_parts();
    let request = wire::admit(&parts, connection.scheme).map_err(ProxyError::Refused)?;
    if let Some(answer) = challenge(shared, &request) {
        notes.write(|seen| seen.verdict = Some("challenge"));
        return Ok(answer);
    }
    let routes = shared.routes.load_full();
    let destination = routes.destination(&request);
    let destination = destination.ok_or(ProxyError::UnknownHost)?;
    check_connection(shared, &connection, &routes, &request)?;
    let scheme = visitor_scheme(shared, &connection, &request, &parts);
    if let Some(redirect) = to_https(shared, &request, scheme) {
        notes.write(|seen| seen.verdict = Some("redirected"));
        return Ok(redirect);
    }
    let subject = visitor_of_site(&connection, &routes, &request)?;
    routes.visitors.drop_forged(&mut parts.headers);
    let limits = &shared.edge.limits;
    let limits = match destination {
        Destination::Page(route) => &limits.for_site(route.site.body_bytes_max()),
        Destination::Session(_) | Destination::Embedded(_) => limits,
    };
    let head = (request.version(), &parts.headers);
    let (body, upload) = take_body(body, head, limits, &shared.edge.metrics)?;
    let bridge = Bridge::enter(&request, &mut parts.headers)?;
    let exchange = Exchange {
        switchable: switchable(&mut parts),
        request,
        headers: parts.headers,
        body,
        visitor: Visitor {
            peer: connection.peer,
        },
        subject,
        notes,
    };
    let answer = match destination {
        Destination::Page(route) => page(&shared.edge, route, exchange).await,
        Destination::Session(route) => forward(&shared.edge, route, exchange).await,
        Destination::Embedded(mount) => embedded::answer(shared, mount, scheme, exchange).await,
    };
    let answer = answer.map_err(|error| upload.settle(error))?;
    match bridge {
        Some(bridge) => bridge.cross(answer),
        None => Ok(answer),
    }
}

/// An authority looks whether a host is ours (RFC 8555 8.3). All else at that path is the site's.
fn challenge(shared: &Shared, request: &EdgeRequest) -> Option<Response<EdgeBody>> {
    let challenges = shared.challenges.as_ref()?;
    let token = request.path().as_str().strip_prefix(CHALLENGES)?;
    let answer = challenges.http_answer(request.host(), token)?;
    Some(Response::new(full_body(answer)))
}

const CHALLENGES: &str = "/.well-known/acme-challenge/";

/// A visitor's connection is made for one site. A trusted peer's is for whomever it serves.
fn check_connection(
    shared: &Shared,
    connection: &ConnectionInfo,
    routes: &Routes,
    request: &EdgeRequest,
) -> Result<(), ProxyError> {
    let is_trusted = shared.edge.trusted_peers.contains(connection.peer.ip());
    let sni = connection.sni.as_deref().filter(|_| !is_trusted);
    match sni.is_some_and(|sni| routes.is_misdirected(sni, request)) {
        true => Err(ProxyError::Misdirected),
        false => Ok(()),
    }
}

fn switchable(parts: &mut Parts) -> Option<Downstream> {
    let upgrade = parts.extensions.remove::<OnUpgrade>()?;
    let hold = parts.extensions.remove::<Hold>();
    Some(Downstream { upgrade, hold })
}

/// How the visitor's browser asked: behind a balancer that does TLS, not as the balancer does.
fn visitor_scheme(
    shared: &Shared,
    connection: &ConnectionInfo,
    request: &EdgeRequest,
    parts: &Parts,
) -> Scheme {
    let forwarding = Forwarding {
        peer: connection.peer.ip(),
        scheme: request.scheme(),
        authority: request.authority(),
        trusted: &shared.edge.trusted_peers,
    };
    forwarding.visitor_scheme(&parts.headers)
}

/// 308 keeps method and body, so that a form that was posted is posted again (RFC 9110 15.4.9).
fn to_https(shared: &Shared, request: &EdgeRequest, scheme: Scheme) -> Option<Response<EdgeBody>> {
    let port = shared
        .redirect_to_https
        .filter(|_| scheme == Scheme::Http)?;
    let host = request.host();
    let target = request.path_and_query();
    // `OPTIONS *` asks the server; no page of it could be elsewhere.
    if !target.starts_with('/') {
        return None;
    }
    let address = match port == Scheme::Https.default_port() {
        true => format!("https://{host}{target}"),
        false => format!("https://{host}:{port}{target}"),
    };
    let mut response = Response::new(empty_body());
    *response.status_mut() = StatusCode::PERMANENT_REDIRECT;
    response
        .headers_mut()
        .insert(LOCATION, HeaderValue::try_from(address).ok()?);
    Some(response)
}
