use http::HeaderValue;
use http::header::ORIGIN;

use super::*;

fn origins() -> [Origin; 2] {
    ["127.0.0.1:8090", "agents.bank.example"].map(|authority| Origin {
        scheme: match authority.starts_with('1') {
            true => Scheme::Http,
            false => Scheme::Https,
        },
        authority: authority.parse().unwrap(),
    })
}

fn asked(host: &str, origin: Option<&str>, site: Option<&str>, asking: Asking) -> bool {
    let mut headers = HeaderMap::new();
    headers.insert(HOST, HeaderValue::from_str(host).unwrap());
    if let Some(origin) = origin {
        headers.insert(ORIGIN, HeaderValue::from_bytes(origin.as_bytes()).unwrap());
    }
    if let Some(site) = site {
        headers.insert(SEC_FETCH_SITE, HeaderValue::from_str(site).unwrap());
    }
    admit(&origins(), &headers, asking).is_ok()
}

const OURS: &str = "https://agents.bank.example";

/// None of these may act, nor read.
#[test]
fn thirty_origins_that_are_not_the_console() {
    for origin in [
        "",
        "null",
        "NULL",
        "agents.bank.example",
        "//agents.bank.example",
        "https:agents.bank.example",
        "https://",
        "https://agents.bank.example/",
        "https://agents.bank.example:444",
        "https://agents.bank.example:",
        "https://agents.bank.example:0",
        "http://agents.bank.example",
        "http://agents.bank.example:443",
        "wss://agents.bank.example",
        "file://agents.bank.example",
        "chrome-extension://agents.bank.example",
        "https://agents.bank.example.evil.example",
        "https://evil-agents.bank.example",
        "https://xagents.bank.example",
        "https://bank.example",
        "https://www.bank.example",
        "https://agents.bank.example@evil.example",
        "https://evil.example#agents.bank.example",
        "https://evil.example?agents.bank.example",
        "https://evil.example/agents.bank.example",
        "https://user@agents.bank.example",
        "https://agents.bank.ex\u{e4}mple",
        "https://agents.xn--bnk-qla.example",
        "https://agents.bank.example https://agents.bank.example",
        "https://agents.bank.example,https://agents.bank.example",
        "https://agents_bank.example",
        "https://127.0.0.1:8090",
        "http://localhost:8090",
        "http://127.0.0.1",
        "http://127.0.0.1:8091",
        "http://[::1]:8090",
        "http://2130706433:8090",
        // Ours, but not the one under which this is asked for.
        "http://127.0.0.1:8090",
    ] {
        for asking in [Asking::Acting, Asking::Reading] {
            let host = "agents.bank.example";
            assert!(!asked(host, Some(origin), None, asking), "{origin:?}");
        }
    }
}

#[test]
fn our_own_in_any_case_may() {
    for origin in [
        OURS,
        "HTTPS://Agents.Bank.Example",
        "https://agents.bank.example:443",
    ] {
        let found = asked("agents.bank.example", Some(origin), None, Asking::Acting);
        // A browser never writes the usual port.
        assert_eq!(found, !origin.ends_with(":443"), "{origin}");
    }
    assert!(asked(
        "127.0.0.1:8090",
        Some("http://127.0.0.1:8090"),
        None,
        Asking::Acting
    ));
}

#[test]
fn no_origin_will_do_for_reading_only() {
    for (asking, allowed) in [
        (Asking::File, true),
        (Asking::Reading, true),
        (Asking::Acting, false),
    ] {
        assert_eq!(asked("agents.bank.example", None, None, asking), allowed);
    }
}

#[test]
fn two_origins_are_none() {
    let mut headers = HeaderMap::new();
    headers.insert(HOST, HeaderValue::from_static("agents.bank.example"));
    headers.append(ORIGIN, HeaderValue::from_static(OURS));
    headers.append(ORIGIN, HeaderValue::from_static(OURS));
    assert!(admit(&origins(), &headers, Asking::Acting).is_err());
}

#[test]
fn a_name_of_somebody_elses_is_no_way_in() {
    for host in [
        "evil.example",
        "127.0.0.1",
        "127.0.0.1:80",
        "agents.bank.example:8443",
        "",
    ] {
        for asking in [Asking::File, Asking::Reading, Asking::Acting] {
            assert!(!asked(host, Some(OURS), None, asking), "{host}");
        }
    }
    assert!(admit(&origins(), &HeaderMap::new(), Asking::File).is_err());
}

#[test]
fn what_a_browser_calls_another_site_is_one() {
    for (site, allowed) in [
        ("same-origin", true),
        ("none", true),
        ("same-site", false),
        ("cross-site", false),
        ("Same-Origin", false),
        ("", false),
    ] {
        for asking in [Asking::Reading, Asking::Acting] {
            let found = asked("agents.bank.example", Some(OURS), Some(site), asking);
            assert_eq!(found, allowed, "{site}");
        }
        assert!(asked("agents.bank.example", None, Some(site), Asking::File));
    }
}
