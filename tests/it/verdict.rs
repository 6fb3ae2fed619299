//! What becomes of a page depends on who asks, and on nothing that a cache does not learn of.

use std::collections::HashMap;

use cobrowse_edge::wire::Markers;
use http::{HeaderMap, Method, Request};

use crate::support::{
    Answer, Directory, Script, ScriptedOrigin, TestEdge, Visitor, config, undo_coding,
};
use cobrowse_edge::config::RulesSource;

type Fields = &'static [(&'static str, &'static str)];

const DOCUMENT: Fields = &[
    ("sec-fetch-dest", "document"),
    ("sec-fetch-mode", "navigate"),
];
const FRAME: Fields = &[("sec-fetch-dest", "iframe"), ("sec-fetch-mode", "navigate")];
const FETCH: Fields = &[("sec-fetch-dest", "empty"), ("sec-fetch-mode", "cors")];
const AJAX: Fields = &[
    ("x-requested-with", "XMLHttpRequest"),
    ("accept", "text/html"),
];
const OLD: Fields = &[("accept", "text/html,*/*;q=0.8")];
const TOOL: Fields = &[("accept", "*/*")];
const PRERENDER: Fields = &[
    ("sec-fetch-dest", "document"),
    ("sec-purpose", "prefetch;prerender"),
];
const REFUSING: Fields = &[
    ("sec-fetch-dest", "document"),
    ("cache-control", "no-transform"),
];

const PAGE: &str = "<!doctype html><p id=ssn>a";

fn rules(origin: &ScriptedOrigin, site: &str) -> String {
    format!(
        "version = 1\n[script]\nurl = \"https://cdn.example.com/loader.js\"\n[[site]]\n\
         hosts = [\"*\"]\norigin = \"http://{}\"\nmasks = [\"#ssn\"]\n{site}\n",
        origin.address
    )
}

fn request(method: &Method, fields: Fields) -> http::request::Builder {
    let mut request = Request::builder().method(method).uri("/page");
    if !fields.iter().any(|(name, _)| *name == "accept") {
        request = request.header("accept", "*/*");
    }
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    request
}

/// Answers with these lines and a page; to HEAD without it, and with 304 where a condition is met.
async fn origin(lines: &'static str, not_modified: &'static str) -> ScriptedOrigin {
    ScriptedOrigin::start(move |head| {
        let asks = |line: &str| head.lines().any(|asked| asked.eq_ignore_ascii_case(line));
        let known = asks("if-none-match: \"v1\"")
            || asks("if-none-match: W/\"v1\"")
            || asks("if-modified-since: Wed, 21 Oct 2015 07:28:00 GMT");
        let length = PAGE.len();
        let answer = match (known, head.starts_with("HEAD ")) {
            (true, _) => format!("HTTP/1.1 304 Not Modified\r\n{not_modified}\r\n"),
            (false, head) => format!(
                "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nAccept-Ranges: bytes\r\n\
                 Content-Length: {length}\r\n{lines}\r\n{}",
                if head { "" } else { PAGE }
            ),
        };
        vec![Script::Send(answer.into_bytes())]
    })
    .await
}

/// The fields by which an answer varies, in lower case and in order.
fn vary(headers: &HeaderMap) -> Vec<String> {
    let lines = headers.get_all("vary").iter();
    let fields = lines.flat_map(|line| line.to_str().unwrap().split(','));
    let mut fields: Vec<_> = fields
        .map(|name| name.trim().to_ascii_lowercase())
        .collect();
    fields.sort();
    fields
}

#[tokio::test]
async fn who_asks_decides_and_vary_names_what_was_looked_at() {
    let origin = origin("Vary: Cookie\r\n", "").await;
    for (site, fields, tagged, looked_at) in [
        ("", DOCUMENT, true, "cookie sec-fetch-dest x-requested-with"),
        (
            "",
            PRERENDER,
            true,
            "cookie sec-fetch-dest x-requested-with",
        ),
        ("", FRAME, true, "cookie sec-fetch-dest x-requested-with"),
        (
            "frames = \"skip\"",
            FRAME,
            false,
            "cookie sec-fetch-dest x-requested-with",
        ),
        (
            "frames = \"skip\"",
            DOCUMENT,
            true,
            "cookie sec-fetch-dest x-requested-with",
        ),
        (
            "",
            FETCH,
            false,
            "cookie purpose sec-fetch-dest sec-purpose x-moz x-requested-with",
        ),
        ("", AJAX, false, "cookie x-requested-with"),
        (
            "",
            OLD,
            true,
            "accept cookie sec-fetch-dest sec-fetch-mode x-requested-with",
        ),
        (
            "",
            TOOL,
            true,
            "accept cookie sec-fetch-dest sec-fetch-mode x-requested-with",
        ),
        ("", REFUSING, false, "cache-control cookie"),
        (
            "transform = \"always\"",
            REFUSING,
            true,
            "cookie sec-fetch-dest x-requested-with",
        ),
        ("inject = false", DOCUMENT, false, "cookie"),
    ] {
        let edge = TestEdge::with_rules(&rules(&origin, &format!("group = 1\n{site}"))).await;
        let mut visitor = Visitor::http1(edge.http).await;
        let page = visitor.send(request(&Method::GET, fields)).await;
        assert_eq!(page.text().contains("<script"), tagged, "{site} {fields:?}");
        assert_eq!(page.text() == PAGE, !tagged, "{site} {fields:?}");
        assert_eq!(
            vary(&page.headers).join(" "),
            looked_at,
            "{site} {fields:?}"
        );
    }
}

#[tokio::test]
async fn an_origin_that_varies_by_everything_is_not_corrected() {
    let origin = origin("Vary: *\r\nCache-Control: private, max-age=60\r\n", "").await;
    let edge = TestEdge::with_rules(&rules(&origin, "group = 1")).await;
    for fields in [DOCUMENT, FETCH, OLD] {
        let mut visitor = Visitor::http1(edge.http).await;
        let page = visitor.send(request(&Method::GET, fields)).await;
        assert_eq!(vary(&page.headers), ["*"]);
        assert_eq!(page.header("cache-control"), "private, max-age=60");
    }
}

#[tokio::test]
async fn no_transform_of_the_origin_is_honoured_unless_the_rule_says_always() {
    let origin = origin(
        "Cache-Control: max-age=60, no-transform\r\nETag: \"v1\"\r\n",
        "",
    )
    .await;
    for (site, tagged) in [("", false), ("transform = \"always\"", true)] {
        let edge = TestEdge::with_rules(&rules(&origin, &format!("group = 1\n{site}"))).await;
        let mut visitor = Visitor::http1(edge.http).await;
        let page = visitor.send(request(&Method::GET, DOCUMENT)).await;
        assert_eq!(page.text().contains("<script"), tagged, "{site}");
        assert_eq!(page.header("etag") == "\"v1\"", !tagged, "{site}");
        assert_eq!(page.header("cache-control"), "max-age=60, no-transform");
    }
}

/// Every field, for everybody who may ask, whatever the origin says.
#[tokio::test]
async fn an_answer_to_head_says_what_the_answer_to_get_says() {
    for lines in [
        "",
        "ETag: \"v2\"\r\nLast-Modified: Wed, 21 Oct 2015 07:28:00 GMT\r\n",
        "ETag: W/\"v2\"\r\nVary: Accept-Encoding\r\nCache-Control: max-age=1\r\n",
        "Last-Modified: Thu, 22 Oct 2015 07:28:00 GMT\r\nContent-MD5: x\r\nDigest: y\r\n",
        "Cache-Control: no-transform\r\n",
        "Content-Disposition: attachment\r\n",
        "Content-Security-Policy: script-src 'self'\r\n",
    ] {
        let origin = origin(lines, "").await;
        let edge = TestEdge::with_rules(&rules(&origin, "group = 1")).await;
        for fields in [DOCUMENT, FRAME, FETCH, AJAX, OLD, TOOL, REFUSING] {
            let mut heads = Vec::new();
            for method in [Method::GET, Method::HEAD] {
                let mut visitor = Visitor::http1(edge.http).await;
                let mut answer = visitor.send(request(&method, fields)).await;
                for framing in ["date", "transfer-encoding"] {
                    answer.headers.remove(framing);
                }
                heads.push((answer.status, answer.headers));
            }
            // What only the edited page tells may be left out (RFC 9110 9.3.2), but not be wrong.
            if !heads[1].1.contains_key("content-length") {
                heads[0].1.remove("content-length");
            }
            assert_eq!(heads[0], heads[1], "{lines:?} {fields:?}");
        }
    }
}

/// An edge whose rules can be changed.
async fn house(origin: &ScriptedOrigin) -> (TestEdge, Directory) {
    let directory = Directory::with("rules.toml", &rules(origin, "group = 1"));
    let mut config = config("");
    config.rules = RulesSource::Directory(directory.0.clone());
    (TestEdge::spawn(config).await, directory)
}

/// What a visitor asks with who has a page in store, by the page's validators.
fn conditions(stored: &Answer) -> Vec<Vec<(&'static str, String)>> {
    let (tag, date) = (stored.header("etag"), stored.header("last-modified"));
    let mut all = vec![vec![]];
    if !tag.is_empty() {
        all.push(vec![("if-none-match", tag.to_owned())]);
        all.push(vec![("if-none-match", format!("\"x\", {tag}, \"y,z\""))]);
        all.push(vec![
            ("if-none-match", tag.to_owned()),
            ("if-modified-since", date.to_owned()),
        ]);
        all.push(vec![
            ("if-none-match", tag.to_owned()),
            ("range", "bytes=0-1".to_owned()),
        ]);
    }
    all.push(vec![("if-none-match", "*".to_owned())]);
    all.push(vec![("if-none-match", "\"v1\"".to_owned())]);
    all.push(vec![(
        "if-modified-since",
        "Wed, 21 Oct 2015 07:28:00 GMT".to_owned(),
    )]);
    all.push(vec![
        ("range", "bytes=0-1".to_owned()),
        ("if-range", "\"v1\"".to_owned()),
    ]);
    all
}

/// Conditional requests x origins x versions of the rules: 304 comes where the visitor holds a page
/// of these rules that the origin has not changed, and the whole page in every other case.
#[tokio::test]
async fn a_stored_page_is_good_under_the_rules_that_it_was_made_by_and_no_others() {
    const MODIFIED: &str = "Last-Modified: Wed, 21 Oct 2015 07:28:00 GMT\r\n";
    for (lines, not_modified) in [
        ("ETag: \"v1\"\r\n", "ETag: \"v1\"\r\n"),
        ("ETag: \"v1\"\r\n", ""),
        (
            "ETag: \"v1\"\r\n",
            "ETag: \"v1\"\r\nVary: Cookie\r\nContent-Encoding: gzip\r\n",
        ),
        ("ETag: W/\"v1\"\r\n", "ETag: W/\"v1\"\r\n"),
        ("ETag: W/\"v1\"\r\n", MODIFIED),
        (MODIFIED, MODIFIED),
        (MODIFIED, ""),
        ("", ""),
    ] {
        let origin = origin(lines, not_modified).await;
        let (edge, directory) = house(&origin).await;
        for fields in [DOCUMENT, FRAME, OLD] {
            for rules_change in [false, true] {
                directory.write("rules.toml", &rules(&origin, "group = 1"));
                edge.reloader.reload().await.unwrap();
                let mut visitor = Visitor::http1(edge.http).await;
                let stored = visitor.send(request(&Method::GET, fields)).await;
                assert!(stored.text().contains("data-groupid=\"1\""));
                let group = if rules_change { 2 } else { 1 };
                directory.write("rules.toml", &rules(&origin, &format!("group = {group}")));
                edge.reloader.reload().await.unwrap();
                for condition in conditions(&stored) {
                    let mut asked = request(&Method::GET, fields);
                    for (name, value) in &condition {
                        asked = asked.header(*name, value);
                    }
                    let case = format!("{lines:?} {not_modified:?} {condition:?} {rules_change}");
                    let again = visitor.send(asked).await;
                    let tag = stored.header("etag");
                    let holds = !tag.is_empty()
                        && condition.iter().any(|(_, value)| value.contains(tag))
                        && !rules_change;
                    match holds {
                        true => check_not_modified(&again, &stored, &case),
                        false => check_whole(&again, group, &case),
                    }
                }
            }
        }
    }
}

/// It names the page as the visitor knows it, and takes nothing out of the store that keeps a
/// fragment and a page apart.
#[track_caller]
fn check_not_modified(again: &Answer, stored: &Answer, case: &str) {
    assert_eq!(again.status, 304, "{case}");
    assert_eq!(again.header("etag"), stored.header("etag"), "{case}");
    assert_eq!(again.header("content-encoding"), "", "{case}");
    let (stored, again) = (vary(&stored.headers), vary(&again.headers));
    assert!(
        stored.iter().all(|field| again.contains(field)),
        "{case}: {again:?}"
    );
}

#[track_caller]
fn check_whole(page: &Answer, group: u32, case: &str) {
    assert_eq!(page.status, 200, "{case}");
    let text = page.text();
    assert!(
        text.starts_with("<!doctype html><p glance_masked=\"true\" id=ssn>"),
        "{case}: {text}"
    );
    assert!(
        text.contains(&format!("data-groupid=\"{group}\"")),
        "{case}: {text}"
    );
    assert_eq!(page.header("accept-ranges"), "", "{case}");
}

/// A 304 to a request that the origin got without a condition would bring an old page back.
#[tokio::test]
async fn a_304_that_was_not_asked_for_is_no_answer() {
    let origin = ScriptedOrigin::start(|head| {
        let answer = match head.contains("x-known: ") {
            true => "HTTP/1.1 304 Not Modified\r\nETag: \"v1\"\r\n\r\n".to_owned(),
            false => format!(
                "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nETag: \"v1\"\r\nContent-Length: {}\r\n\r\n{PAGE}",
                PAGE.len()
            ),
        };
        vec![Script::Send(answer.into_bytes())]
    })
    .await;
    let (edge, directory) = house(&origin).await;
    let mut visitor = Visitor::http1(edge.http).await;
    let stored = visitor.send(request(&Method::GET, DOCUMENT)).await;
    let ask = || {
        let request = request(&Method::GET, DOCUMENT).header("x-known", "1");
        request.header("if-none-match", stored.header("etag"))
    };
    assert_eq!(visitor.send(ask()).await.status, 304);
    directory.write("rules.toml", &rules(&origin, "group = 2"));
    edge.reloader.reload().await.unwrap();
    assert_eq!(visitor.send(ask()).await.status, 502);
}

/// A shared cache as RFC 9111 4.1 has it: by address, and by what stored answers vary by.
#[derive(Default)]
struct SharedCache(Vec<(HashMap<String, Option<String>>, String)>);

impl SharedCache {
    async fn get(&mut self, visitor: &mut Visitor, fields: Fields) -> String {
        let said = |name: &str| {
            let mut fields = fields.iter().filter(|(field, _)| *field == name);
            fields.next().map(|(_, value)| (*value).to_owned())
        };
        let hit = self.0.iter().find(|(key, _)| {
            let mut key = key.iter();
            key.all(|(name, value)| name != "*" && said(name) == *value)
        });
        if let Some((_, body)) = hit {
            return body.clone();
        }
        let answer = visitor.send(request(&Method::GET, fields)).await;
        let names = vary(&answer.headers).into_iter();
        let key = names.map(|name| (name.clone(), said(&name))).collect();
        self.0.push((key, answer.text()));
        answer.text()
    }
}

/// In every order of two kinds of visitors, each gets from the cache what the edge would give.
#[tokio::test]
async fn a_shared_cache_never_serves_a_fragment_for_a_document() {
    let origin = origin("Cache-Control: public, max-age=60\r\n", "").await;
    let kinds = [DOCUMENT, FRAME, FETCH, AJAX, OLD, TOOL, PRERENDER, REFUSING];
    for site in ["group = 1", "group = 1\nframes = \"skip\""] {
        let edge = TestEdge::with_rules(&rules(&origin, site)).await;
        let mut visitor = Visitor::http1(edge.http).await;
        for first in kinds {
            for second in kinds {
                let direct = visitor.send(request(&Method::GET, second)).await.text();
                let mut cache = SharedCache::default();
                cache.get(&mut visitor, first).await;
                let cached = cache.get(&mut visitor, second).await;
                // Who refuses changes gets from a cache what the cache has.
                let refuses = second == REFUSING;
                assert!(cached == direct || refuses, "{site} {first:?} {second:?}");
            }
        }
    }
}

#[tokio::test]
async fn the_edge_tells_of_itself_under_names_that_nobody_else_can_use() {
    let lines = "X-Verdict: forged\r\n";
    let origin = origin(lines, "").await;
    let mut settings = config(&rules(&origin, "group = 1"));
    settings.markers = Markers {
        request: Some(Markers::parse_name("Cobrowse-Edge").unwrap()),
        response: Some(Markers::parse_name("X-Verdict").unwrap()),
    };
    let edge = TestEdge::spawn(settings).await;
    let mut visitor = Visitor::http1(edge.http).await;
    for (fields, marked, told) in [
        (DOCUMENT, true, "rewrite; rule=\"site\"; version="),
        (FRAME, true, "rewrite; rule=\"site\"; version="),
        (
            FETCH,
            false,
            "pass; reason=fragment; rule=\"site\"; version=",
        ),
    ] {
        let forged = request(&Method::GET, fields).header("cobrowse-edge", "forged");
        let answer = visitor.send(forged.header("x-verdict", "forged")).await;
        let seen = origin.seen().pop().unwrap();
        assert_eq!(
            seen.contains("cobrowse-edge: will-tag\r\n"),
            marked,
            "{seen}"
        );
        assert!(!seen.contains("forged"), "{seen}");
        assert_eq!(answer.headers.get_all("x-verdict").iter().count(), 1);
        assert!(answer.header("x-verdict").starts_with(told), "{answer:?}");
    }
    let silent = TestEdge::with_rules(&rules(&origin, "group = 1")).await;
    let mut visitor = Visitor::http1(silent.http).await;
    visitor.send(request(&Method::GET, DOCUMENT)).await;
    assert!(!origin.seen().pop().unwrap().contains("will-tag"));
}

/// The edge near the visitor decides: its groups, its version. What either knows is kept.
#[tokio::test]
async fn behind_two_edges_a_page_has_exactly_one_tag() {
    for coding in ["identity", "gzip"] {
        let origin = origin("ETag: \"v1\"\r\n", "ETag: \"v1\"\r\n").await;
        let (inner, directory) = house(&origin).await;
        let outer = format!(
            "version = 1\n[script]\nurl = \"https://cdn.example.com/loader.js\"\n[[site]]\nhosts = [\"*\"]\n\
             origin = \"http://{}\"\ngroup = 9\n",
            inner.http
        );
        let outer = TestEdge::with_rules(&outer).await;
        let mut visitor = Visitor::http1(outer.http).await;
        let ask = || request(&Method::GET, DOCUMENT).header("accept-encoding", coding);
        let page = visitor.send(ask()).await;
        let text = String::from_utf8(undo_coding(&page)).unwrap();
        assert_eq!(text.matches(" id=\"glance-cobrowse\"").count(), 2, "{text}");
        assert_eq!(
            text.matches(
                "<script id=\"glance-cobrowse-replaced\" type=\"text/plain\" id=\"glance-cobrowse\""
            )
            .count(),
            1,
            "{text}"
        );
        assert!(
            text.ends_with(
                "data-groupid=\"9\" data-site=\"production\" charset=\"UTF-8\"></script>"
            )
        );
        assert_eq!(text.matches("glance_masked").count(), 1, "{text}");
        let again = visitor
            .send(ask().header("if-none-match", page.header("etag")))
            .await;
        assert_eq!(
            (again.status.as_u16(), again.header("etag")),
            (304, page.header("etag"))
        );
        assert!(
            origin
                .seen()
                .pop()
                .unwrap()
                .contains("if-none-match: \"v1\"\r\n")
        );
        directory.write(
            "rules.toml",
            &rules(&origin, "group = 1\nadditional_groups = [2]"),
        );
        inner.reloader.reload().await.unwrap();
        let anew = visitor
            .send(ask().header("if-none-match", page.header("etag")))
            .await;
        assert_eq!(
            anew.status, 200,
            "the inner edge's rules are part of the page"
        );
    }
}
