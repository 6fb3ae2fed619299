//! Sites with several origins, and origins that are down: who is asked, what the visitor reads.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use cobrowse_edge::app::ReloadError;
use cobrowse_edge::config::{EdgeConfig, RulesSource};
use http::Request;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::Notify;

use crate::support::{
    Directory, Script, ScriptedOrigin, TestEdge, Visitor, config, eventually, read, soon,
};

fn rules(origins: &[SocketAddr], upstream: &str) -> String {
    let origins: Vec<_> = origins
        .iter()
        .map(|one| format!("\"http://{one}\""))
        .collect();
    format!(
        r##"
        version = 1
        [script]
        url = "https://cdn.example.com/loader.js"
        [[site]]
        hosts = ["*"]
        origins = [{}]
        group = 15687
        [site.upstream]
        {upstream}
        "##,
        origins.join(", ")
    )
}

const IN_TURN: &str = "balance = \"round-robin\"\neject_after = 2\neject_time = \"1h\"\n\
                       eject_time_max = \"1h\"\n";

fn answer(status: &str, text: &str) -> Vec<Script> {
    let length = text.len();
    let answer = format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\n\r\n{text}");
    vec![Script::Send(answer.into_bytes())]
}

async fn saying(text: &'static str) -> ScriptedOrigin {
    ScriptedOrigin::start(move |_| answer("200 OK", text)).await
}

/// Where nobody listens.
async fn nobody() -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    listener.local_addr().unwrap()
}

async fn texts(visitor: &mut Visitor, count: usize) -> Vec<String> {
    let mut texts = Vec::new();
    for _ in 0..count {
        texts.push(visitor.get("/").await.text());
    }
    texts
}

async fn admin(edge: &TestEdge, path: &str) -> String {
    Visitor::http1(edge.admin).await.get(path).await.text()
}

#[tokio::test]
async fn requests_are_spread_and_one_that_is_down_is_left_out() {
    let (one, other, down) = (saying("one").await, saying("other").await, nobody().await);
    let edge = TestEdge::with_rules(&rules(&[one.address, other.address, down], IN_TURN)).await;
    let mut visitor = Visitor::http1(edge.http).await;
    let all = texts(&mut visitor, 40).await;
    let count = |name| all.iter().filter(|text| *text == name).count();
    assert!(count("one") >= 15 && count("other") >= 15, "{all:?}");
    let state =
        |origin: SocketAddr| format!(r#"edge_origin_up{{site="*",origin="http://{origin}"}}"#);
    assert_eq!(edge.metric(&state(one.address)).await, 1.0);
    assert_eq!(edge.metric(&state(down)).await, 0.0);
    let ejections = format!(r#"edge_origin_ejections_total{{site="*",origin="http://{down}"}}"#);
    assert_eq!(edge.metric(&ejections).await, 1.0);
    let told = admin(&edge, "/origins").await;
    assert!(told.contains(&format!("http://{down}  down")), "{told}");
    assert!(
        told.contains(&format!("http://{}  up", one.address)),
        "{told}"
    );
}

#[tokio::test]
async fn visitors_keep_their_origin_by_cookie() {
    let (one, other) = (saying("one").await, saying("other").await);
    let by_cookie = "balance = \"cookie\"\nbalance_cookie = \"SID\"";
    let edge = TestEdge::with_rules(&rules(&[one.address, other.address], by_cookie)).await;
    let mut visitor = Visitor::http1(edge.http).await;
    let mut seen = std::collections::BTreeSet::new();
    for number in 0..20 {
        let mut ask = async |extra: usize| {
            let cookies = format!("x={extra}; SID=visitor-{number}");
            let request = Request::get(format!("/{extra}")).header("cookie", cookies);
            visitor.send(request).await.text()
        };
        let first = ask(0).await;
        assert_eq!(ask(1).await, first);
        assert_eq!(ask(2).await, first);
        seen.insert(first);
    }
    assert_eq!(seen.len(), 2);
}

#[tokio::test]
async fn an_origin_that_is_down_costs_a_fast_503() {
    let mut config = config(&rules(
        &[nobody().await],
        "eject_time = \"1m\"\neject_time_max = \"1m\"",
    ));
    config.upstream.connect_timeout = Duration::from_secs(5);
    let edge = TestEdge::spawn(config).await;
    let mut visitor = Visitor::http1(edge.http).await;
    for _ in 0..5 {
        assert_eq!(visitor.get("/").await.status, 502);
    }
    let began = Instant::now();
    for _ in 0..20 {
        let answer = visitor.get("/").await;
        assert_eq!(answer.status, 503);
        let seconds: u64 = answer.header("retry-after").parse().unwrap();
        assert!((1..=60).contains(&seconds), "{seconds}");
        assert!(
            answer
                .text()
                .contains("This page is not available right now")
        );
    }
    assert!(began.elapsed() < Duration::from_secs(2));
    let down = r#"edge_upstream_errors_total{site="*",kind="origin_down",blame="upstream"}"#;
    assert_eq!(edge.metric(down).await, 20.0);
}

#[tokio::test]
async fn who_finds_no_place_is_told_to_come_again() {
    let told = Arc::new(Notify::new());
    let waits = Arc::clone(&told);
    let origin = ScriptedOrigin::start(move |_| {
        let mut script = vec![Script::Wait(Arc::clone(&waits))];
        script.extend(answer("200 OK", "slow"));
        script
    })
    .await;
    let limits = "in_flight_max = 1\nqueue_max = 1\nqueue_timeout = \"100ms\"";
    let edge = TestEdge::with_rules(&rules(&[origin.address], limits)).await;
    let mut first = Visitor::http1(edge.http).await;
    let first = tokio::spawn(async move { first.get("/1").await });
    eventually("it is under way", async || {
        admin(&edge, "/origins").await.contains("in flight 1")
    })
    .await;
    let mut second = Visitor::http1(edge.http).await;
    let waited = second.get("/2").await;
    assert_eq!(
        (waited.status.as_u16(), waited.header("retry-after")),
        (503, "1")
    );
    let kind =
        |kind| format!(r#"edge_upstream_errors_total{{site="*",kind="{kind}",blame="upstream"}}"#);
    assert_eq!(edge.metric(&kind("queue_timeout")).await, 1.0);
    told.notify_one();
    assert_eq!(soon(first).await.unwrap().status, 200);
    assert_eq!(origin.seen().len(), 1);
}

#[tokio::test]
async fn an_origin_that_fails_its_health_checks_gets_no_visitors() {
    let well = Arc::new(AtomicBool::new(true));
    let told = Arc::clone(&well);
    let one = ScriptedOrigin::start(move |head| {
        let fails = head.starts_with("GET /healthz") && !told.load(Ordering::Acquire);
        match fails {
            true => answer("500 No", "no"),
            false => answer("200 OK", "one"),
        }
    })
    .await;
    let other = saying("other").await;
    let health = format!(
        "{IN_TURN}health = {{ path = \"/healthz\", interval = \"100ms\", unhealthy_after = 2, healthy_after = 1 }}"
    );
    let edge = TestEdge::with_rules(&rules(&[one.address, other.address], &health)).await;
    let state = async |state: &str| {
        let line = format!("http://{}  {state}", one.address);
        admin(&edge, "/origins").await.contains(&line)
    };
    eventually("it is checked", async || {
        one.seen().iter().any(|head| head.contains("health check"))
    })
    .await;
    well.store(false, Ordering::Release);
    eventually("it is left alone", async || state("left alone").await).await;
    let mut visitor = Visitor::http1(edge.http).await;
    assert_eq!(texts(&mut visitor, 6).await, ["other"; 6]);
    well.store(true, Ordering::Release);
    eventually("it is back", async || state("up").await).await;
    assert!(texts(&mut visitor, 6).await.contains(&"one".to_owned()));
}

#[tokio::test]
async fn a_site_may_be_behind_a_unix_socket() {
    let files = Directory::new();
    let socket = files.0.join("app.sock");
    let listener = UnixListener::bind(&socket).unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") && stream.read_buf(&mut head).await.unwrap() > 0 {}
            let page =
                b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 7\r\n\r\n<p>old.";
            stream.write_all(page).await.unwrap();
        }
    });
    let rules = format!(
        "version = 1\n[[site]]\nhosts = [\"*\"]\norigin = \"unix:{}\"\ngroup = 15687\n",
        socket.display()
    );
    let edge = TestEdge::with_rules(&rules).await;
    let mut visitor = Visitor::http1(edge.http).await;
    for _ in 0..3 {
        let page = visitor.get("/").await.text();
        assert!(
            page.starts_with("<p>old.<script id=\"glance-cobrowse\""),
            "{page}"
        );
    }
    let told = admin(&edge, "/origins").await;
    assert!(
        told.contains(&format!("unix:{}  up", socket.display())),
        "{told}"
    );
}

fn in_directory(rules: &Directory) -> EdgeConfig {
    let mut config = config("");
    config.rules = RulesSource::Directory(rules.0.clone());
    config
}

const OWN_PAGE: &str = "<!DOCTYPE html><title>Bank</title><p>We are back soon.";

#[tokio::test]
async fn an_operators_page_stands_in_for_ours() {
    let origin = ScriptedOrigin::start(|head| match head.contains("/good") {
        true => answer("200 OK", "good"),
        false => vec![Script::Close],
    })
    .await;
    let files = Directory::new();
    files.write("down.html", OWN_PAGE);
    let rules = rules(&[origin.address], "error_page = \"down.html\"");
    files.write("bank.toml", &rules);
    let edge = TestEdge::spawn(in_directory(&files)).await;
    let mut visitor = Visitor::http1(edge.http).await;
    let shown = visitor.get("/bad").await;
    assert_eq!(
        (shown.status.as_u16(), shown.text().as_str()),
        (502, OWN_PAGE)
    );
    assert_eq!(shown.header("content-type"), "text/html; charset=utf-8");
    assert_eq!(shown.header("cache-control"), "no-store");
    assert_eq!(visitor.get("/good").await.text(), "good");
    // A request of nonsense is the visitor's fault, and says so.
    let refused = visitor.send(Request::get("/%zz")).await;
    assert_eq!(refused.status, 400);
    assert!(refused.text().contains("cannot be served"));
    // What is no page does not come into force.
    for bad in ["  \n", "\u{0}".repeat(300 * 1024).as_str()] {
        files.write("down.html", bad);
        let error = edge.reloader.reload().await.unwrap_err();
        let ReloadError::Problems(problems) = error else {
            panic!("{error}");
        };
        assert!(
            problems[0].to_string().contains("error page"),
            "{problems:?}"
        );
        assert_eq!(visitor.get("/bad").await.text(), OWN_PAGE);
    }
    files.write("down.html", "<p>Later.");
    edge.reloader.reload().await.unwrap();
    assert_eq!(visitor.get("/bad").await.text(), "<p>Later.");
}

#[tokio::test]
async fn the_process_may_have_a_page_for_all_sites() {
    let files = Directory::with("down.html", OWN_PAGE);
    let mut config = config(&rules(&[nobody().await], ""));
    config.error_page = Some(files.0.join("down.html"));
    let edge = TestEdge::spawn(config).await;
    assert_eq!(
        Visitor::http1(edge.http).await.get("/").await.text(),
        OWN_PAGE
    );
}

#[tokio::test]
async fn a_reload_forgets_nothing_of_origins_that_stay_and_ends_no_exchange() {
    let told = Arc::new(Notify::new());
    let waits = Arc::clone(&told);
    let one = ScriptedOrigin::start(move |head| match head.contains("/slow") {
        true => {
            let mut script = vec![Script::Wait(Arc::clone(&waits))];
            script.extend(answer("200 OK", "slow"));
            script
        }
        false => answer("200 OK", "one"),
    })
    .await;
    let (other, down) = (saying("other").await, nobody().await);
    let files = Directory::new();
    files.write("bank.toml", &rules(&[one.address, down], IN_TURN));
    let edge = TestEdge::spawn(in_directory(&files)).await;
    let mut visitor = Visitor::http1(edge.http).await;
    assert_eq!(texts(&mut visitor, 6).await, ["one"; 6]);
    let mut waiting = Visitor::http1(edge.http).await;
    let request = Request::get("/slow")
        .body(http_body_util::Full::default())
        .unwrap();
    let slow = tokio::spawn(async move { read(waiting.begin(request).await).await });
    eventually("it is under way", async || {
        admin(&edge, "/origins").await.contains("in flight 1")
    })
    .await;
    files.write(
        "bank.toml",
        &rules(&[other.address, one.address, down], IN_TURN),
    );
    edge.reloader.reload().await.unwrap();
    let told_of = admin(&edge, "/origins").await;
    assert!(
        told_of.contains(&format!("http://{down}  down")),
        "{told_of}"
    );
    assert!(told_of.contains("in flight 1"), "{told_of}");
    let all = texts(&mut visitor, 10).await;
    assert!(all.iter().any(|text| text == "other"), "{all:?}");
    // The origin that is gone from the rules ends what it began.
    files.write("bank.toml", &rules(&[other.address], ""));
    edge.reloader.reload().await.unwrap();
    assert_eq!(texts(&mut visitor, 2).await, ["other"; 2]);
    told.notify_one();
    assert_eq!(soon(slow).await.unwrap().text(), "slow");
}
