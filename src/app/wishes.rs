use std::path::{self, Path, PathBuf};
use std::time::Duration;

use notify::{Event, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::config::{EdgeConfig, RELOAD_DEBOUNCE};

/// What asks for a reload: SIGHUP, and changes in the directories of rules and certificates.
#[derive(Debug)]
pub(super) struct Wishes {
    hangup: Option<Signal>,
    changes: mpsc::Receiver<()>,
    watcher: Option<RecommendedWatcher>,
    directories: Vec<PathBuf>,
}

impl Wishes {
    /// To be called before the directories are read for the first time, so that no change is
    /// missed.
    pub(super) fn new(config: &EdgeConfig) -> Self {
        let directories = directories(config);
        // One waiting wish says it all: a second one asks for the same.
        let (changed, changes) = mpsc::channel(1);
        let watched = directories.clone();
        let watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            if event.is_ok_and(|event| is_change(&event, &watched)) {
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
    pub(super) fn watch_again(&mut self) {
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
    pub(super) async fn next(&mut self) -> bool {
        let hangup = self.hangup.as_mut();
        tokio::select! {
            Some(()) = async { match hangup { Some(hangup) => hangup.recv().await, None => None } } => true,
            Some(()) = self.changes.recv() => {
                self.settle().await;
                true
            }
            else => false,
        }
    }

    /// Waits until nothing has changed for a moment, but not for ever: where somebody writes all
    /// the time, reading must have its turn.
    async fn settle(&mut self) {
        let quiet = async {
            while let Ok(Some(())) = timeout(RELOAD_DEBOUNCE, self.changes.recv()).await {}
        };
        // Over time or in time: it is read now.
        let _ = timeout(SETTLE_MAX, quiet).await;
    }
}

/// How long a change waits at most for the changes after it.
const SETTLE_MAX: Duration = Duration::from_secs(2);

fn directories(config: &EdgeConfig) -> Vec<PathBuf> {
    let rules = config.rules.directory();
    let certificates = config.certificates.directory();
    let both = rules.into_iter().chain(certificates);
    // The watcher names what has changed by its whole path, wherever the settings start from.
    both.map(|directory| path::absolute(directory).unwrap_or_else(|_| directory.to_owned()))
        .collect()
}

/// Whether an event is about one of the directories, not about its neighbours: logs and the like
/// may lie beside it and change all the time.
fn is_change(event: &Event, directories: &[PathBuf]) -> bool {
    let concerns = |path: &PathBuf| {
        directories.iter().any(|directory| {
            path.starts_with(directory) || path.file_name() == directory.file_name()
        })
    };
    // The watcher's own words, such as that it lost count of the events, name no path.
    !event.kind.is_access() && (event.paths.is_empty() || event.paths.iter().any(concerns))
}

#[cfg(test)]
mod tests {
    use notify::event::{AccessKind, CreateKind, EventKind};

    use super::*;
    use crate::config::RulesSource;

    #[test]
    fn a_directory_is_known_by_its_whole_path_as_the_watcher_names_it() {
        let config = EdgeConfig::new(RulesSource::Directory(PathBuf::from("conf/rules")));
        let directories = directories(&config);
        let mut event = Event::new(EventKind::Create(CreateKind::Any));
        event
            .paths
            .push(path::absolute("conf/rules/a.toml").unwrap());
        assert!(is_change(&event, &directories), "{directories:?}");
    }

    #[test]
    fn neighbours_are_not_the_edges_business() {
        let directories = [PathBuf::from("conf/rules"), PathBuf::from("certs/")];
        for (path, expected) in [
            (Some("conf/rules/a.toml"), true),
            (Some("conf/rules"), true),
            (Some("./certs"), true),
            (Some("certs/a.pem"), true),
            (Some("conf/access.log"), false),
            (Some("conf/rules.bak"), false),
            (None, true),
        ] {
            let mut event = Event::new(EventKind::Create(CreateKind::Any));
            event.paths.extend(path.map(PathBuf::from));
            assert_eq!(is_change(&event, &directories), expected, "{path:?}");
        }
        let mut read = Event::new(EventKind::Access(AccessKind::Any));
        read.paths.push(PathBuf::from("certs/a.pem"));
        assert!(!is_change(&read, &directories));
    }
}
