//! The demo's bank, all of it, through the edge: what is a page is tagged once with the right
//! groups and masked where the rules say; everything else, and everything between, is the bank's.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use cobrowse_edge::cli::demo::bank::{Expect, PAGES, PageInfo};
use cobrowse_edge::cli::demo::{self, StandIn};
use cobrowse_edge::config::RulesSource;
use cobrowse_edge::rules::{RuleSet, SiteEnv};
use http::{Method, Request};
use http_body_util::BodyExt;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::support::{Answer, TestEdge, Visitor, config, undo_coding};

/// The bank, and the edge in front of it.
struct Demo {
    bank: SocketAddr,
    edge: TestEdge,
    rules: RuleSet,
    task: JoinHandle<()>,
}

impl Demo {
    async fn start() -> Self {
        let bank = StandIn::bind().await.unwrap();
        let address = bank.address();
        let task = tokio::spawn(bank.serve_bank(std::future::pending()));
        let rules = demo::rules(address);
        let mut config = config("");
        config.rules = RulesSource::Given(Arc::clone(&rules));
        let rules = RuleSet::compile(vec![rules], SiteEnv::Production)
            .unwrap()
            .rules;
        Self {
            bank: address,
            edge: TestEdge::spawn(config).await,
            rules,
            task,
        }
    }

    /// The page without what the edge has inserted, and how many insertions there were of the
    /// tag and of masks.
    fn without_insertions(&self, page: &PageInfo, edited: &[u8]) -> (Vec<u8>, usize, usize) {
        let path = page.path.split('?').next().unwrap();
        let rule = self.rules.site("localhost").unwrap().resolve(path);
        let tag = rule
            .plan
            .as_ref()
            .map(|plan| plan.tag().html().clone())
            .unwrap_or_default();
        let (rest, tags) = without(edited, &tag);
        let (rest, masks) = without(&rest, br#" glance_masked="true""#);
        (rest, tags, masks)
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn without(text: &[u8], part: &[u8]) -> (Vec<u8>, usize) {
    let (mut rest, mut found, mut at) = (Vec::new(), 0, 0);
    while at < text.len() {
        if !part.is_empty() && text[at..].starts_with(part) {
            found += 1;
            at += part.len();
        } else {
            rest.push(text[at]);
            at += 1;
        }
    }
    (rest, found)
}

async fn fetch(visitor: &mut Visitor, page: &PageInfo, coding: &str) -> Answer {
    let mut request = Request::get(page.path);
    for (name, value) in page.request_headers {
        request = request.header(*name, *value);
    }
    if !coding.is_empty() {
        request = request.header("accept-encoding", coding);
    }
    visitor.send(request).await
}

/// Fields that name the way that an answer took, or the moment.
const OF_THE_WAY: [&str; 5] = [
    "connection",
    "date",
    "keep-alive",
    "transfer-encoding",
    "via",
];

/// Fields that are another's business when the body is edited.
const OF_THE_BODY: [&str; 5] = [
    "accept-ranges",
    "content-length",
    "etag",
    "last-modified",
    "vary",
];

/// All lines of an answer's head, in order within each name, but for some names.
fn lines(answer: &Answer, but: &[&str]) -> Vec<String> {
    let mut names: Vec<_> = answer.headers.keys().collect();
    names.sort_by_key(|name| name.as_str());
    let lines = names
        .into_iter()
        .filter(|name| !but.contains(&name.as_str()))
        .flat_map(|name| {
            answer
                .headers
                .get_all(name)
                .iter()
                .map(move |value| format!("{name}: {value:?}"))
        });
    lines.collect()
}

async fn check_site(demo: &Demo, mut visitor: Visitor, coding: &str) {
    let mut direct = Visitor::http1(demo.bank).await;
    for page in PAGES.iter().filter(|page| page.path != "/events") {
        let case = format!("{} with {coding:?}", page.path);
        let bank = fetch(&mut direct, page, coding).await;
        let edge = fetch(&mut visitor, page, coding).await;
        assert_eq!(edge.status, page.status, "{case}");
        assert_eq!(edge.status, bank.status, "{case}");
        match page.expect {
            Expect::Untouched(_) => {
                assert_eq!(edge.bytes(), bank.bytes(), "{case}");
                let but = [&OF_THE_WAY[..], &["vary"]].concat();
                assert_eq!(lines(&edge, &but), lines(&bank, &but), "{case}");
            }
            Expect::Tagged { masks, .. } => {
                assert_eq!(edge.header("content-encoding"), coding, "{case}");
                let edited = undo_coding(&edge);
                let (rest, tags, masked) = demo.without_insertions(page, &edited);
                assert_eq!(rest, undo_coding(&bank), "{case}");
                assert_eq!(tags, 1, "{case}");
                assert_eq!(
                    masked,
                    masks.iter().map(|(_, count)| count).sum::<usize>(),
                    "{case}"
                );
                // Where the bank says nothing, browsers must not guess how long a page is good for.
                let silent = bank.header("cache-control").is_empty();
                let freshness = if silent {
                    "no-cache"
                } else {
                    bank.header("cache-control")
                };
                assert_eq!(edge.header("cache-control"), freshness, "{case}");
                let link = edge.header("link");
                assert!(link.ends_with("; rel=preload; as=script"), "{case}: {link}");
                let of_the_tag = ["cache-control", "link"];
                let but = [&OF_THE_WAY[..], &OF_THE_BODY[..], &of_the_tag].concat();
                assert_eq!(lines(&edge, &but), lines(&bank, &but), "{case}");
            }
        }
    }
}

const CODINGS: [&str; 5] = ["", "gzip", "deflate", "br", "zstd"];

#[tokio::test(flavor = "multi_thread")]
async fn every_page_minus_its_insertions_is_the_banks_over_http1() {
    let demo = Demo::start().await;
    for coding in CODINGS {
        check_site(&demo, Visitor::http1(demo.edge.http).await, coding).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_minus_its_insertions_is_the_banks_over_http2() {
    let demo = Demo::start().await;
    for coding in CODINGS {
        check_site(
            &demo,
            Visitor::http2(demo.edge.https.unwrap()).await,
            coding,
        )
        .await;
    }
}

#[tokio::test]
async fn every_page_carries_the_groups_of_its_path() {
    let demo = Demo::start().await;
    let mut visitor = Visitor::http1(demo.edge.http).await;
    for page in PAGES {
        let Expect::Tagged {
            group, additional, ..
        } = page.expect
        else {
            continue;
        };
        let text = fetch(&mut visitor, page, "").await.text();
        let path = page.path;
        assert!(
            text.contains(&format!(r#" data-groupid="{group}""#)),
            "{path}"
        );
        let list = additional
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(",");
        let attribute = format!(r#" data-additionalgroupids="{list}""#);
        assert_eq!(text.contains(&attribute), !additional.is_empty(), "{path}");
        assert_eq!(
            text.matches("data-additionalgroupids").count(),
            usize::from(!list.is_empty())
        );
        assert_eq!(
            text.matches(r#" data-site="production""#).count(),
            1,
            "{path}"
        );
    }
}

/// Ticks arrive while the stream goes on; a proxy that held them would never send the first.
#[tokio::test]
async fn the_event_stream_arrives_as_it_is_sent() {
    let demo = Demo::start().await;
    let mut visitor = Visitor::http1(demo.edge.http).await;
    let request = Request::get("/events").header("accept", "text/event-stream");
    let response = visitor
        .begin(request.body(Default::default()).unwrap())
        .await;
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let mut body = response.into_body();
    for _ in 0..3 {
        let frame = timeout(Duration::from_secs(10), body.frame())
            .await
            .unwrap();
        assert!(!frame.unwrap().unwrap().into_data().unwrap().is_empty());
    }
}

#[tokio::test]
async fn a_head_request_tells_of_the_page_what_get_does() {
    let demo = Demo::start().await;
    let mut visitor = Visitor::http1(demo.edge.http).await;
    for path in ["/", "/mortgage/", "/bank.css", "/login"] {
        let head = visitor
            .send(Request::builder().method(Method::HEAD).uri(path))
            .await;
        let get = visitor.get(path).await;
        assert_eq!(head.bytes(), b"", "{path}");
        let mut told = lines(&get, &OF_THE_WAY);
        if !head.headers.contains_key("content-length") {
            // What only the edited page tells may be left out (RFC 9110 9.3.2).
            told.retain(|line| !line.starts_with("content-length"));
        }
        assert_eq!(lines(&head, &OF_THE_WAY), told, "{path}");
    }
}

#[tokio::test]
async fn a_form_that_is_posted_and_its_cookies_arrive_in_order() {
    let demo = Demo::start().await;
    let (mut direct, mut visitor) = (
        Visitor::http1(demo.bank).await,
        Visitor::http1(demo.edge.http).await,
    );
    let post = || {
        Request::post("/login")
            .header("content-type", "application/x-www-form-urlencoded")
            .header("content-length", FORM.len())
    };
    let bank = direct.send_with_body(post(), FORM).await;
    let edge = visitor.send_with_body(post(), FORM).await;
    assert_eq!(edge.status, bank.status);
    assert!(edge.headers.get_all("set-cookie").iter().count() > 1);
    assert_eq!(lines(&edge, &OF_THE_WAY), lines(&bank, &OF_THE_WAY));
}

const FORM: &str = "user=jane&password=secret";
