use super::*;
use crate::backend::session::ledger::{LINES_MAX, WINDOW};

fn times(play: &Play) -> Vec<(&'static str, u32)> {
    let lines = play.effects.iter().filter_map(|effect| match effect {
        Effect::Audit(line) => Some((line.reason, line.times)),
        _ => None,
    });
    lines.collect()
}

#[test]
fn what_is_refused_again_is_no_news() {
    let mut play = play();
    play.open(1, "a");
    let refuse = |play: &mut Play, code: RefuseCode| {
        let msg = String::new();
        play.said(1, VisitorMessage::Refuse { code, msg });
        play.audited()
    };
    let groupid = ("refuse", false, "groupid");
    assert_eq!(refuse(&mut play, RefuseCode::GroupId), [groupid]);
    for _ in 0..100 {
        assert_eq!(refuse(&mut play, RefuseCode::GroupId), []);
    }
    assert_eq!(
        refuse(&mut play, RefuseCode::MaskingError),
        [("refuse", false, "maskingerror")]
    );
    assert_eq!(refuse(&mut play, RefuseCode::GroupId), [groupid]);
}

#[test]
fn pages_without_end_are_counted() {
    let mut play = play();
    let mut written = 0;
    for _ in 0..LINES_MAX + 57 {
        play.open_refused(1, "a");
        written += play.audited().len();
        play.close(1);
    }
    assert_eq!(written, usize::try_from(LINES_MAX).unwrap());
    // Another kind of line is as good as ever.
    play.open(1, "a");
    assert_eq!(play.audited(), [("continue", true, "")]);

    assert_eq!(play.session.deadline(), Some(WINDOW));
    play.now = WINDOW;
    play.then(Happening::Passed);
    assert_eq!(times(&play), [("groupid", 57)]);
    play.open_refused(2, "b");
    assert_eq!(
        times(&play),
        [("groupid", 1)],
        "a window later it is news again"
    );
}

#[test]
fn what_was_counted_is_written_when_the_session_ends() {
    let mut play = play();
    for _ in 0..LINES_MAX + 2 {
        play.open(1, "a");
        play.close(1);
    }
    play.then(Happening::Finished(FinishReason::Visitor));
    assert_eq!(times(&play), [("", 2)]);
    assert!(play.ended().is_some());
}

#[test]
fn what_cannot_be_written_down_does_not_go_on() {
    let mut play = play();
    play.open_focused(1, "a");
    play.open(2, "b");
    let refused = Line::new("refuse", false, "groupid");
    play.then(Happening::Unwritten(refused));
    assert_eq!((play.heard(1), play.heard(2)), (vec![], vec![]));
    play.then(Happening::Unwritten(Line::new("continue", true, "")));
    assert_eq!(play.heard(1), ["close 1012"]);
    assert_eq!(play.heard(2), ["close 1012"]);
    assert_eq!(
        play.session.standing(),
        Standing::Suspended(SuspendReason::Navigating)
    );
    play.now = WINDOW;
    play.then(Happening::Passed);
    assert_eq!(times(&play), [("", 1), ("groupid", 1)], "it is made up for");
}

#[test]
fn frames_that_are_refused_are_written_down_and_counted() {
    let mut play = play();
    play.open(1, "a");
    let mut written = Vec::new();
    for _ in 0..LINES_MAX + 5 {
        play.then(Happening::FrameRefused(Admission::Refused("groupid")));
        written.extend(play.audited());
    }
    let line = ("frame", false, "groupid");
    assert_eq!(written, vec![line; usize::try_from(LINES_MAX).unwrap()]);
    play.now = WINDOW;
    play.then(Happening::Passed);
    assert_eq!(times(&play), [("groupid", 5)]);
}
