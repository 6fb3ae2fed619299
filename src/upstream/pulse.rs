use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use super::check::HealthCheck;
use super::health::{Fault, Health, Standing, Verdict};

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
    /// How many exchanges there may be at once; none: as many as come.
    slots: Option<Arc<Semaphore>>,
}

/// Why an origin takes no exchange now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// It has all it may have at once.
    Full,
    /// It is due, and another exchange finds out about it.
    OnTrial,
}

/// One exchange in flight; it is taken out when this is dropped.
#[derive(Debug)]
pub(super) struct InFlight {
    pulse: Arc<Pulse>,
    /// It finds out whether the origin is back, and has not yet.
    is_trial: bool,
    _slot: Option<OwnedSemaphorePermit>,
}

/// The most that a semaphore counts, by far.
pub(super) const SLOTS_MAX: usize = 1_000_000;

impl Pulse {
    pub(super) fn new(name: String, health: Health, in_flight_max: Option<usize>) -> Arc<Self> {
        Arc::new(Self {
            name,
            is_calm: AtomicBool::new(false),
            health: Mutex::new(health),
            in_flight: AtomicU32::new(0),
            slots: in_flight_max.map(|max| Arc::new(Semaphore::new(max.min(SLOTS_MAX)))),
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

    /// Begins an exchange.
    pub(super) fn enter(self: &Arc<Self>, standing: Standing) -> Result<InFlight, Refused> {
        let slot = match &self.slots {
            None => None,
            Some(slots) => {
                let slot = Arc::clone(slots).try_acquire_owned();
                Some(slot.map_err(|_| Refused::Full)?)
            }
        };
        let is_trial = standing == Standing::Due;
        if is_trial && !self.lock().begin_trial(Instant::now()) {
            return Err(Refused::OnTrial);
        }
        Ok(self.begin(slot, is_trial))
    }

    /// Begins an exchange whose place was waited for.
    pub(super) fn enter_with(self: &Arc<Self>, slot: OwnedSemaphorePermit) -> InFlight {
        self.begin(Some(slot), false)
    }

    /// Waits for a place; `None`: there is no limit, and so none to wait for.
    pub(super) fn slot(&self) -> impl Future<Output = Option<OwnedSemaphorePermit>> + Send + use<> {
        let slots = self.slots.clone();
        async move { slots?.acquire_owned().await.ok() }
    }

    fn begin(self: &Arc<Self>, slot: Option<OwnedSemaphorePermit>, is_trial: bool) -> InFlight {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        InFlight {
            pulse: Arc::clone(self),
            is_trial,
            _slot: slot,
        }
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

    pub(super) fn note_check(&self, outcome: Result<(), Fault>, check: &HealthCheck) {
        let now = Instant::now();
        let mut health = self.lock();
        match health.note_check(outcome, check, now) {
            None => {}
            Some(Verdict::Back) => {
                tracing::info!(
                    origin = self.name,
                    "an origin passes its health checks again"
                );
            }
            Some(Verdict::Out) => {
                self.is_calm.store(false, Ordering::Relaxed);
                tracing::warn!(origin = self.name, "an origin fails its health checks");
            }
        }
        self.note_calm(&health, now);
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
    /// It has a connection.
    pub(super) fn reached(&self) {
        if self.is_trial {
            self.pulse.lock().reach();
        }
    }

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
