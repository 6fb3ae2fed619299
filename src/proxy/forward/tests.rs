use std::path::PathBuf;

use http::{Method, Request};

use super::*;
use crate::problem::SourceFile;
use crate::rules::SiteEnv;
use crate::upstream::{self, Client, Target, TlsSettings};

fn route(mount: Option<&str>) -> SessionRoute {
    let text = "version = 1\n[[site]]\nhosts = [\"www.bank.example\", \"*.shop.example\"]\n\
        origin = \"http://10.1.4.20\"\ngroup = 7\n";
    let file = Arc::new(SourceFile {
        path: PathBuf::from("rules.toml"),
        text: text.to_owned(),
    });
    let loaded = RuleSet::compile(vec![file], SiteEnv::Production).unwrap();
    let target = Target {
        scheme: Scheme::Http,
        host: "10.1.4.21".to_owned(),
        port: 80,
        socket: None,
        tls: TlsSettings::default(),
    };
    SessionRoute {
        origins: Client::new(&target, upstream::Config::default())
            .unwrap()
            .into(),
        backend: (Scheme::Http, "10.1.4.21".parse().unwrap()),
        mount: mount.map(Arc::from),
        strip_mount: false,
        cookies: Arc::new([]),
        rules: Arc::new(loaded.rules),
        enforcement: None,
    }
}

/// A request for the backend under `host`, with these lines.
fn request(host: &str, lines: &[(&'static str, &str)]) -> (EdgeRequest, HeaderMap) {
    let mut built = Request::builder().method(Method::POST).uri("/_c/start");
    for (name, value) in [("host", host)].iter().chain(lines) {
        built = built.header(*name, *value);
    }
    let (parts, ()) = built.body(()).unwrap().into_parts();
    (wire::admit(&parts, Scheme::Http).unwrap(), parts.headers)
}

#[track_caller]
fn check(host: &str, scheme: Scheme, lines: &[(&'static str, &str)], allowed: bool) {
    let (request, headers) = request(host, lines);
    let checked = route(Some("/_c")).check_origin(&request, &headers, scheme);
    assert_eq!(checked.is_ok(), allowed, "{host} {scheme} {lines:?}");
}

#[test]
fn a_page_of_ours_is_at_the_port_that_was_asked_or_the_usual_one() {
    use Scheme::*;
    for (host, scheme, origin, allowed) in [
        ("www.bank.example", Https, "https://www.bank.example", true),
        ("www.bank.example", Https, "https://a.shop.example", true),
        (
            "www.bank.example",
            Https,
            "https://www.bank.example:8443",
            false,
        ),
        (
            "www.bank.example",
            Https,
            "https://a.shop.example:8443",
            false,
        ),
        (
            "www.bank.example:8443",
            Https,
            "https://a.shop.example:8443",
            true,
        ),
        (
            "www.bank.example:8443",
            Https,
            "https://a.shop.example",
            true,
        ),
        (
            "www.bank.example:8443",
            Https,
            "https://a.shop.example:8444",
            false,
        ),
        (
            "www.bank.example:8080",
            Http,
            "http://a.shop.example:8080",
            true,
        ),
        ("www.bank.example", Http, "http://a.shop.example:80", true),
        ("www.bank.example", Http, "http://a.shop.example:443", false),
    ] {
        check(host, scheme, &[("origin", origin)], allowed);
    }
}

#[test]
fn the_mount_is_put_back_in_front_of_the_backends_own_paths() {
    for (line, expected) in [
        ("/a?b", "/_c/a?b"),
        (
            "https://www.bank.example/a",
            "https://www.bank.example/_c/a",
        ),
        ("https://elsewhere.example/a", "https://elsewhere.example/a"),
        ("https://www.bank.example", "https://www.bank.example/_c"),
        ("//www.bank.example?a", "//www.bank.example/_c?a"),
        (
            "https://www.bank.example.elsewhere.example/",
            "https://www.bank.example.elsewhere.example/",
        ),
        ("//elsewhere.example/a", "//elsewhere.example/a"),
        ("a/b", "a/b"),
        ("?a", "?a"),
        ("/_c/a", "/_c/a"),
        ("/_c", "/_c"),
        ("/_cd", "/_c/_cd"),
        (
            "https://www.bank.example/_c?a",
            "https://www.bank.example/_c?a",
        ),
    ] {
        let mut headers = HeaderMap::new();
        headers.insert(LOCATION, HeaderValue::from_static(line));
        let here = ["https://www.bank.example", "//www.bank.example"];
        put_mount_back(&mut headers, &LOCATION, "/_c", here);
        assert_eq!(headers[LOCATION], expected);
    }
}

#[test]
fn the_sites_credentials_stay_with_the_site() {
    for (sent, kept) in [
        ("Basic dTpw", false),
        ("bearer abc", true),
        ("Negotiate x", false),
    ] {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, HeaderValue::from_static(sent));
        headers.insert("cookie", HeaderValue::from_static("JSESSIONID=1; glance=2"));
        withhold_secrets(&mut headers, &["glance".to_owned()]);
        assert_eq!(headers.contains_key(AUTHORIZATION), kept, "{sent}");
        assert_eq!(headers["cookie"], "glance=2");
    }
}

#[test]
fn the_backend_learns_of_which_site_the_page_is_and_not_which_page() {
    for (sent, told) in [
        (
            &["https://www.bank.example/a?iban=canary"][..],
            Some("https://www.bank.example/"),
        ),
        (
            &["HTTP://www.bank.example:8080"],
            Some("http://www.bank.example:8080/"),
        ),
        (&["https://canary@www.bank.example/a"], None),
        (&["about:blank"], None),
        (&["/canary"], None),
        (&[""], None),
        (&["https://a.example/", "https://b.example/canary"], None),
        (&[], None),
    ] {
        let mut headers = HeaderMap::new();
        for line in sent {
            headers.append("referer", HeaderValue::from_static(line));
        }
        withhold_secrets(&mut headers, &[]);
        let found: Vec<_> = headers.get_all("referer").iter().collect();
        assert_eq!(found, told.into_iter().collect::<Vec<_>>(), "{sent:?}");
    }
}

#[test]
fn a_mounted_backend_does_not_speak_for_the_whole_site() {
    const OF_THE_SITE: [&str; 5] = [
        "clear-site-data",
        "public-key-pins",
        "public-key-pins-report-only",
        "service-worker-allowed",
        "strict-transport-security",
    ];
    let (request, _) = request("www.bank.example", &[]);
    for (mount, kept) in [(Some("/_c"), false), (None, true)] {
        let mut headers = HeaderMap::new();
        for name in OF_THE_SITE {
            headers.append(name, HeaderValue::from_static("a"));
            headers.append(name, HeaderValue::from_static("b"));
        }
        headers.insert("cache-control", HeaderValue::from_static("no-store"));
        route(mount).confine(&mut headers, Scheme::Https, &request);
        for name in OF_THE_SITE {
            assert_eq!(headers.contains_key(name), kept, "{mount:?} {name}");
        }
        assert!(headers.contains_key("cache-control"));
    }
}

#[test]
fn what_a_page_elsewhere_sets_off_is_refused_unless_the_visitor_goes_there() {
    const SITE: &str = "sec-fetch-site";
    const MODE: &str = "sec-fetch-mode";
    const DEST: &str = "sec-fetch-dest";
    for (lines, allowed) in [
        (&[(SITE, "cross-site")][..], false),
        (&[(SITE, "cross-site"), (MODE, "no-cors")], false),
        (&[(SITE, "cross-site"), (MODE, "cors")], false),
        (&[(SITE, "same-origin"), (SITE, "cross-site")], false),
        (
            &[(SITE, "cross-site"), (MODE, "navigate"), (DEST, "iframe")],
            false,
        ),
        (
            &[(SITE, "cross-site"), (MODE, "navigate"), (DEST, "document")],
            true,
        ),
        (&[(SITE, "cross-site"), (MODE, "navigate")], true),
        (&[(SITE, "same-site"), (MODE, "no-cors")], true),
        (&[(SITE, "same-origin"), (MODE, "cors")], true),
        (&[(SITE, "none"), (MODE, "navigate")], true),
        (&[], true),
        // Sites of one house need not share a domain.
        (
            &[(SITE, "cross-site"), ("origin", "https://a.shop.example")],
            true,
        ),
        (
            &[(SITE, "cross-site"), ("origin", "https://evil.example")],
            false,
        ),
        (
            &[(SITE, "cross-site"), ("referer", "https://a.shop.example/")],
            true,
        ),
        (
            &[(SITE, "cross-site"), ("referer", "https://evil.example/")],
            false,
        ),
    ] {
        check("www.bank.example", Scheme::Https, lines, allowed);
    }
}
