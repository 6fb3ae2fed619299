//! Content security policies of pages: the tag runs under all that the edge may grow, and a page
//! that cannot be helped goes on as it came.

use crate::support::{Answer, Script, ScriptedOrigin, TestEdge, Visitor};

/// An edge before an origin that answers with this head and page.
async fn answer(head: &'static str, page: &'static str) -> (Answer, TestEdge) {
    let origin = ScriptedOrigin::start(move |_| {
        let length = page.len();
        let text = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {length}\r\n{head}\r\n{page}"
        );
        vec![Script::Send(text.into_bytes())]
    })
    .await;
    let rules = format!(
        r##"
        version = 1
        script = {{ url = "https://cdn.example.com/loader.js", needs = {{ style = [], img = [], frame = [] }} }}
        [[site]]
        hosts = ["*"]
        origin = "http://{}"
        group = 15687
        masks = ["#ssn"]
        "##,
        origin.address
    );
    let edge = TestEdge::with_rules(&rules).await;
    (Visitor::http1(edge.http).await.get("/").await, edge)
}

fn policies(answer: &Answer) -> Vec<&str> {
    let lines = answer.headers.get_all("content-security-policy").iter();
    lines.map(|line| line.to_str().unwrap()).collect()
}

#[tokio::test]
async fn every_policy_of_head_and_page_grows_and_the_nonce_is_reused() {
    let (answer, _edge) = answer(
        "Content-Security-Policy: script-src 'nonce-abc' 'strict-dynamic'\r\n\
         Content-Security-Policy: connect-src 'self', img-src 'self'\r\n\
         Cache-Control: max-age=60\r\nETag: \"1\"\r\n",
        "<meta http-equiv=Content-Security-Policy content=\"script-src 'self'\"><p id=ssn>",
    )
    .await;
    assert_eq!(
        policies(&answer),
        [
            "script-src 'nonce-abc' 'strict-dynamic'",
            "connect-src 'self' https://cdn.example.com wss://cdn.example.com, img-src 'self'"
        ]
    );
    let page = answer.text();
    let start = "<meta content=\"script-src 'self' https://cdn.example.com\" http-equiv=Content-Security-Policy \
                 content=\"script-src 'self'\"><p glance_masked=\"true\" id=ssn><script nonce=\"abc\" id=\"glance-cobrowse\"";
    assert!(page.starts_with(start), "{page}");
    assert_eq!(answer.header("cache-control"), "max-age=60");
    assert!(answer.header("etag").contains('1'));
}

#[tokio::test]
async fn a_nonce_of_our_own_is_for_one_visitor_and_once() {
    let (answer, _edge) = answer(
        "Content-Security-Policy: script-src 'strict-dynamic'\r\nCache-Control: public, max-age=60\r\n\
         ETag: \"1\"\r\nLast-Modified: Wed, 21 Oct 2015 07:28:00 GMT\r\n",
        "<p>",
    )
    .await;
    let lines = policies(&answer);
    let policy = lines[0].strip_prefix("script-src 'strict-dynamic' 'nonce-");
    let nonce = policy.and_then(|rest| rest.strip_suffix('\'')).unwrap();
    assert_eq!(nonce.len(), 32, "{nonce}");
    let start = format!("<p><script nonce=\"{nonce}\" id=\"glance-cobrowse\"");
    assert!(answer.text().starts_with(&start), "{}", answer.text());
    assert_eq!(answer.header("cache-control"), "private, max-age=60");
    assert_eq!(
        (answer.header("etag"), answer.header("last-modified")),
        ("", "")
    );
}

#[tokio::test]
async fn a_head_that_cannot_be_helped_passes_its_page_untouched() {
    let page = "<p id=ssn>";
    let (answer, edge) = answer("Content-Security-Policy: sandbox\r\n", page).await;
    assert_eq!(answer.text(), page);
    assert_eq!(policies(&answer), ["sandbox"]);
    let passed = "edge_pages_passed_total{site=\"*\",reason=\"csp\"}";
    assert_eq!(edge.metric(passed).await, 1.0);
}

#[tokio::test]
async fn a_page_with_a_policy_that_cannot_be_read_is_masked_and_has_no_tag() {
    let page =
        "<meta http-equiv=Content-Security-Policy content=\"script-src 'self'&nbsp;\"><p id=ssn>";
    let (answer, edge) = answer("", page).await;
    assert_eq!(
        answer.text(),
        page.replace("<p", "<p glance_masked=\"true\"")
    );
    let untagged = "edge_pages_untagged_total{site=\"*\",rule=\"site\",reason=\"csp\"}";
    assert_eq!(edge.metric(untagged).await, 1.0);
}
