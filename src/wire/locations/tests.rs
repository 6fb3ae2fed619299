use super::super::test_heads::{heads, lines};
use super::*;

struct Case {
    origin: &'static str,
    visitor: &'static str,
}

const BANK: Case = Case {
    origin: "http://legacy.internal:8080",
    visitor: "https://www.bank.example",
};

impl Case {
    fn rewrite(&self, before: &[&str]) -> Vec<String> {
        let read = |text: &str| {
            let (scheme, authority) = text.split_once("://").unwrap();
            (
                Scheme::parse(scheme).unwrap(),
                authority.parse::<Authority>().unwrap(),
            )
        };
        let (origin, visitor) = (read(self.origin), read(self.visitor));
        let mut headers = heads(before);
        let locations = Locations {
            origin: (origin.0, &origin.1),
            visitor: (visitor.0, &visitor.1),
        };
        locations.rewrite(&mut headers);
        lines(&headers)
    }

    #[track_caller]
    fn check(&self, before: &str, after: &str) {
        assert_eq!(self.rewrite(&[before]), [after], "{before:?}");
    }

    #[track_caller]
    fn keeps(&self, line: &str) {
        self.check(line, line);
    }
}

#[test]
fn other_places_are_kept() {
    for address in [
        "",
        "/a",
        "a//b",
        "?http://legacy.internal:8080/",
        "https://legacy.internal:8080/",
        "http://legacy.internal/",
        "http://legacy.internal:80800/",
        "http://legacy.internal:8080.evil.example/",
        "http://legacy.internal:8080@evil.example/",
        "http://user@legacy.internal:8080/",
        "http://other.internal:8080/",
        "http://xlegacy.internal:8080/",
        "http:/legacy.internal:8080/",
        "http:legacy.internal:8080",
        "//legacy.internal/",
        "ftp://legacy.internal:8080/",
        "https://www.bank.example/a",
        "https://login.example/?next=http://legacy.internal:8080/",
        "http://legacy.internal:8080\\a",
        "\u{e9}://legacy.internal:8080/",
    ] {
        BANK.keeps(&format!("location: {address}"));
        BANK.keeps(&format!("content-location: {address}"));
        BANK.keeps(&format!("refresh: 0;url={address}"));
    }
    BANK.keeps("link: <http://legacy.internal:8080/a>; rel=preload");
}

#[test]
fn the_origin_becomes_the_visitors_place() {
    for (address, expect) in [
        ("http://legacy.internal:8080", "https://www.bank.example"),
        ("http://legacy.internal:8080/", "https://www.bank.example/"),
        (
            "HTTP://Legacy.Internal.:8080/A?b=%2F#c",
            "https://www.bank.example/A?b=%2F#c",
        ),
        (
            "http://legacy.internal:8080?q",
            "https://www.bank.example?q",
        ),
        (
            "http://legacy.internal:8080#f",
            "https://www.bank.example#f",
        ),
        (
            "http://legacy.internal:8080/\u{e9} b",
            "https://www.bank.example/\u{e9} b",
        ),
        ("//legacy.internal:8080/a", "//www.bank.example/a"),
    ] {
        for field in ["location: ", "content-location: ", "refresh: 5; url="] {
            BANK.check(&format!("{field}{address}"), &format!("{field}{expect}"));
        }
    }
}

#[test]
fn default_ports_may_be_written_or_not() {
    let case = Case {
        origin: "https://o",
        visitor: "http://127.0.0.1:8080",
    };
    case.check(
        "location: https://o:443/a",
        "location: http://127.0.0.1:8080/a",
    );
    case.check("location: https://o/a", "location: http://127.0.0.1:8080/a");
    case.keeps("location: http://o/a");
    let case = Case {
        origin: "http://o:80",
        visitor: "http://v",
    };
    case.check("location: http://o/a", "location: http://v/a");
}

#[test]
fn refresh_is_read_as_browsers_read_it() {
    let (origin, visitor) = (BANK.origin, BANK.visitor);
    for (before, after) in [
        ("0;", ""),
        ("0; URL=", ""),
        ("1.5 , url = ", ""),
        ("  3 ", ""),
        ("5;", "/a"),
        ("5;url='", "/a'"),
        ("5;url=\"", "\""),
        ("5; ", ""),
    ] {
        BANK.check(
            &format!("refresh: {before}{origin}{after}"),
            &format!("refresh: {before}{visitor}{after}"),
        );
    }
    BANK.keeps("refresh: 5");
    BANK.keeps("refresh: 5;url=");
    BANK.keeps("refresh: 5;uri=http://legacy.internal:8080/");
}

#[test]
fn cookie_domains_follow_the_origin() {
    for (before, after) in [
        (
            "a=1; Domain=legacy.internal",
            "a=1; Domain=www.bank.example",
        ),
        (
            "a=1;domain=.LEGACY.internal;Secure",
            "a=1;domain=www.bank.example;Secure",
        ),
        (
            "a=1; Path=/; Domain = legacy.internal ; HttpOnly",
            "a=1; Path=/; Domain =www.bank.example; HttpOnly",
        ),
        ("=; DOMAIN=legacy.internal;", "=; DOMAIN=www.bank.example;"),
        (
            "a=\u{e9}; Domain=legacy.internal; X Odd",
            "a=\u{e9}; Domain=www.bank.example; X Odd",
        ),
    ] {
        BANK.check(
            &format!("set-cookie: {before}"),
            &format!("set-cookie: {after}"),
        );
    }
    for kept in [
        "a=1",
        "Domain=legacy.internal",
        "a=1; Domain=internal",
        "a=1; Domain=x.legacy.internal",
        "a=1; Domain=legacy.internal:8080",
        "a=1; Domain",
        "a=1; Domain=",
        "a=1; XDomain=legacy.internal",
        " a = 1 ;; ;Path=/ ; ",
    ] {
        BANK.keeps(&format!("set-cookie: {kept}"));
    }
}

#[test]
fn hosts_that_can_have_no_domain_lose_it() {
    for visitor in [
        "http://127.0.0.1:8080",
        "http://[::1]:8080",
        "http://localhost:8080",
    ] {
        let case = Case {
            origin: BANK.origin,
            visitor,
        };
        case.check(
            "set-cookie: a=1; Domain=legacy.internal; Path=/",
            "set-cookie: a=1; Path=/",
        );
        case.check("set-cookie: a=1;domain=.legacy.internal", "set-cookie: a=1");
    }
}

#[test]
fn a_host_that_is_kept_keeps_its_cookies_bytes() {
    let case = Case {
        origin: "http://a:8080",
        visitor: "https://a",
    };
    case.keeps("set-cookie: x=1; Domain=.A");
}

#[test]
fn number_and_order_of_lines_stay() {
    let before = [
        "Set-Cookie: b=1; Domain=legacy.internal",
        "Set-Cookie: a=2",
        "Set-Cookie: b=1; Domain=other",
        "Set-Cookie: b=1; Domain=legacy.internal",
    ];
    let after = [
        "set-cookie: b=1; Domain=www.bank.example",
        "set-cookie: a=2",
        "set-cookie: b=1; Domain=other",
        "set-cookie: b=1; Domain=www.bank.example",
    ];
    assert_eq!(BANK.rewrite(&before), after);
}
