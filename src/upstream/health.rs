use std::time::Duration;

use tokio::time::Instant;

/// When an origin is not asked any more, and for how long.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Ejection {
    /// So many failures in a row. Default: 5.
    pub after: u32,
    /// How long it is left alone the first time; twice as long each time it fails again.
    /// Default: 1 second.
    pub time: Duration,
    /// The longest time. Default: 30 seconds.
    pub time_max: Duration,
}

/// How an origin failed, seen from whether it should be asked again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// Nobody is there: no connection could be made.
    Unreachable,
    /// Somebody is, and does not serve: no answer, or one that says so (502, 503, 504).
    Unserving,
}

/// Whether an origin is asked now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    Up,
    /// It was left alone for long enough: one request may find out whether it is back.
    Due,
    /// Asked only where too few others are left.
    Spared,
    /// Not asked before then: nobody is there.
    Down(Instant),
}

/// What is known of an origin from how its exchanges went. Pure: time is given.
#[derive(Debug)]
pub(super) struct Health {
    ejection: Ejection,
    slow_start: Option<Duration>,
    state: State,
    /// In a row.
    failures: u32,
    /// In a row, without an answer between them.
    ejected: u32,
    ejections: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Up {
        since: Instant,
    },
    Out {
        fault: Fault,
        until: Instant,
    },
    /// One request is on its way to find out whether it is back.
    OnTrial {
        fault: Fault,
        until: Instant,
    },
}

/// The share of requests with which an origin that is back begins.
const WEIGHT_MIN: f32 = 0.1;

/// Enough to be no accident.
const DEFAULT_AFTER: u32 = 5;
/// A restart is over in a few seconds.
const DEFAULT_TIME: Duration = Duration::from_secs(1);
/// A visitor who comes then is not told for longer that nobody is there.
const DEFAULT_TIME_MAX: Duration = Duration::from_secs(30);

impl Default for Ejection {
    fn default() -> Self {
        Self {
            after: DEFAULT_AFTER,
            time: DEFAULT_TIME,
            time_max: DEFAULT_TIME_MAX,
        }
    }
}

impl Ejection {
    /// How long an origin is left alone the n-th time in a row, counted from 0.
    fn time_of(&self, nth: u32) -> Duration {
        let factor = 1u32.checked_shl(nth.min(30)).unwrap_or(u32::MAX);
        self.time
            .saturating_mul(factor)
            .min(self.time_max.max(self.time))
    }
}

impl Health {
    pub(super) fn new(ejection: Ejection, slow_start: Option<Duration>, now: Instant) -> Self {
        Self {
            ejection,
            slow_start,
            state: State::Up { since: now },
            failures: 0,
            ejected: 0,
            ejections: 0,
        }
    }

    pub(super) fn standing(&self, now: Instant) -> Standing {
        match self.state {
            State::Up { .. } => Standing::Up,
            State::Out { until, .. } if until <= now => Standing::Due,
            State::Out { fault, until } | State::OnTrial { fault, until } => match fault {
                Fault::Unreachable => Standing::Down(until),
                Fault::Unserving => Standing::Spared,
            },
        }
    }

    /// The share of its requests that an origin gets: less than 1 while it starts.
    pub(super) fn weight(&self, now: Instant) -> f32 {
        match (self.state, self.slow_start) {
            (State::Up { since }, Some(window)) if !window.is_zero() => {
                let elapsed = now.saturating_duration_since(since);
                (elapsed.as_secs_f32() / window.as_secs_f32()).clamp(WEIGHT_MIN, 1.0)
            }
            _ => 1.0,
        }
    }

    /// Whether there is nothing to know of it: it is up, has not failed, and is not starting.
    pub(super) fn is_calm(&self, now: Instant) -> bool {
        matches!(self.state, State::Up { .. }) && self.failures == 0 && self.weight(now) >= 1.0
    }

    /// Takes the one request that may find out whether it is back; `false`: another did.
    pub(super) fn begin_trial(&mut self, now: Instant) -> bool {
        match self.state {
            State::Out { fault, until } if until <= now => {
                self.state = State::OnTrial { fault, until };
                true
            }
            _ => false,
        }
    }

    /// The trial ended without an outcome: its visitor is gone.
    pub(super) fn abandon_trial(&mut self) {
        if let State::OnTrial { fault, until } = self.state {
            self.state = State::Out { fault, until };
        }
    }

    /// It answered. Returns whether it is back by that. What was asked before it was left alone may
    /// be answered meanwhile, which heals nothing.
    pub(super) fn succeed(&mut self, now: Instant) -> bool {
        self.failures = 0;
        let is_back = matches!(self.state, State::OnTrial { .. });
        if is_back {
            self.come_back(now);
        }
        is_back
    }

    fn come_back(&mut self, now: Instant) {
        self.failures = 0;
        self.state = State::Up { since: now };
    }

    /// It failed. Returns for how long it is left alone, if that begins now.
    pub(super) fn fail(&mut self, fault: Fault, now: Instant) -> Option<Duration> {
        self.failures = self.failures.saturating_add(1);
        match self.state {
            State::Up { since } => {
                if self.failures < self.ejection.after {
                    return None;
                }
                // It held for a while since it was back: what was before does not count.
                let held = now.saturating_duration_since(since);
                if held > self.ejection.time_of(self.ejected) {
                    self.ejected = 0;
                }
            }
            State::OnTrial { .. } => {}
            State::Out { .. } => return None,
        }
        let time = self.ejection.time_of(self.ejected);
        self.ejected = self.ejected.saturating_add(1);
        self.ejections += 1;
        self.state = State::Out {
            fault,
            until: now + time,
        };
        Some(time)
    }

    pub(super) fn ejections(&self) -> u64 {
        self.ejections
    }
}

#[cfg(test)]
mod tests {
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
        let weight = |health: &Health, seconds| {
            (health.weight(begin + SECOND * seconds) * 100.0).round() as u32
        };
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
}
