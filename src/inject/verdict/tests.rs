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
    verdict_of(&plan(), method, asked, (status, head))
}

fn verdict_of(
    plan: &Plan,
    method: Method,
    asked: Fields,
    (status, head): (u16, Fields),
) -> Verdict {
    let request = headers(asked);
    let asked = Asked::of(method, &request);
    let (mut parts, ()) = Response::new(()).into_parts();
    parts.status = StatusCode::from_u16(status).unwrap();
    parts.headers = headers(head);
    judge(&asked, &parts, Ok(plan))
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
        &[("content-type", "text/html; charset=hz-gb-2312")],
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
        SkipReason::NoTransformAsked,
        &[("cache-control", "max-age=0, No-Transform")],
        200,
        &[HTML],
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
        &[("content-type", "image/svg+xml")],
    ),
    (
        SkipReason::NotHtml,
        &[],
        200,
        &[("x-content-type-options", "nosniff")],
    ),
    (
        SkipReason::NotHtml,
        &[],
        200,
        &[HTML, ("content-type", "text/plain")],
    ),
    (
        SkipReason::Fragment,
        &[("sec-fetch-dest", "image")],
        200,
        &[],
    ),
    (
        SkipReason::Xml,
        &[],
        200,
        &[("content-type", "application/xml")],
    ),
    (
        SkipReason::Xml,
        &[],
        200,
        &[("content-type", "TEXT/xml; charset=a")],
    ),
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
        let elsewhere = [SkipReason::Csp, SkipReason::FrameSkipped].contains(&reason);
        assert!(
            in_table || elsewhere || from_rules.contains(&reason),
            "{reason:?}"
        );
    }
    let (mut parts, ()) = Response::new(()).into_parts();
    parts.headers = headers(&[HTML]);
    let asked = Asked::of(Method::GET, &headers(NAVIGATION));
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
        &[HTML, ("content-disposition", " InLine ;filename=a")],
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
fn xhtml_is_a_page_and_so_is_one_in_utf_16() {
    for (content_type, kind, charset) in [
        ("application/xhtml+xml", PageKind::Xhtml, None),
        (
            "Application/XHTML+xml; charset=utf-16",
            PageKind::Xhtml,
            Some("utf-16le"),
        ),
        (
            "text/html; charset=utf-16",
            PageKind::Document,
            Some("utf-16le"),
        ),
        (
            "text/html; charset=utf-16be",
            PageKind::Document,
            Some("utf-16be"),
        ),
        ("text/html; charset=none", PageKind::Document, None),
    ] {
        let head: Fields = Box::leak(Box::new([("content-type", content_type)]));
        let Verdict::Rewrite(page) = verdict(Method::GET, NAVIGATION, 200, head) else {
            panic!("{content_type}");
        };
        let charset = charset.and_then(charset::labelled);
        assert_eq!((page.kind, page.charset), (kind, charset), "{content_type}");
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
    // Some origins send the length of nothing.
    assert_eq!(
        verdict(
            Method::HEAD,
            NAVIGATION,
            200,
            &[HTML, ("content-length", "0")]
        ),
        Verdict::Describe(plain)
    );
    let image = verdict(Method::HEAD, &[], 200, &[("content-type", "image/png")]);
    assert_eq!(image, Verdict::Pass(SkipReason::NotHtml));
}

#[test]
fn a_frame_gets_its_own_tag_unless_the_rule_skips_frames() {
    let frames = |wish, dest| {
        let asked: Fields = Box::leak(Box::new([("sec-fetch-dest", dest)]));
        verdict_of(
            &plan().with_frames(wish),
            Method::GET,
            asked,
            (200, &[HTML]),
        )
    };
    let page = verdict(Method::GET, NAVIGATION, 200, &[HTML]);
    for dest in ["iframe", "frame", "object", "embed"] {
        assert_eq!(frames(Frames::Tag, dest), page, "{dest}");
        let skipped = Verdict::Pass(SkipReason::FrameSkipped);
        assert_eq!(frames(Frames::Skip, dest), skipped, "{dest}");
    }
    assert_eq!(frames(Frames::Skip, "document"), page);
    let untold = verdict_of(
        &plan().with_frames(Frames::Skip),
        Method::GET,
        &[("accept", "text/html")],
        (200, &[HTML]),
    );
    assert_eq!(untold, page, "who does not tell of frames gets the tag");
}

#[test]
fn the_sites_owner_may_allow_what_a_head_forbids() {
    let forbidden: Fields = &[HTML, ("cache-control", "no-transform")];
    let refusing: Fields = &[
        ("sec-fetch-dest", "document"),
        ("cache-control", "no-transform"),
    ];
    let page = verdict(Method::GET, NAVIGATION, 200, &[HTML]);
    let always = plan().with_transform(Transform::Always);
    for (asked, head) in [
        (NAVIGATION, forbidden),
        (refusing, &[HTML]),
        (refusing, forbidden),
    ] {
        let judged = verdict_of(&always, Method::GET, asked, (200, head));
        assert_eq!(judged, page, "{asked:?} {head:?}");
    }
}

/// What holds for every request needs no word in Vary.
#[test]
fn an_answer_varies_by_what_decided_about_it() {
    let varies = |asked: Fields, head: Fields| {
        let plan = plan().with_frames(Frames::Skip);
        let verdict = verdict_of(&plan, Method::GET, asked, (200, head));
        Asked::of(Method::GET, &headers(asked)).varies_by(&verdict)
    };
    for (asked, head, fields) in [
        (
            NAVIGATION,
            &[HTML][..],
            &["X-Requested-With", "Sec-Fetch-Dest"][..],
        ),
        (
            &[("sec-fetch-dest", "iframe")],
            &[HTML],
            &["X-Requested-With", "Sec-Fetch-Dest"],
        ),
        (
            &[("x-requested-with", "XMLHttpRequest")],
            &[HTML],
            &["X-Requested-With"],
        ),
        (
            &[("sec-fetch-mode", "navigate")],
            &[HTML],
            &["X-Requested-With", "Sec-Fetch-Dest", "Sec-Fetch-Mode"],
        ),
        (
            &[("accept", "text/html")],
            &[HTML],
            &[
                "X-Requested-With",
                "Sec-Fetch-Dest",
                "Sec-Fetch-Mode",
                "Accept",
            ],
        ),
        (
            &[],
            &[HTML],
            &[
                "X-Requested-With",
                "Sec-Fetch-Dest",
                "Sec-Fetch-Mode",
                "Accept",
            ],
        ),
        (
            &[("sec-fetch-dest", "empty")],
            &[HTML],
            &[
                "X-Requested-With",
                "Sec-Fetch-Dest",
                "Sec-Purpose",
                "Purpose",
                "X-Moz",
            ],
        ),
        (
            NAVIGATION,
            &[HTML, ("content-length", "0")],
            &["X-Requested-With", "Sec-Fetch-Dest"],
        ),
        (
            &[("cache-control", "no-transform")],
            &[HTML],
            &["Cache-Control"],
        ),
        (NAVIGATION, &[("content-type", "image/png")], &[]),
        (NAVIGATION, &[HTML, ("cache-control", "no-transform")], &[]),
        (
            &[("sec-fetch-dest", "empty")],
            &[HTML, ("content-disposition", "attachment")],
            &[],
        ),
        (
            &[("x-requested-with", "XMLHttpRequest")],
            &[HTML, ("content-encoding", "compress")],
            &[],
        ),
    ] {
        assert_eq!(varies(asked, head), fields, "{asked:?} {head:?}");
    }
}
