//! What a policy means, by the library `content-security-policy`: it judges requests by the letter of
//! CSP3, and shares no line with the edge. And what must hold of every policy that the edge grows.
//!
//! Who includes this says what `super::` is: the edge's own names.

use std::sync::{Arc, LazyLock};

use content_security_policy::{
    CheckResult, CspList, Destination, Element, Initiator, InlineCheckType, Origin, ParserMetadata,
    PolicyDisposition, PolicySource, Request, Url,
};

use super::{Adjuster, Needs, Scheme, SelfOrigin, Source, Tag, Terms, Treatment, Verdict};
use super::{Delivery, will_run};

pub(crate) const FRESH: &str = "ZnJlc2ggYW5kIHJhbmRvbQ==";
pub(crate) const HASH: &str =
    "sha384-oqVuAfXRKap7fdgcCY5uykM6+R9GqQ8K/uxy9rx7HNQlGYl1kPzQho1wx4JwY8wC";

fn sources(texts: &[&str]) -> Vec<Source> {
    texts
        .iter()
        .map(|text| Source::parse(text).expect("a source"))
        .collect()
}

/// A script elsewhere, which talks to one more host.
pub(crate) fn elsewhere() -> Needs {
    Needs {
        script: sources(&["https://cdn.example/cobrowse/"]),
        connect: sources(&["https://ws.example", "wss://ws.example"]),
        style: sources(&["https://cdn.example"]),
        img: sources(&["https://cdn.example"]),
        frame: sources(&["https://ws.example"]),
        integrity: Vec::new(),
    }
}

/// The same, and the tag says what the script's bytes are.
pub(crate) fn hashed() -> Needs {
    Needs {
        integrity: vec![HASH.into()],
        ..elsewhere()
    }
}

/// A script on the page's own origin.
pub(crate) fn own() -> Needs {
    Needs {
        script: vec![Source::folder_of("/_cobrowse/visitor.js").expect("a URL")],
        connect: vec![Source::OWN, Source::OWN_SOCKET],
        style: vec![Source::surroundings_of("/_cobrowse/js/v.js").expect("a URL")],
        img: vec![Source::surroundings_of("/_cobrowse/js/v.js").expect("a URL")],
        frame: vec![Source::OWN],
        integrity: Vec::new(),
    }
}

/// Not among them: `'NONCE-one'` and `'Strict-Dynamic'`, which the library knows in lower case only,
/// the second in one place of two.
pub(crate) const WORDS: &[&str] = &[
    "'none'",
    "'NONE'",
    "'self'",
    "'Self'",
    "*",
    "https:",
    "http:",
    "wss:",
    "data:",
    "blob:",
    "'unsafe-inline'",
    "'unsafe-eval'",
    "'strict-dynamic'",
    "'unsafe-hashes'",
    "'wasm-unsafe-eval'",
    "'report-sample'",
    "'nonce-one'",
    "'nonce-two'",
    "'nonce-'",
    "'sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0='",
    "'sha384-oqVuAfXRKap7fdgcCY5uykM6+R9GqQ8K/uxy9rx7HNQlGYl1kPzQho1wx4JwY8wC'",
    "https://cdn.example",
    "cdn.example",
    "https://cdn.example:443",
    "https://cdn.example:*",
    "https://cdn.example/cobrowse/",
    "https://cdn.example/cobrowse/v.js",
    "https://cdn.example/x/",
    "http://cdn.example",
    "*.example",
    "https://*.example",
    "ws.example",
    "wss://ws.example",
    "https://ws.example",
    "ws://ws.example",
    "www.bank.example",
    "https://www.bank.example/_cobrowse/",
    "wss://www.bank.example",
    "https://other.example",
    "nonsense",
    "a_b",
    "'",
    "\u{e9}",
];

pub(crate) const NAMES: &[&str] = &[
    "default-src",
    "script-src",
    "script-src-elem",
    "script-src-attr",
    "style-src",
    "style-src-elem",
    "style-src-attr",
    "img-src",
    "connect-src",
    "frame-src",
    "child-src",
    "worker-src",
    "font-src",
    "media-src",
    "object-src",
    "manifest-src",
    "base-uri",
    "form-action",
    "report-uri",
    "SCRIPT-SRC",
    "Default-Src",
    "unknown",
    "upgrade-insecure-requests",
];

const URLS: &[&str] = &[
    "https://cdn.example/cobrowse/v.js",
    "https://cdn.example/cobrowse/deep/v.js",
    "https://cdn.example/x/y",
    "https://cdn.example/",
    "https://cdn.example:8443/cobrowse/v.js",
    "http://cdn.example/cobrowse/v.js",
    "https://sub.cdn.example/cobrowse/v.js",
    "https://ws.example/",
    "wss://ws.example/",
    "ws://ws.example/",
    "https://www.bank.example/",
    "https://www.bank.example/_cobrowse/visitor.js",
    "https://www.bank.example:444/_cobrowse/visitor.js",
    "wss://www.bank.example/_cobrowse/socket",
    "https://other.example/a",
    "https://example/",
    "data:text/plain,x",
    "blob:https://www.bank.example/x",
];

const DESTINATIONS: &[Destination] = &[
    Destination::Script,
    Destination::AudioWorklet,
    Destination::Worker,
    Destination::SharedWorker,
    Destination::ServiceWorker,
    Destination::Style,
    Destination::Image,
    Destination::None,
    Destination::Frame,
    Destination::IFrame,
    Destination::Font,
    Destination::Video,
    Destination::Object,
    Destination::Manifest,
    Destination::Json,
    Destination::Xslt,
];

/// What the script needs, as policies in which nothing else is allowed.
fn granted(needs: &Needs) -> CspList {
    let policy = match *needs == own() {
        true => {
            "default-src 'none'; script-src https://www.bank.example/_cobrowse/; \
             connect-src 'self' wss://www.bank.example; \
             style-src https://www.bank.example/_cobrowse/; \
             img-src https://www.bank.example/_cobrowse/; frame-src 'self'"
        }
        false => {
            "default-src 'none'; script-src https://cdn.example/cobrowse/; \
             connect-src https://ws.example wss://ws.example; style-src https://cdn.example; \
             img-src https://cdn.example; frame-src https://ws.example"
        }
    };
    list(&[policy.to_owned()])
}

/// Everything that must hold of policies before and after, by these requests and by what the script
/// itself asks for.
#[track_caller]
pub(crate) fn check<'r>(
    before: &[String],
    needs: &Needs,
    requests: impl IntoIterator<Item = &'r Request>,
) {
    let adjuster = adjuster(before, needs);
    let after: Vec<_> = before.iter().map(|line| grown(&adjuster, line)).collect();
    let (old, new, granted) = (list(before), list(&after), granted(needs));
    for request in requests {
        let (was, is) = (allows(&old, request), allows(&new, request));
        let ours = was != is && allows(&granted, request);
        assert!(was == is || ours, "{before:?}\n{after:?}\n{request:?}");
        assert!(is || !was, "less: {before:?}\n{after:?}\n{request:?}");
    }
    let nonces = ["one", "two"];
    assert_eq!(inline(&old, &nonces), inline(&new, &nonces), "{after:?}");
    let tag = tag_request(needs, adjuster.nonce());
    for request in needed_requests(needs).iter().chain([&tag]) {
        assert!(allows(&new, request), "{before:?}\n{after:?}\n{request:?}");
    }
    assert!(runs(&after, needs, adjuster.nonce()), "{after:?}");
    if runs(before, needs, None) {
        assert!(allows(&old, &tag_request(needs, None)), "{before:?}");
    }
    let again: Vec<_> = after.iter().map(|line| grown(&adjuster, line)).collect();
    assert_eq!(again, after);
}

fn adjuster(enforced: &[String], needs: &Needs) -> Adjuster {
    let lines: Vec<_> = enforced.iter().map(|line| line.as_bytes()).collect();
    let terms = Terms {
        treatment: Treatment::Patch,
        needs: Arc::new(needs.clone()),
    };
    let adjuster = Adjuster::new((&lines, &[]), &terms, page(), || Some(FRESH.to_owned()));
    adjuster.expect("nothing that could not be grown is made up")
}

fn page() -> SelfOrigin {
    let host = "www.bank.example".parse();
    SelfOrigin::new(Scheme::Https, host.expect("a host"))
}

fn grown(adjuster: &Adjuster, line: &str) -> String {
    let new = adjuster.line(line.as_bytes());
    new.map_or_else(
        || line.to_owned(),
        |new| String::from_utf8(new).expect("what is added is ASCII"),
    )
}

fn runs(lines: &[String], needs: &Needs, nonce: Option<&str>) -> bool {
    let page = page();
    let tag = Tag {
        needs,
        page: &page,
        nonce,
    };
    let lines = lines.iter().map(|line| (line.as_bytes(), Delivery::Header));
    will_run(lines, &tag) == Verdict::Runs
}

/// Every request that the tables can put together.
pub(crate) static REQUESTS: LazyLock<Vec<Request>> = LazyLock::new(every_request);

fn every_request() -> Vec<Request> {
    let mut all = Vec::new();
    for url in URLS {
        for destination in DESTINATIONS {
            for (nonce, parser) in [
                ("", ParserMetadata::ParserInserted),
                ("", ParserMetadata::NotParserInserted),
                ("one", ParserMetadata::ParserInserted),
                ("two", ParserMetadata::NotParserInserted),
            ] {
                let mut request = request(url, *destination);
                request.nonce = nonce.to_owned();
                request.parser_metadata = parser;
                all.push(request);
            }
        }
    }
    all
}

/// The request for the tag's script, as the parser makes it.
fn tag_request(needs: &Needs, nonce: Option<&str>) -> Request {
    let url = match *needs == own() {
        true => "https://www.bank.example/_cobrowse/visitor.js",
        false => "https://cdn.example/cobrowse/loader.js?group=1",
    };
    let mut request = request(url, Destination::Script);
    request.nonce = nonce.unwrap_or_default().to_owned();
    request.integrity_metadata = needs.integrity.join(" ");
    request.parser_metadata = ParserMetadata::ParserInserted;
    request
}

/// One request for each need but the tag's.
fn needed_requests(needs: &Needs) -> Vec<Request> {
    // A WebSocket's request has the scheme https (WHATWG WebSockets, "establish a connection").
    let (base, socket) = match *needs == own() {
        true => (
            "https://www.bank.example/_cobrowse/f",
            "https://www.bank.example/x",
        ),
        false => ("https://ws.example", "https://ws.example/x"),
    };
    let other = match *needs == own() {
        true => "https://www.bank.example/_cobrowse/more.js",
        false => "https://cdn.example/cobrowse/more.js",
    };
    [
        (other, Destination::Script),
        (other, Destination::Style),
        (other, Destination::Image),
        (base, Destination::None),
        (socket, Destination::None),
        (base, Destination::IFrame),
    ]
    .map(|(url, destination)| request(url, destination))
    .into()
}

fn list(lines: &[String]) -> CspList {
    let mut all = CspList(Vec::new());
    for line in lines {
        all.append(CspList::parse(
            line,
            PolicySource::Header,
            PolicyDisposition::Enforce,
        ));
    }
    all
}

/// A request of the page `https://www.bank.example`.
fn request(url: &str, destination: Destination) -> Request {
    let url = Url::parse(url).expect("a URL");
    Request {
        current_url: url.clone(),
        url,
        origin: page_origin(),
        redirect_count: 0,
        destination,
        initiator: Initiator::None,
        nonce: String::new(),
        integrity_metadata: String::new(),
        parser_metadata: ParserMetadata::NotParserInserted,
    }
}

fn page_origin() -> Origin {
    Url::parse("https://www.bank.example")
        .expect("a URL")
        .origin()
}

fn allows(list: &CspList, request: &Request) -> bool {
    list.should_request_be_blocked(request).0 == CheckResult::Allowed
}

/// What a list says of everything but requests, as far as scripts and styles go.
fn inline(list: &CspList, nonces: &[&'static str]) -> Vec<bool> {
    let kinds = [
        InlineCheckType::Script,
        InlineCheckType::ScriptAttribute,
        InlineCheckType::Style,
        InlineCheckType::StyleAttribute,
        InlineCheckType::Navigation,
    ];
    let nonces = nonces
        .iter()
        .map(|nonce| Some((*nonce).into()))
        .chain([None]);
    let elements: Vec<_> = nonces.map(|nonce| Element { nonce }).collect();
    let inline = kinds.iter().flat_map(|kind| {
        elements.iter().flat_map(move |element| {
            ["abc", "x"].map(|source| {
                let checked =
                    list.should_elements_inline_type_behavior_be_blocked(element, *kind, source);
                checked.0
            })
        })
    });
    let rest = [
        list.is_js_evaluation_allowed("x").0,
        list.is_wasm_evaluation_allowed().0,
        list.is_base_allowed_for_document(
            &Url::parse("https://a.example").expect("a URL"),
            &page_origin(),
        )
        .0,
    ];
    inline
        .chain(rest)
        .map(|result| result == CheckResult::Allowed)
        .collect()
}
