use content_security_policy::{CspList, Destination, ParserMetadata};
use proptest::prelude::*;
use proptest::sample::select;

use super::*;

/// Not among them: `'NONCE-one'` and `'Strict-Dynamic'`, which the library knows in lower case only,
/// the second in one place of two.
const WORDS: &[&str] = &[
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

const NAMES: &[&str] = &[
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

fn directive() -> impl Strategy<Value = String> {
    let words = prop::collection::vec(select(WORDS), 0..5);
    let space = select(&[" ", "  ", "\t "][..]);
    (select(NAMES), words, space).prop_map(|(name, words, space)| {
        let all: Vec<_> = std::iter::once(name).chain(words).collect();
        all.join(space)
    })
}

fn policy() -> impl Strategy<Value = String> {
    let joint = select(&[";", "; ", " ;; "][..]);
    let end = select(&["", ";", " ; "][..]);
    let directives = prop::collection::vec(directive(), 0..6);
    (directives, joint, end).prop_map(|(directives, joint, end)| directives.join(joint) + end)
}

fn lines() -> impl Strategy<Value = Vec<String>> {
    let line = prop::collection::vec(policy(), 1..3).prop_map(|policies| policies.join(", "));
    prop::collection::vec(line, 0..3)
}

fn some_needs() -> impl Strategy<Value = Needs> {
    (0..3).prop_map(|choice| match choice {
        0 => elsewhere(),
        1 => hashed(),
        _ => own(),
    })
}

/// What the script needs, as policies in which nothing else is allowed.
fn granted(needs: &Needs) -> CspList {
    let page = page();
    let written = |sources: &[Source]| -> String {
        let sources = sources.iter().filter_map(|source| source.on(&page));
        let words: Vec<_> = sources.map(|wanted| wanted.written.into_owned()).collect();
        words.join(" ")
    };
    let policy = format!(
        "default-src 'none'; script-src {}; connect-src {}; style-src {}; img-src {}; frame-src {}",
        written(&needs.script),
        written(&needs.connect),
        written(&needs.style),
        written(&needs.img),
        written(&needs.frame)
    );
    oracle::list(&[policy])
}

/// Every request that the table can put together.
fn requests() -> Vec<content_security_policy::Request> {
    let mut all = Vec::new();
    for url in URLS {
        for destination in DESTINATIONS {
            for (nonce, parser) in [
                ("", ParserMetadata::ParserInserted),
                ("", ParserMetadata::NotParserInserted),
                ("one", ParserMetadata::ParserInserted),
                ("two", ParserMetadata::NotParserInserted),
            ] {
                let mut request = oracle::request(url, *destination);
                request.nonce = nonce.to_owned();
                request.parser_metadata = parser;
                all.push(request);
            }
        }
    }
    all
}

/// The request for the tag's script, as the parser makes it.
fn tag_request(needs: &Needs, nonce: Option<&str>) -> content_security_policy::Request {
    let url = match *needs == own() {
        true => "https://www.bank.example/_cobrowse/visitor.js",
        false => "https://cdn.example/cobrowse/loader.js?group=1",
    };
    let mut request = oracle::request(url, Destination::Script);
    request.nonce = nonce.unwrap_or_default().to_owned();
    request.integrity_metadata = needs.integrity.join(" ");
    request.parser_metadata = ParserMetadata::ParserInserted;
    request
}

/// One request for each need but the tag's.
fn needed_requests(needs: &Needs) -> Vec<content_security_policy::Request> {
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
    .map(|(url, destination)| oracle::request(url, destination))
    .into()
}

fn runs(lines: &[String], needs: &Needs, nonce: Option<&str>) -> bool {
    verdict(lines.iter().map(String::as_str), needs, nonce) == Verdict::Runs
}

/// Everything that must hold of policies before and after.
fn check(before: &[String], needs: &Needs) -> Result<(), TestCaseError> {
    let texts: Vec<_> = before.iter().map(String::as_str).collect();
    let adjuster = adjuster(&texts, needs.clone(), Treatment::Patch).unwrap();
    let after: Vec<_> = before.iter().map(|line| grown(&adjuster, line)).collect();
    let (old, new) = (oracle::list(before), oracle::list(&after));
    let granted = granted(needs);
    for request in requests() {
        let (was, is) = (
            oracle::allows(&old, &request),
            oracle::allows(&new, &request),
        );
        if !oracle::allows(&granted, &request) {
            prop_assert_eq!(was, is, "{:?}\n{:?}\n{:?}", before, after, request);
        }
        prop_assert!(is || !was, "{:?} {:?}", after, request);
    }
    let nonces = ["one", "two"];
    prop_assert_eq!(
        oracle::inline(&old, &nonces),
        oracle::inline(&new, &nonces),
        "{:?}",
        after
    );
    let tag = tag_request(needs, adjuster.nonce());
    prop_assert!(oracle::allows(&new, &tag), "{:?} {:?}", after, tag);
    for request in needed_requests(needs) {
        prop_assert!(oracle::allows(&new, &request), "{:?} {:?}", after, request);
    }
    prop_assert!(runs(&after, needs, adjuster.nonce()), "{:?}", after);
    if runs(before, needs, None) {
        prop_assert!(
            oracle::allows(&old, &tag_request(needs, None)),
            "{:?}",
            before
        );
    }
    let again: Vec<_> = after.iter().map(|line| grown(&adjuster, line)).collect();
    prop_assert_eq!(&again, &after);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn allows_what_is_ours_and_nothing_else(before in lines(), needs in some_needs()) {
        check(&before, &needs)?;
    }

    #[test]
    fn any_text_grows_without_losing_a_byte_of_what_it_keeps(line in "\\PC{0,60}") {
        let adjuster = adjuster(&[], elsewhere(), Treatment::Patch).unwrap();
        let after = grown(&adjuster, &line);
        let after = after.replace("'none'", "");
        let mut kept = after.chars();
        let none_is_replaced = line.replace("'none'", "");
        for character in none_is_replaced.trim_end().chars() {
            prop_assert!(kept.any(|one| one == character), "{line:?} {after:?}");
        }
    }
}
