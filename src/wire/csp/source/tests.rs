use super::*;
use crate::wire::Scheme;

#[test]
fn grants_hosts_and_nothing_wider() {
    for good in [
        "https://*.glance.net",
        "wss://c2000.glance.net:5501",
        "https://cdn.example/cobrowse/",
        "http://127.0.0.1:9",
        "ws://localhost:*",
    ] {
        assert_eq!(Source::parse(good).unwrap().to_string(), good);
    }
    for (bad, error) in [
        ("*", SourceError::Wide),
        ("https:", SourceError::Wide),
        ("data:", SourceError::Wide),
        ("https://*", SourceError::Wide),
        ("https://*.net", SourceError::Wide),
        ("http://cdn.example", SourceError::Scheme),
        ("ftp://cdn.example", SourceError::Scheme),
        ("HTTPS://cdn.example", SourceError::Scheme),
        ("cdn.example", SourceError::Form),
        ("'self'", SourceError::Form),
        ("'unsafe-inline'", SourceError::Form),
        ("'unsafe-eval'", SourceError::Form),
        ("'nonce-abc'", SourceError::Form),
        ("https://a;img-src", SourceError::Form),
        ("https://a, b", SourceError::Form),
        ("", SourceError::Form),
    ] {
        assert_eq!(Source::parse(bad), Err(error), "{bad}");
    }
}

#[test]
fn takes_sources_from_a_url() {
    for (url, folder, origin, sockets) in [
        (
            "https://cdn.example:8443/a/b/l.js?group=1/2#x",
            "https://cdn.example:8443/a/b/",
            "https://cdn.example:8443",
            "wss://cdn.example:8443",
        ),
        (
            "http://127.0.0.1:9?x",
            "http://127.0.0.1:9",
            "http://127.0.0.1:9",
            "ws://127.0.0.1:9",
        ),
        (
            "/_cobrowse/v.js",
            "'self' (/_cobrowse/)",
            "'self'",
            "'self' (WebSockets)",
        ),
        ("/v.js", "'self'", "'self'", "'self' (WebSockets)"),
        ("/a/%2E./v.js", "'self'", "'self'", "'self' (WebSockets)"),
        (
            "/a;b,c/v.js",
            "'self' (/a%3Bb%2Cc/)",
            "'self'",
            "'self' (WebSockets)",
        ),
    ] {
        let shown = |source: Option<Source>| source.unwrap().to_string();
        assert_eq!(shown(Source::folder_of(url)), folder, "{url}");
        assert_eq!(shown(Source::origin_of(url)), origin, "{url}");
        assert_eq!(shown(Source::sockets_of(url)), sockets, "{url}");
    }
    for (url, surroundings) in [
        ("https://cdn.example/a/b.js", "https://cdn.example"),
        ("/a/b/c.js", "'self' (/a/)"),
        ("/a/c.js?x=/", "'self' (/a/)"),
        ("/c.js", "'self'"),
        ("/a/%2e%2E/c.js", "'self'"),
    ] {
        let found = Source::surroundings_of(url).unwrap();
        assert_eq!(found.to_string(), surroundings, "{url}");
    }
    assert_eq!(Source::folder_of("visitor.js"), None);
    assert_eq!(Source::origin_of("https://[::1]/x"), None);
}

#[test]
fn writes_its_own_origin_as_browsers_understand_it() {
    let folder = Source::folder_of("/_cobrowse/v.js").unwrap();
    for (scheme, host, own_folder, own_socket) in [
        (
            Scheme::Https,
            "a.example",
            "https://a.example/_cobrowse/",
            "wss://a.example",
        ),
        (
            Scheme::Http,
            "a.example:81",
            "http://a.example:81/_cobrowse/",
            "ws://a.example:81",
        ),
        (Scheme::Https, "a_b.example", "'self'", "'self'"),
        (Scheme::Https, "[::1]:8443", "'self'", "'self'"),
        (Scheme::Http, "10.1.2.3", "'self'", "'self'"),
    ] {
        let page = SelfOrigin::new(scheme, host.parse().unwrap());
        let written = |source: &Source| source.on(&page).unwrap().written.into_owned();
        assert_eq!(written(&folder), own_folder, "{host}");
        assert_eq!(written(&Source::OWN_SOCKET), own_socket, "{host}");
        assert_eq!(written(&Source::OWN), "'self'", "{host}");
    }
}
