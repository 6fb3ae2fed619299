use super::*;

/// A page that is watched by agent 10.
fn live() -> Play {
    let mut play = play();
    play.open_focused(1, "a");
    play.join(10);
    play
}

#[test]
fn frames_reach_those_who_watch() {
    let mut play = live();
    for frame in ["S0", "E1", "E2"] {
        play.frame(1, 1, frame);
        assert_eq!(play.saw(10), [frame]);
    }
    play.frame(1, 1, "S3");
    assert_eq!(play.saw(10), ["S3"]);
}

#[test]
fn who_comes_late_gets_the_whole_picture_at_once() {
    let mut play = live();
    for frame in ["S0", "E1", "S2", "E3"] {
        play.frame(1, 1, frame);
    }
    play.join(11);
    assert_eq!(play.saw(11), ["S2", "E3"]);
    assert_eq!(play.saw(10), [""; 0]);
    assert_eq!(play.heard(1), ["agents 2"], "the page need not be asked");
    play.frame(1, 1, "E4");
    assert_eq!(
        (play.saw(10), play.saw(11)),
        (vec!["E4".into()], vec!["E4".into()])
    );
}

#[test]
fn nothing_flows_unless_it_may() {
    type Step = fn(&mut Play) -> Vec<Effect>;
    let table: &[(&str, &[Step])] = &[
        ("no agent", &[|p| p.open_focused(1, "a")]),
        (
            "an agent without the right",
            &[
                |p| p.open_focused(1, "a"),
                |p| {
                    let guest = Guest {
                        views: false,
                        ..guest("anna")
                    };
                    p.then(Happening::Joined { seat: 10, guest })
                },
            ],
        ),
        (
            "the agent left",
            &[
                |p| p.open_focused(1, "a"),
                |p| p.join(10),
                |p| p.then(Happening::Left { seat: 10 }),
            ],
        ),
        (
            "the right was taken away",
            &[
                |p| p.open_focused(1, "a"),
                |p| p.join(10),
                |p| {
                    p.then(Happening::Views {
                        seat: 10,
                        views: false,
                    })
                },
            ],
        ),
        (
            "paused",
            &[
                |p| p.open_focused(1, "a"),
                |p| p.join(10),
                |p| p.pause(1, true),
            ],
        ),
        (
            "a page of other groups",
            &[|p| p.open_refused(1, "a"), |p| p.join(10)],
        ),
        (
            "a page that cannot be masked",
            &[
                |p| p.open_focused(1, "a"),
                |p| p.join(10),
                |p| {
                    let msg = String::new();
                    let code = RefuseCode::MaskingError;
                    p.said(1, VisitorMessage::Refuse { code, msg })
                },
            ],
        ),
        (
            "another tab is shown",
            &[
                |p| p.open_focused(1, "a"),
                |p| p.join(10),
                |p| p.open_focused(2, "b"),
            ],
        ),
    ];
    for (name, steps) in table {
        let mut play = play();
        for step in *steps {
            step(&mut play);
        }
        for frame in ["S0", "E1"] {
            play.frame(1, 1, frame);
            assert_eq!(play.saw(10), [""; 0], "{name}");
            assert_eq!(play.heard(1), [""; 0], "{name}");
        }
        play.join(11);
        assert_eq!(play.saw(11), [""; 0], "{name}: nothing was kept");
    }
}

#[test]
fn a_recording_begins_with_a_snapshot() {
    let mut play = live();
    for frame in ["E0", "E1", "S7", "E8"] {
        play.frame(1, 1, frame);
        assert_eq!(play.saw(10), [""; 0], "{frame} is of a recording before");
    }
    play.frame(1, 1, "S0");
    assert_eq!(play.saw(10), ["S0"]);
    play.pause(1, true);
    play.pause(1, false);
    play.frame(1, 1, "E1");
    assert_eq!(play.saw(10), [""; 0], "it began anew");
    play.frame(1, 1, "S0");
    assert_eq!(play.saw(10), ["S0"]);
}

#[test]
fn a_gap_is_closed_by_a_snapshot() {
    let mut play = live();
    play.frame(1, 1, "S0");
    play.frame(1, 1, "E2");
    assert_eq!(play.saw(10), [""; 0]);
    assert_eq!(play.heard(1), ["snapshot"]);
    play.frame(1, 1, "E3");
    assert_eq!((play.saw(10), play.heard(1)), (vec![], vec![]));
    play.join(11);
    assert_eq!(play.saw(11), [""; 0]);
    play.frame(1, 1, "S4");
    assert_eq!(
        (play.saw(10), play.saw(11)),
        (vec!["S4".into()], vec!["S4".into()])
    );
}

#[test]
fn a_frame_of_another_page_is_no_frame() {
    let mut play = live();
    play.frame(1, 2, "S0");
    assert_eq!(play.heard(1), ["close 4400"]);
    assert_eq!(play.saw(10), [""; 0]);
}

#[test]
fn snapshots_are_asked_for_once_a_second() {
    let mut play = live();
    play.frame(1, 1, "S0");
    let lagged = Happening::Lagged { seat: 10 };
    play.then(lagged.clone());
    assert_eq!(play.heard(1), ["snapshot"]);
    play.frame(1, 1, "E1");
    assert_eq!(play.saw(10), [""; 0], "something is missing");
    play.now += Duration::from_millis(300);
    play.then(lagged);
    assert_eq!(play.heard(1), [""; 0]);
    assert_eq!(play.session.deadline(), Some(Duration::from_secs(1)));
    play.wait(Duration::from_millis(700));
    assert_eq!(play.heard(1), ["snapshot"]);
    play.frame(1, 1, "S2");
    assert_eq!(play.saw(10), ["S2"]);
    play.wait(Duration::from_secs(5));
    assert_eq!(play.heard(1), [""; 0]);

    let order = Order::Snapshot;
    play.then(Happening::Ordered { seat: 10, order });
    assert_eq!(play.heard(1), ["snapshot"]);
    assert_eq!(play.saw(10), [""; 0], "what is kept is what it lost");
}

#[test]
fn others_are_not_held_up_by_an_agent_who_is_slow() {
    let mut play = live();
    play.join(11);
    play.frame(1, 1, "S0");
    play.then(Happening::Lagged { seat: 11 });
    play.frame(1, 1, "E1");
    assert_eq!((play.saw(10), play.saw(11)), (vec!["E1".into()], vec![]));
    play.frame(1, 1, "S2");
    assert_eq!(
        (play.saw(10), play.saw(11)),
        (vec!["S2".into()], vec!["S2".into()])
    );
}

#[test]
fn what_is_kept_is_bounded() {
    let terms = Terms {
        kept_bytes_max: 6,
        ..Terms::default()
    };
    let mut play = Play {
        session: Session::start(identity(), terms, Moment::ZERO),
        ..play()
    };
    play.open_focused(1, "a");
    play.join(10);
    for frame in ["S0", "E1", "E2"] {
        play.frame(1, 1, frame);
        assert_eq!(play.heard(1), [""; 0]);
    }
    play.frame(1, 1, "E3");
    assert_eq!(play.saw(10), ["E3"], "who is in misses nothing");
    assert_eq!(play.heard(1), ["snapshot"]);
    play.join(11);
    assert_eq!(play.saw(11), [""; 0]);
    play.frame(1, 1, "S4");
    assert_eq!(play.saw(11), ["S4"]);
}

#[test]
fn the_next_page_begins_anew() {
    let mut play = live();
    play.frame(1, 1, "S0");
    play.close(1);
    assert_eq!(play.saw(10), [""; 0]);
    play.join(11);
    assert_eq!(play.saw(11), [""; 0], "a page that is gone is not shown");
    play.open(2, "a");
    play.frame(1, 1, "E1");
    assert_eq!(play.saw(10), [""; 0]);
    play.frame(2, 2, "S0");
    assert_eq!(
        (play.saw(10), play.saw(11)),
        (vec!["S0".into()], vec!["S0".into()])
    );
}

/// A page that masks by who watches.
fn masked_by_agent() -> Play {
    let mut play = play();
    let page = OpenedPage {
        masks_by_agent: true,
        ..page("a")
    };
    play.then(Happening::Opened { socket: 1, page });
    play.join(10);
    play
}

#[test]
fn what_was_masked_for_others_is_shown_to_nobody_new() {
    let mut play = masked_by_agent();
    play.frame(1, 1, "S0");
    assert_eq!(play.saw(10), ["S0"]);
    play.join(11);
    assert_eq!(
        (play.saw(10), play.saw(11)),
        (vec!["reset".into()], vec!["reset".into()])
    );
    assert_eq!(play.heard(1), ["agents 2"]);
    for frame in ["E1", "S2"] {
        play.frame(1, 1, frame);
        assert_eq!((play.saw(10), play.saw(11)), (vec![], vec![]), "{frame}");
    }
    play.frame(1, 1, "S0");
    assert_eq!(
        (play.saw(10), play.saw(11)),
        (vec!["S0".into()], vec!["S0".into()])
    );
    play.then(Happening::Left { seat: 11 });
    assert_eq!(play.saw(10), ["reset"]);
}

#[test]
fn a_first_snapshot_under_way_for_others_cannot_arrive() {
    let mut play = masked_by_agent();
    play.join(11);
    assert_eq!(play.heard(1), ["close 1012"]);
    play.frame(1, 1, "S0");
    assert_eq!((play.saw(10), play.saw(11)), (vec![], vec![]));
    let page = OpenedPage {
        masks_by_agent: true,
        ..page("a")
    };
    play.then(Happening::Opened { socket: 2, page });
    assert_eq!(play.heard(2), ["welcome 2 live shown watched 2"]);
    play.frame(2, 2, "S0");
    assert_eq!(play.saw(11), ["S0"]);
}
