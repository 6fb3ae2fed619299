//! What a head loses and gains on its way up to the origin and down to the visitor, and the bodies
//! that belong to it.

use cobrowse_edge::wire::TrustedPeers;
use http::{Method, Request};
use tokio::sync::mpsc;

use crate::support::{
    Answer, RawOrigin, RawVisitor, Script, ScriptedOrigin, TestEdge, Visitor, config, rules_for,
};

const EMPTY: &str = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

/// The request's lines as the origin saw them, names in lower case.
async fn sent_up(request: http::request::Builder) -> Vec<String> {
    let origin = ScriptedOrigin::answering(EMPTY).await;
    let edge = TestEdge::with_rules(&rules_for(origin.address)).await;
    let answer = Visitor::http1(edge.http).await.send(request).await;
    assert_eq!(answer.status, 200);
    seen(&origin)
}

/// The lines of the last head.
fn seen(origin: &ScriptedOrigin) -> Vec<String> {
    let head = origin.seen().pop().unwrap();
    let lines = head.trim_end().split("\r\n").map(str::to_owned);
    lines.collect()
}

/// The values of a field, in order.
fn values<'a>(lines: &'a [String], name: &str) -> Vec<&'a str> {
    let lines = lines.iter().filter_map(|line| line.split_once(": "));
    lines
        .filter(|(field, _)| field.eq_ignore_ascii_case(name))
        .map(|(_, value)| value)
        .collect()
}

/// What a visitor gets of an answer with these lines, in which ORIGIN stands for the origin's own
/// address.
async fn sent_down(lines: &str, request: http::request::Builder) -> Answer {
    let lines = lines.to_owned();
    let origin = ScriptedOrigin::start(move |head| {
        let own = head.lines().find_map(|line| line.strip_prefix("x-own: "));
        let lines = lines.replace("ORIGIN", own.unwrap());
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n{lines}\r\n\r\n");
        vec![Script::Send(answer.into_bytes())]
    })
    .await;
    let edge = trusting_edge(&rules_for(origin.address)).await;
    let request = request.header("x-own", origin.address.to_string());
    Visitor::http1(edge.http).await.send(request).await
}

/// An edge behind a balancer.
async fn trusting_edge(rules: &str) -> TestEdge {
    let mut config = config(rules);
    config.trusted_peers = TrustedPeers::new(vec!["127.0.0.1/32".parse().unwrap()]);
    TestEdge::spawn(config).await
}

#[tokio::test]
async fn what_is_meant_for_one_connection_ends_there() {
    let request = Request::get("/")
        .header("connection", "x-one, keep-alive")
        .header(
            "connection",
            "X-Two, cookie, host, x-forwarded-for, authorization",
        )
        .header("x-one", "1")
        .header("x-two", "2")
        .header("x-two", "again")
        .header("x-three", "3")
        .header("cookie", "a=1")
        .header("authorization", "Basic eA==")
        .header("keep-alive", "timeout=5")
        .header("proxy-connection", "keep-alive")
        .header("proxy-authorization", "Basic eA==")
        .header("te", "trailers");
    let lines = sent_up(request).await;
    let mut names: Vec<_> = lines[1..]
        .iter()
        .map(|line| line.split(':').next().unwrap())
        .collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "accept",
            "authorization",
            "cookie",
            "forwarded",
            "host",
            "via",
            "x-forwarded-for",
            "x-forwarded-host",
            "x-forwarded-proto",
            "x-three"
        ]
    );
    assert_eq!(values(&lines, "x-forwarded-for"), ["127.0.0.1"]);
}

#[tokio::test]
async fn what_the_origin_means_for_its_connection_ends_at_the_edge() {
    let lines = "Content-Type: image/png\r\nConnection: X-Internal\r\n\
        Connection: set-cookie, etag\r\nX-Internal: 1\r\n\
        Keep-Alive: timeout=5\r\nProxy-Authenticate: Basic\r\nUpgrade: h2c\r\nTrailer: x\r\n\
        Set-Cookie: a=1\r\nETag: \"1\"\r\nX-Kept: 1";
    let answer = sent_down(lines, Request::get("/")).await;
    let mut names: Vec<_> = answer.headers.keys().map(|name| name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "content-length",
            "content-type",
            "date",
            "etag",
            "set-cookie",
            "via",
            "x-kept"
        ]
    );
}

#[tokio::test]
async fn cookies_survive_in_order_whatever_they_are_called() {
    let cookies = [
        "a=1; Path=/",
        "a=2; Path=/",
        "__Host-x=1; Secure; Path=/",
        "$odd.name!=v; Domain=.elsewhere.example",
        "ASP.NET_SessionId=x==; HttpOnly; SameSite=Lax",
        "no-value",
        "=no-name",
        "a=1; Path=/",
        "q=\"a, b; c\"",
        "d=1; Expires=Wed, 21 Oct 2026 07:28:00 GMT",
    ];
    let lines: Vec<_> = cookies.map(|cookie| format!("Set-Cookie: {cookie}")).into();
    let answer = sent_down(&lines.join("\r\n"), Request::get("/")).await;
    let came: Vec<_> = answer.headers.get_all("set-cookie").iter().collect();
    assert_eq!(came, cookies);
}

#[tokio::test]
async fn strangers_are_not_believed_when_they_say_who_asks() {
    let request = Request::get("/")
        .header("host", "www.bank.example:8080")
        .header("x-forwarded-for", "10.0.0.1")
        .header("x-forwarded-proto", "https")
        .header("x-forwarded-host", "evil.example")
        .header("x-forwarded-port", "443")
        .header("x_forwarded_for", "10.0.0.1")
        .header("forwarded", "for=10.0.0.1")
        .header("x-real-ip", "10.0.0.1")
        .header("x-original-url", "/admin");
    let lines = sent_up(request).await;
    assert_eq!(values(&lines, "x-forwarded-for"), ["127.0.0.1"]);
    assert_eq!(values(&lines, "x-forwarded-proto"), ["http"]);
    assert_eq!(
        values(&lines, "x-forwarded-host"),
        ["www.bank.example:8080"]
    );
    assert_eq!(
        values(&lines, "forwarded"),
        [r#"for=127.0.0.1;host="www.bank.example:8080";proto=http"#]
    );
    let told = lines.join("\n");
    for claim in ["10.0.0.1", "evil", "/admin", "x-forwarded-port"] {
        assert!(!told.contains(claim), "{told}");
    }
}

#[tokio::test]
async fn trusted_peers_are_believed_and_appended_to() {
    let origin = ScriptedOrigin::answering(EMPTY).await;
    let edge = trusting_edge(&rules_for(origin.address)).await;
    let request = Request::get("/")
        .header("x-forwarded-for", "192.0.2.7")
        .header("x-forwarded-for", "10.0.0.1")
        .header("x-forwarded-proto", "https")
        .header("x-forwarded-host", "shop.example")
        .header("forwarded", "for=192.0.2.7");
    Visitor::http1(edge.http).await.send(request).await;
    let lines = seen(&origin);
    assert_eq!(
        values(&lines, "x-forwarded-for"),
        ["192.0.2.7, 10.0.0.1, 127.0.0.1"]
    );
    assert_eq!(values(&lines, "x-forwarded-proto"), ["https"]);
    assert_eq!(values(&lines, "x-forwarded-host"), ["shop.example"]);
    assert_eq!(
        values(&lines, "forwarded"),
        ["for=192.0.2.7, for=127.0.0.1;host=localhost;proto=http"]
    );
}

#[tokio::test]
async fn via_names_each_hop_in_both_directions() {
    let origin =
        ScriptedOrigin::answering("HTTP/1.1 204 No Content\r\nVia: 1.1 cache\r\n\r\n").await;
    let edge = TestEdge::with_rules(&rules_for(origin.address)).await;
    let request = || Request::get("/").header("via", "1.0 office");
    let answer = Visitor::http1(edge.http).await.send(request()).await;
    assert_eq!(answer.header("via"), "1.1 cache, 1.1 test-edge");
    assert_eq!(values(&seen(&origin), "via"), ["1.0 office, 1.1 test-edge"]);
    Visitor::http2(edge.https.unwrap())
        .await
        .send(request())
        .await;
    assert_eq!(values(&seen(&origin), "via"), ["1.0 office, 2 test-edge"]);
}

#[tokio::test]
async fn the_origin_is_told_the_visitors_host_or_its_own() {
    for (setting, own) in [
        ("", false),
        ("host = \"preserve\"", false),
        ("host = \"origin\"", true),
    ] {
        let origin = ScriptedOrigin::answering(EMPTY).await;
        let edge = TestEdge::with_rules(&(rules_for(origin.address) + setting)).await;
        let request = Request::get("/").header("host", "WWW.Bank.Example:8080");
        Visitor::http1(edge.http).await.send(request).await;
        let expected = match own {
            true => origin.address.to_string(),
            false => "www.bank.example:8080".to_owned(),
        };
        assert_eq!(values(&seen(&origin), "host"), [expected], "{setting}");
    }
}

#[tokio::test]
async fn addresses_of_the_origin_become_the_visitors() {
    for (line, expected) in [
        (
            "Location: http://ORIGIN/a?b#c",
            "http://www.bank.example/a?b#c",
        ),
        ("Location: http://ORIGIN", "http://www.bank.example"),
        ("Location: //ORIGIN/a", "//www.bank.example/a"),
        ("Location: /a", "/a"),
        ("Location: https://ORIGIN/a", "https://ORIGIN/a"),
        (
            "Location: http://ORIGIN.evil.example/a",
            "http://ORIGIN.evil.example/a",
        ),
        (
            "Location: http://elsewhere.example/?http://ORIGIN/",
            "http://elsewhere.example/?http://ORIGIN/",
        ),
        (
            "Content-Location: http://ORIGIN/a",
            "http://www.bank.example/a",
        ),
        (
            "Refresh: 5; url=http://ORIGIN/a",
            "5; url=http://www.bank.example/a",
        ),
        (
            "Refresh: 5;URL='http://ORIGIN/a'",
            "5;URL='http://www.bank.example/a'",
        ),
        ("Refresh: 5", "5"),
    ] {
        let request = Request::get("/").header("host", "www.bank.example");
        let answer = sent_down(line, request).await;
        let name = line.split(':').next().unwrap().to_ascii_lowercase();
        let value = answer.header(&name);
        let expected = match expected.contains("ORIGIN") {
            // The origin's own address stays where it is not the origin that is named.
            true => value.contains("127.0.0.1").then_some(value),
            false => Some(expected),
        };
        assert_eq!(Some(value), expected, "{line}");
    }
}

#[tokio::test]
async fn behind_a_balancer_addresses_have_the_visitors_scheme() {
    let request = Request::get("/")
        .header("host", "www.bank.example")
        .header("x-forwarded-proto", "https");
    let answer = sent_down("Location: http://ORIGIN/a", request).await;
    assert_eq!(answer.header("location"), "https://www.bank.example/a");
}

#[tokio::test]
async fn a_cookies_domain_is_the_visitors_where_it_was_the_origins() {
    let lines = "Set-Cookie: a=1; Domain=127.0.0.1; Secure\r\nSet-Cookie: b=2; Domain=bank.example";
    let request = Request::get("/").header("host", "www.bank.example");
    let answer = sent_down(lines, request).await;
    let came: Vec<_> = answer.headers.get_all("set-cookie").iter().collect();
    assert_eq!(
        came,
        [
            "a=1; Domain=www.bank.example; Secure",
            "b=2; Domain=bank.example"
        ]
    );
}

#[tokio::test]
async fn no_way_past_the_edge_is_told() {
    let lines = "Alt-Svc: h2=\"ORIGIN\"\r\nAlt-Svc: clear\r\nX-Kept: 1";
    let answer = sent_down(lines, Request::get("/")).await;
    assert_eq!(answer.header("alt-svc"), "");
    assert_eq!(answer.header("x-kept"), "1");
}

/// An origin that answers after the whole request has come, and tells of its head and body.
async fn listening() -> (RawOrigin, mpsc::Receiver<(String, Vec<u8>)>) {
    let (sent, came) = mpsc::channel(4);
    let origin = RawOrigin::start(move |mut conversation| {
        let sent = sent.clone();
        async move {
            while let Some(head) = conversation.head().await {
                let length = head
                    .lines()
                    .find_map(|line| line.strip_prefix("content-length: "));
                let body = match length {
                    Some(length) => conversation.read_exactly(length.parse().unwrap()).await,
                    None => read_chunks(&mut conversation).await,
                };
                sent.send((head, body)).await.unwrap();
                conversation.send(EMPTY).await;
            }
        }
    })
    .await;
    (origin, came)
}

/// A body in chunks, without them, up to the end of its trailers.
async fn read_chunks(conversation: &mut crate::support::Conversation) -> Vec<u8> {
    let mut body = Vec::new();
    loop {
        let line = conversation.read_through(b"\r\n").await.unwrap();
        let size = std::str::from_utf8(&line).unwrap().trim_end();
        let size = usize::from_str_radix(size, 16).unwrap();
        if size == 0 {
            break;
        }
        body.extend(conversation.read_exactly(size).await);
        assert_eq!(conversation.read_exactly(2).await, b"\r\n");
    }
    let mut trailer = conversation.read_through(b"\r\n").await.unwrap();
    while trailer != b"\r\n" {
        trailer = conversation.read_through(b"\r\n").await.unwrap();
    }
    body
}

fn upload() -> Vec<u8> {
    (0..300_000_usize).map(|at| (at * 7 % 256) as u8).collect()
}

#[tokio::test]
async fn a_body_with_a_length_arrives_as_it_was_sent() {
    let (origin, mut came) = listening().await;
    let edge = TestEdge::with_rules(&rules_for(origin.address)).await;
    for mut visitor in [
        Visitor::http1(edge.http).await,
        Visitor::http2(edge.https.unwrap()).await,
    ] {
        for body in [upload(), b"a=b".to_vec(), Vec::new()] {
            let post = Request::post("/form").header("content-length", body.len());
            let answer = visitor.send_with_body(post, body.clone()).await;
            assert_eq!(answer.status, 200);
            let (head, arrived) = came.recv().await.unwrap();
            assert!(arrived == body, "{} of {} bytes", arrived.len(), body.len());
            assert!(!head.contains("transfer-encoding"), "{head}");
        }
    }
}

/// Its trailers are dropped, as RFC 9110 6.5.1 allows: they never become fields of the head.
#[tokio::test]
async fn a_body_in_chunks_arrives_as_it_was_sent() {
    let (origin, mut came) = listening().await;
    let edge = TestEdge::with_rules(&rules_for(origin.address)).await;
    let mut visitor = RawVisitor::connect(edge.http).await;
    let body = upload();
    for _ in 0..2 {
        let head = "POST /form HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n";
        visitor.send(head).await;
        for chunk in body.chunks(70_001) {
            visitor.send(format!("{:x};a=b\r\n", chunk.len())).await;
            visitor.send(chunk).await;
            visitor.send("\r\n").await;
        }
        visitor
            .send("0\r\nX-Sum: 1\r\nContent-Length: 5\r\n\r\n")
            .await;
        let answer = visitor.read_until("\r\n\r\n").await;
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        let (head, arrived) = came.recv().await.unwrap();
        assert!(arrived == body, "{} of {} bytes", arrived.len(), body.len());
        assert!(
            head.contains("\r\ntransfer-encoding: chunked\r\n"),
            "{head}"
        );
        assert!(!head.contains("content-length"), "{head}");
        assert!(!head.contains("x-sum"), "{head}");
    }
}

#[tokio::test]
async fn the_edge_itself_asks_for_the_body_that_waits() {
    let (origin, mut came) = listening().await;
    let edge = TestEdge::with_rules(&rules_for(origin.address)).await;
    let mut visitor = RawVisitor::connect(edge.http).await;
    visitor
        .send("POST /f HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n")
        .await;
    let interim = visitor.read_until("\r\n\r\n").await;
    assert_eq!(interim, "HTTP/1.1 100 Continue\r\n\r\n");
    visitor.send("body").await;
    let answer = visitor.read_until("\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    let (head, body) = came.recv().await.unwrap();
    assert_eq!(body, b"body");
    assert!(!head.contains("expect"), "{head}");
}

#[tokio::test]
async fn another_expectation_cannot_be_met() {
    let origin = ScriptedOrigin::answering(EMPTY).await;
    let edge = TestEdge::with_rules(&rules_for(origin.address)).await;
    let request = Request::get("/").header("expect", "y 100-continue");
    let answer = Visitor::http1(edge.http).await.send(request).await;
    assert_eq!(answer.status, 417);
    assert!(origin.seen().is_empty());
}

#[tokio::test]
async fn options_for_the_server_stay_what_they_are() {
    let origin = ScriptedOrigin::answering("HTTP/1.1 204 No Content\r\nAllow: GET\r\n\r\n").await;
    let edge = TestEdge::with_rules(&rules_for(origin.address)).await;
    let mut visitor = RawVisitor::connect(edge.http).await;
    visitor.send("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let answer = visitor.read_until("\r\n\r\n").await;
    assert!(answer.contains("\r\nallow: GET\r\n"), "{answer}");
    assert_eq!(seen(&origin)[0], "OPTIONS * HTTP/1.1");
}

#[tokio::test]
async fn answers_without_a_body_have_none_and_the_connection_goes_on() {
    for (method, answer, length) in [
        ("GET", "HTTP/1.1 204 No Content\r\n\r\n", ""),
        (
            "GET",
            "HTTP/1.1 204 No Content\r\nContent-Type: text/html\r\n\r\n",
            "",
        ),
        (
            "GET",
            "HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n",
            "",
        ),
        (
            "GET",
            "HTTP/1.1 304 Not Modified\r\nContent-Type: text/html\r\n\r\n",
            "",
        ),
        (
            "HEAD",
            "HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nContent-Length: 99\r\n\r\n",
            "99",
        ),
        (
            "HEAD",
            "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 99\r\n\r\n",
            "",
        ),
        (
            "HEAD",
            "HTTP/1.1 404 Not Found\r\nContent-Type: text/html\r\n\r\n",
            "",
        ),
    ] {
        let origin = ScriptedOrigin::answering(answer).await;
        let edge = TestEdge::with_rules(&rules_for(origin.address)).await;
        let mut visitor = RawVisitor::connect(edge.http).await;
        for _ in 0..2 {
            visitor
                .send(format!("{method} / HTTP/1.1\r\nHost: a\r\n\r\n"))
                .await;
            let head = visitor.read_until("\r\n\r\n").await.to_ascii_lowercase();
            let status = answer.split(' ').nth(1).unwrap();
            assert!(
                head.starts_with(&format!("http/1.1 {status} ")),
                "{answer}: {head}"
            );
            let came = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "));
            assert_eq!(came.unwrap_or_default(), length, "{answer}: {head}");
        }
        let last = format!("{method} / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        visitor.send(last).await;
        let last = String::from_utf8(visitor.read_to_end().await.unwrap()).unwrap();
        assert!(
            last.starts_with("HTTP/1.1 ") && last.ends_with("\r\n\r\n"),
            "{last}"
        );
    }
}

/// A page is a page, whatever its status and however it was asked for.
#[tokio::test]
async fn error_pages_and_answers_to_forms_are_pages() {
    let origin = ScriptedOrigin::start(|head| {
        let status = head.split(' ').nth(1).unwrap().trim_start_matches('/');
        let answer = format!(
            "HTTP/1.1 {status} X\r\nContent-Type: text/html\r\nWWW-Authenticate: Basic\r\n\
             Content-Length: 29\r\n\r\n<p id=ssn>123-45-6789</p>page"
        );
        vec![Script::Send(answer.into_bytes())]
    })
    .await;
    let edge = TestEdge::with_rules(&rules_for(origin.address)).await;
    let mut visitor = Visitor::http1(edge.http).await;
    for (method, status) in [
        (Method::GET, 401),
        (Method::GET, 403),
        (Method::GET, 404),
        (Method::GET, 500),
        (Method::GET, 503),
        (Method::POST, 200),
        (Method::POST, 422),
        (Method::PUT, 200),
    ] {
        let request = Request::builder().method(method).uri(format!("/{status}"));
        let answer = visitor.send(request.header("content-length", 0)).await;
        assert_eq!(answer.status, status);
        assert_eq!(answer.header("www-authenticate"), "Basic");
        let text = answer.text();
        let page = r#"<p glance_masked="true" id=ssn>123-45-6789</p>page<script id="#;
        assert!(text.starts_with(page), "{status}: {text}");
    }
}

#[tokio::test]
async fn the_words_behind_the_status_are_the_origins() {
    for (line, expected) in [
        (
            "HTTP/1.1 200 Session expired",
            "HTTP/1.1 200 Session expired\r\n",
        ),
        (
            "HTTP/1.0 404 Nicht gefunden",
            "HTTP/1.1 404 Nicht gefunden\r\n",
        ),
        ("HTTP/1.1 200 OK", "HTTP/1.1 200 OK\r\n"),
    ] {
        for media_type in ["text/html", "image/png"] {
            let answer =
                format!("{line}\r\nContent-Type: {media_type}\r\nContent-Length: 4\r\n\r\n<p>x");
            let origin = ScriptedOrigin::answering(answer).await;
            let edge = TestEdge::with_rules(&rules_for(origin.address)).await;
            let mut visitor = RawVisitor::connect(edge.http).await;
            visitor.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
            let head = visitor.read_until("\r\n\r\n").await;
            assert!(head.starts_with(expected), "{media_type}: {head}");
        }
    }
}

/// A page that was there at once leaves with the length that its edits gave it; of one that is longer
/// than what is held nobody knows it yet.
#[tokio::test]
async fn a_short_page_has_its_edited_length() {
    for (times, has_length) in [(1, true), (20_000, false)] {
        let page = format!("<!doctype html>{}", "<br>x".repeat(times));
        let length = page.len();
        let head = format!("Content-Type: text/html\r\nContent-Length: {length}");
        let answer = format!("HTTP/1.1 200 OK\r\n{head}\r\n\r\n{page}");
        let origin = ScriptedOrigin::answering(answer).await;
        let edge = TestEdge::with_rules(&rules_for(origin.address)).await;
        let answer = Visitor::http1(edge.http)
            .await
            .send(Request::get("/"))
            .await;
        let edited = answer.body.as_ref().unwrap().len();
        assert!(edited > length, "it is tagged");
        let said = answer.headers.get("content-length");
        let said = said.map(|value| value.to_str().unwrap().parse().unwrap());
        assert_eq!(said, has_length.then_some(edited));
    }
}

/// To a visitor of HTTP/1.0 only the close ends what has no length.
#[tokio::test]
async fn http_1_0_is_promised_no_second_answer_behind_one_without_a_length() {
    for (fields, body, connection) in [
        (
            "Content-Type: image/png\r\nContent-Length: 4",
            "data",
            "keep-alive",
        ),
        (
            "Content-Type: image/png\r\nTransfer-Encoding: chunked",
            "0\r\n\r\n",
            "close",
        ),
        (
            "Content-Type: text/html\r\nContent-Length: 4",
            "<p>x",
            "keep-alive",
        ),
        (
            "Content-Type: text/html\r\nContent-Length: 100000",
            &*"<br>x".repeat(20_000),
            "close",
        ),
    ] {
        let answer = format!("HTTP/1.1 200 OK\r\n{fields}\r\n\r\n{body}");
        let origin = ScriptedOrigin::answering(answer).await;
        let edge = TestEdge::with_rules(&rules_for(origin.address)).await;
        let mut visitor = RawVisitor::connect(edge.http).await;
        visitor
            .send("GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n")
            .await;
        let head = visitor.read_until("\r\n\r\n").await.to_ascii_lowercase();
        let found = head.lines().filter(|line| line.starts_with("connection:"));
        let found: Vec<_> = found.collect();
        assert_eq!(found, [format!("connection: {connection}")], "{fields}");
        if connection == "close" {
            assert!(visitor.read_to_end().await.is_ok(), "{fields}");
        }
    }
}

#[tokio::test]
async fn a_site_on_windows_has_one_spelling_of_a_name() {
    for (path, on_windows) in [
        ("/Mortgage", 200),
        ("/a.b/c%20d", 200),
        ("/mortgage.", 400),
        ("/mortgage%20/a", 400),
        ("/mortgage::$DATA", 400),
    ] {
        for (setting, status) in [("true", on_windows), ("false", 200)] {
            let origin = ScriptedOrigin::answering(EMPTY).await;
            let rules = rules_for(origin.address);
            let rules = format!("{rules}\ncase_insensitive_paths = {setting}\n");
            let edge = TestEdge::with_rules(&rules).await;
            let answer = Visitor::http1(edge.http).await.get(path).await;
            assert_eq!(answer.status, status, "{path} {setting}");
            assert_eq!(origin.seen().is_empty(), status == 400, "{path} {setting}");
        }
    }
}
