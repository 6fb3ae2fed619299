use super::*;

const SECOND: Duration = Duration::from_secs(1);

/// An origin that was just left alone for the first time, after 3 failures.
fn left_alone(fault: Fault, now: Instant) -> Health {
    let ejection = Ejection {
        after: 3,
        time: SECOND,
        time_max: SECOND * 5,
    };
    let mut health = Health::new(ejection, None, now);
    assert_eq!(health.fail(fault, now), None);
    assert_eq!(health.fail(fault, now), None);
    assert_eq!(health.standing(now), Standing::Up);
    assert_eq!(health.fail(fault, now), Some(SECOND));
    health
}

#[test]
fn failures_count_in_a_row() {
    let now = Instant::now();
    let mut health = Health::new(Ejection::default(), None, now);
    for _ in 0..100 {
        for _ in 1..DEFAULT_AFTER {
            assert_eq!(health.fail(Fault::Unreachable, now), None);
        }
        assert!(!health.is_calm(now));
        health.succeed(now);
        assert!(health.is_calm(now));
    }
}

#[test]
fn nobody_there_is_down_and_who_does_not_serve_is_spared() {
    let now = Instant::now();
    let down = left_alone(Fault::Unreachable, now);
    assert_eq!(down.standing(now), Standing::Down(now + SECOND));
    let spared = left_alone(Fault::Unserving, now);
    assert_eq!(spared.standing(now), Standing::Spared);
    for health in [down, spared] {
        assert_eq!(health.standing(now + SECOND), Standing::Due);
    }
}

#[test]
fn one_request_finds_out() {
    let begin = Instant::now();
    let mut health = left_alone(Fault::Unreachable, begin);
    assert!(!health.begin_trial(begin), "it is too early");
    let now = begin + SECOND;
    assert!(health.begin_trial(now));
    assert!(!health.begin_trial(now), "one is enough");
    assert_eq!(health.standing(now), Standing::Down(now));
    health.reach();
    assert_eq!(health.standing(now), Standing::Spared, "somebody is there");
    health.abandon_trial();
    assert!(health.begin_trial(now), "the first one told nothing");
    assert!(health.succeed(now));
    assert_eq!(health.standing(now), Standing::Up);
}

#[test]
fn it_is_left_alone_twice_as_long_each_time_until_it_holds() {
    let mut now = Instant::now();
    let mut health = left_alone(Fault::Unreachable, now);
    for seconds in [1, 2, 4, 5, 5] {
        assert_eq!(health.standing(now), Standing::Down(now + SECOND * seconds));
        now += SECOND * seconds;
        assert!(health.begin_trial(now));
        assert!(health.fail(Fault::Unreachable, now).is_some());
    }
    now += SECOND * 5;
    assert!(health.begin_trial(now));
    health.succeed(now);
    // It fails again at once: the time goes on growing.
    let again = |health: &mut Health, now| {
        health.fail(Fault::Unreachable, now);
        health.fail(Fault::Unreachable, now);
        health.fail(Fault::Unreachable, now)
    };
    assert_eq!(again(&mut health, now), Some(SECOND * 5));
    now += SECOND * 5;
    assert!(health.begin_trial(now));
    health.succeed(now);
    now += SECOND * 6;
    assert_eq!(again(&mut health, now), Some(SECOND));
    assert_eq!(health.ejections(), 8);
}

#[test]
fn late_news_of_requests_of_before_change_nothing() {
    let now = Instant::now();
    let mut health = left_alone(Fault::Unserving, now);
    assert_eq!(health.fail(Fault::Unserving, now), None);
    assert!(!health.succeed(now));
    assert_eq!(health.standing(now), Standing::Spared);
}

#[test]
fn one_that_is_back_starts_slowly() {
    let begin = Instant::now();
    let mut health = Health::new(Ejection::default(), Some(SECOND * 10), begin);
    let weight =
        |health: &Health, seconds| (health.weight(begin + SECOND * seconds) * 100.0).round() as u32;
    assert_eq!(weight(&health, 0), 10);
    assert_eq!(weight(&health, 5), 50);
    assert_eq!(weight(&health, 10), 100);
    assert!(!health.is_calm(begin + SECOND * 9));
    assert!(health.is_calm(begin + SECOND * 10));
    for _ in 0..DEFAULT_AFTER {
        health.fail(Fault::Unreachable, begin + SECOND * 20);
    }
    let back = begin + SECOND * 30;
    assert!(health.begin_trial(back));
    health.succeed(back);
    assert_eq!(weight(&health, 33), 30);
}

fn check() -> HealthCheck {
    HealthCheck {
        path: "/".parse().unwrap(),
        host: None,
        interval: SECOND,
        timeout: SECOND,
        healthy_after: 2,
        unhealthy_after: 3,
        statuses: Vec::new(),
    }
}

#[test]
fn checks_that_fail_in_a_row_take_it_out_and_checks_bring_it_back() {
    let (now, check) = (Instant::now(), check());
    let mut health = Health::new(Ejection::default(), None, now);
    for outcome in [Err(Fault::Unserving), Err(Fault::Unserving), Ok(())] {
        assert_eq!(health.note_check(outcome, &check, now), None);
    }
    for expected in [None, None, Some(Verdict::Out), None] {
        assert_eq!(
            health.note_check(Err(Fault::Unserving), &check, now),
            expected
        );
    }
    assert_eq!(health.standing(now), Standing::Spared);
    for expected in [None, Some(Verdict::Back), None] {
        assert_eq!(health.note_check(Ok(()), &check, now), expected);
    }
    assert_eq!(health.standing(now), Standing::Up);
    assert_eq!(health.ejections(), 1);
}

#[test]
fn while_checks_fail_no_visitor_finds_out() {
    let (mut now, check) = (Instant::now(), check());
    let mut health = left_alone(Fault::Unreachable, now);
    for _ in 0..100 {
        health.note_check(Err(Fault::Unreachable), &check, now);
        now += SECOND;
        let is_down = matches!(health.standing(now), Standing::Down(_));
        assert!(is_down || health.checks_failed < 3);
    }
    // Should they end, visitors do.
    assert_eq!(health.standing(now + SECOND * 4), Standing::Due);
}

/// It passes its checks, and its pages fail: that is not for checks to tell.
#[test]
fn checks_bring_back_who_was_not_there_and_not_who_did_not_serve() {
    let (now, check) = (Instant::now(), check());
    for (fault, verdict) in [
        (Fault::Unreachable, Some(Verdict::Back)),
        (Fault::Unserving, None),
    ] {
        let mut health = left_alone(fault, now);
        assert_eq!(health.note_check(Ok(()), &check, now), None);
        assert_eq!(health.note_check(Ok(()), &check, now), verdict, "{fault:?}");
    }
}
