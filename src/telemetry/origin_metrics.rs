use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use std::sync::atomic::Ordering;

use super::labels::{OriginLabels, SiteLabel};
use super::metrics::counted;

/// How the origins of a site do at this moment. All names are out of the configuration.
#[derive(Clone, Debug)]
pub struct SiteFigures {
    pub site: String,
    /// Requests that were sent a second time, so far.
    pub retries: u64,
    /// Requests that wait for an origin.
    pub waiting: usize,
    pub origins: Vec<OriginFigures>,
}

#[derive(Clone, Debug)]
pub struct OriginFigures {
    pub origin: String,
    pub is_up: bool,
    pub in_flight: u32,
    /// How often it was left alone, so far.
    pub ejections: u64,
}

/// What is kept elsewhere, and asked for when somebody reads the metrics.
pub(super) struct OriginMetrics {
    up: Family<OriginLabels, Gauge>,
    in_flight: Family<OriginLabels, Gauge>,
    ejections: Family<OriginLabels, Counter>,
    retries: Family<SiteLabel, Counter>,
    waiting: Family<SiteLabel, Gauge>,
}

impl OriginMetrics {
    pub(super) fn registered(r: &mut Registry) -> Self {
        Self {
            up: counted(r, "origin_up", "Whether an origin is asked like any other"),
            in_flight: counted(r, "origin_in_flight", "Exchanges with an origin right now"),
            ejections: counted(r, "origin_ejections", "How often an origin was left alone"),
            retries: counted(
                r,
                "upstream_retries",
                "Requests that were sent a second time",
            ),
            waiting: counted(r, "upstream_queue", "Requests that wait for an origin"),
        }
    }

    /// Puts these figures in place of those of before; what is not among them is gone.
    pub(super) fn publish(&self, sites: &[SiteFigures]) {
        self.up.clear();
        self.in_flight.clear();
        self.ejections.clear();
        self.retries.clear();
        self.waiting.clear();
        for figures in sites {
            let site = SiteLabel {
                site: figures.site.as_str().into(),
            };
            set(&self.retries.get_or_create_owned(&site), figures.retries);
            let waiting = self.waiting.get_or_create_owned(&site);
            waiting.set(figures.waiting as i64);
            for one in &figures.origins {
                self.publish_origin(&figures.site, one);
            }
        }
    }

    fn publish_origin(&self, site: &str, figures: &OriginFigures) {
        let labels = OriginLabels {
            site: site.into(),
            origin: figures.origin.clone(),
        };
        self.up.get_or_create(&labels).set(i64::from(figures.is_up));
        let in_flight = self.in_flight.get_or_create_owned(&labels);
        in_flight.set(i64::from(figures.in_flight));
        set(
            &self.ejections.get_or_create_owned(&labels),
            figures.ejections,
        );
    }
}

fn set(counter: &Counter, value: u64) {
    counter.inner().store(value, Ordering::Relaxed);
}
