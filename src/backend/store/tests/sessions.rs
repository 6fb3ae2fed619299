use std::fs;

use super::*;
use crate::backend::store::Store;

#[test]
fn sessions_are_found_again_until_they_end() {
    let scratch = Scratch::new();
    let mut database = scratch.open();
    database.save_session(&session(2, "b")).unwrap();
    database.save_session(&session(1, "a")).unwrap();
    let mut changed = session(1, "a");
    changed.state = "live".to_owned();
    changed.paused = true;
    changed.token_hash = [9; 32];
    database.save_session(&changed).unwrap();
    assert_eq!(
        scratch.open().load_sessions().unwrap(),
        [changed.clone(), session(2, "b")]
    );
    database.end_session(changed.id, 50, "agent").unwrap();
    database.end_session(changed.id, 60, "visitor").unwrap();
    assert_eq!(database.load_sessions().unwrap(), [session(2, "b")]);
    let ended = database.ended_session(changed.id).unwrap();
    assert_eq!(ended, Some((50, "agent".to_owned())));
}

#[test]
fn a_session_that_ended_is_not_begun_again() {
    let scratch = Scratch::new();
    let mut database = scratch.open();
    database.save_session(&session(1, "a")).unwrap();
    database
        .end_session(SessionId::new(1), 50, "agent")
        .unwrap();
    database.save_session(&session(1, "a")).unwrap();
    assert_eq!(database.load_sessions().unwrap(), []);
}

#[test]
fn what_was_known_of_a_visitor_goes_with_the_session() {
    let scratch = Scratch::new();
    let mut database = scratch.open();
    database.save_session(&session(1, "a")).unwrap();
    database
        .end_session(SessionId::new(1), 50, "agent")
        .unwrap();
    drop(database);
    for entry in fs::read_dir(scratch.directory.path()).unwrap() {
        let bytes = fs::read(entry.unwrap().path()).unwrap();
        let found = bytes.windows(6).any(|window| window == b"canary");
        assert!(!found);
    }
}

#[test]
fn sessions_of_long_ago_are_forgotten() {
    let scratch = Scratch::new();
    let mut database = scratch.open();
    let day = 24 * 60 * 60;
    for (id, ended) in [(1, 1), (2, 11 * day), (3, 100 * day)] {
        database.save_session(&session(id, "a")).unwrap();
        database
            .end_session(SessionId::new(id), ended, "agent")
            .unwrap();
    }
    let left = [1, 2, 3].map(|id| {
        let ended = database.ended_session(SessionId::new(id)).unwrap();
        ended.is_some()
    });
    assert_eq!(left, [false, true, true]);
}

#[tokio::test]
async fn a_store_keeps_what_was_asked_before_it_was_dropped() {
    let scratch = Scratch::new();
    let store = Store::open(&scratch.path()).unwrap();
    store.save_session(session(1, "a")).await.unwrap();
    let again = store.clone();
    drop(store);
    assert_eq!(again.load_sessions().await.unwrap(), [session(1, "a")]);
}

#[test]
fn an_id_has_one_spelling() {
    let id: SessionId = "00f3a9c2b47d1e58".parse().unwrap();
    assert_eq!(id.to_string(), "00f3a9c2b47d1e58");
    for bad in [
        "",
        "00F3A9C2B47D1E58",
        "00f3a9c2b47d1e5",
        "00f3a9c2b47d1e580",
        "+0f3a9c2b47d1e58",
        " 0f3a9c2b47d1e58",
        "0x0f3a9c2b47d1e5",
    ] {
        assert!(bad.parse::<SessionId>().is_err(), "{bad}");
    }
    assert_ne!(SessionId::random().unwrap(), SessionId::random().unwrap());
}
