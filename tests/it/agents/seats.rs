use cobrowse_edge::backend::store::Rights;
use serde_json::json;

use super::house::{ALL, END, Office, POINT, Page, VIEW, hears, rights, sees};
use crate::backend::house::closed;
use crate::support::{Socket, Told, eventually};

const NONE: Rights = rights(false, false, false);

/// Every set of rights, as an agent's name.
const ROLES: [(&str, Rights); 8] = [
    ("none", NONE),
    ("view", VIEW),
    ("point", POINT),
    ("end", END),
    ("view-point", rights(true, true, false)),
    ("view-end", rights(true, false, true)),
    ("point-end", rights(false, true, true)),
    ("all", ALL),
];

/// Role by action, over sockets: what is allowed happens at the visitor's, what is not is denied and audited.
#[tokio::test]
async fn every_role_by_every_action() {
    let office = Office::open(&ROLES.map(|(name, one)| (name, one, NONE))).await;
    for (name, held) in ROLES {
        let mut page = office.visitor(1).await;
        let (session, _) = office.session(1);
        let agent = office.login(name).await;
        let (mut seat, answer) = agent.ask(&json!({ "session": session })).await;
        if !held.any() {
            assert_eq!(answer["code"], "unknown", "{name}");
            assert_eq!(closed(&mut seat).await, Some(4403));
            office.end(page, &session).await;
            continue;
        }
        assert_eq!(answer["type"], "joined", "{name}");
        every_action(&mut page, &mut seat, held, name).await;
        let denied = office
            .audited()
            .into_iter()
            .filter(|line| line.session.as_deref() == Some(&session) && line.reason == "no right");
        let missing =
            5 - (usize::from(held.view) + 3 * usize::from(held.point) + usize::from(held.end));
        assert_eq!(denied.count(), missing, "{name}");
        if !held.end {
            drop(seat);
            let id = session.parse().unwrap();
            let roster = office.house.backend().roster();
            assert!(roster.find(id).is_some(), "{name}: it goes on");
        }
        office.end(page, &session).await;
    }
}

/// One agent with other rights in each of two groups: what he may do follows the session's group, whatever
/// he may in the other.
#[tokio::test]
async fn rights_of_one_group_are_none_in_another() {
    let pairs = [
        ("viewer-ender", VIEW, END),
        ("pointer-viewer", POINT, VIEW),
        ("ender-pointer", END, POINT),
        ("all-viewer", ALL, VIEW),
        ("none-all", NONE, ALL),
    ];
    let office = Office::open(&pairs).await;
    for (name, one, two) in pairs {
        let agent = office.login(name).await;
        // At the same time, so that one seat's rights could be taken for the other's.
        let pages = [office.visitor(1).await, office.visitor(2).await];
        let sessions = [office.session(1).0, office.session(2).0];
        let mut seats = Vec::new();
        for (session, held) in sessions.iter().zip([one, two]) {
            let (seat, answer) = agent.ask(&json!({ "session": session })).await;
            let expected = if held.any() { "joined" } else { "refused" };
            assert_eq!(answer["type"], expected, "{name}");
            seats.push(seat);
        }
        for ((mut page, mut seat), (held, session)) in pages
            .into_iter()
            .zip(seats)
            .zip([one, two].into_iter().zip(&sessions))
        {
            if held.any() {
                every_action(&mut page, &mut seat, held, name).await;
            }
            office.end(page, session).await;
        }
    }
}

async fn every_action(page: &mut Page, seat: &mut Socket, held: Rights, name: &str) {
    let at = page.page;
    if held.view {
        page.hears("watch").await;
        page.show(0, b"the page").await;
        assert_eq!(sees(seat).await, b"the page", "{name}");
    }
    for (message, right, allowed) in [
        (json!({ "type": "snapshot" }), "view", held.view),
        (
            json!({ "type": "pointer", "page": at, "node": 7, "x": 0.5, "y": 1 }),
            "point",
            held.point,
        ),
        (
            json!({ "type": "highlight", "page": at, "node": 7 }),
            "point",
            held.point,
        ),
        (
            json!({ "type": "message", "name": "n", "data": null }),
            "point",
            held.point,
        ),
        (json!({ "type": "end" }), "end", held.end),
    ] {
        seat.say(&message.to_string()).await;
        let kind = message["type"].as_str().unwrap();
        match (allowed, kind) {
            (false, _) => {
                let denied = hears(seat, "denied").await;
                assert_eq!(denied["action"], right, "{name} {kind}");
            }
            (true, "end") => {
                assert_eq!(page.hears("ended").await["reason"], "agent", "{name}");
                assert_eq!(hears(seat, "ended").await["by"], "agent");
                assert_eq!(closed(seat).await, Some(4410));
            }
            (true, kind) => drop(page.hears(kind).await),
        }
    }
}

/// Who has no right in a session's group cannot tell it from one that is not.
#[tokio::test]
async fn a_session_of_others_is_no_session() {
    let office = Office::open(&[("ada", NONE, ALL)]).await;
    let _page = office.visitor(1).await;
    let (session, key) = office.session(1);
    let ada = office.login("ada").await;
    let mut told = Vec::new();
    for join in [
        json!({ "session": session }),
        json!({ "session": "0123456789abcdef" }),
        json!({ "key": key }),
        json!({ "key": "no-such-key" }),
        json!({ "key": key, "group": 1 }),
        json!({ "key": key, "group": 99 }),
    ] {
        let (mut socket, answer) = ada.ask(&join).await;
        assert_eq!(closed(&mut socket).await, Some(4403));
        told.push(answer);
    }
    assert_eq!(told[0]["code"], "unknown");
    assert!(
        told[..5].iter().all(|answer| *answer == told[0]),
        "{told:?}"
    );
    let refused = office
        .audited()
        .into_iter()
        .filter(|line| line.action == "join");
    let lines: Vec<_> = refused
        .map(|line| (line.outcome, line.reason, line.session))
        .collect();
    assert_eq!(lines.len(), 6);
    assert!(
        lines
            .iter()
            .all(|(outcome, _, session)| outcome == "refused" && session.is_none())
    );
}

#[tokio::test]
async fn keys_cannot_be_tried_out() {
    let office = Office::open(&[("ada", ALL, ALL)]).await;
    let _page = office.visitor(1).await;
    let (_, key) = office.session(1);
    let ada = office.login("ada").await;
    // A right one costs nothing.
    for _ in 0..7 {
        let (_seat, answer) = ada.ask(&json!({ "key": key })).await;
        assert_eq!(answer["type"], "joined");
    }
    let mut codes = Vec::new();
    for number in 0..7 {
        let (_seat, answer) = ada.ask(&json!({ "key": format!("x{number}") })).await;
        codes.push(answer["code"].as_str().unwrap().to_owned());
    }
    assert_eq!(codes[..5], ["unknown"; 5]);
    assert_eq!(codes[5..], ["rate"; 2]);
    let (_seat, answer) = ada.ask(&json!({ "key": key })).await;
    assert!(answer["retry_after"].as_u64().unwrap() <= 13, "{answer}");
}

#[tokio::test]
async fn a_key_in_two_groups_is_asked_about_and_one_to_come_is_waited_for() {
    let office = Office::open(&[("ada", ALL, ALL), ("bo", ALL, NONE)]).await;
    let start = async |path: &str, group: u32| {
        let grant = office.house.grant(path).await;
        let mut request = crate::backend::house::start_request(&grant, group);
        request["key"] = json!("crm-77");
        assert_eq!(office.house.start_with(&request).await.status, 200);
    };
    let (ada, bo) = (office.login("ada").await, office.login("bo").await);
    let (mut early, waiting) = ada.ask(&json!({ "key": "crm-77", "wait": true })).await;
    assert_eq!(waiting, json!({ "type": "waiting" }));
    start("/", 1).await;
    assert_eq!(
        hears(&mut early, "joined").await["session"]["key"],
        "crm-77"
    );
    start("/desk/x", 2).await;
    let (_seat, answer) = ada.ask(&json!({ "key": "crm-77" })).await;
    assert_eq!(answer["code"], "groups");
    assert_eq!(
        answer["groups"],
        json!([{ "id": 1, "name": "1" }, { "id": 2, "name": "2" }])
    );
    let (_seat, answer) = ada.ask(&json!({ "key": "crm-77", "group": 2 })).await;
    assert_eq!(answer["session"]["group"], 2);
    let (_seat, answer) = bo.ask(&json!({ "key": "crm-77" })).await;
    assert_eq!(
        answer["session"]["group"], 1,
        "of the other he knows nothing"
    );
}

#[tokio::test]
async fn two_agents_see_the_page_and_the_second_at_once() {
    let office = Office::open(&[("ada", ALL, NONE), ("bo", VIEW, NONE)]).await;
    let mut page = office.visitor(1).await;
    let (session, _) = office.session(1);
    let mut hers = office.login("ada").await.join(&session).await;
    page.hears("watch").await;
    page.show(0, b"whole page").await;
    assert_eq!(sees(&mut hers).await, b"whole page");
    let mut his = office.login("bo").await.join(&session).await;
    assert_eq!(sees(&mut his).await, b"whole page", "as it was kept");
    let agents = loop {
        let agents = page.hears("agents").await;
        if agents["count"] == 2 {
            break agents;
        }
    };
    assert_eq!(agents["agentlist"][1]["name"], "BO");
    page.socket
        .say("{\"type\":\"message\",\"name\":\"greet\",\"data\":[1]}")
        .await;
    for seat in [&mut hers, &mut his] {
        let heard = hears(seat, "message").await;
        assert_eq!(
            heard,
            json!({ "type": "message", "name": "greet", "data": [1] })
        );
    }
    page.socket
        .say("{\"type\":\"pause\",\"paused\":true,\"message\":\"one moment\"}")
        .await;
    let paused = hears(&mut his, "paused").await;
    assert_eq!(paused["message"], "one moment");
}

/// Frames that were on their way when the right went are not shown.
#[tokio::test]
async fn without_the_right_to_view_not_one_more_frame() {
    let office = Office::open(&[("ada", ALL, NONE), ("bo", VIEW, NONE)]).await;
    let mut page = office.visitor(1).await;
    let (session, _) = office.session(1);
    let mut hers = office.login("ada").await.join(&session).await;
    let mut his = office.login("bo").await.join(&session).await;
    page.hears("watch").await;
    page.show(0, b"first").await;
    assert_eq!(sees(&mut hers).await, b"first");
    office.set_rights("ada", 1, POINT);
    hears(&mut hers, "reset").await;
    assert_eq!(sees(&mut his).await, b"first");
    page.show(0, b"second").await;
    assert_eq!(sees(&mut his).await, b"second");
    office.set_rights("ada", 1, NONE);
    loop {
        match hers.next().await {
            Told::Text(_) => {}
            Told::Close(code) => return assert_eq!(code, Some(4403)),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn comings_and_goings_are_one_line_each() {
    let office = Office::open(&[("ada", ALL, NONE)]).await;
    let _page = office.visitor(1).await;
    let (session, _) = office.session(1);
    let ada = office.login("ada").await;
    drop(ada.join(&session).await);
    let lines = async || {
        let lines = office.audited().into_iter();
        let ours = lines.filter(|line| line.actor == "agent:ada" && line.session.is_some());
        ours.map(|line| format!("{} {}", line.action, line.outcome))
            .collect::<Vec<_>>()
    };
    eventually("she is written down to have left", async || {
        lines().await.len() >= 2
    })
    .await;
    assert_eq!(lines().await, ["join allowed", "leave allowed"]);
    let text = format!("{:?}", office.audited());
    let (_, key) = office.session(1);
    assert!(!text.contains(&format!("\"{key}\"")), "no key: {text}");
}
