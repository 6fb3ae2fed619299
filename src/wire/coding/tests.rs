use proptest::prelude::*;

use super::super::test_heads::heads;
use super::*;

fn of(lines: &[&str]) -> Result<Coding, CodingRefusal> {
    Coding::of(&heads(lines))
}

fn accept(text: &str) -> AcceptEncoding {
    AcceptEncoding::parse(&heads(&[&format!("Accept-Encoding: {text}")]))
}

#[test]
fn unreadable_bodies_are_told_apart() {
    for (lines, refusal) in [
        (&["Content-Encoding: compress"][..], CodingRefusal::Unknown),
        (&["Content-Encoding: gzip2"], CodingRefusal::Unknown),
        (&["Content-Encoding: \u{e9}"], CodingRefusal::Unknown),
        (&["Content-Encoding: dcb"], CodingRefusal::Unknown),
        (&["Content-Encoding: gzip, gzip"], CodingRefusal::Stacked),
        (
            &["Content-Encoding: gzip", "Content-Encoding: br"],
            CodingRefusal::Stacked,
        ),
        (&["Content-Encoding: x, gzip"], CodingRefusal::Stacked),
    ] {
        assert_eq!(of(lines), Err(refusal), "{lines:?}");
    }
}

#[test]
fn reads_the_codings_that_origins_write() {
    assert_eq!(of(&[]), Ok(Coding::Identity));
    for (value, coding) in [
        ("", Coding::Identity),
        ("none", Coding::Identity),
        ("Identity", Coding::Identity),
        (" , ", Coding::Identity),
        ("gzip", Coding::Gzip),
        ("X-GZIP", Coding::Gzip),
        ("deflate", Coding::Deflate),
        ("br", Coding::Br),
        ("zstd", Coding::Zstd),
        ("identity, gzip", Coding::Gzip),
        ("gzip,", Coding::Gzip),
    ] {
        assert_eq!(
            of(&[&format!("Content-Encoding: {value}")]),
            Ok(coding),
            "{value:?}"
        );
    }
    let lines = ["Content-Encoding: identity", "Content-Encoding: br"];
    assert_eq!(of(&lines), Ok(Coding::Br));
}

#[test]
fn an_origin_whose_page_is_written_anew_is_not_asked_for_brotli_if_anything_else_will_do() {
    for (text, narrowed) in [
        ("gzip, deflate, br, zstd", "gzip, deflate, zstd"),
        ("gzip;q=0.1, br", "gzip;q=0.1"),
        ("br;q=0, gzip", "gzip"),
        ("br", "br"),
        ("br, gzip;q=0", "br, gzip;q=0"),
        ("br, identity", "br, identity"),
        ("*", "zstd, gzip, deflate"),
        ("", "identity"),
    ] {
        let found = accept(text).narrowed_for_rewriting().unwrap();
        assert_eq!(found, narrowed, "{text:?}");
    }
    let absent = AcceptEncoding::parse(&HeaderMap::new());
    assert_eq!(absent.narrowed_for_rewriting(), None);
}

#[test]
fn the_origin_is_asked_only_for_what_can_be_decoded() {
    for (text, narrowed) in [
        ("", "identity"),
        ("compress", "identity"),
        ("dcb, dcz", "identity"),
        ("gzip;q=2", "identity"),
        ("gzip;q=0.1234", "identity"),
        ("gzip;q=-1", "identity"),
        ("gzip;level=1", "identity"),
        ("gzip;q=", "identity"),
        (
            "gzip, deflate, br, zstd, dcb, dcz",
            "gzip, deflate, br, zstd",
        ),
        ("GZIP;Q=0.5 , br ; q=1.000", "gzip;q=0.5, br"),
        ("x-gzip", "gzip"),
        ("gzip;q=0.050", "gzip;q=0.05"),
        ("br;q=0, gzip;q=0.999", "br;q=0, gzip;q=0.999"),
        ("identity;q=0, compress", "identity;q=0"),
        ("identity;q=0, gzip", "identity;q=0, gzip"),
        ("gzip, *;q=0", "gzip, *;q=0"),
        ("*", "zstd, br, gzip, deflate"),
        ("gzip, *;q=0.5", "gzip, zstd;q=0.5, br;q=0.5, deflate;q=0.5"),
        ("gzip;q=0, *", "gzip;q=0, zstd, br, deflate"),
    ] {
        let found = accept(text).narrowed().unwrap();
        assert_eq!(found, narrowed, "{text:?}");
    }
    let absent = AcceptEncoding::parse(&HeaderMap::new());
    assert_eq!(absent.narrowed(), None);
    let lines = heads(&["Accept-Encoding: gzip", "Accept-Encoding: compress, br"]);
    assert_eq!(
        AcceptEncoding::parse(&lines).narrowed().unwrap(),
        "gzip, br"
    );
}

#[test]
fn keeps_the_coding_at_hand_where_it_is_welcome() {
    use Coding::*;
    for (text, at_hand, chosen) in [
        ("gzip, br", Gzip, Gzip),
        ("gzip;q=0.1, br", Gzip, Gzip),
        ("gzip, br", Identity, Identity),
        ("gzip, br", Zstd, Br),
        ("gzip, br;q=0.9", Zstd, Gzip),
        ("deflate", Gzip, Deflate),
        ("br;q=0.5, identity", Gzip, Identity),
        ("gzip;q=0", Gzip, Identity),
        ("gzip;q=0, *", Gzip, Zstd),
        ("*;q=0.5", Br, Br),
        ("*;q=0", Br, Identity),
        ("", Br, Identity),
        ("identity;q=0, gzip", Identity, Gzip),
        ("identity;q=0", Identity, Identity),
        ("*;q=0, gzip", Identity, Gzip),
    ] {
        assert_eq!(accept(text).choose(at_hand), chosen, "{text:?} {at_hand:?}");
    }
    let absent = AcceptEncoding::parse(&HeaderMap::new());
    assert_eq!(absent.choose(Br), Br);
}

proptest! {
    #[test]
    fn never_panics_and_asks_for_nothing_unknown(text in "([a-z*;=,. 0-9q\\t\"]|gzip|br|;q=|\\*|é){0,24}") {
        let accept = accept(&text);
        for at_hand in BY_PREFERENCE {
            let _ = accept.choose(at_hand);
        }
        let narrowed = accept.narrowed().unwrap();
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT_ENCODING, narrowed.clone());
        prop_assert_eq!(AcceptEncoding::parse(&headers).narrowed().unwrap(), &narrowed);
        for member in narrowed.to_str().unwrap().split(", ") {
            let name = member.split(';').next().unwrap();
            prop_assert!(name == "*" || Coding::parse(name.as_bytes()).is_some());
        }
    }
}
