use std::time::{Duration, Instant};

use serde_json::{Value, json};

use cobrowse_edge::wire::TrustedPeers;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::house::{ALL, END, Office, PASSWORD, VIEW, hears, login, login_for, rights};
use crate::backend::house::closed;
use crate::support::soon;

#[tokio::test]
async fn an_agent_logs_in_and_out() {
    let office = Office::open(&[("ada", ALL, VIEW)]).await;
    let ada = office.login("Ada").await;
    let again = login(office.address, "ada", PASSWORD).await;
    let cookie = again.header("set-cookie");
    let (value, rest) = cookie.split_once(';').unwrap();
    assert!(
        value.starts_with("cobrowse-agent=") && value.len() == 15 + 43,
        "{cookie}"
    );
    assert_eq!(rest, " Path=/; HttpOnly; SameSite=Strict");
    assert_ne!(value, ada.cookie, "each login has a token of its own");
    let account: Value = serde_json::from_str(&ada.get("/api/account").await.text()).unwrap();
    assert_eq!(
        account,
        json!({ "name": "ada", "display_name": "ADA", "groups": [
            { "id": 1, "name": "1", "view": true, "point": true, "end": true },
            { "id": 2, "name": "2", "view": true, "point": false, "end": false },
        ] })
    );
    let (mut desk, mut seat) = (ada.desk().await, ada.socket("/api/session").await);
    hears(&mut desk, "account").await;
    let began = Instant::now();
    let out = ada.post("/api/logout", "").await;
    assert_eq!(out.status, 204);
    assert!(out.header("set-cookie").contains("Max-Age=0"));
    assert_eq!(closed(&mut desk).await, Some(4401));
    assert_eq!(closed(&mut seat).await, Some(4401));
    assert!(began.elapsed() < Duration::from_secs(1));
    assert_eq!(ada.get("/api/account").await.status, 401);
    assert_eq!(ada.post("/api/logout", "").await.status, 204, "again");
}

#[tokio::test]
async fn guessing_is_slowed_down_and_tells_nothing() {
    let office = Office::open(&[("ada", ALL, VIEW)]).await;
    office.login("ada").await;
    let mut told = Vec::new();
    for name in ["ada", "nobody"] {
        for _ in 0..6 {
            let answer = login(office.address, name, "wrong").await;
            told.push((answer.status.as_u16(), answer.text()));
            if answer.status == 429 {
                let wait: u64 = answer.header("retry-after").parse().unwrap();
                assert!((1..=31).contains(&wait), "{wait}");
            }
        }
    }
    let statuses: Vec<_> = told.iter().map(|(status, _)| *status).collect();
    assert_eq!(statuses[..6], [401, 401, 401, 401, 401, 429]);
    assert_eq!(statuses[6..], statuses[..6]);
    assert_eq!(told[0], told[6], "the same words for somebody and nobody");
    let right = login(office.address, "ada", PASSWORD).await;
    assert_eq!(right.status, 429, "also with the right one");
}

/// Five wrong guesses from one address, and then the right password from there and from elsewhere.
async fn after_guesses(office: &Office) -> (u16, u16) {
    let guess = async |agent: &str, password: &str| {
        let answer = login_for(office.address, agent, "ada", password).await;
        answer.status.as_u16()
    };
    for _ in 0..5 {
        assert_eq!(guess("192.0.2.1", "wrong").await, 401);
    }
    (
        guess("192.0.2.1", PASSWORD).await,
        guess("198.51.100.2", PASSWORD).await,
    )
}

#[tokio::test]
async fn behind_a_proxy_agents_are_told_apart_if_the_proxy_is_believed() {
    let loopback = || TrustedPeers::new(vec!["127.0.0.0/8".parse().unwrap()]);
    let office = Office::open_with(&[("ada", ALL, VIEW)], |config| {
        config.trusted_peers = loopback();
    });
    assert_eq!(after_guesses(&office.await).await, (429, 200));
    let office = Office::open(&[("ada", ALL, VIEW)]).await;
    assert_eq!(
        after_guesses(&office).await,
        (429, 429),
        "by anybody's word"
    );
}

#[tokio::test]
async fn a_load_balancer_says_for_whom_it_connects() {
    let office = Office::open_with(&[("ada", ALL, VIEW)], |config| {
        let networks = vec!["127.0.0.0/8".parse().unwrap()];
        config.server.proxy_protocol = TrustedPeers::new(networks);
    });
    let office = office.await;
    let guess = async |agent: &str, password: &str| {
        let body = json!({ "name": "ada", "password": password }).to_string();
        let address = office.address;
        let text = format!(
            "PROXY TCP4 {agent} 127.0.0.1 1 2\r\n\
             POST /api/login HTTP/1.1\r\nHost: {address}\r\nOrigin: http://{address}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        );
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(text.as_bytes()).await.unwrap();
        let mut answer = String::new();
        soon(stream.read_to_string(&mut answer)).await.unwrap();
        answer[9..12].to_owned()
    };
    for _ in 0..5 {
        assert_eq!(guess("192.0.2.1", "wrong").await, "401");
    }
    assert_eq!(guess("192.0.2.1", PASSWORD).await, "429");
    assert_eq!(guess("198.51.100.2", PASSWORD).await, "200");
}

/// What another process takes away, as `cobrowse-edge agent` does.
#[tokio::test]
async fn what_is_taken_away_closes_sockets_within_a_second() {
    let office = Office::open(&[("ada", ALL, VIEW), ("bo", ALL, END)]).await;
    let _page = office.visitor(1).await;
    let (session, _) = office.session(1);
    let (ada, bo) = (office.login("ada").await, office.login("bo").await);
    let (mut hers, mut his) = (ada.join(&session).await, bo.join(&session).await);
    let mut desk = ada.desk().await;
    hears(&mut desk, "sessions").await;

    let began = Instant::now();
    office.set_rights("ada", 1, rights(true, false, false));
    let told = loop {
        let told = hears(&mut hers, "session").await["session"]["may"].clone();
        if told["end"] == false {
            break told;
        }
    };
    assert_eq!(told, json!({ "view": true, "point": false, "end": false }));
    assert!(
        began.elapsed() < Duration::from_secs(1),
        "{:?}",
        began.elapsed()
    );

    let began = Instant::now();
    office.set_rights("ada", 1, rights(false, false, false));
    assert_eq!(closed(&mut hers).await, Some(4403));
    assert!(
        began.elapsed() < Duration::from_secs(1),
        "{:?}",
        began.elapsed()
    );
    while hears(&mut desk, "account").await["account"]["groups"][0]["id"] != 2 {}
    let list = hears(&mut desk, "sessions").await;
    assert_eq!(
        list["sessions"],
        json!([]),
        "no session of a group without a right"
    );

    let began = Instant::now();
    office
        .database()
        .remove_agent(&"bo".parse().unwrap())
        .unwrap();
    assert_eq!(closed(&mut his).await, Some(4401));
    assert!(
        began.elapsed() < Duration::from_secs(1),
        "{:?}",
        began.elapsed()
    );
    assert_eq!(bo.get("/api/account").await.status, 401);
}

#[tokio::test]
async fn a_new_password_closes_sockets_within_a_second() {
    let office = Office::open(&[("ada", ALL, VIEW)]).await;
    let ada = office.login("ada").await;
    let mut desk = ada.desk().await;
    hears(&mut desk, "sessions").await;
    let hash = cobrowse_edge::backend::access::hash_password("another password").unwrap();
    let began = Instant::now();
    office
        .database()
        .set_password(&"ada".parse().unwrap(), &hash)
        .unwrap();
    assert_eq!(closed(&mut desk).await, Some(4401));
    assert!(
        began.elapsed() < Duration::from_secs(1),
        "{:?}",
        began.elapsed()
    );
}
