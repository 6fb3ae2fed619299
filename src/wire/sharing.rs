use http::header::{CACHE_CONTROL, HeaderMap, HeaderName, HeaderValue};

/// Sees to it that no cache but the visitor's own stores an answer that was made for one visitor
/// (RFC 9111 5.2.2.7), whatever else is said of storing it.
pub fn keep_from_shared_caches(headers: &mut HeaderMap) {
    let targeted: Vec<HeaderName> = headers
        .keys()
        .filter(|name| is_targeted(name))
        .cloned()
        .collect();
    for name in targeted {
        headers.remove(name);
    }
    let lines = headers.get_all(CACHE_CONTROL).iter();
    let directives = lines.flat_map(|line| split(line.as_bytes()));
    let kept = directives.filter(|directive| !speaks_of_sharing(directive));
    let all: Vec<&[u8]> = std::iter::once(&b"private"[..]).chain(kept).collect();
    // What consists of parts of field values is one.
    let value = HeaderValue::from_bytes(&all.join(&b", "[..]));
    headers.insert(
        CACHE_CONTROL,
        value.unwrap_or(HeaderValue::from_static("private")),
    );
}

/// Fields that speak to caches on the way, over the head of Cache-Control (RFC 9213 and before it).
fn is_targeted(name: &HeaderName) -> bool {
    let name = name.as_str();
    name.ends_with("-cache-control") || ["surrogate-control", "x-accel-expires"].contains(&name)
}

fn speaks_of_sharing(directive: &[u8]) -> bool {
    let name = directive
        .split(|byte| *byte == b'=')
        .next()
        .unwrap_or_default();
    let name = name.trim_ascii();
    [&b"public"[..], b"private", b"s-maxage"]
        .iter()
        .any(|known| known.eq_ignore_ascii_case(name))
}

/// The members of a list; a comma in quotes parts nothing.
fn split(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut quoted = false;
    let members = line.split(move |byte| {
        quoted ^= *byte == b'"';
        *byte == b',' && !quoted
    });
    members
        .map(<[u8]>::trim_ascii)
        .filter(|member| !member.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::test_heads::{heads, lines};

    #[test]
    fn an_answer_for_one_visitor_is_stored_by_nobody_else() {
        for (before, after) in [
            (&[][..], &["cache-control: private"][..]),
            (
                &[
                    "Cache-Control: Public, max-age=600",
                    "Cache-Control: S-MaxAge=60,",
                ],
                &["cache-control: private, max-age=600"],
            ),
            (
                &["Cache-Control: private=\"set-cookie, x\", no-cache=\"a, b\", no-store"],
                &["cache-control: private, no-cache=\"a, b\", no-store"],
            ),
            (
                &[
                    "CDN-Cache-Control: max-age=1",
                    "Surrogate-Control: max-age=1",
                    "Expires: never",
                    "X-Accel-Expires: 9",
                ],
                &["cache-control: private", "expires: never"],
            ),
        ] {
            let mut headers = heads(before);
            keep_from_shared_caches(&mut headers);
            assert_eq!(lines(&headers), after, "{before:?}");
        }
    }
}
