use std::time::Duration;

use super::check::HealthCheck;
use super::health::Ejection;

/// What may take how long, and how much is kept, with one origin.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Config {
    /// For name resolution, the TCP connection and the TLS handshake together. Default: 5 seconds.
    pub connect_timeout: Duration,
    /// From the last byte of the request to the head of the answer; also how long a client may let
    /// the origin wait for the next piece of its request, answered or not. Default: 60 seconds.
    pub first_byte_timeout: Duration,
    /// How long an answer's body may stand still while the edge waits for it. `None`: for ever,
    /// which an event stream without heartbeats needs. Default: 5 minutes.
    pub body_idle_timeout: Option<Duration>,
    /// How long a connection is kept for the next request. Keep it below the origin's own
    /// keep-alive time. Default: 30 seconds.
    pub pool_idle_timeout: Duration,
    /// Connections that are kept for the next request. Default: 128.
    pub pool_idle_max: usize,
    /// Header fields in an answer's head; more than 100 cost each answer some time. Default: 100.
    pub headers_max: usize,
    /// Bytes in an answer's head. Default: 64 KiB.
    pub head_bytes_max: usize,
    /// When it is left alone, and for how long.
    pub ejection: Ejection,
    /// How long an origin that is back, or new, gets less than its share. Default: not at all.
    pub slow_start: Option<Duration>,
    /// Exchanges at once, tunnels among them. Default: as many as come.
    pub in_flight_max: Option<usize>,
    /// Connections at once, those that are kept among them. One of HTTP/2 carries as many exchanges
    /// as the origin allows, up to 100. Default: as many as are needed.
    pub connections_max: Option<usize>,
    /// Whether origins are spoken to in HTTP/2 where they offer it in the TLS handshake.
    /// WebSockets go over HTTP/1.1 all the same. Default: no.
    pub http2: bool,
    /// How long the addresses of a name are taken for true; kept connections to one that is not
    /// among them any more are closed. Where names do not answer, what they said holds on. Default:
    /// 30 seconds.
    pub resolve_interval: Duration,
    /// Default: it is not asked, but by visitors.
    pub health_check: Option<HealthCheck>,
}

/// Long enough for a far origin and one lost packet, short enough to answer 502 in time.
const DEFAULT_CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// What other proxies give a slow legacy application.
const DEFAULT_FIRST_BYTE_TIMEOUT: Duration = Duration::from_secs(60);
/// Long-polling and event streams commonly send something every minute or two.
const DEFAULT_BODY_IDLE_TIMEOUT: Duration = Duration::from_mins(5);
/// Below the 60 s and 75 s that common servers keep a connection, so that the edge lets go first.
const DEFAULT_POOL_IDLE_TIMEOUT: Duration = Duration::from_secs(30);
/// A busy site's parallel requests; each connection that is kept costs a descriptor at both ends.
const DEFAULT_POOL_IDLE_MAX: usize = 128;
/// What names that change say they hold for.
const DEFAULT_RESOLVE_INTERVAL: Duration = Duration::from_secs(30);
/// As many as HAProxy and Envoy take. hyper has room for them at hand, and looks for more on the heap each time.
const DEFAULT_HEADERS_MAX: usize = 100;
/// Room for a large Content-Security-Policy and a dozen cookies of 4 KiB.
const DEFAULT_HEAD_BYTES_MAX: usize = 64 * 1024;

/// Exchanges at once on a connection of HTTP/2, as common servers allow. Beyond, another is opened.
pub(super) const EXCHANGES_MAX: usize = 100;

impl Config {
    /// Exchanges at once: in HTTP/1.1 each has a connection to itself.
    pub(super) fn exchanges_max(&self) -> Option<usize> {
        let each = if self.http2 { EXCHANGES_MAX } else { 1 };
        let by_connections = self.connections_max.map(|max| max.saturating_mul(each));
        let limits = [self.in_flight_max, by_connections];
        limits.into_iter().flatten().min()
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            connect_timeout: DEFAULT_CONNECT_TIMEOUT,
            first_byte_timeout: DEFAULT_FIRST_BYTE_TIMEOUT,
            body_idle_timeout: Some(DEFAULT_BODY_IDLE_TIMEOUT),
            pool_idle_timeout: DEFAULT_POOL_IDLE_TIMEOUT,
            pool_idle_max: DEFAULT_POOL_IDLE_MAX,
            headers_max: DEFAULT_HEADERS_MAX,
            head_bytes_max: DEFAULT_HEAD_BYTES_MAX,
            ejection: Ejection::default(),
            slow_start: None,
            in_flight_max: None,
            connections_max: None,
            http2: false,
            resolve_interval: DEFAULT_RESOLVE_INTERVAL,
            health_check: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_carry_one_exchange_each_or_many() {
        for (http2, in_flight_max, connections_max, exchanges_max) in [
            (false, None, None, None),
            (false, None, Some(8), Some(8)),
            (false, Some(4), Some(8), Some(4)),
            (true, None, None, None),
            (true, None, Some(8), Some(800)),
            (true, Some(900), Some(8), Some(800)),
            (true, Some(12), Some(8), Some(12)),
            (true, None, Some(usize::MAX), Some(usize::MAX)),
        ] {
            let config = Config {
                http2,
                in_flight_max,
                connections_max,
                ..Config::default()
            };
            assert_eq!(config.exchanges_max(), exchanges_max, "{config:?}");
        }
    }
}
