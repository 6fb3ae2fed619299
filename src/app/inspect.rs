use std::net::{Ipv4Addr, SocketAddr};

use http::request::Parts;

use super::routes::{Destination, Routes};
use crate::config::EdgeConfig;
use crate::problem::Problem;
use crate::proxy::{self, Exchange, Inspection, Notes, ProxyError, Visitor};
use crate::telemetry::Metrics;
use crate::wire::{self, Scheme, Via, empty_body};

/// Why a page could not be looked at.
#[derive(Debug, thiserror::Error)]
pub enum InspectError {
    /// Faults in rules or in files that they name.
    #[error("{} problems in the rules", .0.len())]
    Problems(Vec<Problem>),
    #[error("a request for this is refused")]
    Refused(#[source] wire::Refusal),
    /// Sessions have no pages.
    #[error("this is session traffic, which goes to the cobrowse backend")]
    Session,
    #[error("no site has this host")]
    UnknownHost,
    #[error("nothing could be fetched from {origin}")]
    Unfetched {
        origin: String,
        #[source]
        source: ProxyError,
    },
}

/// Fetches one page through an edge of this configuration, without starting one: no socket is
/// listened on. `request` is in origin-form and comes from this machine.
pub async fn inspect(
    config: &EdgeConfig,
    request: Parts,
    scheme: Scheme,
) -> Result<Inspection, InspectError> {
    let (routes, _) = Routes::load(config, None).map_err(InspectError::Problems)?;
    let admitted = wire::admit(&request, scheme).map_err(InspectError::Refused)?;
    let route = match routes.destination(&admitted) {
        None => return Err(InspectError::UnknownHost),
        Some(Destination::Session(_) | Destination::Embedded(_)) => {
            return Err(InspectError::Session);
        }
        Some(Destination::Page(route)) => route,
    };
    let edge = proxy::Edge {
        metrics: Metrics::new().into(),
        trusted_peers: config.trusted_peers.clone().into(),
        via: Via::new(&config.pseudonym),
        levels: config.levels,
        markers: config.markers.clone(),
        limits: config.exchange.clone(),
    };
    let exchange = Exchange {
        request: admitted,
        headers: request.headers,
        body: empty_body(),
        visitor: Visitor {
            peer: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        },
        subject: None,
        switchable: None,
        notes: Notes::default(),
    };
    let inspected = proxy::inspect(&edge, route, exchange).await;
    inspected.map_err(|source| InspectError::Unfetched {
        origin: format!("{}://{}", route.origin.0, route.origin.1),
        source,
    })
}
