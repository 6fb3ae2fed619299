use super::*;

#[test]
fn tells_expressions_apart() {
    use Expression::{Hash, Nonce, Nothing, Other, Scheme, SelfOrigin, Star, StrictDynamic};
    for (word, expected) in [
        ("*", Star),
        ("'NONE'", Nothing),
        ("'Self'", SelfOrigin),
        ("'strict-Dynamic'", StrictDynamic),
        ("'nonce-aB+/-_9=='", Nonce("aB+/-_9==")),
        ("'NONCE-x'", Nonce("x")),
        ("'nonce-'", Other),
        ("'nonce-==='", Other),
        ("'nonce-a b'", Other),
        ("'nonce-a\"'", Other),
        ("'SHA256-abc='", Hash("SHA256-abc=")),
        ("'sha1-abc='", Other),
        ("'unsafe-inline'", Other),
        ("none", Other.host("none")),
        ("'self", Other),
        ("https:", Scheme("https")),
        ("1a:", Other),
        ("a_b.example", Other),
        ("[::1]", Other),
        ("a..b", Other),
        ("*.", Other),
        ("*a.b", Other),
        ("a:", Scheme("a")),
        ("a.b:70000", Other),
        ("://a", Other),
        ("a/\u{e9}", Other),
        ("", Other),
    ] {
        assert_eq!(Expression::parse(word), expected, "{word}");
    }
}

impl<'a> Expression<'a> {
    fn host(self, host: &'a str) -> Self {
        Self::Host(HostSource {
            scheme: None,
            host,
            port: None,
            path: "",
        })
    }
}

#[test]
fn cuts_host_sources_into_parts() {
    let source = HostSource::parse("WSS://*.a.example:*/b/c").unwrap();
    assert_eq!((source.scheme, source.host), (Some("WSS"), "*.a.example"));
    assert_eq!((source.port, source.path), (Some(Port::Any), "/b/c"));
}

#[test]
fn covers_only_what_is_surely_allowed() {
    let page = SelfOrigin::new(Scheme::Https, "www.bank.example:8443".parse().unwrap());
    for (word, wanted, covers) in [
        ("*", "wss://*.glance.net", true),
        ("https:", "https://*.glance.net", true),
        ("HTTP:", "https://a.example", true),
        ("https:", "wss://a.example", false),
        ("wss:", "wss://a.example", true),
        ("ws:", "wss://a.example", true),
        ("wss:", "https://a.example", false),
        ("https://*.glance.net", "https://*.glance.net", true),
        ("https://*.net", "https://*.glance.net", true),
        ("https://*.GLANCE.net", "https://www.glance.net", true),
        ("https://*.glance.net", "https://glance.net", false),
        ("https://*.glance.net", "https://evilglance.net", false),
        ("https://www.glance.net", "https://*.glance.net", false),
        ("glance.net", "https://glance.net", true),
        ("glance.net", "http://glance.net", false),
        ("glance.net", "wss://glance.net", false),
        ("https://a.example:443", "https://a.example", true),
        ("https://a.example", "https://a.example:443", true),
        ("https://a.example:444", "https://a.example", false),
        ("https://a.example:*", "https://a.example:444", true),
        ("https://a.example", "https://a.example:*", false),
        ("https://a.example:444", "https://a.example:*", false),
        ("https://a.example/", "https://a.example/x", true),
        ("https://a.example/x/", "https://a.example/x/y.js", true),
        ("https://a.example/x/", "https://a.example/x/", true),
        ("https://a.example/x", "https://a.example/x/", false),
        ("https://a.example/x/y.js", "https://a.example/x/", false),
        ("https://a.example/x/y.js", "https://a.example/x/y.js", true),
        ("https://a.example/x/", "https://a.example", false),
        ("'self'", "https://www.bank.example:8443/x", true),
        ("'self'", "https://www.bank.example", false),
        ("'self'", "wss://www.bank.example:8443", false),
        ("'none'", "https://a.example", false),
        ("'strict-dynamic'", "https://a.example", false),
    ] {
        let source = HostSource::parse(wanted).unwrap();
        let covered = Expression::parse(word).covers(&source, &page);
        assert_eq!(covered, covers, "{word} {wanted}");
    }
}
