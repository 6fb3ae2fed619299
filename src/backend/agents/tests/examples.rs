//! The examples that the console's tests read, too.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::backend::agents::protocol::{
    Account, AccountGroup, ConsoleMessage, DeskMessage, GroupView, Refused, SessionView, ToConsole,
    ToDesk, Wanted,
};
use crate::backend::protocol::SuspendReason;
use crate::backend::session::{SessionFacts, Standing, VisitorData};
use crate::backend::store::{Rights, SessionId};
use crate::groups::GroupId;

fn examples() -> Value {
    serde_json::from_str(include_str!("../../../../tests/web/agents.json")).unwrap()
}

fn of(path: &str) -> Vec<(String, Vec<Value>)> {
    let examples = examples();
    let found = examples.pointer(path).unwrap().as_object().unwrap();
    let each = found
        .iter()
        .map(|(name, list)| (name.clone(), list.as_array().unwrap().clone()));
    each.collect()
}

#[test]
fn every_message_of_a_console_is_read() {
    let mut kinds = BTreeSet::new();
    for (kind, messages) in of("/session/console") {
        for message in messages {
            let read = ConsoleMessage::parse(&message.to_string());
            assert!(read.is_ok(), "{message}");
            assert_eq!(
                read.unwrap().wanted().is_some(),
                kind == "join",
                "{message}"
            );
        }
        kinds.insert(kind);
    }
    assert_eq!(kinds.len(), 7, "{kinds:?}");
    for (_, messages) in of("/desk/console") {
        for message in messages {
            assert!(
                DeskMessage::parse(&message.to_string()).is_ok(),
                "{message}"
            );
        }
    }
}

#[test]
fn whatever_is_not_quite_a_message_is_refused() {
    let examples = examples();
    let refused = examples.pointer("/session/refused").unwrap();
    for text in refused.as_array().unwrap() {
        let text = text.as_str().unwrap();
        assert!(ConsoleMessage::parse(text).is_err(), "{text}");
        assert!(DeskMessage::parse(text).is_err(), "{text}");
    }
}

#[test]
fn a_join_means_what_it_says() {
    let wanted = |text: &str| ConsoleMessage::parse(text).unwrap().wanted().unwrap();
    assert_eq!(
        wanted(r#"{"type":"join","session":"00f3a9c2b47d1e58"}"#),
        Wanted::Session("00f3a9c2b47d1e58".parse().unwrap())
    );
    assert_eq!(
        wanted(r#"{"type":"join","key":"crm-77","group":15687,"wait":true}"#),
        Wanted::Key {
            key: "crm-77".to_owned(),
            group: GroupId::new(15687),
            wait: true
        }
    );
}

fn view(standing: Standing) -> SessionView {
    let facts = SessionFacts {
        id: "00f3a9c2b47d1e58".parse::<SessionId>().unwrap(),
        group: GroupId::new(15687).unwrap(),
        key: "40213".to_owned(),
        standing,
        url: (standing != Standing::Starting)
            .then(|| "https://www.bank.example/mortgage/apply".to_owned()),
        visitor: match standing {
            Standing::Starting => VisitorData::default(),
            _ => VisitorData {
                id: Some("crm-77".to_owned()),
                name: Some("Grace".to_owned()),
                email: Some("grace@mail.example".to_owned()),
                phone: Some("+44 20 7946 0000".to_owned()),
            },
        },
        started: 1_795_376_400,
        agents: match standing {
            Standing::Live => vec!["Ada L.".to_owned()],
            _ => Vec::new(),
        },
        paused: None,
    };
    SessionView::new(&facts, "Retail support".to_owned(), Rights::ALL)
}

#[track_caller]
fn is_example(path: &str, message: &impl serde::Serialize) {
    let message = serde_json::to_value(message).unwrap();
    let examples = examples();
    let found = examples.pointer(path).unwrap().as_array().unwrap();
    assert!(found.contains(&message), "{path}: {message}");
}

#[test]
fn what_is_said_to_a_desk_is_in_the_examples() {
    let view_only = Rights {
        view: true,
        ..Rights::NONE
    };
    let groups = [
        (15687, "Retail support", Rights::ALL),
        (15690, "Mortgages", view_only),
    ];
    let account = Account {
        name: "ada".to_owned(),
        display_name: "Ada L.".to_owned(),
        groups: groups
            .map(|(id, name, rights)| AccountGroup {
                id,
                name: name.to_owned(),
                may: rights.into(),
            })
            .into(),
    };
    is_example("/http/login/reply", &account);
    is_example("/desk/backend/account", &ToDesk::Account { account });
    is_example("/desk/backend/beat", &ToDesk::Beat);
    let none = ToDesk::Sessions {
        sessions: Vec::new(),
        more: 0,
    };
    is_example("/desk/backend/sessions", &none);
    is_example(
        "/desk/backend/sessions/1/sessions",
        &view(Standing::Waiting),
    );
    is_example("/desk/backend/sessions/1/sessions", &view(Standing::Live));
    is_example(
        "/desk/backend/sessions/1/sessions",
        &view(Standing::Starting),
    );
}

#[test]
fn what_is_said_to_a_console_is_in_the_examples() {
    let joined = ToConsole::Joined {
        session: view(Standing::Live),
    };
    is_example("/session/backend/joined", &joined);
    is_example("/session/backend/waiting", &ToConsole::Waiting);
    is_example("/session/backend/beat", &ToConsole::Beat);
    is_example("/session/backend/reset", &ToConsole::Reset);
    for action in ["view", "point", "end"] {
        is_example("/session/backend/denied", &ToConsole::Denied { action });
    }
    for (by, error) in [
        ("visitor", None),
        ("agent", None),
        ("error", Some("timeout")),
    ] {
        let error = error.map(str::to_owned);
        is_example("/session/backend/ended", &ToConsole::Ended { by, error });
    }
    for (paused, message) in [(true, Some("one moment")), (true, None), (false, None)] {
        let message = message.map(str::to_owned);
        is_example(
            "/session/backend/paused",
            &ToConsole::Paused { paused, message },
        );
    }
    let null = ToConsole::Message {
        name: "n".to_owned(),
        data: Value::Null,
    };
    is_example("/session/backend/message", &null);
    let groups = [(15687, "Retail support"), (15690, "Mortgages")].map(|(id, name)| GroupView {
        id,
        name: name.to_owned(),
    });
    for (code, text, groups, retry_after) in [
        (
            "unknown",
            "there is no such session in your groups",
            None,
            None,
        ),
        (
            "groups",
            "the key runs in several of your groups",
            Some(groups.into()),
            None,
        ),
        ("rate", "too many attempts: wait a while", None, Some(30)),
        ("timeout", "no such session has started", None, None),
    ] {
        let refused = Refused {
            code,
            text,
            groups,
            retry_after,
        };
        is_example("/session/backend/refused", &ToConsole::Refused(refused));
    }
}

#[test]
fn a_suspended_session_says_why() {
    for (reason, word) in [
        (SuspendReason::Group, "group"),
        (SuspendReason::Masks, "masks"),
        (SuspendReason::Navigating, "navigating"),
    ] {
        let view = serde_json::to_value(view(Standing::Suspended(reason))).unwrap();
        assert_eq!(view["state"], "suspended");
        assert_eq!(view["reason"], word);
    }
}
