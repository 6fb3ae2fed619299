use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use instant_acme::Account;
use tokio::sync::watch;
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::{sleep, timeout};

use super::authority::account;
use super::config::Config;
use super::error::OrderError;
use super::order::order;
use super::schedule::{Due, due, pause};
use super::store::Store;
use crate::problem::with_causes;
use crate::server::{Certificates, Challenges};
use crate::telemetry::Metrics;

/// Sees to it that every host has a certificate that holds.
#[derive(Debug)]
pub struct Keeper {
    config: Config,
    hosts: watch::Receiver<Arc<[String]>>,
    certificates: Arc<Certificates>,
    challenges: Arc<Challenges>,
    store: Store,
    metrics: Arc<Metrics>,
    failures: HashMap<String, Failures>,
    dice: RandomState,
}

/// A keeper at work; ends when dropped.
#[derive(Debug)]
pub struct Keeping(JoinHandle<()>);

/// How often in a row a host's order failed.
#[derive(Clone, Copy, Debug)]
struct Failures {
    count: u32,
    paused_until: Instant,
}

/// Clocks are set right, and certificates put aside by hand.
const LOOK_EVERY: Duration = Duration::from_hours(1);
/// A moment that has come is not missed by a rounding.
const LOOK_MIN: Duration = Duration::from_millis(20);

impl Drop for Keeping {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Keeper {
    /// `hosts` are those that may be ordered for. `None`: nothing is to be ordered into these
    /// certificates.
    pub fn new(
        config: Config,
        hosts: watch::Receiver<Arc<[String]>>,
        certificates: Arc<Certificates>,
        metrics: Arc<Metrics>,
    ) -> Option<Self> {
        Some(Self {
            challenges: certificates.challenges()?,
            store: Store::new(certificates.directory()?),
            config,
            hosts,
            certificates,
            metrics,
            failures: HashMap::new(),
            dice: RandomState::new(),
        })
    }

    /// Must be called within a runtime.
    pub fn start(mut self) -> Keeping {
        Keeping(tokio::spawn(async move {
            loop {
                let rest = self.look().await.clamp(LOOK_MIN, LOOK_EVERY);
                tokio::select! {
                    () = sleep(rest) => {}
                    changed = self.hosts.changed() => if changed.is_err() { return },
                }
            }
        }))
    }

    /// Orders what is due; how long there is nothing more to do.
    async fn look(&mut self) -> Duration {
        let hosts = Arc::clone(&self.hosts.borrow_and_update());
        self.failures.retain(|host, _| hosts.contains(host));
        if self.next_due(&hosts) > Duration::ZERO {
            return self.next_due(&hosts);
        }
        let turn = match self.store.turn() {
            Ok(Some(turn)) => turn,
            Ok(None) => return self.config.pace.turn,
            Err(error) => {
                tracing::error!(%error, "no certificate can be kept, and none is ordered");
                return self.config.pace.pause_min;
            }
        };
        // Another edge may have just been through. What cannot be loaded would be ordered in vain.
        if let Err(error) = self.reload().await {
            for host in hosts.iter().filter(|host| self.is_due(host)) {
                self.metrics.certificate_ordered(host, false);
            }
            tracing::error!(%error, "no certificate is ordered");
            return self.config.pace.pause_min;
        }
        let mut account = None;
        for host in hosts.iter() {
            if self.is_due(host) {
                let outcome = self.obtain(&mut account, host).await;
                self.note(host, outcome);
            }
        }
        drop(turn);
        self.next_due(&hosts)
    }

    fn next_due(&self, hosts: &[String]) -> Duration {
        hosts
            .iter()
            .map(|host| self.rest_of(host))
            .min()
            .unwrap_or(LOOK_EVERY)
    }

    fn is_due(&self, host: &str) -> bool {
        self.rest_of(host) == Duration::ZERO
    }

    /// How long there is nothing to do for a host.
    fn rest_of(&self, host: &str) -> Duration {
        let directory = self.store.directory_of(host);
        let wanted = &self.config.directory;
        let held = self.certificates.describe();
        let rest = match due(
            host,
            &held,
            directory.as_deref(),
            wanted,
            self.dice_of(host),
        ) {
            Due::Never => return LOOK_EVERY,
            Due::Now => Duration::ZERO,
            Due::At(time) => time.duration_since(SystemTime::now()).unwrap_or_default(),
        };
        let paused = self
            .failures
            .get(host)
            .map(|failures| failures.paused_until);
        let paused = paused.map(|until| until.saturating_duration_since(Instant::now()));
        rest.max(paused.unwrap_or_default())
    }

    async fn obtain(&self, account: &mut Option<Account>, host: &str) -> Result<(), OrderError> {
        let limit = self.config.pace.order_timeout;
        let ordering = timeout(limit, self.ordered(account, host)).await;
        let pem = ordering.map_err(|_| OrderError::TimedOut)??;
        let fit = Certificates::check(host, &pem);
        fit.map_err(|problem| OrderError::Unfit(problem.to_string()))?;
        self.store
            .keep_certificate(host, &self.config.directory, &pem)?;
        self.reload().await
    }

    async fn ordered(
        &self,
        account_of_now: &mut Option<Account>,
        host: &str,
    ) -> Result<String, OrderError> {
        let account = match account_of_now {
            Some(account) => account,
            None => account_of_now.insert(account(&self.config, &self.store).await?),
        };
        let ordered = order(account, host, self.config.challenge, &self.challenges).await;
        if ordered
            .as_ref()
            .is_err_and(OrderError::is_of_a_lost_account)
        {
            self.store.forget_account(&self.config.directory);
            *account_of_now = None;
        }
        ordered
    }

    fn note(&mut self, host: &str, outcome: Result<(), OrderError>) {
        self.metrics.certificate_ordered(host, outcome.is_ok());
        match outcome {
            Ok(()) => {
                self.failures.remove(host);
                tracing::info!(host, "a certificate was ordered, and is in force");
            }
            Err(error) => {
                let count = self.failures.get(host).map_or(0, |failures| failures.count) + 1;
                let pause = pause(&self.config.pace, count, self.dice_of((host, count)));
                let paused_until = Instant::now() + pause;
                let failures = Failures {
                    count,
                    paused_until,
                };
                self.failures.insert(host.to_owned(), failures);
                tracing::error!(
                    host,
                    error = with_causes(&error),
                    failures = count,
                    again_in = ?pause,
                    "no certificate; what was in force stays in force"
                );
            }
        }
    }

    /// The same for the same thing, as long as the process lives.
    fn dice_of(&self, thing: impl std::hash::Hash) -> f64 {
        f64::from((self.dice.hash_one(thing) >> 32) as u32) / f64::from(u32::MAX)
    }

    async fn reload(&self) -> Result<(), OrderError> {
        let certificates = Arc::clone(&self.certificates);
        let reloaded = spawn_blocking(move || certificates.reload()).await;
        let reloaded = reloaded.map_err(|error| OrderError::NotLoaded(error.to_string()))?;
        reloaded.map(drop).map_err(|problems| {
            let texts: Vec<_> = problems.iter().map(ToString::to_string).collect();
            OrderError::NotLoaded(texts.join("; "))
        })
    }
}
