use cobrowse_edge::backend::roster::Joined;
use cobrowse_edge::backend::session::AgentEvent;
use http::Request;
use serde_json::{Value, json};

use super::house::{
    HOST, House, ORIGIN, SOCKET, closed, forged, frame, hear, hear_until, seen, start_request,
};
use crate::support::{Socket, Told, Visitor, soon};

#[tokio::test]
async fn a_socket_is_for_pages_of_the_very_origin() {
    let house = House::open().await;
    let open = async |lines: &[&str]| {
        Socket::open(house.edge.http, HOST, SOCKET, lines)
            .await
            .err()
    };
    let protocol = "Sec-WebSocket-Protocol: cobrowse.v1";
    let own = format!("Origin: {ORIGIN}");
    assert_eq!(open(&[&own, protocol]).await, None);
    assert_eq!(open(&[&own]).await, Some(400), "without the protocol");
    assert_eq!(
        open(&[&own, "Sec-WebSocket-Protocol: chat"]).await,
        Some(400)
    );
    assert_eq!(open(&[protocol]).await, Some(403), "without an origin");
    for origin in [
        "https://www.bank.example",
        "http://www.bank.example:8080",
        "http://bank.example",
        "http://shop.example",
        "http://www.bank.example.evil.example",
        "http://xwww.bank.example",
        "http://www.bank.example@evil.example",
        "file://",
        "null",
    ] {
        let line = format!("Origin: {origin}");
        assert_eq!(open(&[&line, protocol]).await, Some(403), "{origin}");
        assert_eq!(
            open(&[&own, &line, protocol]).await,
            Some(403),
            "{origin} too"
        );
    }
    for same in ["HTTP://WWW.BANK.EXAMPLE", "http://www.bank.example:80"] {
        let line = format!("Origin: {same}");
        assert_eq!(open(&[&line, protocol]).await, None, "{same}");
    }
    let plain = Request::get(SOCKET)
        .header("host", HOST)
        .header("origin", ORIGIN);
    assert_eq!(house.ask(plain, "").await.status, 426);
}

#[tokio::test]
async fn a_session_runs_from_hello_to_end() {
    let house = House::open().await;
    let cookie = house.start().await;
    let (mut socket, welcome) = house.visit(&cookie, "a", "/desk/x").await;
    let expected = json!({
        "type": "welcome", "page": 1, "session": welcome["session"].clone(), "state": "waiting",
        "shown": true, "watched": false, "paused": false,
        "masks": ["#ssn", ".income", ".of-one"], "agents": { "count": 0, "agentlist": [] },
    });
    assert_eq!(welcome, expected);
    let facts = house.backend().roster().views();
    assert_eq!(
        facts[0].url.as_deref(),
        Some("http://www.bank.example/desk/x"),
        "without the query"
    );

    let mut agent = house.join("anna").await;
    let heard = hear_until(&mut socket, "watch").await;
    let kinds: Vec<_> = heard
        .iter()
        .map(|message| message["type"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["agents", "state", "watch"]);
    let listed = &heard[0]["agentlist"][0];
    for word in ["username", "partneruserid", "name"] {
        assert_eq!(listed[word], "ANNA", "{word}");
    }
    assert!(!heard[0].to_string().contains("anna"), "the login name");
    assert_eq!(
        (&heard[1]["state"], &heard[2]["watched"]),
        (&json!("live"), &json!(true))
    );

    let snapshot = frame(2, 1, 0, b"snapshot");
    socket.send_binary(&snapshot).await;
    assert_eq!(seen(&mut agent).await, snapshot);
    agent.orders.pointer(1, 17, 0.5, 0.25);
    let pointer =
        json!({"type": "pointer", "agent": "ANNA", "page": 1, "node": 17, "x": 0.5, "y": 0.25});
    assert_eq!(hear(&mut socket).await, pointer);

    assert!(agent.orders.end());
    assert_eq!(
        hear(&mut socket).await,
        json!({"type": "ended", "reason": "agent"})
    );
    assert_eq!(closed(&mut socket).await, Some(4410));
    let mut late = house.connect(&cookie).await;
    late.say(&house.hello("a", "/").await.to_string()).await;
    assert_eq!(closed(&mut late).await, Some(4401), "over is over");
}

#[tokio::test]
async fn a_token_that_opens_nothing_is_told_so() {
    let house = House::open().await;
    house.start().await;
    for cookie in ["", "cobrowse=x", &format!("cobrowse={}", "A".repeat(43))] {
        let mut socket = house.connect(cookie).await;
        socket.say(&house.hello("a", "/").await.to_string()).await;
        assert_eq!(closed(&mut socket).await, Some(4401), "{cookie}");
    }
}

#[tokio::test]
async fn a_token_may_come_in_the_message() {
    let house = House::open().await;
    let grant = house.grant("/").await;
    let mut request = start_request(&grant, 1);
    request["storage"] = json!({"kind": "ls"});
    let reply: Value = serde_json::from_str(&house.start_with(&request).await.text()).unwrap();
    let mut hello = house.hello("a", "/").await;
    hello["resume"] = reply["resume"].clone();
    let mut socket = house.connect("").await;
    socket.say(&hello.to_string()).await;
    assert_eq!(hear(&mut socket).await["type"], "welcome");
}

#[tokio::test]
async fn what_is_no_hello_closes_the_socket() {
    let house = House::open().await;
    let cookie = house.start().await;
    let hello = house.hello("a", "/").await;
    let with = |field: &str, value: Value| {
        let mut changed = hello.clone();
        changed[field] = value;
        changed.to_string()
    };
    for said in [
        "{".to_owned(),
        "{}".to_owned(),
        json!({"type": "focus"}).to_string(),
        with("version", json!(2)),
        with("tab", json!("")),
        with("tab", json!("x".repeat(65))),
        with("grant", json!(null)),
        with("focused", json!("yes")),
    ] {
        let mut socket = house.connect(&cookie).await;
        socket.say(&said).await;
        assert_eq!(closed(&mut socket).await, Some(4400), "{said}");
    }
    let mut socket = house.connect(&cookie).await;
    socket.send_binary(&frame(2, 1, 0, b"x")).await;
    assert_eq!(closed(&mut socket).await, Some(4400), "a frame first");
}

#[tokio::test]
async fn what_cannot_be_read_closes_the_socket() {
    let house = House::open().await;
    let cookie = house.start().await;
    let hello = house.hello("a", "/").await.to_string();
    let again = hello.clone();
    let texts = ["[]", "{\"type\":\"pause\"}", "{\"type\":\"bogus\"}", &again];
    for said in texts {
        let (mut socket, _) = house.visit(&cookie, "a", "/").await;
        socket.say(said).await;
        assert_eq!(closed(&mut socket).await, Some(4400), "{said}");
    }
    for bad in [
        frame(3, 1, 0, b"x"),
        frame(1, 1, 0, b""),
        vec![],
        vec![2; 12],
    ] {
        let (mut socket, _) = house.visit(&cookie, "a", "/").await;
        socket.send_binary(&bad).await;
        assert_eq!(closed(&mut socket).await, Some(4400), "{bad:?}");
    }
    let (mut socket, welcome) = house.visit(&cookie, "a", "/").await;
    let page = u32::try_from(welcome["page"].as_u64().unwrap()).unwrap();
    socket.send_binary(&frame(2, page + 1, 0, b"x")).await;
    assert_eq!(
        closed(&mut socket).await,
        Some(4400),
        "a frame of another page"
    );
}

#[tokio::test]
async fn too_much_closes_the_socket() {
    let house = House::open().await;
    let cookie = house.start().await;
    let (mut socket, _) = house.visit(&cookie, "a", "/").await;
    let long = json!({"type": "message", "name": "a", "data": "x".repeat(70_000)});
    socket.say(&long.to_string()).await;
    assert_eq!(closed(&mut socket).await, Some(4429), "a long message");

    let (mut socket, _) = house.visit(&cookie, "a", "/").await;
    socket.send_binary(&vec![2; 9 * 1024 * 1024]).await;
    let code = closed(&mut socket).await;
    assert!(code == Some(4429) || code.is_none(), "{code:?}");

    let (_socket, welcome) = house.visit(&cookie, "a", "/").await;
    assert_eq!(welcome["state"], "waiting", "the session is as it was");
}

#[tokio::test]
async fn who_says_much_is_heard_slowly_and_nothing_is_lost() {
    let house = House::open().await;
    let cookie = house.start().await;
    let (mut socket, _) = house.visit(&cookie, "a", "/").await;
    let mut agent = house.join("anna").await;
    hear_until(&mut socket, "watch").await;
    let begun = std::time::Instant::now();
    let (burst, more) = (200, 20);
    for number in 0..burst + more {
        let message = json!({"type": "message", "name": format!("{number}"), "data": 1});
        socket.say(&message.to_string()).await;
    }
    for number in 0..burst + more {
        assert_eq!(next_name(&mut agent).await, format!("{number}"));
    }
    // A second for twenty; the first of the burst is paid back meanwhile.
    assert!(begun.elapsed() > std::time::Duration::from_millis(800));
    socket.say(r#"{"type":"control","enabled":true}"#).await;
    assert_eq!(hear(&mut socket).await["type"], "control");
}

#[tokio::test]
async fn a_message_with_a_long_name_is_refused_and_no_more() {
    let house = House::open().await;
    let cookie = house.start().await;
    let (mut socket, _) = house.visit(&cookie, "a", "/").await;
    let mut agent = house.join("anna").await;
    hear_until(&mut socket, "watch").await;
    let named = |length: usize| json!({"type": "message", "name": "x".repeat(length), "data": 1});
    socket.say(&named(65).to_string()).await;
    let refused = hear(&mut socket).await;
    assert_eq!(
        (&refused["type"], &refused["error"]["code"]),
        (&json!("refused"), &json!("service"))
    );
    socket.say(&named(64).to_string()).await;
    assert_eq!(next_name(&mut agent).await.len(), 64);
}

async fn next_name(agent: &mut Joined) -> String {
    loop {
        if let AgentEvent::Message { name, .. } = soon(agent.feed.next()).await.unwrap() {
            return name;
        }
    }
}

#[tokio::test]
async fn a_tab_has_one_socket_and_a_session_so_many_tabs() {
    let house = House::open().await;
    let cookie = house.start().await;
    let (mut first, _) = house.visit(&cookie, "a", "/").await;
    let (mut second, welcome) = house.visit(&cookie, "a", "/").await;
    assert_eq!(closed(&mut first).await, Some(4409));
    assert_eq!(welcome["page"], 2);
    let mut tabs = Vec::new();
    for number in 0..15 {
        tabs.push(house.visit(&cookie, &format!("tab{number}"), "/").await);
    }
    let mut one_more = house.connect(&cookie).await;
    one_more
        .say(&house.hello("more", "/").await.to_string())
        .await;
    assert_eq!(closed(&mut one_more).await, Some(4429));
    second.close(4001).await;
    assert!(matches!(
        second.next().await,
        Told::Text(_) | Told::Close(_) | Told::Gone
    ));
}

#[tokio::test]
async fn a_socket_is_dropped_when_its_browser_is_gone_and_told_why_when_it_ends() {
    let house = House::open().await;
    let cookie = house.start().await;
    let (mut one, _) = house.visit(&cookie, "a", "/").await;
    let (two, _) = house.visit(&cookie, "b", "/").await;
    hear_until(&mut one, "shown").await;
    drop(two);
    let shown = hear_until(&mut one, "shown").await;
    assert_eq!(shown.last().unwrap()["shown"], true);
    house
        .post(
            "/_cobrowse/session/end",
            &json!({"reason": "visitor"}),
            &cookie,
        )
        .await;
    let ended = hear_until(&mut one, "ended").await;
    assert_eq!(ended.last().unwrap()["reason"], "visitor");
    assert_eq!(closed(&mut one).await, Some(4410));
}

#[tokio::test]
async fn over_https_only_a_cookie_is_believed_that_the_host_itself_has_set() {
    let house = House::open().await;
    let cookie = house.start().await;
    let token = cookie.strip_prefix("cobrowse=").unwrap();
    let hello = house.hello("a", "/").await.to_string();
    let lines = |cookie: &str| {
        [
            "Origin: https://www.bank.example".to_owned(),
            "Sec-WebSocket-Protocol: cobrowse.v1".to_owned(),
            format!("Cookie: {cookie}"),
        ]
    };
    for (cookie, is_welcome) in [
        (format!("__Host-cobrowse={token}"), true),
        (format!("cobrowse=x; __Host-cobrowse={token}"), true),
        (format!("cobrowse={token}"), false),
        (format!("__Secure-cobrowse={token}"), false),
        (format!("__host-cobrowse={token}"), false),
        (String::new(), false),
    ] {
        let lines = lines(&cookie);
        let lines: Vec<_> = lines.iter().map(String::as_str).collect();
        let address = house.edge.https.unwrap();
        let opened = Socket::open_tls(address, HOST, SOCKET, &lines).await;
        let mut socket = opened.unwrap();
        socket.say(&hello).await;
        match is_welcome {
            true => assert_eq!(hear(&mut socket).await["type"], "welcome", "{cookie}"),
            false => assert_eq!(closed(&mut socket).await, Some(4401), "{cookie}"),
        }
    }
}

#[tokio::test]
async fn a_visitor_who_says_nothing_is_not_waited_for() {
    let house = House::open().await;
    let cookie = house.start().await;
    let mut socket = house.connect(&cookie).await;
    assert_eq!(closed(&mut socket).await, Some(4400));
}

#[tokio::test]
async fn a_frame_is_seen_by_its_own_grant_and_with_its_own_masks() {
    let house = House::open().await;
    let cookie = house.start().await;
    let (mut socket, _) = house.visit(&cookie, "a", "/").await;
    let desk = house.grant("/desk/x").await;
    let ask = async |socket: &mut Socket, grant: &str, url: String| {
        let asked = json!({ "type": "frame", "frame": 7, "grant": grant, "url": url });
        socket.say(&asked.to_string()).await;
        hear(socket).await
    };
    let at_desk = format!("{ORIGIN}/desk/x?canary-in-query=1");
    let seen = json!({ "type": "frame", "frame": 7, "allowed": true, "masks": ["#ssn", ".income", ".of-one"] });
    assert_eq!(ask(&mut socket, &desk, at_desk.clone()).await, seen);

    let elsewhere = ask(&mut socket, &desk, "http://evil.example/desk/x".to_owned()).await;
    assert_eq!(elsewhere["allowed"], true);
    assert!(
        elsewhere["masks"].as_array().unwrap().len() >= 3,
        "all masks: {elsewhere}"
    );

    let hidden = json!({ "type": "frame", "frame": 7, "allowed": false, "masks": [] });
    let other_group = house.grant("/other").await;
    for grant in ["", "v1.k.e30.bWFj", &forged(&desk), &other_group] {
        assert_eq!(
            ask(&mut socket, grant, at_desk.clone()).await,
            hidden,
            "{grant}"
        );
    }
}

#[tokio::test]
async fn a_session_runs_over_http2() {
    let house = House::open().await;
    let cookie = house.start().await;
    let mut visitor = Visitor::http2(house.edge.https.unwrap()).await;
    let lines = [
        "origin: https://www.bank.example",
        "sec-websocket-protocol: cobrowse.v1",
        &format!(
            "cookie: {}",
            cookie.replacen("cobrowse", "__Host-cobrowse", 1)
        ),
    ];
    let refused = Socket::open_stream(&mut visitor, HOST, SOCKET, &lines[1..]).await;
    assert_eq!(refused.err(), Some(403), "without an origin");
    let opened = Socket::open_stream(&mut visitor, HOST, SOCKET, &lines).await;
    let mut socket = opened.unwrap_or_else(|status| panic!("{status}"));
    socket
        .say(&house.hello("a", "/desk/x").await.to_string())
        .await;
    assert_eq!(hear(&mut socket).await["type"], "welcome");
    let mut agent = house.join("anna").await;
    hear_until(&mut socket, "watch").await;
    let snapshot = frame(2, 1, 0, b"snapshot");
    socket.send_binary(&snapshot).await;
    assert_eq!(seen(&mut agent).await, snapshot);
    assert!(agent.orders.end());
    hear_until(&mut socket, "ended").await;
    assert_eq!(closed(&mut socket).await, Some(4410));
}
