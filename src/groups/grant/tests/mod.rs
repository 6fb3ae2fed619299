mod mutations;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};

use super::*;
use crate::groups::{GroupId, GroupSet, SiteEnv};

const ONE: &str = "Zm9yLXRlc3RzLW9ubHktdGhpcy1pcy1rZXktb25l";
const OTHER: &str = "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0";
/// When the grants of these tests end.
const END: u64 = 1_800_000_000;

fn keys(text: &str) -> GrantKeys {
    GrantKeys::parse(text).unwrap()
}

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

fn group(number: i64) -> GroupId {
    GroupId::new(number).unwrap()
}

fn fields() -> GrantFields {
    GrantFields {
        host: "www.bank.example".into(),
        rule: "mortgage desk".into(),
        env: SiteEnv::Production,
        groups: GroupSet::new(group(15687), [group(15690), group(15688)]),
        mask_revision: 0xabc,
        expires: END,
    }
}

fn grant() -> PageGrant {
    PageGrant::new(fields()).unwrap()
}

/// Signed by the right key, whatever the payload says.
fn signed(payload: &str) -> String {
    signed_text(&URL_SAFE_NO_PAD.encode(payload))
}

fn signed_text(payload: &str) -> String {
    let keys = keys(ONE);
    let id = keys.ids().next().unwrap();
    let text = format!("v1.{id}.{payload}");
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, ONE.as_bytes());
    let mac = aws_lc_rs::hmac::sign(&key, text.as_bytes());
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(mac.as_ref()))
}

#[track_caller]
fn refused(text: &str, expected: GrantRefusal) {
    let found = keys(ONE).open(text, at(END - 1));
    assert_eq!(found, Err(expected), "{text}");
}

#[test]
fn what_is_not_written_as_a_grant_is_refused() {
    use GrantRefusal::{Forged, Malformed, TooLong, UnknownKey, UnknownVersion};
    let good = keys(ONE).sign(&grant());
    let parts: Vec<_> = good.split('.').collect();
    let [version, id, payload, mac] = parts[..] else {
        unreachable!("{good}")
    };
    for (text, refusal) in [
        (String::new(), Malformed),
        ("v1".to_owned(), Malformed),
        (format!("v0.{id}.{payload}.{mac}"), UnknownVersion),
        (format!("v2.{id}.{payload}.{mac}"), UnknownVersion),
        (format!("V1.{id}.{payload}.{mac}"), UnknownVersion),
        (format!(" {good}"), UnknownVersion),
        (format!(".{good}"), UnknownVersion),
        (format!("{version}.{id}.{mac}"), Malformed),
        (format!("{version}.{id}..{payload}.{mac}"), Malformed),
        (format!("{version}..{payload}.{mac}"), UnknownKey),
        (format!("{version}.{id}A.{payload}.{mac}"), UnknownKey),
        (
            format!("{version}.{}.{payload}.{mac}", id.to_lowercase()),
            UnknownKey,
        ),
        (format!("{version}.{id}..{mac}"), Forged),
        (format!("{version}.{id}.{payload}."), Malformed),
        (format!("{good}."), Malformed),
        (format!("{good} "), Malformed),
        (format!("{good}\n"), Malformed),
        (format!("{good}="), Malformed),
        (format!("{good}A"), Malformed),
        (format!("{good}.{mac}"), Malformed),
        (good[..good.len() - 1].to_owned(), Malformed),
        ("v1.".repeat(GRANT_BYTES_MAX), TooLong),
        ("a".repeat(GRANT_BYTES_MAX + 1), TooLong),
    ] {
        refused(&text, refusal);
    }
}

#[test]
fn another_spelling_of_a_grant_is_no_grant() {
    let good = keys(ONE).sign(&grant());
    let (signed, mac) = good.rsplit_once('.').unwrap();
    let bytes = URL_SAFE_NO_PAD.decode(mac).unwrap();
    // The last character of 32 bytes holds two bits that mean nothing: four spellings, one of them ours.
    let last = mac.chars().last().unwrap();
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    for stray in alphabet.chars().filter(|other| *other != last) {
        let text = format!("{signed}.{}{stray}", &mac[..mac.len() - 1]);
        let found = keys(ONE).open(&text, at(END - 1));
        assert!(found.is_err(), "{stray}");
    }
    refused(
        &format!("{signed}.{}", URL_SAFE.encode(&bytes)),
        GrantRefusal::Malformed,
    );
    for payload in [STANDARD.encode(grant().payload()), URL_SAFE.encode("a")] {
        // Signed as it stands, so that it is the spelling alone which is refused.
        if payload.contains(['=', '+', '/']) {
            refused(&signed_text(&payload), GrantRefusal::Malformed);
        }
    }
    refused(&signed_text("Zh"), GrantRefusal::Malformed);
}

#[test]
fn a_signed_payload_that_the_edge_would_not_write_is_refused() {
    let good = "a.example\nsite\nproduction\n1\n2,3\n00000000000000ff\n1800000000";
    assert!(keys(ONE).open(&signed(good), at(END - 1)).is_ok());
    for (from, to) in [
        ("a.example", ""),
        ("a.example", "a b"),
        ("a.example", "\u{e4}.example"),
        ("site", ""),
        ("site", "si\rte"),
        ("production", "staging2"),
        ("production", "Production"),
        ("\n1\n", "\n0\n"),
        ("\n1\n", "\n01\n"),
        ("\n1\n", "\n+1\n"),
        ("\n1\n", "\n1,\n"),
        ("\n1\n", "\n4294967296\n"),
        ("2,3", "3,2"),
        ("2,3", "2,2,3"),
        ("2,3", "1,2,3"),
        ("2,3", "2,3,"),
        ("2,3", "2, 3"),
        ("00000000000000ff", "ff"),
        ("00000000000000ff", "00000000000000FF"),
        ("00000000000000ff", "000000000000000ff"),
        ("1800000000", "01800000000"),
        ("1800000000", "1800000000\n"),
        ("1800000000", "1800000000\nmore"),
        ("1800000000", "99999999999999999999"),
        ("1800000000", ""),
        ("\n1800000000", ""),
    ] {
        let payload = good.replacen(from, to, 1);
        refused(&signed(&payload), GrantRefusal::Malformed);
    }
}

#[test]
fn a_grant_holds_until_it_expires() {
    let text = keys(ONE).sign(&grant());
    let month = 30 * 24 * 60 * 60;
    for (now, expected) in [
        (at(END - 1), Ok(())),
        (at(END), Err(GrantRefusal::Expired)),
        (at(END + 1), Err(GrantRefusal::Expired)),
        (at(u64::from(u32::MAX)), Err(GrantRefusal::Expired)),
        (at(END - month), Err(GrantRefusal::LivesTooLong)),
        (
            UNIX_EPOCH - Duration::from_secs(1),
            Err(GrantRefusal::Expired),
        ),
    ] {
        assert_eq!(keys(ONE).open(&text, now).map(drop), expected, "{now:?}");
    }
}

#[test]
fn only_the_keys_that_are_known_are_believed() {
    let [one, other] = [ONE, OTHER].map(keys);
    let (by_one, by_other) = (one.sign(&grant()), other.sign(&grant()));
    let now = at(END - 1);
    assert_eq!(one.open(&by_other, now), Err(GrantRefusal::UnknownKey));
    // The name of a key that is known over the tag of one that is not.
    let [one_id, other_id] = [&one, &other].map(|keys| keys.ids().next().unwrap().to_owned());
    let renamed = by_other.replacen(&other_id, &one_id, 1);
    assert_eq!(one.open(&renamed, now), Err(GrantRefusal::Forged));

    for text in [
        format!("{ONE} {OTHER}"),
        format!("# new\n{OTHER}\n\n# old\n{ONE}\n"),
    ] {
        let both = keys(&text);
        for signed in [&by_one, &by_other] {
            assert_eq!(both.open(signed, now), Ok(grant()));
        }
        let first = both.ids().next().unwrap();
        assert!(both.sign(&grant()).starts_with(&format!("v1.{first}.")));
    }
    let made = [GrantKeys::generate(), GrantKeys::generate()].map(Result::unwrap);
    assert_eq!(
        made[0].open(&made[1].sign(&grant()), now),
        Err(GrantRefusal::UnknownKey)
    );
    assert_eq!(made[0].open(&made[0].sign(&grant()), now), Ok(grant()));
}

#[test]
fn a_grant_is_of_one_host_and_environment() {
    use SiteEnv::{Production, Staging};
    let opened = keys(ONE)
        .open(&keys(ONE).sign(&grant()), at(END - 1))
        .unwrap();
    assert_eq!(opened.check_page("www.bank.example", Production), Ok(()));
    for (host, env) in [
        ("bank.example", Production),
        ("www.bank.example.", Production),
        ("WWW.bank.example", Production),
        ("", Production),
        ("www.bank.example", Staging),
    ] {
        let found = opened.check_page(host, env);
        assert_eq!(found, Err(GrantRefusal::ForeignPage), "{host:?}");
    }
}

#[test]
fn a_grant_says_all_that_was_signed_and_is_the_same_each_time() {
    let text = keys(ONE).sign(&grant());
    assert_eq!(text, keys(&format!("{ONE}\n{OTHER}")).sign(&grant()));
    assert!(
        text.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    );
    assert!(text.len() < 200, "{}", text.len());
    let opened = keys(ONE).open(&text, at(END - 1)).unwrap();
    assert_eq!(
        (opened.host(), opened.rule()),
        ("www.bank.example", "mortgage desk")
    );
    assert_eq!(
        (opened.env(), opened.mask_revision()),
        (SiteEnv::Production, 0xabc)
    );
    assert_eq!((opened.groups(), opened.expires()), (grant().groups(), END));
}

/// Pinned, so that edges of two releases believe each other.
#[test]
fn the_first_version_stays_as_it_is() {
    assert_eq!(keys(ONE).sign(&grant()), PINNED);
    assert_eq!(keys(ONE).open(PINNED, at(END - 1)), Ok(grant()));
}

const PINNED: &str = "v1.ps4H68s9.\
    d3d3LmJhbmsuZXhhbXBsZQptb3J0Z2FnZSBkZXNrCnByb2R1Y3Rpb24KMTU2ODcKMTU2ODgsMTU2OTAKMDAwMDAwMDAwMDAwMGFiYwoxODAwMDAwMDAw.\
    P0rjew2or2rmr0Q-SmGxYfkZt8MV7YXI5kTkbHIitOg";

#[test]
fn the_largest_grant_fits_and_a_larger_one_is_not_made() {
    let many = |count| {
        GroupSet::new(
            group(4_294_967_295),
            (1..count).map(|n| group(4_294_967_295 - n)),
        )
    };
    let largest = GrantFields {
        host: "h".repeat(257).into(),
        rule: "\u{1f600}".repeat(80).into(),
        groups: many(256),
        mask_revision: u64::MAX,
        ..fields()
    };
    let made = PageGrant::new(largest).unwrap();
    let text = keys(ONE).sign(&made);
    assert!(text.len() <= GRANT_BYTES_MAX, "{}", text.len());
    assert_eq!(keys(ONE).open(&text, at(END - 1)), Ok(made));

    for wrong in [
        GrantFields {
            host: "h".repeat(258).into(),
            ..fields()
        },
        GrantFields {
            host: "".into(),
            ..fields()
        },
        GrantFields {
            host: "a\nb".into(),
            ..fields()
        },
        GrantFields {
            rule: "".into(),
            ..fields()
        },
        GrantFields {
            rule: "a\nb".into(),
            ..fields()
        },
        GrantFields {
            rule: "r".repeat(321).into(),
            ..fields()
        },
        GrantFields {
            groups: many(257),
            ..fields()
        },
    ] {
        assert_eq!(
            PageGrant::new(wrong.clone()),
            Err(UnwritableGrant),
            "{wrong:?}"
        );
    }
}

#[test]
fn a_text_that_holds_no_keys_is_refused_and_never_quoted() {
    use GrantKeyError::*;
    let short = &ONE[..31];
    for (text, error) in [
        (String::new(), None),
        (" \n\t, \n# only a comment\n".to_owned(), None),
        (
            short.to_owned(),
            Length {
                number: 1,
                length: 31,
            },
        ),
        (
            format!("{ONE} {short}"),
            Length {
                number: 2,
                length: 31,
            },
        ),
        (
            "x".repeat(513),
            Length {
                number: 1,
                length: 513,
            },
        ),
        ("a".repeat(32), TooSimple(1)),
        ("changeme".repeat(4), TooSimple(1)),
        (format!("{ONE}\u{e4}"), NotPlain(1)),
        (format!("{ONE}\0"), NotPlain(1)),
        (format!("{ONE}\n{ONE}"), Twice),
        (format!("{ONE}\n{OTHER}\n{ONE}x"), TooMany(3)),
    ] {
        let found = GrantKeys::parse(&text).map(drop).unwrap_err();
        assert_eq!(found, error, "{text:?}");
        let told = format!("{found} {found:?}");
        assert!(
            !told.contains(short) && !told.contains("changeme"),
            "{told}"
        );
    }
}

#[test]
fn keys_are_not_shown() {
    let both = keys(&format!("{ONE} {OTHER}"));
    let shown = format!("{both:?} {both:#?}");
    for secret in [ONE, OTHER, &ONE[..8], &OTHER[..8]] {
        assert!(!shown.contains(secret), "{shown}");
    }
    for id in both.ids() {
        assert!(shown.contains(id) && id.len() == 8, "{shown}");
    }
}

#[test]
fn every_refusal_has_a_word_of_its_own() {
    let mut words: Vec<_> = GrantRefusal::ALL
        .iter()
        .map(|refusal| refusal.as_str())
        .collect();
    words.sort_unstable();
    words.dedup();
    assert_eq!(words.len(), GrantRefusal::ALL.len());
}
