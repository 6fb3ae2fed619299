//! Which hosts certificates are ordered for, as the rules of now have it.

use std::sync::Arc;

use tokio::sync::watch;

use super::routes::Routes;
use crate::acme::{self, Keeper, orderable};
use crate::config::EdgeConfig;
use crate::rules::HostPattern;
use crate::server::Certificates;
use crate::telemetry::Metrics;

#[derive(Debug)]
pub(super) struct Orders {
    config: acme::Config,
    certificates: Arc<Certificates>,
    hosts: watch::Sender<Arc<[String]>>,
}

impl Orders {
    /// `None`: the settings want none.
    pub(super) fn new(
        config: &EdgeConfig,
        certificates: Option<&Arc<Certificates>>,
        routes: &Routes,
    ) -> Option<Self> {
        let (config, certificates) = config.acme.as_ref().zip(certificates)?;
        let orders = Self {
            config: config.clone(),
            certificates: Arc::clone(certificates),
            hosts: watch::Sender::new(Arc::default()),
        };
        orders.renew(routes);
        Some(orders)
    }

    pub(super) fn keeper(&self, metrics: &Arc<Metrics>) -> Option<Keeper> {
        Keeper::new(
            self.config.clone(),
            self.hosts.subscribe(),
            Arc::clone(&self.certificates),
            Arc::clone(metrics),
        )
    }

    /// To be called whenever other rules come into force.
    pub(super) fn renew(&self, routes: &Routes) {
        let named = self.config.hosts.clone();
        let hosts = named.unwrap_or_else(|| hosts_of(routes));
        self.certificates.expect(&hosts);
        self.hosts.send_if_modified(|known| {
            let is_other = **known != *hosts;
            if is_other {
                *known = hosts.into();
            }
            is_other
        });
    }
}

fn hosts_of(routes: &Routes) -> Vec<String> {
    let patterns = routes.rules.sites().iter().flat_map(|site| site.hosts());
    let exact = patterns.filter_map(|pattern| match pattern {
        HostPattern::Exact(host) => Some(host.to_string()),
        HostPattern::Below(_) | HostPattern::Any => None,
    });
    let mut hosts: Vec<_> = exact.filter(|host| orderable(host)).collect();
    hosts.sort();
    hosts
}
