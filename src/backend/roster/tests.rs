use std::time::Duration;

use bytes::Bytes;

use super::*;
use crate::backend::protocol::{
    BackendMessage, CloseCode, FinishReason, FrameKind, State, Welcome,
};
use crate::backend::session::{
    AgentEvent, Guest, OpenedPage, SessionFacts, Standing, Terms, VisitorData,
};
use crate::backend::store::Store;
use crate::groups::{GroupId, KeySettings};
use crate::test_directory::TestDirectory;

/// Longer than anything takes that works.
const PATIENCE: Duration = Duration::from_secs(20);

struct House {
    roster: Roster,
    _directory: TestDirectory,
}

async fn house() -> House {
    let directory = TestDirectory::new();
    let roster = open(&directory).await;
    House {
        roster,
        _directory: directory,
    }
}

/// As a process finds its database at start. One that is still open is waited for.
async fn open(directory: &TestDirectory) -> Roster {
    let path = directory.path().join("cobrowse.db");
    loop {
        match Store::open(&path) {
            Ok(store) => return Roster::load(store, Terms::default(), 4).await.unwrap(),
            Err(_) => tokio::task::yield_now().await,
        }
    }
}

fn new_session(group: i64, key: Option<&str>) -> NewSession {
    NewSession {
        group: GroupId::new(group).unwrap(),
        key: key.map(str::to_owned),
        keys: KeySettings::default(),
        visitor: VisitorData {
            name: Some("Zoë".into()),
            ..VisitorData::default()
        },
        domain: None,
    }
}

async fn start(roster: &Roster) -> (Arc<SessionFacts>, ResumeToken) {
    roster.start(new_session(1, None)).await.unwrap()
}

fn page() -> OpenedPage {
    OpenedPage {
        tab: "a".into(),
        url: "https://bank.example/".into(),
        focused: true,
        admission: Admission::Allowed,
        ..OpenedPage::default()
    }
}

fn guest(name: &str) -> Guest {
    Guest {
        name: name.into(),
        display_name: name.into(),
        role: None,
        views: true,
    }
}

fn frame(kind: u8, page: u32, sequence: u64) -> (FrameHead, Bytes) {
    let mut bytes = vec![kind];
    bytes.extend(page.to_be_bytes());
    bytes.extend(sequence.to_be_bytes());
    bytes.push(0);
    (FrameHead::read(&bytes).unwrap(), bytes.into())
}

async fn send(visitor: &Attached, kind: u8, sequence: u64) {
    let (head, bytes) = frame(kind, 1, sequence);
    assert!(visitor.frame(head, bytes).await);
}

/// What a visitor is told until this.
async fn hear(visitor: &mut Attached, awaited: &BackendMessage) {
    loop {
        match visitor.outbox.next().await {
            Some(ToVisitor::Say(message)) if message == *awaited => return,
            Some(ToVisitor::Say(_)) => {}
            other => panic!("{other:?} instead of {awaited:?}"),
        }
    }
}

async fn next_frame(feed: &mut Feed) -> Bytes {
    loop {
        match feed.next().await.unwrap() {
            AgentEvent::Frame(bytes) => return bytes,
            AgentEvent::Session(_) | AgentEvent::Paused { .. } => {}
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_frame_goes_from_a_visitor_to_every_agent() {
    let House {
        roster,
        _directory: _keep,
    } = house().await;
    let (facts, token) = start(&roster).await;
    assert_eq!(roster.find_by_token(&token).unwrap().id, facts.id);
    let mut visitor = roster.attach(facts.id, page()).await.unwrap();
    let Some(ToVisitor::Say(BackendMessage::Welcome(Welcome { page: 1, state, .. }))) =
        visitor.outbox.next().await
    else {
        panic!("no welcome");
    };
    assert_eq!(state, State::Waiting);
    let mut anna = roster.join(facts.id, guest("anna")).await.unwrap();
    hear(&mut visitor, &BackendMessage::Watch { watched: true }).await;
    send(&visitor, 2, 0).await;
    send(&visitor, 1, 1).await;
    assert_eq!(next_frame(&mut anna.feed).await, frame(2, 1, 0).1);
    assert_eq!(next_frame(&mut anna.feed).await, frame(1, 1, 1).1);

    let mut ben = roster.join(facts.id, guest("ben")).await.unwrap();
    let Some(AgentEvent::Session(told)) = ben.feed.next().await else {
        panic!("not told how it stands");
    };
    assert_eq!(
        (told.standing, &*told.agents),
        (Standing::Live, &["anna".to_owned(), "ben".into()][..])
    );
    assert_eq!(next_frame(&mut ben.feed).await, frame(2, 1, 0).1);
    assert_eq!(next_frame(&mut ben.feed).await, frame(1, 1, 1).1);

    ben.orders.pointer(1, 7, 0.5, 0.5);
    let pointer = BackendMessage::Pointer {
        agent: "ben".into(),
        page: 1,
        node: 7,
        x: 0.5,
        y: 0.5,
    };
    hear(&mut visitor, &pointer).await;
    drop(ben);
    drop(anna);
    hear(&mut visitor, &BackendMessage::Watch { watched: false }).await;
}

#[tokio::test]
async fn everybody_hears_of_the_end_and_nothing_of_it_is_left() {
    let house = house().await;
    let (facts, token) = start(&house.roster).await;
    let mut changes = house.roster.changes();
    let mut visitor = house.roster.attach(facts.id, page()).await.unwrap();
    let mut agent = house.roster.join(facts.id, guest("anna")).await.unwrap();
    assert!(agent.orders.end());
    let ended = BackendMessage::Ended {
        reason: crate::backend::protocol::EndReason::Agent,
        error: None,
    };
    hear(&mut visitor, &ended).await;
    let closed = visitor.outbox.next().await;
    assert_eq!(closed, Some(ToVisitor::Close(CloseCode::Ended)));
    assert_eq!(visitor.outbox.next().await, None);
    let mut last = None;
    while let Some(event) = agent.feed.next().await {
        last = Some(event);
    }
    let told = AgentEvent::Ended {
        by: "agent",
        error: None,
    };
    assert_eq!(last, Some(told));
    while house.roster.find(facts.id).is_some() {
        changes.changed().await.unwrap();
    }
    assert!(house.roster.find_by_token(&token).is_none());
    assert!(house.roster.attach(facts.id, page()).await.is_none());
    assert!(house.roster.join(facts.id, guest("anna")).await.is_none());
}

#[tokio::test]
async fn a_session_is_found_by_the_token_for_its_own_domain_alone() {
    let house = house().await;
    let roster = &house.roster;
    let (_, own) = start(roster).await;
    let wide = NewSession {
        domain: Some("bank.example".into()),
        ..new_session(1, None)
    };
    let (facts, wide) = roster.start(wide).await.unwrap();
    let finds = |text: &str| roster.find_by_token(&ResumeToken::parse(text).unwrap());
    assert_eq!(finds(wide.reveal()).unwrap().id, facts.id);
    assert!(finds(&wide.reveal()[..43]).is_none());
    assert!(finds(own.reveal()).is_some());
    assert!(finds(&format!("{}.bank.example", own.reveal())).is_none());
}

#[tokio::test]
async fn keys_are_given_once_within_a_group() {
    let house = house().await;
    let roster = &house.roster;
    let (first, _) = roster.start(new_session(1, Some("one"))).await.unwrap();
    let refused = roster.start(new_session(1, Some("one"))).await;
    assert!(matches!(refused, Err(StartRefusal::DupKey)), "{refused:?}");
    roster.start(new_session(2, Some("one"))).await.unwrap();
    let found = roster.find_by_key("one");
    assert_eq!(found.len(), 2);
    let duplicates = NewSession {
        keys: KeySettings {
            allow_duplicates: true,
            ..KeySettings::default()
        },
        ..new_session(1, Some("one"))
    };
    roster.start(duplicates).await.unwrap();
    roster.finish(first.id, FinishReason::Visitor).await;
    let mut changes = roster.changes();
    while roster.find(first.id).is_some() {
        changes.changed().await.unwrap();
    }
    let (random, _) = start(roster).await;
    assert!(random.key.len() == 5 && random.key.bytes().all(|byte| byte.is_ascii_digit()));
}

#[tokio::test]
async fn there_are_so_many_sessions() {
    let house = house().await;
    for _ in 0..4 {
        start(&house.roster).await;
    }
    let refused = house.roster.start(new_session(1, None)).await;
    assert!(matches!(refused, Err(StartRefusal::Full)), "{refused:?}");
    assert_eq!(house.roster.views().len(), 4);
}

#[tokio::test]
async fn sessions_are_there_again_after_a_restart() {
    let directory = TestDirectory::new();
    let roster = open(&directory).await;
    let (facts, token) = start(&roster).await;
    let (over, _) = start(&roster).await;
    let mut visitor = roster.attach(facts.id, page()).await.unwrap();
    let pause = VisitorMessage::Pause {
        paused: true,
        message: None,
    };
    visitor.say(pause).await;
    roster.finish(over.id, FinishReason::Visitor).await;
    let mut changes = roster.changes();
    while roster.find(over.id).is_some() || roster.find(facts.id).unwrap().paused.is_none() {
        changes.changed().await.unwrap();
    }
    roster.drain().await;
    hear_close(&mut visitor, CloseCode::Restart).await;
    let refused = roster.start(new_session(1, None)).await;
    assert!(
        matches!(refused, Err(StartRefusal::Draining)),
        "{refused:?}"
    );
    drop((roster, visitor));

    let roster = open(&directory).await;
    let again = roster.find_by_token(&token).unwrap();
    assert_eq!(
        (again.id, &again.key, &again.visitor),
        (facts.id, &facts.key, &facts.visitor)
    );
    assert!(again.paused.is_some());
    assert_eq!(roster.views().len(), 1);
    let mut visitor = roster.attach(facts.id, page()).await.unwrap();
    let Some(ToVisitor::Say(BackendMessage::Welcome(welcome))) = visitor.outbox.next().await else {
        panic!("no welcome");
    };
    assert!(welcome.paused && welcome.session.key == facts.key);
}

async fn hear_close(visitor: &mut Attached, code: CloseCode) {
    let close = Some(ToVisitor::Close(code));
    let heard = async {
        loop {
            let told = visitor.outbox.next().await;
            if told.is_none() || told == close {
                return told;
            }
        }
    };
    let told = tokio::time::timeout(PATIENCE, heard).await;
    assert_eq!(told.ok().flatten(), close);
}

#[tokio::test]
async fn an_agent_who_is_slow_is_told_to_forget_and_a_snapshot_is_asked_for() {
    let house = house().await;
    let (facts, _) = start(&house.roster).await;
    let mut visitor = house.roster.attach(facts.id, page()).await.unwrap();
    let mut slow = house.roster.join(facts.id, guest("slow")).await.unwrap();
    let mut quick = house.roster.join(facts.id, guest("quick")).await.unwrap();
    hear(&mut visitor, &BackendMessage::Watch { watched: true }).await;
    send(&visitor, 2, 0).await;
    for sequence in 1..=300 {
        send(&visitor, 1, sequence).await;
        while next_frame(&mut quick.feed).await != frame(1, 1, sequence).1 {}
    }
    hear(&mut visitor, &BackendMessage::Snapshot).await;
    send(&visitor, 2, 301).await;
    send(&visitor, 1, 302).await;
    let mut seen = Vec::new();
    while seen.len() < 3 {
        match slow.feed.next().await.unwrap() {
            AgentEvent::Reset => seen.push("reset".to_owned()),
            AgentEvent::Frame(bytes) => {
                let head = FrameHead::read(&bytes).unwrap();
                let kind = match head.kind {
                    FrameKind::Snapshot => "S",
                    FrameKind::Events => "E",
                };
                seen.push(format!("{kind}{}", head.sequence));
            }
            _ => {}
        }
    }
    assert_eq!(seen, ["reset", "S301", "E302"]);
}

#[tokio::test(start_paused = true)]
async fn time_ends_a_session_that_nobody_opens() {
    let house = house().await;
    let (facts, _) = start(&house.roster).await;
    let mut changes = house.roster.changes();
    while house.roster.find(facts.id).is_some() {
        tokio::time::timeout(Duration::from_secs(60), changes.changed())
            .await
            .unwrap()
            .unwrap();
    }
}

#[tokio::test]
async fn a_page_does_not_go_on_when_the_disk_does_not_take_its_line() {
    let directory = TestDirectory::new();
    let store = Store::open(&directory.path().join("cobrowse.db")).unwrap();
    let roster = Roster::load(store.clone(), Terms::default(), 4).await;
    let roster = roster.unwrap();
    let (facts, _) = start(&roster).await;
    let broken =
        "CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'full'); END";
    store.meddle(broken).await.unwrap();
    let mut visitor = roster.attach(facts.id, page()).await.unwrap();
    hear_close(&mut visitor, CloseCode::Restart).await;
    store.meddle("DROP TRIGGER full").await.unwrap();
    let mut visitor = roster.attach(facts.id, page()).await.unwrap();
    let mut agent = roster.join(facts.id, guest("anna")).await.unwrap();
    hear(&mut visitor, &BackendMessage::Watch { watched: true }).await;
    assert!(agent.feed.next().await.is_some());
}

#[tokio::test]
async fn who_pauses_without_end_is_kept_once_a_second() {
    let directory = TestDirectory::new();
    let store = Store::open(&directory.path().join("cobrowse.db")).unwrap();
    let roster = Roster::load(store.clone(), Terms::default(), 4).await;
    let roster = roster.unwrap();
    let (facts, _) = start(&roster).await;
    let counted = "CREATE TABLE saves (one); CREATE TRIGGER kept AFTER UPDATE ON session
        BEGIN INSERT INTO saves VALUES (1); END;
        CREATE TRIGGER too_many AFTER INSERT ON saves WHEN (SELECT count(*) FROM saves) > 8
        BEGIN SELECT RAISE(ABORT, 'too many'); END;";
    store.meddle(counted).await.unwrap();
    let mut visitor = roster.attach(facts.id, page()).await.unwrap();
    for turn in 0..400 {
        let pause = VisitorMessage::Pause {
            paused: turn % 2 == 0,
            message: None,
        };
        assert!(visitor.say(pause).await);
    }
    roster.drain().await;
    hear_close(&mut visitor, CloseCode::Restart).await;
    // Had it been kept more often, what is left of eight would be none.
    store.meddle("INSERT INTO saves VALUES (2)").await.unwrap();
}
