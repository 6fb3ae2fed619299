use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use toml::de::DeValue;

use crate::document::{
    Fault, Stated, THIS_KEY, TableReader, check_host, check_host_port, count, duration, flag,
    one_of, plain_text, refuse_odd_characters, text,
};
use crate::rules::origin::OriginHealth;

/// `[site.upstream]`
#[derive(Debug, Default)]
pub(in crate::rules) struct UpstreamTable {
    pub(in crate::rules) ca: Option<Stated<PathBuf>>,
    pub(in crate::rules) server_name: Option<Stated<Box<str>>>,
    pub(in crate::rules) client_certificate: Option<Stated<PathBuf>>,
    pub(in crate::rules) client_key: Option<Stated<PathBuf>>,
    pub(in crate::rules) connect_timeout: Option<Duration>,
    pub(in crate::rules) first_byte_timeout: Option<Duration>,
    pub(in crate::rules) idle_timeout: Option<Duration>,
    pub(in crate::rules) balance: Option<Stated<BalanceName>>,
    pub(in crate::rules) balance_cookie: Option<Stated<Box<str>>>,
    pub(in crate::rules) eject_after: Option<u32>,
    pub(in crate::rules) eject_time: Option<Stated<Duration>>,
    pub(in crate::rules) eject_time_max: Option<Stated<Duration>>,
    pub(in crate::rules) panic_threshold: Option<Stated<u32>>,
    pub(in crate::rules) slow_start: Option<Stated<Duration>>,
    pub(in crate::rules) retry_percent: Option<u32>,
    pub(in crate::rules) retry_floor: Option<u32>,
    pub(in crate::rules) in_flight_max: Option<u32>,
    pub(in crate::rules) connections_max: Option<u32>,
    pub(in crate::rules) queue_max: Option<Stated<u32>>,
    pub(in crate::rules) queue_timeout: Option<Stated<Duration>>,
    pub(in crate::rules) health: Option<OriginHealth>,
    pub(in crate::rules) http2: Option<Stated<bool>>,
    pub(in crate::rules) error_page: Option<Stated<PathBuf>>,
}

/// A way of balancing, as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::rules) enum BalanceName {
    Address,
    Cookie,
    LeastRequests,
    RoundRobin,
}

impl UpstreamTable {
    pub(super) fn read(mut table: TableReader<'_>) -> Self {
        let health = table.take_table("health", "[site.upstream.health]");
        let server_name =
            |name: &str| check_host(name, name).map(|()| name.to_ascii_lowercase().into());
        let read = Self {
            ca: table.take("ca", text(file_name)),
            server_name: table.take("server_name", text(server_name)),
            client_certificate: table.take("client_certificate", text(file_name)),
            client_key: table.take("client_key", text(file_name)),
            connect_timeout: take(&mut table, "connect_timeout", duration(TIMEOUTS)),
            first_byte_timeout: take(&mut table, "first_byte_timeout", duration(TIMEOUTS)),
            idle_timeout: take(&mut table, "idle_timeout", duration(TIMEOUTS)),
            balance: table.take("balance", one_of(BALANCES)),
            balance_cookie: table.take("balance_cookie", text(cookie_name)),
            eject_after: take(&mut table, "eject_after", count(FAILURES)),
            eject_time: table.take("eject_time", duration(EJECTIONS)),
            eject_time_max: table.take("eject_time_max", duration(EJECTIONS)),
            panic_threshold: table.take("panic_threshold", count(PERCENT)),
            slow_start: table.take("slow_start", duration(STARTS)),
            retry_percent: take(&mut table, "retry_percent", count(PERCENT)),
            retry_floor: take(&mut table, "retry_floor", count(FAILURES)),
            in_flight_max: take(&mut table, "in_flight_max", count(AT_ONCE)),
            connections_max: take(&mut table, "connections_max", count(AT_ONCE)),
            queue_max: table.take("queue_max", count(QUEUE)),
            queue_timeout: table.take("queue_timeout", duration(WAITS)),
            health: health.and_then(read_health),
            http2: table.take("http2", flag),
            error_page: table.take("error_page", text(file_name)),
        };
        table.finish();
        read
    }
}

fn read_health(mut table: TableReader<'_>) -> Option<OriginHealth> {
    table.require(
        "path",
        "write path = \"/healthz\", which the origin answers with 200",
    );
    let host = |host: &str| check_host_port(host).map(|()| host.to_ascii_lowercase().into());
    let path = table.take("path", text(target));
    let statuses = table.take_list("statuses", count(STATUSES)).into_iter();
    let health = OriginHealth {
        path: path.map(|path| path.value).unwrap_or_default(),
        host: take(&mut table, "host", text(host)),
        interval: table.take_or("interval", Duration::from_secs(10), duration(INTERVALS)),
        timeout: table.take_or("timeout", Duration::from_secs(2), duration(TIMEOUTS)),
        healthy_after: table.take_or("healthy_after", 2, count(CHECKS)),
        unhealthy_after: table.take_or("unhealthy_after", 3, count(CHECKS)),
        statuses: statuses.map(|status| status.value).collect(),
    };
    table.finish();
    (!health.path.is_empty()).then_some(health)
}

/// A path with its query.
fn target(given: &str) -> Result<Box<str>, Fault> {
    refuse_odd_characters(given)?;
    let is_fit = given.starts_with('/') && !given.contains('#') && given.len() <= 2_048;
    match is_fit {
        true => Ok(given.into()),
        false => Err(Fault::new(
            format!("{THIS_KEY} cannot be {given:?}"),
            "write an absolute path, such as \"/healthz\"",
        )),
    }
}

/// A value whose place nobody asks for.
fn take<T>(
    table: &mut TableReader<'_>,
    key: &'static str,
    parse: impl Fn(&DeValue<'_>) -> Result<T, Fault>,
) -> Option<T> {
    table.take(key, parse).map(|stated| stated.value)
}

const BALANCES: &[(&str, BalanceName)] = &[
    ("least-requests", BalanceName::LeastRequests),
    ("round-robin", BalanceName::RoundRobin),
    ("address", BalanceName::Address),
    ("cookie", BalanceName::Cookie),
];

/// The longest time-out that makes sense is a day; longer ones are slips of the unit.
const TIMEOUTS: RangeInclusive<Duration> = Duration::from_millis(1)..=Duration::from_hours(24);
/// Shorter, and an origin that is down is asked all the time; longer, and nobody sees it come back.
const EJECTIONS: RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_hours(1);
/// A cache is warm after an hour, or never.
const STARTS: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_hours(1);
/// More often is load; less often is no check.
const INTERVALS: RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_hours(1);
const CHECKS: RangeInclusive<u64> = 1..=100;
const STATUSES: RangeInclusive<u64> = 200..=599;
/// Above, nothing is limited.
const AT_ONCE: RangeInclusive<u64> = 1..=100_000;
const QUEUE: RangeInclusive<u64> = 0..=100_000;
/// Who waits longer has gone.
const WAITS: RangeInclusive<Duration> = Duration::from_millis(1)..=Duration::from_mins(10);
const FAILURES: RangeInclusive<u64> = 1..=1_000;
const PERCENT: RangeInclusive<u64> = 0..=100;

fn file_name(given: &str) -> Result<PathBuf, Fault> {
    plain_text(given).map(PathBuf::from)
}

/// RFC 6265 4.1.1: a token.
fn cookie_name(given: &str) -> Result<Box<str>, Fault> {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    match !given.is_empty() && given.bytes().all(is_token) {
        true => Ok(given.into()),
        false => Err(Fault::new(
            format!("{THIS_KEY} cannot be {given:?}: no cookie is called that"),
            "write the cookie's name alone, such as \"JSESSIONID\"",
        )),
    }
}
