//! What must not be told: an edge with every secret there is, that meets trouble and says all it can.

use std::net::{SocketAddr, TcpListener};
use std::process::{Command, Stdio};

use http::Request;

use crate::support::{Authority, Directory, EdgeProcess, Visitor, eventually, soon, tls};

const GRANT_KEY: &str = "c2VjcmV0LWdyYW50LWtleS10aGF0LWlzLXRvbGQtbm8=";
const ACCOUNT_KEY: &str = "c2VjcmV0LWFjY291bnQta2V5LXRoYXQtaXMtdG9sZC1ubw";
const COOKIE: &str = "secret-session-cookie";
const QUERY: &str = "secret-query";
const PASSWORD: &str = "secret-password";

fn settings(authority: SocketAddr) -> String {
    format!(
        r#"
        [acme]
        terms_agreed = true
        directory = "https://{authority}/dir"
        account_id = "kid-1"
        account_key = "account.key"
        hosts = ["new.example"]
        [server]
        http = ["127.0.0.1:0"]
        https = ["127.0.0.1:0"]
        [admin]
        listen = "127.0.0.1:0"
        [session]
        backend = "http://127.0.0.1:1"
        mount = "/_cobrowse"
        [grants]
        keys = "grant.keys"
        [log]
        filter = "trace"
        "#
    )
}

/// The parts of a PEM text that are long enough to be told from others.
fn lines_of(pem: &str) -> impl Iterator<Item = &str> {
    pem.lines()
        .filter(|line| line.len() > 20 && !line.starts_with("-----"))
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_in_a_log_at_whatever_level() {
    let refusing = TcpListener::bind("127.0.0.1:0").unwrap();
    let authority = refusing.local_addr().unwrap();
    drop(refusing);
    let (own, upstream) = (
        Authority::new().sign(&["bank.example"]),
        Authority::new().sign(&["edge"]),
    );
    let house = Directory::with("edge.toml", &settings(authority));
    for name in ["rules", "certs"] {
        std::fs::create_dir(house.0.join(name)).unwrap();
    }
    house.write("grant.keys", GRANT_KEY);
    house.write("account.key", ACCOUNT_KEY);
    house.write("certs/a.pem", &own.both());
    house.write("client.pem", &upstream.certificate);
    house.write("client.key", &upstream.key);
    let rules = "version = 1\n[[site]]\nhosts = [\"*\"]\norigin = \"https://127.0.0.1:1\"\ngroup = 1\n\
         [site.upstream]\nclient_certificate = \"../client.pem\"\nclient_key = \"../client.key\"\n";
    house.write("rules/rules.toml", rules);
    let key_log = house.0.join("tls-keys.log");
    let mut command = Command::new(env!("CARGO_BIN_EXE_cobrowse-edge"));
    command
        .arg("serve")
        .env("SSLKEYLOGFILE", &key_log)
        .env("RUST_LOG", "trace")
        .stdin(Stdio::null());
    let mut edge = EdgeProcess::spawn_in(&house.0, &mut command);
    let http = edge.address_behind("listening on http://");
    let https = edge.address_behind("listening on https://");
    edge.complaint("no certificate; what was in force stays in force");
    // Origin and backend are away, and requests carry what is nobody else's business.
    for path in ["/page", "/_cobrowse/session"] {
        let request = Request::post(format!("{path}?token={QUERY}"))
            .header("cookie", format!("session={COOKIE}"))
            .header("authorization", format!("Bearer {PASSWORD}"))
            .header("referer", format!("http://localhost/?{QUERY}"));
        let mut visitor = Visitor::http1(http).await;
        let answer = visitor
            .send_with_body(request, format!("password={PASSWORD}"))
            .await;
        assert!(answer.status.is_client_error() || answer.status.is_server_error());
    }
    let mut visitor = Visitor::http2(https).await;
    visitor
        .send(Request::get(format!("/page?{QUERY}")).header("cookie", COOKIE))
        .await;
    assert!(tls(https, Some("new.example"), &[]).await.is_err());
    // What has a fault is told of, without the keys in it.
    let broken = own.both().replace("-----END PRIVATE KEY-----", "");
    house.write("certs/a.pem", &broken);
    edge.signal("HUP");
    edge.complaint("not reloaded");
    house.write("grant.keys", &GRANT_KEY[1..]);
    edge.signal("HUP");
    edge.complaint("not reloaded");
    edge.signal("TERM");
    let ended = soon(async { tokio::task::spawn_blocking(|| edge.end()).await.unwrap() }).await;
    let said = format!("{}\n{}", ended.output, ended.errors);
    assert!(
        said.contains("TRACE") && said.contains("DEBUG"),
        "it says what it can"
    );
    let keys = lines_of(&own.key).chain(lines_of(&upstream.key));
    let secrets = [
        GRANT_KEY,
        &GRANT_KEY[1..],
        ACCOUNT_KEY,
        COOKIE,
        QUERY,
        PASSWORD,
    ];
    for secret in secrets.into_iter().chain(keys) {
        let line = said.lines().find(|line| line.contains(secret));
        assert_eq!(line, None, "{secret}");
    }
    assert!(
        !key_log.exists(),
        "the keys of TLS sessions were written down"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_of_tls_sessions_are_not_written_down_for_whoever_asks() {
    let origin_keys = Authority::new();
    let origin = crate::support::RawOrigin::start_tls(
        origin_keys.server("localhost", None),
        async |mut conversation: crate::support::Conversation| {
            while conversation.head().await.is_some() {
                conversation
                    .send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
                    .await;
            }
        },
    )
    .await;
    let house = Directory::new();
    for name in ["rules", "certs"] {
        std::fs::create_dir(house.0.join(name)).unwrap();
    }
    house.write("certs/a.pem", &Authority::new().sign(&["localhost"]).both());
    house.write("ca.pem", &origin_keys.pem());
    let at = origin.address.port();
    house.write("rules/rules.toml", &format!(
        "version = 1\n[[site]]\nhosts = [\"*\"]\norigin = \"https://localhost:{at}\"\ngroup = 1\n\
         [site.upstream]\nca = \"../ca.pem\"\n"
    ));
    house.write(
        "edge.toml",
        "certs = \"certs\"\n[server]\nhttps = [\"127.0.0.1:0\"]\n[admin]\nenabled = false\n",
    );
    let key_log = house.0.join("tls-keys.log");
    let mut command = Command::new(env!("CARGO_BIN_EXE_cobrowse-edge"));
    command
        .arg("serve")
        .env("SSLKEYLOGFILE", &key_log)
        .stdin(Stdio::null());
    let mut edge = EdgeProcess::spawn_in(&house.0, &mut command);
    let https = edge.address_behind("https://");
    let answer = Visitor::http2(https).await.get("/x").await;
    assert_eq!(answer.text(), "ok");
    eventually("both sides have spoken", async || origin.connections() > 0).await;
    assert!(!key_log.exists());
}
