//! Origins and clients that break off, stall, or send byte by byte, anywhere in a small exchange:
//! the other side sees it, nothing is left behind, and the next exchange works.

mod clients;
mod origins;
mod trickles;
mod uploads;

use std::time::Duration;

use cobrowse_edge::config::EdgeConfig;

use crate::support::{TestEdge, eventually};

/// How one side fails after so many bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// Closes its connection in order.
    Fin,
    /// Resets it.
    Reset,
    /// Sends no more, and closes nothing.
    Stall,
}

/// How long the edge waits for anybody, here.
const SOON: Duration = Duration::from_millis(300);

/// Longer than the edge may take over what it ends after [`SOON`], on a machine that is busy.
const LATE: Duration = Duration::from_secs(20);

fn impatient(config: &mut EdgeConfig) {
    config.upstream.first_byte_timeout = SOON;
    config.upstream.body_idle_timeout = Some(SOON);
    let limits = &mut config.server.limits;
    limits.head_timeout = SOON;
    limits.write_stall_timeout = SOON;
    limits.h2_idle_timeout = SOON;
}

/// Nobody is connected any more, but for the one who asks for the metrics.
async fn check_left(edge: &TestEdge) {
    for (scheme, own) in [("http", 1.0), ("https", 0.0)] {
        let series = format!("edge_connections{{scheme=\"{scheme}\"}}");
        let what = format!("no connection by {scheme} is left");
        eventually(&what, async || edge.metric(&series).await <= own).await;
    }
}
