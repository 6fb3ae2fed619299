use http::{HeaderName, HeaderValue, Response};

use super::*;
use crate::html::{ExistingTag, Placement, ScriptTag};

fn plan() -> Plan {
    let tag = ScriptTag::render([("id", Some("t"))]).unwrap();
    Plan::new(tag, Placement::End, ExistingTag::Replace, Vec::new())
}

fn headers(fields: &[(&'static str, &'static str)]) -> HeaderMap {
    let typed = fields.iter().map(|(name, value)| {
        (
            HeaderName::from_static(name),
            HeaderValue::from_static(value),
        )
    });
    let mut map = HeaderMap::new();
    typed.for_each(|(name, value)| {
        map.append(name, value);
    });
    map
}

type Fields = &'static [(&'static str, &'static str)];

fn verdict(method: Method, asked: Fields, status: u16, head: Fields) -> Verdict {
    let request = headers(asked);
    let asked = Asked {
        method,
        expectation: Expectation::of(&request),
        accept: AcceptEncoding::parse(&request),
    };
    let (mut parts, ()) = Response::new(()).into_parts();
    parts.status = StatusCode::from_u16(status).unwrap();
    parts.headers = headers(head);
    judge(&asked, &parts, Ok(&plan()))
}

const NAVIGATION: Fields = &[("sec-fetch-dest", "document")];

const HTML: (&str, &str) = ("content-type", "text/html");

/// A response that is left alone for one reason, and nothing else: one row per reason.
const LEFT_ALONE: &[(SkipReason, Fields, u16, Fields)] = &[
    (
        SkipReason::Attachment,
        &[],
        200,
        &[HTML, ("content-disposition", "Attachment; filename=a")],
    ),
    (
        SkipReason::Attachment,
        &[],
        200,
        &[HTML, ("content-disposition", "unheard-of")],
    ),
    (SkipReason::BodyAbsent, &[], 204, &[HTML]),
    (SkipReason::BodyAbsent, &[], 205, &[HTML]),
    (SkipReason::BodyAbsent, &[], 304, &[HTML]),
    (SkipReason::BodyAbsent, &[], 103, &[HTML]),
    (
        SkipReason::Charset,
        &[],
        200,
        &[("content-type", "text/html; charset=utf-16")],
    ),
    (
        SkipReason::Charset,
        &[],
        200,
        &[("content-type", "text/html; charset=ISO-2022-JP")],
    ),
    (
        SkipReason::CodingStacked,
        &[],
        200,
        &[HTML, ("content-encoding", "gzip, br")],
    ),
    (
        SkipReason::CodingUnknown,
        &[],
        200,
        &[HTML, ("content-encoding", "compress")],
    ),
    (
        SkipReason::Empty,
        &[],
        200,
        &[HTML, ("content-length", "0")],
    ),
    (
        SkipReason::Fragment,
        &[("sec-fetch-dest", "empty")],
        200,
        &[HTML],
    ),
    (
        SkipReason::Fragment,
        &[("x-requested-with", "XMLHttpRequest")],
        200,
        &[HTML],
    ),
    (
        SkipReason::NoTransform,
        &[],
        200,
        &[HTML, ("cache-control", "private, No-Transform")],
    ),
    (
        SkipReason::NotHtml,
        &[],
        200,
        &[("content-type", "text/plain; a=text/html")],
    ),
    (
        SkipReason::NotHtml,
        &[],
        200,
        &[("content-type", "text/html5")],
    ),
    (
        SkipReason::NotHtml,
        &[],
        200,
        &[("content-type", "application/xhtml+xml")],
    ),
    (SkipReason::NotHtml, &[], 200, &[]),
    (SkipReason::PartialContent, &[], 206, &[HTML]),
    (SkipReason::Redirect, &[], 302, &[HTML]),
];

#[test]
fn leaves_alone_what_is_no_page() {
    for (reason, asked, status, head) in LEFT_ALONE {
        let judged = verdict(Method::GET, asked, *status, head);
        assert_eq!(
            judged,
            Verdict::Pass(*reason),
            "{asked:?} {status} {head:?}"
        );
    }
}

#[test]
fn every_reason_has_a_row_or_comes_from_elsewhere() {
    let from_rules = [
        SkipReason::InjectOff,
        SkipReason::PathAmbiguous,
        SkipReason::RuleLimits,
    ];
    for reason in SkipReason::ALL {
        let in_table = LEFT_ALONE.iter().any(|(row, ..)| *row == reason);
        let from_policies = reason == SkipReason::Csp;
        assert!(
            in_table || from_policies || from_rules.contains(&reason),
            "{reason:?}"
        );
    }
    let (mut parts, ()) = Response::new(()).into_parts();
    parts.headers = headers(&[HTML]);
    let request = HeaderMap::new();
    let asked = Asked {
        method: Method::GET,
        expectation: Expectation::Page,
        accept: AcceptEncoding::parse(&request),
    };
    for reason in from_rules {
        assert_eq!(judge(&asked, &parts, Err(reason)), Verdict::Pass(reason));
    }
}

#[test]
fn rewrites_every_full_html_document() {
    let plain = PageBody {
        from: Coding::Identity,
        to: Coding::Identity,
        charset: None,
        kind: PageKind::Document,
    };
    for (method, status) in [
        ("GET", 200),
        ("POST", 200),
        ("GET", 404),
        ("GET", 500),
        ("GET", 401),
    ] {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let judged = verdict(method, NAVIGATION, status, &[HTML]);
        assert_eq!(judged, Verdict::Rewrite(plain), "{status}");
    }
    for head in [
        &[("content-type", " TEXT/HTML;charset=")][..],
        &[HTML, ("content-disposition", "inline; filename=a")],
        &[HTML, ("content-encoding", "identity")],
        &[HTML, ("content-encoding", "none")],
        &[HTML, ("content-length", "1")],
    ] {
        assert_eq!(
            verdict(Method::GET, NAVIGATION, 200, head),
            Verdict::Rewrite(plain),
            "{head:?}"
        );
    }
}

#[test]
fn keeps_the_coding_that_the_visitor_accepts_and_reads_the_charset() {
    let gzip = &[
        ("content-type", "text/html; charset=\"Shift_JIS\""),
        ("content-encoding", "x-gzip"),
    ];
    for (accept, to) in [
        ("gzip, br", Coding::Gzip),
        ("br", Coding::Br),
        ("identity", Coding::Identity),
    ] {
        let accept: Fields = Box::leak(Box::new([("accept-encoding", accept)]));
        let charset = charset::labelled("shift_jis");
        let codings = PageBody {
            from: Coding::Gzip,
            to,
            charset,
            kind: PageKind::Unknown,
        };
        assert_eq!(
            verdict(Method::GET, accept, 200, gzip),
            Verdict::Rewrite(codings)
        );
    }
}

#[test]
fn a_head_request_is_described_as_the_page_would_be() {
    let plain = PageBody {
        from: Coding::Identity,
        to: Coding::Identity,
        charset: None,
        kind: PageKind::Document,
    };
    assert_eq!(
        verdict(Method::HEAD, NAVIGATION, 200, &[HTML]),
        Verdict::Describe(plain)
    );
    let image = verdict(Method::HEAD, &[], 200, &[("content-type", "image/png")]);
    assert_eq!(image, Verdict::Pass(SkipReason::NotHtml));
}
