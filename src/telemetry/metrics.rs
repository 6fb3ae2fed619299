use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Metric, Registry, Unit};

use super::blame::Blame;
use super::labels::{
    DirectionLabel, GroupCheckLabels, MaskLabels, OrderLabels, PassLabels, ReasonLabel,
    ReloadLabels, RequestLabels, RuleLabels, SchemeLabel, SiteLabel, UntaggedLabels,
    UpstreamErrorLabels,
};
use super::log;
use super::origin_metrics::{OriginMetrics, SiteFigures};

/// The media type of [`Metrics::encode`].
pub const METRICS_CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Every number that the edge keeps. `site`, `rule` and `selector` must be words out of the
/// configuration; every other label is a constant of this program.
pub struct Metrics {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    durations: Family<SiteLabel, Histogram, fn() -> Histogram>,
    bytes: Family<DirectionLabel, Counter>,
    pages_rewritten: Family<RuleLabels, Counter>,
    pages_passed: Family<PassLabels, Counter>,
    pages_untagged: Family<UntaggedLabels, Counter>,
    masks_applied: Family<MaskLabels, Counter>,
    upstream_errors: Family<UpstreamErrorLabels, Counter>,
    refusals: Family<ReasonLabel, Counter>,
    group_checks: Family<GroupCheckLabels, Counter>,
    reloads: Family<ReloadLabels, Counter>,
    certificate_orders: Family<OrderLabels, Counter>,
    connections: Family<SchemeLabel, Gauge>,
    tls_handshake_failures: Family<ReasonLabel, Counter>,
    proxy_headers_refused: Family<ReasonLabel, Counter>,
    connections_refused: Family<ReasonLabel, Counter>,
    access_lines_dropped: Counter,
    origins: OriginMetrics,
}

/// Which way bytes of bodies went, seen from the edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// To the client.
    Down,
    /// To the origin or the backend.
    Up,
}

/// One open connection in the gauge; it is taken out when this is dropped.
#[derive(Debug)]
pub struct ConnectionGuard {
    gauge: Gauge,
}

impl Metrics {
    pub fn new() -> Self {
        let mut registry = Registry::with_prefix("edge");
        let r = &mut registry;
        r.register("log_lines_dropped", "Log lines lost", log::lines_dropped());
        Self {
            requests: counted(r, "requests", "Exchanges by site and class of status"),
            durations: registered_durations(r),
            bytes: counted(r, "bytes", "Bytes of bodies by direction"),
            pages_rewritten: counted(r, "pages_rewritten", "Pages that got the tag"),
            pages_passed: counted(r, "pages_passed", "Answers that were left alone, by reason"),
            pages_untagged: counted(r, "pages_untagged", "Pages that lost the tag midway"),
            masks_applied: counted(r, "masks_applied", "Elements masked, by selector"),
            upstream_errors: counted(r, "upstream_errors", "Failed calls to origins"),
            refusals: counted(r, "refusals", "Requests that the edge refused itself"),
            group_checks: counted(
                r,
                "group_checks",
                "Groups of session traffic that were checked",
            ),
            reloads: counted(r, "reloads", "Reloads of rules and certificates"),
            certificate_orders: counted(r, "certificate_orders", "Certificates ordered, by host"),
            connections: counted(r, "connections", "Open connections from clients"),
            tls_handshake_failures: counted(r, "tls_handshake_failures", "Failed handshakes"),
            proxy_headers_refused: counted(
                r,
                "proxy_headers_refused",
                "Connections of load balancers without a good PROXY header",
            ),
            connections_refused: counted(
                r,
                "connections_refused",
                "Connections that were closed unread",
            ),
            access_lines_dropped: counted(r, "access_lines_dropped", "Access log lines lost"),
            origins: OriginMetrics::registered(r),
            registry,
        }
    }

    /// An exchange ended: its last byte, or its failure, has left.
    pub fn request(&self, site: impl Into<Arc<str>>, status: u16, duration: Duration) {
        let site = site.into();
        let labels = RequestLabels {
            site: Arc::clone(&site),
            status_class: status_class(status),
        };
        self.requests.get_or_create(&labels).inc();
        let site = SiteLabel { site };
        self.durations
            .get_or_create(&site)
            .observe(duration.as_secs_f64());
    }

    pub fn bytes(&self, direction: Direction, count: u64) {
        let direction = direction.as_str();
        self.bytes
            .get_or_create(&DirectionLabel { direction })
            .inc_by(count);
    }

    pub fn page_rewritten(&self, site: impl Into<Arc<str>>, rule: impl Into<Arc<str>>) {
        let (site, rule) = (site.into(), rule.into());
        self.pages_rewritten
            .get_or_create(&RuleLabels { site, rule })
            .inc();
    }

    /// An answer was not touched at all.
    pub fn page_passed(&self, site: impl Into<Arc<str>>, reason: &'static str) {
        let site = site.into();
        self.pages_passed
            .get_or_create(&PassLabels { site, reason })
            .inc();
    }

    /// A page was begun but could not be masked to its end, and so was left without the tag.
    pub fn page_untagged(&self, site: &str, rule: &str, reason: &'static str) {
        let labels = UntaggedLabels {
            site: site.into(),
            rule: rule.into(),
            reason,
        };
        self.pages_untagged.get_or_create(&labels).inc();
    }

    /// `count` elements of one page were masked because of `selector`.
    pub fn masks_applied(&self, site: &str, rule: &str, selector: &str, count: u64) {
        let labels = MaskLabels {
            site: site.into(),
            rule: rule.into(),
            selector: selector.to_owned(),
        };
        self.masks_applied.get_or_create(&labels).inc_by(count);
    }

    pub fn upstream_error(&self, site: &str, kind: &'static str, blame: Blame) {
        let labels = UpstreamErrorLabels {
            site: site.into(),
            kind,
            blame: blame.as_str(),
        };
        self.upstream_errors.get_or_create(&labels).inc();
    }

    /// The edge answered a request itself because it would not carry it.
    pub fn refused(&self, reason: &'static str) {
        self.refusals.get_or_create(&ReasonLabel { reason }).inc();
    }

    /// Session traffic named a group: `outcome` is "allowed", or why it was refused.
    pub fn group_checked(&self, site: &str, outcome: &'static str) {
        let site = site.into();
        self.group_checks
            .get_or_create(&GroupCheckLabels { site, outcome })
            .inc();
    }

    /// `what` is "rules" or "certificates".
    pub fn reloaded<T, E>(&self, what: &'static str, result: &Result<T, E>) {
        let outcome = if result.is_ok() { "ok" } else { "refused" };
        self.reloads
            .get_or_create(&ReloadLabels { what, outcome })
            .inc();
    }

    /// `host` is one of the configuration.
    pub fn certificate_ordered(&self, host: &str, came: bool) {
        let host = host.to_owned();
        let outcome = if came { "ok" } else { "failed" };
        self.certificate_orders
            .get_or_create(&OrderLabels { host, outcome })
            .inc();
    }

    /// Counts a connection for as long as the guard lives. `scheme` is "http" or "https".
    pub fn connection(&self, scheme: &'static str) -> ConnectionGuard {
        let gauge = self
            .connections
            .get_or_create_owned(&SchemeLabel { scheme });
        gauge.inc();
        ConnectionGuard { gauge }
    }

    pub fn tls_handshake_failed(&self, reason: &'static str) {
        self.tls_handshake_failures
            .get_or_create(&ReasonLabel { reason })
            .inc();
    }

    pub fn proxy_header_refused(&self, reason: &'static str) {
        self.proxy_headers_refused
            .get_or_create(&ReasonLabel { reason })
            .inc();
    }

    /// `reason` is "address": there were too many from it.
    pub fn connection_refused(&self, reason: &'static str) {
        self.connections_refused
            .get_or_create(&ReasonLabel { reason })
            .inc();
    }

    /// How the origins of all sites do now.
    pub fn publish_origins(&self, sites: &[SiteFigures]) {
        self.origins.publish(sites);
    }

    /// Everything, in the text form that Prometheus reads ([`METRICS_CONTENT_TYPE`]).
    pub fn encode(&self) -> String {
        let mut text = String::new();
        match encode(&mut text, &self.registry) {
            Ok(()) => text,
            // Writing to a String cannot fail; what was written before a failure is not a whole.
            Err(fmt::Error) => String::new(),
        }
    }

    pub(super) fn access_lines_dropped(&self) -> Counter {
        self.access_lines_dropped.clone()
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

impl Direction {
    fn as_str(self) -> &'static str {
        match self {
            Self::Down => "down",
            Self::Up => "up",
        }
    }
}

impl Drop for ConnectionGuard {
    fn drop(&mut self) {
        self.gauge.dec();
    }
}

pub(super) fn counted<M: Metric + Default + Clone>(
    registry: &mut Registry,
    name: &str,
    help: &str,
) -> M {
    let metric = M::default();
    registry.register(name, help, metric.clone());
    metric
}

fn registered_durations(
    registry: &mut Registry,
) -> Family<SiteLabel, Histogram, fn() -> Histogram> {
    let family = Family::new_with_constructor(duration_histogram as fn() -> Histogram);
    let help = "Time from a request's head to the last byte of its answer";
    registry.register_with_unit("request_duration", help, Unit::Seconds, family.clone());
    family
}

/// 1 ms to about 16 s, each bound twice the one before.
fn duration_histogram() -> Histogram {
    Histogram::new(exponential_buckets(0.001, 2.0, 15))
}

fn status_class(status: u16) -> &'static str {
    match status {
        100..200 => "1xx",
        200..300 => "2xx",
        300..400 => "3xx",
        400..500 => "4xx",
        500..600 => "5xx",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::OriginFigures;

    #[track_caller]
    fn check(metrics: &Metrics, line: &str) {
        let text = metrics.encode();
        assert!(text.lines().any(|l| l == line), "no {line:?} in:\n{text}");
    }

    #[test]
    fn names_are_those_of_the_design() {
        let metrics = Metrics::new();
        metrics.request("bank", 204, Duration::from_millis(3));
        metrics.bytes(Direction::Down, 7);
        metrics.page_rewritten("bank", "mortgage desk");
        metrics.page_passed("bank", "not-html");
        metrics.page_untagged("bank", "site", "ambiguous");
        metrics.masks_applied("bank", "site", "#ssn", 2);
        metrics.upstream_error("bank", "refused", Blame::Upstream);
        metrics.refused("bad-host");
        metrics.group_checked("bank", "group_not_allowed");
        metrics.reloaded("rules", &Err::<(), ()>(()));
        metrics.certificate_ordered("bank.example", false);
        metrics.tls_handshake_failed("timeout");
        metrics.proxy_header_refused("malformed");
        metrics.connection_refused("address");
        metrics.publish_origins(&[SiteFigures {
            site: "bank".to_owned(),
            retries: 3,
            waiting: 4,
            origins: vec![OriginFigures {
                origin: "http://10.0.0.1:80".to_owned(),
                is_up: true,
                in_flight: 2,
                ejections: 1,
            }],
        }]);
        for line in [
            r#"edge_requests_total{site="bank",status_class="2xx"} 1"#,
            r#"edge_request_duration_seconds_bucket{le="0.004",site="bank"} 1"#,
            r#"edge_bytes_total{direction="down"} 7"#,
            r#"edge_pages_rewritten_total{site="bank",rule="mortgage desk"} 1"#,
            r#"edge_pages_passed_total{site="bank",reason="not-html"} 1"#,
            r#"edge_pages_untagged_total{site="bank",rule="site",reason="ambiguous"} 1"#,
            r##"edge_masks_applied_total{site="bank",rule="site",selector="#ssn"} 2"##,
            r#"edge_upstream_errors_total{site="bank",kind="refused",blame="upstream"} 1"#,
            r#"edge_refusals_total{reason="bad-host"} 1"#,
            r#"edge_certificate_orders_total{host="bank.example",outcome="failed"} 1"#,
            r#"edge_group_checks_total{site="bank",outcome="group_not_allowed"} 1"#,
            r#"edge_reloads_total{what="rules",outcome="refused"} 1"#,
            r#"edge_tls_handshake_failures_total{reason="timeout"} 1"#,
            r#"edge_proxy_headers_refused_total{reason="malformed"} 1"#,
            r#"edge_connections_refused_total{reason="address"} 1"#,
            r#"edge_origin_up{site="bank",origin="http://10.0.0.1:80"} 1"#,
            r#"edge_origin_in_flight{site="bank",origin="http://10.0.0.1:80"} 2"#,
            r#"edge_origin_ejections_total{site="bank",origin="http://10.0.0.1:80"} 1"#,
            r#"edge_upstream_retries_total{site="bank"} 3"#,
            r#"edge_upstream_queue{site="bank"} 4"#,
        ] {
            check(&metrics, line);
        }
        metrics.publish_origins(&[]);
        assert!(!metrics.encode().contains("10.0.0.1"));
    }

    #[test]
    fn a_connection_is_counted_while_its_guard_lives() {
        let metrics = Metrics::new();
        let guard = metrics.connection("https");
        check(&metrics, r#"edge_connections{scheme="https"} 1"#);
        drop(guard);
        check(&metrics, r#"edge_connections{scheme="https"} 0"#);
    }

    #[test]
    fn quotes_in_a_selector_do_not_break_the_text() {
        let metrics = Metrics::new();
        metrics.masks_applied("bank", "site", "input[type=\"password\"]", 1);
        check(
            &metrics,
            r#"edge_masks_applied_total{site="bank",rule="site",selector="input[type=\"password\"]"} 1"#,
        );
    }
}
