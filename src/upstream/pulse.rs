use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::time::Instant;

use super::health::{Fault, Health, Standing};

/// One origin's health and load, shared by the exchanges with it. An origin that is well costs its
/// exchanges no lock.
#[derive(Debug)]
pub(super) struct Pulse {
    /// As origins are called in logs.
    name: String,
    /// There is nothing to know of its health.
    is_calm: AtomicBool,
    health: Mutex<Health>,
    in_flight: AtomicU32,
}

/// One exchange in flight; it is taken out when this is dropped.
#[derive(Debug)]
pub(super) struct InFlight {
    pulse: Arc<Pulse>,
    /// It finds out whether the origin is back, and has not yet.
    is_trial: bool,
}

impl Pulse {
    pub(super) fn new(name: String, health: Health) -> Arc<Self> {
        Arc::new(Self {
            name,
            is_calm: AtomicBool::new(false),
            health: Mutex::new(health),
            in_flight: AtomicU32::new(0),
        })
    }

    /// Whether it is asked, and its share of requests.
    pub(super) fn standing(&self) -> (Standing, f32) {
        if self.is_calm.load(Ordering::Relaxed) {
            return (Standing::Up, 1.0);
        }
        let now = Instant::now();
        let health = self.lock();
        self.note_calm(&health, now);
        (health.standing(now), health.weight(now))
    }

    pub(super) fn in_flight(&self) -> u32 {
        self.in_flight.load(Ordering::Relaxed)
    }

    /// Begins an exchange; `None`: the origin is due, and another exchange finds out about it.
    pub(super) fn enter(self: &Arc<Self>, standing: Standing) -> Option<InFlight> {
        let is_trial = standing == Standing::Due;
        if is_trial && !self.lock().begin_trial(Instant::now()) {
            return None;
        }
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        Some(InFlight {
            pulse: Arc::clone(self),
            is_trial,
        })
    }

    fn succeed(&self) {
        if self.is_calm.load(Ordering::Relaxed) {
            return;
        }
        let now = Instant::now();
        let mut health = self.lock();
        if health.succeed(now) {
            tracing::info!(origin = self.name, "an origin is back");
        }
        self.note_calm(&health, now);
    }

    fn fail(&self, fault: Fault) {
        let now = Instant::now();
        let mut health = self.lock();
        self.is_calm.store(false, Ordering::Relaxed);
        if let Some(time) = health.fail(fault, now) {
            let why = match fault {
                Fault::Unreachable => "nobody is there",
                Fault::Unserving => "it does not serve",
            };
            tracing::warn!(origin = self.name, why, ?time, "an origin is left alone");
        }
    }

    /// How often it was left alone.
    pub(super) fn ejections(&self) -> u64 {
        self.lock().ejections()
    }

    /// Under the lock, so that no failure is forgotten by it.
    fn note_calm(&self, health: &Health, now: Instant) {
        if health.is_calm(now) {
            self.is_calm.store(true, Ordering::Relaxed);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Health> {
        self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl InFlight {
    /// The origin answered.
    pub(super) fn succeeded(&mut self) {
        self.is_trial = false;
        self.pulse.succeed();
    }

    pub(super) fn failed(&mut self, fault: Fault) {
        self.is_trial = false;
        self.pulse.fail(fault);
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.pulse.in_flight.fetch_sub(1, Ordering::Relaxed);
        if self.is_trial {
            self.pulse.lock().abandon_trial();
        }
    }
}
