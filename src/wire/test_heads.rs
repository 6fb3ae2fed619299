//! Heads as tests write them: one `Name: value` per line.

use http::header::{HeaderMap, HeaderName, HeaderValue};

pub(super) fn heads(lines: &[&str]) -> HeaderMap {
    lines
        .iter()
        .map(|line| head(line))
        .fold(HeaderMap::new(), |mut map, (name, value)| {
            map.append(name, value);
            map
        })
}

/// Sorted by name (a map of fields has no order between names), values of one name in their order.
pub(super) fn lines(headers: &HeaderMap) -> Vec<String> {
    let mut lines: Vec<_> = headers
        .iter()
        .map(|(name, value)| (name.as_str(), String::from_utf8_lossy(value.as_bytes())))
        .collect();
    lines.sort_by_key(|(name, _)| *name);
    lines
        .into_iter()
        .map(|(name, value)| format!("{name}: {value}"))
        .collect()
}

fn head(line: &str) -> (HeaderName, HeaderValue) {
    let (name, value) = line.split_once(':').unwrap();
    let value = value.strip_prefix(' ').unwrap_or(value);
    (
        HeaderName::from_bytes(name.as_bytes()).unwrap(),
        HeaderValue::from_bytes(value.as_bytes()).unwrap(),
    )
}
