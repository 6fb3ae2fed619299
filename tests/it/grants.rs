//! Page grants on tags, as visitors get them.

use std::time::{Duration, SystemTime};

use cobrowse_edge::config::{EdgeConfig, GrantsConfig, KeysSource, RulesSource};
use cobrowse_edge::groups::{GrantEpoch, GrantKeys, GrantRefusal, PageGrant, SiteEnv};
use http::Request;

use crate::support::{
    Answer, Directory, EdgeProcess, ScriptedOrigin, TestEdge, Visitor, config, eventually,
};

const KEY: &str = "Zm9yLXRlc3RzLW9ubHktdGhpcy1pcy1rZXktb25l";
const OTHER: &str = "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0";

const PAGE: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nETag: \"v1\"\r\nContent-Length: 9\r\n\r\n<p>a text";

fn rules(origin: &ScriptedOrigin) -> String {
    format!(
        r##"
        version = 1
        [script]
        url = "https://cdn.example.com/loader.js"
        [[site]]
        hosts = ["www.bank.example", "*.shop.example"]
        origin = "http://{}"
        group = 15687
        [[site.rule]]
        name = "mortgage desk"
        path = "/mortgage/**"
        additional_groups = [15690, 15688]
        masks = ["#ssn"]
        "##,
        origin.address
    )
}

/// The epoch is long enough to hold for a test, unless the test says otherwise.
fn with_grants(rules: &str, keys: KeysSource, epoch: u64) -> EdgeConfig {
    let epoch = GrantEpoch::new(Duration::from_secs(epoch)).unwrap();
    let mut config = config(rules);
    config.grants = Some(GrantsConfig { keys, epoch });
    config
}

const WEEK: u64 = 7 * 24 * 60 * 60;

fn given(keys: &str) -> KeysSource {
    KeysSource::Given(GrantKeys::parse(keys).unwrap())
}

async fn load(edge: &TestEdge, host: &str, path: &str, tag: &str) -> Answer {
    let request = Request::get(path)
        .header("host", host)
        .header("accept", "text/html")
        .header("if-none-match", tag);
    Visitor::http1(edge.http).await.send(request).await
}

async fn page(edge: &TestEdge, host: &str, path: &str) -> String {
    load(edge, host, path, "\"none\"").await.text()
}

fn grant(page: &str) -> &str {
    let (_, rest) = page.split_once(" data-grant=\"").expect(page);
    rest.split('"').next().unwrap()
}

fn open(keys: &str, grant: &str) -> Result<PageGrant, GrantRefusal> {
    GrantKeys::parse(keys)
        .unwrap()
        .open(grant, SystemTime::now())
}

#[tokio::test]
async fn each_page_carries_what_it_allows_signed() {
    let origin = ScriptedOrigin::answering(PAGE).await;
    let edge = TestEdge::spawn(with_grants(&rules(&origin), given(KEY), WEEK)).await;
    for (host, path, rule, groups) in [
        ("www.bank.example", "/", "site", &[15687][..]),
        (
            "www.bank.example:8080",
            "/mortgage/a",
            "mortgage desk",
            &[15687, 15688, 15690],
        ),
        (
            "A.shop.example",
            "/mortgage/b",
            "mortgage desk",
            &[15687, 15688, 15690],
        ),
    ] {
        let page = page(&edge, host, path).await;
        let opened = open(KEY, grant(&page)).unwrap();
        let allowed: Vec<_> = opened.groups().iter().map(|group| group.as_u32()).collect();
        assert_eq!((opened.rule(), &*allowed), (rule, groups), "{host}{path}");
        let bare = host.to_lowercase().replace(":8080", "");
        assert_eq!(opened.check_page(&bare, SiteEnv::Production), Ok(()));
        assert_eq!(page.matches("data-grant").count(), 1);
        assert_eq!(open(OTHER, grant(&page)), Err(GrantRefusal::UnknownKey));
    }
}

#[tokio::test]
async fn a_grant_is_the_same_for_all_visitors_and_on_all_edges_of_one_key() {
    let origin = ScriptedOrigin::answering(PAGE).await;
    let rules = rules(&origin);
    let one = TestEdge::spawn(with_grants(&rules, given(KEY), WEEK)).await;
    let other = TestEdge::spawn(with_grants(&rules, given(&format!("{KEY} {OTHER}")), WEEK)).await;
    let first = load(&one, "www.bank.example", "/mortgage/a", "\"none\"").await;
    for edge in [&one, &other] {
        let again = load(edge, "www.bank.example", "/mortgage/a", "\"none\"").await;
        assert_eq!(again.text(), first.text());
        assert_eq!(again.header("etag"), first.header("etag"));
    }
}

/// The origin answers every request in full, so that what it saw tells what the edge made of it.
#[tokio::test]
async fn pages_heal_at_an_epochs_turn() {
    let origin = ScriptedOrigin::answering(PAGE).await;
    let edge = TestEdge::spawn(with_grants(&rules(&origin), given(KEY), 1)).await;
    let old = load(&edge, "www.bank.example", "/", "\"none\"").await;
    let (old_grant, tag) = (grant(&old.text()).to_owned(), old.header("etag").to_owned());
    eventually("the epoch to turn", async || {
        grant(&page(&edge, "www.bank.example", "/").await) != old_grant
    })
    .await;
    let new = load(&edge, "www.bank.example", "/", &tag).await;
    assert_ne!(grant(&new.text()), old_grant);
    assert_ne!(new.header("etag"), tag);
    let head = origin.seen().pop().unwrap();
    assert!(!head.contains("if-none-match"), "{head}");
    eventually("the old grant to expire", async || {
        open(KEY, &old_grant) == Err(GrantRefusal::Expired)
    })
    .await;
}

#[tokio::test]
async fn within_an_epoch_a_page_is_asked_for_by_its_tag() {
    let origin = ScriptedOrigin::answering(PAGE).await;
    let edge = TestEdge::spawn(with_grants(&rules(&origin), given(KEY), WEEK)).await;
    let page = load(&edge, "www.bank.example", "/", "\"none\"").await;
    load(&edge, "www.bank.example", "/", page.header("etag")).await;
    let head = origin.seen().pop().unwrap();
    assert!(head.contains("if-none-match: \"v1\""), "{head}");
}

#[tokio::test]
async fn keys_are_changed_with_a_reload_and_a_broken_file_changes_none() {
    let origin = ScriptedOrigin::answering(PAGE).await;
    let directory = Directory::with("rules.toml", &rules(&origin));
    let keys = Directory::with("grant.keys", KEY);
    let mut config = with_grants("", KeysSource::File(keys.0.join("grant.keys")), WEEK);
    config.rules = RulesSource::Directory(directory.0.clone());
    let edge = TestEdge::spawn(config).await;
    let signed_by =
        async |key: &str| open(key, grant(&page(&edge, "www.bank.example", "/").await)).is_ok();
    assert!(signed_by(KEY).await);

    keys.write("grant.keys", "too short");
    assert!(edge.reloader.reload().await.is_err());
    assert!(signed_by(KEY).await);

    keys.write("grant.keys", &format!("{OTHER}\n{KEY}\n"));
    edge.reloader.reload().await.unwrap();
    assert!(signed_by(OTHER).await && !signed_by(KEY).await);
}

#[tokio::test]
async fn a_key_that_the_edge_made_survives_a_reload_and_no_restart() {
    let origin = ScriptedOrigin::answering(PAGE).await;
    let rules = rules(&origin);
    let one = TestEdge::spawn(with_grants(&rules, KeysSource::Made, WEEK)).await;
    let first = page(&one, "www.bank.example", "/").await;
    one.reloader.reload().await.unwrap();
    assert_eq!(page(&one, "www.bank.example", "/").await, first);
    let other = TestEdge::spawn(with_grants(&rules, KeysSource::Made, WEEK)).await;
    assert_ne!(page(&other, "www.bank.example", "/").await, first);
}

#[tokio::test]
async fn without_grants_the_tag_is_as_ever() {
    let origin = ScriptedOrigin::answering(PAGE).await;
    let edge = TestEdge::with_rules(&rules(&origin)).await;
    assert!(
        !page(&edge, "www.bank.example", "/")
            .await
            .contains("data-grant")
    );
}

#[tokio::test]
async fn an_edge_that_makes_its_own_key_says_so_and_no_key_is_ever_told() {
    let directory = Directory::with(
        "edge.toml",
        "server.http = [\"127.0.0.1:0\"]\nadmin.enabled = false\n[grants]\nenabled = true\n",
    );
    let site =
        "version = 1\n[[site]]\nhosts = [\"*\"]\norigin = \"http://127.0.0.1:1\"\ngroup = 1\n";
    std::fs::create_dir(directory.0.join("rules")).unwrap();
    directory.write("rules/site.toml", site);
    let mut edge = EdgeProcess::start_in(&directory.0, &["serve"]);
    edge.address_behind("listening on http://");
    edge.complaint("a key that was made just now");
    edge.signal("TERM");
    edge.end();

    directory.write("grant.keys", KEY);
    directory.write(
        "edge.toml",
        "server.http = [\"127.0.0.1:0\"]\nadmin.enabled = false\nlog.filter = \"trace\"\n\
         [grants]\nkeys = \"grant.keys\"\n",
    );
    let mut edge = EdgeProcess::start_in(&directory.0, &["serve"]);
    edge.address_behind("listening on http://");
    let line = edge.complaint("grants are signed");
    edge.signal("TERM");
    let ended = edge.end();
    let told = format!("{line}{}{}", ended.output, ended.errors);
    assert!(!told.contains(&KEY[..8]), "{told}");

    let checked = EdgeProcess::run_in(&directory.0, &["check"]);
    assert_eq!(checked.code, Some(0), "{}", checked.errors);
    directory.write("grant.keys", "too short");
    let checked = EdgeProcess::run_in(&directory.0, &["check"]);
    assert_ne!(checked.code, Some(0));
    assert!(checked.errors.contains("key 1 has") && !checked.errors.contains("too short"));
}
