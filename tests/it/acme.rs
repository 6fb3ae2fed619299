//! Certificates that the edge orders itself, of a real ACME server (pebble). Its resolver is told that
//! every name is this machine's, and its looks at challenges go to the edge's own ports.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use cobrowse_edge::acme::{self, ChallengeKind, Pace};
use cobrowse_edge::config::{CertificatesSource, EdgeConfig, RulesSource};
use http::Request;
use rustls::pki_types::CertificateDer;

use crate::support::{
    Authority, Directory, ScriptedOrigin, TestEdge, Visitor, config, eventually, tls,
};

/// An authority, and where it looks for hosts.
struct Pebble {
    authority: SocketAddr,
    settings: Directory,
    ports: Ports,
    /// Of its own address.
    ca: Authority,
    processes: Vec<Child>,
}

/// Of the edge: settled before either side starts.
#[derive(Clone, Copy)]
struct Ports {
    http: SocketAddr,
    https: SocketAddr,
}

/// What it makes of certificates and of those who ask.
#[derive(Clone, Copy)]
struct Temper {
    validity: Duration,
    /// So many in a hundred good nonces are refused.
    nonces_refused: u32,
    /// Whether it looks for challenges where the edge is.
    finds_us: bool,
}

const CALM: Temper = Temper {
    validity: Duration::from_hours(24),
    nonces_refused: 0,
    finds_us: true,
};

fn free_port() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
}

impl Pebble {
    /// It is not there yet.
    fn planned() -> Self {
        Self {
            authority: free_port(),
            settings: Directory::new(),
            ports: Ports {
                http: free_port(),
                https: free_port(),
            },
            ca: Authority::new(),
            processes: Vec::new(),
        }
    }

    async fn start(temper: Temper) -> Self {
        let mut pebble = Self::planned();
        pebble.open(temper).await;
        pebble
    }

    async fn open(&mut self, temper: Temper) {
        let own = self.ca.sign(&["localhost", "127.0.0.1"]);
        let certificate = self.settings.write("pebble.pem", &own.certificate);
        let key = self.settings.write("pebble.key", &own.key);
        let (http, https) = match temper.finds_us {
            true => (self.ports.http.port(), self.ports.https.port()),
            false => (free_port().port(), free_port().port()),
        };
        let authority = self.authority;
        let settings = format!(
            r#"{{"pebble": {{"listenAddress": "{authority}", "managementListenAddress": "",
            "certificate": {certificate:?}, "privateKey": {key:?}, "httpPort": {http}, "tlsPort": {https},
            "certificateValidityPeriod": {}}}}}"#,
            temper.validity.as_secs()
        );
        let settings = self.settings.write("pebble.json", &settings);
        let names = free_port().to_string();
        let nobody = free_port().to_string();
        let mut resolver = Command::new("pebble-challtestsrv");
        resolver.args(["-dns01", &names, "-management", &nobody, "-defaultIPv6", ""]);
        resolver.args(["-http01", "", "-https01", "", "-tlsalpn01", ""]);
        let mut pebble = Command::new("pebble");
        pebble
            .arg("-config")
            .arg(settings)
            .args(["-strict", "-dnsserver", &names])
            .env("PEBBLE_VA_NOSLEEP", "1")
            .env("PEBBLE_AUTHZREUSE", "0")
            .env("PEBBLE_WFE_NONCEREJECT", temper.nonces_refused.to_string());
        for command in [&mut resolver, &mut pebble] {
            let spawned = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
            self.processes
                .push(spawned.expect("pebble is installed: apt-get install pebble"));
        }
        eventually("the authority listens", async || {
            TcpStream::connect(authority).is_ok()
        })
        .await;
    }

    /// An edge that orders here, as fast as a test likes it.
    fn edge(&self, certs: &Directory, rules: &str) -> EdgeConfig {
        let ca = self.settings.write("ca.pem", &self.ca.pem());
        let mut config = config(rules);
        config.server.http = vec![self.ports.http];
        config.server.https = vec![self.ports.https];
        config.certificates = CertificatesSource::Directory(certs.0.clone());
        config.acme = Some(acme::Config {
            directory: format!("https://{}/dir", self.authority),
            contact: vec!["mailto:tls@bank.example".to_owned()],
            hosts: None,
            challenge: ChallengeKind::Http,
            ca: Some(ca),
            external_account: None,
            has_stand_ins: false,
            pace: Pace {
                pause_min: Duration::from_millis(100),
                pause_max: Duration::from_secs(1),
                turn: Duration::from_millis(100),
                ..Pace::default()
            },
        });
        config
    }
}

impl Drop for Pebble {
    fn drop(&mut self) {
        for process in &mut self.processes {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

fn rules(origin: SocketAddr, hosts: &[&str]) -> String {
    format!(
        "version = 1\n[[site]]\nhosts = {hosts:?}\norigin = \"http://{origin}\"\ngroup = 1\n\
         [script]\nurl = \"https://cdn.example.com/loader.js\"\n"
    )
}

/// What the edge shows for a name; `None`: it refuses.
async fn shown(edge: &TestEdge, name: &str) -> Option<CertificateDer<'static>> {
    let stream = tls(edge.https.unwrap(), Some(name), &["http/1.1"])
        .await
        .ok()?;
    Some(
        stream.get_ref().1.peer_certificates()?[0]
            .clone()
            .into_owned(),
    )
}

async fn eventually_shown(edge: &TestEdge, name: &str) -> CertificateDer<'static> {
    eventually("there is a certificate", async || {
        shown(edge, name).await.is_some()
    })
    .await;
    shown(edge, name).await.unwrap()
}

async fn orders(edge: &TestEdge, host: &str, outcome: &str) -> f64 {
    let series = format!(r#"edge_certificate_orders_total{{host="{host}",outcome="{outcome}"}}"#);
    edge.metric(&series).await
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_are_ordered_by_both_challenges() {
    let origin = ScriptedOrigin::serving("<p>x").await;
    let temper = Temper {
        nonces_refused: 20,
        ..CALM
    };
    for challenge in [ChallengeKind::Http, ChallengeKind::TlsAlpn] {
        let pebble = Pebble::start(temper).await;
        let certs = Directory::new();
        let hosts = [
            "www.bank.example",
            "bank.example",
            "*.bank.example",
            "localhost",
        ];
        let mut config = pebble.edge(&certs, &rules(origin.address, &hosts));
        config.acme.as_mut().unwrap().challenge = challenge;
        config.redirect_to_https = Some(443);
        let edge = TestEdge::spawn(config).await;
        let (one, two) = (
            eventually_shown(&edge, "www.bank.example").await,
            eventually_shown(&edge, "bank.example").await,
        );
        assert_ne!(one, two, "{challenge:?}");
        for name in ["acme-www.bank.example.pem", "acme-bank.example.pem"] {
            let facts = std::fs::metadata(certs.0.join(name)).unwrap();
            assert_eq!(facts.permissions().mode() & 0o777, 0o600, "{name}");
        }
        let kept: Vec<_> = std::fs::read_dir(certs.0.join("acme"))
            .unwrap()
            .map(|entry| entry.unwrap())
            .filter(|entry| entry.file_name().to_string_lossy().starts_with("account-"))
            .collect();
        assert_eq!(kept.len(), 1);
        assert_eq!(kept[0].metadata().unwrap().permissions().mode() & 0o077, 0);
        assert_eq!(orders(&edge, "www.bank.example", "ok").await, 1.0);
        // Nothing more is ordered, nor for names that cannot be.
        assert_eq!(std::fs::read_dir(&certs.0).unwrap().count(), 3);
        let listed = Visitor::http1(edge.admin)
            .await
            .get("/certificates")
            .await
            .text();
        assert!(
            listed.contains("acme-bank.example.pem: bank.example"),
            "{listed}"
        );
    }
}

/// Visitors' own business at that path is the site's, and so is an authority's that the site asked.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_told_of_challenges_but_who_must_be() {
    let origin = ScriptedOrigin::serving("<p>x").await;
    let pebble = Pebble::planned();
    let certs = Directory::new();
    let hosts = ["www.bank.example"];
    let edge = TestEdge::spawn(pebble.edge(&certs, &rules(origin.address, &hosts))).await;
    let challenges = certs.0.join("acme/challenges");
    std::fs::create_dir_all(&challenges).unwrap();
    std::fs::write(challenges.join("www.bank.example"), "token.thumbprint").unwrap();
    std::fs::write(challenges.join("other.example"), "token.thumbprint").unwrap();
    for (host, token, expected) in [
        ("www.bank.example", "token", "token.thumbprint"),
        ("www.bank.example", "other", "<p>x"),
        ("www.bank.example", "token/", "<p>x"),
    ] {
        let path = format!("/.well-known/acme-challenge/{token}");
        let request = Request::get(path).header("host", host);
        let answer = Visitor::http1(edge.http).await.send(request).await;
        assert!(
            answer.text().starts_with(expected),
            "{token}: {}",
            answer.text()
        );
    }
    // Whoever speaks the authorities' protocol sees a certificate for challenges, and no page.
    for (name, protocols, expected) in [
        ("www.bank.example", &["acme-tls/1"][..], true),
        ("www.bank.example", &["acme-tls/1", "http/1.1"], false),
        ("mail.bank.example", &["acme-tls/1"], false),
    ] {
        let stream = tls(edge.https.unwrap(), Some(name), protocols).await;
        assert_eq!(stream.is_ok(), expected, "{name} {protocols:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_is_renewed_before_its_end() {
    let origin = ScriptedOrigin::serving("<p>x").await;
    let temper = Temper {
        validity: Duration::from_secs(6),
        ..CALM
    };
    let pebble = Pebble::start(temper).await;
    let certs = Directory::new();
    let config = pebble.edge(&certs, &rules(origin.address, &["bank.example"]));
    let edge = TestEdge::spawn(config).await;
    let first = eventually_shown(&edge, "bank.example").await;
    eventually("it is renewed", async || {
        let now = shown(&edge, "bank.example").await;
        now.expect("there is always one") != first
    })
    .await;
    assert!(orders(&edge, "bank.example", "ok").await >= 2.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authority_that_is_away_is_asked_again_and_what_there_is_goes_on() {
    let origin = ScriptedOrigin::serving("<p>x").await;
    let mut pebble = Pebble::planned();
    let certs = Directory::new();
    // Of another authority: it is to be replaced, and serves until it is.
    let old = Authority::new().sign(&["bank.example"]);
    certs.write("acme-bank.example.pem", &old.both());
    let own = Authority::new().sign(&["own.example"]);
    certs.write("own.pem", &own.both());
    let hosts = ["bank.example", "new.example", "own.example"];
    let edge = TestEdge::spawn(pebble.edge(&certs, &rules(origin.address, &hosts))).await;
    eventually("it was tried", async || {
        orders(&edge, "new.example", "failed").await >= 2.0
    })
    .await;
    assert_eq!(shown(&edge, "bank.example").await, Some(old.der()));
    assert_eq!(shown(&edge, "own.example").await, Some(own.der()));
    assert_eq!(shown(&edge, "new.example").await, None);
    // Names that nobody expects get the first certificate, as ever.
    assert_eq!(shown(&edge, "else.example").await, Some(own.der()));
    // It does not find the edge, and says so: that is no certificate either.
    let lost = Temper {
        finds_us: false,
        ..CALM
    };
    pebble.open(lost).await;
    let failures = orders(&edge, "new.example", "failed").await;
    eventually("it was refused", async || {
        orders(&edge, "new.example", "failed").await >= failures + 2.0
    })
    .await;
    assert_eq!(shown(&edge, "bank.example").await, Some(old.der()));
    for process in &mut pebble.processes {
        process.kill().unwrap();
        process.wait().unwrap();
    }
    // And it comes back without remembering us.
    pebble.open(CALM).await;
    eventually_shown(&edge, "new.example").await;
    eventually("the old one is replaced", async || {
        shown(&edge, "bank.example").await != Some(old.der())
    })
    .await;
    assert_eq!(shown(&edge, "own.example").await, Some(own.der()));
    assert_eq!(orders(&edge, "own.example", "ok").await, 0.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_could_not_be_loaded_is_not_ordered() {
    let origin = ScriptedOrigin::serving("<p>x").await;
    let mut pebble = Pebble::planned();
    let certs = Directory::new();
    let host = "bank.example";
    let edge = TestEdge::spawn(pebble.edge(&certs, &rules(origin.address, &[host]))).await;
    // Somebody has put the key there, and is still looking for its certificate.
    let key = certs.write("own.key", &Authority::new().sign(&[host]).key);
    pebble.open(CALM).await;
    let failures = orders(&edge, host, "failed").await;
    eventually("it was looked at again", async || {
        orders(&edge, host, "failed").await >= failures + 2.0
    })
    .await;
    assert_eq!(orders(&edge, host, "ok").await, 0.0);
    assert!(!certs.0.join("acme-bank.example.pem").exists());
    std::fs::remove_file(key).unwrap();
    eventually_shown(&edge, host).await;
    assert_eq!(orders(&edge, host, "ok").await, 1.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn hosts_that_come_with_new_rules_are_ordered_for() {
    let origin = ScriptedOrigin::serving("<p>x").await;
    let pebble = Pebble::start(CALM).await;
    let certs = Directory::new();
    let files = Directory::with("rules.toml", &rules(origin.address, &["one.example"]));
    let mut config = pebble.edge(&certs, "");
    config.rules = RulesSource::Directory(files.0.clone());
    config.acme.as_mut().unwrap().has_stand_ins = true;
    let edge = TestEdge::spawn(config).await;
    eventually("one is there", async || {
        orders(&edge, "one.example", "ok").await == 1.0
    })
    .await;
    let one = shown(&edge, "one.example").await;
    files.write(
        "rules.toml",
        &rules(origin.address, &["one.example", "two.example"]),
    );
    edge.reloader.reload().await.unwrap();
    // Until then there is one that nobody trusts, since the settings want it so.
    assert!(shown(&edge, "two.example").await.is_some());
    eventually("two is there", async || {
        orders(&edge, "two.example", "ok").await == 1.0
    })
    .await;
    assert_eq!(shown(&edge, "one.example").await, one);
    assert_eq!(orders(&edge, "one.example", "ok").await, 1.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_edges_with_one_directory_order_once() {
    let origin = ScriptedOrigin::serving("<p>x").await;
    let pebble = Pebble::start(CALM).await;
    let certs = Directory::new();
    let mut config = pebble.edge(&certs, &rules(origin.address, &["bank.example"]));
    config.server.reuse_port = true;
    let one = TestEdge::spawn(config.clone()).await;
    let two = TestEdge::spawn(config).await;
    eventually_shown(&two, "bank.example").await;
    let ordered = async |edge| orders(edge, "bank.example", "ok").await;
    eventually("both have been through", async || {
        ordered(&one).await + ordered(&two).await == 1.0
    })
    .await;
    assert_eq!(orders(&one, "bank.example", "failed").await, 0.0);
    assert_eq!(orders(&two, "bank.example", "failed").await, 0.0);
}
