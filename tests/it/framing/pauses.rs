//! Pause-based techniques: the rest of a request comes after somebody has lost patience, and is
//! taken for a request of its own by whoever did not close the connection.

use std::time::Duration;

use cobrowse_edge::config::EdgeConfig;

use super::expect::Expect::Broken;
use super::expect::{Row, about, post};

const INNER: &str = "GET /inner HTTP/1.1\r\nHost: a\r\n\r\n";

pub(super) fn patience_is_short(config: &mut EdgeConfig) {
    config.upstream.first_byte_timeout = Duration::from_millis(100);
}

pub(super) fn all() -> Vec<Row> {
    let length = format!("Content-Length: {}", INNER.len());
    let chunked = "Transfer-Encoding: chunked";
    let size = format!("{:x}\r\n", INNER.len());
    let chunk = format!("{size}{INNER}\r\n0\r\n\r\n");
    let expecting = format!("Expect: 100-continue\r\n{length}");
    let kept = format!("{length}\r\nConnection: keep-alive");
    let rows = vec![
        post(&length, "", Broken(408)).later(INNER),
        post(&length, &INNER[..7], Broken(408)).later(&INNER[7..]),
        post(&kept, "", Broken(408)).later(INNER),
        post(&expecting, "", Broken(408)).later(INNER),
        post(chunked, "", Broken(408)).later(&*chunk),
        post(chunked, &size, Broken(408)).later(&chunk[size.len()..]),
        post(chunked, &chunk[..9], Broken(408)).later(&chunk[9..]),
        post(chunked, "2\r\nok\r\n", Broken(408)).later(INNER),
        post(chunked, "2\r\nok\r\n0\r\n", Broken(408)).later(INNER),
    ];
    about("pause-based desync", rows)
}
