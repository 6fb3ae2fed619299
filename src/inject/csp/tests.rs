use std::sync::Arc;

use super::*;
use crate::html::PageKind;
use crate::inject::PageBody;
use crate::wire::csp::{Needs, Source};
use crate::wire::{Coding, Scheme};

const POLICY: &str = "content-security-policy";
const REPORT: &str = "content-security-policy-report-only";

fn terms(treatment: Treatment) -> Terms {
    let needs = Needs {
        script: vec![Source::parse("https://cdn.example").unwrap()],
        ..Needs::default()
    };
    Terms {
        treatment,
        needs: Arc::new(needs),
    }
}

fn page() -> SelfOrigin {
    SelfOrigin::new(Scheme::Https, "www.bank.example".parse().unwrap())
}

fn headers(fields: &[(&'static str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in fields {
        headers.append(*name, HeaderValue::from_str(value).unwrap());
    }
    headers
}

fn values<'h>(headers: &'h HeaderMap, name: &str) -> Vec<&'h str> {
    let values = headers.get_all(name).iter();
    values.map(|value| value.to_str().unwrap()).collect()
}

const REWRITE: Verdict = Verdict::Rewrite(PageBody {
    from: Coding::Identity,
    to: Coding::Identity,
    charset: None,
    kind: PageKind::Document,
});

#[test]
fn every_line_grows_at_its_place() {
    let mut head = headers(&[
        (POLICY, "script-src 'self'"),
        (REPORT, "script-src 'none'"),
        ("etag", "\"1\""),
        (POLICY, "img-src *"),
        (POLICY, "script-src 'none', script-src *"),
    ]);
    let policies = PagePolicies::of(&head, &terms(Treatment::Patch), page()).unwrap();
    policies.write(&mut head);
    assert_eq!(
        values(&head, POLICY),
        [
            "script-src 'self' https://cdn.example",
            "img-src *",
            "script-src https://cdn.example, script-src *"
        ]
    );
    assert_eq!(values(&head, REPORT), ["script-src https://cdn.example"]);
    assert_eq!(values(&head, "etag"), ["\"1\""]);
    assert_eq!(head.len(), 5);
}

#[test]
fn an_own_nonce_is_random_and_for_one_visitor() {
    let origin = headers(&[
        (POLICY, "script-src 'strict-dynamic'"),
        ("etag", "\"1\""),
        ("last-modified", "x"),
        ("cache-control", "public, max-age=60"),
    ]);
    let one_answer = || {
        let mut head = origin.clone();
        let policies = PagePolicies::of(&head, &terms(Treatment::Patch), page()).unwrap();
        policies.write(&mut head);
        let nonce = html::PagePolicies::nonce(&policies).unwrap().to_owned();
        assert_eq!(nonce.len(), 32);
        let line = format!("script-src 'strict-dynamic' 'nonce-{nonce}'");
        assert_eq!(values(&head, POLICY), [line]);
        assert_eq!(values(&head, "cache-control"), ["private, max-age=60"]);
        assert_eq!(head.len(), 2, "{head:?}");
        nonce
    };
    assert_ne!(one_answer(), one_answer());
}

#[test]
fn a_page_that_cannot_be_helped_is_passed() {
    for (policy, treatment, passed) in [
        ("sandbox", Treatment::Patch, true),
        ("sandbox", Treatment::Leave, false),
        ("script-src 'self'", Treatment::Patch, false),
        ("script-src 'self'", Treatment::Refuse, true),
        ("script-src https:", Treatment::Refuse, false),
    ] {
        let head = headers(&[(POLICY, policy)]);
        let (verdict, policies) = settle_policies(REWRITE, &head, &terms(treatment), page);
        let expected = match passed {
            true => Verdict::Pass(SkipReason::Csp),
            false => REWRITE,
        };
        assert_eq!(verdict, expected, "{policy} {treatment:?}");
        assert_eq!(policies.is_none(), passed);
    }
    let head = headers(&[("integrity-policy", "blocked-destinations=(script)")]);
    for (treatment, passed) in [(Treatment::Patch, true), (Treatment::Leave, false)] {
        let (_, policies) = settle_policies(REWRITE, &head, &terms(treatment), page);
        assert_eq!(policies.is_none(), passed, "{treatment:?}");
    }
    let image = Verdict::Pass(SkipReason::NotHtml);
    let untouched = || -> SelfOrigin { panic!("nobody asks") };
    let head = headers(&[(POLICY, "script-src 'none'")]);
    let (verdict, policies) = settle_policies(image, &head, &terms(Treatment::Patch), untouched);
    assert_eq!(verdict, image);
    assert!(policies.is_none());
}
