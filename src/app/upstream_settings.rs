//! What rules say of a site's origins, in the words of the upstream room.

use std::time::Duration;

use crate::rules::{OriginAddress, OriginBalance, OriginHealth, OriginScheme, OriginSettings};
use crate::upstream::{
    Balance, Config, Ejection, HashOn, HealthCheck, Policy, QueueConfig, RetryConfig, Target,
    TlsSettings,
};
use crate::wire::Scheme;

pub(super) fn targets(settings: &OriginSettings) -> impl Iterator<Item = Target> {
    let addresses = settings.addresses.iter();
    addresses.map(|address| target(address, settings))
}

fn target(address: &OriginAddress, settings: &OriginSettings) -> Target {
    Target {
        scheme: match address.scheme {
            OriginScheme::Http => Scheme::Http,
            OriginScheme::Https => Scheme::Https,
        },
        // An IPv6 address stands in brackets in a URL only.
        host: address.host.trim_matches(['[', ']']).to_owned(),
        port: address.port,
        socket: address.socket.as_deref().map(Into::into),
        tls: TlsSettings {
            ca: settings.ca.clone(),
            server_name: settings.server_name.as_deref().map(str::to_owned),
            client_certificate: settings.client_certificate.clone(),
            client_key: settings.client_key.clone(),
        },
    }
}

/// What holds for each of the origins: the process's settings, where the site has none of its own.
pub(super) fn config(defaults: &Config, settings: &OriginSettings) -> Config {
    let or = |own: Option<Duration>, default| own.unwrap_or(default);
    let ejection = &defaults.ejection;
    let time = or(settings.eject_time, ejection.time);
    Config {
        connect_timeout: or(settings.connect_timeout, defaults.connect_timeout),
        first_byte_timeout: or(settings.first_byte_timeout, defaults.first_byte_timeout),
        body_idle_timeout: settings.idle_timeout.or(defaults.body_idle_timeout),
        ejection: Ejection {
            after: settings.eject_after.unwrap_or(ejection.after),
            time,
            time_max: or(settings.eject_time_max, ejection.time_max).max(time),
        },
        slow_start: settings.slow_start,
        in_flight_max: settings.in_flight_max.map(|max| max as usize),
        connections_max: settings.connections_max.map(|max| max as usize),
        http2: settings.http2,
        health_check: settings.health.as_ref().and_then(health_check),
        ..defaults.clone()
    }
}

/// The rules room has made sure that path and host are what they must be.
fn health_check(health: &OriginHealth) -> Option<HealthCheck> {
    let host = health.host.as_deref();
    Some(HealthCheck {
        path: health.path.parse().ok()?,
        host: host.and_then(|host| host.parse().ok()),
        interval: health.interval,
        timeout: health.timeout,
        healthy_after: health.healthy_after,
        unhealthy_after: health.unhealthy_after,
        statuses: health.statuses.clone(),
    })
}

/// How they are chosen among.
pub(super) fn policy(settings: &OriginSettings) -> Policy {
    let default = Policy::default();
    let balance = settings.balance.as_ref().map(|balance| match balance {
        OriginBalance::Address => Balance::Hash(HashOn::Address),
        OriginBalance::Cookie(name) => Balance::Hash(HashOn::Cookie(name.clone())),
        OriginBalance::LeastRequests => Balance::LeastRequests,
        OriginBalance::RoundRobin => Balance::RoundRobin,
    });
    let (retry, queue) = (default.retry, default.queue);
    Policy {
        balance: balance.unwrap_or(default.balance),
        panic_threshold: settings.panic_threshold.unwrap_or(default.panic_threshold),
        queue: QueueConfig {
            length_max: settings
                .queue_max
                .map_or(queue.length_max, |max| max as usize),
            timeout: settings.queue_timeout.unwrap_or(queue.timeout),
        },
        retry: RetryConfig {
            percent: settings.retry_percent.unwrap_or(retry.percent),
            floor: settings.retry_floor.unwrap_or(retry.floor),
        },
    }
}
