//! What is measured: a table.

use crate::coding::Coding;
use crate::pages::Size;
use crate::peers::Kind::{self, *};
use crate::peers::{Packing, Work};
use crate::sample::Metric;

pub struct Row {
    pub name: &'static str,
    pub about: &'static str,
    pub size: Size,
    pub work: Work,
    pub packing: Packing,
    /// The codings that the origin has, and what the client accepts.
    pub codings: &'static str,
    pub accept: &'static str,
    pub secure: bool,
    /// Over a network with the segments of Ethernet (MTU 1500), not the loopback's of 64 KB.
    pub ethernet: bool,
    pub method: Method,
    /// The first is what the others are compared with.
    pub peers: &'static [Kind],
    /// Those measured in a quick run; none: the row is left out of it.
    pub quick: &'static [Kind],
    pub goals: &'static [Goal],
}

impl Row {
    /// The coding that the client names first.
    pub fn wanted(&self) -> Coding {
        let first = self.accept.split(',').next();
        first.and_then(Coding::parse).unwrap_or(Coding::Identity)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Many connections at once for requests/s and CPU, then one for latency.
    Pages,
    /// A connection with a TLS handshake of its own for each page.
    Handshakes { resume: bool },
    /// Pages over HTTP/2.
    Http2,
    /// So many readers of 20 KB/s at once: what each costs in memory.
    SlowReaders(usize),
    /// Round trips of small frames through the tunnel.
    WebSocket,
}

/// What the edge is to reach against a peer.
pub struct Goal {
    pub metric: Metric,
    pub against: Kind,
    pub bound: Bound,
}

#[derive(Clone, Copy)]
pub enum Bound {
    AtLeast(f64),
    AtMost(f64),
    /// In itself, whatever the peer does.
    NoMoreThan(f64),
}

const fn at_least(metric: Metric, ratio: f64, against: Kind) -> Goal {
    Goal {
        metric,
        against,
        bound: Bound::AtLeast(ratio),
    }
}

const fn at_most(metric: Metric, ratio: f64, against: Kind) -> Goal {
    Goal {
        metric,
        against,
        bound: Bound::AtMost(ratio),
    }
}

const PLAIN: Row = Row {
    name: "",
    about: "",
    size: Size::K64,
    work: Work::Pass,
    packing: Packing::Kept,
    codings: "identity",
    accept: "identity",
    secure: false,
    ethernet: false,
    method: Method::Pages,
    peers: PASSING,
    quick: &[],
    goals: &[],
};

const TAG: Row = Row {
    work: Work::Tag,
    peers: TAGGING,
    ..PLAIN
};

const REPACK: Row = Row {
    work: Work::Tag,
    packing: Packing::Repack,
    codings: "gzip",
    accept: "gzip",
    peers: &[NginxTuned, Edge, EdgeTagLast, Apache, Pingora],
    ..PLAIN
};

const PASSING: &[Kind] = &[Haproxy, Edge, Nginx, NginxTuned, Apache, Envoy, Pingora];
const TAGGING: &[Kind] = &[NginxTuned, Edge, EdgeTagLast, Nginx, Apache, Pingora];
const MASKING: &[Kind] = &[NginxTuned, Edge, Pingora];
const QUICK_PASSING: &[Kind] = &[Haproxy, Edge, NginxTuned];
const QUICK: &[Kind] = &[NginxTuned, Edge];

pub const ROWS: &[Row] = &[
    Row {
        name: "pass-2k",
        about: "passed, 2 KB",
        size: Size::K2,
        quick: QUICK_PASSING,
        ..PLAIN
    },
    Row {
        name: "pass-64k",
        about: "passed, 64 KB",
        quick: QUICK_PASSING,
        goals: &[at_least(Metric::Rate, 1.0, Haproxy)],
        ..PLAIN
    },
    Row {
        name: "pass-1m",
        about: "passed, 1 MB",
        size: Size::M1,
        quick: QUICK_PASSING,
        ..PLAIN
    },
    Row {
        name: "tag-2k",
        about: "tag only, 2 KB",
        size: Size::K2,
        quick: &[NginxTuned, Edge, EdgeTagLast],
        goals: &[
            at_least(Metric::Rate, 1.1, NginxTuned),
            at_most(Metric::AddedP50, 0.6, NginxTuned),
        ],
        ..TAG
    },
    Row {
        name: "tag-64k",
        about: "tag only, 64 KB",
        quick: &[NginxTuned, Edge, EdgeTagLast, Nginx],
        goals: &[
            at_least(Metric::Rate, 1.0, NginxTuned),
            at_most(Metric::Cpu, 1.0, NginxTuned),
        ],
        ..TAG
    },
    Row {
        name: "tag-1m",
        about: "tag only, 1 MB",
        size: Size::M1,
        ..TAG
    },
    Row {
        name: "masks5-64k",
        about: "tag and 5 masks, 64 KB (nginx: the tag alone)",
        work: Work::Masks(5),
        peers: MASKING,
        quick: QUICK,
        ..PLAIN
    },
    Row {
        name: "masks20-64k",
        about: "tag and 20 masks, 64 KB (nginx: the tag alone)",
        work: Work::Masks(20),
        peers: MASKING,
        quick: QUICK,
        ..PLAIN
    },
    Row {
        name: "masks5-1m",
        about: "tag and 5 masks, 1 MB (nginx: the tag alone)",
        size: Size::M1,
        work: Work::Masks(5),
        peers: MASKING,
        ..PLAIN
    },
    Row {
        name: "gzip-2k",
        about: "gzip in and out, tag only, 2 KB",
        size: Size::K2,
        ..REPACK
    },
    Row {
        name: "gzip-64k",
        about: "gzip in and out, tag only, 64 KB",
        quick: &[NginxTuned, Edge, EdgeTagLast],
        goals: &[
            at_least(Metric::Rate, 2.0, NginxTuned),
            at_most(Metric::Output, 1.0, NginxTuned),
        ],
        ..REPACK
    },
    Row {
        name: "gzip-1m",
        about: "gzip in and out, tag only, 1 MB",
        size: Size::M1,
        quick: QUICK,
        goals: &[
            at_least(Metric::Rate, 2.0, NginxTuned),
            at_most(Metric::Output, 1.0, NginxTuned),
        ],
        ..REPACK
    },
    Row {
        name: "gzip-10m",
        about: "gzip in and out, tag only, 10 MB",
        size: Size::M10,
        ..REPACK
    },
    Row {
        name: "zstd-64k",
        about: "zstd in and out, tag only, 64 KB",
        codings: "zstd",
        accept: "zstd",
        peers: &[Edge, EdgeTagLast],
        ..REPACK
    },
    Row {
        name: "br-64k",
        about: "br in and out, tag only, 64 KB",
        codings: "br",
        accept: "br",
        peers: &[Edge, EdgeTagLast],
        ..REPACK
    },
    Row {
        name: "gzip-masks5-64k",
        about: "gzip in and out, tag and 5 masks, 64 KB (nginx: the tag alone)",
        work: Work::Masks(5),
        peers: MASKING,
        quick: QUICK,
        ..REPACK
    },
    Row {
        name: "gzip-masks5-1m",
        about: "gzip in and out, tag and 5 masks, 1 MB (nginx: the tag alone)",
        size: Size::M1,
        work: Work::Masks(5),
        peers: MASKING,
        ..REPACK
    },
    Row {
        name: "gzip-out-64k",
        about: "plain in, gzip out, tag only, 64 KB",
        packing: Packing::Pack,
        // Else the edge leaves the page as plain as it came.
        accept: "gzip, identity;q=0",
        peers: &[NginxTuned, Edge, Apache, Pingora],
        quick: QUICK,
        ..TAG
    },
    Row {
        name: "tls-full",
        about: "TLS 1.3 handshake (P-256, X25519), 2 KB and close",
        size: Size::K2,
        secure: true,
        method: Method::Handshakes { resume: false },
        peers: &[NginxTuned, Edge, Haproxy, Envoy],
        quick: QUICK,
        goals: &[at_least(Metric::Rate, 2.0, NginxTuned)],
        ..PLAIN
    },
    Row {
        name: "tls-resumed",
        about: "TLS 1.3 handshake resumed, 2 KB and close",
        size: Size::K2,
        secure: true,
        method: Method::Handshakes { resume: true },
        peers: &[NginxTuned, Edge, Haproxy, Envoy],
        ..PLAIN
    },
    Row {
        name: "tls-64k",
        about: "tag only, 64 KB, over TLS",
        secure: true,
        peers: &[NginxTuned, Edge],
        quick: QUICK,
        ..TAG
    },
    Row {
        name: "h2-64k",
        about: "tag only, 64 KB, over HTTP/2 with TLS, 8 connections of 8 streams",
        secure: true,
        method: Method::Http2,
        peers: &[NginxTuned, Edge],
        quick: QUICK,
        ..TAG
    },
    Row {
        name: "slow-readers",
        about: "tag only, 1,000 readers of 10 MB at 20 KB/s",
        size: Size::M10,
        method: Method::SlowReaders(1_000),
        peers: &[
            NginxTuned,
            Edge,
            EdgeTagLast,
            Nginx,
            NginxUnbuffered,
            Pingora,
        ],
        quick: &[NginxTuned, Edge, NginxUnbuffered],
        goals: &[Goal {
            metric: Metric::PssPerReader,
            against: NginxTuned,
            bound: Bound::NoMoreThan(65_536.0),
        }],
        ..TAG
    },
    Row {
        name: "websocket",
        about: "a frame of 64 bytes through the tunnel and back",
        size: Size::K2,
        method: Method::WebSocket,
        peers: &[NginxTuned, Edge, Haproxy, Envoy],
        quick: QUICK,
        ..PLAIN
    },
    Row {
        name: "rules",
        about: "tag only, 2 KB, by the number of rules",
        size: Size::K2,
        peers: &[EdgeRules(10), EdgeRules(1_000), EdgeRules(10_000)],
        ..TAG
    },
    Row {
        name: "ethernet-64k",
        about: "tag only, 64 KB, over a network of MTU 1500",
        ethernet: true,
        peers: &[NginxTuned, Edge],
        quick: QUICK,
        ..TAG
    },
    Row {
        name: "ethernet-pass-64k",
        about: "passed, 64 KB, over a network of MTU 1500",
        ethernet: true,
        peers: &[Haproxy, Edge, NginxTuned],
        ..PLAIN
    },
];
