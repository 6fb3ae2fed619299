use serde_json::{Value, json};

use super::house::{ALL, END, Office, POINT, VIEW, hears, rights};
use crate::support::Socket;

const NONE: cobrowse_edge::backend::store::Rights = rights(false, false, false);

/// The groups of the sessions that are listed.
fn groups(list: &Value) -> Vec<u64> {
    let sessions = list["sessions"].as_array().unwrap().iter();
    sessions
        .map(|session| session["group"].as_u64().unwrap())
        .collect()
}

async fn listed(desk: &mut Socket, until: impl Fn(&Value) -> bool) -> Value {
    loop {
        let list = hears(desk, "sessions").await;
        if until(&list) {
            return list;
        }
    }
}

#[tokio::test]
async fn an_agent_is_told_of_the_sessions_of_his_groups_only() {
    let agents = [
        ("ada", ALL, NONE),
        ("bo", NONE, VIEW),
        ("cy", END, POINT),
        ("di", NONE, NONE),
    ];
    let office = Office::open(&agents).await;
    let _pages = (office.visitor(1).await, office.visitor(2).await);
    for (name, seen) in [
        ("ada", &[1][..]),
        ("bo", &[2]),
        ("cy", &[1, 2]),
        ("di", &[]),
    ] {
        let mut desk = office.login(name).await.desk().await;
        let account = hears(&mut desk, "account").await;
        assert_eq!(account["account"]["name"], name);
        let list = listed(&mut desk, |list| groups(list).len() == seen.len()).await;
        let mut found = groups(&list);
        found.sort_unstable();
        assert_eq!(found, seen, "{name}");
    }
}

#[tokio::test]
async fn the_list_follows_what_happens() {
    let office = Office::open(&[("ada", ALL, VIEW)]).await;
    let ada = office.login("ada").await;
    let mut desk = ada.desk().await;
    listed(&mut desk, |list| groups(list).is_empty()).await;
    let page = office.visitor(1).await;
    let list = listed(&mut desk, |list| list["sessions"][0]["state"] == "waiting").await;
    let session = &list["sessions"][0];
    let (id, key) = office.session(1);
    assert_eq!(session["id"], id);
    assert_eq!(session["key"], key);
    assert_eq!(session["url"], "http://www.bank.example/");
    assert_eq!(session["visitor"], json!({ "name": "Zoë" }));
    assert_eq!(
        session["may"],
        json!({ "view": true, "point": true, "end": true })
    );
    let seat = ada.join(&id).await;
    let list = listed(&mut desk, |list| list["sessions"][0]["state"] == "live").await;
    assert_eq!(list["sessions"][0]["agents"], json!(["ADA"]));
    drop(seat);
    listed(&mut desk, |list| list["sessions"][0]["state"] == "waiting").await;
    drop(page.socket);
    let list = listed(&mut desk, |list| {
        list["sessions"][0]["state"] == "suspended"
    })
    .await;
    assert_eq!(list["sessions"][0]["reason"], "navigating");
}
