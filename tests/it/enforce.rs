//! Session traffic is held to the groups of its page: what is refused never reaches the backend.

use std::net::SocketAddr;
use std::time::Duration;

use cobrowse_edge::config::{GrantsConfig, KeysSource, SessionConfig, SessionPlace};
use cobrowse_edge::groups::{GrantEpoch, GrantKeys};
use cobrowse_edge::proxy::{EnforceConfig, Places};
use cobrowse_edge::upstream::{Target, TlsSettings};
use cobrowse_edge::wire::Scheme;
use http::Request;

use crate::support::{Answer, ScriptedOrigin, Socket, TestEdge, Visitor, config, handshake};

const PAGE: &str =
    "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 9\r\n\r\n<p>a text";
const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nbackend";
const DESK: &str = "http://www.bank.example/mortgage/apply";
const FRONT: &str = "http://www.bank.example/";

/// A site, a backend that records what it gets, and an edge before both.
struct House {
    _site: ScriptedOrigin,
    backend: ScriptedOrigin,
    edge: TestEdge,
}

impl House {
    async fn new() -> Self {
        let site = ScriptedOrigin::answering(PAGE).await;
        let backend = ScriptedOrigin::answering(OK).await;
        let edge = edge(site.address, backend.address).await;
        Self {
            _site: site,
            backend,
            edge,
        }
    }

    async fn send(&self, request: http::request::Builder) -> Answer {
        Visitor::http1(self.edge.http).await.send(request).await
    }

    /// The grant of a page, as the visitor's browser finds it.
    async fn grant(&self, path: &str) -> String {
        let page = self
            .send(get(path).header("accept", "text/html"))
            .await
            .text();
        let (_, rest) = page.split_once("data-grant=\"").expect("a grant");
        rest.split('"').next().unwrap().to_owned()
    }

    #[track_caller]
    fn check_refused(&self, answer: &Answer, status: u16, error: &str) {
        assert_eq!(answer.status, status, "{}", answer.text());
        assert_eq!(answer.header("content-type"), "application/json");
        assert_eq!(answer.header("cache-control"), "no-store");
        let told: serde_json::Value = serde_json::from_slice(answer.bytes()).unwrap();
        assert_eq!(told["error"], error);
        assert!(self.backend.seen().is_empty(), "{:?}", self.backend.seen());
    }
}

fn names(list: &[&str]) -> Vec<String> {
    list.iter().map(|name| (*name).to_owned()).collect()
}

async fn edge(site: SocketAddr, backend: SocketAddr) -> TestEdge {
    let mut config = config(&format!(
        r#"
        version = 1
        [script]
        url = "/_cobrowse/CobrowseJS.ashx"
        [[site]]
        hosts = ["www.bank.example"]
        origin = "http://{site}"
        group = 15687
        [[site.rule]]
        path = "/mortgage/**"
        additional_groups = [15690]
        "#
    ));
    let places = |names: Vec<String>| Places {
        query: names.clone(),
        json: names.clone(),
        headers: names,
    };
    config.session = Some(SessionConfig {
        backend: Target {
            scheme: Scheme::Http,
            host: backend.ip().to_string(),
            port: backend.port(),
            socket: None,
            tls: TlsSettings::default(),
        },
        place: SessionPlace::Mount {
            path: "/_cobrowse".into(),
            strip: true,
        },
        cookies: Vec::new(),
        enforce: Some(EnforceConfig {
            group: places(names(&["group", "groupid"])),
            grant: places(names(&["grant"])),
            referer: true,
            unread_types: names(&["application/octet-stream"]),
            body_bytes_max: 1024,
        }),
    });
    config.grants = Some(GrantsConfig {
        keys: KeysSource::Given(GrantKeys::generate().unwrap()),
        epoch: GrantEpoch::new(Duration::from_secs(7 * 24 * 60 * 60)).unwrap(),
    });
    TestEdge::spawn(config).await
}

fn get(path: &str) -> http::request::Builder {
    Request::get(path).header("host", "www.bank.example")
}

#[tokio::test]
async fn a_foreign_group_is_refused_before_anything_leaves() {
    let house = House::new().await;
    for (path, referer, status, error) in [
        (
            "/_cobrowse/CobrowseJS.ashx?group=15691",
            DESK,
            403,
            "group_not_allowed",
        ),
        (
            "/_cobrowse/CobrowseJS.ashx?group=15690",
            FRONT,
            403,
            "group_not_allowed",
        ),
        (
            "/_cobrowse/x?groupid=15687&GroupID=1",
            DESK,
            403,
            "group_not_allowed",
        ),
        ("/_cobrowse/x?%67roup=015687", DESK, 400, "group_unreadable"),
        (
            "/_cobrowse/x?%u0067roup=1",
            DESK,
            400,
            "session_query_unreadable",
        ),
        (
            "/_cobrowse/x?group=15687",
            "http://elsewhere.example/",
            403,
            "page_unknown",
        ),
        (
            "/_cobrowse/x?group=15687&grant=v1.a.b.c",
            DESK,
            403,
            "grant_malformed",
        ),
    ] {
        let answer = house.send(get(path).header("referer", referer)).await;
        house.check_refused(&answer, status, error);
    }
    let answer = house
        .send(get("/_cobrowse/x?group=15690").header("referer", FRONT))
        .await;
    let told: serde_json::Value = serde_json::from_slice(answer.bytes()).unwrap();
    assert_eq!(
        (&told["group"], &told["allowed"]),
        (&15690.into(), &serde_json::json!([15687]))
    );
    let counted = "edge_refusals_total{reason=\"group_not_allowed\"}";
    assert_eq!(house.edge.metric(counted).await, 4.0);
    let checked = "edge_group_checks_total{site=\"www.bank.example\",outcome=\"page_unknown\"}";
    assert_eq!(house.edge.metric(checked).await, 1.0);
}

#[tokio::test]
async fn an_allowed_group_goes_on_untouched() {
    let house = House::new().await;
    let path = "/_cobrowse/CobrowseJS.ashx?group=15690&site=production";
    let answer = house.send(get(path).header("referer", DESK)).await;
    assert_eq!(answer.text(), "backend");
    let seen = house.backend.seen();
    assert!(seen[0].starts_with("GET /CobrowseJS.ashx?group=15690&site=production HTTP/1.1\r\n"));
    // Requests that name no group are as ever, whoever asks.
    assert_eq!(house.send(get("/_cobrowse/x")).await.status, 200);
}

#[tokio::test]
async fn a_pages_grant_opens_its_groups_and_no_others() {
    let house = House::new().await;
    let (desk, front) = (house.grant("/mortgage/apply").await, house.grant("/").await);
    let ask = async |grant: &str, group: u32| {
        let path = format!("/_cobrowse/start?groupid={group}&grant={grant}");
        house.send(get(&path)).await
    };
    house.check_refused(&ask(&front, 15690).await, 403, "group_not_allowed");
    house.check_refused(&ask(&desk, 15691).await, 403, "group_not_allowed");
    let (head, _) = desk.rsplit_once('.').unwrap();
    let (_, tag) = front.rsplit_once('.').unwrap();
    let spliced = format!("{head}.{tag}");
    house.check_refused(&ask(&spliced, 15687).await, 403, "grant_forged");
    assert_eq!(ask(&desk, 15690).await.status, 200);
}

/// What is written on the connection, and the head that comes back.
async fn raw(house: &House, head: &str, body: &[u8]) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = tokio::net::TcpStream::connect(house.edge.http)
        .await
        .unwrap();
    let head =
        format!("{head}\r\nHost: www.bank.example\r\nReferer: {DESK}\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(body).await.unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn groups_in_bodies_are_read_before_anything_leaves() {
    let house = House::new().await;
    let foreign = br#"{"a":[{"groupid":"15691"}]}"#;
    let post = "POST /_cobrowse/start HTTP/1.1";
    let json = format!("{post}\r\nContent-Type: application/json");
    for (head, body, status) in [
        (format!("{json}\r\nContent-Length: 27"), &foreign[..], "403"),
        (
            format!("{json}\r\nTransfer-Encoding: chunked"),
            b"9\r\n{\"group\":\r\n7\r\n 15691}\r\n0\r\n\r\n",
            "403",
        ),
        (
            format!("{json}\r\nContent-Encoding: gzip\r\nContent-Length: 27"),
            foreign,
            "415",
        ),
        (format!("{post}\r\nContent-Length: 27"), foreign, "415"),
        (
            format!("{json}; charset=utf-16\r\nContent-Length: 27"),
            foreign,
            "415",
        ),
        (
            format!("{json}\r\nContent-Length: 28"),
            b"\xef\xbb\xbf{\"group\":              15687}",
            "400",
        ),
        (format!("{json}\r\nContent-Length: 1025"), b"", "413"),
        (
            format!(
                "{post}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 11"
            ),
            b"group=15691",
            "403",
        ),
    ] {
        let answer = raw(&house, &head, body).await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{head}: {answer}"
        );
        assert!(house.backend.seen().is_empty(), "{head}");
    }
    let long = format!("401\r\n{}\r\n0\r\n\r\n", " ".repeat(0x401));
    let answer = raw(
        &house,
        &format!("{json}\r\nTransfer-Encoding: chunked"),
        long.as_bytes(),
    )
    .await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    assert!(house.backend.seen().is_empty());
}

/// Tells what comes back once this was written, and neither side writes more.
async fn unfinished(house: &House, body: &str) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = tokio::net::TcpStream::connect(house.edge.http)
        .await
        .unwrap();
    let request = format!(
        "POST /_cobrowse/start HTTP/1.1\r\nHost: www.bank.example\r\nReferer: {DESK}\r\n\
         Content-Type: application/json\r\n{body}"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    tokio::time::pause();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    tokio::time::resume();
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn a_body_that_does_not_come_to_its_end_reaches_nobody() {
    let house = House::new().await;
    let allowed = "{\"groupid\": 15690}";
    for (body, status, error) in [
        (
            format!("Content-Length: 30\r\n\r\n{allowed}"),
            "408 Request Timeout",
            "session_body_slow",
        ),
        (
            format!("Transfer-Encoding: chunked\r\n\r\n12\r\n{allowed}\r\n"),
            "408 Request Timeout",
            "session_body_slow",
        ),
        (
            format!("Transfer-Encoding: chunked\r\n\r\n12\r\n{allowed}\r\nx\r\n"),
            "400 Bad Request",
            "session_body_broken",
        ),
    ] {
        let answer = unfinished(&house, &body).await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}\r\n")),
            "{answer}"
        );
        assert!(
            answer.contains(&format!("\"error\":\"{error}\"")),
            "{answer}"
        );
        assert!(answer.contains("\r\nconnection: close\r\n"), "{answer}");
        assert!(house.backend.seen().is_empty(), "{body}");
        let counted = format!("edge_refusals_total{{reason=\"{error}\"}}");
        assert!(house.edge.metric(&counted).await >= 1.0);
    }
}

#[tokio::test]
async fn a_body_that_may_go_on_arrives_as_it_was() {
    let house = House::new().await;
    let body = br#" {"groupid": 15690} "#;
    let head = format!(
        "POST /_cobrowse/start HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: {}",
        body.len()
    );
    let answer = raw(&house, &head, body).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    let seen = house.backend.seen();
    assert!(
        seen[0].contains("content-length: 20\r\n") || seen[0].contains("Content-Length: 20\r\n")
    );
    let unread = "POST /_cobrowse/up HTTP/1.1\r\nContent-Type: application/octet-stream\r\nContent-Length: 3";
    let answer = raw(&house, unread, b"{\"g").await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
}

/// Browsers say where a handshake comes from, and never from which page.
#[tokio::test]
async fn a_handshake_that_names_a_group_needs_a_grant() {
    let house = House::new().await;
    let desk = house.grant("/mortgage/apply").await;
    for (query, reaches) in [
        ("group=15690".to_owned(), false),
        (format!("group=15691&grant={desk}"), false),
        (format!("group=15690&grant={desk}"), true),
    ] {
        let path = format!("/_cobrowse/ws?{query}");
        let lines = ["Origin: http://www.bank.example"];
        let request = handshake("www.bank.example", &path, &lines);
        let before = house.backend.seen().len();
        let answer = converse(&house, &request).await;
        let reached = house.backend.seen().len() > before;
        assert_eq!(reached, reaches, "{query}: {answer}");
        assert_eq!(
            answer.starts_with("HTTP/1.1 403 "),
            !reaches,
            "{query}: {answer}"
        );
    }
}

/// The same on a stream of HTTP/2 (RFC 8441), and no plain CONNECT gets past.
#[tokio::test]
async fn a_handshake_over_http2_needs_a_grant_too() {
    let house = House::new().await;
    let desk = house.grant("/mortgage/apply").await;
    let mut visitor = Visitor::http2(house.edge.https.unwrap()).await;
    for (query, reaches) in [
        ("group=15690".to_owned(), false),
        (format!("group=15691&grant={desk}"), false),
        (format!("group=15690&grant={desk}"), true),
    ] {
        let path = format!("/_cobrowse/ws?{query}");
        let lines = ["origin: https://www.bank.example"];
        let before = house.backend.seen().len();
        let opened = Socket::open_stream(&mut visitor, "www.bank.example", &path, &lines).await;
        let reached = house.backend.seen().len() > before;
        assert_eq!(reached, reaches, "{query}");
        // The backend of this house answers 200, which opens nothing.
        let status = if reaches { 502 } else { 403 };
        assert_eq!(opened.err(), Some(status), "{query}");
    }
}

async fn converse(house: &House, request: &str) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = tokio::net::TcpStream::connect(house.edge.http)
        .await
        .unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = vec![0; 1024];
    let read = stream.read(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer[..read]).into_owned()
}
