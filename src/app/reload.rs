use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwap;
use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::timeout;

use super::routes::Routes;
use crate::config::{CertificatesSource, EdgeConfig, RELOAD_DEBOUNCE, RulesSource};
use crate::problem::Problem;
use crate::server::Certificates;
use crate::telemetry::Metrics;

/// Reads rules and certificates anew on SIGHUP and when their directories change. What has
/// problems never replaces what works.
#[derive(Debug)]
pub(super) struct Reloader {
    pub(super) config: EdgeConfig,
    pub(super) routes: Arc<ArcSwap<Routes>>,
    pub(super) certificates: Option<Arc<Certificates>>,
    pub(super) metrics: Arc<Metrics>,
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
    pub(super) fn start(self) -> Reloading {
        Reloading(tokio::spawn(self.run()))
    }

    async fn run(self) {
        let this = Arc::new(self);
        let mut wishes = Wishes::new(this.directories());
        while wishes.next().await {
            let reloader = Arc::clone(&this);
            if spawn_blocking(move || reloader.reload()).await.is_err() {
                tracing::error!("reading the rules panicked; what was in force stays in force");
            }
            // A directory that was taken away and put back is another one to the watcher.
            wishes.watch_again();
        }
    }

    fn directories(&self) -> Vec<PathBuf> {
        let rules = match &self.config.rules {
            RulesSource::Directory(directory) => Some(directory.clone()),
            RulesSource::Given(_) => None,
        };
        let certificates = match &self.config.certificates {
            CertificatesSource::Directory(directory) => Some(directory.clone()),
            CertificatesSource::None | CertificatesSource::SelfSigned => None,
        };
        rules.into_iter().chain(certificates).collect()
    }

    fn reload(&self) {
        let rules = self.reload_rules();
        self.metrics.reloaded("rules", &rules);
        report("rules", rules);
        if let Some(certificates) = &self.certificates {
            let reloaded = certificates.reload();
            self.metrics.reloaded("certificates", &reloaded);
            report("certificates", reloaded);
        }
    }

    fn reload_rules(&self) -> Result<Vec<Problem>, Vec<Problem>> {
        let (routes, warnings) = Routes::load(&self.config, Some(&self.routes.load()))?;
        self.routes.store(Arc::new(routes));
        Ok(warnings)
    }
}

fn report(what: &str, outcome: Result<Vec<Problem>, Vec<Problem>>) {
    match outcome {
        Ok(warnings) => {
            for warning in &warnings {
                tracing::warn!("{warning}");
            }
            tracing::info!(what, "reloaded");
        }
        Err(problems) => {
            for problem in &problems {
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

/// What asks for a reload.
struct Wishes {
    hangup: Option<Signal>,
    changes: mpsc::Receiver<()>,
    watcher: Option<RecommendedWatcher>,
    directories: Vec<PathBuf>,
}

impl Wishes {
    fn new(directories: Vec<PathBuf>) -> Self {
        // One waiting wish says it all: a second one asks for the same.
        let (changed, changes) = mpsc::channel(1);
        let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            if event.is_ok_and(|event| !event.kind.is_access()) {
                // Full means that a wish is waiting already.
                let _ = changed.try_send(());
            }
        });
        let watcher = watcher
            .inspect_err(|error| tracing::warn!(%error, "changes are not seen; use SIGHUP"))
            .ok();
        let hangup = signal(SignalKind::hangup())
            .inspect_err(|error| tracing::warn!(%error, "SIGHUP is not seen"))
            .ok();
        let mut wishes = Self {
            hangup,
            changes,
            watcher,
            directories,
        };
        wishes.watch_again();
        wishes
    }

    /// Watches each directory, and the one that holds it, so that its return is seen too.
    fn watch_again(&mut self) {
        let Some(watcher) = &mut self.watcher else {
            return;
        };
        for directory in &self.directories {
            let parent = directory
                .parent()
                .filter(|parent| !parent.as_os_str().is_empty());
            let parent = parent.unwrap_or_else(|| Path::new("."));
            for path in [directory, parent] {
                if let Err(error) = watcher.watch(path, RecursiveMode::NonRecursive) {
                    tracing::debug!(path = %path.display(), %error, "not watched");
                }
            }
        }
    }

    /// Waits until somebody wants a reload and the files have come to rest; false if nobody ever
    /// can.
    async fn next(&mut self) -> bool {
        let hangup = self.hangup.as_mut();
        tokio::select! {
            Some(()) = async { match hangup { Some(hangup) => hangup.recv().await, None => None } } => true,
            Some(()) = self.changes.recv() => {
                while let Ok(Some(())) = timeout(RELOAD_DEBOUNCE, self.changes.recv()).await {}
                true
            }
            else => false,
        }
    }
}
