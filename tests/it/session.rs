//! Session traffic on its way to a remote cobrowse backend: where it goes, what goes with it, and
//! who may send it.

use std::net::SocketAddr;

use cobrowse_edge::config::SessionPlace;
use http::{Method, Request};

use crate::support::{
    Answer, RawOrigin, RawVisitor, Script, ScriptedOrigin, Socket, TestEdge, Told, Visitor, config,
    handshake, serve_echo, session, switched, tls,
};

/// A site, a backend that answers everything with the same bytes, and an edge before both.
struct House {
    site: ScriptedOrigin,
    backend: ScriptedOrigin,
    edge: TestEdge,
}

impl House {
    async fn with(place: SessionPlace, answer: &str) -> Self {
        let site = ScriptedOrigin::serving("<p>the site</p>").await;
        let backend = ScriptedOrigin::answering(answer).await;
        let edge = edge(site.address, backend.address, place).await;
        Self {
            site,
            backend,
            edge,
        }
    }

    async fn mounted() -> Self {
        Self::with(stripped(), OK).await
    }

    async fn send(&self, request: http::request::Builder) -> Answer {
        Visitor::http1(self.edge.http).await.send(request).await
    }

    /// The one head that the backend saw.
    fn seen(&self) -> String {
        let seen = self.backend.seen();
        assert_eq!(seen.len(), 1, "{seen:?}");
        seen[0].to_ascii_lowercase()
    }
}

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nbackend";

fn stripped() -> SessionPlace {
    SessionPlace::Mount {
        path: "/_cobrowse".into(),
        strip: true,
    }
}

fn kept() -> SessionPlace {
    SessionPlace::Mount {
        path: "/_cobrowse".into(),
        strip: false,
    }
}

async fn edge(site: SocketAddr, backend: SocketAddr, place: SessionPlace) -> TestEdge {
    let mut config = config(&format!(
        r#"
        version = 1
        [script]
        url = "https://cdn.example.com/loader.js"
        [[site]]
        hosts = ["www.bank.example", "*.shop.example"]
        origin = "http://{site}"
        group = 15687
        "#
    ));
    config.session = Some(session(backend, place));
    TestEdge::spawn(config).await
}

/// As the bank's own page asks.
fn get(path: &str) -> http::request::Builder {
    Request::get(path).header("host", "www.bank.example")
}

#[tokio::test]
async fn the_mount_is_taken_off_or_kept() {
    for (place, asked, told) in [
        (stripped(), "/_cobrowse/a/b?c=d", "/a/b?c=d"),
        (stripped(), "/_cobrowse/", "/"),
        (stripped(), "/_cobrowse", "/"),
        (stripped(), "/_cobrowse?c", "/?c"),
        (kept(), "/_cobrowse/a/b?c=d", "/_cobrowse/a/b?c=d"),
        (kept(), "/_cobrowse", "/_cobrowse"),
    ] {
        let house = House::with(place, OK).await;
        let answer = house.send(get(asked)).await;
        assert_eq!(answer.text(), "backend", "{asked}");
        let line = format!("get {told} http/1.1\r\n");
        assert!(house.seen().starts_with(&line), "{asked}");
        assert!(house.site.seen().is_empty(), "{asked}");
        let host = format!("\r\nhost: {}\r\n", house.backend.address);
        assert!(house.seen().contains(&host), "{asked}");
    }
}

#[tokio::test]
async fn a_path_is_below_the_mount_in_its_canonical_form_only() {
    for (asked, to_backend) in [
        ("/_cobrowsex", false),
        ("/_cobrowse;x", false),
        ("/_cobrowse;x/a", false),
        ("/_cobrowse%3Fx", false),
        ("/_COBROWSE/a", false),
        ("/a/_cobrowse", false),
        ("/_cobrowse/../account", false),
        ("/_cobrowse/%2e%2e/account", false),
        ("//_cobrowse", true),
        ("//_cobrowse//a", true),
        ("/x/../_cobrowse/a", true),
        ("/%5fcobrowse/a", true),
        ("/./_cobrowse/.", true),
    ] {
        let house = House::mounted().await;
        let mut visitor = RawVisitor::connect(house.edge.http).await;
        let head =
            format!("GET {asked} HTTP/1.1\r\nHost: www.bank.example\r\nConnection: close\r\n\r\n");
        visitor.send(head).await;
        let answer = visitor.read_to_end().await.unwrap();
        let answer = String::from_utf8(answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{asked}: {answer}");
        assert_eq!(!house.backend.seen().is_empty(), to_backend, "{asked}");
        assert_eq!(house.site.seen().is_empty(), to_backend, "{asked}");
    }
}

#[tokio::test]
async fn a_path_that_can_be_read_as_below_the_mount_is_refused() {
    let house = House::mounted().await;
    for path in ["/_cobrowse/..;/account", "/_cobrowse%2Fa", "/_cobrowse%5Ca"] {
        let answer = house.send(get(path)).await;
        assert_eq!(answer.status, 400, "{path}");
    }
    assert!(house.backend.seen().is_empty() && house.site.seen().is_empty());
}

#[tokio::test]
async fn a_backend_may_have_a_host_of_its_own() {
    let place = SessionPlace::Host("cobrowse.bank.example".into());
    let house = House::with(place, OK).await;
    let own = Request::get("/_cobrowse/a").header("host", "cobrowse.bank.example:8080");
    assert_eq!(house.send(own).await.text(), "backend");
    assert!(house.seen().starts_with("get /_cobrowse/a http/1.1\r\n"));
    let site = house.send(get("/_cobrowse/a")).await;
    assert!(site.text().starts_with("<p>the site</p>"));
    assert_eq!(house.backend.seen().len(), 1);
}

/// The mount is on every site, not on every name that somebody points at the edge: a page under
/// such a name would be of the same origin as the backend, for a browser and for the edge.
#[tokio::test]
async fn under_an_unknown_host_there_is_no_mount() {
    let house = House::mounted().await;
    let request = Request::get("/_cobrowse/a")
        .header("host", "evil.example")
        .header("origin", "http://evil.example");
    assert_eq!(house.send(request).await.status, 421);
    assert!(house.backend.seen().is_empty());
}

#[tokio::test]
async fn the_sites_cookies_and_passwords_stay_with_the_site() {
    let house = House::mounted().await;
    let request = get("/_cobrowse/a")
        .header("cookie", "JSESSIONID=canary; glance=2; xglance=canary")
        .header("cookie", "token=canary")
        .header("authorization", "Basic Y2FuYXJ5");
    house.send(request).await;
    let seen = house.seen();
    assert!(seen.contains("\r\ncookie: glance=2\r\n"), "{seen}");
    assert!(!seen.contains("canary"), "{seen}");
    assert!(!seen.contains("authorization"), "{seen}");
}

#[tokio::test]
async fn a_token_that_a_script_sends_reaches_the_backend() {
    let house = House::mounted().await;
    let request = get("/_cobrowse/a")
        .header("cookie", "JSESSIONID=1")
        .header("authorization", "Bearer abc");
    house.send(request).await;
    let seen = house.seen();
    assert!(seen.contains("\r\nauthorization: bearer abc\r\n"), "{seen}");
    assert!(!seen.contains("\r\ncookie:"), "{seen}");
}

#[tokio::test]
async fn what_the_backend_sets_stays_below_the_mount() {
    let answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\
        Set-Cookie: a=1; Path=/; Domain=bank.example; HttpOnly\r\n\
        Set-Cookie: a=2; Path=/account; Secure\r\n\
        Set-Cookie: b=3; Path=/_cobrowse/agent\r\n\r\n";
    let house = House::with(stripped(), answer).await;
    let answer = house.send(get("/_cobrowse/a")).await;
    let cookies: Vec<_> = answer.headers.get_all("set-cookie").iter().collect();
    assert_eq!(
        cookies,
        [
            "a=1; HttpOnly; Path=/_cobrowse",
            "a=2; Secure; Path=/_cobrowse",
            "b=3; Path=/_cobrowse/agent"
        ]
    );
}

#[tokio::test]
async fn on_a_host_of_its_own_cookies_keep_their_paths_and_lose_their_domain() {
    let answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\
        Set-Cookie: a=1; Path=/agent; Domain=bank.example\r\n\r\n";
    let place = SessionPlace::Host("cobrowse.bank.example".into());
    let house = House::with(place, answer).await;
    let request = Request::get("/").header("host", "cobrowse.bank.example");
    let answer = house.send(request).await;
    assert_eq!(answer.header("set-cookie"), "a=1; Path=/agent");
}

#[tokio::test]
async fn where_the_backend_sends_its_visitors_is_below_the_mount() {
    let site = "http://www.bank.example";
    for (place, location, expected) in [
        (stripped(), "/login?a", "/_cobrowse/login?a".to_owned()),
        (stripped(), "/", "/_cobrowse/".to_owned()),
        (stripped(), "next", "next".to_owned()),
        (
            stripped(),
            "http://BACKEND/login",
            format!("{site}/_cobrowse/login"),
        ),
        (stripped(), "http://BACKEND", format!("{site}/_cobrowse")),
        (
            stripped(),
            "http://BACKEND?a",
            format!("{site}/_cobrowse?a"),
        ),
        (
            stripped(),
            "//BACKEND/login",
            "//www.bank.example/_cobrowse/login".to_owned(),
        ),
        (
            stripped(),
            "https://other.example/x",
            "https://other.example/x".to_owned(),
        ),
        (kept(), "/_cobrowse/login", "/_cobrowse/login".to_owned()),
        (
            kept(),
            "http://BACKEND/_cobrowse/a",
            format!("{site}/_cobrowse/a"),
        ),
    ] {
        let house = redirecting(place, location).await;
        let answer = house.send(get("/_cobrowse/a")).await;
        assert_eq!(answer.status, 302);
        assert_eq!(answer.header("location"), expected, "{location}");
    }
}

/// A backend that redirects to `location`, in which BACKEND stands for its own address.
async fn redirecting(place: SessionPlace, location: &str) -> House {
    let site = ScriptedOrigin::serving("<p>the site</p>").await;
    let location = location.to_owned();
    let backend = ScriptedOrigin::start(move |head| {
        let host = head.lines().find_map(|line| line.strip_prefix("host: "));
        let location = location.replace("BACKEND", host.unwrap());
        let answer =
            format!("HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n");
        vec![Script::Send(answer.into_bytes())]
    })
    .await;
    let edge = edge(site.address, backend.address, place).await;
    House {
        site,
        backend,
        edge,
    }
}

/// Origins of pages, and the status of what they ask for: over HTTP, and over HTTPS.
const PAGES: [(&str, u16, u16); 12] = [
    ("http://www.bank.example", 200, 403),
    ("https://www.bank.example", 200, 200),
    ("https://www.bank.example:8443", 403, 403),
    ("http://www.bank.example:8080", 403, 403),
    ("https://a.b.shop.example", 200, 200),
    ("https://shop.example", 403, 403),
    ("https://evil.example", 403, 403),
    ("https://www.bank.example.evil.example", 403, 403),
    ("https://evilwww.bank.example", 403, 403),
    ("https://evil.example/www.bank.example", 403, 403),
    ("https://www.bank.example@evil.example", 403, 403),
    ("null", 403, 403),
];

#[tokio::test]
async fn only_pages_of_the_sites_are_answered() {
    let house = House::mounted().await;
    for (origin, http, https) in PAGES {
        let post = || {
            Request::builder()
                .method(Method::POST)
                .uri("/_cobrowse/start")
                .header("host", "www.bank.example")
                .header("origin", origin)
        };
        assert_eq!(house.send(post()).await.status, http, "{origin}");
        let address = house.edge.https.unwrap();
        let secure = tls(address, Some("localhost"), &[]).await.unwrap();
        let answer = Visitor::http1_over(secure).await.send(post()).await;
        assert_eq!(answer.status, https, "{origin}");
    }
    let allowed = PAGES.iter().flat_map(|(_, http, https)| [http, https]);
    let allowed = allowed.filter(|status| **status == 200).count();
    assert_eq!(house.backend.seen().len(), allowed);
    let refused = house
        .edge
        .metric(r#"edge_refusals_total{reason="foreign_origin"}"#);
    assert_eq!(refused.await, (2 * PAGES.len() - allowed) as f64);
}

#[tokio::test]
async fn a_websocket_must_say_of_which_page_it_is() {
    let site = ScriptedOrigin::serving("<p>the site</p>").await;
    let backend = RawOrigin::start(serve_echo).await;
    let edge = edge(site.address, backend.address, stripped()).await;
    for (lines, status) in [
        (&[][..], "403"),
        (&["Origin: https://evil.example"], "403"),
        (&["Origin: null"], "403"),
        (
            &[
                "Origin: http://www.bank.example",
                "Origin: http://www.bank.example",
            ],
            "403",
        ),
        (&["Origin: http://www.bank.example"], "101"),
    ] {
        let mut visitor = RawVisitor::connect(edge.http).await;
        visitor
            .send(handshake("www.bank.example", "/_cobrowse/socket", lines))
            .await;
        let head = visitor.read_until("\r\n\r\n").await;
        assert!(
            head.starts_with(&format!("HTTP/1.1 {status}")),
            "{lines:?}: {head}"
        );
        if status == "101" {
            visitor.send("ping").await;
            assert_eq!(visitor.read_until("ping").await, "ping");
        }
    }
    assert_eq!(backend.connections(), 1);
}

#[tokio::test]
async fn a_websocket_goes_to_the_backend_without_the_sites_cookies() {
    let site = ScriptedOrigin::serving("<p>the site</p>").await;
    let (seen, mut saw) = tokio::sync::mpsc::channel(1);
    let backend = RawOrigin::start(move |mut conversation| {
        let seen = seen.clone();
        async move {
            let head = conversation.head().await.unwrap();
            seen.send(head.to_ascii_lowercase()).await.unwrap();
            let answer = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\
                Upgrade: websocket\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\
                Set-Cookie: affinity=1; Path=/; Domain=bank.example\r\n\r\nhello";
            conversation.send(answer).await;
            conversation.head().await;
        }
    })
    .await;
    let edge = edge(site.address, backend.address, stripped()).await;
    let lines = [
        "Origin: http://www.bank.example",
        "Cookie: JSESSIONID=canary; glance=2",
        "Authorization: Basic canary",
    ];
    let mut visitor = RawVisitor::connect(edge.http).await;
    visitor
        .send(handshake(
            "www.bank.example",
            "/_cobrowse/socket?v=1",
            &lines,
        ))
        .await;
    let answer = visitor.read_until("hello").await.to_ascii_lowercase();
    assert!(
        answer.contains("\r\nset-cookie: affinity=1; path=/_cobrowse\r\n"),
        "{answer}"
    );
    let head = saw.recv().await.unwrap();
    assert!(head.starts_with("get /socket?v=1 http/1.1\r\n"), "{head}");
    assert!(head.contains("\r\ncookie: glance=2\r\n"), "{head}");
    assert!(head.contains("\r\nupgrade: websocket\r\n"), "{head}");
    assert!(!head.contains("canary"), "{head}");
}

#[tokio::test]
async fn a_backend_that_is_away_is_a_502_and_the_site_goes_on() {
    let site = ScriptedOrigin::serving("<p>the site</p>").await;
    let gone = {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0))
            .await
            .unwrap();
        listener.local_addr().unwrap()
    };
    let edge = edge(site.address, gone, stripped()).await;
    let mut visitor = Visitor::http1(edge.http).await;
    assert_eq!(visitor.send(get("/_cobrowse/a")).await.status, 502);
    assert_eq!(visitor.send(get("/account")).await.status, 200);
}

#[tokio::test]
async fn a_socket_over_http2_reaches_the_backend_as_any_other() {
    let site = ScriptedOrigin::serving("<p>the site</p>").await;
    let backend = RawOrigin::start(|mut conversation| async move {
        let head = conversation.head().await.unwrap();
        assert!(head.starts_with("GET /socket?v=1 HTTP/1.1\r\n"), "{head}");
        assert!(!head.contains("canary"), "{head}");
        conversation.send(switched(&head, &[])).await;
        conversation.send([0x81, 5]).await;
        conversation.send("hello").await;
        conversation.head().await;
    })
    .await;
    let edge = edge(site.address, backend.address, stripped()).await;
    let open = async |origin: &str| {
        let mut visitor = Visitor::http2(edge.https.unwrap()).await;
        let origin = format!("origin: {origin}");
        let lines = [&*origin, "cookie: JSESSIONID=canary"];
        let (host, path) = ("www.bank.example", "/_cobrowse/socket?v=1");
        let opened = Socket::open_stream(&mut visitor, host, path, &lines).await;
        opened.map(|socket| (visitor, socket))
    };
    let refused = open("https://www.evil.example").await;
    assert_eq!(refused.err(), Some(403));
    let (_visitor, mut socket) = open("https://www.bank.example").await.ok().unwrap();
    assert_eq!(socket.next().await, Told::Text("hello".to_owned()));
}
