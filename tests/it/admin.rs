//! What operators see: health, readiness, metrics, explanations, the access log; and what nobody
//! ever sees there, which is anything of a visitor's.

use std::sync::Arc;

use cobrowse_edge::config::EdgeConfig;
use cobrowse_edge::telemetry::AccessLogFormat;
use cobrowse_edge::wire::TrustedPeers;
use http::{Method, Request};
use tokio::sync::Notify;

use crate::support::{RawOrigin, serve_echo};
use crate::support::{
    RawVisitor, Script, ScriptedOrigin, TestEdge, Visitor, Written, config, eventually, handshake,
};

fn rules(origin: std::net::SocketAddr) -> String {
    format!(
        r##"
        version = 1
        [script]
        url = "https://cdn.example.com/loader.js"
        [[site]]
        hosts = ["www.bank.example"]
        origin = "http://{origin}"
        group = 15687
        masks = ["#ssn"]
        [[site.rule]]
        name = "mortgage desk"
        path = "/mortgage/**"
        additional_groups = [15688]
        masks = [".income"]
        [[site.rule]]
        name = "calculators"
        path = "/mortgage/calculators/**"
        inject = false
        "##
    )
}

const PAGE: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 57\r\n\r\n\
    <p id=ssn>1</p><p class=income>2</p><p class='a income'>3";
const IMAGE: &str =
    "HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nContent-Length: 10\r\n\r\n0123456789";

/// A bank that resets what it is asked under `/broken`.
async fn bank() -> ScriptedOrigin {
    ScriptedOrigin::start(|head| match head.split(' ').nth(1).unwrap() {
        path if path.starts_with("/broken") => vec![Script::Reset],
        path if path.starts_with("/logo.png") => vec![Script::Send(IMAGE.into())],
        _ => vec![Script::Send(PAGE.into())],
    })
    .await
}

async fn admin(edge: &TestEdge) -> Visitor {
    Visitor::http1(edge.admin).await
}

fn ask(path: &str) -> http::request::Builder {
    Request::get(path).header("host", "www.bank.example")
}

#[tokio::test]
async fn health_and_readiness_are_told() {
    let bank = bank().await;
    let edge = TestEdge::with_rules(&rules(bank.address)).await;
    let mut admin = admin(&edge).await;
    for (path, status, text) in [
        ("/healthz", 200, "ok\n"),
        ("/readyz", 200, "ready\n"),
        ("/healthz?a=b", 200, "ok\n"),
    ] {
        let answer = admin.get(path).await;
        assert_eq!(
            (answer.status.as_u16(), answer.text().as_str()),
            (status, text)
        );
        assert_eq!(answer.header("cache-control"), "no-store");
    }
    assert!(admin.get("/").await.text().contains("/explain?url="));
    assert_eq!(admin.get("/other").await.status, 404);
    let post = Request::builder().method(Method::POST).uri("/healthz");
    assert_eq!(admin.send(post).await.status, 405);
    // Nothing of it is on the visitors' side.
    let outside = Visitor::http1(edge.http).await.get("/metrics").await;
    assert_eq!(outside.status, 421);
}

#[tokio::test]
async fn who_drains_is_alive_and_not_ready() {
    let go_on = Arc::new(Notify::new());
    let waited = Arc::clone(&go_on);
    let origin = ScriptedOrigin::start(move |_| {
        vec![
            Script::Wait(Arc::clone(&waited)),
            Script::Send(IMAGE.into()),
        ]
    })
    .await;
    let mut edge = TestEdge::with_rules(&rules(origin.address)).await;
    let mut visitor = Visitor::http1(edge.http).await;
    let slow = tokio::spawn(async move { visitor.send(ask("/")).await });
    eventually("the exchange is under way", async || {
        !origin.seen().is_empty()
    })
    .await;
    edge.begin_drain();
    let mut admin = admin(&edge).await;
    let drains = async || admin.get("/readyz").await.status == 503;
    eventually("it is not ready", drains).await;
    let mut admin = Visitor::http1(edge.admin).await;
    assert_eq!(admin.get("/readyz").await.text(), "draining\n");
    assert_eq!(admin.get("/healthz").await.status, 200);
    assert_eq!(admin.get("/metrics").await.status, 200);
    go_on.notify_one();
    assert_eq!(slow.await.unwrap().text(), "0123456789");
    assert_eq!(edge.end().await.cut, 0);
}

#[tokio::test]
async fn metrics_tell_what_became_of_each_exchange() {
    let bank = bank().await;
    let edge = TestEdge::with_rules(&rules(bank.address)).await;
    let mut visitor = Visitor::http1(edge.http).await;
    let mut down = 0;
    for (path, status) in [
        ("/", 200),
        ("/mortgage/apply", 200),
        ("/mortgage/apply?again", 200),
        ("/mortgage/calculators/rate", 200),
        ("/logo.png", 200),
        ("/broken", 502),
        ("/a%2Fb", 400),
    ] {
        let answer = visitor.send(ask(path)).await;
        assert_eq!(answer.status, status, "{path}");
        down += answer.bytes().len();
    }
    let fragment = ask("/").header("sec-fetch-dest", "empty");
    down += visitor.send(fragment).await.bytes().len();
    let stranger = Request::get("/").header("host", "evil.example");
    down += visitor.send(stranger).await.bytes().len();
    let post = Request::post("/").header("host", "www.bank.example");
    down += visitor.send_with_body(post, "pin=1234").await.bytes().len();

    let text = admin(&edge).await.get("/metrics").await.text();
    let wanted = [
        r#"edge_requests_total{site="www.bank.example",status_class="2xx"} 7"#,
        r#"edge_requests_total{site="www.bank.example",status_class="5xx"} 1"#,
        r#"edge_requests_total{site="-",status_class="4xx"} 2"#,
        r#"edge_pages_rewritten_total{site="www.bank.example",rule="site"} 2"#,
        r#"edge_pages_rewritten_total{site="www.bank.example",rule="mortgage desk"} 2"#,
        r#"edge_pages_passed_total{site="www.bank.example",reason="inject_off"} 1"#,
        r#"edge_pages_passed_total{site="www.bank.example",reason="not_html"} 1"#,
        r#"edge_pages_passed_total{site="www.bank.example",reason="fragment"} 1"#,
        r##"edge_masks_applied_total{site="www.bank.example",rule="site",selector="#ssn"} 2"##,
        r##"edge_masks_applied_total{site="www.bank.example",rule="mortgage desk",selector="#ssn"} 2"##,
        r#"edge_masks_applied_total{site="www.bank.example",rule="mortgage desk",selector=".income"} 4"#,
        r#"edge_upstream_errors_total{site="www.bank.example",kind="reset",blame="upstream"} 1"#,
        r#"edge_refusals_total{reason="path_encoded_slash"} 1"#,
        r#"edge_refusals_total{reason="unknown_host"} 1"#,
        r#"edge_bytes_total{direction="up"} 8"#,
        &format!(r#"edge_bytes_total{{direction="down"}} {down}"#),
        r#"edge_request_duration_seconds_count{site="www.bank.example"} 8"#,
        "edge_access_lines_dropped_total 0",
    ];
    for series in wanted {
        assert!(
            text.lines().any(|line| line == series),
            "no {series} in\n{text}"
        );
    }
    // And nothing else was counted in these families.
    for family in [
        "requests",
        "pages_rewritten",
        "pages_passed",
        "masks_applied",
        "refusals",
    ] {
        let start = format!("edge_{family}_total{{");
        let counted = text.lines().filter(|line| line.starts_with(&start)).count();
        let expected = wanted
            .iter()
            .filter(|line| line.starts_with(&start))
            .count();
        assert_eq!(counted, expected, "{family} in\n{text}");
    }
    assert!(text.ends_with("# EOF\n"));
}

#[tokio::test]
async fn bytes_of_tunnels_are_counted_too() {
    let origin = RawOrigin::start(serve_echo).await;
    let edge = TestEdge::with_rules(&rules(origin.address)).await;
    let mut visitor = RawVisitor::connect(edge.http).await;
    visitor.send(handshake("www.bank.example", "/", &[])).await;
    visitor.read_until("\r\n\r\n").await;
    visitor.send("ping").await;
    visitor.read_until("ping").await;
    drop(visitor);
    eventually("both directions are counted", async || {
        let mut counts = Vec::new();
        for direction in ["up", "down"] {
            let series = format!(r#"edge_bytes_total{{direction="{direction}"}}"#);
            counts.push(edge.metric(&series).await);
        }
        counts == [4.0, 4.0]
    })
    .await;
}

#[tokio::test]
async fn it_is_explained_which_rules_apply() {
    let bank = bank().await;
    let edge = TestEdge::with_rules(&rules(bank.address)).await;
    let mut admin = admin(&edge).await;
    for url in [
        "https://www.bank.example/mortgage/apply?step=2",
        "https%3A%2F%2Fwww.bank.example%2Fmortgage%2Fapply%3Fstep%3D2",
        "http://WWW.BANK.EXAMPLE:8080//mortgage/./apply",
    ] {
        let answer = admin.get(&format!("/explain?url={url}")).await;
        assert_eq!(answer.status, 200, "{url}");
        let text = answer.text();
        for word in [
            "mortgage desk",
            "15687",
            "15688",
            "#ssn",
            ".income",
            "rules.toml:",
        ] {
            assert!(text.contains(word), "no {word} in\n{text}");
        }
    }
    for (query, word) in [
        ("", "/explain?url="),
        ("?other=a", "/explain?url="),
        ("?url=/mortgage", "/explain?url="),
        ("?url=https://evil.example/", "evil.example"),
        ("?url=https://www.bank.example/a%252Fb", "slash"),
    ] {
        let answer = admin.get(&format!("/explain{query}")).await;
        assert_eq!(answer.status, 400, "{query}");
        assert!(answer.text().contains(word), "{query}: {}", answer.text());
    }
}

fn logging(origin: &ScriptedOrigin, format: AccessLogFormat) -> EdgeConfig {
    let mut config = config(&rules(origin.address));
    config.log.access = Some(format);
    config
}

/// What must never be written anywhere, wherever in a request it stands.
const CANARY: &str = "c4n4ry";

/// Some exchanges of every kind, each with canaries; returns the access log.
async fn log_of(format: AccessLogFormat) -> String {
    let bank = bank().await;
    let written = Written::default();
    let edge = TestEdge::spawn_logging_to(written.clone(), logging(&bank, format)).await;
    let mut visitor = Visitor::http1(edge.http).await;
    for path in [
        "/mortgage/apply",
        "/logo.png;jsessionid=c4n4ry",
        "/broken",
        "/a%2Fb;c4n4ry",
    ] {
        let request = ask(&format!("{path}?token={CANARY}"))
            .header("cookie", format!("JSESSIONID={CANARY}"))
            .header("authorization", format!("Basic {CANARY}"))
            .header("referer", format!("http://www.bank.example/?{CANARY}"))
            .header("x-any", CANARY);
        visitor.send(request).await;
    }
    let form = Request::post("/login")
        .header("host", "www.bank.example")
        .header("content-type", "application/x-www-form-urlencoded");
    visitor
        .send_with_body(form, format!("password={CANARY}"))
        .await;
    let stranger = Request::get(format!("/?{CANARY}")).header("host", "evil.example");
    visitor.send(stranger).await;
    // An address in absolute form, with what some clients put before the host.
    let mut raw = RawVisitor::connect(edge.http).await;
    let target = format!("http://user:{CANARY}@www.bank.example/?{CANARY}");
    raw.send(format!(
        "GET {target} HTTP/1.1\r\nHost: www.bank.example\r\n\r\n"
    ))
    .await;
    raw.read_until("\r\n\r\n").await;
    let metrics = admin(&edge).await.get("/metrics").await.text();
    assert!(!metrics.contains(CANARY), "{metrics}");
    drop((visitor, raw));
    edge.end().await;
    written.text()
}

#[tokio::test]
async fn the_access_log_tells_a_person_of_every_exchange_and_of_no_visitor() {
    let log = log_of(AccessLogFormat::Human).await;
    assert!(!log.contains(CANARY), "{log}");
    let lines: Vec<_> = log.lines().collect();
    assert_eq!(lines.len(), 7, "{log}");
    for (line, parts) in lines.iter().zip([
        &[
            " GET http www.bank.example /mortgage/apply 200 ",
            " site=www.bank.example ",
            " rule=\"mortgage desk\" ",
            " verdict=rewritten",
            " upstream=",
        ][..],
        &[" /logo.png; 200 10B ", " verdict=passed reason=not_html"],
        &[
            " /broken 502 ",
            " verdict=failed reason=reset blame=upstream",
        ],
        &[
            " /a%2Fb; 400 ",
            " verdict=refused reason=path_encoded_slash blame=downstream",
        ],
        &[
            " POST http www.bank.example /login 200 ",
            " verdict=rewritten",
        ],
        &[" GET http evil.example / 421 ", " reason=unknown_host"],
        &[" 400 ", " verdict=refused"],
    ]) {
        for part in parts {
            assert!(line.contains(part), "no {part} in {line}");
        }
        assert!(line.contains(" 127.0.0.1:"), "{line}");
    }
}

#[tokio::test]
async fn the_access_log_tells_a_machine_the_same() {
    let log = log_of(AccessLogFormat::Json).await;
    assert!(!log.contains(CANARY), "{log}");
    let lines: Vec<serde_json::Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 7, "{log}");
    let page = &lines[0];
    for (key, value) in [
        ("method", "GET"),
        ("scheme", "http"),
        ("authority", "www.bank.example"),
        ("path", "/mortgage/apply"),
        ("site", "www.bank.example"),
        ("rule", "mortgage desk"),
        ("verdict", "rewritten"),
    ] {
        assert_eq!(page[key], value, "{page}");
    }
    assert_eq!(
        (&page["status"], page["blame"].as_str()),
        (&200.into(), None)
    );
    assert!(
        page["duration_ms"].is_number() && page["upstream_ms"].is_number(),
        "{page}"
    );
    assert_eq!(
        (&lines[2]["reason"], &lines[2]["blame"]),
        (&"reset".into(), &"upstream".into())
    );
    assert_eq!(lines[1]["bytes_down"], 10);
}

/// A visitor who goes away in the middle of a page is one line, with the blame where it belongs.
#[tokio::test]
async fn a_visitor_who_leaves_midway_is_told_apart_from_an_origin_that_breaks() {
    let half = "HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nContent-Length: 99\r\n\r\nhalf";
    let origin = ScriptedOrigin::start(move |head| {
        let end = match head.contains(" /breaks ") {
            true => Script::Close,
            false => Script::Wait(Arc::default()),
        };
        vec![Script::Send(half.into()), end]
    })
    .await;
    let written = Written::default();
    let settings = logging(&origin, AccessLogFormat::Human);
    let edge = TestEdge::spawn_logging_to(written.clone(), settings).await;
    for (path, blame) in [("/breaks", "upstream"), ("/waits", "downstream")] {
        let mut visitor = RawVisitor::connect(edge.http).await;
        visitor
            .send(format!(
                "GET {path} HTTP/1.1\r\nHost: www.bank.example\r\n\r\n"
            ))
            .await;
        visitor.read_until("half").await;
        drop(visitor);
        let wanted = format!(" blame={blame}");
        eventually("the line is written", async || {
            written.text().lines().any(|line| line.contains(path))
        })
        .await;
        let text = written.text();
        let line = text.lines().find(|line| line.contains(path)).unwrap();
        assert!(
            line.contains(" 200 4B ") && line.contains(&wanted),
            "{line}"
        );
    }
}

/// Behind a balancer every peer is the balancer.
#[tokio::test]
async fn the_access_log_names_the_visitor_as_far_as_trusted_peers_tell() {
    for (trusted, chain, named) in [
        (
            "127.0.0.1/32",
            "6.6.6.6, 203.0.113.7",
            " 203.0.113.7:0 GET ",
        ),
        ("127.0.0.1/32", "2001:db8::1", " [2001:db8::1]:0 GET "),
        ("127.0.0.1/32", "unknown", " 127.0.0.1:"),
        ("10.0.0.0/8", "203.0.113.7", " 127.0.0.1:"),
    ] {
        let bank = bank().await;
        let written = Written::default();
        let mut settings = logging(&bank, AccessLogFormat::Human);
        settings.trusted_peers = TrustedPeers::new(vec![trusted.parse().unwrap()]);
        let edge = TestEdge::spawn_logging_to(written.clone(), settings).await;
        let mut visitor = Visitor::http1(edge.http).await;
        // What the gate refuses has its visitor, too.
        for path in ["/mortgage/apply", "/a%2Fb"] {
            visitor
                .send(ask(path).header("x-forwarded-for", chain))
                .await;
        }
        drop(visitor);
        edge.end().await;
        let text = written.text();
        assert_eq!(text.lines().count(), 2, "{text}");
        assert!(
            text.lines().all(|line| line.contains(named)),
            "{chain}: {text}"
        );
    }
}
