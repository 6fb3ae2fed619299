//! Who says nothing is asked whether he is there, and let go of if he is not; who takes nothing holds up
//! nobody. The clock is the test's own: no second passes in earnest.

use std::time::Duration;

use cobrowse_edge::backend::protocol::SuspendReason;
use cobrowse_edge::backend::session::{AgentEvent, Standing};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::house::{House, cookie_of, frame, hear, hear_until, seen, start_request};
use crate::support::{Told, eventually, soon};

const TEXT: u8 = 1;
const PING: u8 = 9;

#[tokio::test]
async fn a_visitor_who_answers_nothing_is_let_go_of() {
    let house = House::open().await;
    let cookie = house.start().await;
    let (mut socket, _) = house.visit(&cookie, "a", "/").await;
    tokio::time::pause();
    let begun = Instant::now();
    let kinds = socket.ignore().await;
    let silent = begun.elapsed().as_secs();
    assert!((54..=57).contains(&silent), "{silent} s");
    let count = |wanted: u8| kinds.iter().filter(|kind| **kind == wanted).count();
    assert_eq!(
        (count(PING), count(TEXT)),
        (2, 2),
        "asked, and told: {kinds:?}"
    );
    eventually("the session waits", async || {
        let sessions = house.backend().roster().views();
        sessions[0].standing == Standing::Suspended(SuspendReason::Navigating)
    })
    .await;
}

#[tokio::test]
async fn a_visitor_whose_browser_answers_stays_and_hears_something_every_20_seconds() {
    let house = House::open().await;
    let cookie = house.start().await;
    let (mut socket, _) = house.visit(&cookie, "a", "/").await;
    tokio::time::pause();
    let begun = Instant::now();
    let mut heard = begun;
    while begun.elapsed() < Duration::from_mins(10) {
        assert_eq!(hear(&mut socket).await, json!({"type": "beat"}));
        assert!(
            heard.elapsed() < Duration::from_secs(22),
            "{:?}",
            heard.elapsed()
        );
        heard = Instant::now();
    }
}

#[tokio::test]
async fn a_visitor_who_takes_nothing_holds_up_nobody() {
    let house = House::open().await;
    let cookie = house.start().await;
    let (mut deaf, _) = house.visit(&cookie, "a", "/").await;
    let agent = house.join("anna").await;
    hear_until(&mut deaf, "watch").await;
    let slow = house.backend().roster().views()[0].id;

    let other = house
        .start_with(&start_request(&house.grant("/").await, 1))
        .await;
    let (mut page, _) = house.visit(&cookie_of(&other), "b", "/").await;
    let guest = cobrowse_edge::backend::session::Guest {
        name: "bo".into(),
        display_name: "Bo".into(),
        role: None,
        views: true,
    };
    let roster = house.backend().roster();
    let views = roster.views();
    let quick = views.iter().find(|facts| facts.id != slow).unwrap().id;
    let mut seat = roster.join(quick, guest).await.unwrap();
    hear_until(&mut page, "watch").await;

    // It takes none of it, so that it is let go of in the end; others are heard meanwhile.
    let filling = Value::from("x".repeat(60_000));
    let mut sequence = 0;
    eventually("it is let go of", async || {
        agent.orders.message("fill".into(), filling.clone());
        let kind = if sequence == 0 { 2 } else { 1 };
        let sent = frame(kind, 1, sequence, b"on time");
        page.send_binary(&sent).await;
        assert_eq!(seen(&mut seat).await, sent);
        sequence += 1;
        let facts = roster.find(slow).unwrap();
        facts.standing == Standing::Suspended(SuspendReason::Navigating)
    })
    .await;
    let mut agent = agent;
    loop {
        if let AgentEvent::Session(facts) = soon(agent.feed.next()).await.unwrap()
            && facts.standing == Standing::Suspended(SuspendReason::Navigating)
        {
            break;
        }
    }
    while !matches!(deaf.next().await, Told::Close(_) | Told::Gone) {}
}
