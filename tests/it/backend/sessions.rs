use std::sync::Arc;

use cobrowse_edge::backend::protocol::SuspendReason;
use cobrowse_edge::backend::session::{AgentEvent, SessionFacts, Standing};
use serde_json::{Value, json};

use super::house::{
    House, ORIGIN, closed, cookie_of, forged, frame, hear, hear_until, rules, seen, start_request,
};
use crate::support::{Socket, eventually, soon};

async fn standing(house: &House, wanted: Standing) {
    let what = format!("{wanted:?}");
    eventually(&what, async || {
        let sessions = house.backend().roster().views();
        sessions.iter().any(|facts| facts.standing == wanted)
    })
    .await;
}

fn facts(house: &House) -> Arc<SessionFacts> {
    Arc::clone(&house.backend().roster().views()[0])
}

const GROUP: Standing = Standing::Suspended(SuspendReason::Group);
const NAVIGATING: Standing = Standing::Suspended(SuspendReason::Navigating);

#[tokio::test]
async fn a_page_without_the_group_suspends_and_the_next_with_it_goes_on() {
    let house = House::open().await;
    let cookie = house.start().await;
    let (mut socket, _) = house.visit(&cookie, "a", "/").await;
    let mut agent = house.join("anna").await;
    hear_until(&mut socket, "watch").await;
    socket.send_binary(&frame(2, 1, 0, b"first")).await;
    assert_eq!(seen(&mut agent).await, frame(2, 1, 0, b"first"));
    socket.close(4001).await;
    standing(&house, NAVIGATING).await;

    let (mut socket, welcome) = house.visit(&cookie, "a", "/other").await;
    assert_eq!(
        (&welcome["state"], &welcome["reason"]),
        (&json!("suspended"), &json!("group"))
    );
    assert_eq!(
        (&welcome["page"], &welcome["masks"]),
        (&json!(2), &json!([]))
    );
    standing(&house, GROUP).await;
    socket.send_binary(&frame(2, 2, 0, b"not for anna")).await;
    socket
        .say(r#"{"type":"message","name":"mark","data":1}"#)
        .await;
    assert_eq!(house.backend().roster().views()[0].url, None);
    socket.close(4001).await;
    let (mut socket, welcome) = house.visit(&cookie, "a", "/desk/x").await;
    assert_eq!(
        (&welcome["state"], &welcome["watched"]),
        (&json!("live"), &json!(true))
    );
    socket.send_binary(&frame(2, 3, 0, b"third")).await;
    // Of the page of another group nothing came: no frame, no address, no word.
    loop {
        match soon(agent.feed.next()).await.unwrap() {
            AgentEvent::Frame(seen) => break assert_eq!(seen, frame(2, 3, 0, b"third")),
            AgentEvent::Message { .. } => panic!("a page of another group was heard"),
            AgentEvent::Session(facts) => {
                let url = facts.url.as_deref();
                assert!(url.is_none_or(|url| !url.ends_with("/other")), "{url:?}");
            }
            _ => {}
        }
    }
}

#[tokio::test]
async fn a_forged_grant_suspends() {
    let house = House::open().await;
    let cookie = house.start().await;
    let mut hello = house.hello("a", "/").await;
    let grant = hello["grant"].as_str().unwrap().to_owned();
    hello["grant"] = json!(forged(&grant));
    let mut socket = house.connect(&cookie).await;
    socket.say(&hello.to_string()).await;
    let welcome = hear(&mut socket).await;
    assert_eq!(
        (&welcome["state"], &welcome["reason"]),
        (&json!("suspended"), &json!("group"))
    );
    standing(&house, GROUP).await;
}

#[tokio::test]
async fn the_tab_with_the_focus_is_shown_and_its_page_is_looked_at() {
    let house = House::open().await;
    let cookie = house.start().await;
    let (mut one, _) = house.visit(&cookie, "one", "/").await;
    let mut agent = house.join("anna").await;
    hear_until(&mut one, "watch").await;
    let (mut other, welcome) = house.visit(&cookie, "two", "/other").await;
    assert_eq!(welcome["shown"], true);
    assert_eq!(
        hear(&mut one).await,
        json!({"type": "shown", "shown": false})
    );
    standing(&house, GROUP).await;
    one.say(r#"{"type":"focus"}"#).await;
    standing(&house, Standing::Live).await;
    let heard = hear_until(&mut one, "watch").await;
    assert!(heard.contains(&json!({"type": "shown", "shown": true})));
    assert_eq!(heard.last().unwrap()["watched"], true);
    assert_eq!(
        hear(&mut other).await,
        json!({"type": "shown", "shown": false})
    );
    one.send_binary(&frame(2, 1, 0, b"one")).await;
    assert_eq!(seen(&mut agent).await, frame(2, 1, 0, b"one"));
}

#[tokio::test]
async fn who_joins_late_sees_the_whole_page() {
    let house = House::open().await;
    let cookie = house.start().await;
    let (mut socket, _) = house.visit(&cookie, "a", "/").await;
    let mut anna = house.join("anna").await;
    hear_until(&mut socket, "watch").await;
    let frames: Vec<_> = (0..400_u64)
        .map(|number| frame(if number == 0 { 2 } else { 1 }, 1, number, b"x"))
        .collect();
    for sent in &frames {
        socket.send_binary(sent).await;
        assert_eq!(seen(&mut anna).await, *sent);
    }
    let mut ben = house.join("ben").await;
    for expected in &frames {
        assert_eq!(seen(&mut ben).await, *expected);
    }
}

#[tokio::test]
async fn a_slow_agent_holds_up_nobody() {
    let house = House::open().await;
    let cookie = house.start().await;
    let (mut socket, _) = house.visit(&cookie, "a", "/").await;
    let mut quick = house.join("quick").await;
    let mut slow = house.join("slow").await;
    hear_until(&mut socket, "watch").await;
    let piece = vec![7; 100 * 1024];
    let mut sequence = 0;
    for _ in 0..60 {
        let sent = frame(if sequence == 0 { 2 } else { 1 }, 1, sequence, &piece);
        socket.send_binary(&sent).await;
        assert_eq!(seen(&mut quick).await, sent);
        sequence += 1;
    }
    assert_eq!(
        hear_until(&mut socket, "snapshot").await.len(),
        2,
        "agents, snapshot"
    );
    let fresh = frame(2, 1, sequence, b"fresh");
    socket.send_binary(&fresh).await;
    assert_eq!(seen(&mut quick).await, fresh);
    assert_eq!(seen(&mut slow).await, b"reset");
    assert_eq!(seen(&mut slow).await, fresh);
}

#[tokio::test]
async fn a_session_outlives_the_process() {
    let house = House::open().await;
    let cookie = house.start().await;
    let (mut socket, welcome) = house.visit(&cookie, "a", "/").await;
    let hello = house.hello("a", "/").await.to_string();
    socket
        .say(r#"{"type":"pause","paused":true,"message":"a moment"}"#)
        .await;
    eventually("the pause is seen", async || facts(&house).paused.is_some()).await;
    let before = facts(&house);
    let ending = tokio::spawn(house.reopen());
    assert_eq!(closed(&mut socket).await, Some(1012), "look for it again");
    let house = ending.await.unwrap();
    assert_eq!(facts(&house).standing, NAVIGATING);
    assert_eq!(
        (facts(&house).id, &facts(&house).key),
        (before.id, &before.key)
    );
    // The same page, which was loaded before: its grant is believed.
    let mut socket = house.connect(&cookie).await;
    socket.say(&hello).await;
    let again = hear(&mut socket).await;
    assert_eq!(again["session"], welcome["session"]);
    assert_eq!(
        (&again["state"], &again["paused"]),
        (&json!("waiting"), &json!(true))
    );
}

#[tokio::test]
async fn other_rules_hold_for_the_next_page() {
    let house = House::open().await;
    let cookie = house.start().await;
    let (_socket, welcome) = house.visit(&cookie, "a", "/desk/x").await;
    assert_eq!(welcome["masks"], json!(["#ssn", ".income", ".of-one"]));
    let hello = house.hello("a", "/desk/x").await.to_string();
    let changed = rules(house.origin.address).replace(".income", ".salary");
    house.renew(&changed);
    // A page that was loaded under the rules of before gets every mask that there is now.
    let mut socket = house.connect(&cookie).await;
    socket.say(&hello).await;
    assert_eq!(
        hear(&mut socket).await["masks"],
        json!(["#ssn", ".salary", ".of-one"])
    );
}

#[tokio::test]
async fn a_group_that_is_taken_out_of_a_rule_goes_on_nowhere() {
    let house = House::open().await;
    let hello = house.hello("a", "/desk/x").await;
    let grant = hello["grant"].as_str().unwrap().to_owned();
    let start = house.start_with(&start_request(&grant, 2)).await;
    let cookie = cookie_of(&start);
    let say_hello = async |url: &str| {
        let mut hello = hello.clone();
        hello["page"]["url"] = json!(format!("{ORIGIN}{url}"));
        let mut socket = house.connect(&cookie).await;
        socket.say(&hello.to_string()).await;
        let welcome = hear(&mut socket).await;
        (socket, welcome)
    };
    // By history.pushState a page can be anywhere.
    for url in ["/desk/x", "/moved", "/other", "/"] {
        let (_socket, welcome) = say_hello(url).await;
        assert_eq!(welcome["state"], "waiting", "{url}");
        assert!(welcome.get("refusal").is_none(), "{url}");
    }
    let (mut before, _) = say_hello("/moved").await;
    let changed = rules(house.origin.address).replace("additional_groups = [2]", "");
    house.renew(&changed);
    before.say(r#"{"type":"focus"}"#).await;
    let heard = hear_until(&mut before, "state").await;
    let refusal = json!({
        "code": "groupid",
        "msg": "group 2 is not among those of this page: 1",
        "params": {"groupid": 2, "allowed": [1]},
    });
    assert_eq!(heard[0], json!({"type": "refused", "error": refusal}));
    for url in ["/desk/x", "/moved", "/other", "/"] {
        let (_socket, welcome) = say_hello(url).await;
        assert_eq!(welcome["state"], "suspended", "{url}");
        assert_eq!(welcome["refusal"], refusal, "{url}");
    }
    for url in ["/desk/x", "/moved"] {
        let mut start = start_request(&grant, 2);
        start["url"] = json!(format!("{ORIGIN}{url}"));
        let answer = house.start_with(&start).await;
        assert_eq!(answer.status, 403, "{url}");
        let told: Value = serde_json::from_str(&answer.text()).unwrap();
        assert_eq!(told["error"], refusal, "{url}");
        start["group"] = json!(1);
        assert_eq!(house.start_with(&start).await.status, 200, "{url}");
    }
}

#[tokio::test]
async fn a_page_hears_why_it_cannot_go_on() {
    let house = House::open().await;
    let cookie = house.start().await;
    let (_socket, welcome) = house.visit(&cookie, "a", "/other").await;
    let refusal = |allowed: &[u32], names: &str| {
        json!({
            "code": "groupid",
            "msg": format!("group 1 is not among those of this page: {names}"),
            "params": {"groupid": 1, "allowed": allowed},
        })
    };
    assert_eq!(welcome["refusal"], refusal(&[2], "2"));
    let mut hello = house.hello("b", "/").await;
    let grant = hello["grant"].as_str().unwrap().to_owned();
    hello["grant"] = json!(forged(&grant));
    let mut socket = house.connect(&cookie).await;
    socket.say(&hello.to_string()).await;
    assert_eq!(hear(&mut socket).await["refusal"], refusal(&[], ""));
}

#[tokio::test]
async fn nothing_of_a_page_is_on_disk() {
    let house = House::open().await;
    let cookie = house.start().await;
    let (mut socket, _) = house.visit(&cookie, "a", "/desk/canary-in-path").await;
    let mut agent = house.join("anna").await;
    hear_until(&mut socket, "watch").await;
    socket
        .send_binary(&frame(2, 1, 0, b"canary-in-frame"))
        .await;
    seen(&mut agent).await;
    say_and_wait(&mut socket, &mut agent).await;
    let token = cookie.split('=').nth(1).unwrap().to_owned();
    let files = house.files.0.clone();
    house.edge.end().await;
    let mut looked_at = 0;
    for file in std::fs::read_dir(files).unwrap() {
        let path = file.unwrap().path();
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            // SQLite takes its working files away when the last handle goes, which may be just now.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => panic!("{}: {error}", path.display()),
        };
        looked_at += bytes.len();
        for secret in ["canary-in", &token] {
            let found = bytes
                .windows(secret.len())
                .any(|part| part == secret.as_bytes());
            assert!(!found, "{secret} in {}", path.display());
        }
    }
    assert!(looked_at > 0);
}

async fn say_and_wait(socket: &mut Socket, agent: &mut cobrowse_edge::backend::roster::Joined) {
    socket
        .say(r#"{"type":"message","name":"canary-in-name","data":"canary-in-message"}"#)
        .await;
    while !matches!(
        soon(agent.feed.next()).await.unwrap(),
        AgentEvent::Message { .. }
    ) {}
}
