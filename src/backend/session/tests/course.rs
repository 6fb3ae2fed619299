use super::*;
use crate::backend::protocol::{ErrorCode, SessionError};

#[test]
fn a_session_goes_from_start_to_end() {
    let mut play = play();
    assert_eq!(play.session.standing(), Standing::Starting);

    play.open(1, "a");
    assert_eq!(play.heard(1), ["welcome 1 waiting shown 0"]);
    assert_eq!(play.audited(), [("continue", true, "")]);
    assert!(play.effects.contains(&Effect::Save));

    play.join(10);
    assert_eq!(play.heard(1), ["agents 1", "live", "watch true"]);
    play.join(11);
    assert_eq!(play.heard(1), ["agents 2"]);
    play.then(Happening::Left { seat: 10 });
    assert_eq!(play.heard(1), ["agents 1"]);
    play.then(Happening::Left { seat: 11 });
    assert_eq!(play.heard(1), ["agents 0", "waiting", "watch false"]);

    play.then(Happening::Finished(FinishReason::Visitor));
    assert_eq!(play.heard(1), ["ended visitor ", "close 4410"]);
    assert_eq!(play.ended(), Some((EndReason::Visitor, "visitor")));
    assert_eq!(play.open(2, "b"), [], "over is over");
    assert_eq!(play.session.deadline(), None);
}

#[test]
fn the_state_follows_from_pages_and_agents() {
    let group = Standing::Suspended(SuspendReason::Group);
    let masks = Standing::Suspended(SuspendReason::Masks);
    let navigating = Standing::Suspended(SuspendReason::Navigating);
    type Step = fn(&mut Play) -> Vec<Effect>;
    let table: &[(&str, &[Step], Standing)] = &[
        ("nothing", &[], Standing::Starting),
        (
            "an agent before the page",
            &[|p| p.join(10)],
            Standing::Starting,
        ),
        ("a page", &[|p| p.open(1, "a")], Standing::Waiting),
        (
            "both",
            &[|p| p.open(1, "a"), |p| p.join(10)],
            Standing::Live,
        ),
        (
            "a page that went",
            &[|p| p.open(1, "a"), |p| p.close(1)],
            navigating,
        ),
        (
            "a page that went under an agent",
            &[|p| p.open(1, "a"), |p| p.join(10), |p| p.close(1)],
            navigating,
        ),
        (
            "the next page",
            &[
                |p| p.open(1, "a"),
                |p| p.join(10),
                |p| p.close(1),
                |p| p.open(2, "a"),
            ],
            Standing::Live,
        ),
        (
            "a page of other groups",
            &[|p| p.join(10), |p| p.open_refused(1, "a")],
            group,
        ),
        (
            "back from there",
            &[
                |p| p.join(10),
                |p| p.open_refused(1, "a"),
                |p| p.open(2, "a"),
            ],
            Standing::Live,
        ),
        (
            "a page that cannot be masked",
            &[
                |p| p.open(1, "a"),
                |p| p.join(10),
                |p| refuse(p, RefuseCode::MaskingError),
            ],
            masks,
        ),
        (
            "a page that refuses the group itself",
            &[
                |p| p.open(1, "a"),
                |p| p.join(10),
                |p| refuse(p, RefuseCode::GroupId),
            ],
            group,
        ),
        (
            "a page that refused and went",
            &[
                |p| p.open(1, "a"),
                |p| refuse(p, RefuseCode::MaskingError),
                |p| p.close(1),
                |p| p.open(2, "a"),
            ],
            Standing::Waiting,
        ),
        (
            "another tab, not focused, of other groups",
            &[
                |p| p.open_focused(1, "a"),
                |p| {
                    let page = OpenedPage {
                        admission: Admission::Refused("groupid"),
                        ..page("b")
                    };
                    p.then(Happening::Opened { socket: 2, page })
                },
            ],
            Standing::Waiting,
        ),
        (
            "the focus on a page of other groups",
            &[|p| p.open_focused(1, "a"), |p| p.open_refused(2, "b")],
            group,
        ),
        (
            "the focus back",
            &[
                |p| p.open_focused(1, "a"),
                |p| p.open_refused(2, "b"),
                |p| p.focus(1),
            ],
            Standing::Waiting,
        ),
        (
            "a grant that ran out before the focus came",
            &[
                |p| p.open(1, "a"),
                |p| {
                    let admission = Admission::Refused("grant_expired");
                    p.then(Happening::Focused {
                        socket: 1,
                        admission,
                        allowed: vec![7],
                    })
                },
            ],
            group,
        ),
        (
            "a page that nobody looked at",
            &[|p| {
                let page = OpenedPage::default();
                p.then(Happening::Opened { socket: 1, page })
            }],
            group,
        ),
    ];
    for (name, steps, expected) in table {
        let mut play = play();
        for step in *steps {
            step(&mut play);
        }
        assert_eq!(play.session.standing(), *expected, "{name}");
        let facts = play.session.facts();
        assert_eq!(facts.standing, *expected, "{name}");
    }
}

fn refuse(play: &mut Play, code: RefuseCode) -> Vec<Effect> {
    let msg = String::new();
    play.said(1, VisitorMessage::Refuse { code, msg })
}

#[test]
fn refusals_are_audited() {
    let mut play = play();
    play.open_refused(1, "a");
    assert_eq!(play.audited(), [("continue", false, "groupid")]);
    assert_eq!(play.heard(1), ["welcome 1 group shown 0"]);
    refuse(&mut play, RefuseCode::MaskingError);
    assert_eq!(play.audited(), [("refuse", false, "maskingerror")]);
    assert_eq!(play.heard(1), ["masks"]);
    let admission = Admission::Refused("grant_expired");
    play.then(Happening::Focused {
        socket: 1,
        admission,
        allowed: vec![7],
    });
    assert_eq!(play.audited(), [("focus", false, "grant_expired")]);
}

#[test]
fn a_page_hears_why_it_is_refused() {
    let mut play = play();
    let page = OpenedPage {
        admission: Admission::Refused("group_gone"),
        allowed: vec![7, 8],
        ..page("a")
    };
    play.then(Happening::Opened { socket: 1, page });
    let refused = |allowed: &[u32]| SessionError::of_group(15687, allowed);
    let Some(BackendMessage::Welcome(welcome)) = said(&play).pop() else {
        panic!("{:?}", play.effects);
    };
    assert_eq!(welcome.refusal, Some(refused(&[7, 8])));
    let error = welcome.refusal.unwrap();
    assert_eq!(error.code, ErrorCode::GroupId);
    let params = serde_json::json!({"groupid": 15687, "allowed": [7, 8]});
    assert_eq!(Some(&params), error.params.map(Into::into).as_ref());

    play.open_focused(2, "b");
    let Some(BackendMessage::Welcome(welcome)) = said(&play).pop() else {
        panic!("{:?}", play.effects);
    };
    assert_eq!(welcome.refusal, None);
    let focus = |play: &mut Play| {
        play.then(Happening::Focused {
            socket: 2,
            admission: Admission::Refused("grant_expired"),
            allowed: vec![9],
        })
    };
    focus(&mut play);
    let error = refused(&[9]);
    assert_eq!(said(&play)[0], BackendMessage::Refused { error });
    assert_eq!(focus(&mut play), [], "what it knows");
}

fn said(play: &Play) -> Vec<BackendMessage> {
    let said = play.effects.iter().filter_map(|effect| match effect {
        Effect::Say { message, .. } => Some(message.clone()),
        _ => None,
    });
    said.collect()
}

#[test]
fn time_ends_what_does_not_go_on() {
    let terms = Terms::default();
    let second = Duration::from_secs(1);

    let mut never_opened = play();
    assert_eq!(never_opened.session.deadline(), Some(terms.start));
    never_opened.wait(terms.start - second);
    assert_eq!(never_opened.ended(), None);
    never_opened.wait(second);
    assert_eq!(never_opened.ended(), Some((EndReason::Error, "timeout")));

    let mut away = play();
    away.open(1, "a");
    away.wait(terms.suspended * 2);
    assert_eq!(away.ended(), None, "a page that is there may wait");
    away.close(1);
    assert_eq!(away.session.deadline(), Some(away.now + terms.suspended));
    away.wait(terms.suspended);
    assert_eq!(away.ended(), Some((EndReason::Error, "timeout")));

    let mut refused = play();
    refused.open_refused(1, "a");
    refused.wait(terms.suspended);
    assert_eq!(refused.heard(1), ["ended error service", "close 4410"]);

    let mut back = play();
    back.open(1, "a");
    back.close(1);
    back.wait(terms.suspended - second);
    back.open(2, "a");
    back.wait(terms.suspended - second);
    assert_eq!(back.ended(), None);
    back.wait(terms.age);
    assert_eq!(back.ended(), Some((EndReason::Error, "timeout")));
}

#[test]
fn a_session_that_a_restart_brought_back_waits_for_its_page() {
    let session = Session::resume(identity(), Terms::default(), true, Moment::ZERO);
    let mut play = Play { session, ..play() };
    let navigating = Standing::Suspended(SuspendReason::Navigating);
    assert_eq!(play.session.standing(), navigating);
    assert_eq!(play.session.deadline(), Some(Terms::default().suspended));
    play.open(1, "a");
    assert_eq!(play.heard(1), ["welcome 1 waiting shown paused 0"]);
}

#[test]
fn either_side_may_end_it() {
    let cases: [(Happening, &str, EndReason, &str); 3] = [
        (
            Happening::Ordered {
                seat: 10,
                order: Order::End,
            },
            "ended agent ",
            EndReason::Agent,
            "agent",
        ),
        (
            Happening::Finished(FinishReason::Visitor),
            "ended visitor ",
            EndReason::Visitor,
            "visitor",
        ),
        (
            Happening::Finished(FinishReason::MaskingError),
            "ended error ",
            EndReason::Error,
            "maskingerror",
        ),
    ];
    for (happening, heard, reason, why) in cases {
        let mut play = play();
        play.open(1, "a");
        play.open(2, "b");
        play.join(10);
        play.then(happening);
        for socket in [1, 2] {
            assert_eq!(play.heard(socket), [heard, "close 4410"]);
        }
        assert_eq!(play.ended(), Some((reason, why)));
        let told = play.effects.iter().any(|effect| {
            matches!(effect, Effect::Tell { seat: 10, event: AgentEvent::Ended { by, .. } } if *by == reason.as_str())
        });
        assert!(told);
    }
}
