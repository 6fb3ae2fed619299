use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use tokio::task::{JoinError, JoinHandle, spawn_blocking};

use super::embedded::Embedded;
use super::orders::Orders;
use super::routes::Routes;
use super::service_manager::{tell_ready, tell_reloading};
use super::wishes::Wishes;
use crate::config::EdgeConfig;
use crate::problem::Problem;
use crate::server::Certificates;
use crate::telemetry::Metrics;

/// Reads rules and certificates anew when asked to, as SIGHUP and a change of their directories do.
/// What has problems never replaces what works. Clones are the same reloader.
#[derive(Clone, Debug)]
pub struct Reloader(Arc<Sources>);

/// Why something was not reloaded; it stays as it was.
#[derive(Debug, thiserror::Error)]
pub enum ReloadError {
    #[error("reading rules and certificates panicked")]
    Panicked(#[source] JoinError),
    #[error("{} problems in rules and certificates", .0.len())]
    Problems(Vec<Problem>),
}

/// What is read, and where it comes into force.
#[derive(Debug)]
pub(super) struct Sources {
    pub(super) config: EdgeConfig,
    pub(super) routes: Arc<ArcSwap<Routes>>,
    pub(super) embedded: Embedded,
    pub(super) certificates: Option<Arc<Certificates>>,
    pub(super) orders: Option<Orders>,
    pub(super) metrics: Arc<Metrics>,
    /// Held while reading: of two readings at once the older could come into force last.
    pub(super) turn: Mutex<()>,
}

/// A running reloader; ends when dropped.
#[derive(Debug)]
pub(super) struct Reloading(JoinHandle<()>);

impl Drop for Reloading {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Reloader {
    pub(super) fn new(sources: Sources) -> Self {
        Self(Arc::new(sources))
    }

    /// Reads everything again. Rules and certificates come into force each by themselves; what
    /// became of them is counted and logged, too. `Ok` holds warnings.
    pub async fn reload(&self) -> Result<Vec<Problem>, ReloadError> {
        let sources = Arc::clone(&self.0);
        match spawn_blocking(move || sources.reload()).await {
            Ok(reloaded) => reloaded.map_err(ReloadError::Problems),
            Err(error) => {
                tracing::error!(%error, "a reload panicked; what was in force stays in force");
                Err(ReloadError::Panicked(error))
            }
        }
    }

    /// Reloads whenever somebody wishes it.
    pub(super) fn follow(self, mut wishes: Wishes) -> Reloading {
        Reloading(tokio::spawn(async move {
            while wishes.next().await {
                // A directory that was taken away and put back is another one to the watcher.
                // Before reading, so that what changes while it is read is seen too.
                wishes.watch_again();
                tell_reloading();
                // It was logged and counted; nobody else waits to hear of it.
                let _ = self.reload().await;
                tell_ready();
            }
        }))
    }
}

impl Sources {
    fn reload(&self) -> Result<Vec<Problem>, Vec<Problem>> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let rules = self.note("rules", self.reload_rules());
        let certificates = self.certificates.as_ref();
        let certificates =
            certificates.map(|certificates| self.note("certificates", certificates.reload()));
        match (rules, certificates.unwrap_or_else(|| Ok(Vec::new()))) {
            (Ok(rules), Ok(certificates)) => Ok([rules, certificates].concat()),
            (rules, certificates) => {
                let problems = [rules.err(), certificates.err()];
                Err(problems.into_iter().flatten().flatten().collect())
            }
        }
    }

    fn reload_rules(&self) -> Reloaded {
        let (routes, warnings) = Routes::load(&self.config, Some(&self.routes.load()))?;
        self.embedded.renew(&self.config, &routes);
        if let Some(orders) = &self.orders {
            orders.renew(&routes);
        }
        routes.watch_origins();
        self.routes.store(Arc::new(routes));
        Ok(warnings)
    }

    fn note(&self, what: &'static str, outcome: Reloaded) -> Reloaded {
        self.metrics.reloaded(what, &outcome);
        report(what, &outcome);
        outcome
    }
}

type Reloaded = Result<Vec<Problem>, Vec<Problem>>;

fn report(what: &str, outcome: &Reloaded) {
    match outcome {
        Ok(warnings) => {
            for warning in warnings {
                tracing::warn!("{warning}");
            }
            tracing::info!(what, "reloaded");
        }
        Err(problems) => {
            for problem in problems {
                tracing::error!("{problem}");
            }
            let problems = problems.len();
            tracing::error!(
                what,
                problems,
                "not reloaded; what was in force stays in force"
            );
        }
    }
}
