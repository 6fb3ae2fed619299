use super::*;

fn check(
    header: &[&str],
    needs: Needs,
    metas: &[(&str, Result<&str, Obstacle>)],
    nonce: Option<&str>,
) {
    let mut adjuster = adjuster(header, needs, Treatment::Patch).unwrap();
    for (policy, expected) in metas {
        let found = adjuster.meta(policy);
        let found = found.map(|new| new.unwrap_or_else(|| (*policy).to_owned()));
        assert_eq!(found.as_deref(), expected.as_ref().copied(), "{policy}");
    }
    assert_eq!(adjuster.nonce(), nonce, "{metas:?}");
}

#[test]
fn a_meta_policy_grows_like_one_in_the_head() {
    let metas = [
        ("", Ok("")),
        (
            "script-src 'self'",
            Ok("script-src 'self' https://cdn.example/cobrowse/"),
        ),
        ("img-src\n 'none';", Ok("img-src https://cdn.example;")),
        (
            "sandbox; frame-ancestors 'none'",
            Ok("sandbox; frame-ancestors 'none'"),
        ),
    ];
    check(&[], elsewhere(), &metas, None);
}

#[test]
fn a_comma_is_borne_only_where_both_readings_allow_the_tag() {
    let metas = [
        ("img-src *, img-src https:", Ok("img-src *, img-src https:")),
        ("img-src *, img-src 'self'", Err(Obstacle::Comma)),
        (
            "script-src 'self', https://cdn.example",
            Err(Obstacle::Comma),
        ),
    ];
    check(&[], elsewhere(), &metas, None);
}

#[test]
fn what_cannot_be_mended_is_refused() {
    let typed = "require-trusted-types-for 'script'";
    let long = "x".repeat(MAX_META_POLICY + 1);
    let strict = "script-src 'strict-dynamic'";
    let metas = [
        (typed, Err(Obstacle::TrustedTypes)),
        (&*long, Err(Obstacle::TooLong(MAX_META_POLICY))),
        // The head is sent: the answer can no longer be kept from shared caches.
        (strict, Err(Obstacle::StrictDynamic("script-src".into()))),
    ];
    check(&[], elsewhere(), &metas, None);
    let longest = "x".repeat(MAX_META_POLICY);
    check(&[], elsewhere(), &[(&longest, Ok(&longest))], None);
}

#[test]
fn the_nonce_of_a_meta_policy_is_taken_where_none_is_demanded_yet() {
    let one = "script-src 'nonce-one' 'strict-dynamic'";
    let two = "script-src 'nonce-two' 'strict-dynamic'";
    let missing = || Err(Obstacle::StrictDynamic("script-src".into()));
    check(&[], elsewhere(), &[(one, Ok(one))], Some("one"));
    check(
        &[],
        elsewhere(),
        &[(one, Ok(one)), (two, missing())],
        Some("one"),
    );
    check(
        &["script-src 'nonce-h'"],
        elsewhere(),
        &[(two, Ok(two))],
        Some("two"),
    );
    check(
        &[one],
        elsewhere(),
        &[(one, Ok(one)), (two, missing())],
        Some("one"),
    );
}

#[test]
fn what_the_tag_has_anyway_is_added_to_a_meta_policy() {
    let strict = "script-src 'strict-dynamic'";
    let fresh = format!("{strict} 'nonce-{FRESH}'");
    check(&[strict], elsewhere(), &[(strict, Ok(&fresh))], Some(FRESH));
    let hash = format!("{strict} '{HASH}'");
    check(&[], hashed(), &[(strict, Ok(&hash))], None);
}

#[test]
fn metas_are_left_or_refused_where_the_site_says_so() {
    let nonce = "script-src 'nonce-a' 'strict-dynamic'";
    let mut left = adjuster(&[], elsewhere(), Treatment::Leave).unwrap();
    for policy in [
        nonce,
        "script-src 'none'",
        "require-trusted-types-for 'script'",
    ] {
        assert_eq!(left.meta(policy), Ok(None), "{policy}");
    }
    assert_eq!(left.nonce(), Some("a"));
    let mut refusing = adjuster(&[], elsewhere(), Treatment::Refuse).unwrap();
    assert_eq!(refusing.meta(nonce), Ok(None));
    assert!(refusing.meta("script-src 'self'").is_err());
}
