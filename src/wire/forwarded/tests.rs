use super::super::test_heads::{heads, lines};
use super::*;

const CLIENT: &str = "203.0.113.7";
const BALANCER: &str = "10.0.0.1";

fn trusted() -> TrustedPeers {
    TrustedPeers::new(vec![
        "10.0.0.0/8".parse().unwrap(),
        "fd00::/8".parse().unwrap(),
    ])
}

fn with<T>(peer: &str, authority: &str, run: impl FnOnce(Forwarding<'_>) -> T) -> T {
    run(Forwarding {
        peer: peer.parse().unwrap(),
        scheme: Scheme::Http,
        authority: &authority.parse().unwrap(),
        trusted: &trusted(),
    })
}

#[track_caller]
fn check(peer: &str, before: &[&str], after: &[&str]) {
    let mut headers = heads(before);
    with(peer, "a", |forwarding| forwarding.apply(&mut headers));
    assert_eq!(lines(&headers), after, "{peer} {before:?}");
}

#[test]
fn claims_of_strangers_are_dropped() {
    check(
        CLIENT,
        &[
            "Client-IP: 1.1.1.1",
            "Forwarded: for=1.1.1.1",
            "Front-End-Https: on",
            "True-Client-IP: 1.1.1.1",
            "X-Client-IP: 1.1.1.1",
            "X-Cluster-Client-IP: 1.1.1.1",
            "X-Forwarded: 1.1.1.1",
            "X-Forwarded-For: 1.1.1.1",
            "X-Forwarded-For: 2.2.2.2",
            "X_Forwarded_For: 1.1.1.1",
            "X-Forwarded_Host: evil",
            "X-Forwarded-Host: evil",
            "X-Forwarded-Port: 1",
            "X-Forwarded-Prefix: /evil",
            "X-Forwarded-Proto: https",
            "X-Forwarded-Server: evil",
            "X-Original-Host: evil",
            "X-Original-URL: /admin",
            "X-Real-IP: 1.1.1.1",
            "X-Rewrite-URL: /admin",
            "X-Requested-With: kept",
        ],
        &[
            "forwarded: for=203.0.113.7;host=a;proto=http",
            "x-forwarded-for: 203.0.113.7",
            "x-forwarded-host: a",
            "x-forwarded-proto: http",
            "x-requested-with: kept",
        ],
    );
}

#[test]
fn trusted_peers_are_appended_to() {
    check(
        BALANCER,
        &[
            "Forwarded: for=\"a,b\"",
            "X-Forwarded-For: 203.0.113.7",
            "X-Forwarded-For: 10.0.0.9",
            "X-Forwarded-Host: www.bank.example",
            "X-Forwarded-Proto: https",
            "X-Real-IP: 203.0.113.7",
        ],
        &[
            "forwarded: for=\"a,b\", for=10.0.0.1;host=a;proto=http",
            "x-forwarded-for: 203.0.113.7, 10.0.0.9, 10.0.0.1",
            "x-forwarded-host: www.bank.example",
            "x-forwarded-proto: https",
            "x-real-ip: 203.0.113.7",
        ],
    );
}

#[test]
fn trust_ends_at_the_networks_border() {
    for (peer, is_trusted) in [
        ("9.255.255.255", false),
        ("10.0.0.0", true),
        ("10.255.255.255", true),
        ("11.0.0.0", false),
        ("::ffff:10.0.0.1", true),
        ("::ffff:11.0.0.1", false),
        ("fd00::1", true),
        ("fc00::1", false),
    ] {
        assert_eq!(
            trusted().contains(peer.parse().unwrap()),
            is_trusted,
            "{peer}"
        );
    }
    assert!(!TrustedPeers::default().contains(BALANCER.parse().unwrap()));
}

#[test]
fn colons_are_quoted_in_forwarded_only() {
    let mut headers = HeaderMap::new();
    with("2001:db8::1", "a:8080", |forwarding| {
        forwarding.apply(&mut headers)
    });
    let expect = [
        "forwarded: for=\"[2001:db8::1]\";host=\"a:8080\";proto=http",
        "x-forwarded-for: 2001:db8::1",
        "x-forwarded-host: a:8080",
        "x-forwarded-proto: http",
    ];
    assert_eq!(lines(&headers), expect);
}

#[test]
fn the_visitor_is_the_last_one_that_nobody_vouches_for() {
    for (peer, chain, visitor) in [
        (CLIENT, &["1.1.1.1"][..], CLIENT),
        ("::ffff:203.0.113.7", &[], CLIENT),
        (BALANCER, &[], BALANCER),
        (BALANCER, &[""], BALANCER),
        (BALANCER, &["203.0.113.7"], CLIENT),
        (BALANCER, &["1.1.1.1, 203.0.113.7, 10.0.0.9"], CLIENT),
        (BALANCER, &["1.1.1.1, 203.0.113.7", "10.0.0.9"], CLIENT),
        (BALANCER, &["10.0.0.8, 10.0.0.9"], "10.0.0.8"),
        (BALANCER, &["1.1.1.1, unknown, 10.0.0.9"], "10.0.0.9"),
        (BALANCER, &["1.1.1.1, unknown"], BALANCER),
        (BALANCER, &["203.0.113.7:51234"], CLIENT),
        (BALANCER, &["[2001:db8::1]:51234"], "2001:db8::1"),
        (BALANCER, &["\"[2001:db8::1]\""], "2001:db8::1"),
        (BALANCER, &["2001:db8::1"], "2001:db8::1"),
        (BALANCER, &["\u{e9}"], BALANCER),
    ] {
        let chain: Vec<_> = chain
            .iter()
            .map(|list| format!("X-Forwarded-For: {list}"))
            .collect();
        let chain: Vec<_> = chain.iter().map(String::as_str).collect();
        let found = trusted().visitor_address(peer.parse().unwrap(), &heads(&chain));
        assert_eq!(found.to_string(), visitor, "{peer} {chain:?}");
    }
}

#[test]
fn only_trusted_peers_say_the_scheme() {
    for (peer, line, scheme) in [
        (CLIENT, "X-Forwarded-Proto: https", Scheme::Http),
        (BALANCER, "X-Forwarded-Proto: HTTPS", Scheme::Https),
        (BALANCER, "X-Forwarded-Proto: https, http", Scheme::Https),
        (BALANCER, "X-Forwarded-Proto: wss", Scheme::Http),
        (BALANCER, "X-Forwarded-Proto: \u{e9}", Scheme::Http),
        (BALANCER, "X: y", Scheme::Http),
    ] {
        let found = with(peer, "a", |forwarding| {
            forwarding.visitor_scheme(&heads(&[line]))
        });
        assert_eq!(found, scheme, "{peer} {line}");
    }
}

#[test]
fn via_is_appended_to() {
    for (before, version, after) in [
        (&[][..], Version::HTTP_11, "via: 1.1 edge"),
        (&["Via: 1.0 a"], Version::HTTP_2, "via: 1.0 a, 2 edge"),
        (
            &["Via: 1.0 a", "Via: 1.1 b"],
            Version::HTTP_10,
            "via: 1.0 a, 1.1 b, 1.0 edge",
        ),
    ] {
        let mut headers = heads(before);
        Via::new("edge").append(&mut headers, version);
        assert_eq!(lines(&headers), [after]);
    }
}
