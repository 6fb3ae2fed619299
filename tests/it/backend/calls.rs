use cobrowse_edge::backend::session::Standing;
use cobrowse_edge::backend::store::{Database, Verified};
use http::Request;
use serde_json::{Value, json};

use super::house::{HOST, House, ORIGIN, cookie_of, forged, start_request};
use crate::support::eventually;

const START: &str = "/_cobrowse/session/start";

/// A request with one thing changed.
fn with(mut request: Value, field: &str, value: Value) -> Value {
    request[field] = value;
    request
}

#[tokio::test]
async fn a_session_starts_with_a_key_and_a_cookie() {
    let house = House::open().await;
    let grant = house.grant("/").await;
    let answer = house.start_with(&start_request(&grant, 1)).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("cache-control"), "no-store");
    let reply: Value = serde_json::from_str(&answer.text()).unwrap();
    let key = reply["session"]["key"].as_str().unwrap();
    assert!(
        key.len() == 5 && key.bytes().all(|byte| byte.is_ascii_digit()),
        "{key}"
    );
    assert_eq!(reply["session"]["group"], 1);
    assert!(reply.get("resume").is_none());
    let cookie = answer.header("set-cookie");
    assert!(
        cookie.starts_with("cobrowse=") && cookie.ends_with("; Path=/; HttpOnly; SameSite=Lax"),
        "{cookie}"
    );
    let sessions = house.backend().roster().views();
    assert_eq!(sessions[0].standing, Standing::Starting);
    assert_eq!(sessions[0].visitor.name.as_deref(), Some("Zoë"));

    let desk = house.grant("/desk/x").await;
    let answer = house.start_with(&start_request(&desk, 2)).await;
    let reply: Value = serde_json::from_str(&answer.text()).unwrap();
    assert_eq!(reply["session"]["key"].as_str().unwrap().len(), 6);
}

#[tokio::test]
async fn a_start_is_refused_for_many_reasons() {
    let house = House::open().await;
    let grant = house.grant("/").await;
    let good = start_request(&grant, 1);
    let keyed = with(good.clone(), "key", json!("my-key"));
    assert_eq!(house.start_with(&keyed).await.status, 200);
    let forged = forged(&grant);
    let long = |most: usize| "x".repeat(most);
    let cases = [
        (
            "another group",
            with(good.clone(), "group", json!(2)),
            403,
            "groupid",
        ),
        (
            "no group",
            with(good.clone(), "group", json!(0)),
            403,
            "groupid",
        ),
        (
            "no grant",
            with(good.clone(), "grant", json!("")),
            403,
            "grant",
        ),
        (
            "a forged grant",
            with(good.clone(), "grant", json!(forged)),
            403,
            "grant",
        ),
        ("a key that is taken", keyed.clone(), 409, "dupkey"),
        (
            "an odd key",
            with(good.clone(), "key", json!("a b")),
            400,
            "sessionkey",
        ),
        (
            "an empty key",
            with(good.clone(), "key", json!("")),
            400,
            "sessionkey",
        ),
        (
            "a long key",
            with(good.clone(), "key", json!(long(63))),
            400,
            "sessionkey",
        ),
        (
            "another version",
            with(good.clone(), "version", json!(2)),
            400,
            "service",
        ),
        (
            "a long name",
            with(good.clone(), "visitor", json!({"name": long(64)})),
            400,
            "service",
        ),
        (
            "a group in words",
            with(good.clone(), "group", json!("1")),
            400,
            "service",
        ),
        (
            "no storage",
            with(good.clone(), "storage", json!({})),
            400,
            "service",
        ),
        (
            "only https would do",
            with(good.clone(), "storage", json!({"kind": "secure"})),
            400,
            "service",
        ),
        (
            "far too much",
            with(good.clone(), "url", json!(long(20_000))),
            400,
            "service",
        ),
    ];
    for (name, request, status, code) in cases {
        let answer = house.start_with(&request).await;
        let said: Value = serde_json::from_str(&answer.text()).unwrap();
        assert_eq!(answer.status, status, "{name}: {said}");
        assert_eq!(said["error"]["code"], code, "{name}");
        assert_eq!(answer.header("set-cookie"), "", "{name}");
        if code == "dupkey" {
            assert_eq!(said["error"]["params"]["sessionKey"], "my-key");
        }
    }
    let malformed = Request::post(START)
        .header("host", HOST)
        .header("origin", ORIGIN);
    assert_eq!(house.ask(malformed, "{").await.status, 400);
    assert_eq!(house.backend().roster().views().len(), 1);
}

#[tokio::test]
async fn a_grant_is_good_on_its_own_host_alone() {
    let house = House::open().await;
    let grant = house.grant("/").await;
    let request = Request::post(START)
        .header("host", "shop.example")
        .header("origin", "http://shop.example");
    let answer = house
        .ask(request, &start_request(&grant, 1).to_string())
        .await;
    assert_eq!(answer.status, 403);
    assert!(answer.text().contains("\"code\":\"grant\""));
}

#[tokio::test]
async fn only_pages_of_the_very_origin_may_call() {
    let house = House::open().await;
    let grant = house.grant("/").await;
    let body = start_request(&grant, 1).to_string();
    for origin in [
        "https://www.bank.example",
        "http://www.bank.example:81",
        "http://bank.example",
        "http://shop.example",
        "http://www.bank.example.evil.example",
        "http://evil.example/www.bank.example",
        "http://wwwbank.example",
        "null",
        "",
        "www.bank.example",
    ] {
        for path in [
            START,
            "/_cobrowse/session/end",
            "/_cobrowse/session/settings?group=1",
        ] {
            let request = Request::builder()
                .method(if path.contains('?') { "GET" } else { "POST" })
                .uri(path)
                .header("host", HOST)
                .header("origin", origin);
            let answer = house.ask(request, &body).await;
            assert_eq!(answer.status, 403, "{origin:?} {path}");
        }
    }
    for path in [START, "/_cobrowse/session/end"] {
        let request = Request::post(path).header("host", HOST);
        assert_eq!(
            house.ask(request, &body).await.status,
            403,
            "{path} without"
        );
        let request = Request::get(path)
            .header("host", HOST)
            .header("origin", ORIGIN);
        assert_eq!(house.ask(request, "").await.status, 405, "{path}");
    }
    assert_eq!(house.backend().roster().views(), []);
}

#[tokio::test]
async fn a_refused_group_is_named_with_those_of_the_pages_own_grant() {
    let house = House::open().await;
    let asking = async |grant: &str, group: u32| {
        let answer = house.start_with(&start_request(grant, group)).await;
        serde_json::from_str::<Value>(&answer.text()).unwrap()["error"].clone()
    };
    let grant = house.grant("/").await;
    for group in [0, 2, 9] {
        let said = asking(&grant, group).await;
        let expected = json!({
            "code": "groupid", "msg": format!("group {group} is not among those of this page: 1"),
            "params": { "groupid": group, "allowed": [1] },
        });
        assert_eq!(said, expected);
    }
    let said = asking(&forged(&grant), 0).await;
    assert_eq!(
        said["params"],
        json!({ "groupid": 0, "allowed": [] }),
        "a grant of nobody's"
    );
}

#[tokio::test]
async fn the_token_is_kept_where_the_page_wants_it() {
    let house = House::open().await;
    let grant = house.grant("/").await;
    for (storage, in_answer, in_cookie) in [
        (json!({"kind": "normal"}), false, true),
        (json!({"kind": "dual"}), true, true),
        (json!({"kind": "ls"}), true, false),
        (
            json!({"kind": "normal", "domain": "bank.example"}),
            false,
            true,
        ),
        (
            json!({"kind": "normal", "domain": "other.example"}),
            false,
            true,
        ),
    ] {
        let request = with(start_request(&grant, 1), "storage", storage.clone());
        let answer = house.start_with(&request).await;
        let reply: Value = serde_json::from_str(&answer.text()).unwrap();
        assert_eq!(reply.get("resume").is_some(), in_answer, "{storage}");
        let lines = answer.headers.get_all("set-cookie").into_iter();
        let kept = lines.filter(|line| !line.to_str().unwrap().contains("Max-Age=0"));
        let kept: Vec<_> = kept.map(|line| line.to_str().unwrap()).collect();
        assert_eq!(kept.len(), usize::from(in_cookie), "{storage}");
        let with_domain = kept.iter().any(|line| line.contains("Domain=bank.example"));
        assert_eq!(
            with_domain,
            storage["domain"] == "bank.example",
            "{storage}"
        );
    }
}

#[tokio::test]
async fn a_visitor_ends_its_session() {
    let house = House::open().await;
    let grant = house.grant("/").await;
    let answer = house.start_with(&start_request(&grant, 1)).await;
    let end = json!({"reason": "visitor"});
    let path = "/_cobrowse/session/end";
    let strange = house.post(path, &end, "cobrowse=nobody").await;
    assert_eq!((strange.status.as_u16(), strange.bytes().len()), (204, 0));
    assert_eq!(house.backend().roster().views().len(), 1);

    let ended = house.post(path, &end, &cookie_of(&answer)).await;
    assert_eq!(ended.status, 204);
    assert!(ended.header("set-cookie").contains("Max-Age=0"));
    eventually("the session ends", async || {
        house.backend().roster().views().is_empty()
    })
    .await;
    assert_eq!(
        house.post(path, &end, &cookie_of(&answer)).await.status,
        204
    );

    // In the local storage, the token comes in the message.
    let request = with(start_request(&grant, 1), "storage", json!({"kind": "ls"}));
    let answer = house.start_with(&request).await;
    let reply: Value = serde_json::from_str(&answer.text()).unwrap();
    let end = json!({"reason": "maskingerror", "resume": reply["resume"]});
    house.post(path, &end, "").await;
    eventually("the session ends", async || {
        house.backend().roster().views().is_empty()
    })
    .await;
}

#[tokio::test]
async fn a_page_is_told_of_its_groups_button() {
    let house = House::open().await;
    let ask = async |query: &str| {
        let path = format!("/_cobrowse/session/settings{query}");
        house.ask(Request::get(path).header("host", HOST), "").await
    };
    let settings = ask("?GROUP=1&site=production").await;
    assert_eq!(settings.header("cache-control"), "public, max-age=300");
    let said: Value = serde_json::from_str(&settings.text()).unwrap();
    let expected =
        json!({"group": 1, "button": {"label": "Get help", "color": "#0a5c36"}, "terms": {}});
    assert_eq!(said, expected);
    for unknown in ["?group=9", "?group=x", "?groupid=", "", "?site=production"] {
        assert_eq!(ask(unknown).await.status, 404, "{unknown}");
    }
}

#[tokio::test]
async fn nobody_starts_sessions_without_end() {
    let house = House::open().await;
    let grant = house.grant("/other").await;
    let mut refused = None;
    for _ in 0..100 {
        let answer = house.start_with(&start_request(&grant, 2)).await;
        if answer.status != 200 {
            refused = Some(answer);
            break;
        }
    }
    let refused = refused.unwrap();
    assert_eq!(refused.status, 429);
    assert!(
        refused.text().contains("\"code\":\"service\"") && refused.header("retry-after") == "2"
    );
}

#[tokio::test]
async fn every_start_page_refusal_and_end_is_in_the_audit_log() {
    let house = House::open().await;
    let grant = house.grant("/").await;
    house.start_with(&start_request(&grant, 2)).await;
    house
        .start_with(&start_request("v1.no.such.grant", 1))
        .await;
    let answer = house.start_with(&start_request(&grant, 1)).await;
    let cookie = cookie_of(&answer);
    let (_one, _) = house.visit(&cookie, "a", "/").await;
    let (mut other, _) = house.visit(&cookie, "b", "/other").await;
    let refuse = json!({"type": "refuse", "code": "maskingerror", "msg": "canary"});
    other.say(&refuse.to_string()).await;
    let lines = || {
        let database = Database::open(&house.files.0.join("cobrowse.db")).unwrap();
        assert!(matches!(
            database.verify_audit().unwrap(),
            Verified::Whole { .. }
        ));
        let lines = database.audit_lines(100).unwrap().into_iter();
        let lines = lines.map(|line| {
            assert_eq!(line.actor, "visitor");
            assert!(!line.reason.contains("canary"));
            format!("{} {} {}", line.action, line.outcome, line.reason)
        });
        lines.collect::<Vec<_>>()
    };
    eventually("the refusal is written", async || {
        lines().iter().any(|line| line.contains("maskingerror"))
    })
    .await;
    let frame = json!({"type": "frame", "frame": 1, "grant": "v1.no.such.grant", "url": "/canary"});
    other.say(&frame.to_string()).await;
    eventually("the refused frame is written", async || {
        lines().iter().any(|line| line.starts_with("frame"))
    })
    .await;
    house
        .post(
            "/_cobrowse/session/end",
            &json!({"reason": "visitor"}),
            &cookie,
        )
        .await;
    eventually("the end is written", async || {
        lines().iter().any(|line| line.starts_with("end"))
    })
    .await;
    let expected = [
        "start refused groupid",
        "start refused grant_malformed",
        "start allowed ",
        "continue allowed ",
        "continue refused groupid",
        "refuse refused maskingerror",
        "frame refused grant_malformed",
        "end allowed visitor",
    ];
    assert_eq!(lines(), expected);
}
