use http::header::{HeaderMap, HeaderName, HeaderValue};

/// Fields with which the edge tells of itself, under names of the operator's choosing. Without a
/// name nothing is told.
///
/// Nobody else is believed under these names: whatever comes with them is dropped, on the way up
/// and on the way down.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Markers {
    /// In a request: a page that answers it gets the tag, so that an origin need not write its own.
    pub request: Option<HeaderName>,
    /// In an answer: what the edge has decided, by which rule. For debugging.
    pub response: Option<HeaderName>,
}

/// Why a field cannot be a marker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MarkerError {
    #[error("this is not a field's name")]
    Malformed,
    #[error("this field means something in HTTP already")]
    Taken,
}

impl Markers {
    /// A name that a marker can have.
    pub fn parse_name(text: &str) -> Result<HeaderName, MarkerError> {
        let name = HeaderName::try_from(text).map_err(|_| MarkerError::Malformed)?;
        let text = name.as_str();
        let family = FAMILIES.iter().any(|start| text.starts_with(start));
        match family || TAKEN.contains(&text) {
            true => Err(MarkerError::Taken),
            false => Ok(name),
        }
    }

    /// Takes out what a stranger says under these names.
    pub fn drop_from(&self, headers: &mut HeaderMap) {
        for name in self.request.iter().chain(&self.response) {
            headers.remove(name);
        }
    }

    pub fn mark_request(&self, headers: &mut HeaderMap) {
        if let Some(name) = &self.request {
            headers.insert(name, HeaderValue::from_static("will-tag"));
        }
    }

    /// `text` is only made where it is told. What a field cannot hold becomes a question mark.
    pub fn mark_response(&self, headers: &mut HeaderMap, text: impl FnOnce() -> String) {
        let Some(name) = &self.response else {
            return;
        };
        let visible = |c: char| {
            if c == ' ' || c.is_ascii_graphic() {
                c
            } else {
                '?'
            }
        };
        let text: String = text().chars().map(visible).collect();
        if let Ok(value) = HeaderValue::try_from(text) {
            headers.insert(name, value);
        }
    }
}

/// Whole families: what frames and describes a body, asks on conditions, names peers, and what
/// browsers alone may say.
const FAMILIES: [&str; 12] = [
    "accept",
    "access-control-",
    "content-",
    "cookie",
    "cross-origin-",
    "if-",
    "proxy-",
    "sec-",
    "set-cookie",
    "upgrade",
    "www-",
    "x-forwarded-",
];

const TAKEN: [&str; 47] = [
    "age",
    "allow",
    "alt-svc",
    "authorization",
    "cache-control",
    "clear-site-data",
    "connection",
    "date",
    "digest",
    "early-data",
    "etag",
    "expect",
    "expires",
    "forwarded",
    "from",
    "host",
    "http2-settings",
    "integrity-policy",
    "keep-alive",
    "last-modified",
    "link",
    "location",
    "max-forwards",
    "origin",
    "permissions-policy",
    "pragma",
    "purpose",
    "range",
    "referer",
    "referrer-policy",
    "refresh",
    "repr-digest",
    "retry-after",
    "server",
    "strict-transport-security",
    "te",
    "trailer",
    "transfer-encoding",
    "user-agent",
    "vary",
    "via",
    "warning",
    "x-content-type-options",
    "x-frame-options",
    "x-moz",
    "x-real-ip",
    "x-requested-with",
];

#[cfg(test)]
mod tests {
    use super::super::test_heads::{heads, lines};
    use super::*;

    #[test]
    fn a_marker_has_a_name_of_its_own() {
        for name in ["cobrowse-edge", "X-Cobrowse-Verdict", "edge_1"] {
            assert!(Markers::parse_name(name).is_ok(), "{name}");
        }
        for name in ["", "a b", "a:", "é", ":authority"] {
            assert_eq!(
                Markers::parse_name(name),
                Err(MarkerError::Malformed),
                "{name}"
            );
        }
        for name in [
            "Host",
            "Connection",
            "Transfer-Encoding",
            "Content-Length",
            "Cookie",
            "Set-Cookie",
            "X-Forwarded-For",
            "Sec-Fetch-Dest",
            "If-None-Match",
            "Authorization",
            "Via",
            "Vary",
            "ETag",
        ] {
            assert_eq!(Markers::parse_name(name), Err(MarkerError::Taken), "{name}");
        }
    }

    #[test]
    fn only_the_edge_speaks_under_these_names() {
        let markers = Markers {
            request: Some(HeaderName::from_static("x-up")),
            response: Some(HeaderName::from_static("x-down")),
        };
        let mut headers = heads(&[
            "X-Up: forged",
            "x-up: twice",
            "X-Down: forged",
            "X-Other: 1",
        ]);
        markers.drop_from(&mut headers);
        assert_eq!(lines(&headers), ["x-other: 1"]);
        markers.mark_request(&mut headers);
        markers.mark_response(&mut headers, || {
            "pass; rule=\"Gr\u{f6}\u{df}e\n\"".to_owned()
        });
        assert_eq!(headers["x-up"], "will-tag");
        assert_eq!(headers["x-down"], "pass; rule=\"Gr??e?\"");
    }

    #[test]
    fn without_a_name_nothing_is_told() {
        let mut headers = heads(&["X-Other: 1"]);
        Markers::default().drop_from(&mut headers);
        Markers::default().mark_request(&mut headers);
        Markers::default().mark_response(&mut headers, || unreachable!());
        assert_eq!(lines(&headers), ["x-other: 1"]);
    }
}
