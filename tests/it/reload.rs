//! Rules and certificates that change while the edge runs: what is good comes into force, what is
//! not never does, and no visitor notices either.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use cobrowse_edge::app::ReloadError;
use cobrowse_edge::config::{CertificatesSource, EdgeConfig, RulesSource};
use http::{Request, Response};
use hyper::body::Incoming;
use rustls::pki_types::CertificateDer;
use tokio::sync::Notify;

use crate::support::{
    Answer, Authority, Directory, RawOrigin, Script, ScriptedOrigin, TestEdge, Visitor, config,
    eventually, read, rules_for, soon, tls,
};

fn rules(origin: std::net::SocketAddr, group: usize) -> String {
    format!(
        r##"
        version = 1
        [script]
        url = "https://cdn.example.com/loader.js"
        [[site]]
        hosts = ["*"]
        origin = "http://{origin}"
        group = {group}
        masks = ["#ssn"]
        "##
    )
}

/// Rule files that must not come into force, each in its own way.
fn broken(origin: std::net::SocketAddr, round: usize) -> String {
    let good = rules(origin, 999_999);
    match round % 5 {
        0 => good + "\n[[site",
        1 => good + "\nunknown = 1",
        2 => good.replace("#ssn", "p ~ p"),
        3 => String::new(),
        _ => good + "\n[[test]]\nurl = \"http://a/\"\nexpect = { group = 5 }",
    }
}

fn config_with(rules: &Directory) -> EdgeConfig {
    let mut config = config("");
    config.rules = RulesSource::Directory(rules.0.clone());
    config
}

const PAGE: &str = "<p id=ssn>123-45-6789</p>";

/// A site whose rules are in a directory.
struct House {
    origin: ScriptedOrigin,
    rules: Directory,
    edge: TestEdge,
}

impl House {
    async fn start() -> Self {
        let origin = ScriptedOrigin::serving(PAGE).await;
        let rules = Directory::with("rules.toml", &rules(origin.address, 1));
        let edge = TestEdge::spawn(config_with(&rules)).await;
        Self {
            origin,
            rules,
            edge,
        }
    }

    fn write(&self, group: usize) {
        self.rules
            .write("rules.toml", &rules(self.origin.address, group));
    }

    async fn shows(&self, group: usize) -> bool {
        group_of(&Visitor::http1(self.edge.http).await.get("/").await) == group
    }

    async fn eventually_shows(&self, group: usize) {
        eventually("new rules are in force", async || self.shows(group).await).await;
    }

    async fn refused(&self) -> f64 {
        let series = r#"edge_reloads_total{what="rules",outcome="refused"}"#;
        self.edge.metric(series).await
    }
}

/// The group on a page that is whole.
#[track_caller]
fn group_of(page: &Answer) -> usize {
    assert_eq!(page.status, 200);
    let text = page.text();
    let start = r#"<p glance_masked="true" id=ssn>123-45-6789</p><script id="glance-cobrowse""#;
    assert!(
        text.starts_with(start) && text.ends_with("</script>"),
        "{text}"
    );
    let (_, group) = text.split_once(r#" data-groupid=""#).unwrap();
    group.split('"').next().unwrap().parse().unwrap()
}

const RELOADS: usize = 1_000;

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_reloads_under_load_fail_no_request() {
    let house = House::start().await;
    // The last good group, and the one that may come into force at any moment.
    let (in_force, coming) = (Arc::new(AtomicUsize::new(1)), Arc::new(AtomicUsize::new(1)));
    let done = Arc::new(AtomicBool::new(false));
    let mut visitors = Vec::new();
    for at in 0..4 {
        let (in_force, coming, done) = (
            Arc::clone(&in_force),
            Arc::clone(&coming),
            Arc::clone(&done),
        );
        let mut visitor = match at % 2 {
            0 => Visitor::http1(house.edge.http).await,
            _ => Visitor::http2(house.edge.https.unwrap()).await,
        };
        visitors.push(tokio::spawn(async move {
            let mut pages = 0;
            while !done.load(Ordering::SeqCst) {
                let at_least = in_force.load(Ordering::SeqCst);
                let group = group_of(&visitor.get("/").await);
                let at_most = coming.load(Ordering::SeqCst);
                assert!(
                    (at_least..=at_most).contains(&group),
                    "{at_least}..={at_most}: {group}"
                );
                pages += 1;
            }
            pages
        }));
    }
    let mut last = 1;
    for round in 0..RELOADS {
        if round % 2 == 0 {
            last += 1;
            coming.store(last, Ordering::SeqCst);
            house.write(last);
            house.edge.reloader.reload().await.unwrap();
            in_force.store(last, Ordering::SeqCst);
        } else {
            let broken = broken(house.origin.address, round);
            house.rules.write("rules.toml", &broken);
            let error = house.edge.reloader.reload().await.unwrap_err();
            assert!(matches!(error, ReloadError::Problems(problems) if !problems.is_empty()));
        }
        assert!(house.shows(last).await, "round {round}");
    }
    done.store(true, Ordering::SeqCst);
    for visitor in visitors {
        assert!(visitor.await.unwrap() > 0);
    }
    // The directory watch may have added some of its own.
    let ok = r#"edge_reloads_total{what="rules",outcome="ok"}"#;
    assert!(house.edge.metric(ok).await >= (RELOADS / 2) as f64);
    assert!(house.refused().await >= (RELOADS / 2) as f64);
}

#[tokio::test]
async fn a_change_is_seen_without_being_told_of() {
    let house = House::start().await;
    assert!(house.shows(1).await);
    house.write(2);
    house.eventually_shows(2).await;
    let broken = broken(house.origin.address, 0);
    house.rules.write("rules.toml", &broken);
    eventually("a broken file is refused", async || {
        house.refused().await > 0.0
    })
    .await;
    assert!(house.shows(2).await);
    house.write(3);
    house.eventually_shows(3).await;
    // As editors and deployments do it: a new file takes the old one's name.
    let new = rules(house.origin.address, 4);
    let new = house.rules.write("rules.toml.new", &new);
    std::fs::rename(new, house.rules.0.join("rules.toml")).unwrap();
    house.eventually_shows(4).await;
}

/// The first reading and the watch leave no gap between them.
#[tokio::test]
async fn a_change_right_after_the_start_is_seen() {
    let house = House::start().await;
    house.write(2);
    house.eventually_shows(2).await;
}

#[tokio::test]
async fn rules_that_vanish_stay_in_force_and_their_return_is_seen() {
    let house = House::start().await;
    for round in 1..4 {
        let refused = house.refused().await;
        house.rules.vanish();
        eventually("the loss is seen", async || house.refused().await > refused).await;
        assert!(house.shows(round).await);
        let new = rules(house.origin.address, round + 1);
        house.rules.return_with("rules.toml", &new);
        house.eventually_shows(round + 1).await;
    }
    // And the directory that came back is watched as the first one was.
    house.write(9);
    house.eventually_shows(9).await;
}

#[tokio::test]
async fn an_empty_directory_replaces_nothing() {
    let house = House::start().await;
    std::fs::remove_file(house.rules.0.join("rules.toml")).unwrap();
    eventually("the loss is seen", async || house.refused().await > 0.0).await;
    assert!(house.shows(1).await);
}

/// Logs and the like may lie beside the directory; that they change all the time neither causes
/// reloads nor puts them off.
#[tokio::test]
async fn what_changes_beside_the_rules_is_not_the_edges_business() {
    let house = House::start().await;
    let log = house.rules.0.parent().unwrap().join("access.log");
    let busy = tokio::spawn(async move {
        loop {
            std::fs::write(&log, "one more line").unwrap();
            tokio::task::yield_now().await;
        }
    });
    house.write(2);
    house.eventually_shows(2).await;
    busy.abort();
}

/// Nor does somebody who writes into the directory all the time put a reload off for ever.
#[tokio::test]
async fn a_directory_that_never_rests_is_read_all_the_same() {
    let house = House::start().await;
    let notes = house.rules.0.join("notes.txt");
    let busy = tokio::spawn(async move {
        loop {
            std::fs::write(&notes, "one more line").unwrap();
            tokio::task::yield_now().await;
        }
    });
    house.write(2);
    house.eventually_shows(2).await;
    busy.abort();
}

/// SIGHUP goes to the whole process: other tests' edges read their files again too, which does
/// them no harm.
#[tokio::test]
async fn sighup_reloads() {
    let origin = ScriptedOrigin::serving(PAGE).await;
    // Nothing here is watched.
    let edge = TestEdge::with_rules(&rules_for(origin.address)).await;
    let reloads = r#"edge_reloads_total{what="rules",outcome="ok"}"#;
    let certificates = r#"edge_reloads_total{what="certificates",outcome="ok"}"#;
    let before = edge.metric(reloads).await;
    let process = std::process::id().to_string();
    let sent = std::process::Command::new("kill")
        .args(["-HUP", &process])
        .status();
    assert!(sent.unwrap().success());
    eventually("a reload", async || edge.metric(reloads).await > before).await;
    assert!(edge.metric(certificates).await > 0.0);
    assert_eq!(Visitor::http1(edge.http).await.get("/").await.status, 200);
}

#[tokio::test]
async fn connections_to_an_unchanged_origin_survive() {
    let origin = RawOrigin::start(|mut conversation| async move {
        while conversation.head().await.is_some() {
            conversation.send("HTTP/1.1 204 No Content\r\n\r\n").await;
        }
    })
    .await;
    let directory = Directory::with("rules.toml", &rules(origin.address, 1));
    let edge = TestEdge::spawn(config_with(&directory)).await;
    let mut visitor = Visitor::http1(edge.http).await;
    let mut round = 1;
    // A connection may be free only after the next request had to go on another one.
    eventually("a connection survives reloads", async || {
        round += 1;
        let before = origin.connections();
        visitor.get("/").await;
        directory.write("rules.toml", &rules(origin.address, round));
        edge.reloader.reload().await.unwrap();
        visitor.get("/").await;
        before > 0 && origin.connections() == before
    })
    .await;
}

#[tokio::test]
async fn a_new_origin_is_asked_from_then_on() {
    let house = House::start().await;
    assert!(house.shows(1).await);
    let other = ScriptedOrigin::serving(PAGE).await;
    house.rules.write("rules.toml", &rules(other.address, 2));
    house.edge.reloader.reload().await.unwrap();
    assert!(house.shows(2).await);
    assert_eq!((house.origin.seen().len(), other.seen().len()), (1, 1));
}

#[tokio::test]
async fn a_page_that_has_begun_keeps_its_rules() {
    let go_on = Arc::new(Notify::new());
    let waited = Arc::clone(&go_on);
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 25\r\n\r\n";
    let origin = ScriptedOrigin::start(move |_| {
        let (first, rest) = PAGE.split_at(3);
        vec![
            Script::Send(format!("{head}{first}").into_bytes()),
            Script::Wait(Arc::clone(&waited)),
            Script::Send(rest.as_bytes().to_vec()),
        ]
    })
    .await;
    let directory = Directory::with("rules.toml", &rules(origin.address, 1));
    let edge = TestEdge::spawn(config_with(&directory)).await;
    let mut visitor = Visitor::http1(edge.http).await;
    let begun = begin(&mut visitor).await;
    let without_masks = rules(origin.address, 2).replace(r##"masks = ["#ssn"]"##, "");
    directory.write("rules.toml", &without_masks);
    edge.reloader.reload().await.unwrap();
    go_on.notify_one();
    assert_eq!(group_of(&soon(read(begun)).await), 1);
    go_on.notify_one();
    let page = visitor.get("/").await.text();
    assert!(
        page.contains(r#" data-groupid="2""#) && !page.contains("glance_masked"),
        "{page}"
    );
}

/// A page of which the head has come.
async fn begin(visitor: &mut Visitor) -> Response<Incoming> {
    let request = Request::get("/").body(Default::default()).unwrap();
    let page = visitor.begin(request).await;
    assert_eq!(page.status(), 200);
    assert!(!http_body::Body::is_end_stream(page.body()));
    page
}

/// The certificate that the edge shows to somebody who asks for this name.
async fn shown(edge: &TestEdge, name: &str) -> CertificateDer<'static> {
    let stream = tls(edge.https.unwrap(), Some(name), &[]).await.unwrap();
    let chain = stream.get_ref().1.peer_certificates().unwrap();
    chain[0].clone().into_owned()
}

#[tokio::test]
async fn a_renewed_certificate_is_shown_and_a_broken_one_is_not() {
    let origin = ScriptedOrigin::serving(PAGE).await;
    let authority = Authority::new();
    let (old, new) = (
        authority.sign(&["a.example"]),
        authority.sign(&["a.example"]),
    );
    let directory = Directory::with("site.pem", &old.both());
    let mut config = config(&rules(origin.address, 1));
    config.certificates = CertificatesSource::Directory(directory.0.clone());
    let edge = TestEdge::spawn(config).await;
    assert_eq!(shown(&edge, "a.example").await, old.der());

    directory.write("site.pem", &new.both());
    let in_force = async || shown(&edge, "a.example").await == new.der();
    eventually("the new certificate is shown", in_force).await;

    let refused = async || {
        let series = r#"edge_reloads_total{what="certificates",outcome="refused"}"#;
        edge.metric(series).await
    };
    let foreign_key = format!("{}{}", old.certificate, new.key);
    for broken in ["", "no PEM", &*new.certificate, &*foreign_key] {
        let before = refused().await;
        directory.write("site.pem", broken);
        eventually("it is refused", async || refused().await > before).await;
        assert_eq!(shown(&edge, "a.example").await, new.der(), "{broken}");
    }

    directory.vanish();
    assert!(edge.reloader.reload().await.is_err());
    assert_eq!(shown(&edge, "a.example").await, new.der());
    directory.return_with("site.pem", &old.both());
    let in_force = async || shown(&edge, "a.example").await == old.der();
    eventually("the certificate that came back is shown", in_force).await;
}

#[tokio::test]
async fn rules_and_certificates_come_into_force_each_by_itself() {
    let origin = ScriptedOrigin::serving(PAGE).await;
    let authority = Authority::new();
    let certificates = Directory::with("site.pem", &authority.sign(&["a.example"]).both());
    let directory = Directory::with("rules.toml", &rules(origin.address, 1));
    let mut config = config_with(&directory);
    config.certificates = CertificatesSource::Directory(certificates.0.clone());
    let edge = TestEdge::spawn(config).await;
    certificates.write("site.pem", "broken");
    directory.write("rules.toml", &rules(origin.address, 2));
    let Err(ReloadError::Problems(problems)) = edge.reloader.reload().await else {
        panic!("a broken certificate is no problem");
    };
    assert_eq!(problems.len(), 1, "{problems:?}");
    let page = Visitor::http1(edge.http).await.get("/").await;
    assert_eq!(group_of(&page), 2);
}

#[tokio::test]
async fn an_edge_that_cannot_start_says_all_that_is_wrong() {
    let directory = Directory::with("rules.toml", "version = 2");
    let certificates = Directory::with("site.pem", "broken");
    let mut config = config_with(&directory);
    config.certificates = CertificatesSource::Directory(certificates.0.clone());
    let error = cobrowse_edge::app::Edge::start(config).await.unwrap_err();
    let cobrowse_edge::app::StartError::Problems(problems) = error else {
        panic!("{error:?}");
    };
    let places: Vec<_> = problems.iter().map(|problem| problem.to_string()).collect();
    assert!(
        places.iter().any(|place| place.contains("rules.toml")),
        "{places:?}"
    );
    assert!(
        places.iter().any(|place| place.contains("site.pem")),
        "{places:?}"
    );
}
