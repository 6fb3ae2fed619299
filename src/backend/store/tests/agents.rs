use super::*;
use crate::backend::store::{LoginRecord, Rights, StoreError};

const POINT: Rights = Rights {
    view: false,
    point: true,
    end: false,
};

fn login(token: u8, agent: i64) -> LoginRecord {
    LoginRecord {
        token_hash: [token; 32],
        agent,
        generation: 1,
        created: 5,
        seen: 6,
    }
}

fn with_ada() -> (Scratch, Database, i64) {
    let scratch = Scratch::new();
    let mut database = scratch.open();
    database
        .add_agent(&name("ada"), "Ada L.", Some("desk"), "phc", 1)
        .unwrap();
    let id = database.load_agents().unwrap()[0].id;
    (scratch, database, id)
}

#[test]
fn a_name_is_taken_once() {
    let (_scratch, mut database, _) = with_ada();
    let again = database.add_agent(&name("ADA"), "x", None, "x", 1);
    assert!(matches!(again, Err(StoreError::AgentExists(name)) if name == "ada"));
}

#[test]
fn who_is_not_there_is_told() {
    let (_scratch, mut database, _) = with_ada();
    let bo = name("bo");
    for result in [
        database.remove_agent(&bo),
        database.set_password(&bo, "x"),
        database
            .change_rights(&bo, group(1), |held| held)
            .map(|_| ()),
    ] {
        assert!(matches!(result, Err(StoreError::AgentUnknown(name)) if name == "bo"));
    }
}

#[test]
fn rights_add_up_and_are_taken_away() {
    let (_scratch, mut database, _) = with_ada();
    let ada = name("ada");
    let change = |database: &mut Database, number, change: fn(Rights) -> Rights| {
        database.change_rights(&ada, group(number), change).unwrap()
    };
    assert_eq!(change(&mut database, 1, |held| held.with(POINT)), POINT);
    change(&mut database, 1, |held| held.with(Rights::ALL));
    change(&mut database, 2, |held| held.with(POINT));
    let rights = database.load_agents().unwrap()[0].rights.clone();
    assert_eq!(
        Vec::from_iter(rights),
        [(group(1), Rights::ALL), (group(2), POINT)]
    );
    let left = change(&mut database, 1, |held| held.without(POINT));
    assert_eq!(left.to_string(), "view,end");
    let none = change(&mut database, 2, |held| held.without(Rights::ALL));
    assert_eq!(none.to_string(), "none");
    let rights = database.load_agents().unwrap()[0].rights.clone();
    assert_eq!(Vec::from_iter(rights), [(group(1), left)]);
}

#[test]
fn a_new_password_and_the_end_of_an_agent_end_logins() {
    let (_scratch, mut database, id) = with_ada();
    database.save_login(&login(1, id)).unwrap();
    let mut later = login(1, id);
    later.seen = 99;
    database.save_login(&later).unwrap();
    assert_eq!(database.load_logins().unwrap(), [later]);
    database.set_password(&name("ada"), "other").unwrap();
    assert_eq!(database.load_logins().unwrap(), []);
    assert_eq!(database.load_agents().unwrap()[0].generation, 2);
    database.save_login(&login(2, id)).unwrap();
    database.remove_agent(&name("ada")).unwrap();
    assert_eq!(database.load_logins().unwrap(), []);
    database.save_login(&login(3, id)).unwrap();
    assert_eq!(database.load_logins().unwrap(), [], "nobody's");
}

#[test]
fn no_number_is_given_twice() {
    let (_scratch, mut database, id) = with_ada();
    database.remove_agent(&name("ada")).unwrap();
    database
        .add_agent(&name("ada"), "Ada", None, "phc", 2)
        .unwrap();
    let agent = &database.load_agents().unwrap()[0];
    assert!(agent.id > id && agent.rights.is_empty());
}

#[test]
fn no_password_shows_in_debug() {
    let (_scratch, database, _) = with_ada();
    assert!(!format!("{:?}", database.load_agents().unwrap()).contains("phc"));
}

#[test]
fn names_are_plain() {
    for bad in ["", "a b", "a/b", "ä", "a\n", &"a".repeat(65)] {
        assert!(bad.parse::<AgentName>().is_err(), "{bad:?}");
    }
    assert_eq!(
        name("Ada.L-2_x@bank.example").as_str(),
        "ada.l-2_x@bank.example"
    );
}
