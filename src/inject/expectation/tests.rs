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
