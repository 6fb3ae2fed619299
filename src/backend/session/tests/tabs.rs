use super::*;

#[test]
fn the_tab_with_the_focus_is_shown() {
    let mut play = play();
    play.open(1, "a");
    play.join(10);
    play.open(2, "b");
    assert_eq!(play.heard(2), ["welcome 2 live 1"], "the first one stays");
    play.focus(2);
    assert_eq!(play.heard(1), ["shown false"]);
    assert_eq!(play.heard(2), ["shown true", "watch true"]);
    let order = play.effects.iter().filter_map(|effect| match effect {
        Effect::Say {
            socket,
            message: BackendMessage::Shown { .. },
        } => Some(*socket),
        _ => None,
    });
    assert_eq!(order.collect::<Vec<_>>(), [1, 2], "the loser first");

    play.open_focused(3, "c");
    assert_eq!(play.heard(2), ["shown false"]);
    assert_eq!(play.heard(3), ["welcome 3 live shown watched 1"]);
    play.close(3);
    assert_eq!(
        play.heard(2),
        ["shown true", "watch true"],
        "the one before"
    );
    play.close(2);
    assert_eq!(play.heard(1), ["shown true", "watch true"]);
    play.focus(9);
    assert_eq!(play.heard(1), [""; 0], "no such tab");
}

#[test]
fn a_tab_has_one_socket() {
    let mut play = play();
    play.open_focused(1, "a");
    play.open_focused(2, "a");
    assert_eq!(play.heard(1), ["close 4409"]);
    assert_eq!(play.heard(2), ["welcome 2 waiting shown 0"]);
    play.close(1);
    assert_eq!(play.heard(2), [""; 0], "its end is no news");
    assert_eq!(play.session.standing(), Standing::Waiting);
}

#[test]
fn a_visitor_has_so_many_tabs() {
    let mut play = play();
    for number in 0..16 {
        play.open(number, &number.to_string());
    }
    play.open(16, "one more");
    assert_eq!(play.heard(16), ["close 4429"]);
    play.open(17, "3");
    assert_eq!(
        play.heard(17),
        ["welcome 17 waiting 0"],
        "in the place of its twin"
    );
}

#[test]
fn each_tab_is_told_of_its_own_page() {
    let mut play = play();
    play.open_focused(1, "a");
    play.join(10);
    let page = OpenedPage {
        admission: Admission::Refused("groupid"),
        ..page("b")
    };
    play.then(Happening::Opened { socket: 2, page });
    assert_eq!(play.heard(2), ["welcome 2 group 1"]);
    assert_eq!(play.heard(1), [""; 0]);
    let admission = Admission::Refused("groupid");
    play.then(Happening::Focused {
        socket: 2,
        admission,
        allowed: vec![7],
    });
    assert_eq!(play.heard(1), ["shown false", "group"]);
    assert_eq!(play.heard(2), ["shown true", "watch true"]);
    play.focus(1);
    assert_eq!(play.heard(1), ["shown true", "live", "watch true"]);
    assert_eq!(play.heard(2), ["shown false"]);
}

#[test]
fn a_pause_is_kept_over_pages_and_told_to_agents() {
    let mut play = play();
    play.open(1, "a");
    play.join(10);
    let message = Some("one moment".to_owned());
    play.said(
        1,
        VisitorMessage::Pause {
            paused: true,
            message: message.clone(),
        },
    );
    let told = Effect::Tell {
        seat: 10,
        event: AgentEvent::Paused {
            paused: true,
            message: message.clone(),
        },
    };
    assert!(play.effects.contains(&told) && play.effects.contains(&Effect::Save));
    assert_eq!(play.session.facts().paused, Some(Pause { message }));
    play.close(1);
    play.open(2, "a");
    assert_eq!(play.heard(2), ["welcome 2 live shown watched paused 1"]);
    play.pause(2, false);
    assert!(play.effects.contains(&Effect::Save));
    assert_eq!(play.session.facts().paused, None);

    let page = OpenedPage {
        paused: true,
        ..page("b")
    };
    play.then(Happening::Opened { socket: 3, page });
    assert_eq!(play.heard(3), ["welcome 3 live paused 1"]);
}

#[test]
fn what_a_page_says_is_passed_on() {
    let mut play = play();
    play.open(1, "a");
    play.join(10);
    let message = |name: &str| VisitorMessage::Message {
        name: name.into(),
        data: serde_json::json!({"a": 1}),
    };
    play.said(1, message("greet"));
    let told = AgentEvent::Message {
        name: "greet".into(),
        data: serde_json::json!({"a": 1}),
    };
    assert!(play.effects.contains(&Effect::Tell {
        seat: 10,
        event: told
    }));
    play.said(1, VisitorMessage::Control { enabled: true });
    assert_eq!(play.heard(1), ["control false"]);
    play.said(
        1,
        VisitorMessage::Location {
            url: "https://bank.example/x".into(),
        },
    );
    assert_eq!(
        play.session.facts().url.as_deref(),
        Some("https://bank.example/x")
    );
    play.said(1, message(&"x".repeat(65)));
    assert_eq!(play.heard(1), ["refused service"]);
    assert_eq!(play.effects.len(), 1, "agents hear nothing of it");
    play.said(1, message(&"ä".repeat(64)));
    assert_eq!(play.effects.len(), 1);
    assert_eq!(play.heard(1), [""; 0]);
}

#[test]
fn nothing_is_heard_of_a_page_that_nobody_is_to_see() {
    let message = || VisitorMessage::Message {
        name: "greet".into(),
        data: serde_json::json!(1),
    };
    let is_heard = |effects: Vec<Effect>| {
        let heard = |effect: &Effect| {
            let Effect::Tell { event, .. } = effect else {
                return false;
            };
            matches!(event, AgentEvent::Message { .. })
        };
        effects.iter().any(heard)
    };
    let mut play = play();
    play.open_focused(1, "a");
    play.join(10);
    assert!(is_heard(play.said(1, message())));
    play.open_refused(2, "b");
    assert_eq!(play.session.facts().url, None);
    // Nor of the page behind it, while the session is suspended.
    assert!(!is_heard(play.said(2, message())));
    assert!(!is_heard(play.said(1, message())));
    let paused = VisitorMessage::Pause {
        paused: true,
        message: Some("private".to_owned()),
    };
    play.said(2, paused);
    assert_eq!(play.session.facts().paused, Some(Pause::default()));
    let order = Order::Message {
        name: "ask".into(),
        data: serde_json::json!(1),
    };
    let said = play.then(Happening::Ordered { seat: 10, order });
    assert!(
        !said
            .iter()
            .any(|effect| matches!(effect, Effect::Say { .. }))
    );
}

#[test]
fn an_agent_who_may_not_look_may_not_listen() {
    let mut play = play();
    play.open(1, "a");
    let guest = Guest {
        views: false,
        ..guest("ron")
    };
    play.then(Happening::Joined { seat: 10, guest });
    play.said(
        1,
        VisitorMessage::Message {
            name: "greet".into(),
            data: serde_json::json!(1),
        },
    );
    assert_eq!(play.effects, []);
}

#[test]
fn a_page_that_was_welcomed_without_masks_must_connect_anew() {
    let mut play = play();
    play.open_refused(1, "a");
    let code = CloseCode::Restart;
    assert!(play.focus(1).contains(&Effect::Close { socket: 1, code }));
}
