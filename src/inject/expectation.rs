use http::HeaderMap;
use http::header::ACCEPT;

/// What the visitor's browser will do with the answer, as far as the request tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expectation {
    /// It will show it as a document, in a window.
    Page,
    /// It will show it as a document inside of another one.
    Frame,
    /// The request does not tell (an old client, a tool), or a browser fetches ahead what may
    /// become a page.
    Unknown,
    /// A script of the page or the page's resources asked for it.
    Fragment,
}

/// An expectation, and the request fields that were looked at to come to it.
///
/// Each question is only asked where those before it left something open, so that an answer varies
/// by what decided about it and by nothing else: a cache that finds these fields unchanged would
/// have come to the same expectation (RFC 9111 4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expected {
    pub expectation: Expectation,
    pub looked_at: &'static [&'static str],
}

impl Expected {
    /// Reads X-Requested-With, else Sec-Fetch-Dest, else Sec-Fetch-Mode, else Accept
    /// (Fetch Metadata 2.1 and 2.2).
    pub fn of(headers: &HeaderMap) -> Self {
        if asked_by_script(headers) {
            return Self::new(Expectation::Fragment, 1);
        }
        if let Some(dest) = headers.get("sec-fetch-dest") {
            return Self::of_destination(dest.as_bytes(), headers);
        }
        if let Some(mode) = headers.get("sec-fetch-mode") {
            return Self::new(of_mode(mode.as_bytes()), 3);
        }
        let expectation = match accepts_html(headers) {
            true => Expectation::Page,
            false => Expectation::Unknown,
        };
        Self::new(expectation, 4)
    }

    /// Browsers send the same words in lower case, always.
    fn of_destination(dest: &[u8], headers: &HeaderMap) -> Self {
        match dest {
            // A prerendered page asks like this, too, and becomes the visited page as it is; so
            // does a page that is fetched ahead by speculation rules.
            b"document" => Self::new(Expectation::Page, 2),
            b"iframe" | b"frame" | b"fencedframe" | b"object" | b"embed" => {
                Self::new(Expectation::Frame, 2)
            }
            b"empty" => Self {
                expectation: match is_fetched_ahead(headers) {
                    true => Expectation::Unknown,
                    false => Expectation::Fragment,
                },
                looked_at: &LOOKED_AT_FOR_EMPTY,
            },
            _ => Self::new(Expectation::Fragment, 2),
        }
    }

    fn new(expectation: Expectation, questions: usize) -> Self {
        Self {
            expectation,
            looked_at: &LOOKED_AT[..questions],
        }
    }
}

const LOOKED_AT: [&str; 4] = [
    "X-Requested-With",
    "Sec-Fetch-Dest",
    "Sec-Fetch-Mode",
    "Accept",
];

const LOOKED_AT_FOR_EMPTY: [&str; 5] = [
    "X-Requested-With",
    "Sec-Fetch-Dest",
    "Sec-Purpose",
    "Purpose",
    "X-Moz",
];

/// The value counts: Android's web views put their package's name there on every request.
fn asked_by_script(headers: &HeaderMap) -> bool {
    let mut values = headers.get_all("x-requested-with").iter();
    values.any(|value| value.as_bytes().eq_ignore_ascii_case(b"XMLHttpRequest"))
}

/// Chromium 76 to 79 sent the mode without the destination; `nested-navigate` was a frame's.
fn of_mode(mode: &[u8]) -> Expectation {
    match mode {
        b"navigate" => Expectation::Page,
        b"nested-navigate" => Expectation::Frame,
        _ => Expectation::Fragment,
    }
}

/// `<link rel=prefetch>` fetches without saying for what: for a visit, in most cases, which then
/// shows the stored answer. What does not begin like a document is left alone all the same. The
/// scripts of a prerendered page say that they are part of one, and fetch what scripts fetch.
fn is_fetched_ahead(headers: &HeaderMap) -> bool {
    let says = |wanted: &[u8]| {
        PURPOSES.iter().any(|field| {
            let lines = headers.get_all(*field).iter();
            let words = lines.flat_map(|line| line.as_bytes().split(|byte| b",;".contains(byte)));
            let mut words = words.map(<[u8]>::trim_ascii);
            words.any(|word| word.eq_ignore_ascii_case(wanted))
        })
    };
    says(b"prefetch") && !says(b"prerender")
}

/// Of the standard, of older Chromiums and Safaris, and of older Firefoxes.
const PURPOSES: [&str; 3] = ["sec-purpose", "purpose", "x-moz"];

fn accepts_html(headers: &HeaderMap) -> bool {
    headers.get_all(ACCEPT).iter().any(|value| {
        let mut types = value.as_bytes().split(|byte| matches!(byte, b',' | b';'));
        types.any(|media_type| media_type.trim_ascii().eq_ignore_ascii_case(b"text/html"))
    })
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;

    fn expected(fields: &[(&'static str, &'static str)]) -> Expected {
        let headers = fields.iter().map(|(name, value)| {
            (
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            )
        });
        Expected::of(&headers.collect())
    }

    #[test]
    fn tells_documents_from_what_scripts_ask_for() {
        use Expectation::{Fragment, Frame, Page, Unknown};
        for (fields, expectation) in [
            (&[][..], Unknown),
            (&[("accept", "*/*")], Unknown),
            (
                &[("accept", "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8")],
                Page,
            ),
            (&[("accept", "application/json, TEXT/HTML;q=0.5")], Page),
            (&[("accept", "text/html5, x/text/html")], Unknown),
            (&[("sec-fetch-dest", "document")], Page),
            (&[("sec-fetch-dest", "iframe")], Frame),
            (&[("sec-fetch-dest", "frame")], Frame),
            (&[("sec-fetch-dest", "fencedframe")], Frame),
            (&[("sec-fetch-dest", "object")], Frame),
            (&[("sec-fetch-dest", "embed")], Frame),
            (
                &[("sec-fetch-dest", "empty"), ("accept", "text/html")],
                Fragment,
            ),
            (&[("sec-fetch-dest", "script")], Fragment),
            (&[("sec-fetch-dest", "")], Fragment),
            (&[("sec-fetch-mode", "navigate"), ("accept", "*/*")], Page),
            (&[("sec-fetch-mode", "nested-navigate")], Frame),
            (
                &[("sec-fetch-mode", "cors"), ("accept", "text/html")],
                Fragment,
            ),
            (
                &[
                    ("sec-fetch-mode", "no-cors"),
                    ("sec-fetch-dest", "document"),
                ],
                Page,
            ),
            (
                &[
                    ("x-requested-with", "XMLHttpRequest"),
                    ("accept", "text/html"),
                ],
                Fragment,
            ),
            (
                &[
                    ("x-requested-with", "com.example.app"),
                    ("sec-fetch-dest", "document"),
                ],
                Page,
            ),
        ] {
            assert_eq!(expected(fields).expectation, expectation, "{fields:?}");
        }
    }

    /// What is prerendered, or fetched ahead by speculation rules, becomes the visited page as it
    /// is. A link's prefetch may.
    #[test]
    fn what_is_fetched_ahead_may_become_the_page() {
        use Expectation::{Fragment, Frame, Page, Unknown};
        for (dest, purpose, expectation) in [
            ("document", ("sec-purpose", "prefetch;prerender"), Page),
            ("document", ("sec-purpose", "prefetch"), Page),
            ("iframe", ("sec-purpose", "prefetch;prerender"), Frame),
            ("empty", ("sec-purpose", "prefetch"), Unknown),
            ("empty", ("sec-purpose", "prefetch;prerender"), Fragment),
            (
                "empty",
                ("sec-purpose", "prefetch;anonymous-client-ip"),
                Unknown,
            ),
            ("empty", ("purpose", "Prefetch"), Unknown),
            ("empty", ("x-moz", "prefetch"), Unknown),
            ("empty", ("purpose", "prefetching"), Fragment),
            ("empty", ("x-purpose", "prefetch"), Fragment),
            ("script", ("purpose", "prefetch"), Fragment),
        ] {
            let fields = [("sec-fetch-dest", dest), purpose];
            assert_eq!(expected(&fields).expectation, expectation, "{fields:?}");
        }
        let script = [
            ("x-requested-with", "XMLHttpRequest"),
            ("sec-fetch-dest", "empty"),
            ("sec-purpose", "prefetch"),
        ];
        assert_eq!(expected(&script).expectation, Fragment);
    }

    /// The fields that were not looked at may say what they like.
    #[test]
    fn what_was_not_looked_at_decides_nothing() {
        let values = |field: &str| match field {
            "X-Requested-With" => &["", "XMLHttpRequest", "com.example.app"][..],
            "Sec-Fetch-Dest" => &["", "document", "iframe", "empty", "image"],
            "Sec-Fetch-Mode" => &["", "navigate", "cors"],
            "Accept" => &["", "text/html", "*/*"],
            _ => &["", "prefetch"],
        };
        let fields = LOOKED_AT.iter().chain(&LOOKED_AT_FOR_EMPTY[2..]);
        let mut requests = vec![Vec::new()];
        for field in fields {
            let grown = requests.iter().flat_map(|request: &Vec<_>| {
                values(field)
                    .iter()
                    .map(move |value| [&request[..], &[(*field, *value)]].concat())
            });
            requests = grown.collect();
        }
        let read = |request: &Vec<(&str, &str)>| {
            let said = request.iter().filter(|(_, value)| !value.is_empty());
            let headers = said.map(|(name, value)| {
                (
                    name.parse::<HeaderName>().unwrap(),
                    value.parse::<HeaderValue>().unwrap(),
                )
            });
            Expected::of(&headers.collect())
        };
        for one in requests.iter().step_by(7) {
            let stored = read(one);
            for other in &requests {
                let matches = stored.looked_at.iter().all(|field| {
                    let value = |request: &Vec<(&str, &str)>| {
                        request
                            .iter()
                            .find(|(name, _)| name == field)
                            .unwrap()
                            .1
                            .to_owned()
                    };
                    value(one) == value(other)
                });
                assert!(!matches || read(other) == stored, "{one:?} {other:?}");
            }
        }
    }
}
