//! Sites whose visitors must show a certificate: whom they refuse, and what the origin is told.

use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, HandshakeKind, SupportedProtocolVersion};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use cobrowse_edge::config::{RulesSource, SessionPlace};

use crate::support::{
    ALL_VERSIONS, Authority, Directory, RawVisitor, ScriptedOrigin, Signed, TestEdge, config,
    connect_with, session, soon, trusting,
};

/// A bank and a club that ask their visitors, each for its own authority, and a shop that does not; all
/// of them have one origin.
struct House {
    origin: ScriptedOrigin,
    files: Directory,
    edge: TestEdge,
    bank: Authority,
    club: Authority,
}

impl House {
    async fn start() -> Self {
        let origin = ScriptedOrigin::serving("<p>x").await;
        let (bank, club) = (Authority::new(), Authority::new());
        let at = origin.address;
        let rules = format!(
            r#"
            version = 1
            [script]
            url = "https://cdn.example.com/loader.js"
            [[site]]
            hosts = ["bank.example", "www.bank.example"]
            origin = "http://{at}"
            group = 1
            [site.visitors]
            ca = "bank.pem"
            subject_header = "X-Client-Subject"
            [[site]]
            hosts = ["club.example"]
            origin = "http://{at}"
            group = 1
            [site.visitors]
            ca = "club.pem"
            [[site]]
            hosts = ["*"]
            origin = "http://{at}"
            group = 1
            "#
        );
        let files = Directory::with("rules.toml", &rules);
        files.write("bank.pem", &bank.pem());
        files.write("club.pem", &club.pem());
        let mut config = config("");
        let mount = SessionPlace::Mount {
            path: "/_cobrowse".into(),
            strip: true,
        };
        config.session = Some(session(at, mount));
        config.rules = RulesSource::Directory(files.0.clone());
        let edge = TestEdge::spawn(config).await;
        Self {
            origin,
            files,
            edge,
            bank,
            club,
        }
    }

    async fn connect(&self, name: Option<&str>, client: &ClientConfig) -> TlsStream<TcpStream> {
        let client = client.clone();
        connect_with(self.edge.https.unwrap(), name, client)
            .await
            .unwrap()
    }

    /// The status on a connection of its own; `None`: the connection was refused.
    async fn status(&self, name: Option<&str>, client: &ClientConfig, host: &str) -> Option<u16> {
        let client = client.clone();
        let stream = connect_with(self.edge.https.unwrap(), name, client).await;
        // What is wrong with a certificate a client of TLS 1.3 hears when it reads.
        status_on(&mut stream.ok()?, host, "").await
    }

    /// The head of the last request that the origin saw.
    fn last_seen(&self) -> String {
        self.origin
            .seen()
            .pop()
            .unwrap_or_default()
            .to_ascii_lowercase()
    }
}

async fn status_on(stream: &mut TlsStream<TcpStream>, host: &str, lines: &str) -> Option<u16> {
    status_of(stream, host, "/", lines.as_bytes()).await
}

async fn status_of(
    stream: &mut TlsStream<TcpStream>,
    host: &str,
    path: &str,
    lines: &[u8],
) -> Option<u16> {
    let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nAccept: text/html\r\n");
    let request = [request.as_bytes(), lines, b"\r\n"].concat();
    stream.write_all(&request).await.ok()?;
    let mut answer = Vec::new();
    loop {
        if soon(stream.read_buf(&mut answer)).await.ok()? == 0 {
            return None;
        }
        let text = String::from_utf8_lossy(&answer);
        let is_page = path == "/";
        let is_whole = text.ends_with("</script>")
            || text.ends_with("0\r\n\r\n")
            || (!is_page && text.ends_with("<p>x"));
        if is_whole || (text.contains("\r\n\r\n") && !text.starts_with("HTTP/1.1 200")) {
            return text.split(' ').nth(1)?.parse().ok();
        }
    }
}

fn stranger(versions: &[&'static SupportedProtocolVersion]) -> ClientConfig {
    trusting(versions).with_no_client_auth()
}

fn showing(versions: &[&'static SupportedProtocolVersion], signed: &Signed) -> ClientConfig {
    let key = PrivateKeyDer::from_pem_slice(signed.key.as_bytes()).unwrap();
    let chain = vec![signed.der()];
    trusting(versions)
        .with_client_auth_cert(chain, key)
        .unwrap()
}

#[tokio::test]
async fn who_shows_no_certificate_of_a_sites_authority_is_refused() {
    let house = House::start().await;
    for versions in [&[&TLS13] as &[&'static SupportedProtocolVersion], &[&TLS12]] {
        let own = showing(versions, &house.bank.sign(&["ada"]));
        let others = showing(versions, &house.club.sign(&["bo"]));
        let made_up = showing(versions, &Authority::new().sign(&["eve"]));
        let nothing = stranger(versions);
        for (client, name, expected) in [
            (&own, "bank.example", Some(200)),
            (&own, "www.bank.example", Some(200)),
            (&others, "bank.example", None),
            (&made_up, "bank.example", None),
            (&nothing, "bank.example", None),
            (&nothing, "BANK.example", None),
            (&others, "club.example", Some(200)),
            (&own, "club.example", None),
            (&nothing, "shop.example", Some(200)),
            (&own, "shop.example", Some(200)),
        ] {
            let status = house.status(Some(name), client, name).await;
            assert_eq!(status, expected, "{name} {versions:?}");
        }
    }
}

#[tokio::test]
async fn a_connection_without_the_sites_handshake_does_not_lead_there() {
    let house = House::start().await;
    let ada = showing(ALL_VERSIONS, &house.bank.sign(&["ada"]));
    let nothing = stranger(ALL_VERSIONS);
    for (name, client, host) in [
        (Some("shop.example"), &nothing, "bank.example"),
        (Some("shop.example"), &ada, "bank.example"),
        (Some("shop.example"), &ada, "BANK.EXAMPLE."),
        (Some("bank.example"), &ada, "club.example"),
        (None, &nothing, "bank.example"),
        (None, &ada, "bank.example"),
    ] {
        let status = house.status(name, client, host).await;
        assert!(
            matches!(status, Some(400 | 421)),
            "{name:?} {host}: {status:?}"
        );
    }
    let mut visitor = RawVisitor::connect(house.edge.http).await;
    visitor
        .send("GET / HTTP/1.1\r\nHost: bank.example\r\nConnection: close\r\n\r\n")
        .await;
    let answer = visitor.read_to_end().await.unwrap();
    assert!(
        answer.starts_with(b"HTTP/1.1 421"),
        "{}",
        String::from_utf8_lossy(&answer)
    );
    assert!(house.origin.seen().is_empty());
    // Hosts of one site share connections.
    assert_eq!(
        house
            .status(Some("bank.example"), &ada, "www.bank.example")
            .await,
        Some(200)
    );
}

#[tokio::test]
async fn nothing_of_a_verified_session_is_resumed() {
    let house = House::start().await;
    for versions in [&[&TLS13] as &[&'static SupportedProtocolVersion], &[&TLS12]] {
        let ada = showing(versions, &house.bank.sign(&["ada"]));
        let mut kinds = Vec::new();
        for name in [
            "bank.example",
            "bank.example",
            "shop.example",
            "shop.example",
            "bank.example",
        ] {
            let mut stream = house.connect(Some(name), &ada).await;
            assert_eq!(status_on(&mut stream, name, "").await, Some(200));
            kinds.push(stream.get_ref().1.handshake_kind().unwrap());
        }
        use HandshakeKind::{Full, Resumed};
        assert_eq!(kinds, [Full, Full, Full, Resumed, Full], "{versions:?}");
    }
}

#[tokio::test]
async fn another_authority_ends_what_was_verified_by_the_one_before() {
    let house = House::start().await;
    let ada = showing(ALL_VERSIONS, &house.bank.sign(&["ada"]));
    let mut kept = house.connect(Some("bank.example"), &ada).await;
    assert_eq!(status_on(&mut kept, "bank.example", "").await, Some(200));
    // The same text again changes nothing.
    house.edge.reloader.reload().await.unwrap();
    assert_eq!(status_on(&mut kept, "bank.example", "").await, Some(200));
    house.files.write("bank.pem", "nothing");
    assert!(house.edge.reloader.reload().await.is_err());
    assert_eq!(status_on(&mut kept, "bank.example", "").await, Some(200));
    let other = Authority::new();
    house.files.write("bank.pem", &other.pem());
    house.edge.reloader.reload().await.unwrap();
    assert_eq!(status_on(&mut kept, "bank.example", "").await, Some(421));
    assert_eq!(
        house
            .status(Some("bank.example"), &ada, "bank.example")
            .await,
        None
    );
    let bo = showing(ALL_VERSIONS, &other.sign(&["bo"]));
    assert_eq!(
        house
            .status(Some("bank.example"), &bo, "bank.example")
            .await,
        Some(200)
    );
}

#[tokio::test]
async fn the_origin_is_told_the_subject_by_nobody_but_the_edge() {
    let house = House::start().await;
    let ada = showing(ALL_VERSIONS, &house.bank.sign(&["ada"]));
    let bo = showing(ALL_VERSIONS, &house.club.sign(&["bo"]));
    let nothing = stranger(ALL_VERSIONS);
    let forged = "X-Client-Subject: CN=eve\r\nx-client-subject: CN=mallory\r\n";
    let dropped = "Connection: X-Client-Subject, keep-alive\r\n";
    let (forged, dropped) = (forged.as_bytes(), dropped.as_bytes());
    for (name, client, path, lines, expected) in [
        ("bank.example", &ada, "/", b"" as &[u8], true),
        ("bank.example", &ada, "/", forged, true),
        ("bank.example", &ada, "/", dropped, true),
        (
            "bank.example",
            &ada,
            "/",
            b"Connection: x-client-subject, \xff\r\n",
            true,
        ),
        (
            "bank.example",
            &ada,
            "/",
            b"Connection: \xff\r\nConnection: X-Client-Subject\r\n",
            true,
        ),
        // The backend is not the site's.
        ("bank.example", &ada, "/_cobrowse/a", b"", false),
        ("bank.example", &ada, "/_cobrowse/a", forged, false),
        ("club.example", &bo, "/", forged, false),
        ("shop.example", &nothing, "/", forged, false),
        (
            "shop.example",
            &nothing,
            "/",
            b"X-Client_Subject: CN=eve\r\n",
            false,
        ),
        (
            "shop.example",
            &nothing,
            "/",
            b"X.Client.Subject: CN=eve\r\n",
            false,
        ),
    ] {
        let mut stream = house.connect(Some(name), client).await;
        let lines_told = lines.escape_ascii();
        let status = status_of(&mut stream, name, path, lines).await;
        let seen = house.last_seen();
        assert_eq!(status, Some(200), "{name} {path} {lines_told}");
        let told: Vec<_> = seen
            .lines()
            .filter(|line| line.starts_with("x-client") || line.starts_with("x.client"))
            .collect();
        assert_eq!(
            told.len(),
            usize::from(expected),
            "{name} {path} {lines_told}: {seen}"
        );
        assert!(!seen.contains("eve") && !seen.contains("mallory"), "{seen}");
        if expected {
            assert_eq!(told, ["x-client-subject: cn=rcgen self signed cert"]);
        }
    }
}
