use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::value::{duration_or_never, path};
use crate::document::{TableReader, count, duration, size};
use crate::upstream::Config;

/// `[upstream]`: what every origin gets where its site says nothing else.
#[derive(Debug, Default)]
pub(super) struct UpstreamTable {
    pub(super) config: Config,
    /// The page that visitors get where there is no answer.
    pub(super) error_page: Option<PathBuf>,
}

impl UpstreamTable {
    pub(super) fn read(mut table: TableReader<'_>, base: &Path) -> Self {
        let config = read_config(&mut table);
        let error_page = table.take("error_page", path(base));
        table.finish();
        Self {
            config,
            error_page: error_page.map(|page| page.value),
        }
    }
}

fn read_config(table: &mut TableReader<'_>) -> Config {
    let default = Config::default();
    Config {
        connect_timeout: table.take_or(
            "connect_timeout",
            default.connect_timeout,
            duration(CONNECT),
        ),
        first_byte_timeout: table.take_or(
            "first_byte_timeout",
            default.first_byte_timeout,
            duration(WAITS),
        ),
        body_idle_timeout: table.take_or(
            "body_idle_timeout",
            default.body_idle_timeout,
            duration_or_never(WAITS),
        ),
        pool_idle_timeout: table.take_or(
            "pool_idle_timeout",
            default.pool_idle_timeout,
            duration(WAITS),
        ),
        pool_idle_max: table.take_or("pool_idle_max", default.pool_idle_max, count(POOL)),
        resolve_interval: table.take_or(
            "resolve_interval",
            default.resolve_interval,
            duration(RESOLVING),
        ),
        headers_max: table.take_or("headers_max", default.headers_max, count(HEADERS)),
        head_bytes_max: table.take_or("head_bytes_max", default.head_bytes_max, size(HEAD_BYTES)),
        ..default
    }
}

/// A connection in the same rack takes less than a millisecond; nobody waits longer than a minute.
const CONNECT: RangeInclusive<Duration> = Duration::from_millis(50)..=Duration::from_mins(1);
/// A slow report may take hours; longer than a day is a slip of the unit.
const WAITS: RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_hours(24);
/// Names are no heartbeat; after an hour even a slow change is over.
const RESOLVING: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_hours(1);
/// 0: every exchange on a connection of its own. Above, origins run out of descriptors.
const POOL: RangeInclusive<u64> = 0..=10_000;
/// Above, heads are no longer heads.
const HEADERS: RangeInclusive<u64> = 20..=1_000;
/// From what hyper needs to what is still no page.
const HEAD_BYTES: RangeInclusive<u64> = 8 * 1024..=1024 * 1024;
