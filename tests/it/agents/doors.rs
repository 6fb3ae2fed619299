use cobrowse_edge::config::ConsoleOrigin;
use cobrowse_edge::wire::Scheme;
use http::Request;
use serde_json::json;

use super::house::{ALL, Office, PASSWORD, VIEW, hears};
use crate::backend::house::closed;
use crate::support::{Answer, Socket, Visitor};

const OFFICE: &[(
    &str,
    cobrowse_edge::backend::store::Rights,
    cobrowse_edge::backend::store::Rights,
)] = &[("ada", ALL, VIEW)];

/// Origins that are not the console's.
fn foreign(office: &Office) -> Vec<String> {
    let port = office.address.port();
    let origins = [
        "null",
        "http://evil.example",
        "https://127.0.0.1:PORT",
        "http://127.0.0.1",
        "http://127.0.0.1:80",
        "http://127.0.0.1:PORT/",
        "http://127.0.0.1:PORT0",
        "http://127.0.0.1.evil.example:PORT",
        "http://evil.example#127.0.0.1:PORT",
        "http://user@127.0.0.1:PORT",
        "http://localhost:PORT",
        "http://[::1]:PORT",
        "http://0.0.0.0:PORT",
        "http://2130706433:PORT",
        "http://www.bank.example",
        "ws://127.0.0.1:PORT",
        "127.0.0.1:PORT",
    ];
    origins
        .map(|origin| origin.replace("PORT", &port.to_string()))
        .into()
}

#[tokio::test]
async fn no_socket_opens_for_another_page_or_for_none() {
    let office = Office::open(OFFICE).await;
    let ada = office.login("ada").await;
    let host = office.address.to_string();
    let open = async |origin: Option<String>, protocol: &str, path: &str| {
        let mut lines = vec![format!("Cookie: {}", ada.cookie)];
        lines.extend(origin.map(|origin| format!("Origin: {origin}")));
        lines.push(format!("Sec-WebSocket-Protocol: {protocol}"));
        let lines: Vec<_> = lines.iter().map(String::as_str).collect();
        Socket::open(office.address, &host, path, &lines)
            .await
            .map(|_| ())
    };
    let ours = Some(format!("http://{}", office.address));
    for path in ["/api/desk", "/api/session"] {
        for origin in foreign(&office) {
            let found = open(Some(origin.clone()), "cobrowse-agent.v1", path).await;
            assert_eq!(found, Err(403), "{origin}");
        }
        assert_eq!(open(None, "cobrowse-agent.v1", path).await, Err(403));
        assert_eq!(open(ours.clone(), "cobrowse.v1", path).await, Err(400));
        assert_eq!(open(ours.clone(), "cobrowse-agent.v1", path).await, Ok(()));
    }
}

#[tokio::test]
async fn nothing_is_changed_for_another_page() {
    let office = Office::open(OFFICE).await;
    let ada = office.login("ada").await;
    let host = office.address.to_string();
    let post = async |path: &str, origin: Option<&str>, site: Option<&str>| {
        let mut request = Request::post(path)
            .header("host", &host)
            .header("content-type", "application/json")
            .header("cookie", &ada.cookie);
        if let Some(origin) = origin {
            request = request.header("origin", origin);
        }
        if let Some(site) = site {
            request = request.header("sec-fetch-site", site);
        }
        let body = json!({ "name": "ada", "password": "x" }).to_string();
        Visitor::http1(office.address)
            .await
            .send_with_body(request, body)
            .await
    };
    for path in ["/api/login", "/api/logout"] {
        for origin in foreign(&office) {
            let answer = post(path, Some(&origin), None).await;
            refused(&answer, 403, "origin");
        }
        refused(&post(path, None, None).await, 403, "origin");
        let ours = format!("http://{host}");
        for site in ["cross-site", "same-site"] {
            refused(&post(path, Some(&ours), Some(site)).await, 403, "origin");
        }
    }
    assert_eq!(ada.get("/api/account").await.status, 200, "still logged in");
}

#[track_caller]
fn refused(answer: &Answer, status: u16, code: &str) {
    let text = answer.text();
    assert_eq!(answer.status, status, "{text}");
    let told: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(told["code"], code);
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.header("access-control-allow-origin"), "");
}

#[tokio::test]
async fn a_name_of_somebody_elses_is_no_way_in() {
    let office = Office::open(OFFICE).await;
    let ada = office.login("ada").await;
    for host in ["evil.example", "www.bank.example", "127.0.0.1", "localhost"] {
        for path in ["/", "/replay", "/api/account"] {
            let request = Request::get(path)
                .header("host", host)
                .header("cookie", &ada.cookie);
            let answer = Visitor::http1(office.address).await.send(request).await;
            assert_eq!(answer.status, 403, "{host} {path}");
        }
    }
}

#[tokio::test]
async fn without_a_login_nothing_is_told() {
    let office = Office::open(OFFICE).await;
    let mut ada = office.login("ada").await;
    for cookie in [
        String::new(),
        "cobrowse-agent=".to_owned(),
        format!("cobrowse-agent={}", "A".repeat(43)),
        format!("{0}; {0}", ada.cookie),
        format!("x{}", ada.cookie),
        ada.cookie
            .replace("cobrowse-agent", "__Host-cobrowse-agent"),
        format!("{}A", ada.cookie),
    ] {
        ada.cookie = cookie;
        refused(&ada.get("/api/account").await, 401, "login");
        for path in ["/api/desk", "/api/session"] {
            let mut socket = ada.socket(path).await;
            assert_eq!(closed(&mut socket).await, Some(4401), "{}", ada.cookie);
        }
    }
}

/// Something in front of the edge does TLS; what counts is what agents' browsers show.
#[tokio::test]
async fn over_https_the_login_is_in_a_cookie_that_only_the_host_can_set() {
    let office = Office::open_with(OFFICE, |config| {
        config.agents.as_mut().unwrap().origin = Some(ConsoleOrigin {
            scheme: Scheme::Https,
            authority: "agents.bank.example".parse().unwrap(),
        });
    });
    let office = office.await;
    let body = json!({ "name": "ada", "password": PASSWORD }).to_string();
    let request = Request::post("/api/login")
        .header("host", "agents.bank.example")
        .header("origin", "https://agents.bank.example")
        .header("content-type", "application/json");
    let mut visitor = Visitor::http1(office.address).await;
    let answer = visitor.send_with_body(request, body).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let (cookie, rest) = answer.header("set-cookie").split_once(';').unwrap();
    let token = cookie.strip_prefix("__Host-cobrowse-agent=").unwrap();
    assert_eq!(rest, " Path=/; HttpOnly; SameSite=Strict; Secure");
    for (cookie, is_known) in [
        (cookie.to_owned(), true),
        (format!("cobrowse-agent={token}"), false),
        (format!("__Secure-cobrowse-agent={token}"), false),
        (format!("{cookie}; {cookie}"), false),
    ] {
        let lines = [
            "Origin: https://agents.bank.example",
            "Sec-WebSocket-Protocol: cobrowse-agent.v1",
            &format!("Cookie: {cookie}"),
        ];
        let host = "agents.bank.example";
        let opened = Socket::open(office.address, host, "/api/desk", &lines).await;
        let mut socket = opened.unwrap();
        match is_known {
            true => drop(hears(&mut socket, "account").await),
            false => assert_eq!(closed(&mut socket).await, Some(4401), "{cookie}"),
        }
    }
}

#[tokio::test]
async fn an_agent_who_answers_nothing_is_let_go_of_and_one_who_does_stays() {
    let office = Office::open(OFFICE).await;
    let ada = office.login("ada").await;
    let (mut deaf, mut awake) = (ada.desk().await, ada.desk().await);
    tokio::time::pause();
    let begun = tokio::time::Instant::now();
    let ignoring = tokio::spawn(async move {
        deaf.ignore().await;
        begun.elapsed().as_secs()
    });
    while begun.elapsed() < std::time::Duration::from_mins(5) {
        hears(&mut awake, "beat").await;
    }
    let silent = ignoring.await.unwrap();
    assert!((59..=63).contains(&silent), "{silent} s");
}

#[tokio::test]
async fn visitors_and_agents_do_not_meet_on_one_listener() {
    let office = Office::open(OFFICE).await;
    let ada = office.login("ada").await;
    for path in [
        "/_cobrowse/CobrowseJS.ashx",
        "/_cobrowse/session/socket",
        "/metrics",
        "/api",
        "/api/desk/x",
    ] {
        assert_eq!(ada.get(path).await.status, 404, "{path}");
    }
    for path in ["/api/account", "/api/login", "/replay"] {
        let request = Request::get(path)
            .header("host", "www.bank.example")
            .header("accept", "*/*");
        let answer = office.house.ask(request, "").await;
        assert!(answer.text().contains("a page"), "{path} is the site's own");
    }
}

#[tokio::test]
async fn the_console_is_served_with_its_policies() {
    let office = Office::open(OFFICE).await;
    let nobody = super::house::Browser {
        address: office.address,
        cookie: String::new(),
    };
    for path in [
        "/",
        "/agentjoin/AgentView.aspx?SessionKey=1&Wait=1",
        "/replay",
    ] {
        let answer = nobody.get(path).await;
        assert_eq!(answer.status, 200, "{path}");
        assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("referrer-policy"), "no-referrer");
        assert_eq!(answer.header("cross-origin-opener-policy"), "same-origin");
        assert_eq!(answer.header("cache-control"), "no-cache");
        let policy = answer.header("content-security-policy");
        assert!(
            policy.starts_with("default-src 'none'; script-src 'self'; "),
            "{policy}"
        );
        let sites = "https://www.bank.example ";
        assert_eq!(policy.contains(sites), path == "/replay", "{policy}");
        assert!(
            !policy.contains(":*"),
            "no port but the site's own: {policy}"
        );
        let embedder = answer.headers.get("cross-origin-embedder-policy");
        let without_credentials = embedder.is_some_and(|value| value == "credentialless");
        assert_eq!(without_credentials, path == "/replay");
        for asset in answer
            .text()
            .split('"')
            .filter(|text| text.starts_with("/assets/"))
        {
            let asset = nobody.get(asset).await;
            assert_eq!(asset.status, 200);
            assert!(asset.header("cache-control").contains("immutable"));
        }
    }
    assert!(nobody.get("/").await.text().contains("/assets/"));
}

#[tokio::test]
async fn bodies_are_json_and_small() {
    let office = Office::open(OFFICE).await;
    let ada = office.login("ada").await;
    let long = format!(
        "{{\"name\":\"{}\",\"password\":\"\"}}",
        "x".repeat(16 * 1024)
    );
    for (body, status, code) in [
        ("", 400, "malformed"),
        ("{}", 400, "malformed"),
        ("[]", 400, "malformed"),
        ("{\"name\":\"ada\",\"password\":1}", 400, "malformed"),
        (
            "{\"name\":\"ada\",\"password\":\"x\",\"admin\":true}",
            400,
            "malformed",
        ),
        (&long, 413, "large"),
    ] {
        refused(&ada.post("/api/login", body).await, status, code);
    }
    let host = office.address.to_string();
    for media_type in ["text/plain", "application/x-www-form-urlencoded", ""] {
        let request = Request::post("/api/login")
            .header("host", &host)
            .header("origin", format!("http://{host}"))
            .header("content-type", media_type);
        let body = json!({ "name": "ada", "password": "x" }).to_string();
        let answer = Visitor::http1(office.address)
            .await
            .send_with_body(request, body)
            .await;
        refused(&answer, 415, "malformed");
    }
    refused(&ada.get("/api/login").await, 405, "method");
    refused(&ada.post("/api/account", "").await, 405, "method");
}

#[tokio::test]
async fn what_cannot_be_read_or_is_too_much_closes_the_socket() {
    let office = Office::open(OFFICE).await;
    let _page = office.visitor(1).await;
    let ada = office.login("ada").await;
    let (session, _) = office.session(1);
    for text in [
        "",
        "{}",
        "{\"type\":\"join\",\"key\":\"\"}",
        "{\"type\":\"end\"}",
    ] {
        let mut socket = ada.socket("/api/session").await;
        socket.say(text).await;
        assert_eq!(closed(&mut socket).await, Some(4400), "{text}");
    }
    let mut socket = ada.join(&session).await;
    socket.send_binary(b"x").await;
    assert_eq!(closed(&mut socket).await, Some(4400));
    let mut socket = ada.join(&session).await;
    for _ in 0..500 {
        socket.say("{\"type\":\"active\"}").await;
    }
    assert_eq!(closed(&mut socket).await, Some(4429));
    let mut desk = ada.desk().await;
    hears(&mut desk, "sessions").await;
    desk.say("{\"type\":\"end\"}").await;
    assert_eq!(closed(&mut desk).await, Some(4400));
}

#[tokio::test]
async fn a_login_has_so_many_sockets() {
    let office = Office::open(OFFICE).await;
    let ada = office.login("ada").await;
    let mut desks = Vec::new();
    for _ in 0..4 {
        let mut desk = ada.desk().await;
        hears(&mut desk, "account").await;
        desks.push(desk);
    }
    let mut one_more = ada.desk().await;
    assert_eq!(closed(&mut one_more).await, Some(4429));
}

#[tokio::test]
async fn sockets_are_opened_over_http2_too() {
    let office = Office::open_with(OFFICE, |config| {
        config.agents.as_mut().unwrap().scheme = Scheme::Https;
    })
    .await;
    let mut browser = Visitor::http2(office.address).await;
    let host = office.address.to_string();
    let protocol = "sec-websocket-protocol: cobrowse-agent.v1";
    let own = format!("origin: https://{host}");
    for (lines, refused) in [
        (&[protocol][..], Some(403)),
        (&["origin: https://www.evil.example", protocol], Some(403)),
        (&[&own], Some(400)),
        (&[&own, protocol], None),
    ] {
        let opened = Socket::open_stream(&mut browser, &host, "/api/desk", lines).await;
        match opened {
            Ok(mut socket) => {
                assert_eq!(refused, None, "{lines:?}");
                assert_eq!(closed(&mut socket).await, Some(4401), "nobody is logged in");
            }
            Err(status) => assert_eq!(Some(status), refused, "{lines:?}"),
        }
    }
}
