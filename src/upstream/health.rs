use std::time::Duration;

use tokio::time::Instant;

use super::check::HealthCheck;

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
    /// In a row.
    checks_passed: u32,
    checks_failed: u32,
}

/// What a health check changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Back,
    Out,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Up {
        since: Instant,
    },
    Out {
        fault: Fault,
        until: Instant,
        by_check: bool,
    },
    /// One request is on its way to find out whether it is back.
    OnTrial {
        fault: Fault,
        until: Instant,
        /// It has a connection by now: somebody is there.
        is_reached: bool,
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
            checks_passed: 0,
            checks_failed: 0,
        }
    }

    pub(super) fn standing(&self, now: Instant) -> Standing {
        match self.state {
            State::Up { .. } => Standing::Up,
            State::Out { until, .. } if until <= now => Standing::Due,
            State::OnTrial {
                is_reached: true, ..
            } => Standing::Spared,
            State::Out { fault, until, .. } | State::OnTrial { fault, until, .. } => match fault {
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
            State::Out { fault, until, .. } if until <= now => {
                self.state = State::OnTrial {
                    fault,
                    until,
                    is_reached: false,
                };
                true
            }
            _ => false,
        }
    }

    /// The trial has a connection. How long its answer takes is up to its visitor and his page, and
    /// is not waited for by those who have no other origin.
    pub(super) fn reach(&mut self) {
        if let State::OnTrial { is_reached, .. } = &mut self.state {
            *is_reached = true;
        }
    }

    /// The trial ended without an outcome: its visitor is gone.
    pub(super) fn abandon_trial(&mut self) {
        if let State::OnTrial { fault, until, .. } = self.state {
            self.state = State::Out {
                fault,
                until,
                by_check: false,
            };
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
            by_check: false,
        };
        Some(time)
    }

    /// A health check was passed, or failed. Returns what came of it.
    pub(super) fn note_check(
        &mut self,
        outcome: Result<(), Fault>,
        check: &HealthCheck,
        now: Instant,
    ) -> Option<Verdict> {
        match outcome {
            Ok(()) => {
                (self.checks_failed, self.checks_passed) =
                    (0, self.checks_passed.saturating_add(1));
                let enough = self.checks_passed >= check.healthy_after;
                (enough && self.is_healed_by_checks()).then(|| {
                    self.come_back(now);
                    Verdict::Back
                })
            }
            Err(fault) => {
                (self.checks_passed, self.checks_failed) =
                    (0, self.checks_failed.saturating_add(1));
                let enough = self.checks_failed >= check.unhealthy_after;
                enough
                    .then(|| self.fail_by_check(fault, check, now))
                    .flatten()
            }
        }
    }

    /// Checks tell that somebody is there again; whether pages come well again they do not.
    fn is_healed_by_checks(&self) -> bool {
        match self.state {
            State::Up { .. } => false,
            State::Out {
                fault, by_check, ..
            } => by_check || fault == Fault::Unreachable,
            State::OnTrial { fault, .. } => fault == Fault::Unreachable,
        }
    }

    /// Until the check after the next one: should checks end, visitors find out.
    fn fail_by_check(
        &mut self,
        fault: Fault,
        check: &HealthCheck,
        now: Instant,
    ) -> Option<Verdict> {
        let was_up = matches!(self.state, State::Up { .. });
        self.ejections += u64::from(was_up);
        self.state = State::Out {
            fault,
            until: now + (check.interval + check.timeout) * 2,
            by_check: true,
        };
        was_up.then_some(Verdict::Out)
    }

    pub(super) fn ejections(&self) -> u64 {
        self.ejections
    }
}

#[cfg(test)]
mod tests;
