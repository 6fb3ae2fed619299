use std::ops::RangeInclusive;
use std::time::Duration;

use super::value::duration_or_never;
use crate::document::{TableReader, count, duration, size};
use crate::proxy::ExchangeLimits;
use crate::server::Limits;
use crate::wire::{MAX_HEADER_BYTES, MAX_HEADER_LINES};

/// `[limits]`: every limit has bounds within which the server can do its work, so that a slip of the
/// unit is found before a visitor finds it.
pub(super) fn read_limits(mut table: TableReader<'_>) -> (Limits, ExchangeLimits) {
    let default = Limits::default();
    let limits = Limits {
        connections_max: table.take_or(
            "connections_max",
            default.connections_max,
            count(CONNECTIONS),
        ),
        connections_per_address_max: table
            .take("connections_per_address_max", count(CONNECTIONS))
            .map(|stated| stated.value),
        handshake_timeout: table.take_or(
            "handshake_timeout",
            default.handshake_timeout,
            duration(WAITS),
        ),
        head_timeout: table.take_or("head_timeout", default.head_timeout, duration(WAITS)),
        write_stall_timeout: table.take_or(
            "write_stall_timeout",
            default.write_stall_timeout,
            duration(WAITS),
        ),
        headers_max: table.take_or("headers_max", default.headers_max, count(HEADERS)),
        head_bytes_max: table.take_or("head_bytes_max", default.head_bytes_max, size(HEAD_BYTES)),
        connection_buffer_bytes_max: table.take_or(
            "connection_buffer_bytes_max",
            default.connection_buffer_bytes_max,
            size(BUFFER_BYTES),
        ),
        h2_streams_max: table.take_or("h2_streams_max", default.h2_streams_max, count(STREAMS)),
        h2_pending_resets_max: table.take_or(
            "h2_pending_resets_max",
            default.h2_pending_resets_max,
            count(RESETS),
        ),
        h2_error_resets_max: table.take_or(
            "h2_error_resets_max",
            default.h2_error_resets_max,
            count(RESETS),
        ),
        h2_spare_frames_max: table.take_or(
            "h2_spare_frames_max",
            default.h2_spare_frames_max,
            count(SPARE_FRAMES),
        ),
        h2_stream_window: table.take_or("h2_stream_window", default.h2_stream_window, size(WINDOW)),
        h2_connection_window: table.take_or(
            "h2_connection_window",
            default.h2_connection_window,
            size(WINDOW),
        ),
        h2_send_buffer_bytes_max: table.take_or(
            "h2_send_buffer_bytes_max",
            default.h2_send_buffer_bytes_max,
            size(BUFFER_BYTES),
        ),
        h2_ping_interval: table.take_or(
            "h2_ping_interval",
            default.h2_ping_interval,
            duration(WAITS),
        ),
        h2_ping_timeout: table.take_or("h2_ping_timeout", default.h2_ping_timeout, duration(WAITS)),
        h2_idle_timeout: table.take_or("h2_idle_timeout", default.h2_idle_timeout, duration(WAITS)),
    };
    let exchange = read_exchange_limits(&mut table);
    table.finish();
    (limits, exchange)
}

fn read_exchange_limits(table: &mut TableReader<'_>) -> ExchangeLimits {
    let default = ExchangeLimits::default();
    ExchangeLimits {
        body_bytes_max: table.take_or("body_bytes_max", default.body_bytes_max, size(BODY_BYTES)),
        body_timeout: table.take_or("body_timeout", default.body_timeout, duration(WAITS)),
        body_bytes_per_second_min: table.take_or(
            "body_bytes_per_second_min",
            default.body_bytes_per_second_min,
            count(BODY_RATE),
        ),
        exchange_timeout: table.take_or(
            "exchange_timeout",
            default.exchange_timeout,
            duration_or_never(EXCHANGES),
        ),
    }
}

/// No Linux process is given more descriptors than a million without being asked to.
const CONNECTIONS: RangeInclusive<u64> = 1..=1_000_000;
/// Below a second slow networks are shut out; above an hour nothing is limited.
const WAITS: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_hours(1);
/// Browsers send some 20; above the gate's own limit the request is refused anyway.
const HEADERS: RangeInclusive<u64> = 20..=MAX_HEADER_LINES as u64;
/// Below, a browser's usual head does not fit; above the gate's own limit it is refused anyway.
const HEAD_BYTES: RangeInclusive<u64> = 4 * KIB..=MAX_HEADER_BYTES as u64;
/// From what hyper needs, to what 10,000 connections can each have on a large machine.
const BUFFER_BYTES: RangeInclusive<u64> = 8 * KIB..=4 * MIB;
/// From the smallest form to what no site takes by HTTP.
const BODY_BYTES: RangeInclusive<u64> = KIB..=1024 * 1024 * MIB;
/// Above, visitors on mobile networks are shut out.
const BODY_RATE: RangeInclusive<u64> = 0..=16 * KIB;
/// Below a second no page is whole; above a day nothing is limited.
const EXCHANGES: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_hours(24);
const STREAMS: RangeInclusive<u64> = 1..=10_000;
/// Below, a browser that leaves a page with many pictures is taken for an attacker.
const SPARE_FRAMES: RangeInclusive<u64> = 200..=1_000_000;
const RESETS: RangeInclusive<u64> = 1..=100_000;
/// From about HTTP/2's initial window (RFC 9113 6.9.2) to more than any link holds in flight.
const WINDOW: RangeInclusive<u64> = 64 * KIB..=64 * MIB;

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;
