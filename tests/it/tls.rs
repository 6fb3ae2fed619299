//! TLS on both sides of the edge: which certificate answers to which name, what leads from HTTP to
//! HTTPS, and how an origin proves who it is.

use cobrowse_edge::config::{CertificatesSource, EdgeConfig};
use cobrowse_edge::wire::TrustedPeers;
use http::{Request, Version};
use rustls::pki_types::CertificateDer;

use crate::support::{
    Authority, Directory, RawOrigin, RawVisitor, ScriptedOrigin, Signed, TestEdge, Visitor, config,
    rules_for, tls,
};

/// An edge that has these certificates.
async fn edge_with(files: &[(&str, &Signed)]) -> (Directory, TestEdge) {
    let origin = ScriptedOrigin::serving("<p>x").await;
    let directory = Directory::new();
    for (name, signed) in files {
        directory.write(&format!("{name}.pem"), &signed.both());
    }
    let mut config = config(&rules_for(origin.address));
    config.certificates = CertificatesSource::Directory(directory.0.clone());
    (directory, TestEdge::spawn(config).await)
}

async fn shown(edge: &TestEdge, name: Option<&str>) -> CertificateDer<'static> {
    let stream = tls(edge.https.unwrap(), name, &["h2", "http/1.1"])
        .await
        .unwrap();
    let chain = stream.get_ref().1.peer_certificates().unwrap();
    chain[0].clone().into_owned()
}

#[tokio::test]
async fn each_name_is_answered_with_its_own_certificate() {
    let authority = Authority::new();
    let bank = authority.sign(&["www.bank.example", "bank.example"]);
    let shops = authority.sign(&["*.shop.example"]);
    let one_shop = authority.sign(&["one.shop.example"]);
    let files = [("a-bank", &bank), ("b-shops", &shops), ("c-one", &one_shop)];
    let (_directory, edge) = edge_with(&files).await;
    for (name, expected) in [
        (Some("www.bank.example"), &bank),
        (Some("bank.example"), &bank),
        (Some("WWW.BANK.EXAMPLE"), &bank),
        (Some("two.shop.example"), &shops),
        (Some("one.shop.example"), &one_shop),
        (Some("a.two.shop.example"), &bank),
        (Some("shop.example"), &bank),
        (Some("unknown.example"), &bank),
        (None, &bank),
    ] {
        assert_eq!(shown(&edge, name).await, expected.der(), "{name:?}");
    }
}

/// Certificate and key may lie in files of their own, under whatever name.
#[tokio::test]
async fn a_certificate_finds_its_key() {
    let authority = Authority::new();
    let (one, two) = (
        authority.sign(&["one.example"]),
        authority.sign(&["two.example"]),
    );
    let origin = ScriptedOrigin::serving("<p>x").await;
    let directory = Directory::new();
    directory.write("1.crt", &one.certificate);
    directory.write("2.crt", &two.certificate);
    directory.write("a.key", &two.key);
    directory.write("b.key", &one.key);
    let mut config = config(&rules_for(origin.address));
    config.certificates = CertificatesSource::Directory(directory.0.clone());
    let edge = TestEdge::spawn(config).await;
    assert_eq!(shown(&edge, Some("one.example")).await, one.der());
    assert_eq!(shown(&edge, Some("two.example")).await, two.der());
}

#[tokio::test]
async fn the_protocol_is_agreed_on_in_the_handshake() {
    let origin = ScriptedOrigin::serving("<p>x").await;
    let edge = TestEdge::with_rules(&rules_for(origin.address)).await;
    let address = edge.https.unwrap();
    for (offered, agreed) in [
        (&["h2", "http/1.1"][..], Some(&b"h2"[..])),
        (&["http/1.1", "h2"], Some(b"h2")),
        (&["http/1.1"], Some(b"http/1.1")),
        (&[], None),
    ] {
        let stream = tls(address, Some("localhost"), offered).await.unwrap();
        assert_eq!(stream.get_ref().1.alpn_protocol(), agreed, "{offered:?}");
    }
    let answer = Visitor::http2(address).await.get("/").await;
    assert_eq!(
        (answer.status.as_u16(), answer.version),
        (200, Version::HTTP_2)
    );
    let stream = tls(address, Some("localhost"), &[]).await.unwrap();
    let answer = Visitor::http1_over(stream).await.get("/").await;
    assert_eq!(
        (answer.status.as_u16(), answer.version),
        (200, Version::HTTP_11)
    );
    let head = origin.seen().pop().unwrap().to_ascii_lowercase();
    assert!(head.contains("\r\nx-forwarded-proto: https\r\n"), "{head}");
}

/// Rules for one host only.
fn bank_rules(origin: &ScriptedOrigin) -> String {
    rules_for(origin.address).replace("\"*\"", "\"www.bank.example\"")
}

fn redirecting(origin: &ScriptedOrigin, port: u16) -> EdgeConfig {
    let mut config = config(&bank_rules(origin));
    config.redirect_to_https = Some(port);
    config
}

fn ask(path: &str) -> http::request::Builder {
    Request::get(path).header("host", "www.bank.example:8080")
}

#[tokio::test]
async fn http_is_sent_to_https_with_path_and_query() {
    for (port, authority) in [(443, "www.bank.example"), (8443, "www.bank.example:8443")] {
        let origin = ScriptedOrigin::serving("<p>x").await;
        let edge = TestEdge::spawn(redirecting(&origin, port)).await;
        let mut visitor = Visitor::http1(edge.http).await;
        for path in ["/", "/a/b?c=d&e=%20f", "/a%20b"] {
            let answer = visitor.send(ask(path)).await;
            assert_eq!(answer.status, 308, "{path}");
            assert_eq!(
                answer.header("location"),
                format!("https://{authority}{path}")
            );
            assert_eq!(answer.bytes(), b"");
        }
        let post = Request::post("/form").header("host", "www.bank.example");
        assert_eq!(visitor.send_with_body(post, "a=b").await.status, 308);
        assert!(origin.seen().is_empty());
        let stream = tls(edge.https.unwrap(), Some("localhost"), &[])
            .await
            .unwrap();
        let secure = Visitor::http1_over(stream).await.send(ask("/")).await;
        assert_eq!(secure.status, 200);
        assert_eq!(origin.seen().len(), 1);
    }
}

/// It asks the server, and no page that could be elsewhere.
#[tokio::test]
async fn a_question_to_the_server_is_not_redirected() {
    let origin = ScriptedOrigin::serving("<p>x").await;
    let edge = TestEdge::spawn(redirecting(&origin, 443)).await;
    let mut visitor = RawVisitor::connect(edge.http).await;
    visitor
        .send("OPTIONS * HTTP/1.1\r\nHost: www.bank.example\r\n\r\n")
        .await;
    let head = visitor.read_until("\r\n\r\n").await;
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    assert!(origin.seen()[0].starts_with("OPTIONS * HTTP/1.1\r\n"));
}

/// Where a balancer has already done TLS, a redirect would lead round in circles.
#[tokio::test]
async fn a_visitor_who_came_by_https_to_the_balancer_is_not_redirected() {
    let origin = ScriptedOrigin::serving("<p>x").await;
    let mut config = redirecting(&origin, 443);
    config.trusted_peers = TrustedPeers::new(vec!["127.0.0.1/32".parse().unwrap()]);
    let edge = TestEdge::spawn(config).await;
    let mut visitor = Visitor::http1(edge.http).await;
    for (claimed, status) in [("https", 200), ("http", 308)] {
        let answer = visitor
            .send(ask("/").header("x-forwarded-proto", claimed))
            .await;
        assert_eq!(answer.status, status, "{claimed}");
    }
}

#[tokio::test]
async fn who_is_not_trusted_cannot_talk_himself_out_of_a_redirect() {
    let origin = ScriptedOrigin::serving("<p>x").await;
    let edge = TestEdge::spawn(redirecting(&origin, 443)).await;
    let request = ask("/").header("x-forwarded-proto", "https");
    assert_eq!(
        Visitor::http1(edge.http).await.send(request).await.status,
        308
    );
}

#[tokio::test]
async fn a_host_that_no_site_has_is_misdirected() {
    let origin = ScriptedOrigin::serving("<p>x").await;
    for redirect in [None, Some(443)] {
        let mut config = redirecting(&origin, 443);
        config.redirect_to_https = redirect;
        let edge = TestEdge::spawn(config).await;
        let request = Request::get("/").header("host", "evil.example");
        let answer = Visitor::http1(edge.http).await.send(request).await;
        assert_eq!(answer.status, 421, "{redirect:?}");
        assert!(answer.text().contains("There is no such site here"));
        let secure = Request::get("https://evil.example/");
        let mut visitor = Visitor::http2(edge.https.unwrap()).await;
        assert_eq!(visitor.send(secure).await.status, 421);
        // One stranger's name does not cost the connection.
        let bank = Request::get("https://www.bank.example/");
        assert_eq!(visitor.send(bank).await.status, 200);
        assert_eq!(
            edge.metric(r#"edge_refusals_total{reason="unknown_host"}"#)
                .await,
            2.0
        );
    }
}

/// Browsers use one connection for all hosts of its certificate and address (RFC 9113 9.1.1).
#[tokio::test]
async fn a_connection_that_was_made_for_one_site_does_not_lead_to_another() {
    let origin = ScriptedOrigin::serving("<p>x").await;
    let bank = bank_rules(&origin).replace(
        "\"www.bank.example\"",
        "\"www.bank.example\", \"*.bank.example\"",
    );
    let site = |hosts| {
        format!(
            "[[site]]\nhosts = [\"{hosts}\"]\norigin = \"http://{}\"\ngroup = 1\n",
            origin.address
        )
    };
    let rules = format!("{bank}\n{}{}", site("www.shop.example"), site("*"));
    let mut settings = config(&rules);
    for (trusted, shown, asked, status) in [
        (false, Some("www.bank.example"), "www.bank.example", 200),
        (false, Some("www.bank.example"), "A.bank.example.:8443", 200),
        (false, Some("www.bank.example"), "www.shop.example", 421),
        (false, Some("www.shop.example"), "a.bank.example", 421),
        (false, Some("www.bank.example"), "unknown.example", 200),
        (false, Some("unknown.example"), "www.bank.example", 200),
        (false, None, "www.bank.example", 200),
        // Whose connection it is says nothing of whose request it is.
        (true, Some("www.bank.example"), "www.shop.example", 200),
    ] {
        let peers = trusted.then(|| "127.0.0.1/32".parse().unwrap());
        settings.trusted_peers = TrustedPeers::new(peers.into_iter().collect());
        let edge = TestEdge::spawn(settings.clone()).await;
        let stream = tls(edge.https.unwrap(), shown, &[]).await.unwrap();
        let request = Request::get("/").header("host", asked);
        let answer = Visitor::http1_over(stream).await.send(request).await;
        assert_eq!(answer.status, status, "{shown:?} {asked}");
    }
}

#[tokio::test]
async fn who_speaks_http_to_the_https_port_gets_no_page() {
    let origin = ScriptedOrigin::serving("<p>x").await;
    let edge = TestEdge::with_rules(&rules_for(origin.address)).await;
    let mut visitor = RawVisitor::connect(edge.https.unwrap()).await;
    visitor.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let end = visitor.read_to_end().await.unwrap_or_else(|came| came);
    assert!(!String::from_utf8_lossy(&end).contains("HTTP/"));
    assert!(origin.seen().is_empty());
}

/// An HTTPS origin under `name`, which asks for a certificate of `clients`, if given.
async fn secure_origin(
    authority: &Authority,
    name: &str,
    clients: Option<&Authority>,
) -> RawOrigin {
    let config = authority.server(name, clients);
    RawOrigin::start_tls(config, |mut conversation| async move {
        while conversation.head().await.is_some() {
            conversation.send("HTTP/1.1 204 No Content\r\n\r\n").await;
        }
    })
    .await
}

async fn status_of(origin: &RawOrigin, upstream: &str) -> (u16, f64) {
    let rules = rules_for(origin.address).replace("http://1", "https://1");
    let edge = TestEdge::with_rules(&format!("{rules}\n[site.upstream]\n{upstream}\n")).await;
    let status = Visitor::http1(edge.http).await.get("/").await.status;
    let series = r#"edge_upstream_errors_total{site="*",kind="tls",blame="upstream"}"#;
    (status.as_u16(), edge.metric(series).await)
}

const ANSWERED: (u16, f64) = (204, 0.0);
const NO_TLS: (u16, f64) = (502, 1.0);

#[tokio::test]
async fn an_origin_must_prove_who_it_is() {
    let (authority, other) = (Authority::new(), Authority::new());
    let files = Directory::new();
    let ca = files.write("ca.pem", &authority.pem());
    let other = files.write("other.pem", &other.pem());
    let ca = format!("ca = {ca:?}\n");
    let by_address = secure_origin(&authority, "127.0.0.1", None).await;
    let by_name = secure_origin(&authority, "legacy.bank.example", None).await;
    for (case, origin, upstream, expected) in [
        ("its address", &by_address, ca.clone(), ANSWERED),
        (
            "another authority",
            &by_address,
            format!("ca = {other:?}"),
            NO_TLS,
        ),
        (
            "the system's authorities",
            &by_address,
            String::new(),
            NO_TLS,
        ),
        ("another name", &by_name, ca.clone(), NO_TLS),
        (
            "the name that it should have",
            &by_name,
            format!("{ca}server_name = \"legacy.bank.example\""),
            ANSWERED,
        ),
        (
            "not the name that it should have",
            &by_name,
            format!("{ca}server_name = \"www.bank.example\""),
            NO_TLS,
        ),
    ] {
        assert_eq!(status_of(origin, &upstream).await, expected, "{case}");
    }
}

#[tokio::test]
async fn the_edge_proves_who_it_is_where_it_is_asked_to() {
    let (authority, clients, strangers) = (Authority::new(), Authority::new(), Authority::new());
    let origin = secure_origin(&authority, "127.0.0.1", Some(&clients)).await;
    let files = Directory::new();
    let ca = format!("ca = {:?}\n", files.write("ca.pem", &authority.pem()));
    for (issuer, expected) in [(&clients, 204), (&strangers, 502)] {
        let edge = issuer.sign(&["edge"]);
        let certificate = files.write("edge.pem", &edge.certificate);
        let key = files.write("edge.key", &edge.key);
        let upstream = format!("{ca}client_certificate = {certificate:?}\nclient_key = {key:?}");
        assert_eq!(status_of(&origin, &upstream).await.0, expected);
    }
    assert_eq!(
        status_of(&origin, &ca).await.0,
        502,
        "without a certificate"
    );
}

/// A renewed client certificate has the name of the old one; so has a new authority.
#[tokio::test]
async fn files_that_an_origins_rules_name_are_read_again() {
    let (authority, clients) = (Authority::new(), Authority::new());
    let origin = secure_origin(&authority, "127.0.0.1", Some(&clients)).await;
    let files = Directory::new();
    let ca = files.write("ca.pem", &Authority::new().pem());
    let stranger = Authority::new().sign(&["edge"]);
    let certificate = files.write("edge.pem", &stranger.certificate);
    let key = files.write("edge.key", &stranger.key);
    let rules = rules_for(origin.address).replace("http://1", "https://1");
    let edge = TestEdge::with_rules(&format!(
        "{rules}\n[site.upstream]\nca = {ca:?}\nclient_certificate = {certificate:?}\n\
         client_key = {key:?}\n"
    ))
    .await;
    let mut visitor = Visitor::http1(edge.http).await;
    assert_eq!(visitor.get("/").await.status, 502);
    let renewed = clients.sign(&["edge"]);
    files.write("ca.pem", &authority.pem());
    files.write("edge.pem", &renewed.certificate);
    files.write("edge.key", &renewed.key);
    edge.reloader.reload().await.unwrap();
    assert_eq!(visitor.get("/").await.status, 204);
    // What cannot be read any more stays in force as it was.
    files.write("ca.pem", "no PEM");
    assert!(edge.reloader.reload().await.is_err());
    assert_eq!(visitor.get("/").await.status, 204);
}
