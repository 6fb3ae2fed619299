use super::*;

fn order(play: &mut Play, order: Order) {
    play.then(Happening::Ordered { seat: 10, order });
}

fn pointer(page: u32, node: u64, x: f64) -> Order {
    let y = 0.5;
    Order::Pointer { page, node, x, y }
}

#[test]
fn an_agent_hears_how_the_session_stands_before_anything_else() {
    let mut play = play();
    play.open_focused(1, "a");
    play.join(10);
    play.frame(1, 1, "S0");
    play.pause(1, true);
    play.pause(1, false);
    play.frame(1, 1, "S0");
    play.join(11);
    let told = play.effects.iter().filter_map(|effect| match effect {
        Effect::Tell { seat: 11, event } => Some(event.clone()),
        _ => None,
    });
    let told: Vec<_> = told.collect();
    let AgentEvent::Session(facts) = &told[0] else {
        panic!("{told:?}");
    };
    assert_eq!(facts.standing, Standing::Live);
    assert_eq!(facts.agents, ["AGENT10", "AGENT11"]);
    assert_eq!(facts.url.as_deref(), Some("https://bank.example/a"));

    play.pause(1, true);
    play.join(12);
    let paused = AgentEvent::Paused {
        paused: true,
        message: None,
    };
    assert!(play.effects.contains(&Effect::Tell {
        seat: 12,
        event: paused
    }));
}

#[test]
fn a_suspension_is_told_before_anything_of_the_next_page() {
    let mut play = play();
    play.open_focused(1, "a");
    play.join(10);
    play.open_refused(1, "a");
    let facts = play.effects.iter().find_map(|effect| match effect {
        Effect::Tell {
            seat: 10,
            event: AgentEvent::Session(facts),
        } => Some(facts.standing),
        _ => None,
    });
    assert_eq!(facts, Some(Standing::Suspended(SuspendReason::Group)));
}

#[test]
fn an_agent_points_at_the_page_that_is_shown() {
    let mut play = play();
    play.open_focused(1, "a");
    play.open(2, "b");
    play.join(10);
    order(&mut play, pointer(1, 17, 0.5));
    assert_eq!(
        (play.heard(1), play.heard(2)),
        (vec!["pointer 1 17".into()], vec![])
    );
    order(&mut play, Order::Highlight { page: 1, node: 3 });
    assert_eq!(play.heard(1), ["highlight 1 3"]);
    order(&mut play, pointer(2, 17, 0.5));
    assert_eq!(play.heard(2), [""; 0], "a page of before");
    let refused = RefuseCode::MaskingError;
    let msg = String::new();
    play.said(1, VisitorMessage::Refuse { code: refused, msg });
    order(&mut play, pointer(1, 17, 0.5));
    assert_eq!(play.heard(1), [""; 0], "nobody sees it");
}

#[test]
fn a_pointer_stays_within_its_box_and_goes_with_its_agent() {
    let mut play = play();
    play.open_focused(1, "a");
    play.join(10);
    for (x, within) in [
        (7.0, 1.0),
        (-1.0, 0.0),
        (f64::NAN, 0.0),
        (f64::INFINITY, 0.0),
    ] {
        order(&mut play, pointer(1, 17, x));
        let sent = play.effects.iter().find_map(|effect| match effect {
            Effect::Say {
                message: BackendMessage::Pointer { x, .. },
                ..
            } => Some(*x),
            _ => None,
        });
        assert_eq!(sent, Some(within), "{x}");
    }
    play.then(Happening::Left { seat: 10 });
    assert_eq!(
        play.heard(1),
        ["pointer 1 0", "agents 0", "waiting", "watch false"]
    );
}

#[test]
fn an_agent_speaks_to_the_tab_that_is_shown() {
    let mut play = play();
    play.open_focused(1, "a");
    play.open(2, "b");
    play.join(10);
    let (name, data) = ("greet".to_owned(), serde_json::Value::Null);
    order(&mut play, Order::Message { name, data });
    assert_eq!(
        (play.heard(1), play.heard(2)),
        (vec!["message greet".into()], vec![])
    );
}

#[test]
fn who_is_not_in_has_nothing_to_say() {
    let mut play = play();
    play.open_focused(1, "a");
    for order in [pointer(1, 1, 0.0), Order::Snapshot, Order::End] {
        assert_eq!(play.then(Happening::Ordered { seat: 10, order }), []);
    }
    for happening in [
        Happening::Left { seat: 10 },
        Happening::Lagged { seat: 10 },
        Happening::Views {
            seat: 10,
            views: true,
        },
    ] {
        assert_eq!(play.then(happening), []);
    }
}

#[test]
fn a_right_to_view_can_be_taken_and_given_back() {
    let mut play = play();
    play.open_focused(1, "a");
    play.join(10);
    play.join(11);
    play.frame(1, 1, "S0");
    let views = |views| Happening::Views { seat: 10, views };
    play.then(views(false));
    assert_eq!(play.saw(10), ["reset"]);
    play.frame(1, 1, "E1");
    assert_eq!((play.saw(10), play.saw(11)), (vec![], vec!["E1".into()]));
    play.then(views(true));
    assert_eq!(play.saw(10), ["S0", "E1"]);
}
