use std::net::SocketAddr;
use std::sync::Arc;

use super::limits::ExchangeLimits;
use super::notes::Notes;
use crate::telemetry::Metrics;
use crate::tunnel;
use crate::wire::{CodingLevels, EdgeBody, EdgeRequest, Markers, TrustedPeers, Via};
use http::{HeaderMap, HeaderName, HeaderValue};

/// What all exchanges share.
#[derive(Clone, Debug)]
pub struct Edge {
    pub metrics: Arc<Metrics>,
    /// The peers that are believed when they say for whom they ask.
    pub trusted_peers: Arc<TrustedPeers>,
    /// What this edge is called in Via.
    pub via: Via,
    /// How much work is put into writing pages in each coding.
    pub levels: CodingLevels,
    /// With which the edge tells of itself, if at all.
    pub markers: Markers,
    pub limits: ExchangeLimits,
}

/// A request that passed the gate, with what came beside its head.
#[derive(Debug)]
pub struct Exchange {
    pub request: EdgeRequest,
    pub headers: HeaderMap,
    pub body: EdgeBody,
    pub visitor: Visitor,
    /// For the site's origin alone.
    pub subject: Option<Subject>,
    /// Gives the visitor's connection, or stream, away, should protocols be switched.
    pub switchable: Option<tunnel::Downstream>,
    pub notes: Notes,
}

/// Whom a visitor's certificate names, and the field in which the origin is told.
#[derive(Clone, Debug)]
pub struct Subject {
    pub header: HeaderName,
    pub subject: HeaderValue,
}

/// Who is at the other end.
#[derive(Clone, Copy, Debug)]
pub struct Visitor {
    pub peer: SocketAddr,
}
