use super::*;

/// Stand in the table for what is added.
const ADDED: [(&str, &str); 5] = [
    ("+script", "https://cdn.example/cobrowse/"),
    ("+connect", "https://ws.example wss://ws.example"),
    ("+style", "https://cdn.example"),
    ("+img", "https://cdn.example"),
    ("+frame", "https://ws.example"),
];

fn expanded(text: &str) -> String {
    let expand = |text: String, (word, added): (&str, &str)| text.replace(word, added);
    ADDED.into_iter().fold(text.to_owned(), expand)
}

/// Lines as the origin sends them, as they go on, and the nonce of the tag.
type Row = (
    &'static [&'static str],
    &'static [&'static str],
    Option<&'static str>,
);

#[track_caller]
fn check(rows: &[Row], needs: fn() -> Needs) {
    for (lines, expected, nonce) in rows {
        let adjuster = adjuster(lines, needs(), Treatment::Patch).unwrap();
        let found: Vec<_> = lines.iter().map(|line| grown(&adjuster, line)).collect();
        let expected: Vec<_> = expected.iter().map(|line| expanded(line)).collect();
        assert_eq!(found, expected, "{lines:?}");
        assert_eq!(adjuster.nonce(), *nonce, "{lines:?}");
        let after = verdict(found.iter().map(String::as_str), &needs(), *nonce);
        assert_eq!(after, Verdict::Runs, "{lines:?}");
        let again: Vec<_> = found.iter().map(|line| grown(&adjuster, line)).collect();
        assert_eq!(again, found, "growing twice: {lines:?}");
    }
}

#[test]
fn lists_of_hosts_grow_by_hosts() {
    let rows: &[Row] = &[
        // Nothing stands in the way.
        (&[], &[], None),
        (&[""], &[""], None),
        (&["; ;"], &["; ;"], None),
        (
            &["frame-ancestors 'none'; base-uri 'self'"],
            &["frame-ancestors 'none'; base-uri 'self'"],
            None,
        ),
        (
            &["upgrade-insecure-requests"],
            &["upgrade-insecure-requests"],
            None,
        ),
        (&["default-src *"], &["default-src *"], None),
        (
            &["default-src https: wss:; script-src https:"],
            &["default-src https: wss:; script-src https:"],
            None,
        ),
        (
            &["script-src https://cdn.example"],
            &["script-src https://cdn.example"],
            None,
        ),
        (
            &["script-src cdn.example:443/cobrowse/"],
            &["script-src cdn.example:443/cobrowse/"],
            None,
        ),
        (&["img-src *.example"], &["img-src *.example"], None),
        // A directive of its own grows at its place.
        (&["script-src 'self'"], &["script-src 'self' +script"], None),
        (&["script-src"], &["script-src +script"], None),
        (&["script-src 'none'"], &["script-src +script"], None),
        (&["script-src 'NONE' ;"], &["script-src +script ;"], None),
        (
            &["script-src 'none' https://a.example"],
            &["script-src 'none' https://a.example +script"],
            None,
        ),
        (
            &["script-src 'unsafe-inline' 'unsafe-eval'"],
            &["script-src 'unsafe-inline' 'unsafe-eval' +script"],
            None,
        ),
        (
            &["script-src data: blob:"],
            &["script-src data: blob: +script"],
            None,
        ),
        (&["script-src http:"], &["script-src http:"], None),
        (
            &["script-src https://cdn.example/other/"],
            &["script-src https://cdn.example/other/ +script"],
            None,
        ),
        (
            &["script-src https://cdn.example:8443"],
            &["script-src https://cdn.example:8443 +script"],
            None,
        ),
        (
            &["script-src https://*.cdn.example"],
            &["script-src https://*.cdn.example +script"],
            None,
        ),
        (
            &["script-src 'sha256-YWJj'"],
            &["script-src 'sha256-YWJj' +script"],
            None,
        ),
        (
            &["script-src-elem 'self'; script-src 'none'"],
            &["script-src-elem 'self' +script; script-src 'none'"],
            None,
        ),
        (
            &["script-src-attr 'none'; script-src 'self'"],
            &["script-src-attr 'none'; script-src 'self' +script"],
            None,
        ),
        (
            &["connect-src 'self'"],
            &["connect-src 'self' +connect"],
            None,
        ),
        (
            &["connect-src https://ws.example"],
            &["connect-src https://ws.example wss://ws.example"],
            None,
        ),
        (
            &["connect-src https:"],
            &["connect-src https: wss://ws.example"],
            None,
        ),
        (
            &["connect-src wss:"],
            &["connect-src wss: https://ws.example"],
            None,
        ),
        (&["connect-src 'none'"], &["connect-src +connect"], None),
        (&["style-src 'self'"], &["style-src 'self' +style"], None),
        (
            &["style-src-elem 'self'; style-src *"],
            &["style-src-elem 'self' +style; style-src *"],
            None,
        ),
        (
            &["style-src-attr 'none'; style-src 'unsafe-inline'"],
            &["style-src-attr 'none'; style-src 'unsafe-inline' +style"],
            None,
        ),
        (
            &["img-src 'self' data:"],
            &["img-src 'self' data: +img"],
            None,
        ),
        (&["frame-src 'none'"], &["frame-src +frame"], None),
        // A list that decides about more is copied first.
        (
            &["child-src 'self'"],
            &["child-src 'self'; frame-src 'self' +frame"],
            None,
        ),
        (
            &["child-src 'none'; frame-src 'self'"],
            &["child-src 'none'; frame-src 'self' +frame"],
            None,
        ),
        (
            &["default-src 'self'"],
            &[
                "default-src 'self'; script-src 'self' +script; connect-src 'self' +connect; \
               style-src 'self' +style; img-src 'self' +img; frame-src 'self' +frame",
            ],
            None,
        ),
        (
            &["default-src 'none'"],
            &[
                "default-src 'none'; script-src +script; connect-src +connect; style-src +style; \
               img-src +img; frame-src +frame",
            ],
            None,
        ),
        (
            &["default-src"],
            &[
                "default-src; script-src +script; connect-src +connect; style-src +style; \
               img-src +img; frame-src +frame",
            ],
            None,
        ),
        (
            &["default-src https:;"],
            &["default-src https:; connect-src https: wss://ws.example"],
            None,
        ),
        (
            &[
                "default-src 'none'; script-src *; connect-src *; style-src *; img-src *; child-src *",
            ],
            &[
                "default-src 'none'; script-src *; connect-src *; style-src *; img-src *; child-src *",
            ],
            None,
        ),
        (
            &[
                "default-src 'self' 'unsafe-inline'; connect-src *; style-src *; img-src *; frame-src *",
            ],
            &[
                "default-src 'self' 'unsafe-inline'; connect-src *; style-src *; img-src *; frame-src *; \
               script-src 'self' 'unsafe-inline' +script",
            ],
            None,
        ),
        (
            &["DEFAULT-SRC 'Self'; ScRiPt-SrC *; Connect-Src *; style-src *; img-src *"],
            &[
                "DEFAULT-SRC 'Self'; ScRiPt-SrC *; Connect-Src *; style-src *; img-src *; \
               frame-src 'Self' +frame",
            ],
            None,
        ),
        (
            &["default-src *; script-src 'self'"],
            &["default-src *; script-src 'self' +script"],
            None,
        ),
        (
            &["default-src *; img-src 'none' ; "],
            &["default-src *; img-src +img ; "],
            None,
        ),
        // Only the first directive of a name counts.
        (
            &["script-src 'self'; script-src *"],
            &["script-src 'self' +script; script-src *"],
            None,
        ),
        (
            &["script-src *; SCRIPT-SRC 'none'"],
            &["script-src *; SCRIPT-SRC 'none'"],
            None,
        ),
        // White space and odd text stay.
        (
            &["  script-src\t'self'  ;;img-src * ;  report-uri /x?a=1;"],
            &["  script-src\t'self' +script  ;;img-src * ;  report-uri /x?a=1;"],
            None,
        ),
        (
            &["script-src 'self' nonsense 'unsafe-nonsense' [::1] https://"],
            &["script-src 'self' nonsense 'unsafe-nonsense' [::1] https:// +script"],
            None,
        ),
        (
            &["script-src 'self'; 12!? x; navigate-to *"],
            &["script-src 'self' +script; 12!? x; navigate-to *"],
            None,
        ),
        // Every policy of every line.
        (
            &["script-src 'self', script-src *"],
            &["script-src 'self' +script, script-src *"],
            None,
        ),
        (
            &["img-src 'self',connect-src *,,script-src 'none'"],
            &["img-src 'self' +img,connect-src *,,script-src +script"],
            None,
        ),
        (
            &["default-src *", "script-src 'self'", "script-src 'none'"],
            &[
                "default-src *",
                "script-src 'self' +script",
                "script-src +script",
            ],
            None,
        ),
        // A sandbox in which scripts run.
        (
            &["sandbox allow-forms Allow-Scripts; script-src 'self'"],
            &["sandbox allow-forms Allow-Scripts; script-src 'self' +script"],
            None,
        ),
        (
            &["require-trusted-types-for 'style'; trusted-types default"],
            &["require-trusted-types-for 'style'; trusted-types default"],
            None,
        ),
    ];
    check(rows, elsewhere);
}

#[test]
fn a_nonce_is_reused_and_one_is_made_only_where_it_is_demanded() {
    let rows: &[Row] = &[
        (
            &["script-src 'nonce-abc'"],
            &["script-src 'nonce-abc' +script"],
            Some("abc"),
        ),
        (
            &["script-src 'NONCE-a+/-_b=='; img-src *"],
            &["script-src 'NONCE-a+/-_b==' +script; img-src *"],
            Some("a+/-_b=="),
        ),
        (
            &["script-src 'nonce-abc' 'strict-dynamic'"],
            &["script-src 'nonce-abc' 'strict-dynamic'"],
            Some("abc"),
        ),
        (
            &["script-src 'nonce-one' 'nonce-two' 'strict-dynamic' https: 'unsafe-inline'"],
            &["script-src 'nonce-one' 'nonce-two' 'strict-dynamic' https: 'unsafe-inline'"],
            Some("one"),
        ),
        (
            &[
                "script-src 'nonce-a' 'nonce-b' 'strict-dynamic'",
                "script-src 'nonce-b' 'STRICT-dynamic'",
            ],
            &[
                "script-src 'nonce-a' 'nonce-b' 'strict-dynamic'",
                "script-src 'nonce-b' 'STRICT-dynamic'",
            ],
            Some("b"),
        ),
        // A policy that goes by hosts does not choose the nonce.
        (
            &["script-src 'nonce-a', script-src 'nonce-b' 'strict-dynamic'"],
            &["script-src 'nonce-a' +script, script-src 'nonce-b' 'strict-dynamic'"],
            Some("b"),
        ),
        (
            &["default-src 'nonce-abc' 'strict-dynamic'; connect-src *; img-src *; frame-src *"],
            &[
                "default-src 'nonce-abc' 'strict-dynamic'; connect-src *; img-src *; frame-src *; \
               style-src 'nonce-abc' 'strict-dynamic' +style",
            ],
            Some("abc"),
        ),
        // `'strict-dynamic'` without a nonce that all share: one of our own.
        (
            &["script-src 'strict-dynamic'"],
            &["script-src 'strict-dynamic' 'nonce-ZnJlc2ggYW5kIHJhbmRvbQ=='"],
            Some(FRESH),
        ),
        (
            &["script-src 'sha256-YWJj' 'strict-dynamic'; style-src *"],
            &[
                "script-src 'sha256-YWJj' 'strict-dynamic' 'nonce-ZnJlc2ggYW5kIHJhbmRvbQ=='; style-src *",
            ],
            Some(FRESH),
        ),
        (
            &["script-src 'nonce-' 'nonce-a b' 'strict-dynamic'"],
            &["script-src 'nonce-' 'nonce-a b' 'strict-dynamic' 'nonce-ZnJlc2ggYW5kIHJhbmRvbQ=='"],
            Some(FRESH),
        ),
        (
            &[
                "script-src 'nonce-a' 'strict-dynamic'",
                "script-src 'nonce-b' 'strict-dynamic'",
            ],
            &[
                "script-src 'nonce-a' 'strict-dynamic' 'nonce-ZnJlc2ggYW5kIHJhbmRvbQ=='",
                "script-src 'nonce-b' 'strict-dynamic' 'nonce-ZnJlc2ggYW5kIHJhbmRvbQ=='",
            ],
            Some(FRESH),
        ),
        // Workers fall back to script-src, but go by hosts in default-src.
        (
            &["default-src 'strict-dynamic' *"],
            &["default-src 'strict-dynamic' *; \
               script-src-elem 'strict-dynamic' * 'nonce-ZnJlc2ggYW5kIHJhbmRvbQ=='"],
            Some(FRESH),
        ),
    ];
    check(rows, elsewhere);
}

#[test]
fn a_tag_with_integrity_is_trusted_by_its_hash() {
    let listed = "script-src 'strict-dynamic' \
        'SHA384-oqVuAfXRKap7fdgcCY5uykM6+R9GqQ8K/uxy9rx7HNQlGYl1kPzQho1wx4JwY8wC'";
    let hash = format!("script-src 'strict-dynamic' '{HASH}'");
    for (lines, expected, nonce) in [
        (&["script-src 'strict-dynamic'"][..], &[&*hash][..], None),
        (&[listed], &[listed], None),
        (
            &["script-src 'nonce-a' 'strict-dynamic'"],
            &["script-src 'nonce-a' 'strict-dynamic'"],
            Some("a"),
        ),
        (
            &[
                "script-src 'nonce-a' 'strict-dynamic'",
                "script-src 'strict-dynamic'",
            ],
            &["script-src 'nonce-a' 'strict-dynamic'", &*hash],
            Some("a"),
        ),
        (
            &["script-src 'sha256-YWJj'"],
            &["script-src 'sha256-YWJj' https://cdn.example/cobrowse/"],
            None,
        ),
    ] {
        let adjuster = adjuster(lines, hashed(), Treatment::Patch).unwrap();
        let found: Vec<_> = lines.iter().map(|line| grown(&adjuster, line)).collect();
        assert_eq!(found, expected);
        assert_eq!(adjuster.nonce(), nonce, "{lines:?}");
        assert!(!adjuster.has_own_nonce());
        let after = verdict(found.iter().map(String::as_str), &hashed(), nonce);
        assert_eq!(after, Verdict::Runs, "{lines:?}");
    }
}

#[test]
fn a_script_of_the_own_origin_needs_no_more_than_its_folder() {
    let rows: &[Row] = &[
        (
            &["default-src 'self'"],
            &["default-src 'self'; connect-src 'self' wss://www.bank.example"],
            None,
        ),
        (
            &["script-src https://www.bank.example/static/"],
            &["script-src https://www.bank.example/static/ https://www.bank.example/_cobrowse/"],
            None,
        ),
        (
            &["script-src www.bank.example"],
            &["script-src www.bank.example"],
            None,
        ),
        (
            &["connect-src 'none'; style-src 'none'; img-src data:"],
            &["connect-src 'self' wss://www.bank.example; \
               style-src https://www.bank.example/_cobrowse/; \
               img-src data: https://www.bank.example/_cobrowse/"],
            None,
        ),
    ];
    check(rows, own);
}

#[test]
fn some_pages_get_no_tag() {
    for (line, obstacle) in [
        ("sandbox", Obstacle::Sandbox),
        (
            "img-src *, sandbox allow-same-origin allow-forms",
            Obstacle::Sandbox,
        ),
        ("Sandbox allow-scripts-not", Obstacle::Sandbox),
        ("require-trusted-types-for 'script'", Obstacle::TrustedTypes),
        (
            "trusted-types x; Require-Trusted-Types-For  'SCRIPT'",
            Obstacle::TrustedTypes,
        ),
    ] {
        let refused = adjuster(&[line], elsewhere(), Treatment::Patch);
        assert_eq!(refused.unwrap_err(), obstacle, "{line}");
        assert_eq!(
            verdict([line], &elsewhere(), None),
            Verdict::Blocked(obstacle),
            "{line}"
        );
    }
    let policy = &b"script-src 'strict-dynamic'"[..];
    let terms = terms(elsewhere(), Treatment::Patch);
    let refused = Adjuster::new((&[policy], &[]), &terms, page(), || None);
    assert_eq!(refused.unwrap_err(), Obstacle::Randomness);
}

#[test]
fn left_policies_stay_and_the_tag_takes_their_nonce() {
    for line in [
        "sandbox",
        "script-src 'nonce-abc' 'strict-dynamic'; connect-src 'none'",
    ] {
        let adjuster = adjuster(&[line], elsewhere(), Treatment::Leave).unwrap();
        assert_eq!(adjuster.line(line.as_bytes()), None);
        assert!(!adjuster.has_own_nonce());
    }
    let strict = adjuster(&["script-src 'nonce-abc'"], elsewhere(), Treatment::Leave);
    assert_eq!(strict.unwrap().nonce(), Some("abc"));
}

#[test]
fn a_site_may_refuse_to_have_its_policies_changed() {
    for (line, obstacle) in [
        ("", None),
        ("default-src https: wss:", None),
        ("script-src 'nonce-abc' 'strict-dynamic'", None),
        (
            "script-src 'nonce-abc'",
            Some("script-src does not allow https://cdn.example/cobrowse/"),
        ),
        (
            "Default-Src https:",
            Some("Default-Src does not allow wss://ws.example"),
        ),
        (
            "sandbox",
            Some("the page is sandboxed without allow-scripts"),
        ),
        (
            "script-src 'strict-dynamic'",
            Some(
                "script-src has 'strict-dynamic', and the tag has no nonce and no hash that it lists",
            ),
        ),
    ] {
        let refused = adjuster(&[line], elsewhere(), Treatment::Refuse).err();
        assert_eq!(
            refused.map(|obstacle| obstacle.to_string()).as_deref(),
            obstacle,
            "{line}"
        );
    }
    // By CSP3, 'self' is enough for the own sockets; nothing needs to be added for that.
    let own = adjuster(&["default-src 'self'"], own(), Treatment::Refuse).unwrap();
    assert_eq!(own.line(b"default-src 'self'"), None);
}

#[test]
fn policies_that_only_report_never_block_and_grow_alike() {
    let terms = terms(elsewhere(), Treatment::Patch);
    let reported =
        &b"script-src 'nonce-r' 'strict-dynamic'; sandbox; require-trusted-types-for 'script'"[..];
    let fresh = || -> Option<String> { panic!("nothing demands a nonce") };
    let adjuster = Adjuster::new((&[], &[reported]), &terms, page(), fresh).unwrap();
    assert_eq!(adjuster.nonce(), Some("r"), "it spares a report");
    assert_eq!(adjuster.line(reported), None);
    assert_eq!(
        adjuster.line(b"script-src 'self'").unwrap(),
        b"script-src 'self' https://cdn.example/cobrowse/"
    );
    let enforced = &b"script-src 'nonce-e' 'strict-dynamic'"[..];
    let adjuster = Adjuster::new((&[enforced], &[reported]), &terms, page(), fresh).unwrap();
    assert_eq!(adjuster.nonce(), Some("e"));
    assert_eq!(
        adjuster.line(reported),
        None,
        "a nonce of another policy is never added"
    );
}

#[test]
fn bytes_that_are_no_ascii_stay_as_they_are() {
    let adjuster = adjuster(&[], elsewhere(), Treatment::Patch).unwrap();
    assert_eq!(
        adjuster
            .line(b"script-src \xe9; script-src 'self'; \xff,\xfe")
            .unwrap(),
        b"script-src \xe9; script-src 'self' https://cdn.example/cobrowse/; \xff,\xfe"
    );
}
